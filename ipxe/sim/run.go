package sim

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dougu.internal/ipxe"
)

// Options bound and steer a run. The zero value is ready to use.
type Options struct {
	// MaxSteps bounds the commands, label searches and expansions; 0: 100,000.
	MaxSteps int
	// MaxBytes bounds what is kept of console, downloads, settings and expansions
	// together; 0: 256 MiB.
	MaxBytes int
	// MaxDepth bounds scripts that chain to one another; 0: 64. The stack of a BIOS build
	// allows fewer on some machines.
	MaxDepth int
	// MaxRequests bounds the downloads; 0: 10,000.
	MaxRequests int
	// Keys are pressed one after another, whenever the script waits for one.
	Keys []Key
	// Decide, when it is not nil, answers every menu, prompt and read instead of Keys.
	Decide func(Question) Answer
	// Trace, when it is not nil, is called for each command before it runs.
	Trace func(Event)

	visit func(s *ipxe.Script, line int) // each line that is reached
}

// Event is one step of a trace.
type Event struct {
	// Script is the name of the running script, Line the index of its line.
	Script *ipxe.Script
	Line   int
	// Words are the command and its arguments, expanded.
	Words []string
	// Depth counts the scripts that wait for this one.
	Depth int
}

// Key is a key that is pressed: a character, or one of the constants.
type Key int

// Keys that are not characters.
const (
	KeyEnter     Key = '\n'
	KeyEscape    Key = 0x1b
	KeyBackspace Key = 8
	KeyCtrlC     Key = 3
	KeyUp        Key = 1<<20 + iota
	KeyDown
	KeyLeft
	KeyRight
	KeyHome
	KeyEnd
	KeyPageUp
	KeyPageDown
	KeyDelete
	KeyF1 Key = 2 << 20
)

// Wait is no key: the user lets the timeout of one question pass.
const Wait Key = -1

// HazardKind says what the real machine would do that no script intends.
type HazardKind string

// The hazards.
const (
	// HazardExpansion: an expansion that never ends; the machine hangs.
	HazardExpansion HazardKind = "endless-expansion"
	// HazardWords: more words on a line than the stack of a BIOS build holds; it hangs.
	HazardWords HazardKind = "too-many-words"
	// HazardToken: a word of more than 32,000 bytes; a BIOS build may hang.
	HazardToken HazardKind = "long-word"
	// HazardNotScript: a file that is no program runs as machine code; it hangs.
	HazardNotScript HazardKind = "not-a-script"
	// HazardLoop: the script never ends.
	HazardLoop HazardKind = "endless-loop"
	// HazardRedirect: a server redirects for ever.
	HazardRedirect HazardKind = "endless-redirect"
	// HazardKeyboard: the script waits for a key, and none comes.
	HazardKeyboard HazardKind = "waits-for-key"
	// HazardDepth: scripts chain to one another until the stack is full.
	HazardDepth HazardKind = "chain-recursion"
	// HazardResources: a bound of Options was reached.
	HazardResources HazardKind = "out-of-bounds"
	// HazardUnknown: the interpreter does not know what the machine would do.
	HazardUnknown HazardKind = "not-simulated"
)

// Hazard is something that a real machine would not survive, or would do for ever.
type Hazard struct {
	Kind HazardKind
	// Text says what and where.
	Text string
	// Fatal reports that the run ended there, as the machine hangs.
	Fatal bool
	// Script and Line (from 1) are where it happened; Script may be empty.
	Script string
	Line   int
}

// Result is what a run did. It belongs to the caller.
type Result struct {
	// Status is the script's own, as its caller sees it. It means nothing after a
	// machine that booted, or hangs.
	Status Status
	// Console is what the machine printed.
	Console []byte
	// Requests in order.
	Requests []Request
	// Boot says what the machine does in the end.
	Boot Boot
	// Hazards in order; Hang returns the fatal one.
	Hazards []Hazard
	// Steps counts commands, searches and expansions; Elapsed is the virtual time.
	Steps   int
	Elapsed time.Duration

	r *runner
}

// Hang returns why the real machine hangs, nil when it does not.
func (r *Result) Hang() *Hazard {
	for i := range r.Hazards {
		if r.Hazards[i].Fatal {
			return &r.Hazards[i]
		}
	}
	return nil
}

// Setting returns the raw bytes of a setting after the run: "x", "net0/ip".
func (r *Result) Setting(name string) ([]byte, bool) {
	b, s, status := r.r.parseName(name, false)
	if status != OK {
		return nil, false
	}
	data, _, _, ok := r.r.fetch(b, &s)
	return append([]byte(nil), data...), ok
}

// Expand returns a text with the settings in it replaced, as the script would see it
// after its end.
func (r *Result) Expand(text string) string {
	s, _ := r.r.expand(text)
	return s
}

// Kind is what a machine does in the end.
type Kind string

// The ends.
const (
	// Returned: the script ended; iPXE goes back to the firmware or to its own prompt.
	Returned Kind = "return"
	// Linux: a Linux kernel starts.
	Linux Kind = "linux"
	// Program: another image that iPXE can start: ELF, Multiboot, EFI, a PXE program.
	Program Kind = "program"
	// SAN: a disk boots, local or remote.
	SAN Kind = "san"
	// Reboot, PowerOff and Shell: as the commands say.
	Reboot   Kind = "reboot"
	PowerOff Kind = "poweroff"
	Shell    Kind = "shell"
	// Hang: see the hazards.
	Hang Kind = "hang"
)

// Boot is the end of a run.
type Boot struct {
	Kind Kind
	// Kernel is the image that starts, with Args as its command line.
	Kernel *Image
	Args   string
	// Initrds are the other images in memory, in order.
	Initrds []Image
	// Drive and Path are of a SAN boot: the BIOS drive, and where it is, if not local.
	Drive int
	Path  []string
	// Warm: a reboot without the memory test.
	Warm bool
}

// Image is a file in the machine's memory.
type Image struct {
	Name, URI, Args string
	Data            []byte
	Type            string
}

// runner is one run.
type runner struct {
	ctx   context.Context
	m     *Machine
	world World
	opts  Options
	res   *Result

	root        block
	room        [6]block
	roomed      int
	cards       []card
	lastOpened  int
	errno       Status
	blocks      int
	storedCount int
	clockSkew   time.Duration
	elapsed     time.Duration

	console []byte
	bytes   int

	images   []*image
	marked   *image // selected, in the current generation
	current  *image
	imgIndex int
	cwuri    *uri
	menus    []*menu
	params   []*params
	keys     []Key
	sanDrive map[int]bool
	trusted  bool

	stop1   stopState
	depth   int
	fatal   error // errStop, or what ends Run with an error
	script  *ipxe.Script
	line    int
	next    int // line to run next, set by goto
	seen    map[string]int
	searchN int
}

// stopState is what goto and exit leave behind.
type stopState uint8

const (
	goOn stopState = iota
	stopCommand
	stopSequence
)

// errStop ends the run: the machine booted, or hangs.
var errStop = errors.New("stopped")

// Run boots a machine with a script. It fails only when ctx ends, the machine's
// description is wrong, or the world is broken; whatever a script does is a Result.
func Run(ctx context.Context, m *Machine, s *ipxe.Script, w World, o Options) (*Result, error) {
	if m == nil {
		m = &Machine{}
	}
	if w == nil {
		w = MapWorld(nil)
	}
	r := &runner{ctx: ctx, m: m, world: w, opts: o, lastOpened: -1, keys: o.Keys}
	r.res = &Result{r: r, Boot: Boot{Kind: Returned}}
	def := func(v *int, n int) {
		if *v <= 0 {
			*v = n
		}
	}
	def(&r.opts.MaxSteps, 100_000)
	def(&r.opts.MaxBytes, 256<<20)
	def(&r.opts.MaxDepth, 64)
	def(&r.opts.MaxRequests, 10_000)
	if err := r.boot(); err != nil {
		return nil, err
	}
	first := &image{name: s.Name(), data: s.Bytes(), script: s, typ: imageScript}
	if m.URI != "" {
		first.uri = r.parseURI(m.URI)
		r.cwuri = first.uri
		if !first.uri.scheme.is {
			return nil, fmt.Errorf("sim: machine's URI %q is not absolute", m.URI)
		}
		if p := first.uri.path; p.is {
			first.name = basename(p.text)
		}
	}
	if !ipxe.IsScript(s.Bytes()) {
		first.typ = probe(s.Bytes())
	}
	r.register(first)
	r.res.Status = r.exec(first)
	r.res.Console, r.res.Elapsed = r.console, r.elapsed
	if r.fatal != nil && !errors.Is(r.fatal, errStop) {
		return nil, r.fatal
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return r.res, nil
}

// hazard records one that the machine survives.
func (r *runner) hazard(k HazardKind, text string) { r.record(Hazard{Kind: k, Text: text}) }

func (r *runner) record(h Hazard) {
	if r.script != nil {
		h.Script = r.script.Name()
		if r.line < r.script.Len() {
			l := r.script.Line(r.line)
			h.Line = r.script.Range(l, 0, 0).Start.Line
		}
	}
	if len(r.res.Hazards) < 1000 {
		r.res.Hazards = append(r.res.Hazards, h)
	}
}

// stop ends the run: the machine hangs.
func (r *runner) stop(k HazardKind, text string) {
	if r.fatal != nil {
		return
	}
	if len(r.res.Hazards) >= 1000 {
		r.res.Hazards = r.res.Hazards[:999]
	}
	r.record(Hazard{Kind: k, Text: text, Fatal: true})
	r.res.Boot = Boot{Kind: Hang}
	r.fatal = errStop
}

// end ends the run: the machine does something else now.
func (r *runner) end(b Boot) Status {
	if r.fatal == nil {
		r.res.Boot, r.fatal = b, errStop
	}
	return OK
}

// fail ends Run with an error.
func (r *runner) fail(err error) {
	if r.fatal == nil {
		r.fatal = err
	}
}

// step counts one step; it reports whether the run goes on.
func (r *runner) step() bool {
	if r.fatal != nil {
		return false
	}
	r.res.Steps++
	if r.res.Steps > r.opts.MaxSteps {
		r.stop(HazardLoop, fmt.Sprintf("the script did not end within %d steps", r.opts.MaxSteps))
		return false
	}
	if r.res.Steps&255 == 0 && r.ctx.Err() != nil {
		r.fail(r.ctx.Err())
		return false
	}
	return true
}

// charge counts bytes that are kept.
func (r *runner) charge(n int) bool {
	if r.bytes += n; r.bytes > r.opts.MaxBytes {
		r.stop(HazardResources, fmt.Sprintf("more than %d bytes", r.opts.MaxBytes))
		return false
	}
	return true
}

// print writes to the console.
func (r *runner) print(parts ...string) {
	for _, s := range parts {
		if r.charge(len(s)) {
			r.console = append(r.console, cString(s)...)
		}
	}
}

// stopped is iPXE's test of the stop state: it takes back what it was told of.
func (r *runner) stopped(s stopState) bool {
	is := r.stop1 >= s
	if r.stop1 <= s {
		r.stop1 = goOn
	}
	return is
}

// runScript runs the lines of a script and returns the status of the last one.
func (r *runner) runScript(s *ipxe.Script) Status {
	saved := [...]int{r.line, r.next}
	savedScript := r.script
	defer func() { r.line, r.next, r.script = saved[0], saved[1], savedScript }()
	status := OK
	r.script = s
	for r.next = 0; r.next < s.Len(); {
		r.script, r.line = s, r.next
		l := s.Line(r.line)
		r.next++
		if r.opts.visit != nil {
			r.opts.visit(s, r.line)
		}
		if l.Open {
			return einvalScript
		}
		status = r.runLine(s, l)
		if r.stopped(stopSequence) || status != OK || r.fatal != nil {
			break
		}
	}
	return status
}

// maxWords is what a line may have before a BIOS build overruns its stack: 300 words
// are refused cleanly, 400 hang the machine. Both were seen on the firmware.
const (
	safeWords = 300
	hangWords = 400
	safeToken = 32000
)

// runLine runs the commands of a line.
func (r *runner) runLine(s *ipxe.Script, l *ipxe.Line) Status {
	status := OK
	words := 0
	for i := range l.Cmds {
		words += len(l.Cmds[i].Words) + 1
	}
	if words > safeWords && r.m.profile().Platform == "pcbios" {
		text := fmt.Sprintf("%d words on a line: a BIOS build has no room for them on its stack", words-1)
		if words > hangWords {
			r.stop(HazardWords, text)
			return OK
		}
		r.hazard(HazardWords, text)
	}
	for i := range l.Cmds {
		c := &l.Cmds[i]
		if c.Op == ipxe.Or && status == OK || c.Op == ipxe.And && status != OK {
			continue
		}
		if !r.step() {
			return status
		}
		status = r.command(s, c)
		if r.fatal != nil {
			return status
		}
		if r.stopped(stopCommand) {
			break
		}
	}
	return status
}

// command expands and runs one command.
func (r *runner) command(s *ipxe.Script, c *ipxe.Command) Status {
	if len(c.Words) == 0 {
		return OK
	}
	k := &call{}
	args := k.room[:0]
	if len(c.Words) > len(k.room) {
		args = make([]string, 0, len(c.Words))
	}
	args = args[:len(c.Words)]
	for i := range c.Words {
		w := &c.Words[i]
		args[i] = w.Text
		if w.Expands {
			var status Status
			if args[i], status = r.expand(w.Text); status != OK {
				return status
			}
		}
		if len(args[i]) > safeToken {
			r.hazard(HazardToken, fmt.Sprintf("a word of %d bytes: a BIOS build has no room for it", len(args[i])))
		}
		if r.fatal != nil {
			return OK
		}
	}
	if r.opts.Trace != nil {
		r.opts.Trace(Event{Script: s, Line: r.line, Words: args, Depth: r.depth - 1})
	}
	return r.execute(k, args)
}

// execute runs a command and keeps its status for ${errno}.
func (r *runner) execute(k *call, args []string) Status {
	status := r.dispatch(k, args)
	if status != OK {
		r.errno = status
		if int32(status) < 0 {
			r.errno = -status
		}
	}
	return status
}

func (r *runner) dispatch(k *call, args []string) Status {
	name := args[0]
	y := r.m.profile().Command(name)
	if y == nil {
		r.print(name, ": command not found\n")
		return enoexecExec
	}
	run := command(name)
	if run == nil {
		run = unsimulated
	}
	k.y, k.name, k.args = y, name, args[1:]
	return run(r, k)
}

// maxExpansions bounds the replacements in one word; a self-referring setting that does
// not grow makes for ever.
const maxExpansions = 10_000

// heap is about what a BIOS build has for all its text; a word that grows beyond it
// ends with "Not enough space" on the machine.
const heap = 512 << 10

// expand replaces the settings in a word: the first closing brace with the nearest
// opening before it, and what is put in is looked at again. Text already passed is not
// scanned twice, so that the work is linear in the text that comes by.
func (r *runner) expand(word string) (string, Status) {
	var startRoom [4]int
	var pendingRoom [4]string
	out := make([]byte, 0, len(word)+32)
	starts := startRoom[:0]                  // of "${" in out
	pending := append(pendingRoom[:0], word) // to be read, the last one first
	for n := 0; len(pending) > 0; {
		top := len(pending) - 1
		text := pending[top]
		pending = pending[:top]
		i := 0
		for i < len(text) {
			c := text[i]
			i++
			out = append(out, c)
			switch {
			case c == '{' && len(out) > 1 && out[len(out)-2] == '$':
				starts = append(starts, len(out)-2)
				continue
			case c != '}' || len(starts) == 0:
				continue
			}
			start := starts[len(starts)-1]
			starts = starts[:len(starts)-1]
			name := string(out[start+2 : len(out)-1])
			out = out[:start]
			if n++; n > maxExpansions || !r.step() {
				r.stop(HazardExpansion, "a setting whose value expands to itself again and again")
				return string(out), OK
			}
			value := r.lookup(name)
			if !r.charge(len(value)) {
				return string(out), OK
			}
			if i < len(text) {
				pending = append(pending, text[i:])
			}
			pending = append(pending, value)
			if len(out)+len(value) > heap {
				if strings.Contains(value, "${") {
					r.hazard(HazardExpansion, "a setting whose value grows as it expands")
				}
				return "", enomemExec
			}
			break
		}
	}
	return string(out), OK
}

// lookup returns the value of a ${name}, empty when there is none.
func (r *runner) lookup(name string) string {
	b, s, status := r.parseName(name, false)
	if status != OK {
		return ""
	}
	text, _, _, status := r.formatted(b, &s)
	if status != OK {
		return ""
	}
	return cString(text)
}
