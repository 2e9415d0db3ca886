package lint

import (
	"context"
	"slices"
	"strings"

	"dougu.internal/diag"
	"dougu.internal/internal/errtext"
	"dougu.internal/ipxe"
)

const errs = errtext.Package("lint")

// Options configures [Script] and [DHCP].
type Options struct {
	// Profile is the build that runs the script. If zero, [ipxe.Newest] is used.
	Profile ipxe.Profile
	// NoRun disables the rules that run the script in the interpreter.
	NoRun bool
}

// Script returns the findings for a script, sorted by place. The error is that of ctx; a
// finding is never an error.
func Script(ctx context.Context, s *ipxe.Script, o Options) (diag.List, error) {
	l := &linter{ctx: ctx, s: s, p: o.Profile, run: !o.NoRun}
	l.survey()
	for i := range rules {
		if err := ctx.Err(); err != nil {
			return nil, errs.Errorf("check %s: %w", s.Name(), err)
		}
		if rules[i].check == nil {
			continue
		}
		l.rule = &rules[i]
		rules[i].check(l)
	}
	if err := ctx.Err(); err != nil {
		return nil, errs.Errorf("check %s: %w", s.Name(), err)
	}
	l.list.Sort()
	return l.list, nil
}

// DHCP returns the findings for the configuration of a DHCP server of any make. The
// configuration must not give iPXE to iPXE again. The name is that of the file in the
// findings. The error is that of ctx; a finding is never an error.
func DHCP(ctx context.Context, name string, config []byte, _ Options) (diag.List, error) {
	if err := ctx.Err(); err != nil {
		return nil, errs.Errorf("check %s: %w", name, err)
	}
	at, loops := ipxe.ChainLoop(config)
	if !loops {
		return nil, nil
	}
	end := at
	for end < len(config) && !strings.ContainsRune(" \t\r\n\",;", rune(config[end])) {
		end++
	}
	r := ruleByID("IP602")
	return diag.List{{
		Rule: r.ID, Severity: r.Severity, Range: diag.NewLines(config).Range(name, at, end),
		Message: "iPXE is given iPXE again and again",
		Detail:  `iPXE asks DHCP too, with the user class "iPXE": answer that with the URL of the script, and only others with this file`,
	}}, nil
}

// Rules is the catalogue, in the order of the identifiers.
func Rules() []diag.Rule {
	var list []diag.Rule
	for _, r := range rules {
		list = append(list, r.Rule)
	}
	return list
}

type rule struct {
	diag.Rule
	check func(*linter)
}

func ruleByID(id string) *rule {
	for i := range rules {
		if rules[i].ID == id {
			return &rules[i]
		}
	}
	return &rule{}
}

// maxFindings bounds the findings of one rule.
const maxFindings = 1000

type linter struct {
	ctx  context.Context
	s    *ipxe.Script
	p    ipxe.Profile
	run  bool
	rule *rule
	list diag.List
	n    map[string]int

	// certain lines are always reached; left tells from which line on something may have
	// ended the script well.
	certain int
	sets    map[string]bool // settings that the script stores
	dynamic bool            // a goto with a variable
	lines   []*ipxe.Line
	calls   []call
	labels  []string
}

// call is one command in its place.
type call struct {
	line   *ipxe.Line
	at     int // index of the line
	index  int // of the command in the line
	name   string
	words  []ipxe.Word // the arguments
	sure   bool        // it runs, and its failure ends the script
	runs   bool        // it certainly runs
	syntax *ipxe.Syntax
}

// leaves are the commands after which a script may not go on.
var leaves = map[string]bool{
	"goto": true, "exit": true, "boot": true, "chain": true, "imgexec": true, "autoboot": true, "sanboot": true,
	"reboot": true, "poweroff": true, "shell": true, "config": true, "login": true, "choose": true, "prompt": true, "read": true,
}

func (l *linter) survey() {
	l.sets, l.n = map[string]bool{}, map[string]int{}
	certain := true
	l.lines = make([]*ipxe.Line, 0, l.s.Len())
	for i, line := range l.s.Lines() {
		l.lines = append(l.lines, line)
		if line.HasLabel {
			l.labels = append(l.labels, line.Label)
		}
		if certain {
			l.certain = i
		}
		for k := range line.Cmds {
			c := &line.Cmds[k]
			if len(c.Words) == 0 {
				continue
			}
			name := c.Words[0].Text
			x := call{line: line, at: i, index: k, name: name, words: c.Words[1:], syntax: l.p.Command(name)}
			if x.syntax == nil {
				x.syntax = l.p.Elsewhere(name)
			}
			x.runs = certain && !line.Open && (k == 0 || c.Op == ipxe.Always)
			x.sure = x.runs
			for _, later := range line.Cmds[k+1:] {
				if later.Op != ipxe.And {
					x.sure = false
				}
			}
			l.calls = append(l.calls, x)
			l.note(&x)
			if leaves[name] || c.Words[0].Expands {
				certain = false
			}
		}
	}
}

// note remembers what a command stores and where it jumps.
func (l *linter) note(c *call) {
	arg := func() string {
		rest := l.arguments(c)
		if len(rest) == 0 {
			return ""
		}
		name, _, _ := strings.Cut(rest[0].Text, ":")
		return name
	}
	switch c.name {
	case "set", "read", "choose", "inc", "imgset":
		l.sets[arg()] = true
	case "nslookup":
		l.sets[arg()] = true
	case "goto":
		for _, w := range c.words {
			l.dynamic = l.dynamic || w.Expands
		}
	}
	if c.line.Cmds[c.index].Words[0].Expands {
		l.dynamic = true
	}
}

// arguments returns the words after the options, as far as these are written plainly.
func (l *linter) arguments(c *call) []ipxe.Word {
	if c.syntax == nil {
		return c.words
	}
	loose := *c.syntax
	loose.Min, loose.Max = 0, 1<<30
	n, err := loose.Scan(texts(c.words), nil)
	if err != nil {
		return nil
	}
	return c.words[n:]
}

func texts(words []ipxe.Word) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w.Text
	}
	return out
}

// word is a range of a word.
func (l *linter) word(line *ipxe.Line, w ipxe.Word) diag.Range {
	return l.s.Range(line, w.At, w.At+len(w.Text))
}

// name is the range of a command's name, command that of the whole command.
func (l *linter) name(c *call) diag.Range { return l.word(c.line, c.line.Cmds[c.index].Words[0]) }

func (l *linter) command(c *call) diag.Range {
	w := c.line.Cmds[c.index].Words
	last := w[len(w)-1]
	return l.s.Range(c.line, w[0].At, last.At+len(last.Text))
}

// report adds a finding of the rule's own severity.
func (l *linter) report(r diag.Range, message, detail string, fixes ...diag.Fix) {
	l.reportAs(l.rule.Severity, r, message, detail, fixes...)
}

// fault adds a finding about a command that fails: an error when that is certain and
// nothing catches it, else a warning.
func (l *linter) fault(c *call, r diag.Range, message, detail string, fixes ...diag.Fix) {
	severity := diag.Warning
	if c.sure {
		severity = diag.Error
	}
	l.reportAs(severity, r, message, detail, fixes...)
}

func (l *linter) reportAs(s diag.Severity, r diag.Range, message, detail string, fixes ...diag.Fix) {
	if l.n[l.rule.ID]++; l.n[l.rule.ID] > maxFindings {
		return
	}
	l.list = append(l.list, diag.Finding{Rule: l.rule.ID, Severity: s, Range: r, Message: message, Detail: detail, Fixes: fixes})
}

// fix makes a fix of one edit.
func fix(message string, r diag.Range, text string) diag.Fix {
	return diag.Fix{Message: message, Edits: []diag.Edit{{Range: r, NewText: text}}}
}

// before is the place before a range.
func before(r diag.Range) diag.Range { return diag.Range{File: r.File, Start: r.Start, End: r.Start} }

// nearest returns the name in a list that a misspelt one may stand for.
func nearest(name string, list []string) string {
	best, at := "", 3
	for _, n := range list {
		if strings.EqualFold(n, name) {
			return n
		}
		if d := distance(name, n); d < at && d < len(name) {
			best, at = n, d
		}
	}
	return best
}

// distance is the number of edits between two short words, two letters that change places
// counted as one; at most 3.
func distance(a, b string) int {
	if len(a) > 32 || len(b) > 32 || len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return 3
	}
	var rows [3][34]int
	for j := range len(b) + 1 {
		rows[1][j] = j
	}
	for i := range len(a) {
		two, last, row := &rows[i%3], &rows[(i+1)%3], &rows[(i+2)%3]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], two[j-1]+1)
			}
		}
	}
	return min(rows[(len(a)+1)%3][len(b)], 3)
}

func didYouMean(name string) string {
	if name == "" {
		return ""
	}
	return "; did you mean " + name + "?"
}

// each calls do for every command of these names; none: for every command.
func (l *linter) each(names string, do func(*call)) {
	list := strings.Fields(names)
	for i := range l.calls {
		if len(list) == 0 || slices.Contains(list, l.calls[i].name) {
			do(&l.calls[i])
		}
	}
}
