package udp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"

	"golang.org/x/net/ipv4"

	"dougu.internal/multicast/internal/link"
)

// Options say where.
type Options struct {
	Group     netip.AddrPort
	Interface string // empty: the one of the route to the group, else of a default
	TTL       int    // 0: 1
	NoGSO     bool
	// Buffer is the size of the receive buffers that is asked for; 0: 8 MiB.
	Buffer int
}

// conn is a link.Conn.
type conn struct {
	group   netip.AddrPort
	local   netip.AddrPort
	mtu     int
	buffer  int // bytes of the receive buffers
	r, u    *net.UDPConn
	r4, u4  *ipv4.PacketConn
	segment atomic.Bool // UDP_SEGMENT is used
	gro     bool
	drops   [2]atomic.Uint64
	in      [2]*receiver // of the group, of the node
	batch   []ipv4.Message
	oob     []byte
	// send sends a datagram, or a train of them: WriteMsgUDPAddrPort of u.
	send     func(b, oob []byte, to netip.AddrPort) error
	note     string
	groupUDP *net.UDPAddr
}

// ErrNoInterface is wrapped when there is no interface to use.
var ErrNoInterface = errors.New("no such interface, or none with an IPv4 address")

// maxTries bounds how long a full queue is waited for: a datagram is lost then.
const maxTries = 20

// batch is how many datagrams, or trains of them, are read at once.
const batch = 32

// Open opens the sockets of a node.
func Open(ctx context.Context, o Options) (link.Conn, error) {
	if !o.Group.Addr().Is4() || !o.Group.Addr().IsMulticast() {
		return nil, fmt.Errorf("%s is not an IPv4 multicast group", o.Group)
	}
	ifi, addr, err := choose(ctx, o)
	if err != nil {
		return nil, err
	}
	if o.Buffer == 0 {
		o.Buffer = 8 << 20
	}
	c := &conn{group: o.Group, mtu: ifi.MTU, groupUDP: net.UDPAddrFromAddrPort(o.Group)}
	r, err := listenGroup(ctx, o.Group)
	if err != nil {
		return nil, fmt.Errorf("cannot listen to the group: %w", err)
	}
	c.r = r
	c.r4 = ipv4.NewPacketConn(c.r)
	if err := c.r4.JoinGroup(ifi, &net.UDPAddr{IP: o.Group.Addr().AsSlice()}); err != nil {
		c.r.Close()
		return nil, fmt.Errorf("cannot join %s on %s: %w", o.Group.Addr(), ifi.Name, err)
	}
	u, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 0)))
	if err != nil {
		c.r.Close()
		return nil, fmt.Errorf("cannot open a socket at %s: %w", addr, err)
	}
	c.u = u
	c.u4 = ipv4.NewPacketConn(u)
	c.send = func(b, oob []byte, to netip.AddrPort) error {
		_, _, err := u.WriteMsgUDPAddrPort(b, oob, to)
		return err
	}
	c.local = u.LocalAddr().(*net.UDPAddr).AddrPort()
	if err := c.sendOptions(ifi, o); err != nil {
		c.Close()
		return nil, err
	}
	c.tune(o)
	c.batch = make([]ipv4.Message, 64)
	if err := c.listen(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *conn) sendOptions(ifi *net.Interface, o Options) error {
	if err := c.u4.SetMulticastInterface(ifi); err != nil {
		return fmt.Errorf("cannot send to the group by %s: %w", ifi.Name, err)
	}
	// Other nodes of this host shall hear it; a node drops its own by its id.
	if err := c.u4.SetMulticastLoopback(true); err != nil {
		return err
	}
	return c.u4.SetMulticastTTL(max(1, o.TTL))
}

// choose finds the interface and its address.
func choose(ctx context.Context, o Options) (*net.Interface, netip.Addr, error) {
	if o.Interface != "" {
		ifi, err := net.InterfaceByName(o.Interface)
		if err != nil {
			return nil, netip.Addr{}, fmt.Errorf("%s: %w", o.Interface, ErrNoInterface)
		}
		a, ok := address(ifi)
		if !ok {
			return nil, a, fmt.Errorf("%s: %w", o.Interface, ErrNoInterface)
		}
		return ifi, a, nil
	}
	list, err := net.Interfaces()
	if err != nil {
		return nil, netip.Addr{}, err
	}
	// The kernel's own choice for the group, by its routes: nothing is sent.
	var d net.Dialer
	if s, err := d.DialContext(ctx, "udp4", o.Group.String()); err == nil {
		want := s.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
		s.Close()
		for i := range list {
			if a, ok := address(&list[i]); ok && a == want {
				return &list[i], a, nil
			}
		}
	}
	for i := range list {
		// An interface without an address, as before DHCP has answered: not to be deaf on lo
		// for ever, the caller gets an error.
		if f := list[i].Flags; f&net.FlagUp != 0 && f&net.FlagLoopback == 0 && f&net.FlagMulticast != 0 {
			if !anyAddress(list) {
				return nil, netip.Addr{}, fmt.Errorf("%s is up and has no IPv4 address yet (the interface \"lo\" must be named to use it): %w", list[i].Name, ErrNoInterface)
			}
		}
	}
	for _, loopback := range []bool{false, true} {
		for i := range list {
			f := list[i].Flags
			if f&net.FlagUp == 0 || (f&net.FlagLoopback != 0) != loopback {
				continue
			}
			if a, ok := address(&list[i]); ok {
				return &list[i], a, nil
			}
		}
	}
	return nil, netip.Addr{}, ErrNoInterface
}

// anyAddress reports whether an interface other than the loopback has an address.
func anyAddress(list []net.Interface) bool {
	for i := range list {
		if f := list[i].Flags; f&net.FlagUp != 0 && f&net.FlagLoopback == 0 {
			if _, ok := address(&list[i]); ok {
				return true
			}
		}
	}
	return false
}

func address(ifi *net.Interface) (netip.Addr, bool) {
	addrs, err := ifi.Addrs()
	if err != nil {
		return netip.Addr{}, false
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok && ip.Unmap().Is4() {
				return ip.Unmap(), true
			}
		}
	}
	return netip.Addr{}, false
}

func (c *conn) Local() netip.AddrPort { return c.local }
func (c *conn) MTU() int              { return c.mtu }
func (c *conn) ReceiveBuffer() int    { return c.buffer }
func (c *conn) Drops() uint64         { return c.drops[0].Load() + c.drops[1].Load() }
func (c *conn) Note() string          { return c.note }

func (c *conn) Close() error {
	err := c.r.Close()
	if c.u != nil {
		err = errors.Join(err, c.u.Close())
	}
	return err
}

// plain sends datagrams one by one, in batches where the system has them.
func (c *conn) plain(to *net.UDPAddr, b []byte, size int) error {
	for len(b) > 0 {
		n := 0
		for ; n < len(c.batch) && len(b) > 0; n++ {
			k := min(size, len(b))
			if c.batch[n].Buffers == nil {
				c.batch[n].Buffers = make([][]byte, 1)
			}
			c.batch[n].Buffers[0], c.batch[n].Addr, c.batch[n].OOB = b[:k], to, nil
			b = b[k:]
		}
		for try, ms := 0, c.batch[:n]; len(ms) > 0; {
			k, err := c.u4.WriteBatch(ms, 0)
			if err != nil {
				if try++; try > maxTries || !c.again(err) {
					return c.explain(err)
				}
			}
			ms = ms[max(0, k):]
		}
	}
	return nil
}

func (c *conn) dest(to netip.AddrPort) *net.UDPAddr {
	if !to.IsValid() {
		return c.groupUDP
	}
	return net.UDPAddrFromAddrPort(to)
}
