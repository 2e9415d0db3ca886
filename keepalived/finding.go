package keepalived

import (
	"fmt"
	"slices"
	"strings"

	"dougu.internal/diag"
)

// finding is a diagnostic whose places are still offsets.
type finding struct {
	rule    string
	at      span
	msg     string
	detail  string
	related []relatedSpan
	fixes   []fix
	// sev overrides the severity of the rule when not 0.
	sev diag.Severity
	// objects: keepalived -t of the profile would not be content. stops: it ends
	// there with status 2. crashes: it dies of a bug.
	objects, stops, crashes bool
	// quiet findings count for the verdict and are not shown, since another names
	// the same cause.
	quiet bool
	// reading marks what was found before anything was judged.
	reading bool
	// spare marks a finding that is only counted: see store.
	spare bool
}

type relatedSpan struct {
	at  span
	msg string
}

type fix struct {
	title string
	edits []edit
}

type edit struct {
	at   span
	text string
}

// report records a finding of the reader.
func (c *Config) report(rule string, at span, format string, args ...any) *finding {
	f := c.add(rule, at, format, args)
	f.reading = true
	return f
}

// fix adds a fix; a nil finding stays nil.
func (f *finding) fix(title string, edits ...edit) *finding {
	if f == nil || f.spare {
		return f
	}
	for _, e := range edits {
		if e.at.file < 0 {
			return f
		}
	}
	f.fixes = append(f.fixes, fix{title, edits})
	return f
}

func (f *finding) also(at span, format string, args ...any) *finding {
	if f != nil && at.file >= 0 && !f.spare {
		f.related = append(f.related, relatedSpan{at, fmt.Sprintf(format, args...)})
	}
	return f
}

func (f *finding) explain(format string, args ...any) *finding {
	if f != nil && !f.spare {
		f.detail = fmt.Sprintf(format, args...)
	}
	return f
}

func (f *finding) weigh(s diag.Severity) *finding {
	if f != nil {
		f.sev = s
	}
	return f
}

// lineOf returns the physical lines of a place with their line ends.
func (c *Config) lineOf(s span) span {
	if s.file < 0 {
		return s
	}
	text, lines := c.sources[s.file].text, c.sources[s.file].lines()
	p := lines.Pos(int(s.from))
	from := p.Offset - p.Column + 1
	q := p
	if s.to > s.from {
		q = lines.Pos(int(s.to))
	}
	to := q.Offset - q.Column + 1 + len(lines.Line(q.Line))
	for to < len(text) && text[to] == '\r' {
		to++
	}
	if to < len(text) && text[to] == '\n' {
		to++
	}
	return span{s.file, int32(from), int32(to)}
}

// lineStart returns the empty place at which the line of a place begins.
func (c *Config) lineStart(s span) span {
	p := c.sources[s.file].lines().Pos(int(s.from))
	from := int32(p.Offset - p.Column + 1)
	return span{s.file, from, from}
}

// token returns a place, or its whole line when nothing else stands on it.
func (c *Config) token(s span) span {
	if l := c.lineOf(s); strings.TrimSpace(c.lineText(s)) == c.sources[s.file].text[s.from:s.to] {
		return l
	}
	return s
}

// lineText returns the text of the physical line of a place, without its end.
func (c *Config) lineText(s span) string {
	l := c.lineOf(s)
	return strings.TrimRight(c.sources[l.file].text[l.from:l.to], "\r\n")
}

// indent returns the white space with which the line of a place begins.
func (c *Config) indent(s span) string {
	t := c.lineText(s)
	return t[:len(t)-len(strings.TrimLeft(t, " \t"))]
}

// newline returns the line end of a file.
func (c *Config) newline(file int32) string {
	text := c.sources[file].text
	if i := strings.IndexByte(text, '\n'); i > 0 && text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// diagnostic turns a finding into what callers see.
func (c *Config) diagnostic(f *finding) diag.Finding {
	r := ruleOf(f.rule)
	d := diag.Finding{Rule: f.rule, Severity: r.Severity, Range: c.place(f.at), Message: f.msg, Detail: f.detail}
	if f.sev != 0 {
		d.Severity = f.sev
	}
	if f.objects {
		d.Severity = diag.Error
	}
	if f.at.file >= 0 {
		for at := c.sources[f.at.file].included; at.file >= 0; at = c.sources[at.file].included {
			d.Related = append(d.Related, diag.Related{Range: c.place(at), Message: "included here"})
		}
	}
	for _, r := range f.related {
		d.Related = append(d.Related, diag.Related{Range: c.place(r.at), Message: r.msg})
	}
	for _, x := range f.fixes {
		out := diag.Fix{Message: x.title}
		for _, e := range x.edits {
			out.Edits = append(out.Edits, diag.Edit{Range: c.place(e.at), NewText: e.text})
		}
		d.Fixes = append(d.Fixes, out)
	}
	return d
}

// keepSecret takes the secrets of the files out of a diagnostic. A fix that would have to
// repeat one is left out.
func (c *Config) keepSecret(d *diag.Finding, f *finding, known map[int32]*secrets) {
	of := func(file int32) *secrets {
		s := known[file]
		if s == nil {
			s = c.secretsOf(file)
			known[file] = s
		}
		return s
	}
	for _, at := range append([]relatedSpan{{at: f.at}}, f.related...) {
		file := at.at.file
		if file < 0 || int(file) >= len(c.sources) {
			continue
		}
		s := of(file)
		near := s.hides(c.sources[file].text, at.at.from, at.at.to)
		d.Message, d.Detail = s.clean(d.Message, near), s.clean(d.Detail, near)
		for i := range d.Related {
			d.Related[i].Message = s.clean(d.Related[i].Message, near)
		}
		kept := d.Fixes[:0]
		for _, x := range d.Fixes {
			tells := false
			for _, e := range x.Edits {
				tells = tells || s.clean(e.NewText, false) != e.NewText
			}
			if !tells {
				x.Message = s.clean(x.Message, near)
				kept = append(kept, x)
			}
		}
		d.Fixes = kept
	}
}

// near returns the name among known that is at most two edits from s, or "".
func near(s string, known []string) string {
	best, bestName := 3, ""
	for _, k := range known {
		if strings.EqualFold(s, k) {
			return k
		}
		if len(s) < 3 || len(k) > len(s)+2 || len(s) > len(k)+2 {
			continue
		}
		if d := distance(s, k, best); d < best {
			best, bestName = d, k
		}
	}
	if best >= len(s) {
		return ""
	}
	return bestName
}

// distance is the number of insertions, deletions, changes and swaps of neighbours
// between two words, or limit when it is not below it.
func distance(a, b string, limit int) int {
	if len(a) > 64 || len(b) > 64 {
		return limit
	}
	var rows [3][66]int
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur, prev, prev2 := &rows[i%3], &rows[(i-1)%3], &rows[(i+1)%3]
		cur[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
			least = min(least, cur[j])
		}
		if least >= limit {
			return limit
		}
	}
	return rows[len(a)%3][len(b)]
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
