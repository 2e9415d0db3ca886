package sshproxy

import (
	"context"
	"io/fs"
	"slices"
	"strings"

	"dougu.internal/diag"
)

// rule is one thing that the linter looks for.
type rule struct {
	diag.Rule
	check func(*linter)
}

// LintInput contains the files that [Lint] checks.
type LintInput struct {
	// Files are checked separately, in order.
	Files []*File
	// Info contains the owner and mode of files on disk by the name of the file. A file
	// without an entry is not checked for them.
	Info map[string]fs.FileInfo
}

// LintOptions configures [Lint].
type LintOptions struct {
	// Resolver describes the client and the machine. Lint uses its fields except Config,
	// Exec, Lookup and Exists. If nil, the zero Resolver is used.
	Resolver *Resolver
	// Default lists the names of files that ssh reads without -F. A nested ssh needs no
	// -F for them.
	Default []string
}

// Rules returns the rules in the order of their identifiers, which are stable: SP and
// three digits.
func Rules() []diag.Rule {
	list := make([]diag.Rule, len(rules))
	for i := range rules {
		list[i] = rules[i].Rule
	}
	return list
}

// Lint returns the findings of the rules, sorted by file and place. It starts no process,
// asks no name service, and opens no file except those that Include lines name. The error
// is that of ctx; a finding is never an error.
func Lint(ctx context.Context, in LintInput, o LintOptions) (diag.List, error) {
	var list diag.List
	for _, f := range in.Files {
		l := newLinter(ctx, f, in, o)
		for i := range rules {
			if err := ctx.Err(); err != nil {
				return nil, errs.Errorf("lint %s: %w", f.name, err)
			}
			l.rule = &rules[i]
			rules[i].check(l)
		}
		if err := ctx.Err(); err != nil { // a rule may have stopped early
			return nil, errs.Errorf("lint %s: %w", f.name, err)
		}
		list = append(list, l.found...)
	}
	list.Sort()
	return list, nil
}

// linter looks at one file.
type linter struct {
	ctx   context.Context
	in    LintInput
	o     LintOptions
	f     *File
	p     *build
	r     *Resolver
	prog  *program
	lines *diag.Lines
	list  []*Block
	rule  *rule
	found diag.List

	chains map[string]chainResult // by host
}

type chainResult struct {
	chain *Chain
	err   error
}

func newLinter(ctx context.Context, f *File, in LintInput, o LintOptions) *linter {
	base := o.Resolver
	if base == nil {
		base = &Resolver{}
	}
	l := &linter{ctx: ctx, in: in, o: o, f: f, p: base.Profile.build(), lines: diag.NewLines([]byte(f.src)), chains: map[string]chainResult{}}
	// The file at hand is served from memory, so that unsaved text is linted.
	l.r = &Resolver{
		Profile: base.Profile, Config: f.name, Local: base.Local, Env: base.Env, Limits: base.Limits,
		Files: overlay{base.files(), f},
	}
	if f.name == "" {
		l.r.Config = "config"
	}
	l.prog = compile(f, l.p, f.name, l.r.Local.service)
	for b := range f.Blocks() {
		l.list = append(l.list, b)
	}
	return l
}

// overlay serves one file from memory and the rest from elsewhere.
type overlay struct {
	FileSystem
	f *File
}

func (o overlay) Open(name string) (fs.File, error) {
	if name == o.f.name || o.f.name == "" && name == "config" {
		return memoryFile(o.f)
	}
	return o.FileSystem.Open(name)
}

// report adds a finding about the bytes [from, to).
func (l *linter) report(from, to int, message, detail string, fixes ...diag.Fix) *diag.Finding {
	return l.reportAs(l.rule.Severity, from, to, message, detail, fixes...)
}

func (l *linter) reportAs(s diag.Severity, from, to int, message, detail string, fixes ...diag.Fix) *diag.Finding {
	l.found = append(l.found, diag.Finding{
		Rule: l.rule.ID, Severity: s, Range: l.lines.Range(l.f.name, from, to), Message: message, Detail: detail, Fixes: fixes,
	})
	return &l.found[len(l.found)-1]
}

// reportLine adds a finding about a line, counted from 1, without its indentation.
func (l *linter) reportLine(n int, message, detail string, fixes ...diag.Fix) *diag.Finding {
	from, to := l.lineSpan(n)
	return l.report(from, to, message, detail, fixes...)
}

func (l *linter) lineSpan(n int) (from, to int) {
	if n < 1 || n > len(l.f.lines) {
		return 0, 0
	}
	x := &l.f.lines[n-1]
	if x.rest < 0 {
		return int(x.start), int(x.end)
	}
	return int(x.key), int(max(x.stop, x.last))
}

// edit makes a fix of one edit.
func (l *linter) edit(message string, from, to int, text string) diag.Fix {
	return diag.Fix{Message: message, Edits: []diag.Edit{{Range: l.lines.Range(l.f.name, from, to), NewText: text}}}
}

// dropLine makes a fix that deletes a line.
func (l *linter) dropLine(n int) diag.Fix {
	return l.edit("delete the line", int(l.f.lines[n-1].start), l.f.lineEnd(n-1), "")
}

// insertBefore makes a fix that inserts a line before line n, indented as it is.
func (l *linter) insertBefore(message string, n int, text string) diag.Fix {
	x := &l.f.lines[n-1]
	indent := l.f.src[x.start:max(x.key, x.start)]
	return l.edit(message, int(x.start), int(x.start), indent+text+l.f.eol())
}

// each calls yield with every option line that means o.
func (l *linter) each(yield func(b *Block, o Option, meaning op)) {
	for _, b := range l.list {
		for _, o := range b.Options {
			if m, ok := l.p.keyword[lower(o.Keyword)]; ok {
				yield(b, o, m)
			}
		}
	}
}

// args splits the value of a line.
func args(value string) []string {
	list, _ := splitArguments(nil, value)
	return list
}

// aliases are the names that a file gives a block of their own.
func (l *linter) aliases() (names []string) {
	for _, b := range l.list {
		if b.Header != "Host" {
			continue
		}
		for _, p := range args(b.Criteria) {
			if p != "" && p[0] != '!' && literal(p) && ValidHost(p) == nil && !slices.Contains(names, p) {
				names = append(names, p)
			}
		}
	}
	return names
}

// maxLintedHosts bounds the hosts whose chain is worked out.
const maxLintedHosts = 5000

// chain works out the chain of a host once.
func (l *linter) chain(name string) chainResult {
	if c, ok := l.chains[name]; ok {
		return c
	}
	c, err := l.r.Chain(l.ctx, Target{Host: name})
	l.chains[name] = chainResult{c, err}
	return l.chains[name]
}

// blockOf returns the block of a host's own name, else the first block.
func (l *linter) blockOf(name string) *Block {
	for _, b := range l.list {
		if b.Header == "Host" && slices.Contains(args(b.Criteria), name) {
			return b
		}
	}
	return l.list[0]
}

// everyHost reports whether a block applies to every host.
func everyHost(b *Block) bool {
	switch b.Header {
	case "":
		return true
	case "Host":
		a := args(b.Criteria)
		return slices.Contains(a, "*") && !slices.ContainsFunc(a, func(s string) bool { return strings.HasPrefix(s, "!") })
	}
	return everyCriteria(b.Criteria)
}

var rules = []rule{
	{diag.Rule{ID: "SP101", Severity: diag.Error, Summary: "jump hosts that lead back to one another"}, jumpLoop},
	{diag.Rule{ID: "SP102", Severity: diag.Error, Summary: "a jump host that is its own jump host"}, selfJump},
	{diag.Rule{ID: "SP103", Severity: diag.Error, Summary: "a chain that the shell or the client will not run"}, brokenChain},
	{diag.Rule{ID: "SP104", Severity: diag.Warning, Summary: "an Include that stands in a block and so applies to its hosts alone"}, includeInBlock},
	{diag.Rule{ID: "SP105", Severity: diag.Warning, Summary: "a value that can never take effect"}, neverEffective},
	{diag.Rule{ID: "SP106", Severity: diag.Info, Summary: "a block for one host after a block for all"}, afterAll},
	{diag.Rule{ID: "SP107", Severity: diag.Error, Summary: "a Host line of negations only, which matches nothing"}, onlyNegations},
	{diag.Rule{ID: "SP108", Severity: diag.Warning, Summary: "a capital letter in a Host pattern, which is compared with the name as typed"}, upperCaseHost},
	{diag.Rule{ID: "SP109", Severity: diag.Error, Summary: "a comma in a Host pattern, which does not separate there"}, commaInHost},
	{diag.Rule{ID: "SP110", Severity: diag.Error, Summary: "a blank in the list of a Match attribute"}, blankInMatch},
	{diag.Rule{ID: "SP201", Severity: diag.Error, Summary: "a keyword that no client knows"}, unknownKeyword},
	{diag.Rule{ID: "SP202", Severity: diag.Error, Summary: "a keyword that is newer than the client"}, newerKeyword},
	{diag.Rule{ID: "SP203", Severity: diag.Error, Summary: "a line that the client refuses"}, refusedLine},
	{diag.Rule{ID: "SP204", Severity: diag.Info, Summary: "a keyword without effect"}, deadKeyword},
	{diag.Rule{ID: "SP205", Severity: diag.Error, Summary: "a line of the Include tree that the client refuses"}, refusedTree},
	{diag.Rule{ID: "SP301", Severity: diag.Warning, Summary: "ProxyJump and ProxyCommand for the same host"}, bothProxies},
	{diag.Rule{ID: "SP302", Severity: diag.Warning, Summary: "a proxy switched off by one of its two keywords only"}, halfNone},
	{diag.Rule{ID: "SP303", Severity: diag.Warning, Summary: "a name put into a shell command without a check"}, unsafeToken},
	{diag.Rule{ID: "SP304", Severity: diag.Error, Summary: "a token that the option does not know"}, unknownToken},
	{diag.Rule{ID: "SP305", Severity: diag.Error, Summary: "a quote that is not closed"}, openQuote},
	{diag.Rule{ID: "SP306", Severity: diag.Error, Summary: "a command in quotes as a whole, which makes it one word"}, quotedCommand},
	{diag.Rule{ID: "SP307", Severity: diag.Warning, Summary: "a compound command, of which exec takes the first part only"}, compoundCommand},
	{diag.Rule{ID: "SP308", Severity: diag.Warning, Summary: "a nested ssh that reads another configuration"}, missingF},
	{diag.Rule{ID: "SP309", Severity: diag.Error, Summary: "a configuration path that ProxyJump can't hand on"}, unquotablePath},
	{diag.Rule{ID: "SP310", Severity: diag.Error, Summary: "ssh -W without brackets for an IPv6 address"}, barePort},
	{diag.Rule{ID: "SP311", Severity: diag.Error, Summary: "a nested ssh that does not connect to the host"}, noBridge},
	{diag.Rule{ID: "SP401", Severity: diag.Warning, Summary: "an agent forwarded to hosts that need not be trusted with it"}, agentForwarding},
	{diag.Rule{ID: "SP402", Severity: diag.Warning, Summary: "host keys that are not checked"}, uncheckedKeys},
	{diag.Rule{ID: "SP403", Severity: diag.Error, Summary: "a ControlPath too long for a socket"}, longControlPath},
	{diag.Rule{ID: "SP404", Severity: diag.Warning, Summary: "a ControlPath that several connections share"}, sharedControlPath},
	{diag.Rule{ID: "SP405", Severity: diag.Warning, Summary: "a control socket in a directory that others can write"}, openControlDir},
	{diag.Rule{ID: "SP406", Severity: diag.Warning, Summary: "hosts of the same address whose host keys are kept under one name"}, overlappingAddress},
	{diag.Rule{ID: "SP501", Severity: diag.Error, Summary: "a file that the client refuses for its owner or mode"}, fileMode},
	{diag.Rule{ID: "SP502", Severity: diag.Warning, Summary: "control characters in the file"}, controlCharacters},
	{diag.Rule{ID: "SP503", Severity: diag.Warning, Summary: "an option that ignores the block it stands in"}, blockIgnored},
	{diag.Rule{ID: "SP504", Severity: diag.Info, Summary: "a Match exec that runs for every host"}, alwaysExec},
}
