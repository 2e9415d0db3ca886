package sshproxy

import (
	"fmt"
	"slices"
	"strings"

	"dougu.internal/diag"
)

// jumpHosts are the hosts that others of the file are reached through.
func (l *linter) jumpHosts() map[string]bool {
	m := map[string]bool{}
	for _, name := range l.limitedAliases() {
		if c := l.chain(name).chain; c != nil {
			hops := c.All()
			for _, h := range hops[:len(hops)-1] {
				m[h.Alias] = true
			}
		}
	}
	return m
}

// agentForwarding: who is root on the host may use the agent.
func agentForwarding(l *linter) {
	var jumps map[string]bool
	l.each(func(b *Block, o Option, m op) {
		if m != opForwardAgent || equalFold(o.Value, "no") || equalFold(o.Value, "false") {
			return
		}
		if jumps == nil {
			jumps = l.jumpHosts()
		}
		where := ""
		switch {
		case everyHost(b) || b.Header == "Host" && strings.Contains(b.Criteria, "*"):
			where = "every host that matches"
		case b.Header == "Host" && slices.ContainsFunc(args(b.Criteria), func(s string) bool { return jumps[s] }):
			where = "a jump host"
		}
		if where != "" {
			l.reportLine(o.Line, "the agent is forwarded to "+where, "whoever is root there can log in as you: ProxyJump needs no agent on the way", l.edit("write no", o.ValueRange.Start.Offset, o.ValueRange.End.Offset, "no"))
		}
	})
}

// uncheckedKeys: a hop between can then be anyone.
func uncheckedKeys(l *linter) {
	l.each(func(_ *Block, o Option, m op) {
		v := lower(strings.Trim(o.Value, `"`))
		switch {
		case m == opStrictHostKeyChecking && (v == "no" || v == "off" || v == "false"):
			l.reportLine(o.Line, "host keys are not checked", "whoever is on the way can answer as the host: accept-new learns new keys and refuses changed ones",
				l.edit("write accept-new", o.ValueRange.Start.Offset, o.ValueRange.End.Offset, "accept-new"))
		case m == opUserKnownHostsFile && v == "/dev/null":
			l.reportLine(o.Line, "host keys are forgotten at once", "a changed key is never noticed: keep them in a file")
		}
	})
}

// controlPathLimit: the client binds a name 17 bytes longer, and a socket's path holds
// 107 bytes on Linux.
const controlPathLimit = 108 - 1 - 17

// longControlPath: -G says nothing of it.
func longControlPath(l *linter) {
	l.each(func(b *Block, o Option, m op) {
		if m != opControlPath || equalFold(o.Value, "none") {
			return
		}
		names := []string{"host"}
		if b.Header == "Host" {
			for _, p := range args(b.Criteria) {
				if p != "" && literal(p) && p[0] != '!' {
					names = append(names, p)
				}
			}
		}
		for _, name := range names[:min(len(names), 50)] {
			res, err := l.r.Resolve(l.ctx, Target{Host: name})
			if err != nil {
				continue
			}
			if at, ok := res.Origin("ControlPath"); !ok || at.Line != o.Line {
				continue
			}
			if path := res.Get("ControlPath"); len(path) > controlPathLimit {
				l.reportLine(o.Line, fmt.Sprintf("the control socket of %s has a path of %d bytes, and %d is the most", name, len(path), controlPathLimit), "the client adds 17 bytes while it makes the socket: use a shorter directory and %C")
				return
			}
		}
	})
}

// sharedControlPath: a second host would use the first one's connection.
func sharedControlPath(l *linter) {
	l.each(func(b *Block, o Option, m op) {
		v := o.Value
		if m != opControlPath || equalFold(v, "none") || strings.Contains(v, "%C") {
			return
		}
		single := b.Header == "Host" && len(args(b.Criteria)) == 1 && literal(b.Criteria)
		if single || (strings.Contains(v, "%h") || strings.Contains(v, "%n") || strings.Contains(v, "%k")) && strings.Contains(v, "%p") && strings.Contains(v, "%r") {
			return
		}
		l.reportLine(o.Line, "several hosts, ports or users share one control socket", "use %C, or %r@%h:%p")
	})
}

// openControlDir: others can put a socket there.
func openControlDir(l *linter) {
	l.each(func(_ *Block, o Option, m op) {
		v := strings.TrimLeft(o.Value, `"`)
		if m == opControlPath && (strings.HasPrefix(v, "/tmp/") || strings.HasPrefix(v, "/var/tmp/") || strings.HasPrefix(v, "/dev/shm/")) {
			from := o.ValueRange.Start.Offset
			l.reportLine(o.Line, "the control socket is in a directory that everyone can write", "use ~/.ssh or ${XDG_RUNTIME_DIR}", l.edit("use ~/.ssh", from, o.ValueRange.End.Offset, "~/.ssh/%C"))
		}
	})
}

// overlappingAddress: host keys are kept under the address.
func overlappingAddress(l *linter) {
	type at struct{ host, port string }
	type seen struct {
		name, via string
		line      int
	}
	first := map[at]seen{}
	for _, name := range l.limitedAliases() {
		c := l.chain(name).chain
		if c == nil {
			continue
		}
		hops := c.All()
		last := hops[len(hops)-1]
		if last.Result.Get("HostKeyAlias") != "" || last.Host == lower(name) {
			continue
		}
		via := "directly"
		if len(hops) > 1 {
			via = "through " + hops[len(hops)-2].Alias
		}
		key := at{last.Host, last.Port}
		b := l.blockOf(name)
		old, ok := first[key]
		if !ok {
			first[key] = seen{name, via, b.Line}
			continue
		}
		if old.via == via || b.Line == 0 || old.line == b.Line {
			continue
		}
		eol := l.lineEndOf(b.Line)
		l.reportLine(b.Line, fmt.Sprintf("%s %s and %s %s have the address %s port %s: their host keys are kept under one name", name, via, old.name, old.via, last.Host, last.Port),
			"one of them will be refused as changed, or taken for the other: give each a HostKeyAlias",
			diag.Fix{Message: "keep its key under its own name", Edits: []diag.Edit{{Range: l.lines.Range(l.f.name, eol, eol), NewText: "    HostKeyAlias " + name + l.f.eol()}}})
	}
}

func (l *linter) lineEndOf(n int) int { return l.f.lineEnd(n - 1) }
