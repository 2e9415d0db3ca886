package smart

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"dougu.internal/smart/internal/scan"
)

// isSyslog reports whether a text contains lines of smartd. Lines about a device start
// with its name after the head of the line.
func isSyslog(b []byte) bool {
	for l := range bytes.Lines(b[:min(len(b), 1<<20)]) {
		if m, ok := smartdMessage(scan.Trim(l)); ok && m.device != "" {
			return true
		}
	}
	return false
}

// message is a line of smartd.
type message struct {
	device, kind string // "/dev/sda", "SAT"
	text         []byte
	taken        time.Time
}

// smartdMessage cuts "Mar  3 04:12:09 host smartd[811]: Device: /dev/sda [SAT], TEXT".
func smartdMessage(l []byte) (m message, ok bool) {
	i := bytes.Index(l, []byte("smartd"))
	if i < 0 || i > 200 {
		return m, false
	}
	rest := l[i+len("smartd"):]
	if len(rest) > 0 && rest[0] == '[' {
		j := bytes.IndexByte(rest, ']')
		if j < 0 {
			return m, false
		}
		rest = rest[j+1:]
	}
	if len(rest) == 0 || rest[0] != ':' {
		return m, false
	}
	text, ok := scan.After(scan.Trim(rest[1:]), "Device: ")
	if !ok {
		return m, false
	}
	name, text, ok := bytes.Cut(text, []byte(", "))
	if !ok {
		return m, false
	}
	m.text = text
	node, kind := scan.Word(name)
	m.device, m.kind = string(node), string(bytes.Trim(kind, "[]"))
	if t, err := time.Parse(time.RFC3339, string(l[:bytes.IndexByte(append(bytes.Clone(l), ' '), ' ')])); err == nil {
		m.taken = t.UTC()
	}
	return m, m.device != ""
}

// ParseSyslog reads messages of smartd in a system log, and returns one snapshot for each
// device with its newest state. Lines of other programs are left out. The time of a
// snapshot is known if the log has times with a year and an offset.
//
// The error is [ErrNoData] if no message of smartd is about the state of a device.
func ParseSyslog(b []byte) ([]*Snapshot, error) {
	drives := map[string]*syslogDrive{}
	var order []*syslogDrive
	line, off := 0, 0
	for l := range bytes.Lines(b) {
		line++
		at := off
		off += len(l)
		if len(l) > scan.MaxLine {
			continue
		}
		m, ok := smartdMessage(scan.Trim(l))
		if !ok {
			continue
		}
		key := m.device + " " + m.kind
		d := drives[key]
		if d == nil {
			if len(order) == maxDrives {
				return nil, errs.Errorf("more than %d drives in one input", maxDrives)
			}
			d = &syslogDrive{s: &Snapshot{Source: Source{Format: FormatSyslog, Tool: "smartd", Line: line}}}
			d.s.Device.Node = m.device
			d.s.setKind(m.kind)
			drives[key], order = d, append(order, d)
		}
		if !m.taken.IsZero() && m.taken.After(d.s.Taken) {
			d.s.Taken = m.taken
		}
		if !d.take(m.text) && looksBad(m.text) {
			d.facts++
			d.s.warn(Warning{Line: line, Offset: at, Msg: "not understood: " + clip(m.text)})
		}
	}
	var list []*Snapshot
	for _, d := range order {
		if d.facts > 0 {
			d.s.concludeEndurance()
			list = append(list, d.s)
		}
	}
	if len(list) == 0 {
		return nil, ErrNoData
	}
	return list, nil
}

// setKind takes the part in brackets of a device name: "SAT", "SCSI", "NVMe",
// "megaraid_disk_04".
func (s *Snapshot) setKind(kind string) {
	lower := strings.ToLower(kind)
	switch {
	case lower == "":
	case strings.HasPrefix(lower, "nvme"):
		s.Device.Protocol, s.Device.Type = "NVMe", "nvme"
	case lower == "scsi":
		s.Device.Protocol, s.Device.Type = "SCSI", "scsi"
	case lower == "sat":
		s.Device.Protocol, s.Device.Type = "ATA", "sat"
	default:
		s.Device.Type = kind
		for i := range len(lower) { // "megaraid_disk_04 [SAT]", "3ware_disk_02"
			if n, k, ok := scan.Uint(lower[i:]); ok && i > 0 && lower[i-1] == '_' && n < 1<<16 &&
				(i+k == len(lower) || !scan.Digit(lower[i+k])) {
				s.Device.Port = Some(int(n))
			}
		}
	}
}

// syslogDrive collects the messages about one device.
type syslogDrive struct {
	s     *Snapshot
	facts int
}

// looksBad reports whether a message that is not understood is about a fault.
func looksBad(text []byte) bool {
	for _, word := range []string{"fail", "FAIL", "error", "Error", "unable", "critical", "Critical"} {
		if bytes.Contains(text, []byte(word)) {
			return true
		}
	}
	return false
}

// take reads one message. It returns false if the message is not known.
func (d *syslogDrive) take(text []byte) bool {
	s := d.s
	if n, rest, ok := leading(text); ok {
		switch {
		case scan.Starts(rest, "Currently unreadable (pending) sectors"):
			d.count(197, "Current_Pending_Sector", n)
		case scan.Starts(rest, "Total pending sectors"):
			d.count(197, "Total_Pending_Sectors", n)
		case scan.Starts(rest, "Offline uncorrectable sectors"),
			scan.Starts(rest, "Total offline uncorrectable sectors"):
			d.count(198, "Offline_Uncorrectable", n)
		default:
			return false
		}
		return true
	}
	switch {
	case scan.Starts(text, "No more Currently unreadable (pending) sectors"),
		scan.Starts(text, "No more Total pending sectors"):
		d.count(197, "Current_Pending_Sector", 0)
	case scan.Starts(text, "No more Offline uncorrectable sectors"),
		scan.Starts(text, "No more Total offline uncorrectable sectors"):
		d.count(198, "Offline_Uncorrectable", 0)
	case scan.Starts(text, "FAILED SMART self-check"), scan.Starts(text, "SMART Failure:"),
		scan.Starts(text, "SMART Status: FAILED"):
		s.Health = Health{Status: Failed}
		if reason, ok := scan.After(text, "SMART Failure:"); ok {
			s.Health.Detail = string(reason)
		}
		d.facts++
	case scan.Starts(text, "Temperature "), scan.Starts(text, "initial Temperature is "):
		return d.temperature(text)
	case scan.Starts(text, "Failed SMART usage Attribute: "), scan.Starts(text, "FAILED SMART prefail Attribute: "),
		scan.Starts(text, "Failed SMART prefail Attribute: "):
		_, rest, _ := bytes.Cut(text, []byte(": "))
		id, name, ok := leading(rest)
		if !ok || id == 0 || id > 255 {
			return false
		}
		name, _ = scan.Word(name)
		a := d.attribute(uint8(id), strings.TrimRight(string(name), "."))
		a.State = FailingNow
		if bytes.Contains(text[:14], []byte("FAILED")) || bytes.Contains(text, []byte("prefail")) {
			a.Flags |= Prefail
			a.Has |= HasFlags
		}
		d.facts++
	case scan.Starts(text, "SMART Usage Attribute: "), scan.Starts(text, "SMART Prefailure Attribute: "):
		return d.changed(text)
	case scan.Starts(text, "Self-Test Log error count "):
		if n, ok := lastCount(text); ok {
			s.SelfTestErrors = Some(n)
			d.facts++
		}
	case scan.Starts(text, "ATA error count "), scan.Starts(text, "number of Error Log entries "):
		if n, ok := lastCount(text); ok {
			s.Errors.Count = Some(n)
			if text[0] == 'n' && s.Device.Protocol == "" {
				s.Device.Protocol = "NVMe"
			}
			d.facts++
		}
	case scan.Starts(text, "Critical Warning ("):
		rest := text[len("Critical Warning ("):]
		w, _, _ := bytes.Cut(rest, []byte(")"))
		if v, ok := anyNumber(w); ok && v < 256 {
			s.Device.Protocol = "NVMe"
			if s.NVMe == nil {
				s.NVMe = &NVMeHealth{}
			}
			s.NVMe.CriticalWarning = Some(uint8(v))
			s.Health.Status = Passed
			if v != 0 {
				s.Health.Status = Failed
			}
			d.facts++
		}
	case scan.Starts(text, "unable to open"), scan.Starts(text, "open() failed"),
		scan.Starts(text, "failed to read SMART"), scan.Starts(text, "not capable of SMART"),
		scan.Starts(text, "Read SMART"), scan.Starts(text, "removed"), scan.Starts(text, "can't monitor"):
		if len(s.Messages) < maxWarnings && !slices.Contains(s.Messages, string(text)) {
			s.Messages = append(s.Messages, clip(text))
		}
		d.facts++
	default:
		return d.identity(text)
	}
	return true
}

// leading reads a number and the words after it.
func leading(b []byte) (n uint64, rest []byte, ok bool) {
	w, rest := scan.Word(b)
	n, k, ok := scan.Uint(w)
	return n, rest, ok && k == len(w)
}

// lastCount reads the number after "from N to " or "is ".
func lastCount(text []byte) (uint64, bool) {
	for _, mark := range []string{" to ", " is "} {
		if i := bytes.LastIndex(text, []byte(mark)); i >= 0 {
			n, _, ok := scan.Uint(scan.Trim(text[i+len(mark):]))
			return n, ok
		}
	}
	return 0, false
}

func (d *syslogDrive) attribute(id uint8, name string) *Attribute {
	if a := d.s.Attribute(id); a != nil {
		return a
	}
	d.s.Attributes = append(d.s.Attributes, Attribute{ID: id, Name: name})
	return &d.s.Attributes[len(d.s.Attributes)-1]
}

func (d *syslogDrive) count(id uint8, name string, n uint64) {
	a := d.attribute(id, name)
	a.Raw = Raw{}
	a.Raw.setUint48(min(n, 1<<48-1))
	d.facts++
}

// changed reads "SMART Usage Attribute: 194 Temperature_Celsius changed from 119 to 118",
// after which old versions print "[Raw 31]".
func (d *syslogDrive) changed(text []byte) bool {
	_, rest, _ := bytes.Cut(text, []byte(": "))
	id, rest, ok := leading(rest)
	if !ok || id == 0 || id > 255 {
		return false
	}
	name, rest := scan.Word(rest)
	_, to, ok := bytes.Cut(rest, []byte(" to "))
	v, _, ok2 := scan.Uint(to)
	if !ok || !ok2 || v > 255 {
		return false
	}
	a := d.attribute(uint8(id), string(name))
	a.Value, a.Has = uint8(v), a.Has|HasValue
	if a.State != FailingNow {
		a.State = NoThreshold
	}
	return true
}

// temperature reads "Temperature 61 Celsius reached critical limit of 60 Celsius (Min/Max
// 21/61)" and its siblings.
func (d *syslogDrive) temperature(text []byte) bool {
	t := &d.s.Temp
	rest, ok := scan.After(text, "initial Temperature is ")
	if !ok {
		rest, _ = scan.After(text, "Temperature ")
		if scan.Starts(rest, "changed ") {
			i := bytes.Index(rest, []byte(" to "))
			if i < 0 {
				return false
			}
			rest = rest[i+4:]
		}
	}
	c, ok := scan.Signed(rest)
	if !ok || c < coldestDrive || c > hottestDrive || !bytes.Contains(rest, []byte("Celsius")) {
		return false
	}
	t.Current = TempValue{int16(c), true, FromTool}
	if _, limit, ok := bytes.Cut(rest, []byte("reached critical limit of ")); ok {
		if v, ok := scan.Signed(limit); ok && v > 0 && v <= hottestDrive {
			t.OpMax = TempValue{int16(v), true, FromTool}
		}
	}
	if _, pair, ok := bytes.Cut(rest, []byte("(Min/Max ")); ok {
		lo, hi, _ := bytes.Cut(pair, []byte("/"))
		if v, ok := scan.Signed(lo); ok && v >= coldestDrive && v <= c {
			t.LifetimeMin = TempValue{int16(v), true, FromState}
		}
		if v, ok := scan.Signed(hi); ok && v >= c && v <= hottestDrive {
			t.LifetimeMax = TempValue{int16(v), true, FromState}
		}
	}
	d.facts++
	return true
}

// identity reads "WDC WD40EFRX-68N32N0, S/N:WD-X, WWN:5-0014ee-2b0c0a0c0, FW:82.00A82, 4.00
// TB" and accepts the messages of smartd about itself.
func (d *syslogDrive) identity(text []byte) bool {
	model, rest, ok := bytes.Cut(text, []byte(", S/N:"))
	if !ok {
		return !looksBad(text)
	}
	id := &d.s.Identity
	id.Model = string(scan.Trim(model))
	serial, rest, _ := bytes.Cut(rest, []byte(","))
	id.Serial = string(scan.Trim(serial))
	for part := range bytes.SplitSeq(rest, []byte(",")) {
		part = scan.Trim(part)
		if w, ok := scan.After(part, "WWN:"); ok {
			id.WWN = wwn(bytes.ReplaceAll(w, []byte("-"), nil))
		}
		if f, ok := scan.After(part, "FW:"); ok {
			id.Firmware = string(f)
		}
	}
	return true
}
