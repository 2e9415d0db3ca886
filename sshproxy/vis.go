package sshproxy

import (
	"fmt"
	"strings"
)

// vis writes a message as clients log it: bytes that are not printable ASCII become
// octal escapes, and a backslash is doubled.
func vis(s string) string {
	clean := true
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '\\' {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\\':
			b.WriteString(`\\`)
		case c >= 0x20 && c <= 0x7e || c == '\t' || c == '\n' || c == '\b' || c == '\a' || c == '\r':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\%03o`, c)
		}
	}
	return b.String()
}

// visChar writes an escape character as -G prints it.
func visChar(c byte) string {
	switch {
	case c == '\\':
		return `\\`
	case c > 0x20 && c < 0x7f:
		return string(rune(c))
	case c&0x7f == ' ':
		return fmt.Sprintf(`\%03o`, c)
	}
	s := `\`
	if c&0x80 != 0 {
		c &= 0x7f
		s += "M"
	}
	switch {
	case c == 0x7f:
		return s + "^?"
	case control(c):
		return s + "^" + string(rune(c+'@'))
	}
	return s + "-" + string(rune(c))
}

// cut keeps the first n bytes, as the formats of the client's messages do.
func cut(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
