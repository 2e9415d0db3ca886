package stracelog

import (
	"fmt"
	"strings"
	"time"
)

// FilterGuess is what the calls that are in a log say of strace's -e trace=.
type FilterGuess struct {
	Filtered bool     // calls that every program makes are missing
	Names    []string // the calls that were seen, sorted
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
	Class         Class
	Peer          Peer
	Dur           time.Duration
	Share         float64 // of the request, 0 to 1
	Confidence    Confidence
	From, To      int64  // the lines that prove it
	After, Before string // what stands before and after a gap
	Text          string // the verdict in words
	Advice        []string
}

// The calls that a server makes all the time and that no filter for the network shows.
var everyday = []string{"read", "write", "close", "mmap", "munmap", "brk", "openat", "open", "fstat", "newfstatat", "futex"}

func guessFilter(seen map[string]int) FilterGuess {
	g := FilterGuess{Filtered: true}
	n := 0
	for _, name := range everyday {
		if seen[name] > 0 {
			n++
		}
	}
	g.Filtered = n < 2
	return g
}

// A bottleneck is at least this long and this large a part of the request; less is how requests are.
const (
	leastBottleneck = 10 * time.Millisecond
	leastShare      = 0.25
)

func judge(q *Request, f FilterGuess) {
	total := q.Duration()
	best := -1
	for i, s := range q.Segments {
		if s.Class == ClassUntraced && (best < 0 || s.Dur > q.Segments[best].Dur) {
			best = i
		}
	}
	if best < 0 || total <= 0 {
		return
	}
	s := q.Segments[best]
	share := float64(s.Dur) / float64(total)
	if s.Dur < leastBottleneck || share < leastShare {
		return
	}
	b := &q.Bottleneck
	*b = Bottleneck{Class: s.Class, Dur: s.Dur, Share: share, From: s.From, To: s.To, Confidence: Likely}
	for _, p := range q.Segments[:best] {
		if p.Peer.Known() {
			b.After = string(p.Peer.Proto)
		}
	}
	for _, p := range q.Segments[best:] {
		if p.Peer.Known() && p.Class == ClassPeer {
			b.Before = string(p.Peer.Proto)
			break
		}
	}
	if f.Filtered {
		b.Confidence = CannotTell
		b.Advice = []string{"drop -e trace= (the filter hides sleeps, files and locks)", "add -f (other threads)"}
	}
	b.Text = b.words(q)
}

// words says the verdict in one sentence.
func (b *Bottleneck) words(q *Request) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s of %s (%.0f %%) between %s's answer (line %d) and the next traced call (line %d)",
		ms(b.Dur), ms(q.Length), 100*b.Share, b.After, b.From, b.To)
	s.WriteString(": no SQL, no network; application code or an untraced call")
	return s.String()
}

// ms writes a time in milliseconds with the microseconds that strace shows.
func ms(d time.Duration) string { return fmt.Sprintf("%.3f ms", float64(d)/float64(time.Millisecond)) }
