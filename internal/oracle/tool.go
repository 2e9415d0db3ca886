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

// Tool describes an external program: how to find it and how to check that it works.
type Tool struct {
	// Name is an absolute path, or a name that is looked up in PATH and in the
	// directories that only root has in PATH.
	Name string
	// Package is the Debian package that contains the program.
	Package string
	// Probe is the argument list of a run that prints the version, such as {"-V"}.
	// If empty, the program is not run: it is sufficient that the file exists.
	Probe []string
	// ProbeStatus is the exit status that Probe must have.
	ProbeStatus int
	// Version matches the version in the output of Probe with its first group. If nil,
	// the version is not determined.
	Version *regexp.Regexp
	// AtLeast is the minimum version. If empty, any version is accepted.
	AtLeast string
}

// Found is a program that was found and works.
type Found struct {
	// Name is the last element of Tool.Name. Path is absolute.
	Name, Path string
	// Version is the version that the program printed. It is empty if Tool.Version is nil.
	Version string
}

// adminDirs are the directories that Debian has only in root's PATH. Servers are installed there.
var adminDirs = []string{"/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/lib/openssh"}

// probeTime is the time limit for the run that prints the version.
const probeTime = 20 * time.Second

type probed struct {
	found Found
	err   error
}

var probes sync.Map // string of a Tool to func() probed

// Find looks for the program and runs its probe. Both happen once in a process. The
// error contains the reason and the name of the Debian package.
func (t Tool) Find() (Found, error) {
	once, _ := probes.LoadOrStore(fmt.Sprint(t), sync.OnceValue(func() probed {
		f, err := t.probe()
		return probed{f, err}
	}))
	p := once.(func() probed)()
	return p.found, p.err
}

// Need returns the program. If it is missing, does not work or is too old, Need skips
// the test, or fails it if REQUIRE_TOOLS=1 is set.
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

// Missing skips the test for the reason why, or fails it if REQUIRE_TOOLS=1 is set.
// Tests call it for requirements that are not a single program.
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
		return Found{}, fmt.Errorf(
			"%s %s did not end within %v; Debian package %s",
			path,
			strings.Join(t.Probe, " "),
			probeTime,
			t.Package,
		)
	case r.ExitCode != t.ProbeStatus:
		return Found{}, fmt.Errorf("%s %s ended with status %d, not %d: %.200q; Debian package %s",
			path, strings.Join(t.Probe, " "), r.ExitCode, t.ProbeStatus, out, t.Package)
	case t.Version == nil:
		return f, nil
	}
	m := t.Version.FindSubmatch(out)
	if len(m) < 2 {
		return Found{}, fmt.Errorf(
			"%s %s printed no version: %.200q; Debian package %s",
			path,
			strings.Join(t.Probe, " "),
			out,
			t.Package,
		)
	}
	f.Version = strings.ToValidUTF8(string(m[1]), "?")
	if t.AtLeast != "" && CompareVersions(f.Version, t.AtLeast) < 0 {
		return Found{}, fmt.Errorf(
			"%s is version %s, at least %s is needed: Debian package %s",
			path,
			f.Version,
			t.AtLeast,
			t.Package,
		)
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
// returns -1, 0 or 1. All other characters are separators: 9.2p1 is 9, 2, 1.
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
