package stracelog

import (
	"iter"
	"time"
)

// Class says where a piece of a request's time went.
type Class string

// The classes of a Segment.
const (
	ClassUntraced Class = "application or untraced" // between two calls: the program's own code, or a call that was not traced
	ClassSleep    Class = "sleep"
	ClassLock     Class = "lock"
	ClassPeer     Class = "peer wait"    // a call on the connection of a peer
	ClassChatter  Class = "peer chatter" // many round trips with one peer, none of them slow; of a Bottleneck only
	ClassDNS      Class = "DNS"
	ClassConnect  Class = "connect"
	ClassFile     Class = "file I/O"
	ClassChild    Class = "child"
	ClassClient   Class = "slow client"   // a call on the accepted connection
	ClassIdle     Class = "idle"          // waiting for the next request
	ClassOther    Class = "other"         // any other call
	ClassShared   Class = "other request" // the thread served another request
	ClassUnknown  Class = "unknown"       // lines are missing, or the process was stopped
)

// Report is what a log says of the requests in it.
type Report struct {
	Requests []Request
	Format   Format
	Filter   FilterGuess
	Lines    LineCount
}

// LineCount counts the lines of a log.
type LineCount struct {
	Total, Unknown, Damaged int64
}

// Request is what happened between the return of accept and the end of the connection, or between two requests
// of a connection that is kept alive.
type Request struct {
	PID         int
	FD          int
	Start       Time          // when accept returned
	Answered    Time          // end of the last write to the client; zero when none was seen
	End         Time          // last call on the connection; zero when its end is not in the log
	First, Last int64         // lines: of its accept, and of the last call on the connection
	Length      time.Duration // time from its first to its last line, as the log's time column shows it
	Segments    []Segment     // disjoint, in order; their sum is End - Start
	Bottleneck  Bottleneck    // zero Class: none
}

// Duration returns End - Start, or 0 when the end is not known.
func (q *Request) Duration() time.Duration {
	if q.End.IsZero() {
		return 0
	}
	return q.End.At - q.Start.At
}

// Segment is a piece of a request. A gap stands between the lines From and To; a call has its own lines.
type Segment struct {
	Class    Class
	Peer     Peer
	Name     string // system call; "" for a gap
	Start    time.Duration
	Dur      time.Duration
	From, To int64
}

// Analyze reads the whole sequence and judges the requests in it. It stops at the first error of the
// sequence and returns it with the report of what was read.
func Analyze(seq iter.Seq2[*Event, error]) (*Report, error) {
	a := newAnalysis()
	for e, err := range seq {
		if err != nil {
			return a.finish(), err
		}
		a.add(e)
	}
	return a.finish(), nil
}
