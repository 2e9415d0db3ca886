package judge

import (
	"cmp"
	"slices"

	"dougu.internal/diag"
	"dougu.internal/smart"
)

// Policy configures [Judge]. The zero value is the default policy.
type Policy struct {
	// Windows are the windows to use. If nil, those of [Windows] are used.
	Windows []Window
	// Margin is the width of the edges of a window in degrees. If zero, 1 is used. If
	// negative, windows have no edges.
	Margin int
	// NoGenericRange turns off the range of 5 to 60 C that is assumed for rotating
	// disks that report no limits.
	NoGenericRange bool
	// Mute lists rules and keys of findings to leave out: "command-timeouts" or
	// "reallocated-sectors/attribute-5".
	Mute []string
	// Severity changes the severity of the findings of a rule.
	Severity map[string]diag.Severity
	// Limits changes the limits of a rule about a count; see [DefaultLimits]. A limit of
	// such a rule replaces the combinations of counts as well.
	Limits map[string]Limits
	// More are additional rules. Each is called with every snapshot.
	More []func(*smart.Snapshot) smart.Findings
}

// Limits are the counts from which a finding has a severity. An absent limit means that
// no count has it. A count below both limits and above 0 is information.
type Limits struct {
	Watch smart.Opt[uint64] `json:"watch,omitzero"`
	Act   smart.Opt[uint64] `json:"act,omitzero"`
}

// DefaultLimits returns the limits of the rules about counts by rule.
func DefaultLimits() map[string]Limits {
	m := map[string]Limits{}
	for i := range rules {
		m[rules[i].id] = Limits{Watch: limit(rules[i].watch), Act: limit(rules[i].act)}
	}
	m["wear"] = Limits{Watch: limit(wearWatch)}
	return m
}

func (p *Policy) margin() int {
	switch {
	case p.Margin < 0:
		return 0
	case p.Margin == 0:
		return 1
	}
	return p.Margin
}

func (p *Policy) windows() []Window {
	if p.Windows == nil {
		return shippedWindows
	}
	return p.Windows
}

// limits returns the limits of a rule, and whether the policy changes them.
func (p *Policy) limits(r *rule) (Limits, bool) {
	if l, ok := p.Limits[r.id]; ok {
		return l, true
	}
	return Limits{Watch: limit(r.watch), Act: limit(r.act)}, false
}

// apply mutes findings, changes severities and sorts the most severe first.
func (p *Policy) apply(list smart.Findings) smart.Findings {
	completeKeys(list)
	if len(p.Mute) > 0 {
		list = slices.DeleteFunc(list, func(f smart.Finding) bool {
			return slices.Contains(p.Mute, f.Rule) ||
				slices.Contains(p.Mute, f.Key)
		})
	}
	if len(p.Severity) > 0 {
		for i := range list {
			if s, ok := p.Severity[list[i].Rule]; ok {
				list[i].Severity = s
			}
		}
	}
	slices.SortStableFunc(list, func(a, b smart.Finding) int { return cmp.Compare(a.Severity, b.Severity) })
	return list
}
