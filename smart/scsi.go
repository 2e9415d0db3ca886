package smart

import (
	"encoding/binary"
	"errors"
	"time"
)

// SCSIHealth contains the LOG SENSE pages of a SCSI or SAS disk (SPC-5, SBC-4).
type SCSIHealth struct {
	// Temperature and Trip are of page 0Dh.
	Temperature Opt[int16] `json:"temperature,omitzero"`
	Trip        Opt[int16] `json:"trip,omitzero"`
	// Environment is of page 0Dh, subpage 01h.
	Environment *Environment `json:"environment,omitzero"`
	// ASC and ASCQ are of page 2Fh; ASC 5Dh (and 0Bh) announces failure.
	ASC  Opt[uint8] `json:"asc,omitzero"`
	ASCQ Opt[uint8] `json:"ascq,omitzero"`
	// Read, Write and Verify are the error counters of pages 03h, 02h and 05h.
	Read   *ErrorCounters `json:"read,omitzero"`
	Write  *ErrorCounters `json:"write,omitzero"`
	Verify *ErrorCounters `json:"verify,omitzero"`
	// NonMedium counts errors outside the medium (page 06h).
	NonMedium Opt[uint64] `json:"nonMedium,omitzero"`
	// GrownDefects is the length of the grown defect list.
	GrownDefects Opt[uint64] `json:"grownDefects,omitzero"`
	// StartStop is page 0Eh.
	StartStop *StartStop `json:"startStop,omitzero"`
	// Used is the percentage of the endurance that is used up (page 11h).
	Used Opt[uint8] `json:"used,omitzero"`
	// PowerOnMinutes is of the background scan (page 15h).
	PowerOnMinutes Opt[uint32] `json:"powerOnMinutes,omitzero"`
	// Scan are the results of the background scan (page 15h).
	Scan []ScanResult `json:"scan,omitzero"`
	// selfTests are of page 10h; the snapshot takes them over.
	selfTests []SelfTest
}

// Environment is a temperature report in degrees Celsius.
type Environment struct {
	Current     Opt[int16] `json:"current,omitzero"`
	LifetimeMax Opt[int16] `json:"lifetimeMax,omitzero"`
	LifetimeMin Opt[int16] `json:"lifetimeMin,omitzero"`
	CycleMax    Opt[int16] `json:"cycleMax,omitzero"`
	CycleMin    Opt[int16] `json:"cycleMin,omitzero"`
}

// ErrorCounters are the counters of one direction.
type ErrorCounters struct {
	// ECCFast, ECCDelayed and Rereads count errors corrected that way, Corrected all
	// of them.
	ECCFast    Opt[uint64] `json:"eccFast,omitzero"`
	ECCDelayed Opt[uint64] `json:"eccDelayed,omitzero"`
	Rereads    Opt[uint64] `json:"rereads,omitzero"`
	Corrected  Opt[uint64] `json:"corrected,omitzero"`
	// Invocations counts runs of the correction algorithm.
	Invocations Opt[uint64] `json:"invocations,omitzero"`
	// Bytes is the number of bytes processed. Text and JSON round it to 10^6.
	Bytes Opt[uint64] `json:"bytes,omitzero"`
	// Uncorrected counts errors that were not corrected.
	Uncorrected Opt[uint64] `json:"uncorrected,omitzero"`
}

// StartStop is the start-stop cycle counter page.
type StartStop struct {
	// Year and Week of manufacture, as the drive prints them.
	Year string `json:"year,omitzero"`
	Week string `json:"week,omitzero"`
	// SpecifiedCycles and SpecifiedLoads are the numbers that the drive is built for, and
	// Cycles and Loads the numbers so far.
	SpecifiedCycles Opt[uint64] `json:"specifiedCycles,omitzero"`
	Cycles          Opt[uint64] `json:"cycles,omitzero"`
	SpecifiedLoads  Opt[uint64] `json:"specifiedLoads,omitzero"`
	Loads           Opt[uint64] `json:"loads,omitzero"`
}

// DecodeSCSI decodes one LOG SENSE page with its header of four bytes. The error of a page
// that is not supported wraps [errors.ErrUnsupported]. A page that is cut is decoded as far
// as possible, and DecodeSCSI returns an error.
func DecodeSCSI(dst *SCSIHealth, page []byte) error {
	if len(page) < 4 {
		return errs.Errorf("SCSI log page: %d bytes, at least 4 are due", len(page))
	}
	code, sub := page[0]&0x3f, byte(0)
	if page[0]&0x40 != 0 {
		sub = page[1]
	}
	body := page[4:]
	length := int(binary.BigEndian.Uint16(page[2:]))
	var err error
	if length > len(body) {
		err = errs.Errorf("SCSI log page %02Xh: the length field says %d bytes, %d are there", code, length, len(body))
	} else {
		body = body[:length]
	}
	read := scsiPages[code]
	if code == 0x0d && sub == 1 {
		read = (*SCSIHealth).environment
	} else if sub != 0 || code >= byte(len(scsiPages)) || read == nil {
		return errs.Errorf("SCSI log page %02Xh/%02Xh: %w", code, sub, errors.ErrUnsupported)
	}
	for len(body) > 0 {
		if len(body) < 4 || len(body) < 4+int(body[3]) {
			if err != nil {
				return errs.Errorf("%w, and a parameter ends behind them", err)
			}
			return errs.Errorf("SCSI log page %02Xh: a parameter ends behind the page", code)
		}
		n := 4 + int(body[3])
		read(dst, binary.BigEndian.Uint16(body), body[4:n])
		body = body[n:]
	}
	return err
}

// scsiPages are the readers of one parameter, by page.
var scsiPages = [64]func(*SCSIHealth, uint16, []byte){
	0x02: func(s *SCSIHealth, p uint16, b []byte) { counters(&s.Write, p, b) },
	0x03: func(s *SCSIHealth, p uint16, b []byte) { counters(&s.Read, p, b) },
	0x05: func(s *SCSIHealth, p uint16, b []byte) { counters(&s.Verify, p, b) },
	0x06: (*SCSIHealth).nonMedium,
	0x0d: (*SCSIHealth).temperature,
	0x0e: (*SCSIHealth).startStop,
	0x10: (*SCSIHealth).selfTest,
	0x11: (*SCSIHealth).endurance,
	0x15: (*SCSIHealth).scan,
	0x2f: (*SCSIHealth).exceptions,
}

// number reads a counter of 1 to 8 bytes.
func number(b []byte) (v Opt[uint64]) {
	if len(b) == 0 || len(b) > 8 {
		return v
	}
	v.OK = true
	for _, c := range b {
		v.V = v.V<<8 | uint64(c)
	}
	return v
}

func counters(dst **ErrorCounters, param uint16, b []byte) {
	v := number(b)
	if !v.OK || param > 6 {
		return
	}
	if *dst == nil {
		*dst = &ErrorCounters{}
	}
	c := *dst
	*[...]*Opt[uint64]{&c.ECCFast, &c.ECCDelayed, &c.Rereads, &c.Corrected, &c.Invocations, &c.Bytes,
		&c.Uncorrected}[param] = v
}

func (h *SCSIHealth) nonMedium(param uint16, b []byte) {
	if param == 0 {
		h.NonMedium = number(b)
	}
}

func (h *SCSIHealth) temperature(param uint16, b []byte) {
	if len(b) < 2 || b[1] == 0xff {
		return
	}
	switch param {
	case 0:
		h.Temperature = Some(int16(b[1]))
	case 1:
		h.Trip = Some(int16(b[1]))
	}
}

// environment reads parameter 0, the temperature report (SPC-5, 7.3.5).
func (h *SCSIHealth) environment(param uint16, b []byte) {
	if param != 0 || len(b) < 6 {
		return
	}
	v := func(i int) Opt[int16] {
		d := degrees(b[i])
		return Opt[int16]{int16(d.V), d.OK}
	}
	h.Environment = &Environment{Current: v(1), LifetimeMax: v(2), LifetimeMin: v(3), CycleMax: v(4), CycleMin: v(5)}
}

func (h *SCSIHealth) startStop(param uint16, b []byte) {
	if h.StartStop == nil {
		h.StartStop = &StartStop{}
	}
	t := h.StartStop
	count := func() (v Opt[uint64]) {
		if len(b) < 4 || allBytes(b[:4], 0xff) {
			return v
		}
		return number(b[:4])
	}
	switch param {
	case 1:
		if len(b) >= 6 {
			keepTrimmed(&t.Year, b[:4])
			keepTrimmed(&t.Week, b[4:6])
		}
	case 3:
		t.SpecifiedCycles = count()
	case 4:
		t.Cycles = count()
	case 5:
		t.SpecifiedLoads = count()
	case 6:
		t.Loads = count()
	}
}

var scsiTestKinds = [8]string{
	"Default", "Background short", "Background long", "Reserved(3)", "Abort background",
	"Foreground short", "Foreground long", "Reserved(7)",
}

var scsiTestResults = [16]string{
	"Completed", "Aborted (by user command)", "Aborted (device reset ?)", "Unknown error, incomplete",
	"Completed, segment failed", "Failed in first segment", "Failed in second segment", "Failed in segment",
	"Reserved(8)", "Reserved(9)", "Reserved(10)", "Reserved(11)", "Reserved(12)", "Reserved(13)", "Reserved(14)",
	"Self test in progress ...",
}

func (h *SCSIHealth) selfTest(param uint16, b []byte) {
	if len(b) < 16 || param == 0 || param > 20 || len(h.selfTests) == 20 {
		return
	}
	hours := binary.BigEndian.Uint16(b[2:])
	if hours == 0 && b[0] == 0 {
		return // the entry is not used
	}
	t := SelfTest{
		Num: int(param), Kind: scsiTestKinds[b[0]>>5], Result: scsiTestResults[b[0]&15], Hours: Some(uint64(hours)),
	}
	// A block is named only by a test that did not complete.
	if lba := binary.BigEndian.Uint64(b[4:]); b[0]&15 > 0 && b[0]&15 < 15 && lba != 1<<64-1 {
		t.LBA = Some(lba)
	}
	h.selfTests = append(h.selfTests, t)
}

func (h *SCSIHealth) endurance(param uint16, b []byte) {
	if param == 1 && len(b) >= 4 {
		h.Used = Some(b[3])
	}
}

// scan reads the status in parameter 0 and a result of the scan in the others (SBC-4,
// 6.4.2).
func (h *SCSIHealth) scan(param uint16, b []byte) {
	switch {
	case param == 0 && len(b) >= 4:
		h.PowerOnMinutes = Some(binary.BigEndian.Uint32(b))
	case param > 0 && param <= 0x800 && len(b) >= 20:
		h.addScan(ScanResult{
			Minutes: Some(binary.BigEndian.Uint32(b)), LBA: Some(binary.BigEndian.Uint64(b[12:])),
			Reassign: Some(b[4] >> 4), Key: b[4] & 15, ASC: b[5], ASCQ: b[6],
		})
	}
}

func (h *SCSIHealth) addScan(r ScanResult) {
	if len(h.Scan) < maxDefects {
		h.Scan = append(h.Scan, r)
	}
}

func (h *SCSIHealth) exceptions(param uint16, b []byte) {
	if param != 0 || len(b) < 2 {
		return
	}
	h.ASC, h.ASCQ = Some(b[0]), Some(b[1])
	if len(b) > 2 && b[2] != 0xff && b[2] != 0 && !h.Temperature.OK {
		h.Temperature = Some(int16(b[2]))
	}
	if len(b) > 3 && b[3] != 0xff && b[3] != 0 && !h.Trip.OK {
		h.Trip = Some(int16(b[3]))
	}
}

// failing reports whether the additional sense code announces a failure: 5Dh is
// FAILURE PREDICTION THRESHOLD EXCEEDED, 0Bh a WARNING.
func (h *SCSIHealth) failing() bool {
	return h.ASC.OK && (h.ASC.V == 0x5d || h.ASC.V == 0x0b)
}

// concludeSCSI derives health, self-tests and the power-on time from the SCSI pages.
func (s *Snapshot) concludeSCSI() {
	h := s.SCSI
	if h == nil {
		return
	}
	if h.ASC.OK && s.Health.Status == Unknown {
		s.Health.Status = Passed
		if h.failing() {
			s.Health.Status = Failed
		}
	}
	if h.selfTests != nil {
		s.SelfTests, h.selfTests = h.selfTests, nil
	}
	if h.PowerOnMinutes.OK {
		if s.PowerOn = s.hours(uint64(h.PowerOnMinutes.V/60), "SCSI log page 15h"); s.PowerOn.OK {
			s.PowerOn.V += time.Duration(h.PowerOnMinutes.V%60) * time.Minute
		}
	}
}
