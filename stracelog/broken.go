package stracelog

import "bytes"

// maxBroken bounds the notes that one line may be interrupted by.
const maxBroken = 64

// rejoin puts together a line that notes of strace broke in two, as happens without -o:
//
//	clone(...|SIGCHLDstrace: Process 1320 attached
//	, child_tidptr=0x7f) = 1320
//
// The pieces count as one line only when together they are a clean one; else the event stays as it was read.
func (r *Reader) rejoin(e *Event, axis timeline) {
	v := r.line1(e.raw)
	p := noteStart(v)
	if p <= 0 {
		return
	}
	first := len(e.raw)
	head := append(r.joined[:0], v[:p]...)
	notes := append(r.notes[:0], v[p:]...)
	defer func() { r.joined, r.notes = head, notes }()
	if !attachNote(notes) {
		return
	}
	for n, lines := first, 2; lines <= maxBroken; lines++ {
		m := r.lineEnd(n)
		if m == 0 || m > r.maxLine {
			break
		}
		next := r.line1(r.buf[r.start+n : r.start+m])
		n = m
		if p := noteStart(next); p >= 0 && attachNote(next[p:]) {
			head = append(head, next[:p]...)
			notes = append(append(notes, '\n'), next[p:]...)
			continue
		}
		if len(next) == 0 || r.alone(next) {
			break // not the rest of this line
		}
		head = append(head, next...)
		keep := r.axis
		r.axis = axis
		e.raw = r.buf[r.start : r.start+n]
		r.rare = true
		r.reset(e)
		r.view(e, head)
		if e.Kind == Syscall && e.Err == nil {
			e.Flags |= Broken
			if r.sawEsc && bytes.IndexByte(e.raw, 0x1b) >= 0 {
				e.Flags |= Coloured
			}
			e.Lines = lines
			e.Note = notes
			r.rare = true
			return
		}
		r.axis = keep
		break
	}
	// Not one line: read the first piece again, whose memory may have moved.
	e.raw = r.buf[r.start : r.start+first]
	r.rare = true
	r.reset(e)
	r.axis = axis
	r.view(e, r.line1(e.raw))
}

// alone reports whether v is a call by itself.
func (r *Reader) alone(v []byte) bool {
	probe := Reader{maxLine: len(v) + 1, openLine: -1, line: 1}
	e := Event{NR: -1, Line: 2}
	probe.view(&e, v)
	return e.Kind != Unknown && e.Err == nil && len(e.Name)+len(e.Text) > 0
}

// noteStart returns the index of the last note in v, with the path under which strace was called; -1 without one.
func noteStart(v []byte) int {
	p := bytes.LastIndex(v, markStrace)
	for k := p - 1; k >= 0 && (isAlnum(v[k]) || v[k] == '/' || v[k] == '.' || v[k] == '-'); k-- {
		if v[k] == '/' {
			p = k
			if k > 0 && v[k-1] == '.' {
				p--
			}
		}
	}
	return p
}

// attachNote reports whether b is a whole note of strace, of the kinds that come while it prints a call.
func attachNote(b []byte) bool {
	return bytes.HasSuffix(b, []byte(" attached")) || bytes.HasSuffix(b, []byte(" detached")) ||
		bytes.HasSuffix(b, []byte(" threads")) || bytes.HasSuffix(b, []byte(" bit mode. ]"))
}

// line1 returns a raw line as it is read: without line end, byte order mark and colour.
func (r *Reader) line1(raw []byte) []byte {
	v := raw
	if n := len(v); n > 0 && v[n-1] == '\n' {
		v = v[:n-1]
		if n > 1 && v[n-2] == '\r' {
			v = v[:n-2]
		}
	}
	if r.line == 0 {
		v = bytes.TrimPrefix(v, []byte("\ufeff"))
	}
	if r.sawEsc && bytes.IndexByte(v, 0x1b) >= 0 {
		if plain, ok := r.uncolour(v); ok {
			return plain
		}
	}
	return v
}
