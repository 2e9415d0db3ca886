package console

import "io"

// Filter passes on what a guest prints without what drives the terminal behind the
// screen: titles, clipboard and other commands to the operating system (OSC), device
// strings (DCS, APC, PM, SOS), requests that the terminal would answer by typing (ENQ,
// device reports), and window manipulation. Text, colours and cursor movement stay.
// It is for one goroutine.
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
	skipping              // within a string that is dropped
	skipEsc               // ESC within such a string
)

// maxSequence bounds a CSI sequence; a longer one is dropped.
const maxSequence = 64

// NewFilter returns a filter that writes to w.
func NewFilter(w io.Writer) *Filter { return &Filter{w: w} }

// Write filters b. It reports len(b) written unless the writer behind fails.
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
		case 0x07, 0x18, 0x1a, 0x9c: // BEL, CAN and SUB end a string, as ST does
			f.state = plainText
		}
	case skipEsc:
		switch c {
		case '\\':
			f.state = plainText
		case 0x1b:
		default: // the string was broken off by another sequence
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
	case 0x05: // ENQ: the terminal types its answerback
	default:
		// 0x80 to 0x9f stay: they are parts of characters in UTF-8, and terminals set to
		// it read no C1 control in them.
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
	case 'Z': // DECID: who are you?
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
	case c < ' ': // executed in the middle of a sequence
		if c != 0x05 {
			f.out = append(f.out, c)
		}
	case c >= '@' && c <= '~':
		f.held = append(f.held, c)
		// c: device attributes; n: status report; t: window; x: parameters; p and q with
		// marks: modes and version that are reported.
		if !(c == 'c' || c == 'n' || c == 't' || c == 'x' || (c == 'p' || c == 'q' || c == 'u' || c == 'y') && f.marked()) && len(f.held) <= maxSequence {
			f.out = append(f.out, f.held...)
		}
		f.state = plainText
	case len(f.held) < maxSequence+2:
		f.held = append(f.held, c)
	}
}

// marked reports whether a sequence has a byte beside digits and semicolons.
func (f *Filter) marked() bool {
	for _, c := range f.held[2 : len(f.held)-1] {
		if (c < '0' || c > '9') && c != ';' {
			return true
		}
	}
	return false
}
