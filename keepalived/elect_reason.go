package keepalived

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
)

// outcome describes the end of a phase.
func (s *simulation) outcome(phase int, r *router, g []*actor) Outcome {
	o := Outcome{Phase: phase, Instance: r.name}
	sorted := slices.Clone(g)
	sort.Slice(sorted, func(i, k int) bool { return sorted[i].node < sorted[k].node })
	for _, a := range sorted {
		n := NodeOutcome{Node: s.nodes[a.node].Name, Effective: a.eff}
		switch a.state {
		case stateStopped:
			n.State = "stopped"
		case stateFault:
			n.State = "fault"
		case stateBack:
			n.State = "backup"
		case stateMast:
			n.State = "master"
			o.Masters = append(o.Masters, n.Node)
			for _, x := range a.i.Addresses {
				n.Addresses = append(n.Addresses, x.Prefix)
			}
		}
		o.Nodes = append(o.Nodes, n)
	}
	o.Reason = s.reason(r, sorted)
	return o
}

// reason says why a phase ends as it does.
func (s *simulation) reason(r *router, g []*actor) string {
	var masters, backs []*actor
	var parts []string
	name := func(a *actor) string { return s.nodes[a.node].Name }
	for _, a := range g {
		switch a.state {
		case stateMast:
			masters = append(masters, a)
		case stateBack:
			backs = append(backs, a)
		case stateFault:
			parts = append(parts, name(a)+" is in FAULT: "+a.why)
		case stateStopped:
			parts = append(parts, name(a)+" is stopped")
		}
	}
	switch len(masters) {
	case 0:
		head := "outage"
		if len(backs) > 0 {
			slow := backs[0]
			for _, b := range backs {
				if b.timer < slow.timer {
					slow = b
				}
			}
			wait := time.Duration(slow.i.DownAdverts)*slow.i.Advert + slow.skew()
			head = fmt.Sprintf("outage: %s takes over only after %.1f s (advert_int %s)", name(slow), wait.Seconds(), seconds(slow.i))
		}
		return strings.Join(append([]string{head}, parts...), "; ")
	case 1:
		m := masters[0]
		head := fmt.Sprintf("%s has the highest priority, %d", name(m), m.eff)
		if len(backs) == 0 {
			head = "only " + name(m) + " can be master"
		}
		for _, b := range backs {
			rule, why := deafness(b.i, m.i)
			switch {
			case rule != "" || !s.hears(b, m):
				if why == "" {
					why = "they do not reach each other"
				}
				head = fmt.Sprintf("%s does not hear %s (%s) and becomes master as well after %.1f s", name(b), name(m), why, (time.Duration(b.i.DownAdverts)*b.i.Advert + b.skew()).Seconds())
			case b.eff > m.eff && b.i.NoPreempt:
				head = fmt.Sprintf("%s stays master with %d against %d: nopreempt on %s", name(m), m.eff, b.eff, name(b))
				if len(m.failedTracks()) > 0 {
					head += "; only a check without a weight would move the address"
				}
			case b.eff > m.eff && b.i.PreemptDelay > 0:
				head = fmt.Sprintf("%s waits for preempt_delay, %s", name(b), b.i.PreemptDelay)
			case b.eff == m.eff:
				head = fmt.Sprintf("%s keeps what it holds: equal priorities, %d", name(m), m.eff)
			}
		}
		if advice := s.advice(r, m); advice != "" {
			head += "; " + advice
		}
		return strings.Join(append([]string{head}, parts...), "; ")
	}
	var names []string
	for _, m := range masters {
		names = append(names, name(m))
	}
	why := "they do not reach each other"
	if rule, w := deafness(masters[0].i, masters[1].i); rule != "" {
		why = w
	} else if s.cut[[2]int{masters[0].node, masters[1].node}] {
		why = "the network between them is cut"
	} else if masters[0].i.Unicast {
		why = "a peer list does not name the other"
	}
	return strings.Join(append([]string{"split brain: " + strings.Join(names, " and ") + " do not hear each other: " + why}, parts...), "; ")
}

// failedTracks are the weighted checks that take points from an actor.
func (a *actor) failedTracks() []Track {
	var out []Track
	well := a.i.effective(nil)
	if a.eff >= well {
		return nil
	}
	for _, t := range a.i.Tracks {
		if t.Weight != 0 && t.points(true) < t.points(false) {
			out = append(out, t)
		}
	}
	return out
}

// advice names the smallest weight with which a failed check would move the address.
func (s *simulation) advice(r *router, m *actor) string {
	for _, t := range m.failedTracks() {
		if m.eff != m.i.effective([]string{t.Name}) {
			continue
		}
		need, _, _ := r.smallest(s.nodes, m.member, t)
		if need != 0 {
			return fmt.Sprintf("the failure of %s does not move the address; the smallest weight that would is %d", t.Name, need)
		}
	}
	return ""
}
