package judge

import (
	"fmt"
	"math"
	"strings"
	"time"

	"dougu.internal/diag"
	"dougu.internal/smart"
)

// Delta contains the differences between two snapshots of one drive.
type Delta struct {
	// Elapsed is the time between the snapshots, by the clock if both have a time, and
	// by the power-on time otherwise.
	Elapsed smart.Opt[time.Duration] `json:"elapsed,omitzero"`
	// OldFirmware and NewFirmware differ if the firmware was changed.
	OldFirmware string         `json:"oldFirmware,omitzero"`
	NewFirmware string         `json:"newFirmware,omitzero"`
	Counters    []Change       `json:"counters,omitzero"`
	Findings    smart.Findings `json:"findings,omitzero"`
}

// Change is the change of one number.
type Change struct {
	// Name is the name of the number, for example "attribute 5 Reallocated_Sector_Ct".
	Name string `json:"name,omitzero"`
	Old  uint64 `json:"old"`
	New  uint64 `json:"new"`
	// Gauge means that the number can fall, such as the number of pending sectors or a
	// temperature.
	Gauge bool `json:"gauge,omitzero"`
	// Grown is the growth of a counter. It is absent for a number that fell.
	Grown smart.Opt[uint64] `json:"grown,omitzero"`
	// PerDay is the growth per day. It is absent if Elapsed or Grown is.
	PerDay smart.Opt[float64] `json:"perDay,omitzero"`
	// Wrapped means that a counter of 16 bits passed its maximum.
	Wrapped bool `json:"wrapped"`
	// Reset means that a counter is lower than before. It has no rate.
	Reset bool `json:"reset"`
}

// thing returns the key of the number in findings.
func (c *Change) thing() string {
	if rest, ok := strings.CutPrefix(c.Name, "attribute "); ok {
		id, _, _ := strings.Cut(rest, " ")
		return "attribute-" + id
	}
	return strings.ToLower(strings.ReplaceAll(c.Name, " ", "-"))
}

// Compare returns the differences between two snapshots of the same drive. The drive is
// identified by its key; see [smart.Snapshot.Key]. The error wraps [ErrDifferentDrive] if
// the keys differ, and [smart.ErrNoData] if a snapshot has none.
func Compare(old, cur *smart.Snapshot) (Delta, error) {
	a, b := &old.Identity, &cur.Identity
	switch {
	case a.Serial == "" || b.Serial == "":
		return Delta{}, errs.Errorf("compare: no serial number in one of the snapshots: %w", smart.ErrNoData)
	case a.Serial != b.Serial || a.Model != b.Model:
		return Delta{}, errs.Errorf("%w: %s %s, then %s %s: the drive was replaced, or the device names another one",
			ErrDifferentDrive, diag.Sanitize(a.Model), diag.Sanitize(a.Serial), diag.Sanitize(b.Model),
			diag.Sanitize(b.Serial))
	}
	d := Delta{OldFirmware: a.Firmware, NewFirmware: b.Firmware}
	d.elapsed(old, cur)
	if a.Firmware != b.Firmware && a.Firmware != "" && b.Firmware != "" {
		d.find(smart.Finding{
			Rule: "firmware-changed", Severity: smart.Info, Since: cur.Taken, Evidence: a.Firmware + ", then " +
				b.Firmware, Source: "identity",
			Detail: "the firmware was changed; counters may have another meaning since",
		})
	}
	d.growth(old, cur)
	d.attributes(old, cur)
	d.more(old, cur)
	for i := range d.Counters {
		if c := &d.Counters[i]; c.Reset {
			d.find(smart.Finding{
				Rule: "counter-reset", Severity: smart.Info, Since: cur.Taken, Evidence: fmt.Sprintf("%d, then %d",
					c.Old, c.New), Source: c.Name,
				Detail: "the counter is lower than before: it was reset, or the snapshots are in the wrong order",
				Key:    c.thing(), Value: smart.Some(float64(c.New)),
			})
		}
	}
	completeKeys(d.Findings)
	return d, nil
}

func (d *Delta) find(f smart.Finding) { d.Findings = append(d.Findings, f) }

func (d *Delta) elapsed(old, cur *smart.Snapshot) {
	switch {
	case !old.Taken.IsZero() && !cur.Taken.IsZero():
		d.Elapsed = smart.Some(cur.Taken.Sub(old.Taken))
	case old.PowerOn.OK && cur.PowerOn.OK && cur.PowerOn.V >= old.PowerOn.V:
		d.Elapsed = smart.Some(cur.PowerOn.V - old.PowerOn.V)
	}
}

// add adds the change of a number. A counter of 16 bits that went from the upper to the
// lower quarter has passed its maximum.
func (d *Delta) add(name string, from, to uint64, bits uint, gauge bool) *Change {
	c := Change{Name: name, Old: from, New: to, Gauge: gauge}
	switch {
	case to >= from:
		c.Grown = smart.Some(to - from)
	case gauge:
	case bits == 16 && from >= 0xc000 && from <= 0xffff && to < 0x4000:
		c.Grown, c.Wrapped = smart.Some(to+0x10000-from), true
	default:
		c.Reset = true
	}
	if e := d.Elapsed; e.OK && e.V > 0 && c.Grown.OK && !gauge {
		rate := float64(c.Grown.V) / (e.V.Hours() / 24)
		if !math.IsInf(rate, 0) {
			c.PerDay = smart.Some(rate)
		}
	}
	if gauge && c.Grown.OK && d.Elapsed.OK && d.Elapsed.V > 0 && c.Grown.V > 0 {
		c.PerDay = smart.Some(float64(c.Grown.V) / (d.Elapsed.V.Hours() / 24))
	}
	d.Counters = append(d.Counters, c)
	return &d.Counters[len(d.Counters)-1]
}

// growth compares the numbers that rules are about.
func (d *Delta) growth(old, cur *smart.Snapshot) {
	var a, b counts
	a.read(old)
	b.read(cur)
	for k := range counterCount {
		x, y := &a[k], &b[k]
		if !x.ok || !y.ok || x.attribute != y.attribute || x.source != y.source {
			continue
		}
		r := &rules[k]
		name := y.source + ", " + r.id
		if y.attribute != 0 {
			name = attributeSource(y.attribute, y.name)
		}
		c := d.add(name, x.n, y.n, min(r.bits, 48), r.gauge)
		f := smart.Finding{
			Since: cur.Taken, Source: name, Key: c.thing(), Attribute: y.attribute, Value: smart.Some(float64(y.n)),
			Unit:     r.unit,
			Evidence: fmt.Sprintf("%d, then %d", x.n, y.n),
		}
		switch {
		case r.gauge && y.n < x.n:
			f.Rule, f.Severity = "pending-cleared", smart.Info
			f.Detail = "unreadable sectors were rewritten or remapped since"
		case c.Grown.OK && c.Grown.V > 0 && r.growWatch > 0:
			f.Rule, f.Detail = "attribute-growing", r.growth
			if f.Severity = severity(c.Grown.V, Limits{Watch: limit(r.growWatch),
				Act: limit(r.growAct)}); f.Severity == smart.Act {
				f.Detail += ": save the data and replace the drive"
			}
		default:
			continue
		}
		d.find(f)
	}
}

// gauges are attributes that rise and fall, and are not counters.
func isGauge(a *smart.Attribute) bool {
	switch a.ID {
	case 1, 2, 3, 7, 8, 22, 190, 194, 195, 206, 226, 231, 232, 233:
		return true
	}
	return strings.HasPrefix(a.Name, "Temperature") || strings.HasPrefix(a.Name, "Airflow")
}

// attributes compares the other attributes with all bits of their raw values.
func (d *Delta) attributes(old, cur *smart.Snapshot) {
	var seen [256]bool
	m := mediumOf(cur)
	for i := range cur.Attributes {
		b := &cur.Attributes[i]
		a := old.Attribute(b.ID)
		if a == nil || seen[b.ID] || isGauge(b) || a.Name != b.Name {
			continue
		}
		seen[b.ID] = true
		if k, ok := counterOf(b, m); ok && rules[k].bits != 0 {
			if _, ok := attributeCount(b, rules[k].bits); ok {
				continue // compared by growth
			}
		}
		x, ok1 := wholeRaw(a)
		y, ok2 := wholeRaw(b)
		if ok1 && ok2 {
			d.add(attributeSource(b.ID, b.Name), x, y, 64, false)
		}
	}
}

// wholeRaw returns the raw value as a number. Values that consist of several numbers are
// left out: their sum is not a count.
func wholeRaw(a *smart.Attribute) (uint64, bool) {
	if a.Raw.Number.OK {
		if strings.ContainsAny(a.Raw.Text, "(/") {
			return hoursOnly(a)
		}
		return a.Raw.Number.V, true
	}
	v, ok := a.Raw.Uint48()
	if !ok || strings.ContainsAny(a.Raw.Text, "(/") {
		return hoursOnly(a)
	}
	switch a.ID {
	case 4, 9, 12, 193, 225, 240: // some drives keep something else in the upper bytes
		v &= 0xffffffff
	}
	return v, v != 1<<48-1 && v != 1<<32-1
}

// hoursOnly returns the lower bytes of attributes that are a number with details in
// parentheses.
func hoursOnly(a *smart.Attribute) (uint64, bool) {
	switch a.ID {
	case 9, 240:
		v, ok := a.Raw.Uint48()
		return v & 0xffffff, ok
	}
	return 0, false
}

// more compares what is not in the attribute table.
func (d *Delta) more(old, cur *smart.Snapshot) {
	if a, b := old.PowerOn, cur.PowerOn; a.OK && b.OK {
		d.add("power-on hours", uint64(a.V/time.Hour), uint64(b.V/time.Hour), 48, false)
	}
	if a, b := old.Temp.Current, cur.Temp.Current; a.OK && b.OK && a.C >= 0 && b.C >= 0 {
		d.add("temperature", uint64(a.C), uint64(b.C), 16, true)
	}
	if a, b := old.Endurance.Used, cur.Endurance.Used; a.OK && b.OK {
		d.add("endurance used", uint64(a.V), uint64(b.V), 16, true)
	}
	if a, b := old.Errors.Count, cur.Errors.Count; a.OK && b.OK {
		bits := uint(48)
		if cur.NVMe == nil {
			bits = 16
		}
		if c := d.add("errors logged", a.V, b.V, bits, false); c.Grown.V > 0 && cur.NVMe == nil {
			d.find(smart.Finding{
				Rule: "errors-logged", Severity: smart.Watch, Since: cur.Taken, Source: "error log", Key: "log",
				Value: smart.Some(float64(b.V)), Unit: "errors",
				Evidence: fmt.Sprintf("%d, then %d", a.V, b.V), Detail: "commands failed since",
			})
		}
	}
	if a, b := old.NVMe, cur.NVMe; a != nil && b != nil {
		for _, c := range []struct {
			name string
			a, b smart.Opt[smart.Uint128]
		}{
			{"NVMe data units written", a.UnitsWritten, b.UnitsWritten}, {"NVMe data units read", a.UnitsRead,
				b.UnitsRead},
			{"NVMe unsafe shutdowns", a.UnsafeShutdowns, b.UnsafeShutdowns}, {"NVMe error log entries",
				a.ErrorLogCount, b.ErrorLogCount},
		} {
			x, fits1 := c.a.V.Uint64()
			y, fits2 := c.b.V.Uint64()
			if c.a.OK && c.b.OK && fits1 && fits2 {
				d.add(c.name, x, y, 64, false)
			}
		}
	}
	if a, b := old.Exit, cur.Exit; a.OK && b.OK && a.V != b.V {
		d.add("exit status", uint64(a.V), uint64(b.V), 16, true)
	}
}
