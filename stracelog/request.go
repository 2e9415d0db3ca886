package stracelog

import (
	"bytes"
	"cmp"
	"slices"
	"time"
)

// request is one that is not finished.
type request struct {
	Request
	conn    *conn
	thread  *thread
	waiting *desc         // the peer that owes an answer
	at      time.Duration // up to here Segments cover it
	ended   int           // number of Segments up to End
	from    time.Duration // time column of its first line
	line    time.Duration // time column of its last line
	parked  bool
	bare    bool  // too many at once: no segments
	seen    int64 // line of its last call
	breaks  int   // unknown lines up to that call
}

// The bounds of what is kept of open requests.
const (
	maxActive  = 256     // requests of one thread that are followed call by call
	maxParked  = 4096    // answered connections that may yet go on
	maxSegs    = 1 << 15 // segments of one request
	maxAllSegs = 1 << 16 // segments of all open requests
	maxKept    = 1 << 15 // segments of the requests in a report, after trimming; twice that before
)

// begin opens a request on a client's connection.
func (a *analysis) begin(t *thread, cn *conn, fd int, start Time, c *Call) *request {
	q := &request{conn: cn, thread: t, from: c.Start.At, line: c.Start.At, at: start.At}
	q.PID, q.FD, q.Start, q.First, q.Last, q.Client = c.PID, fd, start, c.First, c.Last, cn.peer
	q.bare = len(t.active) >= maxActive
	cn.req = q
	t.active = append(t.active, q)
	t.current = q
	if len(t.active) > 1 {
		for _, o := range t.active {
			o.Overlap = true
		}
	}
	a.open[q] = struct{}{}
	return q
}

// cover appends what lies between the end of the segments and a moment.
func (a *analysis) cover(q *request, to time.Duration, line int64, t *thread) {
	d := to - q.at
	if d <= 0 {
		return
	}
	s := Segment{Class: ClassUntraced, Start: q.at, Dur: d, From: q.seen, To: line}
	switch {
	case q.thread != t:
		s.Class, s.Name = ClassOther, "handed to another thread"
	case q.breaks != a.breaks || t.stopped:
		s.Class = ClassUnknown
	}
	a.append(q, s)
	q.at = to
}

func (a *analysis) append(q *request, s Segment) {
	if q.bare {
		return
	}
	if len(q.Segments) >= maxSegs || a.segs >= maxAllSegs && len(q.Segments) >= 512 {
		a.compact(q)
	}
	q.Segments = append(q.Segments, s)
	a.segs++
}

// compact merges the segments of a request that has very many. Each merged piece counts for its class, as in blocks; where
// that is not enough, neighbours become one piece of ClassMany.
func (a *analysis) compact(q *request) {
	before := len(q.Segments)
	head, tail := merge(nil, q.Segments[:q.ended]), merge(nil, q.Segments[q.ended:])
	for len(head)+len(tail) > before/2 && len(head)+len(tail) > 4 {
		head, tail = halve(head), halve(tail)
	}
	q.Segments, q.ended = append(slices.Clip(head), tail...), len(head)
	a.segs -= before - len(q.Segments)
}

func halve(s []Segment) []Segment {
	var out []Segment
	for i := 0; i < len(s); i += 2 {
		if i+1 == len(s) {
			out = append(out, s[i])
			break
		}
		x, y := s[i], s[i+1]
		if x.Dur >= 10*time.Millisecond || y.Dur >= 10*time.Millisecond {
			out = append(out, x, y) // what matters stays
			continue
		}
		out = append(out, Segment{Class: ClassMany, Start: x.Start, Dur: y.Start + y.Dur - x.Start, From: x.From, To: y.To, Calls: x.Calls + y.Calls, Trips: x.Trips + y.Trips})
	}
	if len(out) > len(s)*3/4 {
		return []Segment{{Class: ClassMany, Start: s[0].Start, Dur: s[len(s)-1].Start + s[len(s)-1].Dur - s[0].Start, From: s[0].From, To: s[len(s)-1].To}}
	}
	return out
}

// span appends one call, and the gap before it, to a request that its thread serves.
func (a *analysis) span(q *request, t *thread, c *Call, w *what) {
	a.cover(q, c.Start.At, c.First, t)
	s := Segment{Class: w.class, Peer: w.peer, Name: w.name, Verb: w.verb, Start: q.at, From: c.First, To: c.Last, Calls: 1}
	if w.trip {
		s.Trips = 1
	}
	s.Dur = max(c.End()-q.at, 0)
	switch {
	case w.d == nil:
	case w.d.kind == descClient && w.d.conn.req != nil && w.d.conn.req != q:
		s.Class, s.Peer = ClassShared, Peer{}
	case w.d.kind == descSocket && w.d.owner != nil && w.d.owner != q && !w.d.owner.parked && q.Overlap:
		s.Class, s.Peer = ClassShared, Peer{}
	}
	if a.data && len(w.payload) > 0 && w.n > 0 {
		s.Data = string(w.payload[:min(len(w.payload), 256, int(w.n))])
	}
	a.append(q, s)
	q.at += s.Dur
	q.seen, q.breaks = c.Last, a.breaks
	if w.class == ClassDNS && w.verb != "" && len(q.Names) < 16 && !slices.Contains(q.Names, w.verb) {
		q.Names = append(q.Names, w.verb)
	}
	q.Unsure = q.Unsure || w.unsure && w.class == ClassUnknown
}

// mark notes that the request goes at least up to here.
func (q *request) mark(end Time, line int64) {
	end.At = q.at
	q.End, q.ended, q.Last = end, len(q.Segments), line
}

// before brings the request of a client's connection to the thread that works on it, and cuts requests on a connection that
// is kept alive.
func (a *analysis) before(t *thread, c *Call, w *what) {
	cn := w.d.conn
	q := cn.req
	if q != nil && w.kind == kRead && w.n > 0 && !q.Answered.IsZero() && isRequest(w.payload) {
		a.finish(q)
		q = nil
	}
	if q == nil {
		if w.kind == kRead && w.n > 0 && len(w.payload) > 0 && (cn.proto == ProtoUnknown || isRequest(w.payload)) {
			q = a.begin(t, cn, w.fd, c.Start, c)
			q.seen, q.breaks = c.First, a.breaks
		} else {
			return
		}
	}
	if q.parked {
		q.parked = false
		a.cover(q, c.Start.At, c.First, q.thread)
		if n := len(q.Segments); n > 0 && q.Segments[n-1].Class == ClassUntraced {
			q.Segments[n-1].Class = ClassClient
		}
		q.thread.active = append(q.thread.active, q)
	}
	if q.thread != t {
		a.cover(q, c.Start.At, c.First, t)
		q.thread.remove(q)
		q.thread = t
		t.active = append(t.active, q)
	}
	t.current = q
	if w.kind == kRead && w.n > 0 && cn.proto == ProtoUnknown {
		p, verb := Recognize(w.payload)
		cn.proto, q.Proto, q.Verb = p, p, a.intern([]byte(verb))
	} else if q.Verb == "" && w.kind == kRead && w.verb != "" {
		q.Proto, q.Verb = cn.proto, a.intern([]byte(w.verb))
	}
}

func isRequest(payload []byte) bool { return asks(Recognize(payload)) }

func (t *thread) remove(q *request) {
	if i := slices.Index(t.active, q); i >= 0 {
		t.active = slices.Delete(t.active, i, i+1)
	}
	if t.current == q {
		t.current = nil
		if n := len(t.active); n > 0 {
			t.current = t.active[n-1]
		}
	}
}

// after does what a call does: new descriptors, ends, borders of requests.
func (a *analysis) after(t *thread, c *Call, w *what) {
	if c.Flags&Detached != 0 {
		a.breaks++
	}
	if d := w.d; d != nil && d.kind == descSocket && d.owner != nil && w.n > 0 {
		switch {
		case w.kind == kWrite || w.kind == kWriteMsg:
			d.owner.waiting = d
		case (w.kind == kRead || w.kind == kReadMsg) && d.owner.waiting == d:
			d.owner.waiting = nil
		}
	}
	switch w.kind {
	case kAccept:
		a.accepted(t, c, w)
	case kWrite, kWriteMsg, kSendfile, kShutdown:
		a.towardsClient(c, w)
	case kClose:
		a.closed(t, c, w)
	case kPoll, kSelect, kEpoll:
		a.park(t, w)
	default:
		a.descriptors(t, c, w)
	}
}

// park sets answered requests aside when their thread goes on to wait for something else.
func (a *analysis) park(t *thread, w *what) {
	if w.class != ClassIdle && w.class != ClassClient {
		return
	}
	for i := len(t.active) - 1; i >= 0; i-- {
		q := t.active[i]
		if q.Answered.IsZero() || w.d != nil && w.d.conn == q.conn {
			continue
		}
		t.remove(q)
		q.parked = true
		a.parked = append(a.parked, q)
	}
	for len(a.parked) > maxParked {
		q := a.parked[0]
		a.parked = a.parked[1:]
		if q.parked {
			a.finish(q)
		}
	}
}

func (a *analysis) accepted(t *thread, c *Call, w *what) {
	if w.fd >= 0 && w.d == nil {
		a.set(t.files, w.fd, &desc{kind: descListen})
	} else if w.d != nil && w.d.kind != descListen {
		w.d.kind = descListen
	}
	if w.n < 0 {
		return
	}
	for i := len(t.active) - 1; i >= 0; i-- {
		q := t.active[i]
		if t.loop && q.FD != int(w.n) || t.files.refs > 1 && q.seen == q.First {
			continue
		}
		if q.End.IsZero() {
			q.endBefore(c)
		}
		a.finish(q)
	}
	if old := t.files.m[int(w.n)]; old != nil && old.conn != nil && old.conn.req != nil {
		a.finish(old.conn.req)
	}
	p, _ := sockaddr(c.Args.Raw())
	cn := &conn{refs: 1, peer: p}
	d := &desc{kind: descClient, conn: cn, cloexec: bytes.Contains(c.Args.Raw(), []byte("CLOEXEC"))}
	a.set(t.files, int(w.n), d)
	q := a.begin(t, cn, int(w.n), c.Start.add(c.Dur), c)
	q.seen, q.breaks = c.Last, a.breaks
}

// endBefore ends a request whose end no call shows at the start of the accept that follows it: the accept itself is the last
// segment and does not belong to it.
func (q *request) endBefore(c *Call) {
	n := len(q.Segments)
	if n == 0 || q.Segments[n-1].From != c.First {
		return
	}
	n--
	for n > 0 && (q.Segments[n-1].Class == ClassUntraced || q.Segments[n-1].Class == ClassIdle) {
		n-- // the wait for the next client is not the request's
	}
	if n == 0 || q.Segments[n-1].Class == ClassUnknown {
		return // lines are missing: where it ended was not seen
	}
	last := q.Segments[n-1]
	q.End, q.ended, q.Last = q.Start, n, last.To
	q.End.At = last.Start + last.Dur
	q.line = last.Start
}

// towardsClient notes answers and ends.
func (a *analysis) towardsClient(c *Call, w *what) {
	if w.d == nil || w.d.conn == nil || w.d.conn.req == nil {
		return
	}
	q := w.d.conn.req
	if w.kind == kShutdown {
		if len(c.Ret.Errno) > 0 {
			return
		}
	} else if w.n <= 0 {
		return
	}
	q.line = c.Start.At
	q.mark(c.Start, c.Last)
	if w.kind != kShutdown {
		q.Answered = q.End
	}
}

func (a *analysis) closed(t *thread, c *Call, w *what) {
	if w.d == nil {
		return
	}
	if cn := w.d.conn; cn != nil {
		cn.refs--
		if q := cn.req; q != nil && (cn.refs <= 0 || q.thread == t && q.seen != q.First && !t.forked) {
			q.line = c.Start.At
			q.mark(c.Start, c.Last)
			a.finish(q)
		}
	}
	a.unset(t.files, w.fd)
}

// descriptors follows the calls that make and change descriptors and processes.
func (a *analysis) descriptors(t *thread, c *Call, w *what) {
	args := c.Args.Raw()
	cloexec := bytes.Contains(args, []byte("CLOEXEC"))
	if w.n < 0 {
		return
	}
	switch w.kind {
	case kSocket:
		d := &desc{kind: descSocket, cloexec: cloexec, dgram: bytes.Contains(args, []byte("SOCK_DGRAM"))}
		if string(c.Name) == "socketpair" {
			for v := range a.tree.At(3).Children() {
				if fd, _, ok := v.FD(); ok {
					a.set(t.files, fd, &desc{kind: descPipe, cloexec: cloexec})
				}
			}
			return
		}
		if old := t.files.m[int(w.n)]; old != nil && old.conn != nil && old.conn.req != nil {
			a.finish(old.conn.req) // its close was not traced
		}
		a.set(t.files, int(w.n), d)
	case kListen:
		if w.fd >= 0 {
			a.set(t.files, w.fd, &desc{kind: descListen})
		}
	case kOpen:
		a.set(t.files, int(w.n), &desc{kind: descFile, cloexec: cloexec})
	case kNewFD:
		a.set(t.files, int(w.n), &desc{kind: descEvent, cloexec: cloexec})
	case kPipe:
		for v := range a.tree.At(0).Children() {
			if fd, _, ok := v.FD(); ok {
				a.set(t.files, fd, &desc{kind: descPipe, cloexec: cloexec})
			}
		}
	case kDup:
		a.dup(t, w, cloexec)
	case kFcntl:
		switch {
		case bytes.Contains(args, []byte("F_DUPFD")):
			a.dup(t, w, cloexec)
		case w.d != nil && bytes.Contains(args, []byte("F_SETFD")):
			w.d.cloexec = bytes.Contains(args, []byte("FD_CLOEXEC"))
		}
	case kClone:
		a.cloned(t, c, w)
	case kExec:
		a.exec(t.files)
	case kReadMsg:
		a.received(t)
	}
}

// received takes the descriptors that a message of SCM_RIGHTS brought.
func (a *analysis) received(t *thread) {
	for v := range a.tree.At(1).Field("msg_control").Children() {
		if string(v.Field("cmsg_type").Raw()) == "SCM_RIGHTS" {
			for f := range v.Field("cmsg_data").Children() {
				if fd, an, ok := f.FD(); ok {
					d := &desc{}
					d.annotate(an)
					a.set(t.files, fd, d)
				}
			}
		}
	}
}

func (a *analysis) dup(t *thread, w *what, cloexec bool) {
	if w.d == nil || int(w.n) == w.fd {
		return
	}
	c := *w.d
	c.cloexec = cloexec
	if c.conn != nil {
		c.conn.refs++
	}
	a.set(t.files, int(w.n), &c)
}

func (a *analysis) cloned(t *thread, c *Call, w *what) {
	if w.n <= 0 || w.n > 1<<30 {
		return
	}
	t.forked = true
	child := a.threads[int(w.n)]
	share := bytes.Contains(c.Args.Raw(), []byte("CLONE_FILES"))
	if share {
		t.forked = false
	}
	switch {
	case child == nil && len(a.threads) >= maxThreads:
		return
	case child == nil && share:
		t.files.refs++
		a.threads[int(w.n)] = &thread{pid: int(w.n), files: t.files, breaks: a.breaks, last: c.Last}
	case child == nil:
		a.threads[int(w.n)] = &thread{pid: int(w.n), files: a.fork(t.files), breaks: a.breaks, last: c.Last}
	case child.files == t.files:
	case share && child.files.refs == 1:
		for fd, d := range child.files.m {
			if t.files.m[fd] == nil {
				a.set(t.files, fd, d)
			}
		}
		a.forget(child.files)
		child.files = t.files
		t.files.refs++
	default:
		a.adopt(child.files, t.files)
	}
}

// finish ends a request and adds it to the report.
func (a *analysis) finish(q *request) {
	delete(a.open, q)
	q.parked = false
	q.thread.remove(q)
	if q.conn.req == q {
		q.conn.req = nil
	}
	a.segs -= len(q.Segments)
	if q.End.IsZero() {
		q.Segments = nil
	} else {
		q.Segments = append(make([]Segment, 0, q.ended), q.Segments[:q.ended]...)
		if q.bare && q.End.At > q.Start.At {
			q.Segments = []Segment{{Class: ClassUnknown, Name: "too many requests at once", Start: q.Start.At, Dur: q.End.At - q.Start.At, From: q.First, To: q.Last}}
		}
		if q.Length = q.line - q.from; q.Start.At-q.from >= time.Millisecond {
			q.Length = q.End.At - q.Start.At // accept waited: the request had not come
		}
	}
	a.rep.Filter = a.guessFilter()
	a.judge(&q.Request, false)
	a.observe(&q.Request)
	if a.onRequest != nil {
		a.onRequest(&q.Request)
	}
	a.rep.Requests = append(a.rep.Requests, q.Request)
	a.kept += len(q.Segments)
	if len(a.rep.Requests) >= a.keep+a.keep/4+1 || a.kept > 2*maxKept {
		a.rep.trim(a, a.keep)
	}
}

// trim keeps the slowest requests, and the segments of the slowest of them.
func (r *Report) trim(a *analysis, keep int) {
	slices.SortStableFunc(r.Requests, func(x, y Request) int { return cmp.Compare(y.Duration(), x.Duration()) })
	if n := len(r.Requests); n > keep {
		r.Dropped += int64(n - keep)
		clear := r.Requests[keep:]
		for i := range clear {
			clear[i] = Request{}
		}
		r.Requests = r.Requests[:keep]
	}
	a.kept = 0
	for i := range r.Requests {
		q := &r.Requests[i]
		if a.kept+len(q.Segments) > maxKept && i > 0 {
			q.Segments, q.Cut = nil, len(q.Segments) > 0 || q.Cut
		}
		a.kept += len(q.Segments)
	}
}
