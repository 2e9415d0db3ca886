package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/multicast"
)

// group is one of the test's own, on the loopback interface.
type group struct {
	t    *testing.T
	args []string
	src  string
	runs map[string]*receiver
}

// receiver is a running recv.
type receiver struct {
	done      chan int
	out, errs bytes.Buffer
}

func newGroup(t *testing.T) *group {
	t.Helper()
	g := &group{t: t, src: t.TempDir(), runs: map[string]*receiver{}, args: []string{"-group", oracle.MulticastGroup(t).String(), "-iface", "lo"}}
	c := multicast.Config{Group: oracle.MulticastGroup(t), Interface: "lo", Name: "probe"}
	n, err := multicast.Join(context.Background(), c)
	if err != nil {
		oracle.Missing(t, "no multicast on the loopback interface: "+err.Error())
	}
	require.NoError(t, n.Close())
	return g
}

// recv starts a receiver, which runs until the end of the test or until it ends by itself. It
// returns the directory of the receiver.
func (g *group) recv(name string, more ...string) string {
	dir := g.t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	r := &receiver{done: make(chan int, 1)}
	g.runs[name] = r
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.done <- run(ctx, &r.out, &r.errs, append(append([]string{"recv", "-base", dir, "-name", name}, g.args...), more...))
	}()
	g.t.Cleanup(func() {
		cancel()
		<-ended
	})
	return dir
}

// ended waits until a receiver has ended by itself, and returns its status and its output.
func (g *group) ended(name string) (int, string) {
	g.t.Helper()
	r := g.runs[name]
	select {
	case st := <-r.done:
		return st, r.out.String() + r.errs.String()
	case <-time.After(time.Minute):
		require.Fail(g.t, "recv does not end", name)
		return 0, ""
	}
}

// send runs send, and returns its status, its output and its errors.
func (g *group) send(args ...string) (int, string, string) {
	var out, errs bytes.Buffer
	st := run(context.Background(), &out, &errs, append(append([]string{"send", "-C", g.src, "-name", "s"}, g.args...), args...))
	return st, out.String(), errs.String()
}

func (g *group) file(name, text string) {
	p := filepath.Join(g.src, name)
	require.NoError(g.t, os.MkdirAll(filepath.Dir(p), 0o755))
	require.NoError(g.t, os.WriteFile(p, []byte(text), 0o644))
}

// TestLinesAreThoseOfMsync has the lines that msync of makuosan 1.3.6 printed for the
// same tree: msync -rv tree, msync -rn tree, msync -rnv --delete tree.
func TestLinesAreThoseOfMsync(t *testing.T) {
	g := newGroup(t)
	g.file("tree/a", "a")
	g.file("tree/sub/b", "b")
	require.NoError(t, os.Mkdir(filepath.Join(g.src, "tree/emptydir"), 0o755))
	require.NoError(t, os.Symlink("a", filepath.Join(g.src, "tree/l")))
	dir := g.recv("hr1")
	g.recv("vm")
	two := []string{"-min-members", "2"}

	st, out, errs := g.send(append(two, "-r", "-n", "tree")...)
	require.Zero(t, st, errs)
	require.Equal(
		t,
		"(dryrun) [update:tree/a]\n(dryrun) [update:tree/emptydir]\n(dryrun) [update:tree/l]\n(dryrun) [update:tree/sub/b]\n(dryrun) [update:tree/sub]\n(dryrun) [update:tree]\n",
		out,
	)

	st, out, errs = g.send(append(two, "-r", "-v", "tree")...)
	require.Zero(t, st, errs)
	var want strings.Builder
	for _, p := range []string{"tree/a", "tree/emptydir", "tree/l", "tree/sub/b", "tree/sub", "tree"} {
		fmt.Fprintf(&want, "update hr1:%s\nupdate vm:%s\n", p, p)
	}
	require.Equal(t, want.String(), out)

	st, out, errs = g.send(append(two, "-r", "-v", "tree")...)
	require.Zero(t, st, errs)
	require.Empty(t, out, "nothing has changed")
	st, out, _ = g.send(append(two, "-r", "-v", "-v", "tree")...)
	require.Zero(t, st)
	require.Contains(t, out, "skip   hr1:tree/a\nskip   vm:tree/a\n")

	require.NoError(t, os.Remove(filepath.Join(g.src, "tree/sub/b")))
	g.file("tree/a", "aa")
	st, out, errs = g.send(append(two, "-r", "-n", "-v", "-delete", "tree")...)
	require.Zero(t, st, errs)
	require.Equal(t, "(dryrun) delete hr1:tree/sub/b\n(dryrun) delete vm:tree/sub/b\n(dryrun) update hr1:tree/a\n(dryrun) update vm:tree/a\n"+
		"(dryrun) update hr1:tree/sub\n(dryrun) update vm:tree/sub\n", out)
	st, out, errs = g.send(append(two, "-r", "-v", "-delete", "tree")...)
	require.Zero(t, st, errs)
	require.Equal(t, strings.ReplaceAll("(dryrun) delete hr1:tree/sub/b\n(dryrun) delete vm:tree/sub/b\n(dryrun) update hr1:tree/a\n(dryrun) update vm:tree/a\n"+
		"(dryrun) update hr1:tree/sub\n(dryrun) update vm:tree/sub\n", "(dryrun) ", ""), out)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "tree/a"), []byte("ab"), 0o644))
	st, out, _ = g.send(append(two, "-r", "-check", "tree")...)
	require.Equal(t, statusFailed, st)
	require.Equal(t, "hr1: NG tree/a\n", out)
	st, out, _ = g.send(append(two, "-r", "-check", "-v", "-t", "vm", "tree")...)
	require.Zero(t, st)
	require.Contains(t, out, "vm: OK tree/a\n")

	st, out, _ = g.send("-members")
	require.Zero(t, st)
	require.Equal(t, "hr1 127.0.0.1 (Ver1.0)\nvm 127.0.0.1 (Ver1.0)\nTotal: 2 members\n", out)
	st, out, _ = g.send("-status")
	require.Zero(t, st)
	require.Contains(t, out, "hr1\n  state    idle\n")
}

func TestExitStatusIsHonest(t *testing.T) {
	oracle.Slow(t)
	g := newGroup(t)
	g.file("tree/a", "a")
	st, _, errs := g.send("-r", "tree")
	require.Equal(t, statusNoMembers, st)
	require.Contains(t, errs, "no receiver answered")
	dir := g.recv("h1")
	st, _, errs = g.send("-r", "-min-members", "2", "tree")
	require.Equal(t, statusNoMembers, st)
	require.Contains(t, errs, "too few receivers")
	st, _, errs = g.send("-r", "-t", "nobody", "tree")
	require.Equal(t, statusUsage, st)
	require.Contains(t, errs, "nobody is not contained in members\n")
	// A path that does not exist is said, and the others are sent.
	st, out, errs := g.send("-r", "-v", "nosuch", "tree")
	require.Equal(t, statusUsage, st)
	require.Contains(t, errs, "error: No such file or directory nosuch\n")
	require.Contains(t, out, "update h1:tree/a\n")
	require.FileExists(t, filepath.Join(dir, "tree/a"))
	for _, args := range [][]string{{}, {"-r"}, {"-x", "tree"}, {"/etc"}, {"../x"}, {"-rate", "fast", "tree"}, {"-commit", "some", "tree"}, {"-slow", "evict", "tree"},
		{"-members", "tree"}, {"-key", "/nonexistent", "tree"}, {"-exclude-from", "/nonexistent", "tree"}, {"-group", "10.0.0.1:1", "tree"}} {
		st, _, errs = g.send(args...)
		require.Equal(t, statusUsage, st, "%q", args)
		require.NotEmpty(t, errs)
	}
	open := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(open, []byte(strings.Repeat("0", 64)), 0o644))
	st, _, errs = g.send("-key", open, "tree")
	require.Equal(t, statusUsage, st)
	require.Contains(t, errs, "(mode 0644); run chmod 600 ")
}

func TestJSONIsWhatOthersScriptAgainst(t *testing.T) {
	g := newGroup(t)
	g.file("tree/a", "a")
	g.recv("h1", "-once")
	g.recv("h2", "-readonly")
	st, out, errs := g.send("-r", "-json", "-min-members", "2", "tree")
	require.Zero(t, st, errs)
	var j map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &j))
	for _, key := range []string{"epoch", "bytes", "sent", "repair", "elapsed", "hosts"} {
		require.Contains(t, j, key)
	}
	h := j["hosts"].([]any)[0].(map[string]any)
	require.Equal(t, []any{"tree/a", "tree"}, h["updated"])
	for _, key := range []string{"name", "addr", "updated", "deleted", "skipped", "errors", "late", "evicted"} {
		require.Contains(t, h, key)
	}
	require.Equal(t, "read-only", j["hosts"].([]any)[1].(map[string]any)["state"])
	st, printed := g.ended("h1")
	require.Zero(t, st)
	require.Equal(t, "commit 1 from s: 2 updated, 0 deleted\n", printed)
	st, out, _ = g.send("-r", "-v", "-v", "-t", "h2", "tree")
	require.Zero(t, st)
	require.Contains(t, out, "skipro h2:tree/a\n")
}

func TestNamesFitALine(t *testing.T) {
	for name, want := range map[string]string{"plain": "plain", "f g": "f g", "é": "é", "a\nb": `"a\nb"`, "x\xff": `"x\xff"`, "\x1b[2J": `"\x1b[2J"`, `q"q`: `q"q`} {
		require.Equal(t, want, show(name))
	}
}

func TestRates(t *testing.T) {
	for text, want := range map[string]uint64{"300M": 300e6, "1.5G": 15e8, "64k": 64e3, "0": 0, "100": 100} {
		v, err := parseRate(text)
		require.NoError(t, err)
		require.Equal(t, want, v)
	}
	for _, text := range []string{"", "M", "-1", "fast", "1e30"} {
		_, err := parseRate(text)
		require.Error(t, err, text)
	}
}
