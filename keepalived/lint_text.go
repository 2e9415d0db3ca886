package keepalived

import (
	"slices"
	"strings"
)

// checkBytes looks at what no line shows: the mark at the begin of the file, and line
// ends that are none.
func (c *Config) checkBytes() {
	for n := range c.sources {
		text := strings.TrimRight(c.sources[n].text, "\r\n \t")
		if i := strings.IndexByte(text, '\r'); i >= 0 && strings.IndexByte(text, '\n') < 0 {
			f := c.report("KA046", span{int32(n), int32(i), int32(i + 1)}, "the lines end in carriage returns alone: keepalived reads the file as one line")
			f.fix("use line feeds", c.lineFeeds(int32(n), len(text))...)
		}
		if strings.HasPrefix(c.sources[n].text, "\ufeff#") || strings.HasPrefix(c.sources[n].text, "\ufeff!") {
			f := c.report("KA026", span{int32(n), 0, 3}, "the file begins with a byte order mark")
			f.objects = true
			f.fix("delete the mark", edit{span{int32(n), 0, 3}, ""})
		}
	}
}

// lineFeeds returns the edits that turn carriage returns into line feeds; nil for files
// that have too many.
func (c *Config) lineFeeds(file int32, to int) (edits []edit) {
	text := c.sources[file].text
	for i := range text {
		if text[i] != '\r' {
			continue
		}
		if len(edits) == maxStored {
			return nil
		}
		edits = append(edits, edit{span{file, int32(i), int32(i + 1)}, "\n"})
	}
	return edits
}

// inWord notes a comment that begins inside a word.
func (r *reader) inWord(b buffer, i int) {
	before := b.text[i-1]
	if before == '"' || before == '{' || before == '}' || before == '#' || before == '!' || before == ';' {
		return
	}
	at := b.span(i, i+1)
	f := r.report("KA021", at, "%q begins a comment here, inside a word", b.text[i:i+1])
	if !b.plain {
		return
	}
	from := i
	for from > 0 && !isBlank(b.text[from-1]) {
		from--
	}
	to := i
	for to < len(b.text) && !isBlank(b.text[to]) {
		to++
	}
	if from == 0 || strings.IndexByte(b.text[from:to], '"') >= 0 {
		f.fix("put a blank before the comment", edit{b.span(i, i).before(at), " "})
		return
	}
	w := b.span(from, to)
	f.fix("quote the word", edit{span{w.file, w.from, w.from}, `"`}, edit{span{w.file, w.to, w.to}, `"`})
}

// before returns the empty place at the begin of at.
func (s span) before(at span) span { return span{at.file, at.from, at.from} }

// escaped notes a comment sign that is escaped.
func (r *reader) escaped(b buffer, at int) {
	f := r.report("KA022", b.span(at, at+2), "the backslash does not protect %q: the other processes take it for a comment", b.text[at+1:at+2])
	if !b.plain {
		return
	}
	from := at
	for from > 0 && !isBlank(b.text[from-1]) {
		from--
	}
	to := at
	for to < len(b.text) && !isBlank(b.text[to]) {
		to++
	}
	if from > 0 && strings.IndexByte(b.text[from:to], '"') < 0 {
		w := b.span(from, to)
		f.fix("quote the word", edit{span{w.file, w.from, w.from}, `"`}, edit{b.span(at, at+1), ""}, edit{span{w.file, w.to, w.to}, `"`})
	}
}

// scriptKinds are the keywords whose value is split with both kinds of quotes.
func (e *eval) scriptKind(word string) bool {
	for _, b := range e.s.where[word] {
		if b.keys[word].kind == kindScript || word == "regex" {
			return true
		}
	}
	return false
}

// lintWords looks at quotes and at variables that were not replaced.
func (e *eval) lintWords() {
	var words []word
	for _, l := range e.c.lines {
		text := e.c.text(l)
		if strings.IndexByte(text, '$') >= 0 {
			e.unreplaced(l, text)
		}
		if strings.IndexByte(text, '"') < 0 && strings.IndexByte(text, '\'') < 0 {
			continue
		}
		words, _ = split(words[:0], text)
		if len(words) == 0 || e.scriptKind(words[0].s) {
			continue
		}
		for n, w := range words {
			at := e.c.wordSpan(l, w)
			if !w.q && len(w.s) > 1 && w.s[0] == '\'' {
				f := e.note("KA024", at, "a single quote is an ordinary character here")
				if end := closing(text, int(w.at)); end > 0 && e.c.plain(l, 0, len(text)) && strings.IndexByte(text[w.at:end], '"') < 0 {
					f.fix("use double quotes", edit{e.c.span(l, int(w.at), int(w.at)+1), `"`}, edit{e.c.span(l, end, end+1), `"`})
				}
				break
			}
			if w.q && w.at > 1 && !isBlank(text[w.at-2]) && text[w.at-2] != '"' && n > 0 {
				f := e.note("KA025", e.c.span(l, int(w.at)-1, int(w.at)+len(w.s)+1), "the quote begins a new word in the middle of one")
				if e.c.plain(l, 0, len(text)) {
					start := words[n-1].at
					f.fix("quote the whole word", edit{e.c.span(l, int(w.at)-1, int(w.at)), ""}, edit{e.c.span(l, int(start), int(start)).at0(), `"`})
				}
				break
			}
			if end := int(w.at) + len(w.s) + 1; w.q && end < len(text) && !isBlank(text[end]) && text[end] != '"' {
				f := e.note("KA025", e.c.span(l, int(w.at)-1, end), "the word ends at the quote; what follows is another word")
				if e.c.plain(l, 0, len(text)) {
					to := end
					for to < len(text) && !isBlank(text[to]) {
						to++
					}
					if strings.IndexByte(text[end:to], '"') < 0 {
						f.fix("quote the whole word", edit{e.c.span(l, end-1, end), ""}, edit{e.c.span(l, to, to).after(e.c.span(l, end, to)), `"`})
					}
				}
				break
			}
		}
	}
}

func (s span) at0() span { return span{s.file, s.from, s.from} }

func (s span) after(at span) span { return span{at.file, at.to, at.to} }

// closing returns where the single quote that opens at from is closed, or -1.
func closing(text string, from int) int {
	n := strings.IndexByte(text[from+1:], '\'')
	if n < 0 {
		return -1
	}
	end := from + 1 + n
	if end+1 < len(text) && !isBlank(text[end+1]) {
		return -1
	}
	return end
}

// unreplaced notes variables that are left in a line.
func (e *eval) unreplaced(l line, text string) {
	if strings.HasPrefix(text, "~") {
		return
	}
	if w, _ := split(nil, text); len(w) > 0 && e.scriptKind(w[0].s) {
		return // the shell might replace it, or so people think: KA137
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '$' {
			continue
		}
		p := i + 1
		brace := p < len(text) && text[p] == '{'
		if brace {
			p++
		}
		from := p
		for p < len(text) && isName(text[p]) {
			p++
		}
		name := text[from:p]
		if name == "" || isDigit(name[0]) {
			continue
		}
		end := p
		if brace && end < len(text) && text[end] == '}' {
			end++
		}
		if strings.HasPrefix(strings.TrimLeft(text[end:], " \t"), "=") {
			continue // a definition with a blank
		}
		at := e.c.span(l, i, end)
		word := at
		for word.from > 0 && !isBlank(e.c.sources[at.file].text[word.from-1]) && e.c.sources[at.file].text[word.from-1] != '"' {
			word.from--
		}
		if e.lineReported(at) {
			continue
		}
		def := -1
		for n, d := range e.c.defs {
			if d.name == name {
				def = n
				break
			}
		}
		switch {
		case def < 0 && name[0] == '_':
		case def < 0:
			e.note("KA031", at, "%s is not defined", quoted(text[i:end]))
		case !brace && end < len(text) && strings.IndexByte(" \t,)", text[end]) < 0:
			e.note("KA033", at, "%s is not replaced: text stands right behind the name", quoted(text[i:end])).
				fix("write ${"+name+"}", edit{at, "${" + name + "}"})
		case e.c.defs[def].at.from > at.from || e.c.defs[def].at.file != at.file:
			f := e.note("KA034", at, "%s is used before its definition", quoted(text[i:end])).also(e.c.defs[def].at, "defined here")
			e.moveDefinition(f, def, at)
		}
	}
}

// lineReported reports whether a variable on that line is named by a finding.
func (e *eval) lineReported(at span) bool {
	if !e.spend(len(e.found)) {
		return true
	}
	line := e.c.lineOf(at)
	for _, f := range e.found {
		if f.at.file == at.file && f.at.from >= line.from && f.at.to <= line.to && (f.rule == "KA031" || f.rule == "KA033" || f.rule == "KA034") {
			if f.rule == "KA034" && len(f.fixes) == 0 {
				for n, d := range e.c.defs {
					if len(f.related) > 0 && d.at == f.related[0].at {
						e.moveDefinition(f, n, f.at)
					}
				}
			}
			return true
		}
	}
	return false
}

// moveDefinition offers to move a definition in front of its use.
func (e *eval) moveDefinition(f *finding, n int, at span) {
	d := e.c.defs[n]
	a := e.c.lineOf(d.line)
	h := e.topLine(at)
	if a.file != h.file || h.from >= a.from {
		return
	}
	text := e.c.sources[a.file].text[a.from:a.to]
	if !strings.HasSuffix(text, "\n") {
		text += e.c.newline(a.file)
	}
	f.fix("move the definition up", edit{a, ""}, edit{span{h.file, h.from, h.from}, text})
}

// topLine returns the begin of the line of a place.
func (e *eval) topLine(at span) span { return e.c.lineOf(at) }

// lintDefinitions looks at variables and conditions.
func (e *eval) lintDefinitions() {
	later := map[string]bool{}
	for n := len(e.c.defs) - 1; n >= 0; n-- {
		d := e.c.defs[n]
		if d.used || later[d.name] {
			later[d.name] = later[d.name] || d.used
			if d.used {
				continue
			}
		}
		if d.used || e.uses(d.name) {
			continue
		}
		f := e.note("KA035", d.at, "$%s is never used", d.name)
		line := e.c.lineOf(d.line)
		if strings.HasPrefix(strings.TrimLeft(e.c.sources[line.file].text[line.from:], " \t"), "$") {
			f.fix("delete the definition", edit{line, ""})
		}
	}
	if len(e.c.ids) == 0 {
		return
	}
	var names []string
	for _, id := range e.c.ids {
		if id.holds {
			return
		}
		if !slices.Contains(names, id.id) && len(names) < 20 {
			names = append(names, id.id)
		}
	}
	slices.Sort(names)
	f := e.note("KA038", e.c.ids[0].at, "no line with an @id is read")
	f.explain("The ids are: %s. The id is the option -i, or the name of the node up to its first dot.", strings.Join(names, ", "))
}

// uses reports whether the text names the variable anywhere but in its definition.
func (e *eval) uses(name string) bool {
	if !e.spend(len(e.c.lines)) {
		return true
	}
	for n := range e.c.sources {
		t := e.c.sources[n].text
		if strings.Contains(t, "${"+name) {
			return true
		}
		for at := 0; ; {
			i := strings.Index(t[at:], "$"+name)
			if i < 0 {
				break
			}
			at += i + 1 + len(name)
			if at >= len(t) || t[at] != '=' && !isName(t[at]) {
				return true
			}
		}
	}
	return false
}
