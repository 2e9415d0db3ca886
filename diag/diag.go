package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"dougu.internal/internal/jsontext"
)

// Pos is a position in a source. The zero value is an unknown position.
type Pos struct {
	// Offset is the number of bytes before the position.
	Offset int `json:"offset"`
	// Line is the line, counted from 1. It is 0 if the position is unknown.
	Line int `json:"line"`
	// Column is the byte in the line, counted from 1.
	Column int `json:"column"`
}

// IsValid reports whether the position is known.
func (p Pos) IsValid() bool { return p.Line > 0 }

// Range is the half-open range of bytes [Start, End) of a file. If Start and End are
// equal, the range is the position between two bytes.
type Range struct {
	// File is the name of the file as the caller passed it. It is empty if the source
	// has no name.
	File  string `json:"file"`
	Start Pos    `json:"start"`
	End   Pos    `json:"end"`
}

// String returns file:line:column of the start, without the unknown parts.
func (r Range) String() string {
	switch {
	case !r.Start.IsValid():
		return r.File
	case r.File == "":
		return fmt.Sprintf("%d:%d", r.Start.Line, r.Start.Column)
	}
	return fmt.Sprintf("%s:%d:%d", r.File, r.Start.Line, r.Start.Column)
}

// Rule describes a rule of a linter.
type Rule struct {
	// ID is the identifier, for example KA001. It never changes.
	ID string `json:"id"`
	// Severity is the severity of most findings of the rule.
	Severity Severity `json:"severity"`
	// Summary describes in one line what the rule reports.
	Summary string `json:"summary"`
	// Help describes the consequences and the remedy. It may be empty.
	Help string `json:"help,omitempty"`
	// Bad is an example of input that the rule reports. It may be empty.
	Bad string `json:"bad,omitempty"`
	// Good is the example without the problem. It may be empty.
	Good string `json:"good,omitempty"`
}

// Finding is a problem that a linter found in a source.
type Finding struct {
	// Rule is the ID of the rule.
	Rule string `json:"rule"`
	// Severity is the severity of this finding. It may differ from the severity of
	// the rule.
	Severity Severity `json:"severity"`
	// Range is the part of the source that the finding is about.
	Range Range `json:"range"`
	// Message describes the problem in one line.
	Message string `json:"message"`
	// Detail describes the consequences and the remedy. It may be empty.
	Detail string `json:"detail,omitzero"`
	// Related lists other positions that belong to the finding.
	Related []Related `json:"related,omitzero"`
	// Fixes lists alternative fixes. Each of them removes the finding.
	Fixes []Fix `json:"fixes,omitzero"`
}

// Related is another position that belongs to a finding, for example that of the
// first of two definitions.
type Related struct {
	Range   Range  `json:"range"`
	Message string `json:"message"`
}

// String returns the finding in one line: position, severity, message and rule.
func (f Finding) String() string {
	var b strings.Builder
	if at := f.Range.String(); at != "" {
		b.WriteString(at)
		b.WriteString(": ")
	}
	fmt.Fprintf(&b, "%s: %s", f.Severity, f.Message)
	if f.Rule != "" {
		fmt.Fprintf(&b, " [%s]", f.Rule)
	}
	return Sanitize(b.String())
}

// Error returns the same text as String. A single finding can be used as an error.
func (f Finding) Error() string { return f.String() }

// MarshalJSON returns the finding as a JSON object. It fails if the severity is
// invalid. A type that embeds a Finding inherits this method, and its own fields are left
// out; use a named field instead.
func (f Finding) MarshalJSON() ([]byte, error) {
	type plain Finding
	return jsontext.Marshal(plain(f))
}

// UnmarshalJSON sets the finding from the output of [Finding.MarshalJSON], or from an
// element of the array that [WriteJSON] prints.
func (f *Finding) UnmarshalJSON(b []byte) error {
	type plain Finding
	if err := jsontext.Unmarshal(b, (*plain)(f)); err != nil {
		return err
	}
	var printed struct {
		File  *string `json:"file"`
		Start *Pos    `json:"start"`
		End   *Pos    `json:"end"`
	}
	if err := jsontext.Unmarshal(b, &printed); err != nil {
		return err
	}
	if printed.File != nil {
		f.Range.File = *printed.File
	}
	if printed.Start != nil {
		f.Range.Start = *printed.Start
	}
	if printed.End != nil {
		f.Range.End = *printed.End
	}
	return nil
}

// List is a list of findings. It implements error; use [List.Err] to return it as one,
// so that an empty list becomes a nil error.
type List []Finding

// Error returns the most severe finding. If the list has more findings, their number
// is appended.
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

// Err returns the list if it contains a finding of severity [Error], and nil
// otherwise.
func (l List) Err() error {
	if l.Count(Error) == 0 {
		return nil
	}
	return l
}

// MarshalJSON returns a JSON array. An empty list, also a nil one, is [].
func (l List) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return jsontext.Marshal([]Finding(l))
}

// Count returns the number of findings of severity s.
func (l List) Count(s Severity) int {
	n := 0
	for i := range l {
		if l[i].Severity == s {
			n++
		}
	}
	return n
}

// Sort sorts the findings by file, offset, severity, rule and message. Findings that
// are equal in all of these keep their order.
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
