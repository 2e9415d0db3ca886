package keepalived

import (
	"net/netip"
	"strings"
)

func (e *eval) unicastPeer(s *stmt) {
	i := e.inst
	i.unicastSet = true
	i.peersAt = e.lineSpan(s)
	if e.peersOf != i {
		e.peersOf, e.peers = i, map[netip.Addr]int{}
	}
	seen := e.peers
	e.values(s, 1, func(v *stmt) {
		a, ok := sockAddr(v.arg(0))
		at := e.argSpan(v, 0)
		if !ok {
			f := e.object("KA111", at, "%s is no address of a peer", quoted(v.arg(0)))
			if t := strings.TrimRight(v.arg(0), ",;"); t != v.arg(0) && e.literal(v, 0) {
				if _, ok := sockAddr(t); ok {
					var text strings.Builder
					text.WriteString(t)
					n := 1
					for ; n < len(v.w); n++ {
						if _, ok := sockAddr(strings.TrimRight(v.w[n].s, ",;")); !ok {
							break
						}
						text.WriteString(e.c.newline(at.file) + e.c.indent(at) + strings.TrimRight(v.w[n].s, ",;"))
					}
					if n == len(v.w) {
						f.fix("one address a line", edit{e.argsSpan(v, 0), text.String()})
					}
				}
			}
			return
		}
		if i.Family == 0 {
			i.Family = family(a)
		} else if i.Family != family(a) {
			e.object("KA111", at, "the peer %s is of another family than the instance", quoted(v.arg(0))).
				fix("delete the line", edit{e.c.lineOf(at), ""})
			return
		}
		e.work++
		if n, ok := seen[a]; ok {
			f := e.note("KA113", at, "the peer %s stands twice", a).also(i.peerSpans[n], "the first one").
				fix("delete the line", edit{e.c.lineOf(at), ""})
			if !e.v.before(version233) {
				f.objects = true
				return
			}
		}
		min, max := int64(0), int64(255)
		for n := 1; n < len(v.w); n += 2 {
			if n+1 >= len(v.w) {
				e.object("KA111", e.argSpan(v, n), "%s wants a value; one address a line", quoted(v.w[n].s))
				break
			}
			ttl, ok := e.numberIn(v, n+1, 0, 255, true)
			if !ok {
				continue
			}
			switch v.w[n].s {
			case "min_ttl":
				min = ttl
				continue
			case "max_ttl":
				max = ttl
				continue
			}
			e.object("KA111", e.argSpan(v, n), "a peer takes min_ttl and max_ttl, not %s", quoted(v.w[n].s))
			break
		}
		if min > max {
			e.object("KA111", at, "min_ttl is above max_ttl: every packet is thrown away")
		}
		if _, ok := seen[a]; !ok {
			seen[a] = len(i.Peers)
		}
		i.Peers = append(i.Peers, a)
		i.peerSpans = append(i.peerSpans, at)
	})
}

func (e *eval) oldChecksum(s *stmt) {
	e.inst.unicastSet = true
	if e.inst.peersAt.file < 0 {
		e.inst.peersAt = e.lineSpan(s)
	}
	if len(s.w) > 1 && s.arg(1) != "never" {
		e.object("KA009", e.argSpan(s, 1), "old_unicast_checksum takes never or nothing, not %s", quoted(s.arg(1))).
			fix("delete the value", edit{e.trailing(s, 0), ""})
	}
}

func (e *eval) sourceIP(s *stmt) {
	i := e.inst
	if s.k.name == "unicast_src_ip" {
		i.unicastSet = true
	}
	a, ok := e.addrWord(s, 1)
	if len(s.w) < 2 {
		return
	}
	at := e.argSpan(s, 1)
	if !ok {
		e.object("KA111", at, "%s: %s is no address", s.arg(0), quoted(s.arg(1)))
		i.Source = netip.Addr{}
		return
	}
	i.srcSet, i.Source, i.srcAt = true, a, e.lineSpan(s)
	if i.Family == 0 {
		i.Family = family(a)
	} else if i.Family != family(a) {
		e.object("KA111", at, "%s: %s is of another family than the instance", s.arg(0), quoted(s.arg(1)))
		i.srcSet, i.Source = false, netip.Addr{}
	}
	e.surplus(s, 2)
}

func (e *eval) multicastIP(s *stmt) {
	i := e.inst
	a, ok := e.addrWord(s, 1)
	if len(s.w) < 2 {
		return
	}
	at := e.argSpan(s, 1)
	i.mcastAt = e.lineSpan(s)
	if !ok {
		e.object("KA116", at, "mcast_dst_ip: %s is no address", quoted(s.arg(1)))
		i.mcast = netip.Addr{}
		return
	}
	i.mcast = a
	if i.Family == 0 {
		i.Family = family(a)
	} else if i.Family != family(a) {
		e.object("KA116", at, "mcast_dst_ip: %s is of another family than the instance", quoted(s.arg(1)))
		i.mcast = netip.Addr{}
		return
	}
	if a.Is4() && !a.IsMulticast() || !a.Is4() && !isLinkMulticast(a) {
		e.object("KA116", at, "mcast_dst_ip: %s is no multicast address of the link", quoted(s.arg(1)))
		i.mcast = netip.Addr{}
	}
	e.surplus(s, 2)
}

func (e *eval) unicastTTL(s *stmt) {
	if n, ok := e.number(s, 1); ok {
		e.inst.ttl, e.inst.ttlSet, e.inst.ttlAt = n, true, e.lineSpan(s)
		e.surplus(s, 2)
	}
}
