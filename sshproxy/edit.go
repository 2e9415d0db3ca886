package sshproxy

import (
	"slices"
	"strings"
)

// Set gives an option of the block "Host host" a value: the first line of that keyword
// in the block is changed, or a line is added to the block, or the block to the end of
// the file. host "" means the lines before the first block. Only the bytes of the one
// value change; a comment behind a quoted or plain value is part of the value and goes.
// Set does not look at other blocks: an earlier line may still win.
//
// It refuses a keyword that no client knows, a value with control characters (a newline
// would begin another directive), an empty value, and quotes that are not closed, which
// clients since 8.7 refuse for commands too.
func (f *File) Set(host, option, value string) error {
	if err := checkOption(option, value); err != nil {
		return err
	}
	if strings.HasPrefix(value, "#") && options[Newest().build().keyword[lower(option)]].kind != kindCommand {
		return errs.Errorf("%s: %s: the value %q is a comment: quote it", f.name, option, value)
	}
	block, ok := f.find(host)
	if !ok {
		if _, err := f.AddHost(host); err != nil {
			return err
		}
		block, _ = f.find(host)
	}
	for i := block.first; i < block.last; i++ {
		l := &f.lines[i]
		if l.rest >= 0 && equalFold(f.keyword(i), option) {
			if l.bare || l.rest == l.stop {
				value = " " + value
			}
			f.replace(int(l.rest), int(l.last), value)
			return nil
		}
	}
	f.insertLine(block, option+" "+value)
	return nil
}

// Delete removes every line of a keyword from the block "Host host", with its line end.
// It fails when there is none.
func (f *File) Delete(host, option string) error {
	found := false
	for {
		block, ok := f.find(host)
		if !ok {
			break
		}
		at := -1
		for i := block.first; i < block.last; i++ {
			if f.lines[i].rest >= 0 && equalFold(f.keyword(i), option) {
				at = i
				break
			}
		}
		if at < 0 {
			break
		}
		found = true
		f.replace(int(f.lines[at].start), f.lineEnd(at), "")
	}
	if !found {
		return errs.Errorf("%s: there is no %s under Host %s", f.name, option, host)
	}
	return nil
}

// AddHost appends an empty block with these patterns, behind a blank line. A pattern may
// not be empty or hold control characters.
func (f *File) AddHost(patterns ...string) (*Block, error) {
	if len(patterns) == 0 {
		return nil, errs.Errorf("%s: a Host line needs a pattern", f.name)
	}
	words := make([]string, len(patterns))
	for i, p := range patterns {
		w, err := ConfigQuote(p)
		if err != nil {
			return nil, errs.Errorf("%s: Host: %w", f.name, err)
		}
		words[i] = w
	}
	eol := f.eol()
	text := "Host " + strings.Join(words, " ") + eol
	if n := len(f.src); n > 0 {
		if f.src[n-1] != '\n' {
			text = eol + text
		}
		if last := f.lines[len(f.lines)-1]; last.start < last.end {
			text = eol + text
		}
	}
	f.replace(len(f.src), len(f.src), text)
	var last *Block
	for b := range f.Blocks() {
		last = b
	}
	return last, nil
}

// checkOption refuses what would not be one good line.
func checkOption(option, value string) error {
	p := Newest().build()
	o, ok := p.keyword[lower(option)]
	if !ok || o <= opUnsupported {
		if o != opInclude {
			return errs.Errorf("%q is not an option that can be set", option)
		}
	}
	for i := range len(value) {
		if control(value[i]) && value[i] != '\t' {
			return errs.Errorf("%s: the value %q holds a control character: it would begin another line or be lost", option, value)
		}
	}
	if strings.TrimSpace(value) == "" {
		return errs.Errorf("%s: the value is empty", option)
	}
	if _, ok := splitArguments(nil, value); !ok {
		return errs.Errorf("%s: a quote is not closed in %s: clients since 8.7 refuse the line", option, value)
	}
	return nil
}

// blockLines are the lines of a block, without its header.
type blockLines struct{ first, last int }

// find returns the block whose Host line holds this one pattern.
func (f *File) find(host string) (blockLines, bool) {
	start, found := 0, host == ""
	for i := range f.lines {
		if f.lines[i].block == notABlock {
			continue
		}
		if found {
			return blockLines{start, i}, true
		}
		if f.lines[i].block == hostBlock {
			words, ok := splitArguments(nil, f.argument(i))
			found = ok && slices.Equal(words, []string{host})
			start = i + 1
		}
	}
	return blockLines{start, len(f.lines)}, found
}

// insertLine puts a line behind the last option of a block, indented as that one is.
func (f *File) insertLine(b blockLines, text string) {
	indent := "    "
	if b.first == 0 {
		indent = ""
	}
	after := b.first - 1
	for i := b.first; i < b.last; i++ {
		if f.lines[i].rest >= 0 {
			after = i
			indent = f.src[f.lines[i].start:f.lines[i].key]
		}
	}
	eol := f.eol()
	if after < 0 {
		f.replace(0, 0, indent+text+eol)
		return
	}
	at := f.lineEnd(after)
	if at > 0 && f.src[at-1] != '\n' {
		f.replace(at, at, eol+indent+text)
		return
	}
	f.replace(at, at, indent+text+eol)
}

// lineEnd is the offset behind a line and its LF.
func (f *File) lineEnd(i int) int { return min(int(f.lines[i].end)+1, len(f.src)) }

// eol is the line end that the file uses.
func (f *File) eol() string {
	if i := strings.IndexByte(f.src, '\n'); i > 0 && f.src[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// replace changes bytes and reads the file again.
func (f *File) replace(from, to int, text string) {
	f.src = f.src[:from] + text + f.src[to:]
	f.scan()
}

// Managed is a region of a file between two marker lines, which a program may rewrite
// without touching anything else.
type Managed struct {
	file *File
	name string
}

// Managed names a region. It need not exist yet. The name is of letters, digits, and
// "._-".
func (f *File) Managed(name string) (*Managed, error) {
	for i := range len(name) {
		if c := name[i]; !alpha(c) && !digit(c) && strings.IndexByte("._-", c) < 0 {
			return nil, errs.Errorf("%s: %q can't name a region: use letters, digits and ._-", f.name, name)
		}
	}
	if name == "" {
		return nil, errs.Errorf("%s: a region needs a name", f.name)
	}
	return &Managed{f, name}, nil
}

// bounds returns the offsets of the region's text, and of the region with its markers.
func (m *Managed) bounds() (from, to, outerFrom, outerTo int, err error) {
	begin, end := -1, -1
	for i := range m.file.lines {
		l := &m.file.lines[i]
		switch strings.TrimSpace(m.file.src[l.start:l.end]) {
		case "# begin " + m.name:
			if begin >= 0 {
				return 0, 0, 0, 0, errs.Errorf("%s:%d: the region %s begins twice", m.file.name, i+1, m.name)
			}
			begin = i
		case "# end " + m.name:
			if end >= 0 || begin < 0 {
				return 0, 0, 0, 0, errs.Errorf("%s:%d: the region %s ends without a beginning", m.file.name, i+1, m.name)
			}
			end = i
		}
	}
	switch {
	case begin < 0:
		return 0, 0, -1, -1, nil
	case end < 0:
		return 0, 0, 0, 0, errs.Errorf("%s:%d: the region %s does not end", m.file.name, begin+1, m.name)
	}
	f := m.file
	return f.lineEnd(begin), int(f.lines[end].start), int(f.lines[begin].start), f.lineEnd(end), nil
}

// Text returns what is between the markers; ok is false when the region does not exist.
func (m *Managed) Text() (text string, ok bool, err error) {
	from, to, outer, _, err := m.bounds()
	if err != nil || outer < 0 {
		return "", false, err
	}
	return m.file.src[from:to], true, nil
}

// Replace rewrites the region, or appends it to the file with its markers. The text
// should begin with a Host or Match line, as what stands before one would belong to the
// block above. A text that holds a marker of the region or a NUL is refused.
func (m *Managed) Replace(text string) error {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "# begin "+m.name || line == "# end "+m.name {
			return errs.Errorf("%s: the text holds a marker of the region %s", m.file.name, m.name)
		}
	}
	if strings.Contains(text, "\x00") {
		return errs.Errorf("%s: the text holds NUL", m.file.name)
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	from, to, outer, _, err := m.bounds()
	switch {
	case err != nil:
		return err
	case outer >= 0:
		m.file.replace(from, to, text)
		return nil
	}
	before := ""
	if n := len(m.file.src); n > 0 && m.file.src[n-1] != '\n' {
		before = m.file.eol()
	}
	n := len(m.file.src)
	m.file.replace(n, n, before+"# begin "+m.name+m.file.eol()+text+"# end "+m.name+m.file.eol())
	return nil
}

// Remove takes the region and its markers away, if it exists.
func (m *Managed) Remove() error {
	_, _, from, to, err := m.bounds()
	if err == nil && from >= 0 {
		m.file.replace(from, to, "")
	}
	return err
}
