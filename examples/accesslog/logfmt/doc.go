// Package logfmt writes the access-log line that Apache would have written.
//
// [Parse] reads the whole format language of Apache 2.4's mod_log_config: the text
// that stands between the outer quotes of a LogFormat or CustomLog line in
// httpd.conf, backslashes included. [Format.Append] prints one [Entry] in it, and
// [Handler] wraps an http.Handler so that exactly one line is written for each
// request, also when the handler panics, hijacks its connection, streams, or is
// cancelled.
//
// # Guarantees
//
// For every request that reaches a Go handler the line has Apache's bytes. Values
// are escaped as Apache escapes them, so that no client can forge a field, end a
// line or drive a terminal: what Append adds beside the literals of the format has
// no byte below 0x20 and none above 0x7e. Append allocates nothing for formats
// without %{...}t, and a Format may be used by many goroutines at once.
//
// # Limits
//
// net/http answers some requests itself, before any handler runs, and logs nothing:
// a control byte in a header, no Host on HTTP/1.1, a garbage line (all 400), and
// "OPTIONS *" (200; see http.Server.DisableGeneralOptionsHandler). Apache would have
// a line for them; this package can't. What Go does not know is "-", and Parse warns
// of it: %I, %O, %S and %^FB (bytes and times on the wire). "<" and ">" (the original
// and the final request) mean the same here, since Go has no internal redirects. A
// NUL in a path is printed as \x00 and nothing is cut off, where Apache ends %U.
//
// The package opens no file and no socket, and never reads the Authorization header:
// %u is what the application says it is.
package logfmt
