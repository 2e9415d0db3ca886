package smart

import (
	"strings"
	"time"

	"dougu.internal/smart/internal/scan"
)

// Conclude derives health, temperatures, power-on time and power cycles from the parts
// of a snapshot that was put together by hand from [DecodeNVMe] and [DecodeSCSI]. All
// other ways to a snapshot call it themselves.
func (s *Snapshot) Conclude() { s.conclude() }

// conclude derives the temperatures, the power-on time and the power cycles from
// the parts of the snapshot. It may be called again when parts are added.
//
// Where several sources know the same thing, the later one of attribute, SCT status,
// SCT history and device statistics wins, which is the order in which smartctl -x
// reads them; the source of each value is kept beside it.
func (s *Snapshot) conclude() {
	s.concludeSCSI()
	s.concludeNVMe()
	s.attributeTemperature(true)
	t := &s.Temp
	if c := s.SCT; c != nil {
		set8(&t.Current, c.Current, FromSCT)
		set8(&t.CycleMin, c.CycleMin, FromSCT)
		set8(&t.CycleMax, c.CycleMax, FromSCT)
		set8(&t.LifetimeMin, c.LifetimeMin, FromSCT)
		set8(&t.LifetimeMax, c.LifetimeMax, FromSCT)
		set8(&t.OpMax, c.OpLimitMax, FromSCT)
	}
	if h := s.History; h != nil {
		set8(&t.OpMin, h.OpMin, FromHistory)
		set8(&t.OpMax, h.OpMax, FromHistory)
		set8(&t.LimitMin, h.LimitMin, FromHistory)
		set8(&t.LimitMax, h.LimitMax, FromHistory)
	}
	for i := range s.Stats {
		st := &s.Stats[i]
		if !st.Value.OK {
			continue
		}
		switch {
		case st.Page == 5 && st.Value.V >= -128 && st.Value.V < 128:
			t.setStat(st.Offset, int16(st.Value.V))
		case st.Page == 1 && st.Offset == 0x10 && st.Value.V >= 0:
			s.PowerOn = Some(time.Duration(min(st.Value.V, maxHours)) * time.Hour)
		}
	}
	s.inferSeagate()
	s.counters()
}

// maxHours keeps a power-on time within a time.Duration.
const maxHours = 2_000_000

func set8(dst *TempValue, v Opt[int8], from TempSource) {
	if v.OK {
		*dst = TempValue{int16(v.V), true, from}
	}
}

func (t *Temperature) setStat(off uint16, c int16) {
	v := TempValue{c, true, FromStats}
	switch off {
	case 0x08:
		t.Current = v
	case 0x20:
		t.LifetimeMax = v
	case 0x28:
		t.LifetimeMin = v
	case 0x58:
		t.OpMax = v
	case 0x68:
		t.OpMin = v
	}
}

// attributeTemperature takes the temperature from the first of the attributes 194,
// 190, 9 and 220 that holds one. The low byte is the temperature; 0 and what is above
// 127 are not believed. Where none is left, a negative one counts when the whole raw
// value is plausible, which smartctl does not report. positive is false when a document
// says that no attribute holds one that smartctl reports.
func (s *Snapshot) attributeTemperature(positive bool) {
	for _, id := range [...]uint8{194, 190, 9, 220} {
		a := s.Attribute(id)
		if a == nil || s.Source.Format == FormatText && a.namedOther() {
			continue
		}
		r, ok := a.temperature(s.bareTemperature())
		if !ok || r.t < 0 && s.Temp.Current.OK || r.t > 0 && !positive {
			continue
		}
		s.Temp.Current = TempValue{int16(r.t), true, FromAttribute}
		s.Temp.LifetimeMin, s.Temp.LifetimeMax = s.Temp.LifetimeMin.not(FromAttribute), s.Temp.LifetimeMax.not(FromAttribute)
		if id == 194 && r.kind >= readRange {
			s.Temp.LifetimeMin = TempValue{int16(r.lo), true, FromAttribute}
			s.Temp.LifetimeMax = TempValue{int16(r.hi), true, FromAttribute}
		}
		if r.t > 0 {
			return
		}
	}
}

// namedOther reports whether a text shows attribute 194 as a number without a name: the drive's entry in the database says
// that it is no temperature (-v 194,unknown).
func (a *Attribute) namedOther() bool {
	return a.ID == 194 && a.Name == "Unknown_Attribute" && strings.Trim(a.Raw.Text, "0123456789") == ""
}

// not returns the value, or an absent one when it is from that source.
func (v TempValue) not(from TempSource) TempValue {
	if v.From == from {
		return TempValue{}
	}
	return v
}

// bareTemperature reports whether attribute 190 may be printed as a bare number: so did
// smartctl up to 5.37.
func (s *Snapshot) bareTemperature() bool {
	v := s.Source.Version
	return s.Source.Format == FormatText && (v == "" || v < "5.38" && len(v) <= 5)
}

// temperature reads the attribute as a temperature; bare allows the bare number of old
// versions for attribute 190.
func (a *Attribute) temperature(bare bool) (reading, bool) {
	kind := a.Format.Kind
	if kind == FormatUnknown {
		kind = defaultFormat(a.ID)
		if (a.ID == 9 || a.ID == 220) && hasPrefix(a.Name, "Temperature_Cel") {
			kind = TempMinMax
		}
		if a.Raw.Text != "" && kind == TempMinMax {
			return a.printedTemperature(bare)
		}
	}
	switch kind {
	case TempMinMax:
		if a.Raw.Known&KnownAll != KnownAll {
			return a.printedTemperature(bare)
		}
		v := a.number(a.Format)
		r := readTemp(v)
		r.t = int8(v)
		return r, r.t > 0 || r.t < 0 && r.kind != readNothing
	case Temp10x:
		v := (uint32(uint16(a.number(a.Format))) + 5) / 10
		return reading{t: int8(v), kind: readBare}, v > 0 && v < 128
	}
	return reading{}, false
}

// printedTemperature reads the temperature from the printed raw value. What smartctl
// up to 5.41 calls "Lifetime Min/Max" is left alone here: see inferSeagate.
func (a *Attribute) printedTemperature(bare bool) (reading, bool) {
	var s shape
	if !shapeOf(a.Raw.Text, &s) {
		return reading{}, false
	}
	t := s.signed(0)
	switch s.sep() {
	case "#", "#.#", "# (# # # # #)", "# (# # # #)", "# (Min/Max #/#)", "# (Min/Max #/# ##)", "# (Lifetime Min/Max #/#)":
	default:
		return reading{}, false
	}
	if s.sep() == "#.#" { // temp10x
		t = (int(min(s.num[0], 1<<20))*10 + int(min(s.num[1], 9)) + 5) / 10
	} else if bare && a.ID == 190 && s.sep() == "#" && t >= 256 {
		// Before 5.38 attribute 190 was printed as a bare number.
		r := readTemp(s.num[0])
		return r, r.kind != readNothing && r.t != 0 && s.num[0] < 1<<48
	}
	if t == 0 || t < -128 || t > 127 {
		return reading{}, false
	}
	r := reading{t: int8(t), kind: readBare}
	switch s.sep() {
	case "# (Min/Max #/#)", "# (Min/Max #/# ##)", "# (Lifetime Min/Max #/#)":
		lo, hi := s.signed(1), s.signed(2)
		if lo >= -60 && lo <= t && t <= hi && hi <= 120 {
			r.lo, r.hi, r.kind = int8(lo), int8(hi), readRange
		}
	}
	return r, true
}

func (s *shape) signed(i int) int {
	v := int(min(s.num[i], 1<<20))
	if s.neg[i] {
		return -v
	}
	return v
}

// inferSeagate finds the lowest and the highest temperature ever in attribute 194 of
// older Seagate drives: byte 4 is the lowest, the WORST column the highest. smartctl
// prints the first as "Lifetime Min/Max 0/16" up to 5.37, "(0 16 0 0)" up to 5.41
// and "(0 16 0 0 0)" since, and no version names it rightly.
//
// Nothing is inferred unless lowest <= current <= highest and the other bytes are
// zero. Where the evidence names no model, the drive must behave like a Seagate: its
// normalised value is the temperature itself.
func (s *Snapshot) inferSeagate() {
	a := s.Attribute(194)
	if a == nil || a.Has&(HasValue|HasWorst) != HasValue|HasWorst || a.Format.Order != "" {
		return
	}
	if k := a.Format.Kind; k != FormatUnknown && k != TempMinMax { // unknown: a text
		return
	}
	t, low, ok := a.seagateBytes()
	if !ok || low == 0 || low > t || t > int(a.Worst) || a.Worst > 120 {
		return
	}
	if s.Identity.Model == "" && int(a.Value) != t || s.Identity.Model != "" && !s.Identity.seagate() {
		return
	}
	if !s.Temp.LifetimeMin.OK {
		s.Temp.LifetimeMin = TempValue{int16(low), true, FromInference}
	}
	if !s.Temp.LifetimeMax.OK {
		s.Temp.LifetimeMax = TempValue{int16(a.Worst), true, FromInference}
	}
}

// seagateBytes returns bytes 0 and 4 when the others are zero or not known.
func (a *Attribute) seagateBytes() (t, low int, ok bool) {
	r := &a.Raw
	const shown = 1<<0 | 1<<2 | 1<<3 | 1<<4 | 1<<5
	if r.Known&shown == shown {
		if r.Bytes[1]|r.Bytes[2]|r.Bytes[3]|r.Bytes[5] != 0 {
			return 0, 0, false
		}
		return int(r.Bytes[0]), int(r.Bytes[4]), true
	}
	// The oldest form sorts two words: one of them is 0, the other the lowest.
	var s shape
	if shapeOf(r.Text, &s) && s.sep() == "# (Lifetime Min/Max #/#)" && s.num[1] == 0 && s.below(128) {
		return int(s.num[0]), int(s.num[2]), true
	}
	return 0, 0, false
}

// seagate reports whether the drive is of Seagate's make.
func (id *Identity) seagate() bool {
	m := id.Model
	return len(m) > 3 && (m[:2] == "ST" && scan.Digit(m[2]) || hasPrefix(m, "SEAGATE") || hasPrefix(m, "Seagate")) ||
		hasPrefix(id.Family, "Seagate")
}

func hasPrefix(s, p string) bool { return len(s) >= len(p) && s[:len(p)] == p }

// counters takes the power-on time and the power cycles from attributes 9 and 12
// where nothing better is known. Vendors use both ids for other things, under other
// names.
//
// Where a table holds an id twice, the last row that makes sense counts, as it does for
// smartctl.
func (s *Snapshot) counters() {
	hours, cycles := s.PowerOn.OK, s.PowerCycles.OK
	for i := range s.Attributes {
		a := &s.Attributes[i]
		switch {
		case a.ID == 9 && !hours && hasPrefix(a.Name, "Power_On_"):
			if p := a.powerOn(); p.OK {
				s.PowerOn = p
			}
		case a.ID == 12 && !cycles && a.Name == "Power_Cycle_Count":
			v, ok := a.Raw.Uint48()
			if k := a.Format.Kind; k != FormatUnknown {
				v = a.number(a.Format)
				ok = k == Raw48 || k == Raw64 || k == Raw16Raw16 || k == Raw24Raw8
			}
			if ok && v <= maxCount {
				s.PowerCycles = Some(v)
			}
		}
	}
	if v, ok := s.Stat(1, 8); ok && v >= 0 {
		s.PowerCycles = Some(uint64(v))
	}
}

// maxCount is the greatest count of hours or cycles that is believed.
const maxCount = 0xffffff

// powerOn reads attribute 9 in its format, or from its printed form. Drives that keep
// something else in the upper three bytes, printed "918 (146 24 0)", do count hours in
// the lower ones, although smartctl's JSON then has no power_on_time.
func (a *Attribute) powerOn() (p Opt[time.Duration]) {
	hours := func(h, m uint64) Opt[time.Duration] {
		if h > maxCount || h > maxHours {
			return p
		}
		if m >= 60 {
			m = 0
		}
		return Some(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute)
	}
	if a.Raw.Text == "" {
		v := a.number(a.Format)
		switch a.Format.Kind {
		case Raw24Raw8:
			return hours(v&0xffffff, 0)
		case FormatUnknown, Raw48, Raw16Raw16, Raw64:
			return hours(v, 0)
		case Sec2Hour:
			return hours(v/3600, v/60%60)
		case Min2Hour:
			return hours(v/60, v%60)
		case HalfMin2Hour:
			return hours(v/120, v%120/2)
		case Msec24Hour32:
			return hours(v&0xffffffff, v>>32/60000)
		}
		return p
	}
	var s shape
	if !shapeOf(a.Raw.Text, &s) || s.neg[0] {
		return p
	}
	switch s.sep() {
	case "#", "# (# # #)":
		return hours(s.num[0], 0)
	case "#h+#m+#s", "#h+#m", "#h+#m+#.#s":
		return hours(s.num[0], s.num[1])
	}
	return p
}
