//go:build unix

package mconsole_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/umlconsole/internal/guest"
	"dougu.internal/examples/umlconsole/mconsole"
	"dougu.internal/internal/oracle"
)

var umlMconsole = oracle.Tool{Name: "uml_mconsole", Package: "uml-utilities"}

// shortDir is a directory whose path is short enough for a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "uml")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func boot(t *testing.T) (*guest.Guest, *mconsole.Client) {
	t.Helper()
	if testing.Short() {
		t.Skip("real guests are left out of short runs")
	}
	if _, _, err := guest.Find(); err != nil {
		oracle.Missing(t, err.Error())
	}
	ctx, cancel := context.WithCancel(context.Background())
	g, err := guest.Boot(ctx, shortDir(t))
	require.NoError(t, err)
	t.Cleanup(func() { cancel(); <-g.Done() })
	var c *mconsole.Client
	oracle.Eventually(t, 3*time.Minute, "the guest's management console answers", func() (err error) {
		select {
		case <-g.Done():
			log, _ := os.ReadFile(g.Log)
			t.Fatalf("the guest has ended: %.2000q", log)
		default:
		}
		c, err = mconsole.Dial(g.Socket())
		return err
	})
	return g, c
}

// varying are the parts of an answer that differ between two guests.
var varying = regexp.MustCompile(`/dev/pts/\d+|(?m)^[0-9.]+ [0-9.]+$|bogomips\s*: [0-9.]+`)

// TestAnswersEqualUMLMconsole boots two guests and gives both the same commands, one
// by the real client and one by ours.
func TestAnswersEqualUMLMconsole(t *testing.T) {
	found := umlMconsole.Need(t)
	theirs, other := boot(t)
	g, c := boot(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	for _, client := range []*mconsole.Client{other, c} {
		ch, err := client.Console(ctx, "con1")
		require.NoError(t, err)
		require.Equal(t, "pts", ch.Kind)
		require.Regexp(t, `^/dev/pts/\d+$`, ch.Device)
	}
	commands := []string{
		"version", "version text", "config con0", "config con1", "config con01", "config con2", "config con9", "config con16", "config con",
		"config con-1", "config nope", "config", "config con3=pts", "config con3", "remove con3", "config con3", "remove con3",
		"config con1=null", "remove con1", "config con7=xyz", "config con7", "config con5=fd:99", "config con5", "config con5=tty:/dev/null",
		"config mem", "remove", "remove zzz", "remove con3=x", "bogus", "Version", "stack 99999",
		"stack x", "proc nope", "proc kallsyms", "proc cpuinfo", "proc uptime", "proc version", "proc filesystems", "stop", "version", "go", "go",
	}
	for _, cmd := range commands {
		text, err := c.Do(ctx, cmd)
		var no *mconsole.Error
		require.True(t, err == nil || errors.As(err, &no), "%s: %v", cmd, err)
		got := "OK " + text
		if no != nil {
			got = "ERR " + no.Text
		}
		r := oracle.Run(t, oracle.Cmd{Path: found.Path, Args: []string{theirs.Socket(), cmd}, Timeout: 20 * time.Second})
		require.Equal(t, normal(string(r.Stdout)), normal(got), "%s", cmd)
	}
	oracle.Compared(t, found, len(commands))

	// uml_mconsole cuts a log into pieces of its own and prints an OK for each.
	text, err := c.Do(ctx, "log hello from outside")
	require.NoError(t, err)
	require.Empty(t, text)

	text, err = c.Do(ctx, "stack 1")
	if err != nil { // no end is sent, where uml_mconsole hangs
		require.ErrorIs(t, err, mconsole.ErrIncomplete)
	}
	require.NotEmpty(t, text)
	require.NoError(t, ctx.Err(), "Client.Idle ended the wait, not the context")

	// Many packets at once: a guest drops those that find our socket's queue full, see
	// the package comment.
	oracle.Eventually(t, 2*time.Minute, "an answer of several packets is complete", func() error {
		text, err := c.Do(ctx, "sysrq m")
		require.Greater(t, len(text), 512, "several packets")
		return err
	})

	list, err := mconsole.List(g.Dir)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.True(t, list[0].Alive && list[0].Running, "%+v", list[0])
	require.Equal(t, g.Name, list[0].Name)
	require.Equal(t, c.Pid, list[0].Pid)

	_, err = c.Do(ctx, "halt")
	require.NoError(t, err)
	require.NoError(t, g.Wait(30*time.Second))
	_, err = c.Do(ctx, "version")
	require.Error(t, err)
	list, err = mconsole.List(g.Dir)
	require.NoError(t, err)
	require.Empty(t, list, "the guest takes its directory with it")
}

func normal(s string) string {
	s = strings.TrimRight(strings.ReplaceAll(s, "\x00", ""), "\n ")
	return varying.ReplaceAllString(s, "~")
}

func TestLogNamesTheSocket(t *testing.T) {
	g, c := boot(t)
	version, err := c.Do(t.Context(), "version")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(version, "Linux "), version)
	logged(t, g, "mconsole (version 2) initialized on "+filepath.Join(g.Dir, g.Name, "mconsole"))
}

// logged waits until the guest's log has a text.
func logged(t *testing.T, g *guest.Guest, want string) {
	t.Helper()
	oracle.Eventually(t, 3*time.Minute, "the log has the text", func() error {
		log, err := os.ReadFile(g.Log)
		if err == nil && !strings.Contains(string(log), want) {
			err = fmt.Errorf("no %q in %q", want, log)
		}
		return err
	})
}

// TestGuestIsBootedByAnyUser runs the test above as a user who is nobody.
func TestGuestIsBootedByAnyUser(t *testing.T) {
	if testing.Short() {
		t.Skip("real guests are left out of short runs")
	}
	if os.Geteuid() != 0 {
		t.Log("the other tests are run by an ordinary user already")
		return
	}
	if _, _, err := guest.Find(); err != nil {
		oracle.Missing(t, err.Error())
	}
	self, err := os.Executable()
	require.NoError(t, err)
	binary, err := os.ReadFile(self)
	require.NoError(t, err)
	dir := shortDir(t)
	const nobody = 65534
	require.NoError(t, os.Chown(dir, nobody, nobody))
	copied := filepath.Join(dir, "test")
	require.NoError(t, os.WriteFile(copied, binary, 0o755))
	r := oracle.Run(t, oracle.Cmd{
		Path: copied, Args: []string{"-test.run=^TestLogNamesTheSocket$", "-test.v"}, Dir: dir, Env: []string{"REQUIRE_TOOLS=1"}, Timeout: 5 * time.Minute,
		Prepare: func(cmd *exec.Cmd) { cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody} },
	})
	require.Zero(t, r.ExitCode, "%s%s", r.Stdout, r.Stderr)
	require.Contains(t, string(r.Stdout), "--- PASS: TestLogNamesTheSocket")
}
