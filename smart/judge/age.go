package judge

import (
	"fmt"

	"dougu.internal/smart"
)

// farmSlack is the difference of the two counters that is usual: they are updated at
// different times, and tests of the maker are counted in one of them only.
const farmSlack = 200

// age compares the power-on time of the SMART data with that of the FARM log, which cannot
// be reset. A used drive that is sold as a new one has a lower power-on time in the SMART
// data. Genuine new drives have large flight hours of the heads, so that these are no
// evidence.
func (c *checker) age() {
	f := c.s.FARM
	if f == nil || !c.s.PowerOn.OK {
		return
	}
	now := uint64(c.s.PowerOn.V.Hours())
	most, name := uint64(0), ""
	for _, v := range []struct {
		name string
		v    smart.Opt[uint64]
	}{{"power-on hours", f.PowerOnHours}, {"spindle hours", f.SpindleHours}} {
		if v.v.OK && v.v.V > most {
			most, name = v.v.V, v.name
		}
	}
	if most > now+now/10+farmSlack {
		c.add(smart.Finding{
			Rule: "hours-reset", Severity: smart.Watch,
			Detail: "the drive is older than its SMART data shows: the counters were reset, as on used drives " +
				"that are sold as new ones",
			Evidence: fmt.Sprintf("%d hours, %d %s in the FARM log", now, most,
				name), Source: "FARM log", Value: smart.Some(float64(most)), Unit: "hours",
		})
	}
}
