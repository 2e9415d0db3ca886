package keepalived

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Format lays a configuration out: four blanks for each open brace, a statement a line,
// the brace that opens a block behind its head, no blanks at the ends of lines.
// Comments, the text of statements and empty lines stay. Formatting twice changes
// nothing more, and keepalived reads the same from both. It fails when braces or quotes
// do not match, or when the layout of a line cannot be changed without changing what
// keepalived reads.
func Format(src []byte) ([]byte, error) {
	f := Parse("", src)
	if err := f.matched(); err != nil {
		return nil, err
	}
	reader := Loader{Profile: Profile{version: Version{2, 2, 7}}, ConfigID: "format",
		MaxLines: 100_000 + 4*bytes.Count(src, []byte{'\n'}), MaxBytes: 16<<20 + 8*int64(len(src))}
	before := reader.Parse("", src)
	if before.tooMuch {
		return nil, errors.New("keepalived: repetitions and variables make too much of it to compare")
	}
	if err := before.unformattable(); err != nil {
		return nil, err
	}
	out := layout(f)
	after := reader.Parse("", out)
	if !same(before, after) || after.unformattable() != nil {
		return nil, errors.New("keepalived: the file cannot be laid out without changing what keepalived reads")
	}
	again := Parse("", out)
	if again.matched() != nil || !bytes.Equal(layout(again), out) {
		return nil, errors.New("keepalived: the file has no stable layout")
	}
	return out, nil
}

// matched returns an error when the braces of a file do not match.
func (f *File) matched() error {
	depth := 0
	for n := range f.All() {
		switch n.Kind {
		case Open:
			depth++
		case Close:
			if depth--; depth < 0 {
				r := f.Range(n.From, n.To)
				return fmt.Errorf("keepalived: %d:%d: this } closes no block", r.Start.Line, r.Start.Column)
			}
		}
	}
	if depth != 0 {
		return errors.New("keepalived: a block is not closed")
	}
	return nil
}

// unformattable returns an error when what was read depends on the layout.
func (c *Config) unformattable() error {
	for _, x := range c.found {
		switch x.rule {
		case "KA020", "KA028", "KA029", "KA023":
			return fmt.Errorf("keepalived: %s: %s", c.place(x.at), x.msg)
		}
	}
	return nil
}

// same reports whether two configurations have the same logical lines.
func same(a, b *Config) bool {
	if len(a.lines) != len(b.lines) || len(a.children) != len(b.children) {
		return false
	}
	for i := range a.lines {
		if a.text(a.lines[i]) != b.text(b.lines[i]) {
			return false
		}
	}
	for i := range a.children {
		if a.text(a.children[i]) != b.text(b.children[i]) {
			return false
		}
	}
	return len(a.found) == len(b.found)
}

// layout writes the nodes of a file anew.
func layout(f *File) []byte {
	nl := "\n"
	if bytes.Contains(f.src, []byte("\r\n")) {
		nl = "\r\n"
	}
	w := layouter{f: f, nl: nl}
	for i := range f.nodes {
		w.node(i)
	}
	w.newline()
	return w.out.Bytes()
}

type layouter struct {
	f     *File
	out   bytes.Buffer
	nl    string
	begun bool // something stands on the line
	// prev is the kind of the last node on the line, or 0.
	prev  ElementKind
	blank int // empty lines that wait
}

func (w *layouter) newline() {
	if w.begun {
		w.out.WriteString(w.nl)
		w.begun = false
		w.prev = 0
	}
}

func (w *layouter) put(depth int, text []byte) {
	if !w.begun {
		if w.out.Len() > 0 {
			for range w.blank {
				w.out.WriteString(w.nl)
			}
		}
		w.blank = 0
		w.out.WriteString(strings.Repeat("    ", depth))
		w.begun = true
	} else {
		w.out.WriteByte(' ')
	}
	w.out.Write(text)
}

func (w *layouter) node(i int) {
	n := w.f.At(i)
	text := w.f.src[n.From:n.To]
	switch n.Kind {
	case Space:
		lines := bytes.Count(text, []byte{'\n'})
		if lines == 0 {
			return
		}
		if w.prev == Statement && w.opens(i) {
			return // the brace moves up
		}
		w.newline()
		w.blank = min(lines-1, 1)
		if i == 0 {
			w.blank = 0
		}
		return
	case Comment:
		w.put(n.Depth, text)
		w.prev = Comment
		return
	case Open:
		if w.prev != Statement && w.prev != Condition {
			w.newline()
		}
		w.put(n.Depth, text)
	case Close:
		w.newline()
		w.put(n.Depth, text)
	case Definition:
		w.newline()
		w.put(n.Depth, w.definition(n, text))
	case Condition:
		w.newline()
		w.put(n.Depth, text)
	default:
		if w.prev != Condition {
			w.newline()
		}
		w.put(n.Depth, text)
	}
	w.prev = n.Kind
}

// opens reports whether the node behind white space is a brace that belongs to the
// statement before it.
func (w *layouter) opens(i int) bool {
	return i+1 < len(w.f.nodes) && w.f.nodes[i+1].kind() == Open
}

// definition lays out the lines of a definition.
func (w *layouter) definition(n Element, text []byte) []byte {
	lines := strings.Split(string(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], "\r \t")
		if i > 0 {
			lines[i] = strings.Repeat("    ", n.Depth+1) + strings.TrimLeft(lines[i], " \t")
		}
	}
	return []byte(strings.Join(lines, w.nl))
}
