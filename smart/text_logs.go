package smart

import (
	"bytes"
	"strings"

	"dougu.internal/smart/internal/scan"
)

// begun lets a table give way to the next part of the text.
func (p *textParser) begun(l []byte) (taken, stay bool) {
	m := p.mode
	if p.section(l) {
		return true, false
	}
	return false, p.mode == m
}

// errorLine takes the lines of an ATA error log.
func (p *textParser) errorLine(l []byte) bool {
	if taken, stay := p.begun(l); taken || !stay {
		return taken
	}
	log := &p.s.Errors
	switch {
	case scan.Starts(l, "No Errors Logged"):
		log.Count = Some[uint64](0)
		return true
	case scan.Starts(l, "ATA Error Count:"), scan.Starts(l, "Device Error Count:"):
		log.Count = errorCount(scan.Trim(l[bytes.IndexByte(l, ':')+1:]))
		return true
	case scan.Starts(l, "Error ") && bytes.Contains(l, []byte(" occurred at disk power-on lifetime:")):
		p.errorHead(l)
		return true
	case scan.Starts(l, "ER ST SC"), scan.Starts(l, "ER -- ST"):
		p.regs = true
		return true
	case p.regs && !scan.Starts(l, "-- --"):
		p.regs = false
		p.registers(l)
		return true
	case scan.Starts(l, "SCT "), scan.Starts(l, "Selective Self-test"), scan.Starts(l, "Device Statistics"),
		scan.Starts(l, "Read SMART"):
		p.mode = modeData
		return false
	}
	return true
}

// errorCount reads the number of errors. Since 7.4 smartctl marks the count of a log whose
// index is out of range: "6 (possibly also invalid)".
func errorCount(v []byte) (o Opt[uint64]) {
	if n, _, ok := scan.Uint(v); ok && !bytes.Contains(v, []byte("possibly also invalid")) {
		o = Some(n)
	}
	return o
}

func (p *textParser) errorHead(l []byte) {
	log := &p.s.Errors
	if len(log.Entries) == maxErrors {
		p.err = nil
		return
	}
	n, ok := scan.Signed(l[len("Error "):])
	if !ok {
		return
	}
	log.Entries = append(log.Entries, ErrorEntry{Number: n})
	p.err = &log.Entries[len(log.Entries)-1]
	_, rest, _ := bytes.Cut(l, []byte("lifetime:"))
	if h, _, ok := scan.Uint(scan.Trim(rest)); ok {
		p.err.Hours = Some(h)
	}
}

// registers reads "40 51 01 02 03 04 e5  Error: ..." and, from the extended log,
// "40 -- 51 00 01 07 08 09 04 03 02 e5 00  Error: ...".
func (p *textParser) registers(l []byte) {
	if p.err == nil {
		return
	}
	var r [12]byte
	n, dash := 0, false
	for n < 7 || dash && n < 12 {
		w, rest := scan.Word(l)
		if string(w) == "--" {
			dash = true
		} else {
			v, ok := scan.Hex(w)
			if !ok || len(w) != 2 {
				break
			}
			r[n] = byte(v)
			n++
		}
		l = rest
	}
	e := p.err
	e.Text = string(l)
	p.err = nil
	switch {
	case !dash && n == 7:
		e.Error, e.Status, e.Count, e.Device = r[0], r[1], uint16(r[2]), r[6]
		e.LBA = Some(uint64(r[3]) | uint64(r[4])<<8 | uint64(r[5])<<16)
	case dash && n == 12:
		e.Error, e.Status, e.Count, e.Device = r[0], r[1], uint16(r[2])<<8|uint16(r[3]), r[10]
		e.LBA = Some(uint64(r[4])<<40 | uint64(r[5])<<32 | uint64(r[6])<<24 |
			uint64(r[7])<<16 | uint64(r[8])<<8 | uint64(r[9]))
	default:
		p.warn("the registers of the error are not understood")
	}
}

// testLine takes the rows of a self-test log.
func (p *textParser) testLine(l []byte) bool {
	if l[0] == '#' && len(l) > 2 && (l[1] == ' ' || scan.Digit(l[1])) {
		rest := scan.Trim(l[1:])
		if n, k, ok := scan.Uint(rest); ok && n < 1<<16 && len(p.s.SelfTests) < maxSelfTests {
			t := SelfTest{Num: int(n)}
			if t.parseRow(scan.Trim(rest[k:])) {
				p.s.SelfTests = append(p.s.SelfTests, t)
			} else {
				p.warn("a row of the self-test log is not understood: " + clip(l))
			}
			return true
		}
	}
	if taken, stay := p.begun(l); taken || !stay {
		return taken
	}
	switch {
	case scan.Starts(l, "Num "), scan.Starts(l, "Description"), scan.Starts(l, "No self-tests have been logged"),
		scan.Starts(l, "[To run self-tests"):
		return true
	case bytes.Contains(l, []byte("self-test log")), bytes.Contains(l, []byte("self-tests are")),
		bytes.Contains(l, []byte("outdated by newer")):
		return true
	}
	return false
}

// parseRow reads a row behind its number: an ATA row has a percentage, a SCSI row a
// bracket at its end.
func (t *SelfTest) parseRow(l []byte) bool {
	if i := bytes.LastIndexByte(l, '['); i > 0 {
		return t.scsiRow(scan.Trim(l[:i]))
	}
	before, after0, ok := bytes.Cut(l, []byte{'%'})
	if !ok {
		return false
	}
	head, tail := before, scan.Trim(after0)
	j := len(head)
	for j > 0 && scan.Digit(head[j-1]) {
		j--
	}
	percent, _, ok := scan.Uint(head[j:])
	if !ok || percent > 150 {
		return false
	}
	head = scan.Trim(head[:j])
	k := kindLength(head)
	if k == 0 {
		return false
	}
	t.Kind, t.Result = string(head[:k]), string(scan.Trim(head[k:]))
	if c, ok := resultCode(t.Result); ok {
		t.Code = Some(c<<4 | uint8(percent/10))
	}
	w, rest := scan.Word(tail)
	if h, n, ok := scan.Uint(w); ok && n == len(w) {
		t.Hours = Some(h)
	}
	t.lba(rest)
	return true
}

// lba reads a block, decimal or 0x and hexadecimal digits.
func (t *SelfTest) lba(l []byte) {
	w, _ := scan.Word(l)
	if scan.Starts(w, "0x") {
		if v, ok := scan.Hex(w[2:]); ok {
			t.LBA = Some(v)
		}
	} else if v, n, ok := scan.Uint(w); ok && n == len(w) {
		t.LBA = Some(v)
	}
}

var ataKinds = []string{
	"Short offline", "Extended offline", "Conveyance offline", "Selective offline", "Offline", "Abort offline test",
	"Short captive", "Extended captive", "Conveyance captive", "Selective captive",
}

// kindLength returns the length of the name of a test at the start of a row.
func kindLength(l []byte) int {
	for _, k := range ataKinds {
		if scan.Starts(l, k) {
			return len(k)
		}
	}
	if scan.Starts(l, "Vendor (") || scan.Starts(l, "Reserved (") {
		return bytes.IndexByte(l, ')') + 1
	}
	return 0
}

// resultCode returns the status of the words for it.
func resultCode(s string) (uint8, bool) {
	if s == selfTestRunning {
		return 15, true
	}
	for c, name := range selfTestResults {
		if s == name {
			return uint8(c), true
		}
	}
	if digits, ok := strings.CutPrefix(s, "Unknown status (0x"); ok {
		v, ok := scan.Hex(strings.TrimSuffix(digits, ")"))
		return uint8(v), ok && v < 16
	}
	return 0, false
}

func (t *SelfTest) scsiRow(l []byte) bool {
	for _, k := range scsiTestKinds {
		if !scan.Starts(l, k) {
			continue
		}
		t.Kind = k
		f := bytes.Fields(l[len(k):])
		if len(f) < 3 {
			return false
		}
		n := len(f)
		if h, k, ok := scan.Uint(f[n-2]); ok && k == len(f[n-2]) {
			t.Hours = Some(h)
		}
		t.lba(f[n-1])
		words := f[:n-3]
		if len(words) > 0 && string(words[len(words)-1]) == "-->" {
			words = words[:len(words)-1]
		}
		t.Result = string(bytes.Join(words, []byte(" ")))
		return true
	}
	return false
}

// sctKey takes the keys of the SCT status.
func (p *textParser) sctKey(k, v []byte) bool {
	t := p.s.SCT
	switch string(k) {
	case "SCT Status Version":
		if n, _, ok := scan.Uint(v); ok && n < 1<<16 {
			t.FormatVersion = uint16(n)
		}
	case "SCT Version (vendor specific)":
		if n, _, ok := scan.Uint(v); ok && n < 1<<16 {
			t.SCTVersion = uint16(n)
		}
	case "SCT Support Level":
	case "Device State":
		if i := bytes.LastIndexByte(v, '('); i >= 0 {
			if n, _, ok := scan.Uint(v[i+1:]); ok && n < 256 {
				t.DeviceState = uint8(n)
			}
		}
	case "Current Temperature":
		t.Current = temp8(v)
	case "Power Cycle Min/Max Temperature":
		t.CycleMin, t.CycleMax = tempPair(v)
	case "Lifetime Min/Max Temperature":
		t.LifetimeMin, t.LifetimeMax = tempPair(v)
	case "Power Cycle Max Temperature":
		t.CycleMax = temp8(v)
	case "Lifetime Max Temperature":
		t.LifetimeMax = temp8(v)
	case "Specified Max Operating Temperature":
		t.OpLimitMax = temp8(v)
	case "Under/Over Temperature Limit Count":
		under, over, _ := bytes.Cut(v, []byte("/"))
		t.UnderLimitCount, t.OverLimitCount = count32(under), count32(over)
	case "SMART Status":
		switch {
		case bytes.Contains(v, []byte("PASSED")):
			t.Health = Passed
		case bytes.Contains(v, []byte("FAILED")):
			t.Health = Failed
		}
	case "Minimum supported ERC Time Limit", "Vendor specific":
	default:
		return false
	}
	return true
}

func count32(b []byte) (o Opt[uint32]) {
	if n, _, ok := scan.Uint(scan.Trim(b)); ok && n < 1<<32 {
		o = Some(uint32(n))
	}
	return o
}

// temp8 reads "31 Celsius"; "?" and "--" are unknown.
func temp8(v []byte) (o Opt[int8]) {
	if n, ok := scan.Signed(v); ok && n >= -127 && n <= 127 {
		o = Some(int8(n))
	}
	return o
}

func temp16(v []byte) (o Opt[int16]) {
	if n, ok := scan.Signed(v); ok && n >= -273 && n < 1<<15 {
		o = Some(int16(n))
	}
	return o
}

// tempPair reads "5/60 Celsius".
func tempPair(v []byte) (lo, hi Opt[int8]) {
	a, b, _ := bytes.Cut(v, []byte("/"))
	return temp8(scan.Trim(a)), temp8(scan.Trim(b))
}

// historyKey takes the head of the temperature history.
func (p *textParser) historyKey(k, v []byte) bool {
	h := p.s.History
	minutes := func(dst *uint16) {
		if n, _, ok := scan.Uint(v); ok && n < 1<<16 {
			*dst = uint16(n)
		}
	}
	switch string(k) {
	case "SCT Temperature History Version":
		minutes(&h.FormatVersion)
	case "Temperature Sampling Period":
		minutes(&h.SamplingMinutes)
	case "Temperature Logging Interval":
		minutes(&h.IntervalMinutes)
	case "Min/Max recommended Temperature":
		h.OpMin, h.OpMax = tempPair(v)
	case "Min/Max Temperature Limit":
		h.LimitMin, h.LimitMax = tempPair(v)
	case "Temperature History Size (Index)":
		minutes(&h.Size)
		if i := bytes.IndexByte(v, '('); i >= 0 {
			v = v[i+1:]
			minutes(&h.Index)
		}
	default:
		return false
	}
	return true
}

// historyLine takes the rows of the temperature history. A run of equal samples is
// printed as its first row, the number of rows left out, and its last row.
func (p *textParser) historyLine(l []byte) bool {
	h := p.s.History
	add := func(v Opt[int8], n uint64) {
		for range min(n, historyMax) {
			if len(h.Samples) == historyMax {
				return
			}
			h.Samples = append(h.Samples, v)
		}
	}
	switch {
	case scan.Starts(l, "Index "):
		return true
	case scan.Starts(l, "Temperature History is empty"), scan.Starts(l, "Invalid Temperature History Size"):
		p.warn(clip(l))
		return true
	case scan.Starts(l, "..."):
		i := bytes.IndexByte(l, '(')
		if n, _, ok := scan.Uint(scan.Trim(l[i+1:])); ok && len(h.Samples) > 0 {
			add(h.Samples[len(h.Samples)-1], n)
		}
		return true
	case scan.Digit(l[0]):
		w, rest := scan.Word(l)
		if _, n, ok := scan.Uint(w); !ok || n != len(w) {
			return false
		}
		if _, rest = scan.Word(rest); len(rest) > 4 && rest[2] == ':' {
			_, rest = scan.Word(rest)
		}
		w, _ = scan.Word(rest)
		if v := temp8(w); v.OK || string(w) == "?" {
			add(v, 1)
			return true
		}
	}
	return false
}

// endHistory checks that no row of the history is missing.
func (p *textParser) endHistory() {
	h := p.s.History
	if p.mode == modeHistory && h != nil && h.Size > 0 && h.Size <= historyMax && h.Index < h.Size &&
		len(h.Samples) != int(h.Size) {
		p.warn("the temperature history is cut: rows are missing")
	}
}

// statLine takes the rows of the device statistics: page, offset, size, value, since
// 7.0 flags, and the name.
func (p *textParser) statLine(l []byte) bool {
	switch {
	case l[0] == '|', scan.Starts(l, "Page "):
		return true
	case !scan.Digit(l[0]):
		return false
	}
	pageWord, rest := scan.Word(l)
	offWord, rest := scan.Word(rest)
	page, ok1 := anyNumber(pageWord)
	if len(offWord) > 0 && offWord[0] == '=' {
		return ok1
	}
	off, ok2 := anyNumber(offWord)
	sizeWord, rest := scan.Word(rest)
	size, _, ok3 := scan.Uint(sizeWord)
	value, rest := scan.Word(rest)
	if string(sizeWord) == "-" && ok1 && ok2 {
		return true // "[Trailing garbage ignored]"
	}
	if !ok1 || !ok2 || !ok3 || page > 255 || off >= sector || size > 8 || len(value) == 0 {
		return false
	}
	st := Stat{Page: uint8(page), Offset: uint16(off), Size: uint8(size), Flags: statSupported}
	if bytes.HasSuffix(value, []byte("~")) { // 6.x: normalised
		st.Flags |= 0x20
		value = value[:len(value)-1]
	}
	if n, ok := scan.Signed(value); ok {
		st.Value = Some(n)
		st.Flags |= statValid
	} else if v, n, ok := scan.Uint(value); ok && n == len(value) && v < 1<<63 {
		st.Value = Some(int64(v))
		st.Flags |= statValid
	}
	// Bits 0 to 2 are reserved; a '+' stands for any of them.
	if w, name := scan.Word(rest); (len(w) == 3 || len(w) == 4) && len(bytes.Trim(w, "-NDC+")) == 0 {
		for i, bit := range [3]uint8{0x20, 0x10, 0x08} {
			if w[i] != '-' {
				st.Flags |= bit
			}
		}
		rest = name
	}
	st.Name = string(rest)
	if len(p.s.Stats) < maxStats {
		p.s.Stats = append(p.s.Stats, st)
	}
	return true
}

// anyNumber reads a decimal number, or 0x and hexadecimal digits.
func anyNumber(w []byte) (uint64, bool) {
	if scan.Starts(w, "0x") {
		return scan.Hex(w[2:])
	}
	v, n, ok := scan.Uint(w)
	return v, ok && n == len(w)
}
