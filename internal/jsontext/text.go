// Package jsontext encodes values as JSON without losing bytes of strings that are
// not valid UTF-8.
//
// JSON strings consist of Unicode characters. The package encoding/json replaces
// every invalid byte with U+FFFD, so that different strings become equal.
// [Escape] writes an invalid byte as U+FFFD followed by the byte in hexadecimal
// digits in braces, and [Unescape] reverses that. [Marshal] and [Unmarshal] apply
// them to all strings of a value. A type uses them in two methods:
//
//	func (r Report) MarshalJSON() ([]byte, error) {
//		type plain Report
//		return jsontext.Marshal(plain(r))
//	}
//
//	func (r *Report) UnmarshalJSON(b []byte) error {
//		type plain Report
//		return jsontext.Unmarshal(b, (*plain)(r))
//	}
//
// A type with these methods must not be embedded in another struct, because the
// methods would be promoted and would encode only the embedded part.
//
// All functions are safe for concurrent use by multiple goroutines.
package jsontext

import (
	"strings"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// Escape returns s as valid UTF-8. An invalid byte with the value 0xhh becomes
// "\uFFFD{hh}", and the character U+FFFD becomes "\uFFFD{}". A string that
// contains neither is returned unchanged. Different strings have different
// results.
func Escape(s string) string {
	if !NeedsEscape(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r != utf8.RuneError:
			b.WriteString(s[i : i+n])
		case n == 1:
			b.WriteString("\uFFFD{")
			b.WriteByte(hexDigits[s[i]>>4])
			b.WriteByte(hexDigits[s[i]&15])
			b.WriteByte('}')
		default:
			b.WriteString("\uFFFD{}")
		}
		i += n
	}
	return b.String()
}

// NeedsEscape reports whether Escape(s) differs from s.
func NeedsEscape(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError)
}

// Unescape reverses [Escape]. A character U+FFFD that is not followed by "{}" or
// by two lower-case hexadecimal digits in braces is kept.
func Unescape(s string) string {
	const mark = "\uFFFD"
	at := strings.Index(s, mark)
	if at < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for at >= 0 {
		b.WriteString(s[:at])
		s = s[at+len(mark):]
		switch {
		case strings.HasPrefix(s, "{}"):
			b.WriteString(mark)
			s = s[2:]
		case len(s) >= 4 && s[0] == '{' && s[3] == '}' && digit(s[1]) >= 0 && digit(s[2]) >= 0:
			b.WriteByte(byte(digit(s[1])<<4 | digit(s[2])))
			s = s[4:]
		default:
			b.WriteString(mark)
		}
		at = strings.Index(s, mark)
	}
	b.WriteString(s)
	return b.String()
}

func digit(c byte) int { return strings.IndexByte(hexDigits, c) }
