//go:build unix

package target_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/accesslog/internal/collector"
	"dougu.internal/examples/accesslog/sink"
	"dougu.internal/examples/accesslog/syslogw"
	"dougu.internal/examples/accesslog/target"
	"dougu.internal/internal/oracle"
)

func TestSyslogTargetsAreRead(t *testing.T) {
	for _, row := range []struct{ spec, want string }{
		{"syslog:foo", "user info foo unix "},
		{"SYSLOG:foo", "user info foo unix "},
		{"syslog:local6:httpd", "local6 info httpd unix "},
		{"syslog:local6.notice:httpd", "local6 notice httpd unix "},
		{"syslog:local6.info:httpd@relp://[::1]:2514", "local6 info httpd relp [::1]:2514"},
		{"syslog:httpd@udp://log.example:514", "user info httpd udp log.example:514"},
		{"syslog:a@b@tls://log.example:6514", "user info a@b tls log.example:6514"},
		{"syslog:httpd@unix:///run/log", "user info httpd unix /run/log"},
		// The spellings of ErrorLog in the documentation of Apache.
		{"syslog", "user info httpd unix "},
		{"syslog:local6", "local6 info httpd unix "},
		{"syslog:local6:app", "local6 info app unix "},
		{"syslog::app", "user info app unix "},
		{"syslog:local6@unix:///run/log", "local6 info httpd unix /run/log"},
		{"syslog:app@tcp://h:1?framing=lf&format=rfc3164", "user info app tcp h:1"},
		{"syslog:app@relp+tls://h:1", "user info app relp h:1"},
	} {
		c, err := target.Syslog{}.Parse(row.spec)
		require.NoError(t, err, row.spec)
		if c.Facility == 0 {
			c.Facility = 1
		}
		if c.Severity == 0 {
			c.Severity = syslogw.Info
		}
		require.Equal(t, row.want, fmt.Sprintf("%v %v %s %s %s", c.Facility, c.Severity, c.Ident, c.Network, c.Addr))
	}
}

func TestWrongTargetsNameTheColumn(t *testing.T) {
	for _, row := range []struct{ spec, want string }{
		{"syslog:", "target: column 8: missing ident"},
		{"syslog:local8:httpd", `target: column 8: unknown syslog facility "local8" (known: kern, `},
		{"syslog:local6.loud:httpd", `target: column 15: unknown syslog severity "loud" (known: emerg, `},
		{"syslog:local6.emerg:httpd", "target: column 15: invalid syslog severity emerg: messages would be written to all terminals"},
		{"syslog:local6:ht tpd", `target: column 15: invalid ident "ht tpd": byte 3`},
		{"syslog:httpd@sctp://h:1", `target: column 14: unknown network "sctp" (known: udp, `},
		{"syslog:tcp://h:1", "target: column 8: missing ident before the address"},
		{"syslog:httpd@tcp://", "target: column 20: missing address"},
		{"syslog:httpd@tcp://host", "want HOST:PORT"},
		{"syslog:httpd@tcp://h:1?framing=crlf", `target: column 32: invalid value "crlf" of option framing, want octet or lf`},
		{"syslog:httpd@udp://h:1?framing=lf", "target: column 24: option framing is not for the network udp"},
		{"syslog:httpd@tcp://h:1?ca=x", "target: column 24: option ca is not for the network tcp"},
		{"syslog:httpd@tls://h:1?ca=/no/such", `target: column 27: invalid value "/no/such" of option ca`},
		{"syslog:httpd@tcp://h:1?format=rfc5424&color=red", `target: column 39: unknown option "color"`},
		{"|", "target: column 2: missing program"},
		{"|| ", "target: column 4: missing program"},
		{`|prog "a`, "target: column 7: missing closing quote"},
		{`|prog a\`, "target: column 8: missing character after the backslash"},
		{"|$cat", "target: column 2: shell is not allowed"},
		{"|/no/such/program here", "target: column 2: cannot start the program: "},
		{"file:", "target: column 6: missing path"},
		{"a\x00b", "target: column 2: unexpected NUL byte"},
		{"ab\xff", "target: column 3: invalid UTF-8"},
	} {
		_, err := all().Open(t.Context(), row.spec)
		require.ErrorContains(t, err, row.want, row.spec)
		var spec *target.SpecError
		require.ErrorAs(t, err, &spec)
		require.NotErrorIs(t, err, target.ErrNotMine)
		require.Regexp(t, "^target: [^:]*: ", err.Error())
		require.NotContains(t, err.Error(), "syslogw")
	}
	_, err := target.Chain(target.Syslog{}).Open(t.Context(), "x")
	require.ErrorIs(t, err, target.ErrNotMine)
}

// all is the usual chain.
func all() target.Opener {
	return target.Chain(target.Syslog{}, target.Pipe{}, target.Standard{}, target.File{})
}

func TestWordsAreSplitAndQuoted(t *testing.T) {
	for _, row := range []struct {
		spec string
		want []string
	}{
		{"|logger -p local6.info --", []string{"logger", "-p", "local6.info", "--"}},
		{`||rotatelogs "a b" 'c "d' e\ f ""`, []string{"rotatelogs", "a b", `c "d`, "e f", ""}},
		{`|a '\' b"c\"d"`, []string{"a", `\`, `bc"d`}},
	} {
		args, err := target.Pipe{}.Parse(row.spec)
		require.NoError(t, err)
		require.Equal(t, row.want, args)
	}
	args, err := target.Pipe{Shell: true}.Parse("|$cat >x")
	require.NoError(t, err)
	require.Equal(t, []string{"/bin/sh", "-c", "cat >x"}, args)
}

// TestRenamedFileIsReopened rotates a log by its name, on request and by itself.
func TestRenamedFileIsReopened(t *testing.T) {
	name := filepath.Join(t.TempDir(), "access.log")
	read := func(name string) string {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		return string(text)
	}
	out, err := target.File{}.Open(t.Context(), name)
	require.NoError(t, err)
	require.NoError(t, out.WriteLine([]byte("one")))
	require.NoError(t, os.Rename(name, name+".1"))
	require.NoError(t, out.WriteLine([]byte("two")))
	require.NoError(t, sink.Reopen(out))
	require.NoError(t, out.WriteLine([]byte("three")))
	require.Equal(t, "one\ntwo\n", read(name+".1"))
	require.Equal(t, "three\n", read(name))
	require.NoError(t, out.Close())
	require.ErrorIs(t, sink.Reopen(out), sink.ErrClosed)

	out, err = target.File{Follow: true}.Open(t.Context(), name)
	require.NoError(t, err)
	defer out.Close()
	require.NoError(t, os.Rename(name, name+".2"))
	require.NoError(t, out.WriteLine([]byte("four")))
	require.Equal(t, "three\n", read(name+".2"))
	require.Equal(t, "four\n", read(name))

	std, err := target.Standard{Writer: io.Discard}.Open(t.Context(), "-")
	require.NoError(t, err)
	require.ErrorIs(t, sink.Reopen(std), errors.ErrUnsupported)
}

func TestFileIsAppendedTo(t *testing.T) {
	name := filepath.Join(t.TempDir(), "access.log")
	for _, spec := range []string{name, "file:" + name} {
		s, err := all().Open(t.Context(), spec)
		require.NoError(t, err)
		require.NoError(t, s.WriteLine([]byte("GET / 200")))
		require.NoError(t, s.Flush(t.Context()))
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
		require.ErrorIs(t, s.WriteLine(nil), sink.ErrClosed)
		require.Equal(t, "2 written, 1 sent, 1 dropped", s.Stats().String())
	}
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "GET / 200\nGET / 200\n", string(text))
}

// stingy takes a few bytes and then has no room for a while.
type stingy struct {
	bytes.Buffer
	room int
}

func (s *stingy) Write(b []byte) (int, error) {
	if len(b) > s.room {
		n, _ := s.Buffer.Write(b[:s.room])
		s.room = 0
		return n, syscall.ENOSPC
	}
	return s.Buffer.Write(b)
}

func TestHalfALineDoesNotSwallowTheNext(t *testing.T) {
	out := &stingy{room: 8}
	s, err := target.Standard{Writer: out}.Open(t.Context(), "-")
	require.NoError(t, err)
	require.ErrorIs(t, s.WriteLine([]byte("first line")), syscall.ENOSPC)
	out.room = 100
	require.NoError(t, s.WriteLine([]byte("second")))
	require.Equal(t, "first li\nsecond\n", out.String())
	require.Equal(t, "2 written, 1 sent, 1 dropped; last error: no space left on device", s.Stats().String())
}

func TestProgramGetsEachLine(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out")
	s, err := target.Pipe{}.Open(t.Context(), `|sh -c "cat >'`+name+`'"`)
	require.NoError(t, err)
	var want strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&want, "line %d\n", i)
		require.NoError(t, s.WriteLine(fmt.Appendf(nil, "line %d", i)))
	}
	require.NoError(t, s.Flush(t.Context()))
	require.NoError(t, s.Close())
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, want.String(), string(text))
	require.EqualValues(t, 1000, s.Stats().Sent)
	require.ErrorIs(t, s.WriteLine(nil), sink.ErrClosed)
}

func TestProgramThatEndsIsStartedAgain(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out")
	// Each run takes one line and ends.
	s, err := target.Pipe{BackoffMin: time.Millisecond, BackoffMax: 2 * time.Millisecond}.Open(t.Context(),
		`|sh -c "read x && echo $x >>'`+name+`'"`)
	require.NoError(t, err)
	for i := range 5 {
		require.NoError(t, s.WriteLine(fmt.Appendf(nil, "line%d", i)))
		oracle.Eventually(t, 20*time.Second, "the line is handled", func() error {
			text, err := os.ReadFile(name)
			if err == nil && bytes.Count(text, []byte("\n")) != i+1 {
				err = fmt.Errorf("%q", text)
			}
			if err != nil {
				// A line written while the program was about to end is lost with it, as
				// with Apache: give another.
				s.WriteLine(fmt.Appendf(nil, "line%d", i))
			}
			return err
		})
	}
	require.NoError(t, s.Close())
}

func TestProgramThatDoesNotReadHoldsUpNobody(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pid")
	s, err := target.Pipe{QueueMax: 100 << 10, Grace: 10 * time.Millisecond}.Open(t.Context(), `|sh -c "echo $$ >'`+pids+`'; exec sleep 600"`)
	require.NoError(t, err)
	line := bytes.Repeat([]byte("x"), 1000)
	refused := 0
	for range 1000 {
		if err := s.WriteLine(line); err != nil {
			require.ErrorIs(t, err, sink.ErrFull)
			refused++
		}
	}
	require.Greater(t, refused, 500)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, s.Flush(ctx), "lines wait for sh")
	var pid int
	oracle.Eventually(t, 20*time.Second, "the program runs", func() error {
		text, err := os.ReadFile(pids)
		if err == nil {
			pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		}
		return err
	})
	require.NoError(t, s.Close())
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "the program was killed and reaped")
	stats := s.Stats()
	require.EqualValues(t, 1000, stats.Sent+stats.Dropped)
	require.Zero(t, stats.Queued)
	require.ErrorIs(t, s.Flush(t.Context()), sink.ErrClosed)
}

func TestProgramsOutputIsPassedOn(t *testing.T) {
	r, w := io.Pipe()
	s, err := target.Pipe{Output: w, Shell: true}.Open(t.Context(), "|$echo told; cat >/dev/null")
	require.NoError(t, err)
	got := make([]byte, 5)
	_, err = io.ReadFull(r, got)
	require.NoError(t, err)
	require.Equal(t, "told\n", string(got))
	require.NoError(t, s.Close())
}

// TestChainSendsToTheRealCollector walks the story's two ways and ours.
func TestChainSendsToTheRealCollector(t *testing.T) {
	k := collector.Start(t, collector.Options{})
	if _, err := exec.LookPath("logger"); err != nil {
		oracle.Missing(t, "logger is missing: install Debian package bsdutils")
	}
	for _, spec := range []string{
		"syslog:local6.info:ours@relp://" + k.RELP,
		"syslog:local6.info:local@unix://" + k.Unix,
		"|logger -u " + k.Unix + " -t theirs -p local6.info --",
	} {
		s, err := all().Open(t.Context(), spec)
		require.NoError(t, err)
		require.NoError(t, s.WriteLine([]byte(`127.0.0.1 - - "GET / HTTP/1.1" 200 3 "-" "\"\x1b"`)))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		require.NoError(t, s.Flush(ctx))
		cancel()
		require.NoError(t, s.Close())
	}
	apps := map[string]bool{}
	for _, m := range k.Wait(t, 3) {
		require.Equal(t, "local6", m.Facility)
		require.Equal(t, "info", m.Severity)
		require.Equal(t, `127.0.0.1 - - "GET / HTTP/1.1" 200 3 "-" "\"\x1b"`, strings.TrimPrefix(m.Text, " "))
		apps[m.App] = true
	}
	require.Equal(t, map[string]bool{"ours": true, "local": true, "theirs": true}, apps)
	oracle.Compared(t, k.Found, 3)
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"syslog:local6.info:httpd@relp://h:1", `|a "b c" 'd' e\f`, "|$x", "file:x", "-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		var wrong *target.SpecError
		for _, parse := range []func(string) error{
			func(s string) error { _, err := target.Syslog{}.Parse(s); return err },
			func(s string) error { _, err := target.Pipe{Shell: true}.Parse(s); return err },
		} {
			if err := parse(spec); err != nil && !errors.Is(err, target.ErrNotMine) {
				require.ErrorAs(t, err, &wrong)
				require.GreaterOrEqual(t, wrong.Offset, 0)
				require.LessOrEqual(t, wrong.Offset, len(spec))
			}
		}
	})
}
