package console

import (
	"context"
	"fmt"
	"io"
	"sync"
)

// ring stores the last bytes of a stream for any number of readers.
type ring struct {
	mu      sync.Mutex
	buf     []byte
	end     int64         // bytes written so far
	err     error         // the reason for the end of the stream
	changed chan struct{} // closed and replaced after each write
}

func newRing(size int) *ring { return &ring{buf: make([]byte, size), changed: make(chan struct{})} }

func (r *ring) write(b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if skip := len(b) - len(r.buf); skip > 0 {
		r.end += int64(skip)
		b = b[skip:]
	}
	at := int(r.end % int64(len(r.buf)))
	n := copy(r.buf[at:], b)
	copy(r.buf, b[n:])
	r.end += int64(len(b))
	r.wake()
}

func (r *ring) finish(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
		r.wake()
	}
}

func (r *ring) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// Reader reads the output of a [Port]. Its methods must not be called concurrently.
type Reader struct {
	ring *ring
	at   int64
	lost int64
}

// Read blocks until there is output. It returns io.EOF when the console has ended.
func (r *Reader) Read(b []byte) (int, error) { return r.ReadContext(context.Background(), b) }

// ReadContext is like Read, and returns an error when ctx ends.
func (r *Reader) ReadContext(ctx context.Context, b []byte) (int, error) {
	for {
		r.ring.mu.Lock()
		oldest := max(0, r.ring.end-int64(len(r.ring.buf)))
		if r.at < oldest {
			r.lost += oldest - r.at
			r.at = oldest
		}
		if n := int(min(int64(len(b)), r.ring.end-r.at)); n > 0 {
			from := int(r.at % int64(len(r.ring.buf)))
			k := copy(b[:n], r.ring.buf[from:])
			copy(b[k:n], r.ring.buf)
			r.at += int64(n)
			r.ring.mu.Unlock()
			return n, nil
		}
		err, changed := r.ring.err, r.ring.changed
		r.ring.mu.Unlock()
		if err != nil {
			return 0, err
		}
		if len(b) == 0 {
			return 0, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, fmt.Errorf("console: read: %w", ctx.Err())
		}
	}
}

// Lost returns the number of bytes that were overwritten before this reader could read them.
func (r *Reader) Lost() int64 { return r.lost }

var _ io.Reader = (*Reader)(nil)
