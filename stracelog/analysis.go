package stracelog

import (
	"strconv"
	"time"
)

// analysis is the state of Analyze.
type analysis struct {
	rep     *Report
	join    Joiner
	seen    map[string]int
	threads map[int]*thread
	breaks  int // unknown lines up to now: no gap is computed across one
}

// thread is the timeline of one process or thread.
type thread struct {
	fds    map[int]*socket
	req    *request
	last   int64         // line of its last call
	end    time.Duration // when that call returned
	breaks int
	begun  bool
}

// socket is what is known of a descriptor.
type socket struct {
	peer       Peer
	client     bool // accepted
	connecting bool
}

// request is one that is not finished.
type request struct {
	Request
	sock *socket
	line time.Duration // time column of its last line
	from time.Duration // time column of its first line
}

func newAnalysis() *analysis {
	return &analysis{rep: &Report{}, seen: map[string]int{}, threads: map[int]*thread{}}
}

func (a *analysis) add(e *Event) {
	a.rep.Lines.Total += int64(e.Lines)
	if e.Flags.Has(Damaged) {
		a.rep.Lines.Damaged++
	}
	if e.Kind == Unknown {
		a.rep.Lines.Unknown++
		a.breaks++
	}
	if c := a.join.Add(e); c != nil {
		a.call(c)
	}
}

func (a *analysis) finish() *Report {
	for _, t := range a.threads {
		a.close(t, true)
	}
	a.rep.Filter = guessFilter(a.seen)
	for i := range a.rep.Requests {
		judge(&a.rep.Requests[i], a.rep.Filter)
	}
	return a.rep
}

func (a *analysis) call(c *Call) {
	a.seen[string(c.Name)]++
	t := a.threads[c.PID]
	if t == nil {
		t = &thread{fds: map[int]*socket{}}
		a.threads[c.PID] = t
	}
	if t.req != nil {
		a.gap(t, c)
	}
	class, peer := a.descriptor(t, c)
	if t.req != nil {
		t.req.Segments = append(t.req.Segments, Segment{Class: class, Peer: peer, Name: string(c.Name),
			Start: c.Start.At, Dur: c.Dur, From: c.First, To: c.Last})
	}
	a.border(t, c)
	t.last, t.end, t.breaks, t.begun = c.Last, c.End(), a.breaks, true
}

// gap appends the time between the last call of the thread and c.
func (a *analysis) gap(t *thread, c *Call) {
	d := c.Start.At - t.end
	if d <= 0 {
		return
	}
	class := ClassUntraced
	if t.breaks != a.breaks {
		class = ClassUnknown
	}
	t.req.Segments = append(t.req.Segments, Segment{Class: class, Start: t.end, Dur: d, From: t.last, To: c.First})
}

// fdOf returns the descriptor a call works on, its first argument; -1 when that is no number.
func fdOf(args []byte) int {
	n, k, ok := number(args, 0)
	if !ok || n > 1<<31 || k < len(args) && args[k] != ',' && args[k] != '<' {
		return -1
	}
	return int(n)
}

func (a *analysis) descriptor(t *thread, c *Call) (Class, Peer) {
	args := c.Args.Raw()
	fd := fdOf(args)
	switch string(c.Name) {
	case "socket":
		if c.Ret.Kind == RetInt && c.Ret.Int >= 0 {
			t.fds[int(c.Ret.Int)] = &socket{}
		}
		return ClassOther, Peer{}
	case "connect":
		if p, ok := sockaddr(args); ok && fd >= 0 {
			p.Proto = portProto[p.Port]
			t.fds[fd] = &socket{peer: p, connecting: true}
		}
	case "poll", "ppoll":
		if s, ok := between(args, "fd=", ","); ok {
			fd, _ = strconv.Atoi(string(s))
		}
	}
	s := t.fds[fd]
	switch {
	case s == nil:
		return ClassOther, Peer{}
	case s.client:
		return ClassClient, Peer{}
	case s.peer.Proto == ProtoDNS:
		return ClassDNS, s.peer
	case s.peer.Known():
		return ClassPeer, s.peer
	}
	return ClassOther, Peer{}
}

// border opens and closes requests.
func (a *analysis) border(t *thread, c *Call) {
	args := c.Args.Raw()
	switch string(c.Name) {
	case "accept", "accept4":
		if c.Ret.Kind != RetInt || c.Ret.Int < 0 {
			return
		}
		a.close(t, false)
		s := &socket{client: true}
		t.fds[int(c.Ret.Int)] = s
		q := &request{sock: s, from: c.Start.At, line: c.Start.At}
		q.PID, q.FD, q.Start, q.First, q.Last = c.PID, int(c.Ret.Int), c.Start.add(c.Dur), c.First, c.Last
		t.req = q
	case "shutdown", "close", "write", "writev", "send", "sendto", "sendmsg", "sendfile":
		if q := t.req; q != nil && t.fds[fdOf(args)] == q.sock {
			q.Last, q.line = c.Last, c.Start.At
			if name := string(c.Name); name == "shutdown" || name == "close" {
				q.End = c.Start.add(c.Dur)
			} else {
				q.Answered = c.Start.add(c.Dur)
			}
		}
	}
}

// close ends the request of a thread.
func (a *analysis) close(t *thread, eof bool) {
	q := t.req
	if q == nil {
		return
	}
	t.req = nil
	if q.End.IsZero() {
		q.Segments = nil
	}
	for len(q.Segments) > 0 && q.Segments[len(q.Segments)-1].Start >= q.End.At {
		q.Segments = q.Segments[:len(q.Segments)-1]
	}
	q.Length = q.line - q.from
	a.rep.Requests = append(a.rep.Requests, q.Request)
}
