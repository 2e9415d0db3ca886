package stracelog

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// part is a source that is made on the fly.
type part struct {
	next func(i int) string // "" ends
	i    int
	rest string
}

func (p *part) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		if p.rest == "" {
			if p.rest = p.next(p.i); p.rest == "" {
				if n > 0 {
					return n, nil
				}
				return 0, io.EOF
			}
			p.i++
		}
		k := copy(b[n:], p.rest)
		p.rest, n = p.rest[k:], n+k
	}
	return n, nil
}

// live returns the size of the objects that are reachable. The heap of the process
// also contains garbage of this and of other tests.
func live() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestHostileLines(t *testing.T) {
	long := strings.Repeat("x", 64<<20)
	for _, row := range []struct {
		name, in string
		kind     Kind
		flags    Flags
	}{
		{"64 MB in a string", `read(3, "` + long + `", 67108864) = 67108864` + "\n", Syscall, 0},
		{"64 MB without a line end", long, Unknown, 0},
		{"deep brackets", "f(" + strings.Repeat("[", 10_000) + ") = 0\n", Syscall, 0},
		{"unclosed quote", "read(3, \"abc, 5) = 3\n", Syscall, Damaged},
		{"cut", "7 1795337041.234369 read(3, \"abc\"", Syscall, Damaged | Incomplete},
		{"past 64 bits", "read(3, 99999999999999999999999) = 99999999999999999999999\n", Syscall, Damaged},
		{"return past 64 bits", "f() = 0xfffffffffffffffffffffffff <99999999999.000001>\n", Syscall, Damaged | Incomplete},
		{"NUL", "re\x00ad(3) = 0\n", Unknown, 0},
		{"only NUL", "\x00\x00\x00\n", Unknown, 0},
		{"CRLF", "close(3) = 0\r\n", Syscall, 0},
		{"BOM", "\xef\xbb\xbfclose(3) = 0\n", Syscall, 0},
		{"resume without start", "7 <... read resumed>\"abc\", 3) = 3\n", Syscall, Resumed},
		{"two straces on one line", "close(3) = 7 close(4) = 0\n", Syscall, 0},
		{"no final line end", "close(3) = 0", Syscall, 0},
		{"a mark in a string", "write(1, \" <unfinished ...>\", 17) = 17\n", Syscall, 0},
		{"a result in a path", "write(4</srv/d/) = 0>(deleted), \"x\", 1) = 1 <0.000066>\n", Syscall, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			begun := time.Now()
			r := NewReader(strings.NewReader(row.in))
			e, err := r.Next()
			require.NoError(t, err)
			require.Equal(t, row.kind, e.Kind, "%v", e.Err)
			require.Equal(t, row.flags, e.Flags&^Coloured, "%v", e.Err)
			require.Equal(t, row.kind != Syscall || row.flags.Has(Damaged), e.Err != nil)
			require.True(t, string(e.Raw()) == row.in)
			_, err = r.Next()
			require.ErrorIs(t, err, io.EOF)
			t.Logf("%v", time.Since(begun))
		})
	}
}

func TestHostileLineLimit(t *testing.T) {
	in := strings.Repeat("y", 1000) + "\nclose(3) = 0\n"
	var out []byte
	kinds := map[Kind]int{}
	r := NewReader(strings.NewReader(in), MaxLine(64))
	for e, err := range r.Events() {
		require.NoError(t, err)
		out = e.AppendTo(out)
		kinds[e.Kind]++
		require.LessOrEqual(t, len(e.Raw()), 64)
	}
	require.Equal(t, in, string(out))
	require.Equal(t, 1, kinds[Syscall])
}

// Two straces write one file, a log goes back in time, pids come back: findings and bounds, no trouble.
func TestHostileHistory(t *testing.T) {
	in := `7 12:00:00.000000 accept(3, NULL, NULL) = 8 <0.000010>
7 12:00:00.000100 read(8, "GET / HTTP/1.1\r\n"..., 8192) = 100 <0.000010>
7 11:59:58.000000 poll([{fd=8, events=POLLIN}], 1, 5000) = 0 (Timeout) <0.500000>
9 12:00:00.100000 read(8, "GET / HTTP/1.1\r\n"..., 8192) = 100 <0.000010>
7 12:00:01.000000 write(8, "HTTP/1.1 200 OK\r\n"..., 300) = 300 <0.000010>
7 12:00:01.000100 close(8) = 0 <0.000010>
7 12:00:01.000200 +++ exited with 0 +++
7 12:00:02.000000 <... read resumed> "x", 1) = 1 <0.000010>
7 12:00:02.000100 accept(3, NULL, NULL) = 8 <0.000010>
`
	rep := analyze(t, []byte(in))
	require.Len(t, rep.Requests, 3)
	require.Equal(t, 7, rep.Requests[0].PID)
	require.Equal(t, "12:00:01.000110", rep.Requests[0].End.String())
}

func TestHostileManyProcesses(t *testing.T) {
	before, peak := live(), int64(0)
	src := &part{next: func(i int) string {
		if i == 300_000 {
			return ""
		}
		if i%30_000 == 0 {
			peak = max(peak, live()-before)
		}
		pid := i % 150_000
		return fmt.Sprintf("%d 1795337041.%06d accept(3, NULL, NULL) = 8 <0.000010>\n%d 1795337042.%06d read(3,  <unfinished ...>\n", pid+1, i, pid+1, i)
	}}
	rep, err := AnalyzeReader(NewReader(src))
	require.NoError(t, err)
	require.EqualValues(t, 600_000, rep.Lines.Total)
	require.Positive(t, peak)
	require.Less(t, peak, int64(200<<20))
}

// TestFlatMemory reads a stream that is made on the fly, 80 MB, and 10 GB in long runs. It checks that the memory in use stays
// below 64 MB.
func TestFlatMemory(t *testing.T) {
	want := int64(oracle.N(80, 10<<10)) << 20
	const every = 8 << 20
	before, peak, sent, next := live(), int64(0), int64(0), int64(every)
	src := &part{next: func(i int) string {
		if sent > want {
			return ""
		}
		s := oneRequest(i)
		sent += int64(len(s))
		if sent >= next {
			next += every
			peak = max(peak, live()-before)
		}
		return s
	}}
	rep, err := AnalyzeReader(NewReader(src))
	require.NoError(t, err)
	require.Zero(t, rep.Lines.Unknown)
	require.Len(t, rep.Requests, 10_000)
	require.Positive(t, rep.Dropped)
	t.Logf("%d MB, %d requests kept, %d dropped, peak of the memory in use %d MB", sent>>20, len(rep.Requests), rep.Dropped, peak>>20)
	require.Positive(t, peak)
	require.Less(t, peak, int64(64<<20))
}

// oneRequest is one request of a log of many; each process serves some and ends.
func oneRequest(i int) string {
	pid := 1000 + i/100%4_000_000
	at := int64(i) * 20_000
	stamp := func(us int64) string { return fmt.Sprintf("%d.%06d", 1795337041+(at+us)/1_000_000, (at+us)%1_000_000) }
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d  %s accept4(3, {sa_family=AF_INET, sin_port=htons(%d), sin_addr=inet_addr(\"10.0.0.%d\")}, [128 => 16], SOCK_CLOEXEC) = 8 <0.000010>\n", pid, stamp(0), i%60000+1, i%250)
	fmt.Fprintf(&b, "%d  %s read(8, \"GET /%d HTTP/1.1\\r\\n\"..., 8192) = 100 <0.000010>\n", pid, stamp(20), i)
	fmt.Fprintf(&b, "%d  %s socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 9 <0.000010>\n", pid, stamp(40))
	fmt.Fprintf(&b, "%d  %s connect(9, {sa_family=AF_INET, sin_port=htons(3306), sin_addr=inet_addr(\"10.1.%d.%d\")}, 16) = 0 <0.000100>\n", pid, stamp(60), i/250%250, i%250)
	fmt.Fprintf(&b, "%d  %s sendto(9, \"\\33\\0\\0\\0\\3SELECT\", 31, MSG_DONTWAIT, NULL, 0) = 31 <0.000010>\n", pid, stamp(200))
	fmt.Fprintf(&b, "%d  %s poll([{fd=9, events=POLLIN}], 1, 30000 <unfinished ...>\n", pid, stamp(220))
	fmt.Fprintf(&b, "%d  %s <... poll resumed>) = 1 ([{fd=9, revents=POLLIN}]) <0.0%05d>\n", pid, stamp(9000), i%9000)
	fmt.Fprintf(&b, "%d  %s recvfrom(9, \"\\1\\0\\0\\1\\1\", 8192, 0, NULL, NULL) = 300 <0.000010>\n", pid, stamp(9400))
	fmt.Fprintf(&b, "%d  %s write(8, \"HTTP/1.1 200 OK\\r\\n\"..., 300) = 300 <0.000010>\n", pid, stamp(9800))
	fmt.Fprintf(&b, "%d  %s close(8) = 0 <0.000010>\n", pid, stamp(9900))
	if i%100 == 99 {
		fmt.Fprintf(&b, "%d  %s +++ exited with 0 +++\n", pid, stamp(9950))
	}
	return b.String()
}
