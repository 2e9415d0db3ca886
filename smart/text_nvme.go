package smart

import (
	"bytes"
	"time"

	"dougu.internal/smart/internal/scan"
)

// nvme returns the NVMe part of the snapshot.
func (p *textParser) nvme() *NVMeHealth {
	if p.s.NVMe == nil {
		p.s.NVMe = &NVMeHealth{}
	}
	return p.s.NVMe
}

// nvmeKey takes the keys of the NVMe health log.
func (p *textParser) nvmeKey(k, v []byte) bool {
	n := p.nvme()
	counter := func(dst *Opt[Uint128]) {
		u, ok := grouped128(v)
		*dst = Opt[Uint128]{u, ok}
	}
	percent := func(dst *Opt[uint8]) {
		if u, _, ok := scan.Uint(v); ok && u < 256 {
			*dst = Some(uint8(u))
		}
	}
	word32 := func(dst *Opt[uint32]) { // 7.3 prints these signed
		if i, ok := scan.Signed(v); ok && i >= -1<<31 && i < 1<<32 {
			*dst = Some(uint32(i))
		} else if u, ok := grouped(v); ok && u < 1<<32 {
			*dst = Some(uint32(u))
		}
	}
	switch string(k) {
	case "Critical Warning":
		if scan.Starts(v, "0x") {
			if u, ok := scan.Hex(v[2:]); ok && u < 256 {
				n.CriticalWarning = Some(uint8(u))
			}
		}
	case "Temperature":
		n.Temperature = temp16(v)
	case "Available Spare":
		percent(&n.Spare)
	case "Available Spare Threshold":
		percent(&n.SpareThreshold)
	case "Percentage Used":
		percent(&n.Used)
	case "Data Units Read":
		counter(&n.UnitsRead)
	case "Data Units Written":
		counter(&n.UnitsWritten)
	case "Host Read Commands":
		counter(&n.HostReads)
	case "Host Write Commands":
		counter(&n.HostWrites)
	case "Controller Busy Time":
		counter(&n.BusyMinutes)
	case "Power Cycles":
		counter(&n.PowerCycles)
	case "Power On Hours":
		counter(&n.PowerOnHours)
	case "Unsafe Shutdowns":
		counter(&n.UnsafeShutdowns)
	case "Media and Data Integrity Errors":
		counter(&n.MediaErrors)
	case "Error Information Log Entries":
		counter(&n.ErrorLogCount)
	case "Warning Comp. Temperature Time":
		word32(&n.WarningMinutes)
	case "Critical Comp. Temperature Time":
		word32(&n.CriticalMinutes)
	case "Thermal Temp. 1 Transition Count":
		word32(&n.ThermalTransitions[0])
	case "Thermal Temp. 2 Transition Count":
		word32(&n.ThermalTransitions[1])
	case "Thermal Temp. 1 Total Time":
		word32(&n.ThermalSeconds[0])
	case "Thermal Temp. 2 Total Time":
		word32(&n.ThermalSeconds[1])
	default:
		rest, ok := scan.After(k, "Temperature Sensor ")
		if !ok || len(rest) != 1 || rest[0] < '1' || rest[0] > '8' {
			return false
		}
		n.Sensors[rest[0]-'1'] = temp16(v)
	}
	return true
}

// nvmeErrorLine takes the rows of the NVMe error log.
func (p *textParser) nvmeErrorLine(l []byte) bool {
	if !scan.Digit(l[0]) {
		if taken, stay := p.begun(l); taken || !stay {
			return taken
		}
		return scan.Starts(l, "Num ") || scan.Starts(l, "No Errors Logged") || scan.Starts(l, "...")
	}
	var f [7][]byte
	rest := l
	for i := range f {
		if f[i], rest = scan.Word(rest); len(f[i]) == 0 {
			return false
		}
	}
	count, ok := anyNumber(f[1])
	status, ok2 := anyNumber(f[4])
	if !ok {
		return false
	}
	e := ErrorEntry{Number: int64(count)}
	if ok2 && status < 1<<16 {
		e.NVMeStatus = Some(uint16(status) >> 1)
	}
	if v, ok := anyNumber(f[6]); ok {
		e.LBA = Some(v)
	}
	_, rest = scan.Word(rest) // namespace
	_, rest = scan.Word(rest) // vendor specific
	e.Text = string(rest)
	if len(p.s.Errors.Entries) < maxErrors {
		p.s.Errors.Entries = append(p.s.Errors.Entries, e)
	}
	return true
}

// nvmeTestLine takes the rows of the NVMe self-test log.
func (p *textParser) nvmeTestLine(l []byte) bool {
	if !scan.Digit(l[0]) {
		if taken, stay := p.begun(l); taken || !stay {
			return taken
		}
		return scan.Starts(l, "Num ") || scan.Starts(l, "Self-test status:") || scan.Starts(l, "No Self-tests Logged")
	}
	w, rest := scan.Word(l)
	n, _, ok := scan.Uint(w)
	if !ok || n > 64 {
		return false
	}
	t := SelfTest{Num: int(n) + 1}
	k := 0
	for _, name := range []string{"Short", "Extended", "Vendor specific"} {
		if scan.Starts(rest, name) {
			k = len(name)
		}
	}
	if scan.Starts(rest, "Unknown (") {
		k = bytes.IndexByte(rest, ')') + 1
	}
	if k == 0 {
		return false
	}
	t.Kind, rest = string(rest[:k]), scan.Trim(rest[k:])
	k = 0
	for _, name := range nvmeTestResults {
		if scan.Starts(rest, name) {
			k = len(name)
		}
	}
	if scan.Starts(rest, "Unknown result (") {
		k = bytes.IndexByte(rest, ')') + 1
	}
	if k == 0 {
		return false
	}
	t.Result, rest = string(rest[:k]), scan.Trim(rest[k:])
	w, rest = scan.Word(rest)
	if h, n, ok := scan.Uint(w); ok && n == len(w) {
		t.Hours = Some(h)
	}
	t.lba(rest)
	if len(p.s.SelfTests) < maxSelfTests {
		p.s.SelfTests = append(p.s.SelfTests, t)
	}
	return true
}

// scsi makes sure that the snapshot has a SCSI part.
func (p *textParser) scsi() {
	if p.s.SCSI == nil {
		p.s.SCSI = &SCSIHealth{}
	}
	p.s.Device.Protocol = "SCSI"
}

// counterLine takes the three rows of the SCSI error counters.
func (p *textParser) counterLine(l []byte) bool {
	h := p.s.SCSI
	var dst **ErrorCounters
	switch {
	case scan.Starts(l, "read:"):
		dst = &h.Read
	case scan.Starts(l, "write:"):
		dst = &h.Write
	case scan.Starts(l, "verify:"):
		dst = &h.Verify
	case scan.Starts(l, "Errors Corrected"), scan.Starts(l, "ECC"), scan.Starts(l, "fast |"), scan.Starts(l, "Error "):
		return true
	default:
		return false
	}
	c := &ErrorCounters{}
	rest := scan.Trim(l[bytes.IndexByte(l, ':')+1:])
	for i, v := range []*Opt[uint64]{&c.ECCFast, &c.ECCDelayed, &c.Rereads, &c.Corrected, &c.Invocations, &c.Bytes,
		&c.Uncorrected} {
		var w []byte
		w, rest = scan.Word(rest)
		if len(w) == 0 {
			p.warn("a row of the error counters is cut")
			break
		}
		if i == 5 {
			*v = gigabytes(w)
		} else if n, k, ok := scan.Uint(w); ok && k == len(w) {
			*v = Some(n)
		}
	}
	*dst = c
	return true
}

func (p *textParser) startStop(k, v []byte) {
	p.scsi()
	if p.s.SCSI.StartStop == nil {
		p.s.SCSI.StartStop = &StartStop{}
	}
	t := p.s.SCSI.StartStop
	n, ok := grouped(v)
	o := Opt[uint64]{n, ok}
	switch string(k) {
	case "Specified cycle count over device lifetime":
		t.SpecifiedCycles = o
	case "Accumulated start-stop cycles":
		t.Cycles = o
	case "Specified load-unload count over device lifetime":
		t.SpecifiedLoads = o
	case "Accumulated load-unload cycles":
		t.Loads = o
	}
}

// scanTime reads "hours:minutes 146:02 [8762 minutes]" behind its first colon.
func (p *textParser) scanTime(v []byte) {
	p.scsi()
	if _, after0, ok := bytes.Cut(v, []byte{'['}); ok {
		p.s.SCSI.PowerOnMinutes = count32(after0)
	}
}

// poweredUp reads the old line "number of hours powered up = 20576.12".
func (p *textParser) poweredUp(v []byte) {
	if h, n, ok := scan.Uint(v); ok && h <= maxHours {
		d := time.Duration(h) * time.Hour
		if n+1 < len(v) && (v[n] == '.' || v[n] == ',') && scan.Digit(v[n+1]) {
			d += time.Duration(v[n+1]-'0') * 6 * time.Minute
		}
		p.s.PowerOn = Some(d)
	}
}

// manufactured reads "Manufactured in week 37 of year 2017".
func (p *textParser) manufactured(l []byte) bool {
	rest, ok := scan.After(l, "Manufactured in week ")
	if !ok {
		return false
	}
	p.scsi()
	if p.s.SCSI.StartStop == nil {
		p.s.SCSI.StartStop = &StartStop{}
	}
	week, year, _ := bytes.Cut(rest, []byte("of year"))
	p.s.SCSI.StartStop.Week, p.s.SCSI.StartStop.Year = string(scan.Trim(week)), string(scan.Trim(year))
	return true
}

// equalsLine takes the SCSI lines that have "=" between key and value.
func (p *textParser) equalsLine(l []byte) bool {
	k, v, ok := bytes.Cut(l, []byte("="))
	if !ok {
		return false
	}
	k, v = scan.Trim(k), scan.Trim(v)
	var dst *Opt[int16]
	env := func() *Environment {
		p.scsi()
		if p.s.SCSI.Environment == nil {
			p.s.SCSI.Environment = &Environment{}
		}
		return p.s.SCSI.Environment
	}
	switch string(k) {
	case "Current temperature":
		dst = &env().Current
	case "Lifetime maximum temperature":
		dst = &env().LifetimeMax
	case "Lifetime minimum temperature":
		dst = &env().LifetimeMin
	case "Maximum temperature since power on":
		dst = &env().CycleMax
	case "Minimum temperature since power on":
		dst = &env().CycleMin
	case "number of hours powered up":
		p.scsi()
		p.poweredUp(v)
		return true
	case "number of minutes until next internal SMART test", "Blocks sent to initiator",
		"Blocks received from initiator",
		"Blocks read from cache and sent to initiator", "Relative humidity", "Lifetime maximum relative humidity",
		"Lifetime minimum relative humidity", "Maximum relative humidity since power on",
		"Minimum relative humidity since power on",
		"Number of read and write commands whose size <", "Number of read and write commands whose size >":
		return true
	default:
		return scan.Starts(k, "Number of read and write commands")
	}
	*dst = temp16(v)
	return true
}
