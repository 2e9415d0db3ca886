package stracelog

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// SyscallStat is one row of a summary, as strace -c -w counts: calls that have returned, and those that failed.
type SyscallStat struct {
	Name   string        `json:"name,omitzero"`
	Calls  int64         `json:"calls"`
	Errors int64         `json:"errors"`
	Total  time.Duration `json:"total"` // sum of -T; 0 without
	Min    time.Duration `json:"min"`
	Max    time.Duration `json:"max"`
}

// PeerStat says how much time requests spent with one class and peer.
type PeerStat struct {
	Class Class         `json:"class,omitzero"`
	Peer  Peer          `json:"peer,omitzero"`
	Count int64         `json:"count"` // requests that have such time
	Calls int64         `json:"calls"`
	Trips int64         `json:"trips"`
	Total time.Duration `json:"total"`
	// over those requests; the first two within 1 % once there are more than 512
	P50 time.Duration `json:"p50"`
	P95 time.Duration `json:"p95"`
	Max time.Duration `json:"max"`
}

// Total is the sum of all calls of one kind in the log, or of the gaps of requests. The Dur of all Totals that have a Name is the
// sum of every -T in the log.
type Total struct {
	InRequest bool          `json:"inRequest"`
	Class     Class         `json:"class,omitzero"`
	Peer      Peer          `json:"peer,omitzero"`
	Name      string        `json:"name,omitzero"`  // system call; "" for gaps of requests
	Stack     []string      `json:"stack,omitzero"` // frames of -k, innermost first
	Calls     int64         `json:"calls"`
	Errors    int64         `json:"errors"`
	Dur       time.Duration `json:"dur"`
}

type totalKey struct {
	in    bool
	class Class
	peer  Peer
	name  string
	stack string
}

type peerKey struct {
	class Class
	peer  Peer
}

const (
	maxTotals = 1 << 12
	maxPeers  = 1 << 10
)

// sum counts one call.
func (a *analysis) sum(c *Call, w what) {
	if c.HasDur {
		a.timed = true
	}
	s := a.syscalls[w.name]
	if s == nil {
		if len(a.syscalls) >= 4096 {
			return // names that no kernel has
		}
		s = &SyscallStat{Name: w.name}
		a.syscalls[w.name] = s
	}
	if !c.returned() {
		return
	}
	s.count(c)
	t := a.threads[c.PID]
	in := t != nil && len(t.active) > 0
	a.lastSum = a.total(totalKey{in: in, class: w.class, peer: w.peer, name: w.name})
	a.lastSum.count(c)
	a.lastDur = c.Dur
	a.lastErr = c.Ret.Failed()
}

// returned reports whether strace -c counts a call: one that ended the process, or was cut off, has not returned.
func (c *Call) returned() bool {
	return c.Ret.Kind != RetNone && (c.Ret.Kind != RetUnknown || len(c.Ret.Errno) > 0 || c.HasDur) && c.Flags&(Incomplete|Detached) == 0
}

func (s *SyscallStat) merge(o *SyscallStat) {
	switch {
	case o.Calls == 0:
		return
	case s.Calls == 0:
		*s = *o
		return
	}
	s.Calls += o.Calls
	s.Errors += o.Errors
	s.Total += o.Total
	s.Min, s.Max = min(s.Min, o.Min), max(s.Max, o.Max)
}

// sorted returns the calls that have returned at least once, by name.
func sorted(m map[string]*SyscallStat) []SyscallStat {
	var list []SyscallStat
	for _, s := range m {
		if s.Calls > 0 {
			list = append(list, *s)
		}
	}
	slices.SortFunc(list, func(x, y SyscallStat) int { return strings.Compare(x.Name, y.Name) })
	return list
}

func (s *SyscallStat) count(c *Call) {
	s.Calls++
	if c.Ret.Failed() {
		s.Errors++
	}
	if !c.HasDur {
		return
	}
	s.Total += c.Dur
	s.Max = max(s.Max, c.Dur)
	if s.Calls == 1 || c.Dur < s.Min {
		s.Min = c.Dur
	}
}

func (t *Total) count(c *Call) {
	t.Calls++
	if c.Ret.Failed() {
		t.Errors++
	}
	if c.HasDur {
		t.Dur += c.Dur
	}
}

func (a *analysis) total(k totalKey) *Total {
	t := a.sums[k]
	if t == nil {
		if len(a.sums) >= maxTotals {
			k.peer, k.stack = Peer{}, ""
			if t = a.sums[k]; t != nil {
				return t
			}
		}
		t = &Total{InRequest: k.in, Class: k.class, Peer: k.peer, Name: k.name}
		if k.stack != "" {
			t.Stack = strings.Split(k.stack, "\n")
		}
		a.sums[k] = t
	}
	return t
}

// frame takes one line of -k. A stack belongs to the line above it.
func (a *analysis) frame(text []byte) {
	if a.lastSum == nil || len(a.stack) > 1<<14 {
		return
	}
	if len(a.stack) > 0 {
		a.stack = append(a.stack, '\n')
	}
	a.stack = append(a.stack, frameName(text)...)
}

// frameName shortens " > /usr/lib/libc.so.6(read+0x10) [0xf8350]" to read, or to the file when it has no symbol.
func frameName(b []byte) string {
	s := strings.TrimPrefix(string(b), " > ")
	if i := strings.LastIndex(s, " ["); i > 0 {
		s = s[:i]
	}
	i := strings.LastIndexByte(s, '(')
	if i < 0 || !strings.HasSuffix(s, ")") {
		return s
	}
	sym := s[i+1 : len(s)-1]
	if j := strings.LastIndex(sym, "+0x"); j >= 0 {
		sym = sym[:j]
	}
	if sym == "" {
		return s[:i]
	}
	return sym
}

// flushStack moves the last call to a total of its own stack.
func (a *analysis) flushStack() {
	if len(a.stack) > 0 && a.lastSum != nil {
		o := a.lastSum
		k := totalKey{in: o.InRequest, class: o.Class, peer: o.Peer, name: o.Name, stack: string(a.stack)}
		n := a.total(k)
		if n != o {
			o.Calls--
			o.Dur -= a.lastDur
			n.Calls++
			n.Dur += a.lastDur
			if a.lastErr {
				o.Errors--
				n.Errors++
			}
		}
	}
	a.stack = a.stack[:0]
	a.lastSum = nil
}

// observe counts a finished request.
func (a *analysis) observe(q *Request) {
	if q.End.IsZero() {
		return
	}
	for _, s := range q.Segments {
		if s.Calls == 0 {
			a.total(totalKey{in: true, class: s.Class}).Dur += s.Dur
		}
	}
	for _, h := range a.adder.shares(q.Segments, q.End.At) {
		k := peerKey{h.class, h.peer}
		d := a.peers[k]
		if d == nil {
			if len(a.peers) >= maxPeers {
				k.peer = Peer{}
			}
			if d = a.peers[k]; d == nil {
				d = &digest{}
				a.peers[k] = d
			}
		}
		d.calls += int64(h.calls)
		d.trips += int64(h.trips)
		d.add(h.dur)
	}
}

// totals writes the sums into the report.
func (a *analysis) totals() {
	r := a.rep
	r.Syscalls = sorted(a.syscalls)
	for _, t := range a.sums {
		if t.Calls > 0 || t.Dur > 0 {
			r.Totals = append(r.Totals, *t)
		}
	}
	slices.SortFunc(r.Totals, func(x, y Total) int {
		return cmp.Or(cmp.Compare(y.Dur, x.Dur), strings.Compare(x.Name, y.Name), strings.Compare(x.Peer.String(), y.Peer.String()),
			strings.Compare(string(x.Class), string(y.Class)), slices.Compare(x.Stack, y.Stack))
	})
	for k, d := range a.peers {
		r.Peers = append(r.Peers, PeerStat{Class: k.class, Peer: k.peer, Count: d.n, Calls: d.calls, Trips: d.trips, Total: d.total,
			P50: d.quantile(0.50), P95: d.quantile(0.95), Max: d.max})
	}
	slices.SortFunc(r.Peers, func(x, y PeerStat) int {
		return cmp.Or(cmp.Compare(y.Total, x.Total), strings.Compare(string(x.Class), string(y.Class)), strings.Compare(x.Peer.String(), y.Peer.String()))
	})
}

// digest holds durations: exactly up to digestExact of them, then in buckets of 1/128 of their size.
type digest struct {
	n, calls, trips int64
	total, max      time.Duration
	exact           []time.Duration
	buckets         map[int]int64
}

const digestExact = 512

func (d *digest) add(v time.Duration) {
	d.n++
	d.total += v
	d.max = max(d.max, v)
	if d.buckets == nil && len(d.exact) < digestExact {
		d.exact = append(d.exact, v)
		return
	}
	if d.buckets == nil {
		d.buckets = map[int]int64{}
		for _, x := range d.exact {
			d.buckets[bucket(x)]++
		}
		d.exact = nil
	}
	d.buckets[bucket(v)]++
}

func bucket(v time.Duration) int {
	if v < 128 {
		return int(max(v, 0))
	}
	e := bits.Len64(uint64(v)) - 8
	return (e+1)<<7 | int(v>>e)&127
}

func bucketValue(b int) time.Duration {
	if b < 128 {
		return time.Duration(b)
	}
	return time.Duration(b&127|128) << (b>>7 - 1)
}

// quantile returns the value at or below which the part p of all values lies (nearest rank).
func (d *digest) quantile(p float64) time.Duration {
	rank := int64(p * float64(d.n))
	if float64(rank) < p*float64(d.n) {
		rank++
	}
	rank = max(rank, 1)
	if d.buckets == nil {
		if len(d.exact) == 0 {
			return 0
		}
		s := slices.Clone(d.exact)
		slices.Sort(s)
		return s[rank-1]
	}
	keys := make([]int, 0, len(d.buckets))
	for k := range d.buckets {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if rank -= d.buckets[k]; rank <= 0 {
			return min(bucketValue(k), d.max)
		}
	}
	return d.max
}
