package smart

import (
	"errors"
	"strconv"
	"time"
)

// The errors a caller may look for with [errors.Is].
var (
	// ErrNoData means that the input holds no SMART evidence at all.
	ErrNoData = errors.New("no SMART evidence in the input")
	// ErrPermission means that the system refuses the command to this process.
	ErrPermission = errors.New("not permitted: reading SMART data wants root or CAP_SYS_RAWIO (NVMe: CAP_SYS_ADMIN)")
	// ErrStandby means that the disk sleeps and was not woken.
	ErrStandby = errors.New("the disk is in standby and was left asleep")
	// ErrDifferentDrive means that two snapshots belong to two drives.
	ErrDifferentDrive = errors.New("the snapshots belong to different drives")
)

// Opt is a fact that may be absent. The zero value is absent.
type Opt[T any] struct {
	// V is the value; it means nothing while OK is false.
	V  T
	OK bool
}

// Some returns a fact that is present.
func Some[T any](v T) Opt[T] { return Opt[T]{V: v, OK: true} }

// Snapshot is what one piece of evidence says about one drive at one moment.
// Absent facts are absent: no field holds 0 for "unknown". A Snapshot owns all that
// it points to; nothing aliases the input it was read from.
type Snapshot struct {
	// Source says where the evidence comes from.
	Source Source
	// Taken is the moment of the evidence; the zero time when it is not known for
	// sure. A local time without an offset stays in TakenText.
	Taken     time.Time
	TakenText string
	Device    DeviceID
	Identity  Identity
	Health    Health
	// Temp holds each temperature with its source.
	Temp Temperature
	// PowerOn is the time the drive has been on, in whole hours unless the source
	// counts minutes.
	PowerOn     Opt[time.Duration]
	PowerCycles Opt[uint64]

	// AttributeRevision is the revision of the attribute table.
	AttributeRevision Opt[uint16]
	// Attributes are in the order of their slots, duplicates kept.
	Attributes []Attribute
	// Offline is the state of the drive's own tests, from the READ DATA page.
	Offline *Offline
	// SCT is the SCT status page and History the temperature history table.
	SCT     *SCTStatus
	History *SCTHistory
	// Stats are the entries of the Device Statistics log, page by page.
	Stats []Stat
	// NVMe is the health log 02h and what Identify Controller adds to it.
	NVMe *NVMeHealth
	// SCSI is what the LOG SENSE pages of a SCSI or SAS disk say.
	SCSI *SCSIHealth
	// SelfTests are the entries of the self-test log, newest first.
	SelfTests []SelfTest
	// Errors is the ATA or NVMe error log.
	Errors ErrorLog
	// Exit is the exit status of smartctl, which is evidence and not a failure.
	Exit Opt[ExitStatus]
	// Messages are what the tool itself said: warnings of the drive database,
	// failed commands.
	Messages []string
	// Warnings tell what was odd in the evidence and was kept all the same.
	Warnings []Warning
}

// SourceFormat is the kind of evidence. The zero value is unknown.
type SourceFormat uint8

// The kinds of evidence.
const (
	FormatText   SourceFormat = iota + 1 // text printed by smartctl
	FormatJSON                           // JSON printed by smartctl
	FormatNVMe                           // JSON printed by nvme-cli
	FormatState                          // state file of smartd
	FormatReplay                         // transcript of ioctls printed by smartctl -r ataioctl,2
	FormatPages                          // raw pages
	FormatDevice                         // the device itself
)

// String returns the name of the kind of evidence.
func (f SourceFormat) String() string {
	return name(f, "unknown", "text", "json", "nvme-cli", "smartd-state", "replay", "pages", "device")
}

// Source says where a snapshot comes from.
type Source struct {
	Format SourceFormat
	// Tool is "smartctl", "nvme" or "smartd"; empty for pages and devices.
	Tool string
	// Version is the tool's version as it printed it, such as "7.3" or "5.38".
	Version string
	// Args are the arguments of the tool, where the evidence has them.
	Args []string
	// Line is the line of a text, counted from 1, at which the drive begins.
	Line int
}

// DeviceID names a place where a disk is attached. One node can hold many disks
// (-d 3ware,2 /dev/twa0), so that the node alone is no identity.
type DeviceID struct {
	// Node is the device file, such as /dev/sda.
	Node string
	// Type is the interface: "ata", "sat", "scsi", "nvme", "3ware", "megaraid".
	Type string
	// Port is the number of the disk behind a controller.
	Port Opt[int]
	// Protocol is "ATA", "SCSI" or "NVMe" where the evidence says so.
	Protocol string
}

// Identity is who the drive is.
type Identity struct {
	Family, Vendor, Model, Serial, Firmware string
	// WWN is the world wide name as 16 hex digits, without a prefix.
	WWN string
	// Capacity is in bytes.
	Capacity Opt[uint64]
	// LogicalSector and PhysicalSector are in bytes.
	LogicalSector, PhysicalSector Opt[uint32]
	// Rotation is in revolutions per minute; 0 is a drive that does not rotate.
	Rotation Opt[uint16]
	// FormFactor as the tool prints it, such as "3.5 inches".
	FormFactor string
	// InDatabase tells whether the tool knew the drive.
	InDatabase Opt[bool]
	// SMARTAvailable and SMARTEnabled are the drive's own word.
	SMARTAvailable, SMARTEnabled Opt[bool]
}

// Status is the drive's own verdict. The zero value is unknown, and unknown never
// becomes passed.
type Status uint8

// The verdicts.
const (
	Unknown Status = iota
	Passed
	Failed
)

// String returns "unknown", "passed" or "failed".
func (s Status) String() string { return name(s, "unknown", "passed", "failed") }

// Health is the drive's own verdict about itself, and where it comes from.
type Health struct {
	Status Status
	// Inferred tells that the drive was not asked, or did not answer: the tool
	// guessed from the attribute table. Status is then Unknown, and Guess is what
	// the tool printed.
	Inferred bool
	Guess    Status
	// Detail holds the reasons that came with the verdict.
	Detail string
}

// TempSource says where a temperature comes from. The zero value is unknown.
type TempSource uint8

// The sources of temperatures.
const (
	FromAttribute TempSource = iota + 1 // SMART attribute 194, 190, 9 or 220
	FromSCT                             // SCT status
	FromHistory                         // SCT temperature history
	FromStats                           // device statistics page 5
	FromSCSI                            // LOG SENSE page 0Dh
	FromNVMe                            // NVMe log 02h or Identify Controller
	FromTool                            // a summary of the tool whose source is not in the evidence
	FromState                           // smartd's record over its own life
	FromInference                       // our reading of an attribute that the tool mislabels
)

// String returns the name of the source as it stands in reports and metrics.
func (t TempSource) String() string {
	return name(t, "unknown", "attribute", "sct", "sct-history", "devstat", "scsi", "nvme", "tool", "smartd", "inferred")
}

// TempValue is one temperature in whole degrees Celsius and its source.
type TempValue struct {
	C    int16
	OK   bool
	From TempSource
}

// Temperature is all that the evidence says about temperatures.
type Temperature struct {
	// Current is the temperature when the evidence was taken.
	Current TempValue
	// LifetimeMin and LifetimeMax are the lowest and the highest ever.
	LifetimeMin, LifetimeMax TempValue
	// CycleMin and CycleMax are the lowest and the highest since power on.
	CycleMin, CycleMax TempValue
	// OpMin and OpMax bound the recommended operation; LimitMin and LimitMax are
	// the limits beyond which the drive is out of its specification.
	OpMin, OpMax, LimitMin, LimitMax TempValue
	// Critical is the critical limit of an NVMe drive.
	Critical TempValue
	// Trip is the temperature at which a SCSI drive gives notice.
	Trip TempValue
}

// ExitStatus is the exit status of smartctl: a set of bits.
type ExitStatus uint8

// The bits of the exit status (smartctl(8), EXIT STATUS).
const (
	ExitUsage       ExitStatus = 1 << iota // the command line did not parse
	ExitOpen                               // the device did not open, did not identify itself, or sleeps
	ExitCommand                            // a command failed or a checksum is wrong
	ExitFailing                            // the drive says: failing
	ExitPrefail                            // a prefail attribute is at or below its threshold
	ExitPast                               // an attribute is or was at or below its threshold
	ExitErrorLog                           // the error log has entries
	ExitSelfTestLog                        // the self-test log has errors
)

// Warning is something odd in the evidence that was kept all the same.
type Warning struct {
	// Line counts from 1 in a text; 0 in pages and JSON.
	Line int
	// Offset counts bytes from 0: in the text, in the JSON document or in the page.
	Offset int
	// Path is the page or the JSON path that the warning is about.
	Path string
	Msg  string
}

// String returns the place, where known, and the message.
func (w Warning) String() string {
	switch {
	case w.Line > 0:
		return "line " + strconv.Itoa(w.Line) + ": " + w.Msg
	case w.Path != "":
		return w.Path + ": " + w.Msg
	}
	return w.Msg
}

// maxWarnings bounds the warnings of one snapshot: a hostile input must not grow
// them without end.
const maxWarnings = 64

func (s *Snapshot) warn(w Warning) {
	switch {
	case len(s.Warnings) < maxWarnings:
		s.Warnings = append(s.Warnings, w)
	case len(s.Warnings) == maxWarnings:
		s.Warnings = append(s.Warnings, Warning{Msg: "further warnings are left out"})
	}
}

// Reset empties the snapshot and keeps the memory of its slices and pages for the
// next decode.
func (s *Snapshot) Reset() {
	*s = Snapshot{
		Attributes: s.Attributes[:0], Offline: s.Offline, Stats: s.Stats[:0], SelfTests: s.SelfTests[:0],
		Warnings: s.Warnings[:0], Messages: s.Messages[:0],
		Errors: ErrorLog{Entries: s.Errors.Entries[:0]},
	}
}

// name returns the name of an enum value, and the first name for any other.
func name[T ~uint8](v T, names ...string) string {
	if int(v) >= len(names) {
		return names[0]
	}
	return names[v]
}
