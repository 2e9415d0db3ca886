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
	"dougu.internal/examples/accesslog/relp"
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

	written, sent, acked, resent, dropped, truncated, aside atomic.Uint64
	reported                                                uint64 // the part of dropped that was sent to the collector

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
		Dropped: w.dropped.Load(), Truncated: w.truncated.Load(), SetAside: w.aside.Load(), LastError: w.last,
	}
	s.Damaged = uint64(w.backlog.damage())
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
			if d.moved {
				pause = w.cfg.BackoffMin
			}
			if msg := d.ended(t.confirms() && ctx.Err() == nil); msg != nil {
				d.giveUp(msg, fmt.Sprintf("the collector closes the connection for a message of %d bytes", len(msg)))
				if err := w.backlog.done(1); err != nil {
					w.trouble(err)
				}
				d.window.giveUp()
				d.announce()
			}
			w.backlog.rewind()
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

// delivery sends messages and counts them.
type delivery struct {
	*Writer
	window
	taken    [][]byte       // messages of the backlog that are not sent on this connection
	attempts map[string]int // messages that the collector has rejected
}

// maxAttempts is the number of times that a rejected message is sent, and maxRejected the
// number of messages whose attempts are counted.
const (
	maxAttempts = 4
	maxRejected = 1024
)

// session uses one connection until it breaks.
func (d *delivery) session(ctx context.Context, t transport) error {
	d.taken = nil
	for {
		if err := d.settle(t); err != nil {
			return err
		}
		d.report()
		n, err := d.send(ctx, t)
		if err != nil {
			return err
		}
		if n > 0 {
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

// send sends the next messages and returns how many were sent.
func (d *delivery) send(ctx context.Context, t transport) (int, error) {
	limit := d.limit(batch)
	if limit == 0 {
		return 0, nil
	}
	if len(d.taken) == 0 {
		msgs, err := d.backlog.take(limit)
		if err != nil {
			return 0, err
		}
		d.taken = msgs
	}
	msgs := d.taken[:min(limit, len(d.taken))]
	if len(msgs) == 0 {
		return 0, nil
	}
	// A message that was rejected waits longer each time. Messages before it are sent first.
	for i, m := range msgs {
		tries := d.attempts[string(m)]
		if tries == 0 {
			continue
		}
		if i > 0 {
			msgs = msgs[:i]
			break
		}
		if err := t.flush(); err != nil {
			return 0, err
		}
		if err := pause(ctx, t, min(d.cfg.BackoffMin<<tries, d.cfg.BackoffMax)); err != nil {
			return 0, err
		}
		msgs = msgs[:1]
		break
	}
	n, err := t.send(ctx, msgs)
	again := d.window.sent(msgs[:n])
	d.resent.Add(uint64(again))
	d.Writer.sent.Add(uint64(n - again))
	d.taken = d.taken[n:]
	return n, err
}

// pause waits until the time is over or the connection has ended.
func pause(ctx context.Context, t transport, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-t.dead():
		return errClosedByPeer
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settle removes the messages that need not be sent again.
func (d *delivery) settle(t transport) error {
	results := t.settled()
	if len(results) == 0 {
		return nil
	}
	good := 0
	for i, err := range results {
		switch {
		case err == nil:
			good++
			if len(d.attempts) > 0 {
				delete(d.attempts, string(d.msgs[i]))
			}
		default:
			d.rejected(d.msgs[i], err)
		}
	}
	d.window.settle(len(results), func(i int) bool { return results[i] == nil })
	if err := d.backlog.done(len(results)); err != nil {
		return err
	}
	if t.confirms() {
		d.acked.Add(uint64(good))
	}
	d.announce()
	return nil
}

// announce unblocks Flush after messages were removed from the backlog.
func (w *Writer) announce() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.progress.Broadcast()
}

// rejected stores a message again that the collector has rejected, or gives it up after the
// last attempt. It is called before the message is removed from the backlog, so that it is not
// lost if the process is killed.
func (d *delivery) rejected(msg []byte, reason error) {
	var tooLarge *relp.RejectedError
	temporary := errors.As(reason, &tooLarge)
	tries := d.attempts[string(msg)] + 1
	if temporary && tries < maxAttempts && len(d.attempts) < maxRejected && d.backlog.put(msg) == nil {
		if d.attempts == nil {
			d.attempts = map[string]int{}
		}
		d.attempts[string(msg)] = tries
		d.trouble(reason)
		return
	}
	delete(d.attempts, string(msg))
	d.giveUp(msg, errtext.Plain(reason))
}

// giveUp sets a message aside. If that fails, the message is lost.
func (d *delivery) giveUp(msg []byte, reason string) {
	if err := d.setAside(msg, reason); err != nil {
		d.dropped.Add(1)
		d.trouble(fmt.Errorf("syslogw: a message of %d bytes is lost: %s", len(msg), reason))
		return
	}
	d.aside.Add(1)
	d.trouble(fmt.Errorf("syslogw: a message of %d bytes is set aside: %s", len(msg), reason))
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
