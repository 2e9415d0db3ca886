package smart

import (
	"bytes"
	"strings"

	"dougu.internal/smart/internal/scan"
)

// section handles the lines that begin a part of the text.
func (p *textParser) section(l []byte) bool {
	switch l[0] {
	case 's':
		return p.banner(l)
	case '=':
		return p.startOf(l)
	case 'I':
		if scan.Starts(l, "ID#") && bytes.Contains(l, []byte("ATTRIBUTE_NAME")) {
			p.mode, p.header, p.used = modeTable, true, true
			return true
		}
	case 'S':
		return p.sectionS(l)
	case 'G':
		switch {
		case scan.Starts(l, "General SMART Values:"):
			p.to(modeGeneral)
			return true
		case scan.Starts(l, "General Purpose Log Directory"), scan.Starts(l, "General Purpose Logging"):
			p.to(modeSkip)
			return true
		}
	case 'D':
		if scan.Starts(l, "Device Statistics (") {
			p.to(modeStats)
			if bytes.Contains(l, []byte("not supported")) {
				p.mode = modeData
			}
			return true
		}
		if scan.Starts(l, "Device Statistics page ") && bytes.HasSuffix(l, []byte(")")) &&
			bytes.Contains(l, []byte(" is invalid (page=")) {
			p.mode, p.used = modeData, true // the log lists no pages
			return true
		}
	case 'E':
		switch {
		case scan.Starts(l, "Error counter log:"):
			p.scsi()
			p.to(modeCounters)
			return true
		case scan.Starts(l, "Error Information (NVMe"):
			p.to(modeNVMeErr)
			return true
		}
	case 'B':
		if scan.Starts(l, "Background scan results log") {
			p.scsi()
			p.to(modeScan)
			return true
		}
	case 'P':
		if scan.Starts(l, "Pending Defects log") {
			if scan.Starts(l, "Pending Defects log (GP Log 0x0c)") && !bytes.Contains(l, []byte("not supported")) {
				p.s.Pending = &PendingDefects{}
			}
			p.to(modePending)
			return true
		}
		if scan.Starts(l, "Protocol Specific port log page") {
			p.to(modeSkip)
			return true
		}
	case 'T':
		if scan.Starts(l, "Temperature History Size") {
			return false
		}
	case 'V':
		if scan.Starts(l, "Vendor Specific SMART Attributes") {
			return true
		}
	case '#', '$', '[', 'r', '~':
		return p.shell(l)
	}
	return false
}

func (p *textParser) to(m mode) {
	p.endHistory()
	p.mode, p.used = m, true
}

func (p *textParser) sectionS(l []byte) bool {
	if scan.Starts(l, "SMART ") {
		return p.sectionSMART(l)
	}
	switch {
	case scan.Starts(l, "SMART/Health Information (NVMe"):
		p.to(modeNVMe)
		p.nvme()
		return true
	case scan.Starts(l, "SCT Status Version:"):
		p.to(modeSCT)
		p.s.SCT = &SCTStatus{}
		return false // it is a key as well
	case scan.Starts(l, "SCT Temperature History Version:"):
		p.to(modeHistory)
		p.s.History = &SCTHistory{}
		return false
	case scan.Starts(l, "SCT Error Recovery Control"), scan.Starts(l, "SATA Phy Event Counters"),
		scan.Starts(l, "Supported Power States"), scan.Starts(l, "Supported LBA Sizes"):
		p.to(modeSkip)
		return true
	case scan.Starts(l, "Smart Log for NVME device:"):
		return p.nvmeCLI(l)
	case scan.Starts(l, "Seagate Field Access Reliability Metrics"):
		p.to(modeFARM)
		if p.s.FARM == nil && !bytes.Contains(l, []byte("not supported")) {
			p.s.FARM = &FARM{}
		}
		return true
	case scan.Starts(l, "Self-test Log (NVMe"):
		p.to(modeNVMeTest)
		return true
	}
	return false
}

func (p *textParser) sectionSMART(l []byte) bool {
	rest := l[len("SMART "):]
	switch {
	case scan.Starts(rest, "overall-health self-assessment test result:"):
		p.to(modeData)
		p.verdict(scan.Trim(rest[len("overall-health self-assessment test result:"):]))
	case scan.Starts(rest, "Health Status:"):
		p.to(modeData)
		p.scsi()
		p.scsiVerdict(scan.Trim(rest[len("Health Status:"):]))
	case scan.Starts(rest, "Attributes Data Structure revision number:"):
		if v, _, ok := scan.Uint(scan.Trim(rest[len("Attributes Data Structure revision number:"):])); ok && v < 1<<16 {
			p.s.AttributeRevision = Some(uint16(v))
		}
		p.to(modeData)
	case scan.Starts(rest, "Error Log Version:"), scan.Starts(rest, "Extended Comprehensive Error Log Version:"):
		p.to(modeErrors)
	case scan.Starts(rest, "Self-test log"), scan.Starts(rest, "Extended Self-test Log Version:"):
		p.to(modeTests)
	case scan.Starts(rest, "Selective self-test log"):
		p.to(modeSkip)
	case scan.Starts(rest, "Log Directory"), scan.Starts(rest, "          Log Directory"):
		p.to(modeSkip)
	default:
		return p.nvmeHeader(l)
	}
	return true
}

func (p *textParser) nvmeHeader(l []byte) bool {
	if bytes.Contains(l, []byte("Log Directory Version")) {
		p.to(modeSkip)
		return true
	}
	return false
}

// banner reads the first line of an output: "smartctl 7.3 2022-02-28 r5338 [...]",
// or "smartctl version 5.38 [...]".
func (p *textParser) banner(l []byte) bool {
	rest, ok := scan.After(l, "smartctl ")
	if !ok {
		return false
	}
	w, rest := scan.Word(rest)
	if string(w) == "version" {
		w, _ = scan.Word(rest)
	}
	if v := bytes.TrimPrefix(w, []byte("pre-")); len(v) == 0 || !scan.Digit(v[0]) {
		return false
	}
	if p.used {
		p.next()
	}
	p.s.Source.Version = string(w)
	p.s.Source.Line = p.line
	p.used = true
	p.mode = modeNone
	return true
}

// startOf handles "=== START OF ... SECTION ===" and the warnings of the drive
// database, "==> WARNING: ...".
func (p *textParser) startOf(l []byte) bool {
	switch {
	case scan.Starts(l, "=== START OF INFORMATION"):
		if id := &p.s.Identity; id.Model != "" || id.Serial != "" || p.header {
			p.next()
		}
		p.to(modeInfo)
		return true
	case scan.Starts(l, "=== START OF"):
		p.to(modeData)
		return true
	case scan.Starts(l, "==> WARNING:"):
		p.message(l)
		p.mode = modeSkip
		return true
	}
	return false
}

// shell notes the command line before an output, for the device it names.
func (p *textParser) shell(l []byte) bool {
	i := bytes.Index(l, []byte("smartctl "))
	if i < 0 || i > 80 || bytes.Contains(l[:i], []byte(":")) && !bytes.ContainsAny(l[:i], "#$>") {
		return false
	}
	if p.used {
		p.next()
	}
	p.prompt = append([]byte(nil), l[i+len("smartctl "):]...)
	return true
}

// command reads the arguments of a smartctl command line.
func (s *Snapshot) command(args []byte) {
	list := strings.Fields(string(args))
	if len(list) > 64 {
		return
	}
	s.Source.Args = append([]string{"smartctl"}, list...)
	for i, a := range list {
		switch {
		case strings.HasPrefix(a, "/dev/"):
			s.Device.Node = a
		case (a == "-d" || a == "--device") && i+1 < len(list):
			s.Device.Type = list[i+1]
			s.Device.port()
		case strings.HasPrefix(a, "--device="):
			s.Device.Type = a[len("--device="):]
			s.Device.port()
		}
	}
}

func (p *textParser) message(l []byte) {
	if len(p.s.Messages) < maxWarnings {
		p.s.Messages = append(p.s.Messages, clip(l))
	}
}

// verdict reads PASSED, FAILED! or UNKNOWN!.
func (p *textParser) verdict(v []byte) {
	h := &p.s.Health
	switch {
	case scan.Starts(v, "PASSED"):
		h.Status = Passed
	case scan.Starts(v, "FAILED"):
		h.Status = Failed
	}
}

func (p *textParser) scsiVerdict(v []byte) {
	h := &p.s.Health
	if string(v) == "OK" {
		h.Status = Passed
		return
	}
	h.Status = Failed
	reason, codes, ok := bytes.Cut(v, []byte("[asc="))
	h.Detail = string(scan.Trim(reason))
	if !ok {
		return
	}
	asc, rest, _ := bytes.Cut(codes, []byte(","))
	_, rest, _ = bytes.Cut(rest, []byte("ascq="))
	ascq, _, _ := bytes.Cut(rest, []byte("]"))
	a, ok1 := scan.Hex(scan.Trim(asc))
	q, ok2 := scan.Hex(scan.Trim(ascq))
	if ok1 && ok2 && a < 256 && q < 256 {
		p.s.SCSI.ASC, p.s.SCSI.ASCQ = Some(uint8(a)), Some(uint8(q))
	}
}

// noise accepts what smartctl prints beside the evidence; messages are kept.
func (p *textParser) noise(l []byte) bool {
	switch {
	case scan.Starts(l, "Warning: "+basedOnAttributes), scan.Starts(l, basedOnAttributes):
		h := &p.s.Health
		*h = Health{Inferred: true, Guess: h.Status, Detail: basedOnAttributes}
		return true
	case scan.Starts(l, "Device supports SMART and is "): // SCSI disks up to 6.0
		p.scsi()
		id := &p.s.Identity
		id.SMARTAvailable, id.SMARTEnabled = Some(true), Some(scan.Starts(l, "Device supports SMART and is Enabled"))
		p.used = true
		return true
	case scan.Starts(l, "Device does not support SMART"):
		p.s.Identity.SMARTAvailable = Some(false)
		return false
	case p.mode == modeSCT && hexDump(l): // after "Vendor specific:"
		return true
	case l[0] == '|': // the legend under the brief table
		return true
	case scan.Starts(l, "- ") && p.mode == modeData && p.s.Health.Status == Failed: // reasons of an NVMe drive
		if h := &p.s.Health; h.Detail == "" {
			h.Detail = string(l[2:])
		} else if len(h.Detail) < 1024 {
			h.Detail += "; " + string(l[2:])
		}
		return true
	}
	for _, prefix := range quietLines {
		if scan.Starts(l, prefix) {
			return true
		}
	}
	for _, part := range messageParts {
		if bytes.Contains(l, part) {
			p.used = p.used || p.s.Source.Version != ""
			p.message(l)
			return true
		}
	}
	return false
}

// hexDump reports whether a line consists of 16 bytes in hexadecimal digits.
func hexDump(l []byte) bool {
	if len(l) != 16*3-1 {
		return false
	}
	for len(l) > 0 {
		var w []byte
		w, l = scan.Word(l)
		if _, ok := scan.Hex(w); !ok || len(w) != 2 {
			return false
		}
	}
	return true
}

// quietLines begin lines that carry no evidence.
var quietLines = []string{
	"Copyright (C)", "Home page is", "REPLAY-IOCTL:", "REPORT-IOCTL:", "Please note the following",
	"No failed Attributes found",
	"See vendor-specific Attribute list", "Failed Attributes:", "Drive failure expected", "Vendor (",
	"Grown defects during",
	"Total blocks reassigned during", "Total new blocks reassigned", "Power on minutes since format",
	"[No Information Found]",
	"[code]", "[/code]", "[CODE]", "[/CODE]", "LU is ", "SMART Capability", "No self-tests have been logged",
	"No Self-tests",
	"No Errors Logged", "may change", "Read Intensive", "See also", "The above only provides legacy SMART information",
	"Selective Self-tests/Logging not supported", "Temperature Warning Enabled",
	"Temperature Warning Disabled or Not Supported",
}

// messageParts mark lines in which the tool complains.
var messageParts = [][]byte{
	[]byte("failed"), []byte("Failed"), []byte("not supported"), []byte("not implemented"),
	[]byte("does not support"), []byte("does not return"),
	[]byte("Warning"), []byte("WARNING"), []byte("STANDBY"), []byte("SLEEP"), []byte("Unable to"), []byte("unable to"),
	[]byte("Unexpected"), []byte("unsupported"), []byte("Unknown USB bridge"), []byte("Permission denied"),
	[]byte("checksum"),
	[]byte("mandatory SMART command"), []byte("Please specify device type"), []byte("Use smartctl -h"), []byte("error"),
	[]byte("Error"), []byte("lacks SMART"), []byte("No such "), []byte("scsiModePageOffset"),
}
