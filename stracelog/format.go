package stracelog

// PIDForm says how the log names processes.
type PIDForm uint8

// The forms of a process column.
const (
	NoPID      PIDForm = iota // one process, or a file of -ff
	PIDColumn                 // -f -o FILE: the number first
	PIDBracket                // -f to stderr: [pid 7], only while more than one process lives
)

// Format is what was detected of the flags that made a log. It grows while the log is read.
type Format struct {
	Time       TimeForm
	Digits     uint8 // decimals of the time
	Delta      bool  // -r next to another time
	Durations  bool  // -T
	PID        PIDForm
	Comm       bool // -Y
	NR         bool // -n
	IP         bool // -i
	Context    bool // --secontext
	Paths      bool // -y or -yy
	Stacks     bool // -k
	Dumps      bool // -e read=, -e write=
	Colour     bool // --color
	Tables     bool // -c, -C
	OldResumed bool // "resumed> )": a blank after resumed> is decoration
	PerfTrace  bool // lines of perf trace were seen: another tool's format
}
