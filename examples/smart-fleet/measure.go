package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"dougu.internal/smart"
	"dougu.internal/smart/judge"
)

// The rule sets that are compared.
const (
	act = iota
	actOrWatch
	smartd
	scrutiny
	setCount
)

var setNames = [setCount]string{"act", "act or watch", "smartd defaults", "scrutiny limits"}

// window is the time before a failure in which an alarm counts: from 30 days to 1 day.
const (
	earliest = 30 * 24
	latest   = 24
)

// row is the state of a drive from start to stop, in hours.
type row struct {
	start, stop, powerOn int64
	values               map[uint8]uint64
}

// measure counts the results of one file.
type measure struct {
	limits []scrutinyLimit
	half   string
	byRule bool

	rows, drives, failed int
	years                float64 // of the drives that did not fail
	hits, alarms         [setCount]int
	leads                [setCount][]float64 // days
	rules                map[string]int      // drives that did not fail, by rule
	tickets              bool
	history              bool
}

// drive measures one drive. Its rows are in the order of time.
func (m *measure) drive(model, serial string, rows []row, failed bool) {
	if len(rows) == 0 || !m.counts(serial) {
		return
	}
	m.drives++
	m.rows += len(rows)
	end := rows[len(rows)-1].stop
	var series judge.Series
	var first [setCount]int64
	var hit, seen [setCount]bool
	rules := map[string]bool{}
	look := func(r *row, at int64) {
		var alarm [setCount]bool
		s := snapshot(model, serial, r, r.powerOn+at-r.start)
		if err := series.Add(s); err == nil {
			for _, f := range series.Judge(judge.Policy{}) {
				if f.Rule == judge.NothingKnown || f.Severity == smart.Info {
					continue
				}
				alarm[actOrWatch] = true
				alarm[act] = alarm[act] || f.Severity == smart.Act
				rules[f.Rule+" "+smart.SeverityName(f.Severity)] = true
			}
		}
		alarm[smartd] = r.values[197] > 0 || r.values[198] > 0
		alarm[scrutiny] = m.scrutiny(r.values)
		for i, yes := range alarm {
			if !yes {
				continue
			}
			if !seen[i] {
				seen[i], first[i] = true, at
			}
			// The state lasts until the next row.
			hit[i] = hit[i] || at <= end-latest && max(r.stop, at+1) > end-earliest
		}
	}
	for i := range rows {
		r := &rows[i]
		begin := end - earliest // the window starts within the row: what was long ago is forgotten
		if !failed || r.stop <= begin || r.start > begin {
			look(r, r.start)
			continue
		}
		if r.start < begin {
			cut := *r
			cut.stop = begin
			look(&cut, r.start)
		}
		look(r, begin)
	}
	if !failed {
		m.years += float64(end-rows[0].start) / (365.25 * 24)
		for i := range seen {
			if seen[i] {
				m.alarms[i]++
			}
		}
		if m.rules == nil {
			m.rules = map[string]int{}
		}
		for r := range rules {
			m.rules[r]++
		}
		return
	}
	m.failed++
	for i := range hit {
		if hit[i] {
			m.hits[i]++
			m.leads[i] = append(m.leads[i], float64(end-first[i])/24)
		}
	}
}

// attributeNames are the names that smartctl prints for the attributes of the data.
var attributeNames = map[uint8]string{
	1: "Raw_Read_Error_Rate", 5: "Reallocated_Sector_Ct", 9: "Power_On_Hours", 10: "Spin_Retry_Count",
	12: "Power_Cycle_Count", 171: "Program_Fail_Count",
	172: "Erase_Fail_Count", 183: "Runtime_Bad_Block", 184: "End-to-End_Error", 187: "Reported_Uncorrect",
	188: "Command_Timeout", 189: "High_Fly_Writes",
	196: "Reallocated_Event_Count", 197: "Current_Pending_Sector", 198: "Offline_Uncorrectable",
	199: "UDMA_CRC_Error_Count", 233: "Media_Wearout_Indicator",
}

// snapshot returns the model that smartctl would give for a row.
func snapshot(model, serial string, r *row, powerOn int64) *smart.Snapshot {
	s := &smart.Snapshot{
		Identity: smart.Identity{Model: model, Serial: serial, Rotation: smart.Some[uint16](7200)},
		PowerOn:  smart.Some(time.Duration(powerOn) * time.Hour), Attributes: make([]smart.Attribute, 0, len(r.values)),
	}
	for id, v := range r.values {
		if name := attributeNames[id]; name != "" {
			s.Attributes = append(s.Attributes, attribute(id, name, v))
		}
	}
	slices.SortFunc(s.Attributes, func(a, b smart.Attribute) int { return cmp.Compare(a.ID, b.ID) })
	return s
}

func attribute(id uint8, name string, v uint64) smart.Attribute {
	a := smart.Attribute{ID: id, Name: name, State: smart.NoThreshold}
	for i := range a.Raw.Bytes {
		a.Raw.Bytes[i] = byte(v >> (8 * i))
	}
	a.Raw.Known = smart.KnownAll
	return a
}

func (m *measure) print(w io.Writer, name string) {
	fmt.Fprintf(w, "%s: %d drives, %d failed, %d rows", name, m.drives, m.failed, m.rows)
	if !m.tickets {
		fmt.Fprintf(w, ", %.0f drive-years without failure", m.years)
	}
	fmt.Fprintln(w)
	tab := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	switch {
	case m.tickets:
		fmt.Fprintln(tab, "rules\tof the failed drives")
	case m.history:
		fmt.Fprintln(tab, "rules\tbefore FAILED\tmedian lead\talarms per 1,000 drive-years")
	default:
		fmt.Fprintln(tab, "rules\t1-30 days before\tmedian lead\talarms per 1,000 drive-years")
	}
	for i, set := range setNames {
		if i == scrutiny && len(m.limits) == 0 || m.history && i > actOrWatch {
			continue
		}
		fmt.Fprintf(tab, "%s\t%.1f %%", set, 100*ratio(float64(m.hits[i]), float64(m.failed)))
		if !m.tickets {
			fmt.Fprintf(tab, "\t%.0f days\t%.1f", median(m.leads[i]), 1000*ratio(float64(m.alarms[i]), m.years))
		}
		fmt.Fprintln(tab)
	}
	tab.Flush()
	if m.byRule {
		for _, r := range slices.SortedFunc(maps.Keys(m.rules),
			func(a, b string) int { return cmp.Or(cmp.Compare(m.rules[b], m.rules[a]), strings.Compare(a, b)) }) {
			fmt.Fprintf(w, "  %-32s %6d drives without failure\n", r, m.rules[r])
		}
	}
	fmt.Fprintln(w)
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[len(list)/2]
}
