// Package link is what multicast asks of a network: datagrams to the group and to one
// node, in batches. internal/udp is the real one; mcsim has one in memory.
package link

import (
	"net/netip"
	"time"
)

// Datagram is room for received bytes: one datagram, or several of one size that the
// kernel has put together.
type Datagram struct {
	Buf  []byte
	N    int // bytes that came
	Size int // of each datagram but the last; 0: there is one
	From netip.AddrPort
	// Waited is how long it lay in the host's queue before it was read; 0 where that is
	// not known.
	Waited time.Duration
}

// Conn is a node's place in the network. ReadGroup and ReadUnicast are called from a
// goroutine each, Write from one at a time.
type Conn interface {
	// ReadGroup waits for datagrams to the group and returns how many entries of d it has
	// filled. After Close it returns an error that wraps net.ErrClosed.
	ReadGroup(d []Datagram) (int, error)
	// ReadUnicast is the same for datagrams to the node alone.
	ReadUnicast(d []Datagram) (int, error)
	// Write sends b, cut into datagrams of size bytes; the last may be shorter. A
	// destination that is not valid is the group.
	Write(to netip.AddrPort, b []byte, size int) error
	// Local is the address at which the node itself is reached.
	Local() netip.AddrPort
	// MTU is the largest IP packet.
	MTU() int
	// Drops is how many datagrams were lost because they were not read in time.
	Drops() uint64
	// Note tells what is out of the ordinary, in one line; empty: nothing.
	Note() string
	// Close ends reads and writes that wait, with an error.
	Close() error
}
