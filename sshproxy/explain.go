package sshproxy

import (
	"fmt"
	"slices"
)

// Setting is one line of a configuration that speaks of an option.
type Setting struct {
	// File and Line say where it stands; File is "command-line" for -o, -l, -p and -J.
	File string `json:"file"`
	Line int    `json:"line"`
	// Block is the Host or Match line above it, as written, and BlockLine its number;
	// empty and 0 for lines before the first block.
	Block     string `json:"block,omitzero"`
	BlockLine int    `json:"blockLine,omitzero"`
	// Pass is 1 or 2: see Match final. It is 0 for the command line.
	Pass int `json:"pass"`
	// Text is the line as written, without blanks around it.
	Text string `json:"text"`
	// Why says, of a line that does not apply, what kept its block from matching.
	Why string `json:"why,omitzero"`
}

// String returns "file:line".
func (s Setting) String() string {
	if s.Line == 0 {
		return s.File
	}
	return fmt.Sprintf("%s:%d", s.File, s.Line)
}

// Explanation says why an option has its value.
type Explanation struct {
	// Option is the keyword in the spelling of the manual.
	Option string `json:"option"`
	// Values are the lines that -G prints, without the keyword.
	Values []string `json:"values"`
	// Set are the lines that the value is made of, in order; none for a default.
	Set []Setting `json:"set"`
	// Shadowed are lines that apply and come too late.
	Shadowed []Setting `json:"shadowed"`
	// Blocked are lines in blocks that do not match.
	Blocked []Setting `json:"blocked"`
}

// Explain says which lines set an option, which came too late, and which stand in
// blocks that do not match, with the reason. It resolves the target once more. It fails
// for a keyword that the client does not know.
func (r *Result) Explain(option string) (Explanation, error) {
	o, ok := r.build().keyword[lower(option)]
	if !ok || options[o].name == "" || o <= opUnsupported && o != opHost {
		return Explanation{}, errs.Errorf("%s knows no option %q", r.build().name, option)
	}
	events, err := r.retrace()
	if err != nil {
		return Explanation{}, err
	}
	return r.explain(o, events), nil
}

// ExplainAll explains every option that a line speaks of or that is not at its default,
// in the order of -G.
func (r *Result) ExplainAll() ([]Explanation, error) {
	events, err := r.retrace()
	if err != nil {
		return nil, err
	}
	var list []Explanation
	for _, o := range append(slices.Clone(r.build().prints), opProxyJump, opProxyCommand) {
		e := r.explain(o, events)
		if len(e.Set)+len(e.Shadowed)+len(e.Blocked) > 0 {
			list = append(list, e)
		}
	}
	return list, nil
}

// Origin returns the line that set an option, the last of several that add up. ok is
// false for a default and for a Result that was read from JSON.
func (r *Result) Origin(option string) (s Setting, ok bool) {
	if r.state == nil {
		return Setting{}, false
	}
	o := r.state.p.keyword[lower(option)]
	if items := r.state.items[o]; len(items) > 0 {
		return setting(items[len(items)-1].from), true
	}
	slot := &r.state.slots[o]
	if !slot.set || slot.from.prog == nil && slot.from.pass != 0 {
		return Setting{}, false
	}
	return setting(slot.from), true
}

// retrace resolves the target again and records every line. Answers to Match exec are
// those of the first time.
func (r *Result) retrace() ([]traced, error) {
	old := r.state
	if old == nil {
		return nil, errs.New("explain: the result was read from JSON and has no configuration")
	}
	st := state{r: old.r, p: old.p, ctx: old.ctx, original: old.original, asked: old.asked, trace: &trace{}}
	if _, err := st.resolve(r.target); err != nil {
		return nil, err
	}
	return st.trace.events, nil
}

// sameOption says which options speak of one thing: a local forward may be dynamic, a
// proxy is set by either keyword.
func sameOption(event, asked op) bool {
	if event == asked {
		return true
	}
	switch asked {
	case opDynamicForward:
		return event == opLocalForward
	case opProxyCommand:
		return event == opProxyJump
	case opProxyJump:
		return event == opProxyCommand
	}
	return false
}

func (r *Result) explain(o op, events []traced) Explanation {
	e := Explanation{Option: options[o].name, Values: r.values(o), Set: []Setting{}, Shadowed: []Setting{}, Blocked: []Setting{}}
	if e.Values == nil {
		e.Values = []string{}
	}
	type place struct {
		prog *program
		stmt int32
	}
	done := map[place]bool{}
	collect := func(f fate, to *[]Setting) {
		for _, ev := range events {
			at := place{ev.from.prog, ev.from.stmt}
			if ev.fate != f || !sameOption(ev.o, o) || ev.from.prog != nil && done[at] {
				continue
			}
			done[at] = true
			s := setting(ev.from)
			s.Why = ev.why
			*to = append(*to, s)
		}
	}
	collect(took, &e.Set)
	collect(shadowed, &e.Shadowed)
	collect(blocked, &e.Blocked)
	return e
}

// setting describes where a value came from.
func setting(from origin) Setting {
	if from.prog == nil {
		return Setting{File: "command-line"}
	}
	c := from.prog
	n := int(c.stmts[from.stmt].line)
	s := Setting{File: c.path, Line: n, Pass: int(from.pass), Text: c.file.text(n - 1)}
	for i := len(c.blocks) - 1; i >= 0; i-- {
		if b := &c.blocks[i]; b.head >= 0 && b.head < from.stmt {
			s.BlockLine = int(c.stmts[b.head].line)
			s.Block = c.file.text(s.BlockLine - 1)
			break
		}
	}
	return s
}

// text is a line without blanks around it.
func (f *File) text(i int) string {
	l := &f.lines[i]
	if l.rest < 0 {
		return ""
	}
	return f.src[l.key:max(l.stop, l.last)]
}
