package logfmt_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/accesslog/logfmt"
)

// received is a LineWriter that passes lines to a test.
type received chan string

func (c received) WriteLine(line []byte) error {
	c <- string(line)
	return nil
}

// wired starts a server that logs in the given formats, with counted connections.
func wired(t *testing.T, h http.Handler, formats ...string) (addr string, lines []received) {
	t.Helper()
	var logs []logfmt.Log
	for _, text := range formats {
		f, err := logfmt.Parse(text)
		require.NoError(t, err)
		require.Empty(t, f.Warnings())
		c := make(received, 100)
		lines = append(lines, c)
		logs = append(logs, logfmt.Log{Format: f, Writer: c})
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := &http.Server{Handler: logfmt.MiddlewareLogs(logs, nil)(h)}
	l = logfmt.Instrument(srv, l)
	var running sync.WaitGroup
	running.Go(func() { srv.Serve(l) })
	t.Cleanup(func() {
		srv.Close()
		running.Wait()
	})
	return l.Addr().String(), lines
}

// TestBytesOnTheConnectionAreThoseOfTheClient compares %I and %O with the bytes that a client
// sends and receives, for several requests on one connection.
func TestBytesOnTheConnectionAreThoseOfTheClient(t *testing.T) {
	addr, lines := wired(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/large":
			io.WriteString(w, strings.Repeat("x", 100_000))
		case "/missing":
			http.NotFound(w, r)
		default:
			fmt.Fprintf(w, "%d bytes", len(body))
		}
	}), "%I %O %S %k", "%k")
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
	requests := []string{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /large HTTP/1.1\r\nHost: h\r\nX-Header: " + strings.Repeat("v", 500) + "\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabcdef",
		"HEAD /large HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /missing HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	}
	for i, request := range requests {
		_, err := io.WriteString(c, request)
		require.NoError(t, err)
		sent, got := len(request), 0
		want := <-lines[0]
		// All of the response has been sent when the line is written.
		buf := make([]byte, 1<<20)
		var out int
		_, err = fmt.Sscan(strings.Fields(want)[1], &out)
		require.NoError(t, err)
		for got < out {
			n, err := c.Read(buf)
			require.NoError(t, err)
			got += n
		}
		require.Equal(t, out, got)
		require.Equal(t, fmt.Sprintf("%d %d %d %d", sent, got, sent+got, min(i, 4)), want, "request %d", i)
		require.Equal(t, fmt.Sprint(min(i, 4)), <-lines[1], "a second log counts the request once")
	}
	n, err := c.Read(make([]byte, 1))
	require.Zero(t, n)
	require.ErrorIs(t, err, io.EOF, "nothing was sent that has not been counted")
}

func TestLineOfAnAbortedResponseIsWritten(t *testing.T) {
	addr, lines := wired(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), "%X %I %O")
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer c.Close()
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	require.Equal(t, "X 27 -", <-lines[0])
}

// TestTLSVariables has the values that Apache 2.4.71 with mod_ssl printed for the same
// connections.
func TestTLSVariables(t *testing.T) {
	const format = "%{SSL_PROTOCOL}x %{SSL_CIPHER}x %{SSL_TLS_SNI}x %{SSL_CLIENT_VERIFY}x %{SSL_CLIENT_S_DN}x %{HTTPS}x " +
		"%{ssl_protocol}x %{SSL_CIPHER_USEKEYSIZE}x %{SSL_SESSION_RESUMED}x %{version}c %{cipher}c %{subjectdn}c %p"
	f, err := logfmt.Parse(format)
	require.NoError(t, err)
	require.Len(t, f.Warnings(), 1, "subjectdn")
	for _, row := range []struct {
		name  string
		state *tls.ConnectionState
		want  string
	}{
		{
			"TLS 1.3", &tls.ConnectionState{Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_256_GCM_SHA384, ServerName: "oracle.example"},
			"TLSv1.3 TLS_AES_256_GCM_SHA384 oracle.example NONE - on TLSv1.3 256 Initial TLSv1.3 TLS_AES_256_GCM_SHA384 - 443",
		},
		{
			"TLS 1.2", &tls.ConnectionState{
				Version: tls.VersionTLS12, CipherSuite: tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, ServerName: "oracle.example",
			},
			"TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384 oracle.example NONE - on TLSv1.2 256 Initial TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384 - 443",
		},
		{"none", nil, "- - - - - off - - - - - - 80"},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := &memory{}
			r := httptest.NewRequest("GET", "/", nil)
			r.TLS = row.state
			logfmt.Middleware(f, m, nil)(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
			require.Equal(t, []string{row.want}, m.lines)
		})
	}
}

// TestCiphersHaveTheNamesOfOpenSSL has names of openssl ciphers -stdname (OpenSSL 3.0).
func TestCiphersHaveTheNamesOfOpenSSL(t *testing.T) {
	f, err := logfmt.Parse("%{SSL_CIPHER}x")
	require.NoError(t, err)
	for suite, want := range map[uint16]string{
		tls.TLS_AES_128_GCM_SHA256:                        "TLS_AES_128_GCM_SHA256",
		tls.TLS_CHACHA20_POLY1305_SHA256:                  "TLS_CHACHA20_POLY1305_SHA256",
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:       "ECDHE-ECDSA-AES128-GCM-SHA256",
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256:   "ECDHE-RSA-CHACHA20-POLY1305",
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
		tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA:            "ECDHE-RSA-AES128-SHA",
		tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256:         "ECDHE-RSA-AES128-SHA256",
		tls.TLS_RSA_WITH_AES_256_CBC_SHA:                  "AES256-SHA",
		tls.TLS_RSA_WITH_AES_128_GCM_SHA256:               "AES128-GCM-SHA256",
		tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA:                 "DES-CBC3-SHA",
		tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA:           "ECDHE-RSA-DES-CBC3-SHA",
	} {
		line := f.Append(nil, &logfmt.Entry{TLS: &tls.ConnectionState{CipherSuite: suite}})
		require.Equal(t, want, string(line))
	}
}

// TestHeadersOfTheResponse has the values that Apache 2.4.71 printed.
func TestHeadersOfTheResponse(t *testing.T) {
	f, err := logfmt.Parse("%{content-type}o|%{Set-Cookie}o|%{X-Two}o|%{X-Media}o|%{Content-Type}i")
	require.NoError(t, err)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Content-Type", "text/plain; charset=x")
	line := f.Append(nil, &logfmt.Entry{Request: r, ResponseHeader: http.Header{
		"Content-Type": {"text/html ; charset=utf-8"}, "Set-Cookie": {"a=1", "b=2"},
		"X-Two": {"first", "second"}, "X-Media": {"text/html; q=1"},
	}})
	require.Equal(t, "text/html|a=1, b=2|first|text/html; q=1|text/plain; charset=x", string(line))
}

func TestPastedTextAndJSONGetWarnings(t *testing.T) {
	for _, row := range []struct {
		format string
		want   []string
	}{
		{logfmt.Combined, nil},
		{`%{Referer}i -> %U`, nil},
		{`[%t] %h {%{Host}i} %D`, nil},
		{`combined: %h %b`, nil},
		{`LogFormat "%h %l" common`, []string{"LogFormat"}},
		{`combined`, []string{"combined"}},
		{`"%h %l"`, []string{`"`}},
		{"%h \\\n%u", []string{`\`}},
		{`{\"bytes\":%b,\"ua\":\"%{User-Agent}i\"}`, []string{"%b", "%{User-Agent}i"}},
		{`{\"ip\":\"%a\",\"bytes\":%B,\"us\":%D,\"status\":%>s}`, nil},
		{`{\"user\":\"%u\",\"size\":%O,\"t\":%{sec}t}`, []string{"%u", "%O"}},
	} {
		f, err := logfmt.Parse(row.format)
		require.NoError(t, err)
		var got []string
		for _, w := range f.Warnings() {
			got = append(got, w.Directive)
		}
		require.Equal(t, row.want, got, row.format)
	}
}

func TestCustomLogLines(t *testing.T) {
	for _, row := range []struct{ line, target, format string }{
		{`logs/access.log combined`, "logs/access.log", logfmt.Combined},
		{`CustomLog "logs/my access.log" "%h \"%r\""`, "logs/my access.log", `%h \"%r\"`},
		{`- "%h"`, "-", "%h"},
		{"syslog:app \\\n  vhost_combined", "syslog:app", logfmt.VHostCombined},
		{`"|/bin/prog \"a b\"" common`, `|/bin/prog "a b"`, logfmt.Common},
	} {
		c, err := logfmt.ParseCustomLog(row.line)
		require.NoError(t, err, row.line)
		require.Equal(t, row.target, c.Target)
		require.Equal(t, row.format, c.Format.String())
	}
	for line, want := range map[string]string{
		"x":               "1 arguments, want a target and a format",
		"x nickname":      `unknown nickname "nickname"`,
		`x "%h`:           "missing \" at the end",
		`x "%y"`:          "column 2",
		"x common env=!y": "3 arguments",
	} {
		_, err := logfmt.ParseCustomLog(line)
		require.ErrorContains(t, err, want)
		require.True(t, strings.HasPrefix(err.Error(), "logfmt: "), err)
	}
}
