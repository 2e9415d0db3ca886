package smart

import (
	"dougu.internal/internal/enum"
)

// Attribute is one row of the ATA attribute table.
type Attribute struct {
	ID   uint8  `json:"id"`
	Name string `json:"name,omitzero"`
	// Flags are the 16 flag bits of the row.
	Flags Flags `json:"flags"`
	// Value, Worst and Thresh are the normalised numbers. Has contains those that exist.
	Value  uint8  `json:"value"`
	Worst  uint8  `json:"worst"`
	Thresh uint8  `json:"thresh"`
	Has    Fields `json:"has"`
	State  State  `json:"state"`
	Raw    Raw    `json:"raw,omitzero"`
	// Format is the format in which the raw bytes are printed. Its zero value means unknown.
	Format RawFormat `json:"format,omitzero"`
}

// Fields is a set of normalised numbers of an attribute.
type Fields uint8

// The normalised numbers of an attribute.
const (
	HasValue Fields = 1 << iota
	HasWorst
	HasThresh
	HasFlags
)

var fieldBits = enum.Bits[Fields]{Type: "smart: attribute fields", Words: map[Fields]string{
	HasValue: "value", HasWorst: "worst", HasThresh: "thresh", HasFlags: "flags",
}}

// String returns the names of the numbers that exist, joined by "|".
func (f Fields) String() string { return fieldBits.String(f) }

// MarshalText returns the names of the numbers that exist, joined by "|".
func (f Fields) MarshalText() ([]byte, error) { return fieldBits.Text(f) }

// UnmarshalText sets f from names, joined by "|".
func (f *Fields) UnmarshalText(text []byte) error { return fieldBits.Parse(text, f) }

// Flags are the flag bits of an attribute.
type Flags uint16

// The flag bits that have a meaning.
const (
	Prefail     Flags = 1 << iota // P: at or below the threshold, failure is near
	Online                        // O: updated during normal operation
	Performance                   // S: measures performance
	ErrorRate                     // R: is an error rate
	EventCount                    // C: counts events
	AutoKeep                      // K: kept over power cycles
)

const flagLetters = "POSRCK"

// String returns the six letters POSRCK, each replaced by '-' when its bit is not
// set, and '+' after them when a higher bit is set.
func (f Flags) String() string {
	b := [7]byte{'-', '-', '-', '-', '-', '-', '+'}
	for i := range len(flagLetters) {
		if f>>i&1 != 0 {
			b[i] = flagLetters[i]
		}
	}
	if f>>len(flagLetters) == 0 {
		return string(b[:6])
	}
	return string(b[:])
}

var flagBits = enum.Bits[Flags]{Type: "smart: attribute flags", Open: true, Words: map[Flags]string{
	Prefail: "prefail", Online: "online", Performance: "performance", ErrorRate: "error-rate",
	EventCount: "event-count", AutoKeep: "auto-keep",
}}

// MarshalText returns the names of the flags, joined by "|". The bits without a
// name follow as one hexadecimal number.
func (f Flags) MarshalText() ([]byte, error) { return flagBits.Text(f) }

// UnmarshalText sets f from names of flags, joined by "|".
func (f *Flags) UnmarshalText(text []byte) error { return flagBits.Parse(text, f) }

// State is the result of the comparison of an attribute with its threshold.
type State uint8

// The states of an attribute, from the table and not from the tool's opinion.
const (
	// StateUnknown means that the input does not contain the state.
	StateUnknown State = iota
	// NoValue means that the raw format uses the bytes of the normalised value.
	NoValue
	// NoThreshold means that the id has no threshold.
	NoThreshold
	// StateOK means that the value is above the threshold, or that the threshold is 0.
	StateOK
	// FailedPast means that the worst value was at or below the threshold.
	FailedPast
	// FailingNow means that the value is at or below the threshold.
	FailingNow
)

var states = enum.Names[State]{Type: "smart: attribute state", Words: map[State]string{
	StateUnknown: "unknown", NoValue: "no-value", NoThreshold: "no-threshold", StateOK: "ok", FailedPast: "past",
	FailingNow: "now",
}}

// String returns "unknown", "no-value", "no-threshold", "ok", "past" or "now".
func (s State) String() string { return states.String(s) }

// MarshalText returns the name of the state. It fails if s is not valid.
func (s State) MarshalText() ([]byte, error) { return states.Text(s) }

// UnmarshalText sets s from the name of a state.
func (s *State) UnmarshalText(text []byte) error { return states.Parse(text, s) }

// Raw is the raw value of an attribute, whose meaning depends on the vendor.
type Raw struct {
	// Bytes are the six raw bytes. Bits 0 to 5 of Known are set for the bytes that the
	// input contains, and bit 6 for Extra.
	Bytes [6]byte `json:"bytes"`
	// Extra is the reserved byte after them, which some formats use.
	Extra uint8 `json:"extra"`
	Known uint8 `json:"known"`
	// Text is the raw value as the tool printed it. It is empty for pages.
	Text string `json:"text,omitzero"`
	// Number is the value as JSON prints it: up to 64 bits, after any reordering.
	Number Opt[uint64] `json:"number,omitzero"`
}

// KnownAll is the mask of Known for all six bytes, KnownExtra for the reserved one.
const (
	KnownAll   = 1<<6 - 1
	KnownExtra = 1 << 6
)

// Uint48 returns the six bytes as a little-endian number, and whether all of them
// are known.
func (r *Raw) Uint48() (uint64, bool) {
	var v uint64
	for i := 5; i >= 0; i-- {
		v = v<<8 | uint64(r.Bytes[i])
	}
	return v, r.Known&KnownAll == KnownAll
}

func (r *Raw) setUint48(v uint64) {
	for i := range r.Bytes {
		r.Bytes[i] = byte(v >> (8 * i))
	}
	r.Known |= KnownAll
}

// Hex returns the raw bytes, the highest first, as hexadecimal digits; a byte that
// the evidence does not reveal is "..". It is empty when no byte is known.
func (r *Raw) Hex() string {
	if r.Known == 0 {
		return ""
	}
	const digits = "0123456789abcdef"
	b := make([]byte, 0, 14)
	add := func(v byte, known bool) {
		if known {
			b = append(b, digits[v>>4], digits[v&15])
		} else {
			b = append(b, '.', '.')
		}
	}
	if r.Known&KnownExtra != 0 {
		add(r.Extra, true)
	}
	for i := 5; i >= 0; i-- {
		add(r.Bytes[i], r.Known>>i&1 != 0)
	}
	return string(b)
}

// Attribute returns the first attribute with that id, or nil.
func (s *Snapshot) Attribute(id uint8) *Attribute {
	for i := range s.Attributes {
		if s.Attributes[i].ID == id {
			return &s.Attributes[i]
		}
	}
	return nil
}

// judge sets the state from value, worst and threshold as the ATA rules have it: a
// threshold of 0 is never reached.
func (a *Attribute) judge() {
	switch {
	case a.Has&HasValue == 0:
		a.State = NoValue
	case a.Has&HasThresh == 0:
		a.State = NoThreshold
	case a.Thresh == 0:
		a.State = StateOK
	case a.Value <= a.Thresh:
		a.State = FailingNow
	case a.Has&HasWorst != 0 && a.Worst <= a.Thresh:
		a.State = FailedPast
	default:
		a.State = StateOK
	}
}
