package judge

import (
	"fmt"
	"strings"

	"dougu.internal/smart"
)

// usualLoads is the number of load cycles that makers of disks specify.
const usualLoads = 600_000

// mechanics checks spindle, heads and helium.
func (c *checker) mechanics() {
	c.simple(spinRetries)
	c.simple(startFailures)
	if n := &c.counts[loadCycles]; n.n > usualLoads {
		c.count(loadCycles, smart.Info, rules[loadCycles].detail)
	}
	for i := range c.s.Attributes {
		a := &c.s.Attributes[i]
		if a.ID != 22 && a.ID != 16 && a.ID != 17 || !strings.Contains(a.Name, "Helium") || a.Has&smart.HasValue == 0 {
			continue
		}
		// The raw number is 100, or two words of 100, or a bit set, depending on the
		// firmware. The value falls from 100; a threshold of usually 25 is checked with the
		// others.
		if a.ID == 22 && a.Value < 100 && a.Value > 0 && a.State != smart.FailingNow {
			c.add(smart.Finding{
				Rule: "helium", Severity: smart.Watch, Detail: "the drive has lost helium",
				Evidence: fmt.Sprintf("value %d, threshold %d", a.Value, a.Thresh),
				Source: attributeSource(a.ID,
					a.Name), Key: attributeKey(a.ID), Attribute: a.ID, Value: smart.Some(float64(a.Value)), Unit: "%",
			})
		}
	}
}
