package keepalived

import (
	"net/netip"
	"strconv"
	"strings"
)

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
