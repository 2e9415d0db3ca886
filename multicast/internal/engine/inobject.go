package engine

import (
	"encoding/binary"
	"math"
	"time"

	"dougu.internal/multicast/internal/fec"
	"dougu.internal/multicast/internal/wire"
)

// inBlock is what a receiver has of a block.
type inBlock struct {
	bits [4]uint64
	n, k uint8
	done bool
	lack bool // it stands in the list of blocks to ask for
}

func (b *inBlock) add(symbol uint8) bool {
	if b.bits[symbol/64]>>(symbol%64)&1 == 1 {
		return false
	}
	b.bits[symbol/64] |= 1 << (symbol % 64)
	b.n++
	return true
}

// lack is a closed block that lacks symbols.
type lack struct {
	block uint32
	next  Time
	tries uint8
}

// inObject is an object as it comes in. Objects other than the content are put
// together here; the content's symbols go to the Store.
type inObject struct {
	kind   uint8
	symbol int
	size   uint64 // 0: not known yet
	blocks uint32 // 0: not known yet
	st     []inBlock
	closed uint32 // blocks below were sent once
	done   uint32
	skip   func(block uint32) bool // the content's blocks that nobody here needs
	lacks  []lack
	parts  map[uint32][][]byte // symbols of blocks that are not done, by number
	data   []byte
	coder  *fec.Coder
}

// maxBlocks bounds what an object of unknown size may grow to.
func maxBlocks(kind uint8, symbol int) uint32 {
	limit := uint64(wire.MaxManifest)
	if kind == wire.ObjectContent {
		limit = wire.MaxObject
	}
	return uint32(min(limit/uint64(symbol*wire.K)+1, math.MaxUint32-8))
}

func newInObject(kind uint8, symbol int) *inObject {
	o := &inObject{kind: kind, symbol: symbol}
	if kind != wire.ObjectContent {
		o.parts, o.coder = map[uint32][][]byte{}, &fec.Coder{}
	}
	return o
}

// setSize fixes the size, once it is known.
func (o *inObject) setSize(size uint64) {
	o.size = size
	per := uint64(o.symbol) * wire.K
	o.blocks = uint32((size + per - 1) / per)
	if int(o.blocks) < len(o.st) {
		o.st = o.st[:o.blocks]
	}
	o.closed = min(o.closed, o.blocks)
	keep := o.lacks[:0]
	for _, l := range o.lacks {
		if l.block < o.blocks {
			keep = append(keep, l)
		}
	}
	o.lacks = keep
	o.done = 0
	for i := range o.st {
		if o.st[i].done {
			o.done++
		}
	}
	if o.skip != nil {
		for b := range o.blocks {
			if o.skip(b) && !o.at(b).done {
				o.st[b].done = true
				o.done++
			}
		}
	}
}

func (o *inObject) at(block uint32) *inBlock {
	for int(block) >= len(o.st) {
		if o.blocks != 0 && cap(o.st) < int(o.blocks) {
			st := make([]inBlock, len(o.st), o.blocks)
			copy(st, o.st)
			o.st = st
		}
		o.st = append(o.st, inBlock{})
	}
	return &o.st[block]
}

// k returns the number of data symbols of a block, or 0 when it is not known.
func (o *inObject) k(block uint32) uint8 {
	if o.size == 0 {
		return 0
	}
	if block < o.blocks-1 {
		return wire.K
	}
	last := o.size - uint64(o.blocks-1)*uint64(o.symbol)*wire.K
	return uint8((last + uint64(o.symbol) - 1) / uint64(o.symbol))
}

func (o *inObject) complete() bool { return o.size != 0 && o.done == o.blocks }

// Far ahead of what is known to be sent, a block number is not believed.
const maxAhead = 1 << 16

// take notes a symbol. fresh: it was new and is wanted; full: the block has k now.
func (o *inObject) take(d *wire.Data) (fresh, full bool) {
	if len(d.Payload) != o.symbol && !(o.kind == wire.ObjectContent && len(d.Payload) == 0) {
		return false, false
	}
	if o.blocks != 0 && d.Block >= o.blocks || d.Block >= maxBlocks(o.kind, o.symbol) || int(d.Block) > len(o.st)+maxAhead {
		return false, false
	}
	if k := o.k(d.Block); k != 0 && k != d.K {
		return false, false
	}
	b := o.at(d.Block)
	if b.done {
		return false, false
	}
	if b.k == 0 {
		b.k = d.K
	} else if b.k != d.K {
		return false, false
	}
	if !b.add(d.Symbol) {
		return false, false
	}
	if b.n < b.k {
		return true, false
	}
	b.done = true
	o.done++
	return true, true
}

// store keeps a symbol of an object that is put together here, and rebuilds the
// block when it is full. It reports whether the whole object is there.
func (o *inObject) store(d *wire.Data, full, keep bool) bool {
	list := o.parts[d.Block]
	if n := max(int(d.K), int(d.Symbol)+1); n > len(list) {
		list = append(list, make([][]byte, n-len(list))...)
		o.parts[d.Block] = list
	}
	list[d.Symbol] = d.Payload
	if !keep {
		list[d.Symbol] = append([]byte(nil), d.Payload...)
	}
	if !full {
		return false
	}
	k := int(d.K)
	data := list[:k:k]
	if err := o.coder.Rebuild(data, list[k:]); err != nil {
		return false // cannot be: k symbols are there
	}
	delete(o.parts, d.Block)
	start := int(d.Block) * wire.K * o.symbol
	if need := start + k*o.symbol; need > len(o.data) {
		o.data = append(o.data, make([]byte, need-len(o.data))...)
	}
	for i, s := range data {
		copy(o.data[start+i*o.symbol:], s)
	}
	if o.size == 0 && d.Block == 0 {
		// LAYOUT and SEAL begin with their size.
		size := binary.BigEndian.Uint64(o.data)
		if size < 8 || size > wire.MaxManifest {
			return false
		}
		o.setSize(size)
	}
	return o.complete()
}

// bytes returns the object, without its size in front where there is one.
func (o *inObject) bytes() []byte {
	if o.kind == wire.ObjectLayout || o.kind == wire.ObjectSeal {
		return o.data[8:o.size]
	}
	return o.data[:o.size]
}

// closeUpTo marks blocks below high as sent once; those that lack symbols are to be
// asked for from now on: they are put behind the others. It returns where the new
// ones begin.
func (o *inObject) closeUpTo(high uint32) int {
	first := len(o.lacks)
	if high == wire.NotBegun {
		return first
	}
	high = min(high, maxBlocks(o.kind, o.symbol))
	if o.blocks != 0 {
		high = min(high, o.blocks)
	}
	if int64(high) > int64(len(o.st))+maxAhead {
		high = uint32(len(o.st) + maxAhead)
	}
	for b := o.closed; b < high; b++ {
		if st := o.at(b); !st.done && !st.lack {
			st.lack = true
			o.lacks = append(o.lacks, lack{block: b})
		}
	}
	o.closed = max(o.closed, high)
	return first
}

// due appends what is to be asked for now, and returns when the next is due.
func (o *inObject) due(now Time, wait time.Duration, list []wire.Lack) ([]wire.Lack, Time) {
	next := never
	keep := o.lacks[:0]
	for _, l := range o.lacks {
		st := &o.st[l.block]
		if st.done {
			st.lack = false
			continue
		}
		if l.next <= now && len(list) < wire.MaxNack {
			list = append(list, wire.Lack{Block: l.block, Deficit: o.deficit(l.block)})
			l.next = now + int64(min(wait<<min(l.tries, 8), 500*time.Millisecond))
			l.tries++
		}
		next = min(next, l.next)
		keep = append(keep, l)
	}
	o.lacks = keep
	return list, next
}

func (o *inObject) deficit(block uint32) uint8 {
	st := &o.st[block]
	k := o.k(block)
	if k == 0 {
		k = st.k
	}
	if k == 0 {
		k = wire.K
	}
	return k - min(st.n, k-1)
}

// hush puts off asking for blocks of which somebody else has asked as much.
func (o *inObject) hush(heard []wire.Lack, until Time) {
	for _, h := range heard {
		if int(h.Block) >= len(o.st) || !o.st[h.Block].lack || o.st[h.Block].done || o.deficit(h.Block) > h.Deficit {
			continue
		}
		for i := range o.lacks {
			if o.lacks[i].block == h.Block {
				o.lacks[i].next = max(o.lacks[i].next, until)
			}
		}
	}
}

// touch puts off asking for a block of which a repair symbol has come: when the others
// of its kind do not follow soon, they were lost, and there is no reason to wait longer.
func (o *inObject) touch(block uint32, until Time) {
	for i := range o.lacks {
		if l := &o.lacks[i]; l.block == block {
			l.next, l.tries = until, 0
			return
		}
	}
}

// missing counts the blocks that are known to lack symbols.
func (o *inObject) missing() (n uint32) {
	for _, l := range o.lacks {
		if !o.st[l.block].done {
			n++
		}
	}
	return n
}

// reopen makes blocks wanted again, for their content was not what was promised.
func (o *inObject) reopen(now Time, block uint32) {
	st := o.at(block)
	if st.done {
		o.done--
	}
	*st = inBlock{lack: true}
	o.lacks = append(o.lacks, lack{block: block, next: now})
}
