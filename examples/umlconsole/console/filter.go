package console

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Filter is an [io.Writer] that removes control sequences which could harm the user of a terminal.
// It removes operating system commands such as titles and the clipboard (OSC), device strings
// (DCS, APC, PM, SOS), window manipulation, and requests to which a terminal replies as if the
// user had typed (ENQ, device reports). It keeps text, colors and cursor movement.
//
// A filter is for a terminal in UTF-8 mode or for one in another mode, in which the bytes 0x80 to
// 0x9f are control characters (C1); the locale of the user names the mode: see [UTF8Locale]. In
// UTF-8 mode, bytes that are not part of a character are replaced by U+FFFD. In both modes, C1
// controls are handled like the escape sequences that they abbreviate.
//
// A Filter must not be used concurrently.
type Filter struct {
	w        io.Writer
	eightBit bool
	state    filterState
	held     []byte // an escape sequence that is not complete
	char     []byte // a UTF-8 character that is not complete
	out      []byte
}

type filterState uint8

const (
	plainText filterState = iota
	escape                // ESC
	csi                   // ESC [ ...
	skipping              // within a string that is removed
	skipEsc               // ESC within such a string
)

// maxSequence is the maximum length of a CSI sequence. Longer ones are removed.
const maxSequence = 64

// NewFilter returns a filter for a terminal in UTF-8 mode, which w writes to.
func NewFilter(w io.Writer) *Filter { return &Filter{w: w} }

// NewFilter8Bit returns a filter for a terminal that is not in UTF-8 mode.
func NewFilter8Bit(w io.Writer) *Filter { return &Filter{w: w, eightBit: true} }

// UTF8Locale reports whether the locale of the user selects UTF-8: the first of the environment
// variables LC_ALL, LC_CTYPE and LANG that is set and not empty. lookup is usually
// [os.LookupEnv].
func UTF8Locale(lookup func(name string) (value string, ok bool)) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v, _ := lookup(name); v != "" {
			_, charset, _ := strings.Cut(v, ".")
			charset, _, _ = strings.Cut(charset, "@")
			charset = strings.ReplaceAll(strings.ToLower(charset), "-", "")
			return charset == "utf8"
		}
	}
	return false
}

// Write writes b without the removed sequences. It returns len(b), or the error of the underlying
// writer.
func (f *Filter) Write(b []byte) (int, error) {
	f.out = f.out[:0]
	for _, c := range b {
		if f.eightBit {
			f.byte(c)
		} else {
			f.decode(c)
		}
	}
	if len(f.out) > 0 {
		if _, err := f.w.Write(f.out); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// byte handles a byte for a terminal that is not in UTF-8 mode.
func (f *Filter) byte(c byte) {
	switch {
	case c >= 0x80 && c <= 0x9f:
		f.c1(c)
	case c >= 0xa0:
		f.text([]byte{c})
	default:
		f.next(c)
	}
}

// decode collects the bytes of a character.
func (f *Filter) decode(c byte) {
	if c < utf8.RuneSelf {
		if len(f.char) > 0 {
			f.invalid(len(f.char))
		}
		f.next(c)
		return
	}
	f.char = append(f.char, c)
	for len(f.char) > 0 && utf8.FullRune(f.char) {
		switch r, size := utf8.DecodeRune(f.char); {
		case r == utf8.RuneError && size == 1:
			f.invalid(1)
		case r >= 0x80 && r <= 0x9f:
			f.char = f.char[size:]
			f.c1(byte(r))
		default:
			f.text(f.char[:size])
			f.char = f.char[size:]
		}
	}
	if len(f.char) == 0 {
		f.char = f.char[:0]
	}
}

// invalid replaces the first n bytes of an incomplete character.
func (f *Filter) invalid(n int) {
	f.char = append(f.char[:0], f.char[n:]...)
	f.text([]byte("\ufffd"))
}

// c1 handles a control character of one byte, which is the same as ESC and another character.
func (f *Filter) c1(c byte) {
	if f.state == skipping && c == 0x9c { // ST
		f.state = plainText
		return
	}
	f.next(0x1b)
	f.next(c - 0x40)
}

// text handles a character above U+009F.
func (f *Filter) text(c []byte) {
	switch f.state {
	case skipping:
	case skipEsc: // the string ends at the escape
		f.state = plainText
		f.out = append(f.out, c...)
	case csi:
		if len(f.held) < maxSequence+2 {
			f.held = append(f.held, c...)
		}
	default: // a character ends an escape sequence
		f.state = plainText
		f.out = append(f.out, c...)
	}
}

// next handles an ASCII character.
func (f *Filter) next(c byte) {
	switch f.state {
	case plainText:
		f.plain(c)
	case escape:
		f.escaped(c)
	case csi:
		f.control(c)
	case skipping:
		switch c {
		case 0x1b:
			f.state = skipEsc
		case 0x07, 0x18, 0x1a: // BEL, CAN and SUB end a string like ST
			f.state = plainText
		}
	case skipEsc:
		switch c {
		case '\\':
			f.state = plainText
		case 0x1b:
		default: // another sequence ends the string
			f.held = append(f.held[:0], 0x1b)
			f.state = escape
			f.escaped(c)
		}
	}
}

func (f *Filter) plain(c byte) {
	switch c {
	case 0x1b:
		f.held = append(f.held[:0], c)
		f.state = escape
	case 0x05: // ENQ: the terminal would reply
	default:
		f.out = append(f.out, c)
	}
}

func (f *Filter) escaped(c byte) {
	switch c {
	case '[':
		f.held = append(f.held, c)
		f.state = csi
	case ']', 'P', '_', '^', 'X':
		f.state = skipping
	case 0x1b:
		f.held = f.held[:1]
	case 'Z': // DECID: the terminal would reply
		f.state = plainText
	case 0x18, 0x1a:
		f.state = plainText
	case 0x05:
	default:
		if c < ' ' { // a terminal executes it within a sequence
			f.out = append(f.out, c)
			return
		}
		if c == 0x7f { // a terminal ignores it within a sequence
			return
		}
		f.held = append(f.held, c)
		if c >= ' ' && c <= '/' && len(f.held) < 4 { // intermediate bytes
			return
		}
		f.out = append(f.out, f.held...)
		f.state = plainText
	}
}

func (f *Filter) control(c byte) {
	switch {
	case c == 0x1b:
		f.held = append(f.held[:0], c)
		f.state = escape
	case c == 0x18 || c == 0x1a:
		f.state = plainText
	case c < ' ': // a terminal executes it within a sequence
		if c != 0x05 {
			f.out = append(f.out, c)
		}
	case c >= '@' && c <= '~':
		f.held = append(f.held, c)
		// c: device attributes; n: status report; t: window; x: parameters; p, q, u and y with
		// a private marker: reports of modes, version and keyboard.
		if !(c == 'c' || c == 'n' || c == 't' || c == 'x' || (c == 'p' || c == 'q' || c == 'u' || c == 'y') && f.marked()) &&
			len(f.held) <= maxSequence {
			f.out = append(f.out, f.held...)
		}
		f.state = plainText
	case len(f.held) < maxSequence+2:
		f.held = append(f.held, c)
	}
}

// marked reports whether a sequence has other bytes than digits and semicolons.
func (f *Filter) marked() bool {
	for _, c := range f.held[2 : len(f.held)-1] {
		if (c < '0' || c > '9') && c != ';' {
			return true
		}
	}
	return false
}
