package keepalived

import (
	"context"
	"net/netip"
	"slices"

	"dougu.internal/diag"
)

// Options are what a judgement depends on besides the text.
type Options struct {
	// Profile is the build of keepalived to emulate. It should be the profile of the
	// [Loader]. If zero, the profile of the Loader is used.
	Profile Profile
	// Host holds what is known of the machine; nil: nothing. What is unknown is not
	// judged.
	Host *Host
	// Enable and Disable select rules; empty Enable means all.
	Enable, Disable []string
}

// Host is what is known of the machine that a configuration is for. Every part may be
// left out.
type Host struct {
	// Interfaces holds the network interfaces by name; nil: unknown. The loopback
	// interface "lo" is always there.
	Interfaces map[string]Interface
	// User reports whether a user exists, Group whether a group does.
	User, Group func(name string) bool
	// Script looks at the file of a script that the named user would run; an empty
	// user is root. It never runs it.
	Script func(path, user string) ScriptState
	// Link returns the real path of a script whose directories hold a symbolic link,
	// and whether they do.
	Link func(path string) (real string, through bool)
	// Dir reports whether a directory exists.
	Dir func(path string) bool
	// Resolve reports whether a host name can be looked up.
	Resolve func(name string) bool
	// CPUs is the number of processors, 0 when unknown.
	CPUs int
}

// Interface is a network interface.
type Interface struct {
	// Addresses are those of the interface; nil: unknown.
	Addresses []netip.Addr `json:"addresses,omitzero"`
	// Prefixes are the addresses with the lengths of their networks. If nil, the networks
	// of the interface are not known.
	Prefixes []netip.Prefix `json:"prefixes,omitzero"`
	// MTU in bytes; 0: 1500.
	MTU int `json:"mtu,omitzero"`
}

// ScriptState is what is known of the file of a script.
type ScriptState uint8

// The states of a script's file.
const (
	// ScriptUnknown: nothing is known.
	ScriptUnknown ScriptState = iota
	// ScriptSafe: it exists, may be run, and only root can change it.
	ScriptSafe
	// ScriptMissing: there is no such file, or the user cannot reach it.
	ScriptMissing
	// ScriptNotExecutable: the user may not run it.
	ScriptNotExecutable
	// ScriptInsecure: somebody else than root can change it or a directory above.
	ScriptInsecure
)

// NewHost returns the facts that a list of interface names gives.
func NewHost(interfaces ...string) *Host {
	h := &Host{Interfaces: map[string]Interface{}}
	for _, name := range interfaces {
		if name != "" {
			h.Interfaces[name] = Interface{}
		}
	}
	return h
}

// resolves reports whether a host name can be looked up; ok is false when that is
// unknown.
func (h *Host) resolves(name string) (found, ok bool) {
	if h == nil || h.Resolve == nil {
		return false, false
	}
	return h.Resolve(name), true
}

// knows reports whether an interface exists; ok is false when that is unknown.
func (h *Host) knows(name string) (exists, ok bool) {
	if h == nil || h.Interfaces == nil {
		return true, false
	}
	if name == "lo" {
		return true, true
	}
	_, exists = h.Interfaces[name]
	return exists, true
}

// Lint returns the findings for a configuration, sorted by file and place: what keepalived
// objects to and what it accepts silently. Findings that a comment "lint:ignore" suppresses
// are left out. Repetitions beyond [MaxPerMessage] and [MaxPerRule] are counted in the last
// finding that is listed. The same input gives the same list. If a limit of the [Loader]
// ended the reading, the list contains only the findings up to that place. The error is
// that of ctx; a finding is never an error.
func Lint(ctx context.Context, c *Config, o Options) (diag.List, error) {
	e := evaluate(ctx, c, o)
	if err := ctx.Err(); err != nil {
		return nil, errs.Errorf("lint %s: %w", c.Name, err)
	}
	return e.list(), nil
}

// Result is the result of keepalived -t.
type Result uint8

// The results.
const (
	// ResultUnknown means that the result is not known, because the configuration was not
	// read as a whole: see [Config.Complete].
	ResultUnknown Result = iota
	// Accepted means that keepalived -t accepts the configuration.
	Accepted
	// Refused means that keepalived -t refuses the configuration.
	Refused
)

// TestResult is the result of [Verdict].
type TestResult struct {
	Result Result `json:"result"`
	// Reasons lists the findings to which keepalived objects. If Result is ResultUnknown, it
	// contains the limit that was reached, or the includes that were not read.
	Reasons diag.List `json:"reasons,omitzero"`
}

// Verdict returns the result of keepalived -t and the reasons for it. Comments
// "lint:ignore" do not change it. Releases before 2.0.4 do not have the option -t; for them
// Accepted means that the daemon applies the whole text. The error is that of ctx.
func Verdict(ctx context.Context, c *Config, o Options) (TestResult, error) {
	e := evaluate(ctx, c, o)
	if err := ctx.Err(); err != nil {
		return TestResult{}, errs.Errorf("test %s: %w", c.Name, err)
	}
	why := c.diagnostics(&e.store, func(f *finding) bool { return f.objects && !f.quiet })
	if len(why) == 0 {
		why = c.diagnostics(&e.store, func(f *finding) bool { return f.objects })
	}
	if len(why) == 0 && c.tooMuch {
		why = c.diagnostics(&e.store, func(f *finding) bool { return f.rule == limitRule })
	}
	if len(why) == 0 && len(c.unread) > 0 {
		why = c.diagnostics(&e.store, func(f *finding) bool { return f.rule == "KA041" })
	}
	r := TestResult{Result: Refused, Reasons: why}
	switch {
	case c.tooMuch, len(c.unread) > 0 && !e.refusedAnyway():
		r.Result = ResultUnknown
	case len(why) == 0:
		r.Result = Accepted
	}
	return r, nil
}

// refusedAnyway reports whether keepalived objects to something that an include which was
// not read cannot change: a fault of a line, and not that something is missing.
func (e *eval) refusedAnyway() bool {
	for _, f := range e.found {
		if f.objects && !needsWhole[f.rule] {
			return true
		}
	}
	return slices.ContainsFunc(e.more, func(b brief) bool { return b.objects && !needsWhole[idOf[b.rule]] })
}

// needsWhole are the rules that find something missing, or compare parts of a
// configuration. They do not apply to a configuration that was not read as a whole.
var needsWhole = map[string]bool{
	"KA012": true, "KA013": true, "KA031": true, "KA034": true, "KA035": true, "KA053": true, "KA056": true, "KA057": true,
	"KA060": true, "KA062": true, "KA066": true, "KA067": true, "KA068": true, "KA076": true, "KA081": true, "KA082": true,
	"KA091": true, "KA097": true, "KA110": true, "KA114": true, "KA118": true, "KA119": true, "KA120": true, "KA121": true,
	"KA122": true, "KA124": true, "KA130": true, "KA131": true, "KA132": true, "KA143": true, "KA150": true, "KA151": true,
	"KA160": true, "KA161": true, "KA162": true, "KA165": true, "KA170": true, "KA171": true, "KA176": true, "KA177": true,
	"KA180": true, "KA182": true, "KA185": true, "KA188": true,
}
