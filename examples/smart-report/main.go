// Command smart-report reads SMART data in any form and prints the findings for each
// drive.
//
//	smart-report [flags] FILE ... | -
//	smart-report -device /dev/sda [-device /dev/nvme0]
//	smart-report -dd RESULTS FILE ...
//	smart-report -compare OLD NEW
//
// A FILE contains one of the following: output of smartctl (text, single lines of the
// attribute table, or JSON), output of nvme smart-log -o json, a transcript of
// smartctl -r ataioctl,2, a state file of smartd, or raw pages. It may contain several
// drives. "-" is standard input. The program runs no other program and does not write to
// devices.
//
// The exit status is 0 without findings of severity watch or act, and 1 with one. It is 2 if
// the usage is wrong, if an input cannot be read, or if nothing is known about the health of
// a drive. The program continues with the other inputs after an input that cannot be read.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"dougu.internal/smart"
	"dougu.internal/smart/device"
	"dougu.internal/smart/judge"
)

const usage = `usage: smart-report [flags] FILE ... | -

  -format text|json|model|prometheus
                                 output format (default text)
  -device PATH                   read the device; can be repeated; requires privileges
  -drivedb PATH                  drivedb.h with the names and formats of attributes,
                                 used for raw pages and devices
  -model MODEL                   model of the drives whose data does not contain it
  -dd FILE                       join write speeds that dd printed with the drives
  -compare                       compare two snapshots of one drive: FILE FILE
  -wake                          also read a device in standby, which wakes it
  -series                        combine the inputs of one drive to a history
  -quiet                         text: print only drives with a finding of severity watch or act,
                                 and a summary
  -act-only                      exit status 1 for findings of severity act only

-format json prints an array with one object for each drive. Unknown values are omitted:
  source, device, port, model, serial, firmware, health (passed|failed|unknown),
  temperature {current, lifetime_min, lifetime_max, cycle_min, cycle_max, op_min, op_max,
    limit_min, limit_max, critical, trip, sources {NAME: SOURCE}},
  power_on_hours, power_cycles, family, wwn, capacity_bytes, rotation_rate, power_mode, exit_status,
  endurance, nvme, scsi, self_tests, error_log, pending_defects, farm: as in -format model,
  attributes [{id, name, value, worst, thresh, raw_string, raw, state}]
    raw: hexadecimal digits, highest byte first, ".." for an unknown byte
    state: ok|past|now|no-threshold|no-value
  findings [{rule, severity (act|watch|info), detail, evidence, source, past, key, attribute, number, unit,
    since}],
  throughput {label, bytes, seconds, bytes_per_second, slow, position, conclusion, detail},
  warnings [TEXT]

-format model prints an array of snapshots: the JSON form of smart.Snapshot, which can be read back.

exit status: 0 nothing is wrong, 1 findings (watch or act), 2 usage or unreadable input, or nothing is known
about the health of a drive
`

func main() {
	os.Exit(run(os.Stdin, os.Stdout, os.Stderr, os.Args[1:]))
}

// list is the value of a flag that can be repeated.
type list []string

// String implements [flag.Value].
func (l *list) String() string { return strings.Join(*l, " ") }

// Set implements [flag.Value].
func (l *list) Set(s string) error {
	*l = append(*l, s)
	return nil
}

type options struct {
	format, drivedb, model, dd string
	devices                    list
	compare, wake              bool
	quiet, actOnly, series     bool
}

func run(in io.Reader, out, errs io.Writer, args []string) int {
	var o options
	flags := flag.NewFlagSet("smart-report", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() { fmt.Fprint(errs, usage) }
	flags.StringVar(&o.format, "format", "text", "")
	flags.StringVar(&o.drivedb, "drivedb", "", "")
	flags.StringVar(&o.model, "model", "", "")
	flags.StringVar(&o.dd, "dd", "", "")
	flags.Var(&o.devices, "device", "")
	flags.BoolVar(&o.compare, "compare", false, "")
	flags.BoolVar(&o.wake, "wake", false, "")
	flags.BoolVar(&o.series, "series", false, "")
	flags.BoolVar(&o.quiet, "quiet", false, "")
	flags.BoolVar(&o.actOnly, "act-only", false, "")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	r := report{options: o, out: out, errs: errs, in: in}
	return r.run(flags.Args())
}

type drive struct {
	name     string // name of the input
	s        *smart.Snapshot
	findings smart.Findings
	verdict  *judge.DiskDiagnosis
	series   *judge.Series // or nil
}

type report struct {
	options
	in        io.Reader
	out, errs io.Writer
	db        *smart.DriveDB
	drives    []drive
	diagnosis *judge.Diagnosis
	bad       bool
}

func (r *report) fail(format string, args ...any) {
	fmt.Fprintf(r.errs, "smart-report: %s\n", clean(fmt.Sprintf(format, args...)))
	r.bad = true
}

func (r *report) run(files []string) int {
	switch {
	case r.format != "text" && r.format != "json" && r.format != "model" && r.format != "prometheus":
		r.fail("unknown format %q, want text, json, model or prometheus", r.format)
		return 2
	case len(files) == 0 && len(r.devices) == 0:
		fmt.Fprint(r.errs, usage)
		return 2
	case r.compare && len(files) != 2:
		r.fail("-compare requires two files, the older one first, got %d", len(files))
		return 2
	}
	if r.drivedb != "" {
		f, err := os.Open(r.drivedb)
		if err != nil {
			r.fail("%v", err)
			return 2
		}
		r.db, err = smart.LoadDriveDB(f)
		f.Close()
		if err != nil {
			r.fail("%s: %v", r.drivedb, err)
			return 2
		}
		for _, w := range r.db.Warnings {
			fmt.Fprintf(r.errs, "smart-report: %s: %s\n", clean(r.drivedb), clean(w.String()))
		}
	}
	for _, name := range files {
		r.file(name)
	}
	for _, name := range r.devices {
		r.device(name)
	}
	if len(r.drives) == 0 {
		return 2
	}
	r.makeFindings()
	if r.bad && (r.compare || r.dd != "") {
		return 2
	}
	if err := r.print(); err != nil {
		r.fail("%v", err)
	}
	if r.bad {
		return 2
	}
	return r.status()
}

// status returns 1 if a drive has a finding of severity watch or act, and 2 if nothing is
// known about the health of a drive.
func (r *report) status() int {
	nothing := false
	for _, d := range r.drives {
		for _, f := range d.findings {
			if f.Rule == judge.NothingKnown {
				nothing = true
			} else if f.Severity == smart.Act || f.Severity == smart.Watch && !r.actOnly {
				return 1
			}
		}
	}
	if nothing {
		return 2
	}
	return 0
}

func (r *report) file(name string) {
	in := r.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			r.fail("%v", err)
			return
		}
		defer f.Close()
		in = f
	}
	const limit = 64 << 20
	b, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		r.fail("%s: %v", name, err)
		return
	}
	if len(b) > limit {
		r.fail("%s: larger than 64 MiB", name)
		return
	}
	found, err := smart.ParseBytes(b, r.db)
	if err != nil {
		r.fail("%s: %v", name, err)
	}
	for _, s := range found {
		if s.Source.Format == smart.FormatState || s.Source.Format == smart.FormatAttrLog {
			s.NameFromState(name)
		}
		if s.Identity.Model == "" {
			s.Identity.Model = r.model
		}
		r.drives = append(r.drives, drive{name: name, s: s})
	}
}

func (r *report) device(name string) {
	d, err := device.Open(name)
	if err != nil {
		r.fail("%v", err)
		return
	}
	defer d.Close()
	d.DB, d.WakeUp = r.db, r.wake
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := d.Snapshot(ctx)
	if err != nil {
		r.fail("%v", err)
		return
	}
	r.drives = append(r.drives, drive{name: name, s: s})
}

// makeFindings makes the findings of the drives, of the comparison and of the measurements.
func (r *report) makeFindings() {
	if !r.compare {
		r.combine()
	}
	for i := range r.drives {
		d := &r.drives[i]
		if d.series != nil {
			d.findings = d.series.Judge(judge.Policy{})
		} else {
			d.findings = judge.Judge(d.s, judge.Policy{})
		}
	}
	if r.compare {
		r.changes()
	}
	if r.dd != "" {
		r.throughput()
	}
}

// combine joins the snapshots of one drive to a series: the records of an attribute log,
// and with -series all inputs.
func (r *report) combine() {
	type place struct {
		key  smart.DriveKey
		name string
	}
	at := map[place]int{}
	kept := r.drives[:0]
	for _, d := range r.drives {
		log := d.s.Source.Format == smart.FormatAttrLog
		p := place{key: d.s.Key()}
		if p.key == (smart.DriveKey{}) || !r.series {
			p.name = d.name
		}
		if !log && (!r.series || p.key == smart.DriveKey{}) {
			kept = append(kept, d)
			continue
		}
		i, found := at[p]
		if !found {
			d.series = &judge.Series{}
			i = len(kept)
			at[p], kept = i, append(kept, d)
		}
		if err := kept[i].series.Add(d.s); err != nil {
			if found {
				kept = append(kept, d) // its place in time is unknown
			} else {
				kept[i].series = nil
			}
			continue
		}
		kept[i].s = kept[i].series.Last()
	}
	r.drives = kept
}

// changes replaces the two drives by the newer one. The findings of the comparison come
// before its own.
func (r *report) changes() {
	if len(r.drives) != 2 {
		r.fail("-compare requires one drive in each file, got %d in both", len(r.drives))
		return
	}
	delta, err := judge.Compare(r.drives[0].s, r.drives[1].s)
	if err != nil {
		r.fail("%v", err)
		return
	}
	cur := r.drives[1]
	cur.findings = append(delta.Findings, cur.findings...)
	r.drives = []drive{cur}
	if r.format != "text" {
		return
	}
	for _, c := range delta.Counters {
		if c.Grown.OK && c.Grown.V == 0 {
			continue
		}
		line := fmt.Sprintf("changed: %s: %d, then %d", c.Name, c.Old, c.New)
		if c.PerDay.OK {
			line += fmt.Sprintf(" (%.2f a day)", c.PerDay.V)
		}
		fmt.Fprintln(r.out, clean(line))
	}
}

func (r *report) throughput() {
	f, err := os.Open(r.dd)
	if err != nil {
		r.fail("%v", err)
		return
	}
	defer f.Close()
	samples, err := judge.ParseDD(f)
	if err != nil {
		r.fail("%s: %v", r.dd, err)
		return
	}
	disks := make([]*smart.Snapshot, len(r.drives))
	for i := range r.drives {
		disks[i] = r.drives[i].s
	}
	d, err := judge.Diagnose(disks, samples, judge.Windows(), 1)
	if err != nil {
		r.fail("%s: %v", r.dd, err)
		return
	}
	r.diagnosis = &d
	for i := range d.Disks {
		v := &d.Disks[i]
		r.drives[v.Disk].verdict = v
		if v.Slow {
			f := smart.Finding{
				Rule: "throughput", Key: "throughput", Severity: smart.Watch, Detail: v.Text,
				Evidence: fmt.Sprintf("%.0f bytes/s", v.Sample.V.Rate()), Source: fmt.Sprintf("%s, line %d", r.dd,
					v.Sample.V.Line),
				Value: smart.Some(v.Sample.V.Rate()), Unit: "bytes/s",
			}
			if v.Conclusion == judge.Suspect {
				f.Severity = smart.Act
			}
			r.drives[v.Disk].findings = append([]smart.Finding{f}, r.drives[v.Disk].findings...)
		}
	}
}
