package stracelog

import (
	"fmt"
	"strings"
	"time"
)

// FilterGuess is what the calls that are in a log say of strace's -e trace=.
type FilterGuess struct {
	Filtered bool     `json:"filtered"` // calls that every server makes are missing
	Missing  []string `json:"missing,omitzero"`
}

// Confidence says how sure a verdict is.
type Confidence string

// The degrees of Confidence.
const (
	CannotTell Confidence = "cannot tell"
	Likely     Confidence = "likely"
	Certain    Confidence = "certain"
)

// Bottleneck is where most of a request's time went.
type Bottleneck struct {
	Class Class         `json:"class,omitzero"`
	Peer  Peer          `json:"peer,omitzero"`
	Dur   time.Duration `json:"dur"`
	Share float64       `json:"share"` // of the request, 0 to 1
	// calls and round trips in it
	Calls      int        `json:"calls"`
	Trips      int        `json:"trips"`
	Confidence Confidence `json:"confidence,omitzero"`
	// the lines that prove it
	From int64  `json:"from"`
	To   int64  `json:"to"`
	Name string `json:"name,omitzero"` // system call of the longest piece; "" for a gap
	// what stands before and after a gap
	After  string   `json:"after,omitzero"`
	Before string   `json:"before,omitzero"`
	Text   string   `json:"text,omitzero"` // the verdict in words
	Advice []string `json:"advice,omitzero"`
}

// groups are calls that a server makes all the time, by what strace's filters call them. A log that lacks one of the groups was
// filtered, or is too short to tell. Calls for memory are no sign: a server that has warmed up makes none.
var groups = []struct {
	name  string
	calls []string
}{
	{"desc", []string{"read", "write", "close", "writev", "fcntl"}},
	{"file", []string{"openat", "open", "stat", "newfstatat", "access", "lstat", "execve"}},
	{"signals, sleeps and locks", []string{"rt_sigaction", "rt_sigprocmask", "clock_nanosleep", "nanosleep", "futex", "getpid", "setitimer", "times", "semop",
		"wait4", "exit_group", "set_robust_list", "getrandom"}},
}

func (a *analysis) guessFilter() FilterGuess {
	var g FilterGuess
	if len(a.syscalls) == 0 {
		return g // nothing is known about the filter
	}
	for _, group := range groups {
		seen := false
		for _, c := range group.calls {
			seen = seen || a.syscalls[c] != nil
		}
		if !seen {
			g.Filtered = true
			g.Missing = append(g.Missing, group.name)
		}
	}
	return g
}

// A conversation of at least this many round trips, none of which is a large part of it, is chatter.
const leastTrips = 20

// judge finds the bottleneck. last says that the report is complete.
func (a *analysis) judge(q *Request, last bool) {
	f := a.rep.Filter
	if q.Cut {
		if last && q.Bottleneck.Class == ClassUntraced && f.Filtered {
			q.Bottleneck.Confidence = CannotTell
		}
		return
	}
	q.Bottleneck = Bottleneck{}
	limit := q.End
	if !q.Answered.IsZero() && q.Answered.At > q.Start.At {
		limit = q.Answered
	}
	total := limit.At - q.Start.At
	if q.End.IsZero() || total <= 0 {
		return
	}
	var best *share
	all := a.adder.shares(q.Segments, limit.At)
	for i := range all {
		h := &all[i]
		if h.class == ClassUntraced && 2*h.longest.Dur >= h.dur {
			h.dur, h.pieces = h.longest.Dur, 1
		}
		if h.class == ClassIdle || h.class == ClassShared {
			continue
		}
		if best == nil || h.dur > best.dur {
			best = h
		}
	}
	if best == nil {
		return
	}
	part := float64(best.dur) / float64(total)
	if best.dur < a.least || part < a.leastShare {
		return
	}
	b := &q.Bottleneck
	*b = Bottleneck{Class: best.class, Peer: best.peer, Dur: best.dur, Share: min(part, 1), Calls: best.calls, Trips: best.trips, Confidence: Certain,
		From: best.longest.From, To: best.longest.To, Name: best.longest.Name}
	if best.class == ClassPeer && best.trips >= leastTrips && 2*best.longest.Dur < best.dur {
		b.Class = ClassChatter
	}
	a.neighbours(q, b)
	b.trust(q, best, f, a.durations())
	if limit.At == q.End.At {
		total = q.Length // as a reader of the log would count it
	}
	b.Text = b.words(total, best, f, a.durations())
}

// durations reports whether the log has -T.
func (a *analysis) durations() bool { return a.timed }

// neighbours names what stands before and after a gap.
func (a *analysis) neighbours(q *Request, b *Bottleneck) {
	if b.Class != ClassUntraced {
		return
	}
	for _, s := range q.Segments {
		switch {
		case s.To <= b.From && s.Peer.Known():
			b.After = s.Peer.Label()
		case s.From >= b.To && s.Peer.Known() && s.Class != ClassDNS && b.Before == "":
			b.Before = s.Peer.Label()
		}
	}
}

// trust sets the confidence and says what would raise it.
func (b *Bottleneck) trust(q *Request, h *share, f FilterGuess, timed bool) {
	advise := func(s string) { b.Advice = append(b.Advice, s) }
	doubt := func(c Confidence) {
		if b.Confidence == Certain || c == CannotTell {
			b.Confidence = c
		}
	}
	switch b.Class {
	case ClassUntraced:
		doubt(Likely)
		if f.Filtered {
			doubt(CannotTell)
			advise("drop -e trace= (the filter hides sleeps, files and locks)")
		}
		if q.PID == 0 {
			advise("add -f (other threads)")
		}
		if !f.Filtered {
			advise("add -k (the stack before the gap), or profile the program: strace does not see its own code")
		}
	case ClassUnknown, ClassMany:
		doubt(CannotTell)
		advise("trace again without a stop and keep every line")
	case ClassOther:
		doubt(Likely)
		advise("add -yy (what the descriptor is)")
	case ClassPeer, ClassChatter, ClassDNS, ClassConnect:
		if b.Peer.Proto == ProtoUnknown {
			advise("add -yy -s 256 (which peer it is and what it is asked)")
		}
	}
	if b.Class != ClassUntraced && 2*h.inCalls < h.dur {
		doubt(Likely) // half of it lies between the calls
	}
	if !timed {
		doubt(CannotTell)
		advise("add -T: without it the time in a call and the time after it are one")
	}
	if q.Start.Digits == 0 {
		doubt(CannotTell)
		advise("use -tt or -ttt: this log has whole seconds")
	}
	if q.Overlap {
		doubt(Likely)
		advise("its thread served several requests at once: what lies between calls may belong to another one")
	}
	if q.Unsure {
		doubt(CannotTell)
		advise("attach before the request: strace does not know a wait that was running when it came")
	}
}

// words says the verdict in one sentence.
func (b *Bottleneck) words(total time.Duration, h *share, f FilterGuess, timed bool) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s of %s (%.0f %%) ", ms(b.Dur), ms(total), 100*min(float64(b.Dur)/float64(max(total, 1)), 1))
	lines := fmt.Sprintf("line %d", b.From)
	if b.To != b.From {
		lines = fmt.Sprintf("lines %d and %d", b.From, b.To)
	}
	who := b.Peer.String()
	switch b.Class {
	case ClassUntraced:
		b.gap(&s, h, f)
	case ClassPeer:
		fmt.Fprintf(&s, "waiting for %s: %s, the longest wait is %s in %s (%s)", who, count(b.Trips, "round trip"), ms(h.longest.Dur), b.Name, lines)
	case ClassChatter:
		fmt.Fprintf(&s, "talking to %s: %s, none of them slow (the longest wait is %s, %s); ask for more at once", who, count(b.Trips, "round trip"), ms(h.longest.Dur), lines)
	case ClassDNS:
		fmt.Fprintf(&s, "looking up names (%s): the longest wait is %s in %s (%s)", who, ms(h.longest.Dur), b.Name, lines)
	case ClassConnect:
		fmt.Fprintf(&s, "connecting to %s (%s)", who, lines)
	case ClassSleep:
		fmt.Fprintf(&s, "asleep, by its own wish: %s, the longest is %s in %s (%s)", count(b.Calls, "call"), ms(h.longest.Dur), b.Name, lines)
	case ClassLock:
		fmt.Fprintf(&s, "waiting for a lock: %s, the longest is %s in %s (%s)", count(b.Calls, "call"), ms(h.longest.Dur), b.Name, lines)
	case ClassFile:
		fmt.Fprintf(&s, "in files: %s, the longest is %s in %s (%s)", count(b.Calls, "call"), ms(h.longest.Dur), b.Name, lines)
	case ClassChild:
		fmt.Fprintf(&s, "waiting for a child process: %s in %s (%s)", ms(h.longest.Dur), b.Name, lines)
	case ClassClient:
		fmt.Fprintf(&s, "waiting for the client: %s in %s (%s)", ms(h.longest.Dur), b.Name, lines)
	case ClassUnknown, ClassMany:
		fmt.Fprintf(&s, "in a stretch of the log that cannot be judged (%s): lines are missing, or the process was stopped", lines)
	default:
		fmt.Fprintf(&s, "in other calls: %s, the longest is %s in %s (%s)", count(b.Calls, "call"), ms(h.longest.Dur), b.Name, lines)
	}
	if !timed && b.Class != ClassUntraced {
		s.WriteString("; the log has no -T, so this is time in calls and after them")
	}
	return s.String()
}

func (b *Bottleneck) gap(s *strings.Builder, h *share, f FilterGuess) {
	if h.pieces > 1 {
		fmt.Fprintf(s, "in %d pauses between calls, the longest is %s (lines %d and %d): ", h.pieces, ms(h.longest.Dur), b.From, b.To)
	} else {
		after := "the call before"
		if b.After != "" {
			after = b.After + "'s answer"
		}
		fmt.Fprintf(s, "between %s (line %d) and the next traced call (line %d): no SQL, no network; ", after, b.From, b.To)
	}
	if f.Filtered {
		s.WriteString("application code or an untraced call")
	} else {
		s.WriteString("the application's own code, or waiting for a CPU; the trace is not filtered")
	}
	s.WriteString("; no traced syscall stands there")
	if b.Before != "" && h.pieces <= 1 {
		fmt.Fprintf(s, ", %s comes next", b.Before)
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// ms writes a time in milliseconds with the microseconds that strace shows.
func ms(d time.Duration) string { return fmt.Sprintf("%.3f ms", float64(d)/float64(time.Millisecond)) }
