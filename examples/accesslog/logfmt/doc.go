// Package logfmt writes access-log lines in the formats of Apache's mod_log_config.
//
// [Parse] reads a format: the text between the outer quotes of a LogFormat or CustomLog
// directive in httpd.conf, with its backslashes. [Format.Append] prints an [Entry] in the
// format. [Middleware] wraps an [http.Handler] and writes one line for each request, also if
// the handler panics, hijacks the connection, streams its response, or is cancelled.
//
// # Guarantees
//
// Values are printed and escaped as Apache 2.4 with mod_log_config prints them; the tests compare
// lines with those of Apache for generated requests and formats. Apart from the literal text of
// the format, a line has no byte below 0x20 or above 0x7e. A client can therefore not forge a
// field, end a line, or control a terminal. Append does not allocate memory for formats without
// %{...}t and %{...}x. A Format is safe for concurrent use by multiple goroutines.
//
// With [Instrument], %I, %O and %S are the numbers of mod_logio. The directives %{...}x and
// %{...}c have the values of mod_ssl; Apache without mod_ssl rejects them. [Proxies] implements
// mod_remoteip.
//
// # Limits
//
// Package net/http answers some requests without calling a handler, and they have no line: a
// control byte in a header, HTTP/1.1 without Host, and an invalid request line (status 400),
// and "OPTIONS *" (status 200; see http.Server.DisableGeneralOptionsHandler). Apache logs such
// requests. Some requests reach a handler that Apache answers with status 400, such as
// "GET *" and a target with a fragment. For an absolute URI in HTTP/1.0 without a Host header,
// %{Host}i is the host of the URI, and "-" in Apache. Trailers of HTTP/1.0 are not read.
//
// The time to the first byte (%^FB) prints "-"; [Format.Warnings] lists it. HTTP/2 requests have
// no numbers of bytes on the connection. The modifiers "<" and ">" (original and final request)
// have the same meaning, because Go has no internal redirects. A NUL byte in a path is printed
// as \x00; Apache ends %U there.
//
// The package opens no files or connections and does not read the Authorization header: %u is
// set by the application. It works on all operating systems and needs no privileges.
package logfmt
