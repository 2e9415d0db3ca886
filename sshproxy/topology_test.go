package sshproxy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/diag"
	"dougu.internal/internal/oracle"
)

func applyFixes(text string, list diag.List) ([]byte, int, error) {
	return diag.ApplyFixes([]byte(text), "c", list)
}

const topologyJSON = `{
  "networks": [{"name": "internet"}, {"name": "dmz"}, {"name": "prod", "cidr": "10.77.3.0/24"}, {"name": "island"}],
  "hosts": [
    {"name": "laptop", "on": ["internet"]},
    {"name": "b1", "on": ["internet", "dmz"], "address": {"internet": "10.77.1.2", "dmz": "10.77.2.1"}, "port": 2222, "user": "root", "openssh": "9.2", "bastion": true},
    {"name": "b2", "on": ["dmz", "prod"], "address": {"dmz": "10.77.2.2", "prod": "10.77.3.1"}, "port": 2222, "bastion": true, "forwarding": false, "commands": ["nc"], "cost": 2},
    {"name": "internal", "on": ["prod"], "address": {"prod": "10.77.3.2"}, "port": 2222, "hostKeyAlias": "internal.prod"},
    {"name": "lost", "on": ["island"]}
  ]
}`

func readTopology(t *testing.T, text string) *Topology {
	t.Helper()
	top, err := ParseTopology("t.json", strings.NewReader(text))
	require.NoError(t, err)
	return top
}

func TestTopologyFindsTheCheapestRoute(t *testing.T) {
	top := readTopology(t, topologyJSON)
	r, err := top.Route("laptop", "internal")
	require.NoError(t, err)
	require.Equal(t, "laptop -> b1 -> b2 -> internal", r.String())
	require.Equal(t, 3, r.Cost)
	_, err = top.Route("laptop", "lost")
	var u *UnreachableError
	require.ErrorAs(t, err, &u)
	require.Equal(t, "sshproxy: laptop can't reach lost: it gets as far as dmz, internet, prod, and lost is on island; no bastion has a leg on both sides", u.Error())
	_, err = top.Route("laptop", "nobody")
	require.Error(t, err)
	_, err = top.Route("nobody", "laptop")
	require.Error(t, err)
}

func TestTopologyPrefersNamesAmongEquals(t *testing.T) {
	var hosts []string
	for _, n := range []string{"z", "m", "a"} {
		hosts = append(hosts, fmt.Sprintf(`{"name": %q, "on": ["x", "y"], "bastion": true}`, n))
	}
	top := readTopology(t, `{"networks": [{"name": "x"}, {"name": "y"}], "hosts": [{"name": "from", "on": ["x"]}, {"name": "to", "on": ["y"]}, `+strings.Join(hosts, ",")+`]}`)
	r, err := top.Route("from", "to")
	require.NoError(t, err)
	require.Equal(t, "from -> a -> to", r.String())
	top.host("a").Cost = 5
	r, err = top.Route("from", "to")
	require.NoError(t, err)
	require.Equal(t, "from -> m -> to", r.String())
	top.host("a").Bastion = false
	_, err = top.Route("a", "to")
	require.NoError(t, err, "a host need not be a bastion to begin at")
}

// TestRoutesAreShortest compares with an exhaustive search on small random topologies.
func TestRoutesAreShortest(t *testing.T) {
	r := oracle.Rand(t)
	for range oracle.N(100, 2000) {
		top := &Topology{}
		for i := range 4 {
			top.Networks = append(top.Networks, Network{Name: fmt.Sprintf("n%d", i)})
		}
		for i := range 6 {
			h := Host{Name: fmt.Sprintf("h%d", i), Bastion: r.IntN(2) == 0, Cost: 1 + r.IntN(3)}
			for n := range 4 {
				if r.IntN(3) == 0 {
					h.On = append(h.On, fmt.Sprintf("n%d", n))
				}
			}
			top.Hosts = append(top.Hosts, h)
		}
		best := map[string]int{}
		var walk func(at *Host, cost int, seen map[string]bool)
		walk = func(at *Host, cost int, seen map[string]bool) {
			if old, ok := best[at.Name]; ok && old < cost {
				return
			}
			best[at.Name] = cost
			if len(seen) > 0 && !at.Bastion {
				return
			}
			if len(seen) > 0 {
				cost += at.Cost
			}
			seen[at.Name] = true
			defer delete(seen, at.Name)
			for i := range top.Hosts {
				h := &top.Hosts[i]
				if seen[h.Name] {
					continue
				}
				for _, n := range at.On {
					for _, m := range h.On {
						if n == m {
							walk(h, cost, seen)
						}
					}
				}
			}
		}
		walk(&top.Hosts[0], 0, map[string]bool{})
		for _, h := range top.Hosts {
			got, err := top.Route("h0", h.Name)
			want, reachable := best[h.Name]
			require.Equal(t, reachable, err == nil, "%v", err)
			if reachable {
				require.Equal(t, want, got.Cost, "%s", got)
			}
		}
	}
}

func TestGenerateWritesTheFormThatFits(t *testing.T) {
	for _, row := range []struct {
		name, client string
		style        Style
		change       func(*Topology)
		internal     string // the line that leads on
	}{
		{"a bastion without forwarding", "10.5", Auto, nil, "ProxyCommand ssh b2 nc %h %p"},
		{"a new client", "10.5", Auto, func(x *Topology) { x.host("b2").Forwarding = nil }, "ProxyJump b2"},
		{"a client before ProxyJump", "7.2", Auto, func(x *Topology) { x.host("b2").Forwarding = nil }, "ProxyCommand ssh -W '[%h]:%p' b2"},
		{"a client before -W", "5.3", Auto, func(x *Topology) { x.host("b2").Forwarding = nil }, "ProxyCommand ssh b2 nc %h %p"},
		{"an old bastion", "10.5", Auto, func(x *Topology) { x.host("b2").Forwarding, x.host("b2").OpenSSH = nil, "6.6" }, "ProxyCommand ssh -W '[%h]:%p' b2"},
		{"socat", "10.5", Auto, func(x *Topology) { x.host("b2").Commands = []string{"socat"} }, "ProxyCommand ssh b2 socat - TCP:%h:%p"},
	} {
		t.Run(row.name, func(t *testing.T) {
			top := readTopology(t, topologyJSON)
			if row.change != nil {
				row.change(top)
			}
			g, err := top.Generate(GenerateOptions{From: "laptop", Client: mustProfile(row.client), Style: row.style})
			require.NoError(t, err)
			require.Contains(t, string(g.Text), "    "+row.internal+"\n")
			require.Len(t, g.Unreachable, 1)
			require.Len(t, g.Routes, 3)
		})
	}
	top := readTopology(t, topologyJSON)
	_, err := top.Generate(GenerateOptions{From: "laptop", Style: JumpStyle})
	require.ErrorContains(t, err, "its sshd forbids forwarding")
	top.host("b2").Commands = []string{}
	_, err = top.Generate(GenerateOptions{From: "laptop"})
	require.ErrorContains(t, err, "no command that joins networks")
	_, err = readTopology(t, topologyJSON).Generate(GenerateOptions{From: "laptop", ConfigPath: "/tmp/%h/x y"})
	require.NoError(t, err, "a path that needs quotes is written in quotes")
}

func TestTopologyRefusesWhatCouldInject(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{`{"hosts": [{"name": "a;id", "on": []}]}`, `hosts[0] a;id: name: "a;id" holds ';'`},
		{`{"hosts": [{"name": "-oProxyCommand=x", "on": []}]}`, "holds '='"},
		{`{"hosts": [{"name": "-x", "on": []}]}`, "begins with '-'"},
		{`{"hosts": [{"name": "a\nHost *", "on": []}]}`, "holds '\\n'"},
		{`{"hosts": [{"name": "a", "user": "$(id)", "on": []}]}`, "holds '$'"},
		{`{"hosts": [{"name": "a", "on": ["n"]}]}`, `there is no network "n"`},
		{`{"networks": [{"name": "n", "cidr": "10.0.0.0/8"}], "hosts": [{"name": "a", "on": ["n"], "address": {"n": "11.0.0.1"}}]}`, "11.0.0.1 is not in 10.0.0.0/8"},
		{`{"networks": [{"name": "n"}], "hosts": [{"name": "a", "on": ["n"], "address": {"n": "0x7f.1"}}]}`, `address: ssh reads "0x7f.1" as the address 127.0.0.1: write it so`},
		{`{"networks": [{"name": "n"}], "hosts": [{"name": "00", "on": ["n"]}]}`, `name: ssh reads "00" as the address 0.0.0.0: write it so`},
		{`{"hosts": [{"name": "a", "on": [], "proxy": "http://u:secret@p:1"}]}`, "leave the user out"},
		{`{"hosts": [{"name": "a", "on": [], "port": 99999}]}`, "99999 is not a port"},
		{`{"hosts": [{"name": "a", "on": []}, {"name": "a", "on": []}]}`, "there twice"},
		{`{"hosts": [{"name": "a", "on": [], "colour": 1}]}`, `unknown field "colour"`},
		{"{\n  \"hosts\": 1}", "t.json:2:"},
		{"{\n  x}", "t.json:2:"},
		{"{} {}", "there is more"},
	} {
		_, err := ParseTopology("t.json", strings.NewReader(row.text))
		require.ErrorContains(t, err, row.want)
		require.NotContains(t, err.Error(), "secret")
	}
}

// TestGeneratedTextIsAcceptedByTheClient asks the installed client for each route.
func TestGeneratedTextIsAcceptedByTheClient(t *testing.T) {
	tool := sshTool.Need(t)
	p := profileOf(t, tool)
	n := 0
	for _, style := range []Style{Auto, NetcatStyle} {
		name := filepath.Join(t.TempDir(), "config")
		g, err := readTopology(t, topologyJSON).Generate(GenerateOptions{From: "laptop", Client: p, Style: style, ConfigPath: name, Extra: [][2]string{{"ControlPath", "~/.ssh/%C"}}})
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(name, g.Text, 0o600))
		for _, r := range g.Routes {
			target := r.Steps[len(r.Steps)-1].Host
			res := oracle.Run(t, oracle.Cmd{Path: tool.Path, Args: []string{"-G", "-F", name, target}})
			require.Zero(t, res.ExitCode, "%s", res.Stderr)
			proxied := strings.Contains(string(res.Stdout), "\nproxycommand ") || strings.Contains(string(res.Stdout), "\nproxyjump ")
			require.Equal(t, len(r.Steps) > 1, proxied, "%s\n%s", r, res.Stdout)
			n++
		}
	}
	oracle.Compared(t, tool, n)
	var none *UnreachableError
	require.False(t, errors.As(nil, &none))
}
