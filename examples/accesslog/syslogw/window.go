package syslogw

import "bytes"

// window follows the messages that were sent and are not settled: acknowledged, or given up. It
// decides which of them are sent again, and which one makes a collector close the connection.
// It has no I/O and no clock.
//
// Messages are numbered from the first one that is not settled. A connection sends them in
// order; after it has ended, the next one starts with message 0 again.
type window struct {
	msgs     [][]byte // sent on this connection, in order
	farthest int      // messages that were sent on any connection
	largest  int      // size of the largest message that was acknowledged
	moved    bool     // a message was settled on this connection

	suspect []byte // message 0 of the connections that ended without progress
	strikes int    // the number of these connections
	alone   bool   // the suspect was sent alone on this connection
}

const (
	// maxStrikes is the number of connections that may end at the same message before it is
	// sent alone.
	maxStrikes = 2
	// smallMessage is a size that each collector accepts (RFC 5424, section 6.1). A smaller
	// message is not the reason why a connection is closed.
	smallMessage = 480
)

// limit returns how many messages may be sent now: all of a batch, or only one if the first
// message is under suspicion.
func (w *window) limit(batch int) int {
	switch {
	case !w.suspected():
		return batch
	case len(w.msgs) == 0:
		return 1
	}
	return 0
}

func (w *window) suspected() bool {
	return w.strikes >= maxStrikes && !w.moved && len(w.suspect) > max(w.largest, smallMessage)
}

// sent notes messages that the transport has accepted. It returns how many of them were sent
// before, on another connection.
func (w *window) sent(msgs [][]byte) (again int) {
	again = min(len(msgs), max(0, w.farthest-len(w.msgs)))
	w.alone = w.suspected() && len(w.msgs) == 0 && len(msgs) == 1
	w.msgs = append(w.msgs, msgs...)
	w.farthest = max(w.farthest, len(w.msgs))
	return again
}

// settle removes the first n messages and returns them. acknowledged reports, for each of
// them, whether the collector has accepted it.
func (w *window) settle(n int, acknowledged func(i int) bool) [][]byte {
	done := w.msgs[:n]
	for i, m := range done {
		if acknowledged(i) {
			w.largest = max(w.largest, len(m))
		}
	}
	w.msgs = w.msgs[n:]
	w.farthest -= n
	if n > 0 {
		w.moved, w.suspect, w.strikes = true, nil, 0
	}
	return done
}

// ended notes that the connection has ended because the collector closed it. It reports
// whether message 0 is the reason: it was sent alone, after other connections had ended at it,
// and is larger than every message that the collector has accepted.
func (w *window) ended(closed bool) (culprit []byte) {
	defer func() { w.msgs, w.moved, w.alone = nil, false, false }()
	if !closed || w.moved || len(w.msgs) == 0 {
		return nil
	}
	first := w.msgs[0]
	if !bytes.Equal(first, w.suspect) {
		w.suspect, w.strikes = bytes.Clone(first), 0
	}
	w.strikes++
	if w.alone && w.strikes > maxStrikes {
		w.suspect, w.strikes = nil, 0
		return first
	}
	return nil
}

// giveUp removes message 0 after it was given up.
func (w *window) giveUp() { w.farthest = max(0, w.farthest-1) }
