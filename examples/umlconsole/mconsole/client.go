package mconsole

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

var (
	// ErrStale: a socket is there and nobody listens: the guest has died.
	ErrStale = errors.New("nobody listens on the socket: the guest is gone")
	// ErrIncomplete: the last packet said that more would follow, and none came, or too
	// many. The text so far is returned beside it.
	ErrIncomplete = errors.New("the answer is incomplete")
)

// Error is an answer that says no.
type Error struct {
	// Code is 1 for a general error, and a negative errno otherwise.
	Code int32
	// Text is what the guest said.
	Text string
}

// Error returns the guest's words.
func (e *Error) Error() string { return fmt.Sprintf("the guest says no (%d): %s", e.Code, e.Text) }

// Client asks one guest. Set the fields before the first use.
type Client struct {
	// Pid is what the pid file beside the socket says; 0 when it says nothing.
	Pid int
	// Timeout bounds the wait for the first packet where the context does not; Dial
	// sets 10 seconds.
	Timeout time.Duration
	// Idle bounds the wait for each further packet; Dial sets 1 second.
	Idle time.Duration
	// MaxText bounds the text of an answer in bytes; Dial sets 1 MiB.
	MaxText int

	path string
}

// Dial looks at a socket, DIR/UMID/mconsole, and returns a client for it. It fails with
// [ErrStale] when nobody listens there. The client holds nothing open.
func Dial(path string) (*Client, error) {
	const most = 107
	if len(path) > most {
		return nil, fmt.Errorf("mconsole: the path of the socket has %d bytes, a socket's name at most %d: start the guest with a shorter uml_dir", len(path), most)
	}
	c := &Client{path: path, Timeout: 10 * time.Second, Idle: time.Second, MaxText: 1 << 20}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		if refused(err) {
			return nil, fmt.Errorf("mconsole: %s: %w", path, ErrStale)
		}
		return nil, fmt.Errorf("mconsole: %w", err)
	}
	conn.Close()
	c.Pid, _ = readPid(filepath.Join(filepath.Dir(path), "pid"))
	return c, nil
}

// readPid reads a pid file, which may hold anything.
func readPid(name string) (int, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	b := make([]byte, 32)
	n, _ := f.Read(b)
	pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	if err != nil || pid <= 0 {
		return 0, fmt.Errorf("%s holds %q, not a process number", name, b[:n])
	}
	return pid, nil
}

// Do sends a command and returns the text of the answer, without NUL bytes. An answer
// that says no is an *Error; [ErrIncomplete] comes with the text so far.
func (c *Client) Do(ctx context.Context, cmd string) (string, error) {
	if err := checkCommand(cmd); err != nil {
		return "", err
	}
	if _, ok := ctx.Deadline(); !ok && c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Timeout)
		defer cancel()
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	// An unbound socket gets no answer; the kernel binds one without a name.
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram"})
	if err != nil {
		return "", fmt.Errorf("mconsole: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.WriteToUnix(appendRequest(make([]byte, 0, headSize+len(cmd)), cmd), &net.UnixAddr{Name: c.path, Net: "unixgram"}); err != nil {
		if refused(err) {
			return "", fmt.Errorf("mconsole: %s: %w", c.path, ErrStale)
		}
		return "", fmt.Errorf("mconsole: %w", err)
	}
	return c.receive(ctx, conn)
}

// receive joins the packets of an answer.
func (c *Client) receive(ctx context.Context, conn *net.UnixConn) (string, error) {
	var text []byte
	buf := make([]byte, headSize+maxData+1)
	begun := false
	for {
		n, from, err := conn.ReadFromUnix(buf)
		switch {
		case err != nil && begun:
			return clean(text), ErrIncomplete
		case err != nil && ctx.Err() != nil:
			return "", fmt.Errorf("mconsole: %s does not answer: %w", c.path, ctx.Err())
		case err != nil:
			return "", fmt.Errorf("mconsole: %w", err)
		case from == nil || from.Name != c.path:
			continue // whoever else found our socket does not count
		}
		begun = true
		p, err := decode(buf[:n])
		if err != nil {
			return clean(text), fmt.Errorf("mconsole: %w", err)
		}
		text = append(text, p.text...)
		switch {
		case p.more && len(text) < c.MaxText && ctx.Err() == nil:
			if c.Idle > 0 {
				conn.SetReadDeadline(time.Now().Add(c.Idle))
			}
			continue
		case p.more:
			return clean(text), ErrIncomplete
		case p.code != 0:
			return "", &Error{p.code, clean(text)}
		}
		return clean(text), nil
	}
}

// Channel is what a console or serial line is connected to.
type Channel struct {
	// Kind is the word before the colon: pts, null, fd, tty, port, none.
	Kind string
	// Device is what stands behind it: /dev/pts/3; empty for a pts that is not open yet.
	Device string
}

// Console returns what a line such as con1 or ssl0 is connected to. A pts gets its
// device when the guest opens it, and during boot the line is not known at all, or
// none: Console asks again until the context ends. A line that is none then is no
// error; one that has no device is, and the channel says pts.
func (c *Client) Console(ctx context.Context, name string) (Channel, error) {
	last := ""
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		text, err := c.Do(ctx, "config "+name)
		if err != nil && ctx.Err() != nil && last != "" {
			text, err = last, nil // the last answer stands
		}
		last = text
		var no *Error
		if err != nil && !(errors.As(err, &no) && strings.Contains(no.Text, "Bad configuration option")) {
			return Channel{}, err
		}
		kind, device, _ := strings.Cut(strings.TrimSpace(text), ":")
		if err == nil && kind != "none" && (kind != "pts" || device != "") {
			return Channel{kind, device}, nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			if err == nil && kind == "none" {
				return Channel{Kind: kind}, nil
			}
			if err == nil {
				err = ctx.Err()
			}
			return Channel{Kind: kind}, fmt.Errorf("mconsole: %s has no device yet: %w", name, err)
		}
	}
}
