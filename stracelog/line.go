package stracelog

import (
	"bytes"
)

var (
	markUnfinished = []byte("<unfinished ...>")
	markDetached   = []byte("<detached ...>")
	markResumed    = []byte("<... ")
	markStrace     = []byte("strace: ")
	markProcess    = []byte("[ Process PID=")
)

// common reads the line that most logs consist of: "7 1280391747.397926 name(", with a process and a second seen before, and its
// rest. It goes the way of prefix, view, call and rest in one function, says the same as they do and sets every field that
// reset clears. It leaves all else to them, and every line that is not clean.
func (r *Reader) common(e *Event, v []byte) bool {
	if len(v) < 40 || r.sawEsc || r.table.open || r.long || v[len(v)-1] != '\n' {
		return false
	}
	v = v[:len(v)-1]
	i := r.known.column(e, v)
	if i == 0 {
		return false
	}
	if i = r.known.epoch(e, v, i); i == 0 {
		return false
	}
	p := i + nameEnd(v[i:])
	if p == i {
		return false
	}
	e.Kind, e.Flags, e.Name = Syscall, 0, v[i:p]
	e.Time.HasDelta, e.Time.Delta = false, 0
	e.Ret.Errno = nil
	if r.plain(e, v, p+1) {
		return true
	}
	if v[len(v)-1] == '\r' {
		return false
	}
	e.Args.src, e.Ret, e.Dur, e.HasDur = nil, Ret{}, 0, false
	r.other(e, v, p+1)
	return e.Err == nil
}

// parse reads the line in e.raw.
func (r *Reader) parse(e *Event) {
	axis := r.axis
	v := e.raw
	if n := len(v); v[n-1] == '\n' {
		v = v[:n-1]
		if n > 1 && v[n-2] == '\r' {
			v = v[:n-2]
		}
	}
	if r.line == 0 {
		v = bytes.TrimPrefix(v, []byte("\ufeff"))
	}
	if r.sawEsc && bytes.IndexByte(v, 0x1b) >= 0 {
		r.coloured(e, v)
	} else {
		r.view(e, v)
	}
	if e.Err != nil {
		r.retry(e, axis)
	}
	if e.Kind == Unknown {
		r.axis = axis // its time is not believed either
	}
}

func (r *Reader) coloured(e *Event, v []byte) {
	plain, ok := r.uncolour(v)
	if ok {
		e.Flags |= Coloured
		r.format.Colour = true
	}
	r.view(e, plain)
}

// retry reads a line that is not clean once more: as the first one with colour, or as one that a note broke.
func (r *Reader) retry(e *Event, axis timeline) {
	if !r.sawEsc && bytes.IndexByte(e.raw, 0x1b) >= 0 {
		r.sawEsc = true
		r.axis = axis
		r.rare = true
		r.reset(e)
		r.parse(e)
		return
	}
	r.rejoin(e, axis)
}

// view reads a line without its line end, colour and notes.
func (r *Reader) view(e *Event, v []byte) {
	if len(v) == 0 {
		e.Kind = Empty
		return
	}
	if c := v[0]; c == ' ' || c == '-' || c == '%' || c == 's' || r.table.open {
		if r.layout(e, v) {
			return
		}
	}
	i := r.prefix(e, v)
	if i == len(v) {
		r.unknown(e, v, 0, "nothing after the time")
		return
	}
	switch c := v[i]; {
	case c|0x20-'a' < 26 || c == '_' || c == '?':
		if r.call(e, v, i) {
			return
		}
		if bytes.HasPrefix(v[i:], markStrace) {
			r.text(e, Note, v[i:])
			return
		}
	case c == '<' && bytes.HasPrefix(v[i:], markResumed):
		if r.resumed(e, v, i) {
			return
		}
	case c == '-' && bytes.HasPrefix(v[i:], []byte("--- ")) && bytes.HasSuffix(v, []byte(" ---")) && len(v) >= i+8:
		r.text(e, Signal, v[i:])
		e.Name = signalName(e.Text)
		return
	case c == '+' && bytes.HasPrefix(v[i:], []byte("+++ ")) && bytes.HasSuffix(v, []byte(" +++")) && len(v) >= i+8:
		r.text(e, Exit, v[i:])
		return
	case c == '[' && bytes.HasPrefix(v[i:], markProcess):
		r.text(e, Note, v[i:])
		return
	}
	if i == 0 && r.openLine == r.line && r.tail(e, v) {
		return
	}
	if k := bytes.Index(v[i:], markStrace); k > 0 && attachNote(v) && pathOnly(v[i:i+k]) {
		r.text(e, Note, v[i:]) // strace names itself as it was called: /usr/bin/strace: Process 7 attached
		return
	}
	r.unknown(e, v, i, "not a line of strace")
}

// tail reads the rest of a call that stands on a line of its own directly behind its unfinished half. strace 6.1 writes
// this under -z, -Z and -e status=, without a prefix and without "resumed".
func (r *Reader) tail(e *Event, v []byte) bool {
	q, _, _ := firstResult(v, 0, len(v))
	if q < 0 {
		return false
	}
	r.rest(e, v, 0)
	if e.Err != nil || e.Ret.Kind == RetNone {
		e.Flags &^= Damaged | Incomplete
		e.Err = nil
		return false
	}
	e.Kind, e.Flags = Syscall, e.Flags|Resumed
	e.PID, e.Name = r.openPID, r.openName
	return true
}

// pathOnly reports whether b could be the directory part of a program's name.
func pathOnly(b []byte) bool {
	return bytes.IndexByte(b, '/') >= 0 && bytes.IndexByte(b, ' ') < 0 && bytes.IndexByte(b, '"') < 0
}

func (r *Reader) text(e *Event, k Kind, b []byte) {
	e.Kind, e.Text = k, b
	r.rare = true
}

// unknown keeps a line that is none of strace's. What its prefix seemed to say is not believed.
func (r *Reader) unknown(e *Event, v []byte, col int, reason string) {
	e.PID, e.Time, e.Name, e.Args.src, e.Ret = 0, Time{}, nil, nil, Ret{}
	e.Comm, e.Context, e.NR, e.IP = nil, nil, -1, 0
	if bytes.Contains(v[:min(len(v), 64)], []byte(" ms): ")) {
		r.format.PerfTrace = true
		reason = "a line of perf trace, not of strace"
	}
	r.text(e, Unknown, v)
	r.fail(e, col, reason)
}

// layout reads the lines that have no prefix: stack frames, hexdumps, tables.
func (r *Reader) layout(e *Event, v []byte) bool {
	switch {
	case bytes.HasPrefix(v, []byte(" > ")):
		r.text(e, Stack, v)
		r.format.Stacks = true
	case bytes.HasPrefix(v, []byte(" | ")) && v[len(v)-1] == '|',
		bytes.HasPrefix(v, []byte(" * ")) && bytes.Contains(v, []byte(" bytes in buffer ")):
		r.text(e, Dump, v)
		r.format.Dumps = true
	case r.table.line(v):
		r.text(e, Summary, v)
		r.format.Tables = true
	default:
		return false
	}
	return true
}

// signalName returns SIGCHLD of "--- SIGCHLD {...} ---" and SIGSTOP of "--- stopped by SIGSTOP ---".
func signalName(b []byte) []byte {
	b = b[4:]
	b = bytes.TrimPrefix(b, []byte("stopped by "))
	if i := bytes.IndexByte(b, ' '); i >= 0 {
		b = b[:i]
	}
	return b
}

// uncolour copies v without its colour codes, ESC [ digits and ; m. ok is false when it has none.
func (r *Reader) uncolour(v []byte) (plain []byte, ok bool) {
	out := r.scratch[:0]
	for i := 0; i < len(v); {
		if v[i] == 0x1b && i+1 < len(v) && v[i+1] == '[' {
			j := i + 2
			for j < len(v) && (isDigit(v[j]) || v[j] == ';') {
				j++
			}
			if j < len(v) && v[j] == 'm' {
				i, ok = j+1, true
				continue
			}
		}
		out = append(out, v[i])
		i++
	}
	r.scratch = out
	return out, ok
}
