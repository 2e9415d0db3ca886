package logfmt

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// LineWriter accepts finished lines. A sink.Sink implements it.
type LineWriter interface {
	// WriteLine delivers one line, which has no line end. It must be safe for concurrent use
	// by multiple goroutines and must not keep line after it returns.
	WriteLine(line []byte) error
}

// Options configures [Middleware]. A nil *Options is equivalent to the zero value.
type Options struct {
	// ServerName is the canonical name of the server, for %v and %V.
	ServerName string
	// ServerPort is the canonical port of the server, for %p. If zero, the default port of
	// the scheme is used: 443 for requests over TLS, else 80.
	ServerPort uint16
	// Proxies selects the proxies that can name the client in a header. If nil, the peer is
	// the client.
	Proxies *Proxies
	// Now returns the current time. If nil, time.Now is used.
	Now func() time.Time
	// Edit, if not nil, is called with each entry before it is printed. It can set the user
	// or notes, or replace the request by a changed copy (see [http.Request.Clone]). It must
	// not keep the entry.
	Edit func(*Entry)
	// Skip, if not nil, reports whether no line is written for a request, like env= in a
	// CustomLog directive. It must not keep the entry.
	Skip func(*Entry) bool
	// OnError, if not nil, is called with each error that the LineWriter returns. The request
	// does not complete until it returns.
	OnError func(error)
}

// Middleware returns a function that wraps an [http.Handler]. For each request, exactly one
// line in format f is written to w after the handler has returned, panicked, or ended its
// goroutine. A nil opt is equivalent to the zero value.
//
// A panic is passed on. Its line has "X" for %X, and status 500 if no header was sent. If a
// handler hijacks the connection before it writes a status, the status is 101 if the client
// requested an upgrade, and "-" otherwise. Responses with status 1xx are not final and are not
// logged, except 101.
//
// The [http.ResponseWriter] that the handler receives implements [http.Flusher],
// [http.Hijacker], [io.ReaderFrom] and [http.Pusher] if that of the server does. It has a
// method Unwrap for [http.ResponseController].
//
// %k requires that http.Server.ConnContext is [ConnContext].
//
// The directives %I, %O and %S require that the server was prepared with [Instrument].
func Middleware(f *Format, w LineWriter, opt *Options) func(http.Handler) http.Handler {
	return MiddlewareLogs([]Log{{f, w}}, opt)
}

// Log is a format with its destination.
type Log struct {
	Format *Format
	Writer LineWriter
}

// MiddlewareLogs is like [Middleware] and writes a line of each request to every log.
func MiddlewareLogs(logs []Log, opt *Options) func(http.Handler) http.Handler {
	logs = slices.Clone(logs)
	return func(next http.Handler) http.Handler {
		h := &handler{logs: logs, next: next}
		for _, l := range logs {
			h.wire = h.wire || l.Format.wire
		}
		if opt != nil {
			h.opt = *opt
		}
		if h.opt.Now == nil {
			h.opt.Now = time.Now
		}
		h.drafts.New = func() any { return new(draft) }
		return h
	}
}

type handler struct {
	logs   []Log
	wire   bool // a format prints the number of bytes on the connection
	next   http.Handler
	opt    Options
	drafts sync.Pool
}

// draft is an entry with its line.
type draft struct {
	entry Entry
	line  []byte
}

// ServeHTTP calls the wrapped handler and writes the line.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &recorder{w: w, head: r.Method == http.MethodHead}
	start := h.opt.Now()
	conn, _ := r.Context().Value(connKey{}).(*connection)
	if conn != nil && r.ProtoMajor == 1 {
		conn.enter()
		if conn.wire != nil {
			conn.wire.begin()
		}
	}
	returned := false
	defer func() { h.log(rec, r, conn, start, returned) }()
	h.next.ServeHTTP(rec.wrap(), r)
	returned = true
}

// log writes the line. It also runs if the wrapped handler panics.
func (h *handler) log(rec *recorder, r *http.Request, conn *connection, start time.Time, returned bool) {
	d := h.drafts.Get().(*draft)
	e := &d.entry
	h.fill(e, rec, r, conn, start, returned)
	if h.opt.Edit != nil {
		h.opt.Edit(e)
	}
	if h.opt.Skip != nil && h.opt.Skip(e) {
		h.release(d)
		return
	}
	if h.wire && conn != nil && conn.wire != nil && r.ProtoMajor == 1 {
		// The last bytes are sent after the handler has returned.
		conn.wire.later(r.ContentLength != 0, func(in, out int64) {
			if e.BytesIn == 0 && e.BytesOut == 0 {
				e.BytesIn, e.BytesOut = in, out
			}
			h.write(d)
		})
		if rec.hijacked {
			conn.wire.finish() // the connection is not the server's any more
		}
		return
	}
	h.write(d)
}

// write writes the line of an entry to each log.
func (h *handler) write(d *draft) {
	for _, l := range h.logs {
		d.line = l.Format.Append(d.line[:0], &d.entry)
		if err := l.Writer.WriteLine(d.line); err != nil && h.opt.OnError != nil {
			h.opt.OnError(err)
		}
	}
	h.release(d)
}

// release clears a draft and keeps it for another request.
func (h *handler) release(d *draft) {
	d.entry = Entry{}
	if cap(d.line) <= 1<<16 {
		h.drafts.Put(d)
	}
}

func (h *handler) fill(
	e *Entry, rec *recorder, r *http.Request, conn *connection, start time.Time, returned bool,
) {
	header := rec.w.Header()
	e.Request, e.ResponseHeader, e.Trailer = r, header, header
	e.Status, e.Bytes = rec.status, rec.bytes
	if e.Status == 0 {
		e.Status = h.silent(rec, r, returned)
	}
	e.ServerName, e.ServerPort, e.TLS = h.opt.ServerName, h.opt.ServerPort, r.TLS
	e.Start, e.End = start, h.opt.Now()
	e.Peer, _ = netip.ParseAddrPort(r.RemoteAddr)
	e.Client = e.Peer
	if h.opt.Proxies != nil {
		e.Client, e.Request = h.opt.Proxies.client(e.Peer, r)
	}
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		e.Local = addrPort(a)
	}
	e.Conn, e.Keepalives = rec.connection(r, conn, returned)
}

func addrPort(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort()
	}
	parsed, _ := netip.ParseAddrPort(a.String())
	return parsed
}

// silent returns the status of a response for which no status was written.
func (h *handler) silent(rec *recorder, r *http.Request, returned bool) int {
	switch {
	case rec.hijacked && r.Header.Get("Upgrade") != "":
		return http.StatusSwitchingProtocols
	case rec.hijacked:
		return 0
	case !returned:
		return http.StatusInternalServerError
	}
	return http.StatusOK
}

type connKey struct{}

// connection is the state of a connection in the context of its requests.
type connection struct {
	wire  *countingConn // nil if the bytes are not counted
	n     atomic.Int64  // requests after which the connection stayed open
	depth atomic.Int32  // middlewares of one HTTP/1 request that have not returned
}

// ConnContext counts the requests on a connection for %k. Assign it to the ConnContext field
// of [http.Server]. [Instrument] does that, too.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, &connection{wire: counting(c)})
}

// enter notes that a middleware has started to serve a request.
func (c *connection) enter() { c.depth.Add(1) }

// count returns the number of requests with the present one. If several middlewares log a
// request, it is counted by the last one that returns.
func (c *connection) count(r *http.Request, open bool) int {
	if c == nil {
		return 0
	}
	outermost := r.ProtoMajor != 1 || c.depth.Add(-1) == 0
	switch {
	case !open:
		return int(c.n.Load())
	case outermost:
		return int(c.n.Add(1))
	}
	return int(c.n.Load()) + 1
}

// connection returns the state of the connection after the response according to RFC 9112,
// section 9.3, and the number of requests that the connection has carried.
func (rec *recorder) connection(r *http.Request, conn *connection, returned bool) (ConnState, int) {
	state := ConnKeepAlive
	switch {
	case !returned || r.Context().Err() != nil || rec.failed:
		state = ConnAborted
	case rec.hijacked || r.Close || tokens(rec.w.Header()["Connection"], "close"):
		state = ConnClose
	case r.ProtoMajor == 1 && r.ProtoMinor == 0 && !tokens(r.Header["Connection"], "keep-alive"):
		state = ConnClose
	}
	return state, conn.count(r, state == ConnKeepAlive)
}

// tokens reports whether a list header names a token.
func tokens(list []string, token string) bool {
	for _, v := range list {
		for t := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.Trim(t, " \t"), token) {
				return true
			}
		}
	}
	return false
}
