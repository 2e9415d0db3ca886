package mcsim

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"dougu.internal/multicast/internal/engine"
	"dougu.internal/multicast/internal/ranges"
	"dougu.internal/multicast/internal/wire"
)

// disk is what of a receiver stays when it crashes.
type disk struct {
	epoch    uint64
	root     [32]byte
	version  int
	promise  *engine.Promise
	prepared int // version
	staged   int // version of what is staged
	have     ranges.Set
	rate     uint64
	full     bool
	left     uint64
	readOnly bool
}

func digest(b []byte) [32]byte { return sha256.Sum256(b) }

func manifestOf(version int, size int64) []byte {
	b := binary.BigEndian.AppendUint64([]byte("simM"), uint64(version))
	return binary.BigEndian.AppendUint64(b, uint64(size))
}

func rootOf(version int, seal []byte) [32]byte {
	return digest(append(fmt.Appendf(nil, "root %d ", version), seal...))
}

// store is a receiver's engine.Store.
type store struct {
	n       *Net
	nd      *node
	life    int
	version int
	size    uint64
	layout  *ranges.Map
	symbol  int
	busy    int64 // the disk writes until then
	queued  uint64
	open    bool
	failed  bool
}

// later calls f after the disk's work, when the process still lives.
func (s *store) later(d time.Duration, f func(now int64)) {
	n := s.n
	n.At(time.Duration(n.now)+d, func() {
		if s.nd.starts != s.life || s.nd.down {
			return
		}
		f(n.clock(s.nd))
		n.after(s.nd)
	})
}

func (s *store) transfer() uint32 { return s.nd.eng.Receiving() }

// Compare finds out what is needed.
func (s *store) Compare(_ *wire.Announce, m []byte) {
	s.failed = false
	s.version, s.size = int(binary.BigEndian.Uint64(m[4:])), binary.BigEndian.Uint64(m[12:])
	d := s.nd.disk
	if d.staged != s.version {
		d.staged, d.have = s.version, nil
	}
	d.promise = nil
	id := s.transfer()
	c := engine.Compared{Holds: d.have.Len()}
	all := ranges.Set{{Start: 0, End: s.size}}
	if d.version != s.version && s.size > 0 {
		c.Need = all.Minus(d.have)
	}
	s.later(time.Millisecond, func(now int64) { s.nd.eng.Compared(now, id, c) })
}

// Open takes the layout.
func (s *store) Open(layout ranges.Set, symbol int) {
	s.layout, s.symbol, s.open = ranges.NewMap(layout), symbol, true
}

// Room is always there.
func (s *store) Room() bool { return true }

// Symbol keeps nothing: content has no bytes here.
func (s *store) Symbol(uint32, uint8, uint8, []byte) {}

// Complete writes a block.
func (s *store) Complete(block uint32) {
	per := uint64(s.symbol) * wire.K
	r := ranges.Range{Start: uint64(block) * per, End: min(uint64(block+1)*per, s.layout.Size())}
	rate := s.nd.disk.rate
	if rate == 0 {
		rate = s.n.opt.Disk
	}
	var wait time.Duration
	if rate > 0 {
		s.busy = max(s.busy, s.n.now) + int64(float64(r.Len())/float64(rate)*1e9)
		wait = time.Duration(s.busy - s.n.now)
	}
	d := s.nd.disk
	if d.full && d.left < r.Len() {
		s.failed = true
		return
	}
	d.left -= min(d.left, r.Len())
	write := func() {
		// A range that is outside of what was laid out would be an error of Pieces.
		if err := s.layout.Pieces(r, func(_ uint64, p ranges.Range) error { d.have.Add(p); return nil }); err != nil {
			s.n.fail(err)
		}
	}
	if wait == 0 {
		write()
		return
	}
	s.queued += r.Len()
	s.later(wait, func(int64) { s.queued -= r.Len(); write() })
}

// Verify checks that everything is there, and remembers the promise.
func (s *store) Verify(seal []byte, p engine.Promise) {
	id := s.transfer()
	wait := time.Duration(max(0, s.busy-s.n.now)) + 500*time.Microsecond
	s.later(wait, func(now int64) {
		d := s.nd.disk
		if s.failed {
			s.nd.eng.Verified(now, id, engine.Verified{Failed: 1, Text: "write: no space left on device"})
			return
		}
		if d.version != s.version && s.size > 0 && !d.have.Covers(ranges.Range{Start: 0, End: s.size}) {
			s.n.fail(fmt.Errorf("%s was to verify with %d of %d bytes", s.nd.name, d.have.Len(), s.size))
			return
		}
		p.Root = rootOf(s.version, seal)
		d.promise, d.prepared = &p, s.version
		s.n.log(s.nd, "is prepared for version %d", s.version)
		s.nd.eng.Verified(now, id, engine.Verified{OK: true, Root: p.Root})
	})
}

// Commit switches.
func (s *store) Commit() {
	d := s.nd.disk
	id, flipped := s.transfer(), s.n.clock(s.nd)
	if d.promise == nil {
		s.n.fail(fmt.Errorf("%s commits without having prepared", s.nd.name))
		return
	}
	if !s.n.decided[d.promise.Transfer] {
		s.n.fail(fmt.Errorf("%s commits what the sender has not decided", s.nd.name))
		return
	}
	if root := s.n.roots[d.promise.Transfer]; root != d.promise.Root {
		s.n.fail(fmt.Errorf("%s commits another tree", s.nd.name))
		return
	}
	d.version, d.epoch, d.root, d.promise = d.prepared, d.promise.Epoch, d.promise.Root, nil
	d.have, d.staged = nil, 0
	s.nd.flipped = s.n.now
	s.n.log(s.nd, "switches to version %d", d.version)
	s.later(time.Millisecond, func(now int64) { s.nd.eng.Committed(now, id, flipped, engine.Committed{OK: true, Atomic: true}) })
}

// Drop keeps what was staged.
func (s *store) Drop() { s.nd.disk.promise = nil }

// Load tells the backlog.
func (s *store) Load() (backlog, drain uint64, drops uint32) {
	rate := s.nd.disk.rate
	if rate == 0 {
		rate = s.n.opt.Disk
	}
	return s.queued, rate, 0
}

// source is the sender's engine.Source.
type source struct {
	n       *Net
	nd      *node
	life    int
	version int
}

// Open makes the seal after a while.
func (s *source) Open(ranges.Set, int) {
	n := s.n
	n.At(time.Duration(n.now)+time.Millisecond, func() {
		if s.nd.starts != s.life || s.nd.down {
			return
		}
		seal := fmt.Appendf(nil, "seal of %d", s.version)
		if n.send != nil {
			n.send.Sealed(n.clock(s.nd), seal, rootOf(s.version, seal), nil)
		}
		n.after(s.nd)
	})
}

// Ready is always true.
func (s *source) Ready(uint32) bool { return true }

// watch looks at what nodes send, and holds the sender to its word.
func (n *Net) watch(nd *node, p *packet) {
	if nd.i != 0 {
		return
	}
	switch m := p.msg.(type) {
	case *wire.Commit:
		if n.aborted[p.head.Transfer] {
			n.fail(fmt.Errorf("transfer %d was aborted and is committed", p.head.Transfer))
		}
		if !n.decided[p.head.Transfer] {
			n.log(nd, "decides to commit epoch %d", m.Epoch)
		}
		n.decided[p.head.Transfer], n.roots[p.head.Transfer] = true, m.Root
	case *wire.Abort:
		if n.decided[p.head.Transfer] {
			n.fail(fmt.Errorf("transfer %d was committed and is aborted", p.head.Transfer))
		}
		if !n.aborted[p.head.Transfer] {
			n.log(nd, "gives up: %s", m.Text)
		}
		n.aborted[p.head.Transfer] = true
	}
}

func (n *Net) event(nd *node, e engine.Event) {
	switch e.Kind {
	case engine.EventDoubt:
		n.log(nd, "is in doubt about epoch %d", e.Epoch)
	case engine.EventAborted:
		n.log(nd, "drops epoch %d: %s", e.Epoch, e.Text)
	case engine.EventRefused:
		n.log(nd, "refuses epoch %d: %s", e.Epoch, e.Text)
	case engine.EventTimedOut:
		n.log(nd, "misses %s", e.Member.Name)
	}
}
