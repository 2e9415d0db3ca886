package keepalived

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// maxLine is the size of the buffer into which keepalived reads a line.
const maxLine = 1024

// input is a file that is being read, or the decommented copy of all of them.
type input struct {
	file   int32
	text   string
	pos    int
	dir    string
	depth  int
	check  int      // what include_check asked for when the include was read
	last   bool     // the last file of its include
	long   int      // the end of the last line that is too long
	copied []buffer // the lines of a copy, when not nil
	next   int
}

// reader turns files into logical lines.
type reader struct {
	c     *Config
	l     Loader
	v     Version
	stack []*input
	out   []line
	// copied is the copy that the parent process makes for the others.
	copied    []buffer
	recording bool
	again     bool // the other processes read something else
	second    bool // this is what they read
	// What the last look at the files passed over.
	sawEmpty, sawComment, rawInclude bool
	files                            int
	bytes                            int64
	// made counts the lines that repetitions and definitions made, room the bytes of
	// memory that lines take which do not stand in the files as they are.
	made, room int
	// moved counts the bytes that substitution moves.
	moved   int
	defs    []*definition
	byName  map[string]*definition
	repeats []*repeat
	// multi is what is left of the multi-line definition in use, outer ones wait.
	multi      []pending
	multiDepth int
	residue    *buffer
	rest       buffer // what residue points at
	rand       *rand.Rand
	stopped    bool
	// check is what include_check asks for; nest and global say where it would stand.
	check, nest int
	global      bool
}

type pending struct {
	text  string
	at    buffer // of the use
	depth int
}

type definition struct {
	name  string
	value string
	multi bool
	std   string // name of a built-in that is computed
	at    span
	use   int // index into Config.defs, or -1
}

func newReader(c *Config, l Loader) *reader {
	r := &reader{c: c, l: l, v: l.Profile.Version(), byName: map[string]*definition{}}
	for _, name := range []string{"_PWD", "_INSTANCE", "_RANDOM", "_ENV"} {
		if name == "_ENV" && r.v.before(version240) {
			continue
		}
		r.define(&definition{name: name, std: name, use: -1, at: nowhere})
	}
	r.define(&definition{name: "_HASH", value: "#", use: -1, at: nowhere})
	r.define(&definition{name: "_BANG", value: "!", use: -1, at: nowhere})
	return r
}

func (r *reader) define(d *definition) {
	if _, ok := r.byName[d.name]; !ok {
		r.defs = append(r.defs, d)
		r.byName[d.name] = d
	}
}

func (r *reader) open(name string, data []byte, dir string, depth int) {
	r.files++
	r.bytes += int64(len(data))
	file := r.c.addSource(name, data)
	r.push(&input{file: file, text: r.c.sources[file].text, dir: dir, depth: depth})
	if r.out == nil {
		r.out = make([]line, 0, 16+len(data)/14)
	}
}

func (r *reader) push(in *input) { r.stack = append(r.stack, in) }

func (r *reader) top() *input { return r.stack[len(r.stack)-1] }

func (r *reader) report(rule string, at span, format string, args ...any) *finding {
	return r.c.report(rule, at, format, args...)
}

// limitRule is the rule of what is larger than a limit.
const limitRule = "KA037"

func (r *reader) stop(at span, format string, args ...any) {
	if !r.stopped {
		r.stopped = true
		r.c.tooMuch = true
		f := r.report(limitRule, at, format, args...)
		f.objects = true
	}
}

// run reads everything.
func (r *reader) run() {
	limit := r.l.maxLines()
	for !r.stopped {
		b, ok := r.line()
		if !ok {
			return
		}
		if len(r.out) >= limit {
			r.stop(b.all(), "the configuration has more than %d lines after expansion", limit)
			return
		}
		r.emit(b)
	}
}

// emit stores a logical line.
func (r *reader) emit(b buffer) {
	l := line{file: b.file, off: b.off, n: int32(len(b.text))}
	if !b.plain {
		r.bytes += int64(len(b.text))
		r.room += 8*len(b.origin) + len(b.text) + 100
		if r.bytes > r.l.maxBytes() || r.room > maxRoom {
			r.stop(b.all(), "the configuration becomes too large by expansion")
			return
		}
		r.c.extras = append(r.c.extras, extra{text: b.text, origin: b.origin, ends: b.ends, def: b.def, expanded: b.expand})
		l.ext = int32(len(r.c.extras))
		if len(b.origin) > 0 {
			l.off = b.origin[0]
		}
	}
	r.out = append(r.out, l)
	if b.text == "" {
		return
	}
	switch b.text[0] {
	case '{':
		r.nest++
	case '}':
		r.nest = max(r.nest-1, 0)
	case 'g':
		r.global = r.nest == 0 && strings.HasPrefix(b.text, "global_defs") || r.nest > 0 && r.global
	case 'i':
		if r.nest == 1 && r.global && strings.HasPrefix(b.text, "include_check") {
			r.includeCheck(b.text)
		}
	default:
		r.global = r.global && r.nest > 0
	}
}

// special marks the bytes that a plain line does not have.
var special = func() (t [256]bool) {
	for _, c := range "!#\"\\$@~{}\x00" {
		t[c] = true
	}
	return t
}()

// physical returns the next line of the files that is not empty after comments are
// gone. It notes lines without any byte, and lines with a comment alone, that it
// passes over.
func (r *reader) physical() (b buffer, ok bool) {
	for {
		if len(r.stack) == 0 {
			return buffer{}, false
		}
		in := r.top()
		if in.copied != nil {
			if in.next >= len(in.copied) {
				r.stack = r.stack[:len(r.stack)-1]
				continue
			}
			b := in.copied[in.next]
			in.next++
			r.rawInclude = false
			if b.text == "" {
				r.sawEmpty = true
				continue
			}
			if b.text[0] == '#' || b.text[0] == '!' {
				// It is taken for a mark of the copy: a file that begins or ends.
				f := r.report("KA022", b.all(), "the line begins with %q once the backslash is gone: the other processes of keepalived lose track of the file", b.text[:1])
				f.objects = b.text[0] == '!' || strings.HasPrefix(b.text, "#!")
				continue
			}
			b = r.decomment(b)
			if b.text != "" {
				return b, true
			}
			continue
		}
		if in.pos >= len(in.text) {
			r.stack = r.stack[:len(r.stack)-1]
			if in.last {
				r.check = in.check
			}
			continue
		}
		from := in.pos
		n := strings.IndexByte(in.text[from:], '\n')
		to := len(in.text)
		in.pos = to
		if n >= 0 {
			to = from + n
			in.pos = to + 1
		}
		old := r.v.before(version240)
		if to-from > maxLine-1 || to-from == maxLine-1 && (n >= 0 || !old) {
			if old {
				if to-from > maxLine-1 {
					if to > in.long {
						in.long = to
						r.report("KA029", span{in.file, int32(from), int32(to)}, "the line has %d bytes: keepalived cuts it after %d and reads the rest as further lines", to-from, maxLine-1)
					}
					to = from + maxLine - 1
					in.pos = to
				} else {
					// The line fits, its line end is read as an empty line.
					in.pos = to
				}
			} else {
				if to > in.long {
					in.long = to
					f := r.report("KA029", span{in.file, int32(from), int32(to)}, "the line has %d bytes, more than %d", to-from, maxLine-2)
					f.objects = true
				}
				in.pos = from + maxLine - 1
				continue
			}
		}
		text := in.text[from:to]
		if i := strings.IndexByte(text, 0); i >= 0 {
			f := r.report("KA028", span{in.file, int32(from + i), int32(from + i + 1)}, "a NUL byte: the rest of the line is not read")
			if !old {
				f.objects = true
				f.msg = "a NUL byte: the line is not read"
				continue
			}
			text = text[:i]
		}
		for len(text) > 0 && (text[len(text)-1] == '\r' || text[len(text)-1] == '\n') {
			text = text[:len(text)-1]
		}
		if text == "" {
			r.sawEmpty = true
			if r.recording {
				r.copied = append(r.copied, buffer{})
			}
			continue
		}
		b := r.decomment(buffer{text: text, file: in.file, off: int32(from), plain: true})
		r.rawInclude = isInclude(b.text)
		if r.recording {
			if r.rawInclude {
				b.text = ""
			}
			r.copied = append(r.copied, b)
			if r.rawInclude {
				b.text = text[len(text)-len(strings.TrimLeft(text, " \t")):]
				b = r.decomment(buffer{text: text, file: in.file, off: int32(from), plain: true})
			}
		}
		if b.text == "" {
			r.sawComment = true
			continue
		}
		return b, true
	}
}

// decomment takes away comments and the white space around the line.
func (r *reader) decomment(b buffer) buffer {
	s := b.text
	from := 0
	for from < len(s) && (s[from] == ' ' || s[from] == '\t') {
		from++
	}
	i := from
	for i < len(s) && !special[s[i]] {
		i++
	}
	if i == len(s) {
		to := len(s)
		for to > from && (s[to-1] == ' ' || s[to-1] == '\t') {
			to--
		}
		return b.cut(from, to)
	}
	v24 := !r.v.before(version240)
	quote, cont := false, false
	quoteAt := 0
	skip := -1
	var removed []int
	end := len(s)
scan:
	for i = from; i < len(s); i++ {
		switch s[i] {
		case '"':
			if skip < 0 {
				quote = !quote
				quoteAt = i
			}
		case '\\':
			if i+1 == len(s) {
				end = i
				cont = true
				break scan
			}
			if !quote && (s[i+1] == '#' || s[i+1] == '!') {
				removed = append(removed, i)
			}
			i++
		case '#', '!':
			if !quote && skip < 0 {
				skip = i
				if i > from && !isBlank(s[i-1]) && !r.second {
					r.inWord(b, i)
				}
				if v24 {
					break scan
				}
			}
		}
	}
	if quote && !r.second {
		f := r.report("KA020", b.span(quoteAt, len(s)), "the quote is never closed on this line")
		f.objects = true
		f.fix("close the quote", edit{b.span(len(s), len(s)), `"`})
	}
	if skip >= 0 {
		end = min(end, skip)
	}
	to := end
	for to > from && (s[to-1] == ' ' || s[to-1] == '\t') {
		to--
	}
	for len(removed) > 0 && removed[len(removed)-1] >= to {
		removed = removed[:len(removed)-1]
	}
	if len(removed) == 0 && !cont {
		return b.cut(from, to)
	}
	if len(removed) == 0 && to == len(s)-1 {
		return b.cut(from, to+1) // the backslash stands right behind the text
	}
	if len(removed) > 0 && !r.second {
		r.again = true
		for _, at := range removed {
			r.escaped(b, at)
		}
	}
	out := buffer{file: b.file, off: b.off, def: b.def, expand: b.expand}
	var text strings.Builder
	for i := from; i < to; i++ {
		if len(removed) > 0 && removed[0] == i {
			removed = removed[1:]
			continue
		}
		text.WriteByte(s[i])
		f, t := b.at(i)
		out.origin = append(out.origin, f)
		out.ends = append(out.ends, t)
	}
	if cont {
		text.WriteByte('\\')
		f, t := b.at(len(s) - 1)
		out.origin = append(out.origin, f)
		out.ends = append(out.ends, t)
		if skip >= 0 && !r.second {
			at := b.span(len(s)-1, len(s))
			r.report("KA023", at, "a backslash at the end of a comment is read as a word of the line").
				fix("delete the backslash", edit{at, ""}).objects = true
		}
	}
	out.text = text.String()
	return out
}

// line returns the next logical line.
func (r *reader) line() (buffer, bool) {
	for !r.stopped {
		b, ok := r.raw()
		if !ok {
			return buffer{}, false
		}
		if b.text == "" {
			continue
		}
		b, ok = r.expand(b)
		if !ok || b.text == "" {
			continue
		}
		if r.include(b) {
			continue
		}
		return r.braces(b), true
	}
	return buffer{}, false
}

// raw returns the next line from what waits: the rest of a line, a repetition, a
// multi-line definition, the files.
func (r *reader) raw() (buffer, bool) {
	r.c.work++
	r.rawInclude = false
	if r.residue != nil {
		b := *r.residue
		r.residue = nil
		return b, true
	}
	if len(r.repeats) > 0 && len(r.repeats) > r.multiDepth {
		return r.repeat(), true
	}
	if n := len(r.multi); n > 0 {
		p := &r.multi[n-1]
		at := p.at
		text, rest, more := strings.Cut(p.text, "\n")
		if more {
			p.text = rest
		} else {
			r.multi = r.multi[:n-1]
			if n > 1 {
				r.multiDepth = r.multi[n-2].depth
			} else {
				r.multiDepth = 0
			}
		}
		r.make(at.all())
		return at.stamp(text), true
	}
	return r.physical()
}

// braces cuts the line at its first brace outside of quotes; the rest waits.
func (r *reader) braces(b buffer) buffer {
	s := b.text
	at := -1
	if s[0] == '{' || s[0] == '}' {
		at = 0
	} else {
		for i := 0; i < len(s); i++ {
			c := s[i]
			if c == '{' || c == '}' {
				at = i
				break
			}
			if c == '"' {
				n := strings.IndexByte(s[i+1:], '"')
				if n < 0 {
					break
				}
				i += n + 1
			}
		}
	}
	cut := len(s)
	if at == 0 {
		cut = 1
		for cut < len(s) && (s[cut] == ' ' || s[cut] == '\t') {
			cut++
		}
	} else if at > 0 {
		cut = at
	}
	if cut < len(s) {
		to := len(s)
		for to > cut && (s[to-1] == ' ' || s[to-1] == '\t') {
			to--
		}
		r.rest = b.cut(cut, to)
		r.residue = &r.rest
	}
	for cut > 0 && (s[cut-1] == ' ' || s[cut-1] == '\t') {
		cut--
	}
	return b.cut(0, cut)
}

// expand applies conditions, definitions, repetitions and variables. ok is false
// when nothing is left of the line.
func (r *reader) expand(b buffer) (buffer, bool) {
	for steps := 0; ; steps++ {
		if b.text == "" {
			return b, false
		}
		if b.text[0] == '@' {
			var ok bool
			if b, ok = r.condition(b); !ok {
				return b, false
			}
			if b.text == "" {
				return b, false
			}
		}
		if b.text[0] == '$' && r.definition(b) {
			return b, false
		}
		if strings.HasPrefix(b.text, "~SEQ") || strings.HasPrefix(b.text, "~LST") {
			r.addRepeat(b)
			return b, false
		}
		if b.text[0] == '~' {
			return b, true
		}
		if strings.IndexByte(b.text, '$') < 0 {
			return b, true
		}
		if steps > maxSteps {
			r.stop(b.all(), "variables in this line grow without end")
			return b, false
		}
		var changed bool
		if b, changed = r.substitute(b); !changed {
			return b, true
		}
		if r.stopped {
			return b, false
		}
		b = r.decomment(b)
		if b.text == "" {
			return b, false
		}
		if b.text[0] != '@' && strings.IndexByte(b.text, '$') < 0 {
			return b, true
		}
	}
}

// condition looks at "@id rest" and "@^id rest".
func (r *reader) condition(b buffer) (buffer, bool) {
	from := 1
	not := strings.HasPrefix(b.text, "@^")
	if not {
		from = 2
	}
	n := strings.IndexAny(b.text[from:], " \t")
	if n < 0 {
		if !r.second {
			r.c.ids = append(r.c.ids, idUse{b.text[from:], b.all(), false})
		}
		return b, false
	}
	id := b.text[from : from+n]
	holds := r.l.ConfigID != "" && id == r.l.ConfigID
	if !r.second {
		r.c.ids = append(r.c.ids, idUse{id, b.span(0, from+n), holds != not})
	}
	if holds == not {
		return b, false
	}
	to := from + n
	for to < len(b.text) && (b.text[to] == ' ' || b.text[to] == '\t') {
		to++
	}
	return b.cut(to, len(b.text)), true
}

func (r *reader) depth() int {
	if len(r.stack) == 0 {
		return 0
	}
	return r.top().depth
}

func formatInt(n int64, hex bool) string {
	if hex {
		return strconv.FormatUint(uint64(n), 16)
	}
	return strconv.FormatInt(n, 10)
}
