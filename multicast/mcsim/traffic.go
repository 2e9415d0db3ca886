package mcsim

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"

	"dougu.internal/multicast/internal/engine"
	"dougu.internal/multicast/internal/wire"
)

// transmit puts a packet on the network.
func (n *Net) transmit(nd *node, out *engine.Out) {
	p := &packet{from: nd.i, msg: out.Msg, data: out.Data, head: wire.Header{Version: wire.Version, Node: nd.id, Transfer: out.Transfer, Number: out.Number}}
	size := 0
	if out.Msg == nil {
		p.head.Type = wire.TypeData
		size = wire.Overhead + wire.DataHeader + n.opt.Symbol
		if nd.i == 0 {
			n.stats.Data++
			if out.Data.Object == wire.ObjectContent {
				n.stats.Content++
			}
			if out.Data.Flags&wire.DataRepair != 0 {
				n.stats.Repair++
			}
		}
	} else {
		p.head.Type = out.Msg.Type()
		size = 100
		if nd.i == 0 {
			n.stats.Control++
		}
	}
	n.watch(nd, p)
	if n.opt.Sealed {
		m := p.message()
		if d, ok := m.(*wire.Data); ok && d.Payload == nil {
			d.Payload = make([]byte, n.opt.Symbol)
		}
		p.raw = nd.sealer.Seal(nil, out.Number, out.Transfer, m)
		if len(n.record) < 4096 {
			n.record = append(n.record, p.raw)
		}
	}
	at := n.now
	if nd.i == 0 && n.opt.Link > 0 {
		n.free = max(n.free, n.now)
		if backlog := float64(n.free-n.now) / 1e9 * float64(n.opt.Link) / 8; backlog > float64(n.opt.Queue) {
			n.stats.Lost++
			return
		}
		n.free += int64(float64(size+42) * 8e9 / float64(n.opt.Link))
		at = n.free
	}
	at += int64(n.opt.Delay)
	if out.To.IsValid() {
		ip := out.To.Addr().As4()
		i := int(ip[1])<<16 | int(ip[2])<<8 | int(ip[3])
		if i < len(n.nodes) && !n.lost(n.nodes[i]) {
			n.schedule(at, i, p)
		}
		return
	}
	if n.opt.Shared > 0 && n.rng.Float64() < n.opt.Shared {
		n.stats.Lost += uint64(len(n.nodes) - 1)
		return
	}
	n.push(event{at: at, kind: evGroup, pkt: p})
}

// lost draws whether a delivery to a node fails.
func (n *Net) lost(nd *node) bool {
	if b := n.opt.Burst; b.Enter > 0 {
		if nd.bad {
			nd.bad = n.rng.Float64() >= b.Leave
		} else {
			nd.bad = n.rng.Float64() < b.Enter
		}
		if nd.bad && n.rng.Float64() < b.Loss {
			n.stats.Lost++
			return true
		}
	}
	if n.opt.Loss > 0 && n.rng.Float64() < n.opt.Loss {
		n.stats.Lost++
		return true
	}
	return false
}

func (n *Net) toGroup(p *packet) {
	plain := n.opt.Jitter == 0 && n.opt.Reorder == 0 && n.opt.Duplicate == 0 && n.opt.Corrupt == 0
	// With independent loss alone, draw how many deliveries go well until the next
	// one that fails.
	skip := -1
	if plain && n.opt.Burst.Enter == 0 {
		skip = n.run()
	}
	for _, nd := range n.nodes {
		if nd.i == p.from || nd.down {
			continue
		}
		if skip >= 0 {
			if skip == 0 {
				skip = n.run()
				n.stats.Lost++
				continue
			}
			skip--
		} else if n.lost(nd) {
			continue
		}
		if plain {
			n.deliver(nd, p)
			continue
		}
		n.schedule(n.now, nd.i, p)
	}
}

// run draws the number of deliveries until one fails.
func (n *Net) run() int {
	if n.opt.Loss <= 0 {
		return math.MaxInt
	}
	return int(math.Log(1-n.rng.Float64()) / math.Log(1-n.opt.Loss))
}

func (n *Net) deliver(nd *node, p *packet) {
	if nd.down || n.side[nd.i] != n.side[p.from] {
		return
	}
	n.stats.Deliveries++
	head, msg := p.head, p.message()
	if n.opt.Corrupt > 0 && n.rng.Float64() < n.opt.Corrupt {
		n.stats.Corrupted++
		if !n.opt.Sealed {
			return
		}
		raw := slices.Clone(p.raw)
		raw[n.rng.IntN(len(raw))] ^= 1 << n.rng.IntN(8)
		n.open(nd, raw, n.nodes[p.from].addr, true)
		return
	}
	if n.opt.Sealed {
		n.open(nd, slices.Clone(p.raw), n.nodes[p.from].addr, false)
		return
	}
	nd.eng.Handle(n.clock(nd), n.nodes[p.from].addr, &head, msg)
	n.handled(nd, &head)
}

// open delivers raw bytes, as a socket would.
func (n *Net) open(nd *node, raw []byte, from netip.AddrPort, corrupted bool) {
	h, body, err := nd.opener.Open(n.clock(nd), raw)
	if err != nil {
		return
	}
	if corrupted {
		n.fail(errors.New("a packet with a flipped bit has opened"))
		return
	}
	msg, err := wire.Decode(h.Type, body)
	if err != nil {
		n.fail(fmt.Errorf("a packet of our own does not decode: %w", err))
		return
	}
	nd.eng.Handle(n.clock(nd), from, &h, msg)
	n.handled(nd, &h)
}

func (n *Net) handled(nd *node, h *wire.Header) {
	if h.Type == wire.TypeData {
		// The timers of a receiver change little with DATA; look at the next one.
		if next := nd.eng.Next(); nd.due != 0 && next-nd.skew >= nd.due && !nd.eng.Pending() {
			return
		}
	}
	n.after(nd)
}
