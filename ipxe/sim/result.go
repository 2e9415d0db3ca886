package sim

import (
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
	Script *ipxe.Script `json:"script,omitzero"`
	Line   int          `json:"line,omitzero"`
	// Words are the command and its arguments, expanded.
	Words []string `json:"words,omitzero"`
	// Depth counts the scripts that wait for this one.
	Depth int `json:"depth,omitzero"`
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
	// KeyF1 is the first function key. The key Fn is KeyF1 + n - 1, up to F12.
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
	Kind HazardKind `json:"kind,omitzero"`
	// Text says what and where.
	Text string `json:"text,omitzero"`
	// Fatal reports that the run ended there, as the machine hangs.
	Fatal bool `json:"fatal,omitzero"`
	// Script and Line (from 1) are where it happened; Script may be empty.
	Script string `json:"script,omitzero"`
	Line   int    `json:"line,omitzero"`
}

// Result is what a run did. It belongs to the caller.
type Result struct {
	// Status is the script's own, as its caller sees it. It means nothing after a
	// machine that booted, or hangs.
	Status Status `json:"status,omitzero"`
	// Console is what the machine printed.
	Console []byte `json:"console,omitzero"`
	// Requests in order.
	Requests []Request `json:"requests,omitzero"`
	// Boot says what the machine does in the end.
	Boot Boot `json:"boot,omitzero"`
	// Hazards in order; Hang returns the fatal one.
	Hazards []Hazard `json:"hazards,omitzero"`
	// Steps counts commands, searches and expansions; Elapsed is the virtual time.
	Steps   int           `json:"steps,omitzero"`
	Elapsed time.Duration `json:"elapsed,omitzero"`

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

// Setting returns the raw bytes of a setting after the run: "x", "net0/ip". A Result that
// was read from JSON has no settings.
func (r *Result) Setting(name string) ([]byte, bool) {
	if r.r == nil {
		return nil, false
	}
	b, s, status := r.r.parseName(name, false)
	if status != OK {
		return nil, false
	}
	data, _, _, ok := r.r.fetch(b, &s)
	return append([]byte(nil), data...), ok
}

// Expand returns a text with the settings in it replaced, as the script would see it
// after its end. A Result that was read from JSON has no settings; it returns the text as
// it is.
func (r *Result) Expand(text string) string {
	if r.r == nil {
		return text
	}
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
	Kind Kind `json:"kind,omitzero"`
	// Kernel is the image that starts, with Args as its command line.
	Kernel *Image `json:"kernel,omitzero"`
	Args   string `json:"args,omitzero"`
	// Initrds are the other images in memory, in order.
	Initrds []Image `json:"initrds,omitzero"`
	// Drive and Path are of a SAN boot: the BIOS drive, and where it is, if not local.
	Drive int      `json:"drive,omitzero"`
	Path  []string `json:"path,omitzero"`
	// Warm: a reboot without the memory test.
	Warm bool `json:"warm,omitzero"`
}

// Image is a file in the machine's memory.
type Image struct {
	Name string `json:"name,omitzero"`
	URI  string `json:"uri,omitzero"`
	Args string `json:"args,omitzero"`
	Data []byte `json:"data,omitzero"`
	Type string `json:"type,omitzero"`
}
