package logfmt

import (
	"net/http"
	"slices"
	"strings"
)

// directives has the directives of mod_log_config, mod_logio and mod_ssl.
var directives = map[string]directive{
	"a": {put: putClient, meaning: "address of the client", prepare: forms("c")},
	"h": {put: putClient, meaning: "address of the client (no name is looked up)", prepare: forms("c")},
	"A": {put: putLocal, meaning: "address of the server"},
	"B": {put: putBytes, meaning: "bytes of the body"},
	"b": {put: putBytesCLF, meaning: "bytes of the body, - for none"},
	"C": {put: putCookie, meaning: "a cookie of the request"},
	"D": {put: putElapsed, meaning: "time taken in microseconds", prepare: fixed("us")},
	"e": {put: putEnv, meaning: "a variable of the environment"},
	"f": {put: putFilename, meaning: "file that was served"},
	"H": {put: putProto, meaning: "protocol of the request"},
	"i": {put: putHeaderIn, meaning: "a header of the request", prepare: header},
	"I": {put: wire(func(e *Entry) int64 { return e.BytesIn }), meaning: "bytes received with headers", wire: true},
	"k": {put: putKeepalives, meaning: "requests before this one on its connection"},
	"l": {put: dash, meaning: "name from identd, which is not queried"},
	"L": {put: putErrorID, meaning: "id of the request's error line"},
	"m": {put: putMethod, meaning: "method"},
	"n": {put: putNote, meaning: "a note of the application"},
	"o": {put: putHeaderOut, meaning: "a header of the response", prepare: header},
	"O": {put: wire(func(e *Entry) int64 { return e.BytesOut }), meaning: "bytes sent with headers", wire: true},
	"p": {put: putPort, meaning: "port of the server", prepare: port},
	"P": {put: putPID, meaning: "number of the process", prepare: process},
	"q": {put: putQuery, meaning: "query with its question mark, or nothing"},
	"r": {put: putRequestLine, meaning: "request line as it was sent"},
	"R": {put: putHandler, meaning: "handler that answered"},
	"s": {put: putStatus, meaning: "status of the response"},
	"S": {
		put:     wire(func(e *Entry) int64 { return e.BytesIn + e.BytesOut }),
		meaning: "bytes received and sent with headers",
		wire:    true,
	},
	"t":   {put: putTime, meaning: "time of the request", prepare: clockFace},
	"T":   {put: putElapsed, meaning: "time taken", prepare: elapsed},
	"u":   {put: putUser, meaning: "user, as authenticated by the application"},
	"U":   {put: putPath, meaning: "path without its query"},
	"v":   {put: putServer, meaning: "name of the server"},
	"V":   {put: putVHost, meaning: "name that the client asked for"},
	"X":   {put: putConn, meaning: "connection afterwards: X aborted, + kept open, - closed"},
	"x":   {put: putVariable, meaning: "a variable of mod_ssl or of the request", prepare: variable},
	"c":   {put: putWord, meaning: "version or cipher of TLS (older spelling)", prepare: word},
	"^ti": {put: putTrailerIn, meaning: "a trailer of the request", prepare: header},
	"^to": {put: putTrailerOut, meaning: "a trailer of the response", prepare: header},
	"^FB": {
		put:     dash,
		meaning: "time to the first byte",
		absent:  "prints -: net/http does not report when the first byte was sent",
	},
}

// forms accepts the known arguments in upper and lower case. Like Apache, it ignores others.
func forms(known ...string) func(*item) string {
	return func(it *item) string {
		if arg := strings.ToLower(it.text); slices.Contains(known, arg) {
			it.key = arg
		}
		return ""
	}
}

func fixed(key string) func(*item) string {
	return func(it *item) string {
		it.key = key
		return ""
	}
}

// choice accepts an argument in upper and lower case. If there is none, the given default is
// used. It returns a warning for an unknown argument, which Apache prints unchanged.
func choice(it *item, none string, known ...string) string {
	it.key = strings.ToLower(it.text)
	if it.key == "" {
		it.key = none
	}
	if slices.Contains(known, it.key) {
		return ""
	}
	it.key = ""
	return "prints the argument itself; known are " + strings.Join(known, ", ")
}

func port(it *item) string { return choice(it, "canonical", "canonical", "local", "remote") }

func process(it *item) string {
	msg := choice(it, "pid", "pid", "tid", "hextid")
	if it.key == "tid" || it.key == "hextid" {
		return "prints the number of the process: goroutines have none"
	}
	return msg
}

func elapsed(it *item) string { return choice(it, "s", "s", "ms", "us") }

func header(it *item) string {
	it.key = http.CanonicalHeaderKey(it.text)
	if it.text == "" {
		return "prints -: the name of the header is missing"
	}
	return ""
}
