package syslogw

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"dougu.internal/examples/accesslog/relp"
)

// transport is one connection to a collector. One goroutine uses it.
type transport interface {
	// send hands messages over and returns how many were taken. Taken messages that
	// settled does not count yet are unconfirmed.
	send(ctx context.Context, msgs [][]byte) (int, error)
	// flush sends what is buffered.
	flush() error
	// settled returns how many messages, from the first one on, need not be sent again,
	// and how many of them the other end refused.
	settled() (done, refused int)
	// changed has an element after settled has changed; dead is closed when the
	// connection has ended.
	changed() <-chan struct{}
	dead() <-chan struct{}
	// confirms reports whether settled messages were confirmed by the other end.
	confirms() bool
	close()
}

func (w *Writer) connect(ctx context.Context) (transport, error) {
	c := &w.cfg
	if c.Network == "relp" {
		client, err := relp.Dial(ctx, "tcp", c.Addr, relp.Config{Window: c.Window, Timeout: c.Timeout, TLS: c.TLS, Dial: c.Dial})
		if err != nil {
			return nil, err
		}
		return &confirmed{client: client, news: make(chan struct{}, 1)}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	network := map[string]string{"unix": "unixgram", "tls": "tcp"}[c.Network]
	if network == "" {
		network = c.Network
	}
	conn, err := c.Dial(ctx, network, c.Addr)
	if err != nil {
		return nil, err
	}
	if c.Network == "udp" || c.Network == "unix" {
		return &datagrams{counter: counter{end: make(chan struct{})}, conn: conn, timeout: c.Timeout}, nil
	}
	if c.Network == "tls" {
		cfg := c.TLS
		if cfg == nil {
			cfg = &tls.Config{}
		}
		if cfg.ServerName == "" && !cfg.InsecureSkipVerify {
			cfg = cfg.Clone()
			cfg.ServerName, _, _ = net.SplitHostPort(c.Addr)
		}
		secure := tls.Client(conn, cfg)
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		conn = secure
	}
	s := &stream{counter: counter{end: make(chan struct{})}, conn: conn, timeout: c.Timeout, framing: c.Framing}
	go func() { // a collector never speaks: what comes is the end
		defer close(s.end)
		io.Copy(io.Discard, conn)
	}()
	return s, nil
}

// counter is for transports on which a message is settled when the system has it.
type counter struct {
	n, bad int
	end    chan struct{}
}

func (c *counter) flush() error             { return nil }
func (c *counter) settled() (int, int)      { return c.n, c.bad }
func (c *counter) changed() <-chan struct{} { return nil }
func (c *counter) dead() <-chan struct{}    { return c.end }
func (c *counter) confirms() bool           { return false }

// datagrams sends each message by itself: UDP and unix sockets.
type datagrams struct {
	counter
	conn    net.Conn
	timeout time.Duration
}

func (d *datagrams) send(_ context.Context, msgs [][]byte) (int, error) {
	d.conn.SetWriteDeadline(time.Now().Add(d.timeout))
	for i, m := range msgs {
		switch _, err := d.conn.Write(m); {
		case errors.Is(err, syscall.EMSGSIZE): // no second try will do better
			d.bad++
		case err != nil:
			return i, err
		}
		d.n++
	}
	return len(msgs), nil
}

func (d *datagrams) close() { d.conn.Close() }

// stream sends framed messages over TCP and TLS.
type stream struct {
	counter
	conn    net.Conn
	timeout time.Duration
	framing Framing
	buf     []byte
	ends    []int
}

func (s *stream) send(_ context.Context, msgs [][]byte) (int, error) {
	select {
	case <-s.end: // the kernel would take one more write, and lose it
		return 0, errClosedByPeer
	default:
	}
	s.buf, s.ends = s.buf[:0], s.ends[:0]
	for _, m := range msgs {
		if s.framing == Octet {
			s.buf = append(strconv.AppendInt(s.buf, int64(len(m)), 10), ' ')
			s.buf = append(s.buf, m...)
		} else {
			s.buf = append(append(s.buf, m...), '\n')
		}
		s.ends = append(s.ends, len(s.buf))
	}
	s.conn.SetWriteDeadline(time.Now().Add(s.timeout))
	written, err := s.conn.Write(s.buf)
	taken := 0
	for taken < len(msgs) && s.ends[taken] <= written {
		taken++
	}
	s.n += taken
	return taken, err
}

func (s *stream) close() {
	s.conn.Close()
	<-s.end
}

var errClosedByPeer = errors.New("the collector has closed the connection")

// confirmed is RELP.
type confirmed struct {
	client *relp.Client
	news   chan struct{}
	sent   []*answer // in order, from the first that is not settled
	done   int
	bad    int
}

// answer is what became of one message: 0 unanswered, 1 confirmed, 2 refused, 3 lost
// with the connection.
type answer struct{ state atomic.Uint32 }

func (c *confirmed) send(ctx context.Context, msgs [][]byte) (int, error) {
	for i, m := range msgs {
		a := new(answer)
		err := c.client.Send(ctx, m, func(err error) {
			var rejected *relp.RejectedError
			switch {
			case err == nil:
				a.state.Store(1)
			case errors.As(err, &rejected):
				a.state.Store(2)
			default:
				a.state.Store(3)
			}
			select {
			case c.news <- struct{}{}:
			default:
			}
		})
		if err != nil {
			return i, err
		}
		c.sent = append(c.sent, a)
	}
	return len(msgs), nil
}

func (c *confirmed) flush() error { return c.client.Flush() }

func (c *confirmed) settled() (int, int) {
	n := 0
	for ; n < len(c.sent); n++ {
		state := c.sent[n].state.Load()
		if state == 0 || state == 3 {
			break
		}
		if state == 2 {
			c.bad++
		}
		c.done++
	}
	c.sent = append(c.sent[:0], c.sent[n:]...)
	return c.done, c.bad
}

func (c *confirmed) changed() <-chan struct{} { return c.news }
func (c *confirmed) dead() <-chan struct{}    { return c.client.Done() }
func (c *confirmed) confirms() bool           { return true }
func (c *confirmed) close()                   { c.client.Close() }
