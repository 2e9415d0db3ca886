package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"dougu.internal/smart"
)

// metric is a metric family in version 0.0.4 of the text format of Prometheus.
type metric struct {
	name, kind, help string
	samples          []string
}

func (m *metric) add(labels, value string) {
	m.samples = append(m.samples, m.name+"{"+labels+"} "+value)
}

// prometheus writes one sample for each known value.
func (r *report) prometheus(w io.Writer) {
	health := metric{"smart_health_passed", "gauge", "1 when the drive says passed, 0 when it says failed.", nil}
	temp := metric{"smart_temperature_celsius", "gauge", "Temperatures by kind, with their source.", nil}
	hours := metric{"smart_power_on_hours", "counter", "Time the drive has been on.", nil}
	value := metric{"smart_attribute_value", "gauge", "Normalised value of an ATA attribute.", nil}
	thresh := metric{"smart_attribute_threshold", "gauge", "Threshold of an ATA attribute.", nil}
	raw := metric{"smart_attribute_raw", "untyped", "Raw bytes of an ATA attribute as a number; never a temperature.", nil}
	findings := metric{"smart_findings", "gauge", "Findings by rule and severity.", nil}
	rate := metric{"smart_write_bytes_per_second", "gauge", "Measured write speed.", nil}
	for i := range r.drives {
		d := &r.drives[i]
		s := d.s
		base := d.labels()
		if s.Health.Status != smart.Unknown {
			v := "1"
			if s.Health.Status == smart.Failed {
				v = "0"
			}
			health.add(base, v)
		}
		names, values := temperatures(&s.Temp)
		for i, n := range names {
			temp.add(base+label("kind", n)+label("source", values[i].From.String()), strconv.Itoa(int(values[i].C)))
		}
		if s.PowerOn.OK {
			hours.add(base, strconv.FormatFloat(s.PowerOn.V.Hours(), 'g', -1, 64))
		}
		seen := map[uint8]bool{}
		for i := range s.Attributes {
			a := &s.Attributes[i]
			if seen[a.ID] { // samples must differ in their labels
				continue
			}
			seen[a.ID] = true
			l := base + label("id", strconv.Itoa(int(a.ID))) + label("name", a.Name)
			if a.Has&smart.HasValue != 0 {
				value.add(l, strconv.Itoa(int(a.Value)))
			}
			if a.Has&smart.HasThresh != 0 {
				thresh.add(l, strconv.Itoa(int(a.Thresh)))
			}
			if v, ok := a.Raw.Uint48(); ok && a.ID != 190 && a.ID != 194 {
				raw.add(l, strconv.FormatUint(v, 10))
			}
		}
		count := map[string]int{}
		var order []string
		for _, f := range d.findings {
			l := base + label("rule", f.Rule) + label("severity", smart.SeverityName(f.Severity))
			if count[l] == 0 {
				order = append(order, l)
			}
			count[l]++
		}
		for _, l := range order {
			findings.add(l, strconv.Itoa(count[l]))
		}
		if v := d.verdict; v != nil {
			l := base + label("position", v.Position.String()) + label("conclusion", v.Conclusion.String())
			rate.add(l, strconv.FormatFloat(v.Sample.V.Rate(), 'f', 2, 64))
		}
	}
	for _, m := range []metric{health, temp, hours, value, thresh, raw, findings, rate} {
		if len(m.samples) == 0 {
			continue
		}
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s\n", m.name, m.help, m.name, m.kind, strings.Join(m.samples, "\n"))
	}
}

// labels returns the labels that identify the drive. If the serial number is unknown,
// the name of the input and the line distinguish drives.
func (d *drive) labels() string {
	s := d.s
	port := ""
	if s.Device.Port.OK {
		port = strconv.Itoa(s.Device.Port.V)
	}
	device := s.Device.Node
	if device == "" {
		device = d.name
		if s.Source.Line > 0 {
			device += ":" + strconv.Itoa(s.Source.Line)
		}
	}
	l := label(
		"model",
		s.Identity.Model,
	) + label(
		"serial",
		s.Identity.Serial,
	) + label(
		"device",
		device,
	) + label(
		"port",
		port,
	)
	return strings.TrimPrefix(l, ",")
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func label(name, value string) string {
	return "," + name + `="` + escaper.Replace(clean(value)) + `"`
}
