package logfmt

import (
	"fmt"
	"slices"
	"strings"

	"dougu.internal/internal/jsontext"
)

// The formats that are defined in the httpd.conf files of distributions.
const (
	// Common is the Common Log Format.
	Common = `%h %l %u %t \"%r\" %>s %b`
	// Combined adds the Referer and User-Agent headers.
	Combined = `%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"`
	// VHostCombined is Combined preceded by the name and the port of the server.
	VHostCombined = `%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"`
)

// Format is a parsed format. Use [Parse] to create one. All methods are safe for concurrent
// use by multiple goroutines.
type Format struct {
	source   string
	items    []item
	warnings []Warning
	wire     bool // a directive prints a number of bytes on the connection
}

// item is a literal or a directive.
type item struct {
	put     putter // nil for a literal
	name    string // the letter of the directive
	text    string // the literal, or the argument of the directive
	codes   []int  // the condition: only for these status codes
	not     bool   // ... or only for others
	key     string // the normalized argument, such as a canonical header name
	layout  layout // %{...}t
	from    int    // offsets in the source, for Explain
	to      int
	meaning string
}

// Warning describes a part of a format that Apache accepts and that prints no useful value.
type Warning struct {
	// Offset is the position of the directive in the format, in bytes from 0.
	Offset int `json:"offset,omitzero"`
	// Directive is the text of the directive.
	Directive string `json:"directive,omitzero"`
	// Message describes what the directive prints, and the reason.
	Message string `json:"message,omitzero"`
}

// MarshalJSON returns the JSON encoding of w. It keeps strings that are not valid UTF-8.
func (w Warning) MarshalJSON() ([]byte, error) {
	type plain Warning
	return jsontext.Marshal(plain(w))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (w *Warning) UnmarshalJSON(b []byte) error {
	type plain Warning
	return jsontext.Unmarshal(b, (*plain)(w))
}

// SyntaxError describes a format that Apache rejects.
type SyntaxError struct {
	// Format is the text that was parsed.
	Format string `json:"format,omitzero"`
	// Offset is the position of the error in the format, in bytes from 0.
	Offset int `json:"offset,omitzero"`
	// Msg is the message that Apache writes to its error log.
	Msg string `json:"msg,omitzero"`
}

// Error returns the column, counted in bytes from 1, and the message.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("logfmt: column %d: %s", e.Offset+1, e.Msg)
}

// MarshalJSON returns the JSON encoding of e. It keeps strings that are not valid UTF-8.
func (e SyntaxError) MarshalJSON() ([]byte, error) {
	type plain SyntaxError
	return jsontext.Marshal(plain(e))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *SyntaxError) UnmarshalJSON(b []byte) error {
	type plain SyntaxError
	return jsontext.Unmarshal(b, (*plain)(e))
}

// Parse parses a format: the text between the outer quotes of a LogFormat directive in
// httpd.conf. In it, \" is a quote and \\ a backslash, as in every quoted argument of
// httpd.conf. In the result, \n, \t, \r and \\ are replaced by the characters that they
// represent. An error is a [*SyntaxError]. Time and memory are linear in the length of the
// format.
func Parse(format string) (*Format, error) {
	p := parser{f: &Format{source: format}}
	p.unquote(format)
	for p.at < len(p.s) {
		if p.s[p.at] == '%' {
			if err := p.directive(); err != nil {
				return nil, err
			}
			continue
		}
		p.literal()
	}
	p.f.lookForPaste()
	p.f.lookForJSON()
	slices.SortStableFunc(p.f.warnings, func(a, b Warning) int { return a.Offset - b.Offset })
	return p.f, nil
}

// String returns the text of the format.
func (f *Format) String() string { return f.source }

// MarshalText returns the text of the format, which [Parse] reads.
func (f *Format) MarshalText() ([]byte, error) { return []byte(f.source), nil }

// UnmarshalText sets f to the parsed text.
func (f *Format) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*f = *parsed
	return nil
}

// Warnings returns the parts that print no useful value, in the order of the format: directives
// without a source in Go, text that was copied from httpd.conf with more than the format, and
// directives whose values are not valid in a format that looks like JSON.
func (f *Format) Warnings() []Warning { return append([]Warning(nil), f.warnings...) }

type parser struct {
	f      *Format
	s      string // the format after the configuration parser's unquoting
	origin []int  // the offset of each byte of s in the source; nil if nothing was unquoted
	at     int
}

// unquote removes each backslash that precedes a quote or a backslash, like the parser of
// httpd.conf.
func (p *parser) unquote(format string) {
	if !strings.Contains(format, `\`) {
		p.s = format
		return
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		p.origin = append(p.origin, i) // for an escaped byte, that of its backslash
		if format[i] == '\\' && i+1 < len(format) && (format[i+1] == '"' || format[i+1] == '\\') {
			i++
		}
		b.WriteByte(format[i])
	}
	p.s = b.String()
}

func (p *parser) offset(at int) int {
	switch {
	case p.origin == nil:
		return at
	case at < len(p.origin):
		return p.origin[at]
	}
	return len(p.f.source)
}

func (p *parser) fail(at int, format string, args ...any) error {
	return &SyntaxError{Format: p.f.source, Offset: p.offset(at), Msg: fmt.Sprintf(format, args...)}
}

// literal parses the text up to the next percent sign.
func (p *parser) literal() {
	end := strings.IndexByte(p.s[p.at:], '%')
	if end < 0 {
		end = len(p.s)
	} else {
		end += p.at
	}
	text := p.s[p.at:end]
	if strings.Contains(text, `\`) {
		text = unescape(text)
	}
	p.f.add(item{text: text, from: p.offset(p.at), to: p.offset(end)})
	p.at = end
}

// add appends an item. It merges adjacent literals.
func (f *Format) add(it item) {
	if n := len(f.items); it.put == nil && n > 0 && f.items[n-1].put == nil {
		f.items[n-1].text += it.text
		f.items[n-1].to = it.to
		return
	}
	f.items = append(f.items, it)
}

// unescape replaces the escapes of LogFormat. Other backslashes are kept.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			if j := strings.IndexByte(`ntr\`, s[i+1]); j >= 0 {
				b.WriteByte("\n\t\r\\"[j])
				i++
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// maxCode is the limit for a status code in a condition. A condition with a larger number is
// never true.
const maxCode = 1 << 20

// directive parses a directive from its percent sign to its letter.
func (p *parser) directive() error {
	start := p.at
	it := item{from: p.offset(start)}
	for p.at++; p.at < len(p.s); {
		switch c := p.s[p.at]; {
		case c == '!':
			it.not = !it.not
			p.at++
		case c == '<' || c == '>' || c == ',':
			p.at++
		case c == '{':
			end := strings.IndexByte(p.s[p.at:], '}')
			if end < 0 {
				return p.fail(len(p.s), "Ran off end of LogFormat parsing args to some directive")
			}
			it.text = p.s[p.at+1 : p.at+end]
			p.at += end + 1
		case c >= '0' && c <= '9':
			n := 0
			for ; p.at < len(p.s) && p.s[p.at] >= '0' && p.s[p.at] <= '9'; p.at++ {
				n = min(maxCode, n*10+int(p.s[p.at]-'0'))
			}
			it.codes = append(it.codes, n)
		default:
			return p.letter(it, start)
		}
	}
	return p.fail(len(p.s), "Ran off end of LogFormat parsing args to some directive")
}

// letter parses the letter of a directive.
func (p *parser) letter(it item, start int) error {
	name := p.s[p.at : p.at+1]
	if name == "^" && p.at+3 <= len(p.s) {
		name = p.s[p.at : p.at+3]
	}
	if name == "%" && p.at == start+1 {
		p.at++
		p.f.add(item{text: "%", from: it.from, to: p.offset(p.at)})
		return nil
	}
	d, ok := directives[name]
	if !ok {
		return p.fail(p.at, "Unrecognized LogFormat directive %%%s", p.s[p.at:p.at+1])
	}
	p.at += len(name)
	it.to = p.offset(p.at)
	it.name, it.put, it.meaning = name, d.put, d.meaning
	p.f.wire = p.f.wire || d.wire
	if d.prepare != nil {
		if msg := d.prepare(&it); msg != "" {
			p.warn(start, msg)
		}
	} else if d.absent != "" {
		p.warn(start, d.absent)
	}
	p.f.items = append(p.f.items, it)
	return nil
}

func (p *parser) warn(start int, msg string) {
	p.f.warnings = append(p.f.warnings, Warning{Offset: p.offset(start), Directive: p.s[start:p.at], Message: msg})
}

// directive describes the directive of a letter.
type directive struct {
	put     putter
	meaning string
	// prepare parses the argument and returns a warning or "". It may be nil.
	prepare func(*item) string
	// absent is the warning for a directive without a source in Go.
	absent string
	// wire means that the directive prints a number of bytes on the connection.
	wire bool
}
