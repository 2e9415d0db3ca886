package sim

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Request is what the machine sends to a server.
type Request struct {
	// Method is GET or POST (or another that params --method names); for tftp and ftp it
	// is RRQ and RETR.
	Method string `json:"method,omitzero"`
	// URI is the whole URI: scheme, host, port, and the target exactly as iPXE puts it
	// on the wire.
	URI string `json:"uri,omitzero"`
	// Scheme, Host (with port, if written) and Target (path and query) are its parts.
	Scheme string `json:"scheme,omitzero"`
	Host   string `json:"host,omitzero"`
	Target string `json:"target,omitzero"`
	// Header holds the lines that iPXE sends, Host among them, in order.
	Header []Header `json:"header,omitzero"`
	// Body of a POST.
	Body []byte `json:"body,omitzero"`
}

// Header is one line of a request's header.
type Header struct {
	Name  string `json:"name,omitzero"`
	Value string `json:"value,omitzero"`
}

// Response is a server's answer.
type Response struct {
	// Status is the HTTP status; 0 means 200. tftp knows 200 and 404.
	Status int `json:"status,omitzero"`
	// Header may have Location, Retry-After and WWW-Authenticate; others have no effect.
	Header http.Header `json:"header,omitzero"`
	Body   []byte      `json:"body,omitzero"`
	// Took is how long the download takes on the virtual clock.
	Took time.Duration `json:"took,omitzero"`
}

// World is all that the machine can reach. A World that is used by several runs at once
// must allow that. An error of Fetch that wraps none of ErrNoHost, ErrReset and
// ErrTimeout ends the run.
type World interface {
	// Fetch answers one request. The request may be kept; it is not changed afterwards.
	Fetch(ctx context.Context, r *Request) (*Response, error)
}

// Resolver may be implemented by a World: nslookup asks it. ErrNoHost: no such name.
type Resolver interface {
	// LookupHost returns an address of a host.
	LookupHost(ctx context.Context, name string) (netip.Addr, error)
}

// TimeServer may be implemented by a World: ntp asks it.
type TimeServer interface {
	// Time returns what the server's clock shows.
	Time(ctx context.Context, server string) (time.Time, error)
}

// Errors by which a World says that a server can't be reached. iPXE prints them.
var (
	ErrNoHost  = errs.New("no such host")
	ErrReset   = errs.New("connection refused or reset")
	ErrTimeout = errs.New("no answer")
)

// MapWorld is a World of files: a body a URI. A URI with a query that is not in the map
// is looked for without it. What is missing is answered with 404.
type MapWorld map[string][]byte

// Fetch answers from the map.
func (m MapWorld) Fetch(_ context.Context, r *Request) (*Response, error) {
	b, ok := m[r.URI]
	if !ok {
		path, _, _ := strings.Cut(r.URI, "?")
		b, ok = m[path]
	}
	if !ok {
		return &Response{Status: http.StatusNotFound, Body: []byte("not found\n")}, nil
	}
	return &Response{Status: http.StatusOK, Body: b}, nil
}

// maxAnswer bounds the body that HandlerWorld keeps.
const maxAnswer = 256 << 20

type handlerWorld struct {
	h     http.Handler
	hosts []string
}

// HandlerWorld is a World in which h answers for the hosts (with port where one is
// written in URIs), and for all hosts when none is named. Other hosts can't be reached.
// Nothing goes over a network. A request that Go's server would refuse before the
// handler sees it, such as one with a broken escape in its path, is answered with 400.
func HandlerWorld(h http.Handler, hosts ...string) World { return handlerWorld{h, hosts} }

// Fetch calls the handler.
func (w handlerWorld) Fetch(ctx context.Context, r *Request) (*Response, error) {
	if len(w.hosts) > 0 && !contains(w.hosts, r.Host) {
		return nil, errs.Errorf("%s: %w", r.Host, ErrNoHost)
	}
	if r.Scheme != "http" && r.Scheme != "https" {
		return nil, errs.Errorf("%s: %w", r.URI, ErrTimeout)
	}
	u, err := url.ParseRequestURI(r.Target)
	if err != nil || strings.Contains(r.Target, " ") {
		return &Response{Status: http.StatusBadRequest, Body: []byte("400 Bad Request")}, nil
	}
	q := (&http.Request{
		Method: r.Method, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Host: r.Host, RequestURI: r.Target, Body: io.NopCloser(bytes.NewReader(r.Body)), ContentLength: int64(len(r.Body)),
		RemoteAddr: "192.0.2.1:1024",
	}).WithContext(ctx)
	for _, h := range r.Header {
		if h.Name != "Host" {
			q.Header.Add(h.Name, h.Value)
		}
	}
	rec := &recorder{header: http.Header{}}
	w.h.ServeHTTP(rec, q)
	if rec.over {
		return nil, errs.Errorf("%s: an answer of more than %d bytes", r.URI, maxAnswer)
	}
	rec.WriteHeader(http.StatusOK)
	return &Response{Status: rec.status, Header: rec.sent, Body: rec.body}, nil
}

// recorder is the ResponseWriter of HandlerWorld.
type recorder struct {
	header, sent http.Header
	status       int
	body         []byte
	over         bool
}

// Header returns the header to be sent.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader keeps the first status, and the header as it is then.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status, w.sent = status, w.header.Clone()
	}
}

// Write keeps the body.
func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if len(w.body)+len(p) > maxAnswer {
		w.over = true
		return 0, errs.Errorf("an answer of more than %d bytes", maxAnswer)
	}
	w.body = append(w.body, p...)
	return len(p), nil
}
