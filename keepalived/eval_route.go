package keepalived

import (
	"math"
	"net/netip"
	"strings"
)

// route reads the line of a route, which keepalived drops at the first fault.
type route struct {
	e      *eval
	s      *stmt
	i      int
	family int
	bad    bool
	oif    string
	dst    bool
	noTrck bool
	group  bool
	proto  int64
	prot   bool
	via    bool
	nexts  int
}

func (e *eval) virtualRoutes(s *stmt) {
	e.values(s, 1, func(v *stmt) { e.route(v, false) })
}

func (e *eval) staticRoutes(s *stmt) {
	e.values(s, 1, func(v *stmt) { e.route(v, true) })
}

// word steps to the next word; without one the parser of keepalived ends.
func (r *route) word() (string, bool) {
	r.i++
	if r.i >= len(r.s.w) {
		r.e.missing(r.s, r.i)
		r.bad = true
		return "", false
	}
	return r.s.w[r.i].s, true
}

func (r *route) fail(format string, args ...any) {
	r.e.object("KA145", r.e.argSpan(r.s, min(r.i, len(r.s.w)-1)), format, args...)
	r.bad = true
}

// grumble records a fault with which the route is kept.
func (r *route) grumble(format string, args ...any) *finding {
	return r.e.object("KA145", r.e.argSpan(r.s, min(r.i, len(r.s.w)-1)), format, args...)
}

// setFamily compares the family with the one known so far.
func (r *route) setFamily(f int) bool {
	if r.family == 0 {
		r.family = f
		return true
	}
	if r.family != f {
		r.fail("IPv4 and IPv6 in one route")
		return false
	}
	return true
}

func (r *route) address() (netip.Addr, bool) {
	w, ok := r.word()
	if !ok {
		return netip.Addr{}, false
	}
	a, ok := parseAddr(w)
	if !ok {
		r.fail("%s is no address", quoted(w))
		return netip.Addr{}, false
	}
	return a, true
}

// network reads an address with a prefix length or one of the names for all; family 0
// means any.
func (r *route) network(i int) (fam int, ok bool) {
	switch r.s.arg(i) {
	case "default", "any", "all":
		return 0, true
	case "default6":
		return 6, true
	}
	n := len(r.e.found)
	p, _, ok := r.e.prefix(r.s, i, true, "KA145")
	_ = n
	return family(p.Addr()), ok
}

func (r *route) number(max int64) bool {
	if _, ok := r.word(); !ok {
		return false
	}
	return r.here(max)
}

// here reads the word at hand as a number.
func (r *route) here(max int64) bool {
	if r.i >= len(r.s.w) {
		r.e.missing(r.s, r.i)
		r.bad = true
		return false
	}
	if _, ok := r.e.numberIn(r.s, r.i, 0, max, true); !ok {
		r.bad = true
		return false
	}
	return true
}

// lockable reads "[lock] NUMBER".
func (r *route) lockable(max int64) bool {
	w, ok := r.word()
	if !ok {
		return false
	}
	if w == "lock" {
		r.i++
	}
	return r.here(max)
}

// time reads "[lock] TIME", with s or ms behind it.
func (r *route) time(mult int64, lock bool) bool {
	w, ok := r.word()
	if !ok {
		return false
	}
	if lock && w == "lock" {
		r.i++
		if r.i >= len(r.s.w) {
			r.e.missing(r.s, r.i)
			r.bad = true
			return false
		}
		w = r.s.w[r.i].s
	}
	if !r.validTime(w, mult) {
		r.fail("%s is no time", quoted(w))
		return false
	}
	return true
}

func (r *route) validTime(w string, mult int64) bool {
	w = trimBlanks(w)
	shift := 0
	text := w
	if p := strings.IndexAny(w, "sS"); p >= 0 {
		switch strings.ToLower(w[p:]) {
		case "s", "sec", "secs":
		default:
			return false
		}
		shift = 3
		if p > 0 && (w[p-1] == 'm' || w[p-1] == 'M') {
			shift = 0
			p--
		}
		if p == 0 {
			return false
		}
		text = w[:p]
	}
	if strings.ContainsAny(text, "eE") || strings.HasPrefix(text, "-") {
		return false
	}
	dot := strings.IndexByte(text, '.')
	digits := text
	if dot >= 0 {
		if len(text)-dot-1 > shift {
			r.grumble("%s has too many decimal places", quoted(w))
			text = text[:dot+1+shift]
		}
		digits = text[:dot] + text[dot+1:] + strings.Repeat("0", shift-(len(text)-dot-1))
	} else {
		digits += strings.Repeat("0", shift)
	}
	v, whole, over := cNumber(digits)
	return whole && !over && v >= 0 && v <= 120000*mult
}

func (r *route) realms() bool {
	w, ok := r.word()
	if !ok {
		return false
	}
	a, b, two := strings.Cut(w, "/")
	if _, ok := tableID(a, realms, 255); !ok {
		r.fail("%s is no realm", quoted(w))
		return false
	}
	if two {
		if _, ok := tableID(b, realms, 255); !ok {
			r.fail("%s is no realm", quoted(w))
			return false
		}
	}
	return true
}

func (r *route) named(names map[string]int64, max int64, what string) (int64, bool) {
	w, ok := r.word()
	if !ok {
		return 0, false
	}
	v, ok := tableID(w, names, max)
	if !ok {
		r.fail("%s is no %s", quoted(w), what)
	}
	return v, ok
}

func (r *route) device() bool {
	w, ok := r.word()
	if !ok {
		return false
	}
	if r.e.iface(w) == nil {
		r.e.noSuchInterface("KA101", r.e.argSpan(r.s, r.i), w, r.e.literal(r.s, r.i))
		r.bad = true
		return false
	}
	r.oif = w
	return true
}

// inet takes a word that names the family.
func (r *route) inet(w string) {
	f := 4
	if w == "inet6" {
		f = 6
	}
	if r.family == 0 {
		r.family = f
	} else if r.family != f {
		r.fail("%s contradicts what was said before", w)
	}
}

func (e *eval) route(s *stmt, static bool) {
	r := &route{e: e, s: s}
	next := false
loop:
	for r.i = 0; r.i < len(s.w) && !r.bad; r.i++ {
		w := s.w[r.i].s
		switch w {
		case "inet", "inet6":
			r.inet(w)
			r.i++ // the next word is stepped over
		case "src":
			if a, ok := r.address(); ok {
				r.setFamily(family(a))
			}
		case "as":
			if w, ok := r.word(); ok {
				if w == "to" {
					r.i++
				}
				r.grumble("as is for MPLS alone")
			}
		case "via", "gw":
			if w == "gw" {
				f := e.object("KA005", e.argSpan(s, r.i), "gw is the old name of via")
				if e.literal(s, r.i) {
					f.fix("rename it", edit{e.argSpan(s, r.i), "via"})
				}
			}
			v, ok := r.word()
			if !ok {
				break
			}
			fam := r.family
			if v == "inet" || v == "inet6" {
				fam = 4
				if v == "inet6" {
					fam = 6
				}
				if v, ok = r.word(); !ok {
					break
				}
			}
			if r.family == 0 {
				r.family = fam
			} else if r.family != fam {
				r.fail("IPv4 and IPv6 in one route")
				break
			}
			a, ok := parseAddr(v)
			if !ok {
				r.fail("%s is no address", quoted(v))
				break
			}
			r.via = true
			r.setFamily(family(a))
		case "from":
			if _, ok := r.word(); !ok {
				break
			}
			f, ok := r.network(r.i)
			if !ok {
				r.bad = true
				break
			}
			if f != 6 {
				r.fail("from is for IPv6 alone")
				break
			}
			r.setFamily(6)
		case "tos", "dsfield":
			r.named(dsfields, 255, "TOS")
		case "table":
			r.named(tables, 4294967295, "table")
		case "protocol":
			if v, ok := r.named(protocols, 255, "protocol"); ok {
				r.proto, r.prot = v, true
			}
		case "scope":
			r.named(scopes, 255, "scope")
		case "metric", "priority", "preference":
			r.number(math.MaxUint32)
		case "dev", "oif":
			r.device()
		case "onlink":
		case "encap":
			r.encap()
		case "expires":
			r.i++
			if r.family == 4 {
				r.fail("expires is for IPv6 alone")
				break
			}
			r.family = 6
			r.here(math.MaxUint32)
		case "mtu", "advmss", "reordering", "cwnd", "ssthresh":
			r.lockable(math.MaxUint32)
		case "hoplimit":
			r.number(255)
		case "rtt":
			r.time(8, true)
		case "rttvar":
			r.time(4, true)
		case "rto_min":
			r.time(1, true)
		case "window", "initcwnd", "initrwnd":
			r.number(math.MaxUint32)
		case "realms":
			if !r.realms() {
				break
			}
			if r.family == 6 {
				r.fail("realms are for IPv4 alone")
				break
			}
			r.family = 4
		case "features":
			if v, ok := r.word(); ok && v != "ecn" {
				r.grumble("there is no feature %s", quoted(v))
			}
		case "quickack", "fastopen_no_cookie":
			r.number(1)
		case "congctl":
			if v, ok := r.word(); ok && v == "lock" {
				r.word()
			}
		case "pref":
			r.i++
			if r.family == 4 {
				r.fail("pref is for IPv6 alone")
				break
			}
			r.family = 6
			switch s.arg(r.i) {
			case "low", "medium", "high":
			default:
				r.here(255)
			}
		case "ttl-propagate":
			if v, ok := r.word(); ok && v != "enabled" && v != "disabled" {
				r.grumble("ttl-propagate takes enabled or disabled")
			}
		case "add", "append", "prepend":
		case "or":
			f := e.object("KA005", e.argSpan(s, r.i), "or is the old name of nexthop")
			_ = f
			if r.nexts > 0 {
				r.grumble("or stands twice")
				r.i++
				continue
			}
			r.nexts = 1
			if a, ok := r.address(); ok {
				_ = a
			}
		case "nexthop":
			if r.nexts > 0 {
				r.grumble("or and nexthop exclude one another")
			} else {
				next = true
			}
			break loop
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
					break loop
				}
				if e.tgroups[v] == nil {
					e.object("KA120", e.argSpan(s, r.i), "there is no track_group %s", quoted(v))
				} else {
					r.group = true
				}
				break
			}
			if w == "vrf" {
				if v, ok := r.word(); ok {
					if exists, known := e.o.Host.knows(v); known {
						if exists {
							r.fail("%s is no VRF", quoted(v))
						} else {
							r.fail("there is no VRF %s", quoted(v))
						}
					}
				}
				break
			}
			r.destination(w)
		}
	}
	if r.bad {
		return
	}
	if next {
		r.nexthops()
	} else if r.i < len(s.w) {
		r.fail("%s is left over", quoted(s.w[r.i].s))
		return
	}
	if !r.dst {
		e.object("KA145", e.lineSpan(s), "the route has no destination")
		return
	}
	if !r.noTrck {
		if r.prot && r.proto != 18 {
			e.object("KA145", e.lineSpan(s), "a route of another protocol than keepalived cannot be tracked: add no_track")
		}
		if r.oif == "" && e.v.before(version230) {
			f := e.object("KA145", e.lineSpan(s), "a route without dev cannot be tracked: add no_track or dev")
			at := e.lineSpan(s)
			if e.c.plain(s.l, 0, len(s.text)) {
				f.fix("add no_track", edit{span{at.file, at.to, at.to}, " no_track"})
			}
		}
	}
	if r.group && r.oif == "" {
		e.object("KA145", e.lineSpan(s), "track_group wants dev")
	}
}

// destination reads "[to] [TYPE] NETWORK", whose first word is w.
func (r *route) destination(w string) {
	if w == "to" {
		r.i++
	}
	if isRouteType(w) {
		r.i++
	}
	if r.i >= len(r.s.w) {
		r.e.missing(r.s, r.i)
		r.bad = true
		return
	}
	f, ok := r.network(r.i)
	if !ok {
		r.bad = true
		return
	}
	r.dst = true
	if r.family == 0 {
		r.family = f
	} else if r.family != f {
		r.fail("IPv4 and IPv6 in one route")
	}
}

// isRouteType reports whether a word is a type of routes: a name, or a number of at
// most 255.
func isRouteType(w string) bool {
	if _, ok := routeTypes[w]; ok {
		return true
	}
	if w == "" {
		return true
	}
	v, rest := parseC(w)
	return rest == "" && v >= 0 && v <= 255 && w[0] != '-'
}
