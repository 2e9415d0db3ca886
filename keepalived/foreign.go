package keepalived

import (
	"strings"
	"unicode/utf8"
)

// quietForeign finds text that is not a configuration: conflict markers of a version
// control system, what a template engine should have replaced, and quotes and dashes of a
// word processor. There is one finding for each kind in a file. What follows from it is
// hidden, and no fix is offered in a file with conflicts or templates: a person has to
// decide.
func (e *eval) quietForeign() {
	for n := range e.c.sources {
		if e.c.sources[n].cycle != nil {
			continue
		}
		e.conflicts(int32(n))
		e.templates(int32(n))
		e.typography(int32(n))
	}
}

// conflicts finds regions between <<<<<<< and >>>>>>> (git, diff3, Mercurial).
func (e *eval) conflicts(file int32) {
	text := e.c.sources[file].text
	if !strings.Contains(text, "<<<<<<<") || !strings.Contains(text, ">>>>>>>") {
		return
	}
	var regions, marks []span
	begin, at := -1, 0
	for line := range strings.Lines(text) {
		body := strings.TrimRight(line, "\r\n")
		mark := span{file, int32(at), int32(at + len(body))}
		switch {
		case isMarker(body, '<') && begin < 0:
			begin = at
			marks = append(marks, mark)
		case (isMarker(body, '=') || isMarker(body, '|')) && begin >= 0:
			marks = append(marks, mark)
		case isMarker(body, '>') && begin >= 0:
			marks = append(marks, mark)
			regions = append(regions, span{file, int32(begin), int32(at + len(line))})
			begin = -1
		}
		at += len(line)
	}
	if len(regions) == 0 {
		return
	}
	e.hush(func(f *finding) bool {
		if f.at.file != file {
			return f.quiet
		}
		f.fixes = nil
		for _, r := range regions {
			if f.at.from >= r.from && f.at.from < r.to {
				return true
			}
		}
		return f.quiet || needsWhole[f.rule] || f.rule == "KA010"
	})
	f := e.object("KA047", marks[0], "a merge conflict is not resolved")
	for _, m := range marks[1:min(len(marks), 20)] {
		f.also(m, "another marker of it")
	}
}

// isMarker reports whether a line is a conflict marker: seven equal characters, and a label
// after a blank.
func isMarker(line string, c byte) bool {
	if len(line) < 7 || strings.Trim(line[:7], string(c)) != "" {
		return false
	}
	return len(line) == 7 || line[7] == ' '
}

// templateMarks are the delimiters of Jinja and Go templates, of Jinja statements, and of
// ERB.
var templateMarks = [][2]string{{"{{", "}}"}, {"{%", "%}"}, {"<%", "%>"}}

// templates finds places that a template engine should have replaced.
func (e *eval) templates(file int32) {
	text := e.c.sources[file].text
	at := -1
	for _, m := range templateMarks {
		for from := 0; ; {
			i := strings.Index(text[from:], m[0])
			if i < 0 {
				break
			}
			i += from
			from = i + len(m[0])
			rest := text[i:]
			if end := strings.IndexByte(rest, '\n'); end >= 0 {
				rest = rest[:end]
			}
			if strings.Contains(rest, m[1]) && !inComment(text, i) && (at < 0 || i < at) {
				at = i
				break
			}
		}
	}
	if at < 0 {
		return
	}
	e.hush(func(f *finding) bool {
		if f.at.file == file {
			f.fixes = nil
			return true
		}
		return f.quiet
	})
	end := strings.IndexByte(text[at:], '\n')
	if end < 0 {
		end = len(text) - at
	}
	e.note("KA048", span{file, int32(at), int32(at + end)}, "this is a template that was not rendered").
		explain("Check the file that the template engine writes.")
}

// lookalikes are characters that word processors and web pages write instead of quotes and
// dashes.
var lookalikes = map[rune]string{
	'\u2018': "'", '\u2019': "'", '\u201c': `"`, '\u201d': `"`, '\u201e': `"`, '\u00ab': `"`, '\u00bb': `"`, '\u2010': "-",
	'\u2011': "-", '\u2012': "-", '\u2013': "-", '\u2014': "-", '\u2212': "-", '\uff5b': "{", '\uff5d': "}",
}

// typography finds the first of these characters on each line.
func (e *eval) typography(file int32) {
	text := e.c.sources[file].text
	lines := map[span]bool{}
	var places []span
	for i, r := range text {
		if r < utf8.RuneSelf || lookalikes[r] == "" || inComment(text, i) {
			continue
		}
		at := span{file, int32(i), int32(i + utf8.RuneLen(r))}
		if line := e.c.lineStart(at); !lines[line] {
			lines[line] = true
			places = append(places, at)
		}
	}
	if len(places) == 0 {
		return
	}
	e.hush(func(f *finding) bool { return f.quiet || f.at.file == file && lines[e.c.lineStart(f.at)] })
	for _, at := range places {
		r, _ := utf8.DecodeRuneInString(text[at.from:])
		e.note("KA049", at, "%s is not %s: keepalived takes it for a letter", quoted(string(r)), quoted(lookalikes[r]))
	}
}

// inComment reports whether a place is part of a comment.
func inComment(text string, at int) bool {
	line := text[strings.LastIndexByte(text[:at], '\n')+1 : at]
	return strings.ContainsAny(line, "#!")
}
