package stracelog

import (
	"math"
	"slices"

	"dougu.internal/diag"
	"dougu.internal/internal/errtext"
)

// errs makes the errors of the package.
const errs = errtext.Package("stracelog")

// The rules of Report.Findings.
const (
	ruleDamaged  = "damaged-line"
	ruleOversize = "oversize-line"
	ruleUnknown  = "unknown-line"
)

var rules = []diag.Rule{
	{
		ID: ruleDamaged, Severity: diag.Warning, Summary: "the line is not complete or not in the form that strace writes",
		Help: "The line was read as far as possible. It counts in the report, but its time or its arguments may be missing.",
		Bad:  `close(3`, Good: `close(3) = 0`,
	},
	{
		ID: ruleOversize, Severity: diag.Warning, Summary: "the line is longer than the limit of the reader",
		Help: "The line was not read as a call. Set a higher limit with MaxLine.",
	},
	{
		ID: ruleUnknown, Severity: diag.Warning, Summary: "the line was not written by strace",
		Help: "The line was skipped, and no time is computed between the lines around it. " +
			"Write the log with -o, so that it does not contain output of the traced program.",
		Bad: `Warning: mysql_connect(): timed out`,
	},
}

// Rules returns the rules of the findings in a [Report], sorted by ID.
func Rules() []diag.Rule { return slices.Clone(rules) }

// maxFindings is the maximum number of findings in a report.
const maxFindings = 1000

// finding adds a finding for an event with an error.
func (a *analysis) finding(e *Event) {
	if len(a.rep.Findings) >= maxFindings {
		return
	}
	rule := ruleDamaged
	switch {
	case e.Flags.Has(Oversize):
		rule = ruleOversize
	case e.Kind == Unknown:
		rule = ruleUnknown
	}
	at := diag.Pos{Offset: whole(e.Err.Off + int64(e.Err.Col) - 1), Line: whole(e.Line), Column: e.Err.Col}
	a.rep.Findings = append(a.rep.Findings, diag.Finding{
		Rule: rule, Severity: diag.Warning, Message: e.Err.Reason, Range: diag.Range{Start: at, End: at},
	})
}

// whole converts a line number or an offset. On 32-bit systems, numbers that do not
// fit become the largest int.
func whole(n int64) int { return int(min(n, math.MaxInt)) }
