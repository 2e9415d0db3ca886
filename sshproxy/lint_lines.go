package sshproxy

import (
	"fmt"
	"strings"

	"dougu.internal/diag"
)

// unknownKeyword: no client knows it, and no IgnoreUnknown names it.
func unknownKeyword(l *linter) {
	l.unknown(func(n int, keyword string) {
		if _, ok := Newest().build().keyword[keyword]; ok {
			return
		}
		if _, ok := mostKeywords[keyword]; ok {
			return
		}
		x := &l.f.lines[n-1]
		message := "no client knows the keyword " + l.f.keyword(n-1)
		var fixes []diag.Fix
		if near := nearest1(keyword); near != "" {
			message += "; did you mean " + near + "?"
			fixes = append(fixes, l.edit("write "+near, int(x.key), int(x.stop), near))
		}
		l.report(int(x.key), int(x.stop), message, "the client refuses the whole file", fixes...)
	})
}

// mostKeywords are those of any build that this package knows.
var mostKeywords = func() map[string]bool {
	m := map[string]bool{}
	for _, k := range keywords {
		m[lower(k.name)] = true
	}
	for _, d := range options {
		m[lower(d.name)] = true
	}
	return m
}()

// unknown calls yield with every line whose keyword the client does not know.
func (l *linter) unknown(yield func(n int, keyword string)) {
	ignored := ""
	for i := range l.prog.stmts {
		s := &l.prog.stmts[i]
		if s.op == opIgnoreUnknown && ignored == "" {
			ignored = s.val
		}
		if s.op == opBad && matchList(s.val, ignored, true) != 1 {
			yield(int(s.line), s.val)
		}
	}
}

// nearest1 finds a keyword at a distance of one or two letters.
func nearest1(keyword string) string {
	best, name := 3, ""
	for _, d := range options {
		if n := distance(keyword, lower(d.name), best); d.name != "" && n < best && n < len(keyword)/2 {
			best, name = n, d.name
		}
	}
	return name
}

// distance is the number of edits between two words, limit if it is not below that.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			up := row[j+1]
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(up+1, row[j]+1, diagonal+cost)
			diagonal = up
		}
	}
	return min(row[len(b)], limit)
}

// newerKeyword: another build knows it.
func newerKeyword(l *linter) {
	l.unknown(func(n int, keyword string) {
		_, newest := Newest().build().keyword[keyword]
		if !newest && !mostKeywords[keyword] {
			return
		}
		x := &l.f.lines[n-1]
		var message strings.Builder
		message.WriteString(l.f.keyword(n-1) + " is not known to " + l.p.name)
		for _, k := range keywords {
			if lower(k.name) == keyword && k.gate.since > l.p.version {
				fmt.Fprintf(&message, ": it came with %d.%d", k.gate.since/10000, k.gate.since/100%100)
			}
			if lower(k.name) == keyword && k.gate.debian && !l.p.debian {
				message.WriteString(": only Debian's builds know it")
			}
			if lower(k.name) == keyword && k.gate.apple {
				message.WriteString(": only Apple's ssh knows it")
			}
		}
		l.report(int(x.key), int(x.stop), message.String(), "the client refuses the whole file, even where the block does not match: let an IgnoreUnknown line before it name the keyword",
			l.edit("let older clients ignore it", 0, 0, "IgnoreUnknown "+l.f.keyword(n-1)+l.f.eol()))
	})
}

// refusedLine: the client says so itself.
func refusedLine(l *linter) {
	for _, e := range l.f.check(l.r.Profile, l.r.Local.service) {
		if strings.Contains(e.Text, ": Bad configuration option: ") || strings.HasSuffix(e.Text, ": invalid quotes") || strings.Contains(e.Text, ": Unsupported option ") {
			continue
		}
		l.reportLine(e.Line, "the client refuses the line: "+e.Text, "it counts in blocks that do not match too, and ends in \"terminating\"")
	}
}

// deadKeyword: accepted, and nothing else.
func deadKeyword(l *linter) {
	l.each(func(_ *Block, o Option, m op) {
		if m == opDeprecated || m == opUnsupported || m == opIgnored && !equalFold(o.Keyword, "UseKeychain") {
			l.reportLine(o.Line, o.Keyword+" has no effect in "+l.p.name, "", l.dropLine(o.Line))
		}
	})
}

// openQuote: since 8.7 quotes must balance even in commands.
func openQuote(l *linter) {
	for i := range l.f.lines {
		x := &l.f.lines[i]
		if x.rest < 0 {
			continue
		}
		if _, ok := splitArguments(nil, l.f.argument(i)); !ok {
			s := diag.Error
			if !l.p.splitsArguments() {
				s = diag.Warning
			}
			l.reportAs(s, int(x.rest), int(x.last), "a quote is not closed", "clients since 8.7 refuse the line with \"invalid quotes\", in commands too: escape the quote or close it")
		}
	}
}

// fileMode: what the client checks of a file's owner.
func fileMode(l *linter) {
	info, ok := l.in.Info[l.f.name]
	if !ok || info == nil {
		return
	}
	st := state{r: l.r, p: l.p}
	if !st.trusted(&loaded{info: info}) {
		l.report(0, 0, "the client refuses the file for its owner or mode "+info.Mode().Perm().String(),
			"it must belong to the user or root, and no one else may write it: chmod go-w. A file named by -F is not checked")
	}
}

// controlCharacters: what no editor shows.
func controlCharacters(l *linter) {
	if strings.HasPrefix(l.f.src, "\ufeff") {
		l.reportAs(diag.Error, 0, 3, "the file begins with a byte order mark, which the client takes for part of the keyword", "save it as UTF-8 without BOM", l.edit("take it away", 0, 3, ""))
	}
	for i := range l.f.lines {
		x := &l.f.lines[i]
		text := l.f.src[x.start:x.end]
		for k := range len(text) {
			c := text[k]
			if !control(c) || c == '\t' || c == '\r' && k == len(text)-1 {
				continue
			}
			at := int(x.start) + k
			l.report(at, at+1, fmt.Sprintf("the control character %q", c), "NUL ends the line for the client; others become part of a value")
			break
		}
	}
}
