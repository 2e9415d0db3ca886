package keepalived

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"dougu.internal/diag"
)

func (e *eval) sslBlock(s *stmt) {
	if e.ssls > 0 {
		e.object("KA010", e.lineSpan(s), "the block SSL stands twice; the last one wins")
	}
	e.ssls++
	e.ssl = map[string]bool{}
	e.headSurplus(s, 1)
}

func (e *eval) sslFile(s *stmt) {
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	if e.ssl[s.k.name] {
		e.object("KA010", e.lineSpan(s), "%s stands twice; the last one wins", s.arg(0))
	}
	e.ssl[s.k.name] = true
	e.surplus(s, 2)
}

func (e *eval) serverGroup(s *stmt) {
	if len(s.w) < 2 {
		e.missing(s, 1)
	}
	g := &ServerGroup{Name: s.arg(1), head: e.lineSpan(s)}
	e.vsg = g
	e.values(s, min(2, len(s.w)), func(v *stmt) { e.serverGroupEntry(g, v) })
	if len(g.ranges) == 0 && g.marks == 0 {
		e.object("KA177", g.head, "the virtual_server_group %s is empty", quoted(g.Name))
		g.removed = true
	} else if g.v4 && g.v6 && g.anyMark {
		e.object("KA169", g.head, "the virtual_server_group %s mixes IPv4, IPv6 and a fwmark without a family", quoted(g.Name))
		g.removed = true
	}
	e.m.ServerGroups = append(e.m.ServerGroups, g)
	if _, ok := e.vsgs[g.Name]; !ok && !g.removed {
		e.vsgs[g.Name] = g
	}
}

func (e *eval) serverGroupEntry(g *ServerGroup, s *stmt) {
	if s.arg(0) == "fwmark" {
		if _, ok := e.numberIn(s, 1, 0, 4294967295, true); !ok {
			return
		}
		switch s.arg(2) {
		case "":
			if len(s.w) > 2 {
				e.object("KA178", e.argSpan(s, 2), "the family of a fwmark is inet or inet6")
				return
			}
			g.anyMark = true
		case "inet":
			g.v4 = true
		case "inet6":
			g.v6 = true
		default:
			e.object("KA178", e.argSpan(s, 2), "the family of a fwmark is inet or inet6, not %s", quoted(s.arg(2)))
			return
		}
		g.marks++
		return
	}
	w := s.arg(0)
	at := e.argSpan(s, 0)
	port, portOK := e.port(s, 1)
	a, ok := sockAddr(w)
	if !portOK || !ok {
		if !ok {
			e.badServer(s, 0, "virtual_server_group")
		} else {
			e.last.rule = "KA168"
		}
		return
	}
	bad := func(format string, args ...any) { e.object("KA168", at, format, args...) }
	if _, after, ok0 := strings.Cut(w, "/"); ok0 {
		n, whole, _ := cNumber(after)
		if !whole || n <= 0 || n > int64(a.BitLen()) {
			bad("%s: the netmask is not 1 to %d", quoted(w), a.BitLen())
			return
		}
		if netip.PrefixFrom(a, int(n)).Masked().Addr() != a && !(a.Is4() && n == 32) {
			bad("%s: bits behind the netmask are set", quoted(w))
			return
		}
	} else if _, after, ok0 := strings.Cut(w, "-"); ok0 {
		end := after
		if a.Is4() && strings.IndexByte(end, '.') >= 0 || !a.Is4() && strings.IndexByte(end, ':') >= 0 {
			b, ok := sockAddr(end)
			if !ok || family(a) != family(b) || b.Less(a) {
				bad("%s: the end of the range is no address behind its start", quoted(w))
				return
			}
		} else if !e.shortRange(a, end) {
			bad("%s: the end of the range is not above its start", quoted(w))
			return
		}
	}
	g.ranges = append(g.ranges, vsgEntry{a, port, at})
	if a.Is4() {
		g.v4 = true
	} else {
		g.v6 = true
	}
}

// shortRange reports whether the end of a range given by its last part is valid.
func (e *eval) shortRange(a netip.Addr, end string) bool {
	base, max, start := 10, uint64(255), uint64(a.AsSlice()[len(a.AsSlice())-1])
	if !a.Is4() {
		base, max = 16, 0xffff
		b := a.As16()
		start = uint64(b[14])<<8 | uint64(b[15])
	}
	if end == "" {
		return start == 0 && false
	}
	v, err := strconv.ParseUint(strings.TrimPrefix(end, "+"), base, 64)
	return err == nil && v <= max && v > start
}

// badServer records the address of a server that is none.
func (e *eval) badServer(s *stmt, i int, what string) *finding {
	w := s.arg(i)
	if strings.HasPrefix(w, "$") && e.variable(s, i) {
		return e.object("KA168", e.argSpan(s, i), "%s: %s is no address", what, quoted(w)).hush()
	}
	f := e.object("KA168", e.argSpan(s, i), "%s: %s is no address", what, quoted(w))
	if h, p, ok := strings.Cut(w, ":"); ok && !strings.Contains(p, ":") && e.literal(s, i) {
		if _, ok := parseAddr(h); ok {
			f.fix("put a blank before the port", edit{e.argSpan(s, i), h + " " + p})
		}
	} else if t := strings.TrimRight(w, ",;"); t != w && e.literal(s, i) {
		if _, ok := sockAddr(t); ok {
			f.fix("delete the sign at the end", edit{e.argSpan(s, i), t})
		}
	}
	return f
}

func (f *finding) hush() *finding {
	f.quiet = true
	return f
}

func (e *eval) virtualServer(s *stmt) {
	vs := &VirtualServer{head: e.lineSpan(s), Quorum: 1, weight: 1, DelayLoop: time.Minute, alert: -1}
	for _, p := range []*span{&vs.kindAt, &vs.protoAt, &vs.schedAt, &vs.quorumAt, &vs.hystAt, &vs.persistAt, &vs.granAt, &vs.sorryAt, &vs.fwmarkAt, &vs.suspendAt, &vs.opsAt, &vs.closeAt} {
		*p = nowhere
	}
	e.vs, e.rs = vs, nil // what is read although the block is refused is not kept
	if len(s.w) < 2 {
		e.missing(s, 1)
	}
	switch s.arg(1) {
	case "group":
		if len(s.w) < 3 {
			// It goes on without a name.
			f := e.object("KA176", e.lineSpan(s), "virtual_server group wants a name")
			f.crashes = true
		}
		vs.Group = s.arg(2)
		e.headSurplus(s, 3)
	case "fwmark":
		if len(s.w) < 3 {
			f := e.object("KA178", e.lineSpan(s), "virtual_server fwmark wants a number")
			f.crashes = true
			e.skip = -1
			return
		}
		n, ok := e.numberIn(s, 2, 0, 4294967295, true)
		if !ok {
			e.last.rule = "KA178"
			e.skip = -1
			return
		}
		vs.fwmark = n != 0
		vs.Mark = uint32(n)
		vs.fwmarkAt = e.argSpan(s, 2)
		e.headSurplus(s, 3)
	default:
		port, ok := e.port(s, 2)
		a, valid := sockAddr(s.arg(1))
		if !ok || !valid {
			if !valid && len(s.w) > 1 {
				e.badServer(s, 1, "virtual_server")
			} else if !ok {
				e.last.rule = "KA168"
			}
			e.skip = -1
			return
		}
		vs.Address, vs.Port, vs.Family = a, port, family(a)
		e.headSurplus(s, 3)
	}
	e.vs = vs
	e.m.VirtualServers = append(e.m.VirtualServers, vs)
}

func (e *eval) ipFamily(s *stmt) {
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	f := map[string]int{"inet": 4, "inet6": 6}[s.arg(1)]
	at := e.argSpan(s, 1)
	if f == 0 {
		e.object("KA169", at, "ip_family: %s is neither inet nor inet6", quoted(s.arg(1)))
		return
	}
	if e.vs.Family != 0 && e.vs.Family != f {
		e.object("KA169", at, "ip_family: %s contradicts the address of the server", s.arg(1)).fix("delete the line", edit{e.c.lineOf(at), ""})
		return
	}
	e.vs.Family = f
	e.surplus(s, 2)
}

func (e *eval) vsDelayLoop(s *stmt) {
	if n, ok := e.decimal(s, 1); ok {
		e.vs.DelayLoop = time.Duration(n) * time.Microsecond
		e.surplus(s, 2)
	}
}

func (e *eval) vsInhibit(s *stmt) {
	e.vs.inhibit = true
	e.flag(s)
}

var schedulers = []string{"rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos"}

func (e *eval) lbAlgo(s *stmt) {
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	at := e.argSpan(s, 1)
	e.vs.schedAt = at
	if !slices.Contains(schedulers, s.arg(1)) {
		f := e.object("KA160", at, "lb_algo: there is no scheduler %s", quoted(s.arg(1)))
		if e.literal(s, 1) {
			n := near(s.arg(1), schedulers)
			if n == "" {
				n = "wlc"
			}
			f.fix("use "+n, edit{at, n})
		}
		return
	}
	e.vs.Scheduler = s.arg(1)
	e.surplus(s, 2)
}

func (e *eval) schedulerFlag(s *stmt) {
	name := s.k.name
	ok := name == "ops" || e.vs.Scheduler == "sh" || e.vs.Scheduler == "mh"
	if name == "ops" {
		e.vs.ops, e.vs.opsAt = true, e.lineSpan(s)
	}
	if !ok {
		e.object("KA179", e.argSpan(s, 0), "%s is for the schedulers sh and mh, and only behind lb_algo", name).
			fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
	} else if name != "ops" && name != "hashed" && !strings.HasPrefix(name, e.vs.Scheduler) {
		e.note("KA179", e.argSpan(s, 0), "%s has no meaning for the scheduler %s", name, e.vs.Scheduler).weigh(diag.Warning).
			fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
	}
	e.flag(s)
}

// forwarding reads "NAT|DR|TUN [type T] [port N] [csum...]". ok is false when the old
// setting stays.
func (e *eval) forwarding(s *stmt, kind string, tun tunnel) (string, tunnel) {
	if len(s.w) < 2 {
		e.missing(s, 1)
		return kind, tun
	}
	at := e.argSpan(s, 1)
	switch s.arg(1) {
	case "NAT", "DR", "TUN":
		kind = s.arg(1)
	default:
		f := e.object("KA161", at, "%s: %s is none of NAT, DR, TUN", s.arg(0), quoted(s.arg(1)))
		if e.literal(s, 1) {
			n := near(s.arg(1), []string{"NAT", "DR", "TUN"})
			if n == "" {
				n = "NAT"
			}
			f.fix("use "+n, edit{at, n})
		}
		return kind, tun
	}
	t := tunnel{typ: "ipip", csum: "nocsum"}
	for i := 2; i < len(s.w); i++ {
		w := s.w[i].s
		bad := func(format string, args ...any) { e.object("KA161", e.argSpan(s, i), format, args...) }
		switch w {
		case "type":
			if i+1 == len(s.w) {
				bad("type wants a value")
				return kind, tun
			}
			i++
			switch s.w[i].s {
			case "ipip", "gue", "gre":
				t.typ = s.w[i].s
			default:
				bad("there is no tunnel %s", quoted(s.w[i].s))
				return kind, tun
			}
		case "port":
			if i+1 == len(s.w) {
				bad("port wants a value")
				return kind, tun
			}
			i++
			n, ok := e.numberIn(s, i, 1, 65535, true)
			if !ok {
				return kind, tun
			}
			t.port = n
		case "nocsum", "csum", "remcsum":
			t.csum = w
		default:
			f := e.object("KA161", e.argsSpan(s, i), "%s %s does not know %s", s.arg(0), kind, quoted(w))
			f.fix("delete the words", edit{e.trailing(s, i-1), ""})
			return kind, tun
		}
	}
	all := e.argsSpan(s, 1)
	switch {
	case (t.typ == "gue") != (t.port != 0):
		e.object("KA161", all, "a gue tunnel wants a port, and others have none")
		return kind, tun
	case t.typ == "ipip" && t.csum != "nocsum":
		e.object("KA161", all, "an ipip tunnel has no checksum")
		return kind, tun
	case t.typ == "gre" && t.csum == "remcsum":
		e.object("KA161", all, "a gre tunnel has no remote checksum")
		return kind, tun
	}
	return kind, t
}

func (e *eval) lbKind(s *stmt) {
	e.vs.kindAt = e.lineSpan(s)
	e.vs.Kind, e.vs.tun = e.forwarding(s, e.vs.Kind, e.vs.tun)
}

func (e *eval) persistenceEngine(s *stmt) {
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	if len(s.arg(1)) > 16 {
		e.object("KA100", e.argSpan(s, 1), "persistence_engine: the name is longer than 16 bytes")
	}
	e.surplus(s, 2)
}

func (e *eval) persistenceTimeout(s *stmt) {
	if len(s.w) < 2 {
		e.vs.Persistence, e.vs.persistAt = 360, e.lineSpan(s)
		return
	}
	if n, ok := e.number(s, 1); ok {
		e.vs.Persistence, e.vs.persistAt = n, e.lineSpan(s)
		e.surplus(s, 2)
	}
}

func (e *eval) granularity(s *stmt) {
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	vs := e.vs
	w := s.arg(1)
	at := e.argSpan(s, 1)
	f := vs.Family
	if f == 0 {
		f = 6
		if strings.IndexByte(w, '.') >= 0 {
			f = 4
		}
	}
	if f == 6 {
		if _, ok := e.numberIn(s, 1, 1, 128, true); !ok {
			return
		}
	} else {
		if !granularityMask(w) {
			e.object("KA173", at, "persistence_granularity: %s is no mask", quoted(w))
			return
		}
		if n, err := strconv.Atoi(w); err == nil && n >= 0 && n <= 32 {
			mask := netip.AddrFrom4([4]byte{255, 255, 255, 255})
			p, _ := mask.Prefix(n)
			e.note("KA173", at, "persistence_granularity %s is read as the address 0.0.0.%s, not as a length", w, w).
				fix("use "+p.Addr().String(), edit{at, p.Addr().String()})
		} else if a, ok := parseAddr(w); ok {
			b := a.As4()
			v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
			if ^v&(^v+1) != 0 {
				e.note("KA173", at, "persistence_granularity: %s is no mask with all its bits in front", w)
			}
		}
	}
	if vs.Family == 0 {
		vs.Family = f
	}
	if vs.Persistence == 0 {
		vs.Persistence = 360
	}
	vs.granAt = at
	e.surplus(s, 2)
}

// granularityMask reports whether getaddrinfo takes the text for a numeric IPv4
// address: one to four numbers, with the prefixes of C.
func granularityMask(s string) bool {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return false
	}
	for i, p := range parts {
		max := int64(255)
		if i == len(parts)-1 {
			max = 1<<(8*(5-len(parts))) - 1
		}
		v, rest := parseC(p)
		if p == "" || rest != "" || v < 0 || v > max || !isDigit(p[0]) {
			return false
		}
	}
	return true
}

func (e *eval) protocol(s *stmt) {
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	at := e.argSpan(s, 1)
	e.vs.protoAt = at
	switch p := strings.ToUpper(s.arg(1)); p {
	case "TCP", "UDP", "SCTP":
		e.vs.Protocol = p
	default:
		f := e.object("KA162", at, "protocol: %s is none of TCP, UDP, SCTP", quoted(s.arg(1)))
		if e.literal(s, 1) {
			n := near(s.arg(1), []string{"TCP", "UDP", "SCTP"})
			if n == "" {
				n = "TCP"
			}
			f.fix("use "+n, edit{at, n})
		}
		return
	}
	e.surplus(s, 2)
}

func (e *eval) haSuspend(s *stmt) {
	e.vs.suspend, e.vs.suspendAt = true, e.lineSpan(s)
	e.flag(s)
}

func (e *eval) vsAlert(s *stmt) {
	if v, ok := e.boolean(s); ok {
		e.vs.alert = 0
		e.alertSeen(v, e.lineSpan(s))
		e.surplus(s, 2)
	}
}

func (e *eval) snmpName(s *stmt) {
	if len(s.w) != 2 {
		f := e.noValue(s)
		if len(s.w) > 2 {
			f.rule = "KA007"
			f.msg = "snmp_name takes one word"
			f.fix("delete the words", edit{e.trailing(s, 1), ""})
		}
	}
}

func (e *eval) quorumScript(s *stmt) {
	slot := &e.vs.up
	if s.k.name == "quorum_down" {
		slot = &e.vs.down
	}
	e.oneScript(slot, s)
}

// oneScript reads the script of a notification of which there may be one.
func (e *eval) oneScript(slot **notify, s *stmt) {
	if *slot != nil {
		if len(s.w) < 2 {
			e.missing(s, 1)
			return
		}
		e.object("KA140", e.lineSpan(s), "%s stands twice; the first one wins", s.arg(0)).also((*slot).at, "the first one").
			fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
		return
	}
	*slot = e.notifyScript(s)
}

func (e *eval) quorum(s *stmt) {
	n, ok := e.number(s, 1)
	if len(s.w) < 2 {
		return
	}
	if !ok {
		n = 1
	}
	e.vs.Quorum, e.vs.quorumAt = n, e.argSpan(s, 1)
	if ok {
		e.surplus(s, 2)
	}
}

func (e *eval) hysteresis(s *stmt) {
	if n, ok := e.number(s, 1); ok {
		e.vs.Hysteresis, e.vs.hystAt = n, e.argSpan(s, 1)
		e.surplus(s, 2)
	}
}

func (e *eval) vsWeight(s *stmt) {
	if n, ok := e.number(s, 1); ok {
		e.vs.weight = n
		e.surplus(s, 2)
	}
}

func (e *eval) sorryServer(s *stmt) {
	vs := e.vs
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	vs.sorryAt = e.lineSpan(s)
	port, ok := e.port(s, 2)
	a, valid := sockAddr(s.arg(1))
	if !ok || !valid {
		if !valid {
			e.badServer(s, 1, "sorry_server")
		}
		e.object("KA168", e.lineSpan(s), "sorry_server is not usable").quiet = true
		return
	}
	vs.Sorry = &RealServer{Address: a, Port: port, Weight: 1, head: e.lineSpan(s), Kind: vs.Kind, tun: vs.tun}
	e.surplus(s, 3)
}

func (e *eval) sorryInhibit(s *stmt) {
	if e.vs.Sorry == nil {
		e.object("KA175", e.lineSpan(s), "sorry_server_inhibit before or without sorry_server").fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""}).weigh(diag.Error)
	} else {
		e.vs.Sorry.inhibit = 1
	}
	e.flag(s)
}

func (e *eval) sorryMethod(s *stmt) {
	if e.vs.Sorry == nil {
		e.object("KA175", e.lineSpan(s), "sorry_server_lvs_method before or without sorry_server").fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""}).weigh(diag.Error)
		return
	}
	e.vs.Sorry.Kind, e.vs.Sorry.tun = e.forwarding(s, e.vs.Sorry.Kind, e.vs.Sorry.tun)
}

func (e *eval) realServer(s *stmt) {
	vs := e.vs
	e.rs = &RealServer{head: e.lineSpan(s), kindAt: nowhere, weightAt: nowhere, inhibit: -1, removed: true}
	if len(s.w) < 2 {
		e.missing(s, 1)
	}
	port, ok := e.port(s, 2)
	a, valid := sockAddr(s.arg(1))
	if !ok || !valid {
		if !valid && len(s.w) > 1 {
			e.badServer(s, 1, "real_server")
		} else if !ok {
			e.last.rule = "KA168"
		}
		e.skip = -1
		return
	}
	e.rs = &RealServer{Address: a, Port: port, head: e.lineSpan(s), kindAt: nowhere, weightAt: nowhere, Kind: vs.Kind, tun: vs.tun, inhibit: -1}
	vs.Servers = append(vs.Servers, e.rs)
	e.headSurplus(s, 3)
}

func (e *eval) rsWeight(s *stmt) {
	if n, ok := e.number(s, 1); ok {
		e.rs.Weight, e.rs.weightSet, e.rs.weightAt = n, true, e.argSpan(s, 1)
		e.surplus(s, 2)
	}
}

func (e *eval) rsMethod(s *stmt) {
	e.rs.kindAt = e.lineSpan(s)
	e.rs.Kind, e.rs.tun = e.forwarding(s, e.rs.Kind, e.rs.tun)
}

func (e *eval) rsInhibit(s *stmt) {
	if v, ok := e.boolean(s); ok {
		e.rs.inhibit = 0
		if v {
			e.rs.inhibit = 1
		}
		e.surplus(s, 2)
	}
}

func (e *eval) rsNotify(s *stmt) {
	slot := &e.rs.up
	if s.k.name == "notify_down" {
		slot = &e.rs.down
	}
	e.oneScript(slot, s)
}

// endRealServer drops a server whose family does not fit, unless it is reached through
// a tunnel.
func (e *eval) endRealServer() {
	vs, rs := e.vs, e.rs
	if rs == nil || rs.removed || rs.Kind == "TUN" {
		return
	}
	if vs.Family == 0 {
		vs.Family = family(rs.Address)
	} else if vs.Family != family(rs.Address) {
		e.object("KA169", rs.head, "the real server %s is of another family than its virtual server", rs.Address)
		rs.removed = true
		vs.Servers = vs.Servers[:len(vs.Servers)-1]
	}
}

func (e *eval) endVirtualServer() {
	vs := e.vs
	if vs == nil {
		return
	}
	if vs.Sorry != nil && vs.Sorry.Kind != "TUN" {
		if vs.Family == 0 {
			vs.Family = family(vs.Sorry.Address)
		} else if vs.Family != family(vs.Sorry.Address) {
			e.object("KA169", vs.sorryAt, "the sorry server %s is of another family than its virtual server", vs.Sorry.Address)
			vs.Sorry = nil
		}
	}
	if vs.Family == 0 && vs.Group == "" {
		mixed := false
		if vs.Sorry != nil {
			vs.Family = family(vs.Sorry.Address)
		}
		for _, rs := range vs.Servers {
			if vs.Family == 0 {
				vs.Family = family(rs.Address)
			} else if vs.Family != family(rs.Address) {
				mixed = true
				break
			}
		}
		if mixed || vs.Family == 0 {
			vs.Family = 4
		}
	}
}
