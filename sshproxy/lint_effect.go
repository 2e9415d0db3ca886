package sshproxy

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"dougu.internal/diag"
)

// maxResolved limits the hosts that refusedTree resolves: a line of a block can be refused
// for some hosts only because of an IgnoreUnknown in another block.
const maxResolved = 50

// refusedTree reports lines that the client refuses although the line alone is good: lines
// of included files, and lines that an IgnoreUnknown names too late.
func refusedTree(l *linter) {
	names := append([]string{"host.invalid"}, l.aliases()...)
	seen := map[string]bool{}
	for _, f := range l.found {
		seen[f.Range.File+":"+strconv.Itoa(f.Range.Start.Line)] = true
	}
	for _, name := range names[:min(len(names), maxResolved)] {
		var ce *ConfigError
		if _, err := l.r.Resolve(l.ctx, Target{Host: name}); !errors.As(err, &ce) {
			continue
		}
		for _, m := range ce.Messages {
			file, line, text, ok := parseComplaint(m)
			place := file + ":" + strconv.Itoa(line)
			if !ok || seen[place] {
				continue
			}
			seen[place] = true
			if file == l.f.name && line <= len(l.f.lines) {
				l.reportLine(line, "the client refuses the line: "+text, "another IgnoreUnknown, in this file or in an included one, comes first and wins")
				continue
			}
			l.found = append(l.found, diag.Finding{
				Rule: l.rule.ID, Severity: l.rule.Severity, Message: "the client refuses a line of an included file: " + text,
				Range:  diag.Range{File: file, Start: diag.Pos{Line: line, Column: 1}, End: diag.Pos{Line: line, Column: 1}},
				Detail: "the line counts in blocks that do not match too",
			})
		}
	}
}

// parseComplaint splits a message of the client about a line.
func parseComplaint(m string) (file string, line int, text string, ok bool) {
	file, rest, ok := strings.Cut(m, " line ")
	if !ok {
		return "", 0, "", false
	}
	number, text, ok := strings.Cut(rest, ": ")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 1 || file == "command-line" {
		return "", 0, "", false
	}
	return strings.TrimSuffix(file, ":"), n, text, true
}

// everyCriteria reports whether the criteria of a Match line hold for every host, in the
// second pass at the latest.
func everyCriteria(criteria string) bool {
	words := strings.FieldsFunc(criteria, func(r rune) bool { return r == ' ' || r == '\t' || r == '=' })
	if len(words) == 0 {
		return false
	}
	for i := 0; i < len(words); i++ {
		switch attr := lower(words[i]); {
		case attr == "all" || attr == "final":
		case slices.Contains([]string{"host", "originalhost", "user", "localuser"}, attr) && i+1 < len(words) && strings.Trim(words[i+1], `"`) == "*":
			i++
		default:
			return false
		}
	}
	return true
}

// noBridge reports a ProxyCommand whose ssh starts a login shell, or whose -W has no port.
func noBridge(l *linter) {
	l.commands(func(o Option, m op, command string, _ int) {
		words, why := shellWords(command)
		if m != opProxyCommand || why != "" {
			return
		}
		if len(words) > 0 && words[0] == "exec" {
			words = words[1:]
		}
		if len(words) == 0 || words[0][strings.LastIndexByte(words[0], '/')+1:] != "ssh" {
			return
		}
		c, err := parseCommandLine(words[1:], true)
		switch {
		case err != nil:
		case c.forward != "" && !strings.Contains(c.forward, ":"):
			l.reportLine(o.Line, "-W "+c.forward+" has no port: -W takes one word, host:port", "write -W [%h]:%p")
		case c.forward == "" && len(c.Rest) == 0:
			l.reportLine(o.Line, "the nested ssh has neither -W nor a command: it opens a login shell", "write -W [%h]:%p before the destination")
		}
	})
}

// Resolve resolves a target as [Resolver.Resolve] does, with f in place of the file of the
// same name and as the file of -F. It shows the effect of an edit before it is written.
func (f *File) Resolve(ctx context.Context, r *Resolver, t Target) (*Result, error) {
	edited := r.with(f.name)
	if edited == r {
		edited = &Resolver{
			Profile: r.Profile, Config: f.name, Local: r.Local, Env: r.Env, Exec: r.Exec, Lookup: r.Lookup, Exists: r.Exists, Limits: r.Limits,
		}
	}
	edited.cache = nil
	edited.Files = overlay{r.files(), f}
	return edited.Resolve(ctx, t)
}
