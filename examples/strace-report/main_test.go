package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
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
)

// report runs the program and returns what it printed and its exit status.
func report(t *testing.T, stdin string, args ...string) (out, errs string, status int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	o := options{stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr}
	err := o.parse(args)
	if err == nil {
		err = run(t.Context(), &o)
	}
	status = o.status(err)
	return stdout.String(), stderr.String(), status
}

func TestReportTellsTheStory(t *testing.T) {
	out, errs, status := report(t, "", "-sample")
	require.Zero(t, status, errs)
	for _, want := range []string{"111.748 ms", "81 %", "line 15", "line 17", "memcached", "MySQL", "no traced syscall", "cannot tell", "drop -e trace=", "add -f", "not a proof"} {
		require.Contains(t, out, want)
	}
	for _, r := range out {
		require.True(t, r == '\n' || r >= ' ' && r < 0x7f, "plain ASCII: %q", r)
	}
	colour, _, _ := report(t, "", "-sample", "-color", "always")
	require.Contains(t, colour, "\x1b[31m")
}

// The JSON is read by others: its names and types are held here.
func TestReportJSON(t *testing.T) {
	out, errs, status := report(t, "", "-sample", "-format", "json")
	require.Zero(t, status, errs)
	var j map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &j))
	require.Equal(t, map[string]any{"total": 29.0, "unknown": 1.0, "damaged": 2.0}, j["lines"])
	q := j["requests"].([]any)[0].(map[string]any)
	require.Len(t, j["requests"], 1)
	require.Equal(t, 137694.0, q["duration_us"])
	require.Equal(t, 137690.0, q["length_us"])
	require.Equal(t, q["duration_us"], q["end"].(float64)-q["start"].(float64))
	require.Nil(t, q["answered"])
	sum := 0.0
	for _, s := range q["segments"].([]any) {
		s := s.(map[string]any)
		for _, k := range []string{"class", "peer", "duration_us", "lines"} {
			require.Contains(t, s, k)
		}
		sum += s["duration_us"].(float64)
	}
	require.Equal(t, q["duration_us"], sum)
	b := q["bottleneck"].(map[string]any)
	require.Equal(t, "application or untraced", b["class"])
	require.Equal(t, "", b["peer"])
	require.Equal(t, 111748.0, b["duration_us"])
	require.InDelta(t, 0.8116, b["share"], 1e-4)
	require.Equal(t, "cannot tell", b["confidence"])
	require.Equal(t, []any{15.0, 17.0}, b["lines"])
	s := j["summary"].([]any)[0].(map[string]any)
	require.Equal(t, map[string]any{"name": "accept", "calls": 1.0, "errors": 0.0, "seconds": 0.000011}, s)
}

func TestReportJSONOfALogWithDates(t *testing.T) {
	out, _, status := report(t, `7 1795337041.234369 accept(3, NULL, NULL) = 8 <0.000010>
7 1795337041.234400 read(8, "GET /secret HTTP/1.1\r\nCookie: a=b"..., 8192) = 100 <0.000010>
7 1795337041.284400 write(8, "HTTP/1.1 200 OK\r\n"..., 300) = 300 <0.000010>
7 1795337041.284500 close(8) = 0 <0.000010>
`, "-format", "json")
	require.Zero(t, status)
	require.NotContains(t, out, "secret")
	require.NotContains(t, out, "Cookie")
	var j struct {
		Requests []struct{ Start, Answered, End string }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &j))
	require.Equal(t, "2026-11-22T08:44:01.234379Z", j.Requests[0].Start)
	for _, s := range []string{j.Requests[0].Start, j.Requests[0].Answered, j.Requests[0].End} {
		_, err := time.Parse(time.RFC3339Nano, s)
		require.NoError(t, err)
	}
}

func TestReportCopiesByteForByte(t *testing.T) {
	for _, in := range []string{string(sample), "\x00\xff\r\nclose(3) = 0\r\n\n\xef\xbb\xbfx", "close(3) = 0"} {
		out, _, status := report(t, in, "-format", "copy")
		require.Zero(t, status)
		require.Equal(t, in, out)
	}
	out, errs, status := report(t, "hello\n", "-format", "copy")
	require.Equal(t, 1, status)
	require.Equal(t, "hello\n", out)
	require.Contains(t, errs, "no line of strace")
}

func TestReportHidesPayload(t *testing.T) {
	log := `1795337041.234369 accept(3, NULL, NULL) = 8 <0.000010>
1795337041.234400 read(8, "POST /login HTTP/1.1\r\npassword=hunter2", 8192) = 100 <0.000010>
1795337041.234500 socket(AF_INET, SOCK_STREAM, 0) = 9 <0.000010>
1795337041.234600 connect(9, {sa_family=AF_INET, sin_port=htons(11211), sin_addr=inet_addr("10.0.0.1")}, 16) = 0 <0.000010>
1795337041.234700 sendto(9, "get hunter2\r\n", 13, 0, NULL, 0) = 13 <0.000010>
1795337041.334700 write(8, "hunter2 it is", 13) = 13 <0.000010>
1795337041.334800 close(8) = 0 <0.000010>
`
	for _, f := range []string{"text", "json", "html", "perfetto", "pprof"} {
		out, _, status := report(t, log, "-format", f)
		require.Zero(t, status)
		if f == "pprof" {
			z, err := gzip.NewReader(strings.NewReader(out))
			require.NoError(t, err)
			b, err := io.ReadAll(z)
			require.NoError(t, err)
			out = string(b)
		}
		require.NotContains(t, out, "hunter2", f)
	}
	out, _, _ := report(t, log, "-show-data")
	require.Contains(t, out, "get hun")
}

func TestReportOfOtherInput(t *testing.T) {
	dir := t.TempDir()
	zipped := filepath.Join(dir, "log.gz")
	var z bytes.Buffer
	g := gzip.NewWriter(&z)
	_, _ = g.Write(sample)
	require.NoError(t, g.Close())
	require.NoError(t, os.WriteFile(zipped, z.Bytes(), 0o644))
	for _, row := range []struct {
		name, in     string
		args         []string
		status       int
		out, problem string
	}{
		{"gzip", "", []string{zipped}, 0, "111.748 ms", ""},
		{"stdin", string(sample), []string{"-"}, 0, "111.748 ms", ""},
		{"not strace", "hello\nworld\n", nil, 1, "", "strace-report: standard input:1: no line of strace in the input"},
		{"empty", "", nil, 1, "", "no line of strace"},
		{"perf trace", "     0.000 ( 0.043 ms): true/5860 openat(dfd: CWD)  = 3\n", nil, 1, "", "perf trace"},
		{"only signals", "+++ exited with 0 +++\n", nil, 0, "1 lines", ""},
		{"table", "% time     seconds  usecs/call     calls    errors syscall\n------ ----------- ----------- --------- --------- ----------------\n" +
			" 60.00    0.000300           3       100         7 read\n 40.00    0.000200          20        10           openat\n" +
			"------ ----------- ----------- --------- --------- ----------------\n100.00    0.000500           4       110         7 total\n", nil, 0, "openat", ""},
		{"missing", "", []string{filepath.Join(dir, "nothing")}, 1, "", "no such file"},
		{"directory", "", []string{dir}, 1, "", "is a directory"},
		{"format", "", []string{"-format", "xml"}, 2, "", "unknown format"},
		{"flag", "", []string{"-x"}, 2, "", "usage:"},
		{"two files", "", []string{"a", "b"}, 2, "", "more than one"},
		{"pid", "", []string{"-p", "0"}, 2, "", "invalid process number 0"},
		{"no such process", "", []string{"-p", "4194303"}, 1, "", ""},
		{"follow stdin", "", []string{"-follow"}, 2, "", "requires FILE or -p"},
		{"help", "", []string{"-h"}, 0, "exit status: 0", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			out, errs, status := report(t, row.in, row.args...)
			require.Equal(t, row.status, status, errs)
			require.Contains(t, out, row.out)
			require.Contains(t, errs, row.problem)
		})
	}
	o := options{stdinTerminal: true}
	require.ErrorContains(t, o.parse(nil), "-sample")
}

func TestReportEscapesWhatTheTraceeWrote(t *testing.T) {
	log := "1795337041.234369 accept(3, NULL, NULL) = 8 <0.000010>\n1795337041.234400 \x1b[31mx<script>alert(1)</script>\u202e\n" +
		"1795337041.334400 connect(9, {sa_family=AF_UNIX, sun_path=\"/run/<b>\\33[2J\\342\\200\\256\"}, 110) = 0 <0.100000>\n1795337041.534500 close(8) = 0 <0.000010>\n"
	for _, f := range []string{"text", "html"} {
		out, _, status := report(t, log, "-format", f)
		require.Zero(t, status)
		require.NotContains(t, out, "\x1b")
		require.NotContains(t, out, "\u202e")
		if f == "html" {
			require.NotContains(t, out, "<b>")
			require.Contains(t, out, "&lt;b&gt;")
		}
	}
}

func TestFollowReportsEachRequestAsItEnds(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(name, sample, 0o644))
	r, w, err := os.Pipe()
	require.NoError(t, err)
	o := options{stdin: strings.NewReader(""), stdout: w, stderr: io.Discard}
	require.NoError(t, o.parse([]string{"-follow", "-for", "0", name}))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, &o)
		w.Close()
	}()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = fmt.Fprint(f, "15:21:05.000000 accept(3, NULL, NULL) = 11 <0.000011>\n")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	buf := make([]byte, 1<<16)
	n, err := r.Read(buf)
	require.NoError(t, err)
	require.Contains(t, string(buf[:n]), "111.748 ms")
	cancel()
	require.NoError(t, <-done)
	_, err = io.ReadAll(r)
	require.NoError(t, err)
}

// TestLiveReportOfAProcess traces this test's own child until its context ends, as by Ctrl-C.
func TestLiveReportOfAProcess(t *testing.T) {
	s := oracle.Tool{Name: "strace", Package: "strace", Probe: []string{"-V"}, Version: regexp.MustCompile(`version (\S+)`)}.Need(t)
	p := oracle.Start(t, oracle.Cmd{Path: "/bin/sh", Args: []string{"-c", "while :; do sleep 0.02; done"}})
	ctx, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer stop()
	var stdout bytes.Buffer
	o := options{stdin: strings.NewReader(""), stdout: &stdout, stderr: io.Discard}
	require.NoError(t, o.parse([]string{"-p", fmt.Sprint(p.Pid()), "-format", "json", "-for", "0"}))
	require.NoError(t, run(ctx, &o))
	require.Contains(t, stdout.String(), `"wait4"`)
	oracle.Compared(t, s, 1)
}
