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
	ClassMany     Class = "many"          // very many short pieces of several classes, merged to bound memory
	ClassUnknown  Class = "unknown"       // lines are missing, or the process was stopped
)

// Report is what a log says of the requests in it. It does not change after Analyze and may be shared.
type Report struct {
	Requests []Request     // in the order of their first lines
	Dropped  int64         // requests beyond KeepRequests: counted in Peers, not listed
	Peers    []PeerStat    // where the time of all requests went, the most first
	Syscalls []SyscallStat // all calls of the log, by name
	Totals   []Total       // all calls of the log, for profiles
	Tables   []Table       // the -c and -C tables in the log
	Format   Format
	Filter   FilterGuess
	Lines    LineCount
	Other    int64     // lines of strace that are not calls: signals, exits, notes, tables
	Findings []Finding // lines that are damaged or not strace's, at most 1000
}

// LineCount counts the lines of a log.
type LineCount struct {
	Total, Unknown, Damaged int64
}

// Finding is something about one line.
type Finding struct {
	Line   int64
	Reason string
}

// Request is what happened between the return of accept and the end of the connection, or between two requests
// of a connection that is kept alive.
type Request struct {
	PID         int
	FD          int
	Client      Peer          // who asked, as far as accept told
	Proto       Proto         // what the client speaks, when its bytes were seen
	Verb        string        // of the client's first message: GET
	Start       Time          // when accept returned, or when a further request on the connection was read
	Answered    Time          // end of the last write to the client; zero when none was seen
	End         Time          // last call on the connection; zero when its end is not in the log
	First, Last int64         // lines: of its accept, and of the last call on the connection
	Length      time.Duration // time from its first to its last line, as the log's time column shows it; Duration when accept waited
	Segments    []Segment     // disjoint, in order; their sum is End - Start
	Cut         bool          // the report was too large to keep Segments
	Overlap     bool          // its thread served other requests at the same time: what is between calls is shared
	Unsure      bool          // holds a wait that strace itself did not know
	Names       []string      // names that DNS was asked for; "..." behind one that strace cut
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
	Verb     string // of a message: GET, COM_QUERY; for DNS the name asked for
	Data     string // first bytes of the payload, at most 256; only with the option Data
	Start    time.Duration
	Dur      time.Duration
	From, To int64
	Calls    int // calls in it: 0 for a gap, more than 1 where pieces were merged
	Trips    int // round trips that end in it
}

// Analyze reads the whole sequence and judges the requests in it. It stops at the first error of the
// sequence and returns it with the report of what was read.
func Analyze(seq iter.Seq2[*Event, error], opts ...AnalyzeOption) (*Report, error) {
	a := newAnalysis(opts...)
	for e, err := range seq {
		if err != nil {
			return a.finishAll(), err
		}
		a.add(e)
	}
	return a.finishAll(), nil
}

// AnalyzeReader is Analyze for all events of r; the report also has the format that r detected.
func AnalyzeReader(r *Reader, opts ...AnalyzeOption) (*Report, error) {
	rep, err := Analyze(r.Events(), opts...)
	rep.Format = r.Format()
	return rep, err
}
