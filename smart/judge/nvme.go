package judge

import (
	"fmt"

	"dougu.internal/smart"
)

// nvmeWarnings describes the bits of the critical warning, lowest bit first.
var nvmeWarnings = [...]string{
	"the available spare is below its threshold",
	"the temperature is above or below a threshold",
	"the reliability is degraded by media or internal errors",
	"the medium is read-only",
	"the backup of the volatile memory failed",
	"the persistent memory region is read-only or unreliable",
}

// nvme checks the critical warning and the media errors of an NVMe drive.
func (c *checker) nvme() {
	n := c.s.NVMe
	if n == nil {
		return
	}
	for bit := range 8 {
		if !n.CriticalWarning.OK || n.CriticalWarning.V>>bit&1 == 0 {
			continue
		}
		f := smart.Finding{
			Rule: "nvme-warning", Severity: smart.Act, Detail: "an unknown critical warning",
			Source: "NVMe log 02h", Key: fmt.Sprintf("bit-%d", bit),
			Evidence: fmt.Sprintf("critical warning %02Xh, bit %d", n.CriticalWarning.V, bit),
		}
		if bit < len(nvmeWarnings) {
			f.Detail = nvmeWarnings[bit]
		}
		switch {
		case bit == 0 && n.Spare.OK && n.SpareThreshold.OK:
			f.Evidence += fmt.Sprintf(", spare %d %%, threshold %d %%", n.Spare.V, n.SpareThreshold.V)
			f.Value, f.Unit = smart.Some(float64(n.Spare.V)), "%"
		case bit == 1 && n.Temperature.OK:
			f.Value, f.Unit = smart.Some(float64(n.Temperature.V)), "C"
			// The bit does not show on which side: only numbers can.
			switch t, w := n.Temperature, n.WarningLimit; {
			case w.OK && t.V >= w.V:
				f.Detail = fmt.Sprintf("too hot: %d C, the warning limit is %d C", t.V, w.V)
			case w.OK:
				f.Detail += fmt.Sprintf(": at %d C, with a warning limit of %d C, perhaps too cold", t.V, w.V)
			}
		}
		c.add(f)
	}
	c.simple(mediaErrors)
}
