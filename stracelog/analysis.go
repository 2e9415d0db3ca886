package stracelog

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"time"
)

// AnalyzeOption sets a rare property of an analysis.
type AnalyzeOption func(*analysis)

// WithClassifier asks c for the protocol of a peer before the package's own table is asked.
func WithClassifier(c Classifier) AnalyzeOption { return func(a *analysis) { a.classifier = c } }

// OnRequest calls f with each request when its end is known, which is before the report is complete: its verdict rests
// on what was read up to then. f must not keep the request's Segments beyond the call.
func OnRequest(f func(*Request)) AnalyzeOption { return func(a *analysis) { a.onRequest = f } }

// OnCall calls f with each whole call and where its time counts. The call is valid during f alone.
func OnCall(f func(c *Call, class Class, peer Peer)) AnalyzeOption {
	return func(a *analysis) { a.onCall = f }
}

// KeepRequests sets how many requests a Report keeps, the slowest ones; the default is 10,000. The numbers of Report.Peers
// count all of them.
func KeepRequests(n int) AnalyzeOption { return func(a *analysis) { a.keep = max(n, 1) } }

// Threshold sets the least time and the least share of a request, 0 to 1, that is called its bottleneck; the defaults are
// 20 ms and 0.25.
func Threshold(d time.Duration, share float64) AnalyzeOption {
	return func(a *analysis) { a.least, a.leastShare = d, share }
}

// Data keeps the first bytes of payloads in Segment.Data. Traces hold passwords and cookies: without this option a report
// holds verbs and the names that DNS was asked for, and no payload.
func Data() AnalyzeOption { return func(a *analysis) { a.data = true } }

// analysis is the state of Analyze.
type analysis struct {
	classifier Classifier
	onRequest  func(*Request)
	onCall     func(*Call, Class, Peer)
	keep       int
	data       bool
	least      time.Duration
	leastShare float64

	rep      *Report
	join     Joiner
	tree     Tree // of the arguments of the call at hand
	aux      Tree // of what stands behind its result
	buf      []byte
	names    map[string]string
	threads  map[int]*thread
	open     map[*request]struct{} // requests that have not ended
	parked   []*request
	descs    int
	segs     int // segments of open requests
	kept     int // segments of the report
	breaks   int // unknown lines up to now: no gap is computed across one
	sums     map[totalKey]*Total
	syscalls map[string]*SyscallStat
	peers    map[peerKey]*digest
	lastSum  *Total // of the call that stack lines may follow
	lastDur  time.Duration
	lastErr  bool
	timed    bool // the log has durations
	stack    []byte
	tables   tableReader
	adder    adder
}

// thread is the timeline of one process or thread.
type thread struct {
	pid     int
	files   *files
	active  []*request
	current *request
	last    int64         // line of its last call
	end     time.Duration // when that call returned
	breaks  int
	loop    bool // it waits for several clients at once
	forked  bool // it has made a child
	stopped bool // a stop signal was seen since the last call
	name    string
	class   Class // of the last call, for restart_syscall
	peer    Peer
}

func newAnalysis(opts ...AnalyzeOption) *analysis {
	a := &analysis{rep: &Report{}, keep: 10_000, least: 20 * time.Millisecond, leastShare: 0.25,
		names: map[string]string{}, threads: map[int]*thread{}, open: map[*request]struct{}{}, sums: map[totalKey]*Total{},
		syscalls: map[string]*SyscallStat{}, peers: map[peerKey]*digest{}}
	for _, o := range opts {
		o(a)
	}
	return a
}

func (a *analysis) add(e *Event) {
	a.rep.Lines.Total += int64(e.Lines)
	if e.Err != nil {
		a.finding(e)
	}
	if e.Flags.Has(Damaged) {
		a.rep.Lines.Damaged++
	}
	if e.Kind != Stack {
		a.flushStack()
	}
	if e.Kind != Unknown && e.Kind != Empty && e.Kind != Syscall {
		a.rep.Other += int64(e.Lines)
	}
	switch e.Kind {
	case Unknown:
		a.rep.Lines.Unknown++
		a.breaks++
	case Stack:
		a.frame(e.Text)
	case Signal:
		if bytes.HasPrefix(e.Text, []byte("--- stopped by")) {
			if t := a.threads[e.PID]; t != nil {
				t.stopped = true
			}
		}
	case Note:
		if bytes.HasSuffix(e.Text, []byte(" detached")) {
			a.breaks++
		}
	case Summary:
		a.tables.lineNo = e.Line
		a.tables.line(e.Text, a.rep)
	case Exit:
		a.exit(e)
	}
	if e.Kind != Summary {
		a.tables.end(a.rep)
	}
	if c := a.join.Add(e); c != nil {
		a.call(c)
	}
}

// intern returns a string that is kept once. Names and addresses come from the log: there is a bound to how many are kept.
func (a *analysis) intern(b []byte) string {
	if s, ok := a.names[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(a.names) < 1<<13 && len(s) < 256 {
		a.names[s] = s
	}
	return s
}

func (a *analysis) thread(pid int) *thread {
	t := a.threads[pid]
	if t == nil {
		if len(a.threads) >= maxThreads {
			a.evict()
		}
		t = &thread{pid: pid, files: &files{refs: 1}, breaks: a.breaks}
		a.threads[pid] = t
	}
	return t
}

// evict forgets the half of the threads whose last call is oldest.
func (a *analysis) evict() {
	lasts := make([]int64, 0, len(a.threads))
	for _, t := range a.threads {
		lasts = append(lasts, t.last)
	}
	slices.Sort(lasts)
	mid := lasts[len(lasts)/2]
	for _, t := range a.threads {
		if t.last < mid {
			a.drop(t)
		}
	}
}

func (a *analysis) drop(t *thread) {
	for len(t.active) > 0 {
		a.finish(t.active[0])
	}
	if t.files.refs--; t.files.refs == 0 {
		a.forget(t.files)
	}
	delete(a.threads, t.pid)
}

// exit ends a process. What it was serving ends with it.
func (a *analysis) exit(e *Event) {
	t := a.threads[e.PID]
	if t == nil {
		return
	}
	if _, ok := supersededBy(e.Text); ok {
		return // the thread that called execve goes on under this pid
	}
	for _, q := range t.active {
		if q.End.IsZero() && !e.Time.IsZero() && t.files.refs == 1 {
			a.cover(q, e.Time.At, e.Line, t)
			q.mark(e.Time, e.Line)
		}
	}
	a.drop(t)
}

// finishAll ends the analysis.
func (a *analysis) finishAll() *Report {
	a.flushStack()
	a.tables.end(a.rep)
	left := slices.Collect(maps.Keys(a.open))
	slices.SortFunc(left, func(x, y *request) int { return cmp.Compare(x.First, y.First) })
	for _, q := range left {
		a.finish(q)
	}
	r := a.rep
	r.Filter = a.guessFilter()
	r.trim(a, a.keep)
	slices.SortFunc(r.Requests, func(x, y Request) int { return cmp.Compare(x.First, y.First) })
	for i := range r.Requests {
		a.judge(&r.Requests[i], true)
	}
	a.totals()
	return r
}

// call takes one whole call.
func (a *analysis) call(c *Call) {
	t := a.thread(c.PID)
	kind := callKinds[string(c.Name)]
	w := a.what(t, c, kind)
	a.sum(c, w)
	if a.onCall != nil {
		a.onCall(c, w.class, w.peer)
	}
	if w.d != nil && w.d.conn != nil {
		a.before(t, c, &w)
	}
	for _, q := range t.active {
		a.span(q, t, c, &w)
	}
	a.after(t, c, &w)
	t.last, t.end, t.breaks, t.stopped = c.Last, c.End(), a.breaks, false
	t.name, t.class, t.peer = w.name, w.class, w.peer
}
