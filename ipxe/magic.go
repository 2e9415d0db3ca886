package ipxe

import (
	"bytes"

	"dougu.internal/diag"
)

// IsScript reports whether iPXE takes the bytes for a script: the first ones are
// #!ipxe or #!gpxe and then white space.
func IsScript(b []byte) bool {
	return len(b) >= 7 && b[0] == '#' && b[1] == '!' && (b[2] == 'i' || b[2] == 'g') &&
		string(b[3:6]) == "pxe" && isSpace(b[6])
}

// Executable returns nil if iPXE recognizes the file as a script. Otherwise it returns an
// error that wraps a [diag.Finding]. A BIOS build of iPXE runs such a file as machine code.
func (s *Script) Executable() error {
	if IsScript(s.src) {
		return nil
	}
	return errs.Wrap(notAScript(s))
}

func notAScript(s *Script) diag.Finding {
	d := diag.Finding{Rule: "IP101", Severity: diag.Error, Range: s.Span(0, 0)}
	b := s.src
	const detail = "iPXE looks at the first bytes alone; a BIOS build runs a file without them as machine code, and the machine hangs"
	d.Detail = detail
	edit := func(message string, from, to int, text string) {
		d.Fixes = []diag.Fix{{Message: message, Edits: []diag.Edit{{Range: s.Span(from, to), NewText: text}}}}
	}
	lead := len(b) - len(bytes.TrimLeft(b, " \t\r\n\v\f"))
	switch {
	case len(b) == 0:
		d.Message = "the file is empty"
		edit("begin with #!ipxe", 0, 0, "#!ipxe\n")
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		d.Message = "a byte order mark stands before #!ipxe"
		d.Range = s.Span(0, 3)
		edit("delete the byte order mark", 0, 3, "")
	case string(b) == "#!ipxe" || string(b) == "#!gpxe":
		d.Message = string(b) + " without white space after it is no script"
		edit("end the line", len(b), len(b), "\n")
	case lead > 0 && IsScript(b[lead:]):
		d.Message = "white space stands before #!ipxe"
		d.Range = s.Span(0, lead)
		edit("delete it", 0, lead, "")
	case bytes.HasPrefix(b, []byte("#!ipxe")) || bytes.HasPrefix(b, []byte("#!gpxe")):
		d.Message = "#!ipxe must be followed by white space"
		edit("put a blank", 6, 6, " ")
	case len(b) >= 6 && bytes.EqualFold(b[:6], []byte("#!ipxe")):
		d.Message = "#!ipxe is written in lower case"
		edit("write it in lower case", 0, 6, "#!ipxe")
	case lead < len(b) && b[lead] == '<':
		d.Message = "the file looks like HTML or XML, not like a script"
	default:
		d.Message = "the first line is not #!ipxe"
		edit("begin with #!ipxe", 0, 0, "#!ipxe\n")
	}
	return d
}
