package judge

import (
	"fmt"

	"dougu.internal/smart"
)

// attributes checks the normalised values against their thresholds. The exit status of
// smartctl does not replace this: no bit is set for a prefail attribute while the drive
// reports that it passed.
func (c *checker) attributes() {
	for i := range c.s.Attributes {
		if a := &c.s.Attributes[i]; a.State == smart.FailingNow || a.State == smart.FailedPast {
			c.attribute(a)
		}
	}
	if len(c.s.Attributes) > 0 || !c.s.Exit.OK {
		return
	}
	switch {
	case c.s.Exit.V&smart.ExitPrefail != 0:
		c.add(smart.Finding{
			Rule: "attribute-failing", Severity: smart.Act,
			Detail:   "a prefail attribute is at its threshold; the table is missing: save the data",
			Evidence: exitEvidence(c.s), Source: "exit status of smartctl",
		})
	case c.s.Exit.V&smart.ExitPast != 0:
		c.add(smart.Finding{
			Rule: "attribute-past", Severity: smart.Watch, Past: true,
			Detail:   "an attribute is or was at its threshold; the table is missing",
			Evidence: exitEvidence(c.s), Source: "exit status of smartctl",
		})
	}
}

func exitEvidence(s *smart.Snapshot) string {
	return fmt.Sprintf("exit status %d (%v)", uint8(s.Exit.V), s.Exit.V)
}

func (c *checker) attribute(a *smart.Attribute) {
	kind := "old-age"
	if a.Flags&smart.Prefail != 0 {
		kind = "prefail"
	}
	f := smart.Finding{
		Evidence: fmt.Sprintf("value %d, worst %d, threshold %d", a.Value, a.Worst,
			a.Thresh), Source: attributeSource(a.ID, a.Name) + " (" + kind + ")",
		Key: attributeKey(a.ID), Attribute: a.ID,
	}
	if a.Has&smart.HasValue != 0 {
		f.Value = smart.Some(float64(a.Value))
	} else {
		f.Evidence = "reported by the tool"
	}
	switch {
	case a.State == smart.FailingNow && isTemperature(a):
		// The value is made from the temperature; the limits in degrees are checked apart.
		f.Rule, f.Severity, f.Detail = "attribute-failing", smart.Watch,
			"the temperature is at its threshold: cool the drive"
	case a.State == smart.FailingNow && a.Flags&smart.Prefail != 0:
		f.Rule, f.Severity, f.Detail = "attribute-failing", smart.Act,
			"a prefail attribute is at its threshold: failure is expected within 24 hours, save the data"
	case a.State == smart.FailingNow:
		f.Rule, f.Severity, f.Detail = "attribute-failing", smart.Watch,
			"an old-age attribute is at its threshold: the drive is past its designed life"
	default:
		f.Rule, f.Severity, f.Past = "attribute-past", smart.Watch, true
		f.Detail = "the attribute was at its threshold and has recovered"
		if isTemperature(a) {
			f.Severity = smart.Info
		}
	}
	c.add(f)
}

func isTemperature(a *smart.Attribute) bool {
	return a.ID == 190 || a.ID == 194 || a.ID == 231 && a.Name == "Temperature_Celsius"
}
