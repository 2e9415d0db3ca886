package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"dougu.internal/diag"
	"dougu.internal/smart"
	"dougu.internal/smart/judge"
)

func (r *report) print() error {
	w := bufio.NewWriter(r.out)
	var err error
	switch r.format {
	case "json":
		err = r.json(w)
	case "model":
		err = r.modelJSON(w)
	case "prometheus":
		r.prometheus(w)
	default:
		err = r.text(w)
	}
	if err != nil {
		return err
	}
	return w.Flush()
}

// temperatures returns the known temperatures and their names in JSON.
func temperatures(t *smart.Temperature) (names []string, values []smart.TempValue) {
	for _, v := range []struct {
		name string
		v    smart.TempValue
	}{
		{"current", t.Current},
		{"lifetime_min", t.LifetimeMin}, {"lifetime_max", t.LifetimeMax},
		{"cycle_min", t.CycleMin}, {"cycle_max", t.CycleMax},
		{"op_min", t.OpMin}, {"op_max", t.OpMax},
		{"limit_min", t.LimitMin}, {"limit_max", t.LimitMax},
		{"critical", t.Critical}, {"trip", t.Trip},
	} {
		if v.v.OK {
			names = append(names, v.name)
			values = append(values, v.v)
		}
	}
	return names, values
}

// head returns the line that identifies the drive.
func (d *drive) head() string {
	id := d.s.Identity
	words := []string{d.name}
	if d.s.Source.Line > 1 {
		words[0] += ":" + strconv.Itoa(d.s.Source.Line)
	}
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	if id.Model != "" {
		add("%s", id.Model)
	}
	if id.Serial != "" {
		add("serial %s", id.Serial)
	}
	if d.s.Device.Node != "" && d.s.Device.Node != d.name && d.s.Device.Node != "-" {
		add("%s", d.s.Device.Node)
	}
	if p := d.s.Device.Port; p.OK {
		add("port %d", p.V)
	}
	add("health %v", d.s.Health.Status)
	t := d.s.Temp
	if t.Current.OK {
		add("%d C (%v)", t.Current.C, t.Current.From)
	}
	if t.LifetimeMin.OK {
		add("lowest ever %d C (%v)", t.LifetimeMin.C, t.LifetimeMin.From)
	}
	if t.LifetimeMax.OK {
		add("highest ever %d C (%v)", t.LifetimeMax.C, t.LifetimeMax.From)
	}
	return clean(strings.Join(words, ", "))
}

// manyDrives is the number of drives from which a summary is printed.
const manyDrives = 5

// rank returns the highest severity of a drive, and whether nothing is known about it.
func (d *drive) rank() (severity diag.Severity, unknown bool) {
	severity = smart.Info
	for _, f := range d.findings {
		if f.Rule == "not-read" || f.Rule == judge.NothingKnown {
			unknown = true
		}
		severity = min(severity, f.Severity)
	}
	return severity, unknown
}

// summary returns a line with the numbers of drives.
func (r *report) summary() string {
	act, watch, unknown := 0, 0, 0
	for i := range r.drives {
		switch severity, none := r.drives[i].rank(); {
		case severity == smart.Act:
			act++
		case none:
			unknown++
		case severity == smart.Watch:
			watch++
		}
	}
	return fmt.Sprintf("%d drives: %d act, %d watch, %d unknown, %d without such findings", len(r.drives), act,
		watch, unknown, len(r.drives)-act-watch-unknown)
}

// modelJSON writes the snapshots in the JSON form of the package.
func (r *report) modelJSON(w io.Writer) error {
	all := make([]*smart.Snapshot, len(r.drives))
	for i := range r.drives {
		all[i] = r.drives[i].s
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(all)
}

func (r *report) text(w io.Writer) error {
	for i := range r.drives {
		d := &r.drives[i]
		if severity, _ := d.rank(); r.quiet && severity == smart.Info {
			continue
		}
		fmt.Fprintln(w, d.head())
		for _, f := range d.findings {
			line := fmt.Sprintf("%s %s: %s", strings.ToUpper(smart.SeverityName(f.Severity)), f.Rule, f.Detail)
			if f.Evidence != "" || f.Source != "" {
				line += fmt.Sprintf(" (%s; %s)", f.Evidence, f.Source)
			}
			fmt.Fprintf(w, "  %s\n", clean(line))
		}
		if len(d.findings) == 0 && d.s.Health.Status == smart.Passed {
			fmt.Fprintln(w, "  nothing is wrong")
		} else if len(d.findings) == 0 {
			fmt.Fprintln(w, "  no findings; the health is unknown")
		}
	}
	if r.quiet || len(r.drives) >= manyDrives {
		fmt.Fprintln(w, r.summary())
	}
	if r.diagnosis == nil {
		return nil
	}
	fmt.Fprintf(w, "\n%s\n", r.diagnosis.Join)
	tab := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tab, "port\tMB/s\ttemperature\tstate\tconclusion")
	for _, v := range r.diagnosis.Disks {
		temp := "-"
		if v.Temp.OK {
			temp = fmt.Sprintf("%d C", v.Temp.C)
		}
		fmt.Fprintf(tab, "%s\t%.2f\t%s\t%v\t%s\n", clean(v.Port), v.Sample.V.Rate()/1e6, temp, v.Position,
			clean(v.Text))
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, r.diagnosis.Summary)
	return nil
}

// jsonDrive is a drive in the JSON output, which the usage text describes.
type jsonDrive struct {
	Source     string                `json:"source"`
	Device     string                `json:"device,omitempty"`
	Port       *int                  `json:"port,omitempty"`
	Model      string                `json:"model,omitempty"`
	Serial     string                `json:"serial,omitempty"`
	Firmware   string                `json:"firmware,omitempty"`
	Health     string                `json:"health"`
	Temp       map[string]any        `json:"temperature,omitempty"`
	PowerOn    *uint64               `json:"power_on_hours,omitempty"`
	Cycles     *uint64               `json:"power_cycles,omitempty"`
	Family     string                `json:"family,omitempty"`
	WWN        string                `json:"wwn,omitempty"`
	Capacity   *uint64               `json:"capacity_bytes,omitempty"`
	Rotation   *uint16               `json:"rotation_rate,omitempty"`
	PowerMode  string                `json:"power_mode,omitempty"`
	Exit       *uint8                `json:"exit_status,omitempty"`
	Endurance  *smart.Endurance      `json:"endurance,omitempty"`
	NVMe       *smart.NVMeHealth     `json:"nvme,omitempty"`
	SCSI       *smart.SCSIHealth     `json:"scsi,omitempty"`
	SelfTests  []smart.SelfTest      `json:"self_tests,omitempty"`
	Errors     *smart.ErrorLog       `json:"error_log,omitempty"`
	Pending    *smart.PendingDefects `json:"pending_defects,omitempty"`
	FARM       *smart.FARM           `json:"farm,omitempty"`
	Attributes []jsonAttribute       `json:"attributes"`
	Findings   []jsonFinding         `json:"findings"`
	Throughput *jsonThroughput       `json:"throughput,omitempty"`
	Warnings   []string              `json:"warnings"`
}

type jsonAttribute struct {
	ID     uint8  `json:"id"`
	Name   string `json:"name"`
	Value  *uint8 `json:"value,omitempty"`
	Worst  *uint8 `json:"worst,omitempty"`
	Thresh *uint8 `json:"thresh,omitempty"`
	Text   string `json:"raw_string"`
	Raw    string `json:"raw,omitempty"`
	State  string `json:"state,omitempty"`
}

type jsonFinding struct {
	Rule      string   `json:"rule"`
	Severity  string   `json:"severity"`
	Detail    string   `json:"detail"`
	Evidence  string   `json:"evidence"`
	Source    string   `json:"source,omitempty"`
	Past      bool     `json:"past,omitempty"`
	Key       string   `json:"key,omitempty"`
	Attribute uint8    `json:"attribute,omitempty"`
	Number    *float64 `json:"number,omitempty"`
	Unit      string   `json:"unit,omitempty"`
	Since     string   `json:"since,omitempty"`
}

type jsonThroughput struct {
	Label      string  `json:"label"`
	Bytes      int64   `json:"bytes"`
	Seconds    float64 `json:"seconds"`
	Rate       float64 `json:"bytes_per_second"`
	Slow       bool    `json:"slow"`
	Position   string  `json:"position"`
	Conclusion string  `json:"conclusion"`
	Detail     string  `json:"detail"`
}

func (r *report) json(w io.Writer) error {
	all := []jsonDrive{}
	for i := range r.drives {
		all = append(all, r.drives[i].json())
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(all)
}

func (d *drive) json() jsonDrive {
	s := d.s
	j := jsonDrive{
		Source: clean(d.name), Device: clean(s.Device.Node), Model: clean(s.Identity.Model),
		Serial:   clean(s.Identity.Serial),
		Firmware: clean(s.Identity.Firmware), Health: s.Health.Status.String(),
		Attributes: []jsonAttribute{}, Findings: []jsonFinding{}, Warnings: []string{},
	}
	if s.Device.Port.OK {
		j.Port = &s.Device.Port.V
	}
	if names, values := temperatures(&s.Temp); len(names) > 0 {
		j.Temp = map[string]any{}
		sources := map[string]string{}
		for i, n := range names {
			j.Temp[n] = values[i].C
			sources[n] = values[i].From.String()
		}
		j.Temp["sources"] = sources
	}
	if s.PowerOn.OK {
		h := uint64(s.PowerOn.V.Hours())
		j.PowerOn = &h
	}
	if s.PowerCycles.OK {
		j.Cycles = &s.PowerCycles.V
	}
	j.more(s)
	for i := range s.Attributes {
		a := &s.Attributes[i]
		ja := jsonAttribute{ID: a.ID, Name: clean(a.Name), Text: clean(string(a.AppendRaw(nil))), Raw: a.Raw.Hex()}
		if a.State != smart.StateUnknown {
			ja.State = a.State.String()
		}
		for _, f := range []struct {
			dst **uint8
			bit smart.Fields
			v   *uint8
		}{
			{&ja.Value, smart.HasValue, &a.Value}, {&ja.Worst, smart.HasWorst, &a.Worst},
			{&ja.Thresh, smart.HasThresh, &a.Thresh},
		} {
			if a.Has&f.bit != 0 {
				*f.dst = f.v
			}
		}
		j.Attributes = append(j.Attributes, ja)
	}
	for _, f := range d.findings {
		jf := jsonFinding{
			Rule: f.Rule, Severity: smart.SeverityName(f.Severity), Detail: clean(f.Detail),
			Evidence: clean(f.Evidence), Source: clean(f.Source), Past: f.Past,
			Key: clean(f.Key), Attribute: f.Attribute, Unit: f.Unit,
		}
		if f.Value.OK {
			jf.Number = &f.Value.V
		}
		if !f.Since.IsZero() {
			jf.Since = f.Since.UTC().Format(time.RFC3339)
		}
		j.Findings = append(j.Findings, jf)
	}
	if v := d.verdict; v != nil {
		j.Throughput = &jsonThroughput{
			Label: clean(v.Sample.V.Label), Bytes: v.Sample.V.Bytes, Seconds: v.Sample.V.Took.Seconds(),
			Rate: v.Sample.V.Rate(), Slow: v.Slow,
			Position: v.Position.String(), Conclusion: v.Conclusion.String(), Detail: clean(v.Text),
		}
	}
	for _, w := range s.Warnings {
		j.Warnings = append(j.Warnings, clean(w.String()))
	}
	return j
}

// more sets the parts of the model that the other functions do not convert.
func (j *jsonDrive) more(s *smart.Snapshot) {
	id := &s.Identity
	j.Family, j.WWN, j.PowerMode = clean(id.Family), clean(id.WWN), clean(s.PowerMode)
	if id.Capacity.OK {
		j.Capacity = &id.Capacity.V
	}
	if id.Rotation.OK {
		j.Rotation = &id.Rotation.V
	}
	if s.Exit.OK {
		v := uint8(s.Exit.V)
		j.Exit = &v
	}
	if s.Endurance.Used.OK || s.Endurance.Spare.OK {
		j.Endurance = &s.Endurance
	}
	j.NVMe, j.SCSI, j.Pending, j.FARM = s.NVMe, s.SCSI, s.Pending, s.FARM
	for _, t := range s.SelfTests {
		t.Kind, t.Result = clean(t.Kind), clean(t.Result)
		j.SelfTests = append(j.SelfTests, t)
	}
	if s.Errors.Count.OK || len(s.Errors.Entries) > 0 {
		log := s.Errors
		log.Entries = slices.Clone(log.Entries)
		for i := range log.Entries {
			log.Entries[i].Text = clean(log.Entries[i].Text)
		}
		j.Errors = &log
	}
}

// clean returns s with control characters, format characters and invalid UTF-8
// replaced by '?'. Unlike diag.Sanitize it adds no escapes, so that each character of
// a device string fills one column.
func clean(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}
