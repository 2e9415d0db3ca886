package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"dougu.internal/smart"
	"dougu.internal/smart/judge"
)

// table reads rows of a CSV file by the names of the columns.
type table struct {
	r       *csv.Reader
	columns map[string]int
	raw     map[uint8]int // columns smart_N_raw
	row     []string
}

func (t *table) next() error {
	var err error
	t.row, err = t.r.Read()
	return err
}

func (t *table) text(column string) string {
	if i, ok := t.columns[column]; ok && i < len(t.row) {
		return t.row[i]
	}
	return ""
}

func (t *table) number(column string) (uint64, bool) { return number(t.text(column)) }

// number reads a count; some files have them as 12.0.
func number(s string) (uint64, bool) {
	if s == "" {
		return 0, false
	}
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0 && f < 1<<62) || f != math.Trunc(f) {
		return 0, false
	}
	return uint64(f), true
}

func (m *measure) csv(r io.Reader) error {
	t := &table{r: csv.NewReader(r), columns: map[string]int{}, raw: map[uint8]int{}}
	t.r.ReuseRecord = true
	head, err := t.r.Read()
	if err != nil {
		return fmt.Errorf("reading the names of the columns: %w", err)
	}
	for i, name := range head {
		t.columns[name] = i
		if n, ok := strings.CutPrefix(name, "smart_"); ok {
			if id, err := strconv.ParseUint(strings.TrimSuffix(n, "_raw"), 10, 8); err == nil &&
				strings.HasSuffix(n, "_raw") {
				t.raw[uint8(id)] = i
			}
		}
	}
	has := func(names ...string) bool {
		for _, n := range names {
			if _, ok := t.columns[n]; !ok {
				return false
			}
		}
		return true
	}
	switch {
	case has("serial_number", "failure", "start_hours", "stop_hours"):
		return m.drivesOf(t, t.interval)
	case has("serial_number", "failure", "date"):
		return m.drivesOf(t, t.day)
	case has("failure_time", "r_5"):
		return m.ticketsOf(t)
	}
	return errors.New("unknown columns: want serial_number, failure and date, or start_hours and stop_hours, or " +
		"failure_time")
}

// interval reads a row that holds from start_hours to stop_hours.
func (t *table) interval() (row, error) {
	start, ok1 := t.number("start_hours")
	stop, ok2 := t.number("stop_hours")
	if !ok1 || !ok2 || stop < start || stop > 1<<24 {
		return row{}, errors.New("invalid start_hours or stop_hours")
	}
	return row{start: int64(start), stop: int64(stop), powerOn: int64(start)}, nil
}

// day reads a row that holds for one day.
func (t *table) day() (row, error) {
	d, err := time.Parse(time.DateOnly, t.text("date"))
	if err != nil {
		return row{}, fmt.Errorf("invalid date %q", t.text("date"))
	}
	start := d.Unix() / 3600
	r := row{start: start, stop: start + 24, powerOn: start}
	if h, ok := t.number("smart_9_raw"); ok && h < 1<<20 {
		r.powerOn = int64(h)
	}
	return r, nil
}

// drivesOf measures each drive when its rows are complete.
func (m *measure) drivesOf(t *table, read func() (row, error)) error {
	var rows []row
	model, serial, failed := "", "", false
	for {
		err := t.next()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		end := err != nil
		if end || t.text("serial_number") != serial || t.text("model") != model {
			m.drive(model, serial, rows, failed)
			rows, failed = rows[:0], false
			if end {
				return nil
			}
			model, serial = strings.Clone(t.text("model")), strings.Clone(t.text("serial_number"))
		}
		r, err := read()
		if err != nil {
			line, _ := t.r.FieldPos(0)
			return fmt.Errorf("line %d: %w", line, err)
		}
		r.values = make(map[uint8]uint64, len(t.raw))
		for id, i := range t.raw {
			if v, ok := number(t.row[i]); ok {
				r.values[id] = v
			}
		}
		failed = failed || t.text("failure") == "1"
		if n := len(rows); n > 0 && r.start < rows[n-1].start {
			line, _ := t.r.FieldPos(0)
			return fmt.Errorf("line %d: the rows of a drive are not in the order of time", line)
		}
		rows = append(rows, r)
	}
}

// ticketsOf measures tickets: one row for each drive, which has failed.
func (m *measure) ticketsOf(t *table) error {
	m.tickets = true
	ids := map[string]uint8{"r_5": 5, "r_183": 183, "r_184": 184, "r_187": 187, "r_197": 197, "r_199": 199,
		"r_program": 171, "r_erase": 172}
	for {
		if err := t.next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		id := t.text("model") + "/" + t.text("disk_id")
		if !m.counts(id) {
			continue
		}
		m.drives++
		m.failed++
		m.rows++
		r := row{values: map[uint8]uint64{}}
		for column, id := range ids {
			if v, ok := t.number(column); ok {
				r.values[id] = v
			}
		}
		hours, _ := t.number("r_9")
		s := snapshot(t.text("model"), id, &r, int64(min(hours, 1<<20)))
		s.Identity.Rotation = smart.Some[uint16](0)
		if v, ok := t.number("n_wearout"); ok && v <= 100 {
			a := attribute(233, "Media_Wearout_Indicator", 0)
			a.Value, a.Worst, a.Has = uint8(v), uint8(v), smart.HasValue|smart.HasWorst
			s.Attributes = append(s.Attributes, a)
		}
		s.Conclude()
		var alarm [setCount]bool
		for _, f := range judge.Judge(s, judge.Policy{}) {
			if f.Rule != judge.NothingKnown && f.Severity != smart.Info {
				alarm[actOrWatch] = true
				alarm[act] = alarm[act] || f.Severity == smart.Act
			}
		}
		alarm[smartd], alarm[scrutiny] = r.values[197] > 0 || r.values[198] > 0, m.scrutiny(r.values)
		for i, yes := range alarm {
			if yes {
				m.hits[i]++
			}
		}
	}
}

// maxDump is the maximum length of one dump.
const maxDump = 1 << 20

// dumps measures the texts of smartctl of many drives. A drive failed if a later text reports
// FAILED; alarms count in the texts before.
func (m *measure) dumps(r io.Reader) error {
	m.history = true
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxDump)
	var text []byte
	var d dumpDrive
	path, taken := "", time.Time{}
	flush := func() {
		if len(text) > 0 {
			d.add(m, text, taken)
		}
		text = text[:0]
	}
	for lines.Scan() {
		l := lines.Text()
		if rest, ok := strings.CutPrefix(l, "@@\t"); ok {
			flush()
			f := strings.Split(rest, "\t")
			if len(f) < 3 {
				return fmt.Errorf("invalid line %.60q, want @@ TAB path TAB number TAB date", l)
			}
			if f[0] != path {
				d.end(m)
				d = dumpDrive{id: f[0][strings.LastIndexByte(f[0], '/')+1:]}
			}
			path = f[0]
			var err error
			if taken, err = time.Parse(time.DateOnly, f[2]); err != nil {
				return fmt.Errorf("invalid date %q", f[2])
			}
			continue
		}
		if len(text) < maxDump {
			text = append(append(text, l...), '\n')
		}
	}
	flush()
	d.end(m)
	return lines.Err()
}

// dumpDrive is the drive whose dumps are being read.
type dumpDrive struct {
	id          string
	n           int
	first, last time.Time
	failed      bool
	failedAt    time.Time
	seen        [setCount]bool
	firstAlarm  [setCount]time.Time
	series      judge.Series
	rules       map[string]bool
}

func (d *dumpDrive) add(m *measure, text []byte, taken time.Time) {
	if d.failed || !m.counts(d.id) {
		return
	}
	s, err := smart.ParseText(text)
	if err != nil {
		return
	}
	if s.Taken = taken; d.n == 0 {
		d.first = taken
	}
	d.n, d.last = d.n+1, taken
	if s.Health.Status == smart.Failed {
		d.failed, d.failedAt = true, taken
		return
	}
	_ = d.series.Add(s) // a snapshot without power-on time is checked alone
	list := d.series.Judge(judge.Policy{})
	if d.series.Last() != s {
		list = judge.Judge(s, judge.Policy{})
	}
	for _, f := range list {
		if f.Rule == judge.NothingKnown || f.Rule == "not-read" || f.Severity == smart.Info {
			continue
		}
		if d.rules == nil {
			d.rules = map[string]bool{}
		}
		d.rules[f.Rule+" "+smart.SeverityName(f.Severity)] = true
		d.alarm(actOrWatch, taken)
		if f.Severity == smart.Act {
			d.alarm(act, taken)
		}
	}
}

func (d *dumpDrive) alarm(set int, at time.Time) {
	if !d.seen[set] {
		d.seen[set], d.firstAlarm[set] = true, at
	}
}

// end counts the drive. A drive that failed in its first dump is left out, as no earlier values
// are known.
func (d *dumpDrive) end(m *measure) {
	if d.n == 0 || !m.counts(d.id) {
		return
	}
	m.drives++
	m.rows += d.n
	if d.failed {
		m.failed++
	} else {
		m.years += max(d.last.Sub(d.first).Hours(), 24*30) / (365.25 * 24)
		if m.rules == nil {
			m.rules = map[string]int{}
		}
		for r := range d.rules {
			m.rules[r]++
		}
	}
	for i, yes := range d.seen {
		if !yes {
			continue
		}
		if d.failed {
			m.hits[i]++
			m.leads[i] = append(m.leads[i], d.failedAt.Sub(d.firstAlarm[i]).Hours()/24)
		} else {
			m.alarms[i]++
		}
	}
}
