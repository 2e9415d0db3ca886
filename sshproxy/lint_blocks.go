package sshproxy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"dougu.internal/diag"
)

// jumpLoop: ssh starts a process for each turn, without end.
func jumpLoop(l *linter) {
	reported := map[string]bool{}
	for _, name := range l.limitedAliases() {
		var loop *LoopError
		if !errors.As(l.chain(name).err, &loop) {
			continue
		}
		n := len(loop.Path)
		last := loop.Path[n-1]
		if n >= 2 && loop.Path[n-2] == last {
			continue // SP102
		}
		start := slices.Index(loop.Path, last)
		cycle := slices.Clone(loop.Path[start : n-1])
		slices.Sort(cycle)
		key := strings.Join(cycle, " ")
		if reported[key] {
			continue
		}
		reported[key] = true
		from, to := l.proxyLineOf(last)
		l.report(from, to, "the jump hosts loop: "+strings.Join(loop.Path[start:], " -> "),
			"ssh does not notice and starts processes until the machine gives out: let one of them be reached directly")
	}
}

func (l *linter) limitedAliases() []string {
	names := l.aliases()
	return names[:min(len(names), maxLintedHosts)]
}

// proxyLineOf finds the line that sends a host through a proxy: in its own block, or
// the first one of the file.
func (l *linter) proxyLineOf(name string) (from, to int) {
	own := l.blockOf(name)
	for _, b := range append([]*Block{own}, l.list...) {
		for _, o := range b.Options {
			if k := lower(o.Keyword); k == "proxyjump" || k == "proxycommand" {
				return o.KeywordRange.Start.Offset, o.ValueRange.End.Offset
			}
		}
	}
	return l.lineSpan(own.Line)
}

// selfJump: Host * / ProxyJump b sends b through b.
func selfJump(l *linter) {
	for _, b := range l.list {
		for _, o := range b.Options {
			if lower(o.Keyword) != "proxyjump" || equalFold(o.Value, "none") {
				continue
			}
			j, _, ok := l.p.parseJump(o.Value, false, l.r.Local.service)
			if !ok || j.host == "" {
				continue
			}
			var loop *LoopError
			if !errors.As(l.chain(j.host).err, &loop) || len(loop.Path) != 2 || loop.Path[0] != j.host || loop.Path[1] != j.host {
				continue
			}
			var fixes []diag.Fix
			if b.Header == "Host" {
				at := int(l.f.lines[b.Line-1].last)
				fixes = append(fixes, l.edit("leave the jump host out", at, at, " !"+j.host))
			}
			l.report(o.KeywordRange.Start.Offset, o.ValueRange.End.Offset, fmt.Sprintf("%s is to be reached through %s itself", j.host, j.host),
				"ssh refuses with \"jumphost loop via\": leave it out by \"!"+j.host+"\", or put \"Host "+j.host+"\" with ProxyJump none and ProxyCommand none first", fixes...)
		}
	}
}

// brokenChain: the configuration is good and the chain is not.
func brokenChain(l *linter) {
	if len(l.f.check(l.r.Profile, l.r.Local.service)) > 0 {
		return // SP203 and its like speak first
	}
	reported := map[string]bool{}
	for _, name := range l.limitedAliases() {
		c := l.chain(name)
		var loop *LoopError
		if c.err == nil || errors.As(c.err, &loop) {
			continue
		}
		from, to := l.proxyLineOf(name)
		if m := errs.Trim(c.err); !reported[m] {
			reported[m] = true
			l.report(from, to, "the way to "+name+" ends in an error: "+strings.ReplaceAll(m, "\n", "; "), "")
		}
	}
}

// includeInBlock: the included file counts for the hosts of the block, whatever Host
// lines it holds.
func includeInBlock(l *linter) {
	l.each(func(b *Block, o Option, m op) {
		if m != opInclude || b.Header == "" || everyHost(b) {
			return
		}
		l.reportLine(o.Line, fmt.Sprintf("the Include belongs to \"%s %s\" and is not read for other hosts", b.Header, b.Criteria),
			"put it at the top of the file, or end the block with \"Match all\"", l.insertBefore("end the block first", o.Line, "Match all"))
	})
}

// accumulating options take every line.
var accumulating = []op{opIdentityFile, opCertificateFile, opLocalForward, opRemoteForward, opDynamicForward, opSendEnv, opInclude}

// neverEffective: the first value wins.
func neverEffective(l *linter) {
	for i, b := range l.list {
		for k, o := range b.Options {
			m, ok := l.p.keyword[lower(o.Keyword)]
			if !ok || m <= opUnsupported || slices.Contains(accumulating, m) || m == opStreamLocalBindMask || m == opIgnoreUnknown || m == opRekeyLimit || m == opForwardAgent {
				continue
			}
			if first, ok := l.setBefore(i, k, m); ok {
				d := l.reportLine(o.Line, o.Keyword+" never takes effect: an earlier line sets it for the same hosts", "the first value wins", l.dropLine(o.Line))
				d.Related = append(d.Related, diag.Related{Range: first.Range, Message: "this value wins"})
			}
		}
	}
}

// setBefore finds an earlier line that sets an option for every host of a block.
func (l *linter) setBefore(block, option int, m op) (Option, bool) {
	same := func(o Option) bool {
		return l.p.keyword[lower(o.Keyword)] == m && !equalFold(strings.TrimSpace(o.Value), "none")
	}
	for _, o := range l.list[block].Options[:option] {
		if same(o) {
			return o, true
		}
	}
	for _, b := range l.list[:block] {
		covers := everyHost(b) || b.Header == "Host" && l.list[block].Header == "Host" && b.Criteria == l.list[block].Criteria
		if !covers || slices.ContainsFunc(b.Options, func(o Option) bool { return lower(o.Keyword) == "include" }) && !everyHost(b) {
			continue
		}
		for _, o := range b.Options {
			if same(o) {
				return o, true
			}
		}
	}
	return Option{}, false
}

// afterAll: what Host * sets can't be changed further down.
func afterAll(l *linter) {
	all := 0
	for _, b := range l.list {
		switch {
		case b.Header == "Host" && everyHost(b):
			all = b.Line
		case all > 0 && b.Header == "Host" && len(b.Options) > 0:
			l.reportLine(b.Line, fmt.Sprintf("this block comes after the one for all hosts in line %d", all), "the first value wins: put the block for all hosts last")
			return
		}
	}
}

func onlyNegations(l *linter) {
	for _, b := range l.list {
		list := args(b.Criteria)
		if b.Header == "Host" && len(list) > 0 && !slices.ContainsFunc(list, func(s string) bool { return !strings.HasPrefix(s, "!") }) {
			from, to := l.lineSpan(b.Line)
			l.report(from, to, "a Host line of negations only matches no host", "name what it is to match too", l.edit("match everything else", to, to, " *"))
		}
	}
}

func upperCaseHost(l *linter) {
	for _, b := range l.list {
		if b.Header != "Host" || lower(b.Criteria) == b.Criteria {
			continue
		}
		from, to := l.criteria(b)
		l.report(from, to, "Host compares capital letters: "+b.Criteria+" does not match the name in small letters",
			"write small letters, or use Match host, which does not look at case", l.edit("write small letters", from, to, lower(b.Criteria)))
	}
}

func (l *linter) criteria(b *Block) (from, to int) {
	x := &l.f.lines[b.Line-1]
	return int(x.rest), int(x.last)
}

func commaInHost(l *linter) {
	for _, b := range l.list {
		if b.Header != "Host" || !strings.Contains(b.Criteria, ",") {
			continue
		}
		from, to := l.criteria(b)
		l.report(from, to, "a comma in a Host pattern is a letter like any other", "patterns are separated by blanks",
			l.edit("separate by blanks", from, to, strings.Join(strings.FieldsFunc(b.Criteria, func(r rune) bool { return r == ',' || r == ' ' }), " ")))
	}
}

func blankInMatch(l *linter) {
	for _, b := range l.list {
		if b.Header != "Match" {
			continue
		}
		from, _ := l.criteria(b)
		if i := strings.Index(b.Criteria, ", "); i >= 0 && !strings.ContainsAny(b.Criteria, `"'`) {
			end := i + 1
			for end < len(b.Criteria) && b.Criteria[end] == ' ' {
				end++
			}
			l.report(from+i, from+end, "the list of a Match attribute holds a blank, which ends it", "write commas without blanks", l.edit("take the blank out", from+i+1, from+end, ""))
		}
	}
}

// blockIgnored: two options do not look at the block they stand in.
func blockIgnored(l *linter) {
	l.each(func(b *Block, o Option, m op) {
		if (m == opSyslogFacility || m == opStreamLocalBindMask) && !everyHost(b) {
			l.reportLine(o.Line, o.Keyword+" takes effect for every host, not only for \""+b.Header+" "+b.Criteria+"\"",
				"clients up to 10.5 do not look at the block here: put it where it says what it does")
		}
	})
}

// alwaysExec: the command runs for each host that is asked for, in Include files too.
func alwaysExec(l *linter) {
	for i := range l.prog.stmts {
		s := &l.prog.stmts[i]
		if s.op != opMatch {
			continue
		}
		for _, k := range l.prog.matches[s.ext].conditions {
			if k.attr == matchExec {
				l.reportLine(int(s.line), "the command of this Match exec runs for every host", "put an attribute before it that holds for few hosts: the command is skipped when that one fails")
			}
			break
		}
	}
}
