package stracelog

import "time"

// merge joins neighbours of one class and peer into one segment. A pause between two calls on the same thing that is
// shorter than absorbGap is the work of that conversation and strace's own cost, and counts for it; so does a call of no class
// that is shorter than absorbOther.
func merge(out, segs []Segment) []Segment {
	for i := 0; i < len(segs); i++ {
		s := segs[i]
		if n := len(out); n > 0 {
			if last := &out[n-1]; same(last, &s) {
				last.extend(&s)
				continue
			}
		}
		if j := across(segs, i, out); j > i {
			last := &out[len(out)-1]
			for ; i <= j; i++ {
				last.extend(&segs[i])
			}
			i--
			continue
		}
		out = append(out, s)
	}
	return out
}

// across returns the index of the segment that goes on with the last block, when only short pauses lie before it; else i.
func across(segs []Segment, i int, out []Segment) int {
	if len(out) == 0 || !mergeable(out[len(out)-1].Class) {
		return i
	}
	pause := time.Duration(0)
	for j := i; j < len(segs) && j < i+8; j++ {
		s := &segs[j]
		switch {
		case same(&out[len(out)-1], s):
			return j
		case s.Class == ClassUntraced && pause+s.Dur < absorbGap:
			pause += s.Dur
		case s.Class == ClassOther && s.Dur < absorbOther:
		default:
			return i
		}
	}
	return i
}

func mergeable(c Class) bool { return c != ClassUntraced && c != ClassUnknown && c != ClassMany }

func same(x, y *Segment) bool {
	return x.Class == y.Class && x.Peer == y.Peer && mergeable(x.Class)
}

func (s *Segment) extend(t *Segment) {
	s.Dur = t.Start + t.Dur - s.Start
	s.To = t.To
	s.Calls += t.Calls
	s.Trips += t.Trips
}

// share is the part of one class and peer in a request.
type share struct {
	class   Class
	peer    Peer
	dur     time.Duration // of its blocks
	inCalls time.Duration // of that, inside calls
	calls   int
	trips   int
	pieces  int
	longest Segment // the longest single segment
}

// adder is the memory in which requests are added up, one after another.
type adder struct {
	blocks []Segment
	all    []share
}

// shares adds up the segments that begin before the limit. The result is valid until the next call.
func (a *adder) shares(segs []Segment, limit time.Duration) []share {
	n := len(segs)
	for n > 0 && segs[n-1].Start >= limit {
		n--
	}
	segs = segs[:n]
	all := a.all[:0]
	find := func(s *Segment) *share {
		for i := range all {
			if all[i].class == s.Class && all[i].peer == s.Peer {
				return &all[i]
			}
		}
		all = append(all, share{class: s.Class, peer: s.Peer})
		return &all[len(all)-1]
	}
	a.blocks = tighten(merge(a.blocks[:0], segs))
	for i := range a.blocks {
		b := &a.blocks[i]
		h := find(b)
		h.dur += b.Dur
		h.calls += b.Calls
		h.trips += b.Trips
		h.pieces++
	}
	for i := range segs {
		h := find(&segs[i])
		if segs[i].Dur > h.longest.Dur || h.longest.From == 0 {
			h.longest = segs[i]
		}
		if segs[i].Calls > 0 {
			h.inCalls += segs[i].Dur
		}
	}
	a.all = all
	return all
}

// The bounds of a tight loop, see tighten.
const (
	tightCalls = 20                    // at least so many calls
	tightPace  = 2 * time.Millisecond  // that take no longer than this on average, pauses included
	tightPause = 10 * time.Millisecond // with no longer pause than this between them
)

// tighten joins blocks of one class and peer that are one tight loop: very many calls with the same partner in a row. A pause in it that is longer than
// others is the scheduler's, and is no reason to see several conversations. It works in place.
func tighten(b []Segment) []Segment {
	out := b[:0]
	for i := 0; i < len(b); i++ {
		out = append(out, b[i])
		last := &out[len(out)-1]
		if !mergeable(last.Class) || last.Class == ClassOther {
			continue
		}
		for {
			j := i + 1
			for j < len(b) && j < i+6 && (b[j].Class == ClassUntraced && b[j].Dur <= tightPause || b[j].Class == ClassOther && b[j].Dur <= absorbGap) {
				j++
			}
			if j >= len(b) || j == i+6 || !same(last, &b[j]) {
				break
			}
			calls := last.Calls + b[j].Calls
			if calls < tightCalls || (last.Dur+b[j].Dur)/time.Duration(calls) > tightPace {
				break
			}
			last.extend(&b[j])
			i = j
		}
	}
	return out
}

// Coalesce joins neighbouring segments of one class and peer, and the short pauses inside of such a conversation, into one
// segment each, as a person would draw them. The sum stays the same; the input is not changed.
func Coalesce(segs []Segment) []Segment { return merge(nil, segs) }
