package smart

import (
	"encoding/binary"
	"fmt"
)

// NVMeHealth is the SMART / Health Information log of an NVMe drive (log 02h; NVM
// Express Base Specification, "SMART / Health Information").
type NVMeHealth struct {
	// CriticalWarning is a set of bits: 0 spare below its threshold, 1 temperature, 2
	// reliability, 3 media read-only, 4 volatile memory backup, 5 persistent memory.
	CriticalWarning Opt[uint8] `json:"criticalWarning,omitzero"`
	// Temperature is the composite temperature in degrees Celsius.
	Temperature Opt[int16] `json:"temperature,omitzero"`
	// Spare and SpareThreshold are in percent of the spare capacity; Used is in
	// percent of the expected life and may be above 100.
	Spare          Opt[uint8] `json:"spare,omitzero"`
	SpareThreshold Opt[uint8] `json:"spareThreshold,omitzero"`
	Used           Opt[uint8] `json:"used,omitzero"`
	// EnduranceWarning is byte 6, about endurance groups.
	EnduranceWarning Opt[uint8] `json:"enduranceWarning,omitzero"`
	// UnitsRead and UnitsWritten count thousands of 512 bytes.
	UnitsRead    Opt[Uint128] `json:"unitsRead,omitzero"`
	UnitsWritten Opt[Uint128] `json:"unitsWritten,omitzero"`
	// HostReads and HostWrites count commands.
	HostReads  Opt[Uint128] `json:"hostReads,omitzero"`
	HostWrites Opt[Uint128] `json:"hostWrites,omitzero"`
	// BusyMinutes is the time in which the controller was busy.
	BusyMinutes     Opt[Uint128] `json:"busyMinutes,omitzero"`
	PowerCycles     Opt[Uint128] `json:"powerCycles,omitzero"`
	PowerOnHours    Opt[Uint128] `json:"powerOnHours,omitzero"`
	UnsafeShutdowns Opt[Uint128] `json:"unsafeShutdowns,omitzero"`
	MediaErrors     Opt[Uint128] `json:"mediaErrors,omitzero"`
	ErrorLogCount   Opt[Uint128] `json:"errorLogCount,omitzero"`
	// WarningMinutes and CriticalMinutes is the time above the two limits.
	WarningMinutes  Opt[uint32] `json:"warningMinutes,omitzero"`
	CriticalMinutes Opt[uint32] `json:"criticalMinutes,omitzero"`
	// Sensors are in degrees Celsius; a sensor that does not exist is absent.
	Sensors [8]Opt[int16] `json:"sensors"`
	// ThermalTransitions and ThermalSeconds are of thermal management temperatures 1
	// and 2.
	ThermalTransitions [2]Opt[uint32] `json:"thermalTransitions"`
	ThermalSeconds     [2]Opt[uint32] `json:"thermalSeconds"`
	// WarningLimit and CriticalLimit are WCTEMP and CCTEMP of Identify Controller.
	WarningLimit  Opt[int16] `json:"warningLimit,omitzero"`
	CriticalLimit Opt[int16] `json:"criticalLimit,omitzero"`
}

// criticalWarnings says the bits of NVMeHealth.CriticalWarning in words, lowest bit first.
var criticalWarnings = [...]string{
	"available spare is below its threshold",
	"temperature is above or below a threshold",
	"reliability is degraded by media or internal errors",
	"media is read-only",
	"volatile memory backup failed",
	"persistent memory region is read-only or unreliable",
}

// kelvin is the offset of the scale that NVMe uses.
const kelvin = 273

// celsius converts a temperature in whole kelvins; 0 is "not reported".
func celsius(k uint16) Opt[int16] {
	if k == 0 || k > 0x7fff {
		return Opt[int16]{}
	}
	return Some(int16(k) - kelvin)
}

// DecodeNVMe decodes log 02h. It does not allocate. The error means that the log is shorter
// than 512 bytes, and dst is then unchanged. The limits that [DecodeNVMeIdentify] has set in
// dst are kept.
func DecodeNVMe(dst *NVMeHealth, log []byte) error {
	if len(log) < 512 {
		return errs.Errorf("NVMe log 02h: %d bytes, 512 are due", len(log))
	}
	u128 := func(off int) Opt[Uint128] {
		return Some(Uint128{binary.LittleEndian.Uint64(log[off+8:]), binary.LittleEndian.Uint64(log[off:])})
	}
	u32 := func(off int) Opt[uint32] { return Some(binary.LittleEndian.Uint32(log[off:])) }
	dst.CriticalWarning = Some(log[0])
	dst.Temperature = celsius(binary.LittleEndian.Uint16(log[1:]))
	dst.Spare, dst.SpareThreshold, dst.Used = Some(log[3]), Some(log[4]), Some(log[5])
	dst.EnduranceWarning = Some(log[6])
	dst.UnitsRead, dst.UnitsWritten = u128(32), u128(48)
	dst.HostReads, dst.HostWrites = u128(64), u128(80)
	dst.BusyMinutes = u128(96)
	dst.PowerCycles, dst.PowerOnHours = u128(112), u128(128)
	dst.UnsafeShutdowns = u128(144)
	dst.MediaErrors, dst.ErrorLogCount = u128(160), u128(176)
	dst.WarningMinutes, dst.CriticalMinutes = u32(192), u32(196)
	for i := range dst.Sensors {
		dst.Sensors[i] = celsius(binary.LittleEndian.Uint16(log[200+2*i:]))
	}
	dst.ThermalTransitions = [2]Opt[uint32]{u32(216), u32(220)}
	dst.ThermalSeconds = [2]Opt[uint32]{u32(224), u32(228)}
	return nil
}

// DecodeNVMeIdentify decodes Identify Controller (CNS 01h) into the identity and the
// temperature limits of dst. The error means that the page is shorter than 540 bytes.
func DecodeNVMeIdentify(dst *Snapshot, page []byte) error {
	if len(page) < 540 {
		return errs.Errorf("NVMe Identify Controller: %d bytes, 4096 are due", len(page))
	}
	keepTrimmed(&dst.Identity.Serial, page[4:24])
	keepTrimmed(&dst.Identity.Model, page[24:64])
	keepTrimmed(&dst.Identity.Firmware, page[64:72])
	if n := binary.LittleEndian.Uint64(page[280:]); n > 0 && binary.LittleEndian.Uint64(page[288:]) == 0 {
		dst.Identity.Capacity = Some(n)
	}
	if dst.NVMe == nil {
		dst.NVMe = &NVMeHealth{}
	}
	dst.NVMe.WarningLimit = celsius(binary.LittleEndian.Uint16(page[266:]))
	dst.NVMe.CriticalLimit = celsius(binary.LittleEndian.Uint16(page[268:]))
	dst.Device.Protocol = "NVMe"
	return nil
}

// DecodeNVMeErrors decodes the Error Information log (log 01h), newest first. Bytes after
// the last complete entry of 64 bytes are ignored.
func DecodeNVMeErrors(dst *ErrorLog, log []byte) {
	dst.Entries = dst.Entries[:0]
	for ; len(log) >= 64 && len(dst.Entries) < maxErrors; log = log[64:] {
		n := int64(binary.LittleEndian.Uint64(log))
		if n == 0 {
			continue
		}
		e := ErrorEntry{Number: n, NVMeStatus: Some(binary.LittleEndian.Uint16(log[12:]) >> 1)}
		if lba := binary.LittleEndian.Uint64(log[16:]); lba != 1<<64-1 {
			e.LBA = Some(lba)
		}
		dst.Entries = append(dst.Entries, e)
	}
}

// DecodeNVMeSelfTests decodes the Device Self-test log (log 06h), newest first. Bytes after
// the last complete entry are ignored.
func DecodeNVMeSelfTests(dst []SelfTest, log []byte) []SelfTest {
	dst = dst[:0]
	if len(log) < 4 {
		return dst
	}
	log = log[4:]
	for i := 0; i < 20 && len(log) >= 28; i, log = i+1, log[28:] {
		kind, result := log[0]>>4, log[0]&15
		if result == 15 {
			continue // the entry is not used
		}
		t := SelfTest{
			Num: i + 1, Kind: nvmeTestKind(kind), Result: nvmeTestResult(result),
			Hours: Some(binary.LittleEndian.Uint64(log[4:])),
		}
		if log[2]&2 != 0 { // the failing block is valid
			t.LBA = Some(binary.LittleEndian.Uint64(log[16:]))
		}
		dst = append(dst, t)
	}
	return dst
}

func nvmeTestKind(c byte) string {
	switch c {
	case 1:
		return "Short"
	case 2:
		return "Extended"
	case 14:
		return "Vendor specific"
	}
	return fmt.Sprintf("Unknown (0x%x)", c)
}

var nvmeTestResults = [...]string{
	"Completed without error", "Aborted: Self-test command", "Aborted: Controller Reset",
	"Aborted: Namespace removed", "Aborted: Format NVM command", "Fatal or unknown test error",
	"Completed: unknown failed segment", "Completed: failed segments", "Aborted: unknown reason",
	"Aborted: sanitize operation",
}

func nvmeTestResult(c byte) string {
	if int(c) < len(nvmeTestResults) {
		return nvmeTestResults[c]
	}
	return fmt.Sprintf("Unknown result (0x%x)", c)
}

// concludeNVMe derives health, temperatures and counters from the NVMe log.
func (s *Snapshot) concludeNVMe() {
	n := s.NVMe
	if n == nil {
		return
	}
	if n.CriticalWarning.OK && s.Health.Status == Unknown {
		s.Health.Status = Passed
		if n.CriticalWarning.V != 0 {
			s.Health.Status = Failed
		}
	}
	if n.PowerOnHours.OK {
		v, ok := n.PowerOnHours.V.Uint64()
		if !ok {
			v = 1<<64 - 1
		}
		s.PowerOn = s.hours(v, "NVMe log 02h")
	}
	if v, ok := n.PowerCycles.V.Uint64(); ok && n.PowerCycles.OK {
		s.PowerCycles = Some(v)
	}
	if v, ok := n.ErrorLogCount.V.Uint64(); ok && n.ErrorLogCount.OK {
		s.Errors.Count = Some(v)
	}
}

// selfTestFailed reads the outcome of a SCSI or NVMe self-test from its words.
func selfTestFailed(result string) bool {
	switch {
	case hasPrefix(result, "Failed"), hasPrefix(result, "Fatal"), hasPrefix(result, "Unknown error, incomplete"),
		hasPrefix(result, "Completed: "), hasPrefix(result, "Completed, segment failed"):
		return true
	}
	return false
}
