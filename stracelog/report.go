package stracelog

import (
	"iter"
	"time"

	"dougu.internal/diag"
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
	Requests []Request `json:"requests,omitzero"` // in the order of their first lines
	// requests beyond KeepRequests: counted in Peers, not listed
	Dropped  int64         `json:"dropped"`
	Peers    []PeerStat    `json:"peers,omitzero"`    // where the time of all requests went, the most first
	Syscalls []SyscallStat `json:"syscalls,omitzero"` // all calls of the log, by name
	Totals   []Total       `json:"totals,omitzero"`   // all calls of the log, for profiles
	Tables   []Table       `json:"tables,omitzero"`   // the -c and -C tables in the log
	Format   Format        `json:"format,omitzero"`
	Filter   FilterGuess   `json:"filter,omitzero"`
	Lines    LineCount     `json:"lines,omitzero"`
	// lines of strace that are not calls: signals, exits, notes, tables
	Other int64 `json:"other"`
	// lines that are damaged or not strace's, at most 1000; see [Rules]
	Findings diag.List `json:"findings,omitzero"`
}

// LineCount counts the lines of a log.
type LineCount struct {
	Total   int64 `json:"total"`
	Unknown int64 `json:"unknown"`
	Damaged int64 `json:"damaged"`
}

// Request is what happened between the return of accept and the end of the connection, or between two requests
// of a connection that is kept alive.
type Request struct {
	PID    int    `json:"pid"`
	FD     int    `json:"fd"`
	Client Peer   `json:"client,omitzero"` // the client, if accept returned its address
	Proto  Proto  `json:"proto,omitzero"`  // what the client speaks, when its bytes were seen
	Verb   string `json:"verb,omitzero"`   // of the client's first message: GET
	// when accept returned, or when a further request on the connection was read
	Start    Time `json:"start"`
	Answered Time `json:"answered"` // end of the last write to the client; zero when none was seen
	// last call on the connection; zero when its end is not in the log
	End Time `json:"end"`
	// lines: of its accept, and of the last call on the connection
	First int64 `json:"first"`
	Last  int64 `json:"last"`
	// time from its first to its last line, as the log's time column shows it; Duration when accept waited
	Length   time.Duration `json:"length"`
	Segments []Segment     `json:"segments,omitzero"` // disjoint, in order; their sum is End - Start
	Cut      bool          `json:"cut"`               // the report was too large to keep Segments
	// its thread served other requests at the same time: what is between calls is shared
	Overlap bool `json:"overlap"`
	Unsure  bool `json:"unsure"` // contains a wait that strace could not identify
	// names that DNS was asked for; "..." after one that strace cut
	Names      []string   `json:"names,omitzero"`
	Bottleneck Bottleneck `json:"bottleneck,omitzero"` // zero Class: none
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
	Class Class  `json:"class,omitzero"`
	Peer  Peer   `json:"peer,omitzero"`
	Name  string `json:"name,omitzero"` // system call; "" for a gap
	Verb  string `json:"verb,omitzero"` // of a message: GET, COM_QUERY; for DNS the name asked for
	// first bytes of the payload, at most 256; only with the option Data
	Data  string        `json:"data,omitzero"`
	Start time.Duration `json:"start"`
	Dur   time.Duration `json:"dur"`
	From  int64         `json:"from"`
	To    int64         `json:"to"`
	Calls int           `json:"calls"` // calls in it: 0 for a gap, more than 1 where pieces were merged
	Trips int           `json:"trips"` // round trips that end in it
}

// Analyze reads the whole sequence and judges the requests in it. It stops at the first error of the
// sequence and returns it with the report of what was read.
func Analyze(seq iter.Seq2[*Event, error], opts ...AnalyzeOption) (*Report, error) {
	a := newAnalysis(opts...)
	for e, err := range seq {
		if err != nil {
			return a.finishAll(), errs.Wrap(err)
		}
		a.add(e)
	}
	return a.finishAll(), nil
}

// AnalyzeReader is Analyze for all events of r; the report also has the format that r detected.
// Input without a single call is not an error: the report then counts no calls, and nothing is known
// about the processes or the filter.
func AnalyzeReader(r *Reader, opts ...AnalyzeOption) (*Report, error) {
	rep, err := Analyze(r.Events(), opts...)
	rep.Format = r.Format()
	return rep, err
}
