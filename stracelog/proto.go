package stracelog

import (
	"bytes"
	"strings"
)

// Classifier recognises the protocol of a peer that the package does not know, or knows better than the package.
type Classifier interface {
	// Classify is asked when a connection is made, with first nil, and with the first bytes that are sent or
	// received on it, which strace may have cut. It returns ProtoUnknown to leave the question to the package.
	Classify(p Peer, first []byte) Proto
}

// ClassifierFunc is a function that is a Classifier.
type ClassifierFunc func(p Peer, first []byte) Proto

// Classify calls f.
func (f ClassifierFunc) Classify(p Peer, first []byte) Proto { return f(p, first) }

// A sign is how the first bytes of a protocol look; verb is what a report may say of them without saying what they carry.
type sign struct {
	prefix string
	proto  Proto
	verb   string
}

// signs of the text protocols. Memcached's words are lower case in requests, HTTP's are upper case.
var signs = []sign{
	{"get ", ProtoMemcached, "get"}, {"gets ", ProtoMemcached, "gets"}, {"set ", ProtoMemcached, "set"}, {"add ", ProtoMemcached, "add"},
	{"replace ", ProtoMemcached, "replace"}, {"append ", ProtoMemcached, "append"}, {"prepend ", ProtoMemcached, "prepend"},
	{"cas ", ProtoMemcached, "cas"}, {"delete ", ProtoMemcached, "delete"}, {"incr ", ProtoMemcached, "incr"}, {"decr ", ProtoMemcached, "decr"},
	{"touch ", ProtoMemcached, "touch"}, {"gat ", ProtoMemcached, "gat"}, {"mg ", ProtoMemcached, "mg"}, {"ms ", ProtoMemcached, "ms"},
	{"md ", ProtoMemcached, "md"}, {"mn\r\n", ProtoMemcached, "mn"}, {"stats\r\n", ProtoMemcached, "stats"}, {"version\r\n", ProtoMemcached, "version"},
	{"flush_all", ProtoMemcached, "flush_all"}, {"VALUE ", ProtoMemcached, "VALUE"}, {"END\r\n", ProtoMemcached, "END"}, {"STORED\r\n", ProtoMemcached, "STORED"},
	{"NOT_STORED\r\n", ProtoMemcached, "NOT_STORED"}, {"NOT_FOUND\r\n", ProtoMemcached, "NOT_FOUND"}, {"DELETED\r\n", ProtoMemcached, "DELETED"},
	{"VERSION ", ProtoMemcached, "VERSION"},
	{"GET ", ProtoHTTP, "GET"}, {"POST ", ProtoHTTP, "POST"}, {"HEAD ", ProtoHTTP, "HEAD"}, {"PUT ", ProtoHTTP, "PUT"}, {"DELETE ", ProtoHTTP, "DELETE"},
	{"PATCH ", ProtoHTTP, "PATCH"}, {"OPTIONS ", ProtoHTTP, "OPTIONS"}, {"CONNECT ", ProtoHTTP, "CONNECT"}, {"PRI * HTTP/2", ProtoHTTP, "PRI"},
	{"HTTP/1.", ProtoHTTP, "HTTP"},
	{"EHLO ", ProtoSMTP, "EHLO"}, {"HELO ", ProtoSMTP, "HELO"}, {"LHLO ", ProtoSMTP, "LHLO"}, {"MAIL FROM:", ProtoSMTP, "MAIL"}, {"RCPT TO:", ProtoSMTP, "RCPT"},
	{"+OK\r\n", ProtoRedis, "OK"}, {"+PONG\r\n", ProtoRedis, "PONG"}, {"-ERR ", ProtoRedis, "ERR"}, {"-NOAUTH ", ProtoRedis, "NOAUTH"},
	{"$-1\r\n", ProtoRedis, "nil"},
}

// signOf groups signs by their first byte.
var signOf = func() (t [256][]sign) {
	for _, s := range signs {
		t[s.prefix[0]] = append(t[s.prefix[0]], s)
	}
	return t
}()

// Recognize returns the protocol that the first bytes of a connection, in either direction, speak, and the verb of its first message:
// GET, get, COM_QUERY. The bytes may be cut after any length. DNS is not recognised by its bytes, which can be anything: its port
// says it.
func Recognize(b []byte) (p Proto, verb string) {
	if len(b) == 0 {
		return ProtoUnknown, ""
	}
	for _, s := range signOf[b[0]] {
		if len(b) >= len(s.prefix) && string(b[:len(s.prefix)]) == s.prefix {
			return s.proto, s.verb
		}
	}
	switch {
	case bytes.HasPrefix(b, []byte("220 ")) && bytes.Contains(b, []byte("SMTP")):
		return ProtoSMTP, "220"
	case b[0] == '*' && len(b) > 4 && isDigit(b[1]) && bytes.Contains(b[:min(len(b), 8)], []byte("\r\n$")):
		return ProtoRedis, redisVerb(b)
	case len(b) >= 3 && (b[0] == 0x16 || b[0] == 0x17 || b[0] == 0x15) && b[1] == 3 && b[2] <= 4:
		return ProtoTLS, map[byte]string{0x15: "alert", 0x16: "handshake", 0x17: "data"}[b[0]]
	case len(b) >= 8 && b[0] == 1 && b[1] >= 1 && b[1] <= 11 && b[7] == 0:
		return ProtoFastCGI, fastcgiVerb(b[1])
	case len(b) >= 4 && (b[0] == 0x80 || b[0] == 0x81) && b[1] <= 0x25 && b[2] < 2:
		return ProtoMemcached, "binary"
	}
	if verb := mysqlVerb(b); verb != "" {
		return ProtoMySQL, verb
	}
	if verb := postgresVerb(b); verb != "" {
		return ProtoPostgreSQL, verb
	}
	return ProtoUnknown, ""
}

// redisVerb returns the command of a RESP array: GET of *2\r\n$3\r\nGET\r\n.
func redisVerb(b []byte) string {
	f := bytes.SplitN(b, []byte("\r\n"), 4)
	if len(f) < 4 || len(f[2]) > 16 {
		return "command"
	}
	for _, c := range f[2] {
		if !isAlnum(c) && c != '.' {
			return "command"
		}
	}
	return strings.ToUpper(string(f[2]))
}

func fastcgiVerb(t byte) string {
	names := [...]string{1: "BEGIN_REQUEST", "ABORT_REQUEST", "END_REQUEST", "PARAMS", "STDIN", "STDOUT", "STDERR", "DATA", "GET_VALUES", "GET_VALUES_RESULT", "UNKNOWN_TYPE"}
	return names[t]
}

// mysqlVerb knows the server's greeting (protocol 10) and the client's commands: three bytes of length, a sequence
// number that is 0, the command.
func mysqlVerb(b []byte) string {
	if len(b) < 5 || b[3] != 0 {
		return ""
	}
	n := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
	if b[4] == 0x0a && n > 20 && n < 4096 && len(b) > 6 && isDigit(b[5]) && (b[6] == '.' || isDigit(b[6])) {
		return "greeting"
	}
	switch b[4] {
	case 1:
		if n == 1 {
			return "COM_QUIT"
		}
	case 2:
		if n > 1 && n < 300 && len(b) > 5 && b[5] > ' ' {
			return "COM_INIT_DB"
		}
	case 3:
		if n > 1 && (len(b) == 5 || b[5] >= ' ' || b[5] == '\n' || b[5] == '\t' || b[5] < 2) {
			return "COM_QUERY"
		}
	case 0x0e:
		if n == 1 {
			return "COM_PING"
		}
	case 0x16:
		if n > 1 && len(b) > 5 && b[5] >= ' ' {
			return "COM_STMT_PREPARE"
		}
	case 0x17:
		if n >= 10 {
			return "COM_STMT_EXECUTE"
		}
	}
	return ""
}

// postgresVerb knows the startup packet, the request for TLS, and typed messages whose length is plausible.
func postgresVerb(b []byte) string {
	if len(b) >= 8 && b[0] == 0 && b[1] == 0 {
		switch string(b[4:8]) {
		case "\x00\x03\x00\x00":
			return "startup"
		case "\x04\xd2\x16\x2f":
			return "SSLRequest"
		}
	}
	if len(b) < 5 || b[1] != 0 {
		return ""
	}
	n := int(b[2])<<16 | int(b[3])<<8 | int(b[4])
	switch {
	case b[0] == 'Q' && n > 4 && len(b) > 5 && b[5] >= ' ':
		return "Query"
	case b[0] == 'P' && n > 7:
		return "Parse"
	case b[0] == 'R' && n == 8, b[0] == 'R' && n == 12, b[0] == 'R' && n == 23:
		return "Authentication"
	case b[0] == 'T' && n > 6:
		return "RowDescription"
	case b[0] == 'X' && n == 4:
		return "Terminate"
	}
	return ""
}

// DNSName returns the name that a DNS message asks for, without a trailing dot. The message may be cut: strace shows 32 bytes by
// default, so that a longer name comes without its end and whole is false. ok is false when b holds no
// question.
func DNSName(b []byte) (name string, whole, ok bool) {
	if len(b) < 13 || b[4] != 0 || b[5] == 0 || b[5] > 8 || b[2]&0x70 != 0 {
		return "", false, false
	}
	var labels []string
	for i := 12; ; {
		if i >= len(b) {
			return strings.Join(labels, "."), false, len(labels) > 0
		}
		n := int(b[i])
		i++
		if n == 0 {
			return strings.Join(labels, "."), true, len(labels) > 0
		}
		if n > 63 {
			return "", false, false
		}
		l := b[i:min(i+n, len(b))]
		for _, c := range l {
			if !isAlnum(c) && c != '-' {
				return "", false, false
			}
		}
		if len(l) > 0 {
			labels = append(labels, string(l))
		}
		if i += n; i > 12+255 {
			return "", false, false
		}
	}
}
