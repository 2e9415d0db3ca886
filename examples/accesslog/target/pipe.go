package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"dougu.internal/examples/accesslog/internal/errtext"
	"dougu.internal/examples/accesslog/sink"
)

// Pipe opens targets of the forms |prog args and ||prog args, and |$line if Shell is set. The
// zero value is usable.
type Pipe struct {
	// Shell allows targets of the form |$line. The line is passed to /bin/sh -c.
	Shell bool
	// QueueMax is the maximum size of the queue in bytes. If zero, 16 MiB is used.
	QueueMax int64
	// OnFull selects what happens to a line if the queue is full.
	OnFull sink.OnFull
	// Output receives standard output and standard error of the program. If nil, they are
	// discarded.
	Output io.Writer
	// BackoffMin is the pause before a program that has exited is started again. The pause
	// doubles if the program exits soon after its start. If zero, 100 milliseconds is used.
	BackoffMin time.Duration
	// BackoffMax is the maximum pause. If zero, 30 seconds is used.
	BackoffMax time.Duration
	// Grace is the time that Close waits for the program to exit before it kills the program.
	// If zero, 5 seconds is used.
	Grace time.Duration
	// Log receives an event when the program exits. If nil, nothing is logged.
	Log *slog.Logger
}

// Open starts the program of a target.
func (p Pipe) Open(ctx context.Context, spec string) (sink.Sink, error) {
	args, err := p.Parse(spec)
	if err != nil {
		return nil, err
	}
	if p.QueueMax <= 0 {
		p.QueueMax = 16 << 20
	}
	if p.BackoffMin <= 0 {
		p.BackoffMin = 100 * time.Millisecond
	}
	if p.BackoffMax <= 0 {
		p.BackoffMax = 30 * time.Second
	}
	if p.Grace <= 0 {
		p.Grace = 5 * time.Second
	}
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	path, err := exec.LookPath(args[0])
	if err != nil {
		return nil, &SpecError{spec, strings.Index(spec, args[0]), "cannot start the program: " + err.Error()}
	}
	s := &program{Pipe: p, path: path, args: args, queue: sink.NewQueue(p.QueueMax, p.OnFull), done: make(chan struct{})}
	s.progress.L = &s.mu
	if err := ctx.Err(); err != nil {
		return nil, errtext.Wrap("target", "start "+args[0], err)
	}
	running, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go s.run(running)
	return s, nil
}

// Parse returns the argument list of a target. Words are separated by blanks. Blanks within
// single or double quotes are part of the word, and so is a byte after a backslash. An error is
// [ErrNotMine] or a [*SpecError].
func (p Pipe) Parse(spec string) ([]string, error) {
	line, ok := strings.CutPrefix(spec, "|")
	if !ok {
		return nil, ErrNotMine
	}
	if shell, ok := strings.CutPrefix(line, "$"); ok {
		if !p.Shell {
			return nil, &SpecError{spec, 1, "shell is not allowed, want |PROGRAM ARGUMENT..."}
		}
		return []string{"/bin/sh", "-c", shell}, nil
	}
	line = strings.TrimPrefix(line, "|")
	args, at, msg := words(line)
	if msg == "" && len(args) == 0 {
		at, msg = len(line), "missing program"
	}
	if msg != "" {
		return nil, &SpecError{spec, len(spec) - len(line) + at, msg}
	}
	return args, nil
}

// words splits a line into words. If fault is not empty, it describes an error at an offset.
func words(line string) (list []string, at int, fault string) {
	var word []byte
	inside, open := false, -1
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && (open < 0 || line[open] == '"'):
			if i++; i == len(line) {
				return nil, i - 1, "missing character after the backslash"
			}
			word, inside = append(word, line[i]), true
		case open >= 0 && c == line[open]:
			open = -1
		case open >= 0:
			word = append(word, c)
		case c == '"' || c == '\'':
			open, inside = i, true
		case c == ' ' || c == '\t':
			if inside {
				list, word, inside = append(list, string(word)), nil, false
			}
		default:
			word, inside = append(word, c), true
		}
	}
	if open >= 0 {
		return nil, open, "missing closing quote"
	}
	if inside {
		list = append(list, string(word))
	}
	return list, 0, ""
}

// program is a sink that writes to a program.
type program struct {
	Pipe
	path   string
	args   []string
	queue  *sink.Queue
	cancel context.CancelFunc
	done   chan struct{}
	once   sync.Once

	mu       sync.Mutex
	progress sync.Cond
	stats    sink.Stats
	held     int  // lines taken from the queue and not written
	lost     bool // Close found lines that were not written
}

// WriteLine adds a line to the queue.
func (s *program) WriteLine(line []byte) error {
	buf := make([]byte, 0, len(line)+1)
	err := s.queue.Put(append(append(buf, line...), '\n'))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Written++
	if err != nil {
		s.stats.Dropped++
	}
	return err
}

// Stats returns the current counters.
func (s *program) Stats() sink.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Queued = uint64(s.held + s.queue.Len())
	return stats
}

// Flush blocks until all lines in the queue are written to the program.
func (s *program) Flush(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.progress.Broadcast()
	})
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch n := s.held + s.queue.Len(); {
		case s.lost:
			return sink.ErrClosed
		case n == 0:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("target: %d lines wait for %s: %w", n, s.args[0], ctx.Err())
		}
		s.progress.Wait()
	}
}

// Close closes the input of the program and waits for its exit. After Pipe.Grace, it kills the
// program.
func (s *program) Close() error {
	s.once.Do(func() {
		s.queue.Close()
		s.cancel()
		<-s.done
		s.mu.Lock()
		defer s.mu.Unlock()
		left := s.held + len(s.queue.Take(s.queue.Len()))
		s.stats.Dropped += uint64(left)
		s.held, s.lost = 0, left > 0
		s.progress.Broadcast()
	})
	return nil
}

// run starts the program again and again until ctx ends.
func (s *program) run(ctx context.Context) {
	defer close(s.done)
	pause := s.BackoffMin
	var rest [][]byte
	for ctx.Err() == nil {
		begin := time.Now()
		var err error
		rest, err = s.feed(ctx, rest)
		if ctx.Err() != nil {
			return
		}
		s.mu.Lock()
		s.stats.LastError = errtext.Wrap("target", s.args[0], err)
		s.mu.Unlock()
		s.Log.Warn("log program has exited", "program", s.args[0], "error", err)
		if time.Since(begin) > s.BackoffMax {
			pause = s.BackoffMin
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, s.BackoffMax)
	}
}

// feed starts the program and writes lines to it until the program exits or ctx ends. It returns
// the lines that were not written.
func (s *program) feed(ctx context.Context, rest [][]byte) ([][]byte, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return rest, err
	}
	defer w.Close()
	cmd := exec.Command(s.path, s.args[1:]...)
	cmd.Args[0] = s.args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = r, s.Output, s.Output
	cmd.WaitDelay = s.Grace // a child of the program may keep the outputs open
	err = cmd.Start()
	r.Close()
	if err != nil {
		return rest, err
	}
	ended := make(chan error, 1)
	alive, died := context.WithCancel(ctx)
	defer died()
	go func() {
		ended <- cmd.Wait()
		died()
	}()
	// Interrupt a write when the program has exited or ctx has ended.
	stop := context.AfterFunc(alive, func() { w.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	rest, err = s.pump(alive, w, rest)
	w.Close()
	select {
	case end := <-ended:
		return rest, errors.Join(err, end)
	case <-time.After(s.Grace):
		cmd.Process.Kill()
		<-ended
		return rest, err
	}
}

// pump writes lines until the program has exited or the sink is closed.
func (s *program) pump(alive context.Context, w *os.File, rest [][]byte) ([][]byte, error) {
	const batch = 128
	var buf []byte
	for {
		if len(rest) == 0 {
			rest = s.take(batch)
		}
		if len(rest) == 0 {
			if err := s.queue.Wait(alive); err != nil {
				return nil, nil // the caller gets the exit status of the program
			}
			continue
		}
		buf = buf[:0]
		for _, line := range rest {
			buf = append(buf, line...)
		}
		n, err := w.Write(buf)
		for len(rest) > 0 && n >= len(rest[0]) {
			n -= len(rest[0])
			rest = rest[1:]
			s.written(1)
		}
		if err != nil {
			return rest, err
		}
	}
}

func (s *program) take(n int) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := s.queue.Take(n)
	s.held += len(lines)
	return lines
}

func (s *program) written(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held -= n
	s.stats.Sent += uint64(n)
	s.progress.Broadcast()
}
