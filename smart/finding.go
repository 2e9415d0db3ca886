package smart

import (
	"fmt"
	"time"

	"dougu.internal/diag"
	"dougu.internal/internal/enum"
	"dougu.internal/internal/jsontext"
)

// The severities of findings about disks. Their names in text and in JSON are act,
// watch and info; see [SeverityName].
const (
	// Act means that the disk must be replaced or protected from what harms it.
	Act = diag.Error
	// Watch means that the disk must be checked again.
	Watch = diag.Warning
	// Info means that nothing is wrong.
	Info = diag.Info
)

var severities = enum.Names[diag.Severity]{Type: "smart: severity", Words: map[diag.Severity]string{
	Act: "act", Watch: "watch", Info: "info",
}}

// SeverityName returns the name of a severity for findings about disks: act, watch
// or info. It returns "invalid" for other values.
func SeverityName(s diag.Severity) string {
	if name, ok := severities.Words[s]; ok {
		return name
	}
	return "invalid"
}

// Finding is a finding about a disk.
type Finding struct {
	// Rule is the identifier of the rule; see [Rules].
	Rule string
	// Key identifies the finding among the findings of a disk. It consists of the
	// rule and, if the rule can report several things, of the thing, for example
	// "reallocated-sectors/attribute-5". The key of a finding is the same in all
	// snapshots of the disk.
	Key string
	// Severity is [Act], [Watch] or [Info].
	Severity diag.Severity
	// Detail describes the problem and the remedy.
	Detail string
	// Evidence is the value that caused the finding.
	Evidence string
	// Source is the place of the value, for example the name of an attribute.
	Source string
	// Attribute is the identifier of the ATA attribute. It is 0 for other findings.
	Attribute uint8
	// Value is the value as a number, if the finding is about a number.
	Value Opt[float64]
	// Unit is the unit of Value, for example "C", "%" or "sectors". It is empty for a
	// number without a unit.
	Unit string
	// Since is the time of the snapshot. The zero time means that it is unknown.
	Since time.Time
	// Past means that the finding is about an earlier condition.
	Past bool
}

// jsonFinding is the form of a finding in JSON.
type jsonFinding struct {
	Rule      string       `json:"rule"`
	Key       string       `json:"key,omitzero"`
	Severity  string       `json:"severity,omitzero"`
	Detail    string       `json:"detail,omitzero"`
	Evidence  string       `json:"evidence,omitzero"`
	Source    string       `json:"source,omitzero"`
	Attribute uint8        `json:"attribute,omitzero"`
	Value     Opt[float64] `json:"value,omitzero"`
	Unit      string       `json:"unit,omitzero"`
	Since     time.Time    `json:"since,omitzero"`
	Past      bool         `json:"past,omitzero"`
}

// MarshalJSON returns the finding as a JSON object. Its severity is act, watch or
// info. Absent values are left out.
func (f Finding) MarshalJSON() ([]byte, error) {
	j := jsonFinding{
		Rule: f.Rule, Key: f.Key, Detail: f.Detail, Evidence: f.Evidence, Source: f.Source,
		Attribute: f.Attribute, Value: f.Value, Unit: f.Unit, Since: f.Since, Past: f.Past,
	}
	if f.Severity != 0 {
		text, err := severities.Text(f.Severity)
		if err != nil {
			return nil, err
		}
		j.Severity = string(text)
	}
	return jsontext.Marshal(j)
}

// UnmarshalJSON sets the finding from the output of [Finding.MarshalJSON].
func (f *Finding) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	var j jsonFinding
	if err := jsontext.Unmarshal(b, &j); err != nil {
		return err
	}
	var severity diag.Severity
	if j.Severity != "" {
		if err := severities.Parse([]byte(j.Severity), &severity); err != nil {
			return err
		}
	}
	*f = Finding{
		Rule: j.Rule, Key: j.Key, Severity: severity, Detail: j.Detail, Evidence: j.Evidence, Source: j.Source,
		Attribute: j.Attribute, Value: j.Value, Unit: j.Unit, Since: j.Since, Past: j.Past,
	}
	return nil
}

// String returns the finding in one line: severity, rule, detail, evidence and source.
// Control characters are replaced as by [diag.Sanitize].
func (f Finding) String() string {
	s := fmt.Sprintf("%s %s: %s", SeverityName(f.Severity), f.Rule, f.Detail)
	if f.Evidence != "" || f.Source != "" {
		s += fmt.Sprintf(" (%s; %s)", f.Evidence, f.Source)
	}
	return diag.Sanitize(s)
}

// Diag returns the finding in the form of package diag, which prints it as text,
// JSON or SARIF. Its severity has the name of package diag there: error, warning or
// info. Its range is empty.
func (f Finding) Diag() diag.Finding {
	d := diag.Finding{Rule: f.Rule, Severity: f.Severity, Message: f.Detail}
	switch {
	case f.Evidence != "" && f.Source != "":
		d.Detail = f.Evidence + "; " + f.Source
	default:
		d.Detail = f.Evidence + f.Source
	}
	return d
}

// Findings is a list of findings.
type Findings []Finding

// MarshalJSON returns a JSON array. An empty list, also a nil one, is [].
func (l Findings) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return jsontext.Marshal([]Finding(l))
}

// Diag returns the findings in the form of package diag, in the same order.
func (l Findings) Diag() diag.List {
	out := make(diag.List, len(l))
	for i := range l {
		out[i] = l[i].Diag()
	}
	return out
}
