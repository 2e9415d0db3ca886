package sshproxy

import (
	"fmt"
	"strconv"
	"strings"
)

// settleHost takes the HostName into use and makes the name canonical, between the two
// passes.
func (st *state) settleHost() bool {
	if s := &st.slots[opHostname]; s.set {
		name, ok := st.expandHostname(s.val)
		if !ok {
			return false
		}
		st.host, s.val = name, name
	}
	// What decides on canonical names is settled now: the second pass can't set it.
	for _, o := range []op{opCanonicalizeMaxDots, opCanonicalizeFallbackLocal, opCanonicalizeHostname} {
		if s := &st.slots[o]; !s.set {
			*s = slot{val: st.p.defaultOf(o), set: true}
		}
	}
	family := "any"
	if s := &st.slots[opAddressFamily]; s.set {
		family = s.val
	}
	_, numeric := numericAddress(st.host, family)
	address := numeric || addressOnly(st.host)
	if !address {
		st.host = lower(st.host)
	}
	mode := "false"
	if s := &st.slots[opCanonicalizeHostname]; s.set {
		mode = s.val
	}
	found := false
	if mode != "false" || address {
		var ok bool
		if found, ok = st.canonicalize(mode, family); !ok {
			return false
		}
	}
	direct := st.direct()
	if !found && st.hasCNAMERules() && (direct || mode == "always") {
		name, ok := st.lookup(st.host, family)
		if !ok {
			if direct {
				return st.die("%s: Could not resolve hostname %s: Name or service not known", st.programName(), cut(st.host, 100))
			}
		} else {
			st.followCNAME(direct, mode, name)
		}
	}
	if mode != "false" {
		st.wantFinal = true
	}
	return true
}

func (st *state) programName() string {
	p := st.r.Local.program()
	return p[strings.LastIndexByte(p, '/')+1:]
}

// direct reports whether no proxy is set so far.
func (st *state) direct() bool {
	s := &st.slots[opProxyCommand]
	jumps := st.jump != nil && !(st.jump.none && st.p.at(90400))
	return (!s.set || equalFold(s.val, "none")) && !jumps
}

// hasCNAMERules reports whether aliases may be followed.
func (st *state) hasCNAMERules() bool {
	rules := st.lists[opCanonicalizePermittedCNAMEs]
	if st.p.at(80800) && len(rules) == 2 && equalFold(rules[0], "none") && rules[1] == "" {
		return false
	}
	return len(rules) > 0
}

// lookup asks for a name, if the caller allows it.
func (st *state) lookup(name, family string) (canonical string, ok bool) {
	if st.r.Lookup == nil {
		st.unansweredOnce("the name service was not asked for " + name)
		return "", false
	}
	network := "ip"
	switch family {
	case "inet":
		network = "ip4"
	case "inet6":
		network = "ip6"
	}
	canonical, err := st.r.Lookup(st.ctx, network, name)
	if err != nil {
		return "", false
	}
	if canonical != "" {
		valid, why := validDomain(canonical, false)
		if why != "" {
			st.say(fmt.Sprintf("ignoring bad CNAME \"%s\" for host \"%s\": %s", canonical, name, why))
		}
		canonical = valid
	}
	return canonical, true
}

// canonicalize settles an address, or looks a name up under the domains. ok is false
// when the client gives up.
func (st *state) canonicalize(mode, family string) (found, ok bool) {
	if a, numeric := numericAddress(st.host, family); numeric {
		if !equalFold(a, st.host) {
			st.host = a
		}
		return true, true
	}
	if addressOnly(st.host) || mode == "false" {
		return false, true
	}
	direct := st.direct()
	if !direct && mode != "always" {
		return false, true
	}
	if name, anchored := strings.CutSuffix(st.host, "."); anchored {
		if canonical, ok := st.lookup(st.host, family); ok {
			st.host = name
			st.followCNAME(direct, mode, canonical)
			return true, true
		}
		return false, st.notFound()
	}
	dots := 1
	if s := &st.slots[opCanonicalizeMaxDots]; s.set {
		dots, _ = strconv.Atoi(s.val)
	}
	if strings.Count(st.host, ".") > dots {
		return false, true
	}
	for _, domain := range st.lists[opCanonicalDomains] {
		if equalFold(domain, "none") && st.p.splitsArguments() {
			break
		}
		full := st.host + "." + domain
		if canonical, ok := st.lookup(full+".", family); ok {
			st.host = full
			st.followCNAME(direct, mode, canonical)
			return true, true
		}
	}
	return false, st.notFound()
}

func (st *state) notFound() bool {
	if s := &st.slots[opCanonicalizeFallbackLocal]; s.set && s.val == "no" {
		return st.die("%s: Could not resolve host \"%s\"", st.programName(), st.host)
	}
	return true
}

// followCNAME takes the canonical name if a rule permits it.
func (st *state) followCNAME(direct bool, mode, name string) {
	if name == "" || !st.hasCNAMERules() || st.host == name || mode == "false" || !direct && mode != "always" {
		return
	}
	rules := st.lists[opCanonicalizePermittedCNAMEs]
	for i := 0; i+1 < len(rules); i += 2 {
		target := name
		if st.p.at(100400) {
			target = lower(name)
		}
		if matchList(st.host, rules[i], true) == 1 && matchList(target, rules[i+1], true) == 1 {
			st.host = target
			return
		}
	}
}
