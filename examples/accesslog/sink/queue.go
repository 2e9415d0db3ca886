package sink

import (
	"bytes"
	"context"
	"fmt"
	"sync"
)

// Queue is a first-in first-out queue of byte slices with a limit for their total size. Use
// [NewQueue] to create one. All methods are safe for concurrent use by multiple goroutines.
type Queue struct {
	mu     sync.Mutex
	full   sync.Cond
	onFull OnFull
	limit  int64
	size   int64
	items  [][]byte
	head   int
	closed bool
	ready  chan struct{} // contains an element if something may have changed
}

// overhead is the number of bytes that an element counts in addition to its size.
const overhead = 64

// NewQueue returns an empty queue for at most limit bytes. Each element counts 64 bytes in
// addition to its size. An empty queue accepts one element of any size.
func NewQueue(limit int64, onFull OnFull) *Queue {
	q := &Queue{limit: limit, onFull: onFull, ready: make(chan struct{}, 1)}
	q.full.L = &q.mu
	return q
}

// Put appends a copy of b. If the queue is full, it returns [ErrFull] or, if the queue was
// created with [Block], waits. It returns [ErrClosed] after Close.
func (q *Queue) Put(b []byte) error {
	cost := int64(len(b)) + overhead
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.closed && q.size > 0 && q.size+cost > q.limit {
		if q.onFull != Block {
			return ErrFull
		}
		q.full.Wait()
	}
	if q.closed {
		return ErrClosed
	}
	q.items = append(q.items, bytes.Clone(b))
	q.size += cost
	q.signal()
	return nil
}

// Take removes up to n elements and returns them. It does not wait. The caller owns the
// result.
func (q *Queue) Take(n int) [][]byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.items)-q.head)
	if n == 0 {
		return nil
	}
	taken := make([][]byte, n)
	copy(taken, q.items[q.head:])
	for i, b := range taken {
		q.items[q.head+i] = nil
		q.size -= int64(len(b)) + overhead
	}
	q.head += n
	switch {
	case q.head == len(q.items):
		q.items, q.head = q.items[:0], 0
	case q.head > 1024 && q.head > len(q.items)/2:
		q.items = append(q.items[:0], q.items[q.head:]...)
		q.head = 0
	}
	q.full.Broadcast()
	return taken
}

// Wait blocks until the queue may have elements or is closed, or until ctx ends.
func (q *Queue) Wait(ctx context.Context) error {
	select {
	case <-q.ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("sink: wait for the queue: %w", ctx.Err())
	}
}

// Len returns the number of elements.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) - q.head
}

// Close makes Put return [ErrClosed] and unblocks waiting callers. Queued elements can still
// be taken.
func (q *Queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.full.Broadcast()
	q.signal()
}

func (q *Queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}
