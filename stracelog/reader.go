package stracelog

import (
	"bytes"
	"errors"
	"io"
	"iter"
)

// DefaultMaxLine is the length in bytes of the longest line a Reader takes as one event.
const DefaultMaxLine = 256 << 20

const firstBuffer = 256 << 10

// Option sets a rare property of a Reader.
type Option func(*Reader)

// MaxLine sets the longest line in bytes that is read as one event. A longer line is delivered in parts that
// are Unknown and Oversize, so that memory stays bounded and no byte is lost.
func MaxLine(n int) Option { return func(r *Reader) { r.maxLine = max(n, 1) } }

// Reader reads a strace log of any format as a stream of events. It is for one goroutine.
type Reader struct {
	src     io.Reader
	err     error // what ended src
	maxLine int

	// buf[start:end] is what is read and not yet delivered; there is no line end before scan.
	buf              []byte
	start, end, scan int
	whole            bool // buf is the caller's, and all there is
	sawEsc           bool // an ESC was seen: lines may be coloured

	line int64 // number of the last line delivered
	off  int64 // offset of buf[start]

	axis    timeline
	known   known
	format  Format
	table   table
	mid     bool // inside an oversize line
	ev      Event
	perr    ParseError
	scratch []byte // the view of a coloured line
	joined  []byte // the view of a line that a note broke
	notes   []byte // the notes that broke it

	openLine int64 // number of the last line that ended unfinished, with its process and name
	openPID  int
	openName []byte
	rare     bool // ev has fields set that most lines do not have
	long     bool // take no short way: tests compare the two
}

// NewReader returns a Reader of the log in src. It reads in large pieces and needs no buffering around src.
func NewReader(src io.Reader, opts ...Option) *Reader {
	r := &Reader{src: src, maxLine: DefaultMaxLine, openLine: -1}
	for _, o := range opts {
		o(r)
	}
	r.buf = make([]byte, firstBuffer)
	r.ev.NR = -1
	return r
}

// NewBytesReader returns a Reader of the log in b, which must not change while it is read. Nothing is copied.
func NewBytesReader(b []byte, opts ...Option) *Reader {
	r := &Reader{maxLine: DefaultMaxLine, openLine: -1, buf: b, end: len(b), whole: true, err: io.EOF}
	for _, o := range opts {
		o(r)
	}
	r.sawEsc = bytes.IndexByte(b[:min(len(b), firstBuffer)], 0x1b) >= 0
	r.ev.NR = -1
	return r
}

// Next returns the next event, which is valid until the next call. At the end it returns io.EOF; any other error is
// one of src, with the place reached. A line that cannot be read is an event and not an error.
func (r *Reader) Next() (*Event, error) {
	n := bytes.IndexByte(r.buf[r.start:r.end], '\n') + 1
	if n == 0 {
		n = r.lineEnd(0)
	}
	if n == 0 {
		if r.err == io.EOF {
			return nil, io.EOF
		}
		return nil, errs.Errorf("after line %d (offset %d): %w", r.line, r.off, r.err)
	}
	e := &r.ev
	if r.rare {
		r.reset(e)
	}
	e.raw = r.buf[r.start : r.start+n]
	e.Lines = 1
	e.Line, e.Off = r.line+1, r.off
	switch {
	case n > r.maxLine || r.mid:
		r.reset(e)
		r.oversize(e, n)
		n = len(e.raw)
	case r.common(e, e.raw):
	default:
		r.reset(e)
		r.parse(e)
		n = len(e.raw)
	}
	r.start += n
	r.off += int64(n)
	r.line += int64(e.Lines)
	r.scan = r.start
	return e, nil
}

// Events returns the events as a sequence. An error of the input is the last element; io.EOF is none.
func (r *Reader) Events() iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		for {
			e, err := r.Next()
			if err == io.EOF {
				return
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Format returns what was detected up to now.
func (r *Reader) Format() Format { return r.format }

// reset prepares the event for the next line. Fields that few lines set are cleared only after such a line.
func (r *Reader) reset(e *Event) {
	e.Flags = 0
	e.PID = 0
	e.Time = Time{}
	e.Name = nil
	e.Args.src = nil
	e.Ret = Ret{}
	e.Dur, e.HasDur = 0, false
	if r.rare {
		e.Comm, e.Context, e.Text, e.Note = nil, nil, nil, nil
		e.NR, e.IP, e.Err = -1, 0, nil
		r.rare = false
	}
}

// oversize delivers a piece of a line that is longer than the limit.
func (r *Reader) oversize(e *Event, n int) {
	if n > r.maxLine {
		n = r.maxLine
	}
	e.raw = e.raw[:n]
	e.Kind = Unknown
	e.Flags = Oversize
	r.fail(e, 0, "line is longer than the limit of the reader")
	ends := e.raw[n-1] == '\n'
	if !ends {
		e.Lines = 0 // the line goes on: only its last piece counts it
	}
	r.mid = !ends
}

// lineEnd returns the length of the data from start to the first line end at or after start+from, or to the end of
// the input; 0 when there is nothing after from.
func (r *Reader) lineEnd(from int) int {
	if r.scan < r.start+from {
		r.scan = r.start + from
	}
	for {
		if i := bytes.IndexByte(r.buf[r.scan:r.end], '\n'); i >= 0 {
			r.scan += i + 1
			return r.scan - r.start
		}
		r.scan = r.end
		if r.err != nil {
			if r.end-r.start <= from {
				return 0
			}
			return r.end - r.start
		}
		if r.end-r.start > r.maxLine {
			return r.end - r.start
		}
		r.fill()
	}
}

var errNoProgress = errors.New("reader returned no data 100 times")

// fill reads more input behind the data that is there.
func (r *Reader) fill() {
	if r.start > 0 {
		copy(r.buf, r.buf[r.start:r.end])
		r.end -= r.start
		r.scan -= r.start
		r.start = 0
	}
	if r.end == len(r.buf) {
		grown := make([]byte, 2*len(r.buf))
		copy(grown, r.buf)
		r.buf = grown
	}
	for range 100 {
		n, err := r.src.Read(r.buf[r.end:])
		if n < 0 || n > len(r.buf)-r.end {
			r.err = errors.New("reader returned an impossible count")
			return
		}
		if !r.sawEsc && r.off < firstBuffer && bytes.IndexByte(r.buf[r.end:r.end+n], 0x1b) >= 0 {
			r.sawEsc = true
		}
		r.end += n
		if err != nil {
			r.err = err
			return
		}
		if n > 0 {
			return
		}
	}
	r.err = errNoProgress
}

// fail records why a line is not clean. col is a byte index in the line.
func (r *Reader) fail(e *Event, col int, reason string) {
	r.perr = ParseError{Line: e.Line, Off: e.Off, Col: col + 1, Reason: reason}
	e.Err = &r.perr
	r.rare = true
}
