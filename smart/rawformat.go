package smart

import (
	"strconv"
	"strings"

	"dougu.internal/internal/enum"
)

// FormatKind is a way to print raw bytes. The zero value is unknown and prints as
// raw48.
type FormatKind uint8

// The raw formats, named as smartctl(8) names them under -v.
const (
	FormatUnknown FormatKind = iota
	Raw8
	Raw16
	Raw48
	Hex48
	Raw56
	Hex56
	Raw64
	Hex64
	Raw16Raw16
	Raw16Avg16
	Raw24Raw8
	Raw24DivRaw24
	Raw24DivRaw32
	Sec2Hour
	Min2Hour
	HalfMin2Hour
	Msec24Hour32
	TempMinMax
	Temp10x
)

var formatKinds = enum.Names[FormatKind]{Type: "smart: raw format", Words: map[FormatKind]string{
	FormatUnknown: "unknown", Raw8: "raw8", Raw16: "raw16", Raw48: "raw48", Hex48: "hex48", Raw56: "raw56",
	Hex56: "hex56",
	Raw64: "raw64", Hex64: "hex64", Raw16Raw16: "raw16(raw16)", Raw16Avg16: "raw16(avg16)", Raw24Raw8: "raw24(raw8)",
	Raw24DivRaw24: "raw24/raw24", Raw24DivRaw32: "raw24/raw32", Sec2Hour: "sec2hour", Min2Hour: "min2hour",
	HalfMin2Hour: "halfmin2hour", Msec24Hour32: "msec24hour32", TempMinMax: "tempminmax", Temp10x: "temp10x",
}}

// String returns the name of the format in smartctl's option -v.
func (k FormatKind) String() string { return formatKinds.String(k) }

// MarshalText returns the name of the format. It fails if k is not valid.
func (k FormatKind) MarshalText() ([]byte, error) { return formatKinds.Text(k) }

// UnmarshalText sets k from the name of a format.
func (k *FormatKind) UnmarshalText(text []byte) error { return formatKinds.Parse(text, k) }

// RawFormat is a format and the order in which it takes the bytes of the row.
type RawFormat struct {
	Kind FormatKind `json:"kind"`
	// Order names the bytes from the highest to the lowest: 0 to 5 raw bytes, r the
	// reserved byte, v the value, w the worst value, z zero; at most 8 of them.
	// Empty is the format's own order.
	Order string `json:"order,omitzero"`
}

// String returns the format as the -v option takes it: format or format:order.
func (f RawFormat) String() string {
	if f.Order == "" {
		return f.Kind.String()
	}
	return f.Kind.String() + ":" + f.Order
}

// ParseRawFormat reads format or format:order. The order has 1 to 8 of the
// characters 012345rvwz.
func ParseRawFormat(s string) (RawFormat, error) {
	word, order, reordered := strings.Cut(s, ":")
	var kind FormatKind
	if err := formatKinds.Parse([]byte(word), &kind); err != nil || kind == FormatUnknown {
		return RawFormat{}, errs.Errorf("raw format %.80q is not known: want one of %s", s,
			strings.Join(formatKinds.List()[1:], " "))
	}
	if reordered && (order == "" || len(order) > 8 || strings.Trim(order, "012345rvwz") != "") {
		return RawFormat{}, errs.Errorf("raw format %.80q: the byte order wants 1 to 8 of 012345rvwz", s)
	}
	return RawFormat{kind, order}, nil
}

// rawOrder is the usual order: the six raw bytes as a little-endian number.
const rawOrder = "543210"

// order returns the byte order that the format uses.
func (f RawFormat) order() string {
	if f.Order != "" {
		return f.Order
	}
	switch f.Kind {
	case Raw56, Hex56, Raw24DivRaw32, Msec24Hour32:
		return "r543210"
	case Raw64, Hex64:
		return "543210wv"
	}
	return rawOrder
}

// takes reports whether the format uses the byte named c.
func (f RawFormat) takes(c byte) bool {
	if f.Order == "" {
		return (f.Kind == Raw64 || f.Kind == Hex64) && (c == 'v' || c == 'w')
	}
	return strings.IndexByte(f.Order, c) >= 0
}

// defaultFormat is how an id is printed when nothing else is known about it.
func defaultFormat(id uint8) FormatKind {
	switch id {
	case 3:
		return Raw16Avg16
	case 5, 196:
		return Raw16Raw16
	case 9, 240:
		return Raw24Raw8
	case 190, 194:
		return TempMinMax
	}
	return Raw48
}

// RawNumber returns the number that the format makes of the bytes of the row: raw.value in
// the JSON of smartctl.
func (a *Attribute) RawNumber() uint64 {
	if a.Raw.Number.OK {
		return a.Raw.Number.V
	}
	return a.number(a.Format)
}

func (a *Attribute) number(f RawFormat) uint64 {
	order := f.order()
	if order == rawOrder {
		v, _ := a.Raw.Uint48()
		return v
	}
	var v uint64
	for i := range len(order) {
		v <<= 8
		switch c := order[i]; c {
		case 'r':
			v |= uint64(a.Raw.Extra)
		case 'v':
			v |= uint64(a.Value)
		case 'w':
			v |= uint64(a.Worst)
		case '0', '1', '2', '3', '4', '5':
			v |= uint64(a.Raw.Bytes[c-'0'])
		}
	}
	return v
}

// AppendRaw appends the raw value as the tool prints it: the text of the evidence
// if there is one, else the bytes in the attribute's format. It does not allocate
// when dst has room.
func (a *Attribute) AppendRaw(dst []byte) []byte {
	if a.Raw.Text != "" {
		return append(dst, a.Raw.Text...)
	}
	return a.AppendRawAs(dst, a.Format)
}

// AppendRawAs appends the raw bytes in the given format, as smartctl 7.3 prints it.
// Bytes that the evidence does not reveal count as 0. It does not allocate when dst
// has room.
func (a *Attribute) AppendRawAs(dst []byte, f RawFormat) []byte {
	v := a.number(f)
	w0, w1, w2 := uint16(v), uint16(v>>16), uint16(v>>32)
	b3, b4, b5 := byte(v>>24), byte(v>>32), byte(v>>40)
	switch f.Kind {
	case Raw8:
		return appendBytes(dst, v, 6)
	case Raw16:
		dst = append(appendDec(dst, uint64(w2)), ' ')
		dst = append(appendDec(dst, uint64(w1)), ' ')
		return appendDec(dst, uint64(w0))
	case Hex48:
		return appendHex(dst, v, 12)
	case Hex56:
		return appendHex(dst, v, 14)
	case Hex64:
		return appendHex(dst, v, 16)
	case Raw16Raw16:
		dst = appendDec(dst, uint64(w0))
		if w1 != 0 || w2 != 0 {
			dst = append(appendDec(append(dst, " ("...), uint64(w2)), ' ')
			dst = append(appendDec(dst, uint64(w1)), ')')
		}
		return dst
	case Raw16Avg16:
		dst = appendDec(dst, uint64(w0))
		if w1 != 0 {
			dst = append(appendDec(append(dst, " (Average "...), uint64(w1)), ')')
		}
		return dst
	case Raw24Raw8:
		dst = appendDec(dst, v&0xffffff)
		if b3 != 0 || b4 != 0 || b5 != 0 {
			dst = append(appendBytes(append(dst, " ("...), uint64(b3)|uint64(b4)<<8|uint64(b5)<<16, 3), ')')
		}
		return dst
	case Raw24DivRaw24:
		dst = append(appendDec(dst, uint64(uint32(v>>24))), '/')
		return appendDec(dst, v&0xffffff)
	case Raw24DivRaw32:
		dst = append(appendDec(dst, v>>32), '/')
		return appendDec(dst, v&0xffffffff)
	case Sec2Hour:
		dst = append(appendDec(dst, v/3600), "h+"...)
		dst = append(appendPad(dst, v/60%60, 2), "m+"...)
		return append(appendPad(dst, v%60, 2), 's')
	case Min2Hour:
		m := v & 0xffffffff
		dst = append(appendPad(append(appendDec(dst, m/60), "h+"...), m%60, 2), 'm')
		if w2 != 0 {
			dst = append(appendDec(append(dst, " ("...), uint64(w2)), ')')
		}
		return dst
	case HalfMin2Hour:
		return append(appendPad(append(appendDec(dst, v/120), "h+"...), v%120/2, 2), 'm')
	case Msec24Hour32:
		ms := v >> 32
		dst = append(appendDec(dst, v&0xffffffff), "h+"...)
		dst = append(appendPad(dst, ms/60000, 2), "m+"...)
		dst = append(appendPad(dst, ms/1000%60, 2), '.')
		return append(appendPad(dst, ms%1000, 3), 's')
	case TempMinMax:
		return appendTempMinMax(dst, v)
	case Temp10x:
		return appendDec(append(appendDec(dst, uint64(w0/10)), '.'), uint64(w0%10))
	}
	return appendDec(dst, v)
}

// appendBytes appends n bytes of v in decimal, the highest first.
func appendBytes(dst []byte, v uint64, n int) []byte {
	for i := n - 1; i >= 0; i-- {
		dst = appendDec(dst, v>>(8*i)&0xff)
		if i > 0 {
			dst = append(dst, ' ')
		}
	}
	return dst
}

func appendDec(dst []byte, v uint64) []byte { return strconv.AppendUint(dst, v, 10) }

func appendPad(dst []byte, v uint64, width int) []byte {
	var b [20]byte
	s := strconv.AppendUint(b[:0], v, 10)
	for range width - len(s) {
		dst = append(dst, '0')
	}
	return append(dst, s...)
}

func appendHex(dst []byte, v uint64, width int) []byte {
	var b [16]byte
	s := strconv.AppendUint(b[:0], v, 16)
	dst = append(dst, "0x"...)
	for range width - len(s) {
		dst = append(dst, '0')
	}
	return append(dst, s...)
}
