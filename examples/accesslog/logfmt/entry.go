package logfmt

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"dougu.internal/internal/enum"
	"dougu.internal/internal/jsontext"
)

// ConnState is the state of the connection after the response.
type ConnState uint8

// The states of a connection, which %X prints.
const (
	// ConnUnknown means that the state is not known. It prints as "-".
	ConnUnknown ConnState = iota
	// ConnClose means that the connection is closed after the response. It prints as "-".
	ConnClose
	// ConnKeepAlive means that the connection can carry another request. It prints as "+".
	ConnKeepAlive
	// ConnAborted means that the connection broke before the response was complete. It prints
	// as "X".
	ConnAborted
)

var connStates = enum.Names[ConnState]{
	Type: "logfmt: connection state",
	Words: map[ConnState]string{
		ConnUnknown: "unknown", ConnClose: "close", ConnKeepAlive: "keep-alive", ConnAborted: "aborted",
	},
}

// String returns the name of the state: unknown, close, keep-alive or aborted.
func (s ConnState) String() string { return connStates.String(s) }

// MarshalText returns the name of the state. It fails if s is not a valid state.
func (s ConnState) MarshalText() ([]byte, error) { return connStates.Text(s) }

// UnmarshalText reads the name of a state.
func (s *ConnState) UnmarshalText(text []byte) error { return connStates.Parse(text, s) }

// Entry describes one finished request. [Middleware] fills it in; other callers of
// [Format.Append] do it themselves.
//
// In JSON, Request has the parts of the request that formats print. An entry that was encoded
// and decoded prints the same line, except for %{...}n, %{...}e, %{...}x and %{...}c: Note, Env and
// TLS are not encoded.
type Entry struct {
	// Request is the request that the handler received. If nil, its parts print as "-".
	Request *http.Request `json:"-"`
	// Path, if not empty, replaces the path of the request for %U. An application that
	// rewrites paths sets it.
	Path string `json:"path,omitzero"`
	// ResponseHeader is the header of the response.
	ResponseHeader http.Header `json:"responseHeader,omitzero"`
	// Trailer is the trailer of the response. That of the request is Request.Trailer.
	Trailer http.Header `json:"trailer,omitzero"`
	// Status is the final status code. Zero prints as "-".
	Status int `json:"status,omitzero"`
	// Bytes is the number of bytes of the response body that were sent, without headers and
	// chunk framing.
	Bytes int64 `json:"bytes,omitzero"`
	// BytesIn is the number of bytes received with headers, for %I and %S. Zero means that the
	// number is not known; see [Instrument].
	BytesIn int64 `json:"bytesIn,omitzero"`
	// BytesOut is the number of bytes sent with headers, for %O and %S. Zero means that the
	// number is not known.
	BytesOut int64 `json:"bytesOut,omitzero"`

	// TLS is the state of the TLS connection, for %{...}x, %{...}c and the default port. If
	// nil, the request came without TLS.
	TLS *tls.ConnectionState `json:"-"`
	// Client is the address of the client. It is taken from a header if the request came
	// through trusted proxies. An invalid address prints as "-", also for Peer and Local.
	Client netip.AddrPort `json:"client,omitzero"`
	// Peer is the address of the other end of the connection.
	Peer netip.AddrPort `json:"peer,omitzero"`
	// Local is the address of this end of the connection.
	Local netip.AddrPort `json:"local,omitzero"`
	// User is the name of the authenticated user. The empty string prints as "-".
	User string `json:"user,omitzero"`
	// ServerName is the canonical name of the server, for %v and %V.
	ServerName string `json:"serverName,omitzero"`
	// ServerPort is the canonical port of the server, for %p. Zero prints as 443 with TLS, and
	// as 80 without.
	ServerPort uint16 `json:"serverPort,omitzero"`
	// Handler is the name of the handler, for %R.
	Handler string `json:"handler,omitzero"`
	// ErrorID is the identifier of a line in the error log, for %L.
	ErrorID string `json:"errorId,omitzero"`
	// Filename is the path of the served file, for %f.
	Filename string `json:"filename,omitzero"`

	// Start is the time at which the request arrived.
	Start time.Time `json:"start,omitzero"`
	// End is the time at which the handler returned. The difference to Start is measured with
	// the monotonic clock if both times have a monotonic reading.
	End time.Time `json:"end,omitzero"`
	// Conn is the state of the connection after the response, for %X.
	Conn ConnState `json:"conn,omitzero"`
	// Keepalives is the number of responses on the connection, this one included, after which
	// the connection stayed open.
	Keepalives int `json:"keepalives,omitzero"`
	// PID is the process number for %P. If zero, the number of the current process is printed.
	PID int `json:"pid,omitzero"`

	// Note returns the value of a note for %{...}n. If it is nil or returns false, "-" is
	// printed.
	Note func(name string) (value string, ok bool) `json:"-"`
	// Env returns the value of an environment variable for %{...}e. If it is nil or returns
	// false, "-" is printed.
	Env func(name string) (value string, ok bool) `json:"-"`
}

// plainEntry is an Entry in JSON.
type plainEntry Entry

// entryJSON adds the request to a plainEntry.
type entryJSON struct {
	Request *requestJSON `json:"request,omitzero"`
	plainEntry
}

// requestJSON has the parts of a request that formats print.
type requestJSON struct {
	Method           string      `json:"method,omitzero"`
	RequestURI       string      `json:"requestUri,omitzero"`
	Proto            string      `json:"proto,omitzero"`
	Host             string      `json:"host,omitzero"`
	RemoteAddr       string      `json:"remoteAddr,omitzero"`
	URLHost          string      `json:"urlHost,omitzero"`
	Path             string      `json:"path,omitzero"`
	RawQuery         string      `json:"rawQuery,omitzero"`
	ForceQuery       bool        `json:"forceQuery,omitzero"`
	Header           http.Header `json:"header,omitzero"`
	Trailer          http.Header `json:"trailer,omitzero"`
	TransferEncoding []string    `json:"transferEncoding,omitzero"`
}

// MarshalJSON returns the JSON encoding of e. It keeps strings that are not valid UTF-8.
func (e Entry) MarshalJSON() ([]byte, error) {
	v := entryJSON{plainEntry: plainEntry(e)}
	if r := e.Request; r != nil {
		v.Request = &requestJSON{
			Method: r.Method, RequestURI: r.RequestURI, Proto: r.Proto, Host: r.Host, RemoteAddr: r.RemoteAddr,
			Header: r.Header, Trailer: r.Trailer, TransferEncoding: r.TransferEncoding,
		}
		if r.URL != nil {
			v.Request.URLHost, v.Request.Path = r.URL.Host, r.URL.Path
			v.Request.RawQuery, v.Request.ForceQuery = r.URL.RawQuery, r.URL.ForceQuery
		}
	}
	return jsontext.Marshal(v)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Entry) UnmarshalJSON(b []byte) error {
	var v entryJSON
	if err := jsontext.Unmarshal(b, &v); err != nil {
		return err
	}
	*e = Entry(v.plainEntry)
	e.Request = nil
	if r := v.Request; r != nil {
		major, minor, _ := http.ParseHTTPVersion(r.Proto)
		e.Request = &http.Request{
			Method: r.Method, RequestURI: r.RequestURI, Proto: r.Proto, ProtoMajor: major, ProtoMinor: minor, Host: r.Host,
			RemoteAddr: r.RemoteAddr, Header: r.Header, Trailer: r.Trailer, TransferEncoding: r.TransferEncoding,
			URL: &url.URL{Host: r.URLHost, Path: r.Path, RawQuery: r.RawQuery, ForceQuery: r.ForceQuery},
		}
	}
	return nil
}
