package sim

import (
	"strings"

	"dougu.internal/ipxe"
)

// uri is a URI as iPXE holds it. In the generation Reencode all fields are decoded; in
// the generation Keep path, query and fragment are as written. A field that is absent
// differs from one that is empty.
type uri struct {
	scheme, opaque, user, password, host, port, path, query, fragment field
	params                                                            *params
}

// field is a part of a URI that may be absent.
type field struct {
	text string
	is   bool
}

func some(s string) field { return field{s, true} }

// uriField says which characters are escaped.
type uriField uint8

const (
	uriDefault uriField = iota // also the scheme
	uriOpaque
	uriUser
	uriPassword
	uriHost
	uriPort
	uriPath
	uriQuery
	uriFragment
)

// escaped holds what is escaped in a field, beside blanks, control characters, bytes
// above 126, and %.
var escaped = [...]string{"/#:@?=&", "#", "/#:@?", "/#:@?", "/#@?", "/#:@?", "#:@?", "#:@?", "/#:@?"}

const upperHex = "0123456789ABCDEF"

// appendEncoded escapes text for a field. Bytes above 127 come out as %FFFFFFXX, as in
// iPXE.
func appendEncoded[T string | []byte](dst []byte, p *ipxe.Features, f uriField, s T) []byte {
	table := &safeBytes[f]
	if f == uriDefault && p.PlusEscaped {
		table = &safeBytes[len(escaped)]
	}
	raw := p.URI == ipxe.Keep && f >= uriPath // already escaped
	if raw {
		table = &rawBytes
	}
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if table[c] {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		dst = append(dst, '%')
		if c >= 0x80 {
			dst = append(dst, "FFFFFF"...)
		}
		dst = append(dst, upperHex[c>>4], upperHex[c&15])
	}
	return append(dst, s[from:]...)
}

// safeBytes marks what stays as it is in each field, the last one in a default field of a
// build that escapes +; rawBytes what stays in text that is escaped already.
var safeBytes, rawBytes = func() (list [len(escaped) + 1][256]bool, raw [256]bool) {
	for c := byte('!'); c <= '~'; c++ {
		raw[c] = true
		for f := range escaped {
			list[f][c] = c != '%' && strings.IndexByte(escaped[f], c) < 0
		}
		list[len(escaped)][c] = list[uriDefault][c] && c != '+'
	}
	return list, raw
}()

// uriDecode decodes %XX; what is no hexadecimal number stays, and one digit is enough.
func uriDecode(s string) string {
	i := strings.IndexByte(s, '%')
	if i < 0 {
		return s
	}
	out := append(make([]byte, 0, len(s)), s[:i]...)
	for i < len(s) {
		c := s[i]
		i++
		if c == '%' {
			hex := s[i:min(i+2, len(s))]
			// strtoul: white space, a sign and 0x count too, but only two characters are looked at.
			v, rest := strtoul(hex, 16)
			if n := len(hex) - len(rest); n > 0 {
				c = byte(v)
				i += n
			}
		}
		out = append(out, c)
	}
	return string(out)
}

// cString ends text at its first NUL, as every copy of a string in iPXE does.
func cString(s string) string {
	if before, _, ok := strings.Cut(s, "\x00"); ok {
		return before
	}
	return s
}

// parseURI splits a URI; it takes the parameter list that "##params" names.
func (r *runner) parseURI(text string) *uri {
	u := r.newURI()
	keep := r.p.URI == ipxe.Keep
	raw := text
	if i := strings.Index(raw, "##params"); i >= 0 {
		name := raw[i+len("##params"):]
		raw = raw[:i]
		switch {
		case name == "" || keep && name[0] != '=':
			u.params = r.claimParams(field{})
		default:
			name = name[1:]
			u.params = r.claimParams(some(name))
		}
	}
	if i := strings.IndexByte(raw, '#'); i >= 0 {
		u.fragment = some(raw[i+1:])
		raw = raw[:i]
	}
	path, hasPath := raw, true
	if i := schemeEnd(raw, keep); i >= 0 {
		u.scheme = some(raw[:i])
		if rest := raw[i+1:]; strings.HasPrefix(rest, "/") {
			path = rest
		} else {
			u.opaque, hasPath = some(rest), false
		}
	}
	if hasPath {
		u.splitPath(path)
	}
	if strings.IndexByte(text, '%') < 0 && strings.IndexByte(text, 0) < 0 {
		return u // nothing to decode
	}
	for _, f := range [...]*field{&u.scheme, &u.opaque, &u.user, &u.password, &u.host, &u.port} {
		f.decode()
	}
	if !keep {
		u.path.decode()
		u.query.decode()
		u.fragment.decode()
	}
	return u
}

func (f *field) decode() {
	if f.is {
		f.text = cString(uriDecode(f.text))
	}
}

// schemeEnd returns the place of the colon that ends a scheme: in the old generation
// the first colon anywhere, later only after letters, - and _.
func schemeEnd(s string, keep bool) int {
	i := strings.IndexByte(s, ':')
	if i < 0 || !keep {
		return i
	}
	for _, c := range []byte(s[:i]) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_') {
			return -1
		}
	}
	return i
}

func (u *uri) splitPath(path string) {
	if i := strings.IndexByte(path, '?'); i >= 0 {
		u.query = some(path[i+1:])
		path = path[:i]
	}
	if path == "" {
		return
	}
	if !u.scheme.is || !strings.HasPrefix(path, "//") {
		u.path = some(path)
		return
	}
	authority := path[2:]
	if i := strings.IndexByte(authority, '/'); i >= 0 {
		u.path = some(authority[i:])
		authority = authority[:i]
	}
	if i := strings.IndexByte(authority, '@'); i >= 0 {
		u.user = some(authority[:i])
		authority = authority[i+1:]
		if i := strings.IndexByte(u.user.text, ':'); i >= 0 {
			u.password = some(u.user.text[i+1:])
			u.user.text = u.user.text[:i]
		}
	}
	u.host = some(authority)
	if !strings.HasSuffix(authority, "]") {
		if i := strings.LastIndexByte(authority, ':'); i >= 0 {
			u.host.text, u.port = authority[:i], some(authority[i+1:])
		}
	}
}

// formatURI writes the URI as iPXE prints it.
func (r *runner) formatURI(u *uri) string {
	r.uriText = appendURI(r.uriText[:0], r.p, u)
	return r.keepText(r.uriText)
}

// appendURI appends a URI as iPXE prints and sends it.
func appendURI(dst []byte, p *ipxe.Features, u *uri) []byte {
	put := func(prefix string, f uriField, v *field) {
		if v.is {
			dst = appendEncoded(append(dst, prefix...), p, f, v.text)
		}
	}
	if u.scheme.is {
		put("", uriDefault, &u.scheme)
		dst = append(dst, ':')
		if u.host.is {
			dst = append(dst, "//"...)
		}
	}
	put("", uriOpaque, &u.opaque)
	put("", uriUser, &u.user)
	put(":", uriPassword, &u.password)
	at := ""
	if u.user.is {
		at = "@"
	}
	put(at, uriHost, &u.host)
	put(":", uriPort, &u.port)
	put("", uriPath, &u.path)
	put("?", uriQuery, &u.query)
	put("#", uriFragment, &u.fragment)
	return dst
}

// resolveURI makes a URI absolute.
func (r *runner) resolveURI(base, rel *uri) *uri {
	if rel.scheme.is || base == nil {
		return rel
	}
	u := r.newURI()
	*u = *base
	switch {
	case rel.path.is:
		from := "/"
		if base.path.is {
			from = base.path.text
		}
		u.path = some(resolvePath(from, rel.path.text))
		u.query, u.fragment, u.params = rel.query, rel.fragment, rel.params
	case rel.query.is:
		u.query, u.fragment, u.params = rel.query, rel.fragment, rel.params
	case rel.fragment.is:
		u.fragment, u.params = rel.fragment, rel.params
	case rel.params != nil:
		u.params = rel.params
	}
	return u
}

// resolvePath resolves a path as iPXE does: "./" and "../" count at the beginning only.
func resolvePath(base, rel string) string {
	if strings.HasPrefix(rel, "/") {
		return rel
	}
	dir := dirname(base)
	for strings.HasPrefix(rel, ".") {
		switch {
		case rel == ".":
			rel = ""
		case strings.HasPrefix(rel, "./"):
			rel = rel[2:]
		case rel == "..":
			dir, rel = dirname(dir), ""
		case strings.HasPrefix(rel, "../"):
			dir, rel = dirname(dir), rel[3:]
		default:
			return joinPath(dir, rel)
		}
	}
	return joinPath(dir, rel)
}

func joinPath(dir, rel string) string {
	if strings.HasSuffix(dir, "/") {
		return dir + rel
	}
	return dir + "/" + rel
}

// dirname is that of iPXE: "/" for what has no other directory, "." for a bare name.
func dirname(path string) string {
	i := strings.LastIndexByte(path, '/')
	switch {
	case i < 0:
		return "."
	case i == 0:
		return "/"
	}
	return path[:i]
}

// basename is the part after the last slash.
func basename(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
