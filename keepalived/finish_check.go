package keepalived

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
)

// name returns how a virtual server is called in a message.
func (vs *VirtualServer) name() string {
	switch {
	case vs.Group != "":
		return "group " + vs.Group
	case !vs.Address.IsValid():
		return "fwmark " + strconv.FormatUint(uint64(vs.Mark), 10)
	}
	return netip.AddrPortFrom(vs.Address, vs.Port).String()
}

type serverKey struct {
	addr netip.Addr
	port uint16
}

// finishChecker does what the checker process does once it has read everything.
func (e *eval) finishChecker() {
	for _, vs := range e.m.VirtualServers {
		e.linkGroup(vs)
	}
	for _, vs := range e.m.VirtualServers {
		if !vs.removed {
			e.finishVirtualServer(vs)
		}
	}
	e.checkerScripts()
}

// linkGroup finds the group of a virtual server. Without it, or with another family,
// keepalived ignores the server in silence.
func (e *eval) linkGroup(vs *VirtualServer) {
	if vs.Group == "" {
		return
	}
	g := e.vsgs[vs.Group]
	if g == nil {
		f := e.note("KA176", vs.head, "there is no virtual_server_group %s: keepalived ignores the virtual server", quoted(vs.Group))
		n := ""
		if e.spend(len(e.vsgs)) {
			n = near(vs.Group, sortedKeys(e.vsgs))
		}
		if n != "" {
			f.msg += "; did you mean " + n + "?"
			text := e.c.sources[vs.head.file].text[vs.head.from:vs.head.to]
			if i := lastIndexWord(text, vs.Group); i >= 0 {
				at := span{vs.head.file, vs.head.from + int32(i), vs.head.from + int32(i+len(vs.Group))}
				f.fix("use "+n, edit{at, n})
			}
		}
		vs.removed = true
		return
	}
	g.used = true
	vs.vsg = g
	fam := 0
	if g.v4 != g.v6 {
		fam = 6
		if g.v4 {
			fam = 4
		}
	}
	switch {
	case g.v4 && g.v6 && vs.Family != 0, g.v4 && vs.Family == 6, g.v6 && vs.Family == 4:
		e.note("KA169", vs.head, "the virtual server is of another family than its group %s: keepalived ignores it", quoted(vs.Group))
		vs.removed = true
	case fam != 0 && vs.Family == 0:
		vs.Family = fam
	}
}

// lastIndexWord returns where a word begins at the end of a text, or -1.
func lastIndexWord(text, word string) int {
	for i := len(text) - len(word); i >= 0; i-- {
		if text[i:i+len(word)] == word {
			return i
		}
	}
	return -1
}

// checksTCP reports whether a real server is checked over TCP.
func (vs *VirtualServer) checksTCP() bool {
	return slices.ContainsFunc(vs.Servers, func(r *RealServer) bool {
		return slices.ContainsFunc(r.Checkers, func(c string) bool {
			return c == "TCP_CHECK" || c == "HTTP_GET" || c == "SSL_GET" || c == "SMTP_CHECK"
		})
	})
}

func (e *eval) finishVirtualServer(vs *VirtualServer) {
	name := vs.name()
	if len(vs.Servers) == 0 {
		e.object("KA165", vs.head, "the virtual server %s has no real server", name)
		vs.removed = true
		return
	}
	ranges := vs.vsg != nil && len(vs.vsg.ranges) > 0
	marks := vs.fwmark || vs.vsg != nil && vs.vsg.marks > 0
	if vs.suspend && marks {
		e.object("KA178", vs.suspendAt, "ha_suspend has no meaning for a fwmark").fix("delete the line", edit{e.c.lineOf(vs.suspendAt), ""})
		vs.suspend = false
	}
	if ranges || vs.vsg == nil && !vs.fwmark {
		if vs.Protocol == "" {
			f := e.object("KA162", vs.head, "the virtual server %s has no protocol; UDP is taken", name)
			if vs.checksTCP() {
				e.insertInto(f, vs.head, "add protocol TCP, as its servers are checked over TCP", "protocol TCP")
			} else {
				e.insertInto(f, vs.head, "add protocol UDP, which is in effect", "protocol UDP")
			}
			vs.Protocol = "UDP"
		}
		if vs.ops && vs.Protocol != "UDP" {
			e.object("KA179", vs.opsAt, "ops is for UDP alone").fix("delete the line", edit{e.c.lineOf(vs.opsAt), ""})
			vs.ops = false
		}
		if vs.Persistence == 0 && vs.vsg == nil && !vs.fwmark && vs.Port == 0 {
			if !vs.Address.IsValid() {
				e.object("KA178", vs.fwmarkAt, "a fwmark of 0 is no fwmark")
			} else {
				e.object("KA164", vs.head, "port 0 or no port is for persistent services alone")
			}
			vs.Persistence = 360
		}
	}
	if vs.Persistence == 0 && vs.vsg != nil {
		for _, r := range vs.vsg.ranges {
			if r.port == 0 {
				e.object("KA164", r.at, "port 0 or no port is for persistent services alone").also(vs.head, "the service")
				vs.Persistence = 360
				break
			}
		}
	}
	if vs.Protocol != "" && (vs.vsg != nil && !ranges && vs.vsg.marks > 0 || vs.vsg == nil && vs.fwmark) {
		e.object("KA178", vs.protoAt, "a fwmark needs no protocol").fix("delete the line", edit{e.c.lineOf(vs.protoAt), ""})
		vs.Protocol = ""
	}
	if vs.Scheduler == "" {
		f := e.object("KA160", vs.head, "the virtual server %s has no lb_algo; wlc is taken", name)
		if vs.schedAt.file >= 0 {
			f.quiet = true
		} else {
			e.insertInto(f, vs.head, "add lb_algo wlc", "lb_algo wlc")
		}
		vs.Scheduler = "wlc"
	}
	e.finishServers(vs, name)
}

// insertInto offers to add a line to the block whose head is at.
func (e *eval) insertInto(f *finding, at span, title, text string) {
	if at.file < 0 {
		return
	}
	src := e.c.sources[at.file].text
	i := int(at.to)
	for i < len(src) && (isBlank(src[i]) || src[i] == '#' || src[i] == '!') {
		if src[i] == '#' || src[i] == '!' {
			for i < len(src) && src[i] != '\n' {
				i++
			}
			continue
		}
		i++
	}
	if i >= len(src) || src[i] != '{' {
		return
	}
	p := span{at.file, int32(i + 1), int32(i + 1)}
	indent := e.bodyIndent(p)
	if indent == "    " && e.c.indent(at) != "" {
		indent = e.c.indent(at) + "    "
	}
	f.fix(title, edit{p, e.c.newline(at.file) + indent + text})
}

func (e *eval) finishServers(vs *VirtualServer, name string) {
	noKind := false
	kindMissing := func() {
		if vs.Kind != "" || noKind {
			return
		}
		noKind = true
		f := e.object("KA161", vs.head, "the virtual server %s has no lb_kind; NAT is taken", name)
		if vs.kindAt.file >= 0 {
			f.quiet = true
		} else {
			e.insertInto(f, vs.head, "add lb_kind NAT", "lb_kind NAT")
		}
		vs.Kind = "NAT"
	}
	var seen map[serverKey]*RealServer
	if len(vs.Servers) > 8 {
		seen = make(map[serverKey]*RealServer, len(vs.Servers))
	}
	sum := int64(0)
	kept := vs.Servers[:0]
	for _, rs := range vs.Servers {
		key := serverKey{rs.Address, rs.Port}
		var first *RealServer
		if seen != nil {
			first = seen[key]
		} else {
			for _, o := range kept {
				if o.Address == rs.Address && o.Port == rs.Port {
					first = o
					break
				}
			}
		}
		if first != nil {
			e.object("KA166", rs.head, "the real server %s stands twice; the second is dropped", serverName(rs)).also(first.head, "the first one")
			rs.removed = true
			continue
		}
		if seen != nil {
			seen[key] = rs
		}
		kept = append(kept, rs)
		if rs.Kind == "" {
			kindMissing()
			rs.Kind, rs.tun = vs.Kind, vs.tun
		}
		if rs.inhibit < 0 {
			rs.inhibit = 0
			if vs.inhibit {
				rs.inhibit = 1
			}
		}
		if !rs.weightSet {
			rs.Weight = vs.weight
		}
		sum += rs.Weight
		if s := vs.Sorry; s != nil && s.Address == rs.Address && s.Port == rs.Port && s.inhibit != rs.inhibit {
			e.object("KA175", vs.sorryAt, "the sorry server is one of the real servers, with another setting of inhibit").weigh(0)
			s.inhibit = rs.inhibit
		}
	}
	vs.Servers = kept
	if vs.Sorry != nil && vs.Sorry.Kind == "" {
		kindMissing()
		vs.Sorry.Kind = vs.Kind
	}
	sum &= 0xffffffff
	if vs.Quorum > sum {
		at := vs.quorumAt
		if at.file < 0 {
			at = vs.head
		}
		f := e.object("KA170", at, "the quorum %d is above %d, the sum of the weights", vs.Quorum, sum)
		if vs.quorumAt.file >= 0 && sum > 0 {
			f.fix("use the sum", edit{vs.quorumAt, strconv.FormatInt(sum, 10)})
		}
		if sum == 0 {
			f.msg = "all weights are 0: the virtual server never has a quorum"
		}
		vs.Quorum = sum
	}
	if vs.Hysteresis >= vs.Quorum {
		at := vs.hystAt
		if at.file < 0 {
			at = vs.head
		}
		f := e.object("KA171", at, "the hysteresis %d is not below the quorum %d", vs.Hysteresis, vs.Quorum)
		if vs.hystAt.file >= 0 && vs.Quorum > 0 {
			f.fix("use the quorum less 1", edit{vs.hystAt, strconv.FormatInt(vs.Quorum-1, 10)})
		} else if vs.hystAt.file < 0 {
			f.quiet = true
		}
		vs.Hysteresis = vs.Quorum - 1
	}
	e.serverPorts(vs)
}

func serverName(rs *RealServer) string {
	if rs.Port == 0 {
		return rs.Address.String()
	}
	return netip.AddrPortFrom(rs.Address, rs.Port).String()
}

// serverPorts compares the ports of real and virtual servers, which only NAT may
// change.
func (e *eval) serverPorts(vs *VirtualServer) {
	wrong := func(rs *RealServer, at span, format string, args ...any) {
		f := e.object("KA163", at, format, args...)
		if vs.vsg == nil && !vs.fwmark {
			e.portFix(f, rs, vs.Port)
		}
	}
	if vs.vsg != nil {
		for _, rs := range vs.Servers {
			if rs.Kind != "NAT" && vs.vsg.marks > 0 && rs.Port != 0 {
				e.object("KA178", rs.head, "with a fwmark the port of %s is ignored", serverName(rs))
			}
		}
		if s := vs.Sorry; s != nil && s.Kind != "NAT" && vs.vsg.marks > 0 && s.Port != 0 {
			e.object("KA178", vs.sorryAt, "with a fwmark the port of the sorry server is ignored")
		}
		ports := map[uint16]bool{}
		for _, r := range vs.vsg.ranges {
			ports[r.port] = true
		}
		for _, rs := range vs.Servers {
			if rs.Kind != "NAT" && rs.Port != 0 && (len(ports) > 1 || len(ports) == 1 && !ports[rs.Port]) {
				wrong(rs, rs.head, "%s cannot change the port: the real server %s has another one than its group", rs.Kind, serverName(rs))
			}
		}
		if s := vs.Sorry; s != nil && s.Kind != "NAT" && s.Port != 0 && (len(ports) > 1 || len(ports) == 1 && !ports[s.Port]) {
			wrong(s, vs.sorryAt, "%s cannot change the port: the sorry server has another one than the group", s.Kind)
		}
		return
	}
	for _, rs := range vs.Servers {
		if rs.Kind == "NAT" || rs.Port == 0 {
			continue
		}
		if vs.fwmark {
			e.object("KA178", rs.head, "with a fwmark the port of %s is ignored", serverName(rs))
		} else if rs.Port != vs.Port {
			wrong(rs, rs.head, "%s cannot change the port: real server %d, virtual server %d", rs.Kind, rs.Port, vs.Port)
		}
	}
	if s := vs.Sorry; s != nil && s.Kind != "NAT" && s.Port != 0 {
		if vs.fwmark {
			e.object("KA178", vs.sorryAt, "with a fwmark the port of the sorry server is ignored")
		} else if s.Port != vs.Port {
			wrong(s, vs.sorryAt, "%s cannot change the port: sorry server %d, virtual server %d", s.Kind, s.Port, vs.Port)
		}
	}
}

// portFix offers to give a server the port of the service.
func (e *eval) portFix(f *finding, rs *RealServer, port uint16) {
	src := e.c.sources[rs.head.file].text[rs.head.from:rs.head.to]
	old := strconv.Itoa(int(rs.Port))
	if i := lastIndexWord(src, old); i >= 0 && i+len(old) == len(src) && port != 0 {
		at := span{rs.head.file, rs.head.from + int32(i), rs.head.to}
		f.fix(fmt.Sprintf("use port %d", port), edit{at, strconv.Itoa(int(port))})
	}
}

// checkerScripts looks at the scripts that the checker process would run.
func (e *eval) checkerScripts() {
	any := false
	for _, vs := range e.m.VirtualServers {
		any = any || !vs.removed
	}
	if !any {
		e.chk.misc = nil
		return
	}
	for _, n := range e.chk.misc {
		e.checkScript(n.args, n.user, n.at, "misc", false)
	}
	look := func(n *notify) {
		if n != nil {
			e.checkScript(n.args, n.user, n.at, "notify", false)
		}
	}
	for _, vs := range e.m.VirtualServers {
		if vs.removed {
			continue
		}
		look(vs.up)
		look(vs.down)
		for _, rs := range vs.Servers {
			look(rs.up)
			look(rs.down)
		}
	}
	look(e.m.Global.fifoScript[0])
	look(e.m.Global.fifoScript[2])
	e.security2(true)
}
