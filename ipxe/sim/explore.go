package sim

import (
	"context"
	"slices"
	"strings"
	"time"

	"dougu.internal/ipxe"
)

// Question is a place at which a user decides.
type Question struct {
	// Command is choose, prompt or read.
	Command string `json:"command,omitzero"`
	// Text is the title of the menu, or the prompt; Setting is where the answer goes.
	Text    string `json:"text,omitzero"`
	Setting string `json:"setting,omitzero"`
	// Labels are the items that can be chosen, and Default the index of the marked one.
	Labels  []string `json:"labels,omitzero"`
	Default int      `json:"default,omitzero"`
	// Timeout is 0 when the machine waits for ever.
	Timeout time.Duration `json:"timeout,omitzero"`
}

// Answer is what the user does. The zero Answer lets the time run out, or, when there is
// no limit, chooses the default.
type Answer struct {
	// Choice is the number of an item, from 1; for prompt any number presses the key.
	Choice int `json:"choice,omitzero"`
	// Cancel leaves the menu with Escape.
	Cancel bool `json:"cancel,omitzero"`
	// Text is typed at read.
	Text string `json:"text,omitzero"`
}

// NamedMachine is a row of an exploration.
type NamedMachine struct {
	Name    string   `json:"name,omitzero"`
	Machine *Machine `json:"machine,omitzero"`
}

// ExploreOptions bound an exploration.
type ExploreOptions struct {
	// Run bounds each run; its Keys and Decide are not used.
	Run Options
	// MaxOutcomes bounds the runs; 0: 10,000.
	MaxOutcomes int
	// Cancel follows the user who leaves a menu with Escape, too.
	Cancel bool
}

// Outcome is what one machine does when its user makes these choices.
type Outcome struct {
	Machine string `json:"machine,omitzero"`
	// Choices are the answers in order, as "title: label", or "timeout" and "cancel".
	Choices []string `json:"choices,omitzero"`
	Status  Status   `json:"status,omitzero"`
	Boot    Boot     `json:"boot,omitzero"`
	Hang    *Hazard  `json:"hang,omitzero"`
	// Requests are the URIs, in order.
	Requests []string `json:"requests,omitzero"`
}

// Exploration is all that can happen.
type Exploration struct {
	Outcomes []Outcome `json:"outcomes,omitzero"`
	// UnreachedLabels and UnreachedItems are of the first script and its menus: no machine
	// and no choice came by.
	UnreachedLabels []string `json:"unreachedLabels,omitzero"`
	UnreachedItems  []string `json:"unreachedItems,omitzero"`
	// Truncated reports that MaxOutcomes was reached: then unreached means nothing.
	Truncated bool `json:"truncated,omitzero"`
}

// Explore runs a script for each machine with every choice a user can make.
func Explore(ctx context.Context, s *ipxe.Script, machines []NamedMachine, w World, o ExploreOptions) (*Exploration, error) {
	if o.MaxOutcomes <= 0 {
		o.MaxOutcomes = 10_000
	}
	x := &explorer{s: s, o: o, reached: map[int]bool{}, items: map[string]bool{}}
	for _, m := range machines {
		if err := x.machine(ctx, m, w); err != nil {
			return nil, errs.Errorf("machine %s: %w", m.Name, err)
		}
	}
	e := &Exploration{Outcomes: x.outcomes, Truncated: x.full}
	for i, l := range s.Lines() {
		if l.HasLabel && !x.reached[i] {
			e.UnreachedLabels = append(e.UnreachedLabels, l.Label)
		}
	}
	for item, chosen := range x.items {
		if !chosen {
			e.UnreachedItems = append(e.UnreachedItems, item)
		}
	}
	slices.Sort(e.UnreachedItems)
	return e, nil
}

type explorer struct {
	s        *ipxe.Script
	o        ExploreOptions
	outcomes []Outcome
	reached  map[int]bool
	items    map[string]bool
	full     bool

	simulator Simulator
}

// machine walks the tree of answers, depth first: each run follows a list of answers
// and takes the first alternative at every question beyond it.
func (x *explorer) machine(ctx context.Context, m NamedMachine, w World) error {
	path := []int{}
	for {
		if len(x.outcomes) >= x.o.MaxOutcomes {
			x.full = true
			return nil
		}
		var counts []int
		var choices []string
		options := x.o.Run
		options.Keys = nil
		options.visit = func(s *ipxe.Script, line int) {
			if s == x.s {
				x.reached[line] = true
			}
		}
		options.Decide = func(q Question) Answer {
			list, names := x.answers(q)
			at := 0
			if n := len(counts); n < len(path) {
				at = min(path[n], len(list)-1)
			}
			counts = append(counts, len(list))
			choices = append(choices, names[at])
			if _, isItem := x.items[names[at]]; isItem {
				x.items[names[at]] = true
			}
			return list[at]
		}
		r, err := x.simulator.Run(ctx, m.Machine, x.s, w, options)
		if err != nil {
			return err
		}
		out := Outcome{Machine: m.Name, Choices: choices, Status: r.Status, Boot: r.Boot, Hang: r.Hang()}
		for _, q := range r.Requests {
			out.Requests = append(out.Requests, q.URI)
		}
		x.outcomes = append(x.outcomes, out)
		// The next path: the last question with an alternative left moves on.
		for len(path) < len(counts) {
			path = append(path, 0)
		}
		path = path[:len(counts)]
		for len(path) > 0 && path[len(path)-1]+1 >= counts[len(path)-1] {
			path = path[:len(path)-1]
		}
		if len(path) == 0 {
			return nil
		}
		path[len(path)-1]++
	}
}

// answers lists what a user can do at a question.
func (x *explorer) answers(q Question) (list []Answer, names []string) {
	add := func(a Answer, name string) { list, names = append(list, a), append(names, name) }
	title := strings.TrimSpace(q.Text)
	switch q.Command {
	case "choose":
		seen := map[string]bool{}
		for i, l := range q.Labels {
			name := title + ": " + l
			if seen[l] {
				name = title + ": " + l + " (again)"
			}
			seen[l] = true
			if _, ok := x.items[name]; !ok {
				x.items[name] = false
			}
			add(Answer{Choice: i + 1}, name)
		}
		if x.o.Cancel {
			add(Answer{Cancel: true}, title+": cancel")
		}
	case "prompt":
		add(Answer{Choice: 1}, title+": key")
		if q.Timeout > 0 {
			add(Answer{}, title+": timeout")
		}
	default:
		add(Answer{}, q.Setting+": unchanged")
	}
	return list, names
}
