package logfmt

import (
	"context"
	"net"
	"net/http"
	"net/netip"
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
	// ServerPort is the canonical port of the server, for %p. If zero, 80 is used.
	ServerPort uint16
	// TrustedProxies lists the networks whose X-Forwarded-For header is used, like
	// mod_remoteip: the header is read from its right end, and the first address that is not
	// in the list is the client. If empty, the peer is the client.
	TrustedProxies []netip.Prefix
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
func Middleware(f *Format, w LineWriter, opt *Options) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		h := &handler{format: f, w: w, next: next}
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
	format *Format
	w      LineWriter
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
	returned := false
	defer func() { h.log(rec, r, start, returned) }()
	h.next.ServeHTTP(rec.wrap(), r)
	returned = true
}

// log writes the line. It also runs if the wrapped handler panics.
func (h *handler) log(rec *recorder, r *http.Request, start time.Time, returned bool) {
	d := h.drafts.Get().(*draft)
	defer h.release(d)
	e := &d.entry
	h.fill(e, rec, r, start, returned)
	if h.opt.Edit != nil {
		h.opt.Edit(e)
	}
	if h.opt.Skip != nil && h.opt.Skip(e) {
		return
	}
	d.line = h.format.Append(d.line[:0], e)
	if err := h.w.WriteLine(d.line); err != nil && h.opt.OnError != nil {
		h.opt.OnError(err)
	}
}

// release clears a draft and keeps it for another request.
func (h *handler) release(d *draft) {
	d.entry = Entry{}
	if cap(d.line) <= 1<<16 {
		h.drafts.Put(d)
	}
}

func (h *handler) fill(e *Entry, rec *recorder, r *http.Request, start time.Time, returned bool) {
	header := rec.w.Header()
	e.Request, e.ResponseHeader, e.Trailer = r, header, header
	e.Status, e.Bytes = rec.status, rec.bytes
	if e.Status == 0 {
		e.Status = h.silent(rec, r, returned)
	}
	e.ServerName, e.ServerPort = h.opt.ServerName, h.opt.ServerPort
	e.Start, e.End = start, h.opt.Now()
	e.Peer, _ = netip.ParseAddrPort(r.RemoteAddr)
	e.Client = h.client(e.Peer, r.Header)
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		e.Local = addrPort(a)
	}
	e.Conn, e.Keepalives = rec.connection(r, returned)
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

// client returns the address of the client, which is in a header if the peer is a trusted proxy.
func (h *handler) client(peer netip.AddrPort, header http.Header) netip.AddrPort {
	client := peer
	if len(h.opt.TrustedProxies) == 0 {
		return client
	}
	list := header["X-Forwarded-For"]
	for i := len(list) - 1; i >= 0; i-- {
		rest := list[i]
		for rest != "" {
			if !h.trusted(client.Addr()) {
				return client
			}
			var last string
			if at := strings.LastIndexByte(rest, ','); at >= 0 {
				rest, last = rest[:at], rest[at+1:]
			} else {
				rest, last = "", rest
			}
			addr, err := netip.ParseAddr(strings.Trim(last, " \t"))
			if err != nil {
				return client
			}
			client = netip.AddrPortFrom(addr, peer.Port())
		}
	}
	return client
}

func (h *handler) trusted(a netip.Addr) bool {
	a = a.Unmap()
	for _, p := range h.opt.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

type connKey struct{}

// ConnContext counts the requests on a connection for %k. Assign it to the ConnContext field
// of [http.Server].
func ConnContext(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, new(atomic.Int64))
}

// connection returns the state of the connection after the response according to RFC 9112,
// section 9.3, and the number of requests that the connection has carried.
func (rec *recorder) connection(r *http.Request, returned bool) (ConnState, int) {
	n, _ := r.Context().Value(connKey{}).(*atomic.Int64)
	count := func(more int64) int {
		if n == nil {
			return 0
		}
		return int(n.Add(more))
	}
	switch {
	case !returned || r.Context().Err() != nil || rec.failed:
		return ConnAborted, count(0)
	case rec.hijacked || r.Close || tokens(rec.w.Header()["Connection"], "close"):
		return ConnClose, count(0)
	case r.ProtoMajor == 1 && r.ProtoMinor == 0 && !tokens(r.Header["Connection"], "keep-alive"):
		return ConnClose, count(0)
	}
	return ConnKeepAlive, count(1)
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
