package keepalived

import (
	"slices"
	"strings"

	"dougu.internal/diag"
)

// ElementKind says what a node of a [File] is.
type ElementKind uint8

// The kinds of nodes.
const (
	// Space is white space between other nodes: blanks, line ends, and what else is
	// passed over.
	Space ElementKind = iota + 1
	// Comment begins with # or ! and ends before the line end.
	Comment
	// Statement is a keyword with what follows it on its line, or a line of values.
	Statement
	// Open and Close are braces.
	Open
	Close
	// Definition is "$NAME=text" with the lines that continue it.
	Definition
	// Include, Condition and Repeat are lines that begin with include, @ and ~; a
	// condition ends before what it is a condition of.
	Include
	Condition
	Repeat
)

// Element is a stretch of a file. The nodes of a file follow one another without gaps.
type Element struct {
	Kind ElementKind
	// From and To are the offsets of its bytes, half-open.
	From, To int
	// Depth is the number of braces that are open before the node.
	Depth int
	// Words are the words of a statement, without quotes.
	Words []Word
}

// Word is a word of a statement and the bytes it stands in, quotes included.
type Word struct {
	Text     string
	From, To int
}

// File is the lossless form of one file: its bytes as a list of nodes. Variables and
// includes are not followed; see [Loader] for that. A File is read-only.
type File struct {
	Name     string
	Elements []Element

	src   []byte
	lines *diag.Lines
}

// Parse splits a file into nodes. It never fails: what it does not understand is a
// statement or white space, and [File.Bytes] gives back every byte. It keeps src, which
// the caller must not change.
func Parse(name string, src []byte) *File {
	f := &File{Name: name, src: src, lines: diag.NewLines(src)}
	f.Elements = make([]Element, 0, 16+len(src)/12)
	p := treeParser{f: f, s: string(src)}
	p.run()
	f.Elements = slices.Clip(f.Elements)
	return f
}

// Bytes returns the source: the bytes of all nodes one after the other.
func (f *File) Bytes() []byte {
	out := make([]byte, 0, len(f.src))
	for _, n := range f.Elements {
		out = append(out, f.src[n.From:n.To]...)
	}
	return out
}

// Range returns the place of a stretch of the file.
func (f *File) Range(from, to int) diag.Range { return f.lines.Range(f.Name, from, to) }

// Find returns the statements whose first words are these, in order: Find("interface"),
// Find("vrrp_instance", "V1").
func (f *File) Find(words ...string) []*Element {
	var out []*Element
next:
	for i := range f.Elements {
		n := &f.Elements[i]
		if n.Kind != Statement || len(n.Words) < len(words) {
			continue
		}
		for k, w := range words {
			if n.Words[k].Text != w {
				continue next
			}
		}
		out = append(out, n)
	}
	return out
}

// Set returns the edit that gives word i of a statement another text; quotes are added
// when it needs them. A word behind the last is added. Apply it with [diag.Apply].
func (f *File) Set(n *Element, i int, text string) diag.Edit {
	if text == "" || strings.ContainsAny(text, " \t\f\v\r#!{}") {
		text = `"` + text + `"`
	}
	if i < len(n.Words) {
		return diag.Edit{Range: f.Range(n.Words[i].From, n.Words[i].To), NewText: text}
	}
	return diag.Edit{Range: f.Range(n.To, n.To), NewText: " " + text}
}

type treeParser struct {
	f     *File
	s     string
	depth int
	// scratch is reused by every statement; words is what their words are cut from.
	scratch []word
	words   []Word
}

func (p *treeParser) add(k ElementKind, from, to int) {
	if from == to {
		return
	}
	if n := len(p.f.Elements); k == Space && n > 0 && p.f.Elements[n-1].Kind == Space {
		p.f.Elements[n-1].To = to
		return
	}
	nd := Element{Kind: k, From: from, To: to, Depth: p.depth}
	if k == Statement {
		p.scratch, _ = split(p.scratch[:0], p.s[from:to])
		if len(p.scratch) > cap(p.words)-len(p.words) {
			p.words = make([]Word, 0, max(1024, len(p.scratch)))
		}
		first := len(p.words)
		for _, w := range p.scratch {
			a, b := from+int(w.at), from+int(w.at)+len(w.s)
			if w.q {
				a, b = a-1, b+1
			}
			p.words = append(p.words, Word{w.s, a, b})
		}
		nd.Words = p.words[first:len(p.words):len(p.words)]
	}
	switch k {
	case Open:
		p.depth++
	case Close:
		if p.depth > 0 {
			p.depth--
		}
		nd.Depth = p.depth
	}
	p.f.Elements = append(p.f.Elements, nd)
}

func (p *treeParser) run() {
	for at := 0; at < len(p.s); {
		end := strings.IndexByte(p.s[at:], '\n')
		if end < 0 {
			end = len(p.s)
		} else {
			end += at
		}
		at = p.line(at, end)
	}
}

// line splits the bytes [from, end) of one line and returns where the next begins.
func (p *treeParser) line(from, end int) int {
	next := min(end+1, len(p.s))
	body := end
	for body > from && (p.s[body-1] == '\r' || p.s[body-1] == ' ' || p.s[body-1] == '\t') {
		body--
	}
	i := from
	for i < body && (p.s[i] == ' ' || p.s[i] == '\t') {
		i++
	}
	p.add(Space, from, i)
	if i == body {
		p.add(Space, i, next)
		return next
	}
	stop, comment := p.code(i, body)
	switch p.s[i] {
	case '$':
		if w := p.s[i+1 : stop]; isDefinition(w) {
			// A definition goes on over lines that end in a backslash.
			for strings.HasSuffix(strings.TrimRight(p.s[i:stop], " \t\r"), `\`) && comment < 0 && next < len(p.s) {
				end = strings.IndexByte(p.s[next:], '\n')
				if end < 0 {
					end = len(p.s)
				} else {
					end += next
				}
				if strings.TrimRight(p.s[next:end], "\r") == "" {
					break
				}
				begin := next
				next = min(end+1, len(p.s))
				body = end
				for body > begin && (p.s[body-1] == '\r' || p.s[body-1] == ' ' || p.s[body-1] == '\t') {
					body--
				}
				stop, comment = p.code(begin, body)
			}
			p.add(Definition, i, stop)
			p.tail(stop, comment, body, next)
			return next
		}
	case '~':
		p.add(Repeat, i, stop)
		p.tail(stop, comment, body, next)
		return next
	case '@':
		n := strings.IndexAny(p.s[i:stop], " \t")
		if n < 0 {
			n = stop - i
		}
		p.add(Condition, i, i+n)
		k := i + n
		for k < stop && (p.s[k] == ' ' || p.s[k] == '\t') {
			k++
		}
		p.add(Space, i+n, k)
		i = k
	}
	if isInclude(p.s[i:stop]) {
		p.add(Include, i, stop)
	} else {
		p.statements(i, stop)
	}
	p.tail(stop, comment, body, next)
	return next
}

func isDefinition(s string) bool {
	n := 0
	for n < len(s) && isName(s[n]) {
		n++
	}
	return n > 0 && !isDigit(s[0]) && n < len(s) && s[n] == '='
}

// code returns the end of what is not a comment, and where a comment begins, or -1.
func (p *treeParser) code(from, to int) (stop, comment int) {
	quote := false
	for i := from; i < to; i++ {
		switch p.s[i] {
		case '"':
			quote = !quote
		case '\\':
			i++
		case '#', '!':
			if !quote {
				stop = i
				for stop > from && (p.s[stop-1] == ' ' || p.s[stop-1] == '\t') {
					stop--
				}
				return stop, i
			}
		}
	}
	return to, -1
}

func (p *treeParser) tail(stop, comment, body, next int) {
	if comment >= 0 {
		p.add(Space, stop, comment)
		p.add(Comment, comment, body)
		stop = body
	}
	p.add(Space, stop, next)
}

// statements splits code at its braces.
func (p *treeParser) statements(from, to int) {
	start := from
	flush := func(end int) {
		e := end
		for e > start && (p.s[e-1] == ' ' || p.s[e-1] == '\t') {
			e--
		}
		p.add(Statement, start, e)
		p.add(Space, e, end)
	}
	for i := from; i < to; i++ {
		switch p.s[i] {
		case '"':
			n := strings.IndexByte(p.s[i+1:to], '"')
			if n < 0 {
				flush(to)
				return
			}
			i += n + 1
		case '{', '}':
			flush(i)
			k := Open
			if p.s[i] == '}' {
				k = Close
			}
			p.add(k, i, i+1)
			start = i + 1
			for start < to && (p.s[start] == ' ' || p.s[start] == '\t') {
				start++
			}
			p.add(Space, i+1, start)
			i = start - 1
		}
	}
	flush(to)
}
