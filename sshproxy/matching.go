package sshproxy

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
)

// hostNow is the name that Match host is compared with. ok is false when the HostName
// so far can't be expanded, which ends the client.
func (st *state) hostNow() (string, bool) {
	s := &st.slots[opHostname]
	if st.final || !s.set {
		if st.final {
			return s.val, true
		}
		return st.host, true
	}
	return st.expandHostname(s.val)
}

func (st *state) expandHostname(name string) (string, bool) {
	t := &tokens{}
	t.put('h', st.host)
	e := expand(name, t, nil)
	if e.bad {
		st.say(e.messages...)
		return "", st.die("%s", st.expandFailed("percent_expand"))
	}
	return e.text, true
}

// expandFailed is the client's last message on a value that it can't expand.
func (st *state) expandFailed(function string) string {
	if st.p.at(80500) {
		return function + ": failed"
	}
	return function + " failed"
}

// matchLine evaluates a Match line. alive is false when the client stops.
func (x *execution) matchLine(s *stmt) (matched, alive bool) {
	m := &x.c.matches[s.ext]
	host, ok := x.hostNow()
	if !ok {
		return false, false
	}
	result := true
	for i := range m.conditions {
		k := &m.conditions[i]
		r, ok := x.condition(k, host, result)
		if !ok {
			return false, false
		}
		if k.attr == matchAll {
			if result {
				result = !k.negate
			}
		} else if r == k.negate {
			result = false
		}
		if !result && x.why == "" && x.trace != nil {
			x.why = x.reason(k, host)
		}
	}
	if x.never && x.trace != nil {
		x.why = underInclude
	}
	x.say(m.messages...)
	if m.failed {
		x.bad++
		x.dead = x.dead || m.fatal
	}
	return result && !m.failed, !x.dead
}

// condition evaluates one attribute, without its negation.
func (x *execution) condition(k *condition, host string, soFar bool) (matched, ok bool) {
	switch k.attr {
	case matchAll:
		return true, true
	case matchFinal, matchCanonical:
		if k.attr == matchFinal && !x.final && (!k.negate || !x.p.at(100100)) {
			x.wantFinal = true
		}
		return x.final, true
	case matchHost:
		return matchList(lower(host), k.arg, true) == 1, true
	case matchOriginalHost:
		return matchList(lower(x.original), k.arg, true) == 1, true
	case matchUser:
		return matchList(x.state.user(), k.arg, false) == 1, true
	case matchLocalUser:
		return matchList(x.r.Local.User, k.arg, false) == 1, true
	case matchLocalNetwork:
		return inNetworks(k.arg, x.r.Local.Addrs), true
	case matchTagged:
		tag := x.slots[opTag].val
		if tag == "" && x.p.at(100000) {
			return k.arg == "", true
		}
		return matchList(tag, k.arg, false) == 1, true
	case matchVersion:
		return matchList(x.release(), k.arg, false) == 1, true
	case matchCommand:
		if x.command == "" || k.arg == "" {
			return x.command == k.arg, true
		}
		return matchList(x.command, k.arg, false) == 1, true
	case matchSessionType:
		session := "shell"
		if x.command != "" {
			session = "exec"
		}
		if v := x.slots[opSessionType].val; v == "subsystem" || v == "none" {
			session = v
		}
		return matchList(session, k.arg, false) == 1, true
	}
	return x.exec(k, soFar)
}

// release is what the client calls itself.
func (st *state) release() string {
	v := st.p.version
	return fmt.Sprintf("OpenSSH_%d.%dp%d", v/10000, v/100%100, v%100)
}

// exec asks the caller about a Match exec. A command that was asked for once is not
// run again: clients run it in each pass, and its answer is taken not to change.
func (x *execution) exec(k *condition, soFar bool) (matched, ok bool) {
	e := expand(k.arg, x.earlyTokens(), nil)
	if e.bad {
		x.say(e.messages...)
		return false, x.die("%s", x.expandFailed("percent_expand"))
	}
	if !soFar {
		return false, true
	}
	if answer, known := x.asked[e.text]; known {
		return answer, true
	}
	if x.r.Exec == nil {
		x.unansweredOnce("Match exec was not run: " + e.text)
		return false, true
	}
	answer, err := x.r.Exec(x.ctx, e.text)
	if err != nil {
		return false, x.broken(errs.Errorf("Match exec %q: %w", e.text, err))
	}
	if x.asked == nil {
		x.asked = map[string]bool{}
	}
	x.asked[e.text] = answer
	return answer, true
}

func (st *state) unansweredOnce(what string) {
	if slices.Contains(st.unanswered, what) {
		return
	}
	st.unanswered = append(st.unanswered, what)
}

// earlyTokens are the tokens of Match exec and Include: values so far.
func (st *state) earlyTokens() *tokens {
	host := st.slots[opHostname].val
	if !st.slots[opHostname].set {
		host = st.host
	} else if !st.final {
		host, _ = st.expandHostname(host)
	}
	jump := ""
	if st.jump != nil && !st.jump.none {
		jump = st.jump.host
	}
	alias := host
	if s := &st.slots[opHostKeyAlias]; s.set {
		alias = s.val
	}
	return st.tokens(host, alias, st.portText(), st.user(), jump)
}

// tokens are those that most options know.
func (st *state) tokens(host, alias, port, user, jump string) *tokens {
	local := &st.r.Local
	t := &tokens{}
	t.put('L', local.shortHostname())
	t.put('d', local.Home)
	t.put('h', host)
	t.put('i', strconv.Itoa(local.UID))
	t.put('k', alias)
	t.put('l', local.Hostname)
	t.put('n', st.original)
	t.put('p', port)
	t.put('r', user)
	t.put('u', local.User)
	hashed := ""
	if st.p.hashesJump() {
		t.put('j', jump)
		hashed = jump
	}
	t.hash = func() string {
		sum := sha1.Sum([]byte(local.Hostname + host + port + user + hashed))
		return hex.EncodeToString(sum[:])
	}
	return t
}

// reason says, for the trace, why an attribute kept a block from matching.
func (x *execution) reason(k *condition, host string) string {
	value := ""
	switch k.attr {
	case matchHost:
		value = host
	case matchOriginalHost:
		value = x.original
	case matchUser:
		value = x.state.user()
	case matchLocalUser:
		value = x.r.Local.User
	case matchTagged:
		value = x.slots[opTag].val
	case matchVersion:
		value = x.release()
	case matchFinal, matchCanonical:
		return fmt.Sprintf("%s in pass %d", k.text, x.passNumber())
	case matchExec:
		return fmt.Sprintf("%s %q", k.text, k.arg)
	case matchAll:
		return k.text
	}
	return fmt.Sprintf("%s %s, and it is %q", k.text, k.arg, value)
}
