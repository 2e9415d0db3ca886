package target

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"dougu.internal/examples/accesslog/sink"
)

// File opens file:PATH and any other string as the path of a file, which it makes when
// it is missing. Put it last into a chain.
type File struct {
	// Perm is the mode of a new file; 0 is 0640.
	Perm os.FileMode
}

// Open opens the file for appending.
func (f File) Open(_ context.Context, spec string) (sink.Sink, error) {
	name := strings.TrimPrefix(spec, "file:")
	if name == "" {
		return nil, &SpecError{spec, len(spec), "the path is missing"}
	}
	perm := f.Perm
	if perm == 0 {
		perm = 0o640
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, perm)
	if err != nil {
		return nil, err
	}
	return &plain{w: file, close: file.Close}, nil
}

// Standard opens "-".
type Standard struct {
	// Writer gets the lines; nil is os.Stderr. It is not closed.
	Writer io.Writer
}

// Open returns a sink for the writer.
func (s Standard) Open(_ context.Context, spec string) (sink.Sink, error) {
	if spec != "-" {
		return nil, ErrNotMine
	}
	if s.Writer == nil {
		s.Writer = os.Stderr
	}
	return &plain{w: s.Writer, close: func() error { return nil }}, nil
}

// plain writes each line by one call, so that lines of several processes that append
// to one file are not mixed.
type plain struct {
	mu     sync.Mutex
	w      io.Writer
	close  func() error
	closed bool
	torn   bool // the last write left half a line
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
		p.buf = append(p.buf, '\n') // the half line must not swallow this one
	}
	p.buf = append(append(p.buf, line...), '\n')
	n, err := p.w.Write(p.buf)
	if err != nil {
		if n > 0 {
			p.torn = p.buf[n-1] != '\n'
		}
		p.stats.Dropped++
		p.stats.LastError = err
		return fmt.Errorf("access log: %w", err)
	}
	p.torn = false
	p.stats.Sent++
	return nil
}

// Flush does nothing: each line went to the system at once.
func (p *plain) Flush(context.Context) error { return nil }

// Stats returns the account.
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
	return p.close()
}
