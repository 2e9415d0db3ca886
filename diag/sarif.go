package diag

import (
	"io"
	"net/url"
	"path/filepath"
	"slices"

	"dougu.internal/internal/jsontext"
)

// Tool describes the program that made the findings of a SARIF log.
type Tool struct {
	// Name is the name of the program.
	Name string
	// Version is the version of the program. It may be empty.
	Version string
	// Rules lists the rules. Findings of other rules are also written.
	Rules []Rule
}

// The types contain the part of SARIF 2.1.0 (OASIS, 27 March 2020) that is written.
// The comment of each type is its clause in the standard.
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
	sarifRegion struct { // 3.30: byte offsets in addition to the line, because columns there count characters
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
		Inserted *sarifContent `json:"insertedContent,omitempty"`
	}
	sarifContent struct { // 3.3
		Text   string `json:"text,omitempty"`
		Binary []byte `json:"binary,omitempty"`
	}
)

// WriteSARIF writes the findings to w as a SARIF 2.1.0 log with one run. A region
// contains the start line and the byte range. It contains no columns, because SARIF
// counts them in characters. If a severity is invalid, WriteSARIF fails and writes
// nothing.
func WriteSARIF(w io.Writer, tool Tool, list List) error {
	for i := range list {
		if _, err := list[i].Severity.MarshalText(); err != nil {
			return errs.Errorf("encode SARIF: %w", err)
		}
	}
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
	return writeIndented(w, "SARIF log", sarifLog{
		Version: "2.1.0",
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
		Runs:    []sarifRun{run},
	})
}

func result(rules []Rule, f Finding) sarifResult {
	text := f.Message
	if f.Detail != "" {
		text += "\n" + f.Detail
	}
	r := sarifResult{RuleID: f.Rule, Level: level(f.Severity), Message: sarifMessage{text}}
	if i := slices.IndexFunc(rules, func(x Rule) bool { return x.ID == f.Rule }); i >= 0 {
		r.RuleIndex = &i
	}
	if l, ok := location(f.Range); ok {
		r.Locations = []sarifLocation{l}
	}
	for _, rel := range f.Related {
		if l, ok := location(rel.Range); ok {
			l.Message = &sarifMessage{rel.Message}
			r.Related = append(r.Related, l)
		}
	}
	for _, x := range f.Fixes {
		r.Fixes = append(r.Fixes, fix(x))
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
			rep.Inserted = content(e.NewText)
		}
		out.Changes[i].Replacements = append(out.Changes[i].Replacements, rep)
	}
	return out
}

// content returns text as it is if JSON can represent it, and as bytes otherwise.
func content(text string) *sarifContent {
	if jsontext.NeedsEscape(text) {
		return &sarifContent{Binary: []byte(text)}
	}
	return &sarifContent{Text: text}
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
	length := max(0, r.End.Offset-r.Start.Offset)
	return sarifRegion{StartLine: r.Start.Line, ByteOffset: r.Start.Offset, ByteLength: length}
}

// uri converts a file name to a URI reference (SARIF 3.4.3). The result of a relative
// name is relative.
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
