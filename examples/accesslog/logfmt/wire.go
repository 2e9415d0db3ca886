package logfmt

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// Instrument prepares a server for %I, %O, %S and %k. It returns a listener that counts the
// bytes on each connection, and sets the ConnContext and ConnState hooks of srv; hooks that are
// already set are still called. Call it before the server is started, and serve the listener
// that it returns:
//
//	l = logfmt.Instrument(srv, l)
//	err := srv.Serve(l) // or srv.ServeTLS(l, cert, key)
//
// With TLS, the encrypted bytes are counted, with those of the handshake, like mod_logio. If a
// format of a [Middleware] prints %O or %S, the line of an HTTP/1 request is written after the
// last byte of the response has been sent, and not before the handler returns. Requests that
// a client sends before it has the response to the one before (pipelining) are counted together
// as received bytes. HTTP/2 carries several requests at the same time on a connection: the
// numbers print as "-" there.
func Instrument(srv *http.Server, l net.Listener) net.Listener {
	connContext, connState := srv.ConnContext, srv.ConnState
	srv.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if connContext != nil {
			ctx = connContext(ctx, c)
		}
		return ConnContext(ctx, c)
	}
	srv.ConnState = func(c net.Conn, s http.ConnState) {
		if w := counting(c); w != nil && (s == http.StateIdle || s == http.StateClosed || s == http.StateHijacked) {
			w.finish()
		}
		if connState != nil {
			connState(c, s)
		}
	}
	return countingListener{l}
}

type countingListener struct{ net.Listener }

// Accept returns a connection that counts its bytes.
func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &countingConn{Conn: c}, nil
}

// countingConn counts the bytes of a connection and keeps the lines that wait for them.
type countingConn struct {
	net.Conn

	mu      sync.Mutex
	in, out int64 // all bytes so far
	// inMark and outMark are the bytes of the requests that have a line.
	inMark, outMark int64
	start           int64 // in at the start of the handler
	pending         []pendingLine
}

// pendingLine is a line that waits for the end of its response.
type pendingLine struct {
	end int64 // the last byte of the request, or 0 if it is the last one received
	log func(in, out int64)
}

// Read counts the bytes that were received.
func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	c.in += int64(n)
	c.mu.Unlock()
	return n, err
}

// Write counts the bytes that were sent.
func (c *countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.mu.Lock()
	c.out += int64(n)
	c.mu.Unlock()
	return n, err
}

// begin notes the number of bytes at the start of a handler.
func (c *countingConn) begin() {
	c.mu.Lock()
	c.start = c.in
	c.mu.Unlock()
}

// later calls log with the numbers of bytes of the request when its response has been sent. A
// server reads one byte ahead, so that bytes after the start of the handler belong to the
// request only if it has a body.
func (c *countingConn) later(body bool, log func(in, out int64)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := pendingLine{log: log}
	if !body {
		p.end = c.start
	}
	c.pending = append(c.pending, p)
}

// finish calls the waiting functions.
func (c *countingConn) finish() {
	c.mu.Lock()
	list, in, out := c.pending, c.in, c.out
	inMark, outMark := c.inMark, c.outMark
	c.pending = nil
	for _, p := range list {
		c.outMark = out
		c.inMark = max(c.inMark, p.end)
		if p.end == 0 {
			c.inMark = in
		}
	}
	c.mu.Unlock()
	for _, p := range list {
		if p.end > 0 {
			in = p.end
		}
		p.log(in-inMark, out-outMark)
	}
}

// counting returns the counting connection below c, or nil.
func counting(c net.Conn) *countingConn {
	for {
		switch x := c.(type) {
		case *countingConn:
			return x
		case interface{ NetConn() net.Conn }: // *tls.Conn
			c = x.NetConn()
		default:
			return nil
		}
	}
}
