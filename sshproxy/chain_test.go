package sshproxy

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// newChain resolves chains on one file, as user root of machine vm.
func newChain(text string) *Resolver {
	return &Resolver{
		Profile: mustProfile("9.2p1-debian"), Config: "cfg",
		Files: FS(fstest.MapFS{"cfg": {Data: []byte(text)}}),
		Local: Local{User: "root", Home: "/root", Hostname: "vm"},
	}
}

func mustProfile(name string) Profile {
	p, err := ParseProfile(name)
	if err != nil {
		panic(err)
	}
	return p
}

// chains are configurations whose chain is known; each is also asked of the real ssh.
var chains = []struct {
	name, config, target string
	lines                []string // from the target outwards
}{
	{"a jump list before a jump host of its own", "Host b2\n  ProxyJump b1\nHost h\n  ProxyJump u@a:33,x:44,b2\n", "h", []string{
		"exec ssh -J u@a:33,x:44 -F cfg -W '[h]:22' b2",
		"exec ssh -p 44 -J u@a:33 -F cfg -W '[b2]:22' x",
		"exec ssh -l u -p 33 -F cfg -W '[x]:44' a",
	}},
	{"tokens in the built line", "Host h\n  ProxyJump u%h@[fe80::1]:33\n", "h", []string{"exec ssh -l uh -p 33 -F cfg -W '[h]:22' fe80::1"}},
	{"each host its own", "Host internal\n  HostName 10.77.3.2\n  Port 2222\n  ProxyJump b2\nHost b2\n  HostName 10.77.2.2\n  ProxyJump b1\n", "internal", []string{
		"exec ssh -F cfg -W '[10.77.3.2]:2222' b2",
		"exec ssh -F cfg -W '[10.77.2.2]:22' b1",
	}},
	{"commands", "Host h\n  ProxyCommand ssh -F cfg -W [%h]:%p b\nHost b\n  ProxyCommand ssh -F cfg a nc %h %p\n  Port 2200\n", "h", []string{
		"exec ssh -F cfg -W [h]:22 b",
		"exec ssh -F cfg a nc b 2200",
	}},
	{"a command under a jump", "Host h\n  ProxyJump b\nHost b\n  ProxyCommand ssh -l me -F cfg -W %h:%p a\n", "h", []string{
		"exec ssh -F cfg -W '[h]:22' b",
		"exec ssh -l me -F cfg -W b:22 a",
	}},
}

func shellLines(c *Chain) (list []string) {
	all := c.All()
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].ShellLine != "" {
			list = append(list, all[i].ShellLine)
		}
	}
	return list
}

func TestChainKnowsEveryShellLine(t *testing.T) {
	for _, row := range chains {
		t.Run(row.name, func(t *testing.T) {
			c, err := newChain(row.config).Chain(context.Background(), Target{Host: row.target})
			require.NoError(t, err)
			require.Equal(t, row.lines, shellLines(c))
			require.Empty(t, c.Unanswered())
		})
	}
}

var executed = regexp.MustCompile(`Executing proxy command: (exec [^\r\n]*)`)

// TestChainAgreesWithSSH lets the real client run the chains where it can reach no one:
// every process of the chain says what it executes.
func TestChainAgreesWithSSH(t *testing.T) {
	tool := sshTool.Need(t)
	words := oracle.Namespaces(t)
	r := oracle.Rand(t)
	rows := chains
	for i := range oracle.N(12, 200) { // random chains of four hosts
		var b strings.Builder
		for _, h := range []string{"h", "a", "b", "c"} {
			fmt.Fprintf(&b, "Host %s\n", h)
			next := map[string]string{"h": "a", "a": "b", "b": "c"}[h]
			if r.IntN(3) == 0 {
				fmt.Fprintf(&b, "  HostName %s.example\n", h)
			}
			if r.IntN(3) == 0 {
				fmt.Fprintf(&b, "  Port %d\n  User u%d\n", 1000+r.IntN(9000), r.IntN(9))
			}
			switch {
			case next == "":
			case r.IntN(3) == 0:
				fmt.Fprintf(&b, "  ProxyCommand ssh -F cfg %s-W '[%%h]:%%p' %s\n", []string{"", "-l %r ", "-p 77 "}[r.IntN(3)], next)
			default:
				list := []string{"", "x,", "u@x:7,", "y,u@x,"}[r.IntN(4)]
				fmt.Fprintf(&b, "  ProxyJump %s%s%s\n", list, []string{"", "me@"}[r.IntN(2)], next)
			}
		}
		rows = append(rows, struct {
			name, config, target string
			lines                []string
		}{fmt.Sprintf("random %d", i), b.String(), "h", nil})
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "cfg"), []byte(row.config), 0o600))
			res := oracle.Run(t, oracle.Cmd{
				Path: words[0], Args: append(words[1:len(words):len(words)], tool.Path, "-vv", "-F", "cfg", row.target), Dir: dir,
				Env: []string{"SHELL=/bin/sh"},
			})
			var lines []string
			for _, m := range executed.FindAllStringSubmatch(string(res.Stderr), -1) {
				line := strings.ReplaceAll(m[1], " -vv", "")
				lines = append(lines, strings.Replace(line, "exec "+tool.Path, "exec ssh", 1))
			}
			resolver := newChain(row.config)
			resolver.Profile = profileOf(t, tool)
			resolver.Local.User, resolver.Local.Home = localOf(t).User, localOf(t).Home
			c, err := resolver.Chain(context.Background(), Target{Host: row.target})
			require.NoError(t, err)
			got := shellLines(c)
			if len(lines) < len(got) && strings.Contains(row.config, "ProxyCommand") {
				got = got[:len(lines)] // an ssh that a ProxyCommand starts says nothing without -v of its own
			}
			require.Equal(t, lines, got, "%s\n%s", row.config, res.Stderr)
		})
	}
	oracle.Compared(t, tool, len(rows))
}

func TestChainFindsLoops(t *testing.T) {
	for _, row := range []struct{ name, config, want string }{
		{"of two", "Host h\n ProxyJump b\nHost b\n ProxyJump h\n", "h -> b -> h"},
		{"of three", "Host h\n ProxyJump b\nHost b\n ProxyJump c\nHost c\n ProxyJump h\n", "h -> b -> c -> h"},
		{"not at the target", "Host h\n ProxyJump b\nHost b\n ProxyJump c\nHost c\n ProxyJump b\n", "h -> b -> c -> b"},
		{"of one", "Host *\n ProxyJump h\n", "h -> h"},
		{"of one, one on", "Host *\n ProxyJump b\n", "h -> b -> b"},
		{"through commands", "Host h\n ProxyCommand ssh -F cfg -W %h:%p b\nHost b\n ProxyCommand ssh -F cfg -W %h:%p h\n", "h -> b -> h"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := newChain(row.config).Chain(context.Background(), Target{Host: "h"})
			var loop *LoopError
			require.ErrorAs(t, err, &loop)
			require.Equal(t, row.want, strings.Join(loop.Path, " -> "))
		})
	}
}

func TestChainThatOnlyGrowsEnds(t *testing.T) {
	_, err := newChain("Host *\n ProxyCommand ssh -F cfg -W x:1 %n0\n").Chain(context.Background(), Target{Host: "h"})
	var loop *LoopError
	require.ErrorAs(t, err, &loop)
	require.LessOrEqual(t, len(loop.Path), maxChain+2)
}

func TestChainExecutesNothing(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "ran")
	r := newChain("Match exec \"touch " + marker + "\"\n Port 1\nHost h\n ProxyCommand touch " + marker + "\n KnownHostsCommand touch " + marker + "\n LocalCommand touch " + marker + "\n")
	c, err := r.Chain(context.Background(), Target{Host: "h"})
	require.NoError(t, err)
	require.NoFileExists(t, marker)
	require.Equal(t, []string{"Match exec was not run: touch " + marker}, c.Unanswered())
	require.Equal(t, "not an ssh command", c.Hops[0].Opaque)
	require.Equal(t, "cfg:4", c.Hops[0].Place)
}

func TestChainRefusesWhatTheShellWouldReadOtherwise(t *testing.T) {
	for _, jump := range []string{"a;id", "$(id)", "a b"} {
		r := newChain("Host h\n ProxyJump " + jump + "\n")
		r.Profile = Newest()
		_, err := r.Chain(context.Background(), Target{Host: "h"})
		require.ErrorContains(t, err, "h: ", jump)
	}
	r := newChain("")
	r.Config = "a config"
	r.Files = FS(fstest.MapFS{"a config": {Data: []byte("Host h\n ProxyJump b\n")}})
	_, err := r.Chain(context.Background(), Target{Host: "h"})
	require.ErrorContains(t, err, "more words than a host")
}
