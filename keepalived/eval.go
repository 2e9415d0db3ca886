package keepalived

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"dougu.internal/diag"
)

// eval is one judgement of a configuration: the passes of the four processes over the
// lines, and what they make of them.
type eval struct {
	vrids *[256]bool // the ids in use, once they are asked for
	c     *Config
	o     Options
	v     Version
	s     *schema
	prog  program

	lines []line
	pos   int
	depth int
	level int
	skip  int
	slab  []word
	seen  []seenKeyword
	base  int
	open  []span
	head  span
	// closing holds for the lines that closingOf begins where a { is closed; see match.
	closing   []int32
	closingOf *line

	store
	broken       bool
	brokenAt     span
	misspelled   int  // unknown keywords so far: suggestions end after a thousand
	afterUnknown bool // the statement before was an unknown keyword
	inBFD        bool
	// work counts the lines and list entries that were looked at.
	work int
	// tracked are the things that instances and groups track so far, peers the
	// unicast peers of peersOf.
	tracked map[trackKey]span
	peers   map[netip.Addr]int
	peersOf *Instance
	// over are the blocks of unknown keywords, overHeads the blocks that they damage,
	// overTo the line behind the last.
	over, overHeads []span
	overTo          int
	// surplusOpen is the answer of unclosedAbove once it is known.
	surplusKnown, surplusOpen bool
	// headOpen: the line before was the head of a block of another process, at headAt,
	// and its { is still to come.
	headOpen bool
	headAt   span
	spent    int
	// strictSeen holds the lines that KA103 named.
	strictSeen map[span]bool

	m *Model
	state
}

// evaluate runs the passes, the checks at the end and, for the findings that
// keepalived does not have, the other rules.
func evaluate(c *Config, o Options) *eval {
	if o.Profile.Version == (Version{}) && len(o.Profile.Without) == 0 {
		o.Profile = c.profile
	}
	e := &eval{c: c, o: o, v: o.Profile.Version.or(Newest), s: theSchema(), m: &Model{}}
	e.m.Global.defaults()
	e.take(&c.store)
	if c.tooMuch {
		// What a part of a configuration means is not known.
		e.quietLines()
		return e
	}
	for _, p := range []program{parent, checker, vrrp, bfd} {
		e.run(p)
	}
	e.legacy()
	e.quieten()
	e.lint()
	e.quieten()
	e.settle()
	return e
}

func (e *eval) run(p program) {
	e.prog = p
	e.lines = e.c.lines
	if p != parent {
		e.lines = e.c.children
	}
	e.pos, e.depth, e.level, e.skip = 0, 0, 0, 0
	e.overTo, e.afterUnknown, e.headOpen = 0, false, false
	e.slab = e.slab[:0]
	e.seen, e.open, e.base = e.seen[:0], e.open[:0], 0
	e.begin()
	e.stream(e.s.root, false)
	if e.depth > 0 {
		e.unclosed()
	}
	e.finish()
}

// list returns what is to be shown.
func (e *eval) list() diag.List {
	ignored := e.ignored()
	return e.c.diagnostics(&e.store, func(f *finding) bool {
		if f.quiet || slices.Contains(e.o.Disable, f.rule) || len(e.o.Enable) > 0 && !slices.Contains(e.o.Enable, f.rule) {
			return false
		}
		return !ignored(f)
	})
}

// ignored returns a function that tells which findings a comment silences. Unknown
// rules in comments become findings themselves.
func (e *eval) ignored() func(*finding) bool {
	type key struct {
		file int32
		line int
		rule string
	}
	off := map[key]bool{}
	for i := range e.c.sources {
		src := &e.c.sources[i]
		for _, c := range src.comments {
			for _, r := range c.rules {
				if ruleOf(r).ID == "" {
					e.note("KA000", span{int32(i), int32(c.from), int32(c.to)}, "lint:ignore names %s, which is no rule", quoted(r))
					continue
				}
				off[key{int32(i), c.line, r}] = true
				if c.alone {
					off[key{int32(i), c.line + 1, r}] = true
				}
			}
		}
	}
	return func(f *finding) bool {
		if len(off) == 0 || f.at.file < 0 {
			return false
		}
		return off[key{f.at.file, e.c.place(f.at).Start.Line, f.rule}]
	}
}

// quieten hides what follows from one fault of braces, or from a file that includes
// itself.
func (e *eval) quieten() {
	at := e.brokenAt
	e.hush(func(f *finding) bool {
		if !e.broken || f.at.file != at.file || f.at.from < at.from || !f.objects && !misplaced[f.rule] {
			return false
		}
		switch f.rule {
		case "KA028", "KA026", "KA027", "KA020":
			return false
		}
		return f.at.from > at.from || !structural[f.rule]
	})
	e.quietOver()
	e.quietCycles()
	e.quietLines()
}

// structural are the rules that name a fault of braces, misplaced those which
// keepalived does not have and that say nothing once lines are read in the wrong block.
var (
	structural = map[string]bool{"KA011": true, "KA012": true, "KA013": true, "KA014": true, "KA015": true, "KA052": true, "KA054": true, "KA155": true}
	misplaced  = map[string]bool{"KA007": true, "KA010": true, "KA066": true, "KA067": true, "KA068": true, "KA094": true, "KA122": true, "KA180": true}
)

// quietOver hides what follows from blocks of unknown keywords.
func (e *eval) quietOver() {
	if len(e.over) == 0 {
		return
	}
	slices.SortFunc(e.over, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	heads := map[span]bool{}
	for _, h := range e.overHeads {
		heads[h] = true
	}
	e.hush(func(f *finding) bool {
		if f.reading || !f.objects && !misplaced[f.rule] {
			return false
		}
		if heads[f.at] {
			return !structural[f.rule]
		}
		n, _ := slices.BinarySearchFunc(e.over, f.at, func(a, b span) int {
			return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.from, b.from+1))
		})
		if n == 0 {
			return false
		}
		o := e.over[n-1]
		return o.file == f.at.file && f.at.from < o.to
	})
}

// lineCauses are the rules whose findings explain all else on their line.
var lineCauses = map[string]bool{"KA020": true, "KA026": true, "KA029": true, "KA037": true, "KA046": true}

// quietLines hides what follows from a quote that is not closed, a line that is too
// long, a byte order mark, or a variable that grows, on the same line.
func (e *eval) quietLines() {
	causes := map[span]span{} // the begin of a line: the place of the cause
	cause := func(rule string, at span) {
		if !lineCauses[rule] || at.file < 0 {
			return
		}
		line := e.c.lineStart(at)
		if first, ok := causes[line]; !ok || at.from < first.from || rule == "KA046" {
			causes[line] = at
		}
	}
	e.settle()
	for _, f := range e.found {
		if !f.quiet {
			cause(f.rule, f.at)
		}
	}
	for _, b := range e.more {
		if !b.quiet {
			cause(idOf[b.rule], b.at)
		}
	}
	if len(causes) == 0 {
		return
	}
	said := map[span]string{}
	e.hush(func(f *finding) bool {
		if f.at.file < 0 {
			return false
		}
		line := e.c.lineStart(f.at)
		at, ok := causes[line]
		if !ok || f.quiet {
			return false
		}
		if !lineCauses[f.rule] || f.at != at {
			return true
		}
		if msg, ok := said[line]; ok {
			return msg != f.msg
		}
		said[line] = f.msg
		return false
	})
}

// quietCycles hides what is found in a file that is read once more because it includes
// itself. What keepalived says of it is counted for the include.
func (e *eval) quietCycles() {
	for i := range e.c.sources {
		if e.c.sources[i].cycle == nil {
			continue
		}
		root := *e.c.sources[i].cycle
		objected := false
		e.hush(func(f *finding) bool {
			if f.at.file != int32(i) {
				return false
			}
			objected = objected || f.objects
			return true
		})
		for _, f := range e.found {
			if f.rule == "KA040" && f.at == root {
				f.objects = f.objects || objected
				f.quiet = false
			}
		}
	}
}

// unknown deals with a word that is no keyword here.
func (e *eval) unknown(b *block, s *stmt, k *keyword) {
	if e.v.before(version1220) {
		// Old releases say nothing; legacy() does.
		return
	}
	at := e.argSpan(s, 0)
	word := s.w[0].s
	if k != nil {
		if k.until != (Version{}) && k.until.before(e.v) {
			f := e.object("KA004", at, "%s was removed after %s", word, k.until)
			if word == "lvs_id" {
				f.fix("rename it to router_id", edit{at, "router_id"})
			} else {
				f.fix("delete the line", edit{e.c.lineOf(at), ""})
			}
			return
		}
		if e.v.before(k.since) {
			f := e.object("KA003", at, "%s needs keepalived %s, this is %s", word, k.since, e.v)
			if k.kind != kindBlock && k.kind != kindValues {
				f.fix("delete the line", edit{e.c.lineOf(at), ""})
			}
			return
		}
		e.object("KA003", at, "%s needs a build with %s", word, k.option).fix("delete the line", edit{e.c.lineOf(at), ""})
		return
	}
	if e.level > 0 && !e.broken && len(e.open) > 0 {
		// A block that was never closed swallows what follows.
		if up := e.s.root.keys[word]; up != nil && up.kind != kindFlag && up.kind != kindWord && e.unclosedAbove() {
			head := e.open[len(e.open)-1]
			at := e.lineSpan(s)
			f := e.structure("KA012", head, "this block is not closed before %s", quoted(word))
			if f.quiet {
				return
			}
			f.also(at, "%s begins here, inside the block", word)
			begin := e.c.lineOf(at)
			f.fix("insert }", edit{span{begin.file, begin.from, begin.from}, strings.Repeat("}"+e.c.newline(begin.file), len(e.open))})
			return
		}
	}
	for i, r := range word {
		if r == '\u00a0' || r == '\u3000' || r >= '\u2000' && r <= '\u200b' || r == '\ufeff' {
			f := e.object("KA027", at, "%s holds a space of Unicode, which is no blank", quoted(word))
			if r == '\ufeff' && i == 0 {
				f.rule = "KA026"
				f.msg = "the file begins with a byte order mark, which becomes part of the first keyword"
				f.fix("delete the mark", edit{span{at.file, at.from, at.from + 3}, ""})
			} else if e.literal(s, 0) {
				f.fix("use a blank", edit{span{at.file, at.from + int32(i), at.from + int32(i) + int32(len(string(r)))}, " "})
			}
			return
		}
	}
	if word == "\\" || strings.HasSuffix(s.text, "\\") && len(s.w) == 1 {
		e.object("KA023", at, "a backslash at the end of a line has no meaning outside of a definition").fix("delete the backslash", edit{e.c.token(e.lineSpan(s)), ""})
		return
	}
	if strings.HasPrefix(word, "$") && len(s.w) > 1 && s.w[1].s != "" && s.w[1].s[0] == '=' {
		w := e.argSpan(s, 1)
		e.object("KA032", at, "a blank before = makes this no definition").fix("delete the blank", edit{span{at.file, at.to, w.from}, ""})
		return
	}
	if len(s.w) > 1 && s.w[1].s == "=" {
		for _, d := range e.c.defs {
			if d.name != "" && at.file >= 0 && strings.HasPrefix(e.c.sources[at.file].text[at.from:], "$"+d.name) {
				w := e.argSpan(s, 1)
				e.object("KA032", at, "a blank before = makes this no definition").fix("delete the blank", edit{span{at.file, at.from + int32(len(d.name)) + 1, w.from}, ""})
				return
			}
		}
	}
	f := e.object("KA001", at, "%s is no keyword %s", quoted(word), e.where(b))
	if word == "}" {
		f.quiet = true
		return
	}
	if f.spare {
		return
	}
	n := ""
	if e.misspelled++; e.misspelled <= 1000 {
		n = near(word, e.names(b))
	}
	if n != "" && e.literal(s, 0) {
		f.msg += "; did you mean " + n + "?"
		f.fix("replace it by "+n, edit{at, n})
	} else {
		if where := e.s.where[word]; len(where) > 0 {
			f.explain("%s belongs into %s.", word, blockName(where[0]))
		}
		if n := len(e.c.lineText(at)); n > 0 && n < 4*maxLine && !strings.ContainsAny(e.c.lineText(at), "{}") {
			line := e.c.lineOf(at)
			p := line.from + int32(len(e.c.indent(at)))
			f.fix("make it a comment", edit{span{at.file, p, p}, "# "})
		}
	}
}

// unclosedAbove reports whether the configuration has an opening brace too many.
func (e *eval) unclosedAbove() bool {
	if e.surplusKnown {
		return e.surplusOpen
	}
	depth := 0
	e.work += len(e.c.lines)
	for _, l := range e.c.lines {
		switch e.c.text(l) {
		case "{":
			depth++
		case "}":
			if depth > 0 {
				depth--
			}
		}
	}
	e.surplusKnown, e.surplusOpen = true, depth > 0
	return depth > 0
}

func blockName(b *block) string {
	if b.path == "-" {
		return "the outermost level"
	}
	return strings.ReplaceAll(b.path, "/", " / ")
}

func (e *eval) where(b *block) string {
	if b.path == "-" {
		return "of the outermost level"
	}
	return "of " + b.name
}

// names returns the keywords of a block that the profile knows.
func (e *eval) names(b *block) []string {
	var out []string
	for _, k := range b.list {
		if k.known(e.o.Profile) {
			out = append(out, k.name)
		}
	}
	return out
}

func (e *eval) missingBrace(b *block, s *stmt) {
	at := e.open[len(e.open)-1]
	f := e.structure("KA011", at, "the { of this block is missing")
	f.fix("insert {", edit{span{at.file, at.to, at.to}, " {"})
}

func (e *eval) extraBrace(s *stmt) {
	at := e.lineSpan(s)
	if e.pos <= e.overTo {
		e.object("KA013", at, "the end of the block of an unknown keyword").quiet = true
		return
	}
	f := e.structure("KA013", at, "this } closes no block")
	f.fix("delete the brace", edit{e.c.token(at), ""})
}

// unclosed deals with blocks that are open at the end.
func (e *eval) unclosed() {
	if e.broken {
		e.object("KA012", nowhere, "a block is never closed").quiet = true
		return
	}
	type open struct {
		head   span
		indent int
	}
	var stack []open
	last := nowhere
	guess := nowhere
	var guessHead span
	for _, l := range e.lines {
		t := e.c.text(l)
		at := e.c.span(l, 0, len(t))
		switch t {
		case "{":
			head := last
			if head.file < 0 {
				head = at
			}
			stack = append(stack, open{head, len(e.c.indent(head))})
		case "}":
			if n := len(stack); n > 0 {
				in := len(e.c.indent(at))
				first := strings.HasPrefix(strings.TrimLeft(e.c.lineText(at), " \t"), "}")
				if first && guess.file < 0 && in < stack[n-1].indent {
					// It closes an outer block by its indentation.
					guess, guessHead = at, stack[n-1].head
				}
				stack = stack[:n-1]
			}
		}
		last = at
	}
	if len(stack) == 0 {
		return
	}
	head := stack[len(stack)-1].head
	if guess.file >= 0 {
		head = guessHead
	} else {
		// A block of the outermost level inside of another: that one is not closed.
		for n := range len(stack) - 1 {
			inner := stack[n+1].head
			word, _, _ := strings.Cut(e.c.sources[inner.file].text[inner.from:inner.to], " ")
			if k := e.s.root.keys[word]; k != nil && k.sub != nil {
				head = stack[n].head
				break
			}
		}
	}
	f := e.structure("KA012", head, "this block is never closed")
	if guess.file >= 0 {
		line := e.c.lineOf(guess)
		f.fix("insert }", edit{span{line.file, line.from, line.from}, e.c.indent(head) + "}" + e.c.newline(line.file)})
		return
	}
	end := int32(len(e.c.sources[0].text))
	nl := e.c.newline(0)
	text := strings.Repeat("}"+nl, len(stack))
	if end > 0 && e.c.sources[0].text[end-1] != '\n' {
		text = nl + text
	}
	f.fix("insert } at the end", edit{span{0, end, end}, text})
}

// headWords deals with words that stand on the head line of a block of values.
func (e *eval) headWords(s *stmt, head int) {
	if s.k != nil && s.k.name == "virtual_server_group" {
		// It looks for a name that is not there, and stops.
		f := e.object("KA015", e.argsSpan(s, head), "words behind the name of %s: keepalived stops here", s.arg(0))
		f.stops = true
		return
	}
	rule := "KA015"
	switch s.arg(0) {
	case "notification_email":
		rule = "KA054"
	case "group":
		rule = "KA155"
	}
	at := e.argsSpan(s, head)
	f := e.object(rule, at, "%s takes no words on its own line; its values stand between braces", s.arg(0))
	if e.c.plain(s.l, 0, len(s.text)) {
		// Move the words into the block, when that is on the next line or opens here.
		text := e.c.sources[at.file].text
		rest := text[at.to:]
		inner := strings.TrimLeft(rest, " \t")
		if strings.HasPrefix(inner, "{") {
			p := at.to + int32(len(rest)-len(inner)) + 1
			nl := e.c.newline(at.file)
			words := text[at.from:at.to]
			f.fix("move the words into the block", edit{span{at.file, e.argSpan(s, head-1).to, at.to}, ""},
				edit{span{at.file, p, p}, nl + e.c.indent(at) + "    " + words})
		} else if e.pos >= len(e.lines) || e.c.text(e.lines[e.pos]) != "{" {
			before := e.argSpan(s, head-1)
			nl := e.c.newline(at.file)
			in := e.c.indent(at)
			var b strings.Builder
			b.WriteString(" {" + nl)
			for _, w := range s.w[head:] {
				b.WriteString(in + "    " + w.s + nl)
			}
			b.WriteString(in + "}")
			f.fix("make it a block", edit{span{at.file, before.to, at.to}, b.String()})
		}
	}
}

func (e *eval) valuesWithoutBrace(s, first *stmt) {
	if s.k.name == "virtual_server_group" {
		f := e.structure("KA011", e.lineSpan(s), "the { of this block is missing: keepalived stops here")
		f.stops = true
		f.fix("insert {", edit{span{s.l.file, e.lineSpan(s).to, e.lineSpan(s).to}, " {"})
		return
	}
	// keepalived says this on the console alone and goes on.
	f := e.note("KA011", e.lineSpan(s), "the { of this block is missing")
	at := e.lineSpan(s)
	f.fix("insert {", edit{span{at.file, at.to, at.to}, " {"})
	if !e.broken {
		e.broken, e.brokenAt = true, at
	}
}

// generic deals with keywords that need no code of their own.
func (e *eval) generic(s *stmt) {
	k := s.k
	switch k.kind {
	case kindFlag:
		e.flag(s)
		return
	case kindBlock:
		return
	case kindValues:
		e.values(s, 1, func(*stmt) {})
		return
	case kindBool:
		e.boolean(s)
		return
	case kindFlagBool:
		e.flagBool(s)
		return
	}
	if len(s.w) < 2 {
		switch k.need {
		case needStop:
			e.missing(s, 1)
		case needObject:
			e.noValue(s)
		}
		return
	}
	switch k.kind {
	case kindUint, kindInt:
		e.number(s, 1)
	case kindDec:
		e.decimal(s, 1)
	case kindName15:
		e.name15(s)
	}
	e.surplus(s, 2)
}

// noValue records a missing value that keepalived objects to.
func (e *eval) noValue(s *stmt) *finding {
	return e.object("KA006", e.lineSpan(s), "%s wants a value", s.arg(0))
}

func (e *eval) name15(s *stmt) {
	if len(s.arg(1)) >= 16 {
		f := e.object("KA100", e.argSpan(s, 1), "%s: the name is longer than 15 bytes", s.arg(0))
		if e.literal(s, 1) {
			f.fix("cut it", edit{e.argSpan(s, 1), s.arg(1)[:15]})
		}
	}
}

// flag deals with words behind a flag, which are not looked at.
func (e *eval) flag(s *stmt) {
	if len(s.w) < 2 {
		return
	}
	at := e.argsSpan(s, 1)
	switch strings.ToLower(s.w[1].s) {
	case "off", "no", "false", "0", "none", "disable", "disabled":
		e.note("KA008", at, "%s %s turns it on: the value is not looked at", s.arg(0), s.w[1].s).weigh(diag.Error).
			fix("delete the line", edit{e.c.lineOf(at), ""})
		return
	}
	e.note("KA009", at, "%s takes no value; %s is not looked at", s.arg(0), quoted(s.w[1].s)).fix("delete the value", edit{e.trailing(s, 0), ""})
}

func (e *eval) flagBool(s *stmt) bool {
	if e.v.before(version228) || e.v == version228 {
		e.flag(s)
		return true
	}
	v, ok := e.booleanStrict(s)
	return v || !ok
}

// booleanStrict is boolean; a value that is none does not change the setting.
func (e *eval) booleanStrict(s *stmt) (bool, bool) {
	if len(s.w) < 2 {
		return true, true
	}
	switch s.w[1].s {
	case "true", "on", "yes":
		return true, true
	case "false", "off", "no":
		return false, true
	}
	e.object("KA009", e.argsSpan(s, 1), "%s: %s is not one of yes, true, on, no, false, off", s.arg(0), quoted(s.w[1].s)).
		fix("delete the value", edit{e.trailing(s, 0), ""})
	return false, false
}

// surplus deals with words behind a value, which are not looked at.
func (e *eval) surplus(s *stmt, n int) {
	if len(s.w) <= n {
		return
	}
	at := e.argsSpan(s, n)
	extra := s.w[n].s
	rule := "KA007"
	switch s.arg(0) {
	case "router_id":
		rule = "KA059"
	case "notification_email_from":
		rule = "KA055"
	}
	f := e.note(rule, at, "%s takes %s; %s is not looked at", s.arg(0), count(n-1, "word"), quoted(extra))
	if rule == "KA059" {
		var words []string
		for _, w := range s.w[1:] {
			words = append(words, w.s)
		}
		f.fix("join the words", edit{e.argsSpan(s, 1), strings.Join(words, "_")})
		return
	}
	if rule == "KA055" {
		if !strings.ContainsAny(s.text, `"`) {
			a := e.argsSpan(s, 1)
			f.fix("quote the address", edit{span{a.file, a.from, a.from}, `"`}, edit{span{a.file, a.to, a.to}, `"`})
		}
		if !e.v.before(version230) {
			f.objects = true
		}
		return
	}
	if b := e.s.where[extra]; len(b) > 0 && e.c.plain(s.l, 0, len(s.text)) {
		before := e.argSpan(s, n-1)
		f.explain("%s is a keyword; it wants a line of its own.", extra)
		f.fix("move it to a line of its own", edit{span{at.file, before.to, at.from}, e.c.newline(at.file) + e.c.indent(at)})
		return
	}
	f.fix("delete the words", edit{e.trailing(s, n-1), ""})
}

func count(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return []string{"no", "one", "two", "three", "four"}[min(n, 4)] + " " + what + "s"
}

// single holds the keywords of which the last one wins.
var single = map[string]bool{
	"priority": true, "virtual_router_id": true, "interface": true, "advert_int": true, "router_id": true, "version": true,
	"smtp_server": true, "notification_email_from": true, "auth_pass": true, "auth_type": true, "lb_algo": true, "lb_kind": true,
	"protocol": true, "delay_loop": true, "weight": true, "script": true, "interval": true, "fall": true, "rise": true, "timeout": true,
	"path": true, "misc_path": true, "connect_port": true, "connect_timeout": true, "preempt_delay": true, "vrrp_version": true,
	"unicast_src_ip": true, "mcast_src_ip": true, "persistence_timeout": true, "quorum": true, "hysteresis": true, "sorry_server": true,
	"smtp_connect_timeout": true, "state": true, "neighbor_ip": true, "min_rx": true, "min_tx": true, "multiplier": true, "virtualhost": true,
}

type seenKeyword struct {
	k  *keyword
	at span
}

// repeated deals with a keyword that was given before in the same block.
func (e *eval) repeated(b *block, s *stmt) {
	if e.level == 0 || !single[s.k.name] {
		return
	}
	if s.k.name == "path" || s.k.name == "script" && e.prog == vrrp && b.name != "vrrp_script" {
		return
	}
	at := e.lineSpan(s)
	i := e.base
	for i < len(e.seen) && e.seen[i].k != s.k {
		i++
	}
	if i == len(e.seen) {
		e.seen = append(e.seen, seenKeyword{s.k, at})
		return
	}
	before := e.seen[i].at
	loser := before
	which := "the last one wins"
	if s.k.name == "state" && !strings.Contains(e.c.sources[before.file].text[before.from:before.to], s.arg(1)) {
		which = "MASTER wins"
		if s.arg(1) != "MASTER" {
			loser = at
		}
	}
	f := e.note("KA010", at, "%s stands twice in this block; %s", s.k.name, which)
	f.also(before, "the first one")
	if loser == before {
		e.seen[i].at = at
	}
	if !strings.ContainsAny(e.c.lineText(loser), "{}") {
		f.fix("delete the one that loses", edit{e.c.lineOf(loser), ""})
	}
}
