package multicast

import (
	"context"
	"net/netip"
	"time"

	"dougu.internal/multicast/internal/link"
	"dougu.internal/multicast/internal/udp"
)

// Transport is a network that nodes can join. [UDP] returns the one that is used by
// default; package mcsim has one in memory.
type Transport interface {
	// Open connects a node to the network. In c all defaults are filled in; a network uses
	// the group, the interface and the TTL. ctx is the context that was given to [Join].
	Open(ctx context.Context, c Config) (PacketConn, error)
}

// PacketConn is the connection of one node to a network.
//
// ReadGroup and ReadUnicast are each called from one goroutine. Write must not be called
// concurrently. Close may be called from any goroutine.
//
// A PacketConn may have a method ReceiveBuffer() int, which returns the number of bytes
// that the network stores before datagrams are lost. The node then reads larger portions
// and wakes up less often.
type PacketConn interface {
	// ReadGroup blocks until datagrams for the group arrive, fills elements of d, and
	// returns their number. After Close it returns an error.
	ReadGroup(d []Datagram) (int, error)
	// ReadUnicast is like ReadGroup, for datagrams that were sent to this node only.
	ReadUnicast(d []Datagram) (int, error)
	// Write splits b into datagrams of size bytes, of which the last may be shorter, and
	// sends them to an address. If to is not valid, they are sent to the group.
	Write(to netip.AddrPort, b []byte, size int) error
	// Local returns the unicast address of this node.
	Local() netip.AddrPort
	// MTU returns the maximum size of an IP packet.
	MTU() int
	// Drops returns the number of datagrams that were lost because they were not read in
	// time.
	Drops() uint64
	// Note returns a warning about the connection in one line, or "" if there is none.
	Note() string
	// Close closes the connection. Blocked reads and writes return an error.
	Close() error
}

// Datagram is a buffer for received data: one datagram, or several of the same size and
// sender that the kernel has merged.
type Datagram struct {
	// Buf is the memory to read into. The node provides it.
	Buf []byte
	// N is the number of bytes that were read into Buf.
	N int
	// Size is the size of each merged datagram but the last, which may be shorter. If zero,
	// Buf contains one datagram.
	Size int
	// From is the address of the sender.
	From netip.AddrPort
	// Waited is the time that the data spent in the receive queue of this host. If zero, it
	// is not known.
	Waited time.Duration
}

// UDP returns the transport that is used if a [Config] has none. A transport that counts,
// delays or drops packets can be built on it.
func UDP() Transport { return udpTransport{} }

type udpTransport struct{}

func (udpTransport) Open(ctx context.Context, c Config) (PacketConn, error) {
	conn, err := udp.Open(ctx, udp.Options{Group: c.Group, Interface: c.Interface, TTL: c.TTL})
	if err != nil {
		return nil, wrap(err)
	}
	p := &udpConn{Conn: conn}
	if b, ok := conn.(interface{ ReceiveBuffer() int }); ok {
		p.buffer = b.ReceiveBuffer()
	}
	return p, nil
}

// udpConn is a link.Conn as a PacketConn.
type udpConn struct {
	link.Conn
	buffer         int
	group, unicast []link.Datagram // each belongs to the goroutine that reads
}

func (c *udpConn) ReceiveBuffer() int { return c.buffer }

func (c *udpConn) ReadGroup(d []Datagram) (int, error) {
	return readAs(d, &c.group, c.Conn.ReadGroup)
}

func (c *udpConn) ReadUnicast(d []Datagram) (int, error) {
	return readAs(d, &c.unicast, c.Conn.ReadUnicast)
}

// readAs reads into the buffers of d. scratch keeps the descriptors between calls.
func readAs(d []Datagram, scratch *[]link.Datagram, read func([]link.Datagram) (int, error)) (int, error) {
	s := (*scratch)[:0]
	for i := range d {
		s = append(s, link.Datagram{Buf: d[i].Buf})
	}
	*scratch = s
	n, err := read(s)
	for i := range s[:n] {
		d[i].N, d[i].Size, d[i].From, d[i].Waited = s[i].N, s[i].Size, s[i].From, s[i].Waited
	}
	return n, wrap(err)
}

func (c *udpConn) Write(to netip.AddrPort, b []byte, size int) error {
	return wrap(c.Conn.Write(to, b, size))
}

func (c *udpConn) Close() error { return wrap(c.Conn.Close()) }
