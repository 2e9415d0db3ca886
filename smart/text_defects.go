package smart

import (
	"bytes"

	"dougu.internal/smart/internal/scan"
)

// scanLine takes the rows of the SCSI background scan:
// "2 52010:58  0000000071ee4600  [3,11,0]   Require Write or Reassign Blocks command".
func (p *textParser) scanLine(l []byte) bool {
	if !scan.Digit(l[0]) {
		if taken, stay := p.begun(l); taken || !stay {
			return taken
		}
		if k, v := p.keyValue(l); v != nil && string(k) == "Accumulated power on time, hours" {
			return p.key(k, v)
		}
		return scan.Starts(l, "Status:") || scan.Starts(l, "Accumulated") ||
			scan.Starts(l, "Number of background") || scan.Starts(l, "#  when") ||
			scan.Starts(l, "# when") || scan.Starts(l, "scan")
	}
	_, rest := scan.Word(l)
	when, rest := scan.Word(rest)
	block, rest := scan.Word(rest)
	i, j := bytes.IndexByte(rest, '['), bytes.IndexByte(rest, ']')
	if i < 0 || j < i {
		return false
	}
	codes := bytes.Split(rest[i+1:j], []byte(","))
	if len(codes) != 3 {
		return false
	}
	var sense [3]uint8
	for k, c := range codes {
		v, ok := scan.Hex(scan.Trim(c))
		if !ok || v > 255 {
			return false
		}
		sense[k] = uint8(v)
	}
	r := ScanResult{Key: sense[0], ASC: sense[1], ASCQ: sense[2]}
	if h, n, ok := scan.Uint(when); ok && n < len(when) && when[n] == ':' && h < 1<<25 {
		if m, _, ok := scan.Uint(when[n+1:]); ok && m < 60 {
			r.Minutes = Some(uint32(h*60 + m))
		}
	}
	if v, ok := scan.Hex(bytes.TrimPrefix(block, []byte("0x"))); ok {
		r.LBA = Some(v)
	}
	r.Reassign = reassignStatus(scan.Trim(rest[j+1:]))
	p.scsi()
	p.s.SCSI.addScan(r)
	return true
}

// reassignWords are the words of smartctl for the reassign status, by their start.
var reassignWords = []struct {
	words string
	code  uint8
}{
	{"Require Write or Reassign", 1}, {"Successfully reassigned", 2}, {"Reassignment by disk failed",
		4}, {"Reassignment failed", 4}, {"Recovered via rewrite", 5},
	{"Reassigned by app, has valid data", 6}, {"Reassigned by app, has no valid data",
		7}, {"Unsuccessfully reassigned by app", 8},
}

func reassignStatus(words []byte) (o Opt[uint8]) {
	for _, w := range reassignWords {
		if scan.Starts(words, w.words) {
			return Some(w.code)
		}
	}
	return o
}

// pendingLine takes the rows of the pending defects log: index, block, hours.
func (p *textParser) pendingLine(l []byte) bool {
	d := p.s.Pending
	if !scan.Digit(l[0]) {
		if taken, stay := p.begun(l); taken || !stay {
			return taken
		}
		switch {
		case scan.Starts(l, "No Defects Logged"):
			if d != nil {
				d.Count = Some[uint64](0)
			}
		case scan.Starts(l, "Index "), scan.Starts(l, "..."), scan.Starts(l, "Pending Defects"),
			scan.Starts(l, "Invalid"):
		default:
			return false
		}
		return true
	}
	w, rest := scan.Word(l)
	n, ok := anyNumber(w)
	block, rest := scan.Word(rest)
	lba, ok2 := anyNumber(block)
	if !ok || !ok2 || d == nil {
		return false
	}
	e := PendingDefect{LBA: Some(lba)}
	if h, _, ok := scan.Uint(rest); ok {
		e.Hours = Some(h)
	}
	d.Count = Some(max(d.Count.V, n+1, uint64(len(d.Entries)+1)))
	d.add(e)
	return true
}

// farmLine takes the lines of the FARM log. Its identity is that of the drive and is
// left out.
func (p *textParser) farmLine(l []byte) bool {
	if taken, stay := p.begun(l); taken || !stay {
		return taken
	}
	f := p.s.FARM
	k, v := p.keyValue(l)
	if v == nil || f == nil {
		return scan.Starts(l, "FARM")
	}
	var dst *Opt[uint64]
	switch string(k) {
	case "Power on Hours":
		dst = &f.PowerOnHours
	case "Spindle Power on Hours":
		dst = &f.SpindleHours
	case "Head Flight Hours":
		dst = &f.FlightHours
	case "Head Load Events":
		dst = &f.HeadLoads
	default:
		return true
	}
	if n, k, ok := scan.Uint(v); ok && (k == len(v) || scan.Space(v[k])) {
		*dst = Some(n)
	}
	return true
}
