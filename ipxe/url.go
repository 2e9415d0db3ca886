package ipxe

import (
	"fmt"
	"strings"
)

// URLBuilder makes a URL out of constant text, data and variables.
type URLBuilder struct {
	text  string // what it begins with
	parts []urlPart
}

type urlPart struct {
	kind  urlKind
	text  string // constant text, or a key
	value Expr
}

type urlKind uint8

const (
	urlText urlKind = iota
	urlVar
	urlData
	urlQuery
)

// Link is a URL that is constant text: the programmer's own, in printable ASCII without
// blanks, #, \, {, } and $. [URLBuilder.Path] and [URLBuilder.Query] add data.
func Link(url string) *URLBuilder { return &URLBuilder{text: url} }

// URL begins a URL with several parts. A [Text] is taken as it is, as [Link] does. A [Var]
// is filled in by iPXE, such as Var("next-server") for the host. A URL may be used for any
// number of scripts.
func URL(parts ...Expr) *URLBuilder {
	u := &URLBuilder{parts: make([]urlPart, 0, len(parts)+2)}
	for _, p := range parts {
		k := urlText
		if p.kind == exprVar || p.kind == exprHole {
			k = urlVar
		}
		u.parts = append(u.parts, urlPart{k, "", p})
	}
	return u
}

// Path adds a piece of the path that is data: everything but letters, digits, and -._~ is
// escaped.
func (u *URLBuilder) Path(data string) *URLBuilder {
	u.parts = append(u.parts, urlPart{urlData, "", Text(data)})
	return u
}

// PathHole adds a piece of the path that a [Form] fills in.
func (u *URLBuilder) PathHole(number int) *URLBuilder {
	u.parts = append(u.parts, urlPart{urlData, "", Hole(number)})
	return u
}

// Query adds a key and a value to the query. The key and a constant value are escaped. A
// variable is sent as hexadecimal digits of its bytes, which every iPXE passes on
// unharmed, unless it says As or Bare.
func (u *URLBuilder) Query(key string, value Expr) *URLBuilder {
	u.parts = append(u.parts, urlPart{urlQuery, key, value})
	return u
}

// String returns the URL as it stands in a script, or the error instead.
func (u *URLBuilder) String() string {
	var b Builder
	b.open("")
	b.url("URL", u)
	if b.err != nil {
		return b.err.Error()
	}
	return strings.TrimPrefix(string(b.buf[b.start:]), " ")
}

// url adds a URL as one word.
func (b *Builder) url(call string, u *URLBuilder) {
	if u == nil || u.text == "" && len(u.parts) == 0 {
		b.fail(call, fmt.Errorf("no URL"))
		return
	}
	b.buf = append(b.buf, ' ')
	b.words++
	start := len(b.buf)
	var w wordState
	query := false
	if u.text != "" {
		if b.urlText(call, u.text); b.err != nil {
			return
		}
		query = strings.IndexByte(u.text, '?') >= 0
	}
	for i := range u.parts {
		p := &u.parts[i]
		switch p.kind {
		case urlText:
			if b.urlText(call, p.value.text); b.err != nil {
				return
			}
			query = query || strings.IndexByte(p.value.text, '?') >= 0
		case urlVar:
			if b.part(call, &p.value, &w); b.err != nil {
				return
			}
		case urlData:
			if query {
				b.fail(call, fmt.Errorf("a piece of the path after the query"))
				return
			}
			if p.value.kind == exprHole {
				b.escapedHole(call, &p.value, holeEscaped)
				break
			}
			b.buf = appendEscaped(b.buf, p.value.text)
		case urlQuery:
			b.buf = append(b.buf, "?&"[boolIndex(query)])
			query = true
			b.buf = append(appendEscaped(b.buf, p.text), '=')
			if b.queryValue(call, p, &w); b.err != nil {
				return
			}
		}
	}
	if n := len(b.buf) - start; n > longestWord {
		b.tooLong(call, n)
		return
	}
	if len(b.buf) == start || b.buf[start] == '-' {
		b.fail(call, fmt.Errorf("no URL"))
	}
}

// escapedHole adds a hole whose value is escaped, or the value.
func (b *Builder) escapedHole(call string, e *Expr, kind holeKind) {
	if e = b.filled(e); e.kind == exprHole {
		b.hole(call, e, kind)
		return
	}
	b.buf = appendEscaped(b.buf, e.text)
}

// urlText adds constant text.
func (b *Builder) urlText(call, s string) {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		// None below %, none above z, no \: more than is wrong, but seldom.
		w := load(s, i)
		if (w|(w-'%'*everyByte)|(w+(0x7f-'z')*everyByte)|same(w, '\\'))&highBits != 0 {
			break
		}
	}
	for ; i < len(s); i++ {
		if !urlByte[s[i]] {
			b.fail(call, fmt.Errorf("%q in the text %q of a URL: escape it, or use Path and Query", s[i], s))
			return
		}
	}
	b.buf = append(b.buf, s...)
}

// urlByte marks what may stand in the constant text of a URL.
var urlByte = func() (t [256]bool) {
	for c := byte('!'); c <= '~'; c++ {
		t[c] = strings.IndexByte(`#\{}$`, c) < 0
	}
	return t
}()

func boolIndex(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (b *Builder) queryValue(call string, p *urlPart, w *wordState) {
	v := *b.filled(&p.value)
	old := b.Profile == (Profile{}) || b.Profile.Features().URI == Reencode
	switch v.kind {
	case exprHole:
		kind := holeEscaped
		if old {
			kind = holeQuery
		}
		b.hole(call, &v, kind)
	case exprText:
		if old && strings.ContainsAny(v.text, "&+") {
			b.fail(call, fmt.Errorf("%w: & or + in the value of %s: iPXE before November 2021 hands it on unescaped", ErrUnrepresentable, p.text))
			return
		}
		b.buf = appendEscaped(b.buf, v.text)
	case exprVar:
		if v.typ == "" {
			v.typ = HexRaw
		}
		b.part(call, &v, w)
	default:
		b.fail(call, fmt.Errorf("the value of %s must be one text or one variable", p.text))
	}
}

// appendEscaped escapes all but the unreserved characters of RFC 3986.
func appendEscaped(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~' {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
	}
	return dst
}
