package smart

import (
	"slices"
	"strconv"
	"time"

	"dougu.internal/internal/enum"
)

// Snapshot contains the SMART data of one drive at one time. Unknown values are absent: no
// field contains 0 for "unknown". A Snapshot does not alias the input from which it was
// read. Its JSON form can be read back without a loss.
type Snapshot struct {
	// Source is the source of the data.
	Source Source `json:"source,omitzero"`
	// Taken is the time of the data. The zero time means that it is unknown. A local time
	// without an offset is in TakenText only.
	Taken     time.Time `json:"taken,omitzero"`
	TakenText string    `json:"takenText,omitzero"`
	Device    DeviceID  `json:"device,omitzero"`
	Identity  Identity  `json:"identity,omitzero"`
	Health    Health    `json:"health"`
	// Temp holds each temperature with its source.
	Temp Temperature `json:"temp,omitzero"`
	// PowerOn is the time the drive has been on, in whole hours unless the source
	// counts minutes.
	PowerOn     Opt[time.Duration] `json:"powerOn,omitzero"`
	PowerCycles Opt[uint64]        `json:"powerCycles,omitzero"`

	// AttributeRevision is the revision of the attribute table.
	AttributeRevision Opt[uint16] `json:"attributeRevision,omitzero"`
	// Attributes are in the order of their slots, duplicates kept.
	Attributes []Attribute `json:"attributes,omitzero"`
	// Offline is the state of the drive's own tests, from the READ DATA page.
	Offline *Offline `json:"offline,omitzero"`
	// SCT is the SCT status page and History the temperature history table.
	SCT     *SCTStatus  `json:"sct,omitzero"`
	History *SCTHistory `json:"history,omitzero"`
	// Stats are the entries of the Device Statistics log, page by page.
	Stats []Stat `json:"stats,omitzero"`
	// NVMe is the health log 02h with the limits of Identify Controller.
	NVMe *NVMeHealth `json:"nvme,omitzero"`
	// SCSI contains the LOG SENSE pages of a SCSI or SAS disk.
	SCSI *SCSIHealth `json:"scsi,omitzero"`
	// SelfTests are the entries of the self-test log, newest first.
	SelfTests []SelfTest `json:"selfTests,omitzero"`
	// SelfTestErrors is the number of failed self-tests, without those that are older
	// than a good extended self-test, as smartctl or smartd counts them.
	SelfTestErrors Opt[uint64] `json:"selfTestErrors,omitzero"`
	// Endurance is the wear of the drive from the best source.
	Endurance Endurance `json:"endurance,omitzero"`
	// Pending is the pending defects log of an ATA drive.
	Pending *PendingDefects `json:"pending,omitzero"`
	// FARM is the part of the field accessible reliability metrics of a Seagate drive
	// that shows its age.
	FARM *FARM `json:"farm,omitzero"`
	// PowerMode is the power mode in the words of smartctl, for example "ACTIVE or IDLE"
	// or "STANDBY".
	PowerMode string `json:"powerMode,omitzero"`
	// Summary is the summary that a document of smartctl adds to its parts. If nil, there
	// is none.
	Summary *Summary `json:"summary,omitzero"`
	// Errors is the ATA or NVMe error log.
	Errors ErrorLog `json:"errors,omitzero"`
	// Exit is the exit status of smartctl, which is evidence and not a failure.
	Exit Opt[ExitStatus] `json:"exit,omitzero"`
	// Messages are messages of the tool, such as warnings of the drive database and failed
	// commands.
	Messages []string `json:"messages,omitzero"`
	// Warnings describe parts of the input that are odd or were left out.
	Warnings []Warning `json:"warnings,omitzero"`
}

// SourceFormat is the form of the input. The zero value is unknown.
type SourceFormat uint8

// The forms of the input.
const (
	FormatText    SourceFormat = iota + 1 // text printed by smartctl
	FormatJSON                            // JSON printed by smartctl
	FormatNVMe                            // JSON printed by nvme-cli
	FormatState                           // state file of smartd
	FormatReplay                          // transcript of ioctls printed by smartctl -r ataioctl,2
	FormatPages                           // raw pages
	FormatDevice                          // the device itself
	FormatSyslog                          // messages of smartd in a system log
	FormatAttrLog                         // attribute log of smartd
)

var sourceFormats = enum.Names[SourceFormat]{Type: "smart: source format", Words: map[SourceFormat]string{
	0: "unknown", FormatText: "text", FormatJSON: "json", FormatNVMe: "nvme-cli", FormatState: "smartd-state",
	FormatReplay: "replay", FormatPages: "pages", FormatDevice: "device", FormatSyslog: "syslog",
	FormatAttrLog: "attrlog",
}}

// String returns the name of the kind of evidence.
func (f SourceFormat) String() string { return sourceFormats.String(f) }

// MarshalText returns the name of the kind of evidence. It fails if f is not valid.
func (f SourceFormat) MarshalText() ([]byte, error) { return sourceFormats.Text(f) }

// UnmarshalText sets f from the name of a kind of evidence.
func (f *SourceFormat) UnmarshalText(text []byte) error { return sourceFormats.Parse(text, f) }

// Source is the source of a snapshot.
type Source struct {
	Format SourceFormat `json:"format"`
	// Tool is "smartctl", "nvme" or "smartd". It is empty for pages and devices.
	Tool string `json:"tool,omitzero"`
	// Version is the tool's version as it printed it, such as "7.3" or "5.38".
	Version string `json:"version,omitzero"`
	// Args are the arguments of the tool, where the evidence has them.
	Args []string `json:"args,omitzero"`
	// Line is the line of a text at which the drive starts. Lines start at 1.
	Line int `json:"line"`
}

// DeviceID is the place at which a disk is attached. One node can have many disks
// (-d 3ware,2 /dev/twa0), so that the node does not identify a disk.
type DeviceID struct {
	// Node is the device file, such as /dev/sda.
	Node string `json:"node,omitzero"`
	// Type is the interface: "ata", "sat", "scsi", "nvme", "3ware", "megaraid".
	Type string `json:"type,omitzero"`
	// Port is the number of the disk at a controller.
	Port Opt[int] `json:"port,omitzero"`
	// Protocol is "ATA", "SCSI", "NVMe", or empty if it is unknown.
	Protocol string `json:"protocol,omitzero"`
}

// Identity contains the names and the basic properties of a drive.
type Identity struct {
	Family   string `json:"family,omitzero"`
	Vendor   string `json:"vendor,omitzero"`
	Model    string `json:"model,omitzero"`
	Serial   string `json:"serial,omitzero"`
	Firmware string `json:"firmware,omitzero"`
	// WWN is the world wide name as 16 hex digits, without a prefix.
	WWN string `json:"wwn,omitzero"`
	// Capacity is in bytes.
	Capacity Opt[uint64] `json:"capacity,omitzero"`
	// LogicalSector and PhysicalSector are in bytes.
	LogicalSector  Opt[uint32] `json:"logicalSector,omitzero"`
	PhysicalSector Opt[uint32] `json:"physicalSector,omitzero"`
	// Rotation is in revolutions per minute; 0 is a drive that does not rotate.
	Rotation Opt[uint16] `json:"rotation,omitzero"`
	// FormFactor as the tool prints it, such as "3.5 inches".
	FormFactor string `json:"formFactor,omitzero"`
	// InDatabase reports whether the drive is in the drive database of the tool.
	InDatabase Opt[bool] `json:"inDatabase,omitzero"`
	// SMARTAvailable and SMARTEnabled are the replies of the drive.
	SMARTAvailable Opt[bool] `json:"smartAvailable,omitzero"`
	SMARTEnabled   Opt[bool] `json:"smartEnabled,omitzero"`
}

// Status is the health status that a drive reports. The zero value is unknown.
type Status uint8

// The health statuses.
const (
	Unknown Status = iota
	Passed
	Failed
)

var statuses = enum.Names[Status]{Type: "smart: health status",
	Words: map[Status]string{Unknown: "unknown", Passed: "passed", Failed: "failed"}}

// String returns "unknown", "passed" or "failed".
func (s Status) String() string { return statuses.String(s) }

// MarshalText returns the name of the status. It fails if s is not valid.
func (s Status) MarshalText() ([]byte, error) { return statuses.Text(s) }

// UnmarshalText sets s from the name of a status.
func (s *Status) UnmarshalText(text []byte) error { return statuses.Parse(text, s) }

// Health is the health status that the drive reports, and its origin.
type Health struct {
	Status Status `json:"status"`
	// Inferred means that the drive did not return its status and that the tool concluded
	// one from the attribute table. Status is then Unknown, and Guess is the status that
	// the tool printed.
	Inferred bool   `json:"inferred"`
	Guess    Status `json:"guess"`
	// Detail contains the reasons that came with the status.
	Detail string `json:"detail,omitzero"`
}

// TempSource is the source of a temperature. The zero value is unknown.
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

var tempSources = enum.Names[TempSource]{Type: "smart: temperature source", Words: map[TempSource]string{
	0: "unknown", FromAttribute: "attribute", FromSCT: "sct", FromHistory: "sct-history", FromStats: "devstat",
	FromSCSI: "scsi",
	FromNVMe: "nvme", FromTool: "tool", FromState: "smartd", FromInference: "inferred",
}}

// String returns the name of the source that reports and metrics use.
func (t TempSource) String() string { return tempSources.String(t) }

// MarshalText returns the name of the source. It fails if t is not valid.
func (t TempSource) MarshalText() ([]byte, error) { return tempSources.Text(t) }

// UnmarshalText sets t from the name of a source.
func (t *TempSource) UnmarshalText(text []byte) error { return tempSources.Parse(text, t) }

// TempValue is one temperature in whole degrees Celsius and its source.
type TempValue struct {
	C    int16      `json:"c"`
	OK   bool       `json:"ok"`
	From TempSource `json:"from"`
}

// Temperature contains the temperatures of a drive. For each of them, the best source with a
// possible value is used.
type Temperature struct {
	// Current is the temperature when the evidence was taken.
	Current TempValue `json:"current,omitzero"`
	// LifetimeMin and LifetimeMax are the lowest and the highest ever.
	LifetimeMin TempValue `json:"lifetimeMin,omitzero"`
	LifetimeMax TempValue `json:"lifetimeMax,omitzero"`
	// CycleMin and CycleMax are the lowest and the highest since power on.
	CycleMin TempValue `json:"cycleMin,omitzero"`
	CycleMax TempValue `json:"cycleMax,omitzero"`
	// OpMin and OpMax bound the recommended operation; LimitMin and LimitMax are
	// the limits beyond which the drive is out of its specification.
	OpMin    TempValue `json:"opMin,omitzero"`
	OpMax    TempValue `json:"opMax,omitzero"`
	LimitMin TempValue `json:"limitMin,omitzero"`
	LimitMax TempValue `json:"limitMax,omitzero"`
	// Critical is the critical limit of an NVMe drive.
	Critical TempValue `json:"critical,omitzero"`
	// Trip is the temperature at which a SCSI drive gives notice.
	Trip TempValue `json:"trip,omitzero"`
}

// Summary contains the values that smartctl derived from its sources. Values of the
// sources themselves are preferred.
type Summary struct {
	// Asked means that the attribute table was read, so that an absent temperature is a
	// statement about it.
	Asked bool `json:"asked"`
	// Temp contains the temperatures.
	Temp Temperature `json:"temp,omitzero"`
	// Used, Spare and SpareThreshold are in percent; smartctl 7.5 and later print them.
	Used           Opt[uint16] `json:"used,omitzero"`
	Spare          Opt[uint8]  `json:"spare,omitzero"`
	SpareThreshold Opt[uint8]  `json:"spareThreshold,omitzero"`
}

// ExitStatus is the exit status of smartctl: a set of bits.
type ExitStatus uint8

// The bits of the exit status (smartctl(8), EXIT STATUS).
const (
	ExitUsage       ExitStatus = 1 << iota // the command line did not parse
	ExitOpen                               // the device did not open, did not identify itself, or sleeps
	ExitCommand                            // a command failed or a checksum is wrong
	ExitFailing                            // the drive reports that it is failing
	ExitPrefail                            // a prefail attribute is at or below its threshold
	ExitPast                               // an attribute is or was at or below its threshold
	ExitErrorLog                           // the error log has entries
	ExitSelfTestLog                        // the self-test log has errors
)

var exitBits = enum.Bits[ExitStatus]{Type: "smart: exit status", Words: map[ExitStatus]string{
	ExitUsage: "usage", ExitOpen: "open", ExitCommand: "command", ExitFailing: "failing", ExitPrefail: "prefail",
	ExitPast:     "past",
	ExitErrorLog: "error-log", ExitSelfTestLog: "self-test-log",
}}

// String returns the names of the bits that are set, joined by "|".
func (e ExitStatus) String() string { return exitBits.String(e) }

// MarshalText returns the names of the bits that are set, joined by "|".
func (e ExitStatus) MarshalText() ([]byte, error) { return exitBits.Text(e) }

// UnmarshalText sets e from names of bits, joined by "|".
func (e *ExitStatus) UnmarshalText(text []byte) error { return exitBits.Parse(text, e) }

// Warning describes a part of the input that is odd or was left out.
type Warning struct {
	// Line is the line of a text. It is 0 for pages and JSON.
	Line int `json:"line"`
	// Offset is the offset in the text, the JSON document or the page. Offsets start at 0.
	Offset int `json:"offset"`
	// Path is the page or the JSON path that the warning is about.
	Path string `json:"path,omitzero"`
	Msg  string `json:"msg,omitzero"`
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

// warnOnce adds a warning unless it is there already: conclude may run twice.
func (s *Snapshot) warnOnce(w Warning) {
	if !slices.Contains(s.Warnings, w) {
		s.warn(w)
	}
}

// Reset empties the snapshot and keeps the memory of its slices for the next decode.
func (s *Snapshot) Reset() {
	*s = Snapshot{
		Attributes: s.Attributes[:0], Offline: s.Offline, Stats: s.Stats[:0], SelfTests: s.SelfTests[:0],
		Warnings: s.Warnings[:0], Messages: s.Messages[:0],
		Errors: ErrorLog{Entries: s.Errors.Entries[:0]},
	}
}
