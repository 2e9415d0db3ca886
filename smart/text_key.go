package smart

import (
	"bytes"
	"strings"
	"time"

	"dougu.internal/smart/internal/scan"
)

// key handles a line "Key: value" by the key alone: the keys of all sections and
// versions differ. False means that the key is not known.
func (p *textParser) key(k, v []byte) bool {
	if len(k) == 0 {
		return false
	}
	switch p.mode {
	case modeSCT:
		if p.sctKey(k, v) {
			return true
		}
	case modeNVMe:
		if p.nvmeKey(k, v) {
			return true
		}
	case modeHistory:
		return p.historyKey(k, v)
	}
	return p.infoKey(k, v) || p.moreKey(k, v)
}

func (p *textParser) infoKey(k, v []byte) bool {
	id := &p.s.Identity
	switch string(k) {
	case "Model Family":
		id.Family = string(v)
	case "Device Model", "Model Number", "Device":
		if string(k) == "Device" { // 5.38: "Device: VENDOR PRODUCT Version: REV"
			p.scsi()
			if m, rev, ok := bytes.Cut(v, []byte("Version:")); ok {
				id.Firmware, v = string(scan.Trim(rev)), scan.Trim(m)
			}
		}
		if id.Model != "" && id.Model != string(v) && p.header {
			return true
		}
		id.Model = string(v)
		if string(k) == "Model Number" {
			p.s.Device.Protocol = "NVMe"
		}
	case "Vendor":
		p.scsi()
		id.Vendor = string(v)
	case "Product":
		p.scsi()
		id.Model = strings.TrimSpace(id.Vendor + " " + string(v))
	case "Revision":
		p.scsi()
		id.Firmware = string(v)
	case "Serial Number", "Serial number":
		id.Serial = string(v)
	case "Firmware Version":
		id.Firmware = string(v)
	case "LU WWN Device Id", "Logical Unit id":
		id.WWN = wwn(v)
	case "User Capacity", "Total NVM Capacity", "Namespace 1 Size/Capacity":
		if n, ok := grouped(v); ok && (string(k) != "Namespace 1 Size/Capacity" || !id.Capacity.OK) {
			id.Capacity = Some(n)
		}
	case "Sector Size", "Sector Sizes":
		sectors(id, v)
	case "Logical block size", "Namespace 1 Formatted LBA Size":
		if n, _, ok := scan.Uint(v); ok && n < 1<<31 {
			id.LogicalSector = Some(uint32(n))
		}
	case "Physical block size":
		if n, _, ok := scan.Uint(v); ok && n < 1<<31 {
			id.PhysicalSector = Some(uint32(n))
		}
	case "Rotation Rate":
		if n, _, ok := scan.Uint(v); ok && n < 1<<16 {
			id.Rotation = Some(uint16(n))
		} else if scan.Starts(v, "Solid State") {
			id.Rotation = Some[uint16](0)
		}
	case "Form Factor":
		id.FormFactor = string(v)
	case "Device is":
		id.InDatabase = Some(scan.Starts(v, "In smartctl database"))
	case "Local Time is":
		p.taken(v)
	case "SMART support is":
		switch {
		case scan.Starts(v, "Available"), scan.Starts(v, "Unavailable"):
			id.SMARTAvailable = Some(v[0] == 'A')
		case scan.Starts(v, "Enabled"), scan.Starts(v, "Disabled"):
			id.SMARTEnabled = Some(v[0] == 'E')
		}
	case "Power mode is", "Power mode was":
		p.s.PowerMode = string(v)
	case "Transport protocol":
		p.scsi()
	default:
		return false
	}
	return true
}

// grouped reads a number with the thousands separators of any locale: comma, dot,
// apostrophe, space, no-break space.
func grouped(v []byte) (uint64, bool) {
	u, ok := grouped128(v)
	n, fits := u.Uint64()
	return n, ok && fits
}

func grouped128(v []byte) (Uint128, bool) {
	var buf [48]byte
	n := 0
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case scan.Digit(c):
			if n == len(buf) {
				return Uint128{}, false
			}
			buf[n] = c
			n++
		case n == 0:
			return Uint128{}, false
		case c == ',', c == '.', c == '\'', c == ' ', c == 0xa0:
			if i+1 == len(v) || !scan.Digit(v[i+1]) {
				return parseUint128(buf[:n])
			}
		case (c == 0xc2 || c == 0xe2) && i+1 < len(v): // U+00A0, U+2019, U+202F
			for i+1 < len(v) && v[i+1] >= 0x80 && v[i+1] < 0xc0 {
				i++
			}
		default:
			return parseUint128(buf[:n])
		}
	}
	return parseUint128(buf[:n])
}

// wwn joins "5 000c50 06b7f300e" and takes the prefix from "0x5000c50012345678".
func wwn(v []byte) string {
	v = bytes.TrimPrefix(v, []byte("0x"))
	out := make([]byte, 0, 32)
	for _, c := range v {
		switch {
		case c == ' ':
		case scan.Digit(c), c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
			out = append(out, c)
		default:
			return ""
		}
		if len(out) > 32 {
			return ""
		}
	}
	return string(out)
}

// sectors reads "512 bytes logical/physical" and "512 bytes logical, 4096 bytes
// physical".
func sectors(id *Identity, v []byte) {
	n, k, ok := scan.Uint(v)
	if !ok || n >= 1<<31 {
		return
	}
	id.LogicalSector = Some(uint32(n))
	if i := bytes.IndexByte(v[k:], ','); i >= 0 {
		n, _, ok = scan.Uint(scan.Trim(v[k+i+1:]))
	}
	if ok && n < 1<<31 {
		id.PhysicalSector = Some(uint32(n))
	}
}

// taken reads the local time. Only UTC and GMT name an offset without a doubt.
func (p *textParser) taken(v []byte) {
	p.s.TakenText = string(v)
	if !bytes.HasSuffix(v, []byte(" UTC")) && !bytes.HasSuffix(v, []byte(" GMT")) {
		return
	}
	if t, err := time.Parse("Mon Jan _2 15:04:05 2006", strings.TrimSpace(string(v[:len(v)-4]))); err == nil {
		p.s.Taken = t.UTC()
	}
}

// moreKey handles the keys of the data section that are evidence, and those that
// smartctl prints and the model does not keep.
func (p *textParser) moreKey(k, v []byte) bool {
	switch string(k) {
	case "Warning Comp. Temp. Threshold":
		p.nvme().WarningLimit = temp16(v)
	case "Critical Comp. Temp. Threshold":
		p.nvme().CriticalLimit = temp16(v)
	case "Current Drive Temperature":
		p.scsi()
		if n, _, ok := scan.Uint(v); ok && n < 255 {
			p.s.SCSI.Temperature = Some(int16(n))
		}
	case "Drive Trip Temperature":
		p.scsi()
		if n, _, ok := scan.Uint(v); ok && n < 255 {
			p.s.SCSI.Trip = Some(int16(n))
		}
	case "Percentage used endurance indicator":
		p.scsi()
		if n, _, ok := scan.Uint(v); ok && n < 256 {
			p.s.SCSI.Used = Some(uint8(n))
		}
	case "Elements in grown defect list":
		p.scsi()
		if n, _, ok := scan.Uint(v); ok {
			p.s.SCSI.GrownDefects = Some(n)
		}
	case "Non-medium error count":
		p.scsi()
		if n, ok := grouped(v); ok {
			p.s.SCSI.NonMedium = Some(n)
		}
	case "Specified cycle count over device lifetime", "Accumulated start-stop cycles",
		"Specified load-unload count over device lifetime", "Accumulated load-unload cycles":
		p.startStop(k, v)
	case "Accumulated power on time, hours":
		p.scanTime(v)
	case "Accumulated power on time", "accumulated power on time":
	case "ATA Error Count", "Device Error Count":
		p.s.Errors.Count = errorCount(v)
		p.mode = modeErrors
	default:
		return knownKey(k)
	}
	return true
}

// knownKey lists keys that smartctl prints and the model does not keep.
func knownKey(k []byte) bool {
	switch string(k) {
	case "ATA Version is", "ATA Standard is", "SATA Version is", "TRIM Command", "AAM feature is", "AAM level is",
		"APM feature is",
		"APM level is", "Rd look-ahead is", "Write cache is", "DSN feature is", "ATA Security is",
		"Wt Cache Reorder", "Compliance", "Device type", "Read Cache is", "Writeback Cache is",
		"Temperature Warning", "PCI Vendor/Subsystem ID",
		"PCI Vendor ID", "PCI Vendor Subsystem ID", "IEEE OUI Identifier", "Unallocated NVM Capacity",
		"Controller ID", "NVMe Version",
		"Number of Namespaces", "Namespace 1 Utilization", "Namespace 1 IEEE EUI-64", "Maximum Data Transfer Size",
		"Add. Product Id",
		"Zoned Device", "Logical Unit ID", "Host Protected Area", "Formatted with type 2 protection",
		"Rotational Rate", "Manufactured in week",
		"SCT capabilities", "Commulative Power-on", "Long (extended) Self-test duration", "Pending defect count",
		"Self-test status",
		"Blocks sent to initiator", "Temperature Reporting", "Unsupported", "Namespace 1 Size", "ASCII",
		"Media and Data",
		"Error Recovery Control":
		return true
	}
	for _, prefix := range []string{"Firmware Updates", "Optional Admin Commands", "Optional NVM Commands",
		"Log Page Attributes", "Namespace "} {
		if scan.Starts(k, prefix) {
			return true
		}
	}
	return false
}

// generalLine takes the lines of "General SMART Values".
func (p *textParser) generalLine(l []byte) bool {
	o := p.s.Offline
	if o == nil {
		o = &Offline{}
		p.s.Offline = o
	}
	code := func() (uint64, bool) {
		i := bytes.IndexByte(l, '(')
		j := bytes.IndexByte(l, ')')
		if i < 0 || j < i {
			return 0, false
		}
		n := scan.Trim(l[i+1 : j])
		if len(n) > 2 && n[0] == '0' && n[1] == 'x' {
			return scan.Hex(n[2:])
		}
		v, k, ok := scan.Uint(n)
		return v, ok && k == len(n)
	}
	minutes := func(dst *Opt[uint16]) {
		if v, ok := code(); ok && v < 1<<16 {
			*dst = Some(uint16(v))
		}
	}
	switch {
	case scan.Starts(l, "SMART Attributes Data Structure"), l[0] == '=', scan.Starts(l, "ID#"),
		scan.Starts(l, "smartctl "), scan.Starts(l, "SMART E"), scan.Starts(l, "SMART S"):
		return false
	case scan.Starts(l, "Offline data collection status:"):
		if v, ok := code(); ok && v < 256 {
			o.CollectionStatus = uint8(v)
		}
	case scan.Starts(l, "Self-test execution status:"):
		if v, ok := code(); ok && v < 256 {
			o.SelfTestStatus = Some(uint8(v))
		}
	case scan.Starts(l, "data collection:"):
		if v, ok := code(); ok && v < 1<<16 {
			o.CollectionSeconds = uint16(v)
		}
	case scan.Starts(l, "capabilities:"):
		if v, ok := code(); ok && v < 256 {
			o.Capabilities = uint8(v)
		}
	case scan.Starts(l, "Short self-test routine"):
		p.poll = 1
	case scan.Starts(l, "Extended self-test routine"):
		p.poll = 2
	case scan.Starts(l, "Conveyance self-test routine"):
		p.poll = 3
	case scan.Starts(l, "recommended polling time:"):
		switch p.poll {
		case 1:
			minutes(&o.ShortMinutes)
		case 2:
			minutes(&o.ExtendedMinutes)
		case 3:
			minutes(&o.ConveyanceMinutes)
		}
	}
	return true
}
