package engine

import (
	"dougu.internal/multicast/internal/fec"
	"dougu.internal/multicast/internal/wire"
)

// outBlock is what a sender knows of a block.
type outBlock struct {
	parity uint8    // parity symbols made so far
	again  uint8    // data symbols sent again, when there is no parity left
	want   uint8    // repair symbols to send
	worst  uint8    // the largest deficit heard of so far
	queued bool     // it stands in the queue
	seqs   []uint32 // DATA.Seq of the repair symbols sent
}

// repair is a block that waits for its repair.
type repair struct {
	object uint8
	block  uint32
	due    Time
}

// outObject is an object as it goes out. The bytes of the content are elsewhere.
type outObject struct {
	kind   uint8
	symbol int
	size   uint64
	blocks uint32
	data   []byte // nil: the content
	st     []outBlock
	begun  bool

	// The first pass: the next symbol; parity follows the data.
	block  uint32
	sym    int
	parity int // of the block at hand

	coder  fec.Coder
	shards [][]byte // padded data symbols of block cached
	cached int64
}

func newOutObject(kind uint8, symbol int, size uint64, data []byte) *outObject {
	per := uint64(symbol) * wire.K
	o := &outObject{kind: kind, symbol: symbol, size: size, data: data, cached: -1}
	o.blocks = uint32((size + per - 1) / per)
	o.st = make([]outBlock, o.blocks)
	return o
}

func (o *outObject) sent() bool { return o.begun && o.block >= o.blocks }

func (o *outObject) k(block uint32) int {
	if block < o.blocks-1 {
		return wire.K
	}
	last := o.size - uint64(o.blocks-1)*uint64(o.symbol)*wire.K
	return int((last + uint64(o.symbol) - 1) / uint64(o.symbol))
}

// payload returns a symbol of an object that is held here.
func (o *outObject) payload(block uint32, symbol int) []byte {
	k := o.k(block)
	if o.cached != int64(block) {
		o.shards = make([][]byte, k)
		base := int(block) * wire.K * o.symbol
		for i := range o.shards {
			start := base + i*o.symbol
			if end := start + o.symbol; end <= len(o.data) {
				o.shards[i] = o.data[start:end:end]
				continue
			}
			o.shards[i] = make([]byte, o.symbol)
			copy(o.shards[i], o.data[start:])
		}
		o.cached = int64(block)
	}
	if symbol < k {
		return o.shards[symbol]
	}
	out := make([]byte, o.symbol)
	if err := o.coder.Encode(o.shards, symbol-k, [][]byte{out}); err != nil {
		return nil // cannot be: symbol is within the limits
	}
	return out
}

// nextRepair returns the number of the next repair symbol of a block.
func (o *outObject) nextRepair(block uint32) int {
	b := &o.st[block]
	k := o.k(block)
	if b.parity < fec.MaxParity {
		b.parity++
		return k + int(b.parity) - 1
	}
	n := int(b.again) % k
	b.again = uint8((n + 1) % k)
	return n
}

// wanted notes a NACK of a block.
func (o *outObject) wanted(l wire.Lack, seen uint32) {
	b := &o.st[l.Block]
	deficit := int(min(l.Deficit, uint8(o.k(l.Block))))
	later := 0
	for i := len(b.seqs) - 1; i >= 0 && b.seqs[i] > seen; i-- {
		later++
	}
	if n := deficit - later; n > int(b.want) {
		b.want = uint8(n)
	}
	b.worst = uint8(min(255, max(int(b.worst), deficit+len(b.seqs)-later)))
}
