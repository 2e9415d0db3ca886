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
