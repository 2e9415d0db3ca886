package keepalived

import (
	"strconv"
	"strings"
)

func (r *route) nexthops() {
	s := r.s
	for r.i < len(s.w) && s.w[r.i].s == "nexthop" {
		r.i++
		fam := 0
		for r.i < len(s.w) {
			switch s.w[r.i].s {
			case "via":
				v, ok := r.word()
				if !ok {
					return
				}
				if v == "inet" || v == "inet6" {
					fam = 4
					if v == "inet6" {
						fam = 6
					}
					if v, ok = r.word(); !ok {
						return
					}
				}
				if fam != 0 && !r.setFamily(fam) {
					return
				}
				a, ok := parseAddr(v)
				if !ok {
					r.fail("%s is no address", quoted(v))
					return
				}
				if !r.setFamily(family(a)) {
					return
				}
			case "dev":
				oif := r.oif
				if !r.device() {
					return
				}
				r.oif = oif
			case "weight":
				if !r.number(256) {
					return
				}
				if v, _, _ := cNumber(s.w[r.i].s); v == 0 {
					r.fail("weight of 0")
					return
				}
			case "onlink":
			case "encap":
				r.encap()
			case "realms":
				if !r.realms() {
					return
				}
			case "as":
				if v, ok := r.word(); ok && v == "to" {
					r.i++
				}
				r.grumble("as is for MPLS alone")
			case "nexthop":
				goto again
			default:
				r.fail("a nexthop does not know %s", quoted(s.w[r.i].s))
				return
			}
			if r.bad {
				return
			}
			r.i++
		}
	again:
	}
	if r.i < len(s.w) {
		r.fail("%s is left over", quoted(s.w[r.i].s))
	}
}

// encap reads "encap TYPE ...". A fault is recorded and the route is kept.
func (r *route) encap() {
	s := r.s
	r.i++
	if r.i >= len(s.w) {
		r.grumble("encap wants a type")
		return
	}
	typ := s.w[r.i].s
	r.i++
	switch typ {
	case "ip", "ip6":
		r.encapIP(typ == "ip6")
	case "mpls":
		if r.i >= len(s.w) {
			r.grumble("encap mpls wants labels")
		} else {
			if !mplsLabels(s.w[r.i].s) {
				r.grumble("%s are no labels", quoted(s.w[r.i].s))
			}
			r.i++
		}
	case "ila":
		if r.i >= len(s.w) {
			r.grumble("encap ila wants a locator")
		} else {
			if !locator(s.w[r.i].s) {
				r.grumble("%s is no locator", quoted(s.w[r.i].s))
			}
			r.i++
		}
	default:
		r.i--
		r.grumble("there is no encap %s", quoted(typ))
		r.i++
		return
	}
	r.i--
}

func (r *route) encapIP(v6 bool) {
	s := r.s
	dst, id := false, false
	fam := 4
	if v6 {
		fam = 6
	}
	for r.i+1 < len(s.w) {
		k, v := s.w[r.i].s, s.w[r.i+1].s
		ok := true
		switch {
		case k == "id":
			n, err := strconv.ParseUint(strings.TrimPrefix(trimBlanks(v), "+"), 10, 64)
			_ = n
			ok, id = err == nil, true
		case k == "dst", k == "src":
			a, valid := parseAddr(v)
			ok = valid && family(a) == fam
			dst = dst || k == "dst"
		case k == "tos" && !v6, k == "tc" && v6:
			_, ok = tableID(v, dsfields, 255)
		case k == "ttl" && !v6, k == "hoplimit" && v6:
			_, ok = r.e.numberIn(s, r.i+1, 0, 255, true)
		case k == "flags":
			_, ok = r.e.numberIn(s, r.i+1, 0, 65535, true)
		default:
			goto done
		}
		if !ok {
			r.i++
			r.grumble("encap: %s %s is invalid", k, quoted(v))
			r.i--
			return
		}
		r.i += 2
	}
done:
	if !dst && !id {
		r.grumble("encap wants dst or id")
	}
}

func mplsLabels(s string) bool {
	if s == "" {
		return false
	}
	parts := strings.Split(s, "/")
	if len(parts) > 2 {
		return false
	}
	for _, p := range parts {
		v, rest := parseC(p)
		if p == "" || p[0] == '-' || rest != "" || v > 0xfffff {
			return false
		}
	}
	return true
}

// locator reports whether the text is four groups of hexadecimal digits.
func locator(s string) bool {
	parts := strings.Split(s, ":")
	if len(parts) != 4 {
		return false
	}
	for _, p := range parts {
		if _, err := strconv.ParseUint(strings.TrimPrefix(strings.ToLower(p), "0x"), 16, 16); err != nil {
			return false
		}
	}
	return true
}
