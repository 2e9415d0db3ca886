package sshproxy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"dougu.internal/diag"
)

// Topology says who can reach whom.
type Topology struct {
	Networks []Network `json:"networks"`
	Hosts    []Host    `json:"hosts"`
}

// Network is a segment within which every host reaches every other.
type Network struct {
	Name string `json:"name"`
	// CIDR holds the addresses of its hosts, for checks; it may be empty.
	CIDR string `json:"cidr,omitzero"`
}

// Host is a machine on one or more networks.
type Host struct {
	Name string `json:"name"`
	// On are the networks that it has a leg on.
	On []string `json:"on"`
	// Address is its address or name on each network; where it has none, the name of
	// the host is used.
	Address map[string]string `json:"address,omitzero"`
	// Port of its sshd; 0 is 22. User to log in as; empty leaves it to the client.
	Port int    `json:"port,omitzero"`
	User string `json:"user,omitzero"`
	// OpenSSH is its version, such as "5.3", as far as known: together with that of the
	// client it decides the form in which a connection passes through it.
	OpenSSH string `json:"openssh,omitzero"`
	// Bastion: other connections may pass through it. Forwarding false says that its
	// sshd forbids forwarding, so that a command must join the networks; nil is true.
	Bastion    bool  `json:"bastion,omitzero"`
	Forwarding *bool `json:"forwarding,omitzero"`
	// Commands that can be run on it, of "nc", "ncat", "socat"; nil: nc is there.
	Commands []string `json:"commands,omitzero"`
	// Proxy is an HTTP or SOCKS5 proxy on this host, in place of ssh:
	// "http://host:8888" or "socks5://host:1080". The host part may be empty for the
	// host's own address.
	Proxy string `json:"proxy,omitzero"`
	// Cost of passing through; 0 is 1. Routes of the least total cost win, then those
	// whose names come first.
	Cost int `json:"cost,omitzero"`
	// HostKeyAlias keeps host keys apart where two networks have the same addresses.
	HostKeyAlias string `json:"hostKeyAlias,omitzero"`
}

func (h *Host) forwards() bool { return h.Forwarding == nil || *h.Forwarding }

func (h *Host) cost() int { return max(h.Cost, 1) }

func (h *Host) port() int {
	if h.Port == 0 {
		return 22
	}
	return h.Port
}

// address on a network.
func (h *Host) address(network string) string {
	if a := h.Address[network]; a != "" {
		return a
	}
	return h.Name
}

// ParseTopology reads the JSON form. Unknown fields are refused; an error of syntax or
// type names its line and column in the file of that name. The topology is validated:
// see [Topology.Validate].
func ParseTopology(name string, r io.Reader) (*Topology, error) {
	text, err := io.ReadAll(io.LimitReader(r, 64<<20))
	if err != nil {
		return nil, errs.Errorf("read topology %s: %w", name, err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	t := &Topology{}
	if err := d.Decode(t); err != nil {
		offset := d.InputOffset()
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		switch {
		case errors.As(err, &syntax):
			offset = syntax.Offset
		case errors.As(err, &kind):
			offset = kind.Offset
		}
		at := diag.NewLines(text).Range(name, int(offset), int(offset))
		return nil, errs.Errorf("%s: %s", at, jsonCause(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		at := diag.NewLines(text).Range(name, int(d.InputOffset()), int(d.InputOffset()))
		return nil, errs.Errorf("%s: there is more after the topology", at)
	}
	if err := t.Validate(); err != nil {
		return nil, errs.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// Validate refuses names that a shell or a configuration could take for something else,
// networks and versions that are not known, and addresses outside of their network. All
// faults are in the error, one a line.
func (t *Topology) Validate() error {
	var faults []error
	add := func(format string, args ...any) { faults = append(faults, errs.Errorf(format, args...)) }
	nets := map[string]netip.Prefix{}
	for i, n := range t.Networks {
		if err := plainName(n.Name); err != nil {
			add("networks[%d]: %w", i, err)
		}
		if _, twice := nets[n.Name]; twice {
			add("networks[%d]: %q is there twice", i, n.Name)
		}
		p := netip.Prefix{}
		if n.CIDR != "" {
			var err error
			if p, err = netip.ParsePrefix(n.CIDR); err != nil {
				add("networks[%d] %s: cidr: %w", i, n.Name, err)
			}
		}
		nets[n.Name] = p
	}
	seen := map[string]bool{}
	for i := range t.Hosts {
		h := &t.Hosts[i]
		if seen[h.Name] {
			add("hosts[%d]: %q is there twice", i, h.Name)
		}
		seen[h.Name] = true
		for _, err := range h.faults(nets) {
			add("hosts[%d] %s: %w", i, h.Name, err)
		}
	}
	return joined(faults)
}

// joined returns the faults as one error, one a line.
func joined(faults []error) error {
	if len(faults) == 0 {
		return nil
	}
	texts := make([]string, len(faults))
	for i, err := range faults {
		texts[i] = errs.Trim(err)
	}
	return errs.New(strings.Join(texts, "\n"))
}

// jsonCause describes an error of package json, whose texts differ between releases of Go.
func jsonCause(err error) string {
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "unexpected end of input"
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Sprintf("field %s: unexpected %s", clip(diag.Sanitize(kind.Field)), kind.Value)
	case errors.As(err, &kind):
		return "unexpected " + kind.Value
	}
	if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return "unknown field " + clip(diag.Sanitize(name))
	}
	return "invalid JSON"
}

func (h *Host) faults(nets map[string]netip.Prefix) (faults []error) {
	check := func(what string, err error) {
		if err != nil {
			faults = append(faults, errs.Errorf("%s: %w", what, err))
		}
	}
	// ssh reads 00 and 0x7f.1 as addresses, and goes by what it read.
	numeric := func(what, a string) {
		if as, ok := numericAddress(a, "any"); ok && as != a {
			check(what, errs.Errorf("ssh reads %q as the address %s: write it so, or choose a name", a, as))
		}
	}
	check("name", plainName(h.Name))
	if slices.ContainsFunc(h.On, func(n string) bool { return h.Address[n] == "" }) {
		numeric("name", h.Name)
	}
	for _, n := range h.On {
		if _, ok := nets[n]; !ok {
			check("on", errs.Errorf("there is no network %q", n))
		}
	}
	for n, a := range h.Address {
		if !slices.Contains(h.On, n) {
			check("address", errs.Errorf("not on the network %q", n))
		}
		check("address", plainName(a))
		numeric("address", a)
		if ip, err := netip.ParseAddr(a); err == nil && nets[n].IsValid() && !nets[n].Contains(ip) {
			check("address", errs.Errorf("%s is not in %s of the network %s", a, nets[n], n))
		}
	}
	if h.Port < 0 || h.Port > 65535 {
		check("port", errs.Errorf("%d is not a port", h.Port))
	}
	if h.User != "" {
		check("user", plainUser(h.User))
	}
	if h.OpenSSH != "" {
		_, err := ParseProfile(h.OpenSSH)
		check("openssh", err)
	}
	for _, c := range h.Commands {
		if !slices.Contains([]string{"nc", "ncat", "socat"}, c) {
			check("commands", errs.Errorf("%q is not one of nc, ncat, socat", c))
		}
	}
	if h.Proxy != "" {
		_, _, _, err := h.proxy("x")
		check("proxy", err)
	}
	if h.Cost < 0 {
		check("cost", errs.Errorf("%d is negative", h.Cost))
	}
	if h.HostKeyAlias != "" {
		check("hostKeyAlias", plainName(h.HostKeyAlias))
	}
	return faults
}

// plainName accepts what is a host name or an address to every shell and every client.
func plainName(s string) error {
	if s == "" {
		return errs.New("the name is empty")
	}
	for i := range len(s) {
		if c := s[i]; !alpha(c) && !digit(c) && strings.IndexByte("._:-", c) < 0 {
			return errs.Errorf("%q holds %q: use letters, digits and . _ : -", s, c)
		}
	}
	if s[0] == '-' {
		return errs.Errorf("%q begins with '-': it would be read as an option", s)
	}
	return nil
}

// plainUser accepts what stays one word in a shell; a percent sign is doubled where it
// is written.
func plainUser(s string) error {
	if s[0] == '-' {
		return errs.Errorf("%q begins with '-': it would be read as an option", s)
	}
	for i := range len(s) {
		if c := s[i]; !alpha(c) && !digit(c) && strings.IndexByte("._@%+-", c) < 0 {
			return errs.Errorf("%q holds %q: use letters, digits and . _ @ %% + -", s, c)
		}
	}
	return nil
}

// Step is one hop of a route: the host, and the network on which it is reached.
type Step struct {
	Host    string `json:"host"`
	Network string `json:"network"`
}

// Route is a way from one host to another.
type Route struct {
	From  string `json:"from"`
	Steps []Step `json:"steps"` // the last one is the target
	Cost  int    `json:"cost"`
}

// String is "laptop -> b1 -> b2".
func (r *Route) String() string {
	var s strings.Builder
	s.WriteString(r.From)
	for _, x := range r.Steps {
		s.WriteString(" -> " + x.Host)
	}
	return s.String()
}

// UnreachableError says that no bastions lead from one host to another.
type UnreachableError struct {
	From string `json:"from,omitzero"`
	To   string `json:"to,omitzero"`
	// Reached are the networks that From and its bastions reach, sorted; Cut those
	// that To is on.
	Reached []string `json:"reached,omitzero"`
	Cut     []string `json:"cut,omitzero"`
}

// Error names the two sides of the gap.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("sshproxy: %s can't reach %s: it gets as far as %s, and %s is on %s; no bastion has a leg on both sides",
		e.From, e.To, strings.Join(e.Reached, ", "), e.To, strings.Join(e.Cut, ", "))
}

// Route finds the way of the least cost from one host to another through bastions. Of
// ways of equal cost the one whose names come first wins, so that the answer is always
// the same. The error is an [*UnreachableError] when there is none.
func (t *Topology) Route(from, to string) (*Route, error) {
	routes, reached, err := t.routes(from)
	if err != nil {
		return nil, err
	}
	target := t.host(to)
	if target == nil {
		return nil, errs.Errorf("the topology has no host %q", to)
	}
	if r := routes[to]; r != nil {
		return r, nil
	}
	return nil, &UnreachableError{From: from, To: to, Reached: reached, Cut: slices.Sorted(slices.Values(target.On))}
}

func (t *Topology) host(name string) *Host {
	for i := range t.Hosts {
		if t.Hosts[i].Name == name {
			return &t.Hosts[i]
		}
	}
	return nil
}

// routes finds the best way to every host, by Dijkstra's algorithm on (cost, names). A
// target costs nothing; each bastion on the way costs what it says.
func (t *Topology) routes(from string) (best map[string]*Route, reached []string, err error) {
	start := t.host(from)
	if start == nil {
		return nil, nil, errs.Errorf("the topology has no host %q", from)
	}
	best = map[string]*Route{from: {From: from}}
	open := []*Route{best[from]}
	done := map[string]bool{}
	nets := map[string]bool{}
	byNet := map[string][]*Host{}
	for i := range t.Hosts {
		for _, n := range t.Hosts[i].On {
			byNet[n] = append(byNet[n], &t.Hosts[i])
		}
	}
	for len(open) > 0 {
		slices.SortStableFunc(open, compareRoutes)
		r := open[0]
		open = open[1:]
		at := start
		if len(r.Steps) > 0 {
			at = t.host(r.Steps[len(r.Steps)-1].Host)
		}
		if done[at.Name] || best[at.Name] != r {
			continue
		}
		done[at.Name] = true
		if at != start && !at.Bastion {
			continue
		}
		cost := r.Cost
		if at != start {
			cost += at.cost()
		}
		for _, n := range at.On {
			nets[n] = true
			for _, h := range byNet[n] {
				if done[h.Name] {
					continue
				}
				next := &Route{From: from, Cost: cost, Steps: append(slices.Clone(r.Steps), Step{h.Name, n})}
				if old := best[h.Name]; old == nil || compareRoutes(next, old) < 0 {
					best[h.Name] = next
					open = append(open, next)
				}
			}
		}
	}
	for n := range nets {
		reached = append(reached, n)
	}
	slices.Sort(reached)
	return best, reached, nil
}

func compareRoutes(a, b *Route) int {
	return cmp.Or(cmp.Compare(a.Cost, b.Cost), cmp.Compare(len(a.Steps), len(b.Steps)),
		slices.CompareFunc(a.Steps, b.Steps, func(x, y Step) int {
			return cmp.Or(cmp.Compare(x.Host, y.Host), cmp.Compare(x.Network, y.Network))
		}))
}
