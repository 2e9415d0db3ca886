package sshproxy

import (
	"fmt"
	"slices"
	"strings"
)

// execution is one run of one file for one target.
type execution struct {
	*state
	c     *program
	user  bool // a file of the user
	never bool // nothing in it applies
	depth int
	bad   int

	active bool
	before bool   // the block before this one applied
	last   int    // the block that ran last
	why    string // for the trace: what kept the block from matching
}

// block runs one block. It reports whether to go on.
func (x *execution) block(n int) bool {
	b := &x.c.blocks[n]
	x.before = x.active && x.last == n-1
	x.last = n
	x.active, x.why = !x.never, ""
	if x.never && x.trace != nil {
		x.why = underInclude
	}
	if b.head >= 0 && !x.header(b.head) {
		return false
	}
	if !x.active && !b.always && x.trace == nil {
		return true
	}
	for i := b.first; i < b.last; i++ {
		if !x.line(i) {
			return false
		}
	}
	return true
}

// header decides whether a block applies.
func (x *execution) header(i int32) bool {
	s := &x.c.stmts[i]
	if s.op == opHost {
		x.active = x.hostMatches(s, x.c.list(s)) && !x.never
		return x.report(s)
	}
	ok, alive := x.matchLine(s)
	x.active = ok && !x.never
	if x.c.matches[s.ext].unread {
		x.active = x.before
	}
	if !alive {
		return false
	}
	return !x.dead
}

// hostMatches compares the host with the patterns of a Host line.
func (x *execution) hostMatches(s *stmt, patterns []string) bool {
	got := false
	for _, p := range patterns {
		if p == "" {
			x.say(emptyHost(x.c.path, int(s.line)))
			x.bad++
			return got
		}
		if x.never {
			break
		}
		negated := p[0] == '!'
		if negated {
			p = p[1:]
		}
		if !matchPattern(x.host, p) {
			continue
		}
		if negated {
			x.blocked("!" + p)
			return false
		}
		got = true
	}
	if !got {
		x.blocked("")
	}
	return got
}

func emptyHost(file string, line int) string {
	return fmt.Sprintf("%s line %d: keyword host empty argument", cut(file, 200), line)
}

const underInclude = "the Include stands in a block that does not match"

// blocked records why a Host line does not match.
func (x *execution) blocked(by string) {
	if x.trace == nil {
		return
	}
	switch {
	case x.never:
		x.why = underInclude
	case by != "":
		x.why = fmt.Sprintf("%q is excluded by %s", x.host, by)
	default:
		x.why = fmt.Sprintf("no pattern matches %q", x.host)
	}
}

// report says what a line has wrong. It reports whether the client goes on.
func (x *execution) report(s *stmt) bool {
	if s.problem == 0 {
		return true
	}
	p := &x.c.problems[s.problem]
	x.say(p.messages...)
	if p.failed {
		x.bad++
	}
	if p.fatal {
		x.dead = true
	}
	return !x.dead
}

// line runs one statement.
func (x *execution) line(i int32) bool {
	s := &x.c.stmts[i]
	switch s.op {
	case opBad:
		if matchList(s.val, x.slots[opIgnoreUnknown].val, true) == 1 {
			return x.report(s)
		}
		x.say(badOption(x.c.path, int(s.line), s.val))
		if s.problem == 0 {
			x.bad++
		}
		return x.report(s)
	case opInclude:
		return x.include(i)
	}
	if s.again {
		return x.again(i)
	}
	if !s.skip {
		if !x.apply(i, s.val, x.c.second(i), x.c.list(s), s.op, x.active) {
			return false
		}
	}
	return x.report(s)
}

// again reads a line that depends on the environment.
func (x *execution) again(i int32) bool {
	s := &x.c.stmts[i]
	r := reading{p: x.p, env: x.r.env, service: x.r.Local.service, file: x.c.path, line: int(s.line)}
	n := int(s.line - 1)
	r.keyword, r.rest = x.c.file.keyword(n), x.c.file.argument(n)
	if x.p.splitsArguments() {
		r.args, _ = splitArguments(nil, r.rest)
	} else {
		r.args = oldArguments(nil, r.rest, false)
	}
	r.readOption(s.op, false)
	if r.val != "" && !x.apply(i, r.val, r.next, nil, s.op, x.active) {
		return false
	}
	x.say(r.messages...)
	if r.failed {
		x.bad++
	}
	if r.fatal {
		x.dead = true
	}
	return !x.dead
}

func (x *execution) origin(i int32) origin { return origin{x.c, i, x.passNumber()} }

// limits of the client on lists.
const (
	maxIdentityFiles    = 100
	maxCertificateFiles = 100
	maxHostsFiles       = 32
	maxDomains          = 32
)

// apply sets an option from a line, if it applies and nothing was set before.
func (x *execution) apply(i int32, val, next string, list []string, o op, active bool) bool {
	if !active {
		switch o {
		case opSyslogFacility, opStreamLocalBindMask: // they ignore the block
		default:
			x.trace.inactive(x, i, o)
			return true
		}
	}
	return x.set(o, val, next, list, x.origin(i), x.user, func(format string, args ...any) bool {
		x.say(fmt.Sprintf("%s line %d: "+format, append([]any{cut(x.c.path, 200), int(x.c.stmts[i].line)}, args...)...))
		x.bad++
		if !x.p.splitsArguments() {
			x.dead = true
		}
		return !x.dead
	})
}

// set gives an option a value by its own rule of precedence. It reports whether the
// client goes on.
func (st *state) set(o op, val, next string, list []string, from origin, user bool, fail func(string, ...any) bool) bool {
	switch o {
	case opIdentityFile, opCertificateFile:
		return st.addFile(o, val, from, user, fail)
	case opSendEnv:
		for _, name := range list {
			if pattern, remove := strings.CutPrefix(name, "-"); remove {
				st.items[o] = slices.DeleteFunc(st.items[o], func(x item) bool { return matchPattern(x.val, pattern) })
				continue
			}
			st.items[o] = append(st.items[o], item{val: name, from: from})
		}
		st.trace.used(st, o, from, true)
		return true
	case opLocalForward, opRemoteForward, opDynamicForward:
		st.addForward(o, val, next, from)
		return true
	case opUserKnownHostsFile, opGlobalKnownHostsFile, opLogVerbose, opPermitRemoteOpen, opSetEnv, opCanonicalDomains,
		opCanonicalizePermittedCNAMEs, opRevokedHostKeys, opChannelTimeout:
		return st.setList(o, list, from, fail)
	case opStreamLocalBindMask:
		st.trace.used(st, o, from, true)
		st.slots[o] = slot{val, from, true}
		return true
	case opProxyCommand:
		if st.slots[o].set || st.jump != nil && !st.p.checksJump() {
			st.trace.used(st, o, from, false)
			return true
		}
	case opProxyJump:
		st.setJump(val, from)
		return true
	case opForwardAgent:
		if next != "" && !st.slots[opForwardAgentPath].set {
			st.slots[opForwardAgentPath] = slot{next, from, true}
		}
	case opRekeyLimit:
		if next != "" && !st.slots[opRekeyInterval].set {
			st.slots[opRekeyInterval] = slot{next, from, true}
		}
	case opTunnelDevice, opIPQoS:
		if !st.p.splitsArguments() {
			st.slots[o] = slot{val, from, true} // the last one wins
			st.trace.used(st, o, from, true)
			return true
		}
	case opRefuseConnection:
		return st.die("%s line %d: RefuseConnection: %s", cut(from.path(), 200), from.line(), val)
	}
	s := &st.slots[o]
	st.trace.used(st, o, from, !s.set)
	if !s.set {
		*s = slot{val, from, true}
	}
	return true
}

func (o origin) path() string {
	if o.prog == nil {
		return "command-line"
	}
	return o.prog.path
}

func (o origin) line() int {
	if o.prog == nil {
		return 0
	}
	return int(o.prog.stmts[o.stmt].line)
}

func (st *state) addFile(o op, val string, from origin, user bool, fail func(string, ...any) bool) bool {
	if len(st.items[o]) >= maxIdentityFiles {
		if o == opIdentityFile {
			return fail("Too many identity files specified (max %d).", maxIdentityFiles)
		}
		return fail("Too many certificate files specified (max %d).", maxCertificateFiles)
	}
	for _, x := range st.items[o] {
		if x.val == val && x.user == user {
			st.trace.used(st, o, from, false)
			return true
		}
	}
	st.items[o] = append(st.items[o], item{val, user, from})
	st.trace.used(st, o, from, true)
	return true
}

func (st *state) addForward(o op, val, next string, from origin) {
	remote := o == opRemoteForward
	f, ok := parseForward(val, o == opDynamicForward || next != "", remote, st.r.Local.service)
	if !ok {
		return
	}
	to := &st.fields.local
	if remote {
		to = &st.fields.remote
	}
	if slices.Contains(*to, f) {
		st.trace.used(st, o, from, false)
		return
	}
	*to = append(*to, f)
	if !remote {
		o = opLocalForward // one list holds both kinds
	}
	st.items[o] = append(st.items[o], item{from: from})
	st.trace.used(st, o, from, true)
}

func (st *state) setList(o op, list []string, from origin, fail func(string, ...any) bool) bool {
	if len(st.lists[o]) > 0 || len(list) == 0 {
		st.trace.used(st, o, from, false)
		return true
	}
	st.trace.used(st, o, from, true)
	st.slots[o] = slot{from: from, set: true}
	limit := 0
	message := ""
	switch {
	case o == opUserKnownHostsFile || o == opGlobalKnownHostsFile:
		limit, message = maxHostsFiles, "too many "+lowerNames[o]+" entries."
	case o == opCanonicalDomains && !st.p.listsAreWhole():
		limit, message = maxDomains, "too many hostname suffixes."
	case o == opCanonicalizePermittedCNAMEs && !st.p.listsAreWhole():
		limit, message = 2*maxDomains, "too many permitted CNAMEs."
	}
	if limit > 0 && len(list) > limit {
		st.lists[o] = list[:limit]
		return fail("%s", message)
	}
	st.lists[o] = list
	return true
}

// setJump sets the jump list unless a proxy is set already.
func (st *state) setJump(val string, from origin) {
	j, _, ok := st.p.parseJump(val, false, st.r.Local.service)
	if !ok {
		return
	}
	free := st.jump == nil && (!st.slots[opProxyCommand].set || j.none && st.p.checksJump())
	st.trace.used(st, opProxyJump, from, free)
	if !free {
		return
	}
	st.jump = &j
	st.slots[opProxyJump] = slot{val, from, true}
	if !j.none {
		st.slots[opProxyCommand] = slot{"none", from, true}
	}
}

// include runs the files of an Include line.
func (x *execution) include(i int32) bool {
	s := &x.c.stmts[i]
	for _, arg := range x.c.list(s) {
		name := arg
		if x.p.at(90900) {
			t := x.earlyTokens()
			e := expand(name, t, x.r.env)
			x.say(e.messages...)
			if e.bad {
				return x.die("%s", x.expandFailed("percent_dollar_expand"))
			}
			if e.missing {
				x.say(fmt.Sprintf("%s line %d: Unable to expand user config file '%s'", cut(x.c.path, 200), s.line, cut(arg, 100)))
				continue
			}
			name = e.text
		}
		if strings.HasPrefix(name, "~") && !x.user {
			x.say(fmt.Sprintf("%s line %d: bad include path %s.", cut(x.c.path, 200), s.line, name))
			x.bad++
			if !x.p.splitsArguments() {
				x.dead = true
			}
			return !x.dead
		}
		if !x.includeGlob(s, x.anchored(name)) {
			return false
		}
	}
	return x.report(s)
}

// anchored makes a path absolute by the rules of the including file.
func (x *execution) anchored(name string) string {
	switch {
	case strings.HasPrefix(name, "/"):
		return name
	case strings.HasPrefix(name, "~"):
	case x.user:
		name = "~/.ssh/" + name
	default:
		return "/etc/ssh/" + name
	}
	user, _, _ := strings.Cut(name[1:], "/")
	rest := name[1+len(user):]
	if user == "" {
		return x.r.Local.homeEnv() + rest
	}
	if x.r.Local.HomeOf != nil {
		if home, ok := x.r.Local.HomeOf(user); ok {
			return home + rest
		}
	}
	return name
}

func (x *execution) includeGlob(s *stmt, pattern string) bool {
	active, why := x.active, x.why
	for _, path := range glob(x.r.files(), pattern, x.r.Limits.files()) {
		how := x.read(path, x.user, true, active, x.depth+1)
		x.active, x.why = active, why
		switch {
		case x.dead:
			return false
		case how == fileMissing:
			x.bad++
		case how == fileUnreadable:
			message := "Can't open user config file " + cut(path, 100) + ": " + systemError(x.r.load(path).err)
			if x.p.at(90900) {
				message = fmt.Sprintf("%s line %d: %s", cut(x.c.path, 200), s.line, message)
			}
			x.say(message)
			x.bad++
			return true
		}
	}
	return true
}
