package judge

import (
	"fmt"

	"dougu.internal/smart"
)

// The limits of combinations. Each one alone is weak evidence; two different kinds of
// evidence are strong.
const (
	someRemapped   = 4    // remapped sectors that make an unreadable one severe
	manyRemapped   = 16   // remapped sectors that make an uncorrected error severe
	flashRemapped  = 10   // remapped blocks of a drive with flash memory from which it is watched
	manyStatistics = 100  // uncorrected errors in the device statistics that are severe
	youngHours     = 4383 // in its first half year, an uncorrected error is severe
)

// media checks the counters of bad sectors and of data that was lost.
//
// The limits were chosen on one half of the fleet data and checked on the other half;
// see examples/smart-fleet.
func (c *checker) media() {
	n := &c.counts
	unreadable := max(n.value(pending), n.value(offline))
	lately, when := uint64(0), ""
	if c.h != nil {
		lately, when = c.h.unreadable()
	}
	bad := max(unreadable, lately)
	flash := mediumOf(c.s) == solidState
	young := c.s.PowerOn.OK && c.s.PowerOn.V.Hours() < youngHours && !flash && n[reported].attribute != 0

	for _, k := range [...]counter{pending, offline} {
		detail := rules[k].detail
		act := bad >= 1 && (n.value(reallocated) >= someRemapped && !flash || n.value(reported) >= 1)
		if act {
			detail += fmt.Sprintf("; %s", c.others(k))
		}
		c.combined(k, act, detail)
	}
	c.combined(reallocated, n.value(reallocated) >= someRemapped && bad >= 1 && !flash ||
		n.value(reallocated) >= manyRemapped && n.value(reported) >= 1,
		rules[reallocated].detail)
	detail := rules[reported].detail
	if young {
		detail += " in the first half year of the drive"
	}
	c.combined(reported, n.value(reported) >= 1 && (bad >= 1 || n.value(reallocated) >= manyRemapped || young), detail)
	c.simple(endToEnd)
	c.simple(programFails)
	c.simple(eraseFails)
	if lately > unreadable {
		c.lately(lately, unreadable, when)
	}
}

// others describes the other evidence of bad sectors.
func (c *checker) others(k counter) string {
	n := &c.counts
	switch {
	case n.value(reallocated) > 0 && n.value(reported) > 0:
		return fmt.Sprintf("%d sectors were remapped and %d errors reached the host", n.value(reallocated),
			n.value(reported))
	case n.value(reported) > 0:
		return fmt.Sprintf("%d errors reached the host", n.value(reported))
	}
	return fmt.Sprintf("%d sectors were remapped", n.value(reallocated))
}

// combined adds the finding of a counter that is severe also because of others.
func (c *checker) combined(k counter, act bool, detail string) {
	l, own := c.p.limits(&rules[k])
	if k == reallocated && !own && mediumOf(c.s) == solidState {
		l.Watch.V = flashRemapped
	}
	s := severity(c.counts[k].n, l)
	switch {
	case s == 0:
		return
	case act && !own:
		s = smart.Act
	case s == smart.Act && !own && c.counts[k].attribute == 0 && k == reported && c.counts[k].n < manyStatistics:
		s = smart.Watch // the limit was measured for the attribute
	}
	switch s {
	case smart.Act:
		detail += ": save the data and replace the drive"
	case smart.Info:
		detail += "; few are usual"
	default:
		detail += ": check whether the number grows"
	}
	c.count(k, s, detail)
}

// lately adds the finding of unreadable sectors that are gone. Sectors that become
// readable again are remapped or rewritten; the disk that made them is the same.
func (c *checker) lately(most, now uint64, when string) {
	n := &c.counts
	l, own := c.p.limits(&rules[pending])
	s := severity(most, l)
	if !own && (n.value(reallocated) >= someRemapped || n.value(reported) >= 1) {
		s = smart.Act
	}
	if s == 0 {
		return
	}
	c.add(smart.Finding{
		Rule: "pending-sectors", Key: "history", Severity: s, Past: true, Value: smart.Some(float64(most)),
		Unit:     "sectors",
		Detail:   "sectors could not be read within the last year and were rewritten or remapped since",
		Evidence: fmt.Sprintf("%d%s, %d now", most, when, now), Source: "earlier snapshots",
	})
}
