package stracelog

import (
	"bytes"
	"fmt"
	"time"

	"dougu.internal/internal/enum"
)

// Kind says what a line of a log is.
type Kind uint8

// The kinds of lines. Every line has exactly one; a line that fits none is Unknown.
const (
	Unknown Kind = iota // none of the others: kept, and no gap is computed across it
	Syscall             // name(args) = ret, or one of its halves
	Signal              // --- SIGCHLD {...} ---, --- stopped by SIGSTOP ---
	Exit                // +++ exited with 0 +++, +++ killed by SIGKILL +++, +++ superseded by ... +++
	Note                // what strace says of itself: strace: Process 7 attached
	Stack               // a stack frame of -k
	Dump                // a row of a hexdump of -e read= or -e write=
	Summary             // a line of a -c or -C table
	Empty               // an empty line: layout, transparent for gaps
)

var kinds = enum.Names[Kind]{Type: "stracelog: kind", Words: map[Kind]string{
	Unknown: "unknown", Syscall: "syscall", Signal: "signal", Exit: "exit", Note: "note", Stack: "stack", Dump: "dump", Summary: "summary", Empty: "empty",
}}

// String returns the kind in lower case.
func (k Kind) String() string { return kinds.String(k) }

// MarshalText returns the name of the kind. It fails if k is not valid.
func (k Kind) MarshalText() ([]byte, error) { return kinds.Text(k) }

// UnmarshalText sets k from the name of a kind.
func (k *Kind) UnmarshalText(text []byte) error { return kinds.Parse(text, k) }

// Flags are the properties of a line that are not fields.
type Flags uint16

// The flags of an Event.
const (
	Unfinished Flags = 1 << iota // ends with <unfinished ...>: the call goes on in a Resumed line
	Resumed                      // begins with <... name resumed>
	Detached                     // ends with <detached ...>: strace left while the call was running
	Injected                     // the result was put there by -e inject
	Delayed                      // the call was delayed by -e inject
	Restarted                    // restart_syscall(<... resuming interrupted name ...>)
	Incomplete                   // has no result because the log or the process ended there
	Damaged                      // not as strace writes it; read as well as possible, see Event.Err
	Broken                       // interrupted by a note of strace, rejoined: see Event.Lines
	Coloured                     // held colour codes, which are not part of the fields
	Oversize                     // part of a line longer than the reader's limit
)

var flagBits = enum.Bits[Flags]{Type: "stracelog: flag", Words: map[Flags]string{
	Unfinished: "unfinished", Resumed: "resumed", Detached: "detached", Injected: "injected", Delayed: "delayed", Restarted: "restarted",
	Incomplete: "incomplete", Damaged: "damaged", Broken: "broken", Coloured: "coloured", Oversize: "oversize",
}}

// String returns the names of the flags, joined by "|".
func (f Flags) String() string { return flagBits.String(f) }

// MarshalText returns the names of the flags, joined by "|". It fails if a bit has no
// name.
func (f Flags) MarshalText() ([]byte, error) { return flagBits.Text(f) }

// UnmarshalText sets f from names of flags, joined by "|".
func (f *Flags) UnmarshalText(text []byte) error { return flagBits.Parse(text, f) }

// Has reports whether all flags of g are set.
func (f Flags) Has(g Flags) bool { return f&g == g }

// Event is one line of a log. Its byte slices point into the reader's buffer and are valid
// until the next call of Next; Clone makes a copy that stays.
type Event struct {
	Kind  Kind
	Flags Flags

	// Where it stands.
	Line  int64 // number of its first line, from 1
	Lines int   // physical lines it consists of: 1, or more when a note broke the line
	Off   int64 // byte offset of its first byte

	// What stands before the body.
	PID     int    // 0 when the line names none
	Comm    []byte // command name of -Y, as escaped by strace; nil without
	Context []byte // security context of --secontext without brackets; nil without
	Time    Time
	NR      int    // system call number of -n; -1 without
	IP      uint64 // instruction pointer of -i; 0 without, or when it could not be read

	// The body.
	Name   []byte // system call; signal name of a Signal; nil otherwise
	Args   Args   // arguments of a Syscall, not yet split
	Ret    Ret
	Dur    time.Duration // time spent in the call (-T)
	HasDur bool
	Text   []byte // the body without prefix of every line that is not a Syscall
	Note   []byte // strace's note that broke this line, when Broken

	Err *ParseError // why the line is Damaged or Unknown; nil for a clean line

	raw []byte
}

// Raw returns the exact bytes of the event, with its line ends. They belong to the reader.
func (e *Event) Raw() []byte { return e.raw }

// AppendTo appends the exact input bytes of the event, with its line ends. The bytes of all events of a
// log in order are the log.
func (e *Event) AppendTo(dst []byte) []byte { return append(dst, e.raw...) }

// End returns when the call returned, on the axis of Time.At: its time plus its duration.
func (e *Event) End() time.Duration { return e.Time.At + e.Dur }

// Clone returns a copy that does not share memory with the reader.
func (e *Event) Clone() *Event {
	c := *e
	for _, b := range []*[]byte{&c.Comm, &c.Context, &c.Name, &c.Args.src, &c.Ret.Raw, &c.Ret.Errno, &c.Text, &c.Note, &c.raw} {
		*b = bytes.Clone(*b)
	}
	if e.Err != nil {
		p := *e.Err
		c.Err = &p
	}
	return &c
}

// ParseError says what is wrong with a line. It belongs to an Event and never ends the stream.
type ParseError struct {
	Line   int64  `json:"line"` // from 1
	Off    int64  `json:"off"`  // byte offset of the line
	Col    int    `json:"col"`  // column in bytes, from 1
	Reason string `json:"reason,omitzero"`
}

// Error returns "stracelog: LINE:COL: reason".
func (p *ParseError) Error() string {
	return fmt.Sprintf("stracelog: %d:%d: %s", p.Line, p.Col, p.Reason)
}

// RetKind says how a return value is written.
type RetKind uint8

// The forms of a return value.
const (
	RetNone    RetKind = iota // there is none: an unfinished or cut call
	RetInt                    // decimal
	RetHex                    // 0x...
	RetOctal                  // 022, as umask returns
	RetUnknown                // ?
)

var retKinds = enum.Names[RetKind]{Type: "stracelog: form of a return value", Words: map[RetKind]string{
	RetNone: "none", RetInt: "int", RetHex: "hex", RetOctal: "octal", RetUnknown: "unknown",
}}

// String returns the name of the form.
func (k RetKind) String() string { return retKinds.String(k) }

// MarshalText returns the name of the form. It fails if k is not valid.
func (k RetKind) MarshalText() ([]byte, error) { return retKinds.Text(k) }

// UnmarshalText sets k from the name of a form.
func (k *RetKind) UnmarshalText(text []byte) error { return retKinds.Parse(text, k) }

// Ret is what a call returned.
type Ret struct {
	Kind  RetKind
	Int   int64  // value; a hexadecimal value above 1<<63-1 keeps its bits
	Errno []byte // ENOENT, also of "? ERESTARTSYS"; "38" of "(errno 38)"; nil without
	Raw   []byte // everything between "= " and the duration
}

// Failed reports whether strace's -c table counts the call as an error.
func (t Ret) Failed() bool { return len(t.Errno) > 0 }

// Text returns strace's explanation of the errno, without brackets.
func (t Ret) Text() []byte {
	if len(t.Errno) == 0 {
		return nil
	}
	return t.group()
}

// Aux returns what strace adds to a good result, without the outer brackets: Timeout, left {...}, [{fd=8, revents=POLLOUT}].
func (t Ret) Aux() []byte {
	if len(t.Errno) > 0 {
		return nil
	}
	return t.group()
}

// Annotation returns what stands in < > directly after the value: the path or socket of -y and -yy, the command of -Y.
func (t Ret) Annotation() []byte {
	i := bytes.IndexByte(t.Raw, '<')
	if i <= 0 || !isAlnum(t.Raw[i-1]) {
		return nil
	}
	j := angleEnd(t.Raw, i, len(t.Raw))
	if j < 0 {
		return nil
	}
	return t.Raw[i+1 : j-1]
}

// group returns the first bracketed group after the value that is no mark of injection.
func (t Ret) group() []byte {
	b := t.Raw
	if a := t.Annotation(); a != nil {
		b = b[bytes.IndexByte(b, '<')+len(a)+2:]
	}
	i := bytes.Index(b, []byte(" ("))
	if i < 0 {
		return nil
	}
	b = b[i+2:]
	for {
		cut := false
		for _, mark := range []string{" (INJECTED)", " (DELAYED)"} {
			if c, ok := bytes.CutSuffix(b, []byte(mark)); ok {
				b, cut = c, true
			}
		}
		if !cut {
			break
		}
	}
	if len(b) == 0 || b[len(b)-1] != ')' {
		return nil
	}
	b = b[:len(b)-1]
	if s := string(b); s == "INJECTED" || s == "DELAYED" {
		return nil
	}
	return b
}
