package syslogw

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	"dougu.internal/examples/accesslog/sink"
	"dougu.internal/examples/accesslog/spool"
)

// backlog stores the messages that are not delivered. put and waiting are safe for concurrent
// use; the other methods are called by the delivering goroutine.
type backlog interface {
	// put stores a message. If it returns an error, such as sink.ErrFull or sink.ErrClosed,
	// the message is not stored.
	put(msg []byte) error
	// take returns up to n messages that were not returned since the last rewind.
	take(n int) ([][]byte, error)
	// done removes the first n messages that take has returned.
	done(n int) error
	// rewind makes take continue with the first message that is not removed.
	rewind()
	// waiting returns the number of messages that are not removed.
	waiting() int
	// damage returns the number of damaged parts that were skipped.
	damage() int
	// refuse makes put fail and unblocks waiting callers. It is called once.
	refuse()
	// close releases all resources.
	close() error
}

// memory is a backlog in memory.
type memory struct {
	queue *sink.Queue
	given int // the number of messages in out that take has returned

	moving sync.Mutex // is locked while messages move from the queue to out
	out    [][]byte   // messages that are not in the queue any more and not removed
}

func newMemory(limit int64, onFull sink.OnFull) *memory {
	return &memory{queue: sink.NewQueue(limit, onFull)}
}

func (m *memory) put(msg []byte) error { return m.queue.Put(msg) }

func (m *memory) take(n int) ([][]byte, error) {
	m.moving.Lock()
	defer m.moving.Unlock()
	if m.given == len(m.out) {
		m.out = append(m.out, m.queue.Take(n)...)
	}
	// The caller keeps the batch while done moves the elements of out.
	batch := slices.Clone(m.out[m.given:min(m.given+n, len(m.out))])
	m.given += len(batch)
	return batch, nil
}

func (m *memory) done(n int) error {
	m.moving.Lock()
	defer m.moving.Unlock()
	m.out = slices.Delete(m.out, 0, n)
	m.given -= n
	return nil
}

func (m *memory) rewind() { m.given = 0 }

func (m *memory) waiting() int {
	m.moving.Lock()
	defer m.moving.Unlock()
	return len(m.out) + m.queue.Len()
}

func (m *memory) damage() int  { return 0 }
func (m *memory) refuse()      { m.queue.Close() }
func (m *memory) close() error { return nil }

// disk is a backlog in a spool.
type disk struct {
	s       *spool.Spool
	block   bool
	refused chan struct{} // closed by refuse
	ends    []spool.Position

	mu   sync.Mutex
	room chan struct{} // closed and replaced when there may be room again
}

func newDisk(dir string, opt spool.Options, onFull sink.OnFull) (*disk, error) {
	s, err := spool.Open(dir, opt)
	if err != nil {
		return nil, err
	}
	return &disk{s: s, block: onFull == sink.Block, refused: make(chan struct{}), room: make(chan struct{})}, nil
}

func (d *disk) put(msg []byte) error {
	for {
		select {
		case <-d.refused:
			return sink.ErrClosed
		default:
		}
		d.mu.Lock()
		room := d.room
		d.mu.Unlock()
		err := d.s.Append(msg)
		switch {
		case errors.Is(err, spool.ErrClosed):
			return sink.ErrClosed
		case !errors.Is(err, spool.ErrFull) && !diskFull(err):
			return err
		case !d.block && diskFull(err):
			return fmt.Errorf("%w: %w", sink.ErrFull, err)
		case !d.block:
			return sink.ErrFull
		}
		select {
		case <-room:
		case <-d.refused:
		case <-time.After(time.Second): // others can free space on the disk
		}
	}
}

// diskFull reports whether the file system, or the user's part of it, is full.
func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func (d *disk) take(n int) (batch [][]byte, err error) {
	for len(batch) < n {
		r, ok, err := d.s.Next()
		if err != nil || !ok {
			return batch, err
		}
		batch = append(batch, r.Data)
		d.ends = append(d.ends, r.End)
	}
	return batch, nil
}

func (d *disk) done(n int) error {
	if n == 0 {
		return nil
	}
	err := d.s.Ack(d.ends[n-1], n)
	if err == nil {
		d.ends = append(d.ends[:0], d.ends[n:]...)
		d.mu.Lock()
		close(d.room)
		d.room = make(chan struct{})
		d.mu.Unlock()
	}
	return err
}

func (d *disk) rewind() {
	d.s.Rewind()
	d.ends = d.ends[:0]
}

func (d *disk) waiting() int { return d.s.Waiting() }
func (d *disk) damage() int {
	torn, skipped := d.s.Damage()
	return torn + skipped
}

func (d *disk) refuse()      { close(d.refused) }
func (d *disk) close() error { return d.s.Close() }
