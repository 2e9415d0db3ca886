// Package ranges holds sets of half-open ranges of byte positions: what a receiver
// needs, what it has, what is sent.
package ranges

import (
	"encoding/binary"
	"errors"
	"slices"
	"sort"
)

// Range is [Start, End).
type Range struct{ Start, End uint64 }

// Len is the number of positions.
func (r Range) Len() uint64 { return r.End - r.Start }

// Set is a set of positions: its ranges are sorted, not empty, and do not touch.
type Set []Range

// Of returns a set of any ranges.
func Of(list []Range) Set {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Range) int {
		switch {
		case a.Start < b.Start:
			return -1
		case a.Start > b.Start:
			return 1
		}
		return 0
	})
	var s Set
	for _, r := range list {
		s = s.push(r)
	}
	return s
}

// push adds a range that begins at or after the last one's start.
func (s Set) push(r Range) Set {
	if r.Start >= r.End {
		return s
	}
	if n := len(s); n > 0 && s[n-1].End >= r.Start {
		s[n-1].End = max(s[n-1].End, r.End)
		return s
	}
	return append(s, r)
}

// Add puts a range into the set.
func (s *Set) Add(r Range) {
	if r.Start >= r.End {
		return
	}
	t := *s
	i := sort.Search(len(t), func(i int) bool { return t[i].End >= r.Start })
	j := i
	for j < len(t) && t[j].Start <= r.End {
		r.Start, r.End = min(r.Start, t[j].Start), max(r.End, t[j].End)
		j++
	}
	*s = slices.Replace(t, i, j, r)
}

// Len is the number of positions in the set.
func (s Set) Len() (n uint64) {
	for _, r := range s {
		n += r.Len()
	}
	return n
}

// Union returns the positions of either set.
func (s Set) Union(o Set) Set {
	switch {
	case len(o) == 0 || slices.Equal(s, o):
		return s
	case len(s) == 0:
		return o
	}
	out := make(Set, 0, len(s)+len(o))
	for len(s) > 0 || len(o) > 0 {
		if len(o) == 0 || len(s) > 0 && s[0].Start <= o[0].Start {
			out, s = out.push(s[0]), s[1:]
		} else {
			out, o = out.push(o[0]), o[1:]
		}
	}
	return out
}

// Minus returns the positions of s that are not in o.
func (s Set) Minus(o Set) Set {
	var out Set
	for _, r := range s {
		for len(o) > 0 && o[0].End <= r.Start {
			o = o[1:]
		}
		for _, c := range o {
			if c.Start >= r.End {
				break
			}
			out = out.push(Range{r.Start, max(r.Start, c.Start)})
			r.Start = max(r.Start, min(c.End, r.End))
		}
		out = out.push(r)
	}
	return out
}

// Intersects reports whether the set has a position of r.
func (s Set) Intersects(r Range) bool {
	i := sort.Search(len(s), func(i int) bool { return s[i].End > r.Start })
	return i < len(s) && s[i].Start < r.End
}

// Covers reports whether the set has every position of r.
func (s Set) Covers(r Range) bool {
	if r.Start >= r.End {
		return true
	}
	i := sort.Search(len(s), func(i int) bool { return s[i].End > r.Start })
	return i < len(s) && s[i].Start <= r.Start && s[i].End >= r.End
}

// Append adds the set's bytes: the count, then for each range the gap before it and
// its length.
func (s Set) Append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	var at uint64
	for _, r := range s {
		b = binary.AppendUvarint(b, r.Start-at)
		b = binary.AppendUvarint(b, r.Len())
		at = r.End
	}
	return b
}

var errSet = errors.New("not a set of ranges")

// Parse reads a set within [0, limit) and returns what follows it.
func Parse(b []byte, limit uint64) (Set, []byte, error) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k)/2 {
		return nil, nil, errSet
	}
	b = b[k:]
	s := make(Set, 0, n)
	var at uint64
	for i := range n {
		gap, k := binary.Uvarint(b)
		if k <= 0 || gap > limit-at || i > 0 && gap == 0 {
			return nil, nil, errSet
		}
		b = b[k:]
		size, k := binary.Uvarint(b)
		if k <= 0 || size == 0 || size > limit-at-gap {
			return nil, nil, errSet
		}
		b = b[k:]
		s = append(s, Range{at + gap, at + gap + size})
		at += gap + size
	}
	return s, b, nil
}

// Map turns positions of a stream, which is the set's ranges end to end, into
// positions of the set, and back.
type Map struct {
	set    Set
	starts []uint64 // position in the stream of each range
	size   uint64
}

// NewMap returns the map of a set.
func NewMap(s Set) *Map {
	m := &Map{set: s, starts: make([]uint64, len(s))}
	for i, r := range s {
		m.starts[i] = m.size
		m.size += r.Len()
	}
	return m
}

// Size is the length of the stream.
func (m *Map) Size() uint64 { return m.size }

// Pieces calls f for each piece of the set that the stream's part r is made of, in
// order, with the piece's position in the stream.
func (m *Map) Pieces(r Range, f func(at uint64, piece Range) error) error {
	r.End = min(r.End, m.size)
	i := sort.Search(len(m.set), func(i int) bool { return m.starts[i]+m.set[i].Len() > r.Start })
	for ; i < len(m.set) && m.starts[i] < r.End; i++ {
		from := max(r.Start, m.starts[i])
		to := min(r.End, m.starts[i]+m.set[i].Len())
		base := m.set[i].Start - m.starts[i]
		if err := f(from, Range{from + base, to + base}); err != nil {
			return err
		}
	}
	return nil
}

// Stream returns where in the stream the positions of o are.
func (m *Map) Stream(o Set) Set {
	var out Set
	i := 0
	for _, r := range o {
		for i < len(m.set) && m.set[i].End <= r.Start {
			i++
		}
		for j := i; j < len(m.set) && m.set[j].Start < r.End; j++ {
			from, to := max(r.Start, m.set[j].Start), min(r.End, m.set[j].End)
			out = out.push(Range{m.starts[j] + from - m.set[j].Start, m.starts[j] + to - m.set[j].Start})
		}
	}
	return out
}
