package logfmt_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/accesslog/logfmt"
	"dougu.internal/internal/oracle"
)

var apache2 = oracle.Tool{
	Name: "apache2", Package: "apache2-bin", Probe: []string{"-v"},
	Version: regexp.MustCompile(`Apache/([0-9.]+)`), AtLeast: "2.4",
}

// apache is a private server on loopback with one log a format.
type apache struct {
	addr string
	dir  string
	proc *oracle.Process
}

// config is httpd.conf for a server that serves one file of three bytes.
func config(dir, addr string, formats []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `ServerRoot %[1]s
ServerName oracle.example
Listen %[2]s
PidFile %[1]s/pid
DefaultRuntimeDir %[1]s
ErrorLog %[1]s/err
LogLevel crit
DocumentRoot %[1]s/www
<Directory %[1]s/www>
Require all granted
</Directory>
AllowEncodedSlashes On
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
`, dir, addr)
	if os.Geteuid() == 0 {
		b.WriteString("User daemon\nGroup daemon\n")
	}
	for i, f := range formats {
		fmt.Fprintf(&b, "CustomLog %s/log%d \"%s\"\n", dir, i, f)
	}
	return b.String()
}

func startApache(t *testing.T, formats []string) *apache {
	t.Helper()
	found := apache2.Need(t)
	dir, err := os.MkdirTemp("", "dougu-apache-") // readable for the server's user, which t.TempDir is not
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "www"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "www", "index.html"), []byte("hi\n"), 0o644))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	a := &apache{addr: l.Addr().String(), dir: dir}
	require.NoError(t, l.Close())
	conf := filepath.Join(dir, "conf")
	require.NoError(t, os.WriteFile(conf, []byte(config(dir, a.addr, formats)), 0o644))
	a.proc = oracle.Start(t, oracle.Cmd{Path: found.Path, Args: []string{"-DFOREGROUND", "-f", conf}, Dir: dir})
	oracle.Eventually(t, time.Minute, "apache2 answers", func() error {
		select {
		case <-a.proc.Done():
			t.Fatalf("apache2 ended: %s", a.proc.Output())
		default:
		}
		c, err := net.Dial("tcp", a.addr)
		if err == nil {
			c.Close()
		}
		return err
	})
	return a
}

// exchange sends raw bytes and reads until the server closes.
func exchange(t *testing.T, addr string, raw []byte) []byte {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = c.Write(raw)
	require.NoError(t, err)
	got, _ := io.ReadAll(c) // a reset after the answer is no matter here
	return got
}

// lines reads a log as soon as it holds that many lines, by the number each line
// begins with.
func (a *apache) lines(t *testing.T, format, want int) map[string]string {
	t.Helper()
	var text []byte
	oracle.Eventually(t, 20*time.Second, "the log is complete", func() error {
		var err error
		text, err = os.ReadFile(filepath.Join(a.dir, fmt.Sprint("log", format)))
		if n := bytes.Count(text, []byte("\x02\n")); err == nil && n < want {
			err = fmt.Errorf("%d lines of %d", n, want)
		}
		return err
	})
	found := map[string]string{}
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(text), "\x02\n"), "\x02\n") {
		id, line, _ := strings.Cut(entry, " ")
		found[id] = line
	}
	return found
}

// collector keeps lines by the number each begins with.
type collector struct {
	mu    sync.Mutex
	lines map[string]string
	count int
}

func (c *collector) WriteLine(line []byte) error {
	id, rest, _ := strings.Cut(string(line), " ")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	c.lines[id] = strings.TrimSuffix(rest, "\x02")
	return nil
}

// answer is what Apache said to a request: our handler says the same.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// serveGo runs the same raw requests through net/http and the formats.
func serveGo(t *testing.T, formats []string, raws [][]byte, answers map[string]answer) []*collector {
	t.Helper()
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		a := answers[r.Header.Get("X-Id")]
		for k, v := range a.header {
			if k != "Connection" && k != "Keep-Alive" && k != "Transfer-Encoding" {
				w.Header()[k] = v
			}
		}
		if a.status >= 400 {
			// Apache logs the type of its error page before it adds the charset that it sends.
			w.Header().Set("Content-Type", "text/html")
		}
		w.WriteHeader(a.status)
		w.Write(a.body)
	})
	var logs []*collector
	for _, f := range formats {
		c := &collector{lines: map[string]string{}}
		logs = append(logs, c)
		format, err := logfmt.Parse(`%{X-Id}i ` + f + "\x02")
		require.NoError(t, err)
		h = logfmt.Middleware(format, c, &logfmt.Options{ServerName: "oracle.example", Edit: directoryIndex})(h)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := &http.Server{Handler: h, ConnContext: logfmt.ConnContext}
	go srv.Serve(l)
	for _, raw := range raws {
		exchange(t, l.Addr().String(), raw)
	}
	require.NoError(t, srv.Shutdown(context.Background()))
	return logs
}

// directoryIndex is Apache's internal redirect from a directory to its index, which
// %U shows.
func directoryIndex(e *logfmt.Entry) {
	if p := e.Request.URL.Path; strings.HasPrefix(p, "/") && path.Clean(p) == "/" && e.Status < 300 && e.Request.Method != http.MethodOptions {
		e.Path = "/index.html"
	}
}

// identified puts the number of a request into its header.
func identified(id int, raw string) []byte {
	line, rest, _ := strings.Cut(raw, "\r\n")
	return []byte(line + "\r\nX-Id: " + strconv.Itoa(id) + "\r\n" + rest)
}

// compareWithApache sends every request to both, and returns the number of lines
// that were compared and the differences.
func compareWithApache(t *testing.T, formats []string, requests []string) (n int, differences []string) {
	t.Helper()
	var logged []string
	for _, f := range formats {
		logged = append(logged, `%{X-Id}i `+f+"\x02")
	}
	a := startApache(t, logged)
	raws, answers := make([][]byte, len(requests)), map[string]answer{}
	for i, r := range requests {
		raws[i] = identified(i, r)
		got := exchange(t, a.addr, raws[i])
		method, _, _ := strings.Cut(r, " ")
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(got)), &http.Request{Method: method})
		require.NoError(t, err, "%q answered by %q", raws[i], got)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		answers[strconv.Itoa(i)] = answer{resp.StatusCode, resp.Header, body}
	}
	logs := serveGo(t, formats, raws, answers)
	for i, f := range formats {
		want := a.lines(t, i, len(requests))
		for id := range requests {
			key := strconv.Itoa(id)
			got, reached := logs[i].lines[key]
			if !reached {
				differences = append(differences, fmt.Sprintf("no line for %q", requests[id]))
				continue
			}
			n++
			if got != want[key] {
				differences = append(differences, fmt.Sprintf("format  %s\nrequest %q\napache  %q\nours    %q", f, raws[id], want[key], got))
			}
		}
		require.Equal(t, len(requests), logs[i].count, "one line a request")
	}
	return n, differences
}

func TestLinesEqualApache(t *testing.T) {
	found := apache2.Need(t)
	rnd := oracle.Rand(t)
	total := 0
	for range oracle.N(2, 60) {
		var formats, requests []string
		formats = append(formats, strings.ReplaceAll(logfmt.Combined, "%t ", ""), `%a|%m|%U|%q|%H|%r|%s|%>s|%B|%b|%v|%V|%X|%k|%l|%u|%{sid}C`)
		for range 12 {
			formats = append(formats, randomFormat(rnd))
		}
		requests = append(requests, awkward...)
		for range 50 {
			requests = append(requests, randomRequest(rnd))
		}
		n, differences := compareWithApache(t, formats, requests)
		total += n
		for i, d := range differences {
			if i < 10 {
				t.Error(d)
			}
		}
		require.Empty(t, len(differences), "lines that differ")
	}
	oracle.Compared(t, found, total)
}

func request(line string, headers ...string) string {
	return line + "\r\nHost: h.example\r\n" + strings.Join(append(headers, "Connection: close"), "\r\n") + "\r\n\r\n"
}

// awkward requests that reach a Go handler.
var awkward = []string{
	request("GET / HTTP/1.1"),
	request("GET / HTTP/1.1", `User-Agent: a"b\c`, `Referer: http://r/?"q"`),
	request("GET / HTTP/1.1", "User-Agent: caf\xc3\xa9 \xe6\x97\xa5"),
	request("GET / HTTP/1.1", "User-Agent: x\xff\xfe\x80y"),
	request("GET / HTTP/1.1", "User-Agent: a\tb"),
	request("GET / HTTP/1.1", "User-Agent:"),
	request("GET / HTTP/1.1", "User-Agent: a", "User-Agent: b"),
	request("GET /index.html?a=b&c=%22d%22 HTTP/1.1"),
	request("GET /x? HTTP/1.1"),
	request("GET /nope/%E6%97%A5%0a%1b%22 HTTP/1.1"),
	request("GET /a%08%0b%0d%0c%07%09%5c%7f%80 HTTP/1.1"),
	request("GET /\"x\\y HTTP/1.1"),
	request("GET /\xe6\x97\xa5 HTTP/1.1"),
	request("GET http://ABC.example:99/index.html?x HTTP/1.1"),
	request("HEAD / HTTP/1.1"),
	request("HEAD /missing HTTP/1.1"),
	"GET / HTTP/1.0\r\n\r\n",
	request("GET /index.html HTTP/1.1", "Authorization: Basic Ym9iOnB3"),
	request("GET / HTTP/1.1", `Cookie: sid=abc; sid2=d; q="z"`),
	request("GET / HTTP/1.1", `Cookie: x=1`, `Cookie: sid=z`),
	request("GET / HTTP/1.1", `Cookie: SID=a=b; empty=; q="x;y"; $Version=1`),
	request("GET / HTTP/1.1", `Cookie: sid=; sid=x`), request("GET / HTTP/1.1", `Cookie: ==sid==x=; sid=2`),
	request("GET / HTTP/1.1", "Cookie: sid = \"\t;"), request("GET / HTTP/1.1", "Cookie: sid=a \t;;"), request("GET / HTTP/1.1", "Cookie: a=b; sid= c ; "),
	request("GET / HTTP/1.1", "Cookie: sid=\t ;"), request("GET / HTTP/1.1", "Cookie: sid=d \t;e"), request("GET / HTTP/1.1", "Cookie: sid=f ;="),
	request("GET / HTTP/1.1", "Cookie: sid= ; sid=4"), request("GET / HTTP/1.1", "Cookie: sid; =x; =sid =\t3"),
	request("GET / HTTP/1.1", "X-Forwarded-For: 203.0.113.9, 10.0.0.1"),
	request("POST /index.html HTTP/1.1", "Content-Length: 0"),
	request("GET /index.html HTTP/1.1", "Range: bytes=1-1"),
	request("GET /a/../index.html HTTP/1.1"), request("GET //index.html HTTP/1.1"), request("GET /./x/. HTTP/1.1"),
	request("GET /x/y/.. HTTP/1.1"), request("GET /a//b/ HTTP/1.1"), request("GET /%2e/x HTTP/1.1"), request("GET /a/.../..b HTTP/1.1"),
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// noise is a random value as clients send it: without the bytes that either server
// refuses in a header.
func noise(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(24) {
		b.WriteString(pick(r, "a", "Z", "0", `"`, `\`, " ", "\t", "\x80", "\xff", "é", "日", "%", "%41", ";", "=", ",", "'", "<", "\\x41", "[", "~", "|"))
	}
	return strings.Trim(b.String(), " \t")
}

func randomRequest(r *rand.Rand) string {
	var target strings.Builder
	for range 1 + r.IntN(3) {
		target.WriteString("/" + pick(r, "", ".", "a", "index.html", "b%20c", "%22", "%0a", "%E6%97%A5", "\xe6", `"q"`, "x;y", "...", "%2e", "%7f", "%5c"))
	}
	if r.IntN(3) == 0 {
		target.WriteString("?" + strings.NewReplacer(" ", "+", "\t", "%09").Replace(noise(r)))
	}
	var headers []string
	for range r.IntN(5) {
		headers = append(headers, pick(r, "User-Agent", "Referer", "X-Any", "user-agent", "Accept", "X-Forwarded-For")+":"+pick(r, " ", "", "\t")+noise(r))
	}
	if r.IntN(3) == 0 {
		headers = append(headers, "Cookie: "+pick(r, "sid=", "SID=", "a=1; sid=", "sid", " sid = ")+noise(r)+pick(r, "", "; sid2=z", ";q"))
	}
	if r.IntN(8) == 0 {
		headers = append(headers, "Range: bytes=0-0")
	}
	host := pick(r, "h", "H.Example", "h.example:81", "[::1]:8080", "h.")
	return pick(r, "GET", "GET", "GET", "HEAD", "POST") + " " + target.String() + " HTTP/1.1\r\nHost: " + host + "\r\n" +
		strings.Join(append(headers, "Connection: close"), "\r\n") + "\r\n\r\n"
}

// randomFormat uses everything that depends on the request and the response alone.
func randomFormat(r *rand.Rand) string {
	var b strings.Builder
	for range 4 + r.IntN(8) {
		switch r.IntN(6) {
		case 0:
			b.WriteString(pick(r, `\t`, `\"`, `\q`, `\\\\`, `\\t`, `\\y`, "%%", " ", "[", "lit é", `\\`+" "))
		case 1:
			b.WriteString("%" + modifiers(r) + "{" + pick(r, "User-Agent", "REFERER", "x-any", "Host", "Nope", "Accept", "Connection") + "}" + modifiers(r) + "i")
		case 2:
			b.WriteString("%" + modifiers(r) + "{" + pick(r, "sid", "SID", "a", "sid2", "$Version", "empty") + "}C")
		case 3:
			b.WriteString("%{" + pick(r, "Content-Length", "content-type", "Nope", "Accept-Ranges", "Content-Range", "ETag") + "}o")
		default:
			b.WriteString("%" + modifiers(r) + pick(r, "a", "h", "A", "B", "b", "H", "k", "l", "m", "n", "e", "L", "q", "r", "s", ">s", "<s", "u", "U", "v", "V", "X",
				"p", "{c}a", "{canonical}p", "{bogus}T", "{bogus}p", "{bad}P", "{x}n", "{x}e", "{X}^ti", "{X}^to", "^FB"))
		}
	}
	return b.String()
}

func modifiers(r *rand.Rand) string {
	if r.IntN(3) > 0 {
		return ""
	}
	return pick(r, "200", "!200", "404,200", "!404,400", ">", "<", "<>", "!", "!!", "200,", ",", "5", "2000", "!206,304")
}

func TestFormatsRefusedAsApacheRefusesThem(t *testing.T) {
	found := apache2.Need(t)
	rows := []string{"%y", "%-h", "% h", "%^xx", "%{x}^tq", "%", "abc%", "%{Name", "%{Name}", "%>%", "%200%", "%^t", "%^", "%E", "a%!"}
	for _, row := range rows {
		t.Run(row, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "dougu-apache-")
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
			conf := filepath.Join(dir, "conf")
			require.NoError(t, os.Mkdir(filepath.Join(dir, "www"), 0o755))
			require.NoError(t, os.WriteFile(conf, []byte(config(dir, "127.0.0.1:1", []string{row})), 0o644))
			r := oracle.Run(t, oracle.Cmd{Path: found.Path, Args: []string{"-t", "-f", conf}})
			require.NotZero(t, r.ExitCode)
			_, err = logfmt.Parse(row)
			var wrong *logfmt.SyntaxError
			require.ErrorAs(t, err, &wrong)
			require.Contains(t, string(r.Stderr), wrong.Msg)
		})
	}
	oracle.Compared(t, found, len(rows))
}

func TestClockEqualsApache(t *testing.T) {
	found := apache2.Need(t)
	// One request, two formats with the same instant: its microseconds, and all of strftime.
	all := `%{c|D|F|G|g|h|I|j|k|l|m|n|p|P|r|R|T|t|u|U|V|w|W|x|X|y|Y|Z|z|C|B|A|a|b|d|e|H|M|S|s|%}t`
	strftime := "%{" + strings.ReplaceAll("%"+strings.Trim(all, "%{}t"), "|", "|%") + "|%Od|%EY|%q|%+}t"
	formats := []string{"%{usec}t", "%t", strftime, "%{sec}t|%{msec}t|%{msec_frac}t|%{usec_frac}t|%{begin:%H%M}t|%{begin}t|%{SEC}t|%{x%}t"}
	var logged []string
	for _, f := range formats {
		logged = append(logged, "%{X-Id}i "+f+"\x02")
	}
	a := startApache(t, logged)
	exchange(t, a.addr, identified(0, awkward[0]))
	usec, err := strconv.ParseInt(a.lines(t, 0, 1)["0"], 10, 64)
	require.NoError(t, err)
	for i, f := range formats {
		format, err := logfmt.Parse(f)
		require.NoError(t, err)
		ours := format.Append(nil, &logfmt.Entry{Start: time.UnixMicro(usec).UTC()})
		require.Equal(t, a.lines(t, i, 1)["0"], string(ours), "%s", f)
	}
	oracle.Compared(t, found, len(formats))
}
