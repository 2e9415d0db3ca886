package udp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"dougu.internal/multicast/internal/link"
)

// listenGroup opens a socket that is bound to the group's address, so that it receives what
// is sent to the group alone (ip(7)). [net.ListenConfig] binds the wildcard address for a
// multicast address. Several nodes of one host can listen to one group and port.
func listenGroup(_ context.Context, g netip.AddrPort) (*net.UDPConn, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	f := os.NewFile(uintptr(fd), "group")
	defer f.Close() // the connection duplicated the descriptor
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return nil, os.NewSyscallError("setsockopt", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(g.Port()), Addr: g.Addr().As4()}); err != nil {
		return nil, os.NewSyscallError("bind", err)
	}
	c, err := net.FilePacketConn(f)
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil
}

// tune sets what makes the sockets fast; none of it is needed.
func (c *conn) tune(o Options) {
	got := o.Buffer
	for _, s := range []*net.UDPConn{c.r, c.u} {
		raw, err := s.SyscallConn()
		if err != nil {
			continue
		}
		// The connection is open: Control does not fail.
		_ = raw.Control(func(f uintptr) {
			fd := int(f)
			// Only what the group's own membership brings, not what others on this host have joined.
			_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0)
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1)
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
			if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, o.Buffer) != nil {
				_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, o.Buffer)
			}
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 4<<20)
			if n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF); err == nil {
				got = min(got, n/2)
			}
			c.gro = unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO, 1) == nil
		})
	}
	c.buffer = got
	if got < 1<<20 {
		c.note = fmt.Sprintf("the receive buffer is %d KiB: net.core.rmem_max is small, and a slow moment loses packets", got>>10)
	}
	c.segment.Store(!o.NoGSO)
	c.oob = make([]byte, unix.CmsgSpace(2))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&c.oob[0]))
	h.Level, h.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
}

// maxWait is the longest time in a receive queue that is believed.
const maxWait = 5 * time.Second

// ancillary takes the segment size and the drop counter from control messages.
func (c *conn) ancillary(oob []byte, which int, now time.Time, d *link.Datagram) {
	for len(oob) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&oob[0]))
		size := int(h.Len)
		if size < unix.SizeofCmsghdr || size > len(oob) {
			return
		}
		data := oob[unix.CmsgLen(0):size]
		switch {
		case h.Level == unix.SOL_UDP && h.Type == unix.UDP_GRO && len(data) >= 4:
			d.Size = int(binary.NativeEndian.Uint32(data))
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_RXQ_OVFL && len(data) >= 4:
			c.drops[which].Store(uint64(binary.NativeEndian.Uint32(data)))
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SCM_TIMESTAMPNS && len(data) >= int(unsafe.Sizeof(unix.Timespec{})):
			var ts unix.Timespec
			copy((*[unsafe.Sizeof(ts)]byte)(unsafe.Pointer(&ts))[:], data)
			// A wall clock that was set meanwhile says nothing.
			if w := now.Sub(time.Unix(ts.Unix())); w > 0 && w < maxWait {
				d.Waited = w
			}
		}
		step := unix.CmsgSpace(len(data))
		if step > len(oob) {
			return
		}
		oob = oob[step:]
	}
}

// Limits of one train of datagrams.
const (
	maxSegments = 64
	maxTrain    = 65000
)

func (c *conn) Write(to netip.AddrPort, b []byte, size int) error {
	dest := to
	if !to.IsValid() {
		dest = c.group
	}
	if len(b) <= size || !c.segment.Load() {
		if len(b) <= size {
			return c.single(dest, b)
		}
		return c.plain(c.dest(to), b, size)
	}
	per := max(1, min(maxSegments, maxTrain/size)) * size
	for try := 0; len(b) > 0; {
		n := min(per, len(b))
		if n <= size {
			return c.single(dest, b)
		}
		binary.NativeEndian.PutUint16(c.oob[unix.CmsgLen(0):], uint16(size))
		err := c.send(b[:n], c.oob, dest)
		switch {
		case err == nil:
			b = b[n:]
		case errors.Is(err, unix.EIO) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP):
			// The device cannot cut trains, or the kernel will not: one by one from now on.
			c.segment.Store(false)
			c.note = "datagrams are sent one by one: the device does not take trains (UDP_SEGMENT)"
			return c.plain(c.dest(to), b, size)
		case try < maxTries && c.again(err):
			try++
		default:
			return c.explain(err)
		}
	}
	return nil
}

func (c *conn) single(to netip.AddrPort, b []byte) error {
	for try := 0; ; try++ {
		err := c.send(b, nil, to)
		if err == nil {
			return nil
		}
		if try == maxTries || !c.again(err) {
			return c.explain(err)
		}
	}
}

// again reports whether a failed send is to be tried once more; it waits before it
// says so. A full queue takes a tick of the pacer.
func (c *conn) again(err error) bool {
	switch {
	case errors.Is(err, unix.ENOBUFS):
		time.Sleep(time.Millisecond)
		return true
	case errors.Is(err, unix.EINTR):
		return true
	}
	return false
}

func (c *conn) explain(err error) error {
	if errors.Is(err, unix.EMSGSIZE) {
		return fmt.Errorf("a datagram does not fit the path: lower the symbol size, or raise the MTU of the interface: %w", err)
	}
	return err
}
