// Package logfmt writes access-log lines in the formats of Apache's mod_log_config.
//
// [Parse] reads a format: the text between the outer quotes of a LogFormat or CustomLog
// directive in httpd.conf, with its backslashes. [Format.Append] prints an [Entry] in the
// format. [Middleware] wraps an [http.Handler] and writes one line for each request, also if
// the handler panics, hijacks the connection, streams its response, or is cancelled.
//
// # Guarantees
//
// For every request that reaches a handler, the line has the bytes that Apache 2.4 writes.
// Values are escaped as Apache escapes them: apart from the literal text of the format, a line
// has no byte below 0x20 or above 0x7e. A client can therefore not forge a field, end a line,
// or control a terminal. Append does not allocate memory for formats without %{...}t. A Format
// is safe for concurrent use by multiple goroutines.
//
// # Limits
//
// Package net/http answers some requests without calling a handler, and they have no line: a
// control byte in a header, HTTP/1.1 without Host, and an invalid request line (status 400),
// and "OPTIONS *" (status 200; see http.Server.DisableGeneralOptionsHandler). Apache logs such
// requests.
//
// Directives for which Go has no source print "-": %I, %O, %S and %^FB (bytes and times on the
// connection). [Format.Warnings] lists them. The modifiers "<" and ">" (original and final
// request) have the same meaning, because Go has no internal redirects. A NUL byte in a path is
// printed as \x00; Apache ends %U there.
//
// The package opens no files or connections and does not read the Authorization header: %u is
// set by the application. It works on all operating systems and needs no privileges.
package logfmt
