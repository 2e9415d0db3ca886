package logfmt

import (
	"fmt"
	"strings"
)

// The formats that httpd.conf of every distribution names.
const (
	// Common is the Common Log Format.
	Common = `%h %l %u %t \"%r\" %>s %b`
	// Combined adds the Referer and User-Agent headers.
	Combined = `%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"`
	// VHostCombined begins with the server's name and port.
	VHostCombined = `%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"`
)

// Format is a parsed format. It is not changed after Parse, so that goroutines may
// share it.
type Format struct {
	source   string
	items    []item
	warnings []Warning
}

// item is a literal or a directive.
type item struct {
	put     putter // nil for a literal
	text    string // the literal, or the directive's argument
	codes   []int  // the condition: only for these status codes
	not     bool   // ... or only for others
	key     string // what prepare made of the argument: a canonical header name, a form
	layout  layout // %{...}t
	from    int    // offsets in the source, for Explain
	to      int
	meaning string
}

// Warning tells of a directive that Apache accepts and that prints nothing of use,
// or of one that Go has no source for.
type Warning struct {
	// Offset counts the bytes of the format before the directive.
	Offset int
	// Directive as it is written in the format.
	Directive string
	// Message says what is printed instead, and why.
	Message string
}

// SyntaxError is a format that Apache refuses too.
type SyntaxError struct {
	// Format is the text that was parsed.
	Format string
	// Offset counts the bytes before the place where the parser gave up.
	Offset int
	// Msg is worded as Apache words it in its error log.
	Msg string
}

// Error returns format:1:COLUMN: message; columns count bytes from 1.
func (e *SyntaxError) Error() string { return fmt.Sprintf("format:1:%d: %s", e.Offset+1, e.Msg) }

// Parse reads a format as it stands between the outer quotes in httpd.conf: \" is a
// quote and \\ a backslash there, and in what remains \n, \t, \r and \\ stand for
// their characters. The error is a *SyntaxError. Parse takes time and memory linear
// in the length of the format.
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
	return p.f, nil
}

// String returns the text that was parsed.
func (f *Format) String() string { return f.source }

// Warnings returns what is accepted and useless, in the order of the format.
func (f *Format) Warnings() []Warning { return append([]Warning(nil), f.warnings...) }

type parser struct {
	f      *Format
	s      string // the format after the configuration parser's unquoting
	origin []int  // the offset of each byte of s in the source; nil when nothing was unquoted
	at     int
}

// unquote does what the parser of httpd.conf does within quotes: a backslash goes
// when a quote or a backslash follows it.
func (p *parser) unquote(format string) {
	if !strings.Contains(format, `\`) {
		p.s = format
		return
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		p.origin = append(p.origin, i) // of an escaped byte, its backslash
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

// literal reads up to the next percent sign.
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

// add joins neighbouring literals.
func (f *Format) add(it item) {
	if n := len(f.items); it.put == nil && n > 0 && f.items[n-1].put == nil {
		f.items[n-1].text += it.text
		f.items[n-1].to = it.to
		return
	}
	f.items = append(f.items, it)
}

// unescape reads the escapes that LogFormat knows; any other backslash stays.
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

// maxCode bounds a status code of a condition while it is read; larger numbers are
// conditions that never hold, as they are for Apache.
const maxCode = 1 << 20

// directive reads from a percent sign to the letter.
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

// letter ends a directive.
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
	it.put, it.meaning = d.put, d.meaning
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

// directive is what a letter means.
type directive struct {
	put     putter
	meaning string
	// prepare looks at the argument once; it returns a warning or "".
	prepare func(*item) string
	// absent warns of a directive for which Go has no source.
	absent string
}
