package diag

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Source returns the bytes of a file that a range names, or nil when it has none.
// A caller that has a single source can return it for every name.
type Source func(file string) []byte

// snippetWidth bounds the part of a source line that is shown: hostile lines may
// have megabytes.
const snippetWidth = 160

// WriteText prints each finding as one line, then its source line with a caret
// below the range, its related places, its detail, and the fixes on offer:
//
//	lb.conf:4:5: error: "{" is taken for a mail address [KA101]
//	    4 | notification_email
//	      | ^~~~~~~~~~~~~~~~~~
//	      = put the brace on the keyword's line
//	      = fix: move the brace
//
// src may be nil: then no source lines are shown. It returns the first error of w.
func WriteText(w io.Writer, list List, src Source) error {
	p := textPrinter{w: w, src: src, indexed: map[string]*Lines{}}
	for i := range list {
		p.finding(&list[i])
	}
	return p.err
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

func (p *textPrinter) finding(d *Finding) {
	p.printf("%s\n", d)
	p.snippet(d.Range)
	for _, r := range d.Related {
		p.printf("      = %s: %s\n", Sanitize(r.Range.String()), Sanitize(r.Message))
	}
	if d.Detail != "" {
		for line := range strings.Lines(d.Detail) {
			p.printf("      = %s\n", Sanitize(strings.TrimRight(line, "\n")))
		}
	}
	for _, f := range d.Fixes {
		p.printf("      = fix: %s\n", Sanitize(f.Message))
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
	// Show a window that holds the start of the range.
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

// Sanitize returns s with tabs as one blank, and with control characters, bytes
// that are not UTF-8, and characters that change the direction or place of text
// written as escapes (\x1b, \u202e), so that a hostile input cannot drive a
// terminal.
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
