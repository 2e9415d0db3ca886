package keepalived

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"dougu.internal/diag"
)

// Node is one machine of a cluster.
type Node struct {
	// Name is how the node is called in findings and outcomes.
	Name string
	// Config is its configuration.
	Config *Config
	// Addr is the address from which it sends, when that is known: it decides ties and
	// whether unicast peers name the node.
	Addr netip.Addr
}

// member is an instance of one node that belongs to a virtual router.
type member struct {
	node int
	e    *eval
	i    *Instance
}

// router is a virtual router: the instances of several nodes that belong together.
type router struct {
	name    string
	members []member
}

// of returns the member of a node.
func (r *router) of(node int) *member {
	for n := range r.members {
		if r.members[n].node == node {
			return &r.members[n]
		}
	}
	return nil
}

// routers finds the instances that belong together: those of one name, those that
// share an address, those with one VRID.
func routers(evals []*eval) []*router {
	var out []*router
	byName := map[string][]*router{}
	byAddr := map[netip.Addr][]*router{}
	byID := map[[2]int][]*router{}
	add := func(r *router, m member) {
		r.members = append(r.members, m)
		byName[m.i.Name] = append(byName[m.i.Name], r)
		for _, a := range m.i.Addresses {
			byAddr[a.Prefix.Addr()] = append(byAddr[a.Prefix.Addr()], r)
		}
		id := [2]int{m.i.Family, m.i.VRID}
		byID[id] = append(byID[id], r)
	}
	free := func(list []*router, node int) *router {
		for _, r := range list[:min(len(list), 64)] {
			if r.of(node) == nil {
				return r
			}
		}
		return nil
	}
	for n, e := range evals {
		var rest []*Instance
		for _, i := range e.m.Instances {
			if r := free(byName[i.Name], n); r != nil {
				add(r, member{n, e, i})
			} else {
				rest = append(rest, i)
			}
		}
		for _, i := range rest {
			var r *router
			for _, a := range i.Addresses {
				if r = free(byAddr[a.Prefix.Addr()], n); r != nil {
					break
				}
			}
			if r == nil {
				r = free(byID[[2]int{i.Family, i.VRID}], n)
			}
			if r == nil {
				r = &router{name: i.Name}
				out = append(out, r)
			}
			add(r, member{n, e, i})
		}
	}
	return out
}

// deafness returns the reason why the instance of a member does not accept the
// advertisements of another one, with the rule that reports it, or "" if it accepts them.
func deafness(to, from *member) (rule, why string) {
	a, b := to.i, from.i
	switch {
	case a.VRID != b.VRID:
		return "KA200", "the virtual_router_id differs"
	case a.Version != b.Version:
		return "KA202", "the version differs"
	case a.Family != b.Family:
		return "KA202", "the address family differs"
	case a.Unicast != b.Unicast:
		return "KA206", "one sends unicast, the other multicast"
	case a.AuthType != b.AuthType:
		return "KA201", "the authentication differs"
	case a.AuthType != "" && cut8(a.pass) != cut8(b.pass):
		return "KA201", "the password differs"
	case a.Version == 2 && a.Advert != b.Advert:
		return "KA202", "advert_int differs"
	case !a.Unicast && to.group() != from.group():
		return "KA202", "the multicast group differs"
	case to.e.v.before(version233) && !sameAddresses(a, b):
		// Since 2.3.3 (upstream commit af103930) the advertisement is accepted.
		return "KA204", "the addresses differ"
	}
	return "", ""
}

// group returns the multicast group that a member uses.
func (m *member) group() netip.Addr {
	switch {
	case m.i.mcast.IsValid():
		return m.i.mcast
	case m.i.Family == 4:
		return m.e.m.Global.Multicast4
	}
	return m.e.m.Global.Multicast6
}

func cut8(s string) string { return s[:min(len(s), 8)] }

func sameAddresses(a, b *Instance) bool {
	if len(a.Addresses) != len(b.Addresses) {
		return false
	}
	set := map[netip.Addr]bool{}
	for _, x := range a.Addresses {
		set[x.Prefix.Addr()] = true
	}
	for _, x := range b.Addresses {
		if !set[x.Prefix.Addr()] {
			return false
		}
	}
	return true
}

// LintCluster reports inconsistencies between the configurations of several nodes. It does
// not include the findings of [Lint]. The places are in the files of the nodes, under the
// names that their loaders give. The error is that of ctx; a finding is never an error.
func LintCluster(ctx context.Context, nodes []Node, o Options) (diag.List, error) {
	evals := evaluateAll(ctx, nodes, o)
	if err := ctx.Err(); err != nil {
		return nil, errs.Errorf("lint a cluster of %d nodes: %w", len(nodes), err)
	}
	var list diag.List
	for _, e := range evals {
		e.store = store{}
	}
	for _, r := range routers(evals) {
		r.lint(nodes)
	}
	lintNodes(nodes, evals)
	for _, e := range evals {
		list = append(list, e.list()...)
	}
	list.Sort()
	return list, nil
}

func evaluateAll(ctx context.Context, nodes []Node, o Options) []*eval {
	var out []*eval
	for _, n := range nodes {
		out = append(out, evaluate(ctx, n.Config, o))
	}
	return out
}

// report records a finding in the file of a member; the place of the other one is
// named in words, since it lies in another file.
func (m member) report(rule string, at span, format string, args ...any) *finding {
	if at.file < 0 {
		at = m.i.head
	}
	return m.e.note(rule, at, format, args...)
}

func (r *router) lint(nodes []Node) {
	if len(r.members) < 2 {
		return
	}
	first := r.members[0]
	name := func(m member) string { return nodes[m.node].Name }
	for _, m := range r.members[1:] {
		a, b := first.i, m.i
		rule, why := deafness(&m, &first)
		if rule == "" && !sameAddresses(a, b) {
			at := b.vipsAt
			for _, x := range b.Addresses {
				if !slices.ContainsFunc(a.Addresses, func(y Address) bool { return x.Prefix.Addr() == y.Prefix.Addr() }) {
					at = x.at
					break
				}
			}
			m.report("KA204", at, "%s: the addresses are not those of %s: %s; an address of one node is on no node while the other is MASTER",
				r.name, name(first), difference(a, b))
		}
		switch rule {
		case "KA200":
			f := m.report(rule, b.vridAt, "%s: virtual_router_id is %d here and %d on %s: all of them are MASTER", r.name, b.VRID, a.VRID, name(first))
			if b.vridAt.file >= 0 {
				id := strconv.Itoa(a.VRID)
				f.fix("use "+id, edit{b.vridAt, id})
			}
		case "KA201":
			at := b.authPassAt
			if a.AuthType != b.AuthType {
				at = b.authTypeAt
			}
			m.report(rule, at, "%s: %s from %s: all of them are MASTER", r.name, strings.TrimSuffix(why, " differs")+" differs", name(first))
		case "KA202":
			at := b.advertAt
			text := ""
			switch why {
			case "the version differs":
				at, text = b.versionAt, fmt.Sprintf("version is %d here and %d on %s", b.Version, a.Version, name(first))
			case "the multicast group differs":
				at, text = m.groupAt(), fmt.Sprintf("the multicast group is %s here and %s on %s", m.group(), first.group(), name(first))
			case "the address family differs":
				at, text = b.vipsAt, fmt.Sprintf("the family is IPv%d here and IPv%d on %s", b.Family, a.Family, name(first))
			default:
				text = fmt.Sprintf("advert_int is %s here and %s on %s", seconds(b), seconds(a), name(first))
			}
			f := m.report(rule, at, "%s: %s: all of them are MASTER", r.name, text)
			if at == b.advertAt && at.file >= 0 {
				f.fix("use "+seconds(a), edit{at, seconds(a)})
			} else if at == b.versionAt && at.file >= 0 {
				f.fix(fmt.Sprintf("use version %d", a.Version), edit{at, strconv.Itoa(a.Version)})
			}
		case "KA204":
			m.report(rule, b.vipsAt, "%s: the addresses are not those of %s: %s", r.name, name(first), difference(a, b))
		case "KA206":
			m.report(rule, b.peersAt, "%s: %s has unicast peers or not, and here it is the other way round", r.name, name(first))
		}
		if a.Version == 3 && b.Version == 3 && a.Advert != b.Advert && rule == "" {
			m.report("KA202", b.advertAt, "%s: advert_int is %s here and %s on %s; with version 3 that works", r.name, seconds(b), seconds(a), name(first)).weigh(diag.Info)
		}
		if rule == "" && a.AuthType != "" && a.pass == b.pass && a.longPass != b.longPass {
			m.report("KA208", b.authPassAt, "%s: the password is that of %s in its first 8 bytes only", r.name, name(first))
		}
	}
	r.lintPriorities(nodes)
	r.lintNoPreempt(nodes)
	r.lintOwners(nodes)
	r.lintPeers(nodes)
	r.lintChecks(nodes)
}

// groupAt returns the place that sets the multicast group of a member.
func (m *member) groupAt() span {
	switch {
	case m.i.mcast.IsValid():
		return m.i.mcastAt
	case m.i.Family == 4:
		return m.e.m.Global.multicast4At
	}
	return m.e.m.Global.multicast6At
}

func seconds(i *Instance) string { return formatDecimal(int64(i.Advert/1000), 6) }

// difference names the addresses that one instance has and the other has not.
func difference(a, b *Instance) string {
	list := func(x, y *Instance) []string {
		set := map[netip.Addr]bool{}
		for _, v := range y.Addresses {
			set[v.Prefix.Addr()] = true
		}
		var out []string
		for _, v := range x.Addresses {
			if !set[v.Prefix.Addr()] && len(out) < 5 {
				out = append(out, v.Prefix.Addr().String())
			}
		}
		return out
	}
	var parts []string
	if l := list(b, a); len(l) > 0 {
		parts = append(parts, strings.Join(l, ", ")+" only here")
	}
	if l := list(a, b); len(l) > 0 {
		parts = append(parts, strings.Join(l, ", ")+" only there")
	}
	return strings.Join(parts, "; ")
}

func (r *router) lintPriorities(nodes []Node) {
	by := map[int]member{}
	masters := []member{}
	for _, m := range r.members {
		if o, ok := by[m.i.Priority]; ok {
			f := m.report("KA205", m.i.prioAt, "%s: the priority is %d, as on %s", r.name, m.i.Priority, nodes[o.node].Name)
			if m.i.prioAt.file >= 0 && m.i.Priority > 10 {
				p := m.i.Priority
				for _, taken := by[p]; taken && p > 1; _, taken = by[p] {
					p -= 10
				}
				if p > 0 {
					f.fix("use "+strconv.Itoa(p), edit{m.i.prioAt, strconv.Itoa(p)})
				}
			}
		} else {
			by[m.i.Priority] = m
		}
		if m.i.State == "MASTER" {
			masters = append(masters, m)
		}
	}
	for _, m := range masters[min(1, len(masters)):] {
		if m.i.stateAt.file < 0 {
			continue
		}
		m.report("KA207", m.i.stateAt, "%s: state MASTER here and on %s", r.name, nodes[masters[0].node].Name).fix("use BACKUP", edit{m.i.stateAt, "BACKUP"})
	}
}

// lintNoPreempt finds nopreempt on nodes that do not have the highest priority, if the node
// that has it does not have the option.
func (r *router) lintNoPreempt(nodes []Node) {
	best := r.members[0]
	for _, m := range r.members {
		if m.i.effective(nil) > best.i.effective(nil) {
			best = m
		}
	}
	if best.i.NoPreempt {
		return
	}
	for _, m := range r.members {
		if m.i.NoPreempt && m.i.effective(nil) < best.i.effective(nil) && m.i.nopreemptAt.file >= 0 {
			m.report("KA211", m.i.nopreemptAt, "%s: nopreempt has no effect here: %s has the highest priority, %d, and takes the address back at once",
				r.name, nodes[best.node].Name, best.i.effective(nil))
		}
	}
}

// lintOwners finds virtual addresses that are the address of a node.
func (r *router) lintOwners(nodes []Node) {
	for _, m := range r.members {
		for _, list := range [][]Address{m.i.Addresses, m.i.Excluded} {
			for k := range list {
				for n, node := range nodes {
					if node.Addr != list[k].Prefix.Addr() || !node.Addr.IsValid() || n == m.node && m.i.Priority == 255 {
						continue
					}
					if o := r.of(n); o != nil && o.i.Priority == 255 {
						continue // the owner of the address
					}
					if n == m.node && node.Addr == m.i.Source {
						continue // a finding of Lint
					}
					m.report("KA212", list[k].at, "%s: %s is a virtual address and the address of %s: keepalived removes it from that node when it starts",
						r.name, node.Addr, node.Name)
				}
			}
		}
	}
}

// address returns the address from which a member sends, if it is known.
func (m member) address(nodes []Node) netip.Addr {
	if m.i.Source.IsValid() {
		return m.i.Source
	}
	return nodes[m.node].Addr
}

func (r *router) lintPeers(nodes []Node) {
	for _, m := range r.members {
		if !m.i.Unicast {
			continue
		}
		for _, o := range r.members {
			if o.node == m.node || !o.i.Unicast {
				continue
			}
			a := o.address(nodes)
			if !a.IsValid() || family(a) != m.i.Family || slices.Contains(m.i.Peers, a) {
				continue
			}
			f := m.report("KA206", m.i.peersAt, "%s: the peers do not name %s, which is %s", r.name, nodes[o.node].Name, a)
			if len(m.i.peerSpans) > 0 {
				last := m.i.peerSpans[len(m.i.peerSpans)-1]
				line := m.e.c.lineOf(last)
				if strings.TrimSpace(m.e.c.lineText(last)) == m.e.c.sources[last.file].text[last.from:last.to] {
					f.fix("add the peer", edit{span{line.file, line.to, line.to}, m.e.c.indent(last) + a.String() + m.e.c.newline(line.file)})
				}
			}
		}
	}
}

// lintChecks finds checks on the node that is MASTER when all is well which can fail
// without another node taking over.
func (r *router) lintChecks(nodes []Node) {
	best := 0
	for n := range r.members {
		if r.members[n].i.effective(nil) > r.members[best].i.effective(nil) {
			best = n
		}
	}
	m := r.members[best]
	if m.i.Priority == 255 {
		return
	}
	for _, t := range m.i.Tracks {
		if t.Weight == 0 {
			continue
		}
		need, with, why := r.smallest(nodes, m, t)
		if need == 0 && why == "" {
			continue
		}
		if why != "" {
			m.report("KA203", t.at, "%s: when %s fails on %s, %s stays MASTER: %s", r.name, quoted(t.Name), nodes[m.node].Name, nodes[m.node].Name, why)
			continue
		}
		f := m.report("KA203", t.at, "%s: when %s fails on %s, it stays MASTER: %d against %d on %s; the smallest weight that works is %d",
			r.name, quoted(t.Name), nodes[m.node].Name, m.i.effective([]string{t.Name}), with.i.effective(nil), nodes[with.node].Name, need)
		if t.weightAt.file >= 0 && need >= -253 && need <= 253 {
			f.fix(fmt.Sprintf("use weight %d", need), edit{t.weightAt, strconv.Itoa(need)})
		}
	}
}

// smallest returns the weight of the least size with which the failure of a check makes
// the member lose to another, and to which; 0 when the weight does it already.
func (r *router) smallest(nodes []Node, m member, t Track) (need int, with member, why string) {
	after := m.i.effective([]string{t.Name})
	found := false
	for _, o := range r.members {
		if o.node == m.node {
			continue
		}
		if rule, _ := deafness(&o, &m); rule != "" {
			continue
		}
		if o.i.NoPreempt {
			if !found && why == "" {
				why = fmt.Sprintf("nopreempt on %s does not let it take over for a lower priority; only a check without a weight does", nodes[o.node].Name)
			}
			continue
		}
		other := o.i.effective(nil)
		if other > after {
			return 0, o, ""
		}
		if !found || other > with.i.effective(nil) {
			with, found = o, true
		}
	}
	if !found {
		if why == "" {
			return 0, member{}, ""
		}
		return 0, member{}, why
	}
	other := with.i.effective(nil)
	// Without the weight of this check: what the member has when it is well, or what
	// the other one gets from the same check.
	if t.Weight < 0 != t.Reverse {
		base := m.i.effective(nil)
		need = -(base - other + 1)
	} else {
		base := after
		gain := 0
		for _, x := range with.i.Tracks {
			if x.Name == t.Name && x.Kind == t.Kind && x.Weight > 0 {
				gain = x.Weight
			}
		}
		need = base - (other - gain) + 1
		if gain == 0 {
			// The other one gains nothing by it: a negative weight is needed.
			need = -(base - other + 1)
		}
	}
	if need > 253 || need < -253 {
		return 0, with, fmt.Sprintf("no weight closes the distance to %s, %d against %d", nodes[with.node].Name, after, other)
	}
	return need, with, ""
}

// effective returns the priority of an instance while the named checks fail.
func (i *Instance) effective(failed []string) int {
	if i.Priority == 255 {
		return 255
	}
	p := i.Priority
	for _, t := range i.Tracks {
		p += t.points(slices.Contains(failed, t.Name))
	}
	return min(max(p, 1), 254)
}

// points returns what a check adds to the priority.
func (t Track) points(failed bool) int {
	w := t.Weight
	if t.Reverse {
		w = -w
	}
	switch t.Kind {
	case "file":
		// A file that fails holds the value that lowers the priority by its weight.
		if failed {
			return -max(w, -w)
		}
		return 0
	}
	if t.Weight > 0 && !failed || t.Weight < 0 && failed {
		return w
	}
	return 0
}

// lintNodes compares what does not belong to one virtual router.
func lintNodes(nodes []Node, evals []*eval) {
	ids := map[string]int{}
	var first map[string]bool
	for n, e := range evals {
		if id := e.m.Global.RouterID; id != "" {
			if o, ok := ids[id]; ok {
				e.note("KA210", e.m.Global.routerAt, "router_id is %s, as on %s: mails and SNMP do not tell them apart", quoted(id), nodes[o].Name)
			} else {
				ids[id] = n
			}
		}
		set := map[string]bool{}
		for _, vs := range e.m.VirtualServers {
			set[vs.name()+" "+vs.Protocol] = true
		}
		if n == 0 {
			first = set
			continue
		}
		var missing []string
		for _, k := range sortedKeys(first) {
			if !set[k] && len(missing) < 5 {
				missing = append(missing, strings.TrimSpace(k))
			}
		}
		at := span{0, 0, 0}
		if len(missing) > 0 {
			e.note("KA209", at, "virtual servers of %s are missing here: %s", nodes[0].Name, strings.Join(missing, ", "))
		}
		for _, vs := range e.m.VirtualServers {
			if !first[vs.name()+" "+vs.Protocol] {
				e.note("KA209", vs.head, "the virtual server %s is missing on %s", vs.name(), nodes[0].Name)
				break
			}
		}
	}
}
