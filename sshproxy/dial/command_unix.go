//go:build unix

package dial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"dougu.internal/sshproxy"
)

// command starts a ProxyCommand with one end of a socket pair as its stdin and stdout.
func (d *Dialer) command(ctx context.Context, hop sshproxy.Hop, address string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	shell := d.Shell
	if shell == "" {
		shell = os.Getenv("SHELL")
	}
	if shell == "" {
		shell = "/bin/sh"
	}
	cmd := exec.Command(shell, "-c", hop.ShellLine)
	cmd.Stdin, cmd.Stdout = theirs, theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c := &commandConn{UnixConn: ours, cmd: cmd, remote: hopAddr(address), heard: make(chan struct{}), done: make(chan struct{})}
	if err := c.start(); err != nil {
		theirs.Close()
		ours.Close()
		return nil, err
	}
	theirs.Close()
	if hop.Result.Get("ProxyUseFdpass") == "yes" {
		return c.receive(ctx)
	}
	return c, nil
}

// socketPair returns a connected pair, one end as a connection with deadlines.
func socketPair() (ours *net.UnixConn, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	theirs = os.NewFile(uintptr(fds[1]), "proxy command")
	file := os.NewFile(uintptr(fds[0]), "proxy command")
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return conn.(*net.UnixConn), theirs, nil
}

// commandConn is a connection to a command's stdin and stdout.
type commandConn struct {
	*net.UnixConn
	cmd    *exec.Cmd
	remote hopAddr
	errs   tail
	pipe   *os.File      // the reading end of its stderr
	heard  chan struct{} // closed when nobody holds its stderr any more
	done   chan struct{} // closed when the process is reaped
	err    error         // of its end, valid after done
	read   atomic.Bool   // a byte has come
	killed atomic.Bool   // it was running when the connection was closed
	once   sync.Once
	wait   sync.WaitGroup
}

func (c *commandConn) start() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	c.cmd.Stderr = w
	if err := c.cmd.Start(); err != nil {
		r.Close()
		w.Close()
		return err
	}
	w.Close()
	c.pipe = r
	c.wait.Go(func() {
		io.Copy(&c.errs, r)
		close(c.heard)
	})
	c.wait.Go(func() {
		c.err = c.cmd.Wait()
		close(c.done)
	})
	return nil
}

// RemoteAddr is the address that the command is to reach.
func (c *commandConn) RemoteAddr() net.Addr { return c.remote }

// Read reads what the command writes. At its end the error says how the command ended,
// unless it ended well and had something to say.
func (c *commandConn) Read(b []byte) (int, error) {
	n, err := c.UnixConn.Read(b)
	if n > 0 {
		c.read.Store(true)
	}
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		err = c.explain(err)
	}
	return n, err
}

// Write writes what the command reads. A command that is gone is explained as in Read:
// which of the two notices it first is chance.
func (c *commandConn) Write(b []byte) (int, error) {
	n, err := c.UnixConn.Write(b)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		err = c.explain(err)
	}
	return n, err
}

// grace is how long the end of a command is waited for, to say how it ended.
const grace = 200 * time.Millisecond

func (c *commandConn) explain(err error) error {
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-c.done:
	case <-t.C:
		return err
	}
	select { // its last words may still be in the pipe
	case <-c.heard:
	case <-t.C:
	}
	said := c.errs.String()
	switch {
	case c.killed.Load() && said == "":
		return err
	case c.killed.Load():
		return fmt.Errorf("stderr of the command: %s: %w", said, err)
	case c.err == nil && (c.read.Load() || said == ""):
		return err
	case c.err == nil:
		return fmt.Errorf("the command ended before the SSH handshake; stderr: %s: %w", said, err)
	case said == "":
		return fmt.Errorf("the command ended with %v: %w", c.err, err)
	}
	return fmt.Errorf("the command ended with %v; stderr: %s: %w", c.err, said, err)
}

// Close closes the connection, ends the command's process group, and waits for it.
func (c *commandConn) Close() error {
	err := net.ErrClosed
	c.once.Do(func() {
		select {
		case <-c.done:
		default:
			c.killed.Store(true)
		}
		err = c.UnixConn.Close()
		c.end()
	})
	return err
}

// end asks the group to end, and makes it.
func (c *commandConn) end() {
	group := -c.cmd.Process.Pid
	unix.Kill(group, unix.SIGTERM)
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-c.done:
	case <-t.C:
	}
	unix.Kill(group, unix.SIGKILL) // what is left of it, the leader's children too
	<-c.done
	c.pipe.Close() // a grandchild of another group may still hold the other end
	c.wait.Wait()
}

// receive takes the connected socket that the command passes, and waits for its end.
func (c *commandConn) receive(ctx context.Context) (net.Conn, error) {
	stop := context.AfterFunc(ctx, func() { c.UnixConn.Close() })
	defer stop()
	defer c.Close()
	buf, oob := make([]byte, 1), make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := c.ReadMsgUnix(buf, oob)
	if err != nil || n == 0 && oobn == 0 {
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, c.explain(fmt.Errorf("no socket was passed: %w", err))
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(messages) != 1 {
		return nil, fmt.Errorf("no socket was passed: %v", err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) == 0 {
		return nil, fmt.Errorf("no socket was passed: %v", err)
	}
	unix.CloseOnExec(fds[0])
	file := os.NewFile(uintptr(fds[0]), "passed socket")
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("what was passed is not a socket: %w", err)
	}
	return conn, nil
}

// tail keeps the last bytes that were written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// tailLimit bounds what is kept of a command's stderr.
const tailLimit = 2048

// Write keeps the end of b.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b[max(0, len(b)-tailLimit):]...)
	if n := len(t.text) - tailLimit; n > 0 {
		t.text = append(t.text[:0], t.text[n:]...)
	}
	return len(b), nil
}

// String returns the last lines, quoted where they would harm a terminal.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.FieldsFunc(string(t.text), func(r rune) bool { return r == '\n' || r == '\r' })
	if len(lines) > 5 {
		lines = lines[len(lines)-5:]
	}
	for i, l := range lines {
		lines[i] = strings.Trim(fmt.Sprintf("%q", l), `"`)
	}
	return strings.Join(lines, " / ")
}
