package export

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"dougu.internal/stracelog"
)

// Clean makes text from a log safe for a terminal: control characters, characters that change the direction of writing, and bytes that
// are not UTF-8 become \x escapes.
func Clean(s string) string {
	bad := false
	for _, r := range s {
		if unsafeRune(r) || r == utf8.RuneError {
			bad = true
			break
		}
	}
	if !bad {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n <= 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unsafeRune(r) && r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case unsafeRune(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		i += max(n, 1)
	}
	return b.String()
}

func unsafeRune(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
}

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
	return Clean(b.String())
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
	return Clean(b.String())
}
