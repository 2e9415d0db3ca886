package smart_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/smart"
)

// viewOf writes the model as lines, for a comparison of two kinds of evidence about
// one device. What a text cannot tell is left out when text is set: the higher flag
// bits of the brief form, numbers behind a reordered raw value, seconds.
func viewOf(s *smart.Snapshot, text bool) []string {
	var v []string
	add := func(format string, args ...any) { v = append(v, fmt.Sprintf(format, args...)) }
	id := s.Identity
	add("model %q serial %q firmware %q wwn %q family %q vendor %q", id.Model, id.Serial, id.Firmware, id.WWN, id.Family, id.Vendor)
	add("capacity %v sectors %v %v rotation %v form %q db %v support %v %v", id.Capacity, id.LogicalSector, id.PhysicalSector,
		id.Rotation, id.FormFactor, id.InDatabase, id.SMARTAvailable, id.SMARTEnabled)
	add("health %v inferred %v", s.Health.Status, s.Health.Inferred)
	t := s.Temp
	for _, x := range []struct {
		name string
		v    smart.TempValue
	}{
		{"current", t.Current}, {"lifetime min", t.LifetimeMin}, {"lifetime max", t.LifetimeMax}, {"cycle min", t.CycleMin}, {"cycle max", t.CycleMax},
		{"op min", t.OpMin}, {"op max", t.OpMax}, {"limit min", t.LimitMin}, {"limit max", t.LimitMax}, {"critical", t.Critical}, {"trip", t.Trip},
	} {
		if x.v.OK {
			from := x.v.From
			if from == smart.FromTool && s.Device.Protocol == "ATA" && x.name == "current" {
				from = smart.FromAttribute // of a format that the document does not name
			}
			add("temperature %s %d from %v", x.name, x.v.C, from)
		}
	}
	add("power on %v cycles %v", s.PowerOn, s.PowerCycles)
	add("attributes revision %v", s.AttributeRevision)
	for i := range s.Attributes {
		a := &s.Attributes[i]
		worst := a.Worst
		if a.Has&smart.HasWorst == 0 {
			worst = 0
		}
		line := fmt.Sprintf("attribute %d %q flags %v %#04x value %d worst %d thresh %d has %04b state %v raw %q",
			a.ID, a.Name, a.Flags, uint16(a.Flags), a.Value, worst, a.Thresh, a.Has, a.State, a.AppendRaw(nil))
		if a.Has&smart.HasValue == 0 { // the numbers are there in the pages only
			line = fmt.Sprintf("attribute %d %q flags %#04x state %v raw %q", a.ID, a.Name, uint16(a.Flags), a.State, a.AppendRaw(nil))
		}
		if !text {
			line += fmt.Sprintf(" number %d", a.RawNumber())
		}
		add("%s", line)
	}
	if o := s.Offline; o != nil {
		add("offline %02x %v %d %02x %v %v %v", o.CollectionStatus, o.SelfTestStatus, o.CollectionSeconds, o.Capabilities, o.ShortMinutes, o.ExtendedMinutes,
			o.ConveyanceMinutes)
	}
	for _, x := range s.SelfTests {
		add("self-test %d %q %q hours %v lba %v code %v failed %v", x.Num, x.Kind, x.Result, x.Hours, x.LBA, x.Code, x.Failed())
	}
	add("errors %v", s.Errors.Count)
	for _, e := range s.Errors.Entries {
		add("error %d hours %v status %02x error %02x count %d device %02x lba %v nvme %v", e.Number, e.Hours, e.Status, e.Error, e.Count, e.Device, e.LBA, e.NVMeStatus)
	}
	if c := s.SCT; c != nil {
		add("sct %+v", *c)
	}
	if h := s.History; h != nil {
		add("history %+v", *h)
	}
	for _, st := range s.Stats {
		if text { // the reserved bits are not printed one by one
			st.Flags &^= 7
		}
		add("stat %+v", st)
	}
	if n := s.NVMe; n != nil {
		add("nvme %+v", *n)
	}
	return append(v, viewSCSI(s.SCSI)...)
}

func viewSCSI(h *smart.SCSIHealth) (v []string) {
	if h == nil {
		return nil
	}
	add := func(format string, args ...any) { v = append(v, fmt.Sprintf(format, args...)) }
	add("scsi grown %v non-medium %v used %v minutes %v asc %v %v", h.GrownDefects, h.NonMedium, h.Used, h.PowerOnMinutes, h.ASC, h.ASCQ)
	if h.Environment != nil {
		add("environment %+v", *h.Environment)
	}
	for i, c := range []*smart.ErrorCounters{h.Read, h.Write, h.Verify} {
		if c != nil {
			add("counters %d %+v", i, *c)
		}
	}
	if h.StartStop != nil {
		add("start-stop %+v", *h.StartStop)
	}
	return v
}

// assertEqual reports whether two views are equal, and logs the lines that differ.
func assertEqual(t *testing.T, a, b []string) bool {
	t.Helper()
	if slices.Equal(a, b) {
		return true
	}
	left, right := map[string]int{}, map[string]int{}
	for _, l := range a {
		left[l]++
	}
	for _, l := range b {
		right[l]++
	}
	n := 0
	for _, l := range a {
		if right[l] == 0 && n < 12 {
			t.Logf("- %s", l)
			n++
		}
	}
	for _, l := range b {
		if left[l] == 0 && n < 24 {
			t.Logf("+ %s", l)
			n++
		}
	}
	return false
}

// checkRevealed requires that each raw byte that the text is said to reveal is the
// byte of the page. It holds for the byte order that a text does not tell.
func checkRevealed(t *testing.T, name string, raw, text *smart.Snapshot) {
	t.Helper()
	for i := range raw.Attributes {
		a, b := &raw.Attributes[i], &text.Attributes[i]
		if !usual(a) {
			continue
		}
		for k := range 6 {
			if b.Raw.Known>>k&1 != 0 {
				require.Equal(t, a.Raw.Bytes[k], b.Raw.Bytes[k], "%s: byte %d of %d, printed %q as %v", name, k, a.ID, b.Raw.Text, a.Format)
			}
		}
	}
}

// usual reports whether an attribute is printed in the format that its id has
// without presets.
func usual(a *smart.Attribute) bool {
	if a.Format.Order != "" {
		return false
	}
	want := smart.Raw48
	switch a.ID {
	case 3:
		want = smart.Raw16Avg16
	case 5, 196:
		want = smart.Raw16Raw16
	case 9, 240:
		want = smart.Raw24Raw8
	case 190, 194:
		want = smart.TempMinMax
	}
	return a.Format.Kind == want
}

// leftOut reports whether a warning is about a value that cannot be true. smartctl
// prints such values.
func leftOut(w smart.Warning) bool {
	return strings.Contains(w.Msg, "left out") || strings.Contains(w.Msg, "no sensor")
}

// checkSummary compares the temperatures with the summary that smartctl makes. It has
// no temperature of 0 and below from an attribute, where the model keeps one that is
// plausible as a whole, and no extremes of attribute 194.
func checkSummary(t *testing.T, name string, s *smart.Snapshot, doc []byte) {
	t.Helper()
	var d struct {
		Temperature map[string]int `json:"temperature"`
	}
	require.NoError(t, json.Unmarshal(doc, &d))
	for key, v := range map[string]smart.TempValue{
		"current": s.Temp.Current, "lifetime_min": s.Temp.LifetimeMin, "lifetime_max": s.Temp.LifetimeMax,
		"power_cycle_min": s.Temp.CycleMin, "power_cycle_max": s.Temp.CycleMax, "op_limit_min": s.Temp.OpMin, "op_limit_max": s.Temp.OpMax,
		"limit_min": s.Temp.LimitMin, "limit_max": s.Temp.LimitMax,
	} {
		want, there := d.Temperature[key]
		if !there && v.OK && (v.From == smart.FromAttribute && (v.C <= 0 || key != "current") || v.From == smart.FromInference || v.From == smart.FromNVMe) {
			continue
		}
		if there && s.Device.Protocol == "SCSI" && want == 0 {
			continue
		}
		if slices.ContainsFunc(s.Warnings, leftOut) || strings.Contains(key, "limit") && (want < -60 || want > 150) {
			continue // the tool prints what cannot be true
		}
		if want != int(v.C) || there != v.OK {
			t.Fatalf("%s: temperature %s is %d (%v) for smartctl, and %+v here", name, key, want, there, v)
		}
	}
}
