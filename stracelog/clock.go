package stracelog

import (
	"fmt"
	"time"

	"dougu.internal/internal/enum"
)

// TimeForm says which clock a log shows.
type TimeForm uint8

// The forms of time.
const (
	NoTime   TimeForm = iota // the log has no times
	Clock                    // -t, -tt: local time of day without a date
	Epoch                    // -ttt: seconds since 1970
	Relative                 // -r alone: since the line before
)

var timeForms = enum.Names[TimeForm]{Type: "stracelog: form of the time", Words: map[TimeForm]string{
	NoTime: "none", Clock: "clock", Epoch: "epoch", Relative: "relative",
}}

// String returns the name of the form.
func (f TimeForm) String() string { return timeForms.String(f) }

// MarshalText returns the name of the form. It fails if f is not valid.
func (f TimeForm) MarshalText() ([]byte, error) { return timeForms.Text(f) }

// UnmarshalText sets f from the name of a form.
func (f *TimeForm) UnmarshalText(text []byte) error { return timeForms.Parse(text, f) }

// Time is when a line was written. With Clock, At counts from the midnight before the first line and goes on
// over midnights; with Epoch it counts from 1970; with Relative from the first line of the log.
type Time struct {
	Form   TimeForm      `json:"form"`
	Digits uint8         `json:"digits,omitzero"` // decimals that were printed: 0, 3, 6 or 9
	At     time.Duration `json:"at,omitzero"`     // position on the log's own axis

	HasDelta bool          `json:"hasDelta,omitzero"` // the line shows the time since the line before (-r)
	Delta    time.Duration `json:"delta,omitzero"`    // that time
}

// IsZero reports whether the line shows no time.
func (t Time) IsZero() bool { return t.Form == NoTime }

// String returns the time in its own form: 15:21:04.244882, 1795337041.234369 or 0.000468; "-" without time.
func (t Time) String() string {
	if t.Form == NoTime {
		return "-"
	}
	sign, at := "", t.At
	if t.Form == Clock {
		at = (at%day + day) % day
	}
	if at < 0 {
		sign, at = "-", -at
	}
	sec, frac := at/time.Second, at%time.Second
	s := fmt.Sprintf("%d", sec)
	if t.Form == Clock {
		s = fmt.Sprintf("%02d:%02d:%02d", sec/3600, sec/60%60, sec%60)
	}
	if d := t.Digits; d > 0 && d <= 9 {
		s += "." + fmt.Sprintf("%09d", int64(frac))[:d]
	}
	return sign + s
}

// add returns the time d later.
func (t Time) add(d time.Duration) Time {
	t.At += d
	return t
}

const (
	day     = 24 * time.Hour
	halfDay = day / 2
)

// timeline turns printed times into positions on one axis. strace prints CLOCK_REALTIME without a date: a step back of
// more than half a day is a midnight, a smaller one is a clock that was set.
type timeline struct {
	last  time.Duration // position of the line before
	begun bool
	ask   func() timeline // when it is set, what stands before the first line is asked for at its first use
}

// start asks for what came before.
func (t *timeline) start() {
	if ask := t.ask; ask != nil {
		*t = ask()
		t.ask = nil
	}
}

func (t *timeline) clock(ofDay time.Duration) time.Duration {
	t.start()
	at := ofDay
	if t.begun {
		// The same time of day nearest to the line before, whatever the day: moving the whole log by days changes nothing else.
		at += t.last - (t.last%day+day)%day
		switch d := at - t.last; {
		case d < -halfDay:
			at += day
		case d > halfDay:
			at -= day
		}
	}
	t.last, t.begun = at, true
	return at
}

func (t *timeline) relative(delta time.Duration) time.Duration {
	t.start()
	if t.begun {
		t.last = max(t.last+delta, t.last) // a sum past 292 years stays there
	}
	t.begun = true
	return t.last
}
