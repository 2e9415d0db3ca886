package sshproxy

import (
	"bytes"
	"context"
	"encoding"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/fill"
)

func TestProfilesComeBack(t *testing.T) {
	list := append(Profiles(), Profile{}, Newest(), OpenSSH(5, 3), OpenSSH(9, 9), mustProfile("9.6p2"), mustProfile("8.0p1-debian"), OpenSSH(-1, 1000))
	for _, p := range list {
		back, err := ParseProfile(p.String())
		require.NoError(t, err)
		require.Equal(t, p, back)
		text, err := p.MarshalText()
		require.NoError(t, err)
		require.Equal(t, p.String(), string(text))
		var q Profile
		require.NoError(t, q.UnmarshalText(text))
		require.True(t, p == q, "%s", p)
	}
	require.Equal(t, "newest", Profile{}.String())
	require.Equal(t, Newest().Version(), Profile{}.Version())
	require.Contains(t, Profiles(), Newest())
	require.IsNonDecreasing(t, func() (v []int) {
		for _, p := range Profiles() {
			v = append(v, p.Version())
		}
		return v
	}())
	for _, name := range []string{"", "x", "10", "10.5.1", "100.1", "9.9p100", strings.Repeat("9", 10_000), "\xff"} {
		_, err := ParseProfile(name)
		require.Error(t, err, "%.50q", name)
		require.True(t, strings.HasPrefix(err.Error(), "sshproxy: "), "%v", err)
		require.LessOrEqual(t, len(err.Error()), 1000)
		require.Error(t, new(Profile).UnmarshalText([]byte(name)))
	}
	own := ProfileFromG(Newest(), "/home/u", "port 2222\n")
	require.NotEqual(t, Newest(), own)
	require.Equal(t, Newest().String(), own.String())
	_, err := own.MarshalText()
	require.ErrorContains(t, err, "sshproxy: encode profile 10.5p1: ")
}

// TestManyProfilesTakeLittleMemory asks for more builds than are kept.
func TestManyProfilesTakeLittleMemory(t *testing.T) {
	for i := range 2 * maxBuilds {
		require.True(t, OpenSSH(9, i%100).Knows("Port"))
		builds.Lock()
		require.LessOrEqual(t, len(builds.known), maxBuilds)
		builds.Unlock()
	}
}

func TestEnumerationsComeBack(t *testing.T) {
	for _, row := range []struct {
		value encoding.TextMarshaler
		into  encoding.TextUnmarshaler
		word  string
	}{
		{Auto, new(Style), "auto"},
		{NetcatStyle, new(Style), "netcat"},
		{Direct, new(Via), "direct"},
		{Command, new(Via), "command"},
	} {
		require.NoError(t, fill.Text(row.value, row.into, row.word, "sshproxy: "))
	}
	_, err := Via(0).MarshalText()
	require.ErrorContains(t, err, "sshproxy: invalid ")
}

func TestAnswersSurviveJSON(t *testing.T) {
	for _, v := range []any{
		new(Setting), new(Explanation), new(Hop), new(Chain), new(Generated), new(Route), new(Step), new(Block), new(Option), new(Target), new(CommandLine),
	} {
		require.NoError(t, fill.JSON(rand.Uint64(), v), "%T", v)
	}
	line, err := ParseCommandLine(strings.Fields("-o Port=3 -p 5 -l x -J a,b -A -W x:1 u@h cmd"))
	require.NoError(t, err)
	b, err := json.Marshal(line)
	require.NoError(t, err)
	var back CommandLine
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, line, back)
	require.ErrorContains(t, new(Target).UnmarshalJSON([]byte(`{"flags":[{"flag":"Z"}]}`)), "sshproxy: ")
}

// TestAResolutionSurvivesJSON: a chain that was decoded says of every option what the
// client says, and has no configuration to explain it from.
func TestAResolutionSurvivesJSON(t *testing.T) {
	text := "Host internal\n  HostName 10.77.3.2\n  ProxyJump b2\n  SendEnv A B\n  LocalForward 1 h:2\nHost b2\n  User ro\xffot\n  ProxyCommand nc %h %p\n"
	for _, p := range Profiles() {
		r := &Resolver{Profile: p, Config: "cfg", Files: Memory(map[string][]byte{"cfg": []byte(text)}), Local: Local{User: "me", Home: "/home/me"}}
		c, err := r.Chain(t.Context(), Target{Host: "internal"})
		require.NoError(t, err)
		b, err := json.Marshal(c)
		require.NoError(t, err)
		var back Chain
		require.NoError(t, json.Unmarshal(b, &back))
		require.Len(t, back.All(), len(c.All()))
		for i, h := range c.All() {
			d := back.All()[i]
			require.Equal(t, h.User, d.User)
			require.Equal(t, h.Via, d.Via)
			var want, got bytes.Buffer
			require.NoError(t, h.Result.WriteG(&want))
			require.NoError(t, d.Result.WriteG(&got))
			require.Equal(t, want.String(), got.String())
			require.Equal(t, h.Result.Host(), d.Result.Host())
			require.Equal(t, h.Result.Alias(), d.Result.Alias())
			require.Equal(t, h.Result.User(), d.Result.User())
			require.Equal(t, h.Result.Port(), d.Result.Port())
			require.Equal(t, h.Result.All("sendenv"), d.Result.All("SendEnv"))
			_, ok := d.Result.Origin("Port")
			require.False(t, ok)
			_, err := d.Result.Explain("Port")
			require.ErrorContains(t, err, "sshproxy: explain: ")
			_, err = d.Result.ExplainAll()
			require.Error(t, err)
		}
		require.Equal(t, c.Unanswered(), back.Unanswered())
		again, err := json.Marshal(&back)
		require.NoError(t, err)
		require.Equal(t, string(b), string(again))
	}
	var zero Result
	require.Empty(t, zero.Host()+zero.Alias()+zero.User()+zero.Port()+zero.Get("Port"))
	require.ErrorContains(t, zero.UnmarshalJSON([]byte(`{"profile":"x"}`)), "sshproxy: ")
	require.Empty(t, (&Chain{Hops: []Hop{{}}}).Unanswered())
}

func TestLintEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in := LintInput{Files: []*File{Parse("cfg", []byte("Host a\n  ProxyJump a\n"))}}
	list, err := Lint(ctx, in, LintOptions{Resolver: &Resolver{Files: FS(fstest.MapFS{})}})
	require.EqualError(t, err, "sshproxy: lint cfg: context canceled")
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, list)
	_, err = (&Resolver{Files: FS(fstest.MapFS{})}).Resolve(ctx, Target{Host: "h"})
	require.ErrorIs(t, err, context.Canceled)
	require.True(t, strings.HasPrefix(err.Error(), "sshproxy: "), "%v", err)
}

// TestErrorsNameThePackageOnce: the errors that callers see, whatever they wrap.
func TestErrorsNameThePackageOnce(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "d"), 0o700))
	resolver := func(text string) *Resolver {
		return &Resolver{Config: "cfg", Files: Memory(map[string][]byte{"cfg": []byte(text)}), Exec: func(context.Context, string) (bool, error) { return false, errors.New("no shell") }}
	}
	f := Parse("cfg", nil)
	list := map[string]error{}
	_, list["loop"] = resolver("Host a\n ProxyJump b\nHost b\n ProxyJump a\n").Chain(t.Context(), Target{Host: "a"})
	_, list["config"] = resolver("Port x\n").Resolve(t.Context(), Target{Host: "a"})
	_, list["hop"] = resolver("Host a\n ProxyJump b\nMatch host b\n Port 70000\n").Chain(t.Context(), Target{Host: "a"})
	_, list["exec"] = resolver("Match exec x\n").Resolve(t.Context(), Target{Host: "a"})
	_, list["style"] = ParseStyle("x")
	_, list["target"] = ParseTarget("ssh://")
	_, list["flags"] = ParseCommandLine([]string{"-Z"})
	_, list["shell"] = ShellQuote("\n")
	_, list["quote"] = ConfigQuote("")
	list["host"], list["user"] = ValidHost("-x"), ValidUser("-x")
	list["set"], list["delete"] = f.Set("h", "Port", "\n"), f.Delete("h", "Port")
	_, list["add"] = f.AddHost("a\n")
	_, list["managed"] = f.Managed("a b")
	list["write"] = WriteFile(filepath.Join(dir, "d"), nil, WriteOptions{})
	list["directory"] = WriteFile(filepath.Join(dir, "none", "f"), nil, WriteOptions{})
	_, list["topology"] = ParseTopology("topo", strings.NewReader(`{"hosts": [{"name": "-a", "openssh": "x"}, {"name": "b", "proxy": "ftp://x", "on": ["y"]}]}`))
	_, list["json"] = ParseTopology("topo", strings.NewReader(`{"hosts": [{"name": 1}]}`))
	_, list["field"] = ParseTopology("topo", strings.NewReader(`{"host": 1}`))
	_, list["from"] = (&Topology{}).Generate(GenerateOptions{From: "x"})
	list["warm"] = (&Resolver{Config: filepath.Join(dir, "missing")}).Warm()
	list["LineError"], list["ConfigError"] = &LineError{Text: "t"}, &ConfigError{Messages: []string{"a", "b"}}
	list["UnreachableError"], list["LoopError"] = &UnreachableError{From: "a"}, &LoopError{Path: []string{"a"}}
	for name, err := range list {
		require.Error(t, err, name)
		require.True(t, strings.HasPrefix(err.Error(), "sshproxy: "), "%s: %v", name, err)
		require.Equal(t, 1, strings.Count(err.Error(), "sshproxy: "), "%s: %v", name, err)
		require.NotContains(t, err.Error(), "json: ", name)
	}
	var loop *LoopError
	require.True(t, errors.As(list["loop"], &loop))
	var config *ConfigError
	require.True(t, errors.As(list["hop"], &config))
}

func TestRulesAreFreshAndSorted(t *testing.T) {
	list := Rules()
	for i, r := range list {
		require.True(t, i == 0 || list[i-1].ID < r.ID, r.ID)
	}
	list[0].ID = "changed"
	require.NotEqual(t, "changed", Rules()[0].ID)
}
