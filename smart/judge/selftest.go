package judge

import (
	"fmt"
	"strings"

	"dougu.internal/smart"
)

// Self-tests older than this many power-on hours are about the past.
const (
	testActHours   = 90 * 24
	testWatchHours = 2 * 8766
)

// selfTests checks the self-test log. As smartctl does, it ignores failures that are older
// than an extended test without error.
func (c *checker) selfTests() {
	failed, outdated, cleared := 0, 0, false
	var newest *smart.SelfTest
	for i := range c.s.SelfTests {
		t := &c.s.SelfTests[i]
		switch {
		case t.Failed() && cleared:
			outdated++
		case t.Failed():
			if failed++; failed == 1 {
				newest = t
			}
		case t.Code.OK && t.Code.V>>4 == 0 || !t.Code.OK &&
			(t.Result == "Completed" || t.Result == "Completed without error"):
			kind := strings.ToLower(t.Kind)
			cleared = cleared || strings.HasPrefix(kind, "extended") || strings.HasSuffix(kind, " long")
		}
	}
	switch {
	case newest != nil:
		c.failedTest(newest, failed)
	case outdated > 0:
		c.add(smart.Finding{
			Rule: "self-test-failed", Key: "outdated", Severity: smart.Info, Past: true,
			Detail: "failed self-tests are older than an extended self-test without error",
			Evidence: fmt.Sprintf("%d failed self-tests",
				outdated), Source: "self-test log", Value: smart.Some(float64(outdated)), Unit: "tests",
		})
	case len(c.s.SelfTests) == 0 && c.s.SelfTestErrors.OK && c.s.SelfTestErrors.V > 0:
		f := smart.Finding{
			Rule: "self-test-failed", Severity: smart.Watch, Detail: "self-tests failed; the log is missing",
			Source: "self-test log",
			Evidence: fmt.Sprintf("%d failed self-tests",
				c.s.SelfTestErrors.V), Value: smart.Some(float64(c.s.SelfTestErrors.V)), Unit: "tests",
		}
		if c.s.Source.Format == smart.FormatSyslog {
			f.Severity, f.Detail = smart.Act, "a self-test failed"
		}
		c.add(f)
	case len(c.s.SelfTests) == 0 && c.s.Exit.OK && c.s.Exit.V&smart.ExitSelfTestLog != 0:
		c.add(smart.Finding{
			Rule: "self-test-failed", Severity: smart.Watch, Detail: "self-tests failed; the log is missing",
			Source:   "exit status of smartctl",
			Evidence: exitEvidence(c.s),
		})
	}
}

func (c *checker) failedTest(t *smart.SelfTest, failed int) {
	f := smart.Finding{
		Rule: "self-test-failed", Key: t.Kind, Severity: smart.Act, Detail: "the last " + t.Kind +
			" self-test found a fault: save the data and replace the drive",
		Evidence: t.Result, Source: fmt.Sprintf("self-test log, entry %d",
			t.Num), Value: smart.Some(float64(failed)), Unit: "tests",
	}
	if t.LBA.OK {
		f.Evidence += fmt.Sprintf(" at LBA %d", t.LBA.V)
	}
	if age, ok := c.testAge(t); ok {
		f.Evidence += fmt.Sprintf(", %d hours ago", age)
		switch {
		case age > testWatchHours:
			f.Severity, f.Past = smart.Info, true
			f.Detail = "a self-test found a fault years ago; run an extended self-test"
		case age > testActHours:
			f.Severity = smart.Watch
			f.Detail = "the last " + t.Kind + " self-test found a fault; run an extended self-test"
		}
	}
	c.add(f)
}

// testAge returns the power-on hours since a self-test.
func (c *checker) testAge(t *smart.SelfTest) (uint64, bool) {
	if !c.s.PowerOn.OK {
		return 0, false
	}
	now := uint64(c.s.PowerOn.V.Hours())
	at, ok := t.HoursBefore(now)
	return now - min(at, now), ok && at <= now
}
