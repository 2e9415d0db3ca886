// Command bench compares the speed of the packages with that of other programs, their
// peers. It writes the results to one file for each package in the folder results, in
// the format that benchstat reads.
//
//	go run . [-count N] [-benchtime T] [-bench REGEXP] [package ...]
//
// Peers that are not installed are listed as absent and do not stop the run. The exit
// status is 1 if a benchmark failed.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	count := flag.Int("count", 5, "run each benchmark this many times")
	benchtime := flag.String("benchtime", "", "time or number of iterations of each run, as in go test -benchtime")
	only := flag.String(
		"bench",
		".",
		"run the benchmarks that match this regular expression; if it is not ., no file is written",
	)
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: go run . [flags] [package ...]   (in internal/bench)")
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := bench(os.Stdout, flag.Args(), *count, *benchtime, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(w io.Writer, names []string, count int, benchtime, only string) error {
	all, err := packages()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		names = all
	}
	var failed []error
	for _, name := range names {
		if !slices.Contains(all, name) {
			return fmt.Errorf("no benchmarks for %q: there are %s", name, strings.Join(all, ", "))
		}
		if err := one(w, name, count, benchtime, only); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// packages returns the directories that contain benchmarks.
func packages() ([]string, error) {
	files, err := filepath.Glob("*/*_test.go")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		names = append(names, filepath.Dir(f))
	}
	if len(names) == 0 {
		return nil, errors.New("no benchmarks found: run this command in internal/bench")
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func one(w io.Writer, name string, count int, benchtime, only string) error {
	args := []string{"test", "-v", "-run", "^$", "-bench", only, "-benchmem", "-count", fmt.Sprint(count), "-timeout", "2h"}
	if benchtime != "" {
		args = append(args, "-benchtime", benchtime)
	}
	cmd := exec.Command("go", append(args, "./"+name)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "# go run . -count %d %s\n", count, name)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if line := lines.Text(); keep(line) {
			fmt.Fprintln(io.MultiWriter(w, &text), line)
		}
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if only != "." {
		return nil
	}
	if err := os.MkdirAll("results", 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("results", name+".txt"), text.Bytes(), 0o644)
}

// keep reports whether a line belongs into the file: results and configuration, which
// benchstat reads, and logged lines that start with "peer" or "absent".
func keep(line string) bool {
	if strings.HasPrefix(line, "Benchmark") {
		return strings.Contains(line, "\t")
	}
	for _, key := range []string{"goos:", "goarch:", "pkg:", "cpu:"} {
		if strings.HasPrefix(line, key) {
			return true
		}
	}
	_, said, ok := strings.Cut(line, ".go:")
	if !ok {
		return false
	}
	_, said, _ = strings.Cut(said, ": ")
	return strings.HasPrefix(said, "peer ") || strings.HasPrefix(said, "absent ")
}
