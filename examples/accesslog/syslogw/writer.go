package syslogw

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"dougu.internal/examples/accesslog/internal/errtext"
	"dougu.internal/examples/accesslog/sink"
	"dougu.internal/examples/accesslog/spool"
)

// batch is the number of messages that are sent at a time.
const batch = 128

// Writer is a [sink.Sink] that delivers lines to a syslog collector. Use [Open] to create one.
// Its methods are safe for concurrent use by multiple goroutines.
type Writer struct {
	cfg     Config
	shape   *shape
	backlog backlog
	spooled bool
	bufs    sync.Pool

	wake   chan struct{} // has an element if there are messages to deliver
	cancel context.CancelFunc
	done   chan struct{} // closed when the delivering goroutine has ended
	once   sync.Once
	closed error

	written, sent, acked, resent, dropped, truncated atomic.Uint64
	reported                                         uint64 // the part of dropped that was sent to the collector

	mu       sync.Mutex
	progress sync.Cond // a message was delivered, or the Writer was closed
	last     error
	over     bool
}

var _ sink.Sink = (*Writer)(nil)

// Open creates a Writer and starts to deliver, first the lines that an earlier process left in
// the spool. An unreachable collector is not an error: the Writer tries again until it is closed,
// and Stats contains the last error. When Open returns, ctx has no effect any more. The caller
// must close the Writer.
func Open(ctx context.Context, c Config) (*Writer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, errtext.Wrap("syslogw", "open", err)
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
			return nil, errtext.Wrap("syslogw", "", err)
		}
		w.backlog, w.spooled = d, true
	}
	running, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	go w.run(running)
	return w, nil
}

// WriteLine accepts a line and returns before it is delivered. With a spool, the line is stored
// there when WriteLine returns. If it returns an error, such as [sink.ErrFull], the line is
// dropped and counted.
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
			err = errtext.Wrap("syslogw", "store a line", err)
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

// Stats returns the current counters.
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

// Flush blocks until all accepted lines are delivered. If ctx ends before, it returns an error
// with the number of lines that are not.
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
			text := fmt.Sprintf("%d lines wait for %s: %v (%s)", n, w.cfg.Addr, ctx.Err(), errtext.Plain(w.last))
			return errtext.New("syslogw", text, ctx.Err(), w.last)
		case ctx.Err() != nil:
			return fmt.Errorf("syslogw: %d lines wait for %s: %w", n, w.cfg.Addr, ctx.Err())
		}
		w.progress.Wait()
	}
}

// Close stops the delivery. Lines that are not delivered stay in the spool; without a spool they
// are counted as dropped. Further calls have no effect.
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
		w.closed = errtext.Wrap("syslogw", "", w.backlog.close())
	})
	return w.closed
}

// trouble stores the last error of the delivery.
func (w *Writer) trouble(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = errtext.Wrap("syslogw", "", err)
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
				w.cfg.Log.Info("syslog collector is connected again", "network", w.cfg.Network, "addr", w.cfg.Addr)
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
			w.cfg.Log.Warn(
				"connection to syslog collector is lost",
				"network",
				w.cfg.Network,
				"addr",
				w.cfg.Addr,
				"error",
				err,
			)
			lost = true
		}
		// Half of the pause is random, so that many senders do not reconnect at the same time.
		select {
		case <-time.After(pause/2 + rand.N(pause/2+1)):
		case <-ctx.Done():
		}
		pause = min(2*pause, w.cfg.BackoffMax)
	}
}

// delivery counts the messages that were sent. at and farthest count from the first message that
// is not settled.
type delivery struct {
	*Writer
	at       int  // messages that were sent on this connection
	farthest int  // messages that were sent on any connection
	done     int  // messages that are settled on this connection
	refused  int  // the part of done that the collector rejected
	moved    bool // a message was settled on this connection
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
				return err // it has the reason
			}
			return errClosedByPeer
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// count counts n more messages that were sent.
func (d *delivery) count(n int) {
	again := min(n, max(0, d.farthest-d.at))
	d.resent.Add(uint64(again))
	d.sent.Add(uint64(n - again))
	d.at += n
	d.farthest = max(d.farthest, d.at)
}

// settle removes the messages that need not be sent again.
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
		d.trouble(fmt.Errorf("syslogw: the collector rejected %d lines", bad))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.progress.Broadcast()
	return nil
}

// report sends the number of dropped lines to the collector.
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
