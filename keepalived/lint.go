package keepalived

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"dougu.internal/diag"
)

// lint adds what keepalived passes in silence.
func (e *eval) lint() {
	for _, pass := range []func(){e.lintWords, e.lintDefinitions, e.lintMail, e.lintInstances, e.lintAddresses, e.lintScripts, e.lintGroups, e.lintServers} {
		if e.ctx.Err() != nil {
			return
		}
		pass()
	}
}

func (e *eval) lintInstances() {
	for _, i := range e.m.Instances {
		e.lintInstance(i)
	}
}

// spend reports whether a costly look, at n things, may still be made: hostile input
// gets no more than some hundred of them.
func (e *eval) spend(n int) bool {
	if e.spent++; e.spent > 300 {
		return false
	}
	e.work += n
	return true
}

// recipients looks at the words of one line of notification_email.
func (e *eval) recipients(s, v *stmt) {
	if e.v.before(version1220) {
		return
	}
	if len(v.w) > 2 && !v.w[0].q && strings.EqualFold(v.w[1].s, "at") {
		f := e.note("KA050", e.argsSpan(v, 0), "%d recipients: %s", len(v.w), wordList(v.w))
		if len(v.w) == 3 && e.c.plain(v.l, 0, len(v.text)) {
			f.fix("join them", edit{e.argsSpan(v, 0), v.w[0].s + "@" + v.w[2].s})
		}
		return
	}
	if k := e.keywordHere(v); k != "" {
		f := e.structure("KA052", e.argSpan(v, 0), "%s becomes a recipient: notification_email is not closed before it", quoted(k))
		f.objects = false
		if !f.quiet {
			f.also(e.lineSpan(s), "the block begins here")
			line := e.c.lineOf(e.argSpan(v, 0))
			in := e.c.indent(e.lineSpan(s))
			f.fix("insert }", edit{span{line.file, line.from, line.from}, in + "}" + e.c.newline(line.file)})
		}
		return
	}
	for n, w := range v.w {
		at := e.argSpan(v, n)
		switch {
		case w.s == "{" || w.s == "}":
			e.note("KA052", at, "%s becomes a recipient", quoted(w.s)).fix("delete it", edit{at, ""})
		case strings.IndexByte(w.s, ',') >= 0 && !w.q:
			f := e.note("KA051", at, "the comma becomes part of the recipient %s", quoted(w.s))
			if e.literal(v, n) {
				nl := e.c.newline(at.file) + e.c.indent(at)
				parts := strings.FieldsFunc(w.s, func(r rune) bool { return r == ',' })
				f.fix("one address a line", edit{at, strings.Join(parts, nl)})
			}
		case strings.IndexByte(w.s, '@') < 0:
			f := e.note("KA050", at, "the recipient %s has no @", quoted(w.s))
			if len(v.w) == 1 {
				f.weigh(diag.Warning)
				f.explain("It is mail for a user of the mail server itself, if it has one of that name.")
			} else if !strings.Contains(v.text, `"`) && e.c.plain(v.l, 0, len(v.text)) {
				a := e.argsSpan(v, 0)
				f.fix("quote the address", edit{span{a.file, a.from, a.from}, `"`}, edit{span{a.file, a.to, a.to}, `"`})
			}
			if len(v.w) > 1 {
				return
			}
		}
	}
}

// keywordHere returns the first word of a line of recipients when it is a keyword that
// follows notification_email.
func (e *eval) keywordHere(v *stmt) string {
	w := v.w[0].s
	if v.w[0].q || strings.IndexByte(w, '@') >= 0 {
		return ""
	}
	if k := e.s.blocks["global_defs"].keys[w]; k != nil && (len(v.w) > 1 || k.kind == kindFlag || strings.IndexByte(w, '_') >= 0) {
		return w
	}
	if k := e.s.root.keys[w]; k != nil && (k.kind == kindBlock || k.kind == kindValues) {
		return w
	}
	return ""
}

func wordList(words []word) string {
	var out []string
	for _, w := range words {
		out = append(out, quoted(w.s))
	}
	return strings.Join(out, ", ")
}

func (e *eval) lintMail() {
	g := &e.m.Global
	if g.alertAt.file >= 0 {
		switch {
		case g.SMTPServer == "" && g.serverAt.file < 0:
			e.note("KA056", g.alertAt, "alerts are asked for, and no smtp_server is set")
		case len(g.NotificationEmails) == 0:
			e.note("KA056", g.alertAt, "alerts are asked for, and notification_email names nobody")
		}
	}
	if len(g.NotificationEmails) > 0 && g.fromAt.file < 0 {
		e.note("KA057", g.emailsAt, "no notification_email_from: the sender is the user at this host")
	}
}

// wellKnown are passwords of the examples on the net.
var wellKnown = []string{"1111", "1234", "12345", "123456", "1234567", "12345678", "password", "passwd", "pass", "secret", "keepaliv", "changeme", "0000", "2222", "3333", "d0cker",
	"test", "admin", "root", "vrrp", "mypass", "42", "letmein", "example", "k@l!ve1", "ipv4pass", "ha", "pa55word"}

func (e *eval) lintInstance(i *Instance) {
	if i.broken && i.VRID == 0 && i.ifp == nil && len(i.Addresses) == 0 {
		return
	}
	switch {
	case i.prioAt.file < 0 && i.state == stateMaster:
		f := e.note("KA066", i.head, "state MASTER without a priority: it is 255, that of the address owner")
		e.insertInto(f, i.head, "add priority 150", "priority 150")
	case i.prioAt.file < 0 && !e.given(i, "priority"):
		f := e.note("KA067", i.head, "no priority: it is 100")
		e.insertInto(f, i.head, "add priority 100", "priority 100")
	}
	if i.stateAt.file < 0 && i.state == stateNone && !e.given(i, "state") {
		f := e.note("KA068", i.head, "no state: it begins as %s", i.State)
		e.insertInto(f, i.head, "add state "+i.State, "state "+i.State)
	}
	if i.prio == 255 && i.state == stateBackup {
		e.note("KA069", i.prioAt, "priority 255 with state BACKUP").also(i.stateAt, "the state").fix("use 254", edit{i.prioAt, "254"})
	}
	if i.preemptAt.file >= 0 && i.nopreemptAt.file >= 0 {
		first := i.preemptAt
		if i.nopreemptAt.from < first.from {
			first = i.nopreemptAt
		}
		e.note("KA073", first, "preempt and nopreempt; the last one wins").fix("delete the first one", edit{e.c.lineOf(first), ""})
	}
	if i.pass != "" && i.authTypeAt.file < 0 {
		f := e.note("KA081", i.authPassAt, "auth_pass without auth_type: there is no authentication")
		line := e.c.lineOf(i.authPassAt)
		if strings.HasPrefix(strings.TrimLeft(e.c.lineText(i.authPassAt), " \t"), "auth_pass") {
			f.fix("add auth_type PASS", edit{span{line.file, line.from, line.from}, e.c.indent(i.authPassAt) + "auth_type PASS" + e.c.newline(line.file)})
		}
	}
	if i.pass != "" && slices.Contains(wellKnown, strings.ToLower(i.pass)) {
		e.note("KA086", i.authPassAt, "this password stands in examples on the net")
	}
	if i.Family == 6 && i.version == 2 && !i.Strict {
		e.note("KA098", i.versionAt, "IPv6 with version 2: it becomes version 3").fix("use version 3", edit{i.versionAt, "3"})
	}
	if i.Strict && i.Priority != 255 && !i.Accept && len(i.Addresses) > 0 {
		at := i.strictAt
		if at.file < 0 {
			at = e.m.Global.strictAt
		}
		if at.file >= 0 && !e.strictSeen[at] {
			if e.strictSeen == nil {
				e.strictSeen = map[span]bool{}
			}
			e.strictSeen[at] = true
			f := e.note("KA103", at, "vrrp_strict drops all packets to the virtual addresses: no ping, no service")
			f.also(i.head, "for one this instance")
			f.fix("delete the line", edit{e.c.lineOf(at), ""})
		}
	}
	e.lintPeers(i)
	if i.dontTrackAt.file >= 0 && i.DontTrack {
		e.note("KA142", i.dontTrackAt, "dont_track_primary: a dead link of %s is not noticed", quoted(i.Interface)).fix("delete the line", edit{e.c.lineOf(i.dontTrackAt), ""})
	}
	e.lintTracks(i)
}

func (e *eval) lintPeers(i *Instance) {
	if len(i.Peers) == 0 {
		return
	}
	own := map[netip.Addr]bool{}
	if i.Source.IsValid() {
		own[i.Source] = true
	}
	known := false
	if h := e.o.Host; h != nil {
		for _, f := range h.Interfaces {
			for _, a := range f.Addresses {
				own[a] = true
				known = true
			}
		}
	}
	for n, p := range i.Peers {
		if own[p] {
			f := e.note("KA112", i.peerSpans[n], "%s is an address of this node", p)
			if len(i.Peers) > 1 && strings.TrimSpace(e.c.lineText(i.peerSpans[n])) == p.String() {
				f.fix("delete the line", edit{e.c.lineOf(i.peerSpans[n]), ""})
			}
		}
	}
	if i.srcAt.file < 0 {
		e.note("KA114", i.peersAt, "no unicast_src_ip: the kernel picks the source address")
	} else if known && i.Source.IsValid() {
		has := false
		for _, f := range e.o.Host.Interfaces {
			has = has || slices.Contains(f.Addresses, i.Source)
		}
		if !has {
			e.note("KA115", i.srcAt, "no interface of the host has the address %s", i.Source)
		}
	}
}

func (e *eval) lintTracks(i *Instance) {
	for _, t := range i.Tracks {
		if t.Weight == 0 || t.Kind == "file" && t.deflt {
			continue
		}
		if i.NoPreempt && i.sync == nil {
			f := e.note("KA128", t.at, "with nopreempt the weight of %s never moves the address: a backup does not take over from a MASTER that still answers", quoted(t.Name)).also(i.nopreemptAt, "nopreempt")
			f.explain("Without a weight the instance goes to FAULT when the check fails, and a backup takes over.")
			e.dropWeight(f, t)
			continue
		}
		abs := max(t.Weight, -t.Weight)
		low, high := i.Priority-abs, i.Priority+abs
		switch {
		case t.Kind == "process":
		case abs < 10:
			e.note("KA129", t.at, "a weight of %d moves the address only if the priorities differ by less; -cluster compares them", t.Weight)
		case t.Weight < 0 && low < 1:
			e.note("KA129", t.at, "%d less %d is below 1: the priority stops at 1", i.Priority, abs).weigh(diag.Info)
		case t.Weight > 0 && high > 254:
			e.note("KA129", t.at, "%d and %d is above 254: the priority stops at 254", i.Priority, abs)
		}
	}
}

// lintAddresses looks at virtual addresses: who else has them.
func (e *eval) lintAddresses() {
	type owner struct {
		i  *Instance
		at span
	}
	seen := map[netip.Addr]owner{}
	for _, i := range e.m.Instances {
		e.lintDuplicates(i)
		e.lintNetwork(i)
		e.lintOwnAddress(i)
		for _, list := range [][]Address{i.Addresses, i.Excluded} {
			for k := range list {
				addr := list[k].Prefix.Addr()
				o, ok := seen[addr]
				switch {
				case !ok:
					seen[addr] = owner{i, list[k].at}
				case o.i != i:
					e.note("KA095", list[k].at, "%s is an address of %s as well", addr, quoted(o.i.Name)).also(o.at, "there")
				}
			}
		}
	}
}

// version233 is the first release that refuses duplicates within an instance: upstream
// functions vip_is_duplicate and the check of unicast peers, both in vrrp_data.c.
var version233 = Version{2, 3, 3}

// lintDuplicates finds addresses that an instance has twice. A virtual address is compared
// with the virtual addresses before it by the address alone, and all other pairs by the
// address and the device that is written beside it.
func (e *eval) lintDuplicates(i *Instance) {
	type entry struct {
		a        *Address
		excluded bool
	}
	var all []entry
	for n := range i.Addresses {
		all = append(all, entry{&i.Addresses[n], false})
	}
	for n := range i.Excluded {
		all = append(all, entry{&i.Excluded[n], true})
	}
	slices.SortStableFunc(all, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.a.at.file, b.a.at.file), cmp.Compare(a.a.at.from, b.a.at.from))
	})
	type key struct {
		addr     netip.Addr
		dev      string
		excluded bool
	}
	byDev, virtual := map[key]*Address{}, map[netip.Addr]*Address{}
	for _, x := range all {
		addr := x.a.Prefix.Addr()
		dev := x.a.Dev
		first := byDev[key{addr, dev, x.excluded}]
		if first == nil {
			first = byDev[key{addr, dev, !x.excluded}]
		}
		if first == nil && !x.excluded {
			first = virtual[addr]
		}
		if first != nil {
			f := e.note("KA094", x.a.at, "%s is twice in %s", addr, quoted(i.Name)).also(first.at, "the first one")
			f.objects = !e.v.before(version233)
			if first.Dev != dev && !f.objects {
				f.weigh(diag.Info)
				f.explain("keepalived 2.3.3 and later refuse it; virtual_ipaddress_excluded accepts one address on several interfaces.")
			}
			continue
		}
		byDev[key{addr, dev, x.excluded}] = x.a
		if !x.excluded {
			virtual[addr] = x.a
		}
	}
}

// lintNetwork looks at addresses without a prefix length. A /32 beside the address of the
// network is the usual form; only the facts about the host show that the network is missing.
func (e *eval) lintNetwork(i *Instance) {
	if e.o.Host == nil {
		return
	}
	covers := func(dev string, addr netip.Addr) (covered, known bool) {
		for _, p := range e.o.Host.Interfaces[dev].Prefixes {
			if p.Addr().Is4() == addr.Is4() {
				known = true
				covered = covered || p.Contains(addr)
			}
		}
		return covered, known
	}
	for _, list := range [][]Address{i.Addresses, i.Excluded} {
		for k := range list {
			a := &list[k]
			addr := a.Prefix.Addr()
			if !a.noLength || isLinkLocal(addr) {
				continue
			}
			dev := a.Dev
			if dev == "" {
				dev = i.Interface
			}
			covered, known := covers(dev, addr)
			for _, l := range [][]Address{i.Addresses, i.Excluded} {
				for n := range l {
					covered = covered || !l[n].noLength && l[n].Prefix.Masked().Contains(addr)
				}
			}
			if known && !covered {
				e.note("KA090", a.at, "%s has no prefix length and becomes a /%d, and %s has no address in its network", addr, a.Prefix.Bits(), quoted(dev))
				break // the others of the block have the same form
			}
		}
	}
}

// lintOwnAddress finds virtual addresses that a machine has already: a peer, or the host
// itself. keepalived removes the address of the host when it starts.
func (e *eval) lintOwnAddress(i *Instance) {
	peers := map[netip.Addr]int{}
	for n, p := range i.Peers {
		peers[p] = n
	}
	for _, list := range [][]Address{i.Addresses, i.Excluded} {
		for k := range list {
			a := &list[k]
			addr := a.Prefix.Addr()
			if n, ok := peers[addr]; ok {
				e.note("KA118", a.at, "%s is a virtual address and the unicast peer: it would be on two machines", addr).
					also(i.peerSpans[n], "the peer")
			}
			if i.Priority == 255 {
				continue
			}
			if addr == i.Source {
				e.note("KA119", a.at, "%s is a virtual address and the unicast_src_ip: keepalived removes it from the host when it starts", addr)
				continue
			}
			if e.o.Host == nil {
				continue
			}
			for _, name := range sortedKeys(e.o.Host.Interfaces) {
				if slices.Contains(e.o.Host.Interfaces[name].Addresses, addr) {
					e.note("KA119", a.at, "%s is an address of the host on %s: keepalived removes it when it starts", addr, quoted(name))
					break
				}
			}
		}
	}
}

// shellSigns are what a shell would understand, and keepalived does not.
var shellSigns = []string{"|", ">", "<", "&&", "||", ";", "`", "$(", "${", "&"}

// isArgument reports whether a word is meant as an argument of a script and not as its
// user: a state, a word in capitals, a number.
func isArgument(w string) bool {
	switch strings.ToLower(w) {
	case "master", "backup", "fault", "stop", "init", "start", "up", "down", "instance", "group", "primary", "secondary", "true", "false", "on", "off", "yes", "no":
		return true
	}
	hasUpper, hasLower, onlyDigits := false, false, w != ""
	for _, c := range w {
		hasUpper = hasUpper || c >= 'A' && c <= 'Z'
		hasLower = hasLower || c >= 'a' && c <= 'z'
		onlyDigits = onlyDigits && c >= '0' && c <= '9'
	}
	return hasUpper && !hasLower || onlyDigits
}

// scriptValue looks at the value of a script: what is lost, what no shell reads.
func (e *eval) scriptValue(s *stmt, words []word, args []string) {
	at := e.argsSpan(s, 1)
	if len(args) == 0 {
		return
	}
	script := s.k.name == "script" || s.k.name == "misc_path"
	if len(words) > 2 && !strings.HasPrefix(args[0], "<") {
		lost := words[2:]
		known := e.o.Host != nil && e.o.Host.User != nil && e.o.Host.User(lost[0].s)
		plainUser := len(lost) <= 2 && !isArgument(lost[0].s) && strings.Trim(lost[0].s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == "" && !strings.HasPrefix(lost[0].s, "-")
		if script || isArgument(lost[0].s) || !known && !(plainUser && (lost[0].s == "root" || lost[0].s == "nobody" || lost[0].s == "keepalived_script" || e.o.Host == nil || e.o.Host.User == nil)) {
			what := "are lost: only the first word is run"
			if !script {
				what = "are taken for a user and a group, and the script is not run when there are none of these names"
			}
			f := e.note("KA138", at, "the words behind %s %s", quoted(args[0]), what)
			if e.c.plain(s.l, 0, len(s.text)) && !strings.ContainsAny(s.text, `"`) {
				f.fix("quote the command", edit{span{at.file, at.from, at.from}, `"`}, edit{span{at.file, at.to, at.to}, `"`})
			}
		}
	}
	all := args
	if len(words) > 2 && script {
		for _, w := range words[2:] {
			all = append(all[:len(all):len(all)], w.s)
		}
	}
	shell := strings.HasSuffix(args[0], "/sh") || strings.HasSuffix(args[0], "/bash") || args[0] == "sh" || args[0] == "bash" || strings.HasSuffix(args[0], "/dash")
	if strings.HasPrefix(args[0], "</dev/tcp/") || strings.HasPrefix(args[0], "</dev/udp/") {
		e.note("KA137", at, "%s is known to bash alone, and keepalived gives the line to /bin/sh: where that is dash (Debian, Ubuntu), the check always fails", quoted(args[0])).
			explain("Call bash: \"/bin/bash -c '%s'\", or use a TCP client such as nc -z.", args[0])
	}
	if !shell && !e.v.before(Version{2, 0, 0}) {
		for n, a := range all {
			sign := ""
			for _, c := range shellSigns {
				if strings.Contains(a, c) && !(n == 0 && c == "<") {
					sign = c
					break
				}
			}
			if sign == "" && len(a) > 1 && a[0] == '$' && isName(a[1]) {
				sign = a
			}
			if sign == "" && n == 0 && (a == "cd" || a == "export" || a == "exit" || a == "source" || a == ".") {
				sign = a
			}
			if sign == "" {
				continue
			}
			f := e.note("KA137", at, "%s is no sign of a shell here: no shell reads the value", quoted(sign))
			cmd := strings.Join(all, " ")
			if e.c.plain(s.l, 0, len(s.text)) && strings.IndexByte(cmd, '\'') < 0 && strings.IndexByte(cmd, '"') < 0 && strings.IndexByte(cmd, '\\') < 0 {
				f.fix("call sh -c", edit{at, `"/bin/sh -c '` + cmd + `'"`})
			}
			break
		}
	}
	if a := args[0]; !strings.HasPrefix(a, "/") && !strings.HasPrefix(a, "<") && !strings.HasPrefix(a, "$") {
		e.note("KA139", at, "%s is no full path: where it is found depends on how keepalived was started", quoted(a))
	}
}

func (e *eval) lintScripts() {
	g := &e.m.Global
	for _, s := range e.m.Scripts {
		if s.timeoutSet && s.Timeout > s.Interval {
			f := e.note("KA125", s.timeoutAt, "the timeout is longer than the interval")
			secs := formatDecimal(int64(s.Interval/1e6), 3)
			f.fix("use the interval", edit{s.timeoutAt, secs})
		}
		if !s.tracked && e.scripts[s.Name] == s {
			e.note("KA122", s.head, "nothing tracks the vrrp_script %s", quoted(s.Name))
		}
	}
	used := len(e.m.Scripts) > 0
	for _, i := range e.m.Instances {
		used = used || len(i.notify) > 0
	}
	if used && g.userAt.file < 0 && e.v.Compare(version130) >= 0 {
		own := true
		for _, s := range e.m.Scripts {
			own = own && s.userSet
		}
		if !own || len(e.m.Scripts) == 0 {
			at := g.securityAt
			if at.file < 0 {
				at = e.firstScript()
			}
			if at.file >= 0 {
				known := e.o.Host != nil && e.o.Host.User != nil
				switch {
				case known && e.o.Host.User("keepalived_script"):
					return // the user that is taken
				case g.securityAt.file >= 0 && known:
					e.note("KA132", at, "no script_user, and the host has no user keepalived_script: all scripts are removed")
				case g.securityAt.file >= 0:
					e.note("KA132", at, "no script_user: all scripts are removed if the host has no user keepalived_script")
				}
				if g.securityAt.file >= 0 {
					return
				}
				f := e.note("KA132", at, "no script_user: scripts run as root if the host has no user keepalived_script")
				if g.securityAt.file >= 0 && strings.TrimSpace(e.c.lineText(at)) == "enable_script_security" {
					line := e.c.lineOf(at)
					f.fix("add script_user keepalived_script", edit{span{line.file, line.to, line.to}, e.c.indent(at) + "script_user keepalived_script" + e.c.newline(line.file)})
				}
			}
		}
	}
	if g.syncdInstance != "" && e.insts[g.syncdInstance] == nil {
		f := e.note("KA143", g.syncdAt, "there is no vrrp_instance %s", quoted(g.syncdInstance))
		if n := near(g.syncdInstance, sortedKeys(e.insts)); n != "" {
			f.fix("use "+n, edit{g.syncdAt, n})
		}
	}
}

func (e *eval) firstScript() span {
	for _, s := range e.m.Scripts {
		return s.head
	}
	for _, i := range e.m.Instances {
		for _, k := range sortedKeys(i.notify) {
			if i.notify[k] != nil {
				return i.notify[k].at
			}
		}
	}
	return nowhere
}

func (e *eval) lintGroups() {
	for _, g := range e.m.SyncGroups {
		if len(g.instances) < 2 {
			continue
		}
		first := g.instances[0]
		for _, i := range g.instances[1:] {
			if i.State != first.State {
				at := i.stateAt
				if at.file < 0 {
					at = i.head
				}
				f := e.note("KA153", at, "%s begins as %s, %s as %s, and both are in the group %s", quoted(i.Name), i.State, quoted(first.Name), first.State, quoted(g.Name)).also(first.stateAt, "the other one")
				if i.stateAt.file >= 0 {
					f.fix("use "+first.State, edit{i.stateAt, first.State})
				}
			}
			if i.Priority != first.Priority {
				at := i.prioAt
				if at.file < 0 {
					at = i.head
				}
				f := e.note("KA154", at, "%s has priority %d, %s %d, and both are in the group %s", quoted(i.Name), i.Priority, quoted(first.Name), first.Priority, quoted(g.Name)).also(first.prioAt, "the other one")
				if i.prioAt.file >= 0 {
					f.fix(fmt.Sprintf("use %d", first.Priority), edit{i.prioAt, fmt.Sprint(first.Priority)})
				}
			}
		}
	}
}

func (e *eval) lintServers() {
	type key struct {
		addr  netip.Addr
		port  uint16
		mark  uint32
		group string
		proto string
	}
	seen := map[key]*VirtualServer{}
	held, hostHas := map[netip.Addr]bool{}, map[netip.Addr]bool{}
	for _, i := range e.m.Instances {
		for _, list := range [][]Address{i.Addresses, i.Excluded} {
			for k := range list {
				held[list[k].Prefix.Addr()] = true
			}
		}
	}
	if e.o.Host != nil {
		for _, f := range e.o.Host.Interfaces {
			for _, a := range f.Addresses {
				hostHas[a] = true
			}
		}
	}
	for _, vs := range e.m.VirtualServers {
		k := key{vs.Address, vs.Port, vs.Mark, vs.Group, vs.Protocol}
		if first := seen[k]; first != nil {
			e.note("KA167", vs.head, "the virtual server %s stands twice", vs.name()).also(first.head, "the first one")
		} else {
			seen[k] = vs
		}
		if vs.Sorry != nil && vs.Sorry.Port == 0 && vs.Port != 0 {
			f := e.note("KA175", vs.sorryAt, "the sorry server has no port; that of the virtual server is taken only for DR and TUN")
			f.fix(fmt.Sprintf("add port %d", vs.Port), edit{span{vs.sorryAt.file, vs.sorryAt.to, vs.sorryAt.to}, fmt.Sprintf(" %d", vs.Port)})
		}
		if s := vs.Sorry; s != nil {
			for _, rs := range vs.Servers {
				if rs.Address == s.Address && (rs.Port == s.Port || s.Port == 0) {
					e.note("KA187", vs.sorryAt, "the sorry server %s is a real server of this virtual server as well", serverName(s)).also(rs.head, "the real server")
					break
				}
			}
		}
		if vs.Address.IsValid() && len(held) > 0 && !held[vs.Address] && !hostHas[vs.Address] {
			e.note("KA188", vs.head, "no vrrp_instance holds %s, the address of the virtual server", vs.Address)
		}
		for _, rs := range vs.Servers {
			if rs.Weight > 65535 && rs.weightAt.file >= 0 {
				e.note("KA174", rs.weightAt, "a weight of %d is rarely meant", rs.Weight)
			}
			if len(rs.Checkers) == 0 {
				f := e.note("KA180", rs.head, "no check: the real server %s is never taken out of service", serverName(rs))
				if vs.Protocol == "TCP" {
					e.insertInto(f, rs.head, "add TCP_CHECK", "TCP_CHECK {"+e.c.newline(rs.head.file)+e.c.indent(rs.head)+"    }")
				}
				continue
			}
			if vs.Protocol == "UDP" && slices.Contains(rs.Checkers, "TCP_CHECK") {
				e.note("KA181", rs.head, "TCP_CHECK says nothing about a UDP service")
			}
		}
	}
}

// braceLine is told of the { of a block of values that stands on a line of its own.
func (e *eval) braceLine(s, v *stmt) {}
