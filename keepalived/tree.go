package keepalived

import (
	"bytes"
	"iter"
	"strings"
	"sync"

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
	Kind ElementKind `json:"kind,omitzero"`
	// From and To are the offsets of its bytes, half-open.
	From int `json:"from,omitzero"`
	To   int `json:"to,omitzero"`
	// Depth is the number of braces that are open before the node, at most 1,048,575.
	Depth int `json:"depth,omitzero"`
}

// Word is a word of a statement, without quotes, and the bytes it stands in, quotes
// included.
type Word struct {
	Text string `json:"text,omitzero"`
	From int    `json:"from,omitzero"`
	To   int    `json:"to,omitzero"`
}

// File is the lossless form of one file: its bytes as a list of nodes. Variables and
// includes are not followed; see [Loader] for that. A File is read-only and safe for
// use by many goroutines. It takes eight bytes for each node besides the source.
type File struct {
	Name string

	src   []byte
	nodes []node
	lines func() *diag.Lines
}

// node is the end of a node, its depth and its kind: it begins where the one before
// ends. A slice of them is a third of the memory and of the time of one of structs
// with words (BenchmarkParse).
type node uint64

const (
	kindBits  = 4
	depthBits = 20
	maxNested = 1<<depthBits - 1
)

func newNode(k ElementKind, to, depth int) node {
	return node(to)<<(kindBits+depthBits) | node(min(depth, maxNested))<<kindBits | node(k)
}

func (n node) kind() ElementKind { return ElementKind(n & (1<<kindBits - 1)) }
func (n node) to() int           { return int(n >> (kindBits + depthBits)) }
func (n node) depth() int        { return int(n >> kindBits & maxNested) }

// Parse splits a file into nodes. It never fails: what it does not understand is a
// statement or white space, and [File.Bytes] gives back every byte. It keeps src, which
// the caller must not change.
func Parse(name string, src []byte) *File {
	f := &File{Name: name, src: src, lines: sync.OnceValue(func() *diag.Lines { return diag.NewLines(src) })}
	braces := bytes.Count(src, []byte{'{'}) + bytes.Count(src, []byte{'}'})
	most := 2*bytes.Count(src, []byte{'\n'}) + 2*braces + 16
	p := treeParser{s: src, nodes: make([]node, 0, min(most, len(src)))}
	p.run()
	f.nodes = p.nodes
	return f
}

// Bytes returns the source: the bytes of all nodes one after the other.
func (f *File) Bytes() []byte {
	out := make([]byte, 0, len(f.src))
	from := 0
	for _, n := range f.nodes {
		out = append(out, f.src[from:n.to()]...)
		from = n.to()
	}
	return out
}

// Len returns the number of nodes.
func (f *File) Len() int { return len(f.nodes) }

// At returns node i, from 0. It panics when there is none.
func (f *File) At(i int) Element {
	n := f.nodes[i]
	e := Element{Kind: n.kind(), To: n.to(), Depth: n.depth()}
	if i > 0 {
		e.From = f.nodes[i-1].to()
	}
	return e
}

// All returns the nodes in order.
func (f *File) All() iter.Seq[Element] {
	return func(yield func(Element) bool) {
		for i := range f.nodes {
			if !yield(f.At(i)) {
				return
			}
		}
	}
}

// Text returns the bytes of a node.
func (f *File) Text(e Element) string { return string(f.src[e.From:e.To]) }

// Words returns the words of a statement; nil for any other node.
func (f *File) Words(e Element) []Word {
	if e.Kind != Statement {
		return nil
	}
	words, _ := split(nil, f.Text(e))
	out := make([]Word, len(words))
	for i, w := range words {
		from, to := e.From+int(w.at), e.From+int(w.at)+len(w.s)
		if w.q {
			from, to = from-1, to+1
		}
		out[i] = Word{w.s, from, to}
	}
	return out
}

// Range returns the place of a stretch of the file.
func (f *File) Range(from, to int) diag.Range { return f.lines().Range(f.Name, from, to) }

// Find returns the statements whose first words are these, in order: Find("interface"),
// Find("vrrp_instance", "V1").
func (f *File) Find(words ...string) []Element {
	var out []Element
next:
	for e := range f.All() {
		if e.Kind != Statement || len(words) > 0 && !bytes.Contains(f.src[e.From:e.To], []byte(words[0])) {
			continue
		}
		have := f.Words(e)
		if len(have) < len(words) {
			continue
		}
		for k, w := range words {
			if have[k].Text != w {
				continue next
			}
		}
		out = append(out, e)
	}
	return out
}

// Set returns the edit that gives word i of a statement another text; quotes are added
// when it needs them. A word behind the last is added. Apply it with [diag.Apply].
func (f *File) Set(e Element, i int, text string) diag.Edit {
	if text == "" || strings.ContainsAny(text, " \t\f\v\r#!{}") {
		text = `"` + text + `"`
	}
	if words := f.Words(e); i < len(words) {
		return diag.Edit{Range: f.Range(words[i].From, words[i].To), NewText: text}
	}
	return diag.Edit{Range: f.Range(e.To, e.To), NewText: " " + text}
}

type treeParser struct {
	s     []byte
	nodes []node
	depth int
}

func (p *treeParser) add(k ElementKind, from, to int) {
	if from == to {
		return
	}
	switch k {
	case Space:
		if n := len(p.nodes); n > 0 && p.nodes[n-1].kind() == Space {
			p.nodes[n-1] = newNode(Space, to, p.nodes[n-1].depth())
			return
		}
	case Open:
		p.nodes = append(p.nodes, newNode(k, to, p.depth))
		p.depth++
		return
	case Close:
		p.depth = max(p.depth-1, 0)
	}
	p.nodes = append(p.nodes, newNode(k, to, p.depth))
}

func (p *treeParser) run() {
	for at := 0; at < len(p.s); {
		end := bytes.IndexByte(p.s[at:], '\n')
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
	// Most lines hold nothing special but a brace at their end.
	plain := i
	for plain < body && !special[p.s[plain]] {
		plain++
	}
	if p.s[i] != 'i' && (plain == body || plain == body-1 && (p.s[plain] == '{' || p.s[plain] == '}')) {
		p.statement(i, plain)
		if plain < body {
			k := Open
			if p.s[plain] == '}' {
				k = Close
			}
			p.add(k, plain, body)
		}
		p.add(Space, body, next)
		return next
	}
	stop, comment := p.code(i, body)
	switch p.s[i] {
	case '$':
		if w := p.s[i+1 : stop]; isDefinition(w) {
			// A definition goes on over lines that end in a backslash.
			for bytes.HasSuffix(bytes.TrimRight(p.s[i:stop], " \t\r"), []byte{'\\'}) && comment < 0 && next < len(p.s) {
				end = bytes.IndexByte(p.s[next:], '\n')
				if end < 0 {
					end = len(p.s)
				} else {
					end += next
				}
				if len(bytes.TrimRight(p.s[next:end], "\r")) == 0 {
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
		n := bytes.IndexAny(p.s[i:stop], " \t")
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
	if i < stop && p.s[i] == 'i' && isInclude(string(p.s[i:min(stop, i+9)])) {
		p.add(Include, i, stop)
	} else {
		p.statements(i, stop)
	}
	p.tail(stop, comment, body, next)
	return next
}

func isDefinition(s []byte) bool {
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

// statement adds a statement and the blanks at its end.
func (p *treeParser) statement(from, to int) {
	e := to
	for e > from && (p.s[e-1] == ' ' || p.s[e-1] == '\t') {
		e--
	}
	p.add(Statement, from, e)
	p.add(Space, e, to)
}

// statements splits code at its braces.
func (p *treeParser) statements(from, to int) {
	start := from
	flush := func(end int) { p.statement(start, end) }
	for i := from; i < to; i++ {
		switch p.s[i] {
		case '"':
			n := bytes.IndexByte(p.s[i+1:to], '"')
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
