package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"dougu.internal/smart"
	"dougu.internal/smart/judge"
)

// metric is a metric family in version 0.0.4 of the text format of Prometheus.
type metric struct {
	name, kind, help string
	samples          []string
}

// metrics are the families by name, in the order of their first use.
type metrics struct {
	list []*metric
	by   map[string]*metric
	base string // labels of the drive
}

func (m *metrics) family(name, kind, help string) *metric {
	if m.by[name] == nil {
		m.by[name] = &metric{name: name, kind: kind, help: help}
		m.list = append(m.list, m.by[name])
	}
	return m.by[name]
}

func (m *metrics) add(name, kind, help, labels, value string) {
	f := m.family(name, kind, help)
	f.samples = append(f.samples, name+"{"+m.base+labels+"} "+value)
}

func (m *metrics) gauge(name, help, labels string, v float64) {
	m.add(name, "gauge", help, labels, strconv.FormatFloat(v, 'g', -1, 64))
}

func (m *metrics) counter(name, help, labels string, v float64) {
	m.add(name, "counter", help, labels, strconv.FormatFloat(v, 'g', -1, 64))
}

func flag01(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// prometheus writes one sample for each known value. No two samples have the same name
// and labels, because Prometheus would reject the whole page.
func (r *report) prometheus(w io.Writer) {
	m := &metrics{by: map[string]*metric{}}
	for _, d := range r.distinct() {
		m.base = strings.TrimPrefix(d.labels, ",")
		m.drive(d.drive)
	}
	for _, f := range m.list {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s\n", f.name, f.help, f.name, f.kind,
			strings.Join(f.samples, "\n"))
	}
}

type labelled struct {
	*drive
	labels string
}

// distinct returns the drives with different labels. Of several snapshots of one drive at
// one place, the newest is used. Different drives without serial numbers at one place get
// the name of the input as a part of the device label.
func (r *report) distinct() []labelled {
	var list []labelled
	at := map[string]int{}
	for i := range r.drives {
		d := &r.drives[i]
		labels := d.labels("")
		for n := 1; ; n++ {
			k, taken := at[labels]
			if !taken {
				at[labels] = len(list)
				list = append(list, labelled{d, labels})
				break
			}
			other := list[k].drive
			if strings.Trim(d.s.Identity.Serial, "-. 0") != "" || d.name == other.name &&
				d.s.Source.Line == other.s.Source.Line || n > len(r.drives) {
				if !d.s.Taken.Before(other.s.Taken) {
					list[k].drive = d
				}
				break
			}
			labels = d.labels(fmt.Sprintf("%s:%d#%d", d.name, d.s.Source.Line, n))
		}
	}
	return list
}

func (m *metrics) drive(d *drive) {
	s := d.s
	id := &s.Identity
	m.gauge("smart_device_info", "Identity of the drive; the value is 1.",
		label("firmware", id.Firmware)+label("wwn", id.WWN)+label("family", id.Family)+
			label("protocol", s.Device.Protocol), 1)
	read := true
	for _, f := range d.findings {
		read = read && f.Rule != "not-read" && f.Rule != judge.NothingKnown
	}
	m.gauge("smart_device_read", "1 if the health of the drive was read, 0 if nothing is known about it.", "",
		flag01(read))
	if s.Health.Status != smart.Unknown {
		m.gauge("smart_health_passed", "1 if the drive reports that it passed, 0 if it reports that it failed.", "",
			flag01(s.Health.Status == smart.Passed))
	}
	m.findings(d)
	names, values := temperatures(&s.Temp)
	for i, n := range names {
		m.gauge("smart_temperature_celsius", "Temperatures by kind.", label("kind", n), float64(values[i].C))
		m.gauge("smart_temperature_source_info", "Source of a temperature; the value is 1.",
			label("kind", n)+label("source", values[i].From.String()), 1)
	}
	if s.PowerOn.OK {
		m.counter("smart_power_on_seconds_total", "Time for which the drive has been on.", "", s.PowerOn.V.Seconds())
	}
	if s.PowerCycles.OK {
		m.counter("smart_power_cycles_total", "Number of times that the drive was switched on.", "",
			float64(s.PowerCycles.V))
	}
	if id.Capacity.OK {
		m.gauge("smart_capacity_bytes", "Capacity of the drive.", "", float64(id.Capacity.V))
	}
	if e := &s.Endurance; e.Used.OK {
		m.gauge("smart_endurance_used_ratio", "Used part of the specified endurance; it can exceed 1.", "",
			float64(e.Used.V)/100)
	}
	if e := &s.Endurance; e.Spare.OK {
		m.gauge("smart_spare_ratio", "Remaining part of the spare blocks.", "", float64(e.Spare.V)/100)
	}
	if e := &s.Endurance; e.SpareThreshold.OK {
		m.gauge("smart_spare_threshold_ratio", "Part of the spare blocks below which the drive is unreliable.", "",
			float64(e.SpareThreshold.V)/100)
	}
	if s.Errors.Count.OK {
		m.counter("smart_error_log_entries_total", "Errors in the log of the drive over its life.", "",
			float64(s.Errors.Count.V))
	}
	m.attributes(s)
	m.nvme(s.NVMe)
	m.scsi(s.SCSI)
	if v := d.verdict; v != nil {
		m.gauge("smart_write_bytes_per_second", "Measured write speed.",
			label("position", v.Position.String())+label("conclusion", v.Conclusion.String()), v.Sample.V.Rate())
	}
}

// findings writes a sample for each rule and for the severities act and watch: 1 if there
// is a finding, and 0 if there is none.
func (m *metrics) findings(d *drive) {
	active := map[string]bool{}
	for _, f := range d.findings {
		active[f.Rule+"\x00"+smart.SeverityName(f.Severity)] = true
	}
	for _, rule := range judge.Rules() {
		for _, severity := range []string{"act", "watch"} {
			m.gauge("smart_findings", "1 if the drive has a finding of the rule and severity, 0 if not.",
				label("rule", rule.ID)+label("severity", severity),
				flag01(active[rule.ID+"\x00"+severity]))
		}
	}
}

func (m *metrics) attributes(s *smart.Snapshot) {
	seen := map[uint8]bool{}
	for i := range s.Attributes {
		a := &s.Attributes[i]
		if seen[a.ID] {
			continue
		}
		seen[a.ID] = true
		l := label("id", strconv.Itoa(int(a.ID))) + label("name", a.Name)
		if a.Has&smart.HasValue != 0 {
			m.gauge("smart_attribute_value", "Normalised value of an ATA attribute.", l, float64(a.Value))
		}
		if a.Has&smart.HasWorst != 0 {
			m.gauge("smart_attribute_worst", "Lowest normalised value of an ATA attribute.", l, float64(a.Worst))
		}
		if a.Has&smart.HasThresh != 0 {
			m.gauge("smart_attribute_threshold", "Threshold of an ATA attribute.", l, float64(a.Thresh))
		}
		if v, ok := a.Raw.Uint48(); ok && a.ID != 190 && a.ID != 194 {
			m.add("smart_attribute_raw", "untyped",
				"Raw bytes of an ATA attribute as a number; never a temperature.", l, strconv.FormatUint(v, 10))
		}
	}
}

func (m *metrics) nvme(n *smart.NVMeHealth) {
	if n == nil {
		return
	}
	if n.CriticalWarning.OK {
		m.gauge("smart_nvme_critical_warning", "Bits of the critical warning.", "", float64(n.CriticalWarning.V))
	}
	const unit = 512000 // bytes of a data unit
	for _, c := range []struct {
		name, help string
		v          smart.Opt[smart.Uint128]
		scale      float64
	}{
		{"smart_nvme_read_bytes_total", "Bytes that the host has read.", n.UnitsRead, unit},
		{"smart_nvme_written_bytes_total", "Bytes that the host has written.", n.UnitsWritten, unit},
		{"smart_nvme_read_commands_total", "Read commands.", n.HostReads, 1},
		{"smart_nvme_write_commands_total", "Write commands.", n.HostWrites, 1},
		{"smart_nvme_busy_seconds_total", "Time for which the controller was busy.", n.BusyMinutes, 60},
		{"smart_nvme_unsafe_shutdowns_total", "Shutdowns without notice.", n.UnsafeShutdowns, 1},
		{"smart_nvme_media_errors_total", "Errors of the medium that were not corrected.", n.MediaErrors, 1},
	} {
		if c.v.OK {
			m.counter(c.name, c.help, "", c.v.V.Float64()*c.scale)
		}
	}
	for _, c := range []struct {
		limit string
		v     smart.Opt[uint32]
	}{{"warning", n.WarningMinutes}, {"critical", n.CriticalMinutes}} {
		if c.v.OK {
			m.counter("smart_nvme_over_temperature_seconds_total", "Time above a limit of the temperature.",
				label("limit", c.limit), float64(c.v.V)*60)
		}
	}
	for i, v := range n.Sensors {
		if v.OK {
			m.gauge("smart_nvme_sensor_celsius", "Temperature of a sensor.", label("sensor", strconv.Itoa(i+1)),
				float64(v.V))
		}
	}
}

func (m *metrics) scsi(h *smart.SCSIHealth) {
	if h == nil {
		return
	}
	if h.GrownDefects.OK {
		m.gauge("smart_scsi_grown_defects", "Length of the grown defect list.", "", float64(h.GrownDefects.V))
	}
	if h.NonMedium.OK {
		m.counter("smart_scsi_non_medium_errors_total", "Errors outside of the medium.", "", float64(h.NonMedium.V))
	}
	for _, c := range []struct {
		operation string
		c         *smart.ErrorCounters
	}{{"read", h.Read}, {"write", h.Write}, {"verify", h.Verify}} {
		if c.c == nil {
			continue
		}
		l := label("operation", c.operation)
		if v := c.c.Uncorrected; v.OK {
			m.counter("smart_scsi_uncorrected_errors_total", "Errors that were not corrected.", l, float64(v.V))
		}
		if v := c.c.Corrected; v.OK {
			m.counter("smart_scsi_corrected_errors_total", "Errors that were corrected.", l, float64(v.V))
		}
		if v := c.c.Bytes; v.OK {
			m.counter("smart_scsi_processed_bytes_total", "Bytes that were processed.", l, float64(v.V))
		}
	}
}

// labels returns the labels that identify the drive. If neither serial number nor node is
// known, the name of the input and the line distinguish drives. at replaces the device.
func (d *drive) labels(at string) string {
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
	if at != "" {
		device = at
	}
	return label("model", s.Identity.Model) + label("serial", s.Identity.Serial) + label("device", device) +
		label("port", port)
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func label(name, value string) string {
	return "," + name + `="` + escaper.Replace(clean(value)) + `"`
}
