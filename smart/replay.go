package smart

import (
	"bytes"

	"dougu.internal/smart/internal/scan"
)

// replayMark stands in the transcript of smartctl -r ataioctl,2 before each page.
const replayMark = "] DATA START (BASE-16) ====="

// parseReplay reads a transcript of ioctls: the dumps of the pages that smartctl read
// from an ATA drive.
func parseReplay(b []byte, db *DriveDB) ([]*Snapshot, error) {
	var p ATAPages
	var name, log []byte
	var page []byte
	var odd int
	for l := range bytes.Lines(b) {
		l = scan.Trim(l)
		switch {
		case scan.Starts(l, "REPORT-IOCTL:"):
			if _, rest, ok := bytes.Cut(l, []byte("InputParameter=")); ok {
				log, _ = scan.Word(rest)
			}
			if bytes.Contains(l, []byte("Command=SMART STATUS CHECK returned 0")) {
				p.Status = Some(Registers{LBA: 0xc24f00})
			} else if bytes.Contains(l, []byte("Command=SMART STATUS CHECK returned 1")) {
				p.Status = Some(Registers{LBA: 0x2cf400})
			}
		case scan.Starts(l, "===== [") && bytes.Contains(l, []byte(replayMark)):
			name = l[len("===== ["):bytes.Index(l, []byte(replayMark))]
			page = make([]byte, 0, sector)
		case scan.Starts(l, "===== [") && page != nil:
			if len(page) == sector {
				p.set(string(name), string(log), page)
			} else {
				odd++
			}
			page = nil
		case page != nil && len(l) > 8 && scan.Digit(l[0]):
			page = appendDump(page, l)
		}
	}
	s := &Snapshot{Source: Source{Format: FormatReplay, Tool: "smartctl", Line: 1}}
	if err := DecodeATA(s, p, db); err != nil {
		return nil, err
	}
	if odd > 0 {
		s.warn(Warning{Msg: "a page of the transcript does not have 512 bytes and is left out"})
	}
	return []*Snapshot{s}, nil
}

// appendDump appends the bytes of "000-015: 40 00 ... |ascii|".
func appendDump(page, l []byte) []byte {
	_, rest, ok := bytes.Cut(l, []byte(":"))
	if !ok {
		return page
	}
	rest = scan.Trim(rest)
	for i := 0; i < 16 && len(page) < sector; i++ {
		var w []byte
		w, rest = scan.Word(rest)
		v, ok := scan.Hex(w)
		if !ok || len(w) != 2 {
			break
		}
		page = append(page, byte(v))
	}
	return page
}

func (p *ATAPages) set(name, log string, page []byte) {
	switch name {
	case "IDENTIFY DEVICE":
		p.Identify = page
	case "SMART READ ATTRIBUTE VALUES":
		p.Values = page
	case "SMART READ ATTRIBUTE THRESHOLDS":
		p.Thresholds = page
	case "SMART READ LOG":
		switch log {
		case "1":
			p.ErrorLog = page
		case "6":
			p.SelfTestLog = page
		case "224":
			p.SCTStatus = page
		}
	}
}
