package smart

import (
	"slices"
	"strings"

	"dougu.internal/internal/enum"
	"dougu.internal/smart/internal/scan"
)

// Endurance is the wear of a drive with flash memory.
type Endurance struct {
	// Used is the used part of the endurance in percent. It can exceed 100.
	Used Opt[uint16] `json:"used,omitzero"`
	// From is the source of Used.
	From EnduranceSource `json:"from"`
	// Attribute is the identifier of the ATA attribute if From is
	// [EnduranceAttribute].
	Attribute uint8 `json:"attribute,omitzero"`
	// Rising means that the value of the attribute rises with the wear. Most attributes
	// fall from 100.
	Rising bool `json:"rising,omitzero"`
	// Spare is the remaining part of the spare blocks in percent, and SpareThreshold the
	// limit below which the drive is unreliable.
	Spare          Opt[uint8] `json:"spare,omitzero"`
	SpareThreshold Opt[uint8] `json:"spareThreshold,omitzero"`
}

// EnduranceSource is the source of [Endurance.Used]. The zero value means unknown.
type EnduranceSource uint8

// The sources, from the best to the worst.
const (
	// EnduranceStatistics is page 7 of the device statistics.
	EnduranceStatistics EnduranceSource = iota + 1
	// EnduranceNVMe is the NVMe health log.
	EnduranceNVMe
	// EnduranceSCSI is SCSI log page 11h.
	EnduranceSCSI
	// EnduranceTool is the summary of smartctl 7.5 and later.
	EnduranceTool
	// EnduranceAttribute is an ATA attribute.
	EnduranceAttribute
)

var enduranceSources = enum.Names[EnduranceSource]{Type: "smart: endurance source", Words: map[EnduranceSource]string{
	0: "unknown", EnduranceStatistics: "device-statistics", EnduranceNVMe: "nvme", EnduranceSCSI: "scsi",
	EnduranceTool: "tool", EnduranceAttribute: "attribute",
}}

// String returns the name of the source.
func (e EnduranceSource) String() string { return enduranceSources.String(e) }

// MarshalText returns the name of the source. It fails if e is not valid.
func (e EnduranceSource) MarshalText() ([]byte, error) { return enduranceSources.Text(e) }

// UnmarshalText sets e from the name of a source.
func (e *EnduranceSource) UnmarshalText(text []byte) error { return enduranceSources.Parse(text, e) }

// direction is the direction in which the value of an attribute changes with wear.
type direction uint8

const (
	falling direction = iota + 1 // from 100 to 0
	rising                       // from 0 to 100 and more
	rawLeft                      // the raw number falls from 100
	unsure                       // the name contradicts itself in practice: value and raw number must agree
)

// wearNames are the names of attributes about wear, in the drive databases of
// smartmontools 7.3 to 8.0. An identifier alone is not enough: each of them has other
// meanings on other drives. A name that ends with "*" is a prefix.
var wearNames = []struct {
	name string
	ids  []uint8
	dir  direction
}{
	{"SSD_Life_Left*", []uint8{202, 209, 231, 232, 233}, falling},
	{"Lifetime_Left*", []uint8{202, 209, 231, 233}, falling},
	{"Life_Left*", []uint8{231}, falling},
	{"Media_Wearout_Indicator", []uint8{230}, rising},
	{"Media_Wearout*", []uint8{177, 226, 232, 233, 245}, falling},
	{"Wear_Leveling_Count", []uint8{173, 177}, falling},
	{"Wear_Leveling*", []uint8{173, 177}, falling},
	{"Remaining_Lifetime_Perc", []uint8{169, 209, 231, 233}, rawLeft},
	{"Remaining_Life*", []uint8{169, 202, 209, 231, 233}, falling},
	{"Percent_Lifetime_Remain*", []uint8{201, 202, 231, 233}, falling},
	{"Percent_Life_Remain*", []uint8{169, 201, 202, 231, 233}, falling},
	{"Percent_Lifetime_Used", []uint8{173, 202, 232}, unsure},
	{"Perc_Rated_Life_Used", []uint8{173, 202, 232}, unsure},
	{"Percent_Life_Used", []uint8{173, 202, 232}, unsure},
	{"Drive_Life_Used%", []uint8{173, 202, 232}, unsure},
}

func wearDirection(a *Attribute) direction {
	for i := range wearNames {
		w := &wearNames[i]
		prefix, open := strings.CutSuffix(w.name, "*")
		if (a.Name == prefix || open && strings.HasPrefix(a.Name, prefix)) && slices.Contains(w.ids, a.ID) {
			return w.dir
		}
	}
	return 0
}

// wear returns the used part of the endurance in percent.
func (a *Attribute) wear() (used Opt[uint16], up bool) {
	value := Opt[uint16]{uint16(a.Value), a.Has&HasValue != 0 && a.Value <= 100}
	raw := Opt[uint16]{}
	if v, n, ok := scan.Uint(a.Raw.Text); ok && n == len(a.Raw.Text) && v <= 1000 {
		raw = Some(uint16(v))
	} else if v, ok := a.Raw.Uint48(); ok && a.Raw.Text == "" && v <= 1000 {
		raw = Some(uint16(v))
	}
	switch wearDirection(a) {
	case falling:
		// A value of 0 is the end of the scale on some drives and "not used" on others: it
		// counts only if the lowest value ever is near.
		if value.OK && a.Value == 0 && (a.Has&HasWorst == 0 || a.Worst > 10) {
			return used, false
		}
		if value.OK {
			return Some(100 - value.V), false
		}
	case rawLeft:
		switch {
		case value.OK && a.Value > 0:
			return Some(100 - value.V), false
		case raw.OK && raw.V <= 100:
			return Some(100 - raw.V), false
		}
	case rising:
		if value.OK {
			return value, true
		}
	case unsure:
		switch {
		case value.OK && raw.OK && value.V == raw.V:
			return raw, true
		case value.OK && raw.OK && raw.V <= 100 && value.V == 100-raw.V:
			return raw, false
		case raw.OK && !value.OK && raw.V <= 255 && a.Has&HasValue == 0:
			return raw, true
		}
	}
	return used, false
}

// concludeEndurance chooses the best source of the wear and of the spare.
func (s *Snapshot) concludeEndurance() {
	e := &s.Endurance
	*e = Endurance{}
	set := func(used Opt[uint16], from EnduranceSource) bool {
		if used.OK && !e.Used.OK {
			e.Used, e.From = used, from
			return true
		}
		return false
	}
	wide := func(v Opt[uint8]) Opt[uint16] { return Opt[uint16]{uint16(v.V), v.OK} }
	if v, ok := s.Stat(7, 8); ok && v >= 0 && v <= 255 {
		set(Some(uint16(v)), EnduranceStatistics)
	}
	if n := s.NVMe; n != nil {
		set(wide(n.Used), EnduranceNVMe)
		if n.Spare.OK && n.Spare.V <= 100 {
			e.Spare, e.SpareThreshold = n.Spare, n.SpareThreshold
		}
	}
	if h := s.SCSI; h != nil {
		set(wide(h.Used), EnduranceSCSI)
	}
	if y := s.Summary; y != nil {
		set(y.Used, EnduranceTool)
	}
	if !e.Used.OK && !s.rotates() {
		for i := range s.Attributes {
			a := &s.Attributes[i]
			if used, up := a.wear(); set(used, EnduranceAttribute) {
				e.Attribute, e.Rising = a.ID, up
			}
		}
	}
	// smartctl prints a spare for rotating disks as well; it is the value of attribute 5.
	if y := s.Summary; y != nil && !e.Spare.OK && y.Spare.OK && y.Spare.V <= 100 && !s.rotates() {
		e.Spare, e.SpareThreshold = y.Spare, y.SpareThreshold
	}
}

// rotates reports whether the drive is known to have a spindle.
func (s *Snapshot) rotates() bool { return s.Identity.Rotation.OK && s.Identity.Rotation.V > 0 }
