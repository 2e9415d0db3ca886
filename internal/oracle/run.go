package oracle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// Cmd is one run of a program.
type Cmd struct {
	// Path is the program and Args its arguments, without the name. No shell reads
	// them.
	Path string
	Args []string
	// Dir is the working directory; empty: a private one that the test removes.
	Dir string
	// Env is added to PATH, HOME and TMPDIR (both the private directory), LC_ALL=C
	// and TZ=UTC. Nothing else of the test's environment is passed on.
	Env []string
	// Stdin is read by the program; nil: /dev/null.
	Stdin io.Reader
	// Timeout bounds the run; 0 means one minute. After it the whole process group
	// is killed.
	Timeout time.Duration
	// Prepare, when it is not nil, changes the command before it starts: to set
	// namespaces, credentials or further files.
	Prepare func(*exec.Cmd)
}

// Result is what a run left behind.
type Result struct {
	Stdout, Stderr []byte
	// ExitCode is the exit status, or -1 when a signal ended the program.
	ExitCode int
	// TimedOut reports that the bound was reached and the program was killed.
	TimedOut bool
	// CPU is the user and system time of the program and of the children it waited
	// for.
	CPU time.Duration
}

// outputLimit bounds what is kept of each output; the rest is read and dropped.
const outputLimit = 256 << 20

// Run runs the program to its end and always reaps it. A program that can't be
// started fails the test, as does one that outlives its bound; an exit status is
// left to the caller.
func Run(tb testing.TB, c Cmd) Result {
	tb.Helper()
	if c.Dir == "" {
		c.Dir = tb.TempDir()
	}
	r, err := run(c)
	if err != nil {
		tb.Fatalf("cannot run %s: %v", c.Path, err)
	}
	if r.TimedOut {
		tb.Fatalf("%s %q did not end within %v and was killed; stderr: %.500q", c.Path, c.Args, c.limit(), r.Stderr)
	}
	return r
}

func (c Cmd) limit() time.Duration {
	if c.Timeout == 0 {
		return time.Minute
	}
	return c.Timeout
}

func run(c Cmd) (Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.limit())
	defer cancel()
	cmd := c.command(ctx)
	stdout, stderr := &limited{}, &limited{}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, stdout, stderr
	err := cmd.Run()
	r := Result{Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), TimedOut: ctx.Err() != nil}
	if cmd.ProcessState != nil {
		r.ExitCode = cmd.ProcessState.ExitCode()
		r.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	var exit *exec.ExitError
	if err != nil && !r.TimedOut && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return r, err
	}
	return r, nil
}

func (c Cmd) command(ctx context.Context) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.Path, c.Args...)
	cmd.Dir = c.Dir
	cmd.Env = append([]string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=" + c.Dir, "TMPDIR=" + c.Dir, "LC_ALL=C", "TZ=UTC",
	}, c.Env...)
	// A grandchild that keeps the output open must not hold the test.
	cmd.WaitDelay = 5 * time.Second
	ownGroup(cmd)
	if c.Prepare != nil {
		c.Prepare(cmd)
	}
	return cmd
}

// Process is a program that runs beside the test, such as a server.
type Process struct {
	cmd    *exec.Cmd
	cancel context.CancelFunc
	done   chan struct{}
	err    error
	out    limited
}

// Start starts a program that goes on beside the test. It is killed with its whole
// process group and reaped when the test ends, or when Cmd.Timeout (default ten
// minutes here) is over.
func Start(tb testing.TB, c Cmd) *Process {
	tb.Helper()
	if c.Dir == "" {
		c.Dir = tb.TempDir()
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Minute
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
	p := &Process{cancel: cancel, done: make(chan struct{})}
	p.cmd = c.command(ctx)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = c.Stdin, &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		cancel()
		tb.Fatalf("cannot start %s: %v", c.Path, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	tb.Cleanup(p.Stop)
	return p
}

// Pid returns the process's number.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Output returns what the process has printed so far, on both outputs.
func (p *Process) Output() []byte { return p.out.Bytes() }

// Signal sends a signal to the process itself, not to its group.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Done is closed when the process has ended and is reaped.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the end and returns what exec.Cmd.Wait returned.
func (p *Process) Wait() error {
	<-p.done
	return p.err
}

// Stop kills the process's group and waits until the process is reaped. It may be
// called more than once.
func (p *Process) Stop() {
	p.cancel()
	<-p.done
}

// Eventually calls ready until it returns nil, and fails the test with its last
// error when that has not happened within the limit. It is for processes outside
// of the test, which no fake clock moves.
func Eventually(tb testing.TB, limit time.Duration, what string, ready func() error) {
	tb.Helper()
	deadline := time.Now().Add(limit)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := ready()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatalf("%s: not within %v: %v", what, limit, err)
		}
		time.Sleep(pause)
	}
}

// limited keeps the first outputLimit bytes and takes the rest without keeping it.
type limited struct {
	mu  sync.Mutex
	buf bytes.Buffer
	cut bool
}

func (l *limited) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	keep := p
	if room := outputLimit - l.buf.Len(); len(keep) > room {
		keep, l.cut = keep[:room], true
	}
	l.buf.Write(keep)
	return len(p), nil
}

func (l *limited) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := bytes.Clone(l.buf.Bytes())
	if l.cut {
		out = fmt.Appendf(out, "\n[cut after %d bytes]\n", outputLimit)
	}
	return out
}
