package smart

// The raw value of attributes 190 and 194 has no standard. Five layouts are told
// apart by plausibility, the way smartctl does since 5.42; what fits none is printed
// as bytes.

// reading is what the raw bytes of a temperature attribute say.
type reading struct {
	t, lo, hi int8
	kind      readingKind
	count     uint16
}

type readingKind uint8

const (
	readNothing readingKind = iota // the bytes fit no layout
	readBare                       // the temperature alone
	readRange                      // with lowest and highest
	readCount                      // with lowest, highest and a count of excesses
)

// The forms of a 16-bit number that holds a temperature: as a byte, as a word.
const (
	formByte = 1 << iota
	formWord
)

// form tells as what a word can hold a temperature.
func form(w uint16) uint8 {
	switch {
	case w <= 0x7f:
		return formByte | formWord
	case w <= 0xff:
		return formByte
	case w >= 0xff80:
		return formWord
	}
	return 0
}

// inRange sorts the two limits and tells whether they and t are plausible together.
func inRange(t, x, y int8) (lo, hi int8, ok bool) {
	lo, hi = min(x, y), max(x, y)
	ok = lo >= -60 && lo <= t && t <= hi && hi <= 120 && (lo != -1 || hi > 0)
	return lo, hi, ok
}

// readTemp finds the layout of the 48-bit raw value v.
func readTemp(v uint64) (r reading) {
	b := func(i int) int8 { return int8(v >> (8 * i)) }
	w0, w1, w2 := uint16(v), uint16(v>>16), uint16(v>>32)
	r.t = b(0)
	ok := false
	switch {
	case w2 == 0:
		if w1 == 0 && form(w0) != 0 {
			r.kind = readBare
			return r
		}
		if r.lo, r.hi, ok = inRange(r.t, b(2), b(3)); ok && form(w0) != 0 {
			r.kind = readRange
			return r
		}
		if b(3) == 0 {
			if r.lo, r.hi, ok = inRange(r.t, b(1), b(2)); ok {
				r.kind = readRange
				return r
			}
		}
	case form(w0) != 0:
		if form(w0)&form(w1)&form(w2) != 0 {
			if r.lo, r.hi, ok = inRange(r.t, b(2), b(4)); ok {
				r.kind = readRange
				return r
			}
		}
		if w2 < 0x7fff {
			if r.lo, r.hi, ok = inRange(r.t, b(2), b(3)); ok && r.hi >= 40 {
				r.kind, r.count = readCount, w2
				return r
			}
		}
	}
	return reading{t: r.t}
}

func appendTempMinMax(dst []byte, v uint64) []byte {
	r := readTemp(v)
	if r.kind == readNothing {
		dst = append(appendDec(dst, v&0xff), " ("...)
		return append(appendBytes(dst, v>>8&0xffffffffff, 5), ')')
	}
	dst = appendInt(dst, r.t)
	if r.kind == readBare {
		return dst
	}
	dst = append(appendInt(append(dst, " (Min/Max "...), r.lo), '/')
	dst = appendInt(dst, r.hi)
	if r.kind == readCount {
		dst = appendDec(append(dst, " #"...), uint64(r.count))
	}
	return append(dst, ')')
}

func appendInt(dst []byte, v int8) []byte {
	if v < 0 {
		return appendDec(append(dst, '-'), uint64(-int(v)))
	}
	return appendDec(dst, uint64(v))
}
