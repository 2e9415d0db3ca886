package udp

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"dougu.internal/internal/oracle"
	"dougu.internal/multicast/internal/link"
)

// failing makes sends fail: as long as fail says so.
func failing(c link.Conn, fail func(train bool) error) *conn {
	k := c.(*conn)
	send := k.send
	k.send = func(b, oob []byte, to netip.AddrPort) error {
		if err := fail(oob != nil); err != nil {
			return err
		}
		return send(b, oob, to)
	}
	return k
}

// TestTrainsThatAreRefusedGoOneByOne: a device without checksum offload says EIO, some
// kernels EINVAL. Nothing is lost, and it is not tried again.
func TestTrainsThatAreRefusedGoOneByOne(t *testing.T) {
	group := oracle.MulticastGroup(t)
	for _, errno := range []error{unix.EIO, unix.EINVAL, unix.EOPNOTSUPP} {
		r := open(t, group, Options{})
		trains := 0
		s := failing(open(t, group, Options{}), func(train bool) error {
			if train {
				trains++
				return errno
			}
			return nil
		})
		train := make([]byte, 50*1000+7)
		for i := range train {
			train[i] = byte(i / 1000)
		}
		for range 2 {
			require.NoError(t, s.Write(netip.AddrPort{}, train, 1000))
			list, _ := datagrams(t, r.ReadGroup, 51)
			require.Equal(t, train, bytes.Join(list, nil))
		}
		require.Equal(t, 1, trains, "the second time it was known")
		require.Contains(t, s.Note(), "one by one")
	}
}

// TestFullQueueIsWaitedFor, and not for ever: then the datagrams are lost, with an error.
func TestFullQueueIsWaitedFor(t *testing.T) {
	group := oracle.MulticastGroup(t)
	r := open(t, group, Options{})
	left := 3
	s := failing(open(t, group, Options{}), func(bool) error {
		if left--; left >= 0 {
			return unix.ENOBUFS
		}
		return nil
	})
	train := bytes.Repeat([]byte("abcd"), 500)
	require.NoError(t, s.Write(netip.AddrPort{}, train, 1000))
	list, _ := datagrams(t, r.ReadGroup, 2)
	require.Equal(t, train, bytes.Join(list, nil))
	left = 2
	require.NoError(t, s.Write(netip.AddrPort{}, train[:10], 1000))
	list, _ = datagrams(t, r.ReadGroup, 1)
	require.Equal(t, train[:10], list[0])
	for _, size := range []int{10, 1000} {
		left = 1000
		require.ErrorIs(t, s.Write(netip.AddrPort{}, train[:2*size], size), unix.ENOBUFS)
		require.Equal(t, 1000-maxTries-1, left, "tries are bounded")
	}
}

// TestDatagramsTellHowLongTheyWaited in the queue.
func TestDatagramsTellHowLongTheyWaited(t *testing.T) {
	group := oracle.MulticastGroup(t)
	r, s := open(t, group, Options{}), open(t, group, Options{})
	require.NoError(t, s.Write(netip.AddrPort{}, []byte("x"), 1))
	d := []link.Datagram{{Buf: make([]byte, 100)}}
	_, err := r.ReadGroup(d)
	require.NoError(t, err)
	require.Positive(t, d[0].Waited)
	require.Less(t, d[0].Waited, maxWait)
}

// TestReadingCostsNoAllocation: neither addresses nor control messages of what comes
// are made anew, and both are right.
func TestReadingCostsNoAllocation(t *testing.T) {
	group := oracle.MulticastGroup(t)
	r, s := open(t, group, Options{}), open(t, group, Options{NoGSO: true})
	b := make([]byte, 700)
	d := make([]link.Datagram, 8)
	for i := range d {
		d[i].Buf = make([]byte, 65536)
	}
	count := func() {
		for got := 0; got < 20; {
			for range 5 {
				if s.Write(netip.AddrPort{}, b, len(b)) != nil {
					t.Error("not sent")
				}
			}
			k, err := r.ReadGroup(d)
			if err != nil {
				t.Error(err)
			}
			for i := range d[:k] {
				if d[i].N%len(b) != 0 || d[i].From != s.Local() || d[i].Waited <= 0 {
					t.Errorf("%d bytes from %v, waited %v", d[i].N, d[i].From, d[i].Waited)
				}
				got += max(1, d[i].N/len(b))
			}
		}
	}
	count()
	require.Zero(t, testing.AllocsPerRun(100, count))
	require.Positive(t, r.(*conn).ReceiveBuffer())
}

// TestTheGroupSocketHearsTheGroup: a datagram to the group's port that is not sent to the
// group does not arrive.
func TestTheGroupSocketHearsTheGroup(t *testing.T) {
	group := oracle.MulticastGroup(t)
	a, b := open(t, group, Options{}), open(t, group, Options{})
	require.NoError(t, b.Write(netip.AddrPortFrom(b.Local().Addr(), group.Port()), []byte("to the port"), 11))
	require.NoError(t, b.Write(netip.AddrPort{}, []byte("to the group"), 12))
	got, _ := datagrams(t, a.ReadGroup, 1)
	require.Equal(t, "to the group", string(got[0]))
}
