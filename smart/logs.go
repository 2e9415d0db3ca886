package smart

// Offline is the part of the READ DATA page about data collection and self-tests.
type Offline struct {
	// CollectionStatus is byte 362 of the page, SelfTestStatus byte 363 of a drive that
	// supports self-tests.
	CollectionStatus uint8      `json:"collectionStatus"`
	SelfTestStatus   Opt[uint8] `json:"selfTestStatus,omitzero"`
	// CollectionSeconds is the duration of a complete off-line collection.
	CollectionSeconds uint16 `json:"collectionSeconds"`
	// Capabilities is byte 367.
	Capabilities uint8 `json:"capabilities"`
	// ShortMinutes, ExtendedMinutes and ConveyanceMinutes are the polling times of
	// the self-tests, where the drive supports them.
	ShortMinutes      Opt[uint16] `json:"shortMinutes,omitzero"`
	ExtendedMinutes   Opt[uint16] `json:"extendedMinutes,omitzero"`
	ConveyanceMinutes Opt[uint16] `json:"conveyanceMinutes,omitzero"`
}

// SelfTest is one entry of a self-test log.
type SelfTest struct {
	// Num is the entry's number, 1 for the newest.
	Num int `json:"num"`
	// Kind is the name of the test and Result its result, as smartctl prints them.
	Kind   string `json:"kind,omitzero"`
	Result string `json:"result,omitzero"`
	// Code is the status byte of an ATA entry: the status in the high four bits,
	// the tenths that remained in the low four.
	Code Opt[uint8] `json:"code,omitzero"`
	// Hours is the power-on time at the end of the test. ATA counts it in 16 bits;
	// see [SelfTest.HoursBefore].
	Hours Opt[uint64] `json:"hours,omitzero"`
	// LBA is the first bad block.
	LBA Opt[uint64] `json:"lba,omitzero"`
}

// Failed reports whether the test found a fault: statuses 3 to 8 of ATA, and the
// failed statuses of SCSI and NVMe.
func (t *SelfTest) Failed() bool {
	if t.Code.OK {
		c := t.Code.V >> 4
		return c >= 3 && c <= 8
	}
	return selfTestFailed(t.Result)
}

// HoursBefore returns the hours of the entry unwrapped with the drive's power-on
// hours now: the 16-bit counter of ATA logs starts again after 65535.
func (t *SelfTest) HoursBefore(now uint64) (uint64, bool) {
	if !t.Hours.OK || t.Hours.V > 0xffff {
		return t.Hours.V, t.Hours.OK
	}
	h := now&^0xffff | t.Hours.V
	if h > now && h >= 1<<16 {
		h -= 1 << 16
	}
	return h, true
}

// ErrorLog is the log of commands that failed.
type ErrorLog struct {
	// Count is the number of errors over the drive's life.
	Count Opt[uint64] `json:"count,omitzero"`
	// Entries are the newest errors, newest first.
	Entries []ErrorEntry `json:"entries,omitzero"`
}

// ErrorEntry is one error of an ATA or NVMe error log.
type ErrorEntry struct {
	// Number is the error's number over the drive's life. It is below 1 when the log
	// holds more entries than the drive has counted.
	Number int64 `json:"number"`
	// Hours is the power-on time, a 16-bit counter on ATA drives.
	Hours Opt[uint64] `json:"hours,omitzero"`
	// Status and Error are the two registers of an ATA drive, Count and Device what
	// the registers of that name held after the command.
	Status uint8  `json:"status"`
	Error  uint8  `json:"error"`
	Device uint8  `json:"device"`
	Count  uint16 `json:"count"`
	// NVMeStatus is the status field of an NVMe entry.
	NVMeStatus Opt[uint16] `json:"nvmeStatus,omitzero"`
	// LBA is the block in the registers.
	LBA Opt[uint64] `json:"lba,omitzero"`
	// Text is the reason in words, where the tool printed one.
	Text string `json:"text,omitzero"`
}

// SCTStatus is the SCT status page (SMART log E0h). A temperature that is marked as unknown
// (80h) is absent.
type SCTStatus struct {
	FormatVersion   uint16      `json:"formatVersion"`
	SCTVersion      uint16      `json:"sctVersion"`
	Current         Opt[int8]   `json:"current,omitzero"`
	CycleMin        Opt[int8]   `json:"cycleMin,omitzero"`
	CycleMax        Opt[int8]   `json:"cycleMax,omitzero"`
	LifetimeMin     Opt[int8]   `json:"lifetimeMin,omitzero"`
	LifetimeMax     Opt[int8]   `json:"lifetimeMax,omitzero"`
	OpLimitMax      Opt[int8]   `json:"opLimitMax,omitzero"`
	OverLimitCount  Opt[uint32] `json:"overLimitCount,omitzero"`
	UnderLimitCount Opt[uint32] `json:"underLimitCount,omitzero"`
	Health          Status      `json:"health"`
	DeviceState     uint8       `json:"deviceState"`
}

// SCTHistory is the temperature history table (SMART log E1h after the request for
// table 2).
type SCTHistory struct {
	FormatVersion   uint16    `json:"formatVersion"`
	SamplingMinutes uint16    `json:"samplingMinutes"`
	IntervalMinutes uint16    `json:"intervalMinutes"`
	OpMin           Opt[int8] `json:"opMin,omitzero"`
	OpMax           Opt[int8] `json:"opMax,omitzero"`
	LimitMin        Opt[int8] `json:"limitMin,omitzero"`
	LimitMax        Opt[int8] `json:"limitMax,omitzero"`
	// Size is the number of entries of the ring and Index the newest one.
	Size  uint16 `json:"size"`
	Index uint16 `json:"index"`
	// Samples are in time order, oldest first; a gap is absent.
	Samples []Opt[int8] `json:"samples,omitzero"`
}

// Stat is one entry of the Device Statistics log.
type Stat struct {
	Page uint8 `json:"page"`
	// Offset of the entry in its page and Size of the value in bytes.
	Offset uint16 `json:"offset"`
	Size   uint8  `json:"size"`
	Name   string `json:"name,omitzero"`
	// Flags is the top byte of the entry: bit 7 supported, 6 valid, 5 normalised, 4
	// supports DSN, 3 the monitored condition is met.
	Flags uint8 `json:"flags"`
	// Value is present if the drive marks it as valid. One-byte values of page 5 are
	// signed.
	Value Opt[int64] `json:"value,omitzero"`
}

// Stat returns the valid value of a Device Statistics entry.
func (s *Snapshot) Stat(page uint8, offset uint16) (int64, bool) {
	for i := range s.Stats {
		if st := &s.Stats[i]; st.Page == page && st.Offset == offset {
			return st.Value.V, st.Value.OK
		}
	}
	return 0, false
}
