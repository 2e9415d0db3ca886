package stracelog

import (
	"bytes"
	"net/netip"
	"strconv"
)

// Proto is the protocol spoken with a peer. The values of this package are below; a Classifier may return others.
type Proto string

// The protocols that are recognised.
const (
	ProtoUnknown    Proto = ""
	ProtoDNS        Proto = "DNS"
	ProtoMemcached  Proto = "memcached"
	ProtoMySQL      Proto = "MySQL"
	ProtoRedis      Proto = "Redis"
	ProtoPostgreSQL Proto = "PostgreSQL"
	ProtoHTTP       Proto = "HTTP"
	ProtoFastCGI    Proto = "FastCGI"
	ProtoTLS        Proto = "TLS"
	ProtoSMTP       Proto = "SMTP"
)

// Peer is the other end of a socket.
type Peer struct {
	Net   string `json:"net,omitzero"`  // "tcp", "udp", "unix"; "" when not known
	Addr  string `json:"addr,omitzero"` // address or path, or "" if the log does not contain it
	Port  int    `json:"port"`          // 0 when not known
	Proto Proto  `json:"proto,omitzero"`
}

// Known reports whether anything is known of the peer.
func (p Peer) Known() bool { return p != Peer{} }

// String returns "MySQL 127.0.0.12:3306", or what is known of it.
func (p Peer) String() string {
	where := p.Addr
	switch {
	case p.Port > 0 && p.Addr != "":
		where = p.Addr + ":" + strconv.Itoa(p.Port)
		if a, err := netip.ParseAddr(p.Addr); err == nil {
			where = netip.AddrPortFrom(a, uint16(p.Port)).String()
		}
	case p.Port > 0:
		where = "port " + strconv.Itoa(p.Port)
	}
	switch {
	case p.Proto == "":
		if where == "" {
			return "unknown peer"
		}
		return where
	case where == "":
		return string(p.Proto)
	}
	return string(p.Proto) + " " + where
}

// Label returns the protocol, or the place when the protocol is not known.
func (p Peer) Label() string {
	if p.Proto != ProtoUnknown {
		return string(p.Proto)
	}
	return p.String()
}

// portProto is what a port says when no payload was seen.
var portProto = map[int]Proto{
	53: ProtoDNS, 11211: ProtoMemcached, 3306: ProtoMySQL, 6379: ProtoRedis, 5432: ProtoPostgreSQL, 80: ProtoHTTP,
	8080: ProtoHTTP, 443: ProtoTLS, 9000: ProtoFastCGI, 25: ProtoSMTP, 587: ProtoSMTP,
}

// sockaddr reads the first socket address in the arguments of a call. Addresses and ports that were made unreadable
// stay empty or 0.
func sockaddr(args []byte) (p Peer, ok bool) {
	_, a, found := bytes.Cut(args, []byte("{sa_family="))
	if !found {
		return Peer{}, false
	}
	switch {
	case bytes.HasPrefix(a, []byte("AF_INET")), bytes.HasPrefix(a, []byte("PF_INET")):
		p.Net = "tcp"
		if s, ok := between(a, "_port=htons(", ")"); ok {
			p.Port, _ = strconv.Atoi(string(s))
		}
		s, ok := between(a, `sin_addr=inet_addr("`, `"`)
		if !ok {
			s, ok = between(a, `inet_pton(AF_INET6, "`, `"`)
		}
		if ok {
			if ip, err := netip.ParseAddr(string(s)); err == nil {
				p.Addr = ip.String()
			}
		}
	case bytes.HasPrefix(a, []byte("AF_UNIX")), bytes.HasPrefix(a, []byte("AF_LOCAL")), bytes.HasPrefix(a, []byte("PF_LOCAL")):
		p.Net = "unix"
		if _, s, found := bytes.Cut(a, []byte("sun_path=")); found {
			s = bytes.TrimPrefix(s, []byte("@"))
			if len(s) > 0 && s[0] == '"' {
				if e := quoteEnd(s, 0, len(s)); e > 0 {
					path, _, _ := Unquote(nil, s[:e])
					p.Addr = string(path)
				}
			}
		}
	default:
		return Peer{}, false
	}
	return p, true
}

// between returns what stands between two strings.
func between(b []byte, from, to string) (part []byte, ok bool) {
	_, part, ok = bytes.Cut(b, []byte(from))
	if !ok {
		return nil, false
	}
	part, _, ok = bytes.Cut(part, []byte(to))
	return part, ok
}
