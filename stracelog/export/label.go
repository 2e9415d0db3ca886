package export

import (
	"fmt"
	"strings"
	"time"

	"dougu.internal/diag"
	"dougu.internal/stracelog"
)

// ms writes a time in milliseconds with the microseconds that strace shows.
func ms(d time.Duration) string { return fmt.Sprintf("%.3f ms", float64(d)/float64(time.Millisecond)) }

// label says in a few words what a segment is.
func label(s *stracelog.Segment) string {
	var b strings.Builder
	switch {
	case s.Class == stracelog.ClassUntraced:
		b.WriteString("no traced syscall")
	case s.Class == stracelog.ClassUnknown:
		b.WriteString("unknown: lines are missing")
	case s.Peer.Known():
		b.WriteString(s.Peer.String())
	default:
		b.WriteString(string(s.Class))
	}
	if s.Name != "" {
		b.WriteString(" " + s.Name)
	}
	if s.Verb != "" {
		b.WriteString(" " + s.Verb)
	}
	if s.Calls > 1 {
		fmt.Fprintf(&b, " (%d calls)", s.Calls)
	}
	return diag.Sanitize(b.String())
}

// lines writes the lines of the log that a segment rests on.
func lines(from, to int64) string {
	if from == to {
		return fmt.Sprint(from)
	}
	return fmt.Sprintf("%d-%d", from, to)
}

// title names a request.
func title(q *stracelog.Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "request on fd %d", q.FD)
	if q.PID > 0 {
		fmt.Fprintf(&b, " of process %d", q.PID)
	}
	if q.Proto != "" {
		fmt.Fprintf(&b, ", %s %s", q.Proto, q.Verb)
	}
	return diag.Sanitize(b.String())
}
