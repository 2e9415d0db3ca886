package tree

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"

	"dougu.internal/multicast/internal/fec"
	"dougu.internal/multicast/internal/ranges"
)

// blockSymbols is the number of data symbols of a block.
const blockSymbols = fec.K

// Content is a source's content as a sender reads it: one pass in order, which makes
// the digests beside, and blocks again when repair asks for them. It keeps the last
// blocks in memory, and reads a few ahead.
type Content struct {
	root     *os.Root
	manifest *Manifest
	kick     func()
	sealed   func(seals []byte, err error)

	mu     sync.Mutex
	cond   *sync.Cond
	m      *ranges.Map
	symbol int
	blocks uint32
	cache  map[uint32]*block
	order  []uint32
	read   uint32 // blocks below were read
	sent   uint32 // the highest that was asked for
	closed bool
	wg     sync.WaitGroup
	coder  fec.Coder
	spare  [][]byte // memory of blocks that are kept no more
	last   *block   // of which a symbol was given out last: it stays as it is
	again  *dirs
	file   *os.File // the last one that was read again
	at     int

	// Problems are files that could not be read, or changed meanwhile; read them
	// after sealed was called.
	Problems []*Problem
}

type block struct {
	buf    []byte
	data   [][]byte
	parity [][]byte
}

// The content that is kept for repair, and what is read ahead. More is of little use:
// the system has it in its own cache, and fresh memory costs page faults.
const (
	keepBytes = 16 << 20
	aheadMax  = 48
)

// NewContent returns the content of a manifest below root. kick is called when a
// block is ready that was not; sealed once, when all was read.
func NewContent(root *os.Root, m *Manifest, kick func(), sealed func(seals []byte, err error)) *Content {
	c := &Content{root: root, manifest: m, kick: kick, sealed: sealed, cache: map[uint32]*block{}, at: -1}
	c.cond = sync.NewCond(&c.mu)
	c.again = &dirs{root: root}
	return c
}

// Open begins to read the ranges that are wanted.
func (c *Content) Open(layout ranges.Set, symbol int) {
	c.mu.Lock()
	c.m, c.symbol = ranges.NewMap(layout), symbol
	per := uint64(symbol) * blockSymbols
	c.blocks = uint32((c.m.Size() + per - 1) / per)
	c.mu.Unlock()
	c.wg.Go(func() { c.run(layout) })
}

// Close stops reading and waits for it.
func (c *Content) Close() {
	c.mu.Lock()
	c.closed = true
	c.cond.Broadcast()
	c.mu.Unlock()
	c.wg.Wait()
	if c.file != nil {
		c.file.Close()
	}
	c.again.close()
}

// Ready reports whether a block can be had without waiting for the first pass.
func (c *Content) Ready(b uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return b < c.read
}

// Symbol returns a symbol of a block. It is the caller's to read until the next call.
func (c *Content) Symbol(b uint32, symbol int) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b > c.sent {
		c.sent = b
		c.cond.Signal()
	}
	bl := c.cache[b]
	if bl == nil {
		if b >= c.read {
			return nil, fmt.Errorf("block %d was not read yet", b)
		}
		var err error
		if bl, err = c.reread(b); err != nil {
			return nil, err
		}
	}
	c.last = bl
	k := len(bl.data)
	if symbol < k {
		return bl.data[symbol], nil
	}
	i := symbol - k
	if i >= fec.MaxParity {
		return nil, errors.New("no such symbol")
	}
	for len(bl.parity) <= i {
		n := min(max(1, i+1-len(bl.parity)), fec.MaxParity-len(bl.parity))
		out := make([][]byte, n)
		for j := range out {
			out[j] = make([]byte, c.symbol)
		}
		if err := c.coder.Encode(bl.data, len(bl.parity), out); err != nil {
			return nil, err
		}
		bl.parity = append(bl.parity, out...)
	}
	return bl.parity[i], nil
}

// newBlock returns a block to be filled: only its padding is zeros. c.mu is held.
func (c *Content) newBlock(b uint32) (*block, []byte, ranges.Range) {
	per := uint64(c.symbol) * blockSymbols
	r := ranges.Range{Start: uint64(b) * per, End: min(uint64(b+1)*per, c.m.Size())}
	k := int((r.Len() + uint64(c.symbol) - 1) / uint64(c.symbol))
	var buf []byte
	if n := len(c.spare); n > 0 && cap(c.spare[n-1]) >= k*c.symbol {
		buf, c.spare = c.spare[n-1][:k*c.symbol], c.spare[:n-1]
		clear(buf[r.Len():])
	} else {
		buf = make([]byte, k*c.symbol)
	}
	bl := &block{buf: buf, data: make([][]byte, k)}
	for i := range bl.data {
		bl.data[i] = buf[i*c.symbol : (i+1)*c.symbol : (i+1)*c.symbol]
	}
	return bl, buf, r
}

// keep puts a block into the cache. c.mu is held.
func (c *Content) keep(b uint32, bl *block) {
	limit := max(aheadMax*2, keepBytes/(c.symbol*blockSymbols))
	for len(c.order) >= limit {
		old := c.cache[c.order[0]]
		delete(c.cache, c.order[0])
		c.order = c.order[1:]
		if old != c.last {
			c.spare = append(c.spare, old.buf)
		}
	}
	c.cache[b] = bl
	c.order = append(c.order, b)
}

// reread reads a block again. c.mu is held.
func (c *Content) reread(b uint32) (*block, error) {
	bl, buf, r := c.newBlock(b)
	err := c.m.Pieces(r, func(at uint64, p ranges.Range) error {
		dst := buf[at-r.Start:]
		for i := c.manifest.At(p.Start); p.Start < p.End; i++ {
			e := &c.manifest.Entries[i]
			fr := e.Range()
			n := min(p.End, fr.End) - p.Start
			if fr.Len() > 0 && n > 0 {
				if err := c.rereadFile(i, dst[:n], int64(p.Start-fr.Start)); err != nil {
					return err
				}
				dst, p.Start = dst[n:], p.Start+n
			}
		}
		return nil
	})
	if err == nil {
		c.keep(b, bl)
	}
	return bl, err
}

func (c *Content) rereadFile(i int, dst []byte, at int64) error {
	if c.at != i {
		if c.file != nil {
			c.file.Close()
			c.file, c.at = nil, -1
		}
		d, name, err := c.again.at(c.manifest.Entries[i].Path)
		if err == nil {
			c.file, err = openFile(d, name)
		}
		if err != nil {
			clear(dst) // it is gone: zeros, and its seal says that it changed
			return nil
		}
		c.at = i
	}
	n, err := c.file.ReadAt(dst, at)
	clear(dst[n:])
	if err != nil && err != io.EOF {
		return err
	}
	return nil
}

// run is the first pass.
func (c *Content) run(layout ranges.Set) {
	w := &pass{c: c, layout: layout, h: sha256.New()}
	seals, err := w.all()
	if err == nil || err != errClosed {
		c.sealed(AppendSeals(nil, seals), err)
	}
}

var errClosed = errors.New("closed")

// pass reads files in order into blocks.
type pass struct {
	c      *Content
	layout ranges.Set
	h      hash.Hash
	block  uint32
	cur    *block
	buf    []byte // what is left of the block at hand
	walk   *dirs
	spare  []byte
}

func (w *pass) all() (seals []Seal, err error) {
	w.walk = &dirs{root: w.c.root}
	defer w.walk.close()
	layout := w.layout
	m := w.c.manifest
	for i := range m.Entries {
		e := &m.Entries[i]
		r := e.Range()
		for len(layout) > 0 && layout[0].End <= r.Start {
			layout = layout[1:]
		}
		if r.Len() == 0 || len(layout) == 0 || layout[0].Start >= r.End {
			continue
		}
		s := Seal{Index: uint32(i)}
		if err := w.file(e, layout, &s); err != nil {
			return nil, err
		}
		seals = append(seals, s)
	}
	return seals, nil
}

// file reads one file: what is wanted goes into blocks, all of it into the digest.
func (w *pass) file(e *Entry, layout ranges.Set, s *Seal) error {
	w.h.Reset()
	d, name, err := w.walk.at(e.Path)
	var f *os.File
	if err == nil {
		f, err = openFile(d, name)
	}
	if err == nil {
		defer f.Close()
		// A small file is looked at once, when it has been read.
		if e.Size > 1<<20 && changed(f, e) {
			err = errChanged
		}
	}
	r := e.Range()
	for at := r.Start; at < r.End; {
		for len(layout) > 0 && layout[0].End <= at {
			layout = layout[1:]
		}
		wanted := len(layout) > 0 && layout[0].Start <= at
		end := r.End
		if wanted {
			end = min(end, layout[0].End)
		} else if len(layout) > 0 {
			end = min(end, layout[0].Start)
		}
		n, rerr := w.piece(f, err == nil, int64(at-r.Start), end-at, wanted)
		if rerr == errClosed {
			return rerr
		}
		if err == nil {
			err = rerr
		}
		at += n
	}
	if err == nil && changed(f, e) {
		err = errChanged
	}
	if err != nil {
		s.Status = SealChanged
		w.c.mu.Lock()
		w.c.Problems = append(w.c.Problems, &Problem{e.Path, "read", unwrapPath(err)})
		w.c.mu.Unlock()
		return nil
	}
	w.h.Sum(s.Sum[:0])
	return nil
}

var errChanged = errors.New("the file changed while it was sent")

func changed(f *os.File, e *Entry) bool {
	fi, err := f.Stat()
	return err != nil || uint64(fi.Size()) != e.Size || fi.ModTime().Unix() != e.Sec || uint32(fi.ModTime().Nanosecond()) != e.Nsec
}

// piece reads up to n bytes of a file; without a file they are zeros.
func (w *pass) piece(f *os.File, good bool, at int64, n uint64, wanted bool) (uint64, error) {
	var dst []byte
	if wanted {
		if len(w.buf) == 0 {
			if err := w.next(); err != nil {
				return n, err
			}
		}
		dst = w.buf[:min(uint64(len(w.buf)), n)]
	} else {
		if w.spare == nil {
			w.spare = make([]byte, 256<<10)
		}
		dst = w.spare[:min(uint64(len(w.spare)), n)]
		if w.c.isClosed() {
			return n, errClosed
		}
	}
	var err error
	if !good {
		clear(dst)
	} else {
		var got int
		got, err = f.ReadAt(dst, at)
		clear(dst[got:])
		if got == len(dst) {
			err = nil
		} else if err == io.EOF {
			err = errChanged
		}
		w.h.Write(dst)
	}
	if wanted {
		w.buf = w.buf[len(dst):]
		if w.left() {
			w.done()
		}
	}
	return uint64(len(dst)), err
}

// left reports whether the block at hand is full: only padding may follow.
func (w *pass) left() bool { return len(w.buf) == 0 || w.lastDone() }

func (w *pass) lastDone() bool {
	c := w.c
	if w.block != c.blocks-1 {
		return false
	}
	per := uint64(c.symbol) * blockSymbols
	padding := uint64(len(w.cur.data)*c.symbol) - (c.m.Size() - uint64(w.block)*per)
	return uint64(len(w.buf)) == padding
}

// next begins a block, when there is room ahead of what was sent.
func (w *pass) next() error {
	c := w.c
	c.mu.Lock()
	for !c.closed && w.block > c.sent+aheadMax {
		c.cond.Wait()
	}
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	w.cur, w.buf, _ = c.newBlock(w.block)
	return nil
}

// done hands over the block at hand.
func (w *pass) done() {
	c := w.c
	c.mu.Lock()
	c.keep(w.block, w.cur)
	c.read = w.block + 1
	c.mu.Unlock()
	w.block++
	w.buf = nil
	c.kick()
}

func (c *Content) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}
