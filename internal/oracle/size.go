package oracle

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Long reports whether DOUGU_LONG=1 is set, which selects large runs.
func Long() bool { return os.Getenv("DOUGU_LONG") == "1" }

// Slow skips a test of several seconds with go test -short, which is for a first look. If
// REQUIRE_TOOLS=1 is set, as in .ci/run, the test runs: the race detector needs it.
func Slow(tb testing.TB) {
	tb.Helper()
	if testing.Short() && os.Getenv("REQUIRE_TOOLS") != "1" {
		tb.Skip("takes several seconds: go test without -short runs it")
	}
}

// N returns the size of a run: long if DOUGU_LONG=1 is set, and short otherwise.
func N(short, long int) int {
	if Long() {
		return long
	}
	return short
}

// Rand returns a random number generator for a test and logs its seed. The seed is
// DOUGU_SEED, a decimal number, if it is set. Otherwise it is derived from the name of
// the test, so that each run does the same work, or random if DOUGU_LONG=1 is set.
func Rand(tb testing.TB) *rand.Rand {
	tb.Helper()
	seed := SeedFor(tb)
	tb.Logf("seed: DOUGU_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15))
}

// SeedFor returns the seed that [Rand] uses.
func SeedFor(tb testing.TB) uint64 {
	tb.Helper()
	if s := os.Getenv("DOUGU_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			tb.Fatalf("DOUGU_SEED=%q is not a decimal number", s)
		}
		return n
	}
	if Long() {
		return rand.Uint64()
	}
	h := fnv.New64a()
	fmt.Fprint(h, tb.Name())
	return h.Sum64()
}

// Corpus returns the path of the folder dir in the folder of public data files,
// DOUGU_CORPUS. If DOUGU_CORPUS is not set, the test is skipped. If it is set and dir
// is missing or empty, the test fails.
func Corpus(tb testing.TB, dir string) string {
	tb.Helper()
	root := os.Getenv("DOUGU_CORPUS")
	if root == "" {
		tb.Skipf("DOUGU_CORPUS is not set: it names the folder of public data files that holds %s", dir)
	}
	path := filepath.Join(root, filepath.FromSlash(dir))
	entries, err := os.ReadDir(path)
	if err != nil {
		tb.Fatalf("DOUGU_CORPUS: %v", err)
	}
	if len(entries) == 0 {
		tb.Fatalf("DOUGU_CORPUS: %s holds no file", path)
	}
	return path
}

// Compared records that n results were compared with those of the program. If
// DOUGU_COMPARED is set, it appends a line to that file, for the summary of a run.
func Compared(tb testing.TB, f Found, n int) {
	tb.Helper()
	version := f.Version
	if version == "" {
		version = "-"
	}
	tb.Logf("compared %d results with %s %s", n, f.Name, version)
	name := os.Getenv("DOUGU_COMPARED")
	if name == "" {
		return
	}
	out, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		tb.Fatalf("DOUGU_COMPARED: %v", err)
	}
	_, err = fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%d\n", testedPackage(), f.Name, version, tb.Name(), n)
	if closing := out.Close(); err == nil {
		err = closing
	}
	if err != nil {
		tb.Fatalf("DOUGU_COMPARED: %v", err)
	}
}

// testedPackage returns the last element of the import path of the package under test.
// The test binary is named after it; the working directory can be a temporary one.
func testedPackage() string {
	if name, ok := strings.CutSuffix(filepath.Base(os.Args[0]), ".test"); ok {
		return name
	}
	dir, err := os.Getwd()
	if err != nil {
		return "?"
	}
	return filepath.Base(dir)
}
