package ipxe

import "strings"

// Render returns the script in canonical form: LF, no continuations, one blank between
// words, no blanks at the ends of lines, a final LF. Comments and empty lines stay. iPXE
// does the same with it, step by step, as with the original, as long as the script does
// not read itself.
//
// Three things can't be written differently and are kept as they are: the first line
// (with a blank behind a backslash or CR at its end), a line in which a NUL hides text
// (the hidden part is dropped), and the continuation that ends a file.
func (s *Script) Render() []byte {
	var b strings.Builder
	b.Grow(len(s.src) + 1)
	for i, l := range s.Lines() {
		switch {
		case i == 0 && strings.HasPrefix(l.Text, "#!"):
			b.WriteString(l.Text)
			if !l.Open && (strings.HasSuffix(l.Text, "\\") || strings.HasSuffix(l.Text, "\r")) {
				b.WriteByte(' ') // a NUL or a second CR stood there: without it the line would swallow the next, or lose a byte
			}
		default:
			renderLine(&b, l)
		}
		if l.Open {
			b.WriteByte('\\')
			return []byte(b.String())
		}
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

func renderLine(b *strings.Builder, l *Line) {
	start := b.Len()
	gap := func() {
		if b.Len() > start {
			b.WriteByte(' ')
		}
	}
	if l.HasLabel {
		b.WriteByte(':')
		b.WriteString(l.Label)
	}
	for _, c := range l.Cmds {
		if c.Op != First {
			gap()
			b.WriteString(c.Op.String())
		}
		for _, w := range c.Words {
			gap()
			b.WriteString(w.Text)
		}
	}
	if l.Comment >= 0 {
		gap()
		text := strings.TrimRight(l.Text[l.Comment:], " \t\r\v\f")
		b.WriteString(text)
		if strings.HasSuffix(text, "\\") {
			b.WriteByte(' ') // or it would swallow the next line
		}
		return
	}
	// A line that ends in a backslash and a blank would become a continuation.
	if text := b.String(); len(text) > start && text[len(text)-1] == '\\' {
		b.WriteByte(' ')
	}
}
