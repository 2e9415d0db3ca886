package logfmt

import "strings"

// escaped contains the second byte of each short escape, or 0 if a byte has none.
var escaped = [128]byte{'"': '"', '\\': '\\', '\b': 'b', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v'}

const hexDigits = "0123456789abcdef"

// plain reports whether a byte is printed without an escape.
func plain(c byte) bool { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' }

// escape appends a value like Apache's function ap_escape_logitem. Quotes and backslashes are
// preceded by a backslash. Other bytes below 0x20 and above 0x7e are written as \b, \n, \r, \t,
// \v or \xhh.
func escape(dst []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if plain(c) {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		dst = escapeByte(dst, c)
	}
	return append(dst, s[from:]...)
}

func escapeByte(dst []byte, c byte) []byte {
	switch {
	case plain(c):
		return append(dst, c)
	case c < 0x80 && escaped[c] != 0:
		return append(dst, '\\', escaped[c])
	}
	return append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
}

// appendPath appends a decoded path in the form of %U: escaped, and without empty, "." and
// ".." segments.
func appendPath(dst []byte, p string) []byte {
	if !strings.HasPrefix(p, "/") || !strings.Contains(p, "//") && !strings.Contains(p, "/.") {
		return escape(dst, p)
	}
	start := len(dst)
	for rest := p; rest != ""; {
		// rest starts with a slash
		seg := rest[1:]
		end := strings.IndexByte(seg, '/')
		last := end < 0
		if last {
			seg, rest = rest[1:], ""
		} else {
			seg, rest = seg[:end], seg[end:]
		}
		switch {
		case seg == "" && !last:
		case seg == ".":
			if last {
				dst = append(dst, '/')
			}
		case seg == "..":
			dst = dst[:start+max(0, lastSlash(dst[start:]))]
			if last {
				dst = append(dst, '/')
			}
		default:
			dst = escape(append(dst, '/'), seg)
		}
	}
	if len(dst) == start {
		dst = append(dst, '/')
	}
	return dst
}

func lastSlash(b []byte) int {
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] == '/' {
			return i
		}
	}
	return -1
}
