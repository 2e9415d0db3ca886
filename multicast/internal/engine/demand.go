package engine

import (
	"time"

	"dougu.internal/multicast/internal/wire"
)

// demand is the smoothed number of parity symbols that a block turns out to need: as
// many as its worst receiver lacks. Parity that is sent at once saves round trips and
// NACKs, and costs nothing as long as it is less than that.
type demand struct{ mean float64 }

// lastBlocks of the content have more parity than the others.
const lastBlocks = 2

// flight is a block that was sent once, and has had no time yet for all its NACKs.
type flight struct {
	block  uint32
	parity uint8
	at     Time
}

// parity returns what is sent at once in a group of that size: in a small one less
// than the mean, for a round trip is cheap there.
func (d *demand) parity(group int) float64 {
	switch {
	case group <= 4:
		return max(0, d.mean-1.6)
	case group <= smallGroup:
		return max(0, d.mean-1)
	}
	return max(0, d.mean-0.3)
}

// learn takes in the blocks whose NACKs have come, or will not.
func (s *Send) learn(now Time) {
	wait := int64(2*s.grtt + 15*time.Millisecond)
	if len(s.peers) > smallGroup {
		wait = int64(6 * s.grtt)
	}
	o := s.objects[wire.ObjectContent]
	for len(s.flights) > 0 && now-s.flights[0].at > wait {
		f := s.flights[0]
		s.flights = s.flights[1:]
		d := &s.mean
		// One bad moment weighs little, and is soon forgotten.
		x := 0.85*min(d.mean, float64(f.parity)) - 0.3
		if asked := o.st[f.block].worst; asked > 0 {
			x = min(float64(f.parity)+float64(asked), d.mean+6)
		} else if f.parity == 0 {
			x = 0
		}
		d.mean += 0.1 * (max(0, x) - d.mean)
	}
}
