package judge

import (
	"fmt"
	"math"
	"strings"
	"time"

	"dougu.internal/diag"
	"dougu.internal/smart"
)

// Delta is what changed between two snapshots of one drive.
type Delta struct {
	// Elapsed is the time between the two: by the clock where both name it, else by the
	// power-on time; absent when neither tells.
	Elapsed smart.Opt[time.Duration] `json:"elapsed,omitzero"`
	// OldFirmware and NewFirmware differ when the firmware was changed.
	OldFirmware string         `json:"oldFirmware,omitzero"`
	NewFirmware string         `json:"newFirmware,omitzero"`
	Counters    []Change       `json:"counters,omitzero"`
	Findings    smart.Findings `json:"findings,omitzero"`
}

// Change is the change of one counter.
type Change struct {
	// Name of the counter, such as "attribute 5 Reallocated_Sector_Ct".
	Name string `json:"name,omitzero"`
	Old  uint64 `json:"old"`
	New  uint64 `json:"new"`
	// Grown is how much the counter grew; absent after a reset.
	Grown smart.Opt[uint64] `json:"grown,omitzero"`
	// PerDay is the growth in a day of Elapsed; absent when Elapsed is.
	PerDay smart.Opt[float64] `json:"perDay,omitzero"`
	// Wrapped tells that a counter of 16 bits began again.
	Wrapped bool `json:"wrapped"`
	// Reset tells that the counter is lower than before: it was reset, or it wrapped in
	// a way that its size does not explain. No rate is made of it.
	Reset bool `json:"reset"`
}

// thing returns the key of the counter in findings.
func (c *Change) thing() string {
	if rest, ok := strings.CutPrefix(c.Name, "attribute "); ok {
		id, _, _ := strings.Cut(rest, " ")
		return "attribute-" + id
	}
	return strings.ToLower(strings.ReplaceAll(c.Name, " ", "-"))
}

// Compare tells what changed from old to cur. Both need the same model and serial
// number: the error wraps [ErrDifferentDrive] when they differ and [ErrNoData] when one
// of them names no serial number.
func Compare(old, cur *smart.Snapshot) (Delta, error) {
	a, b := &old.Identity, &cur.Identity
	switch {
	case a.Serial == "" || b.Serial == "":
		return Delta{}, errs.Errorf("comparing wants the serial number in both snapshots: %w", smart.ErrNoData)
	case a.Serial != b.Serial || a.Model != b.Model:
		return Delta{}, errs.Errorf("%w: %s %s, then %s %s: the drive was replaced, or the device names another one",
			ErrDifferentDrive, diag.Sanitize(a.Model), diag.Sanitize(a.Serial), diag.Sanitize(b.Model), diag.Sanitize(b.Serial))
	}
	d := Delta{OldFirmware: a.Firmware, NewFirmware: b.Firmware}
	d.elapsed(old, cur)
	if a.Firmware != b.Firmware && a.Firmware != "" && b.Firmware != "" {
		d.find(smart.Finding{
			Rule: "firmware-changed", Severity: smart.Info, Since: cur.Taken, Evidence: a.Firmware + ", then " + b.Firmware, Source: "identity",
			Detail: "the firmware was changed; counters may have another meaning since",
		})
	}
	d.attributes(old, cur)
	d.more(old, cur)
	for i := range d.Counters {
		if c := &d.Counters[i]; c.Reset {
			d.find(smart.Finding{
				Rule: "counter-reset", Severity: smart.Info, Since: cur.Taken, Evidence: fmt.Sprintf("%d, then %d", c.Old, c.New), Source: c.Name,
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

// add notes the change of a counter that has the given number of bits. A counter of 16
// bits that went from the upper to the lower quarter has wrapped.
func (d *Delta) add(name string, from, to uint64, bits int) *Change {
	c := Change{Name: name, Old: from, New: to}
	switch {
	case to >= from:
		c.Grown = smart.Some(to - from)
	case bits == 16 && from >= 0xc000 && from <= 0xffff && to < 0x4000:
		c.Grown, c.Wrapped = smart.Some(to+0x10000-from), true
	default:
		c.Reset = true
	}
	if e := d.Elapsed; e.OK && e.V > 0 && c.Grown.OK {
		rate := float64(c.Grown.V) / (e.V.Hours() / 24)
		if !math.IsInf(rate, 0) {
			c.PerDay = smart.Some(rate)
		}
	}
	d.Counters = append(d.Counters, c)
	return &d.Counters[len(d.Counters)-1]
}

// gauges are attributes that go up and down: there is no growth in them.
func gauge(id uint8) bool {
	switch id {
	case 2, 3, 8, 22, 190, 194, 195, 206, 226, 231, 232, 233:
		return true
	}
	return false
}

func (d *Delta) attributes(old, cur *smart.Snapshot) {
	seen := [256]bool{}
	for i := range cur.Attributes {
		b := &cur.Attributes[i]
		a := old.Attribute(b.ID)
		if a == nil || seen[b.ID] || gauge(b.ID) {
			continue
		}
		seen[b.ID] = true
		x, ok1 := errorCount(a)
		y, ok2 := errorCount(b)
		bits := 48
		if b.ID == 9 || b.ID == 12 || b.ID == 4 || b.ID == 193 {
			x, ok1 = a.Raw.Uint48()
			y, ok2 = b.Raw.Uint48()
			x, y = x&0xffffff, y&0xffffff
		}
		if b.ID == 5 || b.ID == 196 || b.ID == 188 {
			bits = 16
		}
		if !ok1 || !ok2 {
			continue
		}
		c := d.add(fmt.Sprintf("attribute %d %s", b.ID, b.Name), x, y, bits)
		for _, p := range predictors {
			if p.id == b.ID && c.Grown.OK && c.Grown.V > 0 {
				d.find(smart.Finding{
					Rule: "attribute-growing", Severity: smart.Act, Since: cur.Taken, Source: c.Name, Key: c.thing(), Attribute: b.ID, Value: smart.Some(float64(y)), Unit: p.unit,
					Evidence: fmt.Sprintf("%d, then %d", x, y), Detail: "a counter that predicts failure is growing: save the data and replace the drive",
				})
			}
		}
	}
}

// more compares what is not in the attribute table.
func (d *Delta) more(old, cur *smart.Snapshot) {
	if a, b := old.PowerOn, cur.PowerOn; a.OK && b.OK {
		d.add("power-on hours", uint64(a.V/time.Hour), uint64(b.V/time.Hour), 48)
	}
	if a, b := old.Errors.Count, cur.Errors.Count; a.OK && b.OK {
		bits := 48
		if cur.NVMe == nil {
			bits = 16
		}
		if c := d.add("errors logged", a.V, b.V, bits); c.Grown.V > 0 && cur.NVMe == nil {
			d.find(smart.Finding{
				Rule: "errors-logged", Severity: smart.Watch, Since: cur.Taken, Source: "error log", Key: "log", Value: smart.Some(float64(b.V)), Unit: "errors", Evidence: fmt.Sprintf("%d, then %d", a.V, b.V),
				Detail: "commands have failed since",
			})
		}
	}
	if old.NVMe != nil && cur.NVMe != nil {
		for _, c := range []struct {
			name string
			a, b smart.Opt[smart.Uint128]
		}{
			{"NVMe data units written", old.NVMe.UnitsWritten, cur.NVMe.UnitsWritten}, {"NVMe data units read", old.NVMe.UnitsRead, cur.NVMe.UnitsRead},
			{"NVMe media errors", old.NVMe.MediaErrors, cur.NVMe.MediaErrors}, {"NVMe unsafe shutdowns", old.NVMe.UnsafeShutdowns, cur.NVMe.UnsafeShutdowns},
		} {
			x, fits1 := c.a.V.Uint64()
			y, fits2 := c.b.V.Uint64()
			if !c.a.OK || !c.b.OK || !fits1 || !fits2 {
				continue
			}
			if g := d.add(c.name, x, y, 64); g.Grown.V > 0 && c.name == "NVMe media errors" {
				d.find(smart.Finding{
					Rule: "attribute-growing", Severity: smart.Act, Since: cur.Taken, Source: c.name, Key: g.thing(), Value: smart.Some(float64(y)), Unit: "errors", Evidence: fmt.Sprintf("%d, then %d", x, y),
					Detail: "media errors are growing: save the data and replace the drive",
				})
			}
		}
	}
	if old.SCSI != nil && cur.SCSI != nil {
		if a, b := old.SCSI.GrownDefects, cur.SCSI.GrownDefects; a.OK && b.OK {
			if g := d.add("grown defects", a.V, b.V, 64); g.Grown.V > 0 {
				d.find(smart.Finding{
					Rule: "attribute-growing", Severity: smart.Act, Since: cur.Taken, Source: g.Name, Key: g.thing(), Value: smart.Some(float64(b.V)), Unit: "sectors", Evidence: fmt.Sprintf("%d, then %d", a.V, b.V),
					Detail: "the grown defect list is growing: save the data and replace the drive",
				})
			}
		}
	}
}
