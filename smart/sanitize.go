package smart

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sanitize makes a string of a device or of a text fit for a terminal, a log or a
// label: what is broken UTF-8, a control character or a format character becomes '?'.
// A hostile USB bridge chooses model and serial number.
func Sanitize(s string) string {
	if clean(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func clean(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}
