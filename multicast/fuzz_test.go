package multicast

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// oneDatagram is a network in which a single read returns, with the bytes that were put there.
type oneDatagram struct {
	text   chan []byte
	taken  chan struct{} // closed when the node reads on: it has looked at them
	closed chan struct{}
	once   sync.Once
	reads  int
}

func (o *oneDatagram) Open(context.Context, Config) (PacketConn, error) { return o, nil }

func (o *oneDatagram) ReadGroup(d []Datagram) (int, error) {
	if o.reads++; o.reads == 2 {
		close(o.taken)
	}
	select {
	case b := <-o.text:
		d[0].N = copy(d[0].Buf, b)
		d[0].Size, d[0].From = 0, netip.MustParseAddrPort("10.0.0.9:5000")
		return 1, nil
	case <-o.closed:
		return 0, errors.New("closed")
	}
}

func (o *oneDatagram) ReadUnicast([]Datagram) (int, error) {
	<-o.closed
	return 0, errors.New("closed")
}
func (o *oneDatagram) Write(netip.AddrPort, []byte, int) error { return nil }
func (o *oneDatagram) Local() netip.AddrPort                   { return netip.MustParseAddrPort("10.0.0.1:5001") }
func (o *oneDatagram) MTU() int                                { return 1500 }
func (o *oneDatagram) Drops() uint64                           { return 0 }
func (o *oneDatagram) Note() string                            { return "" }
func (o *oneDatagram) Close() error                            { o.once.Do(func() { close(o.closed) }); return nil }

// FuzzDatagram gives a node, with a key, any bytes from the group: it makes no member of them, and ends as it should.
func FuzzDatagram(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("MC1"))
	f.Add(make([]byte, 64))
	f.Add(make([]byte, 1472))
	f.Fuzz(func(t *testing.T, b []byte) {
		o := &oneDatagram{text: make(chan []byte, 1), taken: make(chan struct{}), closed: make(chan struct{})}
		n, err := Join(t.Context(), Config{Group: netip.MustParseAddrPort("233.252.0.7:6000"), Name: "a", Key: make([]byte, 32), Transport: o})
		require.NoError(t, err)
		o.text <- b
		<-o.taken
		require.Empty(t, n.Members())
		require.NoError(t, n.Close())
	})
}
