package judge

import (
	"fmt"
	"slices"
	"strconv"

	"dougu.internal/diag"
	"dougu.internal/smart"
)

// completeKeys puts the rule in front of each key, which contains the thing or
// nothing, and makes the keys of a list distinct.
func completeKeys(l smart.Findings) {
	used := map[string]int{}
	for i := range l {
		f := &l[i]
		key := f.Rule
		if f.Key != "" {
			key += "/" + f.Key
		}
		f.Key = key
		for n := max(2, used[key]+1); used[f.Key] > 0; n++ {
			f.Key = key + "#" + strconv.Itoa(n)
			used[key] = n
		}
		used[f.Key]++
	}
}

func attributeKey(id uint8) string { return fmt.Sprintf("attribute-%d", id) }

// Rules returns the rules of [Judge] and [Compare], sorted by ID. The rule
// "throughput" is for findings that a program makes from a [Diagnosis].
func Rules() []diag.Rule { return slices.Clone(ruleTable) }

// ruleTable is sorted by ID. The severity is the one that most findings of the rule
// have.
var ruleTable = []diag.Rule{
	{
		ID: "attribute-failing", Severity: smart.Act,
		Summary: "a normalised attribute is at or below its threshold",
		Help:    "Save the data and replace the drive if the attribute is of the kind prefail.",
	},
	{
		ID: "attribute-growing", Severity: smart.Act,
		Summary: "a counter that predicts failure grew between two snapshots",
		Help:    "Save the data and replace the drive.",
	},
	{ID: "attribute-past", Severity: smart.Watch, Summary: "a normalised attribute was at or below its threshold"},
	{
		ID: "command-timeouts", Severity: smart.Watch,
		Summary: "commands timed out",
		Help:    "Check the power supply and the cables first.",
	},
	{ID: "counter-reset", Severity: smart.Info, Summary: "a counter is lower than before"},
	{ID: "errors-logged", Severity: smart.Info, Summary: "the error log has entries"},
	{ID: "evidence-odd", Severity: smart.Info, Summary: "the input is damaged in places"},
	{ID: "firmware-changed", Severity: smart.Info, Summary: "the firmware differs from the one before"},
	{
		ID: "health-failed", Severity: smart.Act,
		Summary: "the drive reports that it is failing",
		Help:    "Save the data and replace the drive.",
	},
	{ID: "health-unknown", Severity: smart.Watch, Summary: "the drive did not reply and the tool printed a guess"},
	{ID: "not-read", Severity: smart.Watch, Summary: "the tool could not read the drive"},
	{ID: "nvme-media-errors", Severity: smart.Watch, Summary: "the NVMe log counts media errors"},
	{ID: "nvme-spare", Severity: smart.Act, Summary: "the spare of an NVMe drive is below its threshold"},
	{ID: "nvme-warning", Severity: smart.Act, Summary: "a critical warning bit of an NVMe drive is set"},
	{ID: "nvme-wear", Severity: smart.Watch, Summary: "an NVMe or SAS drive has used up its endurance"},
	{ID: "offline-uncorrectable", Severity: smart.Watch, Summary: "the drive's own scan could not read sectors"},
	{ID: "pending-sectors", Severity: smart.Watch, Summary: "sectors wait to be remapped"},
	{
		ID: "reallocated-sectors", Severity: smart.Watch,
		Summary: "sectors were remapped",
		Help:    "Check whether the number grows.",
	},
	{ID: "reported-uncorrectable", Severity: smart.Watch, Summary: "errors could not be corrected"},
	{
		ID: "scsi-defects", Severity: smart.Watch,
		Summary: "the grown defect list of a SCSI disk is not empty",
		Help:    "Check whether the number grows.",
	},
	{ID: "scsi-uncorrected", Severity: smart.Watch, Summary: "a SCSI disk counts uncorrected errors"},
	{ID: "self-test-failed", Severity: smart.Act, Summary: "a self-test found a fault"},
	{
		ID: "smart-disabled", Severity: smart.Watch,
		Summary: "SMART is supported but disabled",
		Help:    "Enable it with smartctl -s on.",
	},
	{ID: "temperature-high", Severity: smart.Watch, Summary: "the temperature is at or above a limit"},
	{ID: "temperature-low", Severity: smart.Watch, Summary: "the temperature is at or below a limit"},
	{ID: "temperature-was-low", Severity: smart.Info, Summary: "the drive was inside a window before"},
	{ID: "temperature-window", Severity: smart.Watch, Summary: "the drive behaves differently at this temperature"},
	{ID: "throughput", Severity: smart.Watch, Summary: "the disk writes slowly"},
}
