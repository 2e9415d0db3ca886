package keepalived

import (
	"net/netip"
	"strings"

	"dougu.internal/diag"
)

// prefix reads an address with an optional prefix length, as VIPs and routes have it.
// A length out of range is recorded, and the full one taken.
func (e *eval) prefix(s *stmt, i int, mask bool, rule string) (p netip.Prefix, length, ok bool) {
	w := s.arg(i)
	at := e.argSpan(s, i)
	full := 32
	if familyOf(w) == 6 {
		full = 128
	}
	host, bits, slash := w, "", false
	if mask {
		host, bits, slash = strings.Cut(w, "/")
	}
	n := full
	if slash {
		v, whole, over := cNumber(bits)
		if !whole || over || v < 0 || v > int64(full) || strings.HasPrefix(trimBlanks(bits), "-") {
			if e.variable(s, i) {
				return netip.Prefix{}, false, false
			}
			f := e.object(rule, at, "%s: the prefix length is not 0 to %d", quoted(w), full)
			if t := strings.TrimRight(bits, ",;"); t != bits {
				if v, whole, _ := cNumber(t); whole && v >= 0 && v <= int64(full) && e.literal(s, i) {
					f.rule = "KA030"
					f.fix("delete the sign at the end", edit{at, host + "/" + t})
				}
			}
		} else {
			n = int(v)
		}
	}
	a, ok := parseAddr(host)
	if !ok {
		if e.last != nil && e.last.at == at {
			e.object(rule, at, "%s is no address", quoted(w)).quiet = true
			return netip.Prefix{}, slash, false
		}
		if strings.HasPrefix(w, "$") && e.variable(s, i) {
			return netip.Prefix{}, slash, false
		}
		f := e.object(rule, at, "%s is no address", quoted(w))
		if t := strings.TrimRight(w, ",;"); t != w {
			if _, ok := plausibleAddress(t); ok && e.literal(s, i) {
				f.rule = "KA030"
				f.fix("delete the sign at the end", edit{at, t})
			}
		}
		return netip.Prefix{}, slash, false
	}
	return netip.PrefixFrom(a, n), slash, true
}

// addressOptions are the words of a VIP line that take a value, and those that do not.
var addressFlags = map[string]bool{"home": true, "-nodad": true, "mngtmpaddr": true, "noprefixroute": true, "autojoin": true}

// address reads the line of a VIP or of a static address. ok is false when keepalived
// drops the address.
func (e *eval) address(s *stmt, static bool) (Address, bool) {
	p, slash, ok := e.prefix(s, 0, true, "KA092")
	a := Address{Prefix: p, at: e.argSpan(s, 0), noLength: !slash}
	if !ok {
		return a, false
	}
	v6 := !p.Addr().Is4()
	label, scope, preferred, brd, have, peer, group := false, false, false, 0, false, false, false
	var ifp *netIf
	for i := 1; i < len(s.w); i++ {
		w := s.w[i].s
		value := func() (string, bool) {
			if i+1 >= len(s.w) {
				e.object("KA093", e.argSpan(s, i), "%s wants a value", quoted(w))
				return "", false
			}
			i++
			return s.w[i].s, true
		}
		switch {
		case w == "dev":
			v, ok := value()
			if !ok {
				return a, false
			}
			if ifp != nil {
				e.object("KA093", e.argSpan(s, i-1), "dev stands twice").fix("delete the second", edit{span{s.l.file, e.argSpan(s, i-2).to, e.argSpan(s, i).to}, ""})
				return a, false
			}
			if ifp = e.iface(v); ifp == nil {
				e.noSuchInterface("KA101", e.argSpan(s, i), v, e.literal(s, i))
				return a, false
			}
			a.Dev = v
		case w == "scope":
			v, ok := value()
			if !ok {
				return a, false
			}
			if _, ok := scopeID(v); !ok {
				e.object("KA093", e.argSpan(s, i), "%s is no scope", quoted(v))
			} else {
				scope = v != "global" && v != "universe" && v != "0"
			}
		case w == "broadcast" || w == "brd":
			v, ok := value()
			if !ok {
				return a, false
			}
			if v6 {
				e.object("KA093", e.argSpan(s, i-1), "a broadcast address for IPv6")
				return a, false
			}
			have = true
			switch {
			case v == "-" || v == "+":
				brd = 1
			default:
				if b, ok := parseAddr(v); !ok || !b.Is4() {
					e.object("KA093", e.argSpan(s, i), "%s is no broadcast address", quoted(v))
					return a, false
				}
			}
		case w == "label":
			v, ok := value()
			if !ok {
				return a, false
			}
			if len(v) >= 16 {
				e.object("KA100", e.argSpan(s, i), "the label %s is longer than 15 bytes", quoted(v))
				return a, false
			}
			label = true
		case w == "peer":
			v, ok := value()
			if !ok {
				return a, false
			}
			if peer {
				// It goes on without stepping over the address.
				e.object("KA093", e.argSpan(s, i-1), "peer stands twice")
				i--
				continue
			}
			pa, ok := parseAddr(v)
			switch {
			case !ok || strings.IndexByte(v, '/') >= 0:
				e.object("KA093", e.argSpan(s, i), "%s is no address of a peer", quoted(v))
			case pa.Is4() == v6:
				e.object("KA093", e.argSpan(s, i), "the peer %s is of the other family", v)
			default:
				if p.Bits() != p.Addr().BitLen() {
					e.object("KA093", e.argSpan(s, 0), "a prefix length and a peer exclude one another")
				}
				peer = true
				p = netip.PrefixFrom(p.Addr(), pa.BitLen())
			}
		case addressFlags[w]:
		case w == "no_track":
			a.noTrack = true
		case w == "preferred_lft":
			v, ok := value()
			if !ok {
				return a, false
			}
			if v == "forever" {
				preferred = true
			} else if _, ok := e.numberIn(s, i, 0, 4294967295, true); ok {
				preferred = true
			}
		case static && w == "track_group":
			v, ok := value()
			if !ok {
				return a, false
			}
			if group {
				e.object("KA093", e.argSpan(s, i-1), "track_group stands twice")
				i = len(s.w)
				continue
			}
			if e.tgroups[v] == nil {
				e.object("KA120", e.argSpan(s, i), "there is no track_group %s", quoted(v))
			} else {
				group = true
			}
		case !static && w == "use_vmac":
			a.vmac = true
		default:
			e.unknownAddressWord(s, i)
		}
	}
	if have && peer {
		e.object("KA093", e.argsSpan(s, 1), "a broadcast address and a peer exclude one another")
	} else if brd != 0 && p.Bits() > 30 {
		e.object("KA093", e.argsSpan(s, 1), "no broadcast address fits a prefix of %d bits", p.Bits())
	}
	if static && ifp == nil {
		name := e.m.Global.DefaultInterface
		if name == "" {
			name = "eth0"
		}
		if e.iface(name) == nil {
			e.object("KA101", e.argSpan(s, 0), "a static address wants dev, or the default interface %s, which does not exist", quoted(name))
			return a, false
		}
		ifp = &netIf{name, true}
		a.Dev = name
	}
	if v6 {
		if scope {
			e.object("KA093", e.argsSpan(s, 1), "a scope for IPv6")
		}
		if label {
			e.object("KA093", e.argsSpan(s, 1), "a label for IPv6")
		}
	}
	_ = preferred
	if group && ifp == nil {
		e.object("KA093", e.argsSpan(s, 1), "track_group wants dev")
	}
	a.Prefix = p
	return a, true
}

// unknownAddressWord records a word that a VIP line does not know.
func (e *eval) unknownAddressWord(s *stmt, i int) {
	w := s.w[i].s
	at := e.argSpan(s, i)
	f := e.object("KA093", at, "%s is no word for the line of an address", quoted(w))
	if !e.literal(s, i) {
		return
	}
	if _, ok := plausibleAddress(strings.TrimRight(w, ",;")); ok {
		f.msg = "a second address on the line; keepalived takes one a line"
		f.fix("one address a line", edit{span{at.file, e.argSpan(s, i-1).to, at.from}, e.c.newline(at.file) + e.c.indent(at)})
		return
	}
	alias := map[string]string{"device": "dev", "interface": "dev", "nic": "dev", "broadcasts": "broadcast"}
	if to := alias[w]; to != "" {
		f.fix("use "+to, edit{at, to})
		return
	}
	if n := near(w, []string{"dev", "scope", "broadcast", "brd", "label", "peer", "home", "mngtmpaddr", "noprefixroute", "autojoin", "no_track", "preferred_lft", "use_vmac"}); n != "" {
		f.fix("use "+n, edit{at, n})
		return
	}
	f.fix("delete the word", edit{span{at.file, e.argSpan(s, i-1).to, at.to}, ""})
}

func (e *eval) virtualAddresses(s *stmt) {
	i := e.inst
	i.vipsAt = e.lineSpan(s)
	e.values(s, 1, func(v *stmt) {
		a, ok := e.address(v, false)
		if !ok {
			return
		}
		f := family(a.Prefix.Addr())
		if i.Family == 0 {
			i.Family = f
		} else if i.Family != f {
			at := e.argSpan(v, 0)
			fd := e.object("KA096", at, "%s is of another family than the instance; keepalived drops it", a.Prefix.Addr())
			e.moveToExcluded(fd, v)
			return
		}
		i.Addresses = append(i.Addresses, a)
	})
}

// moveToExcluded offers to move the line of an address into virtual_ipaddress_excluded.
func (e *eval) moveToExcluded(f *finding, v *stmt) {
	// The block of addresses ends at the next closing brace; the new block goes behind.
	for _, l := range e.lines[min(e.pos, len(e.lines)):] {
		if e.c.text(l) != "}" {
			continue
		}
		at := e.c.span(l, 0, 1)
		line := e.c.lineOf(e.lineSpan(v))
		if at.file != line.file || at.from < line.to || !e.c.plain(v.l, 0, len(v.text)) {
			return
		}
		in := e.c.indent(at)
		nl := e.c.newline(at.file)
		end := e.c.lineOf(at)
		if strings.TrimSpace(e.c.lineText(at)) != "}" {
			return
		}
		f.fix("move it to virtual_ipaddress_excluded", edit{line, ""},
			edit{span{at.file, end.to, end.to}, in + "virtual_ipaddress_excluded {" + nl + e.c.indent(line) + v.text + nl + in + "}" + nl})
		return
	}
}

func (e *eval) excludedAddresses(s *stmt) {
	i := e.inst
	i.evipsAt = e.lineSpan(s)
	e.values(s, 1, func(v *stmt) {
		if a, ok := e.address(v, false); ok {
			i.Excluded = append(i.Excluded, a)
		}
	})
}

func (e *eval) staticAddresses(s *stmt) {
	e.values(s, 1, func(v *stmt) { e.address(v, true) })
}

// scopeID reads the scope of an address or route.
func scopeID(s string) (int64, bool) {
	return tableID(s, scopes, 255)
}

var (
	scopes    = map[string]int64{"global": 0, "nowhere": 255, "host": 254, "link": 253, "site": 200}
	tables    = map[string]int64{"default": 253, "main": 254, "local": 255, "unspec": 0}
	protocols = map[string]int64{"none": 0, "unspec": 0, "redirect": 1, "kernel": 2, "boot": 3, "static": 4, "gated": 8, "ra": 9, "mrt": 10, "zebra": 11, "bird": 12,
		"babel": 42, "dnrouted": 13, "xorp": 14, "ntk": 15, "dhcp": 16, "keepalived": 18, "bgp": 186, "isis": 187, "ospf": 188, "rip": 189, "eigrp": 192}
	routeTypes = map[string]int64{"local": 2, "nat": 10, "broadcast": 3, "brd": 3, "anycast": 4, "multicast": 5, "prohibit": 8, "unreachable": 7, "blackhole": 6,
		"xresolve": 11, "unicast": 1, "throw": 9}
	dsfields = map[string]int64{"default": 0, "AF11": 0x28, "AF12": 0x30, "AF13": 0x38, "AF21": 0x48, "AF22": 0x50, "AF23": 0x58, "AF31": 0x68, "AF32": 0x70, "AF33": 0x78,
		"AF41": 0x88, "AF42": 0x90, "AF43": 0x98, "CS1": 0x20, "CS2": 0x40, "CS3": 0x60, "CS4": 0x80, "CS5": 0xa0, "CS6": 0xc0, "CS7": 0xe0, "EF": 0xb8}
	realms = map[string]int64{"cosmos": 0}
	groups = map[string]int64{"default": 0}
)

// tableID reads a number with the prefixes of C, or a name of the tables of iproute2.
func tableID(s string, names map[string]int64, max int64) (int64, bool) {
	if v, rest := parseC(s); rest == "" && s != "" {
		return v & 0xffffffff, v&0xffffffff <= max
	}
	v, ok := names[s]
	return v, ok
}

var _ = diag.Error
