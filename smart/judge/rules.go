package judge

import (
	"slices"

	"dougu.internal/diag"
	"dougu.internal/smart"
)

// Rules returns the rules of [Judge], [Compare] and [Series], sorted by ID. The severity is
// the one that most findings of the rule have. The rule "throughput" is for findings that a
// program makes from a [Diagnosis].
func Rules() []diag.Rule { return slices.Clone(ruleTable) }

var ruleTable = []diag.Rule{
	{
		ID: "attribute-failing", Severity: smart.Act, Summary: "a normalised attribute is at or below its threshold",
		Help: "Save the data and replace the drive if the attribute is of the kind prefail.",
	},
	{
		ID: "attribute-growing", Severity: smart.Watch, Summary: "a counter of errors grew between two snapshots",
		Help: "Check the drive again soon. If many sectors were added, save the data and replace the drive.",
	},
	{ID: "attribute-past", Severity: smart.Watch, Summary: "a normalised attribute was at or below its threshold"},
	{
		ID: "background-scan", Severity: smart.Watch,
		Summary: "the background scan of a SAS disk found unreadable sectors",
		Help:    "Rewrite the sectors, for example by a scrub of the array.",
	},
	{
		ID: "command-timeouts", Severity: smart.Info, Summary: "commands timed out",
		Help: "Check the power supply and the cables first.",
	},
	{ID: "counter-reset", Severity: smart.Info, Summary: "a counter is lower than before"},
	{
		ID: "end-to-end-errors", Severity: smart.Watch, Summary: "data was corrupted inside of the drive",
		Help: "Plan a replacement and compare the data with its copies.",
	},
	{ID: "errors-logged", Severity: smart.Info, Summary: "the error log has entries"},
	{ID: "evidence-odd", Severity: smart.Info, Summary: "the input is damaged in places"},
	{ID: "firmware-changed", Severity: smart.Info, Summary: "the firmware differs from the one before"},
	{
		ID: "flash-failures", Severity: smart.Info,
		Summary: "blocks of the flash memory could not be written or erased",
		Help:    "Check whether the number grows.",
	},
	{
		ID: "health-contradiction", Severity: smart.Watch, Summary: "two replies of the drive about its health differ",
		Help: "Run an extended self-test.",
	},
	{
		ID: "health-failed", Severity: smart.Act, Summary: "the drive reports that it is failing",
		Help: "Save the data and replace the drive.",
	},
	{ID: "health-unknown", Severity: smart.Info, Summary: "the status was not returned and the tool printed a guess"},
	{ID: "helium", Severity: smart.Watch, Summary: "a drive has lost helium", Help: "Plan a replacement."},
	{ID: "hours-reset", Severity: smart.Watch, Summary: "the drive is older than its SMART data shows"},
	{
		ID: "interface-errors", Severity: smart.Watch, Summary: "CRC errors between host and drive",
		Help: "Replace the cable. The counter is never reset: only its growth matters afterwards.",
	},
	{ID: "load-cycles", Severity: smart.Info, Summary: "the heads were parked more often than usual",
		Help: "Check the power management of the drive."},
	{ID: "not-read", Severity: smart.Watch, Summary: "the tool could not read the drive"},
	{ID: NothingKnown, Severity: smart.Watch, Summary: "the input contains nothing about the health",
		Help: "Run smartctl -x."},
	{ID: "nvme-media-errors", Severity: smart.Watch, Summary: "the NVMe log counts media errors"},
	{ID: "nvme-warning", Severity: smart.Act, Summary: "a critical warning bit of an NVMe drive is set"},
	{ID: "offline-uncorrectable", Severity: smart.Watch, Summary: "sectors could not be read in the background"},
	{ID: "pending-cleared", Severity: smart.Info, Summary: "unreadable sectors were rewritten or remapped"},
	{
		ID: "pending-sectors", Severity: smart.Watch, Summary: "sectors cannot be read and wait to be remapped",
		Help: "Rewrite the sectors, for example by a scrub of the array, and check again.",
	},
	{ID: "reallocated-sectors", Severity: smart.Watch, Summary: "sectors were remapped",
		Help: "Check whether the number grows."},
	{ID: "reported-uncorrectable", Severity: smart.Watch, Summary: "errors could not be corrected"},
	{ID: "scsi-defects", Severity: smart.Watch, Summary: "the grown defect list of a SCSI disk is not empty",
		Help: "Check whether the number grows."},
	{ID: "scsi-uncorrected", Severity: smart.Watch, Summary: "a SCSI disk counts uncorrected errors"},
	{ID: "self-test-failed", Severity: smart.Act, Summary: "a self-test found a fault"},
	{ID: "smart-disabled", Severity: smart.Watch, Summary: "SMART is supported but disabled",
		Help: "Enable it with smartctl -s on."},
	{ID: "spare", Severity: smart.Act, Summary: "the spare blocks are below their threshold",
		Help: "Save the data and replace the drive."},
	{ID: "spin-retries", Severity: smart.Watch, Summary: "the spindle needed several attempts to start",
		Help: "Check the power supply, and plan a replacement."},
	{ID: "start-failures", Severity: smart.Watch, Summary: "the spindle failed to start",
		Help: "Check the power supply, and plan a replacement."},
	{ID: "temperature-high", Severity: smart.Watch, Summary: "the temperature is at or above a limit"},
	{ID: "temperature-low", Severity: smart.Watch, Summary: "the temperature is at or below a limit"},
	{ID: "temperature-was-low", Severity: smart.Info, Summary: "the drive was inside a window before"},
	{ID: "temperature-window", Severity: smart.Watch, Summary: "the drive behaves differently at this temperature"},
	{ID: "throughput", Severity: smart.Watch, Summary: "the disk writes slowly"},
	{ID: "wear", Severity: smart.Watch, Summary: "the specified endurance is used up, or nearly",
		Help: "Plan a replacement."},
}
