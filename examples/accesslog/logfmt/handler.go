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

// LineWriter takes finished lines. WriteLine must be safe for many goroutines, must
// not keep line after it returns, and adds the line end itself, if its medium has one.
type LineWriter interface {
	// WriteLine delivers one line, without a line end.
	WriteLine(line []byte) error
}

// Options are what Handler can't see for itself. The zero value, or nil, is usable.
type Options struct {
	// ServerName and ServerPort are the canonical ones, for %v and %p. Port 0 is 80.
	ServerName string
	ServerPort uint16
	// TrustedProxies are the networks whose X-Forwarded-For is believed, as by
	// mod_remoteip: the header is read from its right end, and the first address that
	// is not a trusted proxy is the client. Empty: the peer is the client.
	TrustedProxies []netip.Prefix
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Edit is called with each entry before it is printed: to name the user, to set
	// notes, to hide a query. A request that it changes must be a copy: r.Clone. The
	// entry must not be kept.
	Edit func(*Entry)
	// Skip reports whether a request gets no line at all, as env= does in CustomLog. The
	// entry must not be kept.
	Skip func(*Entry) bool
	// OnError is told of each line that the writer did not take, within the request.
	OnError func(error)
}

// Handler wraps next so that exactly one line goes to w for each request, when next
// returns, panics, or ends its goroutine. A panic goes on to net/http; its line has
// %X as X, and status 500 when no header had been sent. A connection that was hijacked
// before a status was written has 101 when an upgrade was asked for, and "-" otherwise.
//
// The http.ResponseWriter that next gets offers http.Flusher, http.Hijacker,
// io.ReaderFrom and http.Pusher exactly when the server's own does, and Unwrap for
// http.ResponseController. Responses of status 1xx but 101 are not final and are not
// logged.
//
// %k counts only when the server's ConnContext is [ConnContext].
func Handler(f *Format, w LineWriter, next http.Handler, opt *Options) http.Handler {
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

type handler struct {
	format *Format
	w      LineWriter
	next   http.Handler
	opt    Options
	drafts sync.Pool
}

// draft is an entry and the line that is made of it.
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

// log runs while a panic of the wrapped handler, if there is one, goes on.
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

// release keeps a draft for another request, without anything of this one.
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

// silent is the status of a response that never wrote one.
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

// client takes trusted proxies off the end of X-Forwarded-For.
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

// ConnContext is for http.Server's field of that name: with it %k knows how many
// requests a connection has carried.
func ConnContext(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, new(atomic.Int64))
}

// connection tells what becomes of the connection, by the rules of RFC 9112, 9.3.
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
