package console

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"dougu.internal/internal/enum"
	"dougu.internal/internal/jsontext"
)

// Kind is the kind of a device.
type Kind uint8

// The kinds of devices.
const (
	// Pts is a pseudo-terminal. It is the zero value.
	Pts Kind = iota
	// Unix is a unix socket on which a virtual machine monitor listens.
	Unix
)

var kinds = enum.Names[Kind]{Type: "console: kind of device", Words: map[Kind]string{Pts: "pts", Unix: "unix"}}

// String returns "pts" or "unix".
func (k Kind) String() string { return kinds.String(k) }

// MarshalText returns the name of the kind. It fails if k is not a valid kind.
func (k Kind) MarshalText() ([]byte, error) { return kinds.Text(k) }

// UnmarshalText reads the name of a kind.
func (k *Kind) UnmarshalText(text []byte) error { return kinds.Parse(text, k) }

// Device is a console on a pseudo-terminal or on a unix socket.
type Device struct {
	// Guest is the name of the guest, or "" if the source does not contain it.
	Guest string `json:"guest,omitzero"`
	// Label is the name of the line: con1, ssl0, or the label in QEMU, such as serial0.
	Label string `json:"label,omitzero"`
	// Kind is the kind of the device.
	Kind Kind `json:"kind,omitzero"`
	// Path is /dev/pts/N, or the path of a socket.
	Path string `json:"path,omitzero"`
}

// MarshalJSON returns the JSON encoding of d. It keeps strings that are not valid UTF-8.
func (d Device) MarshalJSON() ([]byte, error) {
	type plain Device
	return jsontext.Marshal(plain(d))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Device) UnmarshalJSON(b []byte) error {
	type plain Device
	return jsontext.Unmarshal(b, (*plain)(d))
}

// UntrustedError describes a console whose path is not /dev/pts/N.
type UntrustedError struct {
	// Label is the name of the line.
	Label string `json:"label,omitzero"`
	// Path contains up to 64 bytes of the path.
	Path string `json:"path,omitzero"`
}

// Error returns the label and the path in quotes.
func (e *UntrustedError) Error() string {
	return fmt.Sprintf("console: invalid path %q of console %q, want /dev/pts/N", e.Path, e.Label)
}

// MarshalJSON returns the JSON encoding of e. It keeps strings that are not valid UTF-8.
func (e UntrustedError) MarshalJSON() ([]byte, error) {
	type plain UntrustedError
	return jsontext.Marshal(plain(e))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *UntrustedError) UnmarshalJSON(b []byte) error {
	type plain UntrustedError
	return jsontext.Unmarshal(b, (*plain)(e))
}

// maxNotice is the maximum length of an announcement in a log. An announcement can start anywhere
// in a line.
const maxNotice = 256

var notices = []struct {
	before, middle, after string
	label                 func(name string) string
}{
	{"Virtual console ", " assigned device '", "'", number("con")},
	{"Serial line ", " assigned device '", "'", number("ssl")},
	// The path comes first in QEMU: parseNotice swaps the parts.
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

// FindBootLog returns the consoles that User Mode Linux and QEMU announce in a log, in their order
// and as soon as an announcement is complete. If a line is announced several times, the last
// announcement is valid. After an [*UntrustedError] the sequence continues; other errors end it.
// The use of memory does not depend on the size of the log.
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
			// Keep the end, which may be the start of an announcement.
			rest = rest[max(0, len(rest)-maxNotice):]
			buf = append(buf[:0], rest...)
			if err != nil {
				if err != io.EOF {
					yield(Device{}, fmt.Errorf("console: read the log: %w", err))
				}
				return
			}
		}
	}
}

// findIn yields the complete announcements in b and returns the rest of b.
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
	noticeOpen // more bytes are required
	noticeGood
)

// parseNotice parses the announcement at the start of b.
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

// isPts reports whether a path is /dev/pts/N with a decimal number without leading zeros.
func isPts(path string) bool {
	const prefix = "/dev/pts/"
	if len(path) <= len(prefix) || path[:len(prefix)] != prefix {
		return false
	}
	n, err := strconv.ParseUint(path[len(prefix):], 10, 20)
	return err == nil && strconv.FormatUint(n, 10) == path[len(prefix):]
}

// plainError is an error without the name of the package at the start of its text.
type plainError struct{ err error }

func (e plainError) Error() string { return strings.TrimPrefix(e.err.Error(), "console: ") }

func (e plainError) Unwrap() error { return e.err }

// wrap returns err with the name of the package at the start of its text. It does not change nil
// and errors that already have it.
func wrap(err error) error {
	if err == nil || strings.HasPrefix(err.Error(), "console: ") {
		return err
	}
	return fmt.Errorf("console: %w", err)
}
