package judge

import (
	"fmt"

	"dougu.internal/diag"
	"dougu.internal/smart"
)

// The range that is assumed for a rotating disk that names none: the one that makers
// of disks have printed in their manuals for decades.
const (
	genericMin = 5
	genericMax = 60
)

// temperature checks the temperature against the limits of the drive, against a generic
// range if it has none, and against the windows of its model. A window and a limit are
// two findings: at 17 C a drive may be within its specification and still write at a
// tenth of its speed.
func (c *checker) temperature() {
	t := &c.s.Temp
	if t.Current.OK {
		c.limits(t)
		c.window(t)
	}
	c.wasLow(t)
}

func (c *checker) limits(t *smart.Temperature) {
	now := t.Current
	at := celsius(now.C)
	from := now.From.String()
	value := smart.Some(float64(now.C))
	high := func(limit smart.TempValue, sev diag.Severity, what string) bool {
		if !limit.OK || now.C < limit.C || limit.C <= 0 {
			return false
		}
		c.add(smart.Finding{Rule: "temperature-high", Severity: sev,
			Detail: fmt.Sprintf("%s is %d C: cool the drive", what, limit.C), Evidence: at, Source: from +
				"; limit from " + limit.From.String(), Value: value, Unit: "C"})
		return true
	}
	low := func(limit smart.TempValue, sev diag.Severity, what string) bool {
		if !limit.OK || now.C > limit.C {
			return false
		}
		c.add(smart.Finding{Rule: "temperature-low", Severity: sev,
			Detail: fmt.Sprintf("%s is %d C: warm the drive", what, limit.C), Evidence: at, Source: from +
				"; limit from " + limit.From.String(), Value: value, Unit: "C"})
		return true
	}
	_ = high(t.Critical, smart.Act, "the critical limit") || high(t.Trip, smart.Act, "the trip temperature") ||
		high(t.LimitMax, smart.Act, "the upper limit") ||
		high(t.OpMax, smart.Watch, "the highest temperature for operation")
	_ = t.LimitMin.OK && t.LimitMin.C < t.LimitMax.C && low(t.LimitMin, smart.Act, "the lower limit") ||
		t.OpMin.OK && (!t.OpMax.OK || t.OpMin.C < t.OpMax.C) &&
			low(t.OpMin, smart.Watch, "the lowest temperature for operation")
	if c.p.NoGenericRange || t.OpMax.OK || t.OpMin.OK || t.LimitMax.OK || t.Trip.OK || c.s.NVMe != nil ||
		c.s.Identity.Rotation.OK && c.s.Identity.Rotation.V == 0 {
		return
	}
	switch {
	case now.C > genericMax:
		c.add(smart.Finding{Rule: "temperature-high", Severity: smart.Watch,
			Detail: fmt.Sprintf("hotter than the %d to %d C that are usual for disks", genericMin,
				genericMax), Evidence: at, Source: from + "; generic range", Value: value, Unit: "C"})
	case now.C < genericMin:
		c.add(smart.Finding{Rule: "temperature-low", Severity: smart.Watch,
			Detail: fmt.Sprintf("colder than the %d to %d C that are usual for disks", genericMin,
				genericMax), Evidence: at, Source: from + "; generic range", Value: value, Unit: "C"})
	}
}

// window judges the temperature by the windows of the model. Without a model only
// windows for all models apply.
func (c *checker) window(t *smart.Temperature) {
	for _, w := range c.p.windows() {
		if w.Model != nil && (c.s.Identity.Model == "" || !w.Matches(c.s.Identity.Model)) {
			continue
		}
		deg := int(t.Current.C)
		f := smart.Finding{Rule: "temperature-window", Evidence: celsius(t.Current.C),
			Source: t.Current.From.String() + "; " + w.Source, Value: smart.Some(float64(deg)), Unit: "C"}
		do := "warm it"
		if !w.cold(deg) {
			do = "cool it"
		}
		switch w.Place(deg, c.p.margin()) {
		case Inside:
			f.Severity, f.Detail = smart.Watch, fmt.Sprintf("inside the window (%s) in which %s: not broken, %s",
				w.edges(), w.Effect, do)
		case Borderline:
			f.Severity, f.Detail = smart.Watch, fmt.Sprintf("at the edge of the window (%s) in which %s: %s",
				w.edges(), w.Effect, do)
		default:
			continue
		}
		c.add(f)
	}
}

// wasLow means that the drive has been inside a window in its life.
func (c *checker) wasLow(t *smart.Temperature) {
	if !t.LifetimeMin.OK {
		return
	}
	for _, w := range c.p.windows() {
		if w.Model != nil && (c.s.Identity.Model == "" || !w.Matches(c.s.Identity.Model)) || !w.Low.OK {
			continue
		}
		low := int(t.LifetimeMin.C)
		if t.Current.OK && w.Place(int(t.Current.C), c.p.margin()) != Outside || low > w.Low.V-c.p.margin() {
			continue
		}
		c.add(smart.Finding{
			Rule: "temperature-was-low", Severity: smart.Info, Past: true, Evidence: fmt.Sprintf("lowest ever %d C",
				low),
			Source: t.LifetimeMin.From.String() + "; " + w.Source, Value: smart.Some(float64(low)), Unit: "C",
			Detail: fmt.Sprintf("outside the window now, but the drive has been in it (%s): %s", w.edges(), w.Effect),
		})
	}
}
