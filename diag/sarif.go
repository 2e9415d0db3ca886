package diag

import (
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// Tool describes the linter in SARIF output.
type Tool struct {
	// Name and Version of the program, as a reader of the report knows it.
	Name, Version string
	// Rules describes the rules; findings of a rule not listed are still written.
	Rules []Rule
}

// Rule describes a rule: what a catalogue of rules prints.
type Rule struct {
	// ID is the stable identifier, such as KA001.
	ID string `json:"id"`
	// Severity is the usual one.
	Severity Severity `json:"severity"`
	// Summary says in one line what the rule finds.
	Summary string `json:"summary"`
	// Help says why it matters and what to do; it may be empty.
	Help string `json:"help,omitempty"`
	// Bad is an example of input that the rule reports. It may be empty.
	Bad string `json:"bad,omitempty"`
	// Good is the example without the problem. It may be empty.
	Good string `json:"good,omitempty"`
}

// The part of SARIF 2.1.0 (OASIS, 27 March 2020) that is written; the clause of
// each object stands beside it.
type (
	sarifLog struct { // 3.13
		Version string     `json:"version"`
		Schema  string     `json:"$schema"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct { // 3.14
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind,omitempty"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct { // 3.18
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct { // 3.19
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct { // 3.49
		ID      string       `json:"id"`
		Short   sarifMessage `json:"shortDescription"`
		Help    sarifMessage `json:"help"`
		Default sarifLevel   `json:"defaultConfiguration"`
	}
	sarifLevel struct { // 3.50
		Level string `json:"level"`
	}
	sarifMessage struct { // 3.11
		Text string `json:"text"`
	}
	sarifResult struct { // 3.27
		RuleID    string          `json:"ruleId"`
		RuleIndex *int            `json:"ruleIndex,omitempty"`
		Level     string          `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
		Related   []sarifLocation `json:"relatedLocations,omitempty"`
		Fixes     []sarifFix      `json:"fixes,omitempty"`
	}
	sarifLocation struct { // 3.28
		Physical sarifPhysical `json:"physicalLocation"`
		Message  *sarifMessage `json:"message,omitempty"`
	}
	sarifPhysical struct { // 3.29
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct { // 3.4
		URI string `json:"uri"`
	}
	sarifRegion struct { // 3.30: byte offsets beside the line, since columns there count characters
		StartLine  int `json:"startLine,omitempty"`
		ByteOffset int `json:"byteOffset"`
		ByteLength int `json:"byteLength"`
	}
	sarifFix struct { // 3.55
		Description sarifMessage  `json:"description"`
		Changes     []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct { // 3.56
		Artifact     sarifArtifact      `json:"artifactLocation"`
		Replacements []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct { // 3.57
		Deleted  sarifRegion   `json:"deletedRegion"`
		Inserted *sarifMessage `json:"insertedContent,omitempty"`
	}
)

// WriteSARIF prints the findings as a SARIF 2.1.0 log with one run. Regions give
// the start line and the byte range; columns, which SARIF counts in characters,
// are left to the reader.
func WriteSARIF(w io.Writer, tool Tool, list List) error {
	run := sarifRun{
		Tool:    sarifTool{Driver: sarifDriver{Name: tool.Name, Version: tool.Version, Rules: []sarifRule{}}},
		Results: []sarifResult{},
	}
	for _, r := range tool.Rules {
		help := r.Help
		if help == "" {
			help = r.Summary
		}
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: r.ID, Short: sarifMessage{r.Summary}, Help: sarifMessage{help}, Default: sarifLevel{level(r.Severity)},
		})
	}
	for _, d := range list {
		run.Results = append(run.Results, result(tool.Rules, d))
	}
	return writeIndented(w, sarifLog{
		Version: "2.1.0",
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
		Runs:    []sarifRun{run},
	})
}

func result(rules []Rule, d Finding) sarifResult {
	text := d.Message
	if d.Detail != "" {
		text += "\n" + d.Detail
	}
	r := sarifResult{RuleID: d.Rule, Level: level(d.Severity), Message: sarifMessage{strings.ToValidUTF8(text, "\uFFFD")}}
	if i := slices.IndexFunc(rules, func(x Rule) bool { return x.ID == d.Rule }); i >= 0 {
		r.RuleIndex = &i
	}
	if l, ok := location(d.Range); ok {
		r.Locations = []sarifLocation{l}
	}
	for _, rel := range d.Related {
		if l, ok := location(rel.Range); ok {
			l.Message = &sarifMessage{rel.Message}
			r.Related = append(r.Related, l)
		}
	}
	for _, f := range d.Fixes {
		r.Fixes = append(r.Fixes, fix(f))
	}
	return r
}

func fix(f Fix) sarifFix {
	out := sarifFix{Description: sarifMessage{f.Message}}
	at := map[string]int{}
	for _, e := range f.Edits {
		i, ok := at[e.Range.File]
		if !ok {
			i = len(out.Changes)
			at[e.Range.File] = i
			out.Changes = append(out.Changes, sarifChange{Artifact: sarifArtifact{uri(e.Range.File)}})
		}
		rep := sarifReplacement{Deleted: region(e.Range)}
		if e.NewText != "" {
			rep.Inserted = &sarifMessage{e.NewText}
		}
		out.Changes[i].Replacements = append(out.Changes[i].Replacements, rep)
	}
	return out
}

func location(r Range) (sarifLocation, bool) {
	if r.File == "" && !r.Start.IsValid() {
		return sarifLocation{}, false
	}
	l := sarifLocation{Physical: sarifPhysical{Artifact: sarifArtifact{uri(r.File)}}}
	if r.Start.IsValid() {
		reg := region(r)
		l.Physical.Region = &reg
	}
	return l, true
}

func region(r Range) sarifRegion {
	return sarifRegion{StartLine: r.Start.Line, ByteOffset: r.Start.Offset, ByteLength: max(0, r.End.Offset-r.Start.Offset)}
}

// uri turns a file name into a URI reference (3.4.3): relative names stay relative.
func uri(file string) string {
	u := url.URL{Path: filepath.ToSlash(file)}
	if filepath.IsAbs(file) {
		u.Scheme = "file"
	}
	return u.String()
}

func level(s Severity) string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	}
	return "note"
}
