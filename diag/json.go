package diag

import (
	"encoding/json"
	"io"
)

// jsonFinding is the stable form of machine output: the place is spread into
// file, start and end.
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

// WriteJSON prints the findings as one JSON array, each an object with rule,
// severity, file, start and end (line, column, offset), message, detail, related
// and fixes. An empty list is [], never null.
func WriteJSON(w io.Writer, list List) error {
	out := make([]jsonFinding, len(list))
	for i, d := range list {
		out[i] = jsonFinding{
			Rule: d.Rule, Severity: d.Severity, File: d.Range.File, Start: d.Range.Start, End: d.Range.End,
			Message: d.Message, Detail: d.Detail, Related: d.Related, Fixes: d.Fixes,
		}
		if d.Fixes == nil {
			out[i].Fixes = []Fix{}
		}
	}
	return writeIndented(w, out)
}

func writeIndented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
