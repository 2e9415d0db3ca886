package udp

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"dougu.internal/multicast/internal/link"
)

// message is struct mmsghdr of recvmmsg(2).
type message struct {
	head unix.Msghdr
	len  uint32
}

// receiver reads datagrams by recvmmsg(2) with memory of its own: nothing is allocated
// for what comes, while ipv4.PacketConn makes an address for each datagram.
type receiver struct {
	which   int
	raw     syscall.RawConn
	msgs    []message
	vectors []unix.Iovec
	names   []unix.RawSockaddrInet4
	oob     [][128]byte

	// Of the call that is made.
	n     int
	errno syscall.Errno
	call  func(fd uintptr) bool
}

func newReceiver(s *net.UDPConn, which int) (*receiver, error) {
	raw, err := s.SyscallConn()
	if err != nil {
		return nil, err
	}
	r := &receiver{which: which, raw: raw, msgs: make([]message, batch), vectors: make([]unix.Iovec, batch), names: make([]unix.RawSockaddrInet4, batch), oob: make([][128]byte, batch)}
	for i := range r.msgs {
		h := &r.msgs[i].head
		h.Name, h.Iov, h.Control = (*byte)(unsafe.Pointer(&r.names[i])), &r.vectors[i], &r.oob[i][0]
		h.SetIovlen(1)
	}
	r.call = func(fd uintptr) bool {
		for {
			n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.msgs[0])), uintptr(r.n), unix.MSG_DONTWAIT, 0, 0)
			switch errno {
			case unix.EINTR:
			case unix.EAGAIN:
				return false
			default:
				r.n, r.errno = int(n), errno
				return true
			}
		}
	}
	return r, nil
}

// read waits for datagrams and returns how many have come.
func (r *receiver) read(c *conn, d []link.Datagram) (int, error) {
	r.n = min(len(d), len(r.msgs))
	for i := range r.n {
		h := &r.msgs[i].head
		h.Namelen = unix.SizeofSockaddrInet4
		h.SetControllen(len(r.oob[i]))
		h.Flags = 0
		r.vectors[i].Base = unsafe.SliceData(d[i].Buf)
		r.vectors[i].SetLen(len(d[i].Buf))
	}
	if err := r.raw.Read(r.call); err != nil {
		return 0, err
	}
	if r.errno != 0 {
		return 0, os.NewSyscallError("recvmmsg", r.errno)
	}
	now := time.Now()
	for i := range r.n {
		m := &r.msgs[i]
		d[i].N, d[i].Size, d[i].Waited, d[i].From = int(m.len), 0, 0, netip.AddrPort{}
		if m.head.Namelen >= unix.SizeofSockaddrInet4 && r.names[i].Family == unix.AF_INET {
			port := (*[2]byte)(unsafe.Pointer(&r.names[i].Port))
			d[i].From = netip.AddrPortFrom(netip.AddrFrom4(r.names[i].Addr), binary.BigEndian.Uint16(port[:]))
		}
		c.ancillary(r.oob[i][:min(int(m.head.Controllen), len(r.oob[i]))], r.which, now, &d[i])
	}
	return r.n, nil
}

func (c *conn) listen() (err error) {
	for which, s := range []*net.UDPConn{c.r, c.u} {
		if c.in[which], err = newReceiver(s, which); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) ReadGroup(d []link.Datagram) (int, error)   { return c.in[0].read(c, d) }
func (c *conn) ReadUnicast(d []link.Datagram) (int, error) { return c.in[1].read(c, d) }
