package tree

import (
	"crypto/sha256"
	"hash"

	"dougu.internal/multicast/internal/ranges"
)

// hasher makes the digests of the files that come, while they come: each file's pieces
// in their order. A piece that comes early waits in the memory of its block, up to a
// limit. What could not be hashed on the way is read again when the file is whole.
type hasher struct {
	sums  map[int][32]byte
	open  map[int]*fileHash
	spare []hash.Hash
	bytes int // of the blocks that wait
}

// fileHash is a file of which not all is hashed.
type fileHash struct {
	h    hash.Hash
	at   uint64 // position in the tree's content up to which it is hashed
	skip bool   // it can't be done on the way
	wait map[uint64]piece
}

// piece is a part of a file in the memory of its block.
type piece struct {
	data []byte
	b    *lent
}

// lent is a block's memory, given back when the worker has written it and no piece of
// it waits.
type lent struct {
	busy  bool // the worker's
	waits int
	size  int
	done  func()
}

func (l *lent) free() {
	if !l.busy && l.waits == 0 {
		l.done()
	}
}

// waitLimit bounds the blocks that wait.
const waitLimit = 16 << 20

func newHasher() *hasher {
	return &hasher{sums: map[int][32]byte{}, open: map[int]*fileHash{}}
}

// feed takes a piece of file i, of which missing bytes have not come yet.
func (h *hasher) feed(i int, fr, r ranges.Range, data []byte, missing uint64, b *lent) {
	if _, ok := h.sums[i]; ok {
		return
	}
	if r == fr {
		h.sums[i] = sha256.Sum256(data)
		return
	}
	f := h.open[i]
	if f == nil {
		// A part of it that is there from an earlier transfer does not come.
		f = &fileHash{at: fr.Start, skip: missing != fr.Len()}
		h.open[i] = f
	}
	switch {
	case f.skip || r.Start < f.at:
		return
	case r.Start > f.at:
		h.keep(f, r, data, b)
		return
	}
	f.write(h, data)
	for {
		p, ok := f.wait[f.at]
		if !ok {
			break
		}
		delete(f.wait, f.at)
		f.write(h, p.data)
		h.drop(p.b)
	}
	if f.at == fr.End {
		h.sums[i] = [32]byte(f.h.Sum(nil))
		h.forget(i)
	}
}

func (f *fileHash) write(h *hasher, data []byte) {
	if f.h == nil {
		if n := len(h.spare); n > 0 {
			f.h, h.spare = h.spare[n-1], h.spare[:n-1]
			f.h.Reset()
		} else {
			f.h = sha256.New()
		}
	}
	f.h.Write(data)
	f.at += uint64(len(data))
}

// keep lets a piece wait; when too much waits, the file is read again later instead.
func (h *hasher) keep(f *fileHash, r ranges.Range, data []byte, b *lent) {
	if _, ok := f.wait[r.Start]; ok {
		return
	}
	if b.waits == 0 {
		if h.bytes+b.size > waitLimit {
			f.skip = true
			h.clear(f)
			return
		}
		h.bytes += b.size
	}
	b.waits++
	if f.wait == nil {
		f.wait = map[uint64]piece{}
	}
	f.wait[r.Start] = piece{data, b}
}

// drop ends a piece's use of its block.
func (h *hasher) drop(b *lent) {
	if b.waits--; b.waits == 0 {
		h.bytes -= b.size
	}
	b.free()
}

func (h *hasher) clear(f *fileHash) {
	for at, p := range f.wait {
		delete(f.wait, at)
		h.drop(p.b)
	}
}

// forget ends what is known of a file but its digest.
func (h *hasher) forget(i int) {
	f := h.open[i]
	if f == nil {
		return
	}
	h.clear(f)
	if f.h != nil {
		h.spare = append(h.spare, f.h)
	}
	delete(h.open, i)
}

// sum returns the digest of a staged file: the one that was made on the way, or one
// that is made now.
func (h *hasher) sum(s *Stage, i int) ([32]byte, error) {
	if sum, ok := h.sums[i]; ok {
		return sum, nil
	}
	h.forget(i)
	e := &s.manifest.Entries[i]
	d := sha256.New()
	buf := make([]byte, min(e.Size, 1<<20))
	for at := uint64(0); at < e.Size; {
		n := min(uint64(len(buf)), e.Size-at)
		if err := s.read(i, buf[:n], int64(at)); err != nil {
			return [32]byte{}, err
		}
		d.Write(buf[:n])
		at += n
	}
	return [32]byte(d.Sum(nil)), nil
}

// spoil forgets a digest that was not the right one.
func (h *hasher) spoil(i int) {
	delete(h.sums, i)
	h.forget(i)
}

// close gives back what waits.
func (h *hasher) close() {
	for i := range h.open {
		h.forget(i)
	}
}
