package diag

import (
	"bytes"
	"sort"
)

// Lines converts the offsets of a source to lines and columns. A conversion takes
// logarithmic time.
type Lines struct {
	src    []byte
	starts []int
}

// NewLines returns the Lines of src. A line ends with LF, which belongs to the line. The
// result refers to src, which must not be changed.
func NewLines(src []byte) *Lines {
	l := &Lines{src: src, starts: make([]int, 1, 1+bytes.Count(src, []byte{'\n'}))}
	for at := 0; ; {
		i := bytes.IndexByte(src[at:], '\n')
		if i < 0 {
			return l
		}
		at += i + 1
		l.starts = append(l.starts, at)
	}
}

// Pos returns the position of an offset. An offset outside the source is replaced by
// the start or the end of the source.
func (l *Lines) Pos(offset int) Pos {
	offset = max(0, min(offset, len(l.src)))
	line := sort.SearchInts(l.starts, offset+1)
	return Pos{Offset: offset, Line: line, Column: offset - l.starts[line-1] + 1}
}

// Range returns the range of the bytes [from, to) of the named file.
func (l *Lines) Range(file string, from, to int) Range {
	return Range{File: file, Start: l.Pos(from), End: l.Pos(to)}
}

// Line returns line n, counted from 1, without its LF or CRLF. It returns nil if the
// line does not exist.
func (l *Lines) Line(n int) []byte {
	if n < 1 || n > len(l.starts) {
		return nil
	}
	end := len(l.src)
	if n < len(l.starts) {
		end = l.starts[n] - 1
	}
	return bytes.TrimSuffix(l.src[l.starts[n-1]:end], []byte{'\r'})
}
