package diag

import (
	"dougu.internal/internal/enum"
	"dougu.internal/internal/errtext"
)

// errs makes the errors of the package.
const errs = errtext.Package("diag")

// Severity is the severity of a finding. The zero value is invalid. More severe
// findings have smaller numbers.
type Severity uint8

// The severities, most severe first.
const (
	// Error means that the input is rejected or does not have the intended effect.
	Error Severity = iota + 1
	// Warning means that the input is accepted but is likely to cause a failure.
	Warning
	// Info means that the input is correct and that the finding is a remark.
	Info
)

var severities = enum.Names[Severity]{Type: "diag: severity", Words: map[Severity]string{
	Error: "error", Warning: "warning", Info: "info",
}}

// String returns "error", "warning" or "info". It returns "invalid" for other values.
func (s Severity) String() string {
	if word, ok := severities.Words[s]; ok {
		return word
	}
	return "invalid"
}

// MarshalText returns the name of the severity. It fails if s is invalid.
func (s Severity) MarshalText() ([]byte, error) { return severities.Text(s) }

// UnmarshalText sets s from the name of a severity: error, warning or info.
func (s *Severity) UnmarshalText(text []byte) error { return severities.Parse(text, s) }
