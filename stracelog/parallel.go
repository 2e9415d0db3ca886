package stracelog

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// chunkSize is how much of a log one worker takes at a time: large enough that finding its borders costs nothing, small enough
// that the buffers of all workers stay in a few caches' worth of memory (BenchmarkParallel).
const chunkSize = 4 << 20

// Parallel reads the log in r, which is size bytes long, with n workers; n of 0 or less means one for each processor. It calls f
// for every event, at the same time from several goroutines, and in order within a chunk; chunks count from 0 in the order
// of the log. Events are the same, with the same lines, offsets and times, as a Reader's. They are valid during f. The first
// error of f or of r ends the work and is returned, when all workers have ended.
//
// Logs with -ttt or without times scale with the processors. -t, -tt and -r, whose times depend on what came before, are read twice.
func Parallel(r io.ReaderAt, size int64, n int, f func(chunk int, e *Event) error) error {
	return parallel(r, size, n, chunkSize, f)
}

func parallel(r io.ReaderAt, size int64, n int, chunk int64, f func(int, *Event) error) error {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	p := &chunks{r: r, size: size, chunk: chunk, f: f}
	p.count = int((size + chunk - 1) / chunk)
	p.links = make([]link, p.count+1)
	for i := range p.links {
		p.links[i].lines, p.links[i].axis = make(chan int64, 1), make(chan timeline, 1)
	}
	if p.count == 0 {
		return nil
	}
	p.links[0].lines <- 0
	p.links[0].axis <- timeline{}
	var wg sync.WaitGroup
	for range min(n, p.count) {
		wg.Go(p.work)
	}
	wg.Wait()
	if err := p.err.Load(); err != nil {
		return *err
	}
	return nil
}

// chunks is a log that several workers read.
type chunks struct {
	r     io.ReaderAt
	size  int64
	chunk int64
	count int
	f     func(int, *Event) error
	next  atomic.Int64
	err   atomic.Pointer[error]
	links []link
}

// link passes what a chunk must know of those before it.
type link struct {
	once   sync.Once
	border int64 // where the chunk begins; -1 when it holds no safe border
	lines  chan int64
	axis   chan timeline
}

func (p *chunks) fail(err error) { p.err.CompareAndSwap(nil, &err) }

func (p *chunks) work() {
	var buf []byte
	for {
		k := int(p.next.Add(1) - 1)
		if k >= p.count {
			return
		}
		buf = p.one(k, buf)
	}
}

// one reads chunk k. Whatever happens, it passes on what the next chunk waits for.
func (p *chunks) one(k int, buf []byte) []byte {
	lines, sentAxis := int64(0), false
	start, end := p.border(k), p.size
	for j := k + 1; j < p.count; j++ {
		if b := p.border(j); b >= 0 {
			end = b
			break
		}
	}
	if start < 0 || p.err.Load() != nil {
		p.links[k+1].lines <- <-p.links[k].lines
		p.links[k+1].axis <- <-p.links[k].axis
		return buf
	}
	if n := int(end - start); n > cap(buf) {
		buf = make([]byte, n, n+n/64) // chunks end at a line: the next may be a little longer
	}
	buf = buf[:end-start]
	if n, err := p.r.ReadAt(buf, start); n < len(buf) {
		p.fail(readError(start+int64(n), len(buf)-n, err))
		buf = buf[:n]
	}
	lines = <-p.links[k].lines
	p.links[k+1].lines <- lines + int64(bytes.Count(buf, []byte{'\n'}))
	r := p.reader(buf, start, lines)
	var before timeline
	asked := false
	r.axis.ask = func() timeline {
		if asked {
			return before
		}
		asked = true
		// A first reading tells what the next chunk must know, so that it need not wait for this one.
		shift, ok := p.shift(buf, start, lines)
		before = <-p.links[k].axis
		if ok {
			p.links[k+1].axis <- shift(before)
			sentAxis = true
		}
		return before
	}
	for {
		e, err := r.Next()
		if err != nil || p.err.Load() != nil {
			break
		}
		if err := p.f(k, e); err != nil {
			p.fail(err)
			break
		}
	}
	switch {
	case sentAxis:
	case asked && r.axis.ask != nil: // by lines that are unknown, and move nothing
		p.links[k+1].axis <- before
	case asked:
		p.links[k+1].axis <- timeline{last: r.axis.last, begun: r.axis.begun}
	default:
		p.links[k+1].axis <- <-p.links[k].axis
	}
	return buf
}

// readError describes a log that could not be read to its end.
func readError(at int64, missing int, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return errs.Errorf("read the log at byte %d: %d bytes are missing: %w", at, missing, io.ErrUnexpectedEOF)
	}
	return errs.Errorf("read the log at byte %d: %w", at, err)
}

func (p *chunks) reader(buf []byte, off, line int64) *Reader {
	r := NewBytesReader(buf)
	r.off, r.line = off, line
	return r
}

// shift reads a chunk for its times alone and returns how it moves the axis; ok is false when it holds times of day and relative
// times together, for which that depends on where the axis stands.
func (p *chunks) shift(buf []byte, off, line int64) (f func(timeline) timeline, ok bool) {
	r := p.reader(buf, off, line)
	var first Time
	for {
		e, err := r.Next()
		if err != nil {
			break
		}
		if f := e.Time.Form; f == Clock || f == Relative {
			if first.Form == NoTime {
				first = e.Time
			} else if f != first.Form {
				return nil, false
			}
		}
	}
	end := r.axis.last
	return func(t timeline) timeline {
		if first.Form == NoTime {
			return t
		}
		if first.Form == Clock {
			end += t.clock(first.At) - first.At
		} else {
			end += t.relative(first.Delta)
		}
		return timeline{last: end, begun: true}
	}, true
}

// border returns where chunk k begins: the first line in its range that is a clean call by itself, before which no line, table or
// note goes on.
func (p *chunks) border(k int) int64 {
	l := &p.links[k]
	l.once.Do(func() {
		if k > 0 {
			l.border = p.search(int64(k)*p.chunk, min(int64(k+1)*p.chunk, p.size))
		}
	})
	return l.border
}

// search looks for a border in [from, to).
func (p *chunks) search(from, to int64) int64 {
	buf := make([]byte, 0, 1<<16)
	at := from - 1 // a line begins at from when the byte before is a line end
	begun := false
	for at < to {
		n := len(buf)
		buf = slices.Grow(buf, 1<<16)[:n+1<<16]
		m, err := p.r.ReadAt(buf[n:min(int64(cap(buf)), int64(len(buf)))], at+int64(n))
		buf = buf[:n+m]
		for {
			i := bytes.IndexByte(buf, '\n')
			if i < 0 {
				break
			}
			if begun && at < to && p.safe(buf[:i+1]) {
				return at
			}
			if at >= to {
				return -1
			}
			begun = true
			at += int64(i + 1)
			buf = buf[i+1:]
		}
		if !begun { // the line before goes on: its bytes are not needed
			at += int64(len(buf))
			buf = buf[:0]
		}
		if err != nil {
			break
		}
		if len(buf) > 1<<20 {
			return -1
		}
	}
	return -1
}

// safe reports whether a line is a clean call. The byte order mark and colour are no part of it.
func (p *chunks) safe(line []byte) bool {
	r := p.reader(line, 1, 1)
	e, err := r.Next()
	return err == nil && e.Kind == Syscall && e.Err == nil && e.Flags&Coloured == 0 && e.Time.Form != Relative
}

// ParallelSummary counts the calls of a log as the Syscalls of a Report do, with n workers as in Parallel.
func ParallelSummary(r io.ReaderAt, size int64, n int) ([]SyscallStat, error) {
	per := make([]map[string]*SyscallStat, (size+chunkSize-1)/chunkSize)
	err := Parallel(r, size, n, func(chunk int, e *Event) error {
		if e.Kind != Syscall || e.Flags&Unfinished != 0 {
			return nil
		}
		m := per[chunk]
		if m == nil {
			m = map[string]*SyscallStat{}
			per[chunk] = m
		}
		s := m[string(e.Name)]
		if s == nil {
			if len(m) >= 4096 {
				return nil
			}
			s = &SyscallStat{Name: string(e.Name)}
			m[s.Name] = s
		}
		c := Call{Event: e, Dur: e.Dur, Flags: e.Flags}
		if c.returned() {
			s.count(&c)
		}
		return nil
	})
	sum := map[string]*SyscallStat{}
	for _, m := range per {
		for name, s := range m {
			if t := sum[name]; t != nil {
				t.merge(s)
			} else {
				sum[name] = s
			}
		}
	}
	return sorted(sum), err
}
