package keepalived

import (
	"strings"

	"dougu.internal/diag"
)

// source is one file that was read.
type source struct {
	name string // as findings give it
	path string // in the file system
	text string
	// lines indexes the lines when the first finding asks for a place.
	lines func() *diag.Lines
	// comments are the places of "lint:ignore", in order.
	comments []comment
	// included is the include that brought the file.
	included span
	// cycle is the include by which the file includes itself, of a file that is read
	// once more for that reason.
	cycle *span
}

// comment is one "lint:ignore": the line it stands on and the rules it names.
type comment struct {
	line  int
	from  int
	to    int
	alone bool // nothing but the comment stands on the line
	rules []string
}

// line is one logical line: what keepalived looks at after comments, conditions and
// variables are gone and braces stand by themselves. Most lines are a stretch of
// their file as it is; the others have their own text and a map to the source.
type line struct {
	file int32
	off  int32
	n    int32
	ext  int32 // index+1 of the extra text, or 0
}

// extra is the text of a line that is not a plain stretch of its file.
type extra struct {
	text string
	// origin gives for each byte the offset of the source byte it comes from; a
	// byte that a variable brought comes from the "$" of its use.
	origin []int32
	// ends gives the offset behind the source of each byte.
	ends []int32
	// def is the place of the definition that brought a part of the line.
	def span
	// expanded reports that a part of the line does not stand in the source.
	expanded bool
}

// span is a stretch of a source file. A span with file -1 has no place.
type span struct{ file, from, to int32 }

var nowhere = span{file: -1}

// word is one word of a logical line and the offset in the line's text at which it
// begins, quotes not counted.
type word struct {
	s  string
	at int32
	q  bool // it was quoted
}

// text returns the text of a logical line.
func (c *Config) text(l line) string {
	if l.ext != 0 {
		return c.extras[l.ext-1].text
	}
	return c.sources[l.file].text[l.off : l.off+l.n]
}

// span returns the place in the source of the bytes [from, to) of a line's text.
func (c *Config) span(l line, from, to int) span {
	if l.ext == 0 {
		return span{l.file, l.off + int32(from), l.off + int32(to)}
	}
	x := &c.extras[l.ext-1]
	if len(x.origin) == 0 {
		return span{l.file, l.off, l.off}
	}
	last := len(x.origin) - 1
	from = min(from, last)
	s := span{l.file, x.origin[from], x.ends[max(from, min(to-1, last))]}
	s.to = max(s.to, s.from)
	return s
}

// word returns the place of a word.
func (c *Config) wordSpan(l line, w word) span {
	return c.span(l, int(w.at), int(w.at)+len(w.s))
}

// plain reports whether the bytes [from, to) of a line stand in the source just so.
func (c *Config) plain(l line, from, to int) bool {
	if l.ext == 0 {
		return true
	}
	s := c.span(l, from, to)
	text := c.sources[l.file].text
	return int(s.to) <= len(text) && text[s.from:s.to] == c.extras[l.ext-1].text[from:to]
}

func (c *Config) place(s span) diag.Range {
	if s.file < 0 {
		return diag.Range{}
	}
	src := &c.sources[s.file]
	return src.lines().Range(src.name, int(s.from), int(s.to))
}

const blanks = " \t\f\n\r\v"

func isBlank(b byte) bool { return b == ' ' || b >= '\t' && b <= '\r' }

// split appends the words of a line: separated by white space, a quoted string is a
// word of its own even inside a word. ok is false when a quote is not closed; the
// words before it are returned.
func split(words []word, text string) (_ []word, ok bool) {
	for i := 0; ; {
		for i < len(text) && isBlank(text[i]) {
			i++
		}
		if i == len(text) {
			return words, true
		}
		if text[i] == '"' {
			i++
			n := strings.IndexByte(text[i:], '"')
			if n < 0 {
				return words, false
			}
			words = append(words, word{text[i : i+n], int32(i), true})
			i += n + 1
			continue
		}
		from := i
		for i < len(text) && text[i] != '"' && !isBlank(text[i]) {
			i++
		}
		words = append(words, word{text[from:i], int32(from), false})
	}
}

// splitQuoted splits as the values of scripts are split: both kinds of quotes, which
// may begin inside a word, and escapes. problem is the quote that is missing, or a
// backslash for an escape that is cut off, or 0.
func splitQuoted(text string) (words []word, problem byte) {
	var quote byte
	for i := 0; i < len(text); {
		for i < len(text) && isBlank(text[i]) {
			i++
		}
		if i == len(text) {
			break
		}
		at := int32(i)
		var b []byte
	word:
		for i < len(text) {
			c := text[i]
			switch {
			case c == '\\':
				i++
				if i == len(text) {
					return nil, '\\'
				}
				var n int
				c, n = unescape(text[i:])
				b = append(b, c)
				i += n
				continue
			case quote != 0 && c == quote:
				quote = 0
				i++
				continue
			case quote == 0 && (c == '"' || c == '\''):
				quote = c
				i++
				continue
			case quote == 0 && isBlank(c):
				break word
			}
			b = append(b, c)
			i++
		}
		if quote != 0 {
			return nil, quote
		}
		words = append(words, word{string(b), at, false})
	}
	return words, 0
}

// unescape reads what follows a backslash and returns the byte and the length read.
func unescape(s string) (byte, int) {
	hex := func(c byte) (byte, bool) {
		switch {
		case c >= '0' && c <= '9':
			return c - '0', true
		case c >= 'a' && c <= 'f':
			return c - 'a' + 10, true
		case c >= 'A' && c <= 'F':
			return c - 'A' + 10, true
		}
		return 0, false
	}
	c := s[0]
	if c == 'x' && len(s) > 1 {
		if _, ok := hex(s[1]); ok {
			var v byte
			n := 1
			for n < len(s) {
				d, ok := hex(s[n])
				if !ok {
					break
				}
				v = v<<4 | d
				n++
			}
			return v, n
		}
	}
	if c == 'c' && len(s) > 1 {
		return s[1] & 0x1f, 2
	}
	if c >= '0' && c <= '7' {
		v := byte(0)
		n := 0
		for n < 3 && n < len(s) && s[n] >= '0' && s[n] <= '7' {
			v = v<<3 + s[n] - '0'
			n++
		}
		return v, n
	}
	switch c {
	case 'a':
		return '\a', 1
	case 'b':
		return '\b', 1
	case 'E':
		return 0x1b, 1
	case 'f':
		return '\f', 1
	case 'n':
		return '\n', 1
	case 'r':
		return '\r', 1
	case 't':
		return '\t', 1
	case 'v':
		return '\v', 1
	}
	return c, 1
}
