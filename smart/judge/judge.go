package judge

import (
	"cmp"
	"fmt"
	"slices"

	"dougu.internal/smart"
)

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

// Judge returns the findings for a disk, most severe first. It keeps no state between
// calls.
func Judge(s *smart.Snapshot, p Policy) smart.Findings {
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
		j.add(smart.Finding{Rule: "evidence-odd", Severity: smart.Info, Key: w.Path, Detail: w.Msg, Evidence: w.String(), Source: s.Source.Format.String()})
	}
	completeKeys(j.list)
	slices.SortStableFunc(j.list, func(a, b smart.Finding) int { return cmp.Compare(a.Severity, b.Severity) })
	return j.list
}

type judge struct {
	s    *smart.Snapshot
	p    Policy
	list smart.Findings
}

func (j *judge) add(f smart.Finding) {
	f.Since = j.s.Taken
	j.list = append(j.list, f)
}

// read tells that there is nothing to judge: silence is no good health.
func (j *judge) read() {
	s := j.s
	switch {
	case s.Exit.OK && s.Exit.V&(smart.ExitUsage|smart.ExitOpen) != 0,
		len(s.Messages) > 0 && s.Health.Status == smart.Unknown && !s.Health.Inferred && !s.Temp.Current.OK && len(s.Attributes) == 0:
		f := smart.Finding{Rule: "not-read", Severity: smart.Watch, Detail: "the tool could not read the drive: nothing is known about its health", Source: "exit status and messages of the tool"}
		if s.Exit.OK {
			f.Evidence = fmt.Sprintf("exit status %d", uint8(s.Exit.V))
		}
		if len(s.Messages) > 0 {
			f.Evidence = s.Messages[0]
		}
		j.add(f)
	case s.Identity.SMARTEnabled.OK && !s.Identity.SMARTEnabled.V && (!s.Identity.SMARTAvailable.OK || s.Identity.SMARTAvailable.V):
		j.add(smart.Finding{Rule: "smart-disabled", Severity: smart.Watch, Detail: "the drive can watch itself, and that is switched off: smartctl -s on", Evidence: "disabled", Source: "identity"})
	}
}

func (j *judge) health() {
	h := j.s.Health
	switch {
	case h.Status == smart.Failed:
		detail := "the drive itself says that it is failing: save the data and replace it"
		if h.Detail != "" {
			detail += " (" + h.Detail + ")"
		}
		j.add(smart.Finding{Rule: "health-failed", Severity: smart.Act, Detail: detail, Evidence: "failed", Source: "SMART status"})
	case h.Inferred:
		j.add(smart.Finding{Rule: "health-unknown", Severity: smart.Watch, Evidence: "printed as " + h.Guess.String(), Source: h.Detail,
			Detail: "the drive did not answer the status command; what was printed is a guess from the attribute table, the health is unknown"})
	}
}

// attributes judges the table by its thresholds. The exit status of smartctl is of no
// use for this: it stays silent about a prefail attribute while the drive says ok.
func (j *judge) attributes() {
	for i := range j.s.Attributes {
		a := &j.s.Attributes[i]
		kind := "old-age"
		if a.Flags&smart.Prefail != 0 {
			kind = "prefail"
		}
		f := smart.Finding{
			Evidence: fmt.Sprintf("value %d, worst %d, threshold %d", a.Value, a.Worst, a.Thresh),
			Source:   fmt.Sprintf("attribute %d %s (%s)", a.ID, a.Name, kind),
			Key:      attributeKey(a.ID), Attribute: a.ID, Value: smart.Opt[float64]{V: float64(a.Value), OK: a.Has&smart.HasValue != 0},
		}
		if !f.Value.OK {
			f.Value = smart.Opt[float64]{}
		}
		switch {
		case a.State == smart.FailingNow && a.Flags&smart.Prefail != 0:
			f.Rule, f.Severity, f.Detail = "attribute-failing", smart.Act, "a prefail attribute is at its threshold: the maker expects failure within 24 hours, save the data"
		case a.State == smart.FailingNow:
			f.Rule, f.Severity, f.Detail = "attribute-failing", smart.Watch, "an old-age attribute is at its threshold: the drive is past its designed life"
		case a.State == smart.FailedPast:
			f.Rule, f.Severity, f.Past = "attribute-past", smart.Watch, true
			f.Detail = "the attribute was at its threshold once and has recovered"
			if isTemperatureID(a.ID) {
				f.Severity = smart.Info
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
	id                 uint8
	rule, unit, detail string
}{
	{5, "reallocated-sectors", "sectors", "sectors have been remapped; watch whether the number grows"},
	{187, "reported-uncorrectable", "errors", "errors that the drive could not correct reached the host"},
	{188, "command-timeouts", "timeouts", "commands timed out; look at power and cabling first"},
	{197, "pending-sectors", "sectors", "sectors wait to be remapped; reading them may fail"},
	{198, "offline-uncorrectable", "sectors", "the drive's own scan found sectors that it cannot read"},
}

// unknownCount is what some drives show for "not known".
const unknownCount = 0xffffffff

// errorCount returns the part of a raw value that counts errors. Values that are made
// of several counters are taken apart first.
func errorCount(a *smart.Attribute) (uint64, bool) {
	v, ok := a.Raw.Uint48()
	if !ok {
		w := uint64(a.Raw.Bytes[0]) | uint64(a.Raw.Bytes[1])<<8
		return w, a.Raw.Known&3 == 3 && w != 0xffff
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
		if n, ok := errorCount(a); ok && n > 0 {
			j.add(smart.Finding{Rule: p.rule, Severity: smart.Watch, Detail: p.detail, Evidence: fmt.Sprint(n), Source: fmt.Sprintf("attribute %d %s", a.ID, a.Name),
				Key: attributeKey(a.ID), Attribute: a.ID, Value: smart.Some(float64(n)), Unit: p.unit})
		}
	}
	if v, ok := j.s.Stat(4, 8); ok && v > 0 && j.s.Attribute(187) == nil {
		j.add(smart.Finding{Rule: "reported-uncorrectable", Severity: smart.Watch, Detail: predictors[1].detail, Evidence: fmt.Sprint(v), Source: "device statistics page 4",
			Key: "statistics", Value: smart.Some(float64(v)), Unit: "errors"})
	}
	if v, ok := j.s.Stat(3, 0x20); ok && v > 0 && j.s.Attribute(5) == nil {
		j.add(smart.Finding{Rule: "reallocated-sectors", Severity: smart.Watch, Detail: predictors[0].detail, Evidence: fmt.Sprint(v), Source: "device statistics page 3",
			Key: "statistics", Value: smart.Some(float64(v)), Unit: "sectors"})
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
		f := smart.Finding{Rule: "nvme-warning", Severity: smart.Act, Detail: text, Evidence: fmt.Sprintf("critical warning %02Xh, bit %d", n.CriticalWarning.V, bit), Source: "NVMe log 02h", Key: fmt.Sprintf("bit-%d", bit)}
		if bit == 1 && n.Temperature.OK {
			f.Value, f.Unit = smart.Some(float64(n.Temperature.V)), "C"
		}
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
	if n.MediaErrors.OK && n.MediaErrors.V != (smart.Uint128{}) {
		j.add(smart.Finding{Rule: "nvme-media-errors", Severity: smart.Watch, Detail: "data could not be recovered from the medium", Evidence: n.MediaErrors.V.String(), Source: "NVMe log 02h",
			Value: smart.Some(n.MediaErrors.V.Float64()), Unit: "errors"})
	}
	if n.Spare.OK && n.SpareThreshold.OK && n.Spare.V < n.SpareThreshold.V && n.CriticalWarning.V&1 == 0 {
		j.add(smart.Finding{Rule: "nvme-spare", Severity: smart.Act, Detail: "the spare is below its threshold", Evidence: fmt.Sprintf("%d %% of %d %%", n.Spare.V, n.SpareThreshold.V), Source: "NVMe log 02h",
			Value: smart.Some(float64(n.Spare.V)), Unit: "%"})
	}
	j.wear(n.Used, "NVMe log 02h")
}

func (j *judge) wear(used smart.Opt[uint8], source string) {
	if used.OK && used.V >= 90 {
		f := smart.Finding{Rule: "nvme-wear", Severity: smart.Watch, Detail: "the endurance that the maker promises is nearly used up", Evidence: fmt.Sprintf("%d %%", used.V), Source: source,
			Value: smart.Some(float64(used.V)), Unit: "%"}
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
		c    *smart.ErrorCounters
	}{{"read", h.Read}, {"write", h.Write}, {"verify", h.Verify}} {
		if c.c != nil && c.c.Uncorrected.OK && c.c.Uncorrected.V > 0 {
			j.add(smart.Finding{Rule: "scsi-uncorrected", Severity: smart.Watch, Detail: c.name + " errors that were not corrected", Evidence: fmt.Sprint(c.c.Uncorrected.V), Source: "SCSI error counters",
				Key: c.name, Value: smart.Some(float64(c.c.Uncorrected.V)), Unit: "errors"})
		}
	}
	if h.GrownDefects.OK && h.GrownDefects.V > 0 {
		j.add(smart.Finding{Rule: "scsi-defects", Severity: smart.Watch, Detail: "sectors have been remapped; watch whether the number grows", Evidence: fmt.Sprint(h.GrownDefects.V), Source: "grown defect list",
			Value: smart.Some(float64(h.GrownDefects.V)), Unit: "sectors"})
	}
	j.wear(h.Used, "SCSI log page 11h")
}

func (j *judge) logs() {
	if c := j.s.Errors.Count; c.OK && c.V > 0 && j.s.NVMe == nil {
		f := smart.Finding{Rule: "errors-logged", Severity: smart.Info, Detail: "commands have failed; the log tells which", Evidence: fmt.Sprint(c.V), Source: "error log", Past: true,
			Key: "log", Value: smart.Some(float64(c.V)), Unit: "errors"}
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
		j.add(smart.Finding{Rule: "self-test-failed", Severity: smart.Act, Detail: "the last " + t.Kind + " self-test found a fault", Evidence: evidence, Source: fmt.Sprintf("self-test log, entry %d", t.Num), Key: t.Kind})
	}
}

// criticalWarnings describes the bits of the critical warning of NVMe, lowest bit first.
var criticalWarnings = [...]string{
	"available spare is below its threshold",
	"temperature is above or below a threshold",
	"reliability is degraded by media or internal errors",
	"media is read-only",
	"volatile memory backup failed",
	"persistent memory region is read-only or unreliable",
}
