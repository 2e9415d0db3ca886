package ipxe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
)

// Machines says which machine boots what: a list, matched from the top, as code makes it
// or one JSON file.
type Machines struct {
	// Groups name settings that several machines share.
	Groups map[string]Boot `json:"groups,omitzero"`
	// Machines are tried in order; the first that matches decides.
	Machines []MachineRule `json:"machines"`
	// Default is used when no machine matches; nil: the machine gets no script (404).
	Default *Boot `json:"default,omitzero"`
}

// MachineRule matches a machine. All fields that are set must match; one must be set.
type MachineRule struct {
	// Name of the rule, for messages and as the host name; it must be set.
	Name string `json:"name"`
	// MAC in any of the usual forms. Serial and UUID match without regard to case.
	MAC    string `json:"mac,omitzero"`
	Serial string `json:"serial,omitzero"`
	UUID   string `json:"uuid,omitzero"`
	// Product and Manufacturer are patterns: * stands for any text, ? for one byte.
	Product      string `json:"product,omitzero"`
	Manufacturer string `json:"manufacturer,omitzero"`
	// Group names the group; Labels are the user's own and match nothing.
	Group  string            `json:"group,omitzero"`
	Labels map[string]string `json:"labels,omitzero"`
	// Boot overrides what the group says; its fields stand beside the others in JSON.
	Boot

	mac    [6]byte
	hasMAC bool
}

// Boot is what a machine boots. Empty fields are taken from the group, and from the
// default.
type Boot struct {
	// Kernel and Initrds are URLs, or paths on the server that iPXE knows as
	// ${next-server}; Args is the command line.
	Kernel  string   `json:"kernel,omitzero"`
	Initrds []string `json:"initrds,omitzero"`
	Args    []string `json:"args,omitzero"`
	// Serial is the console for serial-over-LAN; its kernel arguments are added.
	Console *SerialConsole `json:"console,omitzero"`
	// Local boots the disk instead: "exit" or "sanboot".
	Local string `json:"local,omitzero"`
	// Vars are for templates.
	Vars map[string]string `json:"vars,omitzero"`
}

// maxMachines bounds a file.
const maxMachines = 1 << 20

// ParseMachines reads and checks a JSON file: an object as [Machines] has it, or only the
// list. Fields that it does not know are errors, with the place.
func ParseMachines(r io.Reader) (*Machines, error) {
	data, err := io.ReadAll(io.LimitReader(r, 256<<20+1))
	if err != nil {
		return nil, errs.Errorf("read machines: %w", err)
	}
	if len(data) > 256<<20 {
		return nil, errs.New("a list of machines of more than 256 MiB")
	}
	m := &Machines{}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var into any = m
	if t := bytes.TrimLeft(data, " \t\r\n"); len(t) > 0 && t[0] == '[' {
		into = &m.Machines
	}
	if err := d.Decode(into); err != nil {
		return nil, jsonError(data, d.InputOffset(), err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, jsonError(data, d.InputOffset(), errMore)
	}
	return m, m.Check()
}

func jsonError(data []byte, at int64, err error) error {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &typ):
		at = typ.Offset
	}
	at = min(max(at, 0), int64(len(data)))
	line := 1 + bytes.Count(data[:at], []byte("\n"))
	column := int(at) - bytes.LastIndexByte(data[:at], '\n')
	return errs.Errorf("%d:%d: %s", line, column, jsonCause(err))
}

// jsonCause describes an error of encoding/json, whose own texts change between releases.
func jsonCause(err error) string {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.Is(err, errMore):
		return err.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "unexpected end of input"
	case errors.As(err, &syntax):
		return "invalid JSON"
	case errors.As(err, &typ) && typ.Field != "":
		return fmt.Sprintf("field %s: unexpected %s", shown(typ.Field), typ.Value)
	case errors.As(err, &typ):
		return "unexpected " + typ.Value
	}
	if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return fmt.Sprintf("unknown field \"%s\"", shown(strings.Trim(name, `"`)))
	}
	return "unexpected value"
}

var errMore = errors.New("more text after the end")

// Check checks the rules and makes them ready for Match. It must be called for a list
// that code has made.
func (m *Machines) Check() error { return errs.Wrap(m.check()) }

func (m *Machines) check() error {
	if len(m.Machines) > maxMachines {
		return fmt.Errorf("more than %d machines", maxMachines)
	}
	seen := map[string]int{}
	for i := range m.Machines {
		r := &m.Machines[i]
		where := fmt.Sprintf("machine %d (%s)", i+1, shown(r.Name))
		switch {
		case r.Name == "":
			return fmt.Errorf("machine %d has no name", i+1)
		case r.MAC == "" && r.Serial == "" && r.UUID == "" && r.Product == "" && r.Manufacturer == "":
			return fmt.Errorf("%s matches nothing: give a mac, serial, uuid, product or manufacturer", where)
		case r.Group != "" && !m.hasGroup(r.Group):
			return fmt.Errorf("%s: there is no group %q", where, r.Group)
		}
		if first, ok := seen[r.Name]; ok {
			return fmt.Errorf("%s has the name of machine %d", where, first)
		}
		seen[r.Name] = i + 1
		if r.MAC != "" {
			if r.mac, r.hasMAC = ParseMAC(r.MAC); !r.hasMAC {
				return fmt.Errorf("%s: %q is no MAC address", where, r.MAC)
			}
		}
		if err := r.Boot.check(); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
	}
	var b Builder // what can't be written is told here, not when the machine boots
	for i := range m.Machines {
		b.Reset()
		if g := m.Boots(&m.Machines[i]); g.Kernel != "" || g.Local != "" {
			if g.Build(&b); b.err != nil {
				return errs.Errorf("machine %d (%s): %w", i+1, shown(m.Machines[i].Name), b.err)
			}
		}
	}
	for name, g := range m.Groups {
		if err := g.check(); err != nil {
			return fmt.Errorf("group %s: %w", name, err)
		}
	}
	if m.Default != nil {
		return m.Default.check()
	}
	return nil
}

func (m *Machines) hasGroup(name string) bool { _, ok := m.Groups[name]; return ok }

func (g *Boot) check() error {
	switch g.Local {
	case "", "exit", "sanboot":
	default:
		return fmt.Errorf("local is %q: it must be exit or sanboot", g.Local)
	}
	if g.Console != nil {
		return g.Console.check()
	}
	return nil
}

// Boots returns what a rule of the list boots, with its group and the default.
func (m *Machines) Boots(r *MachineRule) *Boot {
	g := r.Boot
	if r.Group != "" {
		g = g.over(m.Groups[r.Group])
	}
	if m.Default != nil {
		g = g.over(*m.Default)
	}
	return &g
}

// Match returns the first rule for a machine, and what it boots; nil when none matches
// and there is no default. The rule is nil for the default.
func (m *Machines) Match(f Facts) (*MachineRule, *Boot) {
	for i := range m.Machines {
		r := &m.Machines[i]
		if r.matches(&f) {
			return r, m.Boots(r)
		}
	}
	return nil, m.Default
}

func (r *MachineRule) matches(f *Facts) bool {
	switch {
	case r.MAC != "" && !(f.HasMAC && r.hasMAC && f.MAC == r.mac),
		r.Serial != "" && !strings.EqualFold(r.Serial, f.Serial),
		r.UUID != "" && !strings.EqualFold(r.UUID, f.UUID),
		r.Product != "" && !matchPattern(r.Product, f.Product),
		r.Manufacturer != "" && !matchPattern(r.Manufacturer, f.Manufacturer):
		return false
	}
	return r.MAC != "" || r.Serial != "" || r.UUID != "" || r.Product != "" || r.Manufacturer != ""
}

// over fills the empty fields from below.
func (g Boot) over(below Boot) Boot {
	if g.Kernel == "" && g.Local == "" {
		g.Kernel, g.Local = below.Kernel, below.Local
	}
	if g.Initrds == nil {
		g.Initrds = below.Initrds
	}
	if g.Args == nil {
		g.Args = below.Args
	}
	if g.Console == nil {
		g.Console = below.Console
	}
	if len(below.Vars) > 0 {
		vars := make(map[string]string, len(below.Vars)+len(g.Vars))
		maps.Copy(vars, below.Vars)
		maps.Copy(vars, g.Vars)
		g.Vars = vars
	}
	return g
}

// matchPattern matches * and ?; it takes at most the product of the lengths.
func matchPattern(pattern, s string) bool {
	star, from := -1, 0
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, from = i, j
			i++
		case i < len(pattern) && (pattern[i] == '?' || pattern[i] == s[j]):
			i++
			j++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(pattern) && pattern[i] == '*' {
		i++
	}
	return i == len(pattern)
}

// Build writes the script of what is booted.
func (g *Boot) Build(b *Builder) {
	switch g.Local {
	case "exit":
		b.Local(ExitToFirmware)
		return
	case "sanboot":
		b.Local(SANBoot)
		return
	}
	if g.Kernel == "" {
		b.fail("Build", errors.New("neither a kernel nor a local disk"))
		return
	}
	for _, u := range g.Initrds {
		b.Initrd(serverURL(u))
	}
	args := make([]Expr, 0, len(g.Args)+2)
	for _, a := range g.Args {
		args = append(args, Text(a))
	}
	if g.Console != nil {
		for _, a := range g.Console.KernelArgs() {
			args = append(args, Text(a))
		}
	}
	b.Kernel(serverURL(g.Kernel), args...)
	b.Boot()
}

// serverURL is a URL, or a path on the server that DHCP named.
func serverURL(s string) *URLBuilder {
	if strings.Contains(s, "://") {
		return Link(s)
	}
	return URL(Text("http://"), Var("next-server"), Text("/"+strings.TrimPrefix(s, "/")))
}

// Generator serves the scripts of the list. Machines that nothing matches get ErrNoBoot.
func (m *Machines) Generator() Generator {
	return func(_ context.Context, f Facts) ([]byte, error) {
		r, g := m.Match(f)
		if g == nil {
			return nil, ErrNoBoot
		}
		var b Builder
		g.Build(&b)
		text, err := b.Bytes()
		if err != nil && r != nil {
			err = errs.Errorf("machine %s: %w", shown(r.Name), err)
		}
		return text, err
	}
}
