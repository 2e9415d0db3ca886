package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/accesslog/internal/collector"
	"dougu.internal/examples/accesslog/sink"
	"dougu.internal/internal/oracle"
)

// command runs the program.
func command(stdin string, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(strings.NewReader(stdin), &out, &errs, args)
	return status, out.String(), errs.String()
}

func TestShowTellsTheStory(t *testing.T) {
	status, out, errs := command("")
	require.Zero(t, status, errs)
	require.Contains(t, out, `as Apache writes it  127.0.0.1 - - "GET /index.html HTTP/1.1" 200 6 "Mozilla\" 200 0 \"-\" \"nobody was here"`)
	require.Contains(t, out, "the collector is down:  3 written, 0 sent, 3 in the spool\n")
	require.Contains(t, out, "the collector is up:    3 written, 3 sent, 3 acknowledged\n")
	require.Equal(t, 3, strings.Count(out, "  it has  127.0.0.1"))
}

func TestCheckExplainsAFormat(t *testing.T) {
	status, out, errs := command("", "-check", `%h \"%{bogus}T`)
	require.Zero(t, status, errs)
	require.Contains(t, out, "   1  %h                       address of the client")
	require.Contains(t, out, "warning: column 6: %{bogus}T: ")
	status, _, errs = command("", "-check", "%h %y")
	require.Equal(t, 2, status)
	require.Equal(t, "accesslog: column 5: Unrecognized LogFormat directive %y\n    %h %y\n        ^\n", errs)
}

func TestUsageErrors(t *testing.T) {
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"extra"}, `unexpected argument "extra"`},
		{[]string{"-spool", "x"}, "missing -ship TARGET"},
		{[]string{"-ship", "syslog:local9:x"}, "    syslog:local9:x\n           ^\n"},
		{[]string{"-ship", "-", "-spool", "x"}, "-spool requires a syslog target"},
		{[]string{"-ship", "-", "-full", "x"}, `invalid -full "x", want block or drop`},
		{[]string{"-ship", "-", "-check", "%h"}, "only one of -check, -ship and -serve can be used"},
		{[]string{"-ship", filepath.Join("no", "such", "dir", "x")}, "no such file"},
		{[]string{"-nonsense"}, "usage: accesslog"},
	} {
		status, _, errs := command("", row.args...)
		require.Equal(t, 2, status, row.args)
		require.Contains(t, errs, row.want)
	}
	status, _, errs := command("", "-h")
	require.Zero(t, status)
	require.Contains(t, errs, "Exit status: 0")
}

func TestShipCopiesEveryLine(t *testing.T) {
	long := strings.Repeat("x", 100000)
	status, out, errs := command("a\n\nb\x00\n"+long+"\nlast", "-ship", "-")
	require.Zero(t, status, errs)
	require.Equal(t, "a\n\nb\x00\n"+long+"\nlast\n", out)
	require.Equal(t, "accesslog: -: 5 written, 5 sent\n", errs)

	status, out, _ = command(strings.Repeat("y", longest+5)+"\nz\n", "-ship", "-")
	require.Zero(t, status)
	require.Equal(t, strings.Repeat("y", longest)+"[+5 bytes]\nz\n", out)
}

func TestShipSaysWhatIsLeft(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close()) // nobody listens
	dir := t.TempDir()
	args := []string{"-timeout", "50ms", "-ident", "httpd", "-ship", "syslog:local6.info:@relp://" + addr}
	status, _, errs := command("a\nb\n", append([]string{"-spool", dir}, args...)...)
	require.Equal(t, 1, status)
	require.Contains(t, errs, "accesslog: 2 lines wait in "+dir+": run accesslog -ship again with the same -spool\n")
	status, _, errs = command("a\nb\n", args...)
	require.Equal(t, 1, status)
	require.Contains(t, errs, "2 written, 0 sent, 2 dropped")
}

// failing ends in the middle.
type failing struct{ n int }

func (f *failing) Read(b []byte) (int, error) {
	if f.n++; f.n > 1 {
		return 0, io.ErrUnexpectedEOF
	}
	return copy(b, "a\nhalf"), nil
}

func TestShipTellsOfABrokenInput(t *testing.T) {
	var out, errs bytes.Buffer
	require.Equal(t, 1, run(new(failing), &out, &errs, []string{"-ship", "-"}))
	require.Equal(t, "a\n", out.String())
	require.Contains(t, errs.String(), "standard input, line 2: unexpected EOF")
}

// TestShipReplacesBothWaysOfTheStory gives a log to a real collector, which is killed
// in between, and finds each line.
func TestShipReplacesBothWaysOfTheStory(t *testing.T) {
	k := collector.Start(t, collector.Options{})
	dir := t.TempDir()
	var log strings.Builder
	const n = 2000
	for i := range n {
		fmt.Fprintf(&log, "SHIP%07d GET / 200\n", i)
	}
	text := log.String()
	half := strings.Index(text, "SHIP0001000")
	spec := "syslog:local6.info:httpd@relp://" + k.RELP
	status, _, errs := command(text[:half], "-spool", dir, "-ship", spec)
	require.Zero(t, status, errs)
	require.Contains(t, errs, "1000 written, 1000 sent, 1000 acknowledged")
	k.Kill()
	status, _, errs = command(text[half:], "-spool", dir, "-timeout", "100ms", "-ship", spec)
	require.Equal(t, 1, status)
	require.Contains(t, errs, "1000 lines wait in ")
	k.Restart(t)
	status, _, errs = command("", "-spool", dir, "-ship", spec)
	require.Zero(t, status, errs)
	different, _ := k.Arrived(t, "SHIP")
	require.Equal(t, n, different)
	for _, m := range k.Wait(t, n) {
		require.Equal(t, "httpd", m.App)
		require.Equal(t, "local6", m.Facility)
	}
	oracle.Compared(t, k.Found, n)
}

func TestShipWritesFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "copy.log")
	status, _, errs := command("a\nb\n", "-ship", name)
	require.Zero(t, status, errs)
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "a\nb\n", string(text))
}

func TestIncompleteCountsEveryLossThatLeavesALine(t *testing.T) {
	require.False(t, incomplete(sink.Stats{Written: 1, Sent: 1, Resent: 1}))
	for _, s := range []sink.Stats{{Dropped: 1}, {Spooled: 1}, {SetAside: 1}, {Damaged: 1}} {
		require.True(t, incomplete(s), "%+v", s)
	}
}
