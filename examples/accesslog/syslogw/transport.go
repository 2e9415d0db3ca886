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

// transport is a connection to a collector. It is used by one goroutine.
type transport interface {
	// send sends messages and returns the number of accepted ones.
	send(ctx context.Context, msgs [][]byte) (int, error)
	// flush sends buffered messages.
	flush() error
	// settled returns the results of the messages that need no waiting any more, in the order
	// in which they were accepted, since the last call. A nil error means that the message was
	// delivered.
	settled() []error
	// changed returns a channel that has an element after the result of settled has changed.
	changed() <-chan struct{}
	// dead returns a channel that is closed when the connection has ended.
	dead() <-chan struct{}
	// confirms reports whether the other end acknowledges messages.
	confirms() bool
	close()
}

func (w *Writer) connect(ctx context.Context) (transport, error) {
	c := &w.cfg
	if c.Network == "relp" {
		client, err := relp.Dial(
			ctx,
			"tcp",
			c.Addr,
			relp.Config{Window: c.Window, Timeout: c.Timeout, TLS: c.TLS, Dial: c.Dial},
		)
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
	go func() { // a collector does not send anything: Read returns at the end of the connection
		defer close(s.end)
		io.Copy(io.Discard, conn)
	}()
	return s, nil
}

// counter is the common part of transports without acknowledgements.
type counter struct {
	results []error
	end     chan struct{}
}

func (c *counter) flush() error { return nil }

func (c *counter) settled() []error {
	results := c.results
	c.results = nil
	return results
}

func (c *counter) changed() <-chan struct{} { return nil }
func (c *counter) dead() <-chan struct{}    { return c.end }
func (c *counter) confirms() bool           { return false }

// datagrams sends each message as a datagram over UDP or a unix socket.
type datagrams struct {
	counter
	conn    net.Conn
	timeout time.Duration
}

func (d *datagrams) send(_ context.Context, msgs [][]byte) (int, error) {
	d.conn.SetWriteDeadline(time.Now().Add(d.timeout))
	for i, m := range msgs {
		_, err := d.conn.Write(m)
		if err != nil && !errors.Is(err, syscall.EMSGSIZE) {
			return i, err
		}
		d.results = append(d.results, err)
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
	case <-s.end: // the kernel would accept one more write and lose it
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
	s.results = append(s.results, make([]error, taken)...)
	return taken, err
}

func (s *stream) close() {
	s.conn.Close()
	<-s.end
}

var errClosedByPeer = errors.New("syslogw: connection closed by the collector")

// confirmed is a RELP session.
type confirmed struct {
	client *relp.Client
	news   chan struct{}
	sent   []*reply // in order, from the first that is not settled
}

// reply is the state of one message.
type reply struct {
	state    atomic.Uint32
	rejected *relp.RejectedError // set before the state is rejected
}

// The states of a message.
const (
	unanswered uint32 = iota
	acknowledged
	rejected
	lost // the connection ended before the reply
)

func (c *confirmed) send(ctx context.Context, msgs [][]byte) (int, error) {
	for i, m := range msgs {
		a := new(reply)
		err := c.client.Send(ctx, m, func(err error) {
			switch {
			case err == nil:
				a.state.Store(acknowledged)
			case errors.As(err, &a.rejected):
				a.state.Store(rejected)
			default:
				a.state.Store(lost)
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

func (c *confirmed) settled() (results []error) {
	for _, a := range c.sent {
		switch a.state.Load() {
		case acknowledged:
			results = append(results, nil)
			continue
		case rejected:
			results = append(results, a.rejected)
			continue
		}
		break // unanswered or lost
	}
	c.sent = append(c.sent[:0], c.sent[len(results):]...)
	return results
}

func (c *confirmed) changed() <-chan struct{} { return c.news }
func (c *confirmed) dead() <-chan struct{}    { return c.client.Done() }
func (c *confirmed) confirms() bool           { return true }
func (c *confirmed) close()                   { c.client.Close() }
