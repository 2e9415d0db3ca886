package ipxe

import (
	"bytes"
	"strings"
	"sync"

	"dougu.internal/diag"
)

// Script is a boot script as it was written. Parsing never fails: what iPXE would
// refuse is kept and is named by [Script.Executable] or by the linter. A Script is not
// changed after [Parse] and may be used by several goroutines.
type Script struct {
	name  string
	src   []byte
	lines []Line

	index  sync.Once
	labels map[string]int

	places sync.Once
	diag   *diag.Lines
}

// Line is one line as iPXE runs it: a physical line, or several that backslashes join.
type Line struct {
	// Start and End are the bytes of the source, [Start, End), with the LF.
	Start, End int
	// Text is what iPXE looks at: without LF and CR, continuations joined with nothing
	// between, cut at the first NUL.
	Text string
	// Label is the name of the label that the line sets, when HasLabel; it may be empty.
	Label    string
	HasLabel bool
	// Command is the offset in Text of what follows the label.
	Command int
	// Cmds are the commands of the line, one more than it has operators. A line without
	// any has one command without words. Comment is the offset in Text of the word that
	// begins a comment, or -1.
	Cmds    []Command
	Comment int
	// Open reports that the file ends in a continuation: iPXE never runs the line and
	// ends the script with "Invalid argument".
	Open bool

	segments []segment // of a joined line
}

// segment says where bytes of Line.Text stand in the source.
type segment struct{ text, src int }

// Op is the operator before a command.
type Op uint8

// The operators. Lines are read from left to right; no operator binds tighter.
const (
	// First: the first command of a line, always run.
	First Op = iota + 1
	// Or (||): run when the status is not 0.
	Or
	// And (&&): run when the status is 0.
	And
	// Always (;): run in any case.
	Always
)

// String returns the operator as it is written, and "" for First.
func (o Op) String() string {
	switch o {
	case Or:
		return "||"
	case And:
		return "&&"
	case Always:
		return ";"
	}
	return ""
}

// Command is one command of a line.
type Command struct {
	Op Op
	// At is the offset in the line's Text of the operator, or of the first word.
	At    int
	Words []Word
}

// Word is a run of bytes without white space.
type Word struct {
	// Text as it is written, before any expansion.
	Text string
	// At is the offset in the line's Text.
	At int
	// Expands reports whether the word holds "${" and a "}" after it.
	Expands bool
}

// Parse reads a script. The name is what messages call it. src is kept and must not be
// changed.
func Parse(name string, src []byte) *Script {
	s := &Script{name: name, src: src}
	s.lines = make([]Line, 0, min(bytes.Count(src, []byte{'\n'})+1, 4096))
	var p parser
	p.text = string(src)
	if len(src) == 0 {
		return s
	}
	for at := 0; at < len(src); {
		at = p.line(s, at)
	}
	return s
}

// parser carves words and commands out of slabs, so that a script of a million lines
// makes few allocations.
type parser struct {
	text  string
	words []Word
	cmds  []Command
}

// line reads the logical line at an offset and returns the start of the next one.
func (p *parser) line(s *Script, start int) (next int) {
	l := Line{Start: start, Comment: -1}
	var joined []byte
	at := start
	for {
		end := len(p.text)
		next = end
		if i := strings.IndexByte(p.text[at:], '\n'); i >= 0 {
			end, next = at+i, at+i+1
		}
		frag := p.text[at:end]
		// One CR is stripped from the line as joined so far, not from the fragment.
		if joined == nil && !strings.HasSuffix(strings.TrimSuffix(frag, "\r"), "\\") {
			l.Text = strings.TrimSuffix(frag, "\r")
			break
		}
		if len(frag) > 0 || joined == nil {
			l.segments = append(l.segments, segment{len(joined), at})
		}
		joined = append(joined, frag...)
		if n := len(joined); n > 0 && joined[n-1] == '\r' {
			joined = joined[:n-1]
		}
		n := len(joined)
		if n == 0 || joined[n-1] != '\\' {
			l.Text = string(joined)
			break
		}
		joined = joined[:n-1]
		if next >= len(p.text) {
			l.Open, l.Text = true, string(joined)
			break
		}
		at = next
	}
	l.End = next
	if i := strings.IndexByte(l.Text, 0); i >= 0 {
		l.Text = l.Text[:i]
	}
	p.label(&l)
	p.commands(&l)
	s.lines = append(s.lines, l)
	return next
}

func (p *parser) label(l *Line) {
	t := l.Text
	i := 0
	for i < len(t) && isSpace(t[i]) {
		i++
	}
	l.Command = i
	if i == len(t) || t[i] != ':' {
		return
	}
	j := i + 1
	for j < len(t) && !isSpace(t[j]) {
		j++
	}
	l.HasLabel, l.Label, l.Command = true, t[i+1:j], j
}

// nothing is shared by the lines without a command.
var nothing = []Command{{Op: First}}

func (p *parser) commands(l *Line) {
	t := l.Text
	if l.Command == len(t) {
		l.Cmds = nothing[:1:1]
		return
	}
	if cap(p.words)-len(p.words) < 16 {
		p.words = make([]Word, 0, min(max(2*cap(p.words), 32), 4096))
	}
	if cap(p.cmds)-len(p.cmds) < 4 {
		p.cmds = make([]Command, 0, min(max(2*cap(p.cmds), 16), 2048))
	}
	firstCmd, firstWord := len(p.cmds), len(p.words)
	cmd := Command{Op: First, At: l.Command}
	flush := func() {
		cmd.Words = p.words[firstWord:len(p.words):len(p.words)]
		p.cmds = append(p.cmds, cmd)
		firstWord = len(p.words)
	}
	for i := l.Command; ; {
		for i < len(t) && isSpace(t[i]) {
			i++
		}
		if i == len(t) {
			break
		}
		j := i
		for j < len(t) && !isSpace(t[j]) {
			j++
		}
		w := t[i:j]
		if w[0] == '#' {
			l.Comment = i
			break
		}
		if op := operator(w); op != 0 {
			flush()
			cmd = Command{Op: op, At: i}
		} else {
			if cmd.Op == First && firstWord == len(p.words) {
				cmd.At = i
			}
			p.words = append(p.words, Word{Text: w, At: i, Expands: expands(w)})
		}
		i = j
	}
	flush()
	l.Cmds = p.cmds[firstCmd:len(p.cmds):len(p.cmds)]
}

func operator(w string) Op {
	switch w {
	case "||":
		return Or
	case "&&":
		return And
	case ";":
		return Always
	}
	return 0
}

func expands(w string) bool {
	_, after, ok := strings.Cut(w, "${")
	return ok && strings.IndexByte(after, '}') >= 0
}

// isSpace is iPXE's own notion: bytes above 127 are never white space.
func isSpace(c byte) bool {
	return c == ' ' || c >= '\t' && c <= '\r'
}

// Name is the name given to [Parse].
func (s *Script) Name() string { return s.name }

// Bytes returns exactly what was parsed. The caller must not change it.
func (s *Script) Bytes() []byte { return s.src }

// Lines returns the lines in order. The caller must not change them.
func (s *Script) Lines() []Line { return s.lines }

// Label returns the index of the line that goto finds: the first with that label. A
// label on a line that the end of the file cuts off is not found.
func (s *Script) Label(name string) (int, bool) {
	s.index.Do(func() {
		s.labels = map[string]int{}
		for i := range s.lines {
			l := &s.lines[i]
			if !l.HasLabel || l.Open {
				continue
			}
			if _, ok := s.labels[l.Label]; !ok {
				s.labels[l.Label] = i
			}
		}
	})
	i, ok := s.labels[name]
	return i, ok
}

// Open reports that the script ends in a continuation, on which iPXE gives up.
func (s *Script) Open() bool { return len(s.lines) > 0 && s.lines[len(s.lines)-1].Open }

// Range returns the place in the source of the bytes [from, to) of a line's Text.
func (s *Script) Range(l *Line, from, to int) diag.Range {
	s.places.Do(func() { s.diag = diag.NewLines(s.src) })
	a := l.offset(from)
	b := a
	if to > from {
		b = l.offset(to-1) + 1
	}
	return s.diag.Range(s.name, a, b)
}

// Span returns the place in the source of the bytes [from, to) of the source.
func (s *Script) Span(from, to int) diag.Range {
	s.places.Do(func() { s.diag = diag.NewLines(s.src) })
	return s.diag.Range(s.name, from, to)
}

func (l *Line) offset(text int) int {
	if l.segments == nil {
		return l.Start + text
	}
	i := len(l.segments) - 1
	for i > 0 && l.segments[i].text > text {
		i--
	}
	return l.segments[i].src + text - l.segments[i].text
}

// Joined reports whether the line is made of several physical lines.
func (l *Line) Joined() bool { return l.segments != nil }

// IsScript reports whether iPXE takes the bytes for a script: the first ones are
// #!ipxe or #!gpxe and then white space.
func IsScript(b []byte) bool {
	return len(b) >= 7 && b[0] == '#' && b[1] == '!' && (b[2] == 'i' || b[2] == 'g') &&
		string(b[3:6]) == "pxe" && isSpace(b[6])
}

// Executable returns nil when iPXE takes the file for a script, and otherwise a
// diagnostic that says why not. A BIOS build of iPXE runs such a file as machine code.
func (s *Script) Executable() error {
	if IsScript(s.src) {
		return nil
	}
	d := notAScript(s)
	return d
}

func notAScript(s *Script) diag.Diagnostic {
	d := diag.Diagnostic{Rule: "IP101", Severity: diag.Error, Range: s.Span(0, 0)}
	b := s.src
	const detail = "iPXE looks at the first bytes alone; a BIOS build runs a file without them as machine code, and the machine hangs"
	d.Detail = detail
	edit := func(message string, from, to int, text string) {
		d.Fixes = []diag.Fix{{Message: message, Edits: []diag.Edit{{Range: s.Span(from, to), NewText: text}}}}
	}
	lead := len(b) - len(bytes.TrimLeft(b, " \t\r\n\v\f"))
	switch {
	case len(b) == 0:
		d.Message = "the file is empty"
		edit("begin with #!ipxe", 0, 0, "#!ipxe\n")
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		d.Message = "a byte order mark stands before #!ipxe"
		d.Range = s.Span(0, 3)
		edit("delete the byte order mark", 0, 3, "")
	case string(b) == "#!ipxe" || string(b) == "#!gpxe":
		d.Message = string(b) + " without white space after it is no script"
		edit("end the line", len(b), len(b), "\n")
	case lead > 0 && IsScript(b[lead:]):
		d.Message = "white space stands before #!ipxe"
		d.Range = s.Span(0, lead)
		edit("delete it", 0, lead, "")
	case bytes.HasPrefix(b, []byte("#!ipxe")) || bytes.HasPrefix(b, []byte("#!gpxe")):
		d.Message = "#!ipxe must be followed by white space"
		edit("put a blank", 6, 6, " ")
	case len(b) >= 6 && bytes.EqualFold(b[:6], []byte("#!ipxe")):
		d.Message = "#!ipxe is written in lower case"
		edit("write it in lower case", 0, 6, "#!ipxe")
	case lead < len(b) && b[lead] == '<':
		d.Message = "the file looks like HTML or XML, not like a script"
	default:
		d.Message = "the first line is not #!ipxe"
		edit("begin with #!ipxe", 0, 0, "#!ipxe\n")
	}
	return d
}
