package sshproxy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// stmt is one line as a build of the client reads it, whatever the host.
type stmt struct {
	val     string // of most options; the name of an unknown keyword
	line    int32
	ext     int32 // index of what else there is: lists, matches; -1 for none
	problem int32 // index into problems, 0 for none
	op      op
	again   bool // the environment decides: to be read anew each time
	skip    bool // the line sets nothing
}

type span struct{ low, high int32 }

// problem is what the client says about a line.
type problem struct {
	messages []string
	fatal    bool // it ends there
	failed   bool // the line is counted as bad
}

// block is a Host or Match line with what follows it.
type block struct {
	head        int32 // index of its statement, -1 for the lines before the first block
	first, last int32 // statements [first, last)
	always      bool  // it is looked at for every host
}

// program is a file as one build reads it. It is immutable but for its index.
type program struct {
	file     *File
	path     string
	stmts    []stmt
	words    []string
	spans    []span
	seconds  map[int32]string // second values, by index of statement
	matches  []matchLine
	problems []problem
	blocks   []block

	uses  sync.Mutex
	seen  int
	index *hostIndex
}

// list returns the values of a list option, or the patterns of a Host line.
func (c *program) list(s *stmt) []string {
	if s.ext < 0 {
		return nil
	}
	p := c.spans[s.ext]
	return c.words[p.low:p.high]
}

// second returns the second value that a line sets apart.
func (c *program) second(i int32) string {
	if len(c.seconds) == 0 {
		return ""
	}
	return c.seconds[i]
}

func badOption(file string, line int, keyword string) string {
	return fmt.Sprintf("%s: line %d: Bad configuration option: %s", file, line, keyword)
}

// compile reads every line of a file. path is what messages call it.
func compile(f *File, p *build, path string, service func(string) (int, bool)) *program {
	c := &program{file: f, path: path, problems: make([]problem, 1), seconds: map[int32]string{}}
	c.stmts = make([]stmt, 0, len(f.lines))
	c.blocks = append(c.blocks, block{head: -1})
	r := reading{p: p, service: service, file: path, env: noEnvironment}
	var key [32]byte
	args := make([]string, 0, 16)
	for i := range f.lines {
		if f.lines[i].rest < 0 {
			continue
		}
		keyword := f.keyword(i)
		o, ok := p.lookup(key[:0], keyword)
		s := stmt{line: int32(i + 1), ext: -1, op: o}
		if !ok {
			s.op = opBad
			s.val = lower(keyword)
		}
		args = c.statement(&s, &r, f, i, keyword, args[:0])
		c.add(s)
	}
	c.blocks[len(c.blocks)-1].last = int32(len(c.stmts))
	return c
}

// noEnvironment stands in while a file is compiled: what needs the environment is read
// again when it is known.
func noEnvironment(string) (string, bool) { return "", false }

// lookup finds what a keyword means without making a lower-case copy of it.
func (p *build) lookup(buf []byte, keyword string) (op, bool) {
	if len(keyword) > cap(buf) {
		o, ok := p.keyword[lower(keyword)]
		return o, ok
	}
	for i := range len(keyword) {
		c := keyword[i]
		if c-'A' < 26 {
			c += 'a' - 'A'
		}
		buf = append(buf, c)
	}
	o, ok := p.keyword[string(buf)]
	return o, ok
}

// add puts a statement into its block.
func (c *program) add(s stmt) {
	n := int32(len(c.stmts))
	if s.op == opHost || s.op == opMatch {
		c.blocks[len(c.blocks)-1].last = n
		b := block{head: n, first: n + 1}
		b.always = s.op == opMatch || s.problem != 0
		if s.op == opHost {
			for _, w := range c.list(&s) {
				b.always = b.always || w == "" || w[0] == '!' || !literal(w)
			}
		}
		c.blocks = append(c.blocks, b)
		c.stmts = append(c.stmts, s)
		return
	}
	b := &c.blocks[len(c.blocks)-1]
	switch s.op {
	case opBad, opInclude, opSyslogFacility, opStreamLocalBindMask, opUnsupported:
		b.always = true
	}
	if s.problem != 0 || s.again {
		b.always = true
	}
	c.stmts = append(c.stmts, s)
}

// statement fills in what a line says. It returns args for its storage.
func (c *program) statement(s *stmt, r *reading, f *File, i int, keyword string, args []string) []string {
	l := &f.lines[i]
	rest := f.argument(i)
	p := r.p
	if p.splitsArguments() {
		if rest == "" {
			c.problem(s, []string{fmt.Sprintf("%s line %d: no argument after keyword \"%s\"", r.file, s.line, lower(keyword))}, false)
			s.op, s.skip = opIgnored, true // it counts, and begins no block
			return args
		}
		// Most values are one plain word.
		plain := true
		for k := range len(rest) {
			if special[rest[k]] {
				plain = false
				break
			}
		}
		ok := true
		if plain {
			args = append(args, rest)
		} else {
			args, ok = splitArguments(args, rest)
		}
		if !ok {
			if s.op != opBad {
				s.op = opIgnored
			}
			c.problem(s, []string{fmt.Sprintf("%s line %d: invalid quotes", r.file, s.line)}, false)
			s.skip = true
			return args
		}
	}
	switch s.op {
	case opBad, opIgnored, opDeprecated:
		return args
	case opUnsupported:
		c.problems = append(c.problems, problem{messages: []string{fmt.Sprintf("%s line %d: Unsupported option \"%s\"", r.file, s.line, lower(keyword))}})
		s.problem = int32(len(c.problems) - 1)
		return args
	}
	r.line, r.rest = int(s.line), rest
	r.keyword = keyword
	if p.splitsArguments() {
		r.args = args
	} else {
		r.args = oldArguments(args, rest, l.bare)
	}
	r.val, r.next, r.list, r.messages = "", "", r.list[:0], nil
	r.quiet, r.fatal, r.failed = false, false, false
	switch s.op {
	case opHost:
		c.host(s, r)
	case opMatch:
		c.match(s, r)
	case opInclude:
		c.include(s, r)
	default:
		c.option(s, r, l.bare)
	}
	return args
}

// oldArguments splits a line as clients before 8.7 do.
func oldArguments(dst []string, rest string, bare bool) []string {
	if bare {
		return dst
	}
	w := words{rest: rest}
	for {
		a, ok := w.next(true)
		if !ok {
			return dst
		}
		dst = append(dst, a)
	}
}

func (c *program) problem(s *stmt, messages []string, fatal bool) {
	c.problems = append(c.problems, problem{messages: messages, fatal: fatal, failed: true})
	s.problem = int32(len(c.problems) - 1)
}

// option reads the value of an ordinary option.
func (c *program) option(s *stmt, r *reading, bare bool) {
	if needsEnvironment(s.op, r.rest) {
		s.again = true
		s.val = r.rest
		return
	}
	r.readOption(s.op, bare)
	s.val, s.skip = r.val, r.quiet || r.failed && r.val == "" && len(r.list) == 0
	if r.next != "" {
		c.seconds[int32(len(c.stmts))] = r.next
	}
	if len(r.list) > 0 {
		c.keep(s, r.list)
	}
	if r.failed {
		c.problem(s, r.messages, r.fatal)
	}
}

// readOption reads the value and refuses what is left over.
func (r *reading) readOption(o op, bare bool) {
	before := r.val
	old := !r.p.splitsArguments()
	if old && bare && (options[o].kind == kindCommand || o == opProxyJump) {
		r.fail("%s", missingArgument)
		return
	}
	r.read(o)
	if r.failed {
		r.val = before
		return
	}
	if len(r.args) == 0 {
		return
	}
	if old {
		if r.args[0] != "" {
			r.fail("garbage at end of line; \"%s\".", cut(r.args[0], 200))
		}
		return
	}
	r.fail("keyword %s extra arguments at end of line", lower(r.keyword))
}

// needsEnvironment reports whether the environment decides if a value is good.
func needsEnvironment(o op, rest string) bool {
	switch o {
	case opIdentityAgent, opForwardAgent, opLocalForward, opRemoteForward, opDynamicForward:
		return strings.Contains(rest, "${")
	}
	return false
}

func (c *program) keep(s *stmt, list []string) {
	low := int32(len(c.words))
	c.words = append(c.words, list...)
	s.ext = int32(len(c.spans))
	c.spans = append(c.spans, span{low, int32(len(c.words))})
}

// host keeps the patterns. An empty one is refused when the client comes to it, which
// depends on the host.
func (c *program) host(s *stmt, r *reading) {
	list := r.args
	if i := slices.Index(list, ""); i >= 0 && !r.p.splitsArguments() {
		list = list[:i] // the empty word ends the list
	}
	c.keep(s, list)
}

func (c *program) include(s *stmt, r *reading) {
	var list []string
	for _, a := range r.args {
		if a == "" {
			if r.p.splitsArguments() {
				r.fail("keyword include empty argument")
				c.problem(s, r.messages, r.fatal)
			}
			break
		}
		list = append(list, a)
	}
	c.keep(s, list)
}

// command reads one option of a command line, such as -o Port=22.
func (p *build) command(text string, env func(string) (string, bool), service func(string) (int, bool), ignored string) (o op, r reading) {
	r = reading{p: p, env: env, service: service, file: "command-line", strict: true}
	text = trimLine(text)
	keyword, rest, none, ok := splitKeyword(text)
	if !ok {
		r.quiet = true
		return opIgnored, r
	}
	r.keyword, r.rest = keyword, rest
	o, found := p.keyword[lower(keyword)]
	if p.splitsArguments() && rest == "" {
		r.fail("no argument after keyword \"%s\"", lower(keyword))
		r.messages[len(r.messages)-1] = "command-line line 0: no argument after keyword \"" + lower(keyword) + "\""
		return o, r
	}
	if !found {
		if matchList(lower(keyword), ignored, true) == 1 {
			r.quiet = true
			return opIgnored, r
		}
		r.failed = true
		r.messages = append(r.messages, badOption("command-line", 0, lower(keyword)))
	}
	if p.splitsArguments() {
		if r.args, ok = splitArguments(nil, rest); !ok {
			r.fail("invalid quotes")
		}
	} else {
		r.args = oldArguments(nil, rest, none)
	}
	if r.failed {
		return o, r
	}
	switch o {
	case opHost, opMatch, opInclude:
		word := map[op]string{opHost: "Host", opMatch: "Host", opInclude: "Include"}[o]
		if o == opMatch && p.at(100000) {
			word = "Match"
		}
		r.failed = true
		r.messages = append(r.messages, word+" directive not supported as a command-line option")
	case opIgnored, opDeprecated:
		r.quiet = true
	case opUnsupported:
		r.quiet = true
		r.messages = append(r.messages, "command-line line 0: Unsupported option \""+lower(keyword)+"\"")
	default:
		r.readOption(o, none)
	}
	return o, r
}

func itoa(n int) string { return strconv.Itoa(n) }
