package diag

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Source returns the contents of the file with the given name, or nil if they are not
// available. If all findings are about the same source, it can be returned for every
// name.
type Source func(file string) []byte

// snippetWidth is the maximum number of bytes of a source line that are shown. Lines of
// untrusted sources can have megabytes.
const snippetWidth = 160

// WriteText writes the findings to w as text. Each finding starts with one line. The
// source line with a mark below the range, the related positions, the detail and the
// fixes follow it:
//
//	lb.conf:4:5: error: "{" is taken for a mail address [KA101]
//	    4 | notification_email
//	      | ^~~~~~~~~~~~~~~~~~
//	      = put the brace on the keyword's line
//	      = fix: move the brace
//
// If src is nil, no source lines are written.
func WriteText(w io.Writer, list List, src Source) error {
	p := textPrinter{w: w, src: src, indexed: map[string]*Lines{}}
	for i := range list {
		p.finding(&list[i])
	}
	if p.err != nil {
		return errs.Errorf("write the findings: %w", p.err)
	}
	return nil
}

type textPrinter struct {
	w       io.Writer
	src     Source
	indexed map[string]*Lines
	err     error
}

func (p *textPrinter) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *textPrinter) finding(f *Finding) {
	p.printf("%s\n", f)
	p.snippet(f.Range)
	for _, r := range f.Related {
		p.printf("      = %s: %s\n", Sanitize(r.Range.String()), Sanitize(r.Message))
	}
	if f.Detail != "" {
		for line := range strings.Lines(f.Detail) {
			p.printf("      = %s\n", Sanitize(strings.TrimRight(line, "\n")))
		}
	}
	for _, x := range f.Fixes {
		p.printf("      = fix: %s\n", Sanitize(x.Message))
	}
}

func (p *textPrinter) snippet(r Range) {
	if p.src == nil || !r.Start.IsValid() {
		return
	}
	lines, ok := p.indexed[r.File]
	if !ok {
		if text := p.src(r.File); text != nil {
			lines = NewLines(text)
		}
		p.indexed[r.File] = lines
	}
	if lines == nil {
		return
	}
	line := lines.Line(r.Start.Line)
	from := r.Start.Column - 1
	if line == nil || from < 0 || from > len(line) {
		return
	}
	to := len(line)
	if r.End.Line == r.Start.Line {
		to = max(from, min(to, r.End.Column-1))
	}
	// Long lines are cut to a window that contains the start of the range.
	left, right := 0, len(line)
	if right > snippetWidth {
		left = max(0, min(from-snippetWidth/4, len(line)-snippetWidth))
		right = min(len(line), left+snippetWidth)
		to = min(to, right)
	}
	shown := Sanitize(string(line[left:right]))
	before := width(Sanitize(string(line[left:from])))
	under := max(1, width(Sanitize(string(line[from:to]))))
	p.printf("%5d | %s\n", r.Start.Line, strings.TrimRight(shown, " "))
	p.printf("      | %s^%s\n", strings.Repeat(" ", before), strings.Repeat("~", under-1))
}

func width(s string) int { return utf8.RuneCountInString(s) }

// Sanitize returns s in a form that is safe to write to a terminal. A tab becomes one
// blank. Control characters, invalid UTF-8, and characters that change the direction or
// the position of text become escapes such as \x1b and \u202e.
func Sanitize(s string) string {
	clean := true
	for _, r := range s {
		if r == utf8.RuneError || !printable(r) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n <= 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\t':
			b.WriteByte(' ')
		case printable(r):
			b.WriteString(s[i : i+n])
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += n
	}
	return b.String()
}

func printable(r rune) bool { return unicode.IsPrint(r) }
