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
	// Path is the program. Args are its arguments without the name of the program;
	// they are passed unchanged, without a shell.
	Path string
	Args []string
	// Dir is the working directory. If empty, a private directory is used, which is
	// removed when the test ends.
	Dir string
	// Env is appended to an environment of PATH, HOME and TMPDIR (both set to the
	// working directory), LC_ALL=C and TZ=UTC. The environment of the test is not
	// passed to the program.
	Env []string
	// Stdin is the standard input of the program. If nil, it is /dev/null.
	Stdin io.Reader
	// Timeout is the time limit. If zero, it is one minute. After that time the process
	// group is killed.
	Timeout time.Duration
	// Prepare, if not nil, is called before the command starts. It can set namespaces,
	// credentials or additional files.
	Prepare func(*exec.Cmd)
}

// Result is the result of a run.
type Result struct {
	Stdout, Stderr []byte
	// ExitCode is the exit status, or -1 if a signal ended the program.
	ExitCode int
	// TimedOut reports whether the program was killed because of the time limit.
	TimedOut bool
	// CPU is the user and system time of the program and of the children for which it
	// has waited.
	CPU time.Duration
}

// outputLimit is the number of bytes that are stored of each output. The rest is read
// and discarded.
const outputLimit = 256 << 20

// Run runs the program and waits for its end. It fails the test if the program cannot
// be started or does not end within the time limit. The caller checks the exit status.
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
	// Without the delay, a grandchild that keeps the output open would block the test.
	cmd.WaitDelay = 5 * time.Second
	ownGroup(cmd)
	if c.Prepare != nil {
		c.Prepare(cmd)
	}
	return cmd
}

// Process is a program that runs during a test, such as a server.
type Process struct {
	cmd    *exec.Cmd
	cancel context.CancelFunc
	done   chan struct{}
	err    error
	out    limited
}

// Start starts a program and returns while it runs. The process group is killed when
// the test ends, or after Cmd.Timeout, which is ten minutes by default here.
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

// Pid returns the process ID.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Output returns the standard output and standard error of the process so far.
func (p *Process) Output() []byte { return p.out.Bytes() }

// Signal sends a signal to the process, but not to its process group.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Done returns a channel that is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits until the process has ended and returns the result of [exec.Cmd.Wait].
func (p *Process) Wait() error {
	<-p.done
	return p.err
}

// Stop kills the process group and waits until the process has ended. It can be called
// more than once.
func (p *Process) Stop() {
	p.cancel()
	<-p.done
}

// Eventually calls ready until it returns nil. If that does not happen within the
// limit, it fails the test with the last error. It is for waiting for other processes,
// which a fake clock does not control.
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

// limited stores the first outputLimit bytes that are written to it and discards the
// rest.
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
