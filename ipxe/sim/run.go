package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"dougu.internal/internal/errtext"
	"dougu.internal/ipxe"
)

// runner is one run.
type runner struct {
	memory
	state
}

// state is what a run begins anew.
type state struct {
	ctx   context.Context
	m     *Machine
	p     *ipxe.Features
	build ipxe.Profile
	world World
	opts  Options
	res   *Result

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
	ticks   int
	hint    *part // the setting that the running command names
}

// stopState is what goto and exit leave behind.
type stopState uint8

const (
	goOn stopState = iota
	stopCommand
	stopSequence
)

// errStop ends the run: the machine booted, or hangs.
const errs = errtext.Package("sim")

var errStop = errors.New("stopped")

// Run boots a machine with a script. It fails only when ctx ends, the machine's
// description is wrong, or the world is broken; whatever a script does is a Result.
func Run(ctx context.Context, m *Machine, s *ipxe.Script, w World, o Options) (*Result, error) {
	return new(Simulator).Run(ctx, m, s, w, o)
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
	if r.ticks++; r.ticks&255 == 0 && r.ctx.Err() != nil {
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
			if r.console == nil {
				r.console = make([]byte, 0, max(256, len(s)))
			}
			r.console = append(r.console, cString(s)...)
		}
	}
}

// printBytes writes text to the console.
func (r *runner) printBytes(b []byte) {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	if r.charge(len(b)) {
		r.console = append(r.console, b...)
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
	line, next, script := r.line, r.next, r.script
	status := OK
	p := r.program(s)
	r.script = s
	for r.next = 0; r.next < len(p.lines); {
		r.script, r.line = s, r.next
		l := r.programLine(p, s, r.next)
		r.next++
		if r.opts.visit != nil {
			r.opts.visit(s, r.line)
		}
		if l.open {
			status = einvalScript
			break
		}
		status = r.runLine(s, l)
		if r.stopped(stopSequence) || status != OK || r.fatal != nil {
			break
		}
	}
	r.line, r.next, r.script = line, next, script
	return status
}

// maxWords is what a line may have before a BIOS build overruns its stack: 300 words
// are refused cleanly, 400 hang the machine. Both were seen on the firmware.
const (
	safeWords = 300
	hangWords = 400
	safeToken = 32000
	hangToken = 60000
)

// runLine runs the commands of a line.
func (r *runner) runLine(s *ipxe.Script, l *programLine) Status {
	status := OK
	if l.words > safeWords && r.p.Platform == "pcbios" {
		text := fmt.Sprintf("%d words on a line: a BIOS build has no room for them on its stack", l.words-1)
		if l.words > hangWords {
			r.stop(HazardWords, text)
			return OK
		}
		r.hazard(HazardWords, text)
	}
	for i := range l.cmds {
		c := &l.cmds[i]
		if c.op == ipxe.Or && status == OK || c.op == ipxe.And && status != OK {
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
