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

	"dougu.internal/examples/accesslog/sink"
)

// Pipe opens |prog args, ||prog args, and |$line where Shell allows it. The zero value
// is usable.
type Pipe struct {
	// Shell lets |$line run its line by /bin/sh -c.
	Shell bool
	// QueueMax bounds the bytes that wait in memory; 0 is 16 MiB. OnFull says what
	// happens to a line for which there is no room.
	QueueMax int64
	OnFull   sink.OnFull
	// Output gets what the program prints on both outputs; nil drops it.
	Output io.Writer
	// BackoffMin is the pause before a program that ended is started again; it doubles
	// up to BackoffMax while the program ends at once. 0 is 100 milliseconds and 30
	// seconds.
	BackoffMin, BackoffMax time.Duration
	// Grace is how long Close waits for the program to end after its input has ended,
	// before it is killed; 0 is 5 seconds.
	Grace time.Duration
	// Log is told when the program ends; nil says nothing.
	Log *slog.Logger
}

// Open checks the line and starts the program.
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
		return nil, &SpecError{spec, strings.Index(spec, args[0]), err.Error()}
	}
	s := &program{Pipe: p, path: path, args: args, queue: sink.NewQueue(p.QueueMax, p.OnFull), done: make(chan struct{})}
	s.progress.L = &s.mu
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go s.run(running)
	return s, nil
}

// Parse returns the argument list that Open would start. Words are separated by
// blanks; single and double quotes keep blanks, a backslash keeps the next byte.
func (p Pipe) Parse(spec string) ([]string, error) {
	line, ok := strings.CutPrefix(spec, "|")
	if !ok {
		return nil, ErrNotMine
	}
	if shell, ok := strings.CutPrefix(line, "$"); ok {
		if !p.Shell {
			return nil, &SpecError{spec, 1, "a shell is not allowed here; write |PROGRAM ARGUMENTS"}
		}
		return []string{"/bin/sh", "-c", shell}, nil
	}
	line = strings.TrimPrefix(line, "|")
	args, at, msg := words(line)
	if msg == "" && len(args) == 0 {
		at, msg = len(line), "the program is missing"
	}
	if msg != "" {
		return nil, &SpecError{spec, len(spec) - len(line) + at, msg}
	}
	return args, nil
}

// words splits a line.
func words(line string) (list []string, at int, fault string) {
	var word []byte
	inside, open := false, -1
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && (open < 0 || line[open] == '"'):
			if i++; i == len(line) {
				return nil, i - 1, "nothing behind the backslash"
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
		return nil, open, "a quote that is never closed"
	}
	if inside {
		list = append(list, string(word))
	}
	return list, 0, ""
}

// program is a sink that keeps a program running.
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

// WriteLine queues the line for the program.
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

// Stats returns the account.
func (s *program) Stats() sink.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Queued = uint64(s.held + s.queue.Len())
	return stats
}

// Flush waits until the program's input has taken every line.
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
			return fmt.Errorf("%d lines wait for %s: %w", n, s.args[0], ctx.Err())
		}
		s.progress.Wait()
	}
}

// Close ends the program's input and waits for its end, at most for Pipe.Grace; then
// the program is killed.
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

// run keeps a program running until the context ends.
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
		s.stats.LastError = err
		s.mu.Unlock()
		s.Log.Warn("the log program has ended", "program", s.args[0], "error", err)
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

// feed starts the program and writes lines to it until one of them ends. It returns
// the lines that the program did not take.
func (s *program) feed(ctx context.Context, rest [][]byte) ([][]byte, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return rest, err
	}
	defer w.Close()
	cmd := exec.Command(s.path, s.args[1:]...)
	cmd.Args[0] = s.args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = r, s.Output, s.Output
	cmd.WaitDelay = s.Grace // a grandchild that keeps the outputs open must not hold us
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
	// A write that nobody reads any more, or that nobody waits for, ends.
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

// pump writes lines until the program or the sink has ended.
func (s *program) pump(alive context.Context, w *os.File, rest [][]byte) ([][]byte, error) {
	const batch = 128
	var buf []byte
	for {
		if len(rest) == 0 {
			rest = s.take(batch)
		}
		if len(rest) == 0 {
			if err := s.queue.Wait(alive); err != nil {
				return nil, nil // the caller learns how the program ended
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
