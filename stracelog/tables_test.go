package stracelog

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// The table of open calls does what a map does.
func TestPIDTableIsAMap(t *testing.T) {
	r := oracle.Rand(t)
	var table pidTable
	want := map[int]*half{}
	for range 20_000 {
		pid := r.IntN(1 << r.IntN(12))
		switch h := table.get(pid); {
		case h != want[pid]:
			t.Fatalf("pid %d", pid)
		case h == nil && r.IntN(3) > 0:
			want[pid] = &half{First: int64(pid)}
			table.put(pid, want[pid])
		default:
			require.Equal(t, want[pid], table.remove(pid))
			delete(want, pid)
		}
		require.Equal(t, len(want), table.n)
	}
	n := 0
	table.each(func(pid int, h *half) {
		require.Same(t, want[pid], h)
		n++
	})
	require.Equal(t, len(want), n)
}

// TestJoinerIsBounded is the bound of part 4: calls that never end are forgotten, the oldest first.
func TestJoinerIsBounded(t *testing.T) {
	var j Joiner
	for i := range maxOpen + 10 {
		j.Add(&Event{Kind: Syscall, Flags: Unfinished, PID: i + 1, Line: int64(i), Name: []byte("read")})
	}
	require.LessOrEqual(t, j.Open(), maxOpen)
	c := j.Add(&Event{Kind: Syscall, Flags: Resumed, PID: maxOpen + 5, Line: 1 << 30, Name: []byte("read")})
	require.Zero(t, c.Flags&Resumed, "the newest are kept")
	c = j.Add(&Event{Kind: Syscall, Flags: Resumed, PID: 1, Line: 1 << 30, Name: []byte("read")})
	require.NotZero(t, c.Flags&Resumed)
}

func TestDigestIsWithinOnePerCent(t *testing.T) {
	r := oracle.Rand(t)
	for _, n := range []int{1, 2, 100, digestExact, digestExact + 1, 20_000} {
		var d digest
		var all []time.Duration
		for range n {
			v := time.Duration(r.Int64N(1 << (1 + r.IntN(40))))
			all = append(all, v)
			d.add(v)
		}
		slices.Sort(all)
		for _, p := range []float64{0.5, 0.95, 1} {
			rank := int(p * float64(n))
			if float64(rank) < p*float64(n) {
				rank++
			}
			want := float64(all[max(rank, 1)-1])
			require.InDelta(t, want, float64(d.quantile(p)), want/100+1, "%d values, %v", n, p)
		}
		require.Equal(t, all[n-1], d.max)
	}
}

// The columns of a table are chosen by -U; the errors cell may be blank, and a wide number may push its row to the right.
func TestParseSummaryReadsEveryOrderOfColumns(t *testing.T) {
	const in = "% time syscall                 seconds     calls    errors   shortest    longest  usecs/call\n" +
		"------ ---------------- ----------- --------- --------- ----------- ----------- -----------\n" +
		" 70.00 read                0.000700       100           0.000001    0.000100           7\n" +
		" 30.00 openat           0.000300        10         3    0.000002    0.000200          30\n" +
		"------ ---------------- ----------- --------- --------- ----------- ----------- -----------\n" +
		"100.00 total            0.001000       110         3    0.000001    0.000200           9\n"
	table, err := ParseSummary(strings.NewReader("7 close(3) = 0\n" + in + "7 close(4) = 0\n"))
	require.NoError(t, err)
	require.Empty(t, table.Errors)
	require.EqualValues(t, 2, table.Line)
	require.Equal(t, []TableRow{
		{Name: "read", Percent: 70, Total: 700 * time.Microsecond, Calls: 100, Shortest: time.Microsecond, Longest: 100 * time.Microsecond, UsecsPerCall: 7},
		{Name: "openat", Percent: 30, Total: 300 * time.Microsecond, Calls: 10, Errors: 3, Shortest: 2 * time.Microsecond, Longest: 200 * time.Microsecond, UsecsPerCall: 30},
	}, table.Rows)
	require.EqualValues(t, 110, table.Total.Calls)
	_, err = ParseSummary(strings.NewReader("close(3) = 0\n"))
	require.ErrorIs(t, err, ErrNoTable)
}

// A log of -t passes midnight, and its clock is set back by a little.
func TestClockPassesMidnight(t *testing.T) {
	var at []time.Duration
	for e := range NewReader(strings.NewReader("23:59:59 getpid() = 7\n00:00:01 getpid() = 7\n00:00:00 getpid() = 7\n12:00:00 getpid() = 7\n23:59:59 getpid() = 7\n00:00:01 getpid() = 7\n")).Events() {
		at = append(at, e.Time.At)
	}
	for i, want := range []int64{86399, 86401, 86400, 86400 + 43200, 2*86400 - 1, 2*86400 + 1} {
		require.Equal(t, want, int64(at[i]/time.Second), i)
	}
}

// Colour (strace 7) and the spellings of strace before 5, from samples written by hand after its source.
func TestReaderReadsColourAndOldSpellings(t *testing.T) {
	all := read(t, golden(t, "colour.strace"))
	require.Len(t, all, 5)
	require.Equal(t, "fsync", string(all[0].Name))
	require.Equal(t, 123*time.Microsecond, all[0].Dur)
	require.Equal(t, "ENOENT", string(all[1].Ret.Errno))
	require.Equal(t, 7, all[1].PID)
	require.Equal(t, []Kind{Syscall, Syscall, Exit, Signal, Syscall}, []Kind{all[0].Kind, all[1].Kind, all[2].Kind, all[3].Kind, all[4].Kind})
	for _, e := range all {
		require.True(t, e.Flags.Has(Coloured))
		require.Nil(t, e.Err)
	}
	var j Joiner
	var joined []string
	for _, e := range read(t, golden(t, "old.strace")) {
		require.Nil(t, e.Err, "%s", e.Raw())
		if c := j.Add(e); c != nil && c.First != c.Last {
			joined = append(joined, string(c.Name)+"("+string(c.Args.Raw())+")")
		}
	}
	require.Equal(t, []string{`read(3, "abc"..., 1024)`, "futex(0x7f, FUTEX_WAIT, 2, NULL)", "wait4(-1, , 0, NULL)"}, joined)
}

// Prefixes that the installed strace may not be able to write.
func TestReaderReadsEveryPrefix(t *testing.T) {
	for _, row := range []struct {
		line, comm, context, time string
		pid, nr                   int
		ip                        uint64
	}{
		{"7 [unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023] 12:00:00 [  59] [00007f43c7f8aad7] close(3) = 0", "", "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023", "12:00:00", 7, 59, 0x7f43c7f8aad7},
		{"25657<a\\76 b\\\"(1)> 1795337041.234369123 (+     0.000747946) close(3) = 0", "a\\76 b\\\"(1)", "", "1795337041.234369123", 25657, -1, 0},
		{"[pid 25657<php>] [????????] close(3) = 0", "php", "", "-", 25657, -1, 0},
		{"21618      0.000656 close(3) = 0", "", "", "0.000000", 21618, -1, 0},
		{"1795337041 close(3) = 0", "", "", "1795337041", 0, -1, 0},
		{"12:00:00.123 close(3) = 0", "", "", "12:00:00.123", 0, -1, 0},
	} {
		e := read(t, []byte(row.line+"\n"))[0]
		require.Equal(t, Syscall, e.Kind, row.line)
		require.Equal(t, row.comm, string(e.Comm), row.line)
		require.Equal(t, row.context, string(e.Context), row.line)
		require.Equal(t, row.time, e.Time.String(), row.line)
		require.Equal(t, row.pid, e.PID, row.line)
		require.Equal(t, row.nr, e.NR, row.line)
		require.Equal(t, row.ip, e.IP, row.line)
	}
}
