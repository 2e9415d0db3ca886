package keepalived

import (
	"context"
	"fmt"
	"strings"
)

// Recipients returns the addresses to which keepalived of the profile would send its
// mail, in order. Releases before 1.2.20 take braces in the wrong place for addresses;
// so does the answer for them, which is read from the main file alone.
func Recipients(c *Config, o Options) []string {
	e := evaluate(context.Background(), c, o)
	return e.m.Global.NotificationEmails
}

// legacy reads the main file as releases before 1.2.20 do, which know neither
// variables nor braces that stand where they like, and notes what later releases
// before 1.4.2 still cannot read.
func (e *eval) legacy() {
	if !e.v.before(version142) {
		return
	}
	r := &legacyReader{e: e, src: e.c.sources[0].text, old: e.v.before(version1220)}
	if !r.old {
		r.shapes()
		return
	}
	// What the later checks found is not known to such a release.
	e.keepOnly(func(f *finding) bool { return !f.objects })
	e.broken = false
	r.run()
	e.m.Global.NotificationEmails = r.mail
	e.m.Global.emailSpans = nil
}

type legacyReader struct {
	e    *eval
	src  string
	pos  int
	old  bool
	mail []string
}

type legacyLine struct {
	words []word // at is an offset in the source
	span  span
}

// next returns the next line that has words.
func (r *legacyReader) next() (legacyLine, bool) {
	for r.pos < len(r.src) {
		from := r.pos
		n := strings.IndexAny(r.src[from:], "\r\n")
		to := len(r.src)
		r.pos = to
		if n >= 0 {
			to = from + n
			r.pos = to + 1
		}
		if to-from > maxLine {
			to = from + maxLine
		}
		if w := legacyWords(r.src, from, to); len(w) > 0 {
			last := w[len(w)-1]
			return legacyLine{w, span{0, w[0].at, last.at + int32(len(last.s))}}, true
		}
	}
	return legacyLine{}, false
}

// legacyWords splits as the old releases do: a comment begins only where a word does,
// and a double quote is a word.
func legacyWords(src string, from, to int) []word {
	var out []word
	for i := from; i < to; {
		for i < to && isBlank(src[i]) {
			i++
		}
		if i == to || src[i] == '!' || src[i] == '#' {
			break
		}
		start := i
		if src[i] == '"' {
			i++
		} else {
			for i < to && !isBlank(src[i]) && src[i] != '"' {
				i++
			}
		}
		out = append(out, word{src[start:i], int32(start), false})
	}
	return out
}

func (w word) place() span { return span{0, w.at, w.at + int32(len(w.s))} }

// run reads the file.
func (r *legacyReader) run() { r.stream(r.e.s.root, 0) }

func (r *legacyReader) stream(b *block, level int) {
	for {
		l, ok := r.next()
		if !ok {
			return
		}
		w := l.words[0]
		if w.s == "}" && level > 0 {
			return
		}
		k := b.keys[w.s]
		if k == nil || r.e.v.before(k.since) || k.until != (Version{}) && k.until.before(r.e.v) {
			r.unknown(b, l)
			continue
		}
		switch {
		case k.kind == kindValues:
			r.values(k, l)
		case k.sub != nil && level < maxDepth:
			if n := len(l.words); n > 1 && len(l.words[n-1].s) > 1 && strings.HasSuffix(l.words[n-1].s, "{") {
				r.glued(l.words[n-1])
			}
			r.stream(k.sub, level+1)
		}
	}
}

func (r *legacyReader) glued(w word) {
	at := w.place()
	cut := span{0, at.to - 1, at.to - 1}
	r.e.note("KA019", at, "%s is one word for this release: the brace belongs to the name", quoted(w.s)).fix("insert a blank", edit{cut, " "})
}

func (r *legacyReader) unknown(b *block, l legacyLine) {
	w := l.words[0]
	switch w.s {
	case "{", "}":
		return
	}
	if strings.HasSuffix(w.s, "{") && b.keys[strings.TrimSuffix(w.s, "{")] != nil {
		r.glued(w)
		return
	}
	f := r.e.note("KA002", w.place(), "%s is no keyword %s; this release says nothing", quoted(w.s), r.e.where(b))
	if n := near(w.s, r.e.names(b)); n != "" {
		f.msg += "; did you mean " + n + "?"
		f.fix("replace it by "+n, edit{w.place(), n})
	}
}

// values reads a block of values: all words until a line that begins with }.
func (r *legacyReader) values(k *keyword, head legacyLine) {
	var got []word
	var names []string
	headWords := head.words[1:]
	open := len(headWords) > 0 && headWords[0].s == "{"
	start := r.pos
	var fault *finding
	if open && len(headWords) > 1 {
		fault = r.oneLine(k, head)
	}
	first := true
	for {
		l, ok := r.next()
		if !ok {
			break
		}
		if l.words[0].s == "}" {
			break
		}
		if first && l.words[0].s == "{" && !open {
			fault = r.braceBelow(k, head, l)
		}
		first = false
		if n := len(l.words); n > 1 && l.words[n-1].s == "}" {
			r.closedBehind(k, l)
		}
		got = append(got, l.words...)
	}
	_ = start
	for _, w := range got {
		names = append(names, w.s)
	}
	switch k.name {
	case "notification_email":
		r.mail = append(r.mail, names...)
		if fault != nil {
			fault.detail = "mail goes to: " + shortList(names)
		}
	default:
		if fault != nil {
			fault.detail = "the values are: " + shortList(names)
		}
	}
}

func shortList(names []string) string {
	if len(names) == 0 {
		return "nobody"
	}
	more := ""
	if len(names) > 12 {
		more = fmt.Sprintf(" and %d more", len(names)-12)
		names = names[:12]
	}
	var out []string
	for _, n := range names {
		out = append(out, quoted(n))
	}
	return strings.Join(out, ", ") + more
}

// braceBelow notes a { on the line behind the keyword.
func (r *legacyReader) braceBelow(k *keyword, head, l legacyLine) *finding {
	at := l.words[0].place()
	what := "value"
	if k.name == "notification_email" {
		what = "mail address"
	}
	f := r.e.note("KA016", at, "the { of %s is taken for a %s", k.name, what)
	if rest := r.src[head.span.to:at.from]; strings.TrimSpace(rest) == "" {
		text := " {"
		if len(l.words) > 1 {
			text = " {" + r.e.c.newline(0) + r.e.c.indent(at) + "    "
			at.to = l.words[1].at
		}
		f.fix("move the brace behind the keyword", edit{span{0, head.span.to, at.to}, text})
	}
	return f
}

// oneLine notes a block on one line.
func (r *legacyReader) oneLine(k *keyword, head legacyLine) *finding {
	first := 1
	if strings.HasPrefix(head.words[1].s, "{") && len(head.words) > 2 {
		first = 2
	}
	at := span{0, head.words[first].at, head.span.to}
	f := r.e.note("KA017", at, "the values of %s on its own line are lost, and the block goes on until a line that begins with }", k.name)
	nl := r.e.c.newline(0)
	in := r.e.c.indent(head.span)
	var words []string
	for _, w := range head.words[first:] {
		if w.s != "}" {
			words = append(words, w.s)
		}
	}
	if n := len(head.words); first == 2 && head.words[n-1].s == "}" {
		f.fix("split the lines", edit{span{0, head.words[1].at + 1, head.span.to}, nl + in + "    " + strings.Join(words, " ") + nl + in + "}"})
	}
	return f
}

// closedBehind notes a } behind the last value.
func (r *legacyReader) closedBehind(k *keyword, l legacyLine) *finding {
	w := l.words[len(l.words)-1]
	f := r.e.note("KA018", w.place(), "this } is taken for a value of %s, and the block goes on", k.name)
	nl := r.e.c.newline(0)
	before := l.words[len(l.words)-2].place()
	in := strings.TrimPrefix(r.e.c.indent(w.place()), "    ")
	return f.fix("give it a line of its own", edit{span{0, before.to, w.at}, nl + in})
}

// shapes notes what releases from 1.2.20 on and before 1.4.2 cannot read.
func (r *legacyReader) shapes() {
	b := []*block{r.e.s.root}
	var in *keyword
	for {
		l, ok := r.next()
		if !ok {
			return
		}
		w := l.words
		last := w[len(w)-1]
		if in != nil {
			if w[0].s == "}" {
				in = nil
			} else if last.s == "}" && len(w) > 1 {
				if in.name != "notification_email" && in.name != "group" {
					r.closedBehind(in, l)
				}
				in = nil
			}
			continue
		}
		if w[0].s == "}" {
			if len(b) > 1 {
				b = b[:len(b)-1]
			}
			continue
		}
		name := strings.TrimSuffix(w[0].s, "{")
		k := b[len(b)-1].keys[name]
		if k == nil {
			continue
		}
		if len(last.s) > 1 && strings.HasSuffix(last.s, "{") {
			r.glued(last)
		}
		switch {
		case k.sub != nil:
			if last.s != "}" {
				b = append(b, k.sub)
			}
		case k.kind == kindValues:
			if last.s == "}" {
				if k.name != "notification_email" && k.name != "group" {
					r.oneLine(k, l)
				}
				continue
			}
			in = k
		}
	}
}
