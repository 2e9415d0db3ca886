package diag

import (
	"cmp"
	"slices"
)

// Fix is a set of edits that removes a finding. The edits must be applied together, to
// the source that the linter read.
type Fix struct {
	// Message is a phrase in the imperative, for example "quote the address".
	Message string `json:"message"`
	// Edits lists the edits in any order. They do not overlap and may be in several
	// files.
	Edits []Edit `json:"edits"`
}

// Edit replaces the bytes of Range by NewText. If the range is empty, the text is
// inserted. If the text is empty, the bytes are deleted.
type Edit struct {
	Range   Range  `json:"range"`
	NewText string `json:"newText"`
}

// Apply returns a copy of src to which the edits of the named file are applied. It
// ignores edits of other files. Insertions at the same position are made in the order
// of the slice. Apply returns an error if an edit is outside src or if two edits
// overlap.
func Apply(src []byte, file string, edits []Edit) ([]byte, error) {
	var own []Edit
	for _, e := range edits {
		if e.Range.File == file {
			own = append(own, e)
		}
	}
	slices.SortStableFunc(own, func(a, b Edit) int {
		return cmp.Or(
			cmp.Compare(a.Range.Start.Offset, b.Range.Start.Offset),
			cmp.Compare(a.Range.End.Offset, b.Range.End.Offset),
		)
	})
	var out []byte
	at := 0
	for _, e := range own {
		from, to := e.Range.Start.Offset, e.Range.End.Offset
		switch {
		case from < 0 || from > to || to > len(src):
			return nil, errs.Errorf("edit of bytes %d to %d is outside %q, which has %d bytes", from, to, file, len(src))
		case from < at:
			return nil, errs.Errorf("two edits of %q overlap at byte %d", file, from)
		}
		out = append(out, src[at:from]...)
		out = append(out, e.NewText...)
		at = to
	}
	return append(out, src[at:]...), nil
}

// ApplyFixes applies the first fix of each finding, in the order of the list. It skips
// a fix that overlaps with an earlier one. It returns the new text of the named file
// and the number of applied fixes. The caller should lint the result again, because a
// fix can reveal further findings.
func ApplyFixes(src []byte, file string, list List) ([]byte, int, error) {
	var edits []Edit
	n := 0
	for _, d := range list {
		if len(d.Fixes) == 0 || !touches(d.Fixes[0], file) || clashes(edits, d.Fixes[0].Edits) {
			continue
		}
		edits = append(edits, d.Fixes[0].Edits...)
		n++
	}
	out, err := Apply(src, file, edits)
	if err != nil {
		return nil, 0, err
	}
	return out, n, nil
}

func touches(f Fix, file string) bool {
	return slices.ContainsFunc(f.Edits, func(e Edit) bool { return e.Range.File == file })
}

// clashes reports whether an edit of more shares a byte or a position of insertion with
// an edit of taken.
func clashes(taken, more []Edit) bool {
	for _, a := range taken {
		for _, b := range more {
			if a.Range.File != b.Range.File {
				continue
			}
			if a.Range.Start.Offset == b.Range.Start.Offset ||
				a.Range.Start.Offset < b.Range.End.Offset && b.Range.Start.Offset < a.Range.End.Offset {
				return true
			}
		}
	}
	return false
}
