package ipxe

import (
	"hash/maphash"
	"iter"
	"math"
	"sync"

	"dougu.internal/diag"
)

// Script is a boot script as it was written. Parsing never fails: what iPXE would
// refuse is kept and is named by [Script.Executable] or by the linter. A Script is not
// changed after [Parse] and may be used by several goroutines.
//
// A script keeps the places of its lines, four bytes each. The words of a small one are
// kept too; those of a large one are found again whenever a line is asked for, so that
// no file, however hostile, takes more than a few times its own size.
type Script struct {
	name   string
	src    []byte
	text   string   // src, or what of it is looked at
	starts []uint32 // of the lines in text
	lines  []Line   // of a small script
	open   bool     // the last line ends in a continuation

	index  sync.Once
	seed   maphash.Seed
	labels []uint32 // hash table: index of a line plus 1

	places sync.Once
	diag   *diag.Lines
}

// Line is one line as iPXE runs it: a physical line, or several that backslashes join.
type Line struct {
	// Start and End are the bytes of the source, [Start, End), with the LF.
	Start int `json:"start,omitzero"`
	End   int `json:"end,omitzero"`
	// Text is what iPXE looks at: without LF and CR, continuations joined with nothing
	// between, cut at the first NUL.
	Text string `json:"text,omitzero"`
	// Label is the name of the label that the line sets, when HasLabel; it may be empty.
	Label    string `json:"label,omitzero"`
	HasLabel bool   `json:"hasLabel,omitzero"`
	// Command is the offset in Text of what follows the label.
	Command int `json:"command,omitzero"`
	// Cmds are the commands of the line, one more than it has operators. A line without
	// any has one command without words. Comment is the offset in Text of the word that
	// begins a comment, or -1.
	Cmds    []Command `json:"cmds,omitzero"`
	Comment int       `json:"comment,omitzero"`
	// Open reports that the file ends in a continuation: iPXE never runs the line and
	// ends the script with "Invalid argument".
	Open bool `json:"open,omitzero"`

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

// Command is one command of a line.
type Command struct {
	Op Op `json:"op,omitzero"`
	// At is the offset in the line's Text of the operator, or of the first word.
	At    int    `json:"at,omitzero"`
	Words []Word `json:"words,omitzero"`
}

// Word is a run of bytes without white space.
type Word struct {
	// Text as it is written, before any expansion.
	Text string `json:"text,omitzero"`
	// At is the offset in the line's Text.
	At int `json:"at,omitzero"`
	// Expands reports whether the word holds "${" and a "}" after it.
	Expands bool `json:"expands,omitzero"`
}

// keptBytes is the size up to which a script keeps its words.
const keptBytes = 64 << 10

// Parse reads a script. The name is what messages call it. src is kept and must not be
// changed. Of a file of more than 4 GiB, which no machine that runs iPXE can hold, the
// lines beyond are not looked at.
func Parse(name string, src []byte) *Script {
	s := &Script{name: name, src: src, text: string(src[:min(uint64(len(src)), math.MaxUint32)])}
	s.starts, s.open = lineStarts(s.text)
	if len(s.text) <= keptBytes && len(s.starts) > 0 {
		s.lines = make([]Line, len(s.starts))
		p := parser{text: s.text}
		p.reserve(len(s.text))
		for i := range s.lines {
			p.line(&s.lines[i], int(s.starts[i]))
		}
	}
	return s
}

// Name is the name given to [Parse].
func (s *Script) Name() string { return s.name }

// Bytes returns exactly what was parsed. The caller must not change it.
func (s *Script) Bytes() []byte { return s.src }

// Len is the number of lines.
func (s *Script) Len() int { return len(s.starts) }

// Line returns a line by its index, from 0. The caller must not change it.
func (s *Script) Line(i int) *Line {
	if s.lines != nil {
		return &s.lines[i]
	}
	l := &Line{}
	p := parser{text: s.text}
	p.line(l, int(s.starts[i]))
	return l
}

// linesAtOnce is how many lines of a large script are read together.
const linesAtOnce = 256

// Lines yields the lines in order, with their indices. The caller must not change them;
// they may be kept.
func (s *Script) Lines() iter.Seq2[int, *Line] {
	return func(yield func(int, *Line) bool) {
		if s.lines != nil {
			for i := range s.lines {
				if !yield(i, &s.lines[i]) {
					return
				}
			}
			return
		}
		p := parser{text: s.text}
		for from := 0; from < len(s.starts); from += linesAtOnce {
			block := make([]Line, min(linesAtOnce, len(s.starts)-from))
			for i := range block {
				p.line(&block[i], int(s.starts[from+i]))
				if !yield(from+i, &block[i]) {
					return
				}
			}
		}
	}
}

// Label returns the index of the line that goto finds: the first with that label. A
// label on a line that the end of the file cuts off is not found.
func (s *Script) Label(name string) (int, bool) {
	s.index.Do(s.indexLabels)
	if len(s.labels) == 0 {
		return 0, false
	}
	mask := uint64(len(s.labels) - 1)
	for h := maphash.String(s.seed, name); ; h++ {
		n := s.labels[h&mask]
		if n == 0 {
			return 0, false
		}
		if label, _ := s.label(int(n) - 1); label == name {
			return int(n) - 1, true
		}
	}
}

// indexLabels makes a table of the labels: the number of a line where its label's hash
// points, or in the next free place.
func (s *Script) indexLabels() {
	n := 0
	for i := range s.starts {
		if _, ok := s.label(i); ok {
			n++
		}
	}
	if n == 0 {
		return
	}
	size := 4
	for size < 2*n {
		size *= 2
	}
	s.seed, s.labels = maphash.MakeSeed(), make([]uint32, size)
	mask := uint64(size - 1)
	for i := range s.starts {
		name, ok := s.label(i)
		if !ok {
			continue
		}
		for h := maphash.String(s.seed, name); ; h++ {
			at := &s.labels[h&mask]
			if *at == 0 {
				*at = uint32(i + 1)
				break
			}
			if first, _ := s.label(int(*at) - 1); first == name {
				break
			}
		}
	}
}

// label returns the label of a line, as far as goto can find it.
func (s *Script) label(i int) (string, bool) {
	if s.open && i == len(s.starts)-1 {
		return "", false
	}
	if s.lines != nil {
		return s.lines[i].Label, s.lines[i].HasLabel
	}
	// The usual line is no label, and shows it before its end is known.
	at := int(s.starts[i])
	for at < len(s.text) && isSpace(s.text[at]) && s.text[at] != '\n' {
		at++
	}
	if at == len(s.text) || s.text[at] != ':' && s.text[at] != '\\' {
		return "", false
	}
	var l Line
	p := parser{text: s.text}
	p.read(&l, int(s.starts[i]))
	p.label(&l)
	return l.Label, l.HasLabel
}

// Open reports that the script ends in a continuation, on which iPXE gives up.
func (s *Script) Open() bool { return s.open }

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
