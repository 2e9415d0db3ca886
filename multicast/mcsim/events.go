package mcsim

import (
	"time"

	"dougu.internal/multicast/internal/wire"
)

type eventKind uint8

const (
	evGroup eventKind = iota // a packet for everybody but node
	evOne                    // a packet for node
	evTimer
	evCall
)

type event struct {
	at   int64
	seq  uint64
	kind eventKind
	node int
	pkt  *packet
	call func()
}

type packet struct {
	from int
	head wire.Header
	msg  wire.Message
	data wire.Data
	raw  []byte
}

func (p *packet) message() wire.Message {
	if p.msg != nil {
		return p.msg
	}
	return &p.data
}

func less(a, b *event) bool { return a.at < b.at || a.at == b.at && a.seq < b.seq }

func (n *Net) push(e event) {
	n.seq++
	e.seq = n.seq
	h := append(n.heap, e)
	i := len(h) - 1
	for i > 0 {
		p := (i - 1) / 2
		if !less(&h[i], &h[p]) {
			break
		}
		h[i], h[p] = h[p], h[i]
		i = p
	}
	n.heap = h
}

func (n *Net) pop() event {
	h := n.heap
	top := h[0]
	last := len(h) - 1
	h[0], h[last] = h[last], event{}
	h = h[:last]
	for i := 0; ; {
		c := 2*i + 1
		if c >= last {
			break
		}
		if c+1 < last && less(&h[c+1], &h[c]) {
			c++
		}
		if !less(&h[c], &h[i]) {
			break
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
	n.heap = h
	return top
}

func (n *Net) step() {
	e := n.pop()
	n.now = e.at
	n.stats.Events++
	switch e.kind {
	case evGroup:
		n.toGroup(e.pkt)
	case evOne:
		n.deliver(n.nodes[e.node], e.pkt)
	case evTimer:
		nd := n.nodes[e.node]
		if !nd.down && nd.due == e.at {
			nd.due = 0
			nd.eng.Poll(n.clock(nd), 256)
			n.after(nd)
		}
	case evCall:
		e.call()
	}
}

// schedule delivers to one node, with jitter, reordering, duplication.
func (n *Net) schedule(at int64, i int, p *packet) {
	if n.opt.Jitter > 0 {
		at += n.rng.Int64N(int64(n.opt.Jitter))
	}
	if n.opt.Reorder > 0 && n.rng.Float64() < n.opt.Reorder {
		at += 4 * int64(max(n.opt.Delay, time.Millisecond))
	}
	n.push(event{at: at, kind: evOne, node: i, pkt: p})
	if n.opt.Duplicate > 0 && n.rng.Float64() < n.opt.Duplicate {
		n.push(event{at: at + n.rng.Int64N(int64(5*time.Millisecond)), kind: evOne, node: i, pkt: p})
	}
}
