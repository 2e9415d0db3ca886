package syslogw

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"dougu.internal/examples/accesslog/sink"
	"dougu.internal/examples/accesslog/spool"
)

// batch is how many messages are handed over at a time.
const batch = 128

// Writer is a sink.Sink that delivers to a collector. Make one with [Open].
type Writer struct {
	cfg     Config
	shape   *shape
	backlog backlog
	spooled bool
	bufs    sync.Pool

	wake   chan struct{} // one token: there is something to deliver
	cancel context.CancelFunc
	done   chan struct{} // closed when the delivering goroutine has ended
	once   sync.Once
	closed error

	written, sent, acked, resent, dropped, truncated atomic.Uint64
	reported                                         uint64 // of dropped, by lines of our own

	mu       sync.Mutex
	progress sync.Cond // something was delivered, or Close
	last     error
	over     bool
}

var _ sink.Sink = (*Writer)(nil)

// Open checks the configuration and begins to deliver, what an earlier process left in
// the spool first. A collector that can't be reached is no error: it is tried again
// and again, see Stats. The context bounds Open alone.
func Open(ctx context.Context, c Config) (*Writer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.complete()
	w := &Writer{cfg: c, shape: newShape(&c), wake: make(chan struct{}, 1), done: make(chan struct{})}
	w.progress.L = &w.mu
	w.bufs.New = func() any { return new([]byte) }
	if c.Spool == "" {
		w.backlog = newMemory(c.QueueMax, c.OnFull)
	} else {
		d, err := newDisk(c.Spool, spool.Options{Max: c.SpoolMax, Sync: c.Sync}, c.OnFull)
		if err != nil {
			return nil, fmt.Errorf("syslog: %w", err)
		}
		w.backlog, w.spooled = d, true
	}
	running, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	go w.run(running)
	return w, nil
}

// WriteLine takes a line and returns before it is delivered. With a spool the line is
// then on disk as Config.Sync says. An error, [sink.ErrFull] among them, means that the
// line is dropped, and counted so.
func (w *Writer) WriteLine(line []byte) error {
	w.written.Add(1)
	buf := w.bufs.Get().(*[]byte)
	msg, cut := w.shape.append((*buf)[:0], w.cfg.Now(), line)
	err := w.backlog.put(msg)
	if *buf = msg; cap(msg) <= 1<<16 {
		w.bufs.Put(buf)
	}
	if err != nil {
		w.dropped.Add(1)
		if !errors.Is(err, sink.ErrFull) && !errors.Is(err, sink.ErrClosed) {
			w.trouble(err)
		}
		return err
	}
	if cut {
		w.truncated.Add(1)
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return nil
}

// Stats returns the account up to now.
func (w *Writer) Stats() sink.Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := sink.Stats{
		Written: w.written.Load(), Sent: w.sent.Load(), Acked: w.acked.Load(), Resent: w.resent.Load(),
		Dropped: w.dropped.Load(), Truncated: w.truncated.Load(), LastError: w.last,
	}
	if !w.over {
		if n := uint64(w.backlog.waiting()); w.spooled {
			s.Spooled = n
		} else {
			s.Queued = n
		}
	} else if w.spooled {
		s.Spooled = uint64(w.backlog.waiting())
	}
	return s
}

// Flush waits until no line waits any more, and says so when the context ends first.
func (w *Writer) Flush(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.progress.Broadcast()
	})
	defer stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		n := w.backlog.waiting()
		switch {
		case n == 0:
			return nil
		case w.over:
			return sink.ErrClosed
		case ctx.Err() != nil && w.last != nil:
			return fmt.Errorf("syslog: %d lines wait for %s: %w (%w)", n, w.cfg.Addr, ctx.Err(), w.last)
		case ctx.Err() != nil:
			return fmt.Errorf("syslog: %d lines wait for %s: %w", n, w.cfg.Addr, ctx.Err())
		}
		w.progress.Wait()
	}
}

// Close ends the delivery. What waits stays in the spool; without one it is counted
// as dropped.
func (w *Writer) Close() error {
	w.once.Do(func() {
		w.backlog.refuse()
		w.cancel()
		<-w.done
		w.mu.Lock()
		defer w.mu.Unlock()
		if !w.spooled {
			w.dropped.Add(uint64(w.backlog.waiting()))
		}
		w.over = true
		w.progress.Broadcast()
		w.closed = w.backlog.close()
	})
	return w.closed
}

func (w *Writer) trouble(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = err
}

// run delivers until the context ends.
func (w *Writer) run(ctx context.Context) {
	defer close(w.done)
	pause := w.cfg.BackoffMin
	lost := false
	d := delivery{Writer: w}
	for ctx.Err() == nil {
		t, err := w.connect(ctx)
		if err == nil {
			if lost {
				w.cfg.Log.Info("syslog collector is back", "network", w.cfg.Network, "addr", w.cfg.Addr)
				lost = false
			}
			err = d.session(ctx, t)
			t.close()
			d.settle(t)
			w.backlog.rewind()
			d.at = 0
			if d.moved {
				pause, d.moved = w.cfg.BackoffMin, false
			}
		}
		if ctx.Err() != nil {
			return
		}
		w.trouble(err)
		if !lost {
			w.cfg.Log.Warn("syslog collector is lost", "network", w.cfg.Network, "addr", w.cfg.Addr, "error", err)
			lost = true
		}
		// Half of the pause is random, so that many senders do not come back at once.
		select {
		case <-time.After(pause/2 + rand.N(pause/2+1)):
		case <-ctx.Done():
		}
		pause = min(2*pause, w.cfg.BackoffMax)
	}
}

// delivery keeps the count of what was handed over; places count from the first
// message that is not done.
type delivery struct {
	*Writer
	at       int  // messages handed over on this connection
	farthest int  // ... on any connection
	done     int  // settled on this connection
	refused  int  // of those, refused
	moved    bool // something was settled on this connection
}

// session uses one connection until it breaks.
func (d *delivery) session(ctx context.Context, t transport) error {
	d.done, d.refused = 0, 0
	for {
		if err := d.settle(t); err != nil {
			return err
		}
		d.report()
		msgs, err := d.backlog.take(batch)
		if err != nil {
			return err
		}
		if len(msgs) > 0 {
			n, err := t.send(ctx, msgs)
			d.count(n)
			if err != nil {
				return err
			}
			continue
		}
		if err := t.flush(); err != nil {
			return err
		}
		select {
		case <-d.wake:
		case <-t.changed():
		case <-t.dead():
			if err := t.flush(); err != nil {
				return err // says why
			}
			return errClosedByPeer
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// count notes that n more messages were handed over.
func (d *delivery) count(n int) {
	again := min(n, max(0, d.farthest-d.at))
	d.resent.Add(uint64(again))
	d.sent.Add(uint64(n - again))
	d.at += n
	d.farthest = max(d.farthest, d.at)
}

// settle gives up what need not be sent again.
func (d *delivery) settle(t transport) error {
	done, refused := t.settled()
	n, bad := done-d.done, refused-d.refused
	if n == 0 {
		return nil
	}
	if err := d.backlog.done(n); err != nil {
		return err
	}
	d.done, d.refused = done, refused
	d.at -= n
	d.farthest -= n
	d.moved = true
	if t.confirms() {
		d.acked.Add(uint64(n - bad))
	}
	if bad > 0 {
		d.dropped.Add(uint64(bad))
		d.trouble(fmt.Errorf("the collector has refused %d lines", bad))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.progress.Broadcast()
	return nil
}

// report tells the collector how many lines are missing.
func (d *delivery) report() {
	dropped := d.dropped.Load()
	if dropped == d.reported {
		return
	}
	msg, _ := d.shape.append(nil, d.cfg.Now(), fmt.Appendf(nil, "%d lines before this one were dropped", dropped-d.reported))
	if d.backlog.put(msg) == nil {
		d.written.Add(1)
		d.reported = dropped
	}
}
