package smart

// Offline is what the READ DATA page says about the drive's own tests.
type Offline struct {
	// CollectionStatus is byte 362 of the page, SelfTestStatus byte 363 of a drive that
	// supports self-tests.
	CollectionStatus uint8
	SelfTestStatus   Opt[uint8]
	// CollectionSeconds is how long a full off-line collection takes.
	CollectionSeconds uint16
	// Capabilities is byte 367.
	Capabilities uint8
	// ShortMinutes, ExtendedMinutes and ConveyanceMinutes are the polling times of
	// the self-tests, where the drive supports them.
	ShortMinutes, ExtendedMinutes, ConveyanceMinutes Opt[uint16]
}

// SelfTest is one entry of a self-test log.
type SelfTest struct {
	// Num is the entry's number, 1 for the newest.
	Num int
	// Kind names the test and Result its outcome, as smartctl prints them.
	Kind, Result string
	// Code is the status byte of an ATA entry: the status in the high four bits,
	// the tenths that remained in the low four.
	Code Opt[uint8]
	// Hours is the power-on time at the end of the test. ATA counts it in 16 bits;
	// see [SelfTest.HoursBefore].
	Hours Opt[uint64]
	// LBA is the first bad block.
	LBA Opt[uint64]
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
	Count Opt[uint64]
	// Entries are the newest errors, newest first.
	Entries []ErrorEntry
}

// ErrorEntry is one error of an ATA or NVMe error log.
type ErrorEntry struct {
	// Number is the error's number over the drive's life. It is below 1 when the log
	// holds more entries than the drive has counted.
	Number int64
	// Hours is the power-on time, a 16-bit counter on ATA drives.
	Hours Opt[uint64]
	// Status and Error are the two registers of an ATA drive, Count and Device what
	// the registers of that name held after the command.
	Status, Error, Device uint8
	Count                 uint16
	// NVMeStatus is the status field of an NVMe entry.
	NVMeStatus Opt[uint16]
	// LBA is the block in the registers.
	LBA Opt[uint64]
	// Text is the reason in words, where the tool printed one.
	Text string
}

// SCTStatus is the SCT status page (SMART log E0h). A temperature that the drive
// does not know (80h) is absent.
type SCTStatus struct {
	FormatVersion, SCTVersion   uint16
	Current, CycleMin, CycleMax Opt[int8]
	LifetimeMin, LifetimeMax    Opt[int8]
	OpLimitMax                  Opt[int8]
	OverLimitCount              Opt[uint32]
	UnderLimitCount             Opt[uint32]
	Health                      Status
	DeviceState                 uint8
}

// SCTHistory is the temperature history table (SMART log E1h after the request for
// table 2).
type SCTHistory struct {
	FormatVersion                    uint16
	SamplingMinutes, IntervalMinutes uint16
	OpMin, OpMax, LimitMin, LimitMax Opt[int8]
	// Size is the number of entries of the ring and Index the newest one.
	Size, Index uint16
	// Samples are in time order, oldest first; a gap is absent.
	Samples []Opt[int8]
}

// Stat is one entry of the Device Statistics log.
type Stat struct {
	Page uint8
	// Offset of the entry in its page and Size of the value in bytes.
	Offset uint16
	Size   uint8
	Name   string
	// Flags is the top byte of the entry: bit 7 supported, 6 valid, 5 normalised, 4
	// supports DSN, 3 the monitored condition is met.
	Flags uint8
	// Value is present when the drive says that it is valid. One byte values of page
	// 5 are signed.
	Value Opt[int64]
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
