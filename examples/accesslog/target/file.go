package target

import (
	"context"
	"io"
	"os"
	"strings"
	"sync"

	"dougu.internal/examples/accesslog/internal/errtext"
	"dougu.internal/examples/accesslog/sink"
)

// File opens files. The target is file:PATH or any other string, which is used as the path.
// Therefore File must be the last element of a chain. Missing files are created.
type File struct {
	// Perm is the mode of a new file. If zero, 0640 is used.
	Perm os.FileMode
}

// Open opens the file for appending.
func (f File) Open(_ context.Context, spec string) (sink.Sink, error) {
	name := strings.TrimPrefix(spec, "file:")
	if name == "" {
		return nil, &SpecError{spec, len(spec), "missing path"}
	}
	perm := f.Perm
	if perm == 0 {
		perm = 0o640
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, perm)
	if err != nil {
		return nil, errtext.Wrap("target", "", err)
	}
	return &plain{w: file, close: file.Close}, nil
}

// Standard opens the target "-".
type Standard struct {
	// Writer receives the lines. If nil, os.Stderr is used. It is not closed.
	Writer io.Writer
}

// Open returns a sink that writes to the writer.
func (s Standard) Open(_ context.Context, spec string) (sink.Sink, error) {
	if spec != "-" {
		return nil, ErrNotMine
	}
	if s.Writer == nil {
		s.Writer = os.Stderr
	}
	return &plain{w: s.Writer, close: func() error { return nil }}, nil
}

// plain writes each line with one call of Write, so that lines are not mixed if several processes
// append to a file.
type plain struct {
	mu     sync.Mutex
	w      io.Writer
	close  func() error
	closed bool
	torn   bool // the last write was incomplete
	buf    []byte
	stats  sink.Stats
}

// WriteLine writes the line and a line feed.
func (p *plain) WriteLine(line []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Written++
	if p.closed {
		p.stats.Dropped++
		return sink.ErrClosed
	}
	p.buf = p.buf[:0]
	if p.torn {
		p.buf = append(p.buf, '\n') // end the incomplete line
	}
	p.buf = append(append(p.buf, line...), '\n')
	n, err := p.w.Write(p.buf)
	if err != nil {
		if n > 0 {
			p.torn = p.buf[n-1] != '\n'
		}
		p.stats.Dropped++
		p.stats.LastError = err
		return errtext.Wrap("target", "write a line", err)
	}
	p.torn = false
	p.stats.Sent++
	return nil
}

// Flush does nothing, because lines are not buffered.
func (p *plain) Flush(context.Context) error { return nil }

// Stats returns the current counters.
func (p *plain) Stats() sink.Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats
}

// Close closes the file.
func (p *plain) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	return errtext.Wrap("target", "", p.close())
}
