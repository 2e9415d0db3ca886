package keepalived

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"dougu.internal/diag"
)

// addNotify adds the script of a notification; a second one of its kind is refused.
func (e *eval) addNotify(set map[string]*notify, s *stmt) {
	if old := set[s.k.name]; old != nil {
		if len(s.w) < 2 {
			e.missing(s, 1)
			return
		}
		e.object("KA140", e.lineSpan(s), "%s stands twice; the first one wins", s.arg(0)).also(old.at, "the first one").
			fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
		return
	}
	if n := e.notifyScript(s); n != nil {
		set[s.k.name] = n
	}
}

func (e *eval) alertSeen(on bool, at span) {
	if on && e.m.Global.alertAt.file < 0 {
		e.m.Global.alertAt = at
	}
}

func (e *eval) vrrpInstance(s *stmt) {
	e.group = nil
	// What is read although the block is refused goes into an instance of its own.
	e.inst = e.newInstance(s)
	if len(s.w) != 2 {
		f := e.object("KA077", e.lineSpan(s), "vrrp_instance wants one name")
		if len(s.w) > 2 {
			f.msg = "vrrp_instance wants one name; words behind it make keepalived refuse the block"
			f.fix("delete the words", edit{e.trailing(s, 1), ""})
		}
		e.skip = -1
		return
	}
	name := s.arg(1)
	if old := e.insts[name]; old != nil {
		f := e.object("KA076", e.argSpan(s, 1), "the vrrp_instance %s is defined twice", quoted(name)).also(old.head, "the first one")
		if e.literal(s, 1) {
			n := name
			for i := 2; e.insts[n] != nil && i < 1000; i++ {
				n = name + "_" + strconv.Itoa(i)
			}
			f.fix("rename it", edit{e.argSpan(s, 1), n})
		}
		e.skip = -1
		return
	}
	i := e.inst
	i.Name = name
	e.insts[name] = i
	e.m.Instances = append(e.m.Instances, i)
}

// newInstance returns an instance with everything unset.
func (e *eval) newInstance(s *stmt) *Instance {
	g := &e.m.Global
	i := &Instance{head: e.lineSpan(s), nameAt: e.argSpan(s, 1), strict: -1, accept: -1, garpLowerRepeat: -1, garpLowerDelay: -1, lowerNoAdvert: -1, higherSend: -1,
		smtpAlert: -1, DownAdverts: g.DownTimerAdverts}
	for _, p := range []*span{&i.stateAt, &i.ifAt, &i.vridAt, &i.prioAt, &i.advertAt, &i.authAt, &i.authTypeAt, &i.authPassAt, &i.versionAt, &i.nopreemptAt, &i.preemptAt,
		&i.preemptDelayAt, &i.vipsAt, &i.srcAt, &i.peersAt, &i.strictAt, &i.acceptAt, &i.xmitAt, &i.smtpAt, &i.dontTrackAt, &i.ttlAt, &i.mcastAt, &i.evipsAt, &i.closeAt, &i.downAt,
		&i.garpAt[0], &i.garpAt[1], &i.garpAt[2], &i.garpAt[3]} {
		*p = nowhere
	}
	return i
}

// instanceFlag deals with the keywords that only set a flag of the instance.
func (e *eval) instanceFlag(s *stmt) {
	i := e.inst
	at := e.lineSpan(s)
	switch s.k.name {
	case "use_vmac_addr":
		i.vmacAddr = true
	case "vmac_xmit_base":
		i.xmit, i.xmitAt = true, at
	case "unicast_fault_no_peer":
		i.unicastSet, i.faultNoPeer = true, true
	case "check_unicast_src":
		i.unicastSet = true
		if i.peersAt.file < 0 {
			i.peersAt = at
		}
	case "dont_track_primary":
		i.DontTrack, i.dontTrackAt = true, at
	case "promote_secondaries":
		i.promote = true
	case "accept":
		i.accept, i.acceptAt = 1, at
	case "no_accept":
		i.accept, i.acceptAt = 0, at
	case "preempt":
		i.NoPreempt, i.preemptAt = false, at
	case "nopreempt":
		i.NoPreempt, i.nopreemptAt = true, at
	case "no_virtual_ipaddress":
		i.noVIP = true
	}
	e.flag(s)
}

// validDevice reports whether a name may be that of a device.
func validDevice(s string) bool {
	if s == "" || len(s) >= 16 || s == "." || s == ".." {
		return false
	}
	for i := range len(s) {
		if s[i] == '/' || s[i] == ':' || isBlank(s[i]) {
			return false
		}
	}
	return true
}

func (e *eval) useVMAC(s *stmt) {
	i := e.inst
	i.vmac = true
	for n := 1; n < len(s.w) && n <= 2; n++ {
		w := s.w[n].s
		at := e.argSpan(s, n)
		if strings.IndexByte(w, ':') >= 0 {
			if i.mac {
				e.object("KA010", at, "use_vmac: a second address")
				continue
			}
			if !e.macAddress(w) {
				e.object("KA042", at, "use_vmac: %s is no address that a virtual MAC may have", quoted(w))
			} else {
				i.mac = true
			}
			continue
		}
		if i.vmacName != "" {
			e.object("KA010", at, "use_vmac: a second interface name")
			continue
		}
		if !validDevice(w) {
			e.object("KA100", at, "use_vmac: %s is longer than 15 bytes or no name of an interface", quoted(w))
			continue
		}
		if other := e.vmacs[w]; other != nil {
			e.object("KA010", at, "use_vmac: the interface %s belongs to %s", quoted(w), quoted(other.Name)).also(other.head, "there")
			continue
		}
		i.vmacName = w
		if exists, known := e.o.Host.knows(w); exists && known {
			e.object("KA010", at, "use_vmac: the interface %s exists and is no virtual MAC", quoted(w))
			i.vmacName = ""
		} else {
			e.vmacs[w] = i
		}
	}
	e.surplus(s, 3)
}

// macAddress reports whether keepalived takes the text for a MAC address: six bytes,
// or five for the VRID to follow.
func (e *eval) macAddress(s string) bool {
	if strings.Trim(s, "0123456789ABCDEFabcdef:") != "" {
		return false
	}
	parts := strings.Split(s, ":")
	n := len(parts)
	if n == 6 && parts[5] == "" {
		n = 5
	}
	if n < 5 {
		return false
	}
	if n > 6 {
		n = 6
		if len(parts) > 6 {
			return false
		}
	}
	var b [6]uint64
	for i := range n {
		if parts[i] == "" || len(parts[i]) > 2 {
			return false
		}
		v, err := strconv.ParseUint(parts[i], 16, 8)
		if err != nil {
			return false
		}
		b[i] = v
	}
	if n == 5 {
		e.inst.macVRID = true
	}
	if b[0]&1 != 0 {
		return false
	}
	return !(b[0] == 0 && b[1] == 0 && b[2] == 0x5e && b[3] == 0 && (b[4] == 1 || b[4] == 2))
}

func (e *eval) useIPVLAN(s *stmt) {
	i := e.inst
	if i.ipvlan {
		e.object("KA010", e.lineSpan(s), "use_ipvlan stands twice").fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
		return
	}
	i.ipvlan = true
	typed := false
	for n := 1; n < len(s.w); n++ {
		w := s.w[n].s
		at := e.argSpan(s, n)
		switch w {
		case "bridge", "private", "vepa":
			if typed {
				e.object("KA010", at, "use_ipvlan: a second type")
			}
			typed = true
			continue
		}
		if a, ok := plausibleAddress(w); ok {
			if i.ipvlanAddr {
				e.object("KA010", at, "use_ipvlan: a second address")
				continue
			}
			if i.Family == 0 {
				i.Family = family(a)
			} else if i.Family != family(a) {
				e.object("KA096", at, "use_ipvlan: the address is of another family than the instance")
				continue
			}
			i.ipvlanAddr = true
			if !i.srcSet {
				i.Source, i.srcSet = a, true
			}
			continue
		}
		if i.vmacName != "" {
			e.object("KA010", at, "use_ipvlan: a second interface name")
			continue
		}
		if len(w) >= 16 {
			e.object("KA100", at, "use_ipvlan: the interface name %s is longer than 15 bytes", quoted(w))
			continue
		}
		if other := e.vmacs[w]; other != nil {
			e.object("KA010", at, "use_ipvlan: the interface %s belongs to %s", quoted(w), quoted(other.Name))
			continue
		}
		i.vmacName = w
		if exists, known := e.o.Host.knows(w); exists && known {
			e.object("KA010", at, "use_ipvlan: the interface %s exists and is no ipvlan", quoted(w))
			i.vmacName = ""
		} else {
			e.vmacs[w] = i
		}
	}
}

// plausibleAddress reads an address with an optional prefix length.
func plausibleAddress(s string) (netip.Addr, bool) {
	if !strings.ContainsAny(s, ":.") {
		return netip.Addr{}, false
	}
	host, bits, slash := strings.Cut(s, "/")
	a, ok := parseAddr(host)
	if slash {
		n, whole, _ := cNumber(bits)
		if bits == "" || !whole || n < 0 || n > 32 && familyOf(s) == 4 || n > 128 {
			return netip.Addr{}, false
		}
	}
	return a, ok
}

func (e *eval) nativeIPv6(s *stmt) {
	if e.inst.Family == 4 {
		e.object("KA096", e.lineSpan(s), "native_ipv6 with IPv4 addresses").fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
		return
	}
	e.inst.Family = 6
	e.inst.version = 3
	e.flag(s)
}

const (
	stateNone = iota
	stateMaster
	stateBackup
)

func (e *eval) instanceState(s *stmt) {
	i := e.inst
	if len(s.w) < 2 {
		e.missing(s, 1)
	}
	at := e.argSpan(s, 1)
	switch s.arg(1) {
	case "MASTER":
		i.state = stateMaster
	case "BACKUP":
		if i.state == stateMaster {
			e.object("KA010", e.lineSpan(s), "state BACKUP after state MASTER: MASTER stays").fix("delete the line", edit{e.c.lineOf(at), ""})
			return
		}
		i.state = stateBackup
	default:
		if len(s.w) > 1 {
			f := e.object("KA065", at, "%s is no state; BACKUP is taken", quoted(s.arg(1)))
			if n := near(s.arg(1), []string{"MASTER", "BACKUP"}); e.literal(s, 1) {
				if n == "" {
					n = "BACKUP"
				}
				f.fix("use "+n, edit{at, n})
			}
		}
		i.state = stateBackup
	}
	i.stateAt = at
	e.surplus(s, 2)
}

func (e *eval) instanceInterface(s *stmt) {
	i := e.inst
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	name := s.arg(1)
	at := e.argSpan(s, 1)
	if len(name) >= 16 {
		e.object("KA063", at, "the interface name %s is longer than 15 bytes", quoted(name))
		return
	}
	i.ifAt = at
	i.Interface = name
	i.ifp = e.iface(name)
	switch {
	case i.ifp == nil:
		e.noSuchInterface("KA064", at, name, e.literal(s, 1))
	case name == "lo":
		e.object("KA063", at, "VRRP cannot use the loopback interface")
		i.ifp = nil
	}
	e.surplus(s, 2)
}

func (e *eval) instanceVRF(s *stmt) {
	i := e.inst
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	name := s.arg(1)
	at := e.argSpan(s, 1)
	switch {
	case len(name) >= 16:
		e.object("KA063", at, "vrf: the interface name %s is longer than 15 bytes", quoted(name))
	case i.ifp != nil:
		e.object("KA063", at, "vrf and interface exclude one another").fix("delete the line", edit{e.c.lineOf(at), ""})
	case i.vrfSet:
		e.object("KA010", at, "vrf stands twice")
	case e.iface(name) == nil:
		e.noSuchInterface("KA101", at, name, e.literal(s, 1))
	case name == "lo":
		e.object("KA063", at, "vrf cannot be the loopback interface")
	default:
		i.vrf, i.vrfSet = name, true
	}
}

func (e *eval) instanceVRID(s *stmt) {
	if n, ok := e.number(s, 1); ok {
		e.inst.VRID, e.inst.vridAt = int(n), e.argSpan(s, 1)
		e.surplus(s, 2)
	}
}

func (e *eval) instanceVersion(s *stmt) {
	i := e.inst
	n, ok := e.number(s, 1)
	if !ok {
		return
	}
	if i.version != 0 && i.version != int(n) || n == 2 && i.Family == 6 {
		e.object("KA098", e.argSpan(s, 1), "version %d conflicts with what was said before", n).fix("use version 3", edit{e.argSpan(s, 1), "3"})
		return
	}
	i.version, i.versionAt = int(n), e.argSpan(s, 1)
	e.surplus(s, 2)
}

func (e *eval) instancePriority(s *stmt) {
	n, ok := e.number(s, 1)
	if !ok {
		n = 100
	}
	if len(s.w) < 2 {
		return
	}
	e.inst.prio, e.inst.prioAt = int(n), e.argSpan(s, 1)
	if ok {
		e.surplus(s, 2)
	}
}

func (e *eval) advertInt(s *stmt) {
	if n, ok := e.decimal(s, 1); ok {
		e.inst.Advert, e.inst.advertAt = time.Duration(n)*time.Microsecond, e.argSpan(s, 1)
		e.surplus(s, 2)
	}
}

func (e *eval) instanceLinkbeat(s *stmt) {
	e.object("KA005", e.lineSpan(s), "linkbeat_use_polling in an instance is deprecated: use the block linkbeat_interfaces").
		fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
}

func (e *eval) strictMode(s *stmt) {
	if v, ok := e.boolean(s); ok {
		e.inst.strict, e.inst.strictAt = 0, e.lineSpan(s)
		if v {
			e.inst.strict = 1
		}
		e.surplus(s, 2)
	}
}

func (e *eval) preemptDelay(s *stmt) {
	n, ok := e.decimal(s, 1)
	if !ok {
		n = 0
	}
	e.inst.PreemptDelay, e.inst.preemptDelayAt = time.Duration(n)*time.Microsecond, e.lineSpan(s)
	if ok {
		e.surplus(s, 2)
	}
}

func (e *eval) instanceNotify(s *stmt) {
	if e.inst.notify == nil {
		e.inst.notify = map[string]*notify{}
	}
	e.addNotify(e.inst.notify, s)
}

func (e *eval) notifyDeleted(s *stmt) {
	i := e.inst
	if i.notify == nil {
		i.notify = map[string]*notify{}
	}
	if _, ok := i.notify["notify_deleted"]; ok {
		e.object("KA140", e.lineSpan(s), "notify_deleted stands twice; the first one wins").fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
		return
	}
	i.notify["notify_deleted"] = nil
	if len(s.w) > 1 {
		i.notify["notify_deleted"] = e.notifyScript(s)
	}
}

func (e *eval) instanceAlert(s *stmt) {
	if v, ok := e.boolean(s); ok {
		e.inst.smtpAlert = 0
		if v {
			e.inst.smtpAlert = 1
			e.inst.smtpAt = e.lineSpan(s)
		}
		e.alertSeen(v, e.lineSpan(s))
		e.surplus(s, 2)
	}
}

func (e *eval) instanceSyncd(s *stmt) {
	e.object("KA005", e.lineSpan(s), "lvs_sync_daemon_interface in an instance is deprecated: use lvs_sync_daemon in global_defs").
		fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
	if e.m.Global.syncd != "" {
		return
	}
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	e.m.Global.syncd = s.arg(1)
}

func (e *eval) garpRepeat(s *stmt) {
	n, ok := e.number(s, 1)
	if !ok {
		return
	}
	if n == 0 {
		e.repeatOfZero(s)
	}
	e.surplus(s, 2)
}

func (e *eval) garpLower(s *stmt) {
	n, ok := e.number(s, 1)
	if !ok {
		return
	}
	if s.k.name == "garp_lower_prio_delay" {
		e.inst.garpLowerDelay, e.inst.garpAt[1] = n, e.lineSpan(s)
	} else {
		e.inst.garpLowerRepeat, e.inst.garpAt[0] = n, e.lineSpan(s)
	}
	e.surplus(s, 2)
}

func (e *eval) downTimer(s *stmt) {
	if n, ok := e.number(s, 1); ok {
		e.inst.DownAdverts, e.inst.downAt = n, e.lineSpan(s)
		e.surplus(s, 2)
	}
}

func (e *eval) extraIf(s *stmt) {
	if s.k.name == "vmac_garp_intvl" && !e.v.before(Version{2, 2, 3}) {
		e.renamed(s, "garp_extra_if", true)
	}
	e.extraIfWords(s, 0)
}

func (e *eval) prioAdvert(s *stmt) {
	v, ok := e.boolean(s)
	if !ok {
		return
	}
	n := int64(0)
	if v {
		n = 1
	}
	if s.k.name == "lower_prio_no_advert" {
		e.inst.lowerNoAdvert, e.inst.garpAt[2] = n, e.lineSpan(s)
	} else {
		e.inst.higherSend, e.inst.garpAt[3] = n, e.lineSpan(s)
	}
	e.surplus(s, 2)
}

func (e *eval) rxBufSize(s *stmt) {
	if len(s.w) != 2 {
		f := e.noValue(s)
		if len(s.w) > 2 {
			f.rule = "KA007"
			f.fix("delete the words", edit{e.trailing(s, 1), ""})
		}
		return
	}
	e.number(s, 1)
}

func (e *eval) endInstance() {
	i := e.inst
	if i.unicastSet && (i.vmac || i.ipvlan) {
		if i.ifp == nil {
			e.object("KA102", i.head, "unicast with use_vmac wants an interface")
			i.vmac, i.ipvlan, i.vmacName = false, false, ""
		} else if !i.xmit {
			e.object("KA102", i.head, "unicast with use_vmac wants vmac_xmit_base").weigh(diag.Error)
			i.xmit = true
		}
	}
	if len(i.Peers) == 0 && i.ttlSet {
		e.object("KA110", i.ttlAt, "unicast_ttl without unicast_peer").fix("delete the line", edit{e.c.lineOf(i.ttlAt), ""})
		i.ttl = 0
	}
}
