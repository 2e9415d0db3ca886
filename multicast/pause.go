package multicast

import (
	"time"

	"dougu.internal/multicast/internal/engine"
)

// A reader rests when it has taken what there was of a stream, so that the next turn
// finds more: to wake up for each packet costs more than to read it. It rests longer
// when the stream goes on, as long as a small part of the receive buffer fills meanwhile.
const (
	readPause = 2 * time.Millisecond
	longPause = 8 * time.Millisecond
	fillPart  = 16 // of the receive buffer
)

// pauses finds out how long a reader rests.
type pauses struct {
	room int // bytes that may come meanwhile; 0: not known
	last engine.Time
	rest time.Duration
}

// next is the pause after a turn that read so many bytes, of a stream that goes on for
// a while or not.
func (p *pauses) next(now engine.Time, bytes int, goesOn bool) time.Duration {
	took := time.Duration(now - p.last)
	p.last = now
	if !goesOn || p.room == 0 || took > 2*longPause || bytes == 0 {
		p.rest = readPause
		return p.rest
	}
	p.rest = max(readPause, min(p.rest*5/4, longPause, time.Duration(float64(took)*float64(p.room)/float64(bytes))))
	return p.rest
}
