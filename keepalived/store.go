package keepalived

import (
	"cmp"
	"fmt"
	"slices"

	"dougu.internal/diag"
)

// Findings that repeat are folded: a list holds at most MaxPerMessage findings of one
// rule with one message, and at most MaxPerRule of one rule. The last one that is
// listed says how many more there are. The verdict counts all of them.
const (
	MaxPerMessage = 20
	MaxPerRule    = 100
)

// maxStored is how many findings of a rule are kept with all that is known of them. Of
// the others only the place is, so that hostile input costs little.
const maxStored = 1000

// store is what was found, in the order of finding.
type store struct {
	found []*finding
	// more are the findings of rules that have more than maxStored.
	more []brief
	// last is the finding that was recorded last.
	last   *finding
	counts [maxRule]uint16
	// spare is the finding that callers get whose finding is only counted.
	spare finding
	// mute is set while findings are thrown away.
	mute bool
}

// maxRule is above the numbers of all rules.
const maxRule = 256

// brief is a finding of which only the place is kept.
type brief struct {
	at                      span
	rule                    uint8
	objects, quiet, reading bool
}

// ruleNumber is the number of a rule: 42 for KA042.
func ruleNumber(id string) int {
	n := 0
	for i := 2; i < len(id); i++ {
		n = n*10 + int(id[i]-'0')
	}
	return n % maxRule
}

// add records a finding. The caller may still change it until the next is recorded.
func (s *store) add(rule string, at span, format string, args []any) *finding {
	s.settle()
	n := ruleNumber(rule)
	if s.mute {
		return &finding{rule: rule, at: at, spare: true}
	}
	if s.counts[n] >= maxStored {
		s.spare = finding{rule: rule, at: at, spare: true}
		s.last = &s.spare
		return s.last
	}
	s.counts[n]++
	f := &finding{rule: rule, at: at, msg: fmt.Sprintf(format, args...)}
	s.found = append(s.found, f)
	s.last = f
	return f
}

// settle moves the last finding to its place when it is only counted.
func (s *store) settle() {
	if f := s.last; f != nil && f.spare {
		s.more = append(s.more, brief{f.at, uint8(ruleNumber(f.rule)), f.objects, f.quiet, f.reading})
		s.last = nil
	}
}

// take copies what another store holds.
func (s *store) take(from *store) {
	for _, f := range from.found {
		g := *f
		s.found = append(s.found, &g)
	}
	s.more = append(s.more, from.more...)
	s.counts = from.counts
}

// keepOnly drops the findings for which keep is false.
func (s *store) keepOnly(keep func(*finding) bool) {
	s.settle()
	s.found = slices.DeleteFunc(s.found, func(f *finding) bool { return !keep(f) })
	var x finding
	s.more = slices.DeleteFunc(s.more, func(b brief) bool { return !keep(b.finding(&x)) })
}

// finding gives x what is known of the brief.
func (b brief) finding(x *finding) *finding {
	*x = finding{rule: idOf[b.rule], at: b.at, objects: b.objects, quiet: b.quiet, reading: b.reading, spare: true}
	return x
}

// idOf are the ids of rules by their number.
var idOf = func() (ids [maxRule]string) {
	for n := range ids {
		ids[n] = fmt.Sprintf("KA%03d", n)
	}
	return ids
}()

// hush makes findings quiet.
func (s *store) hush(follows func(*finding) bool) {
	s.settle()
	for _, f := range s.found {
		f.quiet = f.quiet || follows(f)
	}
	var x finding
	for i := range s.more {
		b := &s.more[i]
		b.quiet = b.quiet || follows(b.finding(&x))
	}
}

// diagnostics turns findings into a sorted list; of findings of one rule at one place
// with one message the first stays, and repetitions are folded.
func (c *Config) diagnostics(s *store, keep func(*finding) bool) diag.List {
	type key struct {
		rule string
		at   span
		msg  string
	}
	seen := make(map[key]bool, len(s.found))
	known := map[int32]*secrets{}
	var list diag.List
	for _, f := range s.found {
		k := key{f.rule, f.at, f.msg}
		if seen[k] || !keep(f) {
			continue
		}
		seen[k] = true
		d := c.diagnostic(f)
		c.keepSecret(&d, f, known)
		list = append(list, d)
	}
	list.Sort()
	return c.fold(list, s, keep)
}

// fold leaves out repetitions and says how many they were.
func (c *Config) fold(list diag.List, s *store, keep func(*finding) bool) diag.List {
	type counter struct{ listed, last, folded int }
	type message struct{ rule, text string }
	byRule, byMessage := map[string]*counter{}, map[message]*counter{}
	out := list[:0]
	for _, d := range list {
		r, m := byRule[d.Rule], byMessage[message{d.Rule, d.Message}]
		if r == nil {
			r = &counter{}
			byRule[d.Rule] = r
		}
		if m == nil {
			m = &counter{}
			byMessage[message{d.Rule, d.Message}] = m
		}
		switch {
		case m.listed >= MaxPerMessage:
			m.folded++
		case r.listed >= MaxPerRule:
			r.folded++
		default:
			r.listed, m.listed = r.listed+1, m.listed+1
			r.last, m.last = len(out), len(out)
			out = append(out, d)
		}
	}
	for _, b := range s.distinct(keep) {
		id := idOf[b.rule]
		if r := byRule[id]; r != nil {
			r.folded++
		} else {
			// All that were kept in full are silenced: this one stands for the rest.
			d := c.diagnostic(&finding{rule: id, at: b.at, msg: ruleOf(id).Summary, objects: b.objects})
			byRule[id] = &counter{listed: 1, last: len(out)}
			out = append(out, d)
		}
	}
	extra := make([]int, len(out))
	for _, m := range byMessage {
		extra[m.last] += m.folded
	}
	for _, r := range byRule {
		extra[r.last] += r.folded
	}
	for i, n := range extra {
		if n > 0 {
			out[i].Message += fmt.Sprintf(" (and %d more of the same)", n)
		}
	}
	out.Sort()
	return out
}

// distinct returns what is only counted, without what several processes found at one
// place.
func (s *store) distinct(keep func(*finding) bool) []brief {
	if len(s.more) == 0 {
		return nil
	}
	type key struct {
		rule uint8
		at   span
	}
	full := make(map[key]bool, len(s.found))
	for _, f := range s.found {
		full[key{uint8(ruleNumber(f.rule)), f.at}] = true
	}
	out := make([]brief, 0, len(s.more))
	var x finding
	for _, b := range s.more {
		if !full[key{b.rule, b.at}] && keep(b.finding(&x)) {
			out = append(out, b)
		}
	}
	slices.SortFunc(out, func(a, b brief) int {
		return cmp.Or(cmp.Compare(a.rule, b.rule), cmp.Compare(a.at.file, b.at.file), cmp.Compare(a.at.from, b.at.from), cmp.Compare(a.at.to, b.at.to))
	})
	return slices.CompactFunc(out, func(a, b brief) bool { return a.rule == b.rule && a.at == b.at })
}
