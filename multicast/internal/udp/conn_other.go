//go:build !linux

package udp

import (
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"dougu.internal/multicast/internal/link"
)

func shareControl(_, _ string, rc syscall.RawConn) error {
	var inner error
	if err := rc.Control(func(fd uintptr) { inner = reuse(fd) }); err != nil {
		return err
	}
	return inner
}

func groupAddress(g netip.AddrPort) string { return fmt.Sprintf("0.0.0.0:%d", g.Port()) }

func (c *conn) tune(o Options) {
	for _, s := range []interface{ SetReadBuffer(int) error }{c.r, c.u} {
		if s.SetReadBuffer(o.Buffer) != nil {
			c.note = "the receive buffer is small: a slow moment loses packets"
		}
	}
}

func (c *conn) ancillary([]byte, int, time.Time, *link.Datagram) {}

func (c *conn) Write(to netip.AddrPort, b []byte, size int) error {
	return c.plain(c.dest(to), b, size)
}

func (c *conn) again(error) bool { return false }

func (c *conn) explain(err error) error { return err }
