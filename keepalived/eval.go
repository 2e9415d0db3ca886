package keepalived

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"dougu.internal/diag"
)

// eval is one judgement of a configuration: the passes of the four processes over the
// lines, and what they make of them.
type eval struct {
	ctx context.Context // of the call
	// lap counts the lines that were taken; ended reports that ctx was seen to have ended.
	lap   int
	ended bool
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
func evaluate(ctx context.Context, c *Config, o Options) *eval {
	if o.Profile == (Profile{}) {
		o.Profile = c.profile
	}
	e := &eval{ctx: ctx, c: c, o: o, v: o.Profile.Version(), s: theSchema(), m: &Model{}}
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
	if e.ctx.Err() != nil {
		return e // what was found is thrown away
	}
	e.legacy()
	e.quieten()
	e.lint()
	e.quieten()
	if len(c.unread) > 0 {
		e.hush(func(f *finding) bool { return needsWhole[f.rule] })
	}
	e.quietForeign()
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
