package stracelog

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// TestLiveSummary is part 8: our own sums are strace's table of the same run, calls and errors exactly, each total within 1 us.
func TestLiveSummary(t *testing.T) {
	s, program := calls(t)
	compared := 0
	for _, command := range [][]string{{program}, {"/bin/ls", "-lR", "/etc"}, {"/bin/sh", "-c", "for i in 1 2 3; do ls /; done; cat /nonexistent; true | grep x"}} {
		for _, columns := range []string{"name,total-time,calls,errors,min-time,max-time", "calls,errors,name,total-time"} {
			log := trace(t, s, []string{"-f", "-C", "-w", "-T", "--syscall-times=ns", "-ttt", "-U", columns}, command...)
			rep, err := AnalyzeReader(NewReader(bytes.NewReader(log)))
			require.NoError(t, err)
			require.Len(t, rep.Tables, 1)
			table, err := ParseSummary(bytes.NewReader(log))
			require.NoError(t, err)
			require.Equal(t, rep.Tables[0], *table)
			require.Empty(t, table.Errors)
			compared += compareSummary(t, rep.Syscalls, table)
			sums, err := ParallelSummary(bytes.NewReader(log), int64(len(log)), 2)
			require.NoError(t, err)
			require.Equal(t, rep.Syscalls, sums)
		}
	}
	oracle.Compared(t, s, compared)
}

func compareSummary(t *testing.T, ours []SyscallStat, table *Table) int {
	t.Helper()
	have := map[string]SyscallStat{}
	for _, s := range ours {
		have[s.Name] = s
	}
	var calls, errors int64
	for _, row := range table.Rows {
		o := have[row.Name]
		delete(have, row.Name)
		require.Equal(t, row.Calls, o.Calls, row.Name)
		require.Equal(t, row.Errors, o.Errors, row.Name)
		require.InDelta(t, row.Total.Seconds(), o.Total.Seconds(), 1.1e-6, row.Name)
		if row.Longest > 0 {
			require.InDelta(t, row.Longest.Seconds(), o.Max.Seconds(), 1.1e-6, row.Name)
			require.InDelta(t, row.Shortest.Seconds(), o.Min.Seconds(), 1.1e-6, row.Name)
		}
		calls += o.Calls
		errors += o.Errors
	}
	for name := range have { // strace before 7.1 leaves numbers without a name out of its table
		require.True(t, strings.HasPrefix(name, "syscall_0x"), name)
	}
	require.Equal(t, table.Total.Calls, calls)
	require.Equal(t, table.Total.Errors, errors)
	require.Greater(t, len(table.Rows), 5)
	return len(table.Rows)
}

// TestLiveMerge is the merging of part 4: the files of -ff joined as strace-log-merge joins them.
func TestLiveMerge(t *testing.T) {
	s, program := calls(t)
	merge := oracle.Tool{Name: "strace-log-merge", Package: "strace"}.Need(t)
	for _, flags := range []string{"-ff -tt -T", "-ff -ttt", "-ff -tt -i -y"} {
		dir := t.TempDir()
		oracle.Run(t, oracle.Cmd{Path: s.Path, Args: append(strings.Fields(flags), "-o", filepath.Join(dir, "log"), program), Dir: dir})
		want := oracle.Run(t, oracle.Cmd{Path: merge.Path, Args: []string{filepath.Join(dir, "log")}, Dir: dir})
		names, err := filepath.Glob(filepath.Join(dir, "log.*"))
		require.NoError(t, err)
		require.Greater(t, len(names), 5)
		var logs []Log
		for _, n := range names {
			f, err := os.Open(n)
			require.NoError(t, err)
			defer f.Close()
			pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Ext(n), "."))
			require.NoError(t, err)
			logs = append(logs, Log{pid, f})
		}
		var got bytes.Buffer
		require.NoError(t, WriteMerged(&got, logs...))
		require.Equal(t, string(want.Stdout), got.String(), flags)
		for _, e := range read(t, got.Bytes()) {
			require.NotEqual(t, Unknown, e.Kind, "%s", e.Raw())
			require.NotZero(t, e.PID)
		}
		oracle.Compared(t, merge, bytes.Count(want.Stdout, []byte{'\n'}))
	}
}

// TestLiveDecoding is part 3: what a program wrote is what the log says, in every spelling of strings.
func TestLiveDecoding(t *testing.T) {
	s, program := calls(t)
	payload := func(flags ...string) (all []string) {
		for _, e := range read(t, trace(t, s, append([]string{"-s", "4096", "-e", "trace=write,writev,sendto"}, flags...), program)) {
			if e.Kind != Syscall {
				continue
			}
			v := firstString(e.Args.At(1), 6)
			if v.Kind() != ValueString {
				continue
			}
			b, cut, err := v.Bytes(nil)
			require.NoError(t, err)
			require.False(t, cut)
			all = append(all, string(b))
		}
		return all
	}
	plain := payload()
	all256 := make([]byte, 256)
	for i := range all256 {
		all256[i] = byte(i)
	}
	for _, wrote := range []string{string(all256), "x) = 0 <unfinished ...>\n", "\x001\x009\x01", `\", ..."\`, `"...`, `\"..., `, "<... read resumed>", "GET / HTTP/1.0\r\n\r\n"} {
		require.Contains(t, plain, wrote)
	}
	for _, flags := range []string{"-x", "-xx", "--strings-in-hex=non-ascii-chars"} {
		require.Equal(t, plain, payload(flags), flags)
	}
	oracle.Compared(t, s, 4*len(plain))
}

// TestLiveStacksAndDumps is the rest of part 1: frames follow the call they belong to, rows of dumps are rows of dumps.
func TestLiveStacksAndDumps(t *testing.T) {
	s, program := calls(t)
	rep, err := AnalyzeReader(NewReader(bytes.NewReader(trace(t, s, []string{"-k", "-T", "-e", "trace=getppid,fsync,umask"}, program))))
	require.NoError(t, err)
	stacks := 0
	for _, x := range rep.Totals {
		if x.Name == "umask" && strings.Contains(strings.Join(x.Stack, " "), "main") {
			stacks++
		}
	}
	require.Positive(t, stacks)
	kinds := map[Kind]int{}
	for _, e := range read(t, trace(t, s, []string{"-e", "trace=read,write,writev", "-e", "write=all", "-f"}, program)) {
		kinds[e.Kind]++
	}
	require.Greater(t, kinds[Dump], 20)
	oracle.Compared(t, s, kinds[Dump]+stacks)
}
