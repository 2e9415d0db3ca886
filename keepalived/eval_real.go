package keepalived

import (
	"dougu.internal/diag"
)

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
