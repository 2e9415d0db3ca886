package keepalived

import (
	"fmt"
	"slices"
	"strings"
)

// program is one of the processes of keepalived, each of which reads the whole
// configuration and looks at its own part.
type program uint8

const (
	parent program = iota + 1
	checker
	vrrp
	bfd
)

// active says which program looks at a block of the outermost level; all others are
// of the parent.
var active = map[string][]program{
	"SSL": {checker}, "virtual_server": {checker}, "virtual_server_group": {checker},
	"bfd_instance": {checker, vrrp, bfd},
	"track_file":   {checker, vrrp}, "vrrp_track_file": {checker, vrrp},
	"garp_group": {vrrp}, "interface_up_down_delays": {vrrp}, "linkbeat_interfaces": {vrrp}, "static_ipaddress": {vrrp},
	"static_routes": {vrrp}, "static_rules": {vrrp}, "track_group": {vrrp}, "vrrp_instance": {vrrp}, "vrrp_script": {vrrp},
	"vrrp_sync_group": {vrrp}, "vrrp_track_process": {vrrp},
}

func (e *eval) active(k *keyword) bool {
	who, ok := active[k.name]
	if !ok {
		return e.prog == parent
	}
	return slices.Contains(who, e.prog)
}

// stmt is a logical line that is being looked at.
type stmt struct {
	l    line
	text string
	w    []word
	k    *keyword
}

func (s *stmt) arg(i int) string {
	if i < len(s.w) {
		return s.w[i].s
	}
	return ""
}

// lineSpan returns the place of the whole logical line.
func (e *eval) lineSpan(s *stmt) span { return e.c.span(s.l, 0, len(s.text)) }

// argSpan returns the place of word i, with its quotes.
func (e *eval) argSpan(s *stmt, i int) span {
	if i >= len(s.w) {
		at := e.lineSpan(s)
		return span{at.file, at.to, at.to}
	}
	w := s.w[i]
	from, to := int(w.at), int(w.at)+len(w.s)
	if w.q {
		from--
		to++
	}
	return e.c.span(s.l, from, min(to, len(s.text)))
}

// argsSpan returns the place of words from i to the end.
func (e *eval) argsSpan(s *stmt, i int) span {
	if i >= len(s.w) {
		return e.argSpan(s, i)
	}
	a, b := e.argSpan(s, i), e.argSpan(s, len(s.w)-1)
	return span{a.file, a.from, max(a.to, b.to)}
}

// literal reports whether word i stands in the source as it is, so that it may be
// replaced there.
func (e *eval) literal(s *stmt, i int) bool {
	if i >= len(s.w) {
		return false
	}
	w := s.w[i]
	return e.c.plain(s.l, int(w.at), int(w.at)+len(w.s))
}

// cancelled reports whether the context has ended. It looks once in lapLines lines.
func (e *eval) cancelled() bool {
	const lapLines = 1024
	if e.lap++; e.lap%lapLines == 0 && e.ctx.Err() != nil {
		e.ended = true
	}
	return e.ended
}

// next returns the next logical line, and keeps account of braces.
func (e *eval) next() (stmt, bool) {
	if e.pos >= len(e.lines) || e.cancelled() {
		return stmt{}, false
	}
	l := e.lines[e.pos]
	e.pos++
	e.work++
	s := stmt{l: l, text: e.c.text(l)}
	switch s.text {
	case "{":
		e.depth++
	case "}":
		if e.depth < 1 {
			e.extraBrace(&s)
			e.depth = 0
		} else {
			e.depth--
		}
	}
	return s, true
}

// split gives the statement its words; they live until the slab is cut back.
func (e *eval) split(s *stmt) {
	from := len(e.slab)
	var ok bool
	e.slab, ok = split(e.slab, s.text)
	s.w = e.slab[from:len(e.slab):len(e.slab)]
	if !ok {
		e.object("KA020", e.lineSpan(s), "a quote is not closed").quiet = true
	}
}

// stream reads the lines of a block. It reports true when the block was left because
// it was to be skipped.
func (e *eval) stream(b *block, needBrace bool) bool {
	var s stmt // one for all lines: the heap has less to do
	for {
		var ok bool
		if s, ok = e.next(); !ok {
			return false
		}
		if e.skip > 0 && strings.IndexByte(s.text, '"') < 0 {
			// Only braces matter here, and they stand alone.
			switch s.text {
			case "{":
				e.skip++
			case "}":
				if e.skip--; e.skip == 0 && e.level > 0 {
					return true
				}
			}
			continue
		}
		mark := len(e.slab)
		e.split(&s)
		if len(s.w) == 0 {
			continue
		}
		if left, skipped := e.statement(b, &s, &needBrace); left {
			e.slab = e.slab[:mark]
			return skipped
		}
		e.slab = e.slab[:mark]
	}
}

// statement deals with one line of a block. left reports that the block ends.
func (e *eval) statement(b *block, s *stmt, needBrace *bool) (left, skipped bool) {
	word := s.w[0].s
	if e.skip == -1 {
		if word == "{" {
			e.skip = 1
			e.headOpen = false
			*needBrace = false
			if to := e.match(e.pos - 1); to > 0 {
				e.pos = to // nothing between the braces is looked at
			}
			return false, false
		}
		e.skip = 0
		if e.headOpen && e.level == 0 {
			// The process whose block it is says so.
			at := e.headAt
			e.structure("KA011", at, "the { of this block is missing").fix("insert {", edit{span{at.file, at.to, at.to}, " {"})
		}
	}
	e.headOpen = false
	if e.skip > 0 {
		last := ""
		for _, w := range s.w {
			last = w.s
			if last == "{" {
				e.skip++
			} else if last == "}" {
				if e.skip--; e.skip == 0 {
					break
				}
			}
		}
		if last == "}" && e.skip == 0 && e.level > 0 {
			return true, true
		}
		return false, false
	}
	if *needBrace {
		*needBrace = false
		if word == "{" && e.level > 0 {
			return false, false
		}
		e.missingBrace(b, s)
	} else if word == "{" {
		if e.afterUnknown {
			// The keyword before it has been named, and that is the cause.
			e.afterUnknown = false
			e.object("KA014", e.lineSpan(s), "the block of an unknown keyword").quiet = true
			e.passOver()
			return false, false
		}
		e.structure("KA014", e.lineSpan(s), "this brace opens no block; the closing one closes another").
			fix("delete the brace", edit{e.c.token(e.lineSpan(s)), ""})
		return false, false
	}
	e.afterUnknown = false
	if word == "}" && e.level > 0 {
		return true, false
	}
	k := b.keys[word]
	if k == nil || !k.known(e.o.Profile) {
		e.unknown(b, s, k)
		e.afterUnknown = word != "}"
		return false, false
	}
	s.k = k
	on := e.level > 0 || e.active(k)
	if !on {
		e.skip = -1
		if s.w[len(s.w)-1].s == "{" {
			e.skip = 1
		}
		e.headOpen, e.headAt = e.skip == -1 && k.sub != nil, e.lineSpan(s)
		e.inactive(s)
		return false, false
	}
	brace := false
	if k.sub != nil {
		brace = true
		if n := len(s.w) - 1; s.w[n].s == "{" {
			s.w = s.w[:n]
			brace = false
		}
	}
	if e.level == 0 {
		e.head = e.lineSpan(s)
	}
	e.repeated(b, s)
	if k.handler != nil {
		k.handler(e, s)
	} else {
		e.generic(s)
	}
	if k.sub != nil {
		e.level++
		base := e.base
		e.base = len(e.seen)
		e.open = append(e.open, e.lineSpan(s))
		skipped := e.stream(k.sub, brace)
		e.open = e.open[:len(e.open)-1]
		e.level--
		e.seen, e.base = e.seen[:e.base], base
		if !skipped && k.sub.end != nil {
			k.sub.end(e)
		}
	}
	return false, false
}

// passOver notes what follows from a block whose keyword is unknown, and whose { has
// been read: its lines are read as those of the block around it, which its } closes, so
// that the rest of that one is read in the wrong place as well.
func (e *eval) passOver() {
	if e.pos <= e.overTo {
		return // inside of such a block
	}
	depth, end := e.depth, 0
	if e.level == 0 {
		end = depth - 1
	}
	for i := e.pos; i < len(e.lines); i++ {
		e.work++
		switch e.c.text(e.lines[i]) {
		case "{":
			depth++
		case "}":
			depth--
		}
		if depth <= end {
			e.overTo = i + 1
			from, to := e.lines[e.pos-1], e.lines[i]
			a, b := e.c.span(from, 0, 1), e.c.span(to, 0, 1)
			if a.file == b.file && b.to > a.from {
				e.over = append(e.over, span{a.file, a.from, b.to})
				e.overHeads = append(e.overHeads, e.open...)
			}
			return
		}
	}
	// It is not closed: nothing behind it stands where it should.
	e.overTo = len(e.lines) + 1
	a := e.c.span(e.lines[e.pos-1], 0, 1)
	e.over = append(e.over, span{a.file, a.from, 1<<31 - 1})
	e.overHeads = append(e.overHeads, e.open...)
}

// match returns the index of the line with the } that closes the { of line i; 0 when
// there is none, or when a line between them has quotes, in which braces count as well.
func (e *eval) match(i int) int {
	if e.closing == nil || e.closingOf != &e.lines[0] {
		e.closingOf = &e.lines[0]
		e.closing = make([]int32, len(e.lines))
		type open struct{ at, quotes int }
		var stack []open
		quotes := 0
		for n, l := range e.lines {
			switch t := e.c.text(l); {
			case t == "{":
				stack = append(stack, open{n, quotes})
			case t == "}":
				if k := len(stack); k > 0 {
					if stack[k-1].quotes == quotes {
						e.closing[stack[k-1].at] = int32(n)
					}
					stack = stack[:k-1]
				}
			case strings.IndexByte(t, '"') >= 0:
				quotes++
			}
		}
	}
	return int(e.closing[i])
}

// values reads a block of values and calls each with every line of them. head is the
// number of words that belong to the keyword.
func (e *eval) values(s *stmt, head int, each func(*stmt)) {
	need, closed, words := true, false, false
	if len(s.w) > head {
		if s.w[head].s == "{" {
			need = false
			if rest := s.w[head+1:]; len(rest) > 0 {
				if rest[len(rest)-1].s == "}" {
					rest = rest[:len(rest)-1]
					closed = true
				}
				if len(rest) > 0 {
					each(&stmt{l: s.l, text: s.text, w: rest, k: s.k})
				}
				if closed {
					return
				}
			}
		} else {
			e.headWords(s, head)
			words = true
		}
	}
	var v stmt
	for {
		var ok bool
		if v, ok = e.next(); !ok {
			return
		}
		mark := len(e.slab)
		e.split(&v)
		if len(v.w) == 0 {
			continue
		}
		if need {
			need = false
			if v.w[0].s == "{" {
				if len(v.w) == 1 {
					e.braceLine(s, &v)
					e.slab = e.slab[:mark]
					continue
				}
				v.w = v.w[1:]
			} else {
				if words {
					// The words on the head line say it.
					if !e.broken {
						e.broken, e.brokenAt = true, e.argsSpan(s, head)
					}
				} else {
					e.valuesWithoutBrace(s, &v)
				}
			}
		}
		if n := len(v.w) - 1; v.w[n].s == "}" {
			if n == 0 {
				e.slab = e.slab[:mark]
				return
			}
			closed = true
			v.w = v.w[:n]
		}
		v.k = s.k
		each(&v)
		e.slab = e.slab[:mark]
		if closed {
			return
		}
	}
}

// object records a finding that keepalived has as well.
func (e *eval) object(rule string, at span, format string, args ...any) *finding {
	f := e.add(rule, at, format, args)
	f.objects = true
	return f
}

// note records a finding that keepalived does not have.
func (e *eval) note(rule string, at span, format string, args ...any) *finding {
	return e.add(rule, at, format, args)
}

// structure records a fault of braces; only the first is shown.
func (e *eval) structure(rule string, at span, format string, args ...any) *finding {
	f := e.object(rule, at, format, args...)
	if e.broken {
		f.quiet = true
	} else {
		e.broken = true
		e.brokenAt = at
	}
	return f
}

// missing records a value that is not there; the parser of keepalived ends at once.
func (e *eval) missing(s *stmt, i int) *finding {
	after := s.arg(0)
	if i > 0 && i-1 < len(s.w) {
		after = s.w[i-1].s
	}
	at := e.lineSpan(s)
	f := e.object("KA006", at, "%s wants a value", quoted(after))
	f.stops = true
	f.detail = "keepalived stops reading here: faults after this line are hidden from it."
	return f
}

// quoted returns a word of the configuration for a message, cut to a bearable
// length.
func quoted(s string) string {
	if len(s) > 60 {
		s = s[:57] + "..."
	}
	return fmt.Sprintf("%q", s)
}
