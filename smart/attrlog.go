package smart

import (
	"bytes"
	"strings"
	"time"

	"dougu.internal/smart/internal/scan"
)

// isAttrLog reports whether the text is an attribute log of smartd:
// "2026-03-03 04:12:09;<TAB>1;100;0;...".
func isAttrLog(b []byte) bool {
	l, _, _ := bytes.Cut(b, []byte("\n"))
	return len(l) > 21 && l[4] == '-' && l[7] == '-' && l[10] == ' ' && l[13] == ':' && l[19] == ';' &&
		l[20] == '\t' && scan.Digit(l[0])
}

// maxRecords is the maximum number of lines of an attribute log that are kept: the newest
// ones. One line every 30 minutes fills it in seven years.
const maxRecords = 1 << 17

// ParseAttrLog reads an attribute log of smartd (-A PREFIX), and returns one snapshot for
// each line, oldest first. The model and the serial number are in the name of the file
// only; see [Snapshot.NameFromState]. smartd writes local time without an offset: it is
// taken as UTC.
//
// The error is [ErrNoData] if no line is understood.
func ParseAttrLog(b []byte) ([]*Snapshot, error) {
	var list []*Snapshot
	line, off := 0, 0
	var odd []Warning
	for l := range bytes.Lines(b) {
		line++
		at := off
		off += len(l)
		if l = bytes.TrimRight(l, "\r\n"); len(l) == 0 {
			continue
		}
		s := &Snapshot{Source: Source{Format: FormatAttrLog, Tool: "smartd", Line: line}}
		if len(l) > scan.MaxLine || !s.record(l) {
			if len(odd) < maxWarnings {
				odd = append(odd, Warning{Line: line, Offset: at, Msg: "not a record of an attribute log: " + clip(l)})
			}
			continue
		}
		if len(list) == maxRecords {
			list = list[maxRecords/2:]
			odd = append(odd, Warning{Line: line, Offset: at, Msg: "the log is too long; its older half is left out"})
		}
		list = append(list, s)
	}
	if len(list) == 0 {
		return nil, ErrNoData
	}
	last := list[len(list)-1]
	for _, w := range odd {
		last.warn(w)
	}
	return list, nil
}

// record reads one line: the time, and groups that start with a tab and have values that
// end with a semicolon.
func (s *Snapshot) record(l []byte) bool {
	if !isAttrLog(append(bytes.Clone(l), '\n')) {
		return false
	}
	t, err := time.Parse("2006-01-02 15:04:05", string(l[:19]))
	if err != nil {
		return false
	}
	s.Taken = t
	facts := 0
	for group := range bytes.SplitSeq(l[20:], []byte("\t")) {
		f := strings.Split(strings.TrimSuffix(string(group), ";"), ";")
		if len(f) < 2 {
			continue
		}
		if s.recordField(f) {
			facts++
		}
	}
	if facts == 0 {
		return false
	}
	switch {
	case s.NVMe != nil:
		s.Device.Protocol = "NVMe"
	case s.SCSI != nil:
		s.Device.Protocol = "SCSI"
	default:
		s.Device.Protocol = "ATA"
	}
	temp := s.Temp
	s.conclude()
	if temp.Current.OK && !s.Temp.Current.OK {
		s.Temp.Current = temp.Current
	}
	return true
}

// recordField reads a group: "194;118;32" of an ATA drive, "temperature;32" or
// "read-total-unc-errors;0".
func (s *Snapshot) recordField(f []string) bool {
	n, k, ok := scan.Uint(f[len(f)-1])
	ok = ok && k == len(f[len(f)-1])
	if id, k, isID := scan.Uint(f[0]); isID && k == len(f[0]) {
		v, kv, okv := scan.Uint(f[1])
		if len(f) != 3 || id == 0 || id > 255 || v > 255 || !okv || kv != len(f[1]) || !ok || len(s.Attributes) >= 64 {
			return false
		}
		a := Attribute{ID: uint8(id), Value: uint8(v), Has: HasValue, State: NoThreshold}
		a.Name, a.Format = presets{}.of(a.ID)
		a.Raw.setUint48(n & (1<<48 - 1))
		s.Attributes = append(s.Attributes, a)
		return true
	}
	if !ok {
		return false
	}
	return s.recordNamed(f[0], n)
}

func (s *Snapshot) recordNamed(name string, n uint64) bool {
	counter := func(dst **ErrorCounters) *ErrorCounters {
		if s.SCSI == nil {
			s.SCSI = &SCSIHealth{}
		}
		if *dst == nil {
			*dst = &ErrorCounters{}
		}
		return *dst
	}
	nvme := func() *NVMeHealth {
		if s.NVMe == nil {
			s.NVMe = &NVMeHealth{}
		}
		return s.NVMe
	}
	percent := Opt[uint8]{uint8(n), n < 256}
	wide := Some(Uint128{0, n})
	switch name {
	case "temperature":
		if n > 0 && n <= hottestDrive {
			s.Temp.Current = TempValue{int16(n), true, FromTool}
		}
	case "non-medium-errors":
		if s.SCSI == nil {
			s.SCSI = &SCSIHealth{}
		}
		s.SCSI.NonMedium = Some(n)
	case "critical-warning":
		nvme().CriticalWarning = percent
	case "available-spare", "avail-spare":
		nvme().Spare = percent
	case "available-spare-threshold", "spare-thresh":
		nvme().SpareThreshold = percent
	case "percentage-used", "percent-used":
		nvme().Used = percent
	case "data-units-read":
		nvme().UnitsRead = wide
	case "data-units-written":
		nvme().UnitsWritten = wide
	case "host-reads", "host-read-commands":
		nvme().HostReads = wide
	case "host-writes", "host-write-commands":
		nvme().HostWrites = wide
	case "controller-busy-time":
		nvme().BusyMinutes = wide
	case "power-cycles":
		nvme().PowerCycles = wide
	case "power-on-hours":
		nvme().PowerOnHours = wide
	case "unsafe-shutdowns":
		nvme().UnsafeShutdowns = wide
	case "media-errors":
		nvme().MediaErrors = wide
	case "num-err-log-entries", "error-log-entries":
		nvme().ErrorLogCount = wide
	default:
		for _, d := range []struct {
			name string
			dst  **ErrorCounters
		}{{"read-", nil}, {"write-", nil}, {"verify-", nil}} {
			rest, ok := strings.CutPrefix(name, d.name)
			if !ok {
				continue
			}
			if s.SCSI == nil {
				s.SCSI = &SCSIHealth{}
			}
			switch d.name {
			case "read-":
				d.dst = &s.SCSI.Read
			case "write-":
				d.dst = &s.SCSI.Write
			default:
				d.dst = &s.SCSI.Verify
			}
			switch c := counter(d.dst); rest {
			case "total-unc-errors":
				c.Uncorrected = Some(n)
			case "total-err-corrected":
				c.Corrected = Some(n)
			case "corr-by-ecc-fast":
				c.ECCFast = Some(n)
			case "corr-by-ecc-delayed":
				c.ECCDelayed = Some(n)
			case "corr-by-retry":
				c.Rereads = Some(n)
			}
			return true
		}
		return false
	}
	return true
}
