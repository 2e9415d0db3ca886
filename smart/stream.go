package smart

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"

	"dougu.internal/smart/internal/scan"
)

// Read returns the snapshots of a stream one by one: JSON documents and outputs of
// smartctl or nvme-cli, one after the other, as a collector of many drives receives them.
// It holds one output at a time, so that the stream may contain any number of drives.
// [Parse] reads more forms and up to 4096 drives.
//
// An output that cannot be read is an error with the line at which it starts; the stream
// continues after it. The last element is an error if r fails.
func Read(r io.Reader) iter.Seq2[*Snapshot, error] {
	return func(yield func(*Snapshot, error) bool) {
		s := splitter{yield: yield}
		in := bufio.NewReaderSize(r, scan.MaxLine)
		for {
			l, err := in.ReadSlice('\n')
			if !s.line(l, errors.Is(err, bufio.ErrBufferFull)) {
				return
			}
			if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				if !s.end() || errors.Is(err, io.EOF) {
					return
				}
				yield(nil, errs.Errorf("read: %w", err))
				return
			}
		}
	}
}

// splitter finds the ends of outputs.
type splitter struct {
	yield func(*Snapshot, error) bool
	buf   []byte
	lines int // read so far
	start int // line at which the output starts
	json  braces
	part  bool // the line continues
	large bool
}

// line takes a line, or a part of a long one.
func (s *splitter) line(l []byte, part bool) bool {
	first := !s.part
	if s.part = part; first {
		s.lines++
	}
	trimmed := bytes.TrimLeft(l, " \t\r\n")
	switch {
	case s.json.depth > 0:
	case first && len(trimmed) > 0 && trimmed[0] == '{', first && textStart(trimmed):
		if !s.end() {
			return false
		}
	}
	if s.json.depth == 0 && !(first && len(trimmed) > 0 && trimmed[0] == '{') {
		s.add(l)
		return true
	}
	for len(l) > 0 { // several documents can be on one line
		n, closed := s.json.feed(l)
		s.add(l[:n])
		l = l[n:]
		if closed {
			if !s.end() {
				return false
			}
			if next := bytes.TrimLeft(l, " \t\r\n,]"); len(next) == 0 || next[0] != '{' {
				return true
			}
		}
	}
	return true
}

func (s *splitter) add(l []byte) {
	if len(s.buf) == 0 {
		s.start = s.lines
	}
	if len(s.buf)+len(l) > maxDocument {
		s.large = true
		return
	}
	s.buf = append(s.buf, l...)
}

// textStart reports whether a line starts an output in text form.
func textStart(l []byte) bool {
	rest, ok := scan.After(l, "smartctl ")
	if !ok {
		return scan.Starts(l, "Smart Log for NVME device:")
	}
	rest = bytes.TrimPrefix(bytes.TrimPrefix(rest, []byte("version ")), []byte("pre-"))
	return len(rest) > 0 && scan.Digit(rest[0])
}

// end reads the output that is complete.
func (s *splitter) end() bool {
	b, large, start := s.buf, s.large, s.start
	s.buf, s.large, s.json = s.buf[:0], false, braces{}
	switch {
	case large:
		return s.yield(nil, errs.Errorf("line %d: the output is larger than %d bytes", start, maxDocument))
	case len(bytes.TrimSpace(b)) == 0:
		return true
	}
	list, err := ParseBytes(b, nil)
	for _, d := range list {
		d.Source.Line += start - 1
		if !s.yield(d, nil) {
			return false
		}
	}
	if err != nil && !errors.Is(err, ErrNoData) {
		return s.yield(nil, errs.Errorf("line %d: %w", start, err))
	}
	return true
}

// braces counts the open braces of a JSON document.
type braces struct {
	depth  int
	quoted bool
	escape bool
}

// feed reads bytes up to the brace that closes the document, and returns their number.
func (b *braces) feed(l []byte) (n int, closed bool) {
	for i, c := range l {
		switch {
		case b.escape:
			b.escape = false
		case b.quoted:
			switch c {
			case '\\':
				b.escape = true
			case '"':
				b.quoted = false
			}
		case c == '"':
			b.quoted = b.depth > 0
		case c == '{':
			b.depth++
		case c == '}' && b.depth > 0:
			if b.depth--; b.depth == 0 {
				return i + 1, true
			}
		}
	}
	return len(l), false
}
