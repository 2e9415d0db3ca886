package judge

import (
	"fmt"
	"math"

	"dougu.internal/smart"
)

// wearWatch is the used part of the endurance from which a drive is watched.
const wearWatch = 90

// wear checks the endurance of drives with flash memory, and their spare blocks.
func (c *checker) wear() {
	e := &c.s.Endurance
	source := c.wearSource()
	l, ok := c.p.Limits["wear"]
	if !ok {
		l = Limits{Watch: limit(wearWatch)}
	}
	if e.Used.OK {
		n := uint64(e.Used.V)
		if s := severity(n, l); s == smart.Act || s == smart.Watch {
			detail := "the specified endurance is nearly used up"
			if n >= 100 {
				detail = "the specified endurance is used up: plan a replacement"
			}
			c.add(smart.Finding{
				Rule: "wear", Severity: s, Detail: detail + c.forecast(), Evidence: fmt.Sprintf("%d %% used",
					n), Source: source,
				Attribute: e.Attribute, Value: smart.Some(float64(n)), Unit: "%",
			})
		} else if text := c.forecast(); text != "" {
			c.add(smart.Finding{
				Rule: "wear", Severity: smart.Info, Detail: "the drive wears" +
					text, Evidence: fmt.Sprintf("%d %% used", n), Source: source,
				Attribute: e.Attribute, Value: smart.Some(float64(n)), Unit: "%",
			})
		}
	}
	warned := c.s.NVMe != nil && c.s.NVMe.CriticalWarning.OK && c.s.NVMe.CriticalWarning.V&1 != 0
	if e.Spare.OK && e.SpareThreshold.OK && e.Spare.V < e.SpareThreshold.V && !warned {
		from := "NVMe log 02h"
		if c.s.NVMe == nil {
			from = "summary of smartctl"
		}
		c.add(smart.Finding{
			Rule: "spare", Severity: smart.Act,
			Detail: "the spare blocks are below their threshold: save the data and replace the drive",
			Evidence: fmt.Sprintf("spare %d %%, threshold %d %%", e.Spare.V,
				e.SpareThreshold.V), Source: from, Value: smart.Some(float64(e.Spare.V)), Unit: "%",
		})
	}
}

func (c *checker) wearSource() string {
	switch e := &c.s.Endurance; e.From {
	case smart.EnduranceStatistics:
		return "device statistics, page 7"
	case smart.EnduranceNVMe:
		return "NVMe log 02h"
	case smart.EnduranceSCSI:
		return "SCSI log page 11h"
	case smart.EnduranceTool:
		return "summary of smartctl"
	case smart.EnduranceAttribute:
		name := ""
		if a := c.s.Attribute(e.Attribute); a != nil {
			name = a.Name
		}
		return attributeSource(e.Attribute, name)
	}
	return ""
}

// forecast describes when the endurance is used up at the present rate. It returns "" if
// the history is too short, or if that is more than a year away.
func (c *checker) forecast() string {
	if c.h == nil || !c.s.Endurance.Used.OK || c.s.Endurance.Used.V >= 100 {
		return ""
	}
	days, ok := c.h.wearDays(c.s.Endurance.Used.V)
	if !ok || days > 366 {
		return ""
	}
	return fmt.Sprintf("; at the present rate it is used up in %d days", int(math.Ceil(days)))
}
