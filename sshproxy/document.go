package sshproxy

import (
	"iter"
	"slices"
	"strings"

	"dougu.internal/diag"
)

// File is a configuration file as it was written. Parsing never fails: what no client
// would accept is kept and is named by [File.Check]. A File is not safe for use by
// several goroutines while one edits it.
type File struct {
	name  string
	src   string
	lines []line
	odd   map[int32]string // keywords that are not written plainly, by index of line
	nul   bool             // a NUL is in the file
}

// line is one line of a file, without its LF.
type line struct {
	start, end int32 // of the line
	key, stop  int32 // of the keyword as written
	rest, last int32 // of what follows it, without blanks around; rest is -1 without a keyword
	block      blockKind
	bare       bool // nothing follows the keyword, not even an empty token
}

type blockKind uint8

const (
	notABlock blockKind = iota
	hostBlock
	matchBlock
)

// Parse reads a file. The name is what messages call it. The bytes are copied.
func Parse(name string, src []byte) *File {
	f := &File{name: name, src: string(src)}
	f.scan()
	return f
}

// scan finds the lines and their keywords.
func (f *File) scan() {
	src := f.src
	f.lines = make([]line, 0, strings.Count(src, "\n")+1)
	f.odd, f.nul = nil, strings.IndexByte(src, 0) >= 0
	for at := 0; at < len(src); {
		end, next := len(src), len(src)
		if i := strings.IndexByte(src[at:], '\n'); i >= 0 {
			end, next = at+i, at+i+1
		}
		f.lines = append(f.lines, f.scanLine(at, end))
		at = next
	}
}

// wordByte marks the bytes of a plain keyword.
var wordByte = func() (t [256]bool) {
	for c := range t {
		t[c] = alpha(byte(c)) || digit(byte(c))
	}
	return t
}()

func (f *File) scanLine(start, end int) line {
	l := line{start: int32(start), end: int32(end), rest: -1}
	raw := f.src[start:end]
	text := raw
	if n := len(raw); n > 0 && raw[n-1] <= ' ' || f.nul {
		text = trimLine(raw)
	}
	i := 0
	for i < len(text) && blank(text[i]) {
		i++
	}
	if i == len(text) || text[i] == '#' {
		return l
	}
	key := i
	for i < len(text) && wordByte[text[i]] {
		i++
	}
	if i == key || i < len(text) && text[i] != ' ' && text[i] != '\t' && text[i] != '=' {
		return f.oddLine(l, text)
	}
	l.key, l.stop = int32(start+key), int32(start+i)
	if l.bare = i == len(text); !l.bare {
		equal := text[i] == '='
		for i++; i < len(text) && blank(text[i]); i++ {
		}
		if !equal && i < len(text) && text[i] == '=' {
			for i++; i < len(text) && blank(text[i]); i++ {
			}
		}
	}
	l.rest, l.last = int32(start+i), int32(start+len(text))
	l.block = blockOf(text[key : int(l.stop)-start])
	return l
}

// oddLine reads a line whose keyword is quoted, or broken, or not of letters.
func (f *File) oddLine(l line, text string) line {
	keyword, rest, none, ok := splitKeyword(text)
	if !ok {
		return l
	}
	key := len(text) - len(strings.TrimLeft(text, " \t\r\n"))
	stop := len(text) - len(rest)
	if none {
		stop = len(text)
	}
	for stop > key+1 && (blank(text[stop-1]) || text[stop-1] == '=') && !strings.HasSuffix(text[:stop], keyword) {
		stop--
	}
	l.key, l.stop = l.start+int32(key), l.start+int32(stop)
	l.rest, l.last = l.start+int32(len(text)-len(rest)), l.start+int32(len(text))
	l.bare = none
	l.block = blockOf(keyword)
	if f.src[l.key:l.stop] != keyword {
		if f.odd == nil {
			f.odd = map[int32]string{}
		}
		f.odd[int32(len(f.lines))] = keyword
	}
	return l
}

func blockOf(keyword string) blockKind {
	switch {
	case len(keyword) == 4 && equalFold(keyword, "host"):
		return hostBlock
	case len(keyword) == 5 && equalFold(keyword, "match"):
		return matchBlock
	}
	return notABlock
}

// Name is the name given to [Parse].
func (f *File) Name() string { return f.name }

// Bytes returns the file: exactly what was parsed, with the edits that were made.
func (f *File) Bytes() []byte { return []byte(f.src) }

// keyword returns the keyword of a line as the client reads it, "" without one.
func (f *File) keyword(i int) string {
	l := &f.lines[i]
	if l.rest < 0 {
		return ""
	}
	if k, ok := f.odd[int32(i)]; ok {
		return k
	}
	return f.src[l.key:l.stop]
}

// argument returns what follows the keyword of a line.
func (f *File) argument(i int) string {
	l := &f.lines[i]
	if l.rest < 0 {
		return ""
	}
	return f.src[l.rest:l.last]
}

// Option is one line that sets something.
type Option struct {
	// Keyword as the client reads it, in the case in which it is written.
	Keyword string `json:"keyword,omitzero"`
	// Value is the rest of the line as it is written, with quotes and comments.
	Value string `json:"value,omitzero"`
	// Line counts from 1.
	Line int `json:"line,omitzero"`
	// Range is the line without its LF; KeywordRange and ValueRange lie in it.
	Range        diag.Range `json:"range,omitzero"`
	KeywordRange diag.Range `json:"keywordRange,omitzero"`
	ValueRange   diag.Range `json:"valueRange,omitzero"`
}

// Block is what stands under one Host or Match line, or before the first of them.
type Block struct {
	// Header is "Host" or "Match", and "" for the lines before the first block.
	Header string `json:"header,omitzero"`
	// Criteria is what follows the header, as written.
	Criteria string `json:"criteria,omitzero"`
	// Line is the number of the header, 0 for the lines before the first block.
	Line int `json:"line,omitzero"`
	// Range covers the header and all lines up to the next header.
	Range diag.Range `json:"range,omitzero"`
	// Options are the lines of the block, Include lines among them.
	Options []Option `json:"options,omitzero"`
}

// Blocks returns the blocks in order. The first one always is what stands before the
// first Host or Match, even when it holds nothing.
func (f *File) Blocks() iter.Seq[*Block] {
	return func(yield func(*Block) bool) {
		at := diag.NewLines([]byte(f.src))
		start := 0
		b := &Block{}
		finish := func(end int) bool {
			b.Range = at.Range(f.name, start, end)
			return yield(b)
		}
		for i := range f.lines {
			l := &f.lines[i]
			if l.block != notABlock {
				if !finish(int(l.start)) {
					return
				}
				b = &Block{Header: "Host", Criteria: f.argument(i), Line: i + 1}
				if l.block == matchBlock {
					b.Header = "Match"
				}
				start = int(l.start)
				continue
			}
			if l.rest >= 0 {
				b.Options = append(b.Options, f.option(at, i))
			}
		}
		finish(len(f.src))
	}
}

func (f *File) option(at *diag.Lines, i int) Option {
	l := &f.lines[i]
	return Option{
		Keyword: f.keyword(i), Value: f.argument(i), Line: i + 1,
		Range:        at.Range(f.name, int(l.start), int(l.end)),
		KeywordRange: at.Range(f.name, int(l.key), int(l.stop)),
		ValueRange:   at.Range(f.name, int(l.rest), int(l.last)),
	}
}

// LineError is a line that a client refuses.
type LineError struct {
	File string `json:"file,omitzero"`
	// Line and Column count from 1, the column in bytes.
	Line   int `json:"line,omitzero"`
	Column int `json:"column,omitzero"`
	// Text is the client's own message.
	Text string `json:"text,omitzero"`
}

// Error returns the client's message, which names the file and the line.
func (e *LineError) Error() string { return "sshproxy: " + e.Text }

// Check returns what a client says about each line, in order, without regard to the
// host: which keywords it does not know (unless an IgnoreUnknown of this file names
// them), and which values it refuses. Include lines are not followed.
func (f *File) Check(profile Profile) []*LineError { return f.check(profile, nil) }

// check is Check on a machine with these services.
func (f *File) check(profile Profile, service func(string) (int, bool)) []*LineError {
	c := compile(f, profile.build(), f.name, service)
	var list []*LineError
	ignored := ""
	for i := range c.stmts {
		s := &c.stmts[i]
		messages := c.problems[s.problem].messages
		switch {
		case s.op == opIgnoreUnknown && ignored == "":
			ignored = s.val
		case s.op == opBad && matchList(s.val, ignored, true) == 1:
			continue
		case s.op == opBad:
			messages = append([]string{badOption(f.name, int(s.line), s.val)}, messages...)
		case s.op == opHost && slices.Contains(c.list(s), ""):
			messages = append(messages[:len(messages):len(messages)], emptyHost(f.name, int(s.line)))
		case s.op == opMatch:
			messages = append(messages[:len(messages):len(messages)], c.matches[s.ext].messages...)
		}
		for _, m := range messages {
			l := &f.lines[s.line-1]
			list = append(list, &LineError{File: f.name, Line: int(s.line), Column: int(l.key-l.start) + 1, Text: vis(m)})
		}
	}
	return list
}
