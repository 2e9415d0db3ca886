package sshproxy

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Style is the form in which a configuration passes through bastions.
type Style uint8

// The styles.
const (
	// Auto takes the newest form that the client and each bastion can do.
	Auto Style = iota
	// JumpStyle is ProxyJump: clients since 7.3, bastions that forward.
	JumpStyle
	// StdioStyle is ProxyCommand with ssh -W: clients since 5.4, bastions that forward.
	StdioStyle
	// NetcatStyle is ProxyCommand with a command on the bastion, such as nc.
	NetcatStyle
)

// ParseStyle returns the style with the given name: "auto", "jump", "stdio" or "netcat".
func ParseStyle(s string) (Style, error) {
	var style Style
	if style.UnmarshalText([]byte(s)) != nil {
		return 0, errs.Errorf("%q is not one of %s", clip(s), strings.Join(styles.List(), ", "))
	}
	return style, nil
}

// GenerateOptions say for whom a configuration is.
type GenerateOptions struct {
	// From is the host on which it will be used.
	From string
	// Client is the ssh that will read it. If zero, [Newest] is used.
	Client Profile
	Style  Style
	// ConfigPath is the file that nested ssh commands name with -F; empty when the
	// configuration will be read by default. It is put in quotes where it must be.
	ConfigPath string
	// Extra are lines that every host gets, such as IdentityFile. They are written in
	// a Host * block at the end, by option.
	Extra [][2]string
}

// Generated is a configuration made of a topology.
type Generated struct {
	// Text is the ssh_config.
	Text []byte `json:"text,omitzero"`
	// Routes are those of the hosts in it, in order.
	Routes []*Route `json:"routes,omitzero"`
	// Unreachable names hosts that are left out.
	Unreachable []*UnreachableError `json:"unreachable,omitzero"`
}

// Generate writes the ssh_config that makes every reachable host one step away from
// one host. The text is parsed back and each chain in it compared with the route that
// it stands for; a text that does not say what was meant is an error, never a result.
func (t *Topology) Generate(o GenerateOptions) (*Generated, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	if o.Client == (Profile{}) {
		o.Client = Newest()
	}
	routes, reached, err := t.routes(o.From)
	if err != nil {
		return nil, err
	}
	g := &Generated{}
	var b strings.Builder
	fmt.Fprintf(&b, "# ssh_config for %s, made for OpenSSH %s: change the topology, not this text.\n", o.From, o.Client)
	names := make([]string, 0, len(t.Hosts))
	for _, h := range t.Hosts {
		names = append(names, h.Name)
	}
	slices.Sort(names)
	for _, name := range names {
		if name == o.From {
			continue
		}
		h := t.host(name)
		r := routes[name]
		if r == nil {
			g.Unreachable = append(g.Unreachable, &UnreachableError{From: o.From, To: name, Reached: reached, Cut: slices.Sorted(slices.Values(h.On))})
			continue
		}
		block, err := t.block(h, r, o)
		if err != nil {
			return nil, errs.Errorf("%s: %w", r, err)
		}
		b.WriteString(block)
		g.Routes = append(g.Routes, r)
	}
	if len(o.Extra) > 0 {
		b.WriteString("\nHost *\n")
		for _, x := range o.Extra {
			if err := checkOption(x[0], x[1]); err != nil {
				return nil, err
			}
			fmt.Fprintf(&b, "    %s %s\n", x[0], x[1])
		}
	}
	g.Text = []byte(b.String())
	if err := t.prove(g, o); err != nil {
		return nil, errs.Errorf("the generated text does not say what was meant: %w", err)
	}
	return g, nil
}

// block writes one host.
func (t *Topology) block(h *Host, r *Route, o GenerateOptions) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "\n# %s, cost %d\nHost %s\n", r, r.Cost, h.Name)
	last := r.Steps[len(r.Steps)-1]
	if a := h.address(last.Network); a != h.Name {
		fmt.Fprintf(&b, "    HostName %s\n", EscapePercent(a))
	}
	if h.Port != 0 {
		fmt.Fprintf(&b, "    Port %d\n", h.Port)
	}
	if h.User != "" {
		user := h.User
		if o.Client.build().has(userTokens) {
			user = EscapePercent(user)
		}
		fmt.Fprintf(&b, "    User %s\n", user)
	}
	if alias := t.alias(h, last.Network); alias != "" {
		fmt.Fprintf(&b, "    HostKeyAlias %s\n", alias)
	}
	if len(r.Steps) == 1 {
		// Both lines: which one wins over a later Host * differs between clients.
		if o.Client.build().at(70300) {
			b.WriteString("    ProxyJump none\n")
		}
		b.WriteString("    ProxyCommand none\n")
		return b.String(), nil
	}
	line, err := t.through(t.host(r.Steps[len(r.Steps)-2].Host), h, r, o)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&b, "    %s\n", line)
	if strings.HasPrefix(line, "ProxyCommand") && o.Client.build().at(70300) {
		b.WriteString("    ProxyJump none\n")
	}
	return b.String(), nil
}

// alias is the HostKeyAlias of a host: its own, or its name where another host has the
// same address and port.
func (t *Topology) alias(h *Host, network string) string {
	if h.HostKeyAlias != "" {
		return h.HostKeyAlias
	}
	for i := range t.Hosts {
		other := &t.Hosts[i]
		if other == h || other.port() != h.port() {
			continue
		}
		for _, n := range other.On {
			if other.address(n) == h.address(network) {
				return h.Name
			}
		}
	}
	return ""
}

// through writes the line that passes a connection through a bastion.
func (t *Topology) through(bastion, h *Host, r *Route, o GenerateOptions) (string, error) {
	if bastion.Proxy != "" {
		if len(r.Steps) > 2 {
			return "", errs.Errorf("the proxy on %s is behind another bastion: only ssh passes through those", bastion.Name)
		}
		return bastion.proxyLine(r.Steps[0].Network)
	}
	canJump := o.Client.build().at(70300) && bastion.forwards() && bastion.atLeast(70300)
	canStdio := o.Client.build().at(50400) && bastion.forwards() && bastion.atLeast(50400)
	ssh := "ssh "
	if o.ConfigPath != "" {
		path, err := ShellQuote(EscapePercent(o.ConfigPath))
		if err != nil {
			return "", errs.Errorf("-F: %w", err)
		}
		ssh += "-F " + path + " "
	}
	switch style := o.Style; {
	case style == JumpStyle && !plainPath(o.ConfigPath):
		return "", errs.Errorf("ProxyJump can't hand on the path %q of the configuration: the shell or the client would change it", o.ConfigPath)
	case style == JumpStyle && !canJump:
		return "", errs.Errorf("ProxyJump is not possible through %s: %s", bastion.Name, whyNot(bastion, o.Client, "7.3"))
	case style == StdioStyle && !canStdio:
		return "", errs.Errorf("ssh -W is not possible through %s: %s", bastion.Name, whyNot(bastion, o.Client, "5.4"))
	case style == JumpStyle || style == Auto && canJump && plainPath(o.ConfigPath):
		return "ProxyJump " + bastion.Name, nil
	case style == StdioStyle || style == Auto && canStdio:
		return "ProxyCommand " + ssh + "-W '[%h]:%p' " + bastion.Name, nil
	}
	return bastion.join(ssh)
}

// plainPath reports whether ProxyJump may hand a path on, which it does without quotes,
// in a line whose tokens are then expanded.
func plainPath(s string) bool {
	q, err := ShellQuote(s)
	return s == "" || err == nil && q == s && !strings.Contains(s, "%")
}

// atLeast holds the bastion's version, when it is known, against one. An old bastion is
// asked for no more than what was in use in its time.
func (h *Host) atLeast(version int) bool {
	p, err := ParseProfile(h.OpenSSH)
	return err != nil || p.build().at(version)
}

func whyNot(bastion *Host, p Profile, since string) string {
	if !bastion.forwards() {
		return "its sshd forbids forwarding"
	}
	if bastion.OpenSSH != "" {
		return "the client is " + p.String() + ", the bastion " + bastion.OpenSSH + ", and it came with " + since
	}
	return "the client is " + p.String() + ", and it came with " + since
}

// join is the command form: a program on the bastion joins the networks.
func (h *Host) join(ssh string) (string, error) {
	commands := h.Commands
	if commands == nil {
		commands = []string{"nc"}
	}
	for _, c := range commands {
		switch c {
		case "nc", "ncat":
			return "ProxyCommand " + ssh + h.Name + " " + c + " %h %p", nil
		case "socat":
			return "ProxyCommand " + ssh + h.Name + " socat - TCP:%h:%p", nil
		}
	}
	return "", errs.Errorf("%s forbids forwarding and has no command that joins networks: nc, ncat or socat", h.Name)
}

// proxy takes the URL of a proxy apart.
func (h *Host) proxy(address string) (scheme, host, port string, err error) {
	u, err := url.Parse(h.Proxy)
	if err != nil {
		return "", "", "", errs.New("not a URL")
	}
	if u.User != nil {
		return "", "", "", errs.New("a password in a configuration is readable to all processes: leave the user out")
	}
	if u.Scheme != "http" && u.Scheme != "socks5" || u.Path != "" || u.RawQuery != "" {
		return "", "", "", errs.Errorf("%q is not http://host:port or socks5://host:port", h.Proxy)
	}
	host, port = u.Hostname(), u.Port()
	if host == "" {
		host = address
	}
	if port == "" {
		port = map[string]string{"http": "8080", "socks5": "1080"}[u.Scheme]
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return "", "", "", errs.Errorf("%q is not a port", port)
	}
	return u.Scheme, host, port, plainName(host)
}

// proxyLine passes through an HTTP or SOCKS5 proxy by OpenBSD's nc on the client.
func (h *Host) proxyLine(network string) (string, error) {
	scheme, host, port, err := h.proxy(h.address(network))
	if err != nil {
		return "", err
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	kind := "connect"
	if scheme == "socks5" {
		kind = "5"
	}
	return "ProxyCommand nc -X " + kind + " -x " + host + ":" + port + " %h %p", nil
}

// prove parses the text back and holds each chain against its route.
func (t *Topology) prove(g *Generated, o GenerateOptions) error {
	name := o.ConfigPath
	if name == "" {
		name = "/generated"
	}
	r := &Resolver{
		Profile: o.Client, Config: name, Files: Memory(map[string][]byte{name: g.Text}),
		Local: Local{User: "nobody", Home: "/", Hostname: o.From},
	}
	if o.ConfigPath == "" { // nested commands without -F read what would be the user's file
		r.Config, r.UserConfig, r.SystemConfig = "", name, "none"
	}
	for _, route := range g.Routes {
		c, err := r.Chain(context.Background(), Target{Host: route.Steps[len(route.Steps)-1].Host})
		if err != nil {
			return errs.Errorf("%s: %w", route, err)
		}
		hops := c.All()
		steps := route.Steps
		if b := t.host(steps[0].Host); len(steps) > 1 && b.Proxy != "" {
			steps = steps[1:] // the proxy is not an ssh hop
		}
		if len(hops) != len(steps) {
			return errs.Errorf("%s: the chain has %d hops", route, len(hops))
		}
		for i, hop := range hops {
			h := t.host(steps[i].Host)
			if hop.Alias != h.Name || hop.Host != lower(h.address(steps[i].Network)) || hop.Port != strconv.Itoa(h.port()) || h.User != "" && hop.User != h.User {
				return errs.Errorf("%s: hop %d is %s@%s:%s", route, i+1, hop.User, hop.Host, hop.Port)
			}
		}
	}
	return nil
}
