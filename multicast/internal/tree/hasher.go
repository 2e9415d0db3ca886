package tree

import (
	"crypto/sha256"
	"hash"

	"dougu.internal/multicast/internal/ranges"
)

// hasher makes the digests of the files that come, as far as their content comes in
// order; blocks that come early wait, up to a limit. What does not come in order is
// read again at the end.
type hasher struct {
	h     hash.Hash
	file  int    // the one at hand; -1: none
	at    uint64 // position in the tree's content up to which it is hashed
	sums  map[int][32]byte
	next  uint32 // block of the content
	wait  map[uint32][]byte
	bytes int
}

// waitLimit bounds the blocks that wait.
const waitLimit = 16 << 20

func newHasher(*Stage) *hasher {
	return &hasher{h: sha256.New(), file: -1, sums: map[int][32]byte{}, wait: map[uint32][]byte{}}
}

// feed takes a block. The data is the caller's again when feed has not kept it, which
// Kept tells.
func (h *hasher) feed(s *Stage, r ranges.Range, data []byte) {
	number := uint32(r.Start / (uint64(s.symbol) * blockSymbols))
	if number != h.next {
		if number > h.next && h.bytes+len(data) <= waitLimit {
			h.wait[number] = append([]byte(nil), data...)
			h.bytes += len(data)
		}
		return
	}
	h.block(s, r, data)
	for {
		h.next++
		data, ok := h.wait[h.next]
		if !ok {
			return
		}
		delete(h.wait, h.next)
		h.bytes -= len(data)
		per := uint64(s.symbol) * blockSymbols
		h.block(s, ranges.Range{Start: uint64(h.next) * per, End: uint64(h.next+1) * per}, data)
	}
}

// block hashes the pieces of a block that go on where a file was left, or begin one.
func (h *hasher) block(s *Stage, r ranges.Range, data []byte) {
	// Pieces calls a function that does not fail.
	_ = s.layout.Pieces(r, func(at uint64, p ranges.Range) error {
		b := data[at-r.Start:]
		for i := s.manifest.At(p.Start); p.Start < p.End; i++ {
			fr := s.manifest.Entries[i].Range()
			n := min(p.End, fr.End) - p.Start
			if fr.Len() == 0 || n == 0 {
				continue
			}
			switch {
			case p.Start == fr.Start:
				h.h.Reset()
				h.file, h.at = i, fr.Start
			case h.file != i || h.at != p.Start:
				h.file = -1
			}
			if h.file == i {
				h.h.Write(b[:n])
				if h.at += n; h.at == fr.End {
					h.sums[i] = [32]byte(h.h.Sum(nil))
					h.file = -1
				}
			}
			b, p.Start = b[n:], p.Start+n
		}
		return nil
	})
}

// sum returns the digest of a staged file: the one that was made on the way, or one
// that is made now.
func (h *hasher) sum(s *Stage, i int) ([32]byte, error) {
	if sum, ok := h.sums[i]; ok {
		return sum, nil
	}
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
