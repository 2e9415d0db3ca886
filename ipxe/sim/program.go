package sim

import (
	"fmt"
	"strings"

	"dougu.internal/ipxe"
)

// program is a script as the interpreter runs it: commands looked up, and words taken
// apart. Lines are made when they are first run.
type program struct{ lines []*programLine }

type programLine struct {
	cmds  []programCommand
	words int // of the line, operators included
	open  bool
}

type programCommand struct {
	op    ipxe.Op
	words []programWord
	// plain are the words of a command without variables.
	plain []string
	// y and run are those of the name, when that is written plainly and the build has it.
	y   *ipxe.Syntax
	run func(*runner, *call) Status
	// setting is what the first argument of a plain command names, without a block.
	setting *part
}

type programWord struct {
	text string
	// parts are of a word of a usual form: literal text without $, and variables that hold
	// no others. nil: a word without variables, or one that must be expanded step by step.
	parts   []part
	expands bool
	last    string // what it was expanded to last
}

// part is literal text, or a variable.
type part struct {
	literal  string
	variable bool
	// name is what stands between ${ and }; block, if it has one, and the setting that it
	// is where the block has this scope.
	name    string
	block   string
	blocked bool
	set     setting
	known   bool // the name is one that iPXE understands
}

// maxParts bounds the parts of a word of a usual form.
const maxParts = 64

// program returns the program of a script.
func (r *runner) program(s *ipxe.Script) *program {
	p := r.programs[s]
	if p == nil {
		p = &program{lines: make([]*programLine, s.Len())}
		r.programs[s] = p
	}
	return p
}

// line returns a line of a program, which it makes at the first time.
func (r *runner) programLine(p *program, s *ipxe.Script, i int) *programLine {
	if p.lines[i] == nil {
		p.lines[i] = r.compile(s.Line(i))
	}
	return p.lines[i]
}

func (r *runner) compile(l *ipxe.Line) *programLine {
	out := &programLine{open: l.Open}
	for i := range l.Cmds {
		out.words += len(l.Cmds[i].Words) + 1
	}
	if out.words > hangWords && r.p.Platform == "pcbios" {
		return out // which no machine survives
	}
	out.cmds = make([]programCommand, len(l.Cmds))
	for i := range l.Cmds {
		c := &l.Cmds[i]
		to := &out.cmds[i]
		to.op = c.Op
		if len(c.Words) == 0 {
			continue
		}
		dynamic := false
		for k := range c.Words {
			dynamic = dynamic || c.Words[k].Expands || len(c.Words[k].Text) > safeToken
		}
		if !c.Words[0].Expands {
			if to.y = r.build.Command(c.Words[0].Text); to.y != nil {
				to.run = command(c.Words[0].Text)
			}
		}
		if !dynamic {
			to.plain = make([]string, len(c.Words))
			for k := range c.Words {
				to.plain[k] = c.Words[k].Text
			}
			if takesSetting(to.plain) {
				if p := r.variable(to.plain[1]); p.known && !p.blocked {
					to.setting = &p
				}
			}
			continue
		}
		to.words = make([]programWord, len(c.Words))
		for k := range c.Words {
			w := &c.Words[k]
			to.words[k] = programWord{text: w.Text, expands: w.Expands}
			if w.Expands {
				to.words[k].parts = r.parts(w.Text)
			}
		}
	}
	return out
}

// takesSetting reports whether the first argument of a command names a setting.
func takesSetting(words []string) bool {
	if len(words) < 2 {
		return false
	}
	switch words[0] {
	case "set", "clear", "inc", "show", "read", "choose":
		return true
	}
	return false
}

// parts takes a word of a usual form apart, and returns nil for any other.
func (r *runner) parts(text string) []part {
	list := make([]part, 0, 2*strings.Count(text, "$")+1)
	for text != "" {
		at := strings.IndexByte(text, '$')
		if at < 0 {
			return append(list, part{literal: text})
		}
		if at > 0 {
			list = append(list, part{literal: text[:at]})
		}
		text = text[at:]
		end := strings.IndexByte(text, '}')
		if end < 0 || len(text) < 2 || text[1] != '{' || strings.IndexByte(text[1:end], '$') >= 0 || len(list) > maxParts {
			return nil
		}
		list = append(list, r.variable(text[2:end]))
		text = text[end+1:]
	}
	return list
}

// variable looks the name of a variable up as far as it stays the same.
func (r *runner) variable(name string) part {
	p := part{variable: true, name: name}
	if p.block, _, p.blocked = strings.Cut(name, "/"); p.blocked {
		b := r.findBlock(p.block, false)
		if b == nil {
			return p
		}
	}
	var status Status
	_, p.set, status = r.parseName(name, false)
	p.known = status == OK
	return p
}

// appendVariable appends the text of a variable.
func (r *runner) appendVariable(dst []byte, p *part) []byte {
	b, s := &r.root, &p.set
	if p.blocked {
		if b = r.findBlock(p.block, false); b == nil {
			return dst
		}
	}
	if !p.known || b.scope != p.set.scope && p.blocked {
		var other setting
		var status Status
		if b, other, status = r.parseName(p.name, false); status != OK {
			return dst
		}
		s = &other
	}
	at := len(dst)
	dst, _, _, status := r.appendFormatted(dst, b, s)
	if status != OK {
		return dst[:at]
	}
	return dst
}

// word expands a word.
func (r *runner) word(w *programWord) (string, Status) {
	if !w.expands {
		return w.text, OK
	}
	if w.parts == nil {
		return r.expand(w.text)
	}
	steps, bytes := r.res.Steps, r.bytes
	out := r.scratch[:0]
	for i := range w.parts {
		p := &w.parts[i]
		if !p.variable {
			out = append(out, p.literal...)
			continue
		}
		at := len(out)
		out = r.appendVariable(out, p)
		odd := len(out) > heap
		for k, c := range out[at:] {
			if c == 0 {
				out = out[:at+k]
				break
			}
			odd = odd || c == '$' || c == '{' || c == '}'
		}
		r.scratch = out
		r.res.Steps++
		r.bytes += len(out) - at
		if odd || r.res.Steps > r.opts.MaxSteps || r.bytes > r.opts.MaxBytes {
			// Text that may be expanded again, or a bound: step by step.
			r.res.Steps, r.bytes = steps, bytes
			return r.expand(w.text)
		}
	}
	r.scratch = out
	if len(out) > keptWord {
		return r.keepText(out), OK
	}
	if w.last != string(out) {
		w.last = r.keepText(out)
	}
	return w.last, OK
}

// keptWord is the longest word whose text is kept for the next time.
const keptWord = 256

// command expands and runs one command.
func (r *runner) command(s *ipxe.Script, c *programCommand) Status {
	if c.plain != nil {
		if r.opts.Trace != nil {
			r.trace(s, c.plain)
		}
		k := r.takeCall()
		r.hint = c.setting
		status := r.execute(c, k, c.plain)
		r.hint = nil
		r.giveCall(k)
		return status
	}
	if len(c.words) == 0 {
		return OK
	}
	k := r.takeCall()
	args := k.room[:0]
	if len(c.words) > len(k.room) {
		args = make([]string, 0, len(c.words))
	}
	args = args[:len(c.words)]
	for i := range c.words {
		var status Status
		if args[i], status = r.word(&c.words[i]); status != OK {
			return status
		}
		if len(args[i]) > safeToken {
			r.longWord(len(args[i]))
		}
		if r.fatal != nil {
			return OK
		}
	}
	if r.opts.Trace != nil {
		r.trace(s, args)
	}
	status := r.execute(c, k, args)
	r.giveCall(k)
	return status
}

// longWord records a word that a BIOS build has no room for: 32,000 bytes were seen to
// work, 60,000 to hang the machine.
func (r *runner) longWord(n int) {
	text := fmt.Sprintf("a word of %d bytes: a BIOS build has no room for it", n)
	if n >= hangToken && r.p.Platform == "pcbios" {
		r.stop(HazardToken, text)
		return
	}
	r.hazard(HazardToken, text)
}

func (r *runner) trace(s *ipxe.Script, args []string) {
	r.opts.Trace(Event{Script: s, Line: r.line, Words: append([]string(nil), args...), Depth: r.depth - 1})
}

// execute runs a command and keeps its status for ${errno}. c may be nil.
func (r *runner) execute(c *programCommand, k *call, args []string) Status {
	k.name, k.args = args[0], args[1:]
	var run func(*runner, *call) Status
	if c != nil {
		k.y, run = c.y, c.run
	}
	if k.y == nil {
		if k.y = r.build.Command(k.name); k.y != nil {
			run = command(k.name)
		}
	}
	var status Status
	switch {
	case k.y == nil:
		r.print(k.name, ": command not found\n")
		status = enoexecExec
	default:
		k.presets()
		if !k.verbatim() {
			if k.rest, status = r.options(k); status != OK {
				break
			}
		}
		if run == nil {
			run = unsimulated
		}
		status = run(r, k)
	}
	if status != OK {
		r.errno = status
		if int32(status) < 0 {
			r.errno = -status
		}
	}
	return status
}
