// Package scan reads words and numbers in the output of smartctl and related
// programs.
package scan

import "bytes"

// MaxLine is the maximum length of a line in bytes.
const MaxLine = 64 << 10

// Space reports whether c is a byte that separates words.
func Space(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// Digit reports whether c is a decimal digit.
func Digit(c byte) bool { return c >= '0' && c <= '9' }

// Trim removes spaces and no-break spaces at both ends of b, and escape sequences and
// NUL bytes anywhere.
func Trim(b []byte) []byte {
	if bytes.IndexByte(b, 0x1b) >= 0 || bytes.IndexByte(b, 0) >= 0 {
		b = withoutEscapes(b)
	}
	for len(b) > 0 {
		switch {
		case Space(b[0]):
			b = b[1:]
		case len(b) > 1 && b[0] == 0xc2 && b[1] == 0xa0:
			b = b[2:]
		case Space(b[len(b)-1]):
			b = b[:len(b)-1]
		case len(b) > 1 && b[len(b)-2] == 0xc2 && b[len(b)-1] == 0xa0:
			b = b[:len(b)-2]
		default:
			return b
		}
	}
	return b
}

// withoutEscapes drops terminal escape sequences and NUL bytes.
func withoutEscapes(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == 0:
		case b[i] != 0x1b:
			out = append(out, b[i])
		case i+1 < len(b) && b[i+1] == '[':
			for i += 2; i < len(b) && (b[i] < 0x40 || b[i] > 0x7e); i++ {
			}
		}
	}
	return out
}

// Word returns the first word of b and the rest without the spaces between them.
func Word(b []byte) (w, rest []byte) {
	i := 0
	for i < len(b) && !Space(b[i]) {
		if b[i] == 0xc2 && i+1 < len(b) && b[i+1] == 0xa0 {
			break
		}
		i++
	}
	w, rest = b[:i], b[i:]
	for len(rest) > 0 {
		switch {
		case Space(rest[0]):
			rest = rest[1:]
		case len(rest) > 1 && rest[0] == 0xc2 && rest[1] == 0xa0:
			rest = rest[2:]
		default:
			return w, rest
		}
	}
	return w, nil
}

// After returns the trimmed text after a prefix.
func After(l []byte, prefix string) ([]byte, bool) {
	if len(l) < len(prefix) || string(l[:len(prefix)]) != prefix {
		return nil, false
	}
	return Trim(l[len(prefix):]), true
}

// Starts reports whether l starts with the prefix.
func Starts(l []byte, prefix string) bool {
	return len(l) >= len(prefix) && string(l[:len(prefix)]) == prefix
}

// Uint reads the decimal digits at the start of s. It returns the number and its
// length. It returns false if s does not start with a digit or the number exceeds 64 bits.
func Uint[T string | []byte](s T) (v uint64, n int, ok bool) {
	for n < len(s) && Digit(s[n]) {
		d := uint64(s[n] - '0')
		if v > (1<<64-1-d)/10 {
			return 0, n, false
		}
		v = v*10 + d
		n++
	}
	return v, n, n > 0
}

// Hex reads s, which consists of up to 16 hexadecimal digits.
func Hex[T string | []byte](s T) (v uint64, ok bool) {
	if len(s) == 0 || len(s) > 16 {
		return 0, false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case Digit(c):
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		v = v<<4 | uint64(c)
	}
	return v, true
}

// Signed reads an optional minus sign and decimal digits at the start of b.
func Signed(b []byte) (int64, bool) {
	neg := len(b) > 0 && b[0] == '-'
	if neg {
		b = b[1:]
	}
	v, _, ok := Uint(b)
	if !ok || v > 1<<40 {
		return 0, false
	}
	if neg {
		return -int64(v), true
	}
	return int64(v), true
}
