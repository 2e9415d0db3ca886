package relp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config of a client. The zero value is usable.
type Config struct {
	// Window is the greatest number of unanswered messages; 0 is 128.
	Window int
	// Timeout bounds connecting with the opening of the session, each write, and the
	// wait for any answer while messages are unanswered; 0 is 30 seconds.
	Timeout time.Duration
	// TLS, when it is not nil, is spoken from the first byte on.
	TLS *tls.Config
	// Dial connects; nil is net.Dialer's DialContext.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

var (
	// ErrClosed: the client was closed here, with the message unanswered.
	ErrClosed = errors.New("relp: the client is closed")
	// ErrServerClosed: the server said that it ends the session.
	ErrServerClosed = errors.New("relp: the server has closed the session")
	// ErrSilent: the server did not answer within Config.Timeout.
	ErrSilent = errors.New("relp: the server does not answer")
	// ErrEmpty: a message without a byte; a server would store it as a bogus line.
	ErrEmpty = errors.New("relp: an empty message can't be sent")
)

// RejectedError is an answer other than 200.
type RejectedError struct {
	// Code is the three digits of the answer, or 0 when it had none.
	Code int
	// Text is what stood behind them, quoted.
	Text string
}

// Error returns the answer.
func (e *RejectedError) Error() string {
	return fmt.Sprintf("relp: the server has answered %d %s", e.Code, e.Text)
}

// Client is one session. Its methods are safe for many goroutines.
type Client struct {
	conn    net.Conn
	timeout time.Duration
	window  int
	slots   chan struct{} // holds an element for each message that is not answered

	writing sync.Mutex // taken before mu; the reader never takes it
	w       *bufio.Writer
	next    uint32
	buf     []byte

	mu      sync.Mutex
	idle    sync.Cond // nothing waits, or the session has ended
	waiting map[uint32]func(error)
	err     error         // why the session has ended
	ended   chan struct{} // closed when err is set
	done    chan struct{} // closed when the reader has ended
}

// Dial connects to a server and opens a session that offers the command syslog. The
// context bounds Dial alone.
func Dial(ctx context.Context, network, addr string, cfg Config) (*Client, error) {
	if cfg.Window <= 0 {
		cfg.Window = 128
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	dial := cfg.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, network, addr)
	if err != nil {
		return nil, fmt.Errorf("relp: %w", err)
	}
	if cfg.TLS != nil {
		secure := tls.Client(conn, serverName(cfg.TLS, addr))
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, fmt.Errorf("relp: %s: %w", addr, err)
		}
		conn = secure
	}
	c := &Client{
		conn: conn, timeout: cfg.Timeout, window: cfg.Window, next: 2,
		w: bufio.NewWriterSize(conn, 64<<10), slots: make(chan struct{}, cfg.Window), waiting: make(map[uint32]func(error)),
		ended: make(chan struct{}), done: make(chan struct{}),
	}
	c.idle.L = &c.mu
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	r := bufio.NewReader(conn)
	err = c.open(r)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("relp: %s: %w", addr, err)
	}
	go c.read(r)
	return c, nil
}

// serverName fills in the name to verify, as tls.Dial does.
func serverName(cfg *tls.Config, addr string) *tls.Config {
	if cfg.ServerName != "" || cfg.InsecureSkipVerify {
		return cfg
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	cfg = cfg.Clone()
	cfg.ServerName = host
	return cfg
}

// open exchanges the offers.
func (c *Client) open(r *bufio.Reader) error {
	const offer = "relp_version=0\nrelp_software=dougu,1\ncommands=syslog"
	if _, err := c.conn.Write(appendFrame(nil, 1, "open", []byte(offer))); err != nil {
		return err
	}
	f, err := readFrame(r)
	switch {
	case err != nil:
		return fmt.Errorf("the session was not opened: %w", unexpected(err))
	case f.command == "serverclose":
		return ErrServerClosed
	case f.command != "rsp" || f.txnr != 1:
		return fmt.Errorf("%w: the answer to open is %q of transaction %d", ErrProtocol, f.command, f.txnr)
	}
	code, text, offers := status(f.data)
	if code != 200 {
		return &RejectedError{code, text}
	}
	for _, o := range offers {
		if commands, ok := strings.CutPrefix(string(o), "commands="); ok && slices.Contains(strings.Split(commands, ","), "syslog") {
			return nil
		}
	}
	return fmt.Errorf("%w: the server does not offer the command syslog", ErrProtocol)
}

// Send sends one syslog message and returns when it is buffered; it waits while the
// window is full, but not longer than the context. When Send returns nil, answered is
// called exactly once, later or at once, from another goroutine; it must not call the
// client. When Send returns an error, answered is never called. What is buffered goes
// out by itself when the window is full; call Flush when there is no more to send.
func (c *Client) Send(ctx context.Context, msg []byte, answered func(error)) error {
	if len(msg) == 0 {
		return ErrEmpty
	}
	select {
	case c.slots <- struct{}{}:
	default:
		if err := c.Flush(); err != nil {
			return err
		}
		select {
		case c.slots <- struct{}{}:
		case <-c.ended:
			return c.ending()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	txnr := c.next
	if err := c.register(txnr, answered); err != nil {
		<-c.slots
		return err
	}
	if c.next++; c.next > maxTXNR {
		c.next = 1
	}
	c.buf = appendFrame(c.buf[:0], txnr, "syslog", msg)
	if len(c.buf) > c.w.Available() {
		c.conn.SetWriteDeadline(time.Now().Add(c.timeout))
	}
	if _, err := c.w.Write(c.buf); err != nil {
		c.end(err) // the reader tells the message's function
	}
	return nil
}

// register notes whom to tell of the answer.
func (c *Client) register(txnr uint32, answered func(error)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if len(c.waiting) == 0 {
		// The clock of the first unanswered message begins.
		c.conn.SetReadDeadline(time.Now().Add(c.timeout))
	}
	c.waiting[txnr] = answered
	return nil
}

func (c *Client) ending() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Flush sends what is buffered.
func (c *Client) Flush() error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.ending(); err != nil {
		return err
	}
	if c.w.Buffered() == 0 {
		return nil
	}
	c.conn.SetWriteDeadline(time.Now().Add(c.timeout))
	if err := c.w.Flush(); err != nil {
		return c.end(err)
	}
	return nil
}

// end notes why the session ended; the reader then tells those who wait.
func (c *Client) end(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		close(c.ended)
		c.conn.Close()
		c.idle.Broadcast()
	}
	return c.err
}

// Wait sends what is buffered and waits until every message is answered, the session
// has ended, or the context ends. Unless it was the context, each message's function
// has returned then.
func (c *Client) Wait(ctx context.Context) error {
	if err := c.Flush(); err != nil {
		<-c.done
		return err
	}
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.idle.Broadcast()
	})
	defer stop()
	c.mu.Lock()
	for c.err == nil && len(c.waiting) > 0 && ctx.Err() == nil {
		c.idle.Wait()
	}
	err := c.err
	c.mu.Unlock()
	if err != nil {
		<-c.done
		return err
	}
	return ctx.Err()
}

// Done is closed when the session has ended, whoever ended it.
func (c *Client) Done() <-chan struct{} { return c.done }

// Close ends the session in good manners, as far as the server goes along within one
// second, and waits for the end of the reader. Messages that are unanswered then are
// told [ErrClosed]: call Wait first. It may be called more than once.
func (c *Client) Close() error {
	c.writing.Lock()
	if c.close() {
		c.buf = appendFrame(c.buf[:0], c.next, "close", nil)
		c.conn.SetDeadline(time.Now().Add(min(time.Second, c.timeout)))
		_, err := c.w.Write(c.buf)
		if err == nil {
			err = c.w.Flush()
		}
		if err != nil {
			c.conn.Close()
		}
	}
	c.writing.Unlock()
	<-c.done
	return nil
}

// close marks the session as ended here and reports whether it was alive. The reader
// goes on until the server answers.
func (c *Client) close() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false
	}
	c.err = ErrClosed
	close(c.ended)
	c.idle.Broadcast()
	return true
}

var errGoodbye = errors.New("goodbye")

// read takes the answers until the session ends.
func (c *Client) read(r *bufio.Reader) {
	defer close(c.done)
	freed := 0
	for {
		f, err := readFrame(r)
		if err == nil {
			err = c.answer(f)
		}
		if err != nil {
			c.finish(err)
			return
		}
		// Slots are freed in bulk: who waits goes on with many messages in one write.
		if freed++; freed > c.window/2 || r.Buffered() == 0 {
			for ; freed > 0; freed-- {
				<-c.slots
			}
		}
	}
}

func (c *Client) answer(f frame) error {
	switch f.command {
	case "serverclose":
		return ErrServerClosed
	case "rsp":
	default:
		return fmt.Errorf("%w: a server that sends %q", ErrProtocol, f.command)
	}
	c.mu.Lock()
	answered, ok := c.waiting[f.txnr]
	closing := c.err != nil
	c.mu.Unlock()
	switch code, text, _ := status(f.data); {
	case !ok && closing:
		return errGoodbye
	case !ok:
		return fmt.Errorf("%w: an answer to message %d, which was not sent", ErrProtocol, f.txnr)
	case code != 200:
		answered(&RejectedError{code, text})
	default:
		answered(nil)
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, f.txnr)
	switch {
	case c.err != nil: // Close has set the deadline
	case len(c.waiting) == 0:
		c.conn.SetReadDeadline(time.Time{})
		c.idle.Broadcast()
	default:
		c.conn.SetReadDeadline(time.Now().Add(c.timeout))
	}
	return nil
}

// finish ends the session and tells all who wait.
func (c *Client) finish(err error) {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		err = ErrSilent
	}
	err = c.end(err)
	c.conn.Close()
	c.mu.Lock()
	left := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	for _, answered := range left {
		answered(err)
	}
}
