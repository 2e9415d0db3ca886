package smart

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Severity says how much a finding matters. The zero value is invalid.
type Severity uint8

// The severities, gravest first.
const (
	// Act: replace the disk, or take away what harms it.
	Act Severity = iota + 1
	// Watch: something has begun; look again.
	Watch
	// Info: worth knowing; nothing is wrong.
	Info
)

// String returns "act", "watch" or "info", and "invalid" for anything else.
func (s Severity) String() string { return name(s, "invalid", "act", "watch", "info") }

// Finding is one reason to look at a disk.
type Finding struct {
	// Rule is the stable name of the rule; see [Rules].
	Rule     string
	Severity Severity
	// Detail says what is wrong and what to do.
	Detail string
	// Evidence is the value behind the finding and Source where it stands.
	Evidence, Source string
	// Since is the moment from which on the finding is known to hold: when the
	// evidence was taken. The zero time is unknown.
	Since time.Time
	// Past tells that the evidence is about something that is over.
	Past bool
}

// Rule describes a rule of [Judge] or [Compare].
type Rule struct{ ID, Summary string }

// Rules lists the rules, in the order of their ids.
func Rules() []Rule {
	return slices.Clone(ruleTable)
}

var ruleTable = []Rule{
	{"attribute-failing", "a normalised attribute is at or below its threshold now"},
	{"attribute-past", "a normalised attribute was at or below its threshold"},
	{"attribute-growing", "a counter that predicts failure grew between two snapshots"},
	{"counter-reset", "a counter is lower than before"},
	{"errors-logged", "the error log has entries"},
	{"evidence-odd", "the evidence is damaged in places"},
	{"firmware-changed", "the firmware is another one than before"},
	{"health-failed", "the drive says that it is failing"},
	{"health-unknown", "the drive did not answer; the tool's verdict is a guess"},
	{"not-read", "the tool could not read the drive"},
	{"nvme-media-errors", "the NVMe log counts media errors"},
	{"nvme-spare", "the spare of an NVMe drive is below its threshold"},
	{"nvme-warning", "a critical warning bit of an NVMe drive is set"},
	{"nvme-wear", "an NVMe or SAS drive has used up its endurance"},
	{"pending-sectors", "sectors wait to be remapped"},
	{"reallocated-sectors", "sectors have been remapped"},
	{"reported-uncorrectable", "errors could not be corrected"},
	{"command-timeouts", "commands timed out"},
	{"offline-uncorrectable", "sectors could not be read by the drive's own scan"},
	{"scsi-uncorrected", "a SCSI disk counts uncorrected errors"},
	{"scsi-defects", "the grown defect list of a SCSI disk is not empty"},
	{"smart-disabled", "the drive can watch itself, and that is switched off"},
	{"self-test-failed", "a self-test found a fault"},
	{"temperature-high", "the temperature is at or above a limit"},
	{"temperature-low", "the temperature is at or below a limit"},
	{"temperature-was-low", "the drive has been inside a window before"},
	{"temperature-window", "the drive behaves in its own way at this temperature"},
	{"throughput", "the disk writes slowly"},
}

// Policy says by what Judge judges. The zero value is the default policy.
type Policy struct {
	// Windows are the windows to use; nil: those of [Windows].
	Windows []Window
	// Margin in degrees around the edges of a window; 0 means 1, a negative one none.
	Margin int
	// NoGenericRange turns off the range of 5 to 60 C that is assumed for rotating
	// disks which name none.
	NoGenericRange bool
}

func (p Policy) margin() int {
	switch {
	case p.Margin < 0:
		return 0
	case p.Margin == 0:
		return 1
	}
	return p.Margin
}

func (p Policy) windows() []Window {
	if p.Windows == nil {
		return Windows()
	}
	return p.Windows
}

// Judge returns what is wrong with a disk, gravest first. It has no memory: a finding
// is gone as soon as its evidence is.
func Judge(s *Snapshot, p Policy) []Finding {
	j := judge{s: s, p: p}
	j.read()
	j.health()
	j.attributes()
	j.counters()
	j.nvme()
	j.scsi()
	j.logs()
	j.temperature()
	for _, w := range s.Warnings {
		j.add(Finding{Rule: "evidence-odd", Severity: Info, Detail: w.Msg, Evidence: w.String(), Source: s.Source.Format.String()})
	}
	slices.SortStableFunc(j.list, func(a, b Finding) int { return cmp.Compare(a.Severity, b.Severity) })
	return j.list
}

type judge struct {
	s    *Snapshot
	p    Policy
	list []Finding
}

func (j *judge) add(f Finding) {
	f.Since = j.s.Taken
	j.list = append(j.list, f)
}

// read tells that there is nothing to judge: silence is no good health.
func (j *judge) read() {
	s := j.s
	switch {
	case s.Exit.OK && s.Exit.V&(ExitUsage|ExitOpen) != 0,
		len(s.Messages) > 0 && s.Health.Status == Unknown && !s.Health.Inferred && !s.Temp.Current.OK && len(s.Attributes) == 0:
		f := Finding{Rule: "not-read", Severity: Watch, Detail: "the tool could not read the drive: nothing is known about its health", Source: "exit status and messages of the tool"}
		if s.Exit.OK {
			f.Evidence = fmt.Sprintf("exit status %d", uint8(s.Exit.V))
		}
		if len(s.Messages) > 0 {
			f.Evidence = s.Messages[0]
		}
		j.add(f)
	case s.Identity.SMARTEnabled.OK && !s.Identity.SMARTEnabled.V && (!s.Identity.SMARTAvailable.OK || s.Identity.SMARTAvailable.V):
		j.add(Finding{Rule: "smart-disabled", Severity: Watch, Detail: "the drive can watch itself, and that is switched off: smartctl -s on", Evidence: "disabled", Source: "identity"})
	}
}

func (j *judge) health() {
	h := j.s.Health
	switch {
	case h.Status == Failed:
		detail := "the drive itself says that it is failing: save the data and replace it"
		if h.Detail != "" {
			detail += " (" + h.Detail + ")"
		}
		j.add(Finding{Rule: "health-failed", Severity: Act, Detail: detail, Evidence: "failed", Source: "SMART status"})
	case h.Inferred:
		j.add(Finding{Rule: "health-unknown", Severity: Watch, Evidence: "printed as " + h.Guess.String(), Source: h.Detail,
			Detail: "the drive did not answer the status command; what was printed is a guess from the attribute table, the health is unknown"})
	}
}

// attributes judges the table by its thresholds. The exit status of smartctl is of no
// use for this: it stays silent about a prefail attribute while the drive says ok.
func (j *judge) attributes() {
	for i := range j.s.Attributes {
		a := &j.s.Attributes[i]
		kind := "old-age"
		if a.Flags&Prefail != 0 {
			kind = "prefail"
		}
		f := Finding{
			Evidence: fmt.Sprintf("value %d, worst %d, threshold %d", a.Value, a.Worst, a.Thresh),
			Source:   fmt.Sprintf("attribute %d %s (%s)", a.ID, a.Name, kind),
		}
		switch {
		case a.State == FailingNow && a.Flags&Prefail != 0:
			f.Rule, f.Severity, f.Detail = "attribute-failing", Act, "a prefail attribute is at its threshold: the maker expects failure within 24 hours, save the data"
		case a.State == FailingNow:
			f.Rule, f.Severity, f.Detail = "attribute-failing", Watch, "an old-age attribute is at its threshold: the drive is past its designed life"
		case a.State == FailedPast:
			f.Rule, f.Severity, f.Past = "attribute-past", Watch, true
			f.Detail = "the attribute was at its threshold once and has recovered"
			if isTemperatureID(a.ID) {
				f.Severity = Info
			}
		default:
			continue
		}
		j.add(f)
	}
}

func isTemperatureID(id uint8) bool { return id == 190 || id == 194 || id == 231 }

// predictors are the attributes that predict failure; a raw value above zero is to be
// watched, growth is to be acted upon (see [Compare]).
var predictors = []struct {
	id           uint8
	rule, detail string
}{
	{5, "reallocated-sectors", "sectors have been remapped; watch whether the number grows"},
	{187, "reported-uncorrectable", "errors that the drive could not correct reached the host"},
	{188, "command-timeouts", "commands timed out; look at power and cabling first"},
	{197, "pending-sectors", "sectors wait to be remapped; reading them may fail"},
	{198, "offline-uncorrectable", "the drive's own scan found sectors that it cannot read"},
}

// unknownCount is what some drives show for "not known".
const unknownCount = 0xffffffff

// errorCount returns the part of a raw value that counts errors. Values that are made
// of several counters are taken apart first.
func (a *Attribute) errorCount() (uint64, bool) {
	v, ok := a.Raw.Uint48()
	if !ok {
		w, wok := a.Raw.word(0)
		return uint64(w), wok && w != 0xffff
	}
	switch a.ID {
	case 1, 7, 195: // Seagate: errors above 32 bits of operations
		return v >> 32, v != unknownCount
	case 5, 196: // 16 bits, and two words of the maker's
		return v & 0xffff, v != unknownCount
	case 188: // three counters of 16 bits; the lowest counts timeouts
		return v & 0xffff, v != unknownCount
	}
	return v & 0xffffffff, v != unknownCount
}

func (j *judge) counters() {
	for _, p := range predictors {
		a := j.s.Attribute(p.id)
		if a == nil {
			continue
		}
		if n, ok := a.errorCount(); ok && n > 0 {
			j.add(Finding{Rule: p.rule, Severity: Watch, Detail: p.detail, Evidence: fmt.Sprint(n), Source: fmt.Sprintf("attribute %d %s", a.ID, a.Name)})
		}
	}
	if v, ok := j.s.Stat(4, 8); ok && v > 0 && j.s.Attribute(187) == nil {
		j.add(Finding{Rule: "reported-uncorrectable", Severity: Watch, Detail: predictors[1].detail, Evidence: fmt.Sprint(v), Source: "device statistics page 4"})
	}
	if v, ok := j.s.Stat(3, 0x20); ok && v > 0 && j.s.Attribute(5) == nil {
		j.add(Finding{Rule: "reallocated-sectors", Severity: Watch, Detail: predictors[0].detail, Evidence: fmt.Sprint(v), Source: "device statistics page 3"})
	}
}

func (j *judge) nvme() {
	n := j.s.NVMe
	if n == nil {
		return
	}
	for bit, text := range criticalWarnings {
		if n.CriticalWarning.V>>bit&1 == 0 || !n.CriticalWarning.OK {
			continue
		}
		f := Finding{Rule: "nvme-warning", Severity: Act, Detail: text, Evidence: fmt.Sprintf("critical warning %02Xh, bit %d", n.CriticalWarning.V, bit), Source: "NVMe log 02h"}
		if bit == 1 { // the drive does not say on which side: only numbers can
			switch t, w := n.Temperature, n.WarningLimit; {
			case t.OK && w.OK && t.V >= w.V:
				f.Detail = fmt.Sprintf("too hot: %d C, the warning limit is %d C", t.V, w.V)
			case t.OK && w.OK:
				f.Detail = fmt.Sprintf("%s: at %d C, with a warning limit of %d C, perhaps too cold", text, t.V, w.V)
			}
		}
		j.add(f)
	}
	if n.MediaErrors.OK && n.MediaErrors.V != (Uint128{}) {
		j.add(Finding{Rule: "nvme-media-errors", Severity: Watch, Detail: "data could not be recovered from the medium", Evidence: n.MediaErrors.V.String(), Source: "NVMe log 02h"})
	}
	if n.Spare.OK && n.SpareThreshold.OK && n.Spare.V < n.SpareThreshold.V && n.CriticalWarning.V&1 == 0 {
		j.add(Finding{Rule: "nvme-spare", Severity: Act, Detail: "the spare is below its threshold", Evidence: fmt.Sprintf("%d %% of %d %%", n.Spare.V, n.SpareThreshold.V), Source: "NVMe log 02h"})
	}
	j.wear(n.Used, "NVMe log 02h")
}

func (j *judge) wear(used Opt[uint8], source string) {
	if used.OK && used.V >= 90 {
		f := Finding{Rule: "nvme-wear", Severity: Watch, Detail: "the endurance that the maker promises is nearly used up", Evidence: fmt.Sprintf("%d %%", used.V), Source: source}
		if used.V >= 100 {
			f.Detail = "the endurance that the maker promises is used up"
		}
		j.add(f)
	}
}

func (j *judge) scsi() {
	h := j.s.SCSI
	if h == nil {
		return
	}
	for _, c := range []struct {
		name string
		c    *ErrorCounters
	}{{"read", h.Read}, {"write", h.Write}, {"verify", h.Verify}} {
		if c.c != nil && c.c.Uncorrected.OK && c.c.Uncorrected.V > 0 {
			j.add(Finding{Rule: "scsi-uncorrected", Severity: Watch, Detail: c.name + " errors that were not corrected", Evidence: fmt.Sprint(c.c.Uncorrected.V), Source: "SCSI error counters"})
		}
	}
	if h.GrownDefects.OK && h.GrownDefects.V > 0 {
		j.add(Finding{Rule: "scsi-defects", Severity: Watch, Detail: "sectors have been remapped; watch whether the number grows", Evidence: fmt.Sprint(h.GrownDefects.V), Source: "grown defect list"})
	}
	j.wear(h.Used, "SCSI log page 11h")
}

func (j *judge) logs() {
	if c := j.s.Errors.Count; c.OK && c.V > 0 && j.s.NVMe == nil {
		f := Finding{Rule: "errors-logged", Severity: Info, Detail: "commands have failed; the log tells which", Evidence: fmt.Sprint(c.V), Source: "error log", Past: true}
		if len(j.s.Errors.Entries) > 0 && j.s.Errors.Entries[0].Hours.OK {
			f.Detail = fmt.Sprintf("commands have failed, the last one at %d hours", j.s.Errors.Entries[0].Hours.V)
		}
		j.add(f)
	}
	// Only the newest outcome of each kind counts: a good test clears a bad one.
	seen := map[string]bool{}
	for i := range j.s.SelfTests {
		t := &j.s.SelfTests[i]
		if seen[t.Kind] || t.Code.OK && (t.Code.V>>4 == 15 || t.Code.V>>4 == 1 || t.Code.V>>4 == 2) {
			continue
		}
		seen[t.Kind] = true
		if !t.Failed() {
			continue
		}
		evidence := t.Result
		if t.LBA.OK {
			evidence += fmt.Sprintf(" at LBA %d", t.LBA.V)
		}
		j.add(Finding{Rule: "self-test-failed", Severity: Act, Detail: "the last " + t.Kind + " self-test found a fault", Evidence: evidence, Source: fmt.Sprintf("self-test log, entry %d", t.Num)})
	}
}
