package multicast

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"dougu.internal/multicast/internal/engine"
	"dougu.internal/multicast/internal/fec"
	"dougu.internal/multicast/internal/ranges"
	"dougu.internal/multicast/internal/tree"
	"dougu.internal/multicast/internal/wire"
)

// store does a receiver's disk work in a goroutine of its own. Its engine.Store
// methods are called with the node's lock held and never wait.
type store struct {
	n    *Node
	base *tree.Base
	o    ReceiveOptions

	mu      sync.Mutex
	cond    *sync.Cond
	jobs    []func()
	waiting bool // jobs of which the worker was not told
	closed  bool
	done    chan struct{}
	aborted atomic.Bool // what the worker does now is of no use any more

	// With the node's lock.
	blocks  map[uint32]*inBlock
	symbol  int
	free    []*inBlock
	inUse   int64 // bytes of blocks that are not full
	queued  atomic.Int64
	drained atomic.Int64 // byte/s
	id      uint32
	err     atomic.Pointer[error]

	// The worker's.
	stage   *tree.Stage
	promise *tree.Promise // of an earlier process
	coder   fec.Coder
}

// inBlock is a block on its way in: symbols by number.
type inBlock struct {
	k      int
	data   []byte // k symbols, in place
	have   [fec.K]bool
	parity [][]byte
	spare  [][]byte // symbols' memory
}

// reset makes a block of what was another.
func (b *inBlock) reset(k int) {
	for i, p := range b.parity {
		if p != nil {
			b.spare = append(b.spare, p)
		}
		b.parity[i] = nil
	}
	b.k, b.have, b.parity = k, [fec.K]bool{}, b.parity[:0]
}

// memoryLimit bounds the blocks that are not on the disk yet.
const memoryLimit = 40 << 20 // the digests have 16 MiB more

func newStore(n *Node, b *tree.Base, o ReceiveOptions) *store {
	s := &store{n: n, base: b, o: o, done: make(chan struct{}), blocks: map[uint32]*inBlock{}}
	s.cond = sync.NewCond(&s.mu)
	go s.run()
	return s
}

func (s *store) run() {
	defer close(s.done)
	for {
		s.mu.Lock()
		for len(s.jobs) == 0 && !s.closed {
			s.cond.Wait()
		}
		if len(s.jobs) == 0 {
			s.mu.Unlock()
			return
		}
		job := s.jobs[0]
		s.jobs = s.jobs[1:]
		s.mu.Unlock()
		job()
	}
}

func (s *store) later(job func()) {
	s.mu.Lock()
	if !s.closed {
		s.jobs = append(s.jobs, job)
		s.waiting = true
	}
	s.mu.Unlock()
}

// kick wakes the worker.
func (s *store) kick() {
	s.mu.Lock()
	if s.waiting {
		s.waiting = false
		s.cond.Signal()
	}
	s.mu.Unlock()
}

// close ends the worker after what it has to do. What is staged stays.
func (s *store) close() error {
	s.aborted.Store(true)
	var err error
	s.later(func() {
		if s.stage != nil {
			err = s.stage.Close()
		}
	})
	s.mu.Lock()
	s.closed = true
	s.cond.Signal()
	s.mu.Unlock()
	<-s.done
	return errors.Join(err, s.base.Close())
}

func (s *store) options(a *wire.Announce) tree.Options {
	return tree.Options{Delete: a.Flags&wire.FlagDelete != 0 && a.Flags&wire.FlagIncomplete == 0, MaxDelete: int(a.MaxDelete), Digest: a.Flags&wire.FlagDigest != 0,
		Check: a.Flags&wire.FlagCheck != 0, DryRun: a.Flags&wire.FlagDryRun != 0, Fsync: a.Flags&wire.FlagFsync != 0, Owner: a.Flags&wire.FlagOwner != 0,
		Setuid: s.o.Setuid, InPlace: s.o.Mode == InPlace, ReadOnly: s.o.ReadOnly, OutsideLinks: s.o.OutsideLinks}
}

// Compare is part of engine.Store.
func (s *store) Compare(a *wire.Announce, manifest []byte) {
	id := s.n.eng.Receiving()
	s.id = id
	if s.symbol != int(a.Symbol) {
		s.free = nil
	}
	s.blocks, s.inUse, s.symbol = map[uint32]*inBlock{}, 0, int(a.Symbol)
	s.aborted.Store(false)
	s.err.Store(nil)
	o, digest := s.options(a), a.Digest
	s.later(func() {
		if s.stage != nil {
			s.closeStage()
		}
		s.promise = nil
		var c engine.Compared
		st, err := s.base.Begin(manifest, o, digest, s.aborted.Load)
		switch {
		case err != nil:
			c.Refused = err.Error()
		default:
			s.stage = st
			if o.DryRun || o.Check || o.ReadOnly {
				c.Results = st.Results().Append(nil)
			} else {
				c.Need, c.Holds = st.Need()
			}
		}
		s.n.do(func(now engine.Time) { s.n.eng.Compared(now, id, c) })
	})
}

func (s *store) closeStage() {
	if err := s.stage.Close(); err != nil {
		s.n.c.Logger.Warn("multicast: closing the stage", "err", err)
	}
	s.stage = nil
}

// Open is part of engine.Store.
func (s *store) Open(layout ranges.Set, symbol int) {
	s.later(func() {
		if s.stage != nil {
			s.stage.Open(layout, symbol)
		}
	})
}

// Room is part of engine.Store.
func (s *store) Room() bool { return s.inUse+s.queued.Load() < memoryLimit }

// Symbol is part of engine.Store.
func (s *store) Symbol(number uint32, symbol, k uint8, payload []byte) {
	b := s.blocks[number]
	if b == nil {
		if n := len(s.free); n > 0 {
			b, s.free = s.free[n-1], s.free[:n-1]
		} else {
			b = &inBlock{data: make([]byte, fec.K*s.symbol)}
		}
		b.reset(int(k))
		s.blocks[number] = b
		s.inUse += int64(len(b.data))
	}
	if int(symbol) < b.k {
		copy(b.data[int(symbol)*s.symbol:], payload)
		b.have[symbol] = true
		return
	}
	for len(b.parity) <= int(symbol)-b.k {
		b.parity = append(b.parity, nil)
	}
	var p []byte
	if n := len(b.spare); n > 0 {
		p, b.spare = b.spare[n-1], b.spare[:n-1]
	}
	b.parity[int(symbol)-b.k] = append(p[:0], payload...)
	s.inUse += int64(len(payload))
}

// Complete is part of engine.Store.
func (s *store) Complete(number uint32) {
	b := s.blocks[number]
	if b == nil {
		return
	}
	delete(s.blocks, number)
	size := int64(len(b.data))
	s.inUse -= size
	for _, p := range b.parity {
		s.inUse -= int64(len(p))
	}
	s.queued.Add(size)
	symbol := s.symbol
	s.later(func() {
		start := time.Now()
		s.writeBlock(number, b, symbol)
		s.queued.Add(-size)
		if d := time.Since(start); d > 0 {
			// Smoothed: what the disk takes in a second.
			rate := float64(size) / d.Seconds()
			old := float64(s.drained.Load())
			if old != 0 {
				rate = old + 0.1*(rate-old)
			}
			s.drained.Store(int64(rate))
		}
	})
}

// freeBlocks is how many blocks' memory is kept: memory that was used before is there,
// while fresh memory costs a page fault for each 4 KiB.
const freeBlocks = 256

// recycle keeps a block's memory for the next.
func (s *store) recycle(b *inBlock, symbol int) {
	s.n.mu.Lock()
	if len(s.free) < freeBlocks && symbol == s.symbol {
		s.free = append(s.free, b)
	}
	s.n.mu.Unlock()
}

func (s *store) writeBlock(number uint32, b *inBlock, symbol int) {
	if s.aborted.Load() || s.stage == nil || s.err.Load() != nil {
		s.recycle(b, symbol)
		return
	}
	err := s.rebuild(b, symbol)
	if err == nil {
		err = s.stage.Write(number, b.data[:b.k*symbol], func() { s.recycle(b, symbol) })
	}
	if err != nil {
		s.err.Store(&err)
	}
}

func (s *store) rebuild(b *inBlock, symbol int) error {
	whole := true
	for i := range b.k {
		whole = whole && b.have[i]
	}
	if whole {
		return nil
	}
	data := make([][]byte, b.k)
	for i := range data {
		if b.have[i] {
			data[i] = b.data[i*symbol : (i+1)*symbol]
		}
	}
	if err := s.coder.Rebuild(data, b.parity); err != nil {
		return err
	}
	for i := range data {
		if !b.have[i] {
			copy(b.data[i*symbol:], data[i])
		}
	}
	return nil
}

// Verify is part of engine.Store.
func (s *store) Verify(seal []byte, p engine.Promise) {
	id := s.id
	s.later(func() {
		v, err := s.verify(seal, p)
		if err != nil {
			v = engine.Verified{Failed: 1, Text: err.Error()}
		}
		s.n.do(func(now engine.Time) { s.n.eng.Verified(now, id, v) })
	})
}

func (s *store) verify(seal []byte, p engine.Promise) (v engine.Verified, err error) {
	if e := s.err.Load(); e != nil {
		return v, *e
	}
	if s.stage == nil {
		return v, errors.New("nothing is staged")
	}
	t, err := s.stage.Verify(seal, tree.Promise{Sender: p.Sender, Transfer: p.Transfer, Epoch: p.Epoch, Roster: p.Roster}, s.aborted.Load)
	if err != nil {
		return v, err
	}
	return engine.Verified{OK: t.Failed == 0, Root: t.Root, Failed: uint32(t.Failed), Text: t.Text, Again: t.Again}, nil
}

// A node does nothing when its tree has switched, and does not touch the disk for
// longer: to sync one file may hold up the renames of others on the same file system.
const (
	afterSwitch = 2 * time.Millisecond
	beforeTidy  = 30 * time.Millisecond
)

// Commit is part of engine.Store.
func (s *store) Commit() { s.CommitAt(0) }

// CommitAt is part of engine.Punctual.
func (s *store) CommitAt(at engine.Time) {
	id := s.n.eng.Receiving()
	s.blocks, s.inUse, s.free = map[uint32]*inBlock{}, 0, nil
	s.later(func() {
		if s.stage == nil && s.promise != nil {
			s.stage = s.base.Resume(*s.promise)
		}
		if s.stage == nil {
			s.n.do(func(now engine.Time) {
				s.n.eng.Committed(now, id, now, engine.Committed{Text: "nothing is staged"})
			})
			return
		}
		var flipped engine.Time
		atomic, err := s.stage.Commit(func() { tree.Sleep(time.Duration(at - s.n.now())) }, func() { flipped = s.n.now() })
		if atomic {
			// What follows can wait: other nodes of this machine switch at the same moment.
			time.Sleep(afterSwitch)
		}
		if err == nil {
			if serr := s.stage.Settle(); serr != nil {
				s.n.c.Logger.Error("multicast: settling after the switch", "err", serr)
			}
		}
		c := engine.Committed{OK: err == nil, Atomic: atomic}
		if err != nil {
			c.Text = err.Error()
		} else if !atomic {
			c.Text = s.stage.Fallback
		}
		c.Results = s.stage.Results().Append(nil)
		r := commitOf(s.stage, atomic)
		s.n.do(func(now engine.Time) {
			s.n.receiverCommit(r)
			s.n.eng.Committed(now, id, flipped, c)
		})
		if err == nil {
			if atomic {
				time.Sleep(beforeTidy)
			}
			err = s.stage.Tidy()
			s.stage = nil
		}
		if err != nil {
			s.n.c.Logger.Error("multicast: the commit left something behind", "err", err)
		}
		s.n.receiverTidy(r, err)
	})
}

// Drop is part of engine.Store.
func (s *store) Drop() {
	s.aborted.Store(true)
	s.blocks, s.inUse, s.free = map[uint32]*inBlock{}, 0, nil
	s.later(func() {
		if s.stage == nil {
			return
		}
		if err := s.stage.Drop(); err != nil {
			s.n.c.Logger.Warn("multicast: dropping the stage", "err", err)
		}
		s.stage = nil
	})
}

// Load is part of engine.Store.
func (s *store) Load() (backlog, drain uint64, drops uint32) {
	return uint64(max(0, s.queued.Load())), uint64(max(0, s.drained.Load())), uint32(s.n.conn.Drops())
}
