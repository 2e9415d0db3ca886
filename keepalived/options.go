package keepalived

import (
	"net/netip"

	"dougu.internal/diag"
)

// Options are what a judgement depends on besides the text.
type Options struct {
	// Profile is the build of keepalived that is asked for. It should be that of the
	// Loader; the zero value takes over the Loader's.
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
	Addresses []netip.Addr
	// MTU in bytes; 0: 1500.
	MTU int
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

// Lint returns what is wrong with a configuration, sorted: what keepalived objects to
// and what it passes in silence. Findings that a comment "lint:ignore" silences are
// left out, repetitions folded beyond [MaxPerMessage] and [MaxPerRule]. The same input
// gives the same list. When a limit of the [Loader] ended the reading, only what was
// found until then is listed.
func Lint(c *Config, o Options) diag.List {
	e := evaluate(c, o)
	return e.list()
}

// Verdict returns what keepalived -t of the profile says of a configuration, and for
// what. Comments "lint:ignore" do not change the verdict. For releases before 2.0.4,
// which have no -t, ok means that the daemon does what the text says.
func Verdict(c *Config, o Options) (ok bool, why diag.List) {
	e := evaluate(c, o)
	why = c.diagnostics(&e.store, func(f *finding) bool { return f.objects && !f.quiet })
	if len(why) > 0 {
		return false, why
	}
	why = c.diagnostics(&e.store, func(f *finding) bool { return f.objects })
	return len(why) == 0, why
}
