package smart

import (
	"bytes"
	"fmt"

	"dougu.internal/smart/internal/scan"
)

// ParseText reads what smartctl printed about one drive, 5.3x to 8.0, whole or in
// part: also single lines of the attribute table without a header, as they come out
// of grep. Where the text holds several drives, the first is returned with a
// warning; use [Parse] for all of them.
//
// Lines that no version of smartctl prints leave a [Warning] with their number. The
// error is [ErrNoData] when nothing in the text is evidence.
func ParseText(b []byte) (*Snapshot, error) {
	list, err := parseText(b)
	if err != nil {
		return nil, err
	}
	if len(list) > 1 {
		list[0].warn(Warning{Line: list[1].Source.Line,
			Msg: fmt.Sprintf("a second drive begins here; %d drives in all, the others are left out", len(list))})
	}
	return list[0], nil
}

// ParseAttributeLine reads one row of the attribute table, in any of the forms that
// smartctl has printed.
func ParseAttributeLine(line []byte) (Attribute, error) {
	var a Attribute
	if len(line) > scan.MaxLine || !a.parse(scan.Trim(line)) {
		return Attribute{},
			errs.Errorf("not a row of the attribute table: %.80q: want ID NAME FLAG VALUE WORST THRESH ... "+
				"RAW_VALUE", line)
	}
	a.revealText()
	return a, nil
}

// mode is the part of the text that the parser is in.
type mode uint8

const (
	modeNone mode = iota
	modeInfo
	modeData     // keys of the data section
	modeGeneral  // "General SMART Values"
	modeTable    // attribute table
	modeErrors   // ATA error log
	modeTests    // ATA or SCSI self-test log
	modeSCT      // SCT status
	modeHistory  // SCT temperature history
	modeStats    // device statistics
	modeNVMe     // NVMe health log
	modeNVMeErr  // NVMe error log
	modeNVMeTest // NVMe self-test log
	modeCounters // SCSI error counters
	modeNVMeCLI  // text of nvme smart-log
	modeScan     // SCSI background scan
	modePending  // pending defects log
	modeFARM     // FARM log
	modeSkip     // parts that the model does not keep
)

type textParser struct {
	list   []*Snapshot
	s      *Snapshot
	line   int
	off    int
	mode   mode
	header bool // an attribute table header was seen for this drive
	seen   [4]uint64
	used   bool // the drive has evidence
	err    *ErrorEntry
	regs   bool  // the registers of an error are next
	poll   uint8 // which self-test the polling time is of
	buf    [64]byte
	prompt []byte
}

func parseText(b []byte) ([]*Snapshot, error) {
	p := textParser{}
	p.begin()
	for len(b) > 0 {
		l := b
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			l, b = b[:i], b[i+1:]
		} else {
			b = nil
		}
		p.line++
		n := len(l) + 1
		if len(l) > scan.MaxLine {
			p.warn("the line is longer than 64 KiB and is left out")
		} else if l = scan.Trim(l); len(l) > 0 {
			p.feed(l)
		}
		p.off += n
		if len(p.list) > maxDrives {
			break
		}
	}
	p.end()
	if len(p.list) == 0 {
		return nil, ErrNoData
	}
	return p.list, nil
}

func (p *textParser) begin() {
	*p = textParser{list: p.list, line: p.line, off: p.off, prompt: p.prompt}
	p.s = &Snapshot{Source: Source{Format: FormatText, Tool: "smartctl", Line: max(p.line, 1)}}
}

func (p *textParser) end() {
	if !p.used {
		return
	}
	s := p.s
	p.endHistory()
	if len(p.prompt) > 0 {
		s.command(p.prompt)
		p.prompt = nil
	}
	if s.Device.Protocol == "" {
		switch {
		case s.NVMe != nil:
			s.Device.Protocol = "NVMe"
		case s.SCSI != nil:
			s.Device.Protocol = "SCSI"
		case len(s.Attributes) > 0 || s.Offline != nil || s.SCT != nil:
			s.Device.Protocol = "ATA"
		}
	}
	s.conclude()
	p.list = append(p.list, s)
}

func (p *textParser) next() {
	p.end()
	p.begin()
}

func (p *textParser) warn(msg string) {
	p.s.warn(Warning{Line: p.line, Offset: p.off, Msg: msg})
}

// feed takes one line without its end and its margins.
func (p *textParser) feed(l []byte) {
	if p.inMode(l) || p.section(l) {
		return
	}
	if c := l[0]; scan.Digit(c) {
		if p.row(l) || p.mode == modeSkip {
			return
		}
	}
	if p.mode == modeSkip {
		if key, value := p.keyValue(l); value != nil {
			p.key(key, value)
		}
		return
	}
	if key, value := p.keyValue(l); value != nil && p.key(key, value) {
		p.used = true
		return
	}
	if p.equalsLine(l) || p.manufactured(l) {
		p.used = true
		return
	}
	if p.noise(l) {
		return
	}
	if p.used {
		p.warn("not understood: " + clip(l))
	}
}

// clip shortens a line for a message.
func clip(l []byte) string {
	if len(l) > 80 {
		return string(l[:80]) + "..."
	}
	return string(l)
}

// inMode handles the rows of a table. The handlers return false for lines that are
// not theirs.
func (p *textParser) inMode(l []byte) bool {
	switch p.mode {
	case modeTable:
		return scan.Digit(l[0]) && p.row(l)
	case modeErrors:
		return p.errorLine(l)
	case modeTests:
		return p.testLine(l)
	case modeHistory:
		return p.historyLine(l)
	case modeStats:
		return p.statLine(l)
	case modeNVMeErr:
		return p.nvmeErrorLine(l)
	case modeNVMeTest:
		return p.nvmeTestLine(l)
	case modeCounters:
		return p.counterLine(l)
	case modeGeneral:
		return p.generalLine(l)
	case modeNVMeCLI:
		return p.nvmeCLILine(l)
	case modeScan:
		return p.scanLine(l)
	case modePending:
		return p.pendingLine(l)
	case modeFARM:
		return p.farmLine(l)
	}
	return false
}

// row takes a row of the attribute table, wherever it stands. Without a header, an id
// that comes again is the next drive.
func (p *textParser) row(l []byte) bool {
	s := p.s
	s.Attributes = append(s.Attributes, Attribute{})
	a := &s.Attributes[len(s.Attributes)-1]
	if !a.parse(l) {
		s.Attributes = s.Attributes[:len(s.Attributes)-1]
		return false
	}
	seen := p.seen[a.ID>>6]>>(a.ID&63)&1 != 0
	switch {
	case seen && !p.header:
		row := *a
		s.Attributes = s.Attributes[:len(s.Attributes)-1]
		p.next()
		p.s.Attributes = append(p.s.Attributes, row)
		a = &p.s.Attributes[0]
	case len(s.Attributes) > 256:
		s.Attributes = s.Attributes[:256]
		p.warn("more than 256 attributes; the rest is left out")
		return true
	case p.mode != modeTable && seen:
		// The partial table of failed attributes repeats rows of the whole one.
		s.Attributes = s.Attributes[:len(s.Attributes)-1]
		return true
	}
	a.revealText()
	p.seen[a.ID>>6] |= 1 << (a.ID & 63)
	p.used = true
	return true
}

// parse reads a row: ID NAME FLAG VALUE WORST THRESH [TYPE UPDATED] WHEN_FAILED RAW.
// The columns are not at fixed places.
func (a *Attribute) parse(l []byte) bool {
	w, rest := scan.Word(l)
	id, ok := uint64(0), false
	if n := 0; len(w) > 0 {
		if id, n, ok = scan.Uint(w); !ok || n != len(w) {
			if len(w) != 4 || w[0] != '0' || w[1] != 'x' {
				return false
			}
			id, ok = scan.Hex(w[2:])
		}
	}
	if !ok || id == 0 || id > 255 || len(rest) == 0 {
		return false
	}
	name, flags, rest, brief, ok := cutFlags(rest)
	if !ok {
		return false
	}
	*a = Attribute{ID: uint8(id), Flags: flags, Has: HasFlags}
	for _, f := range [...]struct {
		dst *uint8
		bit Fields
	}{{&a.Value, HasValue}, {&a.Worst, HasWorst}, {&a.Thresh, HasThresh}} {
		if w, rest = scan.Word(rest); !a.normal(f.dst, f.bit, w) {
			return false
		}
	}
	if !brief {
		if w, rest = scan.Word(rest); !scan.Starts(w, "Pre-fail") && !scan.Starts(w, "Old_age") {
			return false
		}
		if w, rest = scan.Word(rest); !scan.Starts(w, "Always") && !scan.Starts(w, "Offline") {
			return false
		}
	}
	w, rest = scan.Word(rest)
	a.judge()
	switch {
	case string(w) == "-":
	case scan.Starts(w, "FAILING_NOW"), string(w) == "NOW":
		a.State = FailingNow
	case scan.Starts(w, "In_the_past"), string(w) == "Past":
		a.State = FailedPast
	default:
		return false
	}
	a.Name = string(name)
	a.Raw.Text = string(rest)
	return true
}

// cutFlags finds the flag column: 0x and four digits, or letters of POSRCK and '-'. A
// name of 24 characters or more has no space behind it.
func cutFlags(l []byte) (name []byte, f Flags, rest []byte, brief, ok bool) {
	for at := 0; at < len(l); {
		w, after := scan.Word(l[at:])
		end := at + len(w)
		if n := len(w); (at > 0 && n == 6 || end >= 24+6 && n > 6) && w[n-6] == '0' && w[n-5] == 'x' {
			if v, ok := scan.Hex(w[n-4:]); ok {
				return scan.Trim(l[:end-6]), Flags(v), after, false, true
			}
		}
		for n := 6; n <= 7; n++ {
			if at > 0 && len(w) == n || end >= 24+n && len(w) > n {
				if f, ok := letters(w[len(w)-n:]); ok && valueFollows(after) {
					return scan.Trim(l[:end-n]), f, after, true, true
				}
			}
		}
		at = len(l) - len(after)
		if after == nil {
			break
		}
	}
	return nil, 0, nil, false, false
}

// valueFollows reports whether a normalised value comes next.
func valueFollows(l []byte) bool {
	w, _ := scan.Word(l)
	return len(w) > 0 && (scan.Digit(w[0]) || string(w) == "---")
}

// letters reads the brief form of the flags. Which of the higher bits are set behind
// a '+' is not printed: bit 6 stands for them.
func letters(w []byte) (f Flags, ok bool) {
	for i := range len(flagLetters) {
		switch w[i] {
		case flagLetters[i]:
			f |= 1 << i
		case '-':
		default:
			return 0, false
		}
	}
	if len(w) == 7 {
		if w[6] != '+' {
			return 0, false
		}
		f |= 1 << len(flagLetters)
	}
	return f, true
}

// normal reads a normalised value: decimal, 0x and two digits, or --- for none.
func (a *Attribute) normal(dst *uint8, bit Fields, w []byte) bool {
	if string(w) == "---" {
		return true
	}
	v, n, ok := scan.Uint(w)
	if ok && n != len(w) {
		v, ok = 0, false
		if len(w) == 4 && w[0] == '0' && w[1] == 'x' {
			v, ok = scan.Hex(w[2:])
		}
	}
	if !ok || v > 255 {
		return false
	}
	*dst = uint8(v)
	a.Has |= bit
	return true
}

// keyValue cuts "Key:   value"; value is nil when the line has no colon. Several
// spaces in the key become one.
func (p *textParser) keyValue(l []byte) (key, value []byte) {
	i := bytes.IndexByte(l, ':')
	if i <= 0 || i > len(p.buf) {
		return nil, nil
	}
	key = l[:i]
	if bytes.Contains(key, []byte("  ")) || bytes.IndexByte(key, '\t') >= 0 {
		out := p.buf[:0]
		for rest := key; len(rest) > 0; {
			var w []byte
			w, rest = scan.Word(rest)
			if len(out) > 0 && len(w) > 0 {
				out = append(out, ' ')
			}
			out = append(out, w...)
		}
		key = out
	}
	value = scan.Trim(l[i+1:])
	if value == nil {
		value = []byte{}
	}
	return scan.Trim(key), value
}
