package logfmt_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/accesslog/logfmt"
	"dougu.internal/internal/fill"
	"dougu.internal/internal/oracle"
)

// TestEntriesPrintTheSameLineAfterJSON has requests with bytes that are not UTF-8.
func TestEntriesPrintTheSameLineAfterJSON(t *testing.T) {
	format, err := logfmt.Parse(
		`%a %h %A %B %b %{c}C %f %H %{Host}i %{X}i %{User-Agent}i %I %k %L %m %{X}o %O %p %{local}p %P %q %r %R %s %t %{usec}t %D %u %U %v %V %X %{X}^ti %{X}^to`,
	)
	require.NoError(t, err)
	r := oracle.Rand(t)
	for range oracle.N(300, 30000) {
		var e logfmt.Entry
		fill.Value(r, &e.Path)
		fill.Value(r, &e.ResponseHeader)
		fill.Value(r, &e.Trailer)
		fill.Value(r, &e.Status)
		fill.Value(r, &e.Bytes)
		fill.Value(r, &e.BytesIn)
		fill.Value(r, &e.BytesOut)
		fill.Value(r, &e.Client)
		fill.Value(r, &e.Peer)
		fill.Value(r, &e.Local)
		fill.Value(r, &e.User)
		fill.Value(r, &e.ServerName)
		fill.Value(r, &e.ServerPort)
		fill.Value(r, &e.Handler)
		fill.Value(r, &e.ErrorID)
		fill.Value(r, &e.Filename)
		fill.Value(r, &e.Start)
		fill.Value(r, &e.End)
		fill.Value(r, &e.Conn)
		fill.Value(r, &e.Keepalives)
		fill.Value(r, &e.PID)
		if r.IntN(4) > 0 {
			e.Request = &http.Request{URL: &url.URL{}, Header: http.Header{}}
			fill.Value(r, &e.Request.Method)
			fill.Value(r, &e.Request.RequestURI)
			fill.Value(r, &e.Request.Host)
			fill.Value(r, &e.Request.RemoteAddr)
			fill.Value(r, &e.Request.TransferEncoding)
			fill.Value(r, &e.Request.URL.Host)
			fill.Value(r, &e.Request.URL.Path)
			fill.Value(r, &e.Request.URL.RawQuery)
			fill.Value(r, &e.Request.URL.ForceQuery)
			fill.Value(r, &e.Request.Trailer)
			e.Request.Proto, e.Request.ProtoMajor, e.Request.ProtoMinor = "HTTP/1.1", 1, 1
			for _, name := range []string{"X", "User-Agent", "Cookie"} {
				var v []string
				fill.Value(r, &v)
				e.Request.Header[name] = v
			}
		}
		b, err := json.Marshal(e)
		require.NoError(t, err)
		var back logfmt.Entry
		require.NoError(t, json.Unmarshal(b, &back), "%s", b)
		require.Equal(t, string(format.Append(nil, &e)), string(format.Append(nil, &back)), "%s", b)
		again, err := json.Marshal(&back)
		require.NoError(t, err)
		require.Equal(t, string(b), string(again))
		e.Request, back.Request = nil, nil
		require.Equal(t, e, back)
	}
	b, err := json.Marshal(logfmt.Entry{Conn: logfmt.ConnKeepAlive})
	require.NoError(t, err)
	require.Equal(t, `{"conn":"keep-alive"}`, string(b))
}

func TestResultsSurviveJSON(t *testing.T) {
	r := oracle.Rand(t)
	for range 100 {
		for _, p := range []any{new(logfmt.Warning), new(logfmt.SyntaxError)} {
			fill.Value(r, p)
			b, err := json.Marshal(p)
			require.NoError(t, err)
			back := reflect.New(reflect.TypeOf(p).Elem()).Interface()
			require.NoError(t, json.Unmarshal(b, back))
			require.Equal(t, p, back)
		}
	}
	err := json.Unmarshal([]byte(`{"status":"x"}`), new(logfmt.Entry))
	require.Error(t, err)
	require.True(t, strings.HasPrefix(err.Error(), "logfmt: "), "%v", err)
	require.True(t, bytes.HasPrefix([]byte((&logfmt.SyntaxError{}).Error()), []byte("logfmt: ")))
}

func TestConnStatesHaveText(t *testing.T) {
	for want, s := range map[string]logfmt.ConnState{
		"unknown": logfmt.ConnUnknown, "close": logfmt.ConnClose, "keep-alive": logfmt.ConnKeepAlive, "aborted": logfmt.ConnAborted,
	} {
		text, err := s.MarshalText()
		require.NoError(t, err)
		require.Equal(t, want, string(text))
		require.Equal(t, want, s.String())
		back := logfmt.ConnState(9)
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, s, back)
	}
	_, err := logfmt.ConnState(9).MarshalText()
	require.ErrorContains(t, err, "logfmt: ")
	require.ErrorContains(t, new(logfmt.ConnState).UnmarshalText([]byte("X")), "logfmt: ")
}

// TestMiddlewareIsReusable wraps two handlers by one middleware.
func TestMiddlewareIsReusable(t *testing.T) {
	f, err := logfmt.Parse("%U")
	require.NoError(t, err)
	m := &memory{}
	wrap := logfmt.Middleware(f, m, nil)
	for _, path := range []string{"/a", "/b"} {
		r, err := http.NewRequest(http.MethodGet, path, nil)
		require.NoError(t, err)
		wrap(http.NotFoundHandler()).ServeHTTP(discard{}, r)
	}
	require.Equal(t, []string{"/a", "/b"}, m.lines)
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}
