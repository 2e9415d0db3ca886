package logfmt

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// recorder is a ResponseWriter that records the status and the size of the response.
type recorder struct {
	w        http.ResponseWriter
	status   int
	bytes    int64
	head     bool // the response to HEAD has no body
	hijacked bool
	failed   bool // a write to the client failed
}

// Header returns the header of the wrapped writer.
func (rec *recorder) Header() http.Header { return rec.w.Header() }

// Unwrap returns the wrapped writer, for http.ResponseController.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.w }

// WriteHeader records the first final status.
func (rec *recorder) WriteHeader(status int) {
	if rec.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		rec.status = status
	}
	rec.w.WriteHeader(status)
}

// Write counts the bytes that the wrapped writer accepts.
func (rec *recorder) Write(p []byte) (int, error) {
	rec.begin()
	n, err := rec.w.Write(p)
	rec.count(int64(n), err)
	return n, err
}

// WriteString counts the bytes that the wrapped writer accepts.
func (rec *recorder) WriteString(s string) (int, error) {
	rec.begin()
	n, err := io.WriteString(rec.w, s)
	rec.count(int64(n), err)
	return n, err
}

func (rec *recorder) begin() {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
}

func (rec *recorder) count(n int64, err error) {
	if !rec.head && rec.status != http.StatusNoContent && rec.status != http.StatusNotModified {
		rec.bytes += n
	}
	if err != nil && err != http.ErrBodyNotAllowed && err != http.ErrContentLength && err != http.ErrHijacked {
		rec.failed = true
	}
}

// Each of the types below adds one optional interface to a recorder.
type (
	flusher    struct{ rec *recorder }
	hijacker   struct{ rec *recorder }
	readerFrom struct{ rec *recorder }
	pusher     struct{ rec *recorder }
)

// Flush sends the header and buffered data.
func (f flusher) Flush() {
	f.rec.begin()
	f.rec.w.(http.Flusher).Flush()
}

// Hijack passes the connection to the caller.
func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := h.rec.w.(http.Hijacker).Hijack()
	if err == nil {
		h.rec.hijacked = true
	}
	return c, rw, err
}

// ReadFrom allows the server to copy a file with sendfile(2).
func (f readerFrom) ReadFrom(src io.Reader) (int64, error) {
	f.rec.begin()
	n, err := f.rec.w.(io.ReaderFrom).ReadFrom(src)
	f.rec.count(n, err)
	return n, err
}

// Push starts an HTTP/2 server push.
func (p pusher) Push(target string, opts *http.PushOptions) error {
	return p.rec.w.(http.Pusher).Push(target, opts)
}

// wrap returns a writer that has the same optional interfaces as the wrapped one.
func (rec *recorder) wrap() http.ResponseWriter {
	const (
		flush = 1 << iota
		hijack
		readFrom
		push
	)
	has := 0
	if _, ok := rec.w.(http.Flusher); ok {
		has |= flush
	}
	if _, ok := rec.w.(http.Hijacker); ok {
		has |= hijack
	}
	if _, ok := rec.w.(io.ReaderFrom); ok {
		has |= readFrom
	}
	if _, ok := rec.w.(http.Pusher); ok {
		has |= push
	}
	f, h, r, p := flusher{rec}, hijacker{rec}, readerFrom{rec}, pusher{rec}
	type base = *recorder
	switch has {
	case flush:
		return struct {
			base
			flusher
		}{rec, f}
	case hijack:
		return struct {
			base
			hijacker
		}{rec, h}
	case flush | hijack:
		return struct {
			base
			flusher
			hijacker
		}{rec, f, h}
	case readFrom:
		return struct {
			base
			readerFrom
		}{rec, r}
	case flush | readFrom:
		return struct {
			base
			flusher
			readerFrom
		}{rec, f, r}
	case hijack | readFrom:
		return struct {
			base
			hijacker
			readerFrom
		}{rec, h, r}
	case flush | hijack | readFrom:
		return struct {
			base
			flusher
			hijacker
			readerFrom
		}{rec, f, h, r}
	case push:
		return struct {
			base
			pusher
		}{rec, p}
	case flush | push:
		return struct {
			base
			flusher
			pusher
		}{rec, f, p}
	case hijack | push:
		return struct {
			base
			hijacker
			pusher
		}{rec, h, p}
	case flush | hijack | push:
		return struct {
			base
			flusher
			hijacker
			pusher
		}{rec, f, h, p}
	case readFrom | push:
		return struct {
			base
			readerFrom
			pusher
		}{rec, r, p}
	case flush | readFrom | push:
		return struct {
			base
			flusher
			readerFrom
			pusher
		}{rec, f, r, p}
	case hijack | readFrom | push:
		return struct {
			base
			hijacker
			readerFrom
			pusher
		}{rec, h, r, p}
	case flush | hijack | readFrom | push:
		return struct {
			base
			flusher
			hijacker
			readerFrom
			pusher
		}{rec, f, h, r, p}
	}
	return rec
}
