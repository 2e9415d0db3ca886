package keepalived

import (
	"strconv"
	"strings"
	"time"
)

// finishVRRP does what the VRRP process does once it has read everything.
func (e *eval) finishVRRP() {
	if e.noInterface {
		// It gives up here; what it would have said is not known.
		f := e.object("KA064", nowhere, "an interface that does not exist is named")
		f.quiet = true
		e.defaults()
		return
	}
	e.vrrpScripts()
	whole := true
	for _, i := range e.m.Instances {
		if !e.minimal(i) {
			whole = false
		}
	}
	for _, g := range e.m.SyncGroups {
		e.finishGroup(g)
	}
	for _, i := range e.m.Instances {
		e.complete(i)
	}
	if whole {
		e.vridConflicts()
		e.vmacConflicts()
	}
	e.groupTracking()
}

// defaults gives instances their values where the checks at the end were not made.
func (e *eval) defaults() {
	e.mute = true
	for _, i := range e.m.Instances {
		e.complete(i)
	}
	e.mute = false
}

// vrrpScripts looks at the scripts of the VRRP process.
func (e *eval) vrrpScripts() {
	if len(e.m.Instances) == 0 {
		return
	}
	dropped := map[string]bool{}
	for _, sc := range e.m.Scripts {
		if sc.remove || len(sc.Command) == 0 {
			continue
		}
		r := e.checkScript(sc.Command, sc.user, sc.scriptAt, "vrrp_script", true)
		if !r.found || r.inhibited || !r.runs {
			sc.insecure = true
			if e.scripts[sc.Name] == sc {
				dropped[sc.Name] = true
			}
		}
	}
	drop := func(list []Track) []Track {
		kept := list[:0]
		for _, t := range list {
			if t.Kind == "script" && dropped[t.Name] {
				continue
			}
			kept = append(kept, t)
		}
		return kept
	}
	look := func(set map[string]*notify) {
		for _, k := range sortedKeys(set) {
			if n := set[k]; n != nil {
				e.checkScript(n.args, n.user, n.at, "notify", false)
			}
		}
	}
	for _, i := range e.m.Instances {
		look(i.notify)
		if len(dropped) > 0 {
			i.Tracks = drop(i.Tracks)
		}
	}
	for _, g := range e.m.SyncGroups {
		look(g.notify)
		if len(dropped) > 0 {
			g.tracks = drop(g.tracks)
		}
	}
	for _, n := range []*notify{e.m.Global.fifoScript[0], e.m.Global.fifoScript[1]} {
		if n != nil {
			e.checkScript(n.args, n.user, n.at, "notify", false)
		}
	}
	e.security2(false)
}

// minimal reports whether an instance has what it cannot do without.
func (e *eval) minimal(i *Instance) bool {
	ok := true
	if i.VRID == 0 {
		f := e.object("KA060", i.head, "the vrrp_instance %s has no virtual_router_id", quoted(i.Name))
		if i.vridAt.file < 0 && e.given(i, "virtual_router_id") {
			f.quiet = true
		} else {
			id := e.freeVRID(i)
			e.insertInto(f, i.head, "add virtual_router_id "+strconv.Itoa(id), "virtual_router_id "+strconv.Itoa(id))
		}
		ok = false
	}
	if i.ifp == nil {
		f := e.object("KA062", i.head, "the vrrp_instance %s has no interface", quoted(i.Name))
		f.quiet = i.ifAt.file >= 0 || e.given(i, "interface")
		ok = false
	}
	i.broken = !ok
	return ok
}

// given reports whether a finding in the block of the instance names the keyword: then
// a missing value follows from it.
func (e *eval) given(i *Instance, keyword string) bool {
	if !e.spend(len(e.found) + len(e.m.Instances)) {
		return false
	}
	end := int32(1<<31 - 1)
	for _, o := range e.m.Instances {
		if o != i && o.head.file == i.head.file && o.head.from > i.head.from && o.head.from < end {
			end = o.head.from
		}
	}
	for _, f := range e.found {
		if f.objects && f.at.file == i.head.file && f.at.from > i.head.from && f.at.from < end && (strings.HasPrefix(f.msg, keyword) || strings.HasSuffix(f.msg, "mean "+keyword+"?") ||
			strings.Contains(f.msg, strconv.Quote(keyword))) {
			return true
		}
	}
	return false
}

func (e *eval) finishGroup(g *SyncGroup) {
	if !g.set {
		f := e.object("KA155", g.head, "the vrrp_sync_group %s has no group", quoted(g.Name))
		f.quiet = g.groupAt.file >= 0
		return
	}
	for n, name := range g.Members {
		at := g.spans[n]
		i := e.insts[name]
		if i == nil {
			f := e.object("KA151", at, "there is no vrrp_instance %s", quoted(name))
			if !e.spend(len(e.insts)) {
				continue
			}
			if m := near(name, sortedKeys(e.insts)); m != "" && at.to-at.from == int32(len(name)) {
				f.msg += "; did you mean " + m + "?"
				f.fix("use "+m, edit{at, m})
			}
			continue
		}
		if i.sync != nil {
			f := e.object("KA152", at, "%s is in the group %s already", quoted(name), quoted(i.sync.Name))
			if strings.TrimSpace(e.c.lineText(at)) == e.c.sources[at.file].text[at.from:at.to] {
				f.fix("delete the line", edit{e.c.lineOf(at), ""})
			} else {
				f.fix("delete the name", edit{at, ""})
			}
			continue
		}
		i.sync, i.Group = g, g.Name
		g.instances = append(g.instances, i)
	}
	switch len(g.instances) {
	case 0:
		e.object("KA151", g.head, "no member of the vrrp_sync_group %s exists", quoted(g.Name)).quiet = true
	case 1:
		f := e.object("KA150", g.head, "the vrrp_sync_group %s has one member", quoted(g.Name))
		if len(g.spans) == 1 || !e.spend(len(e.found)*len(g.spans)) {
			return
		}
		for _, o := range e.found {
			if o.rule == "KA151" || o.rule == "KA152" {
				for _, s := range g.spans {
					if o.at == s {
						f.quiet = true
					}
				}
			}
		}
	}
}

func roundTo(d, unit time.Duration) time.Duration {
	d = (d + unit/2) / unit * unit
	return max(d, unit)
}

// complete gives an instance its final values.
func (e *eval) complete(i *Instance) {
	g := &e.m.Global
	v24 := !e.v.before(version240)
	strict := i.strict == 1 || i.strict < 0 && g.Strict
	i.Strict = strict
	strictAt := i.strictAt
	if strictAt.file < 0 {
		strictAt = g.strictAt
	}
	i.Version = i.version
	if i.Family == 6 {
		if i.Version == 2 && strict {
			e.object("KA098", i.versionAt, "IPv6 with version 2").fix("use version 3", edit{i.versionAt, "3"})
			i.Version = 3
		} else if i.Version == 0 {
			i.Version = 3
		}
	}
	if i.Family == 0 {
		i.Family = 4
	}
	if i.Version == 0 {
		i.Version = g.VRRPVersion
	}
	if len(i.Addresses) == 0 && !i.noVIP {
		f := e.object("KA091", i.head, "the vrrp_instance %s has no virtual address", quoted(i.Name))
		if i.vipsAt.file >= 0 && e.objectedWithin(i.vipsAt) {
			f.quiet = true
		}
		if i.Version == 3 || strict {
			f.explain("With version 3 or vrrp_strict keepalived refuses to run.")
			i.Fault = true
		}
	}
	i.Priority = i.prio
	if i.Priority == 0 {
		i.Priority = 100
		if i.state == stateMaster {
			i.Priority = 255
		}
	}
	owner := i.Priority == 255
	master := i.state == stateMaster
	if i.state == stateNone {
		master = owner
	} else if strict && master != owner {
		at := i.stateAt
		if at.file < 0 {
			at = i.head
		}
		f := e.object("KA105", at, "with vrrp_strict MASTER is for priority 255, and only it").also(strictAt, "vrrp_strict")
		_ = f
		master = owner
	}
	e.authentication(i, strict, strictAt, master, owner, &master)
	e.finishHMAC(i, strict, strictAt)
	if strict && i.unicastSet && len(i.Peers) > 0 {
		f := e.note("KA104", i.peersAt, "vrrp_strict forbids unicast").also(strictAt, "vrrp_strict")
		if strictAt.file >= 0 {
			f.fix("delete vrrp_strict", edit{e.c.lineOf(strictAt), ""})
		}
		f.objects = v24
	}
	if i.unicastSet {
		if len(i.Peers) > 0 {
			i.Unicast = true
		} else if !i.faultNoPeer {
			at := i.srcAt
			if at.file < 0 {
				at = i.peersAt
			}
			if at.file < 0 {
				at = i.head
			}
			f := e.object("KA110", at, "a keyword for unicast without a peer: keepalived uses multicast")
			if at == i.srcAt {
				f.fix("delete the line", edit{e.c.lineOf(at), ""})
			}
			f.quiet = i.peersAt.file >= 0 && e.objectedWithin(i.peersAt)
		}
	}
	if strict && i.mac {
		e.object("KA105", i.head, "vrrp_strict forbids a MAC address of one's own").also(strictAt, "vrrp_strict")
	}
	if i.Family == 6 && !i.Unicast && len(i.Addresses) > 0 && !isLinkLocal(i.Addresses[0].Prefix.Addr()) {
		f := e.note("KA097", i.Addresses[0].at, "the first IPv6 address of an instance should be link local")
		f.objects = strict
		a := i.Addresses[0].at
		line := e.c.lineOf(a)
		f.fix("insert fe80::"+strconv.FormatInt(int64(i.VRID), 16), edit{span{a.file, line.from, line.from}, e.c.indent(a) + "fe80::" + strconv.FormatInt(int64(max(i.VRID, 1)), 16) + "/64" + e.c.newline(a.file)})
	}
	if i.vrfSet && (i.ifp != nil || !i.Unicast) {
		e.object("KA063", i.head, "vrf is for unicast without an interface")
	}
	e.packetSize(i)
	if owner && i.NoPreempt {
		e.object("KA071", i.nopreemptAt, "nopreempt with priority 255").fix("delete nopreempt", edit{e.c.lineOf(i.nopreemptAt), ""})
		i.NoPreempt = false
	}
	if master {
		if i.NoPreempt {
			f := e.object("KA070", i.nopreemptAt, "nopreempt with state MASTER: keepalived drops nopreempt").also(i.stateAt, "state MASTER")
			if i.stateAt.file >= 0 && e.c.sources[i.stateAt.file].text[i.stateAt.from:i.stateAt.to] == "MASTER" {
				f.fix("use state BACKUP", edit{i.stateAt, "BACKUP"})
			}
			i.NoPreempt = false
		}
		if i.PreemptDelay > 0 {
			e.object("KA072", i.preemptDelayAt, "preempt_delay with state MASTER: keepalived drops it").fix("delete the line", edit{e.c.lineOf(i.preemptDelayAt), ""})
			i.PreemptDelay = 0
		}
	}
	if i.PreemptDelay > 0 {
		if strict {
			e.object("KA072", i.preemptDelayAt, "preempt_delay with vrrp_strict: keepalived drops it").fix("delete the line", edit{e.c.lineOf(i.preemptDelayAt), ""})
			i.PreemptDelay = 0
		}
		if i.NoPreempt {
			e.object("KA072", i.preemptDelayAt, "preempt_delay with nopreempt: keepalived drops it").fix("delete the line", edit{e.c.lineOf(i.preemptDelayAt), ""})
			i.PreemptDelay = 0
		}
	}
	if strict && i.DownAdverts != 3 {
		at := i.downAt
		if at.file < 0 {
			at = i.head
		}
		e.object("KA105", at, "vrrp_strict wants down_timer_adverts 3").also(strictAt, "vrrp_strict")
		i.DownAdverts = 3
	}
	i.State = "BACKUP"
	if master {
		i.State = "MASTER"
	}
	i.Accept = i.accept == 1
	if i.accept < 0 {
		i.Accept = owner || !strict
	}
	if i.Accept && !owner && strict && i.Version == 2 {
		e.object("KA106", i.acceptAt, "accept with vrrp_strict and version 2").fix("delete the line", edit{e.c.lineOf(i.acceptAt), ""})
		i.Accept = false
	}
	if i.Unicast && i.mcast.IsValid() {
		e.object("KA116", i.mcastAt, "mcast_dst_ip with unicast peers").fix("delete the line", edit{e.c.lineOf(i.mcastAt), ""})
	}
	if strict {
		for n, bad := range []bool{i.garpLowerRepeat > 0, i.garpLowerDelay > 0, i.lowerNoAdvert == 0, i.higherSend == 1} {
			if bad {
				at := i.garpAt[n]
				e.object("KA105", at, "vrrp_strict does not allow this").also(strictAt, "vrrp_strict").fix("delete the line", edit{e.c.lineOf(at), ""})
			}
		}
	}
	e.advertInterval(i)
	e.instanceMAC(i, strict, strictAt)
	e.instanceTracks(i, owner)
	for n := range i.Excluded {
		i.evipOther = i.evipOther || family(i.Excluded[n].Prefix.Addr()) != i.Family
	}
}

// objectedWithin reports whether keepalived objects to something in the block that
// begins at that line.
func (e *eval) objectedWithin(at span) bool {
	if !e.spend(len(e.found)) {
		return false
	}
	end := int32(len(e.c.sources[at.file].text))
	if n := strings.IndexByte(e.c.sources[at.file].text[at.from:], '}'); n >= 0 {
		end = at.from + int32(n)
	}
	for _, f := range e.found {
		if f.objects && f.at.file == at.file && f.at.from >= at.from && f.at.from <= end {
			return true
		}
	}
	return false
}

func (e *eval) authentication(i *Instance, strict bool, strictAt span, master, owner bool, state *bool) {
	at := i.authTypeAt
	if i.AuthType == "" {
		return
	}
	drop := func(f *finding) {
		e.deleteAround(f, at, "authentication")
		i.AuthType = ""
	}
	switch {
	case strict:
		drop(e.object("KA084", at, "vrrp_strict forbids authentication").also(strictAt, "vrrp_strict"))
	case i.Version == 3:
		drop(e.object("KA083", at, "VRRP version 3 has no authentication"))
	case i.pass == "":
		f := e.object("KA082", at, "auth_type without auth_pass: no authentication")
		e.deleteAround(f, at, "authentication")
		i.AuthType = ""
	case i.Family == 6 && i.AuthType == "AH":
		e.object("KA085", at, "AH with IPv6").fix("use PASS", edit{at, "PASS"})
		i.AuthType = ""
	case i.AuthType == "AH" && master && !owner:
		e.object("KA085", at, "AH with state MASTER: keepalived begins as BACKUP").fix("use PASS", edit{at, "PASS"})
		*state = false
	}
}

// deleteAround offers to delete the block of that name around a place, when it stands
// on lines of its own.
func (e *eval) deleteAround(f *finding, at span, name string) {
	if at.file < 0 {
		return
	}
	text := e.c.sources[at.file].text
	from := strings.LastIndex(text[:at.from], name)
	to := strings.IndexByte(text[at.to:], '}')
	if from < 0 || to < 0 {
		return
	}
	a := e.c.lineOf(span{at.file, int32(from), int32(from)})
	b := e.c.lineOf(span{at.file, at.to + int32(to), at.to + int32(to)})
	if strings.TrimSpace(text[a.from:from]) != "" || strings.TrimSpace(strings.TrimRight(text[int(at.to)+to+1:b.to], "\r\n")) != "" {
		return
	}
	if strings.Count(text[a.from:b.to], "{") != 1 {
		return
	}
	f.fix("delete the block", edit{span{at.file, a.from, b.to}, ""})
}

// packetSize checks that the addresses fit into an advertisement.
func (e *eval) packetSize(i *Instance) {
	mtu := 1500
	if h := e.o.Host; h != nil && i.ifp != nil {
		if f, ok := h.Interfaces[i.ifp.name]; ok && f.MTU > 0 {
			mtu = f.MTU
		}
	}
	most := 0
	if i.Family == 4 {
		head := 14 + 20 + 8
		if i.Version == 2 {
			head += 8
			if i.AuthType == "AH" {
				head += 24
			}
		}
		most = (mtu - head) / 4
	} else {
		most = (mtu - 14 - 40 - 8) / 16
	}
	most = min(most, 255)
	if len(i.Addresses) <= most {
		return
	}
	at := i.Addresses[most].at
	f := e.object("KA099", at, "%d addresses do not fit into an advertisement, which holds %d; the rest becomes excluded ones", len(i.Addresses), most)
	last := i.Addresses[len(i.Addresses)-1].at
	if at.file == last.file && last.from > at.from {
		a, b := e.c.lineOf(at), e.c.lineOf(last)
		text := e.c.sources[at.file].text
		if n := strings.IndexByte(text[b.to:], '}'); n >= 0 && strings.TrimSpace(text[b.to:int(b.to)+n]) == "" {
			end := e.c.lineOf(span{at.file, b.to + int32(n), b.to + int32(n)})
			nl := e.c.newline(at.file)
			in := e.c.indent(span{at.file, b.to + int32(n), b.to + int32(n)})
			f.fix("move the rest to virtual_ipaddress_excluded", edit{span{at.file, a.from, b.to}, ""},
				edit{span{at.file, end.to, end.to}, in + "virtual_ipaddress_excluded {" + nl + text[a.from:b.to] + in + "}" + nl})
		}
	}
	i.Excluded = append(append([]Address(nil), i.Addresses[most:]...), i.Excluded...)
	i.Addresses = i.Addresses[:most]
}

func (e *eval) advertInterval(i *Instance) {
	if i.Advert == 0 {
		i.Advert = time.Second
		return
	}
	at := i.advertAt
	secs := func(d time.Duration) string { return formatDecimal(int64(d/time.Microsecond), 6) }
	if i.Version == 2 {
		if i.Advert%time.Second != 0 {
			to := roundTo(i.Advert, time.Second)
			e.object("KA074", at, "advert_int: VRRP version 2 has whole seconds; %s is rounded to %s", secs(i.Advert), secs(to)).
				fix("use "+secs(to), edit{at, secs(to)})
			i.Advert = to
		}
		return
	}
	switch {
	case i.Advert >= 40960*time.Millisecond:
		e.object("KA075", at, "advert_int: VRRP version 3 has at most 40.95 seconds").fix("use 40.95", edit{at, "40.95"})
		i.Advert = 40950 * time.Millisecond
	case i.Advert%(10*time.Millisecond) != 0:
		to := roundTo(i.Advert, 10*time.Millisecond)
		e.object("KA074", at, "advert_int: VRRP version 3 has steps of 0.01 seconds; %s is rounded to %s", secs(i.Advert), secs(to)).fix("use "+secs(to), edit{at, secs(to)})
		i.Advert = to
	}
}

func (e *eval) instanceMAC(i *Instance, strict bool, strictAt span) {
	if i.vmac && strict && i.xmit {
		e.object("KA102", i.xmitAt, "vmac_xmit_base with vrrp_strict").also(strictAt, "vrrp_strict").fix("delete the line", edit{e.c.lineOf(i.xmitAt), ""})
		i.xmit = false
	}
	if i.promote && (i.vmac || i.ipvlan) {
		e.object("KA009", i.head, "promote_secondaries is set for a virtual MAC by itself").weigh(0)
	}
	if i.ipvlan && i.Family == 4 && !i.ipvlanAddr {
		e.object("KA102", i.head, "use_ipvlan for IPv4 wants an address")
		i.Fault = true
	}
	if i.xmit && !i.vmac {
		at := i.xmitAt
		f := e.object("KA102", at, "vmac_xmit_base without use_vmac")
		if at.file >= 0 {
			f.fix("delete the line", edit{e.c.lineOf(at), ""})
		} else {
			f.at = i.head
			f.quiet = true
		}
	}
	for _, list := range [][]Address{i.Addresses, i.Excluded} {
		for n := range list {
			a := &list[n]
			if !a.vmac {
				continue
			}
			own := a.Dev == "" || i.ifp != nil && a.Dev == i.ifp.name
			same := family(a.Prefix.Addr()) == i.Family
			if own && i.vmac && same {
				e.object("KA102", a.at, "use_vmac of the address and of the instance")
			} else if (!own || !same) && i.vmacAddr {
				e.object("KA102", a.at, "use_vmac of the address and use_vmac_addr of the instance")
			}
		}
	}
}
