package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/stracelog"
)

var straceTool = oracle.Tool{Name: "strace", Package: "strace", Probe: []string{"-V"},
	Version: regexp.MustCompile(`version (\S+)`), AtLeast: "6.1"}

// beats starts a process that makes a call every 20 ms: it writes to a file what it wrote when.
func beats(t *testing.T) *oracle.Process {
	return oracle.Start(t, oracle.Cmd{Path: "/bin/sh", Args: []string{"-c", "while :; do sleep 0.02; date +%s.%N; done"}})
}

// TestLiveAttach is part 10: events arrive while the process runs, the end of the context detaches, and the process lives on.
func TestLiveAttach(t *testing.T) {
	s := straceTool.Need(t)
	p := beats(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tr, err := Attach(ctx, p.Pid(), Options{Flags: []string{"-e", "trace=all"}})
	require.NoError(t, err)
	n, worst, delays := 0, time.Duration(0), 0
	for e, err := range tr.Reader().Events() {
		require.NoError(t, err)
		require.NotEqual(t, stracelog.Unknown, e.Kind, "%s", e.Raw())
		if e.Kind == stracelog.Syscall && e.Flags&stracelog.Unfinished == 0 && e.HasDur && e.Time.Form == stracelog.Epoch && e.Flags&stracelog.Resumed == 0 {
			delay := time.Duration(time.Now().UnixNano()) - e.End()
			worst = max(worst, delay)
			if delay > 10*time.Millisecond {
				delays++
			}
		}
		if n++; n == 400 {
			cancel()
		}
	}
	require.NoError(t, tr.Close())
	require.Greater(t, n, 399)
	t.Logf("%d events, the longest delay was %v, %d above 10 ms", n, worst, delays)
	select {
	case <-p.Done():
		t.Fatal("the traced process has ended")
	default:
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid()))
	require.NoError(t, err)
	require.False(t, tracedBy(b), "nobody traces it any more")
	require.NotRegexp(t, `State:\s+[Tt]`, string(b))
	oracle.Compared(t, s, n)
}

func TestLiveAttachSaysWhatIsWrong(t *testing.T) {
	straceTool.Need(t)
	_, err := Attach(t.Context(), 0, Options{})
	require.ErrorContains(t, err, "not the number of a process")
	_, err = Attach(t.Context(), 1<<22-1, Options{})
	require.ErrorIs(t, err, ErrNoProcess)
	_, err = Attach(t.Context(), 1, Options{Strace: "strace-that-is-not-there"})
	require.ErrorIs(t, err, ErrNoStrace)
	named(t, err)
	for _, flags := range [][]string{{"-o", "|sh"}, {"-e", "inject=all"}, {"-E", "X=1"}, {"/bin/sh"}, {"-s", "x"}, {"-e", "trace=a;b"}} {
		_, err = Attach(t.Context(), os.Getpid(), Options{Flags: flags})
		require.ErrorIs(t, err, ErrFlag, "%q", flags)
		named(t, err)
	}
	p := beats(t)
	tr, err := Attach(t.Context(), p.Pid(), Options{})
	require.NoError(t, err)
	_, err = Attach(t.Context(), p.Pid(), Options{})
	require.ErrorIs(t, err, ErrAlreadyTraced)
	named(t, err)
	require.NoError(t, tr.Close())
}

// named checks that an error starts with the name of the package, once.
func named(t *testing.T, err error) {
	t.Helper()
	require.Regexp(t, "^live: ", err.Error())
	require.Equal(t, 1, strings.Count(err.Error(), "live: "), err)
}

// A call that blocks is seen before it ends.
func TestLivePendingCall(t *testing.T) {
	s := straceTool.Need(t)
	p := oracle.Start(t, oracle.Cmd{Path: "/bin/sh", Args: []string{"-c", "sleep 0.3; sleep 600"}})
	tr, err := Attach(t.Context(), p.Pid(), Options{})
	require.NoError(t, err)
	go func() {
		for range tr.Reader().Events() {
		}
	}()
	oracle.Eventually(t, 20*time.Second, "a call that blocks", func() error {
		if s := tr.Pending(); !strings.Contains(s, "wait4(") && !strings.Contains(s, "nanosleep(") {
			return errors.New("pending: " + s)
		}
		return nil
	})
	require.NoError(t, tr.Close())
	oracle.Compared(t, s, 1)
}

func TestFollowNamesThePackageInErrors(t *testing.T) {
	f, err := os.Open(os.DevNull)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	_, err = Follow(t.Context(), f).Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrClosed)
	named(t, err)
	_, err = stracelog.NewReader(Follow(t.Context(), f)).Next()
	require.Regexp(t, "^stracelog: after line 0 ", err.Error())
	require.NotContains(t, err.Error(), "live: ")
}

func TestFollowReadsWhatIsAppended(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	w, err := os.Create(name)
	require.NoError(t, err)
	defer w.Close()
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	ctx, cancel := context.WithCancel(t.Context())
	r := stracelog.NewReader(Follow(ctx, f))
	for i, line := range []string{"getpid() = 7\n", "close(3) = 0\n"} {
		_, err := io.WriteString(w, line)
		require.NoError(t, err)
		e, err := r.Next()
		require.NoError(t, err)
		require.EqualValues(t, i+1, e.Line)
		require.Equal(t, line, string(e.Raw()))
	}
	_, err = io.WriteString(w, "read(3, ")
	require.NoError(t, err)
	cancel()
	e, err := r.Next()
	require.NoError(t, err)
	require.True(t, e.Flags.Has(stracelog.Incomplete))
	_, err = r.Next()
	require.ErrorIs(t, err, io.EOF)
}
