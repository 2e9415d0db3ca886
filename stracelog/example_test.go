package stracelog_test

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"dougu.internal/stracelog"
)

// The trace of one request that a published story shows: where did 137 ms go?
func ExampleAnalyze() {
	f, err := os.Open("testdata/request.strace")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	report, err := stracelog.Analyze(stracelog.NewReader(f).Events())
	if err != nil {
		log.Fatal(err)
	}
	for _, q := range report.Requests {
		b := q.Bottleneck
		fmt.Println(b.Text)
		fmt.Println("confidence:", b.Confidence)
	}
	// Output:
	// 111.748 ms of 137.690 ms (81 %) between memcached's answer (line 15) and the next traced call (line 17): no SQL, no network; application code or an untraced call; no traced syscall stands there, MySQL comes next
	// confidence: cannot tell
}

func ExampleReader() {
	f, err := os.Open("testdata/request.strace")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	for e, err := range stracelog.NewReader(f).Events() {
		if err != nil {
			log.Fatal(err)
		}
		if e.Ret.Failed() {
			fmt.Printf("line %d: %s failed with %s (%s) after %v\n", e.Line, e.Name, e.Ret.Errno, e.Ret.Text(), e.Dur)
		}
	}
	// Output:
	// line 10: connect failed with EINPROGRESS (Operation now in progress) after 19µs
	// line 24: connect failed with EINPROGRESS (Operation now in progress) after 25µs
}

// Arguments are split when they are asked for.
func ExampleArgs() {
	const line = `connect(20, {sa_family=AF_INET, sin_port=htons(11211), sin_addr=inet_addr("10.0.0.7")}, 16) = -1 EINPROGRESS (Operation now in progress) <0.000019>`
	e, err := stracelog.NewReader(strings.NewReader(line)).Next()
	if err != nil {
		log.Fatal(err)
	}
	var args stracelog.Tree
	if err := e.Args.Parse(&args); err != nil {
		log.Fatal(err)
	}
	fd, _, _ := args.At(0).FD()
	for port := range args.At(1).Field("sin_port").Children() {
		n, _ := port.Int()
		fmt.Println("fd", fd, "to port", n)
	}
	// Output: fd 20 to port 11211
}

func ExampleUnquote() {
	b, cut, err := stracelog.Unquote(nil, []byte(`"\33\0\0\0\3SELECT"...`))
	fmt.Printf("%q %v %v\n", b, cut, err)
	// Output: "\x1b\x00\x00\x00\x03SELECT" true <nil>
}

func ExampleJoiner() {
	const text = `7 1795337041.000000 wait4(-1,  <unfinished ...>
9 1795337041.100000 +++ exited with 3 +++
7 1795337041.100100 <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 9 <0.100090>
`
	var j stracelog.Joiner
	for e, err := range stracelog.NewReader(strings.NewReader(text)).Events() {
		if err != nil {
			log.Fatal(err)
		}
		if c := j.Add(e); c != nil {
			fmt.Printf("lines %d to %d: %s(%s) took %v\n", c.First, c.Last, c.Name, c.Args.Raw(), c.Dur)
		}
	}
	// Output: lines 1 to 3: wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) took 100.09ms
}

func ExampleMerge() {
	logs := []stracelog.Log{
		{PID: 7, R: strings.NewReader("12:00:00.000001 getpid() = 7\n12:00:00.000005 close(3) = 0\n")},
		{PID: 9, R: strings.NewReader("12:00:00.000003 getpid() = 9\n")},
	}
	for e, err := range stracelog.Merge(logs...) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d %s", e.PID, e.Raw())
	}
	// Output:
	// 7 12:00:00.000001 getpid() = 7
	// 9 12:00:00.000003 getpid() = 9
	// 7 12:00:00.000005 close(3) = 0
}

func ExampleParseSummary() {
	const table = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.000300           3       100         7 read
 40.00    0.000200          20        10           openat
------ ----------- ----------- --------- --------- ----------------
100.00    0.000500           4       110         7 total
`
	t, err := stracelog.ParseSummary(strings.NewReader(table))
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range t.Rows {
		fmt.Println(r.Name, r.Calls, r.Errors, r.Total)
	}
	// Output:
	// read 100 7 300µs
	// openat 10 0 200µs
}

func ExampleParallelSummary() {
	b, err := os.ReadFile("testdata/request.strace")
	if err != nil {
		log.Fatal(err)
	}
	calls, err := stracelog.ParallelSummary(bytes.NewReader(b), int64(len(b)), 0)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range calls[:3] {
		fmt.Println(c.Name, c.Calls, c.Errors, c.Total)
	}
	// Output:
	// accept 1 0 11µs
	// connect 4 2 61µs
	// getsockopt 1 0 5µs
}

// The calls of a large log, counted by several workers.
func ExampleParallel() {
	const text = "getpid() = 7\nclose(3) = -1 EBADF (Bad file descriptor)\nclose(4) = 0\n"
	var failed atomic.Int64
	err := stracelog.Parallel(strings.NewReader(text), int64(len(text)), 2, func(_ int, e *stracelog.Event) error {
		if e.Kind == stracelog.Syscall && e.Ret.Failed() {
			failed.Add(1)
		}
		return nil
	})
	fmt.Println(failed.Load(), err)
	// Output: 1 <nil>
}

func ExampleRecognize() {
	for _, b := range []string{"GET / HTTP/1.1\r\n", "get key\r\n", "\x16\x03\x01\x02\x00\x01"} {
		p, verb := stracelog.Recognize([]byte(b))
		fmt.Printf("%s %q\n", p, verb)
	}
	// Output:
	// HTTP "GET"
	// memcached "get"
	// TLS "handshake"
}

func ExampleWriteMerged() {
	err := stracelog.WriteMerged(os.Stdout,
		stracelog.Log{PID: 7, R: strings.NewReader("12:00:00.000001 getpid() = 7\n12:00:00.000005 close(3) = 0\n")},
		stracelog.Log{PID: 9, R: strings.NewReader("12:00:00.000003 getpid() = 9\n")})
	fmt.Println(err)
	// Output:
	// 7 12:00:00.000001 getpid() = 7
	// 9 12:00:00.000003 getpid() = 9
	// 7 12:00:00.000005 close(3) = 0
	// <nil>
}

// A request as a person would draw it: one piece for the conversation with each peer.
func ExampleCoalesce() {
	f, err := os.Open("testdata/request.strace")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	report, err := stracelog.AnalyzeReader(stracelog.NewReader(f))
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range stracelog.Coalesce(report.Requests[0].Segments) {
		if s.Dur >= 5*time.Millisecond {
			fmt.Println(s.Class, s.Dur)
		}
	}
	// Output:
	// application or untraced 9.782ms
	// application or untraced 111.748ms
	// unknown 13.186ms
}
