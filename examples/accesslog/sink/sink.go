// Package sink defines the interface of log destinations and a bounded queue.
//
// A [Sink] accepts finished log lines and delivers them. Packages syslogw and target
// implement it. [Stats] counts what happened to the lines. [Queue] separates the goroutine
// that produces lines from a slow destination.
//
// # Guarantees
//
// A [Queue] returns its elements in the order in which they were added, each of them once,
// and does not store more bytes than its limit. Whether an element is accepted is known when
// Put returns.
//
// # Limits
//
// The package opens no files or connections. It works on all operating systems and needs no
// privileges.
package sink

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dougu.internal/internal/enum"
	"dougu.internal/internal/jsontext"
)

// Sink is a destination of log lines. All methods are safe for concurrent use by multiple
// goroutines.
type Sink interface {
	// WriteLine accepts one line without a line end. It does not wait for the network or for
	// a process. If it returns an error, the line was not accepted and is counted as dropped.
	// The sink does not keep line after WriteLine returns.
	WriteLine(line []byte) error
	// Flush blocks until every accepted line is delivered or ctx ends. A line is delivered
	// when the other end has acknowledged it or, on a medium without acknowledgements, when
	// the operating system has it.
	Flush(ctx context.Context) error
	// Stats returns the current counters.
	Stats() Stats
	// Close stops the delivery and releases all resources. When it returns, all goroutines of
	// the sink have ended. Accepted lines that are not delivered stay in the spool; without a
	// spool they are counted as dropped. Call Flush first to avoid this. Further calls of
	// Close have no effect.
	Close() error
}

// Reopener is implemented by sinks that write to a file.
type Reopener interface {
	// Reopen closes the file and opens the path again, for a file that was renamed. No line
	// is lost or divided. If the path cannot be opened, the sink continues with the old file
	// and Reopen returns the error.
	Reopen() error
}

// Reopen calls the Reopen method of s. If s does not have one, it returns an error that wraps
// [errors.ErrUnsupported].
func Reopen(s Sink) error {
	r, ok := s.(Reopener)
	if !ok {
		return fmt.Errorf("sink: reopen: the destination is not a file: %w", errors.ErrUnsupported)
	}
	return r.Reopen()
}

// Stats contains the counters of a sink. Written, together with the lines that an earlier
// process has left on disk, is the sum of the delivered lines, the lines that are waiting,
// SetAside and Dropped. The delivered lines are counted by Acked or, on a medium without
// acknowledgements, by Sent.
type Stats struct {
	// Written is the number of calls of WriteLine, with the lines that were dropped.
	Written uint64 `json:"written,omitzero"`
	// Sent is the number of lines that were passed to the operating system, each of them
	// counted once.
	Sent uint64 `json:"sent,omitzero"`
	// Acked is the number of lines that the other end has acknowledged.
	Acked uint64 `json:"acked,omitzero"`
	// Resent is the number of lines that were sent again after a connection was lost. The
	// other end may have them twice.
	Resent uint64 `json:"resent,omitzero"`
	// Spooled is the number of lines that are waiting on disk, with those of earlier
	// processes.
	Spooled uint64 `json:"spooled,omitzero"`
	// Queued is the number of lines that are waiting in memory.
	Queued uint64 `json:"queued,omitzero"`
	// Dropped is the number of lines that are lost.
	Dropped uint64 `json:"dropped,omitzero"`
	// SetAside is the number of lines that the other end did not accept. They are in a file,
	// with the reason.
	SetAside uint64 `json:"setAside,omitzero"`
	// Damaged is the number of damaged parts of the files on disk that were skipped. Each of
	// them contained one line or more.
	Damaged uint64 `json:"damaged,omitzero"`
	// Truncated is the number of lines that were cut to the maximum size of a message.
	Truncated uint64 `json:"truncated,omitzero"`
	// LastError is the last error of the delivery, or nil if there was none.
	LastError error `json:"lastError,omitzero"`
}

// MarshalJSON returns the JSON encoding of s, with the text of LastError.
func (s Stats) MarshalJSON() ([]byte, error) {
	type plain Stats
	return jsontext.Marshal(plain(s))
}

// UnmarshalJSON reads what MarshalJSON writes. LastError is an error with the same text.
func (s *Stats) UnmarshalJSON(b []byte) error {
	type plain Stats
	return jsontext.Unmarshal(b, (*plain)(s))
}

// String returns the counters in one line. Counters that are zero are left out, except for
// Written and Sent.
func (s Stats) String() string {
	parts := []string{fmt.Sprintf("%d written", s.Written), fmt.Sprintf("%d sent", s.Sent)}
	for _, part := range []struct {
		n    uint64
		what string
	}{
		{s.Acked, "acknowledged"}, {s.Resent, "resent"}, {s.Spooled, "in the spool"},
		{s.Queued, "in memory"}, {s.SetAside, "set aside"}, {s.Dropped, "dropped"}, {s.Truncated, "truncated"},
		{s.Damaged, "damaged parts of the spool skipped"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	text := strings.Join(parts, ", ")
	if s.LastError != nil {
		return fmt.Sprintf("%s; last error: %v", text, s.LastError)
	}
	return text
}

// OnFull selects what happens to a line if the queue or the spool is full.
type OnFull uint8

// The choices for a full queue.
const (
	// DropNewest drops the line and counts it. It is the zero value, because a request
	// should not wait for its log line.
	DropNewest OnFull = iota
	// Block waits until there is room. It is meant for batch jobs.
	Block
)

var fullNames = enum.Names[OnFull]{
	Type:  "sink: choice for a full queue",
	Words: map[OnFull]string{DropNewest: "drop-newest", Block: "block"},
}

// String returns "drop-newest" or "block".
func (f OnFull) String() string { return fullNames.String(f) }

// MarshalText returns the name of the choice. It fails if f is not a valid choice.
func (f OnFull) MarshalText() ([]byte, error) { return fullNames.Text(f) }

// UnmarshalText reads the name of a choice.
func (f *OnFull) UnmarshalText(text []byte) error { return fullNames.Parse(text, f) }

var (
	// ErrFull is returned if the queue is full.
	ErrFull = errors.New("sink: queue is full")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("sink: destination is closed")
)
