package keepalived

import (
	"slices"
	"strings"
)

func (e *eval) netNamespace(s *stmt) {
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	if e.m.Global.netns {
		e.object("KA010", e.lineSpan(s), "net_namespace stands twice; the first one wins").fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
	}
	e.m.Global.netns = true
	e.surplus(s, 2)
}

func (e *eval) netNamespaceIPVS(s *stmt) {
	if e.m.Global.netnsIPVS {
		if len(s.w) < 2 {
			e.missing(s, 1)
			return
		}
		e.object("KA010", e.lineSpan(s), "net_namespace_ipvs stands twice; the first one wins").fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
	}
	e.m.Global.netnsIPVS = true
}

func (e *eval) instanceName(s *stmt) {
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	if e.m.Global.instance {
		e.object("KA010", e.lineSpan(s), "instance stands twice; the first one wins").fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
	}
	e.m.Global.instance = true
	e.surplus(s, 2)
}

func (e *eval) cpuAffinity(s *stmt) {
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	last := int64(1023)
	if e.o.Host != nil && e.o.Host.CPUs > 0 {
		last = int64(e.o.Host.CPUs) - 1
	}
	for i := 1; i < len(s.w); i++ {
		if _, ok := e.numberIn(s, i, 0, last, false); !ok {
			return
		}
	}
}

func (e *eval) snmpSocket(s *stmt) {
	switch {
	case len(s.w) > 2:
		e.object("KA007", e.argsSpan(s, 2), "snmp_socket takes one word").fix("delete the words", edit{e.trailing(s, 1), ""})
	case len(s.w) < 2:
		e.noValue(s)
	case e.m.Global.snmpSocket:
		e.object("KA010", e.lineSpan(s), "snmp_socket stands twice; the first one wins").fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
	default:
		e.m.Global.snmpSocket = true
	}
}

func (e *eval) rxPolicy(s *stmt) {
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	g := &e.m.Global
	for i := 1; i < len(s.w); i++ {
		switch strings.ToUpper(s.w[i].s) {
		case "MTU":
			g.rxMTU = true
		case "ADVERT":
			g.rxAdvert = true
		default:
			// It reads the first word whichever is looked at.
			if _, ok := e.numberIn(s, 1, 0, 4294967295, true); ok {
				g.rxSize = true
			}
		}
	}
	if g.rxSize && (g.rxMTU || g.rxAdvert) {
		e.object("KA009", e.argsSpan(s, 1), "vrrp_rx_bufs_policy: a size and a policy exclude one another")
		g.rxMTU, g.rxAdvert = false, false
	} else if g.rxMTU && g.rxAdvert {
		e.object("KA009", e.argsSpan(s, 1), "vrrp_rx_bufs_policy: MTU and ADVERT exclude one another")
		g.rxAdvert = false
	}
}

func (e *eval) rxMultiplier(s *stmt) {
	if len(s.w) != 2 {
		e.noValue(s)
		return
	}
	e.number(s, 1)
}

// umaskBits are the names that umask knows.
var umaskBits = []string{"IRUSR", "IWUSR", "IXUSR", "IRGRP", "IWGRP", "IXGRP", "IROTH", "IWOTH", "IXOTH"}

func (e *eval) umask(s *stmt) {
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	bad := func() { e.object("KA042", e.argsSpan(s, 1), "umask: %s is no mask", quoted(s.arg(1))) }
	if w := s.arg(1); w != "" && isDigit(w[0]) {
		if len(s.w) != 2 {
			bad()
			return
		}
		if v, rest := parseC(w); rest != "" || v < 0 || v > 0o777 {
			bad()
		}
		return
	}
	or := false
	for i := 1; i < len(s.w); i++ {
		for p := s.w[i].s; p != ""; {
			if or {
				if p[0] != '|' {
					bad()
					return
				}
				or = false
				p = p[1:]
				continue
			}
			if len(p) < 5 || !slices.Contains(umaskBits, p[:5]) {
				bad()
				return
			}
			p = p[5:]
			or = true
		}
	}
	if !or {
		bad()
	}
}

func (e *eval) includeCheck(s *stmt) {
	for i := 1; i < len(s.w); i++ {
		w := s.w[i].s
		sign := strings.HasPrefix(w, "-") || strings.HasPrefix(w, "+")
		if !sign && i > 1 {
			e.object("KA009", e.argSpan(s, i), "include_check: %s is a second setting", quoted(w))
			continue
		}
		switch strings.TrimLeft(w, "+-") {
		case "read", "match", "wildcard_match", "brace_match":
		default:
			e.object("KA042", e.argSpan(s, i), "include_check knows read, match, wildcard_match and brace_match, not %s", quoted(w))
		}
	}
}

func (e *eval) saveDir(s *stmt) {
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	e.surplus(s, 2)
}

func (e *eval) tmpDir(s *stmt) {
	if e.m.Global.dirSet {
		e.object("KA010", e.lineSpan(s), "tmp_config_directory stands twice; the first one wins").fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
		return
	}
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	e.m.Global.dirSet = true
	e.surplus(s, 2)
}

func (e *eval) reloadTimeFile(s *stmt) {
	if len(s.w) != 2 {
		e.noValue(s)
	}
}
