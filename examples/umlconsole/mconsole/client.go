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

	"dougu.internal/internal/jsontext"
)

var (
	// ErrStale means that the socket exists and no process listens on it: the guest has ended.
	ErrStale = errors.New("mconsole: no process listens on the socket")
	// ErrIncomplete means that packets of the reply are missing, or that the reply is too
	// long. The text that was received is returned with the error.
	ErrIncomplete = errors.New("mconsole: reply is incomplete")
)

// Error is a negative reply from the guest.
type Error struct {
	// Code is 1 for a general error, and a negative errno otherwise.
	Code int32 `json:"code,omitzero"`
	// Text is the text of the reply.
	Text string `json:"text,omitzero"`
}

// Error returns the code and the text of the reply.
func (e *Error) Error() string {
	return fmt.Sprintf("mconsole: command failed (code %d): %s", e.Code, e.Text)
}

// MarshalJSON returns the JSON encoding of e. It keeps strings that are not valid UTF-8.
func (e Error) MarshalJSON() ([]byte, error) {
	type plain Error
	return jsontext.Marshal(plain(e))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Error) UnmarshalJSON(b []byte) error {
	type plain Error
	return jsontext.Unmarshal(b, (*plain)(e))
}

// Client sends commands to one guest. The fields must not be changed after the first use. All
// methods are safe for concurrent use by multiple goroutines.
type Client struct {
	// Pid is the process number in the pid file of the guest, or 0 if the file is missing or
	// invalid.
	Pid int
	// Timeout is the time limit for the first packet of a reply if the context has no
	// deadline. Dial sets it to 10 seconds.
	Timeout time.Duration
	// Idle is the time limit for each further packet. Dial sets it to 1 second.
	Idle time.Duration
	// MaxText is the maximum size of the text of a reply in bytes. Dial sets it to 1 MiB.
	MaxText int

	path string
}

// Dial returns a client for the socket at path, which is UML_DIR/UMID/mconsole. It returns
// [ErrStale] if no process listens there. A client needs not be closed.
func Dial(path string) (*Client, error) {
	const most = 107
	if len(path) > most {
		return nil, fmt.Errorf(
			"mconsole: socket path has %d bytes, want at most %d: start the guest with a shorter uml_dir",
			len(path),
			most,
		)
	}
	c := &Client{path: path, Timeout: 10 * time.Second, Idle: time.Second, MaxText: 1 << 20}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		if refused(err) {
			return nil, &staleError{path}
		}
		return nil, fmt.Errorf("mconsole: %w", err)
	}
	conn.Close()
	c.Pid, _ = readPid(filepath.Join(filepath.Dir(path), "pid"))
	return c, nil
}

// staleError is ErrStale with the path of the socket.
type staleError struct{ path string }

func (e *staleError) Error() string {
	return "mconsole: " + e.path + ": no process listens on the socket"
}

func (e *staleError) Unwrap() error { return ErrStale }

// readPid reads a pid file. Its content is untrusted.
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
		return 0, fmt.Errorf("mconsole: invalid process number %q in %s", b[:n], name)
	}
	return pid, nil
}

// Do sends a command and returns the text of the reply without NUL bytes. A negative reply is
// returned as an [*Error]. If the error is [ErrIncomplete], the text that was received is returned
// as well.
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
		return "", fmt.Errorf("mconsole: send to %s: %w", c.path, err)
	}
	// An unbound socket gets no reply. The kernel chooses an address.
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram"})
	if err != nil {
		return "", fmt.Errorf("mconsole: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.WriteToUnix(appendRequest(make([]byte, 0, headSize+len(cmd)), cmd), &net.UnixAddr{Name: c.path, Net: "unixgram"}); err != nil {
		if refused(err) {
			return "", &staleError{c.path}
		}
		return "", fmt.Errorf("mconsole: %w", err)
	}
	return c.receive(ctx, conn)
}

// receive returns the joined packets of a reply.
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
			return "", fmt.Errorf("mconsole: no reply from %s: %w", c.path, ctx.Err())
		case err != nil:
			return "", fmt.Errorf("mconsole: %w", err)
		case from == nil || from.Name != c.path:
			continue // a packet from another process
		}
		begun = true
		p, err := decode(buf[:n])
		if err != nil {
			return clean(text), err
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

// Channel is the host side of a console or serial line.
type Channel struct {
	// Kind is the type of the channel: pts, null, fd, tty, port or none.
	Kind string `json:"kind,omitzero"`
	// Device is the device of the channel, such as /dev/pts/3. It is empty for a pts that is
	// not open.
	Device string `json:"device,omitzero"`
}

// MarshalJSON returns the JSON encoding of c. It keeps strings that are not valid UTF-8.
func (c Channel) MarshalJSON() ([]byte, error) {
	type plain Channel
	return jsontext.Marshal(plain(c))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Channel) UnmarshalJSON(b []byte) error {
	type plain Channel
	return jsontext.Unmarshal(b, (*plain)(c))
}

// Console returns the channel of a line such as con1 or ssl0. A pts has no device until the guest
// opens it, and during boot the line is unknown or has the kind none. Therefore Console repeats
// its request until the line has a device or ctx ends. If the kind is none when ctx ends, Console
// returns it without an error. If the line has no device then, Console returns the channel and an
// error.
func (c *Client) Console(ctx context.Context, name string) (Channel, error) {
	last := ""
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		text, err := c.Do(ctx, "config "+name)
		if err != nil && ctx.Err() != nil && last != "" {
			text, err = last, nil // use the last reply
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
			return Channel{Kind: kind}, fmt.Errorf("mconsole: %s has no device: %w", name, plainError{err})
		}
	}
}

// plainError is an error without the name of the package at the start of its text.
type plainError struct{ err error }

func (e plainError) Error() string { return strings.TrimPrefix(e.err.Error(), "mconsole: ") }

func (e plainError) Unwrap() error { return e.err }
