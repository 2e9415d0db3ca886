//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/umlconsole/console"
	"dougu.internal/examples/umlconsole/internal/guest"
	"dougu.internal/examples/umlconsole/mconsole"
	"dougu.internal/internal/oracle"
)

func program(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	null, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer null.Close()
	status = run(ctx, null, &out, &errs, args)
	return status, out.String(), errs.String()
}

func TestPlayedGuestTellsTheStory(t *testing.T) {
	var out bytes.Buffer
	c := command{stdout: &out, stderr: &out}
	require.NoError(t, c.play(t.Context()))
	require.Contains(t, out.String(), `sent "uname -r", received "6.1.0-played"`)
	require.Contains(t, out.String(), `sent "echo $((6*7))", received "42"`)
	require.Contains(t, out.String(), "the simulated guest has ended\n")
}

func TestUsageErrors(t *testing.T) {
	for _, row := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"extra"}, 2, `unexpected argument "extra"`},
		{[]string{"-run", "x"}, 2, `invalid -umid ""`},
		{[]string{"-umid", "../x", "-run", "x"}, 2, "without a slash"},
		{[]string{"-umid", "x"}, 2, "want one of -mconsole, "},
		{[]string{"-umid", "x", "-run", "a", "-log", "b"}, 2, "want one of -mconsole, "},
		{[]string{"-umid", "x", "-run", "a", "-expect", "("}, 2, "invalid -expect: error parsing regexp"},
		{[]string{"-list", "-umid", "x"}, 2, "-list cannot be used together"},
		{[]string{"-nonsense"}, 2, "usage: umlconsole"},
		{[]string{"-umid", "nobody", "-dir", "/nonexistent", "-mconsole", "version"}, 3, `no guest "nobody" in /nonexistent`},
		{[]string{"-h"}, 0, "Exit status: 0 success"},
	} {
		status, _, errs := program(t, row.args...)
		require.Equal(t, row.status, status, row.args)
		require.Contains(t, errs, row.want)
	}
	status, out, errs := program(t, "-list", "-json", t.TempDir())
	require.Zero(t, status, errs)
	require.Equal(t, "[]\n", out)
}

// tool is a program whose presence alone is asked.
func tool(t *testing.T, name, pkg string) oracle.Found {
	t.Helper()
	return oracle.Tool{Name: name, Package: pkg}.Need(t)
}

// TestRealGuestIsDriven goes through every action with a real guest, and reads GNU
// screen's window back.
func TestRealGuestIsDriven(t *testing.T) {
	if testing.Short() {
		t.Skip("real guests are left out of short runs")
	}
	if _, _, err := guest.Find(); err != nil {
		oracle.Missing(t, err.Error())
	}
	screen := tool(t, "screen", "screen")
	dir, err := os.MkdirTemp("", "uml")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(context.Background())
	g, err := guest.Boot(ctx, dir)
	require.NoError(t, err)
	defer func() { cancel(); <-g.Done() }()
	oracle.Eventually(t, 3*time.Minute, "the guest is there", func() error {
		_, err := mconsole.Dial(g.Socket())
		return err
	})
	one := []string{"-umid", g.Name, "-dir", g.Dir, "-timeout", "180s"}

	status, out, errs := program(t, append(one, "-run", "uname -r")...)
	require.Zero(t, status, errs)
	require.Regexp(t, `^\d+\.\d+\.\d+`, out)
	require.Equal(t, 1, strings.Count(out, "\n"), "%q", out)
	status, out, errs = program(t, append(one, "-run", "echo MARK-$((6*7))", "-expect", `MARK-\d+`)...)
	require.Zero(t, status, errs)
	require.Empty(t, out, "what stands before the match")

	status, out, _ = program(t, append(one, "-mconsole", "config con0")...)
	require.Zero(t, status)
	require.Equal(t, "OK null\n", out)
	status, out, _ = program(t, append(one, "-mconsole", "bogus")...)
	require.Equal(t, 1, status)
	require.Equal(t, "ERR Unknown command\n", out)
	status, _, errs = program(t, append(one, "-con", "con0", "-run", "x")...)
	require.Equal(t, 1, status)
	require.Contains(t, errs, `con0 of guest is "null", not a pts`)

	// The shell ended with our hangup and comes back on a terminal, which the management
	// console and the boot log name alike.
	var logged string
	oracle.Eventually(t, 3*time.Minute, "con1 is back", func() error {
		status, out, errs = program(t, "-list", "-json", g.Dir)
		require.Zero(t, status, errs)
		var list []listed
		require.NoError(t, json.Unmarshal([]byte(out), &list))
		require.Len(t, list, 1)
		require.True(t, list[0].Alive)
		logged, err = fromLog(ctx, g)
		require.NoError(t, err)
		if got := fmt.Sprint(list[0].Consoles); !strings.Contains(got, "{con1 pts "+logged+"}") {
			return fmt.Errorf("%s, and the log says %s", got, logged)
		}
		return nil
	})

	status, out, errs = program(t, append(one, "-screen")...)
	require.Zero(t, status, errs)
	require.Equal(t, "screen -dmS guest-con1 "+logged+"\n", out)
	inScreen(t, screen, strings.Fields(out)[1:])

	status, out, errs = program(t, append(one, "-mconsole", "halt")...)
	require.Zero(t, status, errs)
	require.NoError(t, g.Wait(2*time.Minute))
	status, _, errs = program(t, append(one, "-mconsole", "version")...)
	require.Equal(t, 3, status, errs)
	oracle.Compared(t, screen, 1)
}

// inScreen runs the printed command, types into the window and reads it back.
func inScreen(t *testing.T, screen oracle.Found, args []string) {
	home := t.TempDir()
	sockets, err := os.MkdirTemp("", "scr")
	require.NoError(t, err)
	defer os.RemoveAll(sockets)
	require.NoError(t, os.Chmod(sockets, 0o700))
	env := []string{"HOME=" + home, "SCREENDIR=" + sockets, "TERM=vt100"}
	do := func(args ...string) error {
		r := oracle.Run(t, oracle.Cmd{Path: screen.Path, Args: args, Env: env, Timeout: 20 * time.Second})
		if r.ExitCode != 0 {
			return fmt.Errorf("%q: %s%s", args, r.Stdout, r.Stderr)
		}
		return nil
	}
	require.NoError(t, do(args...))
	name := args[1]
	defer do("-S", name, "-X", "quit")
	copy := filepath.Join(home, "window")
	oracle.Eventually(t, 3*time.Minute, "the window shows the answer", func() error {
		if err := do("-S", name, "-p", "0", "-X", "stuff", "echo MARK-$((6*7))\n"); err != nil {
			return errors.Join(err, do(args...)) // a window that could not open the terminal yet has ended
		}
		time.Sleep(200 * time.Millisecond)
		if err := do("-S", name, "-p", "0", "-X", "hardcopy", copy); err != nil {
			return err
		}
		text, err := os.ReadFile(copy)
		if err == nil && !regexp.MustCompile(`(?m)^MARK-42`).Match(text) {
			err = fmt.Errorf("%q", text)
		}
		return err
	})
}

func TestStoryWithARealGuest(t *testing.T) {
	if testing.Short() {
		t.Skip("real guests are left out of short runs")
	}
	if _, _, err := guest.Find(); err != nil {
		oracle.Missing(t, err.Error())
	}
	if os.Geteuid() == 0 {
		t.Log("as root")
	}
	status, out, errs := program(t)
	require.Zero(t, status, "%s%s", out, errs)
	require.Contains(t, out, "the boot log contains the same device: true\n")
	require.Regexp(t, `sent "uname -r", received "\d+\.\d+\.\d+`, out)
	require.Contains(t, out, `sent "echo $((6*7))", received "42"`)
	require.Contains(t, out, "mconsole halt: the guest has ended\n")
}

// TestQEMUsTerminalsAreFound compares what QEMU prints with what it says over QMP.
func TestQEMUsTerminalsAreFound(t *testing.T) {
	qemu := oracle.Tool{
		Name: "qemu-system-x86_64", Package: "qemu-system-x86", Probe: []string{"--version"},
		Version: regexp.MustCompile(`version ([0-9.]+)`),
	}.Need(t)
	dir, err := os.MkdirTemp("", "qmp")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	sock := filepath.Join(dir, "qmp")
	p := oracle.Start(t, oracle.Cmd{Path: qemu.Path, Args: []string{
		"-M", "pc", "-nodefaults", "-display", "none", "-serial", "pty", "-monitor", "pty", "-S", "-qmp", "unix:" + sock + ",server=on,wait=off",
	}})
	printed := map[string]string{}
	oracle.Eventually(t, 3*time.Minute, "QEMU announces its terminals", func() error {
		for d, err := range console.FindBootLog(bytes.NewReader(p.Output())) {
			require.NoError(t, err)
			printed[d.Label] = d.Path
		}
		if len(printed) < 2 {
			return fmt.Errorf("%v in %q", printed, p.Output())
		}
		return nil
	})
	told := map[string]string{}
	list, err := console.FindQMP(t.Context(), dialUnix(t, sock))
	require.NoError(t, err)
	for _, d := range list {
		told[d.Label] = d.Path
		port, err := console.Open(d)
		require.NoError(t, err)
		require.NoError(t, port.Close())
	}
	require.Equal(t, printed, told)
	oracle.Compared(t, qemu, len(told))
}
