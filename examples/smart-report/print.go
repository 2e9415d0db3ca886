package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf8"

	"dougu.internal/smart"
)

func (r *report) print() error {
	w := bufio.NewWriter(r.out)
	var err error
	switch r.format {
	case "json":
		err = r.json(w)
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

func (r *report) text(w io.Writer) error {
	for i := range r.drives {
		d := &r.drives[i]
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
		fmt.Fprintf(tab, "%s\t%.2f\t%s\t%v\t%s\n", clean(v.Port), v.Sample.V.Rate()/1e6, temp, v.Position, clean(v.Text))
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, r.diagnosis.Summary)
	return nil
}

// jsonDrive is a drive in the JSON output, which the usage text describes.
type jsonDrive struct {
	Source     string          `json:"source"`
	Device     string          `json:"device,omitempty"`
	Port       *int            `json:"port,omitempty"`
	Model      string          `json:"model,omitempty"`
	Serial     string          `json:"serial,omitempty"`
	Firmware   string          `json:"firmware,omitempty"`
	Health     string          `json:"health"`
	Temp       map[string]any  `json:"temperature,omitempty"`
	PowerOn    *uint64         `json:"power_on_hours,omitempty"`
	Cycles     *uint64         `json:"power_cycles,omitempty"`
	Attributes []jsonAttribute `json:"attributes"`
	Findings   []jsonFinding   `json:"findings"`
	Throughput *jsonThroughput `json:"throughput,omitempty"`
	Warnings   []string        `json:"warnings"`
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
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Detail   string `json:"detail"`
	Evidence string `json:"evidence"`
	Source   string `json:"source,omitempty"`
	Past     bool   `json:"past,omitempty"`
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
		Source: clean(
			d.name,
		), Device: clean(s.Device.Node), Model: clean(s.Identity.Model), Serial: clean(s.Identity.Serial),
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
		j.Findings = append(j.Findings, jsonFinding{
			f.Rule, smart.SeverityName(f.Severity), clean(f.Detail), clean(f.Evidence), clean(f.Source), f.Past,
		})
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
