package keepalived

import (
	"math"
	"strconv"
	"strings"
)

func (e *eval) virtualRules(s *stmt) {
	e.values(s, 1, func(v *stmt) { e.rule(v, false) })
}

func (e *eval) staticRules(s *stmt) {
	e.values(s, 1, func(v *stmt) { e.rule(v, true) })
}

// rule reads the line of a routing rule, which keepalived drops at the first fault.
func (e *eval) rule(s *stmt, static bool) {
	r := &route{e: e, s: s}
	const (
		none = iota
		toTable
		jump
		other
	)
	action := none
	table, l3mdev, option, prio := false, false, false, false
	var priority, target int64
	iif := ""
	take := func(f int) {
		if r.family == 0 {
			r.family = f
		} else if f != r.family {
			r.fail("IPv4 and IPv6 in one rule")
		}
	}
	act := func(a int) {
		if action != none {
			r.fail("a rule has one action")
			return
		}
		action = a
	}
	for r.i = 0; r.i < len(s.w) && !r.bad; r.i++ {
		w := s.w[r.i].s
		switch w {
		case "inet", "inet6":
			r.inet(w)
			r.i++
		case "from", "to":
			if _, ok := r.word(); !ok {
				break
			}
			f, ok := r.network(r.i)
			if !ok {
				r.bad = true
				break
			}
			take(f)
		case "table", "lookup":
			v, ok := r.named(tables, math.MaxUint32, "table")
			if !ok {
				break
			}
			if v == 0 {
				r.fail("table 0 is not valid")
				break
			}
			table = true
			act(toTable)
		case "not":
		case "preference", "order", "priority":
			v, ok := r.word()
			if !ok {
				break
			}
			n, rest := parseC(v)
			if rest != "" || n < 0 || n > math.MaxUint32 || strings.HasPrefix(trimBlanks(v), "-") {
				r.fail("%s is no number", quoted(v))
				break
			}
			priority, prio = n, true
		case "tos", "dsfield":
			r.named(dsfields, 255, "TOS")
		case "fwmark":
			v, ok := r.word()
			if !ok {
				break
			}
			if !validMark(v) {
				r.fail("%s is no fwmark", quoted(v))
			}
		case "realms":
			if !r.realms() {
				break
			}
			option = true
			take(4)
		case "suppress_prefixlength", "sup_pl":
			option = true
			r.number(math.MaxInt32)
		case "suppress_ifgroup", "sup_group":
			r.named(groups, math.MaxInt32, "group")
			option = true
		case "dev", "iif":
			if r.device() {
				iif = r.oif
			}
		case "oif":
			r.device()
		case "tunnel-id":
			v, ok := r.word()
			if !ok {
				break
			}
			if _, err := strconv.ParseUint(strings.TrimPrefix(trimBlanks(v), "+"), 10, 64); err != nil {
				r.fail("%s is no number", quoted(v))
			}
		case "uidrange":
			v, ok := r.word()
			if !ok {
				break
			}
			if n, _ := scanRange(v, math.MaxInt64); n != 2 {
				r.fail("%s is no range", quoted(v))
			}
		case "l3mdev":
			l3mdev = true
			act(toTable)
		case "protocol":
			if _, ok := r.word(); ok {
				if _, ok := e.numberIn(s, r.i, 0, 255, true); ok {
					v, _, _ := cNumber(s.w[r.i].s)
					r.proto, r.prot = v, true
				}
			}
		case "ipproto":
			v, ok := r.word()
			if ok && !validProtocol(v) {
				r.grumble("%s is no protocol", quoted(v))
			}
		case "sport", "dport":
			v, ok := r.word()
			if !ok {
				break
			}
			if n, _ := scanRange(v, math.MaxInt64); n != 2 {
				r.grumble("%s is no range of ports: this release wants FIRST-LAST", quoted(v))
			}
		case "no_track":
			r.noTrck = true
		default:
			if static && w == "track_group" {
				v, ok := r.word()
				if !ok {
					break
				}
				if r.group {
					r.grumble("track_group stands twice")
					r.i = len(s.w)
					break
				}
				if e.tgroups[v] == nil {
					e.object("KA120", e.argSpan(s, r.i), "there is no track_group %s", quoted(v))
				} else {
					r.group = true
				}
				break
			}
			if w == "type" {
				var ok bool
				if w, ok = r.word(); !ok {
					break
				}
			}
			a := other
			switch {
			case w == "goto":
				if !r.number(math.MaxUint32) {
					break
				}
				target, _, _ = cNumber(s.w[r.i].s)
				a = jump
			case w == "nop":
			case w == "blackhole", w == "unreachable", w == "prohibit":
			case isRouteType(w):
				v, _ := parseC(w)
				if v != 6 && v != 7 && v != 8 {
					r.fail("%s is no action of a rule", quoted(w))
				}
			default:
				r.fail("a rule does not know %s", quoted(w))
			}
			if !r.bad {
				act(a)
			}
		}
	}
	if r.bad {
		return
	}
	all := e.lineSpan(s)
	switch {
	case action == jump && prio && priority >= target:
		e.object("KA146", all, "the preference of a goto must be below its target")
		return
	case action == jump && !prio:
		e.object("KA146", all, "goto wants a preference")
		return
	case action == none:
		e.object("KA146", all, "the rule has no action, such as table N")
		return
	case action != toTable && option:
		e.object("KA146", all, "realms and suppressors are for rules with a table")
		return
	case table && l3mdev:
		e.object("KA146", all, "l3mdev and a table exclude one another")
		return
	}
	if !r.noTrck && r.prot && r.proto != 18 {
		e.object("KA146", all, "a rule of another protocol than keepalived cannot be tracked: add no_track")
	}
	if r.group && iif == "" {
		e.object("KA146", all, "track_group wants dev")
	}
	if !prio {
		f := e.object("KA146", all, "the rule has no preference")
		f.explain("keepalived picks one, from 32767 downwards; write the one you want.")
		if e.c.plain(s.l, 0, len(s.text)) {
			f.fix("add preference 1000", edit{span{all.file, all.to, all.to}, " preference 1000"})
		}
	}
}

// validMark reports whether the text is a mark, or a mark and a mask.
func validMark(s string) bool {
	s = trimBlanks(s)
	if strings.HasPrefix(s, "-") {
		return false
	}
	v, rest := parseC(s)
	if v > math.MaxUint32 {
		return false
	}
	if strings.HasPrefix(rest, "/") {
		rest = rest[1:]
		if rest != "" && (isBlank(rest[0]) || rest[0] == '-') {
			return false
		}
		v, rest = parseC(rest)
		if v > math.MaxUint32 {
			return false
		}
	}
	return rest == ""
}

// scanRange counts the numbers that FIRST-LAST gives, as scanf does.
func scanRange(s string, _ int64) (n int, rest string) {
	num := func(t string) (string, bool) {
		t = trimBlanks(t)
		if t != "" && (t[0] == '+' || t[0] == '-') {
			t = t[1:]
		}
		i := 0
		for i < len(t) && isDigit(t[i]) {
			i++
		}
		return t[i:], i > 0
	}
	t, ok := num(s)
	if !ok {
		return 0, s
	}
	if !strings.HasPrefix(t, "-") {
		return 1, t
	}
	t, ok = num(t[1:])
	if !ok {
		return 1, t
	}
	return 2, t
}

// validProtocol reports whether the text is the number or one of the usual names of a
// protocol.
func validProtocol(s string) bool {
	s = trimBlanks(s)
	if s == "" || s[0] == '-' {
		return false
	}
	v, whole, over := cNumber(s)
	if over || v > 127 {
		return false
	}
	if whole {
		return true
	}
	switch s {
	case "ip", "icmp", "igmp", "ipencap", "tcp", "egp", "udp", "gre", "esp", "ah", "ipv6-icmp", "ospf", "vrrp", "sctp", "udplite", "dccp", "ipv6", "l2tp", "pim", "rsvp",
		"TCP", "UDP", "ICMP", "SCTP", "GRE", "ESP", "AH", "IGMP", "IP", "VRRP", "OSPFIGP":
		return true
	}
	return false
}
