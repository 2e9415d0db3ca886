package sshproxy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"dougu.internal/diag"
)

// bothProxies: which one wins depends on the order.
func bothProxies(l *linter) {
	for _, b := range l.list {
		var first *Option
		for i := range b.Options {
			o := &b.Options[i]
			k := lower(o.Keyword)
			if k != "proxyjump" && k != "proxycommand" || equalFold(o.Value, "none") {
				continue
			}
			if first == nil {
				first = o
				continue
			}
			if lower(first.Keyword) != k {
				d := l.reportLine(o.Line, o.Keyword+" does not take effect: "+first.Keyword+" stands before it", "of the two the first one wins", l.dropLine(o.Line))
				d.Related = append(d.Related, diag.Related{Range: first.Range, Message: "this one wins"})
			}
		}
	}
}

// halfNone: clients differ on what one "none" does to the other keyword.
func halfNone(l *linter) {
	for i, b := range l.list {
		set := map[string]*Option{}
		for k := range b.Options {
			o := &b.Options[k]
			if key := lower(o.Keyword); key == "proxyjump" || key == "proxycommand" {
				set[key] = o
			}
		}
		if len(set) != 1 {
			continue
		}
		for key, o := range set {
			other, spelling := "proxycommand", "ProxyCommand"
			if key == other {
				other, spelling = "proxyjump", "ProxyJump"
			}
			if !equalFold(o.Value, "none") || !l.setElsewhere(i, other) {
				continue
			}
			l.reportLine(o.Line, o.Keyword+" none leaves the "+spelling+" of another block to chance",
				"\"ProxyJump none\" keeps a later ProxyCommand from running in 8.4 and 9.9, and does not in Debian's 9.2 and since 10.3: write both lines",
				l.insertBefore("write both lines", o.Line, spelling+" none"))
		}
	}
}

// setElsewhere reports whether a later block that may apply to the same hosts sets an
// option.
func (l *linter) setElsewhere(block int, key string) bool {
	for _, b := range l.list[block+1:] {
		wide := b.Header != "Host" || !literal(b.Criteria)
		if wide && slices.ContainsFunc(b.Options, func(o Option) bool { return lower(o.Keyword) == key && !equalFold(o.Value, "none") }) {
			return true
		}
	}
	return false
}

// commands calls yield with every line that a shell will read.
func (l *linter) commands(yield func(o Option, m op, command string, from int)) {
	l.each(func(_ *Block, o Option, m op) {
		switch m {
		case opProxyCommand, opLocalCommand, opKnownHostsCommand:
			if !equalFold(o.Value, "none") {
				yield(o, m, o.Value, o.ValueRange.Start.Offset)
			}
		}
	})
}

// checksNames reports whether the client refuses names with shell characters on its
// command line.
func (p *build) checksNames() bool { return p.has(shellNames) }

// unsafeToken: ssh puts tokens into the line as they are.
func unsafeToken(l *linter) {
	risky := func(s string) bool {
		return strings.Contains(s, "%h") || strings.Contains(s, "%n") || strings.Contains(s, "%r") || strings.Contains(s, "%k")
	}
	say := func(line int, what, command string) {
		switch {
		case !risky(command):
		case !l.p.checksNames():
			l.reportLine(line, what+" puts names of the command line into a shell line, and "+l.p.name+" does not check them",
				"a name such as \"x;id\" is run by the shell: use a client since 9.6, or check the name in the command")
		case strings.Contains(command, " -c ") || strings.Contains(command, "eval "):
			l.reportLine(line, what+" puts names into a shell line twice", "the inner shell reads the name once more: hand it over as an argument, sh -c '... \"$1\"' sh %h")
		}
	}
	l.commands(func(o Option, _ op, command string, _ int) { say(o.Line, o.Keyword, command) })
	for i := range l.prog.stmts {
		if s := &l.prog.stmts[i]; s.op == opMatch {
			for _, k := range l.prog.matches[s.ext].conditions {
				if k.attr == matchExec {
					say(int(s.line), "Match exec", k.arg)
				}
			}
		}
	}
}

// tokenSets are the tokens of options that are expanded when the client connects.
var tokenSets = map[op]string{
	opProxyCommand: "hknpr", opHostname: "h", opLocalCommand: "CdhijkLlnpruT", opKnownHostsCommand: "CdhijkLlnpruftHIKt",
	opControlPath: "CdhijkLlnpru", opIdentityAgent: "CdhijkLlnpru", opIdentityFile: "CdhijkLlnpru", opCertificateFile: "CdhijkLlnpru",
	opRemoteCommand: "CdhijkLlnpru", opUserKnownHostsFile: "CdhijkLlnpru",
}

// unknownToken: -G says nothing of it, and the connection fails.
func unknownToken(l *linter) {
	l.each(func(_ *Block, o Option, m op) {
		set, ok := tokenSets[m]
		if !ok || equalFold(o.Value, "none") {
			return
		}
		if !l.p.hashesJump() {
			set = strings.ReplaceAll(set, "j", "")
		}
		for i := 0; i < len(o.Value); i++ {
			if o.Value[i] != '%' {
				continue
			}
			i++
			at := o.ValueRange.Start.Offset + i - 1
			switch {
			case i == len(o.Value):
				l.report(at, at+1, o.Keyword+" ends in a single %", "write %% for a percent sign", l.edit("double it", at, at+1, "%%"))
			case o.Value[i] != '%' && strings.IndexByte(set, o.Value[i]) < 0:
				l.report(at, at+2, fmt.Sprintf("%s knows no token %%%c", o.Keyword, o.Value[i]),
					"the client gives up with \"unknown key\": it knows %"+strings.Join(strings.Split(set, ""), " %")+"; write %% for a percent sign", l.edit("double the %", at, at+1, "%%"))
			}
		}
	})
}

// quotedCommand: the quotes stay in the line, and the shell looks for one program.
func quotedCommand(l *linter) {
	l.commands(func(o Option, _ op, command string, from int) {
		n := len(command)
		if n < 3 || command[0] != command[n-1] || command[0] != '"' && command[0] != '\'' || !strings.ContainsAny(command, " \t") || strings.Count(command, command[:1]) != 2 {
			return
		}
		l.report(from, from+n, "the quotes make the whole command the name of one program",
			"the client hands the line to the shell with its quotes: take them away", l.edit("take the quotes away", from, from+n, command[1:n-1]))
	})
}

// compoundCommand: the client puts exec before the line.
func compoundCommand(l *linter) {
	l.commands(func(o Option, m op, command string, from int) {
		if m == opLocalCommand {
			return
		}
		if c := firstOperator(command); c != "" {
			fix, err := ShellQuote(command)
			var fixes []diag.Fix
			if err == nil {
				fixes = append(fixes, l.edit("run it in a shell of its own", from, from+len(command), "sh -c "+fix))
			}
			l.report(from, from+len(command), "the shell runs \"exec "+command+"\": exec takes the part before "+c+" only", "wrap it in sh -c '...'", fixes...)
		}
	})
}

// firstOperator returns the first unquoted shell operator that begins another command.
func firstOperator(s string) string {
	var quote byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '\\':
			i++
		case c == ';' || c == '|':
			return s[i : i+1]
		case c == '&':
			if i > 0 && (s[i-1] == '>' || s[i-1] == '<') || i+1 < len(s) && s[i+1] == '>' {
				continue
			}
			return "&"
		}
	}
	return ""
}

// nestedSSH takes an ssh command of a ProxyCommand apart.
func nestedSSH(command string) (words []string, c CommandLine, ok bool) {
	words, why := shellWords(command)
	if why != "" || len(words) == 0 {
		return nil, c, false
	}
	if words[0] == "exec" {
		words = words[1:]
	}
	if len(words) == 0 || words[0][strings.LastIndexByte(words[0], '/')+1:] != "ssh" {
		return nil, c, false
	}
	c, err := parseCommandLine(words[1:], true)
	return words, c, err == nil
}

// missingF: the nested ssh reads the user's file, in which its host may be unknown.
func missingF(l *linter) {
	if l.f.name == "" || slices.Contains(l.o.Default, l.f.name) {
		return
	}
	known := l.aliases()
	l.commands(func(o Option, _ op, command string, from int) {
		_, c, ok := nestedSSH(command)
		if !ok || c.Config != "" || !slices.Contains(known, c.Target.Host) {
			return
		}
		i := strings.Index(command, "ssh")
		path, err := ShellQuote(EscapePercent(l.f.name))
		var fixes []diag.Fix
		if err == nil {
			fixes = append(fixes, l.edit("name the file", from+i+3, from+i+3, " -F "+path))
		}
		l.report(from, from+len(command), "the nested ssh does not read this file, and "+c.Target.Host+" is configured here",
			"-F is not handed on to commands: name the file, unless it is the one that ssh reads by itself", fixes...)
	})
}

// unquotablePath: ProxyJump hands -F on without quotes.
func unquotablePath(l *linter) {
	if plainPath(l.f.name) || slices.Contains(l.o.Default, l.f.name) {
		return
	}
	l.each(func(_ *Block, o Option, m op) {
		if m == opProxyJump && !equalFold(o.Value, "none") {
			l.reportLine(o.Line, fmt.Sprintf("with -F %q the jump is broken: the path is handed to the shell without quotes", l.f.name), "rename the file, or use ProxyCommand with -F in quotes")
		}
	})
}

// barePort: an IPv6 address and its port run together.
func barePort(l *linter) {
	for _, b := range l.list {
		six := slices.ContainsFunc(b.Options, func(o Option) bool {
			a, err := netip.ParseAddr(strings.Trim(o.Value, `"`))
			return lower(o.Keyword) == "hostname" && err == nil && a.Is6()
		})
		for _, o := range b.Options {
			i := strings.Index(o.Value, "%h:%p")
			if !six || lower(o.Keyword) != "proxycommand" || i < 0 || i > 0 && o.Value[i-1] == '[' {
				continue
			}
			at := o.ValueRange.Start.Offset + i
			l.report(at, at+5, "an IPv6 address needs brackets before its port", "write '[%h]:%p', which is right for names too, in quotes for zsh", l.edit("write the brackets", at, at+5, "'[%h]:%p'"))
		}
	}
}
