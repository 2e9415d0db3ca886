package judge

import (
	"fmt"
	"strings"

	"dougu.internal/smart"
)

// recentErrorHours is the age in power-on hours up to which an uncorrected error of the
// log is about the present.
const recentErrorHours = 7 * 24

// errorLog checks the age and the kind of the newest error of an ATA drive.
func (c *checker) errorLog() {
	log := &c.s.Errors
	if c.s.NVMe != nil || c.s.Device.Protocol == "NVMe" {
		return
	}
	if !log.Count.OK && len(log.Entries) == 0 {
		if c.s.Exit.OK && c.s.Exit.V&smart.ExitErrorLog != 0 {
			c.add(smart.Finding{
				Rule: "errors-logged", Key: "log", Severity: smart.Info, Past: true,
				Detail:   "commands failed; the log is missing",
				Evidence: exitEvidence(c.s), Source: "exit status of smartctl",
			})
		}
		return
	}
	if log.Count.OK && log.Count.V == 0 && len(log.Entries) == 0 {
		return
	}
	f := smart.Finding{
		Rule: "errors-logged", Key: "log", Severity: smart.Info, Past: true, Detail: "commands failed",
		Evidence: fmt.Sprint(log.Count.V), Source: "error log",
		Value: smart.Opt[float64]{V: float64(log.Count.V), OK: log.Count.OK}, Unit: "errors",
	}
	if len(log.Entries) > 0 {
		e := &log.Entries[0]
		if e.Hours.OK {
			f.Detail = fmt.Sprintf("commands failed, the last one at %d hours", e.Hours.V)
		}
		if age, ok := c.errorAge(e); ok && age <= recentErrorHours && uncorrected(e) {
			f.Severity, f.Past = smart.Watch, false
			f.Detail = fmt.Sprintf("a sector could not be read at %d hours, %d hours ago: run an extended "+
				"self-test", e.Hours.V, age)
			f.Evidence = fmt.Sprintf("%d errors, the newest is UNC", log.Count.V)
			if e.LBA.OK {
				f.Evidence += fmt.Sprintf(" at LBA %d", e.LBA.V)
			}
		}
	}
	c.add(f)
}

// errorAge returns the power-on hours since an error. The counter of the log has 16 bits.
func (c *checker) errorAge(e *smart.ErrorEntry) (uint64, bool) {
	if !c.s.PowerOn.OK || !e.Hours.OK {
		return 0, false
	}
	now := uint64(c.s.PowerOn.V.Hours())
	t := smart.SelfTest{Hours: e.Hours}
	at, ok := t.HoursBefore(now)
	if !ok || at > now {
		return 0, ok && at <= now+1
	}
	return now - at, true
}

// uncorrected reports whether an error is an uncorrectable read: bit 6 of the error
// register, unless it is an interface error as well.
func uncorrected(e *smart.ErrorEntry) bool {
	if e.Text != "" {
		return strings.Contains(e.Text, "UNC") && !strings.Contains(e.Text, "ICRC")
	}
	return e.Status&1 != 0 && e.Error&0x40 != 0 && e.Error&0x80 == 0
}
