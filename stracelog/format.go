package stracelog

import "dougu.internal/internal/enum"

// PIDForm says how the log names processes.
type PIDForm uint8

// The forms of a process column.
const (
	NoPID      PIDForm = iota // one process, or a file of -ff
	PIDColumn                 // -f -o FILE: the number first
	PIDBracket                // -f to stderr: [pid 7], only while more than one process lives
)

var pidForms = enum.Names[PIDForm]{Type: "stracelog: form of the process column", Words: map[PIDForm]string{
	NoPID: "none", PIDColumn: "column", PIDBracket: "bracket",
}}

// String returns the name of the form.
func (f PIDForm) String() string { return pidForms.String(f) }

// MarshalText returns the name of the form. It fails if f is not valid.
func (f PIDForm) MarshalText() ([]byte, error) { return pidForms.Text(f) }

// UnmarshalText sets f from the name of a form.
func (f *PIDForm) UnmarshalText(text []byte) error { return pidForms.Parse(text, f) }

// Format is what was detected of the flags that made a log. It grows while the log is read.
type Format struct {
	Time       TimeForm `json:"time"`
	Digits     uint8    `json:"digits"`    // decimals of the time
	Delta      bool     `json:"delta"`     // -r next to another time
	Durations  bool     `json:"durations"` // -T
	PID        PIDForm  `json:"pid"`
	Comm       bool     `json:"comm"`       // -Y
	NR         bool     `json:"nr"`         // -n
	IP         bool     `json:"ip"`         // -i
	Context    bool     `json:"context"`    // --secontext
	Paths      bool     `json:"paths"`      // -y or -yy
	Stacks     bool     `json:"stacks"`     // -k
	Dumps      bool     `json:"dumps"`      // -e read=, -e write=
	Colour     bool     `json:"colour"`     // --color
	Tables     bool     `json:"tables"`     // -c, -C
	OldResumed bool     `json:"oldResumed"` // "resumed> )": a blank after resumed> is decoration
	PerfTrace  bool     `json:"perfTrace"`  // lines of perf trace were seen: another tool's format
}
