package diag

import (
	"bytes"
	"encoding/json"
	"io"

	"dougu.internal/internal/jsontext"
)

// jsonFinding is the form of a finding in the output of programs. The position is
// divided into file, start and end.
type jsonFinding struct {
	Rule     string    `json:"rule"`
	Severity Severity  `json:"severity"`
	File     string    `json:"file"`
	Start    Pos       `json:"start"`
	End      Pos       `json:"end"`
	Message  string    `json:"message"`
	Detail   string    `json:"detail,omitempty"`
	Related  []Related `json:"related,omitempty"`
	Fixes    []Fix     `json:"fixes"`
}

// WriteJSON writes the findings to w as one JSON array. Each element is an object with
// rule, severity, file, start, end, message, detail, related and fixes; start and end
// are objects with offset, line and column. An empty list is written as []. If a
// severity is invalid, WriteJSON fails and writes nothing.
//
// The form is meant for the output of programs. The JSON of a [Finding] itself differs
// from it: it has the member range instead of file, start and end.
func WriteJSON(w io.Writer, list List) error {
	out := make([]jsonFinding, len(list))
	for i, f := range list {
		out[i] = jsonFinding{
			Rule: f.Rule, Severity: f.Severity, File: f.Range.File, Start: f.Range.Start, End: f.Range.End,
			Message: f.Message, Detail: f.Detail, Related: f.Related, Fixes: f.Fixes,
		}
		if f.Fixes == nil {
			out[i].Fixes = []Fix{}
		}
	}
	return writeIndented(w, "findings", out)
}

func writeIndented(w io.Writer, what string, v any) error {
	line, err := jsontext.Marshal(v)
	if err != nil {
		return errs.Wrap(err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, line, "", "  "); err != nil {
		return errs.Errorf("encode the %s: %w", what, err)
	}
	b.WriteByte('\n')
	if _, err := w.Write(b.Bytes()); err != nil {
		return errs.Errorf("write the %s: %w", what, err)
	}
	return nil
}
