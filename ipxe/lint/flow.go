package lint

import (
	"fmt"
	"strings"

	"dougu.internal/diag"
	"dougu.internal/ipxe"
	"dougu.internal/ipxe/sim"
)

func missingLabel(l *linter) {
	l.each("goto", func(c *call) {
		args := l.arguments(c)
		if len(args) != 1 || strings.Contains(args[0].Text, "${") {
			return
		}
		if _, ok := l.s.Label(args[0].Text); ok {
			return
		}
		near := nearest(args[0].Text, l.labels)
		var fixes []diag.Fix
		if near != "" {
			fixes = []diag.Fix{fix("write "+near, l.word(c.line, args[0]), near)}
		}
		l.fault(c, l.word(c.line, args[0]), fmt.Sprintf("there is no label :%s", diag.Sanitize(args[0].Text))+didYouMean(near), "goto fails without a word", fixes...)
	})
}

func (l *linter) labelRange(line *ipxe.Line) diag.Range {
	at := line.Command - len(line.Label) - 1
	return l.s.Range(line, at, line.Command)
}

func duplicateLabel(l *linter) {
	for i, line := range l.lines {
		if !line.HasLabel {
			continue
		}
		if first, ok := l.s.Label(line.Label); ok && first != i {
			l.report(l.labelRange(line), fmt.Sprintf("goto finds the first :%s, in line %d", diag.Sanitize(line.Label), l.labelRange(l.s.Line(first)).Start.Line), "give them different names")
		}
	}
}

func variableLabel(l *linter) {
	for _, line := range l.lines {
		if line.HasLabel && strings.Contains(line.Label, "${") {
			l.report(l.labelRange(line), "labels are not expanded: no goto comes here", "goto may name its label by a variable; the label itself is literal")
		}
	}
}

func unreachable(l *linter) {
	dead := false
	for _, line := range l.lines {
		if line.HasLabel {
			dead = false
		}
		if dead && len(line.Cmds[0].Words) > 0 {
			first, last := line.Cmds[0].Words[0], line.Cmds[len(line.Cmds)-1]
			end := first.At + len(first.Text)
			if n := len(last.Words); n > 0 {
				end = last.Words[n-1].At + len(last.Words[n-1].Text)
			}
			l.report(l.s.Range(line, first.At, end), "this line is never reached", "the line before leaves for good, and there is no label here")
			dead = false // once a stretch
			continue
		}
		if len(line.Cmds) != 1 || len(line.Cmds[0].Words) == 0 {
			continue
		}
		switch name := line.Cmds[0].Words[0].Text; name {
		case "exit":
			// A status that is no number makes exit fail, which ends the script as well.
			dead = true
		case "goto", "reboot":
			dead = l.scan(&call{line: line, name: name, words: line.Cmds[0].Words[1:], syntax: l.p.Command(name)}) == nil
		}
	}
}

func unusedLabel(l *linter) {
	if l.dynamic {
		return
	}
	used := map[string]bool{}
	l.each("goto", func(c *call) {
		for _, a := range l.arguments(c) {
			used[a.Text] = true
		}
	})
	for _, line := range l.lines {
		if line.HasLabel && !used[line.Label] && !strings.Contains(line.Label, "${") {
			l.report(l.labelRange(line), fmt.Sprintf("nothing goes to :%s", diag.Sanitize(line.Label)), "")
		}
	}
}

func lateLabel(l *linter) {
	l.each("", func(c *call) {
		if strings.HasPrefix(c.name, ":") {
			l.report(l.name(c), "a label must be the first word of its line: this is taken for a command", "put it on a line of its own")
		}
	})
}

// simulate runs the script once against a world in which nothing can be fetched.
func (l *linter) simulate() *sim.Result {
	if !l.run || l.s.Executable() != nil || len(l.s.Bytes()) > 1<<20 {
		return nil
	}
	keys := make([]sim.Key, 50)
	for k := range keys {
		keys[k] = sim.KeyEnter
	}
	r, err := sim.Run(l.ctx, &sim.Machine{Profile: l.p, URI: "http://192.0.2.1/boot.ipxe"}, l.s, nil,
		sim.Options{MaxSteps: 20_000, MaxRequests: 200, MaxBytes: 8 << 20, Keys: keys})
	if err != nil {
		return nil
	}
	return r
}

func (l *linter) hang(kinds ...sim.HazardKind) (*sim.Result, *sim.Hazard, diag.Range) {
	r := l.simulate()
	if r == nil {
		return nil, nil, diag.Range{}
	}
	h := r.Hang()
	if h == nil {
		return nil, nil, diag.Range{}
	}
	for _, k := range kinds {
		if h.Kind != k {
			continue
		}
		for _, line := range l.lines {
			if at := l.s.Range(line, 0, len(line.Text)); at.Start.Line == h.Line {
				return r, h, at
			}
		}
	}
	return nil, nil, diag.Range{}
}

func endlessLoop(l *linter) {
	r, _, at := l.hang(sim.HazardLoop)
	if r == nil || len(r.Requests) > 0 || r.Elapsed > 0 {
		return
	}
	if r.Steps > 20_000 { // only the bound says so
		l.reportAs(diag.Warning, at, "the script did not end within 20,000 steps", "")
		return
	}
	l.report(at, "the script comes back here for ever: nothing changes between", "a counter needs set NAME:int32 and iseq; without them a machine stays in the loop")
}

func hammering(l *linter) {
	r, _, at := l.hang(sim.HazardLoop)
	if r == nil || len(r.Requests) == 0 || r.Elapsed > 0 {
		return
	}
	l.report(at, fmt.Sprintf("while the server fails, the script asks it again without a pause: %d times in this run", len(r.Requests)), "put sleep into the loop, and an end")
}

func endlessExpansion(l *linter) {
	r, h, at := l.hang(sim.HazardExpansion)
	if r == nil {
		return
	}
	l.report(at, "the machine hangs: "+h.Text, "iPXE expands again what it has put in, until nothing is left to expand")
}
