package oracle

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Tool says how to find a program and how to see that it works.
type Tool struct {
	// Name is the program: a name looked up in PATH and in the directories that
	// only root's PATH holds, or an absolute path.
	Name string
	// Package is the Debian package that brings it.
	Package string
	// Probe is the argument list of a run that proves the tool works and prints
	// its version: {"-V"}. Empty: the file is only looked for.
	Probe []string
	// ProbeStatus is the exit status of a good probe.
	ProbeStatus int
	// Version finds the version in the output of the probe: its first group.
	Version *regexp.Regexp
	// AtLeast is the lowest version that will do; empty: any.
	AtLeast string
}

// Found is a tool that is there and works.
type Found struct {
	// Name as in Tool, Path absolute.
	Name, Path string
	// Version as the tool printed it; empty when Tool.Version is nil.
	Version string
}

// adminDirs are on root's PATH alone on Debian; servers are installed there.
var adminDirs = []string{"/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/lib/openssh"}

// probeTime bounds the run that asks a tool for its version.
const probeTime = 20 * time.Second

type probed struct {
	found Found
	err   error
}

var probes sync.Map // string of a Tool to func() probed

// Find looks for the tool and probes it, once a process. The error says what is
// wrong and which Debian package brings the tool.
func (t Tool) Find() (Found, error) {
	once, _ := probes.LoadOrStore(fmt.Sprint(t), sync.OnceValue(func() probed {
		f, err := t.probe()
		return probed{f, err}
	}))
	p := once.(func() probed)()
	return p.found, p.err
}

// Need returns the tool, or skips the test when it is missing, does not work or
// is too old. With REQUIRE_TOOLS=1 it fails the test instead.
func (t Tool) Need(tb testing.TB) Found {
	tb.Helper()
	f, err := t.Find()
	if err != nil && t.lacking() {
		tb.Skipf("the system has no package %s: %v", t.Package, err)
	}
	if err != nil {
		Missing(tb, err.Error())
	}
	return f
}

// lacking reports whether DOUGU_LACKS lists the package of the tool. The variable
// contains the packages, separated by blanks, that a release of the system does not
// have; their tests are skipped even if REQUIRE_TOOLS=1.
func (t Tool) lacking() bool {
	return slices.Contains(strings.Fields(os.Getenv("DOUGU_LACKS")), t.Package)
}

// Missing skips the test for that reason, or fails it when REQUIRE_TOOLS=1. Tests
// use it for needs that are not a single program.
func Missing(tb testing.TB, why string) {
	tb.Helper()
	if os.Getenv("REQUIRE_TOOLS") == "1" {
		tb.Fatalf("%s (REQUIRE_TOOLS=1 makes this a failure)", why)
	}
	tb.Skip(why)
}

func (t Tool) probe() (Found, error) {
	path, err := t.look()
	if err != nil {
		return Found{}, err
	}
	f := Found{Name: filepath.Base(t.Name), Path: path}
	if len(t.Probe) == 0 {
		return f, nil
	}
	dir, err := os.MkdirTemp("", "dougu-probe-")
	if err != nil {
		return Found{}, fmt.Errorf("cannot probe %s: %w", t.Name, err)
	}
	defer os.RemoveAll(dir)
	r, err := run(Cmd{Path: path, Args: t.Probe, Dir: dir, Timeout: probeTime})
	if err != nil {
		return Found{}, fmt.Errorf("%s does not run: %w; reinstall Debian package %s", path, err, t.Package)
	}
	out := append(bytes.Clone(r.Stdout), r.Stderr...)
	switch {
	case r.TimedOut:
		return Found{}, fmt.Errorf("%s %s did not end within %v; Debian package %s", path, strings.Join(t.Probe, " "), probeTime, t.Package)
	case r.ExitCode != t.ProbeStatus:
		return Found{}, fmt.Errorf("%s %s ended with status %d, not %d: %.200q; Debian package %s",
			path, strings.Join(t.Probe, " "), r.ExitCode, t.ProbeStatus, out, t.Package)
	case t.Version == nil:
		return f, nil
	}
	m := t.Version.FindSubmatch(out)
	if len(m) < 2 {
		return Found{}, fmt.Errorf("%s %s printed no version: %.200q; Debian package %s", path, strings.Join(t.Probe, " "), out, t.Package)
	}
	f.Version = strings.ToValidUTF8(string(m[1]), "?")
	if t.AtLeast != "" && CompareVersions(f.Version, t.AtLeast) < 0 {
		return Found{}, fmt.Errorf("%s is version %s, at least %s is needed: Debian package %s", path, f.Version, t.AtLeast, t.Package)
	}
	return f, nil
}

func (t Tool) look() (string, error) {
	if path, err := exec.LookPath(t.Name); err == nil {
		return filepath.Abs(path)
	} else if errors.Is(err, os.ErrPermission) {
		return "", fmt.Errorf("%s may not be run: %w", t.Name, err)
	}
	if !strings.ContainsRune(t.Name, '/') {
		for _, dir := range adminDirs {
			if path, err := exec.LookPath(filepath.Join(dir, t.Name)); err == nil {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("%s is missing: install Debian package %s", t.Name, t.Package)
}

// CompareVersions compares the numbers in two versions from left to right, and
// returns -1, 0 or 1. What is not a number separates: 9.2p1 is 9, 2, 1.
func CompareVersions(a, b string) int {
	x, y := numbers(a), numbers(b)
	for i := range max(len(x), len(y)) {
		var m, n uint64
		if i < len(x) {
			m = x[i]
		}
		if i < len(y) {
			n = y[i]
		}
		if m != n {
			if m < n {
				return -1
			}
			return 1
		}
	}
	return 0
}

func numbers(s string) (list []uint64) {
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			n = 1<<64 - 1 // more digits than a version has
		}
		list = append(list, n)
	}
	return list
}
