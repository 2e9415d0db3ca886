package stracelog

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
)

func golden(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return b
}

// read returns copies of the events of b, and checks that they give b back.
func read(t testing.TB, b []byte) []*Event {
	t.Helper()
	var all []*Event
	var out []byte
	for e, err := range NewReader(iotest.HalfReader(bytes.NewReader(b))).Events() {
		require.NoError(t, err)
		out = e.AppendTo(out)
		all = append(all, e.Clone())
	}
	require.True(t, bytes.Equal(b, out), "the events do not give the input back")
	return all
}

func TestReaderReadsTheDamagedRequest(t *testing.T) {
	all := read(t, golden(t, "request.strace"))
	require.Len(t, all, 29)
	var empty, unknown, damaged []int64
	for i, e := range all {
		require.EqualValues(t, i+1, e.Line)
		require.Zero(t, e.PID)
		switch e.Kind {
		case Empty:
			empty = append(empty, e.Line)
		case Unknown:
			unknown = append(unknown, e.Line)
		default:
			require.Equal(t, Syscall, e.Kind)
			require.True(t, e.HasDur)
			require.Equal(t, Clock, e.Time.Form)
		}
		if e.Flags.Has(Damaged) {
			damaged = append(damaged, e.Line)
			require.ErrorContains(t, e.Err, "string is not closed")
		}
	}
	require.Equal(t, []int64{3, 16, 26}, empty)
	require.Equal(t, []int64{27}, unknown)
	require.Equal(t, []int64{6, 8}, damaged)
}

func TestReaderReadsWhatTheLinesSay(t *testing.T) {
	all := read(t, golden(t, "request.strace"))
	for _, row := range []struct {
		line       int
		time, name string
		ret        int64
		errno      string
		dur        time.Duration
	}{
		{1, "15:21:04.244882", "accept", 11, "", 11 * time.Microsecond},
		{6, "15:21:04.254829", "sendto", 43, "", 18 * time.Microsecond},
		{8, "15:21:04.254918", "recvfrom", 79, "", 6 * time.Microsecond},
		{10, "15:21:04.255018", "connect", -1, "EINPROGRESS", 19 * time.Microsecond},
		{11, "15:21:04.255059", "poll", 1, "", 98 * time.Microsecond},
		{15, "15:21:04.255456", "recvfrom", 3655, "", 7 * time.Microsecond},
		{29, "15:21:04.382572", "shutdown", 0, "", 15 * time.Microsecond},
	} {
		e := all[row.line-1]
		require.Equal(t, row.time, e.Time.String())
		require.Equal(t, row.name, string(e.Name))
		require.Equal(t, row.ret, e.Ret.Int)
		require.Equal(t, row.errno, string(e.Ret.Errno))
		require.Equal(t, row.dur, e.Dur)
	}
	require.Equal(t, "Operation now in progress", string(all[9].Ret.Text()))
	require.Equal(t, "[{fd=20, revents=POLLOUT}]", string(all[10].Ret.Aux()))
}

func TestReaderPassesTheListing(t *testing.T) {
	kinds := map[Kind]int{}
	for _, e := range read(t, golden(t, "listing.strace")) {
		kinds[e.Kind]++
	}
	require.Equal(t, map[Kind]int{Syscall: 4, Unknown: 3}, kinds)
}

func TestDigits8(t *testing.T) {
	n, ok := digits8(0x3837363534333231)
	require.True(t, ok)
	require.EqualValues(t, 12345678, n)
	for _, c := range []uint64{'/', ':', 0, 0xff} {
		_, ok = digits8(0x3837363534333200 | c)
		require.False(t, ok)
	}
}

// TestShortWays compares the two ways through the reader on recorded logs and on lines close to the common one.
func TestShortWays(t *testing.T) {
	for _, name := range []string{"request.strace", "listing.strace", "colour.strace", "old.strace"} {
		sameByLongWay(t, golden(t, name))
	}
	const time = "1280391747.39792"
	for _, tail := range []string{
		`read(3, "a", 1) = 1 <0.000007>`, `read(3, "a", 1) = 1`, `read(3, "\"", 1)    = 12345 <0.000007>`, `read(3, "\\", 1) = 0 <0.000007>`,
		`read(3, "", 1) = 0 <0.000007>`, `read(3, "a"x, 1) = 0 <0.000007>`, `read(3, "a, 1) = 0 <0.000007>`, `umask(022) = 022 <0.000007>`,
		`brk(NULL) = 0x55d0 <0.000007>`, `close(3) = -1 EBADF (Bad file descriptor) <0.000007>`, `close(3) = 00 <0.000007>`,
		`close(3) = 999999999999999999 <0.000007>`, `close(3) = 1234567890123456789 <0.000007>`, `close(3) = 18446744073709551616 <0.000007>`,
		`close(3)= 0 <0.000007>`, `close(3) = <0.000007>`, `close() = 0 <0.000007>`, `) = 0 <0.000007>`, `close( = 0 <0.000007>`,
		`close(3) = 0 <0.00000x>`, `close(3) = 0 <x.000007>`, `close(3) = 0 <10.000007>`, `close(3) = 0 <0.000007> `, `9(3) = 0 <0.000007>`,
		`????(3) = 0 <0.000007>`, `clo-se(3) = 0 <0.000007>`, `close 3) = 0 <0.000007>`, `close(3 <unfinished ...>`, `<... close resumed>) = 0 <0.000007>`,
		`restart_syscall(<... resuming interrupted read ...>) = 0 <0.000007>`, `exit(0 <unfinished ...>) = 0 <0.000007>`,
		`close(3</a) = 5 <0.000007>>) = 0 <0.000007>`, `write(1, ") = 1 <0.000001>", 16) = 16 <0.000007>`, `nanosleep({tv_sec=1}, NULL) = ? ERESTART_RESTARTBLOCK (x) <0.000007>`,
		`read(3, "\33[1m", 4) = 4 <0.000007>`, "read(3, \x1b[1m) = 4 <0.000007>", "close(3) = 0 <0.000007>\r", "close(3) = 0 <0.000007>\x00",
	} {
		var lines strings.Builder
		for k := range 3 { // the first line teaches process and second
			lines.WriteString(fmt.Sprintf("2445  %s%d %s\n2445  %s%d getpid() = 2445 <0.000009>\n", time, k, tail, time, k))
		}
		sameByLongWay(t, []byte(lines.String()))
		sameByLongWay(t, []byte(strings.ReplaceAll(lines.String(), "2445  ", "[pid  2445] ")))
		sameByLongWay(t, []byte(strings.TrimSuffix(lines.String(), "\n")))
	}
}
