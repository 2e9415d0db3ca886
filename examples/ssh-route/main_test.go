package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// run runs the program in the directory dir.
func run(t *testing.T, dir string, args ...string) (out, errs string, status int) {
	t.Helper()
	t.Chdir(dir)
	var o, e bytes.Buffer
	p := &program{out: &o, err: &e, env: func(name string) (string, bool) { return "/bin/sh", name == "SHELL" }}
	status = p.main(args)
	return o.String(), e.String(), status
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestResolvePrintsWhatSSHPrints(t *testing.T) {
	tool := oracle.Tool{Name: "ssh", Package: "openssh-client", Probe: []string{"-V"}, Version: regexp.MustCompile(`OpenSSH_(\S+( Debian-\S+)?)`)}.Need(t)
	n := 0
	for _, row := range []struct{ config, args string }{
		{"Host h\n ProxyJump u@b:2,c\n", "h"},
		{"Host h\n Port 1\n", "-p 5 -o Port=6 me@h"},
		{"Host h\n Port 1\n", "-oPort=6 -p5 ssh://x@h:9"},
		{"User u\n", "-J a,b -l v h"},
		{"Frob x\nPort 0\n", "h"},
		{"Match exec \"test %h = h\"\n Port 7\n", "-exec h"},
		{"KerberosAuthentication yes\n", "h"},
		{"ProxyJump h\n", "h"},
		{"", "-o Frob=1 h"},
		{"", "-p 0 h"},
		{"", "a;b"},
	} {
		dir := t.TempDir()
		write(t, dir, "c", row.config)
		args := append([]string{"-F", "c"}, strings.Fields(row.args)...)
		var plain []string
		for _, a := range args {
			if a != "-exec" {
				plain = append(plain, a)
			}
		}
		want := oracle.Run(t, oracle.Cmd{Path: tool.Path, Args: append([]string{"-G"}, plain...), Dir: dir})
		out, errs, status := run(t, dir, append([]string{"resolve"}, args...)...)
		require.Equal(t, want.ExitCode, status, "%s: %s", row.args, errs)
		require.Equal(t, string(want.Stdout), out)
		stderr := strings.ReplaceAll(string(want.Stderr), "\r", "")
		stderr = strings.ReplaceAll(stderr, "Pseudo-terminal will not be allocated because stdin is not a terminal.\n", "")
		require.Equal(t, stderr, errs)
		n++
	}
	oracle.Compared(t, tool, n)
}

func TestResolveRunsNothingByDefault(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "c", "Match exec \"touch ran\"\n Port 7\n")
	out, errs, status := run(t, dir, "resolve", "-profile", "10.5", "-F", "c", "h")
	require.Zero(t, status)
	require.Contains(t, out, "\nport 22\n")
	require.Equal(t, "ssh-route: Match exec was not run: touch ran (-exec and -lookup permit it)\n", errs)
	require.NoFileExists(t, filepath.Join(dir, "ran"))
}

const chainConfig = "Host internal\n  HostName 10.77.3.2\n  ProxyJump b2\nHost b2\n  User root\n  ProxyJump b1\nHost b1\n  Port 2222\n"

func TestChainPrintsHopsAndLines(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "c", "User me\n"+chainConfig)
	out, errs, status := run(t, dir, "chain", "-profile", "9.2p1-debian", "-F", "c", "internal")
	require.Zero(t, status, errs)
	require.Equal(t, `1 b1 me@b1:2222 direct
2 b2 me@b2:22 jump
3 internal me@10.77.3.2:22 jump
internal runs: exec ssh -F c -W '[10.77.3.2]:22' b2  [c:4]
b2 runs: exec ssh -F c -W '[b2]:22' b1  [c:7]
`, out)
	out, _, status = run(t, dir, "chain", "-format", "json", "-F", "c", "internal")
	require.Zero(t, status)
	var got chainOutput
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Len(t, got.Hops, 3)
	require.Equal(t, "c:4", got.Hops[2].Origin)
	require.Contains(t, out, `"loop": []`)

	write(t, dir, "c", "Host h\n ProxyJump b\nHost b\n ProxyJump h\n")
	out, errs, status = run(t, dir, "chain", "-F", "c", "h")
	require.Equal(t, 1, status)
	require.Empty(t, out)
	require.Contains(t, errs, "h -> b -> h")
	out, _, status = run(t, dir, "chain", "-json", "-F", "c", "h")
	require.Equal(t, 1, status)
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Equal(t, []string{"h", "b", "h"}, got.Loop)

	write(t, dir, "c", "Port x\n")
	_, errs, status = run(t, dir, "chain", "-profile", "10.5", "-F", "c", "h")
	require.Equal(t, 255, status)
	require.Equal(t, "c line 1: Bad port 'x'.\nc: terminating, 1 bad configuration options\n", errs)
}

func TestExplainPrintsEachLine(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "c", "Host web\n  Port 1\nHost h\n  Port 2\nHost *\n  Port 3\n")
	out, errs, status := run(t, dir, "explain", "-F", "c", "h", "Port", "Compression")
	require.Zero(t, status, errs)
	require.Equal(t, `Port 2
  set      c:4  Port 2  (Host h, line 3)
  shadowed c:6  Port 3  (Host *, line 5)
  blocked  c:2  Port 1  (Host web, line 1): no pattern matches "h"
Compression no
  default
`, out)
	out, _, status = run(t, dir, "explain", "-format", "json", "-F", "c", "h")
	require.Zero(t, status)
	require.True(t, json.Valid([]byte(out)))
	_, _, status = run(t, dir, "explain", "-F", "c", "h", "Frobnicate")
	require.Equal(t, 2, status)
}

func TestLintFixAndFormats(t *testing.T) {
	dir := t.TempDir()
	name := write(t, dir, "cfg", "Host a,b\n  Port 1\n")
	out, _, status := run(t, dir, "lint", "-profile", "10.5", name)
	require.Equal(t, 1, status)
	require.Contains(t, out, "cfg:1:6: error: a comma in a Host pattern is a letter like any other [SP109]")
	for _, format := range []string{"json", "sarif"} {
		out, _, status = run(t, dir, "lint", "-format", format, "-profile", "10.5", name)
		require.Equal(t, 1, status)
		require.True(t, json.Valid([]byte(out)))
	}
	_, _, status = run(t, dir, "lint", "-fix", "-profile", "10.5", name)
	require.Zero(t, status)
	out, _, status = run(t, dir, "lint", "-profile", "10.5", name)
	require.Zero(t, status, out)
	out, _, status = run(t, dir, "lint", "-rules")
	require.Zero(t, status)
	require.Contains(t, out, "SP101 error")
	_, _, status = run(t, dir, "lint")
	require.Equal(t, 2, status)
}

func TestFmtAndSetChangeLittle(t *testing.T) {
	dir := t.TempDir()
	name := write(t, dir, "cfg", "User x  \nHost a\nPort 1\r\n# c\n\t\tIdentityFile ~/x")
	out, _, status := run(t, dir, "fmt", name)
	require.Zero(t, status)
	require.Equal(t, "User x\nHost a\n    Port 1\r\n# c\n    IdentityFile ~/x", out)
	before, _, _ := run(t, dir, "resolve", "-F", "cfg", "a")
	_, _, status = run(t, dir, "fmt", "-w", name)
	require.Zero(t, status)
	after, _, _ := run(t, dir, "resolve", "-F", "cfg", "a")
	require.Equal(t, before, after)

	out, _, status = run(t, dir, "set", "-d", "-F", name, "a", "Port", "2")
	require.Zero(t, status)
	require.Equal(t, "-    Port 1\n+    Port 2\n", out)
	_, _, status = run(t, dir, "set", "-F", name, "a", "Port", "2")
	require.Zero(t, status)
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Contains(t, string(text), "    Port 2\r\n")
	_, errs, status := run(t, dir, "set", "-F", name, "a", "Port", "2\nUser y")
	require.Equal(t, 1, status)
	require.Contains(t, errs, "control character")
}

func TestGenerateSaysWhatIsUnreachable(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "t.json", `{"networks": [{"name": "x"}, {"name": "y"}], "hosts": [{"name": "laptop", "on": ["x"]}, {"name": "b", "on": ["x"]}, {"name": "far", "on": ["y"]}]}`)
	out, errs, status := run(t, dir, "generate", "-topology", "t.json", "-from", "laptop")
	require.Equal(t, 1, status)
	require.Contains(t, out, "Host b\n    ProxyJump none\n    ProxyCommand none\n")
	require.Contains(t, errs, "laptop can't reach far")
	_, _, status = run(t, dir, "generate", "-topology", "t.json", "-from", "laptop", "-client", "x")
	require.Equal(t, 2, status)
}

func TestDialFailsWithTheHop(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "c", "Host h\n  HostName 127.0.0.1\n  Port 1\n")
	_, errs, status := run(t, dir, "dial", "-timeout", "5s", "-F", "c", "h")
	require.Equal(t, 1, status)
	require.Contains(t, errs, "hop 1, h (127.0.0.1:1): connect: ")
	_, _, status = run(t, dir, "dial", "-timeout", "x", "h")
	require.Equal(t, 2, status)
}

func TestUsage(t *testing.T) {
	dir := t.TempDir()
	for _, s := range subcommands() {
		_, errs, status := run(t, dir, s.name, "-h")
		require.Zero(t, status, s.name)
		require.Contains(t, errs, "usage: ssh-route "+s.name)
	}
	_, _, status := run(t, dir)
	require.Equal(t, 2, status)
	_, _, status = run(t, dir, "frob")
	require.Equal(t, 2, status)
	_, _, status = run(t, dir, "resolve")
	require.Equal(t, 2, status)
}
