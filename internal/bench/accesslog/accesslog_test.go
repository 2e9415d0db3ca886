// Package accesslog_test runs access-log formatters and senders on the same requests.
//
// What the peers do less: gorilla/handlers escapes quotes and control bytes, but not as
// Apache does, and prints "" for a missing header; lestrrat-go/apache-logformat escapes
// nothing, so that a request can forge fields. Neither delivers anything.
package accesslog_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/gorilla/handlers"
	lestrrat "github.com/lestrrat-go/apache-logformat/v2"

	"dougu.internal/examples/accesslog/logfmt"
	"dougu.internal/examples/accesslog/relp"
)

func request() *http.Request {
	r := httptest.NewRequest("GET", "/index.html?a=b", nil)
	r.RemoteAddr = "203.0.113.9:4711"
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
	r.Header.Set("Referer", "http://www.example.com/start.html")
	return r
}

// answer is a ResponseWriter that keeps nothing.
type answer struct{ header http.Header }

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) Write(b []byte) (int, error) { return len(b), nil }
func (a *answer) WriteHeader(int)             {}

var hello = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello\n") })

type discard struct{}

func (discard) WriteLine([]byte) error { return nil }

// BenchmarkCombinedHandler is one request through the whole middleware of each, into
// nothing; the bare handler is the floor.
func BenchmarkCombinedHandler(b *testing.B) {
	format, err := logfmt.Parse(logfmt.Combined)
	if err != nil {
		b.Fatal(err)
	}
	for _, row := range []struct {
		name string
		h    http.Handler
	}{
		{"dougu", logfmt.Middleware(format, discard{}, nil)(hello)},
		{"gorilla", handlers.CombinedLoggingHandler(io.Discard, hello)},
		{"lestrrat", lestrrat.CombinedLog.Wrap(hello, io.Discard)},
		{"bare", hello},
	} {
		b.Run(row.name, func(b *testing.B) {
			r, w := request(), &answer{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				row.h.ServeHTTP(w, r)
			}
		})
	}
	b.Log("peer gorilla/handlers v1.5.2: two fixed formats; other escapes than Apache's")
	b.Log("peer lestrrat-go/apache-logformat v2.0.6: no escaping")
}

// BenchmarkCombinedLine is the line alone, without a middleware; only ours offers it.
func BenchmarkCombinedLine(b *testing.B) {
	format, err := logfmt.Parse(logfmt.Combined)
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	e := &logfmt.Entry{Request: request(), Status: 200, Bytes: 6, Client: netip.MustParseAddrPort("203.0.113.9:4711"), Start: now, End: now}
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		line = format.Append(line[:0], e)
	}
	b.SetBytes(int64(len(line)))
}

// BenchmarkRELP sends messages of 180 bytes to a server in this process that answers
// each. The peer is a plain loop with the same window of 128: it frames, writes and
// counts answers, and neither bounds nor times anything. No RELP sender in Go was found.
func BenchmarkRELP(b *testing.B) {
	msg := bytes.Repeat([]byte("x"), 180)
	b.Run("dougu", func(b *testing.B) {
		c, err := relp.Dial(b.Context(), "tcp", answering(b), relp.Config{})
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		b.ReportAllocs()
		b.SetBytes(int64(len(msg)))
		for b.Loop() {
			if err := c.Send(context.Background(), msg, func(error) {}); err != nil {
				b.Fatal(err)
			}
		}
		if err := c.Wait(b.Context()); err != nil {
			b.Fatal(err)
		}
	})
	b.Run("loop", func(b *testing.B) {
		conn, err := net.Dial("tcp", answering(b))
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		r, w := bufio.NewReader(conn), bufio.NewWriterSize(conn, 64<<10)
		io.WriteString(w, "1 open 30 relp_version=0\ncommands=syslog\n\n")
		w.Flush()
		for range 3 {
			r.ReadSlice('\n')
		}
		frame := append([]byte("2 syslog 180 "), append(msg, '\n')...)
		b.SetBytes(int64(len(msg)))
		waiting := 0
		for b.Loop() {
			w.Write(frame)
			if waiting++; waiting == 128 {
				w.Flush()
				for waiting > 64 {
					if _, err := r.ReadSlice('\n'); err != nil {
						b.Fatal(err)
					}
					waiting--
				}
			}
		}
	})
}

// answering is a server that says 200 to each line after the three of the offer.
func answering(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, "1 rsp 37 200 OK\nrelp_version=0\ncommands=syslog\n")
		r, w := bufio.NewReader(conn), bufio.NewWriter(conn)
		for i := 0; ; i++ {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if i < 3 {
				continue
			}
			txnr, _, _ := bytes.Cut(line, []byte(" "))
			w.Write(txnr)
			w.WriteString(" rsp 6 200 OK\n")
			if r.Buffered() == 0 {
				w.Flush()
			}
		}
	}()
	return l.Addr().String()
}
