package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"dougu.internal/internal/errtext"
	"dougu.internal/stracelog"
)

// errs makes the errors of the package.
const errs = errtext.Package("live")

// Errors that [Attach] wraps together with the message of strace.
var (
	ErrNoStrace      = errs.New("strace is not installed")
	ErrNoProcess     = errs.New("no such process")
	ErrNotPermitted  = errs.New("not permitted to trace this process: be root or its user, and see /proc/sys/kernel/yama/ptrace_scope")
	ErrAlreadyTraced = errs.New("the process is already traced")
	ErrFlag          = errs.New("this flag of strace is not allowed here")
)

// Options say how strace is attached. The zero value is good.
type Options struct {
	// Strace is the program; empty means strace, found in PATH.
	Strace string
	// Flags are added to those that a report needs: -e trace=..., -e signal=..., -s N, -k, -v, -Y, -y.
	Flags []string
	// Patience is how long strace has to detach after the end of the context; 0 means 3 s.
	Patience time.Duration
}

// Tracer is a running strace. Its Reader is for one goroutine; Close and Pending may be called from others.
type Tracer struct {
	cmd    *exec.Cmd
	out    *os.File
	reader *stracelog.Reader
	stderr *tail
	half   *halfLine
	stop   context.CancelFunc
	once   sync.Once
	err    error
	ended  chan struct{}
}

// allowed are flags that change what is shown and nothing else.
func allowed(flags []string) error {
	for i := 0; i < len(flags); i++ {
		f := flags[i]
		switch {
		case slices.Contains([]string{"-k", "-v", "-Y", "-y", "-yy", "-i", "-n", "-x", "-xx", "-z", "-Z"}, f):
		case f == "-e" && i+1 < len(flags) && (strings.HasPrefix(flags[i+1], "trace=") || strings.HasPrefix(flags[i+1], "signal=")) && plain(flags[i+1]):
			i++
		case f == "-s" && i+1 < len(flags):
			if n, err := strconv.Atoi(flags[i+1]); err != nil || n < 0 || n > 1<<20 {
				return errs.Errorf("%w: -s %q", ErrFlag, flags[i+1])
			}
			i++
		default:
			return errs.Errorf("%w: %q", ErrFlag, f)
		}
	}
	return nil
}

func plain(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_=,!%?/.", r))
	}) < 0
}

// Attach attaches strace to a process and all of its threads and children:
//
//	strace -p PID -f -ttt -T -yy -s 256 -o /dev/fd/3
//
// It returns when strace has attached, or failed to. The trace ends with the context, with Close, or with the process.
func Attach(ctx context.Context, pid int, o Options) (*Tracer, error) {
	if pid <= 0 {
		return nil, errs.Errorf("%d is not the number of a process", pid)
	}
	if err := allowed(o.Flags); err != nil {
		return nil, err
	}
	name := o.Strace
	if name == "" {
		name = "strace"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, errs.Errorf("%w (%w)", ErrNoStrace, err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, errs.Errorf("create a pipe: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	args := append([]string{"-p", strconv.Itoa(pid), "-f", "-ttt", "-T", "-yy", "-s", "256", "-o", "/dev/fd/3"}, o.Flags...)
	t := &Tracer{cmd: exec.CommandContext(ctx, path, args...), out: r, stop: cancel, ended: make(chan struct{}), stderr: &tail{said: make(chan struct{})}, half: &halfLine{r: r}}
	t.cmd.ExtraFiles = []*os.File{w}
	t.cmd.Stderr = t.stderr
	t.cmd.Env = append(os.Environ(), "LC_ALL=C")
	t.cmd.Cancel = func() error { return t.cmd.Process.Signal(os.Interrupt) }
	t.cmd.WaitDelay = o.Patience
	if o.Patience <= 0 {
		t.cmd.WaitDelay = 3 * time.Second
	}
	err = t.cmd.Start()
	w.Close()
	if err != nil {
		cancel()
		r.Close()
		return nil, errs.Errorf("start strace: %w", err)
	}
	t.reader = stracelog.NewReader(t.half)
	go func() {
		t.err = t.cmd.Wait()
		close(t.ended)
	}()
	select {
	case <-t.stderr.said: // "strace: Process 7 attached", or why not
	case <-t.ended:
	}
	if err := t.failure(); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// failure returns why strace did not attach.
func (t *Tracer) failure() error {
	said := t.stderr.String()
	if strings.Contains(said, " attached") {
		return nil
	}
	reason := error(nil)
	switch {
	case strings.Contains(said, "No such process"):
		reason = ErrNoProcess
	case strings.Contains(said, "already traced"), strings.Contains(said, "being traced"):
		reason = ErrAlreadyTraced
	case strings.Contains(said, "Operation not permitted"), strings.Contains(said, "Permission denied"):
		reason = ErrNotPermitted
		if b, err := os.ReadFile(fmt.Sprintf("/proc/%s/status", t.cmd.Args[2])); err == nil && tracedBy(b) {
			reason = ErrAlreadyTraced
		}
	case said == "":
		return errs.New("strace ended before it attached")
	}
	said = strings.TrimSpace(said)
	if reason == nil {
		return errs.Errorf("strace does not attach: %q", said)
	}
	return errs.Errorf("%w (%q)", reason, said)
}

// tracedBy reports whether a process's status names a tracer.
func tracedBy(status []byte) bool {
	for line := range bytes.Lines(status) {
		if v, ok := bytes.CutPrefix(line, []byte("TracerPid:")); ok {
			return string(bytes.TrimSpace(v)) != "0"
		}
	}
	return false
}

// Reader returns the reader of the trace. Its Next returns an event as soon as strace has written the line.
func (t *Tracer) Reader() *stracelog.Reader { return t.reader }

// Pending returns the line that strace has begun: what the process is in now. It is empty between calls. strace writes the
// beginning of a call when it is entered.
func (t *Tracer) Pending() string { return t.half.String() }

// Close detaches and waits for strace to end. It may be called more than once.
func (t *Tracer) Close() error {
	t.once.Do(func() {
		t.stop()
		<-t.ended
		t.out.Close()
	})
	var exit *exec.ExitError
	if t.err == nil || errors.As(t.err, &exit) || errors.Is(t.err, context.Canceled) || errors.Is(t.err, context.DeadlineExceeded) {
		return nil // strace ends itself with the signal that ended it
	}
	return errs.Errorf("wait for strace: %w", t.err)
}

// Detach asks strace to detach and returns at once: the Reader then delivers what is left and ends with io.EOF. Close is still
// to be called.
func (t *Tracer) Detach() { t.stop() }

// tail keeps the first bytes of what strace says on its own.
type tail struct {
	mu   sync.Mutex
	b    []byte
	once sync.Once
	said chan struct{}
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	if len(t.b) < 1<<16 {
		t.b = append(t.b, p...)
	}
	whole := bytes.IndexByte(t.b, '\n') >= 0
	t.mu.Unlock()
	if whole {
		t.once.Do(func() { close(t.said) })
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}

// halfLine passes data on and remembers what stands behind the last line end.
type halfLine struct {
	r  io.Reader
	mu sync.Mutex
	b  []byte
}

func (h *halfLine) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.mu.Lock()
	defer h.mu.Unlock()
	b := p[:n]
	if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
		h.b, b = h.b[:0], b[i+1:]
	}
	if len(h.b) < 1<<16 {
		h.b = append(h.b, b...)
	}
	return n, err
}

func (h *halfLine) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return string(h.b)
}
