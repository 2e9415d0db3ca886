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

// Long reports whether DOUGU_LONG=1 asks for the large runs.
func Long() bool { return os.Getenv("DOUGU_LONG") == "1" }

// N returns the size of a run: short in the usual tests, long with DOUGU_LONG=1.
func N(short, long int) int {
	if Long() {
		return long
	}
	return short
}

// Rand returns a generator for a random test and logs its seed. DOUGU_SEED, a
// decimal number, repeats a run; without it the seed comes from the test's name,
// so that the short runs do the same work each time, and is random in long runs.
func Rand(tb testing.TB) *rand.Rand {
	tb.Helper()
	seed := SeedFor(tb)
	tb.Logf("seed: DOUGU_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15))
}

// SeedFor returns the number that Rand would begin with.
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

// Corpus returns the path of a folder of public data files below the one that
// DOUGU_CORPUS names. Without DOUGU_CORPUS the test is skipped; a folder that is
// named and missing fails it.
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

// Compared records that n results were compared with the tool's. Each call adds a
// line to the file that DOUGU_COMPARED names, of which a run's summary is made.
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

// testedPackage is the last part of the import path of the package under test: the test
// binary is named after it, while the directory may be one that the test has made.
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
