package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"

	"dougu.internal/diag"
	"dougu.internal/keepalived"
)

// runCluster lints the nodes of a cluster together, or simulates which node is master.
func (l *linter) runCluster(args []string) int {
	var nodes []keepalived.Node
	from := sources{}
	seen := map[string]bool{}
	var all diag.List
	for _, arg := range args {
		name, path, ok := strings.Cut(arg, "=")
		if !ok || name == "" || strings.ContainsAny(name, ",;:/ ") {
			return l.fail("-cluster: invalid argument %q, want NODE=FILE", arg)
		}
		if seen[name] {
			return l.fail("two nodes are called %q", name)
		}
		seen[name] = true
		n := keepalived.Node{Name: name}
		if i := strings.LastIndexByte(path, '@'); i > 0 {
			if a, err := netip.ParseAddr(path[i+1:]); err == nil {
				n.Addr, path = a, path[:i]
			}
		}
		id := l.id
		if id == "" {
			id = name // the config id of a node is usually its name
		}
		f, ok := l.loadAs(path, id)
		if !ok {
			return 2
		}
		n.Config = f.config
		nodes = append(nodes, n)
		from.add(f.config)
		if l.elect == "" {
			for _, d := range l.lint(f.config) {
				if d.Rule != "KA129" { // the weights of a cluster are compared with the priorities
					all = append(all, d)
				}
			}
		}
	}
	if l.elect == "" {
		list, err := keepalived.LintCluster(context.Background(), nodes, l.o)
		if err != nil {
			return l.fail("%v", err)
		}
		return l.print(append(all, list...), from)
	}
	phases, err := parsePhases(l.elect)
	if err != nil {
		return l.fail("%v", err)
	}
	out, err := keepalived.Simulate(nodes, phases, l.o)
	if err != nil {
		return l.fail("%v", err)
	}
	return l.printOutcomes(out)
}

// parsePhases parses the argument of -elect.
func parsePhases(s string) ([][]keepalived.Fault, error) {
	var out [][]keepalived.Fault
	for phase := range strings.SplitSeq(s, ";") {
		var faults []keepalived.Fault
		for word := range strings.SplitSeq(phase, ",") {
			word = strings.TrimSpace(word)
			if word == "" {
				continue
			}
			f, err := parseFault(word)
			if err != nil {
				return nil, err
			}
			faults = append(faults, f)
		}
		out = append(out, faults)
	}
	return out, nil
}

func parseFault(word string) (keepalived.Fault, error) {
	bad := fmt.Errorf("-elect: %q is none of NODE:CHECK=fail, NODE:INTERFACE=down, NODE:stop, "+
		"NODE/NODE[:INTERFACE]=cut, NODE>NODE[:INTERFACE]=cut", word)
	if what, ok := strings.CutSuffix(word, "=cut"); ok {
		kind := keepalived.Partition
		a, b, ok := strings.Cut(what, "/")
		if !ok {
			kind = keepalived.Deaf
			a, b, ok = strings.Cut(what, ">")
		}
		b, network, limited := strings.Cut(b, ":")
		if !ok || a == "" || b == "" || limited && network == "" {
			return keepalived.Fault{}, bad
		}
		return keepalived.Fault{Node: a, Subject: b, Kind: kind, Interface: network}, nil
	}
	node, what, ok := strings.Cut(word, ":")
	if !ok || node == "" {
		return keepalived.Fault{}, bad
	}
	if what == "stop" {
		return keepalived.Fault{Node: node, Kind: keepalived.NodeStopped}, nil
	}
	if subject, ok := strings.CutSuffix(what, "=fail"); ok && subject != "" {
		return keepalived.Fault{Node: node, Subject: subject, Kind: keepalived.CheckFails}, nil
	}
	if subject, ok := strings.CutSuffix(what, "=down"); ok && subject != "" {
		return keepalived.Fault{Node: node, Subject: subject, Kind: keepalived.InterfaceDown}, nil
	}
	return keepalived.Fault{}, bad
}

type phaseJSON struct {
	Phase     string         `json:"phase"`
	Faults    []string       `json:"faults"`
	Instances []instanceJSON `json:"instances"`
}

type instanceJSON struct {
	Instance string     `json:"instance"`
	Masters  []string   `json:"masters"`
	Nodes    []nodeJSON `json:"nodes"`
	Reason   string     `json:"reason"`
	// Undetermined is left out if the result is determined.
	Undetermined bool `json:"undetermined,omitempty"`
}

type nodeJSON struct {
	Node      string   `json:"node"`
	State     string   `json:"state"`
	Priority  int      `json:"priority"`
	Addresses []string `json:"addresses"`
}

// phaseName returns "start" or the number of the phase.
func phaseName(n int) string {
	if n == 0 {
		return "start"
	}
	return fmt.Sprint(n)
}

func (l *linter) printOutcomes(out []keepalived.Outcome) int {
	code := 0
	var js []phaseJSON
	words := strings.Split(l.elect, ";")
	for _, o := range out {
		if len(o.Masters) != 1 {
			code = 1
		}
		if l.format == "json" {
			if o.Phase == len(js) {
				p := phaseJSON{Phase: phaseName(o.Phase), Faults: []string{}}
				if o.Phase > 0 {
					for w := range strings.SplitSeq(words[o.Phase-1], ",") {
						if w = strings.TrimSpace(w); w != "" {
							p.Faults = append(p.Faults, w)
						}
					}
				}
				js = append(js, p)
			}
			i := instanceJSON{
				Instance:     o.Instance,
				Masters:      append([]string{}, o.Masters...),
				Reason:       o.Reason,
				Undetermined: o.Undetermined,
			}
			for _, n := range o.Nodes {
				x := nodeJSON{Node: n.Node, State: n.State, Priority: n.Effective, Addresses: []string{}}
				for _, a := range n.Addresses {
					x.Addresses = append(x.Addresses, a.String())
				}
				i.Nodes = append(i.Nodes, x)
			}
			js[o.Phase].Instances = append(js[o.Phase].Instances, i)
			continue
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s %s master=%s", phaseName(o.Phase), o.Instance, strings.Join(o.Masters, ","))
		for _, n := range o.Nodes {
			var addrs []string
			for _, a := range n.Addresses {
				addrs = append(addrs, a.String())
			}
			fmt.Fprintf(&b, " %s=%d[%s]", n.Node, n.Effective, strings.Join(addrs, ","))
		}
		fmt.Fprintf(l.out, "%s %s\n", diag.Sanitize(b.String()), diag.Sanitize(o.Reason))
	}
	if l.format == "json" {
		e := json.NewEncoder(l.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		if err := e.Encode(js); err != nil {
			return l.fail("%v", err)
		}
	}
	return code
}
