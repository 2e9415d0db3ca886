// Package sink says what a destination of finished log lines can do, and keeps the
// bounded queue that stands between a request and a slow destination.
//
// # Guarantees
//
// A [Queue] hands out what was put in, in order, each element once, and never holds
// more bytes than it was made for; what it refuses is said at once.
//
// # Limits
//
// The package opens nothing and delivers nothing; see packages syslogw and target.
package sink

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Sink takes finished lines and delivers them. All methods are safe for many
// goroutines.
type Sink interface {
	// WriteLine takes one line without a line end. It never waits for the network, nor
	// for a process that does not read. An error means that the line was not taken and
	// is counted as dropped. The line is not kept after the return.
	WriteLine(line []byte) error
	// Flush waits until every line taken so far was delivered: acknowledged, where the
	// medium can do that, else handed to the system.
	Flush(ctx context.Context) error
	// Stats returns the account up to now.
	Stats() Stats
	// Close stops delivering and releases everything; no goroutine is left. What was
	// taken and not delivered stays in the spool, or is counted as dropped where there
	// is none: call Flush first. It may be called more than once.
	Close() error
}

// Stats is the account of a sink. Written = delivered + waiting + Dropped, where
// delivered is Acked, or Sent on a medium that acknowledges nothing.
type Stats struct {
	// Written counts the lines given to WriteLine, with those that were dropped.
	Written uint64
	// Sent counts the lines handed to the system or the network, each once.
	Sent uint64
	// Acked counts the lines whose receipt the other end has confirmed.
	Acked uint64
	// Resent counts repeated deliveries after a lost connection; the other end may have
	// these lines twice.
	Resent uint64
	// Spooled counts the lines that wait on disk now, from earlier runs too.
	Spooled uint64
	// Queued counts the lines that wait in memory now.
	Queued uint64
	// Dropped counts the lines that are lost.
	Dropped uint64
	// Truncated counts the lines that were cut to the greatest size of a message.
	Truncated uint64
	// LastError is the last trouble of delivery; nil when there was none.
	LastError error
}

// String returns the account in one line, without what is zero.
func (s Stats) String() string {
	parts := []string{fmt.Sprintf("%d written", s.Written), fmt.Sprintf("%d sent", s.Sent)}
	for _, part := range []struct {
		n    uint64
		what string
	}{
		{s.Acked, "acknowledged"}, {s.Resent, "resent"}, {s.Spooled, "in the spool"},
		{s.Queued, "in memory"}, {s.Dropped, "dropped"}, {s.Truncated, "truncated"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	text := strings.Join(parts, ", ")
	if s.LastError != nil {
		return fmt.Sprintf("%s; last trouble: %v", text, s.LastError)
	}
	return text
}

// OnFull says what happens to a line for which there is no room.
type OnFull uint8

const (
	// DropNewest refuses the line and counts it. It is the zero value: a request never
	// waits for a log.
	DropNewest OnFull = iota
	// Block waits for room. It is for batches, where nobody waits for an answer.
	Block
)

var (
	// ErrFull is returned for a line that found no room.
	ErrFull = errors.New("no room for the line: the destination does not keep up")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("the log destination is closed")
)
