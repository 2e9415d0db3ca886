package sshproxy

import (
	"net/netip"
	"strings"
)

// attribute is what a Match line compares.
type attribute uint8

const (
	matchAll attribute = iota + 1
	matchFinal
	matchCanonical
	matchHost
	matchOriginalHost
	matchUser
	matchLocalUser
	matchLocalNetwork
	matchTagged
	matchVersion
	matchCommand
	matchSessionType
	matchExec
)

var attributes = []struct {
	name  string
	attr  attribute
	since int
	equal bool // may be written name=value
}{
	{"all", matchAll, 0, false},
	{"final", matchFinal, 80000, false},
	{"canonical", matchCanonical, 0, false},
	{"host", matchHost, 0, true},
	{"originalhost", matchOriginalHost, 0, true},
	{"user", matchUser, 0, true},
	{"localuser", matchLocalUser, 0, true},
	{"localnetwork", matchLocalNetwork, 90400, true},
	{"tagged", matchTagged, 90400, true},
	{"version", matchVersion, 100000, true},
	{"command", matchCommand, 100000, true},
	{"sessiontype", matchSessionType, 100000, false},
	{"exec", matchExec, 0, true},
}

// condition is one attribute of a Match line.
type condition struct {
	attr   attribute
	negate bool
	arg    string
	text   string // as written
}

// matchLine is a Match line. Its conditions are evaluated even when the line turns
// out to be bad further on.
type matchLine struct {
	conditions []condition
	messages   []string // what the client says after the last condition
	fatal      bool
	failed     bool
	unread     bool // the line is so bad that the block before it goes on
}

// match reads a Match line.
func (c *program) match(s *stmt, r *reading) {
	m := matchLine{}
	next, left := r.matchWords()
	used := 0
	for {
		text, ok := next()
		if !ok || text == "" && !r.p.matchTakesEqual() {
			switch {
			case used == 0:
				m.unread = r.badCondition("One or more attributes required for Match")
			case left() != "":
				r.leftOver(left())
			}
			break
		}
		if strings.HasPrefix(text, "#") && r.p.splitsArguments() {
			if used == 0 {
				m.unread = r.badCondition("One or more attributes required for Match")
			}
			break
		}
		if !r.condition(&m, text, used, next, left) {
			break
		}
		if m.conditions[len(m.conditions)-1].attr == matchAll {
			break
		}
		used++
	}
	m.messages, m.fatal, m.failed = r.messages, r.fatal, r.failed
	s.ext = int32(len(c.matches))
	c.matches = append(c.matches, m)
}

// matchWords returns a reader of the words of a Match line, and whether any are left.
func (r *reading) matchWords() (next func() (string, bool), left func() string) {
	if r.p.matchTakesEqual() {
		args := r.args
		return func() (string, bool) {
				if len(args) == 0 {
					return "", false
				}
				a := args[0]
				args = args[1:]
				return a, true
			}, func() string {
				if len(args) == 0 {
					return ""
				}
				return args[0]
			}
	}
	w := words{rest: r.rest}
	return func() (string, bool) { return w.next(true) }, func() string { return w.rest }
}

// leftOver refuses words after the last attribute.
func (r *reading) leftOver(rest string) {
	if r.p.splitsArguments() {
		r.fail("keyword match extra arguments at end of line")
		return
	}
	r.fail("garbage at end of line; \"%s\".", cut(rest, 200))
}

func (r *reading) badCondition(message string) bool {
	r.messages = append(r.messages, message)
	r.fail("Bad Match condition")
	return true
}

// condition reads one attribute and its argument. It reports whether to go on.
func (r *reading) condition(m *matchLine, text string, used int, next func() (string, bool), left func() string) bool {
	bad := func(message string) bool {
		m.unread = r.badCondition(message)
		return false
	}
	name, negate := strings.CutPrefix(text, "!")
	if equalFold(name, "all") {
		arg, ok := "", false
		if used <= 1 {
			arg, ok = next()
		}
		if used > 1 || ok && arg != "" && (arg[0] != '#' || !r.p.splitsArguments()) {
			return bad(r.at() + ": '" + text + "' cannot be combined with other Match attributes")
		}
		if (!ok || arg == "") && left() != "" {
			r.leftOver(left())
		}
		m.conditions = append(m.conditions, condition{attr: matchAll, negate: negate, text: text})
		return true
	}
	arg, hasArg := "", false
	if r.p.matchTakesEqual() {
		for _, a := range attributes {
			if a.equal && r.p.at(a.since) && len(name) > len(a.name) && name[len(a.name)] == '=' && equalFold(name[:len(a.name)], a.name) {
				name, arg, hasArg = name[:len(a.name)], name[len(a.name)+1:], true
				break
			}
		}
	}
	var attr attribute
	for _, a := range attributes {
		if equalFold(name, a.name) && r.p.at(a.since) {
			attr = a.attr
		}
	}
	if attr == matchFinal || attr == matchCanonical {
		m.conditions = append(m.conditions, condition{attr: attr, negate: negate, text: text})
		return true
	}
	if !hasArg {
		arg, hasArg = next()
		if !hasArg && r.p.at(100000) {
			return bad(r.at() + ": missing argument for Match '" + text + "'")
		}
	}
	emptyWillDo := r.p.at(100000) && (attr == matchTagged || attr == matchCommand)
	if !hasArg || arg == "" && !emptyWillDo || arg != "" && arg[0] == '#' && r.p.splitsArguments() {
		return bad("Missing Match criteria for " + name)
	}
	if attr == 0 {
		return bad("Unsupported Match attribute " + name)
	}
	if attr == matchLocalNetwork {
		if bad1 := badNetwork(arg); bad1 != "" {
			return bad(bad1)
		}
	}
	m.conditions = append(m.conditions, condition{attr, negate, arg, text})
	return true
}

// badNetwork returns the client's message for the first member of a list that is not
// an address or network.
func badNetwork(list string) string {
	for member := range strings.SplitSeq(list, ",") {
		if member == "" || strings.Trim(member, "0123456789abcdefABCDEF.:/") != "" {
			return "addr_match_cidr_list: list contains invalid characters: \"" + cut(member, 100) + "\""
		}
		if _, ok := network(member); !ok {
			return "Invalid network entry \"" + cut(member, 100) + "\""
		}
	}
	return ""
}

func network(s string) (netip.Prefix, bool) {
	if strings.Contains(s, "/") {
		n, err := netip.ParsePrefix(s)
		return n, err == nil && n == n.Masked()
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

// inNetworks reports whether one of the addresses lies in one of the networks.
func inNetworks(list string, addrs []netip.Addr) bool {
	for member := range strings.SplitSeq(list, ",") {
		n, ok := network(member)
		if !ok {
			continue
		}
		for _, a := range addrs {
			if n.Contains(a.Unmap()) {
				return true
			}
		}
	}
	return false
}
