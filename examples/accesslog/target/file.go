package target

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"dougu.internal/examples/accesslog/internal/errtext"
	"dougu.internal/examples/accesslog/sink"
)

// File opens files. The target is file:PATH or any other string, which is used as the path.
// Therefore File must be the last element of a chain. Missing files are created.
type File struct {
	// Perm is the mode of a new file. If zero, 0640 is used.
	Perm os.FileMode
	// Follow means that the path is opened again if the file was renamed or removed. The
	// check takes place before a line is written, at most once a second.
	Follow bool
}

// Open opens the file for appending. The sink implements [sink.Reopener].
func (f File) Open(_ context.Context, spec string) (sink.Sink, error) {
	name := strings.TrimPrefix(spec, "file:")
	if name == "" {
		return nil, &SpecError{spec, len(spec), "missing path"}
	}
	perm := f.Perm
	if perm == 0 {
		perm = 0o640
	}
	open := func() (*os.File, error) { return os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, perm) }
	file, err := open()
	if err != nil {
		return nil, errtext.Wrap("target", "", err)
	}
	out := &appended{plain: plain{w: file, close: file.Close}, file: file, open: open}
	if f.Follow {
		out.before = out.follow
	}
	return out, nil
}

// appended writes to a file.
type appended struct {
	plain
	file    *os.File // guarded by plain.mu
	open    func() (*os.File, error)
	checked time.Time
}

// Reopen closes the file and opens the path again.
func (a *appended) Reopen() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return sink.ErrClosed
	}
	return errtext.Wrap("target", "reopen", a.reopen())
}

func (a *appended) reopen() error {
	file, err := a.open()
	if err != nil {
		return err
	}
	old := a.file
	a.file, a.w, a.plain.close = file, file, file.Close
	a.torn = a.torn && sameFile(old, file)
	return old.Close()
}

// follow reopens the path if it is not the open file any more.
func (a *appended) follow() error {
	now := time.Now()
	if now.Sub(a.checked) < time.Second {
		return nil
	}
	a.checked = now
	path, err := os.Stat(a.file.Name())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err == nil {
		if open, err := a.file.Stat(); err == nil && os.SameFile(path, open) {
			return nil
		}
	}
	return a.reopen()
}

func sameFile(a, b *os.File) bool {
	x, errX := a.Stat()
	y, errY := b.Stat()
	return errX == nil && errY == nil && os.SameFile(x, y)
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
	before func() error // called before each line; may be nil
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
	if p.before != nil {
		if err := p.before(); err != nil {
			p.stats.LastError = err // the open file is used
		}
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
