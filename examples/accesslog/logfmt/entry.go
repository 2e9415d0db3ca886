package logfmt

import (
	"net/http"
	"net/netip"
	"time"
)

// ConnState is what becomes of the connection after the response.
type ConnState uint8

// The states, as %X prints them.
const (
	// ConnUnknown prints as a closed connection.
	ConnUnknown ConnState = iota
	// ConnClose: the connection is closed after the response; "-".
	ConnClose
	// ConnKeepAlive: it may carry another request; "+".
	ConnKeepAlive
	// ConnAborted: it broke before the response was complete; "X".
	ConnAborted
)

// Entry is one finished request. Handler fills it, or the caller does; Append only
// reads it.
type Entry struct {
	// Request as the handler got it; nil prints "-" for what it would have told.
	Request *http.Request
	// Path, when not empty, is printed by %U instead of the request's decoded and
	// normalised path: what an application rewrote it to.
	Path string
	// ResponseHeader is the header that was sent.
	ResponseHeader http.Header
	// Trailer is the response's trailer; those of the request are in Request.Trailer.
	Trailer http.Header
	// Status is the final status code; 0 prints "-".
	Status int
	// Bytes of the body that were sent, without headers and chunk framing.
	Bytes int64
	// BytesIn and BytesOut count the bytes on the wire with headers, for %I, %O and
	// %S; net/http does not tell them, so that 0 means not known.
	BytesIn, BytesOut int64

	// Client is who asked, after trusted proxies were taken off; Peer is the other
	// end of the connection; Local is our end. Invalid ones print "-".
	Client, Peer, Local netip.AddrPort
	// User is the name that the application authenticated; "" prints "-".
	User string
	// ServerName is the canonical name of the server and ServerPort its canonical
	// port, for %v, %V and %p; 0 is 80.
	ServerName string
	ServerPort uint16
	// Handler names what answered, for %R; ErrorID is the id of an error line, for %L;
	// Filename is the file that was served, for %f.
	Handler, ErrorID, Filename string

	// Start and End of the request. Their difference is read from the monotonic clock
	// where both carry one.
	Start, End time.Time
	// Conn and Keepalives: how many responses on this connection, this one included,
	// left it open.
	Conn       ConnState
	Keepalives int
	// PID is printed by %P; 0 is the process's own.
	PID int

	// Note and Env answer %n and %e; a nil function, or false, prints "-".
	Note, Env func(name string) (value string, ok bool)
}
