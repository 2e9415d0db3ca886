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

	"dougu.internal/examples/accesslog/internal/errtext"
	"dougu.internal/internal/jsontext"
)

// Config configures a [Client]. The zero value is usable.
type Config struct {
	// Window is the maximum number of unacknowledged messages. If zero, 128 is used.
	Window int
	// Timeout is the time limit for connecting and opening the session, for each write, and
	// for each reply while messages are unacknowledged. If zero, 30 seconds is used.
	Timeout time.Duration
	// TLS, if not nil, configures TLS. The handshake starts with the first byte.
	TLS *tls.Config
	// Dial opens the connection. If nil, the DialContext method of [net.Dialer] is used.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

var (
	// ErrClosed means that the client was closed before the server replied.
	ErrClosed = errors.New("relp: client is closed")
	// ErrServerClosed means that the server closed the session.
	ErrServerClosed = errors.New("relp: session closed by the server")
	// ErrSilent means that the server did not reply within Config.Timeout.
	ErrSilent = errors.New("relp: timeout: no reply from the server")
	// ErrEmpty is returned for an empty message, because a server would store an invalid line
	// for it.
	ErrEmpty = errors.New("relp: message is empty")
)

// RejectedError is a reply with a code other than 200.
type RejectedError struct {
	// Code is the code of the reply, or 0 if the reply has none.
	Code int `json:"code,omitzero"`
	// Text is the quoted text of the reply.
	Text string `json:"text,omitzero"`
}

// Error returns the code and the text.
func (e *RejectedError) Error() string {
	return fmt.Sprintf("relp: the server replied %d %s", e.Code, e.Text)
}

// MarshalJSON returns the JSON encoding of e. It keeps strings that are not valid UTF-8.
func (e RejectedError) MarshalJSON() ([]byte, error) {
	type plain RejectedError
	return jsontext.Marshal(plain(e))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *RejectedError) UnmarshalJSON(b []byte) error {
	type plain RejectedError
	return jsontext.Unmarshal(b, (*plain)(e))
}

// Client is a session with a server. Its methods are safe for concurrent use by multiple
// goroutines.
type Client struct {
	conn    net.Conn
	timeout time.Duration
	window  int
	slots   chan struct{} // contains an element for each unacknowledged message

	writing sync.Mutex // is locked before mu; the reader does not lock it
	w       *bufio.Writer
	next    uint32
	buf     []byte

	mu      sync.Mutex
	idle    sync.Cond // waiting is empty, or the session has ended
	waiting map[uint32]func(error)
	err     error         // the reason for the end of the session
	ended   chan struct{} // closed when err is set
	done    chan struct{} // closed when the reader has ended
}

// Dial connects to a server and opens a session for syslog messages. When Dial returns, ctx has
// no effect any more. The caller must close the client.
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
		return nil, errtext.Wrap("relp", "connect to "+addr, err)
	}
	if cfg.TLS != nil {
		secure := tls.Client(conn, serverName(cfg.TLS, addr))
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, errtext.Wrap("relp", "TLS handshake with "+addr, err)
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
		return nil, errtext.Wrap("relp", "open a session with "+addr, err)
	}
	go c.read(r)
	return c, nil
}

// serverName sets the name to verify like tls.Dial.
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

// open opens the session.
func (c *Client) open(r *bufio.Reader) error {
	const offer = "relp_version=0\nrelp_software=dougu,1\ncommands=syslog"
	if _, err := c.conn.Write(appendFrame(nil, 1, "open", []byte(offer))); err != nil {
		return err
	}
	f, err := readFrame(r)
	switch {
	case err != nil:
		return unexpected(err)
	case f.command == "serverclose":
		return ErrServerClosed
	case f.command != "rsp" || f.txnr != 1:
		return invalid("unexpected reply to open: %q with transaction number %d", f.command, f.txnr)
	}
	code, text, offers := status(f.data)
	if code != 200 {
		return &RejectedError{code, text}
	}
	for _, o := range offers {
		if commands, ok := strings.CutPrefix(string(o), "commands="); ok &&
			slices.Contains(strings.Split(commands, ","), "syslog") {
			return nil
		}
	}
	return invalid("the server does not offer the command syslog")
}

// Send adds one syslog message to the send buffer. If the window is full, it blocks until the
// server replies or ctx ends. The buffer is sent automatically when the window is full; call
// Flush after the last message.
//
// If Send returns nil, replied is called exactly once from another goroutine, possibly before
// Send returns. It must not call methods of the client. If Send returns an error, replied is not
// called.
func (c *Client) Send(ctx context.Context, msg []byte, replied func(error)) error {
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
			return errtext.Wrap("relp", "wait for a reply", ctx.Err())
		}
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	txnr := c.next
	if err := c.register(txnr, replied); err != nil {
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
		c.end(errtext.Wrap("relp", "send", err)) // the reader calls replied
	}
	return nil
}

// register stores the function for the reply to a message.
func (c *Client) register(txnr uint32, replied func(error)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if len(c.waiting) == 0 {
		// The time limit for the first reply starts here.
		c.conn.SetReadDeadline(time.Now().Add(c.timeout))
	}
	c.waiting[txnr] = replied
	return nil
}

func (c *Client) ending() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Flush sends the buffered messages.
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
		return c.end(errtext.Wrap("relp", "send", err))
	}
	return nil
}

// end ends the session and stores the reason. The reader then calls the remaining functions.
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

// Wait sends the buffered messages and blocks until the server has replied to all messages, the
// session has ended, or ctx ends. In the first two cases, all functions that were passed to Send
// have returned.
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
	return errtext.Wrap("relp", "wait for replies", ctx.Err())
}

// Done returns a channel that is closed when the session has ended.
func (c *Client) Done() <-chan struct{} { return c.done }

// Close sends a close command, waits up to one second for the reply, and closes the connection.
// The functions of unacknowledged messages are called with [ErrClosed]. Call Wait first to avoid
// this. Further calls have no effect.
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

// close marks the session as closed and reports whether it was open. The reader continues until
// the server replies.
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

// read processes replies until the session ends.
func (c *Client) read(r *bufio.Reader) {
	defer close(c.done)
	freed := 0
	for {
		f, err := readFrame(r)
		if err == nil {
			err = c.reply(f)
		}
		if err != nil {
			c.finish(err)
			return
		}
		// Slots are freed in groups, so that a waiting sender can send many messages in one write.
		if freed++; freed > c.window/2 || r.Buffered() == 0 {
			for ; freed > 0; freed-- {
				<-c.slots
			}
		}
	}
}

// reply processes one frame.
func (c *Client) reply(f frame) error {
	switch f.command {
	case "serverclose":
		return ErrServerClosed
	case "rsp":
	default:
		return invalid("unexpected command %q", f.command)
	}
	c.mu.Lock()
	replied, ok := c.waiting[f.txnr]
	closing := c.err != nil
	c.mu.Unlock()
	switch code, text, _ := status(f.data); {
	case !ok && closing:
		return errGoodbye
	case !ok:
		return invalid("reply to unknown transaction number %d", f.txnr)
	case code != 200:
		replied(&RejectedError{code, text})
	default:
		replied(nil)
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

// finish ends the session and calls the functions of all unacknowledged messages.
func (c *Client) finish(err error) {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		err = ErrSilent
	}
	if !strings.HasPrefix(err.Error(), "relp: ") {
		err = errtext.Wrap("relp", "read a reply", err)
	}
	err = c.end(err)
	c.conn.Close()
	c.mu.Lock()
	left := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	for _, replied := range left {
		replied(err)
	}
}
