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
	for _, a := range sorted {
		if a.i.sync != nil && s.open[a.i.sync] && len(o.Masters) == 1 {
			o.Undetermined = true
			o.Reason = s.undetermined(a.i.sync, o.Masters[0])
		}
	}
	return o
}

// undetermined names the nodes that lead in the instances of a sync group.
func (s *simulation) undetermined(group *SyncGroup, master string) string {
	var parts []string
	for _, g := range s.groups {
		if !slices.ContainsFunc(g, func(a *actor) bool { return a.i.sync == group }) {
			continue
		}
		lead := g[0]
		for _, a := range g {
			if a.eff > lead.eff {
				lead = a
			}
		}
		parts = append(parts, fmt.Sprintf("%s has %d in %s", s.nodes[lead.node].Name, lead.eff, lead.i.Name))
	}
	return fmt.Sprintf("not determined: it depends on which node is first, here %s; %s, and a sync group moves as a whole",
		master, strings.Join(parts, ", "))
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
			why := s.silence(b, m)
			switch {
			case why != "":
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
	why := s.silence(masters[1], masters[0])
	if why == "" {
		why = s.silence(masters[0], masters[1])
	}
	if why == "" {
		why = "the election has not ended"
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
