package keepalived

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// FaultKind says what is wrong with a node during a phase.
type FaultKind uint8

// The kinds of faults.
const (
	// CheckFails: the script, file, process or BFD session named Subject fails on Node.
	CheckFails FaultKind = iota + 1
	// InterfaceDown: the interface Subject of Node is down.
	InterfaceDown
	// NodeStopped: keepalived does not run on Node.
	NodeStopped
	// Partition: Node and the node Subject do not reach each other. With an Interface, they
	// do not on that network alone; the links stay up.
	Partition
	// Deaf: packets that Node sends do not reach the node Subject. With an Interface, those
	// on that network do not.
	Deaf
)

// Fault is something that is wrong during a phase.
type Fault struct {
	Node    string    `json:"node,omitzero"`
	Subject string    `json:"subject,omitzero"`
	Kind    FaultKind `json:"kind,omitzero"`
	// Interface limits [Partition] and [Deaf] to the instances on one interface. If empty,
	// all networks are meant.
	Interface string `json:"interface,omitzero"`
}

// Outcome is what a phase leads to for one virtual router.
type Outcome struct {
	// Phase counts from 0, the start, in which all is well.
	Phase int `json:"phase,omitzero"`
	// Instance is the name of the vrrp_instance.
	Instance string `json:"instance,omitzero"`
	// Masters are the nodes that are MASTER at the end of the phase, in the order in
	// which the nodes were given: one when all is well, more in a split brain, none in
	// an outage.
	Masters []string `json:"masters,omitzero"`
	// Nodes holds what became of each node, in the order in which they were given.
	Nodes []NodeOutcome `json:"nodes,omitzero"`
	// Undetermined means that the result depends on which node is first: real nodes end in
	// one way or another. Masters is one of the possible results.
	Undetermined bool `json:"undetermined,omitzero"`
	// Reason says in words why it is so, and what would be needed for a failover that
	// does not happen.
	Reason string `json:"reason,omitzero"`
}

// NodeOutcome is what became of one node.
type NodeOutcome struct {
	Node string `json:"node,omitzero"`
	// State is "master", "backup", "fault" or "stopped".
	State string `json:"state,omitzero"`
	// Effective is the priority with what checks add and take, also of a node that is
	// in FAULT or stopped.
	Effective int `json:"effective,omitzero"`
	// Addresses are the virtual addresses that the node holds.
	Addresses []netip.Prefix `json:"addresses,omitzero"`
}

// Simulate answers who is master. A phase with all nodes well comes first; each of the
// given phases holds the faults that hold during it, all else is well again. State
// carries over: who holds the addresses, who may not preempt. A phase lasts as long as
// an election takes: six seconds, or longer when all nodes advertise more slowly.
// Nothing is random: of nodes that would become MASTER at the same moment the one given
// first is.
//
// It fails when a fault names a node, check or interface that there is not, or when two
// nodes have one name.
func Simulate(nodes []Node, phases [][]Fault, o Options) ([]Outcome, error) {
	evals := evaluateAll(context.Background(), nodes, o)
	byName := map[string]int{}
	for n, x := range nodes {
		if _, ok := byName[x.Name]; ok {
			return nil, fmt.Errorf("keepalived: two nodes are called %q", x.Name)
		}
		byName[x.Name] = n
	}
	all := append([][]Fault{nil}, phases...)
	if err := checkFaults(all, byName, evals); err != nil {
		return nil, err
	}
	var out []Outcome
	rs := routers(evals)
	if len(rs) == 0 {
		return nil, errors.New("keepalived: none of the nodes has a vrrp_instance")
	}
	s := &simulation{nodes: nodes, evals: evals, byName: byName}
	for _, r := range rs {
		s.add(r)
	}
	for n, faults := range all {
		s.phase(faults)
		for k, r := range rs {
			out = append(out, s.outcome(n, r, s.groups[k]))
		}
	}
	return out, nil
}

func checkFaults(phases [][]Fault, nodes map[string]int, evals []*eval) error {
	for _, p := range phases {
		for _, f := range p {
			n, ok := nodes[f.Node]
			if !ok {
				return fmt.Errorf("keepalived: there is no node %q", f.Node)
			}
			m := evals[n].m
			switch f.Kind {
			case NodeStopped:
			case Partition, Deaf:
				if _, ok := nodes[f.Subject]; !ok {
					return fmt.Errorf("keepalived: there is no node %q", f.Subject)
				}
				if f.Interface != "" && !slices.ContainsFunc(m.Instances, func(i *Instance) bool { return i.Interface == f.Interface }) {
					return fmt.Errorf("keepalived: no instance of node %q is on the interface %q", f.Node, f.Interface)
				}
			case CheckFails:
				found := slices.ContainsFunc(m.Scripts, func(s *Script) bool { return s.Name == f.Subject }) ||
					slices.ContainsFunc(m.TrackFiles, func(s *TrackFile) bool { return s.Name == f.Subject }) ||
					slices.ContainsFunc(m.Processes, func(s *TrackProcess) bool { return s.Name == f.Subject }) ||
					slices.ContainsFunc(m.BFD, func(s *BFD) bool { return s.Name == f.Subject })
				if !found {
					return fmt.Errorf("keepalived: node %q has no check %q", f.Node, f.Subject)
				}
			case InterfaceDown:
				found := false
				for _, i := range m.Instances {
					found = found || i.Interface == f.Subject
					for _, t := range i.Tracks {
						found = found || t.Kind == "interface" && t.Name == f.Subject
					}
					for _, a := range append(slices.Clone(i.Addresses), i.Excluded...) {
						found = found || a.Dev == f.Subject
					}
				}
				if !found {
					return fmt.Errorf("keepalived: no instance of node %q depends on the interface %q", f.Node, f.Subject)
				}
			default:
				return fmt.Errorf("keepalived: fault kind %d is not known", f.Kind)
			}
		}
	}
	return nil
}

type nodeState uint8

const (
	stateStopped nodeState = iota
	stateFault
	stateBack
	stateMast
)

// actor is an instance that takes part in an election.
type actor struct {
	member
	state   nodeState
	eff     int
	timer   time.Duration // when a BACKUP becomes MASTER, or a MASTER advertises again
	want    bool          // its timer ran out; the others of its sync group are awaited
	pending time.Duration // when preempt_delay is over, 0 when it does not run
	fault   bool
	why     string // of the fault
	key     netip.Addr
}

type simulation struct {
	nodes  []Node
	evals  []*eval
	byName map[string]int
	groups [][]*actor // by router
	now    time.Duration
	cut    map[link]bool
	dead   map[int]map[string]bool // interfaces that are down, by node
	down   map[int]bool
	open   map[*SyncGroup]bool // sync groups whose master is not determined
	length time.Duration
	begun  bool
}

func (s *simulation) add(r *router) {
	var g []*actor
	for _, m := range r.members {
		a := &actor{member: m, key: m.address(s.nodes)}
		g = append(g, a)
	}
	s.groups = append(s.groups, g)
}

// skew is what makes nodes of higher priority faster.
func (a *actor) skew() time.Duration {
	d := time.Duration(256-a.eff) * time.Second / 256
	if a.i.Version == 3 {
		d = time.Duration(256-a.eff) * a.i.Advert / 256
	}
	return d
}

func (a *actor) downTime(advert time.Duration) time.Duration {
	return time.Duration(a.i.DownAdverts)*advert + a.skew()
}

// link is a direction between two nodes, on one network or, with an empty name, on all.
type link struct {
	from, to int
	network  string
}

// hears reports whether a takes the advertisements of b.
func (s *simulation) hears(a, b *actor) bool { return s.silence(a, b) == "" }

// silence returns the reason why a does not take the advertisements of b, or "".
func (s *simulation) silence(a, b *actor) string {
	switch {
	case b.state == stateStopped || a.state == stateStopped:
		return "it is stopped"
	case s.cut[link{b.node, a.node, ""}] || s.cut[link{b.node, a.node, b.i.Interface}] || s.cut[link{b.node, a.node, a.i.Interface}]:
		return "the network between them is cut"
	case s.dead[b.node][b.i.Interface]:
		return "the interface " + b.i.Interface + " of " + s.nodes[b.node].Name + " is down"
	case s.dead[a.node][a.i.Interface]:
		return "the interface " + a.i.Interface + " of " + s.nodes[a.node].Name + " is down"
	}
	if rule, why := deafness(&a.member, &b.member); rule != "" {
		return why
	}
	if b.i.Unicast && a.key.IsValid() && family(a.key) == b.i.Family && !slices.Contains(b.i.Peers, a.key) {
		return "a peer list does not name the other"
	}
	return ""
}

// phase lets the faults hold and runs the clock.
func (s *simulation) phase(faults []Fault) {
	s.cut = map[link]bool{}
	s.down = map[int]bool{}
	failed := map[int]map[string]bool{}
	dead := map[int]map[string]bool{}
	s.dead = dead
	for n := range s.nodes {
		failed[n], dead[n] = map[string]bool{}, map[string]bool{}
	}
	for _, f := range faults {
		n := s.byName[f.Node]
		switch f.Kind {
		case CheckFails:
			failed[n][f.Subject] = true
		case InterfaceDown:
			dead[n][f.Subject] = true
		case NodeStopped:
			s.down[n] = true
		case Partition:
			o := s.byName[f.Subject]
			s.cut[link{n, o, f.Interface}], s.cut[link{o, n, f.Interface}] = true, true
		case Deaf:
			s.cut[link{n, s.byName[f.Subject], f.Interface}] = true
		}
	}
	for _, g := range s.groups {
		for _, a := range g {
			a.apply(failed[a.node], dead[a.node])
		}
	}
	s.syncFaults()
	s.crossed()
	slowest := time.Duration(0)
	for _, g := range s.groups {
		least := time.Duration(1<<62 - 1)
		adverts := int64(3)
		for n, a := range g {
			least = min(least, a.i.Advert)
			adverts = max(adverts, a.i.DownAdverts)
			s.settle(a, n)
		}
		if len(g) > 0 {
			slowest = max(slowest, time.Duration(adverts+1)*least)
		}
	}
	s.begun = true
	s.length = max(6*time.Second, slowest+time.Second)
	s.clock(s.now + s.length)
}

// apply works out whether the instance is in FAULT, and its priority.
func (a *actor) apply(failed, dead map[string]bool) {
	a.fault, a.why = false, ""
	i := a.i
	set := func(why string) {
		if !a.fault {
			a.fault, a.why = true, why
		}
	}
	if i.Fault || i.broken {
		set("its configuration is refused")
	}
	if dead[i.Interface] && !i.DontTrack {
		set("its interface " + i.Interface + " is down")
	}
	for _, list := range [][]Address{i.Addresses, i.Excluded} {
		for _, x := range list {
			if x.Dev != "" && dead[x.Dev] && !x.noTrack && (x.Dev != i.Interface || !i.DontTrack) {
				set("the interface " + x.Dev + " of an address is down")
			}
		}
	}
	for _, t := range i.Tracks {
		bad := failed[t.Name] && t.Kind != "interface" || dead[t.Name] && t.Kind == "interface"
		if t.Weight == 0 && bad != t.Reverse {
			set(t.Kind + " " + t.Name + " fails")
		}
	}
	if i.Priority == 255 {
		a.eff = 255
		return
	}
	p := i.Priority
	for _, t := range i.Tracks {
		bad := failed[t.Name] && t.Kind != "interface" || dead[t.Name] && t.Kind == "interface"
		p += t.points(bad)
	}
	a.eff = min(max(p, 1), 254)
}

// syncFaults takes all members of a sync group to FAULT when one is.
func (s *simulation) syncFaults() {
	bad := map[*SyncGroup]string{}
	for _, g := range s.groups {
		for _, a := range g {
			if a.i.sync != nil && a.fault && bad[a.i.sync] == "" {
				bad[a.i.sync] = a.i.Name
			}
		}
	}
	for _, g := range s.groups {
		for _, a := range g {
			if a.i.sync == nil || a.fault {
				continue
			}
			if by := bad[a.i.sync]; by != "" {
				a.fault, a.why = true, by+" of its sync group is in fault"
			}
		}
	}
}

// crossed finds sync groups of which one node has the highest priority in one instance and
// another node in another instance. Who becomes master depends then on who is first, unless
// one of them is master already.
func (s *simulation) crossed() {
	best := map[*SyncGroup]int{} // by the group on each node: the node that leads, or -1
	masters := map[*SyncGroup]bool{}
	mates := map[*SyncGroup][]*SyncGroup{}
	for _, g := range s.groups {
		lead, ties := -1, false
		high := 0
		for _, a := range g {
			if a.fault || s.down[a.node] {
				continue
			}
			switch {
			case a.eff > high:
				lead, high, ties = a.node, a.eff, false
			case a.eff == high:
				ties = true
			}
		}
		var groups []*SyncGroup
		for _, a := range g {
			if a.i.sync == nil {
				continue
			}
			groups = append(groups, a.i.sync)
			if a.state == stateMast && !a.fault && !s.down[a.node] {
				masters[a.i.sync] = true
			}
		}
		for _, x := range groups {
			mates[x] = groups
			if old, ok := best[x]; ok && (old != lead || ties) {
				best[x] = -1
			} else if !ok {
				best[x] = lead
			}
		}
	}
	next := map[*SyncGroup]bool{}
	for x, lead := range best {
		if lead >= 0 {
			continue
		}
		held := false // a node is master already, by a result that is determined
		open := false
		for _, m := range mates[x] {
			held = held || masters[m]
			open = open || s.open[m]
		}
		if !held || open {
			next[x] = true
		}
	}
	s.open = next
}

// settle takes an instance into or out of FAULT and stop at the begin of a phase.
func (s *simulation) settle(a *actor, order int) {
	was := a.state
	gone := s.down[a.node]
	switch {
	case gone:
		if was == stateMast {
			s.resign(a)
		}
		a.state = stateStopped
	case a.fault:
		if was == stateMast && !strings.Contains(a.why, a.i.Interface+" is down") {
			s.resign(a)
		}
		a.state = stateFault
	case was == stateStopped || was == stateFault:
		a.state = stateBack
		a.want, a.pending = false, 0
		// Nodes start one after the other.
		start := s.now + time.Duration(order)*10*time.Millisecond
		a.timer = start + a.downTime(a.i.Advert)
		if was == stateStopped && a.i.State == "MASTER" {
			a.timer = start + a.i.Advert + a.skew()
		}
		if a.eff == 255 {
			a.timer = start
		}
	}
}

// resign lets those who hear a MASTER know that it goes.
func (s *simulation) resign(a *actor) {
	for _, g := range s.groups {
		for _, b := range g {
			if b != a && b.state == stateBack && sameRouter(g, a) && s.hears(b, a) {
				b.timer = min(b.timer, s.now+b.skew())
				b.pending = 0
			}
		}
	}
}

func sameRouter(g []*actor, a *actor) bool { return slices.Contains(g, a) }

// clock runs events until the time is over.
func (s *simulation) clock(until time.Duration) {
	for range 200_000 {
		var next *actor
		var group []*actor
		for _, g := range s.groups {
			for _, a := range g {
				if a.state != stateBack && a.state != stateMast {
					continue
				}
				if next == nil || a.timer < next.timer {
					next, group = a, g
				}
			}
		}
		if next == nil || next.timer > until {
			break
		}
		s.now = max(s.now, next.timer)
		if next.state == stateBack {
			s.promote(next)
			continue
		}
		s.advertise(next, group)
	}
	s.now = until
}

// promote makes a BACKUP whose timer ran out MASTER, with its sync group.
func (s *simulation) promote(a *actor) {
	if a.i.sync == nil {
		a.state, a.timer, a.pending = stateMast, s.now, 0
		return
	}
	a.want = true
	var mates []*actor
	for _, g := range s.groups {
		for _, b := range g {
			if b.node == a.node && b.i.sync == a.i.sync {
				mates = append(mates, b)
			}
		}
	}
	for _, b := range mates {
		if !b.want && b.state != stateMast {
			a.timer = s.now + a.downTime(a.i.Advert)
			return
		}
	}
	for _, b := range mates {
		if b.state == stateBack {
			b.state, b.timer, b.pending, b.want = stateMast, s.now, 0, false
		}
	}
}

// demote makes a MASTER BACKUP, with its sync group.
func (s *simulation) demote(a *actor, advert time.Duration) {
	one := func(b *actor) {
		b.state, b.want, b.pending = stateBack, false, 0
		b.timer = s.now + b.downTime(advert)
	}
	one(a)
	if a.i.sync == nil {
		return
	}
	for _, g := range s.groups {
		for _, b := range g {
			if b != a && b.node == a.node && b.i.sync == a.i.sync && b.state == stateMast {
				one(b)
			}
		}
	}
}

// advertise sends an advertisement of a MASTER to the others of its router.
func (s *simulation) advertise(a *actor, g []*actor) {
	a.timer = s.now + a.i.Advert
	for _, b := range g {
		if b == a || b.state != stateBack && b.state != stateMast || !s.hears(b, a) {
			continue
		}
		switch b.state {
		case stateMast:
			if a.eff > b.eff || a.eff == b.eff && s.higher(a, b) {
				s.demote(b, a.i.Advert)
			} else if s.hears(a, b) && (b.eff > a.eff || s.higher(b, a)) {
				b.timer = s.now // it answers at once
			}
		case stateBack:
			if b.i.NoPreempt || a.eff >= b.eff {
				b.timer = s.now + b.downTime(a.i.Advert)
				b.want, b.pending = false, 0
				continue
			}
			if b.i.PreemptDelay > 0 {
				if b.pending == 0 {
					b.pending = s.now + b.i.PreemptDelay
				}
				if s.now < b.pending {
					b.timer = s.now + b.downTime(a.i.Advert)
					continue
				}
			}
			if b.i.sync != nil {
				// It waits for its own timer, as its mates do.
				b.want = true
				s.tryGroup(b)
				continue
			}
			b.state, b.timer, b.pending = stateMast, s.now, 0
		}
	}
}

// tryGroup lets a sync group take over when all of its members want to.
func (s *simulation) tryGroup(a *actor) {
	a.timer = min(a.timer, s.now+a.downTime(a.i.Advert))
	s.promote(a)
}

// higher reports whether a wins a tie against b: by the higher address, or by the order
// of the nodes when an address is not known.
func (s *simulation) higher(a, b *actor) bool {
	if a.key.IsValid() && b.key.IsValid() && a.key != b.key {
		return b.key.Less(a.key)
	}
	return a.node > b.node
}
