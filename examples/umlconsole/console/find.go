package console

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"strconv"
)

// Device is a pseudo-terminal that a guest announced.
type Device struct {
	// Guest is whose console it is; empty where the source does not say.
	Guest string
	// Label names the line: con1, ssl0, or QEMU's label, such as serial0.
	Label string
	// Path is /dev/pts/N.
	Path string
}

// UntrustedError is an announcement whose path is not /dev/pts/N.
type UntrustedError struct {
	// Label is the line that was announced, Path what it named, at most 64 bytes.
	Label, Path string
}

// Error names both, quoted.
func (e *UntrustedError) Error() string {
	return fmt.Sprintf("console: %q is announced as %q, which is not /dev/pts/N: not used", e.Label, e.Path)
}

// The announcements: a guest prints them in the middle of anything, without a line
// feed before. The longest that is looked at has maxNotice bytes.
const maxNotice = 256

var notices = []struct {
	before, middle, after string
	label                 func(name string) string
}{
	{"Virtual console ", " assigned device '", "'", number("con")},
	{"Serial line ", " assigned device '", "'", number("ssl")},
	// QEMU has the path first: the parts are swapped below.
	{"char device redirected to ", " (label ", ")", func(name string) string { return name }},
}

func number(prefix string) func(string) string {
	return func(n string) string {
		if i, err := strconv.Atoi(n); err == nil && i >= 0 && i < 1000 && strconv.Itoa(i) == n {
			return prefix + n
		}
		return ""
	}
}

// FindBootLog yields the announcements of User Mode Linux and QEMU in a log, in order,
// as soon as they are complete. A line that is announced again has moved: the last one
// counts. An *UntrustedError is yielded and the search goes on; any other error ends
// it. Memory does not depend on the log.
func FindBootLog(r io.Reader) iter.Seq2[Device, error] {
	return func(yield func(Device, error) bool) {
		buf := make([]byte, 0, 64<<10)
		for {
			n, err := r.Read(buf[len(buf):cap(buf)])
			buf = buf[:len(buf)+n]
			rest, ok := findIn(buf, yield)
			if !ok {
				return
			}
			// What may be the beginning of an announcement stays.
			rest = rest[max(0, len(rest)-maxNotice):]
			buf = append(buf[:0], rest...)
			if err != nil {
				if err != io.EOF {
					yield(Device{}, fmt.Errorf("console: %w", err))
				}
				return
			}
		}
	}
}

// findIn yields the complete announcements of b and returns what follows the last one.
func findIn(b []byte, yield func(Device, error) bool) (rest []byte, ok bool) {
	for {
		first, which := -1, 0
		for i, n := range notices {
			if at := bytes.Index(b, []byte(n.before)); at >= 0 && (first < 0 || at < first) {
				first, which = at, i
			}
		}
		if first < 0 {
			return b, true
		}
		d, size, state := parseNotice(b[first:], which)
		switch state {
		case noticeOpen:
			return b[first:], true
		case noticeNone:
			b = b[first+1:]
			continue
		}
		b = b[first+size:]
		var err error
		if !isPts(d.Path) {
			d, err = Device{}, &UntrustedError{d.Label, d.Path[:min(len(d.Path), 64)]}
		}
		if !yield(d, err) {
			return nil, false
		}
	}
}

const (
	noticeNone = iota
	noticeOpen // more bytes are needed
	noticeGood
)

// parseNotice reads the announcement that b begins with.
func parseNotice(b []byte, which int) (d Device, size, state int) {
	n := notices[which]
	short := len(b) < maxNotice
	b = b[:min(len(b), maxNotice)]
	rest := b[len(n.before):]
	i := bytes.Index(rest, []byte(n.middle))
	if i < 0 || bytes.IndexByte(rest[:i], '\n') >= 0 {
		if i < 0 && short && bytes.IndexByte(rest, '\n') < 0 {
			return d, 0, noticeOpen
		}
		return d, 0, noticeNone
	}
	first := string(rest[:i])
	rest = rest[i+len(n.middle):]
	j := bytes.Index(rest, []byte(n.after))
	if j < 0 || bytes.IndexByte(rest[:j], '\n') >= 0 {
		if j < 0 && short && bytes.IndexByte(rest, '\n') < 0 {
			return d, 0, noticeOpen
		}
		return d, 0, noticeNone
	}
	second := string(rest[:j])
	if which == 2 {
		first, second = second, first
	}
	d = Device{Label: n.label(first), Path: second}
	if d.Label == "" {
		return d, 0, noticeNone
	}
	return d, len(b) - len(rest) + j + len(n.after), noticeGood
}

// isPts reports whether a path is /dev/pts/N, written plainly.
func isPts(path string) bool {
	const prefix = "/dev/pts/"
	if len(path) <= len(prefix) || path[:len(prefix)] != prefix {
		return false
	}
	n, err := strconv.ParseUint(path[len(prefix):], 10, 20)
	return err == nil && strconv.FormatUint(n, 10) == path[len(prefix):]
}
