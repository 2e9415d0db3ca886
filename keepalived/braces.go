package keepalived

import (
	"strings"
)

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
