package ipxe

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/template"
)

// Template is a script as text, with places for values, in the language of text/template.
// The result of each rendering is parsed, and a value that would change the shape of the
// script (its lines, commands, operators, words, labels, comments, variables) is an
// error with its name. A Template may be used by several goroutines.
type Template struct {
	name string
	t    *template.Template
}

// TemplateError says which value a script can't take.
type TemplateError struct {
	Template string
	// Line of the script that was made, from 1; 0 when that is not known.
	Line int
	// Names of the values at fault, as far as known, and the value.
	Names []string
	Value string
	// Why says what it would do.
	Why string
}

// Error names the template, the line, the value and the reason.
func (e *TemplateError) Error() string {
	names := strings.Join(e.Names, ", ")
	if names == "" {
		names = "a value"
	}
	return fmt.Sprintf("ipxe: %s: line %d of the script: %s = \"%s\": %s", e.Template, e.Line, names, shown(e.Value), e.Why)
}

// Unwrap makes the error one of those that a script can't hold.
func (e *TemplateError) Unwrap() error { return ErrUnrepresentable }

// Values around which a template is rendered stand between these two bytes, so that they
// are found again in the result.
const (
	markOpen  = "\x01"
	markClose = "\x02"
	markList  = "\x03" // opens a value of several words
	marks     = markOpen + markClose + markList
)

// data is a value in a template.
type data string

// String writes the value between its marks.
func (d data) String() string { return markOpen + string(d) + markClose }

// dataList is a value of several words.
type dataList string

// String writes the value between its marks.
func (d dataList) String() string { return markList + string(d) + markClose }

// NewTemplate reads a template. In it
//
//	.Name .MAC .Product .Serial   are of the machine, MAC in its usual form
//	.Label.x .Var.x               are its labels and variables
//	word VALUE                    must be one plain word
//	args VALUE                    must be plain words; several are welcome, or none behind another word
//	url VALUE                     is escaped for a URL
//	hex VALUE                     is hexadecimal digits, for set NAME:hexraw
//	mac VALUE SEPARATOR           is a MAC address with another separator
//
// Functions of text/template that give back text, such as print and printf, work. Names
// that are not there are errors.
func NewTemplate(name, text string) (*Template, error) {
	refuse := func(...any) (string, error) {
		return "", errors.New("not for boot scripts: use word, args, url or hex")
	}
	t, err := template.New(name).Option("missingkey=error").Funcs(template.FuncMap{
		"word": func(v any) (data, error) {
			s, err := checkWord(v, false)
			return data(s), err
		},
		"args": func(v any) (dataList, error) {
			s, err := checkWord(v, true)
			return dataList(s), err
		},
		"url": func(v any) data { return data(appendEscaped(nil, textOf(v))) },
		"hex": func(v any) data { return data(hex.EncodeToString([]byte(textOf(v)))) },
		"mac": func(v any, sep string) (data, error) {
			m, ok := ParseMAC(textOf(v))
			if !ok {
				return "", fmt.Errorf("%q is no MAC address", textOf(v))
			}
			return data(MACText(m, sep)), nil
		},
		"html": refuse, "js": refuse, "urlquery": refuse,
	}).Parse(text)
	if err != nil {
		return nil, errs.Errorf("%w", err)
	}
	if strings.ContainsAny(text, marks) {
		return nil, errs.New("template: the bytes 1 to 3 may not stand in a template")
	}
	return &Template{name, t}, nil
}

func textOf(v any) string {
	switch v := v.(type) {
	case data:
		return string(v)
	case dataList:
		return string(v)
	}
	return unmark.Replace(fmt.Sprint(v))
}

var unmark = strings.NewReplacer(markOpen, "", markClose, "", markList, "")

func checkWord(v any, list bool) (string, error) {
	s := textOf(v)
	if plainWord(s) || list && (s == "" || plainList(s)) {
		return s, nil
	}
	what := "one plain word"
	if list {
		what = "plain words with one blank between them"
	}
	return "", fmt.Errorf("%q is not %s", s, what)
}

// Machine is what a template knows of a machine.
type Machine struct {
	Name    string            `json:"name"`
	MAC     string            `json:"mac,omitzero"`
	Product string            `json:"product,omitzero"`
	Serial  string            `json:"serial,omitzero"`
	Labels  map[string]string `json:"labels,omitzero"`
	Vars    map[string]string `json:"vars,omitzero"`
}

// templateData is what the template sees.
type templateData struct {
	Name, MAC, Product, Serial data
	Label, Var                 map[string]data
}

// maxRendered bounds a script that a template makes.
const maxRendered = 16 << 20

// Render makes the script of a machine. vars are added to the machine's own and go before
// them.
func (t *Template) Render(m *Machine, vars map[string]string) ([]byte, error) {
	values := map[string]string{"name": m.Name, "mac": m.MAC, "product": m.Product, "serial": m.Serial}
	d := templateData{Name: data(m.Name), MAC: data(m.MAC), Product: data(m.Product), Serial: data(m.Serial), Label: map[string]data{}, Var: map[string]data{}}
	for k, v := range m.Labels {
		d.Label[k], values["label "+k] = data(v), v
	}
	all := maps.Clone(m.Vars)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, vars)
	for k, v := range all {
		d.Var[k], values["var "+k] = data(v), v
	}
	for k, v := range values {
		if i := strings.IndexAny(v, marks+"\x00"); i >= 0 {
			return nil, &TemplateError{Template: t.name, Names: []string{k}, Value: v, Why: fmt.Sprintf("the byte %#x", v[i])}
		}
	}
	var out limitedBuffer
	if err := t.t.Execute(&out, d); err != nil {
		return nil, errs.Errorf("%w", err)
	}
	return t.check(out.Bytes(), values)
}

// limitedBuffer holds at most maxRendered bytes.
type limitedBuffer struct{ bytes.Buffer }

// Write fails when the script grows too long.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxRendered {
		return 0, fmt.Errorf("a script of more than %d bytes", maxRendered)
	}
	return b.Buffer.Write(p)
}

var _ io.Writer = (*limitedBuffer)(nil)

// span is a value in the script.
type span struct {
	at, end int // in the real script
	text    string
	list    bool
}

// check compares the script with the one that harmless values would make.
func (t *Template) check(marked []byte, values map[string]string) ([]byte, error) {
	var real, tame []byte
	var spans []span
	depth := 0
	from, list := 0, false
	for i := range len(marked) {
		switch c := marked[i]; c {
		case markOpen[0], markList[0]:
			if depth++; depth == 1 {
				from, list = len(real), c == markList[0]
			}
		case markClose[0]:
			if depth--; depth == 0 {
				text := string(real[from:])
				spans = append(spans, span{from, len(real), text, list})
				if list && text == "" && !behindWord(real) {
					return nil, &TemplateError{Template: t.name, Line: 1 + bytes.Count(real, []byte("\n")), Why: "an empty list begins a command: what follows would be its name"}
				}
				tame = append(tame, harmless(text, list)...)
			}
		default:
			real = append(real, c)
			if depth == 0 {
				tame = append(tame, c)
			}
		}
		if depth < 0 {
			return nil, errs.New("template: a function has cut a value in two")
		}
	}
	if depth != 0 {
		return nil, errs.New("template: a function has cut a value in two")
	}
	got, want := Parse(t.name, real), Parse(t.name, tame)
	if err := want.Executable(); err != nil {
		return nil, errs.Errorf("template: %w", err)
	}
	if line, why := sameShape(got, want, real, spans); why != "" {
		return nil, t.blame(got, line, why, spans, values)
	}
	return real, nil
}

// behindWord reports whether a script so far ends within a command, behind its name.
func behindWord(script []byte) bool {
	words := strings.Fields(string(script[bytes.LastIndexByte(script, '\n')+1:]))
	if len(words) == 0 {
		return false
	}
	last := words[len(words)-1]
	return operator(last) == 0 && (len(words) > 1 || last[0] != ':')
}

// harmless is a value that can do no harm; of a list it has as many words.
func harmless(s string, list bool) string {
	if list && s == "" {
		return ""
	}
	if list && plainList(s) {
		n := strings.Count(s, " ")
		return "x" + strings.Repeat(" x", n)
	}
	return "x"
}

// sameShape returns the index of the first line that differs, and how.
func sameShape(got, want *Script, real []byte, spans []span) (int, string) {
	for i, b := range want.Lines() {
		if i >= got.Len() {
			return got.Len() - 1, "it swallows lines"
		}
		a := got.Line(i)
		switch {
		case a.HasLabel != b.HasLabel:
			return i, "it makes or hides a label"
		case len(a.segments) != len(b.segments) || a.Open != b.Open:
			return i, "it joins lines, or breaks one"
		case (a.Comment >= 0) != (b.Comment >= 0):
			return i, "it begins a comment"
		case len(a.Cmds) != len(b.Cmds):
			return i, "it is an operator, or a new line"
		}
		for k := range b.Cmds {
			x, y := a.Cmds[k], b.Cmds[k]
			if x.Op != y.Op {
				return i, "it is an operator"
			}
			if len(x.Words) != len(y.Words) {
				return i, "it changes the number of words: a blank, or nothing at all"
			}
			for n := range y.Words {
				if why := sameWord(x.Words[n].Text, y.Words[n].Text, n == 0); why != "" {
					return i, why
				}
			}
		}
	}
	if got.Len() != want.Len() {
		return want.Len() - 1, "it holds a new line"
	}
	if got.Executable() != nil {
		return 0, "the first line is no longer #!ipxe"
	}
	return 0, ""
}

// sameWord compares what iPXE would see in a word beside data: variables, and whether it
// looks like an option.
func sameWord(got, want string, first bool) string {
	switch {
	case strings.Count(got, "${") != strings.Count(want, "${") || strings.Count(got, "}") != strings.Count(want, "}") && strings.Contains(got, "${"):
		return "it holds ${ or }, which iPXE would expand"
	case !first && strings.HasPrefix(got, "-") != strings.HasPrefix(want, "-"):
		return "it begins with a hyphen, like an option"
	case first && got != want:
		return "it is the name of a command"
	}
	for i := range len(got) {
		if got[i] < ' ' || got[i] == 0x7f {
			return "it holds a control character"
		}
	}
	return ""
}

func (t *Template) blame(got *Script, line int, why string, spans []span, values map[string]string) error {
	e := &TemplateError{Template: t.name, Line: line + 1, Why: why}
	from, to := 0, len(got.src)
	if line >= 0 && line < got.Len() {
		from, to = got.Line(line).Start, got.Line(line).End
		e.Line = 1 + bytes.Count(got.src[:from], []byte("\n"))
	}
	for _, s := range spans {
		if s.end < from || s.at > to {
			continue
		}
		if e.Value = s.text; !s.tame() {
			break
		}
	}
	for k, v := range values {
		if v == e.Value {
			e.Names = append(e.Names, k)
		}
	}
	slices.Sort(e.Names)
	return e
}

// tame reports whether the value does no harm wherever it stands.
func (s *span) tame() bool {
	return (plainWord(s.text) || s.list && plainList(s.text)) && !strings.Contains(s.text, "}")
}
