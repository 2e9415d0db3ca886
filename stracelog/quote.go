package stracelog

import "bytes"

// ErrQuote is returned by Unquote for bytes that are no string of strace.
var ErrQuote = errs.New("not a string of strace")

// Unquote decodes a string as strace prints it, `"GET /\r\n"...`, and appends its bytes to dst. truncated reports the
// "..." of a string that strace cut at -s. A leading @ of an abstract socket is passed over. Escapes are \" \\ \n \t
// \r \f \v \a \b \e, octal of one to three digits, and \x with two digits.
func Unquote(dst, src []byte) (out []byte, truncated bool, err error) {
	src = bytes.TrimPrefix(src, []byte("@"))
	if len(src) < 2 || src[0] != '"' {
		return dst, false, ErrQuote
	}
	end := quoteEnd(src, 0, len(src))
	if end < 0 {
		return dst, false, ErrQuote
	}
	switch string(src[end:]) {
	case "":
	case "...":
		truncated = true
	default:
		return dst, false, ErrQuote
	}
	out, ok := unescape(dst, src[1:end-1])
	if !ok {
		return dst, false, ErrQuote
	}
	return out, truncated, nil
}

// unescape appends the bytes that s stands for.
func unescape(dst, s []byte) ([]byte, bool) {
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 {
			return append(dst, s...), true
		}
		dst = append(dst, s[:i]...)
		s = s[i+1:]
		if len(s) == 0 {
			return dst, false
		}
		c := s[0]
		s = s[1:]
		switch c {
		case 'n':
			c = '\n'
		case 't':
			c = '\t'
		case 'r':
			c = '\r'
		case 'f':
			c = '\f'
		case 'v':
			c = '\v'
		case 'a':
			c = '\a'
		case 'b':
			c = '\b'
		case 'e':
			c = 0x1b
		case '"', '\\', '\'':
		case 'x':
			if len(s) < 2 || hexValue(s[0]) < 0 || hexValue(s[1]) < 0 {
				return dst, false
			}
			c = byte(hexValue(s[0])<<4 | hexValue(s[1]))
			s = s[2:]
		default:
			if c-'0' > 7 {
				return dst, false
			}
			v := int(c - '0')
			for n := 1; n < 3 && len(s) > 0 && s[0]-'0' < 8; n++ {
				v = v<<3 | int(s[0]-'0')
				s = s[1:]
			}
			if v > 255 {
				return dst, false
			}
			c = byte(v)
		}
		dst = append(dst, c)
	}
}
