package keepalived

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

func isAlpha(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isName(c byte) bool  { return isAlpha(c) || isDigit(c) || c == '_' }

// definition reads "$NAME=text", with the lines that continue it.
func (r *reader) definition(b buffer) bool {
	s := b.text
	if len(s) < 2 || !isAlpha(s[1]) && s[1] != '_' {
		return false
	}
	p := 2
	for p < len(s) && isName(s[p]) {
		p++
	}
	if p == len(s) || s[p] != '=' {
		return false
	}
	name := s[1:p]
	p++
	for p < len(s) && (s[p] == ' ' || s[p] == '\t') {
		p++
	}
	d := r.byName[name]
	if d == nil {
		d = &definition{name: name, use: -1}
		r.define(d)
	}
	d.std = ""
	d.at = b.span(0, len(name)+1)
	d.use = -1
	whole := b.all()
	text := s[p:]
	d.multi = strings.HasSuffix(text, "\\")
	if d.multi {
		text = strings.TrimRight(text[:len(text)-1], " \t")
		if text != "" {
			text += "\n"
		}
	}
	d.value = text
	for more := d.multi; more; {
		r.sawEmpty, r.sawComment = false, false
		next, ok := r.raw()
		if !r.second && r.sawComment {
			r.again = true
		}
		if !ok {
			break
		}
		if r.sawEmpty {
			if d.value == "" {
				d.multi = false
			}
			r.residue = &next
			break
		}
		whole.to = max(whole.to, next.all().to)
		t := next.text
		if strings.HasSuffix(t, "\\") {
			t = strings.TrimRight(t[:len(t)-1], " \t") + "\n"
		} else {
			more = false
			if d.value == "" {
				d.multi = false
			}
		}
		if len(t) >= 2 || t != "" && !more {
			d.value += t
			r.bytes += int64(len(t))
			if r.bytes > r.l.maxBytes() || len(d.value) > 1<<20 {
				r.stop(whole, "the definition of $%s has more than %d bytes", name, 1<<20)
				break
			}
		}
	}
	if !r.second {
		r.c.defs = append(r.c.defs, defUse{name: name, at: d.at, line: whole})
		d.use = len(r.c.defs) - 1
	}
	return true
}

// use is a place where a variable is used.
type use struct {
	d          *definition
	from, to   int
	parameters string
}

// find looks for a variable that is used at s[i], which is a "$".
func (r *reader) find(s string, i int) (use, bool) {
	p := i + 1
	brace := p < len(s) && s[p] == '{'
	if brace {
		p++
	}
	if p >= len(s) || !isAlpha(s[p]) && s[p] != '_' {
		return use{}, false
	}
	from := p
	for p < len(s) && isName(s[p]) {
		p++
	}
	name := s[from:p]
	u := use{from: i}
	v24 := !r.v.before(version240)
	if brace {
		begin, end := -1, -1
		for p < len(s) && (s[p] == ' ' || isDigit(s[p]) || v24 && (s[p] == '\t' || isName(s[p]))) {
			if s[p] != ' ' && s[p] != '\t' {
				if begin < 0 {
					begin = p
				}
				end = p + 1
			}
			p++
		}
		if begin >= 0 && end != p || p >= len(s) || s[p] != '}' {
			return use{}, false
		}
		if begin >= 0 {
			u.parameters = s[begin:end]
		}
		p++
	} else if p < len(s) && strings.IndexByte(" \t,)", s[p]) < 0 {
		return use{}, false
	}
	u.to = p
	d := r.byName[name]
	if d == nil {
		return use{}, false
	}
	last := p == len(s)
	if brace {
		// The character behind the name decides, not that behind the brace.
		last = from+len(name)+1 == len(s)
	}
	if d.multi && !last {
		return use{}, false
	}
	if u.parameters != "" {
		most := map[string]int{"_RANDOM": 2, "_ENV": 1}[d.std]
		n := len(strings.Fields(u.parameters))
		if most == 0 || v24 && n > most {
			return use{}, false
		}
		if v24 && d.std == "_RANDOM" && strings.Trim(u.parameters, "0123456789 \t") != "" {
			return use{}, false
		}
	} else if d.std == "_ENV" {
		return use{}, false
	}
	u.d = d
	return u, true
}

// value returns the text that a use of a variable brings.
func (r *reader) value(u use, at span) string {
	switch u.d.std {
	case "_PWD":
		if r.l.Dir != "" {
			return r.l.Dir
		}
		return "/etc/keepalived"
	case "_INSTANCE":
		return r.l.ConfigID
	case "_ENV":
		return r.l.Env[u.parameters]
	case "_RANDOM":
		lo, hi := uint64(0), uint64(32767)
		f := strings.Fields(u.parameters)
		if len(f) > 0 {
			lo, _ = strconv.ParseUint(f[0], 10, 63)
		}
		if len(f) > 1 {
			hi, _ = strconv.ParseUint(f[1], 10, 63)
		}
		if lo > hi {
			fd := r.report("KA036", at, "${_RANDOM %s}: the least value is above the greatest", u.parameters)
			fd.objects = true
			hi = lo
		}
		if r.rand == nil {
			r.rand = rand.New(rand.NewPCG(r.l.Seed, 0x6b61))
		}
		return strconv.FormatUint(lo+r.rand.Uint64N(hi-lo+1), 10)
	}
	return u.d.value
}

// substitute replaces variables once over, as keepalived does: what a variable
// brings is looked at again.
func (r *reader) substitute(b buffer) (buffer, bool) {
	changed := false
	inMulti := len(r.multi) > 0
	for i, steps := 0, 0; ; {
		n := strings.IndexByte(b.text[i:], '$')
		if n < 0 || i+n+1 >= len(b.text) {
			break
		}
		i += n
		u, ok := r.find(b.text, i)
		if !ok {
			i++
			continue
		}
		if steps++; steps > maxSteps {
			r.stop(b.all(), "variables in this line grow without end")
			break
		}
		at := b.span(u.from, u.to)
		if r.moved += len(b.text); r.moved > maxMoved+8*int(r.bytes) {
			r.stop(at, "variables grow in too many lines")
			break
		}
		if u.d.use >= 0 {
			r.c.defs[u.d.use].used = true
		}
		value := r.value(u, at)
		var rest string
		if u.d.multi {
			first, tail, _ := strings.Cut(value, "\n")
			value, rest = first, tail
		}
		if len(b.text)+len(value)-(u.to-u.from) >= maxLine {
			r.report("KA037", at, "$%s makes the line longer than %d bytes; the variable is left as it is", u.d.name, maxLine-1)
			return b, false
		}
		if u.d.multi {
			if inMulti && len(r.multi) >= maxDepth {
				r.stop(at, "multi-line definitions use one another without end")
				break
			}
			r.multi = append(r.multi, pending{rest, b, len(r.repeats)})
			r.multiDepth = len(r.repeats)
			inMulti = true
		}
		b.spread()
		from, to := b.origin[u.from], b.ends[u.to-1]
		tail := b.text[u.to:]
		if u.parameters != "" && len(value) < u.to-u.from && tail != "" && r.v.before(version240) {
			// The text behind is moved by one byte only, the rest stays.
			old := b.text
			b.text = old[:u.from] + value + tail[:1] + old[u.from+len(value)+1:]
			b.origin = remap(b.origin, u.from, len(value), from)
			b.ends = remap(b.ends, u.from, len(value), to)
		} else {
			b.text = b.text[:u.from] + value + tail
			b.origin = splice(b.origin, u.from, u.to, len(value), from)
			b.ends = splice(b.ends, u.from, u.to, len(value), to)
		}
		b.expand = true
		if u.d.at.file >= 0 {
			b.def = u.d.at
		}
		changed = true
		if t := strings.TrimLeft(value, " \t"); t != "" && t[0] == '~' {
			break
		}
	}
	return b, changed
}

func remap(s []int32, from, n int, v int32) []int32 {
	out := append([]int32(nil), s...)
	for i := from; i < from+n && i < len(out); i++ {
		out[i] = v
	}
	return out
}

// splice replaces s[from:to] by n times v.
func splice(s []int32, from, to, n int, v int32) []int32 {
	out := make([]int32, 0, len(s)-(to-from)+n)
	out = append(out, s[:from]...)
	for range n {
		out = append(out, v)
	}
	return append(out, s[to:]...)
}

// make counts a line that does not stand in the files, whatever becomes of it.
func (r *reader) make(at span) {
	if r.made++; r.made > maxMade {
		r.stop(at, "repetitions and definitions make more than %d lines", maxMade)
	}
}

// repeat is a ~SEQ or ~LST that is being replayed.
type repeat struct {
	name             string
	next, last, step int64
	hex              bool
	names            []string
	sets             [][]string
	text             buffer
}

func (r *reader) set(name, value string) {
	d := r.byName[name]
	if d == nil || !isAlpha(name[0]) && name[0] != '_' {
		d = &definition{name: name, use: -1, at: nowhere}
		r.define(d)
	}
	d.std = ""
	d.value = value
}

// repeat returns the next line of the innermost repetition.
func (r *reader) repeat() buffer {
	q := r.repeats[len(r.repeats)-1]
	b := q.text
	if b.plain {
		b.spread()
	}
	b.expand = true
	if q.names == nil {
		r.set(q.name, formatInt(q.next, q.hex))
		end := q.step > 0 && q.next > q.last-q.step || q.step < 0 && q.next < q.last-q.step
		q.next += q.step
		if end || q.step == 0 {
			r.repeats = r.repeats[:len(r.repeats)-1]
		}
	} else {
		for i, n := range q.names {
			v := ""
			if i < len(q.sets[0]) {
				v = q.sets[0][i]
			}
			if n != "" {
				r.set(n, v)
			}
		}
		q.sets = q.sets[1:]
		if len(q.sets) == 0 {
			r.repeats = r.repeats[:len(r.repeats)-1]
		}
	}
	r.make(b.all())
	return b
}

// addRepeat reads a ~SEQ or ~LST.
func (r *reader) addRepeat(b buffer) {
	bad := func(why string) {
		if r.second {
			return
		}
		f := r.report("KA036", b.all(), "%s: %s", b.text[:4], why)
		f.objects = true
	}
	if len(r.repeats) > maxDepth {
		r.stop(b.all(), "more than %d repetitions within one another", maxDepth)
		return
	}
	if b.text[1] == 'S' {
		r.addSeq(b, bad)
	} else {
		r.addList(b, bad)
	}
}

func skipBlanks(s string, p int) int {
	for p < len(s) && (s[p] == ' ' || s[p] == '\t') {
		p++
	}
	return p
}

func (r *reader) addSeq(b buffer, bad func(string)) {
	s := b.text
	p := 4
	q := &repeat{}
	if p < len(s) && s[p] == 'x' {
		q.hex = true
		p++
	}
	p = skipBlanks(s, p)
	if p >= len(s) || s[p] != '(' {
		bad("( is missing")
		return
	}
	p = skipBlanks(s, p+1)
	from := p
	for p < len(s) && strings.IndexByte(" \t,)", s[p]) < 0 {
		p++
	}
	q.name = s[from:p]
	p = skipBlanks(s, p)
	if p >= len(s) || s[p] == ')' || q.name == "" || s[p] != ',' {
		bad("a name and a range are wanted: ~SEQ(name, first, last) text")
		return
	}
	p = skipBlanks(s, p+1)
	end := strings.IndexByte(s[p:], ')')
	if end < 0 {
		bad(") is missing")
		return
	}
	end += p
	args := b.cut(p, end+1)
	if len(args.text) > 3*20+3 {
		bad("the numbers are too long")
		return
	}
	if strings.IndexByte(args.text, '$') >= 0 {
		depth := len(r.multi)
		args, _ = r.substitute(args)
		if len(r.multi) > depth {
			bad("a number is a multi-line definition")
			return
		}
	}
	text := args.text
	var n []int64
	for {
		v, rest := parseC(text)
		n = append(n, v)
		rest = strings.TrimLeft(rest, " \t")
		if strings.HasPrefix(rest, ")") {
			break
		}
		if !strings.HasPrefix(rest, ",") || len(n) == 3 {
			bad("numbers with commas between them are wanted: ~SEQ(name, first, step, last) text")
			return
		}
		text = rest[1:]
	}
	switch len(n) {
	case 1:
		q.last, q.step, q.next = n[0], 1, 1
		if q.last < 1 {
			q.step = -1
		}
		if q.last < 0 {
			q.next = -1
		}
	case 2:
		q.next, q.last, q.step = n[0], n[1], 1
		if q.next > q.last {
			q.step = -1
		}
	case 3:
		q.next, q.step, q.last = n[0], n[1], n[2]
		if q.step == 0 || q.next < q.last && q.step < 0 || q.next > q.last && q.step > 0 {
			bad("the step does not lead from the first to the last value")
			return
		}
	}
	if q.hex && (q.next < 0 || q.last < 0) {
		bad("~SEQx wants positive numbers")
		return
	}
	q.text = b.cut(skipBlanks(s, end+1), len(s))
	r.repeats = append(r.repeats, q)
}

// parseC reads a number with the prefixes of C, as strtol with base 0; without digits
// it is 0 and nothing is read.
func parseC(s string) (int64, string) {
	t := strings.TrimLeft(s, blanks)
	i := 0
	if i < len(t) && (t[i] == '+' || t[i] == '-') {
		i++
	}
	base := 10
	if strings.HasPrefix(t[i:], "0x") || strings.HasPrefix(t[i:], "0X") {
		if len(t) > i+2 && strings.IndexByte("0123456789abcdefABCDEF", t[i+2]) >= 0 {
			base = 16
			i += 2
		}
	} else if strings.HasPrefix(t[i:], "0") {
		base = 8
	}
	from := i
	for i < len(t) {
		d := strings.IndexByte("0123456789abcdef", t[i]|0x20)
		if isDigit(t[i]) {
			d = int(t[i] - '0')
		}
		if d < 0 || d >= base {
			break
		}
		i++
	}
	if i == from {
		return 0, s
	}
	v, err := strconv.ParseInt(t[from:i], base, 64)
	if err != nil {
		v = 1<<63 - 1
	}
	if t[0] == '-' {
		v = -v
	}
	return v, t[i:]
}

func (r *reader) addList(b buffer, bad func(string)) {
	s := b.text
	p := skipBlanks(s, 4)
	form := "the form is ~LST(name, {a}, {b}) text or ~LST({n1, n2}, {a1, a2}, {b1, b2}) text"
	at := func() byte {
		if p < len(s) {
			return s[p]
		}
		return 0
	}
	if at() != '(' {
		bad("( is missing")
		return
	}
	p = skipBlanks(s, p+1)
	q := &repeat{names: []string{}}
	end := byte(',')
	if at() == '{' {
		end = '}'
		p = skipBlanks(s, p+1)
	}
	for {
		from := p
		for p < len(s) && strings.IndexByte(" \t,}", s[p]) < 0 {
			p++
		}
		q.names = append(q.names, s[from:p])
		p = skipBlanks(s, p)
		if at() == end {
			break
		}
		if at() != ',' {
			bad(form)
			return
		}
		p = skipBlanks(s, p+1)
	}
	if at() == '}' {
		p = skipBlanks(s, p+1)
	}
	if at() != ',' {
		bad(form)
		return
	}
	p = skipBlanks(s, p+1)
	for {
		end = ','
		if at() == '{' {
			end = '}'
			p = skipBlanks(s, p+1)
		}
		var set []string
		for {
			from := p
			for p < len(s) && strings.IndexByte(" \t,})", s[p]) < 0 {
				p++
			}
			set = append(set, s[from:p])
			p = skipBlanks(s, p)
			if at() == end || at() == ')' && end == ',' {
				break
			}
			if at() != ',' {
				bad(form)
				return
			}
			p = skipBlanks(s, p+1)
			if len(set) > len(q.names)-1 {
				bad("more values than names")
				return
			}
		}
		q.sets = append(q.sets, set)
		if at() == '}' && end == '}' {
			p = skipBlanks(s, p+1)
		}
		if at() == ')' {
			break
		}
		if at() != ',' {
			bad(form)
			return
		}
		p = skipBlanks(s, p+1)
	}
	q.text = b.cut(skipBlanks(s, p+1), len(s))
	r.repeats = append(r.repeats, q)
}
