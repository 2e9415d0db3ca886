package smart

import "dougu.internal/smart/internal/scan"

// A printed raw value is brought back to bytes as far as it reveals them. Each
// shape below is one format of smartctl; what fits none stays text.

// maxNumbers is the greatest count of numbers in a printed raw value.
const maxNumbers = 6

// shape is a raw value taken apart: its numbers and what stands between them.
type shape struct {
	num  [maxNumbers]uint64
	neg  [maxNumbers]bool
	n    int
	seps [32]byte // the text with each number replaced by '#'
	len  int
}

func (s *shape) sep() string { return string(s.seps[:s.len]) }

// shapeOf takes a raw value apart; false when it has too many numbers or words.
func shapeOf(text string, s *shape) bool {
	for i := 0; i < len(text); {
		c := text[i]
		neg := c == '-' && i+1 < len(text) && scan.Digit(text[i+1]) && (i == 0 || text[i-1] == ' ' || text[i-1] == '/')
		if s.len == len(s.seps) {
			return false
		}
		if !scan.Digit(c) && !neg {
			s.seps[s.len] = c
			s.len++
			i++
			continue
		}
		if neg {
			i++
		}
		v, n, ok := scan.Uint(text[i:])
		if !ok || s.n == maxNumbers {
			return false
		}
		s.num[s.n], s.neg[s.n] = v, neg
		s.n++
		i += n
		s.seps[s.len] = '#'
		s.len++
	}
	return s.n > 0
}

// below reports whether the first n numbers are all below limit and not negative.
func (s *shape) below(limit uint64) bool {
	for i := range s.n {
		if s.num[i] >= limit || s.neg[i] {
			return false
		}
	}
	return true
}

// revealText finds the bytes behind Raw.Text. It assumes the format's usual byte
// order: a text does not tell of another one.
func (a *Attribute) revealText() {
	r := &a.Raw
	if v, n, ok := scan.Uint(r.Text); ok && n == len(r.Text) {
		a.revealNumber(v)
		return
	}
	if a.revealHex() {
		return
	}
	var s shape
	if !shapeOf(r.Text, &s) {
		return
	}
	switch s.sep() {
	case "#": // a negative temperature: the high byte may be 0 or FFh
		if s.num[0] <= 128 {
			r.Bytes[0], r.Known = byte(-int64(s.num[0])), 1
		}
	case "# # # # # #":
		if s.below(256) {
			for i := range 6 {
				r.Bytes[i] = byte(s.num[5-i])
			}
			r.Known = KnownAll
		}
	case "# # #":
		if s.below(1 << 16) {
			r.setUint48(s.num[0]<<32 | s.num[1]<<16 | s.num[2])
		}
	case "# (# #)":
		if s.below(1 << 16) {
			r.setUint48(s.num[1]<<32 | s.num[2]<<16 | s.num[0])
		}
	case "# (Average #)":
		if s.below(1 << 16) { // the highest word is not printed
			r.setUint48(s.num[1]<<16 | s.num[0])
			r.Known = 1<<4 - 1
		}
	case "# (# # #)":
		if s.num[0] < 1<<24 && s.num[1] < 256 && s.num[2] < 256 && s.num[3] < 256 {
			r.setUint48(s.num[1]<<40 | s.num[2]<<32 | s.num[3]<<24 | s.num[0])
		}
	case "# (# # # # #)":
		if s.below(256) {
			r.setUint48(s.num[1]<<40 | s.num[2]<<32 | s.num[3]<<24 | s.num[4]<<16 | s.num[5]<<8 | s.num[0])
		}
	case "# (# # # #)": // 5.38 to 5.41 leave byte 1 out
		if s.below(256) {
			r.setUint48(s.num[1]<<40 | s.num[2]<<32 | s.num[3]<<24 | s.num[4]<<16 | s.num[0])
			r.Known &^= 1 << 1
		}
	case "# (Min/Max #/#)", "# (Min/Max #/# ##)", "# (Lifetime Min/Max #/#)":
		if s.num[0] <= 128 {
			v := int64(s.num[0])
			if s.neg[0] {
				v = -v
			}
			r.Bytes[0], r.Known = byte(v), 1
		}
	case "#/#":
		a.revealPair(&s)
	case "#h+#m+#s":
		if v := s.num[0]; v < 1<<48/3600 && s.num[1] < 60 && s.num[2] < 60 {
			r.setUint48(v*3600 + s.num[1]*60 + s.num[2])
		}
	case "#h+#m (#)":
		if v := s.num[0]*60 + s.num[1]; s.num[0] < 1<<26 && v < 1<<32 && s.num[2] < 1<<16 {
			r.setUint48(s.num[2]<<32 | v)
		}
	case "#h+#m+#.#s":
		ms := s.num[1]*60000 + s.num[2]*1000 + s.num[3]
		if s.num[0] < 1<<32 && s.num[1] < 300 && ms < 1<<24 {
			r.setUint48(ms&0xffff<<32 | s.num[0])
			r.Extra, r.Known = byte(ms>>16), KnownAll|KnownExtra
		}
	case "#.#":
		if v := s.num[0]*10 + s.num[1]; s.num[0] < 6554 && v < 1<<16 {
			r.Bytes[0], r.Bytes[1], r.Known = byte(v), byte(v>>8), 3
		}
	}
}

// revealNumber takes a bare decimal number: raw48 and all formats that print their
// higher parts only when these are not zero.
func (a *Attribute) revealNumber(v uint64) {
	r := &a.Raw
	r.setUint48(v & (1<<48 - 1))
	switch {
	case v >= 1<<56: // raw64 in its usual order: the upper bytes are the worst and the normal value
		r.setUint48(v >> 16)
	case v >= 1<<48:
		r.Extra = byte(v >> 48)
		r.Known |= KnownExtra
	case defaultFormat(a.ID) == Raw16Avg16 && v < 1<<16:
		r.Known = 1<<4 - 1 // the highest word is not printed
	case defaultFormat(a.ID) == TempMinMax && v >= 128 && v <= 255:
		r.Known = 1
	}
}

// revealHex takes 0x and 12, 14 or 16 digits.
func (a *Attribute) revealHex() bool {
	t := a.Raw.Text
	if len(t) != 14 && len(t) != 16 && len(t) != 18 || t[0] != '0' || t[1] != 'x' {
		return false
	}
	v, ok := scan.Hex(t[2:])
	if !ok {
		return false
	}
	switch len(t) {
	case 16:
		a.Raw.Extra, a.Raw.Known = byte(v>>48), KnownExtra
	case 18:
		v >>= 16
	}
	a.Raw.setUint48(v & (1<<48 - 1))
	return true
}

// revealPair takes hi/lo. Two formats print it; the bytes that are the same in both
// are known.
func (a *Attribute) revealPair(s *shape) {
	hi, lo := s.num[0], s.num[1]
	r := &a.Raw
	switch {
	case s.neg[0] || s.neg[1] || hi >= 1<<32 || lo >= 1<<32:
	case lo >= 1<<24 && hi < 1<<24: // raw24/raw32
		r.setUint48(hi&0xffff<<32 | lo)
		r.Extra, r.Known = byte(hi>>16), KnownAll|KnownExtra
	case lo < 1<<24 && hi < 1<<24:
		r.Bytes[0], r.Bytes[1], r.Bytes[2], r.Known = byte(lo), byte(lo>>8), byte(lo>>16), 7
	}
}
