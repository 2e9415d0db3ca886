package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity says how much a finding matters. The zero value is invalid.
type Severity uint8

// The severities, gravest first.
const (
	// Error: the input does not do what it says, or the real tool refuses it.
	Error Severity = iota + 1
	// Warning: the input works today and will hurt.
	Warning
	// Info: worth knowing; nothing is wrong.
	Info
)

// String returns "error", "warning" or "info", and "invalid" for anything else.
func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	case Info:
		return "info"
	}
	return "invalid"
}

// MarshalText returns the name of the severity. It fails on an invalid one.
func (s Severity) MarshalText() ([]byte, error) {
	if s < Error || s > Info {
		return nil, fmt.Errorf("diag: severity %d is not one of error, warning, info", uint8(s))
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads the name of a severity: error, warning or info.
func (s *Severity) UnmarshalText(text []byte) error {
	for _, v := range []Severity{Error, Warning, Info} {
		if v.String() == string(text) {
			*s = v
			return nil
		}
	}
	return fmt.Errorf("diag: severity %q is not one of error, warning, info", text)
}

// Pos is a place in a source. The zero value means that the place is not known.
type Pos struct {
	// Offset counts the bytes before the place, from 0.
	Offset int `json:"offset"`
	// Line counts from 1; 0 means that the place is not known.
	Line int `json:"line"`
	// Column counts bytes from 1.
	Column int `json:"column"`
}

// IsValid reports whether the place is known.
func (p Pos) IsValid() bool { return p.Line > 0 }

// Range is the half-open stretch of bytes [Start, End) of a file. Start equal to
// End is a place between two bytes.
type Range struct {
	// File is the name as the caller gave it; empty when the source has none.
	File  string `json:"file"`
	Start Pos    `json:"start"`
	End   Pos    `json:"end"`
}

// String returns file:line:column of the start, without the parts not known.
func (r Range) String() string {
	switch {
	case !r.Start.IsValid():
		return r.File
	case r.File == "":
		return fmt.Sprintf("%d:%d", r.Start.Line, r.Start.Column)
	}
	return fmt.Sprintf("%s:%d:%d", r.File, r.Start.Line, r.Start.Column)
}

// Finding is one finding.
type Finding struct {
	// Rule is the stable identifier of the rule, such as KA001.
	Rule string `json:"rule"`
	// Severity of this finding; it may differ from the rule's usual one.
	Severity Severity `json:"severity"`
	// Range is what the finding is about.
	Range Range `json:"range"`
	// Message says in one line what is wrong.
	Message string `json:"message"`
	// Detail says what follows from it and what to do; it may be empty.
	Detail string `json:"detail,omitempty"`
	// Related names other places that belong to the finding.
	Related []Related `json:"related,omitempty"`
	// Fixes are alternatives; each by itself removes the finding.
	Fixes []Fix `json:"fixes,omitempty"`
}

// String returns the finding in one line: place, severity, message and rule.
func (d Finding) String() string {
	var b strings.Builder
	if at := d.Range.String(); at != "" {
		b.WriteString(at)
		b.WriteString(": ")
	}
	fmt.Fprintf(&b, "%s: %s", d.Severity, d.Message)
	if d.Rule != "" {
		fmt.Fprintf(&b, " [%s]", d.Rule)
	}
	return Sanitize(b.String())
}

// Error is String, so that a single finding can be returned as an error.
func (d Finding) Error() string { return d.String() }

// Related is a further place of a finding: the first definition, the other file.
type Related struct {
	Range   Range  `json:"range"`
	Message string `json:"message"`
}

// List is any number of findings. A List is an error; use [List.Err] to return
// one, so that an empty list is a nil error.
type List []Finding

// Error returns the first finding of the gravest severity and the number of
// others.
func (l List) Error() string {
	if len(l) == 0 {
		return "no findings"
	}
	first := slices.MinFunc(l, func(a, b Finding) int { return cmp.Compare(a.Severity, b.Severity) })
	if len(l) == 1 {
		return first.String()
	}
	return fmt.Sprintf("%s (and %d more)", first, len(l)-1)
}

// Err returns the list as an error when it holds a finding of severity Error,
// and nil otherwise.
func (l List) Err() error {
	if l.Count(Error) == 0 {
		return nil
	}
	return l
}

// Count returns the number of findings of that severity.
func (l List) Count(s Severity) int {
	n := 0
	for i := range l {
		if l[i].Severity == s {
			n++
		}
	}
	return n
}

// Sort orders the findings by file, offset, severity, rule and message. Findings
// equal in all of these keep their order.
func (l List) Sort() {
	slices.SortStableFunc(l, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(a.Range.File, b.Range.File),
			cmp.Compare(a.Range.Start.Offset, b.Range.Start.Offset),
			cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Message, b.Message),
		)
	})
}
