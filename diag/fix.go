package diag

import (
	"cmp"
	"fmt"
	"slices"
)

// Fix is one way to remove a finding. Its edits belong together and speak of the
// source as it was when the finding was made.
type Fix struct {
	// Message is a phrase that begins with a verb: "quote the address".
	Message string `json:"message"`
	// Edits do not overlap; they may be in any order and in several files.
	Edits []Edit `json:"edits"`
}

// Edit replaces the bytes of Range by NewText. An empty range inserts, an empty
// text deletes.
type Edit struct {
	Range   Range  `json:"range"`
	NewText string `json:"newText"`
}

// Apply returns a copy of src with the edits of that file made. Edits of other
// files are passed over. Two insertions at one place are made in the order given.
// It fails, and returns nil, when an edit lies outside src or two edits overlap.
func Apply(src []byte, file string, edits []Edit) ([]byte, error) {
	var own []Edit
	for _, e := range edits {
		if e.Range.File == file {
			own = append(own, e)
		}
	}
	slices.SortStableFunc(own, func(a, b Edit) int {
		return cmp.Or(cmp.Compare(a.Range.Start.Offset, b.Range.Start.Offset), cmp.Compare(a.Range.End.Offset, b.Range.End.Offset))
	})
	var out []byte
	at := 0
	for _, e := range own {
		from, to := e.Range.Start.Offset, e.Range.End.Offset
		switch {
		case from < 0 || from > to || to > len(src):
			return nil, fmt.Errorf("diag: edit of bytes %d to %d lies outside %q, which has %d bytes", from, to, file, len(src))
		case from < at:
			return nil, fmt.Errorf("diag: two edits of %q overlap at byte %d", file, from)
		}
		out = append(out, src[at:from]...)
		out = append(out, e.NewText...)
		at = to
	}
	return append(out, src[at:]...), nil
}

// ApplyFixes makes, for each finding in the order of the list, its first fix,
// unless that fix overlaps with one already taken. It returns the new text of the
// file and the number of fixes made. Lint the result again: a fix may uncover
// more.
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

// clashes reports whether a new edit shares a byte or a place of insertion with
// one already taken.
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
