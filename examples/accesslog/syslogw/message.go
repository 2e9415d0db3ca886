package syslogw

import (
	"bytes"
	"os"
	"strconv"
	"time"
	"unicode/utf8"
)

// stamp5424 has six digits of a second, because rsyslogd prints nine digits incorrectly.
const stamp5424 = "2006-01-02T15:04:05.000000Z07:00"

// shape formats messages. It is not changed after newShape.
type shape struct {
	format   Format
	pri      []byte // "<134>", with the version for RFC 5424
	rest     []byte // the part between the time and the text
	max      int
	escapeLF bool
}

func newShape(c *Config) *shape {
	pid := strconv.Itoa(os.Getpid())
	s := &shape{format: c.Format, max: c.MaxSize, escapeLF: c.Framing == LF && (c.Network == "tcp" || c.Network == "tls")}
	s.pri = append(strconv.AppendInt([]byte("<"), int64(c.Facility)<<3|int64(c.Severity), 10), '>')
	switch c.Format {
	case RFC5424:
		s.pri = append(s.pri, "1 "...)
		s.rest = []byte(" " + c.Hostname + " " + c.Ident + " " + pid + " - - ")
	case RFC3164:
		s.rest = []byte(" " + c.Hostname + " " + c.Ident + "[" + pid + "]: ")
	default:
		s.rest = []byte(" " + c.Ident + "[" + pid + "]: ")
	}
	return s
}

// append appends the message for a line and reports whether the line was cut.
func (s *shape) append(dst []byte, now time.Time, line []byte) ([]byte, bool) {
	start := len(dst)
	dst = append(dst, s.pri...)
	if s.format == RFC5424 {
		dst = now.AppendFormat(dst, stamp5424)
	} else {
		dst = now.AppendFormat(dst, time.Stamp)
	}
	dst = append(dst, s.rest...)
	if s.escapeLF && bytes.IndexByte(line, '\n') >= 0 {
		line = bytes.ReplaceAll(line, []byte("\n"), []byte("#012"))
	}
	room := s.max - (len(dst) - start)
	if len(line) <= room {
		return append(dst, line...), false
	}
	return appendCut(dst, line, room), true
}

// appendCut appends a part of a line and a mark with the number of missing bytes.
func appendCut(dst, line []byte, room int) []byte {
	mark := func(n int) []byte { return append(strconv.AppendInt([]byte("[+"), int64(n), 10), " bytes]"...) }
	at := boundary(line, max(0, room-len(mark(len(line)))))
	dst = append(dst, line[:at]...)
	if m := mark(len(line) - at); at+len(m) <= room {
		dst = append(dst, m...)
	}
	return dst
}

// boundary returns the last position up to at that does not split a UTF-8 character or an escape
// such as \" or \xe6.
func boundary(line []byte, at int) int {
	if at >= len(line) {
		return len(line)
	}
	for back := 0; back < utf8.UTFMax && at > back && !utf8.RuneStart(line[at-back]); back++ {
		if utf8.RuneStart(line[at-back-1]) {
			at -= back + 1
			break
		}
	}
	for i := at - 1; i >= 0 && i >= at-3; i-- {
		if line[i] != '\\' {
			continue
		}
		first := i
		for first > 0 && line[first-1] == '\\' {
			first--
		}
		if (i-first)%2 == 1 {
			return at // the second half of an escaped backslash
		}
		size := 2
		if i+1 < len(line) && line[i+1] == 'x' {
			size = 4
		}
		if i+size > at {
			return i
		}
		return at
	}
	return at
}
