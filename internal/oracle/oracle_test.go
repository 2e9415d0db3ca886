package oracle

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// recorder is a testing.TB that records how a test ended.
type recorder struct {
	testing.TB
	skipped, failed string
}

func (r *recorder) Helper()             {}
func (r *recorder) Logf(string, ...any) {}
func (r *recorder) Fatalf(f string, a ...any) {
	r.failed = fmt.Sprintf(f, a...)
	runtime.Goexit()
}
func (r *recorder) Skip(a ...any) {
	r.skipped = fmt.Sprint(a...)
	runtime.Goexit()
}
func (r *recorder) Skipf(f string, a ...any) { r.Skip(fmt.Sprintf(f, a...)) }

// outcome runs f with a recorder, as the test runner would.
func outcome(t *testing.T, f func(testing.TB)) *recorder {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r
}

// script writes an executable shell script.
func script(t *testing.T, body string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the scripts of this test need /bin/sh")
	}
	name := filepath.Join(t.TempDir(), "tool")
	require.NoError(t, os.WriteFile(name, []byte("#!/bin/sh\n"+body), 0o755))
	return name
}

func TestNeedSaysWhichPackageIsMissing(t *testing.T) {
	version := regexp.MustCompile(`v([0-9.p]+)`)
	rows := []struct {
		name string
		tool Tool
		want string
	}{
		{"missing", Tool{Name: "no-such-tool-here", Package: "nosuch"}, "no-such-tool-here is missing: install Debian package nosuch"},
		{"wrong status", Tool{Name: script(t, "exit 3"), Package: "pkg", Probe: []string{"-V"}}, "ended with status 3, not 0"},
		{"too old", Tool{Name: script(t, "echo v1.9"), Package: "pkg", Probe: []string{"-V"}, Version: version, AtLeast: "1.10"},
			"is version 1.9, at least 1.10 is needed: Debian package pkg"},
		{"no version", Tool{Name: script(t, `printf '\377\376'`), Package: "pkg", Probe: []string{"-V"}, Version: version}, `printed no version: "\xff\xfe"`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("REQUIRE_TOOLS", "")
			r := outcome(t, func(tb testing.TB) { row.tool.Need(tb) })
			require.Contains(t, r.skipped, row.want)
			require.Empty(t, r.failed)

			t.Setenv("REQUIRE_TOOLS", "1")
			r = outcome(t, func(tb testing.TB) { row.tool.Need(tb) })
			require.Contains(t, r.failed, row.want)
			require.Empty(t, r.skipped)
		})
	}
}

func TestNeedReturnsVersion(t *testing.T) {
	f := Tool{Name: script(t, "echo OpenTool v9.2p1 >&2"), Probe: []string{"-V"}, Version: regexp.MustCompile(`v(\S+)`), AtLeast: "9.2"}.Need(t)
	require.Equal(t, "9.2p1", f.Version)
	require.True(t, filepath.IsAbs(f.Path))
}

func TestProbeEndsToolThatHangs(t *testing.T) {
	r, err := run(Cmd{Path: script(t, "echo begun; sleep 600 & sleep 600"), Dir: t.TempDir(), Timeout: 200 * time.Millisecond})
	require.NoError(t, err)
	require.True(t, r.TimedOut)
	require.Equal(t, "begun\n", string(r.Stdout))
}

func TestRunGivesPrivateDirectoryAndCleanEnvironment(t *testing.T) {
	t.Setenv("DOUGU_SECRET", "leak")
	r := Run(t, Cmd{Path: script(t, `pwd; echo "$HOME"; env; cat; echo oops >&2; exit 7`), Stdin: strings.NewReader("in\n"), Env: []string{"X=1"}})
	lines := strings.Split(string(r.Stdout), "\n")
	require.Equal(t, lines[0], lines[1])
	require.NotContains(t, string(r.Stdout), "leak")
	require.Contains(t, string(r.Stdout), "X=1\n")
	require.Contains(t, string(r.Stdout), "in\n")
	require.Equal(t, "oops\n", string(r.Stderr))
	require.Equal(t, 7, r.ExitCode)
}

func TestCorpus(t *testing.T) {
	t.Setenv("DOUGU_CORPUS", "")
	require.Contains(t, outcome(t, func(tb testing.TB) { Corpus(tb, "smart") }).skipped, "DOUGU_CORPUS is not set")

	dir := t.TempDir()
	t.Setenv("DOUGU_CORPUS", dir)
	require.Contains(t, outcome(t, func(tb testing.TB) { Corpus(tb, "smart") }).failed, "no such file")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "smart"), 0o755))
	require.Contains(t, outcome(t, func(tb testing.TB) { Corpus(tb, "smart") }).failed, "holds no file")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "smart", "a"), nil, 0o644))
	require.Equal(t, filepath.Join(dir, "smart"), Corpus(t, "smart"))
}

func TestComparedKeepsCount(t *testing.T) {
	name := filepath.Join(t.TempDir(), "compared")
	t.Setenv("DOUGU_COMPARED", name)
	Compared(t, Found{Name: "ssh", Version: "9.2"}, 300)
	Compared(t, Found{Name: "ssh"}, 2)
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "oracle\tssh\t9.2\tTestComparedKeepsCount\t300\noracle\tssh\t-\tTestComparedKeepsCount\t2\n", string(text))
}

func TestRandRepeats(t *testing.T) {
	t.Setenv("DOUGU_SEED", "42")
	require.Equal(t, Rand(t).Uint64(), Rand(t).Uint64())
	t.Setenv("DOUGU_SEED", "0x2a")
	require.Contains(t, outcome(t, func(tb testing.TB) { Rand(tb) }).failed, "not a decimal number")
	t.Setenv("DOUGU_LONG", "1")
	require.Equal(t, 5000, N(300, 5000))
	t.Setenv("DOUGU_LONG", "")
	require.Equal(t, 300, N(300, 5000))
}

func TestCompareVersions(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want int
	}{{"6.1", "6.1", 0}, {"6.1", "6.10", -1}, {"v2.2.8", "2.2.7", 1}, {"9.2p1", "9.2", 1}, {"1.0", "1", 0}, {"99999999999999999999999", "2", 1}} {
		require.Equal(t, row.want, CompareVersions(row.a, row.b), "%s against %s", row.a, row.b)
	}
}

func TestSlow(t *testing.T) {
	t.Setenv("REQUIRE_TOOLS", "1")
	require.Empty(t, outcome(t, Slow).skipped)
	t.Setenv("REQUIRE_TOOLS", "")
	require.Equal(t, testing.Short(), outcome(t, Slow).skipped != "")
}
