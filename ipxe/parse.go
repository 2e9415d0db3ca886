package ipxe

import "strings"

// lineStarts finds the lines that iPXE runs, and reports whether the last one ends in a
// continuation.
func lineStarts(text string) (starts []uint32, open bool) {
	if text == "" {
		return nil, false
	}
	starts = make([]uint32, 0, strings.Count(text, "\n")+1)
	var scratch []byte
	for at := 0; at < len(text); {
		starts = append(starts, uint32(at))
		end := strings.IndexByte(text[at:], '\n')
		if end < 0 {
			end = len(text) - at
		}
		if frag := text[at : at+end]; !continues(frag) {
			at += end + 1
			continue
		}
		scratch, at, open = join(scratch[:0], text, at, nil)
	}
	return starts, open
}

// continues reports whether a physical line, without its LF, is joined with the next.
func continues(frag string) bool {
	n := len(frag)
	if n > 0 && frag[n-1] == '\r' {
		n--
	}
	return n > 0 && frag[n-1] == '\\'
}

// join reads the line at an offset whose first physical line ends in a backslash. It
// appends its text to dst, and where note is not nil the places of its pieces to it.
func join(dst []byte, text string, at int, note func(segment)) (joined []byte, next int, open bool) {
	for first := true; ; first = false {
		end := len(text)
		next = end
		if i := strings.IndexByte(text[at:], '\n'); i >= 0 {
			end, next = at+i, at+i+1
		}
		frag := text[at:end]
		if note != nil && (first || len(frag) > 0) {
			note(segment{len(dst), at})
		}
		dst = append(dst, frag...)
		// One CR is stripped from the line as joined so far, not from the fragment.
		n := len(dst)
		if n > 0 && dst[n-1] == '\r' {
			n--
		}
		if n == 0 || dst[n-1] != '\\' {
			return dst[:n], next, false
		}
		dst = dst[:n-1]
		if next >= len(text) {
			return dst, next, true
		}
		at = next
	}
}

// parser reads lines. It carves words and commands out of slabs, so that many lines make
// few allocations.
type parser struct {
	text  string
	words []Word
	cmds  []Command
}

// reserve makes room for the words of a script of a usual kind.
func (p *parser) reserve(size int) {
	p.words = make([]Word, 0, min(size/7+8, 512))
	p.cmds = make([]Command, 0, min(size/20+4, 256))
}

// line reads the line at an offset.
func (p *parser) line(l *Line, start int) {
	p.read(l, start)
	p.label(l)
	p.commands(l)
}

// read finds the text of the line at an offset.
func (p *parser) read(l *Line, start int) {
	l.Start, l.Comment = start, -1
	end := strings.IndexByte(p.text[start:], '\n')
	if l.End = start + end + 1; end < 0 {
		l.End, end = len(p.text), len(p.text)-start
	}
	l.Text = p.text[start : start+end]
	if continues(l.Text) {
		var joined []byte
		joined, l.End, l.Open = join(nil, p.text, start, func(s segment) { l.segments = append(l.segments, s) })
		l.Text = string(joined)
	} else {
		l.Text = strings.TrimSuffix(l.Text, "\r")
	}
	if i := strings.IndexByte(l.Text, 0); i >= 0 {
		l.Text = l.Text[:i]
	}
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
	firstCmd, firstWord := len(p.cmds), len(p.words)
	cmd := Command{Op: First, At: l.Command}
	for i := l.Command; ; {
		for i < len(t) && isSpace(t[i]) {
			i++
		}
		if i == len(t) {
			break
		}
		if t[i] == '#' {
			l.Comment = i
			break
		}
		j, dollar := i, false
		for ; j < len(t); j++ {
			c := t[j]
			if c <= '$' {
				if isSpace(c) {
					break
				}
				dollar = dollar || c == '$'
			}
		}
		w := t[i:j]
		if len(w) <= 2 {
			if op := operator(w); op != 0 {
				cmd.Words = p.words[firstWord:len(p.words):len(p.words)]
				firstCmd = p.addCommand(cmd, firstCmd)
				firstWord = len(p.words)
				cmd = Command{Op: op, At: i}
				i = j
				continue
			}
		}
		if cmd.Op == First && firstWord == len(p.words) {
			cmd.At = i
		}
		if len(p.words) == cap(p.words) {
			firstWord = p.moreWords(firstWord, t[i:])
		}
		p.words = append(p.words, Word{Text: w, At: i, Expands: dollar && expands(w)})
		i = j
	}
	cmd.Words = p.words[firstWord:len(p.words):len(p.words)]
	firstCmd = p.addCommand(cmd, firstCmd)
	l.Cmds = p.cmds[firstCmd:len(p.cmds):len(p.cmds)]
}

// moreWords begins another slab, with room for what is left of the line; the words of the
// command, which begin at from, move to it.
func (p *parser) moreWords(from int, rest string) int {
	own := p.words[from:]
	p.words = append(make([]Word, 0, max(len(own)+countWords(rest), min(2*cap(p.words), 2048))), own...)
	return 0
}

func countWords(s string) (n int) {
	space := true
	for i := range len(s) {
		is := isSpace(s[i])
		if space && !is {
			n++
		}
		space = is
	}
	return n
}

// addCommand adds a command to those of the line, which begin at from; where the slab is
// full they move to another.
func (p *parser) addCommand(c Command, from int) int {
	if len(p.cmds) == cap(p.cmds) {
		own := p.cmds[from:]
		p.cmds = append(make([]Command, 0, max(2*len(own)+8, min(2*cap(p.cmds), 1024))), own...)
		from = 0
	}
	p.cmds = append(p.cmds, c)
	return from
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
