package keepalived

import (
	"cmp"
	"slices"
)

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
