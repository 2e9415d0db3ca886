package logfmt_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/accesslog/logfmt"
)

// memory keeps lines.
type memory struct {
	mu    sync.Mutex
	lines []string
	err   error
}

func (m *memory) WriteLine(line []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lines = append(m.lines, string(line))
	return m.err
}

// serve answers one raw exchange with the handler and returns the lines logged.
func serve(t *testing.T, format string, opt *logfmt.Options, h http.HandlerFunc, talk func(addr string)) []string {
	t.Helper()
	f, err := logfmt.Parse(format)
	require.NoError(t, err)
	m := &memory{}
	logged := logfmt.Middleware(f, m, opt)(h)
	var running sync.WaitGroup // the server does not wait for hijacked and cancelled ones
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		running.Add(1)
		defer running.Done()
		logged.ServeHTTP(w, r)
	}))
	srv.Config.ConnContext = logfmt.ConnContext
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	talk(srv.Listener.Addr().String())
	srv.Close()
	running.Wait()
	return m.lines
}

func get(t *testing.T, requests ...string) func(string) {
	return func(addr string) {
		c, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		defer c.Close()
		_, err = io.WriteString(c, strings.Join(requests, ""))
		require.NoError(t, err)
		io.Copy(io.Discard, c)
	}
}

const (
	plain = "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
	keep  = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"
)

func TestHandlerWritesExactlyOneLine(t *testing.T) {
	rows := []struct {
		name    string
		request string
		handler http.HandlerFunc
		want    string
	}{
		{"nothing written", plain, func(http.ResponseWriter, *http.Request) {}, "200 - -"},
		{"body", plain, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }, "200 5 -"},
		{"status twice", plain, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); w.WriteHeader(500) }, "404 - -"},
		{"early hints", plain, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(201) }, "201 - -"},
		{"write after 204", plain, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204); io.WriteString(w, "no") }, "204 - -"},
		{"head", "HEAD" + plain[3:], func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }, "200 - -"},
		{"stream", plain, func(w http.ResponseWriter, _ *http.Request) {
			for range 3 {
				io.WriteString(w, "abc")
				w.(http.Flusher).Flush()
			}
		}, "200 9 -"},
		{"copy", plain, func(w http.ResponseWriter, _ *http.Request) {
			w.(io.ReaderFrom).ReadFrom(strings.NewReader("0123456789"))
		}, "200 10 -"},
		{"panic before", plain, func(http.ResponseWriter, *http.Request) { panic("boom") }, "500 - X"},
		{"panic after", plain, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202); panic(http.ErrAbortHandler) }, "202 - X"},
		{"hijacked", plain, func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				c.Close()
			}
		}, "- - -"},
		{"upgraded", "GET /x HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
				c.Close()
			}
		}, "101 - -"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			require.Equal(t, []string{row.want}, serve(t, "%s %b %X", nil, row.handler, get(t, row.request)))
		})
	}
}

func TestCancelledRequestIsMarked(t *testing.T) {
	entered := make(chan struct{})
	lines := serve(t, "%X", nil, func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}, func(addr string) {
		c, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		_, err = io.WriteString(c, keep)
		require.NoError(t, err)
		<-entered
		c.Close()
	})
	require.Equal(t, []string{"X"}, lines)
}

func TestKeepalivesCount(t *testing.T) {
	lines := serve(t, "%X%k", nil, func(http.ResponseWriter, *http.Request) {}, get(t, keep, keep, keep, plain))
	require.Equal(t, []string{"+0", "+1", "+2", "-2"}, lines)
}

func TestTrailers(t *testing.T) {
	lines := serve(t, "%{X-T}^ti %{X-R}^to", nil, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Trailer", "X-R")
		w.WriteHeader(200)
		w.Header().Set("X-R", "r")
	}, get(t, "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-T: v\r\n\r\n"))
	require.Equal(t, []string{"v r"}, lines)
}

// TestProxiesNameTheClient has the values that mod_remoteip of Apache 2.4.71 printed, with the
// peer in the list of internal or of trusted proxies.
func TestProxiesNameTheClient(t *testing.T) {
	f, err := logfmt.Parse("%a %h %{remote}p %{c}a|%{X-Forwarded-For}i")
	require.NoError(t, err)
	local := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	const peer = "127.0.0.1 127.0.0.1 1234 127.0.0.1|"
	is := func(client string) string { return client + " " + client + " 0 127.0.0.1|" }
	for _, row := range []struct{ header, internal, trusted string }{
		{"203.0.113.9", is("203.0.113.9") + "-", is("203.0.113.9") + "-"},
		{"198.51.100.7, 203.0.113.9", is("203.0.113.9") + "198.51.100.7", is("203.0.113.9") + "198.51.100.7"},
		{"203.0.113.9, 127.0.0.5", is("203.0.113.9") + "-", peer + "203.0.113.9, 127.0.0.5"},
		{"192.168.1.1, 127.0.0.9", is("192.168.1.1") + "-", peer + "192.168.1.1, 127.0.0.9"},
		{"169.254.1.1", is("169.254.1.1") + "-", peer + "169.254.1.1"},
		{"fc00::1", is("fc00::1") + "-", peer + "fc00::1"},
		{"::1", is("::1") + "-", peer + "::1"},
		{"100.64.0.1", is("100.64.0.1") + "-", is("100.64.0.1") + "-"},
		{"203.0.113.9:4711", peer + "203.0.113.9:4711", peer + "203.0.113.9:4711"},
		{"unknown", peer + "unknown", peer + "unknown"},
		{"", peer, peer},
	} {
		for proxies, want := range map[*logfmt.Proxies]string{{Internal: local}: row.internal, {Trusted: local}: row.trusted} {
			m := &memory{}
			h := logfmt.Middleware(f, m, &logfmt.Options{Proxies: proxies})(http.NotFoundHandler())
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = "127.0.0.1:1234"
			r.Header.Set("X-Forwarded-For", row.header)
			h.ServeHTTP(httptest.NewRecorder(), r)
			require.Equal(t, []string{want}, m.lines, "%q %+v", row.header, proxies)
		}
	}
}

func TestProxyOfAUnixSocket(t *testing.T) {
	f, err := logfmt.Parse("%a|%{X-Real-IP}i|%{X-Forwarded-For}i")
	require.NoError(t, err)
	networks, unix, err := logfmt.ParseProxies("10.0.0.0/8, unix,192.0.2.1")
	require.NoError(t, err)
	require.True(t, unix)
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32")}, networks)
	m := &memory{}
	opt := &logfmt.Options{Proxies: &logfmt.Proxies{Header: "x-real-ip", InternalUnix: unix, Internal: networks}}
	h := logfmt.Middleware(f, m, opt)(http.NotFoundHandler())
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "@"
	r.Header.Set("X-Real-IP", "203.0.113.4")
	r.Header.Set("X-Forwarded-For", "6.6.6.6")
	h.ServeHTTP(httptest.NewRecorder(), r)
	require.Equal(t, []string{"203.0.113.4|-|6.6.6.6"}, m.lines)
	_, _, err = logfmt.ParseProxies("10.0.0.0/8,nowhere")
	require.ErrorContains(t, err, `logfmt: parse proxies: "nowhere" is not`)
}

func TestOptionsEditSkipAndError(t *testing.T) {
	f, err := logfmt.Parse("%u %q")
	require.NoError(t, err)
	m := &memory{err: errors.New("disk full")}
	var seen error
	h := logfmt.Middleware(f, m, &logfmt.Options{
		Edit: func(e *logfmt.Entry) {
			e.User = "bob"
			r := e.Request.Clone(context.Background())
			r.URL.RawQuery = "hidden"
			e.Request = r
		},
		Skip:    func(e *logfmt.Entry) bool { return e.Request.URL.Path == "/health" },
		OnError: func(err error) { seen = err },
	})(http.NotFoundHandler())
	for _, path := range []string{"/health", "/x?token=1"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	require.Equal(t, []string{"bob ?hidden"}, m.lines)
	require.EqualError(t, seen, "disk full")
}

// The optional interfaces, one each, for writers that have any selection of them.
type (
	hasFlush  struct{}
	hasHijack struct{}
	hasRead   struct{}
	hasPush   struct{}
)

func (hasFlush) Flush()                                        {}
func (hasHijack) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, nil }
func (hasRead) ReadFrom(io.Reader) (int64, error)              { return 0, nil }
func (hasPush) Push(string, *http.PushOptions) error           { return nil }

func TestWriterOffersWhatTheServersDoes(t *testing.T) {
	type base = http.ResponseWriter
	b := base(httptest.NewRecorder())
	type only struct{ base }
	writers := []http.ResponseWriter{
		only{b},
		struct {
			base
			hasFlush
		}{b, hasFlush{}},
		struct {
			base
			hasHijack
			hasRead
		}{b, hasHijack{}, hasRead{}},
		struct {
			base
			hasFlush
			hasHijack
			hasRead
		}{b, hasFlush{}, hasHijack{}, hasRead{}},
		struct {
			base
			hasFlush
			hasPush
		}{b, hasFlush{}, hasPush{}},
		struct {
			base
			hasFlush
			hasHijack
			hasRead
			hasPush
		}{b, hasFlush{}, hasHijack{}, hasRead{}, hasPush{}},
	}
	offers := func(w http.ResponseWriter) string {
		_, f := w.(http.Flusher)
		_, h := w.(http.Hijacker)
		_, r := w.(io.ReaderFrom)
		_, p := w.(http.Pusher)
		return fmt.Sprintln(f, h, r, p)
	}
	f, err := logfmt.Parse("%s")
	require.NoError(t, err)
	for _, w := range writers {
		logfmt.Middleware(f, &memory{}, nil)(http.HandlerFunc(func(got http.ResponseWriter, _ *http.Request) {
			require.Equal(t, offers(w), offers(got))
			require.Equal(t, w, got.(interface{ Unwrap() http.ResponseWriter }).Unwrap())
		})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	}
}

func TestHandlerIsSafeForManyGoroutines(t *testing.T) {
	f, err := logfmt.Parse(logfmt.Combined)
	require.NoError(t, err)
	m := &memory{}
	h := logfmt.Middleware(f, m, nil)(http.NotFoundHandler())
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
			}
		})
	}
	wg.Wait()
	require.Len(t, m.lines, 400)
	for _, l := range m.lines {
		require.True(t, strings.HasPrefix(l, "192.0.2.1 - - ["), l)
	}
}
