package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/stracelog"
)

// logs are what the exports are tried on.
func logs(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{"two processes": []byte(`7 1795337041.234369 accept(3, NULL, NULL) = 8 <0.000010>
7 1795337041.234400 read(8, "GET / HTTP/1.1\r\n"..., 8192) = 100 <0.000010>
 > /usr/lib/libc.so.6(read+0x10) [0xf8350]
 > /srv/app(handle+0x1) [0x2]
9 1795337041.234500 futex(0x7f, FUTEX_WAIT, 2, NULL <unfinished ...>
7 1795337041.284400 write(8, "HTTP/1.1 200 OK\r\n"..., 300) = -1 EPIPE (Broken pipe) <0.000010>
9 1795337041.284450 <... futex resumed>) = 0 <0.049950>
7 1795337041.284500 close(8) = 0 <0.000010>
7 1795337041.284600 exit_group(0) = ?
7 1795337041.284700 +++ exited with 0 +++
`)}
	b, err := os.ReadFile("../testdata/request.strace")
	require.NoError(t, err)
	all["the story"] = b
	return all
}

func analyse(t *testing.T, b []byte, opts ...stracelog.AnalyzeOption) *stracelog.Report {
	t.Helper()
	r, err := stracelog.AnalyzeReader(stracelog.NewBytesReader(b), opts...)
	require.NoError(t, err)
	return r
}

// sums reads the log in the plainest way: the sum of its durations and the number of calls that have one.
func sums(b []byte) (calls int64, wall time.Duration) {
	for _, m := range regexp.MustCompile(`(?m) <(\d+)\.(\d{6})>$`).FindAllSubmatch(b, -1) {
		s, _ := strconv.ParseInt(string(m[1]), 10, 64)
		us, _ := strconv.ParseInt(string(m[2]), 10, 64)
		wall += time.Duration(s)*time.Second + time.Duration(us)*time.Microsecond
		calls++
	}
	return calls, wall
}

// TestLiveProfile is part 9: the profile's sums are the log's, and go tool pprof reads it.
func TestLiveProfile(t *testing.T) {
	goTool := oracle.Tool{Name: "go", Package: "golang"}
	for name, log := range logs(t) {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, Pprof(&b, analyse(t, log)))
			p, err := profile.Parse(bytes.NewReader(b.Bytes()))
			require.NoError(t, err)
			require.NoError(t, p.CheckValid())
			var calls, wall int64
			for _, s := range p.Sample {
				calls += s.Value[0]
				wall += s.Value[2]
			}
			wantCalls, wantWall := sums(log)
			require.Equal(t, wantCalls, calls)
			require.Equal(t, int64(wantWall), wall)

			f := t.TempDir() + "/trace.pb.gz"
			require.NoError(t, os.WriteFile(f, b.Bytes(), 0o644))
			g := goTool.Need(t)
			out, err := exec.Command(g.Path, "tool", "pprof", "-top", "-unit=us", f).CombinedOutput()
			require.NoError(t, err, "%s", out)
			m := regexp.MustCompile(`of ([\d.]+)us total`).FindSubmatch(out)
			require.NotNil(t, m, "%s", out)
			require.Equal(t, strconv.FormatInt(wantWall.Microseconds(), 10), strings.TrimSuffix(string(m[1]), ".00"))
			oracle.Compared(t, g, 1)
		})
	}
}

func TestPprofShowsTheStack(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Pprof(&b, analyse(t, logs(t)["two processes"])))
	p, err := profile.Parse(&b)
	require.NoError(t, err)
	var stacks []string
	for _, s := range p.Sample {
		var f []string
		for _, l := range s.Location {
			f = append(f, l.Line[0].Function.Name)
		}
		stacks = append(stacks, strings.Join(f, ";"))
	}
	require.Contains(t, stacks, "read;read;handle;slow client;in a request")
	require.Contains(t, stacks, "futex;lock;outside of requests")
}

func TestChromeTimeline(t *testing.T) {
	for name, log := range logs(t) {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			c := NewChrome(&b)
			rep := analyse(t, log, stracelog.OnCall(c.Call), stracelog.OnRequest(c.Request))
			require.NoError(t, c.Close())
			var j struct {
				TraceEvents []struct {
					Name, Cat, Ph string
					At            *float64 `json:"ts"`
					Dur           *float64
					PID, TID      *int
				}
			}
			d := json.NewDecoder(&b)
			require.NoError(t, d.Decode(&j))
			calls, requests, wall := int64(0), 0, 0.0
			for _, e := range j.TraceEvents {
				require.NotNil(t, e.PID)
				require.NotNil(t, e.TID)
				switch {
				case e.Ph == "M":
					continue
				case e.Cat == "request":
					requests++
					continue
				}
				require.Equal(t, "X", e.Ph)
				require.False(t, math.IsNaN(*e.At) || math.IsInf(*e.At, 0) || *e.Dur < 0)
				calls++
				wall += *e.Dur
			}
			wantCalls, wantWall := sums(log)
			require.GreaterOrEqual(t, calls, wantCalls)
			require.InDelta(t, wantWall.Microseconds(), wall, 0.01)
			require.Equal(t, len(rep.Requests), requests)
		})
	}
}

func TestHTMLIsOnePage(t *testing.T) {
	for name, log := range logs(t) {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, HTML(&b, analyse(t, log), 0))
			page := b.String()
			require.Contains(t, page, `<meta http-equiv="Content-Security-Policy" content="default-src 'none'`)
			for _, loads := range []string{"<script", "<link", "src=", "href=", "url(", "@import", "http:"} {
				require.NotContains(t, page, loads)
			}
			require.NotContains(t, page, "ZgotmplZ", "the template trusts nothing of the log")
			for _, tag := range []string{"section", "table", "tr", "td", "th", "div", "svg", "span", "style", "html", "body", "head", "p", "h1", "h2"} {
				open := len(regexp.MustCompile(`<`+tag+`[ >]`).FindAllString(page, -1))
				require.Equal(t, open, strings.Count(page, "</"+tag+">"), tag)
			}
		})
	}
	var b bytes.Buffer
	require.NoError(t, HTML(&b, analyse(t, logs(t)["the story"]), 0))
	require.Contains(t, b.String(), "111.748 ms of 137.690 ms (81 %)")
}

func TestTextFitsItsWidth(t *testing.T) {
	for _, width := range []int{0, 80, 132} {
		var b bytes.Buffer
		require.NoError(t, Text(&b, analyse(t, logs(t)["the story"]), TextOptions{Width: width, Unicode: true}))
		for line := range strings.Lines(b.String()) {
			if strings.Contains(line, "|") {
				require.LessOrEqual(t, len([]rune(line)), max(width, 100)+14, line)
			}
		}
	}
}

type broken struct{ n int }

func (b *broken) Write(p []byte) (int, error) {
	if b.n -= len(p); b.n < 0 {
		return 0, errors.New("no space left")
	}
	return len(p), nil
}

func TestWritersReturnTheErrorOfTheirOutput(t *testing.T) {
	rep := analyse(t, logs(t)["the story"])
	for name, f := range map[string]func(io.Writer) error{
		"text": func(w io.Writer) error { return Text(w, rep, TextOptions{}) }, "html": func(w io.Writer) error { return HTML(w, rep, 0) },
		"pprof": func(w io.Writer) error { return Pprof(w, rep) },
		"chrome": func(w io.Writer) error {
			c := NewChrome(w)
			for i := range 2000 {
				c.Request(&stracelog.Request{FD: i, Start: stracelog.Time{Form: stracelog.Epoch, At: 1}, End: stracelog.Time{Form: stracelog.Epoch, At: 2}})
			}
			return c.Close()
		},
	} {
		err := f(&broken{n: 100})
		require.ErrorContains(t, err, "no space left", name)
		require.Regexp(t, "^export: write the ", err.Error())
		require.Equal(t, 1, strings.Count(err.Error(), "export: "), err)
	}
}

func FuzzExports(f *testing.F) {
	f.Add([]byte("7 1795337041.234369 accept(3, NULL, NULL) = 8 <0.000010>\n7 1795337041.284500 close(8) = 0 <0.000010>\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var chrome bytes.Buffer
		c := NewChrome(&chrome)
		rep, err := stracelog.AnalyzeReader(stracelog.NewBytesReader(b), stracelog.OnCall(c.Call), stracelog.OnRequest(c.Request), stracelog.Data())
		require.NoError(t, err)
		require.NoError(t, c.Close())
		require.True(t, json.Valid(chrome.Bytes()))
		require.NoError(t, Pprof(io.Discard, rep))
		require.NoError(t, HTML(io.Discard, rep, 0))
		var text bytes.Buffer
		require.NoError(t, Text(&text, rep, TextOptions{}))
		for _, r := range text.String() {
			require.True(t, r == '\n' || unicode.IsPrint(r), "%q", r)
		}
	})
}

// The whole way: from a log to a page.
func ExampleText() {
	log := `7 1795337041.000000 accept(3, NULL, NULL) = 8 <0.000010>
7 1795337041.000100 read(8, "GET / HTTP/1.1\r\n"..., 8192) = 100 <0.000010>
7 1795337041.000200 flock(9, LOCK_EX) = 0 <0.080000>
7 1795337041.080300 write(8, "HTTP/1.1 200 OK\r\n"..., 300) = 300 <0.000010>
7 1795337041.080400 close(8) = 0 <0.000010>
`
	report, err := stracelog.AnalyzeReader(stracelog.NewReader(strings.NewReader(log)))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, q := range report.Requests {
		_ = TextRequest(os.Stdout, &q, TextOptions{Width: 80})
	}
	// Output:
	// request on fd 8 of process 7, HTTP GET, lines 1-5, from 1795337041.000010: 80.400 ms, answered after 80.300 ms
	//      +0.000 ms |#                 |     0.090 ms  no traced syscall             1-2
	//      +0.090 ms |#                 |     0.010 ms  slow client read GET          2
	//      +0.100 ms |#                 |     0.090 ms  no traced syscall             2-3
	//      +0.190 ms |##################|    80.000 ms  lock flock                    3
	//     +80.190 ms |                 #|     0.100 ms  no traced syscall             3-4
	//     +80.290 ms |                 #|     0.110 ms  slow client write HTTP (2 ..  4-5
	//   80.000 ms of 80.300 ms (100 %) waiting for a lock: 1 call, the longest is 80.000 ms in flock (line 3)
	//   confidence: certain
}
