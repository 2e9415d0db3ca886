package stracelog

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// describe writes all that an event says.
func describe(e *Event) string {
	s := fmt.Sprintf("%v %v %d %d %d %d %q %v %+v", e.Kind, e.Flags, e.Line, e.Lines, e.Off, e.PID, e.Name, e.Time, e.Dur)
	return s + fmt.Sprintf(" %q %q %q %q %v", e.Args.Raw(), e.Ret.Raw, e.Text, e.Raw(), e.Err)
}

func serial(b []byte) []string {
	var all []string
	for e := range NewBytesReader(b).Events() {
		all = append(all, describe(e))
	}
	return all
}

// chunked reads b in chunks of that size with several workers, and returns the events in order.
func chunked(t testing.TB, b []byte, chunk int64) []string {
	t.Helper()
	var mu sync.Mutex
	per := map[int][]string{}
	require.NoError(t, parallel(bytes.NewReader(b), int64(len(b)), 3, chunk, func(k int, e *Event) error {
		s := describe(e)
		mu.Lock()
		per[k] = append(per[k], s)
		mu.Unlock()
		return nil
	}))
	var all []string
	for k := range int(int64(len(b))/chunk + 1) {
		all = append(all, per[k]...)
	}
	return all
}

var awkward = strings.Join([]string{
	"23:59:59.999999 getpid() = 7 <0.000001>", "00:00:00.000001 getpid() = 7 <0.000001>", "12:00:00.5 getpid() = 7", "00:00:10 close(3) = 0",
	"23:00:00 close(3) = 0", "% time     seconds  usecs/call     calls    errors syscall", "------ ----------- ----------- --------- --------- ----------------",
	"  0.00    0.000000           0         1           read", "100.00    0.000000           0         1           total",
	"     0.000468 brk(NULL) = 0x55", "     0.000002 brk(NULL) = 0x55", "vfork(strace: Process 1315 attached", ")                 = 1315",
	"read(3, strace: Process 1315 attached", "close(4) = 0", "wait4(7,  <unfinished ...>", "[{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 7",
	"7 <... read resumed> \"abc\", 3) = 3", "", " > /bin/x(main+0x1) [0x2]", "garbage", "1795337041.234369 getpid() = 7", "16:00:00 getpid() = 1",
}, "\n") + "\n"

// TestParallelIsSerial is part 11.
func TestParallelIsSerial(t *testing.T) {
	r := oracle.Rand(t)
	lines := strings.SplitAfter(awkward, "\n")
	for i := range oracle.N(200, 5000) {
		var b strings.Builder
		for range r.IntN(60) {
			b.WriteString(lines[r.IntN(len(lines))])
		}
		in := []byte(b.String())
		require.Equal(t, serial(in), chunked(t, in, int64(1+r.IntN(300))), "run %d: %q", i, in)
	}
	big := bytes.Repeat([]byte("7 1795337041.234369 getpid() = 7 <0.000001>\n"), 300_000)
	sum, err := ParallelSummary(bytes.NewReader(big), int64(len(big)), 2)
	require.NoError(t, err)
	require.Len(t, sum, 1)
	require.EqualValues(t, 300_000, sum[0].Calls)
	require.EqualValues(t, 300_000_000, sum[0].Total)
}

func TestParallelReturnsTheFirstError(t *testing.T) {
	in := []byte(strings.Repeat("getpid() = 7\n", 1000))
	stop := errors.New("enough")
	n := 0
	require.ErrorIs(t, Parallel(bytes.NewReader(in), int64(len(in)), 1, func(int, *Event) error {
		n++
		return stop
	}), stop)
	require.Equal(t, 1, n)
	require.Error(t, Parallel(bytes.NewReader(in), int64(len(in))+5, 2, func(int, *Event) error { return nil }), "shorter than said")
	require.NoError(t, Parallel(bytes.NewReader(nil), 0, 2, func(int, *Event) error { return stop }))
}

func FuzzChunked(f *testing.F) {
	f.Add([]byte(awkward), uint16(40))
	f.Fuzz(func(t *testing.T, b []byte, n uint16) {
		require.Equal(t, serial(b), chunked(t, b, int64(n)+1))
	})
}
