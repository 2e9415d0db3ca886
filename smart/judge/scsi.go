package judge

import (
	"fmt"

	"dougu.internal/smart"
)

// The limits of the background scan: unreadable blocks within a week of power-on time.
const (
	scanMinutes = 7 * 24 * 60
	scanAct     = 16
)

// scsi checks the counters and the background scan of a SCSI or SAS disk.
func (c *checker) scsi() {
	h := c.s.SCSI
	if h == nil {
		return
	}
	for _, k := range [...]counter{readErrors, writeErrors, verifyErrors, grownDefects} {
		c.simple(k)
	}
	recent, open, failed := 0, 0, 0
	var last *smart.ScanResult
	for i := range h.Scan {
		r := &h.Scan[i]
		if r.Reassign.OK && (r.Reassign.V == 4 || r.Reassign.V == 8) {
			failed++
			last = r
		}
		if r.Key != 3 && r.Key != 4 {
			continue
		}
		if r.Reassign.OK && (r.Reassign.V == 2 || r.Reassign.V == 5 || r.Reassign.V == 6 || r.Reassign.V == 7) {
			continue // rewritten or reassigned
		}
		open++
		if !r.Minutes.OK || !h.PowerOnMinutes.OK || r.Minutes.V > h.PowerOnMinutes.V ||
			h.PowerOnMinutes.V-r.Minutes.V <= scanMinutes {
			recent++
			last = r
		}
	}
	f := smart.Finding{Rule: "background-scan", Source: "SCSI log page 15h", Unit: "sectors"}
	switch {
	case failed > 0:
		f.Severity, f.Detail, f.Value = smart.Act,
			"sectors could not be reassigned: save the data and replace the drive", smart.Some(float64(failed))
	case recent > 0:
		f.Severity, f.Detail, f.Value = smart.Watch,
			"the background scan found unreadable sectors within a week; they must be rewritten or reassigned",
			smart.Some(float64(recent))
		if recent >= scanAct {
			f.Severity, f.Detail = smart.Act,
				"the background scan found many unreadable sectors within a week: save the data and replace the drive"
		}
	case open > 0:
		f.Severity, f.Detail, f.Value, f.Past = smart.Info, "the background scan found unreadable sectors earlier",
			smart.Some(float64(open)), true
		c.add(withEvidence(f, fmt.Sprintf("%d sectors", open)))
		return
	default:
		return
	}
	c.add(withEvidence(f, fmt.Sprintf("%.0f sectors, one of them at LBA %d [%x,%x,%x]", f.Value.V, last.LBA.V,
		last.Key, last.ASC, last.ASCQ)))
}

func withEvidence(f smart.Finding, evidence string) smart.Finding {
	f.Evidence = evidence
	return f
}
