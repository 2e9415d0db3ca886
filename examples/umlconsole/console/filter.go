package console

import "io"

// Filter is an [io.Writer] that removes control sequences which could harm the user of a terminal.
// It removes operating system commands such as titles and the clipboard (OSC), device strings
// (DCS, APC, PM, SOS), window manipulation, and requests to which a terminal replies as if the
// user had typed (ENQ, device reports). It keeps text, colors and cursor movement.
//
// The terminal must be in UTF-8 mode, because the bytes 0x80 to 0x9f are kept. In another mode a
// terminal takes them as control characters. A Filter must not be used concurrently.
type Filter struct {
	w     io.Writer
	state filterState
	held  []byte // an escape sequence that is not complete
	out   []byte
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

// NewFilter returns a filter that writes to w.
func NewFilter(w io.Writer) *Filter { return &Filter{w: w} }

// Write writes b without the removed sequences. It returns len(b), or the error of the underlying
// writer.
func (f *Filter) Write(b []byte) (int, error) {
	f.out = f.out[:0]
	for _, c := range b {
		f.next(c)
	}
	if len(f.out) > 0 {
		if _, err := f.w.Write(f.out); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

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
		case 0x07, 0x18, 0x1a, 0x9c: // BEL, CAN and SUB end a string like ST
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
		// The bytes 0x80 to 0x9f are kept: they are parts of UTF-8 characters, and terminals in
		// UTF-8 mode do not take them as C1 controls.
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
	case 'Z': // DECID: the terminal would reply
		f.state = plainText
	case 0x18, 0x1a:
		f.state = plainText
	case 0x05:
	default:
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
