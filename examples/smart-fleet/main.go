// Command smart-fleet measures the rules for SMART data on histories of real drives.
//
//	smart-fleet [-data DIR] [-half a|b|all]
//
// DIR contains files in CSV, compressed with gzip; their first line has the names of the
// columns. The program reads the following kinds, and recognizes them by their columns:
//
//   - Rows per drive and day: date, serial_number, model, failure, smart_N_raw.
//   - Rows per drive and change: serial_number, model, start_hours, stop_hours, failure,
//     smart_N_raw. The values are valid from start_hours to stop_hours of the power-on time.
//   - Trouble tickets of failed SSDs: model, failure_time, r_N, n_N.
//   - Dumps of smartctl: a line "@@ TAB path TAB number TAB date", then the text.
//
// The rows of a drive follow one another. The file scrutiny-thresholds.tsv contains the
// failure rates of scrutiny, one row for each range of an attribute.
//
// For each kind, the program prints how many of the failed drives had an alarm 1 to 30 days
// before the failure, the median of the days from the first alarm to the failure, and the
// number of drives with an alarm that did not fail, for 1,000 years of operation. It does so
// for the findings act, for act or watch, for the defaults of smartd, and for the limits of
// scrutiny. Its memory does not depend on the number of rows.
//
// With -half, only the drives with an even (a) or odd (b) hash of the serial number count.
// The limits of the rules were chosen with -half a and checked with -half b.
package main

import (
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const usage = `usage: smart-fleet [-data DIR] [-half a|b|all] [-rules]

  -data DIR       directory with the data files (default: the current one)
  -half a|b|all   drives that count, by a hash of the serial number (default all)
  -rules          also print the number of drives with an alarm, by rule
`

func main() {
	os.Exit(run(os.Stdout, os.Stderr, os.Args[1:]))
}

func run(out, errs io.Writer, args []string) int {
	flags := flag.NewFlagSet("smart-fleet", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() { fmt.Fprint(errs, usage) }
	data := flags.String("data", ".", "")
	half := flags.String("half", "all", "")
	rules := flags.Bool("rules", false, "")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	fail := func(err error) int {
		fmt.Fprintf(errs, "smart-fleet: %v\n", err)
		return 2
	}
	if *half != "a" && *half != "b" && *half != "all" || flags.NArg() > 0 {
		return fail(errors.New("unexpected argument; run smart-fleet -h for usage"))
	}
	limits, err := readLimits(filepath.Join(*data, "scrutiny-thresholds.tsv"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fail(err)
	}
	names, err := filepath.Glob(filepath.Join(*data, "*.gz"))
	if err != nil {
		return fail(err)
	}
	if len(names) == 0 {
		return fail(fmt.Errorf("no *.gz file in %s", *data))
	}
	for _, name := range names {
		m := &measure{limits: limits, half: *half, byRule: *rules}
		if err := m.file(name); err != nil {
			return fail(fmt.Errorf("%s: %w", name, err))
		}
		m.print(out, filepath.Base(name))
	}
	return 0
}

// file measures one file.
func (m *measure) file(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	defer z.Close()
	if strings.HasSuffix(name, ".txt.gz") {
		return m.dumps(z)
	}
	return m.csv(z)
}

// counts reports whether a drive belongs to the chosen half.
func (m *measure) counts(serial string) bool {
	h := fnv.New32a()
	h.Write([]byte(serial))
	odd := h.Sum32()>>7&1 == 1
	return m.half == "all" || (m.half == "a") != odd
}
