package logfmt

import (
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// putter appends the value of a directive.
type putter func(dst []byte, it *item, e *Entry) []byte

// Append appends the line for a request, without a line end, and returns the extended buffer.
// It does not keep dst or e. It allocates memory only if dst is too small or if the request has
// several Cookie headers.
func (f *Format) Append(dst []byte, e *Entry) []byte {
	for i := range f.items {
		it := &f.items[i]
		switch {
		case it.put == nil:
			dst = append(dst, it.text...)
		case len(it.codes) > 0 && slices.Contains(it.codes, e.Status) == it.not:
			dst = append(dst, '-')
		default:
			dst = it.put(dst, it, e)
		}
	}
	return dst
}

// Explain calls yield for each part of the format, in order, with its offset, its text, and a
// description of what it prints. It stops if yield returns false.
func (f *Format) Explain(yield func(offset int, part, meaning string) bool) {
	for _, it := range f.items {
		meaning := it.meaning
		if it.put == nil {
			meaning = "these bytes: " + strconv.Quote(it.text)
		} else if len(it.codes) > 0 {
			meaning += "; \"-\" " + it.condition()
		}
		if !yield(it.from, f.source[it.from:it.to], meaning) {
			return
		}
	}
}

func (it *item) condition() string {
	var codes []string
	for _, c := range it.codes {
		codes = append(codes, strconv.Itoa(c))
	}
	if it.not {
		return "when the status is " + strings.Join(codes, " or ")
	}
	return "unless the status is " + strings.Join(codes, " or ")
}

// text appends an escaped value, or "-" for an empty one.
func text(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, '-')
	}
	return escape(dst, s)
}

func dash(dst []byte, _ *item, _ *Entry) []byte { return append(dst, '-') }

func address(dst []byte, a netip.AddrPort) []byte {
	if !a.IsValid() {
		return append(dst, '-')
	}
	return a.Addr().Unmap().WithZone("").AppendTo(dst)
}

func putClient(dst []byte, it *item, e *Entry) []byte {
	if it.key == "c" {
		return address(dst, e.Peer)
	}
	return address(dst, e.Client)
}

func putLocal(dst []byte, _ *item, e *Entry) []byte { return address(dst, e.Local) }

func putPort(dst []byte, it *item, e *Entry) []byte {
	switch it.key {
	case "local":
		return strconv.AppendUint(dst, uint64(e.Local.Port()), 10)
	case "remote":
		return strconv.AppendUint(dst, uint64(e.Client.Port()), 10)
	case "canonical":
		port := e.ServerPort
		switch {
		case port == 0 && e.TLS != nil:
			port = 443
		case port == 0:
			port = 80
		}
		return strconv.AppendUint(dst, uint64(port), 10)
	}
	return append(dst, it.text...)
}

func putBytes(dst []byte, _ *item, e *Entry) []byte { return strconv.AppendInt(dst, e.Bytes, 10) }

func putBytesCLF(dst []byte, it *item, e *Entry) []byte {
	if e.Bytes == 0 {
		return append(dst, '-')
	}
	return putBytes(dst, it, e)
}

// wire prints a number of bytes on the connection. Zero means that it is not known.
func wire(count func(*Entry) int64) putter {
	return func(dst []byte, _ *item, e *Entry) []byte {
		if n := count(e); n > 0 {
			return strconv.AppendInt(dst, n, 10)
		}
		return append(dst, '-')
	}
}

func putStatus(dst []byte, _ *item, e *Entry) []byte {
	if e.Status <= 0 {
		return append(dst, '-')
	}
	return strconv.AppendInt(dst, int64(e.Status), 10)
}

func putUser(dst []byte, _ *item, e *Entry) []byte { return text(dst, e.User) }

func putServer(dst []byte, _ *item, e *Entry) []byte { return text(dst, e.ServerName) }

// putVHost prints the requested host name in lower case, without port and final dot. The host
// of an absolute URI takes precedence over the Host header.
func putVHost(dst []byte, _ *item, e *Entry) []byte {
	if e.Request != nil {
		host := e.Request.URL.Host
		if host == "" {
			host = e.Request.Host
		}
		if host = hostname(host); host != "" {
			return lower(dst, host)
		}
	}
	return text(dst, e.ServerName)
}

// lower appends a name in lower case.
func lower(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = escapeByte(dst, c)
	}
	return dst
}

func hostname(host string) string {
	if rest, ok := strings.CutPrefix(host, "["); ok {
		host, _, _ = strings.Cut(rest, "]")
		return host
	}
	host, _, _ = strings.Cut(host, ":")
	return strings.TrimSuffix(host, ".")
}

func putMethod(dst []byte, _ *item, e *Entry) []byte {
	if e.Request == nil {
		return append(dst, '-')
	}
	return text(dst, e.Request.Method)
}

func putProto(dst []byte, _ *item, e *Entry) []byte {
	if e.Request == nil {
		return append(dst, '-')
	}
	return text(dst, e.Request.Proto)
}

// putRequestLine prints the request line as it was received. A password in an absolute URI is
// masked.
func putRequestLine(dst []byte, _ *item, e *Entry) []byte {
	r := e.Request
	if r == nil {
		return append(dst, '-')
	}
	dst = escape(dst, r.Method)
	dst = append(dst, ' ')
	before, after, masked := password(r.RequestURI)
	dst = escape(dst, before)
	if masked {
		dst = append(dst, "XXXXXXXX"...)
		dst = escape(dst, after)
	}
	dst = append(dst, ' ')
	return escape(dst, r.Proto)
}

// password finds the password in scheme://user:password@host.
func password(uri string) (before, after string, ok bool) {
	i := strings.Index(uri, "://")
	if i <= 0 || strings.IndexByte(uri[:i], '/') >= 0 {
		return uri, "", false
	}
	authority := uri[i+3:]
	if end := strings.IndexAny(authority, "/?#"); end >= 0 {
		authority = authority[:end]
	}
	at := strings.LastIndexByte(authority, '@')
	if at < 0 {
		return uri, "", false
	}
	colon := strings.IndexByte(authority[:at], ':')
	if colon < 0 {
		return uri, "", false
	}
	from := i + 3
	return uri[:from+colon+1], uri[from+at:], true
}

func putQuery(dst []byte, _ *item, e *Entry) []byte {
	if e.Request == nil {
		return append(dst, '-')
	}
	u := e.Request.URL
	if u.RawQuery == "" && !u.ForceQuery {
		return dst
	}
	return escape(append(dst, '?'), u.RawQuery)
}

func putPath(dst []byte, _ *item, e *Entry) []byte {
	if e.Path != "" {
		return escape(dst, e.Path)
	}
	if e.Request == nil {
		return append(dst, '-')
	}
	return appendPath(dst, e.Request.URL.Path)
}

// putHeaderIn prints a header of the request.
func putHeaderIn(dst []byte, it *item, e *Entry) []byte {
	r := e.Request
	if r == nil {
		return append(dst, '-')
	}
	// Package net/http removes these headers from the map.
	switch it.key {
	case "Host":
		switch {
		case r.URL.Host != "": // an absolute URI takes precedence
			return lower(dst, r.URL.Host)
		case r.Host != "":
			return escape(dst, r.Host)
		}
		return append(dst, '-')
	case "Transfer-Encoding":
		if len(r.TransferEncoding) > 0 {
			return escape(dst, r.TransferEncoding[0])
		}
	}
	return values(dst, r.Header[it.key])
}

// putHeaderOut prints a header of the response: the first value of each header but
// Set-Cookie, and the media type of Content-Type without its parameters.
func putHeaderOut(dst []byte, it *item, e *Entry) []byte {
	list := e.ResponseHeader[it.key]
	switch {
	case it.key == "Set-Cookie" || len(list) == 0:
	case it.key == "Content-Type":
		media, _, _ := strings.Cut(list[0], ";")
		return escape(dst, strings.TrimRight(media, " \t"))
	default:
		list = list[:1]
	}
	return values(dst, list)
}

func putTrailerIn(dst []byte, it *item, e *Entry) []byte {
	if e.Request == nil {
		return append(dst, '-')
	}
	return values(dst, e.Request.Trailer[it.key])
}

func putTrailerOut(dst []byte, it *item, e *Entry) []byte { return values(dst, e.Trailer[it.key]) }

// values prints the values of a header joined by ", ", or "-" if the header is absent. An
// empty value prints nothing.
func values(dst []byte, list []string) []byte {
	if len(list) == 0 {
		return append(dst, '-')
	}
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = escape(dst, v)
	}
	return dst
}

// putCookie parses cookies like Apache, which does not follow RFC 6265: all Cookie headers are
// joined by ", " and split at semicolons. Quotes are part of the value, and pairs without a
// value are ignored.
func putCookie(dst []byte, it *item, e *Entry) []byte {
	if e.Request == nil {
		return append(dst, '-')
	}
	all := e.Request.Header["Cookie"]
	var header string
	switch len(all) {
	case 0:
		return append(dst, '-')
	case 1:
		header = all[0]
	default:
		header = strings.Join(all, ", ")
	}
	for header != "" {
		pair, rest, cut := strings.Cut(header, ";")
		name, value, _ := strings.Cut(strings.TrimLeft(pair, "="), "=")
		if value != "" && strings.EqualFold(strings.Trim(name, " \t"), it.text) {
			value = strings.TrimLeft(value, " \t")
			if !cut || rest != "" { // blanks before a final semicolon are kept
				value = strings.TrimRight(value, " \t")
			}
			return escape(dst, value)
		}
		header = rest
	}
	return append(dst, '-')
}

func ask(dst []byte, f func(string) (string, bool), name string) []byte {
	if f == nil {
		return append(dst, '-')
	}
	v, ok := f(name)
	if !ok {
		return append(dst, '-')
	}
	return escape(dst, v)
}

func putNote(dst []byte, it *item, e *Entry) []byte { return ask(dst, e.Note, it.text) }

func putEnv(dst []byte, it *item, e *Entry) []byte { return ask(dst, e.Env, it.text) }

func putFilename(dst []byte, _ *item, e *Entry) []byte { return text(dst, e.Filename) }

func putHandler(dst []byte, _ *item, e *Entry) []byte { return text(dst, e.Handler) }

func putErrorID(dst []byte, _ *item, e *Entry) []byte { return text(dst, e.ErrorID) }

func putConn(dst []byte, _ *item, e *Entry) []byte {
	switch e.Conn {
	case ConnKeepAlive:
		return append(dst, '+')
	case ConnAborted:
		return append(dst, 'X')
	}
	return append(dst, '-')
}

// putKeepalives counts the requests before this one on its connection.
func putKeepalives(dst []byte, _ *item, e *Entry) []byte {
	return strconv.AppendInt(dst, int64(max(0, e.Keepalives-1)), 10)
}

func putPID(dst []byte, it *item, e *Entry) []byte {
	switch it.key {
	case "pid", "tid":
		if e.PID > 0 {
			return strconv.AppendInt(dst, int64(e.PID), 10)
		}
		return strconv.AppendInt(dst, int64(os.Getpid()), 10)
	case "hextid":
		return strconv.AppendInt(dst, int64(os.Getpid()), 16)
	}
	return append(dst, it.text...)
}

func putElapsed(dst []byte, it *item, e *Entry) []byte {
	d := e.End.Sub(e.Start)
	switch it.key {
	case "s":
		return strconv.AppendInt(dst, int64(d/time.Second), 10)
	case "ms":
		return strconv.AppendInt(dst, d.Milliseconds(), 10)
	case "us":
		return strconv.AppendInt(dst, d.Microseconds(), 10)
	}
	return append(dst, it.text...)
}
