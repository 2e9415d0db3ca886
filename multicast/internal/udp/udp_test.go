package udp

import (
	"bytes"
	"context"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/multicast/internal/link"
)

func open(t *testing.T, group netip.AddrPort, o Options) link.Conn {
	t.Helper()
	o.Group, o.Interface = group, "lo"
	c, err := Open(context.Background(), o)
	if err != nil {
		oracle.Missing(t, "no multicast on the loopback interface: "+err.Error())
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// datagrams reads until n have come, taking trains apart.
func datagrams(t *testing.T, read func([]link.Datagram) (int, error), n int) (list [][]byte, from netip.AddrPort) {
	t.Helper()
	d := make([]link.Datagram, 4)
	for i := range d {
		d[i].Buf = make([]byte, 65536)
	}
	for len(list) < n {
		k, err := read(d)
		require.NoError(t, err)
		for i := range d[:k] {
			b, size := d[i].Buf[:d[i].N], d[i].Size
			if size == 0 {
				size = len(b)
			}
			from = d[i].From
			for len(b) > 0 {
				p := b[:min(size, len(b))]
				list = append(list, bytes.Clone(p))
				b = b[len(p):]
			}
		}
	}
	return list, from
}

// TestTrainsArriveAsTheirDatagrams with and without UDP_SEGMENT: the same datagrams,
// at two nodes of one host, from the sender's own address.
func TestTrainsArriveAsTheirDatagrams(t *testing.T) {
	group := oracle.MulticastGroup(t)
	for _, no := range []bool{false, true} {
		a, b, s := open(t, group, Options{}), open(t, group, Options{}), open(t, group, Options{NoGSO: no})
		train := make([]byte, 100*1000+7) // more than one train, the last datagram shorter
		for i := range train {
			train[i] = byte(i / 1000)
		}
		require.NoError(t, s.Write(netip.AddrPort{}, train, 1000))
		for _, c := range []link.Conn{a, b} {
			list, from := datagrams(t, c.ReadGroup, 101)
			require.Equal(t, train, bytes.Join(list, nil))
			require.Len(t, list[100], 7)
			require.Equal(t, s.Local(), from)
		}
		// What is sent to one node reaches that one.
		require.NoError(t, s.Write(b.Local(), []byte("to b"), 4))
		list, _ := datagrams(t, b.ReadUnicast, 1)
		require.Equal(t, "to b", string(list[0]))
		require.Zero(t, a.Drops())
		require.Positive(t, a.MTU())
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	for name, o := range map[string]Options{
		"is not an IPv4 multicast group": {Group: netip.MustParseAddrPort("10.0.0.1:1")},
		"no such interface":              {Group: netip.MustParseAddrPort("233.252.0.7:6000"), Interface: "nosuch0"},
	} {
		_, err := Open(context.Background(), o)
		require.ErrorContains(t, err, name)
	}
}

func TestTooLargeADatagramIsAnErrorWithAdvice(t *testing.T) {
	group := oracle.MulticastGroup(t)
	s := open(t, group, Options{})
	require.Error(t, s.Write(netip.AddrPort{}, make([]byte, 66000), 66000))
}

func TestClosedConnectionsReadNoMore(t *testing.T) {
	group := oracle.MulticastGroup(t)
	c := open(t, group, Options{})
	require.NoError(t, c.Close())
	_, err := c.ReadGroup(make([]link.Datagram, 1))
	require.Error(t, err)
}
