//go:build !linux

package udp

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/net/ipv4"

	"dougu.internal/multicast/internal/link"
)

func shareControl(_, _ string, rc syscall.RawConn) error {
	var inner error
	if err := rc.Control(func(fd uintptr) { inner = reuse(fd) }); err != nil {
		return err
	}
	return inner
}

func listenGroup(ctx context.Context, g netip.AddrPort) (*net.UDPConn, error) {
	lc := net.ListenConfig{Control: shareControl}
	c, err := lc.ListenPacket(ctx, "udp4", fmt.Sprintf("0.0.0.0:%d", g.Port()))
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil
}

func (c *conn) tune(o Options) {
	for _, s := range []interface{ SetReadBuffer(int) error }{c.r, c.u} {
		if s.SetReadBuffer(o.Buffer) != nil {
			c.note = "the receive buffer is small: a slow moment loses packets"
		}
	}
}

func (c *conn) Write(to netip.AddrPort, b []byte, size int) error {
	return c.plain(c.dest(to), b, size)
}

func (c *conn) again(error) bool { return false }

func (c *conn) explain(err error) error { return err }

// receiver reads datagrams in batches, where the system has them.
type receiver struct {
	p  *ipv4.PacketConn
	ms []ipv4.Message
}

func (c *conn) listen() error {
	for which, p := range []*ipv4.PacketConn{c.r4, c.u4} {
		r := &receiver{p: p, ms: make([]ipv4.Message, batch)}
		for i := range r.ms {
			r.ms[i].Buffers = make([][]byte, 1)
		}
		c.in[which] = r
	}
	return nil
}

func (c *conn) ReadGroup(d []link.Datagram) (int, error)   { return c.in[0].read(d) }
func (c *conn) ReadUnicast(d []link.Datagram) (int, error) { return c.in[1].read(d) }

func (r *receiver) read(d []link.Datagram) (int, error) {
	n := min(len(d), len(r.ms))
	for i := range n {
		r.ms[i].Buffers[0] = d[i].Buf
	}
	n, err := r.p.ReadBatch(r.ms[:n], 0)
	if err != nil {
		return 0, err
	}
	for i := range n {
		m := &r.ms[i]
		d[i].N, d[i].Size, d[i].Waited, d[i].From = m.N, 0, 0, netip.AddrPort{}
		if a, ok := m.Addr.(*net.UDPAddr); ok {
			from := a.AddrPort()
			d[i].From = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		}
	}
	return n, nil
}
