package sshproxy

import (
	"strconv"
	"strings"
)

// jump is a parsed jump list: the last hop, and the others as they were written.
type jump struct {
	none  bool
	user  string
	host  string
	port  int // -1: not given
	extra string
	said  bool // a user was given
}

// parseJump reads the value of ProxyJump or -J. strict refuses what a shell would
// read; messages are what the client says before it gives up.
func (p *build) parseJump(value string, strict bool, service func(string) (int, bool)) (j jump, messages []string, ok bool) {
	if equalFold(value, "none") {
		return jump{none: true, host: "none"}, nil, true
	}
	whole := value
	if p.splitsArguments() {
		if i := strings.IndexByte(whole, '#'); i >= 0 {
			whole = whole[:i]
		}
		whole = p.trimJump(whole)
	}
	rest, first := whole, true
	for {
		hop := rest
		i := strings.LastIndexByte(rest, ',')
		if i >= 0 {
			hop, rest = rest[i+1:], rest[:i]
		}
		user, said, host, port, good := p.parseHop(hop, service)
		if !good {
			return j, nil, false
		}
		if strict && p.checksJump() {
			if ValidHost(host) != nil {
				return j, []string{`parse_jump: invalid hostname "` + host + `"`}, false
			}
			if said && (ValidUser(user) != nil || p.has(userBackslash) && strings.ContainsAny(user, `$\`)) {
				return j, []string{`parse_jump: invalid username "` + user + `"`}, false
			}
		}
		if first {
			j.user, j.said, j.host, j.port = user, said, host, port
		}
		first = false
		if i < 0 {
			break
		}
	}
	source := whole
	if p.splitsArguments() && !p.checksJump() {
		source = value // the comment was cut for the check alone
	}
	if i := strings.LastIndexByte(source, ','); i > 0 || i == 0 && p.checksJump() {
		j.extra = source[:i]
	}
	return j, nil, true
}

// trimJump takes blanks from the end. Clients before 10.1 end the value at its first
// blank, the first byte set apart.
func (p *build) trimJump(s string) string {
	if p.cutsAtBlank() {
		for i := 1; i < len(s); i++ {
			if space(s[i]) {
				return s[:i]
			}
		}
		return s
	}
	return strings.TrimRightFunc(s, func(r rune) bool { return r < 0x80 && space(byte(r)) })
}

// parseHop reads [user@]host[:port], or the same as an ssh:// URI.
func (p *build) parseHop(s string, service func(string) (int, bool)) (user string, said bool, host string, port int, ok bool) {
	if rest, uri := strings.CutPrefix(s, "ssh://"); uri {
		user, said, host, port, path, good := parseURI(rest, service)
		if !good || path {
			return "", false, "", -1, false
		}
		if p.splitsArguments() {
			return user, said, host, port, true
		}
		// Clients before 8.7 read the same text once more in the plain form.
	}
	port = -1
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		if i == 0 {
			return "", false, "", -1, false
		}
		user, said, s = s[:i], true, s[i+1:]
	}
	host, rest, _, more, good := splitHostPort(s)
	if !good || host == "" {
		return "", false, "", -1, false
	}
	if more == '/' {
		return "", false, "", -1, false
	}
	host = unbracket(host)
	if rest != "" {
		if port = parsePort(rest, service); port <= 0 {
			return "", false, "", -1, false
		}
	}
	return user, said, host, port, true
}

// splitHostPort cuts the host off: up to ':' or '/', or to the bracket that closes
// one. more is the byte that ended it, 0 at the end.
func splitHostPort(s string) (host, rest string, found bool, more byte, ok bool) {
	end := 0
	if strings.HasPrefix(s, "[") {
		i := strings.IndexByte(s, ']')
		if i < 0 {
			return "", "", false, 0, false
		}
		end = i + 1
	} else if end = strings.IndexAny(s, ":/"); end < 0 {
		end = len(s)
	}
	if end == len(s) {
		return s, "", false, 0, true
	}
	if s[end] != ':' && s[end] != '/' {
		return "", "", false, 0, false
	}
	return s[:end], s[end+1:], true, s[end], true
}

func unbracket(s string) string {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		if len(s) < 2 {
			return ""
		}
		return s[1 : len(s)-1]
	}
	return s
}

// parseURI reads what follows ssh://. path reports that a path is there.
func parseURI(s string, service func(string) (int, bool)) (user string, said bool, host string, port int, path, ok bool) {
	port = -1
	if login, after, found := strings.Cut(s, "@"); found {
		info, _, _ := strings.Cut(login, ";")
		if info == "" {
			return "", false, "", -1, false, false
		}
		decoded, good := urlDecode(info)
		if !good {
			return "", false, "", -1, false, false
		}
		user, said, s = decoded, true, after
	}
	host, rest, _, more, good := splitHostPort(s)
	if !good || host == "" {
		return "", false, "", -1, false, false
	}
	host = unbracket(host)
	host, why := validDomain(host, false)
	if why != "" {
		return "", false, "", -1, false, false
	}
	if more == ':' && rest != "" {
		number, after, slash := strings.Cut(rest, "/")
		if port = parsePort(number, service); port <= 0 {
			return "", false, "", -1, false, false
		}
		rest = ""
		if slash {
			rest = after
		}
	}
	if rest != "" {
		if _, good := urlDecode(rest); !good {
			return "", false, "", -1, false, false
		}
		path = true
	}
	return user, said, host, port, path, true
}

func urlDecode(s string) (string, bool) {
	if !strings.ContainsAny(s, "+%") {
		return s, true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '+':
			b.WriteByte(' ')
		case '%':
			if i+2 >= len(s) {
				return "", false
			}
			n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil || n == 0 {
				return "", false
			}
			b.WriteByte(byte(n))
			i += 2
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), true
}

// validDomain checks a domain name and takes a dot from its end; why is what the
// client says of a bad one.
func validDomain(name string, fold bool) (valid, why string) {
	if name == "" {
		return "", "empty domain name"
	}
	if !alpha(name[0]) && !digit(name[0]) {
		return "", `domain name "` + cut(name, 100) + `" starts with invalid character`
	}
	if fold {
		name = lower(name)
	}
	last := byte(0)
	for i := range len(name) {
		c := name[i]
		if last == '.' && c == '.' {
			return "", `domain name "` + cut(name, 100) + `" contains consecutive separators`
		}
		if c != '.' && c != '-' && c != '_' && !alpha(c) && !digit(c) {
			return "", `domain name "` + cut(name, 100) + `" contains invalid characters`
		}
		last = c
	}
	return strings.TrimSuffix(name, "."), ""
}

// print is the jump as -G prints it.
func (j *jump) print() string {
	var b strings.Builder
	if j.extra != "" {
		b.WriteString(j.extra + ",")
	}
	if j.said {
		b.WriteString(j.user + "@")
	}
	if strings.Contains(j.host, ":") || strings.Trim(j.host, "0123456789.") == "" {
		b.WriteString("[" + j.host + "]")
	} else {
		b.WriteString(j.host)
	}
	if j.port > 0 {
		b.WriteString(":" + strconv.Itoa(j.port))
	}
	return b.String()
}
