package keepalived

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"dougu.internal/diag"
)

//go:embed rules.txt
var rulesText string

//go:embed pages.txt
var pagesText string

// RuleInfo describes a rule and the releases to which it applies.
type RuleInfo struct {
	// Rule contains the identifier, which is never used again for another rule, and the
	// usual severity. A finding to which keepalived objects has the severity Error. Help
	// consists of the parts that follow.
	diag.Rule
	// Means describes what the finding means. It may be empty.
	Means string `json:"means,omitzero"`
	// Matters describes the consequences.
	Matters string `json:"matters,omitzero"`
	// Remedy describes what to do.
	Remedy string `json:"remedy,omitzero"`
	// First is the first release to which the rule applies. If zero, the rule applies from the first release on.
	First Version `json:"first,omitzero"`
	// Last is the last release to which the rule applies. If zero, the rule applies to all later releases.
	Last Version `json:"last,omitzero"`
	// Judged is the reaction of keepalived -t.
	Judged Judgement `json:"judged,omitzero"`
}

// Judgement says whether keepalived -t objects to what a rule finds.
type Judgement uint8

// The judgements.
const (
	Silent   Judgement = iota + 1 // it is silent
	Objects                       // it objects
	ByChance                      // it depends on the release or the case
)

// Releases describes the releases of a rule: "all", "2.0.9-", "-1.4.1".
func (r RuleInfo) Releases() string {
	none := Version{}
	switch {
	case r.First == none && r.Last == none:
		return "all"
	case r.Last == none:
		return r.First.String() + "-"
	case r.First == none:
		return "-" + r.Last.String()
	}
	return r.First.String() + "-" + r.Last.String()
}

// ruleTable holds the rules without their examples, which only their pages want.
var ruleTable = sync.OnceValue(func() []RuleInfo {
	rules, err := parseRules(rulesText)
	if err != nil {
		panic(err) // the table is part of the program; a test reads it
	}
	return rules
})

var theRules = sync.OnceValue(func() []RuleInfo {
	rules := slices.Clone(ruleTable())
	pages, err := parsePages(pagesText)
	if err != nil {
		panic(err)
	}
	for i := range rules {
		r := &rules[i]
		r.Matters, r.Remedy = pages[r.ID][0], pages[r.ID][1]
		r.Help = strings.TrimSpace(r.Means + "\n" + r.Matters + "\n" + r.Remedy)
	}
	examples, err := parseExamples()
	if err != nil {
		panic(err)
	}
	at := map[string]int{}
	for i, r := range rules {
		at[r.ID] = i
	}
	for _, x := range examples {
		if i, ok := at[x.id]; ok && rules[i].Bad == "" {
			rules[i].Bad, rules[i].Good = x.show("bad"), x.show("good")
		}
	}
	return rules
})

func parseRules(text string) ([]RuleInfo, error) {
	var out []RuleInfo
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.SplitN(line, "|", 6)
		if len(f) != 6 {
			return nil, fmt.Errorf("keepalived: rule %q", line)
		}
		r := RuleInfo{Rule: diag.Rule{ID: f[0], Summary: f[4]}, Means: f[5]}
		r.Severity = map[string]diag.Severity{"E": diag.Error, "W": diag.Warning, "I": diag.Info}[f[1]]
		r.Judged = map[string]Judgement{"n": Silent, "y": Objects, "v": ByChance}[f[3]]
		if r.Severity == 0 || r.Judged == 0 {
			return nil, fmt.Errorf("keepalived: rule %q", line)
		}
		first, last, _ := strings.Cut(f[2], "-")
		var err error
		if first != "" {
			if r.First, err = ParseVersion(first); err != nil {
				return nil, err
			}
		}
		if last != "" {
			if r.Last, err = ParseVersion(last); err != nil {
				return nil, err
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// parsePages reads why each rule matters and what to do.
func parsePages(text string) (map[string][2]string, error) {
	out := map[string][2]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "|")
		if len(f) != 3 || f[1] == "" || f[2] == "" {
			return nil, fmt.Errorf("keepalived: page %q", line)
		}
		out[f[0]] = [2]string{f[1], f[2]}
	}
	return out, nil
}

var rulesByID = sync.OnceValue(func() map[string]RuleInfo {
	m := map[string]RuleInfo{}
	for _, r := range ruleTable() {
		m[r.ID] = r
	}
	return m
})

// ruleOf returns a rule, or the zero RuleInfo when there is none of that id.
func ruleOf(id string) RuleInfo { return rulesByID()[id] }

// Rules returns all rules, sorted by identifier.
func Rules() []diag.Rule {
	list := make([]diag.Rule, 0, len(theRules()))
	for _, r := range theRules() {
		list = append(list, r.Rule)
	}
	return list
}

// RuleInfos returns all rules with their releases, sorted by identifier.
func RuleInfos() []RuleInfo { return slices.Clone(theRules()) }
