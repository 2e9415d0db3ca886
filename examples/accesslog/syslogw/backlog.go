package syslogw

import (
	"errors"
	"slices"
	"sync"

	"dougu.internal/examples/accesslog/sink"
	"dougu.internal/examples/accesslog/spool"
)

// backlog is what waits to be delivered. put may be called by anyone, the others by
// the delivering goroutine alone; waiting by anyone.
type backlog interface {
	// put takes a message; sink.ErrFull and sink.ErrClosed say that it was not taken.
	put(msg []byte) error
	// take returns up to n messages that were not taken since the last rewind.
	take(n int) ([][]byte, error)
	// done says that the first n of those taken have been delivered.
	done(n int) error
	// rewind makes take begin again at the first message that is not done.
	rewind()
	// waiting counts the messages that are not done.
	waiting() int
	// refuse, called once, makes put fail and wakes who waits in it; close releases all.
	refuse()
	close() error
}

// memory is a backlog that ends with the process.
type memory struct {
	queue *sink.Queue
	given int // of out, how many take has returned

	moving sync.Mutex // while messages move, others count neither too many nor too few
	out    [][]byte   // taken from the queue and not done
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
	batch := m.out[m.given:min(m.given+n, len(m.out))]
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

func (m *memory) refuse()      { m.queue.Close() }
func (m *memory) close() error { return nil }

// disk is a backlog that survives the process.
type disk struct {
	s       *spool.Spool
	block   bool
	refused chan struct{} // closed by refuse
	ends    []spool.Position

	mu   sync.Mutex
	room chan struct{} // closed and made anew when there may be room again
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
		case !errors.Is(err, spool.ErrFull):
			return err
		case !d.block:
			return sink.ErrFull
		}
		select {
		case <-room:
		case <-d.refused:
		}
	}
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
func (d *disk) refuse()      { close(d.refused) }
func (d *disk) close() error { return d.s.Close() }
