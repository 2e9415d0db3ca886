package ipxe

import (
	"errors"
	"strings"
)

// Hole is a value that a [Form] fills in when it is written: the one with this number,
// from 0. It is data, as [Text] is. Outside of [Compile] it is an error.
func Hole(number int) Expr { return Expr{kind: exprHole, number: number} }

// Form is a script that was built once and is filled in many times: what never changes is
// checked and written by Compile; what changes is checked, and copied where it is a plain
// word. A Form may be used by several goroutines.
type Form struct {
	profile Profile
	build   func(*Builder)
	holes   int

	// pieces are constant text, each with the hole behind it; tail is what is left.
	pieces []piece
	tail   string
	size   int
	words  int  // of the longest command, with one word a hole
	slow   bool // the places of the holes are not known: everything is built again
}

// piece is text, and the hole behind it.
type piece struct {
	text string
	hole int
	kind holeKind
}

// holeKind says what a value must be to be copied as it is.
type holeKind uint8

const (
	holeList    holeKind = iota // one argument: a plain word, or plain words with one blank between
	holeWord                    // a plain word
	holePart                    // part of a word
	holeEscaped                 // part of a URL, where everything can be written
	holeQuery                   // the same, in a query: older iPXE can't take & and +
)

// maxHoles bounds the values of a form.
const maxHoles = 1 << 10

// Compile makes a form of a script with so many holes. build writes the script: it is
// called here, and again, from any goroutine, for values that can't be written plainly. It must do the
// same each time and leave the values to the holes. The profile may be zero; see [Builder].
func Compile(p Profile, holes int, build func(*Builder)) (*Form, error) {
	if holes < 0 || holes > maxHoles {
		return nil, errs.Errorf("Compile: %d holes", holes)
	}
	f := &Form{profile: p, build: build, holes: holes}
	b := Builder{Profile: p, form: f}
	build(&b)
	text, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	at := 0
	for _, m := range b.marks {
		if f.slow || m.at < at {
			f.slow = true
			break
		}
		f.pieces = append(f.pieces, piece{string(text[at:m.at]), m.hole, m.kind})
		at = m.at + len(holeMark)
	}
	f.tail, f.size = string(text[at:]), len(text)
	return f, nil
}

// AppendTo appends the script with these values to dst: the same bytes that a Builder
// writes when each hole is a Text.
func (f *Form) AppendTo(dst []byte, values ...string) ([]byte, error) {
	if len(values) != f.holes {
		return dst, errs.Errorf("Form: %d values for %d holes", len(values), f.holes)
	}
	if f.slow {
		return f.again(dst, values)
	}
	bytes := f.size
	for _, v := range values {
		bytes += 3 * len(v)
	}
	if bytes > longestWord {
		return f.again(dst, values)
	}
	start, words := len(dst), f.words
	for i := range f.pieces {
		p := &f.pieces[i]
		v := values[p.hole]
		dst = append(dst, p.text...)
		switch p.kind {
		case holeList:
			if plainWord(v) {
				break
			}
			if !plainList(v) {
				return f.again(dst[:start], values)
			}
			words += strings.Count(v, " ")
		case holeWord:
			if !plainWord(v) {
				return f.again(dst[:start], values)
			}
		case holePart:
			if !tame(v) {
				return f.again(dst[:start], values)
			}
		case holeQuery:
			if strings.ContainsAny(v, "&+") {
				return f.again(dst[:start], values)
			}
			dst = appendEscaped(dst, v)
			continue
		default:
			dst = appendEscaped(dst, v)
			continue
		}
		dst = append(dst, v...)
	}
	if words > maxPlainWords {
		return f.again(dst[:start], values)
	}
	return append(dst, f.tail...), nil
}

// Bytes returns the script with these values.
func (f *Form) Bytes(values ...string) ([]byte, error) {
	n := f.size
	for _, v := range values {
		n += len(v)
	}
	return f.AppendTo(make([]byte, 0, n), values...)
}

// again builds the script with the values in place.
func (f *Form) again(dst []byte, values []string) ([]byte, error) {
	own := append(make([]string, 0, len(values)+1), values...) // not nil, and not the caller's
	size := f.size + 64
	for _, v := range values {
		size += 3*len(v) + 16
	}
	b := Builder{Profile: f.profile, values: own, buf: make([]byte, 0, size)}
	f.build(&b)
	text, err := b.Bytes()
	if err != nil {
		return dst, err
	}
	return append(dst, text...), nil
}

// tameByte marks what does no harm in any place of a word, whatever stands beside it.
var tameByte = func() (t [256]bool) {
	for c := byte('!'); c <= '~'; c++ {
		t[c] = strings.IndexByte(`#$&;\{|}`, c) < 0
	}
	return t
}()

func tame(s string) bool {
	for i := range len(s) {
		if !tameByte[s[i]] {
			return false
		}
	}
	return s != "" && s[0] != '-'
}

// mark is the place of a hole in a form that is being made.
type mark struct {
	at   int
	hole int
	kind holeKind
}

// holeMark holds the place of a value.
const holeMark = "x"

// errHole is about a hole that no form fills in.
var errHole = errors.New("a Hole outside of Compile, or one whose number is too large")

// hole writes a hole into a form that is being made.
func (b *Builder) hole(call string, e *Expr, kind holeKind) {
	if b.form == nil || e.number < 0 || e.number >= b.form.holes {
		b.fail(call, errHole)
		return
	}
	b.marks = append(b.marks, mark{len(b.buf), e.number, kind})
	b.buf = append(b.buf, holeMark...)
}

// slowForm says that a form must be built again for every value.
func (b *Builder) slowForm() {
	if b.form != nil {
		b.form.slow = true
	}
}

// filled returns the expression that an expression stands for: a hole has a value when a
// form is filled in.
func (b *Builder) filled(e *Expr) *Expr {
	if e.kind != exprHole || b.values == nil || e.number < 0 || e.number >= len(b.values) {
		return e
	}
	b.room = Expr{text: b.values[e.number]}
	return &b.room
}

// moved tells the marks that text was put in before the command.
func (b *Builder) moved(from, by int) {
	for i := len(b.marks) - 1; i >= 0 && b.marks[i].at >= from; i-- {
		b.marks[i].at += by
	}
}
