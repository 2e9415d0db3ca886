package mcsim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"

	"dougu.internal/multicast"
)

// Switch is a network in memory for real nodes. It implements [multicast.Transport]. Nodes with the
// same group receive each other's packets. It can be used in a bubble of package testing/synctest.
type Switch struct {
	// Loss is the probability that a node does not get a packet, from 0 to 1.
	Loss float64

	mu    sync.Mutex
	rng   *rand.Rand
	ports map[*port]struct{}
	next  uint16
	lost  int64
}

// NewSwitch returns a network whose losses are computed from seed.
func NewSwitch(seed uint64) *Switch {
	return &Switch{rng: rand.New(rand.NewPCG(seed, 0x73)), ports: map[*port]struct{}{}}
}

// Lost returns the number of deliveries that failed because of Loss.
func (s *Switch) Lost() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// queued is the size of the queue of a node. Further datagrams are dropped and counted.
const queued = 4096

type port struct {
	s       *Switch
	group   netip.AddrPort
	local   netip.AddrPort
	toGroup chan packetIn
	toOne   chan packetIn
	done    chan struct{}
	once    sync.Once
	drops   uint64
}

type packetIn struct {
	b    []byte
	from netip.AddrPort
}

// Open connects a node to the network.
func (s *Switch) Open(_ context.Context, c multicast.Config) (multicast.PacketConn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	p := &port{s: s, group: c.Group, local: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 10000+s.next),
		toGroup: make(chan packetIn, queued), toOne: make(chan packetIn, queued), done: make(chan struct{})}
	s.ports[p] = struct{}{}
	return p, nil
}

var errClosed = errors.New("mcsim: connection is closed")

func (p *port) read(c chan packetIn, d []multicast.Datagram) (int, error) {
	put := func(i int, in packetIn) {
		d[i].N, d[i].Size, d[i].From = copy(d[i].Buf, in.b), 0, in.from
	}
	select {
	case in := <-c:
		put(0, in)
	case <-p.done:
		return 0, errClosed
	}
	for i := 1; i < len(d); i++ {
		select {
		case in := <-c:
			put(i, in)
		default:
			return i, nil
		}
	}
	return len(d), nil
}

func (p *port) ReadGroup(d []multicast.Datagram) (int, error)   { return p.read(p.toGroup, d) }
func (p *port) ReadUnicast(d []multicast.Datagram) (int, error) { return p.read(p.toOne, d) }

func (p *port) Write(to netip.AddrPort, b []byte, size int) error {
	if size <= 0 {
		return fmt.Errorf("mcsim: invalid datagram size %d", size)
	}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	for len(b) > 0 {
		one := append([]byte(nil), b[:min(size, len(b))]...)
		b = b[len(one):]
		for q := range p.s.ports {
			switch {
			case q == p || q.group != p.group:
			case !to.IsValid() || to == q.group:
				p.s.deliver(q, q.toGroup, packetIn{one, p.local})
			case to == q.local:
				p.s.deliver(q, q.toOne, packetIn{one, p.local})
			}
		}
	}
	return nil
}

// deliver is called with the lock.
func (s *Switch) deliver(q *port, c chan packetIn, in packetIn) {
	if s.Loss > 0 && s.rng.Float64() < s.Loss {
		s.lost++
		return
	}
	select {
	case c <- in:
	default:
		q.drops++
	}
}

func (p *port) Local() netip.AddrPort { return p.local }
func (p *port) MTU() int              { return 1500 }
func (p *port) Note() string          { return "" }

func (p *port) Drops() uint64 {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.drops
}

func (p *port) Close() error {
	p.once.Do(func() {
		close(p.done)
		p.s.mu.Lock()
		delete(p.s.ports, p)
		p.s.mu.Unlock()
	})
	return nil
}
