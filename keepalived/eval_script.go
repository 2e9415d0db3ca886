package keepalived

import (
	"strings"
	"time"

	"dougu.internal/diag"
)

// userKnown reports whether a user, and a group when one is named, exist. What is
// unknown is taken to exist.
func (e *eval) userKnown(user, group string) bool {
	h := e.o.Host
	if h == nil {
		return true
	}
	if h.User != nil && !h.User(user) {
		return false
	}
	return group == "" || h.Group == nil || h.Group(group)
}

// scriptDefault returns the user that runs scripts that name none. ok is false when
// there is none to be had.
func (e *eval) scriptDefault(at span) (user string, ok bool) {
	if e.userFailed {
		return "", false
	}
	if !e.userSet {
		e.userSet = true
		if h := e.o.Host; h != nil && h.User != nil && !h.User("keepalived_script") {
			if e.security {
				e.object("KA131", at, "script security is on, no script_user is set, and this machine has no user keepalived_script")
				e.userFailed = true
				return "", false
			}
		}
	}
	return e.defaultUser, true
}

// quotedWords splits the line of a keyword as scripts are split. An unmatched quote is
// recorded.
func (e *eval) quotedWords(s *stmt) ([]word, bool) {
	words, problem := splitQuoted(s.text)
	if problem == '"' || problem == '\'' {
		e.unmatched(s, problem)
	}
	return words, problem == 0
}

func (e *eval) unmatched(s *stmt, quote byte) {
	at := e.argsSpan(s, 1)
	f := e.object("KA020", at, "the quote %c is never closed", quote)
	if quote == '\'' {
		f.explain("In the value of a script single quotes count; write \\' for one that is meant.")
	}
}

// command returns the words of a script value, as they are split a second time.
func (e *eval) command(s *stmt, words []word) []string {
	if len(words) < 2 {
		return nil
	}
	inner, problem := splitQuoted(words[1].s)
	if problem == '"' || problem == '\'' {
		e.unmatched(s, problem)
	}
	if problem != 0 {
		return nil
	}
	var out []string
	for _, w := range inner {
		out = append(out, w.s)
	}
	return out
}

// notifyScript reads the script of a notification, with the user and group that may
// follow it. It returns nil when keepalived would not run it.
func (e *eval) notifyScript(s *stmt) *notify {
	words, ok := e.quotedWords(s)
	if !ok {
		return nil
	}
	args := e.command(s, words)
	if args == nil {
		if len(words) < 2 {
			e.missing(s, 1)
		}
		return nil
	}
	n := &notify{args: args, at: e.lineSpan(s), kind: s.k.name}
	if len(words) > 2 {
		group := ""
		if len(words) > 3 {
			group = words[3].s
		}
		e.scriptValue(s, words, args)
		if !e.userKnown(words[2].s, group) {
			return nil
		}
		n.user = words[2].s
		return n
	}
	e.scriptValue(s, words, args)
	n.user, ok = e.scriptDefault(e.lineSpan(s))
	if !ok {
		return nil
	}
	return n
}

// scriptResult is what the look at the file of a script says.
type scriptResult struct {
	exists, found, inhibited, runs bool
}

// checkScript looks at the file of a script as keepalived does before it runs one.
func (e *eval) checkScript(args []string, user string, at span, what string, track bool) scriptResult {
	if len(args) == 0 {
		return scriptResult{}
	}
	name := args[0]
	if strings.HasPrefix(name, "<") && strings.HasPrefix(strings.TrimLeft(name[1:], " \t"), "/") {
		return scriptResult{found: true, runs: true}
	}
	if h := e.o.Host; h != nil && h.Link != nil && !e.v.before(version230) && !e.m.Global.symlinks && strings.HasPrefix(name, "/") {
		if real, through := h.Link(name); through {
			f := e.note("KA135", at, "the path of the script %s goes through a symbolic link", quoted(name))
			f.objects = track
			if text := e.c.sources[at.file].text[at.from:at.to]; strings.Count(text, name) == 1 {
				i := int32(strings.Index(text, name))
				f.fix("use the real path", edit{span{at.file, at.from + i, at.from + i + int32(len(name))}, real})
			}
			e.notes = append(e.notes, pendingScript{at, what})
			return scriptResult{exists: true, found: true, inhibited: true, runs: true}
		}
	}
	st := ScriptUnknown
	if e.o.Host != nil && e.o.Host.Script != nil {
		st = e.o.Host.Script(name, user)
	}
	switch st {
	case ScriptMissing:
		if track {
			e.object("KA133", at, "the script %s does not exist or cannot be reached", quoted(name))
		} else {
			e.note("KA134", at, "the script %s does not exist or cannot be reached", quoted(name))
		}
		return scriptResult{}
	case ScriptNotExecutable:
		e.notes = append(e.notes, pendingScript{at, what})
		if track {
			e.note("KA134", at, "the script %s is not executable", quoted(name))
		}
		return scriptResult{exists: true, found: true}
	case ScriptInsecure:
		e.notes = append(e.notes, pendingScript{at, what})
		root := user == "" || user == "root"
		if root && e.security {
			f := e.note("KA136", at, "others than root can change the script %s", quoted(name))
			f.objects = track
			return scriptResult{exists: true, found: true, inhibited: true, runs: true}
		}
		return scriptResult{exists: true, found: true, runs: true}
	}
	e.notes = append(e.notes, pendingScript{at, what})
	return scriptResult{exists: true, found: true, runs: true}
}

// security2 records that scripts run although script security is off.
func (e *eval) security2(bool) {
	if len(e.notes) > 0 && !e.security {
		n := e.notes[0]
		f := e.object("KA130", n.at, "scripts are run and enable_script_security is not set")
		f.explain("keepalived -t ends with status 6. Others who can change a script get its rights.")
		e.fixSecurity(f)
		for _, o := range e.notes[1:] {
			e.object("KA130", o.at, "scripts are run and enable_script_security is not set").quiet = true
		}
	}
	e.notes = nil
}

// fixSecurity offers to turn script security on, with a user for the scripts when there
// would be none.
func (e *eval) fixSecurity(f *finding) {
	lines := []string{"enable_script_security"}
	if h := e.o.Host; h != nil && h.User != nil && e.m.Global.userAt.file < 0 && !h.User("keepalived_script") {
		lines = append(lines, "script_user root")
	}
	if at := e.blockStart("global_defs"); at.file >= 0 {
		in := e.c.newline(at.file) + e.bodyIndent(at)
		f.fix("add enable_script_security", edit{at, in + strings.Join(lines, in)})
		return
	}
	nl := e.c.newline(0)
	f.fix("add enable_script_security", edit{span{0, 0, 0}, "global_defs {" + nl + "    " + strings.Join(lines, nl+"    ") + nl + "}" + nl})
}

// blockStart returns the place right behind the { of the first block of that name at
// the outermost level.
func (e *eval) blockStart(name string) span {
	if !e.spend(len(e.c.lines)) {
		return nowhere
	}
	depth := 0
	hit := false
	for _, l := range e.c.lines {
		t := e.c.text(l)
		switch {
		case t == "{":
			if hit && depth == 0 {
				at := e.c.span(l, 0, 1)
				return span{at.file, at.to, at.to}
			}
			depth++
		case t == "}":
			depth--
		case depth == 0:
			hit = t == name || strings.HasPrefix(t, name+" ")
		}
	}
	return nowhere
}

// bodyIndent returns the white space of the first line behind a place, or four blanks.
func (e *eval) bodyIndent(at span) string {
	text := e.c.sources[at.file].text[at.to:]
	if _, after, ok := strings.Cut(text, "\n"); ok {
		rest := after
		in := rest[:len(rest)-len(strings.TrimLeft(rest, " \t"))]
		if in != "" {
			return in
		}
	}
	return "    "
}

func (e *eval) vrrpScript(s *stmt) {
	name := s.arg(1)
	if len(s.w) < 2 {
		e.missing(s, 1)
	}
	e.script = &Script{Name: name, Interval: 1e9, Timeout: 0, Rise: 1, Fall: 1, head: e.lineSpan(s), scriptAt: nowhere, timeoutAt: nowhere, intervalAt: nowhere, weightAt: nowhere}
	if old := e.scripts[name]; old != nil && len(s.w) > 1 {
		e.note("KA123", e.argSpan(s, 1), "the vrrp_script %s is defined twice; the first one is tracked", quoted(name)).also(old.head, "the first one")
	} else {
		e.scripts[name] = e.script
	}
	e.m.Scripts = append(e.m.Scripts, e.script)
	e.headSurplus(s, 2)
}

// headSurplus deals with words on the head line of a block of keywords, which are not
// looked at.
func (e *eval) headSurplus(s *stmt, n int) {
	if len(s.w) <= n {
		return
	}
	e.note("KA015", e.argsSpan(s, n), "%s: %s on the line of the block is not looked at", s.arg(0), quoted(s.w[n].s)).weigh(diag.Warning).
		fix("delete the words", edit{e.trailing(s, n-1), ""})
}

func (e *eval) scriptScript(s *stmt) {
	e.script.scriptAt = e.lineSpan(s)
	words, ok := e.quotedWords(s)
	if !ok {
		f := e.object("KA020", e.argsSpan(s, 1), "the value of script cannot be split into words")
		f.crashes, f.quiet = true, true
		return
	}
	if args := e.command(s, words); args != nil {
		e.script.Command = args
		e.scriptValue(s, words, args)
	}
}

func (e *eval) scriptInterval(s *stmt) {
	n, ok := e.scriptTime(s)
	if ok {
		e.script.Interval = n
		e.script.intervalAt = e.argSpan(s, 1)
	}
}

func (e *eval) scriptTimeout(s *stmt) {
	n, ok := e.scriptTime(s)
	if ok {
		e.script.Timeout, e.script.timeoutSet = n, true
		e.script.timeoutAt = e.argSpan(s, 1)
	}
}

func (e *eval) scriptWeight(s *stmt) {
	n, ok := e.number(s, 1)
	if len(s.w) < 2 {
		return
	}
	_ = ok // what was read is kept even out of range
	e.script.Weight, e.script.weightAt = int(n), e.argSpan(s, 1)
	if len(s.w) >= 3 {
		if s.arg(2) == "reverse" && !e.v.before(Version{2, 1, 0}) {
			e.script.Reverse = true
			e.surplus(s, 3)
		} else {
			e.object("KA126", e.argSpan(s, 2), "weight: %s is not reverse", quoted(s.arg(2))).fix("delete the word", edit{e.trailing(s, 1), ""})
		}
	}
}

func (e *eval) scriptRise(s *stmt) {
	n, ok := e.numberAs(s, "KA124")
	if !ok {
		n = 1
	}
	if s.k.name == "rise" {
		e.script.Rise = n
	} else {
		e.script.Fall = n
	}
	if ok {
		e.surplus(s, 2)
	}
}

// numberAs is number with a rule of its own for what is out of range.
func (e *eval) numberAs(s *stmt, rule string) (int64, bool) {
	n := len(e.found)
	v, ok := e.number(s, 1)
	for _, f := range e.found[n:] {
		if f.rule == "KA043" {
			f.rule = rule
		}
	}
	return v, ok
}

func (e *eval) scriptOwner(s *stmt) {
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	e.script.user = s.arg(1)
	if !e.userKnown(s.arg(1), s.arg(2)) {
		e.object("KA131", e.argSpan(s, 1), "user: this machine has no user or group %s", quoted(strings.Join([]string{s.arg(1), s.arg(2)}, " ")))
		e.script.remove = true
	} else {
		e.script.remove = false
		e.script.userSet = true
	}
	e.surplus(s, 3)
}

func (e *eval) endScript() {
	sc := e.script
	if len(sc.Command) == 0 {
		f := e.object("KA124", sc.head, "the vrrp_script %s has no script", quoted(sc.Name))
		if sc.scriptAt.file >= 0 {
			f.at = sc.scriptAt
		}
		sc.remove = true
	} else if !sc.remove && !sc.userSet {
		user, ok := e.scriptDefault(sc.head)
		sc.user = user
		if !ok {
			sc.remove = true
			e.object("KA131", sc.head, "no user can run the script").quiet = true
		}
	}
	if sc.remove {
		if e.scripts[sc.Name] == sc {
			delete(e.scripts, sc.Name)
		}
	}
}

// scriptTime reads the seconds of interval and timeout.
func (e *eval) scriptTime(s *stmt) (time.Duration, bool) {
	if e.v.before(version230) {
		n, ok := e.numberAs(s, "KA124")
		if !ok {
			return 0, false
		}
		e.surplus(s, 2)
		if n == 0 {
			e.object("KA124", e.argSpan(s, 1), "%s of 0", s.arg(0)).fix("use 1", edit{e.argSpan(s, 1), "1"})
			n = 1
		}
		return time.Duration(n) * 1e9, true
	}
	n := len(e.found)
	v, ok := e.decimalIn(s, 1, 3, 0, 4294000)
	for _, f := range e.found[n:] {
		if f.rule == "KA043" {
			f.rule = "KA124"
		}
	}
	if !ok {
		return 0, false
	}
	e.surplus(s, 2)
	if v == 0 {
		e.object("KA124", e.argSpan(s, 1), "%s of 0", s.arg(0)).fix("use 1", edit{e.argSpan(s, 1), "1"})
		v = 1000
	}
	return time.Duration(v) * 1e6, true
}
