package judge

import (
	"fmt"

	"dougu.internal/smart"
)

// status checks the health status of the drive in all places that contain it.
func (c *checker) status() {
	h := &c.s.Health
	switch {
	case h.Status == smart.Failed:
		detail := "the drive reports that it is failing: save the data and replace it"
		if h.Detail != "" {
			detail += " (" + h.Detail + ")"
		}
		c.add(smart.Finding{Rule: "health-failed", Severity: smart.Act, Detail: detail, Evidence: "failed",
			Source: "SMART status"})
	case c.s.Exit.OK && c.s.Exit.V&smart.ExitFailing != 0:
		c.add(smart.Finding{
			Rule: "health-failed", Severity: smart.Act,
			Detail:   "the drive reported that it is failing: save the data and replace it",
			Evidence: exitEvidence(c.s), Source: "exit status of smartctl",
		})
	case c.s.SCT != nil && c.s.SCT.Health == smart.Failed:
		c.add(smart.Finding{
			Rule: "health-contradiction", Severity: smart.Watch,
			Detail: "the SCT status of the drive is failed, its SMART status is " + h.Status.String() +
				": run an extended self-test",
			Evidence: "failed", Source: "SCT status",
		})
	case h.Inferred && h.Guess == smart.Failed:
		c.add(smart.Finding{
			Rule: "health-unknown", Severity: smart.Watch,
			Detail: "the drive or its controller did not return the status; smartctl printed failed, which it " +
				"concluded from the attributes",
			Evidence: "printed as failed", Source: h.Detail,
		})
	case h.Inferred && c.known():
		c.add(smart.Finding{
			Rule: "health-unknown", Severity: smart.Info,
			Detail:   "the drive or its controller did not return the status; the attributes were checked",
			Evidence: "printed as " + h.Guess.String(), Source: h.Detail,
		})
	}
}

// known reports whether the snapshot contains anything about the health: a status, an
// attribute that a rule is about or that has a threshold, or the counters of an NVMe or
// SCSI drive.
func (c *checker) known() bool {
	s := c.s
	if s.Health.Status != smart.Unknown || s.Endurance.Used.OK {
		return true
	}
	for i := range c.counts {
		if c.counts[i].ok && counter(i) != crc && counter(i) != timeouts && counter(i) != loadCycles {
			return true
		}
	}
	judged := 0
	for i := range s.Attributes {
		if a := &s.Attributes[i]; a.State == smart.FailingNow || a.State == smart.FailedPast {
			return true
		} else if a.State == smart.StateOK && a.Thresh > 0 {
			judged++
		}
	}
	if judged > 4 { // a table that is cut has fewer
		return true
	}
	if n := s.NVMe; n != nil && (n.CriticalWarning.OK || n.Spare.OK) {
		return true
	}
	return s.SCT != nil && s.SCT.Health != smart.Unknown || s.SelfTestErrors.OK && s.SelfTestErrors.V > 0
}

// source checks whether the drive was read.
func (c *checker) source() {
	s := c.s
	nothing := !c.known()
	off := s.Identity.SMARTEnabled.OK && !s.Identity.SMARTEnabled.V &&
		(!s.Identity.SMARTAvailable.OK || s.Identity.SMARTAvailable.V)
	if off {
		c.add(smart.Finding{
			Rule: "smart-disabled", Severity: smart.Watch,
			Detail: "SMART is supported and disabled: enable it with smartctl -s on", Evidence: "disabled",
			Source: "identity",
		})
	}
	evidence := ""
	if s.Exit.OK {
		evidence = exitEvidence(s)
	}
	if len(s.Messages) > 0 {
		evidence = s.Messages[0]
	}
	const bits = smart.ExitFailing | smart.ExitPrefail | smart.ExitPast | smart.ExitSelfTestLog
	switch {
	case s.Exit.OK && s.Exit.V&(smart.ExitUsage|smart.ExitOpen) != 0 &&
		(nothing || s.Health.Status == smart.Unknown && !s.Health.Inferred):
		c.add(smart.Finding{
			Rule: "not-read", Severity: smart.Watch,
			Detail: "the tool could not read the drive: the health is unknown", Evidence: evidence,
			Source: "exit status and messages of the tool",
		})
	case nothing && len(s.Messages) > 0 && len(s.Attributes) == 0:
		c.add(smart.Finding{
			Rule: "not-read", Severity: smart.Watch,
			Detail: "the tool could not read the drive: the health is unknown", Evidence: evidence,
			Source: "messages of the tool",
		})
	case nothing && !off && !(s.Exit.OK && s.Exit.V&bits != 0) && !c.fragment():
		c.add(smart.Finding{
			Rule: NothingKnown, Severity: smart.Watch,
			Detail: "nothing is known about the health: the input contains no status, no attribute table and " +
				"no health log",
			Evidence: c.contains(), Source: s.Source.Format.String(),
		})
	}
}

// NothingKnown is the rule of a snapshot that contains nothing about the health of the
// drive.
const NothingKnown = "nothing-known"

// fragment reports whether the text consists of lines of an attribute table that somebody
// has selected, such as grep Temperature.
func (c *checker) fragment() bool {
	s := c.s
	return s.Source.Format == smart.FormatText && s.Source.Version == "" && len(s.Attributes) > 0 &&
		s.Identity.Serial == "" && s.Identity.Capacity == (smart.Opt[uint64]{}) &&
		!s.AttributeRevision.OK && s.Temp.Current.OK
}

// contains lists the parts of a snapshot without health.
func (c *checker) contains() string {
	s := c.s
	switch {
	case len(s.Attributes) > 0:
		return fmt.Sprintf("%d attributes", len(s.Attributes))
	case s.Temp.Current.OK:
		return "a temperature"
	case s.Identity != (smart.Identity{}):
		return "the identity of the drive"
	}
	return "nothing"
}

// oddities lists what is odd in the input.
func (c *checker) oddities() {
	for _, w := range c.s.Warnings {
		c.add(smart.Finding{Rule: "evidence-odd", Severity: smart.Info, Key: w.Path, Detail: w.Msg,
			Evidence: w.String(), Source: c.s.Source.Format.String()})
	}
}
