package sshproxy

import (
	"strconv"
	"strings"
)

// forward is a port or socket forwarding. A path stands in place of a host and port.
type forward struct {
	listenHost  string
	listenPort  int
	listenPath  string
	connectHost string
	connectPort int
	connectPath string
	hasListen   bool // a listen host is given, even an empty one
	hasConnect  bool
}

// socketPath in place of a port marks a path.
const socketPath = -2

// forwardLimit is the size of the buffer in which a client puts the two arguments
// together; what is longer is cut.
const forwardLimit = 255

// parseForward reads [listenhost:]listenport:host:port and its relatives. remote and
// dynamic say which kind is wanted.
func parseForward(spec string, dynamic, remote bool, service func(string) (int, bool)) (f forward, ok bool) {
	for spec != "" && space(spec[0]) {
		spec = spec[1:]
	}
	type field struct {
		text string
		path bool
	}
	var fields []field
	rest, ended := spec, false
	for len(fields) < 4 {
		var text string
		var path, good bool
		text, path, rest, good = forwardField(rest)
		if !good {
			ended = rest == ""
			break
		}
		fields = append(fields, field{text, path})
	}
	if rest != "" || len(fields) < 4 && !ended {
		return f, false
	}
	port := func(i int) int { return parsePort(fields[i].text, service) }
	listenAt := func(i int) {
		if fields[i].path {
			f.listenPath, f.listenPort = fields[i].text, socketPath
		} else {
			f.listenPort = port(i)
		}
	}
	socks := func() { f.connectHost, f.hasConnect = "socks", true }
	listenHost := func() { f.listenHost, f.hasListen = fields[0].text, true }
	connect := func(i int) { f.connectHost, f.hasConnect, f.connectPort = fields[i].text, true, port(i+1) }
	connectTo := func(i int) { f.connectPath, f.connectPort = fields[i].text, socketPath }
	switch len(fields) {
	case 1:
		listenAt(0)
		socks()
	case 2:
		switch {
		case fields[0].path && fields[1].path:
			listenAt(0)
			connectTo(1)
		case fields[1].path:
			f.listenPort = port(0)
			connectTo(1)
		default:
			listenHost()
			f.listenPort = port(1)
			socks()
		}
	case 3:
		switch {
		case fields[0].path:
			listenAt(0)
			connect(1)
		case fields[2].path:
			listenHost()
			f.listenPort = port(1)
			connectTo(2)
		default:
			f.listenPort = port(0)
			connect(1)
		}
	case 4:
		listenHost()
		f.listenPort = port(1)
		connect(2)
	default:
		return f, false
	}
	return f, f.sound(len(fields), dynamic, remote)
}

// sound holds what was read against the limits.
func (f *forward) sound(fields int, dynamic, remote bool) bool {
	switch {
	case dynamic && fields > 2:
		return false
	case !dynamic && fields < 3 && f.connectPath == "" && f.listenPath == "":
		return false
	case !dynamic && f.connectPort <= 0 && f.connectPath == "":
		return false
	case f.listenPort < 0 && f.listenPath == "", !remote && f.listenPort == 0:
		return false
	}
	const hostLimit, pathLimit = 1025, 108
	return len(f.connectHost) < hostLimit && len(f.listenHost) < hostLimit && len(f.connectPath) < pathLimit && len(f.listenPath) < pathLimit
}

// forwardField reads one field, which ends at a colon. Brackets hold colons and are
// dropped, a backslash takes the next byte as it is, a slash makes it a path.
func forwardField(s string) (text string, path bool, rest string, ok bool) {
	if s == "" {
		return "", false, "", false
	}
	if s[0] == '[' {
		end := strings.IndexByte(s, ']')
		if end < 0 || end+1 < len(s) && s[end+1] != ':' {
			return "", false, s, false
		}
		text, rest = s[1:end], s[end+1:]
		if rest != "" {
			rest = rest[1:]
		}
		return text, strings.Contains(text, "/"), rest, true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i == len(s) {
				return "", false, s, false
			}
			b.WriteByte(s[i])
			continue
		case '/':
			path = true
		case ':':
			return b.String(), path, s[i+1:], true
		}
		b.WriteByte(s[i])
	}
	return b.String(), path, "", true
}

// print appends what -G prints after the name of the option.
func (f *forward) print(dynamic bool) string {
	var b strings.Builder
	switch {
	case f.listenPort == socketPath:
		b.WriteString(f.listenPath)
	case !f.hasListen:
		b.WriteString(strconv.Itoa(f.listenPort))
	default:
		b.WriteString("[" + f.listenHost + "]:" + strconv.Itoa(f.listenPort))
	}
	if dynamic {
		return b.String()
	}
	b.WriteByte(' ')
	switch {
	case f.connectPort == socketPath:
		b.WriteString(f.connectPath)
	case !f.hasConnect:
		b.WriteString(strconv.Itoa(f.connectPort))
	default:
		b.WriteString("[" + f.connectHost + "]:" + strconv.Itoa(f.connectPort))
	}
	return b.String()
}
