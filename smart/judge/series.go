package judge

import (
	"fmt"
	"slices"
	"time"

	"dougu.internal/diag"
	"dougu.internal/smart"
)

// The periods in which growth is measured.
const (
	week  = 7 * 24 * time.Hour
	month = 30 * 24 * time.Hour
	year  = 365 * 24 * time.Hour
)

// maxPoints is the maximum number of points of a history that are kept: changes of
// counters, of which the older ones are thinned.
const maxPoints = 128

// point contains the counters at one time.
type point struct {
	at     time.Duration // power-on time, or time since the first snapshot
	taken  time.Time
	n      [counterCount]uint64
	known  uint32
	wear   uint16
	wearOK bool
}

func (p *point) same(o *point) bool {
	return p.n == o.n && p.known == o.known && p.wear == o.wear && p.wearOK == o.wearOK
}

// history contains the values of earlier snapshots that a [Series] keeps.
type history struct {
	points []point // in time order
}

// Series collects snapshots of one drive and checks the newest one together with its
// history: growth, rates, and problems that have disappeared. Its memory is bounded, so
// that any number of snapshots can be added. The zero value is an empty series.
type Series struct {
	last   *smart.Snapshot
	key    smart.DriveKey
	clock  bool // the points are at clock times
	ok     bool
	first  time.Time
	h      history
	latest point
}

// ErrOrder means that a snapshot has neither a time nor a power-on time, so that its
// place in a series is unknown.
var ErrOrder = errs.New("snapshot has neither a time nor a power-on time")

// Add adds a snapshot. Snapshots can be added in any order. The power-on time of the drive
// orders them if the first one has one, and the clock otherwise. The error is
// [ErrDifferentDrive] or [ErrOrder], and the series is then unchanged.
func (s *Series) Add(snapshot *smart.Snapshot) error {
	key := snapshot.Key()
	if s.ok && !s.key.Same(key) {
		return errs.Errorf("%w: %s, then %s", ErrDifferentDrive, diag.Sanitize(s.key.String()),
			diag.Sanitize(key.String()))
	}
	if !s.ok {
		if !snapshot.PowerOn.OK && snapshot.Taken.IsZero() {
			return ErrOrder
		}
		s.key, s.ok, s.clock, s.first = key, true, !snapshot.PowerOn.OK, snapshot.Taken
	}
	var p point
	switch {
	case !s.clock && snapshot.PowerOn.OK:
		p.at = snapshot.PowerOn.V
	case s.clock && !snapshot.Taken.IsZero():
		p.at = snapshot.Taken.Sub(s.first)
	default:
		return ErrOrder
	}
	p.taken = snapshot.Taken
	var c counts
	c.read(snapshot)
	for i := range c {
		if c[i].ok {
			p.n[i] = c[i].n
			p.known |= 1 << i
		}
	}
	if u := snapshot.Endurance.Used; u.OK {
		p.wear, p.wearOK = u.V, true
	}
	s.h.insert(p)
	if s.last == nil || !s.older(snapshot) {
		s.last, s.latest = snapshot, p
	}
	return nil
}

// older reports whether a snapshot is older than the newest one.
func (s *Series) older(snapshot *smart.Snapshot) bool {
	switch {
	case s.clock:
		return snapshot.Taken.Before(s.last.Taken)
	case snapshot.PowerOn.V != s.last.PowerOn.V:
		return snapshot.PowerOn.V < s.last.PowerOn.V
	}
	return snapshot.Taken.Before(s.last.Taken)
}

// Last returns the newest snapshot, or nil.
func (s *Series) Last() *smart.Snapshot { return s.last }

// Judge returns the findings for the newest snapshot, most severe first. The field Since
// of a finding about a count is the time of the first snapshot that had it.
func (s *Series) Judge(p Policy) smart.Findings {
	if s.last == nil {
		return nil
	}
	h := history{points: s.h.until(s.latest.at)}
	if len(h.points) < 2 {
		return check(s.last, nil, &p)
	}
	return check(s.last, &h, &p)
}

// insert puts a point at its place. Of a run of equal points the first and the last are
// kept.
func (h *history) insert(p point) {
	i := len(h.points)
	for i > 0 && h.points[i-1].at > p.at {
		i--
	}
	if i == len(h.points) && i >= 2 && h.points[i-1].same(&p) && h.points[i-2].same(&p) {
		h.points[i-1] = p
		return
	}
	h.points = slices.Insert(h.points, i, p)
	if len(h.points) > maxPoints {
		h.thin()
	}
}

// thin removes every second point of the older half, and keeps the first one and those
// with the most unreadable sectors.
func (h *history) thin() {
	half := len(h.points) / 2
	kept := h.points[:1]
	for i := 1; i < half; i += 2 {
		p := h.points[i]
		if i+1 < half && h.points[i+1].bad() > p.bad() {
			p = h.points[i+1]
		}
		kept = append(kept, p)
	}
	h.points = append(kept, h.points[half:]...)
}

// bad returns the number of unreadable sectors.
func (p *point) bad() uint64 { return max(p.n[pending], p.n[offline]) }

func (h *history) until(at time.Duration) []point {
	n := len(h.points)
	for n > 0 && h.points[n-1].at > at {
		n--
	}
	return h.points[:n]
}

func (h *history) now() *point { return &h.points[len(h.points)-1] }

// before returns the newest point that is at least d older than the newest one, or the
// oldest one.
func (h *history) before(d time.Duration) *point {
	now := h.now().at
	for i := len(h.points) - 1; i > 0; i-- {
		if h.points[i].at <= now-d {
			return &h.points[i]
		}
	}
	return &h.points[0]
}

// growth returns how much a counter grew within d.
func (h *history) growth(k counter, d time.Duration) (uint64, bool) {
	old, now := h.before(d), h.now()
	if old.known&now.known&(1<<k) == 0 || now.n[k] < old.n[k] {
		return 0, false
	}
	return now.n[k] - old.n[k], true
}

// unreadable returns the largest number of unreadable sectors within a year, and when it
// was seen.
func (h *history) unreadable() (most uint64, when string) {
	now := h.now()
	for i := range h.points {
		p := &h.points[i]
		if p.at < now.at-year || p.bad() <= most {
			continue
		}
		most, when = p.bad(), fmt.Sprintf(" %d hours ago", int((now.at-p.at).Hours()))
	}
	return most, when
}

// describe adds the growth of a counter to its finding, and the time since when it is
// above 0.
func (h *history) describe(k counter, n uint64, f *smart.Finding) {
	since := h.now()
	for i := len(h.points) - 1; i >= 0 && h.points[i].known&(1<<k) != 0 && h.points[i].n[k] > 0; i-- {
		since = &h.points[i]
	}
	f.Since = since.taken
	if g, ok := h.growth(k, month); ok && g > 0 {
		f.Detail += fmt.Sprintf("; %d more within %d days", g, int((h.now().at-h.before(month).at).Hours()/24+0.5))
	}
}

// wearDays returns the days until the endurance is used up at the rate of the history of
// at least a month.
func (h *history) wearDays(used uint16) (float64, bool) {
	now := h.now()
	for i := range h.points {
		p := &h.points[i]
		if !p.wearOK {
			continue
		}
		days := (now.at - p.at).Hours() / 24
		if days < 30 || used < p.wear+2 {
			return 0, false
		}
		return float64(100-used) / (float64(used-p.wear) / days), true
	}
	return 0, false
}
