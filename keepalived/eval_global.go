package keepalived

import (
	"strings"
	"time"

	"dougu.internal/diag"
)

// state is what the passes of an eval remember between keywords.
type state struct {
	// Of scripts: the user that runs them.
	userFailed, userSet bool
	defaultUser         string
	security            bool
	noInterface         bool // a non-existing interface was named
	notes               []pendingScript

	inst     *Instance
	group    *SyncGroup
	script   *Script
	process  *TrackProcess
	file     *TrackFile
	fileW    bool // its weight is set
	bfd      *BFD
	bfds     map[string]*BFD // of the pass
	files    []*TrackFile    // of the pass
	fileIdx  map[string]*TrackFile
	garp     garpState
	tgroup   *trackGroupState
	tgroups  map[string]*trackGroupState
	vs       *VirtualServer
	rs       *RealServer
	vsg      *ServerGroup
	chk      checkState
	ssl      map[string]bool
	ssls     int
	insts    map[string]*Instance
	groups   map[string]*SyncGroup
	scripts  map[string]*Script
	procs    map[string]*TrackProcess
	vmacs    map[string]*Instance
	vsgs     map[string]*ServerGroup
	bfdAddrs map[string]*BFD
}

type pendingScript struct {
	at   span
	what string
}

// begin prepares a pass.
func (e *eval) begin() {
	e.bfds = map[string]*BFD{}
	e.files, e.fileIdx = nil, map[string]*TrackFile{}
	switch e.prog {
	case vrrp:
		e.insts, e.groups, e.scripts = map[string]*Instance{}, map[string]*SyncGroup{}, map[string]*Script{}
		e.procs, e.vmacs, e.tgroups = map[string]*TrackProcess{}, map[string]*Instance{}, map[string]*trackGroupState{}
		e.garp.used = map[string]bool{}
	case checker:
		e.vsgs = map[string]*ServerGroup{}
	case bfd:
		e.bfdAddrs = map[string]*BFD{}
	}
}

// finish does what a process does once it has read everything.
func (e *eval) finish() {
	switch e.prog {
	case parent:
		e.finishParent()
	case checker:
		e.finishChecker()
	case vrrp:
		e.finishVRRP()
	}
}

// inactive notes a block of the outermost level that is for another process.
func (e *eval) inactive(*stmt) {}

func (e *eval) routerID(s *stmt) {
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	e.m.Global.RouterID, e.m.Global.routerAt = s.arg(1), e.argSpan(s, 1)
	e.surplus(s, 2)
}

func (e *eval) dynamicInterfaces(s *stmt) {
	e.m.Global.DynamicInterfaces = true
	if len(s.w) < 2 {
		return
	}
	if s.arg(1) == "allow_if_changes" {
		e.m.Global.allowIfChanges = true
		e.surplus(s, 2)
		return
	}
	e.object("KA009", e.argSpan(s, 1), "dynamic_interfaces takes allow_if_changes or nothing, not %s", quoted(s.arg(1))).
		fix("delete the value", edit{e.trailing(s, 0), ""})
}

func (e *eval) defaultInterface(s *stmt) {
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	e.m.Global.DefaultInterface = s.arg(1)
	e.surplus(s, 2)
}

func (e *eval) lvsTimeouts(s *stmt) {
	if len(s.w) < 3 {
		e.noValue(s)
		return
	}
	for i := 1; i < len(s.w); i++ {
		switch s.w[i].s {
		case "tcp", "tcpfin", "udp":
			if i == len(s.w)-1 {
				e.noValue(s)
				continue
			}
			e.numberIn(s, i+1, 0, 2678400, true)
			i++
		default:
			e.object("KA042", e.argSpan(s, i), "lvs_timeouts knows tcp, tcpfin and udp, not %s", quoted(s.w[i].s))
		}
	}
}

func (e *eval) syncDaemon(s *stmt) {
	g := &e.m.Global
	if g.syncd != "" {
		e.object("KA010", e.lineSpan(s), "lvs_sync_daemon stands twice; the first one wins").fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
		return
	}
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	if len(s.arg(1)) >= 16 {
		e.object("KA063", e.argSpan(s, 1), "lvs_sync_daemon: the interface name %s is longer than 15 bytes", quoted(s.arg(1)))
		return
	}
	g.syncd = s.arg(1)
	for i := 2; i < len(s.w); i++ {
		if s.w[i].s == "inst" {
			if g.syncdInstance != "" {
				e.object("KA010", e.argSpan(s, i), "the instance is named twice")
			} else if i+1 >= len(s.w) {
				e.missing(s, i+1)
				return
			} else {
				g.syncdInstance, g.syncdAt = s.w[i+1].s, e.argSpan(s, i+1)
			}
			i++
			continue
		}
		bounds, ok := map[string][2]int64{"id": {0, 255}, "maxlen": {1, 65507}, "port": {1, 65535}, "ttl": {1, 255}, "group": {}}[s.w[i].s]
		if ok {
			if i == len(s.w)-1 {
				e.noValue(s)
				continue
			}
			if s.w[i].s == "group" {
				if a, ok := sockAddr(s.w[i+1].s); !ok || !a.IsMulticast() {
					e.object("KA116", e.argSpan(s, i+1), "%s is no multicast address", quoted(s.w[i+1].s))
				}
			} else {
				e.numberIn(s, i+1, bounds[0], bounds[1], true)
			}
			i++
			continue
		}
		switch i {
		case 2:
			g.syncdInstance, g.syncdAt = s.w[2].s, e.argSpan(s, 2)
		case 3:
			if _, ok := e.numberIn(s, 3, 0, 255, true); ok {
				at := e.argSpan(s, 3)
				e.object("KA005", at, "the number of lvs_sync_daemon wants the word id before it").fix("insert id", edit{span{at.file, at.from, at.from}, "id "})
			}
		default:
			e.object("KA042", e.argSpan(s, i), "lvs_sync_daemon does not know %s", quoted(s.w[i].s))
		}
	}
}

func (e *eval) flushOnStop(s *stmt) {
	if len(s.w) > 1 && s.arg(1) != "VS" {
		e.object("KA042", e.argSpan(s, 1), "%s takes VS or nothing, not %s", s.arg(0), quoted(s.arg(1)))
	}
	if s.k.name == "lvs_flush_onstop" && !e.v.before(Version{2, 2, 0}) {
		e.renamed(s, "lvs_flush_on_stop", false)
	}
}

// renamed records an old name of a keyword.
func (e *eval) renamed(s *stmt, to string, objects bool) {
	f := e.note("KA005", e.argSpan(s, 0), "%s is the old name of %s", s.arg(0), to)
	f.objects = objects
	if !objects {
		f.weigh(diag.Info)
	}
	if e.literal(s, 0) {
		f.fix("rename it", edit{e.argSpan(s, 0), to})
	}
}

func (e *eval) multicast4(s *stmt) {
	a, ok := e.addrWord(s, 1)
	if len(s.w) < 2 {
		return
	}
	if !ok || !a.Is4() || !a.IsMulticast() {
		e.object("KA116", e.argSpan(s, 1), "vrrp_mcast_group4: %s is no IPv4 multicast address", quoted(s.arg(1))).
			fix("use the default, 224.0.0.18", edit{e.argSpan(s, 1), "224.0.0.18"})
		return
	}
	if b := a.As4(); b[0] != 224 || b[1] != 0 || b[2] != 0 {
		e.note("KA117", e.argSpan(s, 1), "%s is outside of 224.0.0.0/24, the groups of the local link: a switch with IGMP snooping may not forward it", a)
	}
	e.m.Global.Multicast4, e.m.Global.multicast4At = a, e.argSpan(s, 1)
	e.surplus(s, 2)
}

func (e *eval) multicast6(s *stmt) {
	a, ok := e.addrWord(s, 1)
	if len(s.w) < 2 {
		return
	}
	if !ok || a.Is4() || !a.IsMulticast() {
		e.object("KA116", e.argSpan(s, 1), "vrrp_mcast_group6: %s is no IPv6 multicast address", quoted(s.arg(1))).
			fix("use the default, ff02::12", edit{e.argSpan(s, 1), "ff02::12"})
		return
	}
	if !isLinkMulticast(a) {
		e.object("KA116", e.argSpan(s, 1), "vrrp_mcast_group6: %s is not link local", quoted(s.arg(1))).
			fix("use the default, ff02::12", edit{e.argSpan(s, 1), "ff02::12"})
	}
	e.m.Global.Multicast6, e.m.Global.multicast6At = a, e.argSpan(s, 1)
	e.surplus(s, 2)
}

func (e *eval) globalGarpDelay(s *stmt) {
	if n, ok := e.number(s, 1); ok {
		e.m.Global.GarpDelay = time.Duration(n) * time.Second
		e.surplus(s, 2)
	}
}

func (e *eval) globalGarpRefresh(s *stmt) {
	if n, ok := e.number(s, 1); ok {
		e.m.Global.GarpRefresh = n
		e.surplus(s, 2)
	}
}

func (e *eval) globalGarpRepeat(s *stmt) {
	n, ok := e.number(s, 1)
	if !ok {
		return
	}
	if n == 0 {
		e.repeatOfZero(s)
		n = 1
	}
	if s.k.name == "vrrp_garp_master_repeat" {
		e.m.Global.GarpRepeat = n
	} else {
		e.m.Global.GarpRefreshRepeat = n
	}
	e.surplus(s, 2)
}

func (e *eval) repeatOfZero(s *stmt) {
	e.object("KA144", e.argSpan(s, 1), "%s of 0", s.arg(0)).fix("use 1", edit{e.argSpan(s, 1), "1"})
}

func (e *eval) globalLowerRepeat(s *stmt) {
	if n, ok := e.number(s, 1); ok {
		e.m.Global.GarpLowerRepeat = n
		e.surplus(s, 2)
	}
}

func (e *eval) globalDownTimer(s *stmt) {
	if n, ok := e.number(s, 1); ok {
		e.m.Global.DownTimerAdverts = n
		e.surplus(s, 2)
	}
}

func (e *eval) globalExtraIf(s *stmt) {
	if s.k.name == "vrrp_vmac_garp_intvl" && !e.v.before(Version{2, 2, 3}) {
		e.renamed(s, "vrrp_garp_extra_if", true)
	}
	e.extraIfWords(s, 1)
}

// extraIfWords reads "[all] SECONDS".
func (e *eval) extraIfWords(s *stmt, min int64) {
	set := false
	for i := 1; i < len(s.w); i++ {
		if s.w[i].s == "all" {
			continue
		}
		if _, ok := e.numberIn(s, i, min, 86400, true); !ok {
			return
		}
		set = true
	}
	if !set {
		e.noValue(s)
	}
}

func (e *eval) globalLowerNoAdvert(s *stmt) {
	if v, ok := e.boolean(s); ok {
		e.m.Global.lowerNoAdvert = v
	}
}

func (e *eval) globalHigherSend(s *stmt) {
	if v, ok := e.boolean(s); ok {
		e.m.Global.higherSend = v
	}
}

func (e *eval) globalVersion(s *stmt) {
	if n, ok := e.number(s, 1); ok {
		e.m.Global.VRRPVersion = int(n)
		e.surplus(s, 2)
	}
}

func (e *eval) iptables(s *stmt) {
	if !e.o.Profile.lacks("iptables") {
		return
	}
	e.object("KA003", e.lineSpan(s), "vrrp_iptables: this build has no iptables and uses nftables").
		fix("use nftables", edit{e.lineSpan(s), "nftables"})
	e.m.Global.nft = true
}

func (e *eval) nftables(s *stmt) {
	if e.m.Global.nft {
		e.object("KA010", e.lineSpan(s), "nftables stands twice; the first one wins").fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
		return
	}
	e.m.Global.nft = e.tableName(s)
}

func (e *eval) nftablesIPVS(s *stmt) {
	if e.m.Global.nftIPVS {
		e.object("KA010", e.lineSpan(s), "nftables_ipvs stands twice; the first one wins").fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
		return
	}
	e.m.Global.nftIPVS = e.tableName(s)
}

func (e *eval) tableName(s *stmt) bool {
	if len(s.arg(1)) >= 256 {
		e.object("KA100", e.argSpan(s, 1), "%s: the table name is longer than 255 bytes", s.arg(0))
		return false
	}
	return true
}

func (e *eval) globalStrict(s *stmt) {
	e.m.Global.Strict = e.flagBool(s)
	e.m.Global.strictAt = e.lineSpan(s)
}

func (e *eval) globalSkipCheck(s *stmt) { e.m.Global.skipCheck = e.flagBool(s) }

func (e *eval) notifyFifo(s *stmt) {
	i := fifoIndex(s.k.name)
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	g := &e.m.Global
	if g.fifo[i] != nil {
		e.object("KA010", e.lineSpan(s), "%s stands twice; the first one wins", s.arg(0)).fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
		return
	}
	n := &notify{args: []string{s.arg(1)}, at: e.lineSpan(s)}
	if len(s.w) > 2 {
		if !e.userKnown(s.arg(2), s.arg(3)) {
			return
		}
	} else if _, ok := e.scriptDefault(e.lineSpan(s)); !ok {
		return
	}
	g.fifo[i] = n
}

func fifoIndex(name string) int {
	switch {
	case strings.HasPrefix(name, "vrrp_"):
		return 1
	case strings.HasPrefix(name, "lvs_"):
		return 2
	}
	return 0
}

func (e *eval) fifoScript(s *stmt) {
	i := fifoIndex(s.k.name)
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	g := &e.m.Global
	if g.fifoScript[i] != nil {
		e.object("KA140", e.lineSpan(s), "%s stands twice; the first one wins", s.arg(0)).fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
		return
	}
	g.fifoScript[i] = e.notifyScript(s)
}

func (e *eval) startScript(s *stmt) {
	slot := &e.m.Global.startup
	if s.k.name == "shutdown_script" {
		slot = &e.m.Global.shutdown
	}
	if *slot != nil {
		e.object("KA140", e.lineSpan(s), "%s stands twice; the first one wins", s.arg(0)).fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
		return
	}
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	if *slot = e.notifyScript(s); *slot == nil {
		e.object("KA133", e.lineSpan(s), "%s: the script cannot be used", s.arg(0))
	}
}

func (e *eval) scriptUser(s *stmt) {
	g := &e.m.Global
	g.userAt = e.lineSpan(s)
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	e.userSet = true
	if !e.userKnown(s.arg(1), s.arg(2)) {
		e.userFailed = true
	} else {
		e.defaultUser = s.arg(1)
		g.ScriptUser = s.arg(1)
	}
	if e.userFailed {
		i := 1
		if e.userKnown(s.arg(1), "") {
			i = 2
		}
		e.object("KA131", e.argSpan(s, i), "script_user: this machine has no %s %s", map[int]string{1: "user", 2: "group"}[i], quoted(s.arg(i)))
	}
	e.surplus(s, 3)
}

func (e *eval) scriptSecurity(s *stmt) {
	e.security = true
	e.m.Global.ScriptSecurity = true
	e.m.Global.securityAt = e.lineSpan(s)
	e.flag(s)
}

func (e *eval) vmacPrefix(s *stmt) {
	set := &e.m.Global.vmacPrefix
	if s.k.name == "vmac_addr_prefix" {
		set = &e.m.Global.vmacAddrPrefix
	}
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	if *set {
		e.object("KA010", e.lineSpan(s), "%s stands twice; the first one wins", s.arg(0)).fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
		return
	}
	*set = true
	e.surplus(s, 2)
}

// finishParent checks the scripts of start and stop.
func (e *eval) finishParent() {
	g := &e.m.Global
	for _, n := range []*notify{g.startup, g.shutdown} {
		if n == nil {
			continue
		}
		e.checkScript(n.args, n.user, n.at, "start", false)
	}
	e.security2(false)
}
