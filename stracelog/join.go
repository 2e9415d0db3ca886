package stracelog

import (
	"bytes"
	"slices"
	"time"
)

// Call is one system call from its start to its end, whether it was printed on one line or on two. The fields of its Event, such as PID, Name, Ret
// and HasDur, are those of the line on which it ended; what the two lines say together stands here.
type Call struct {
	*Event
	Args  Args
	Start Time
	Dur   time.Duration // time spent in the call (-T); without -T the time between its two lines
	Flags Flags         // Incomplete without an end, Resumed without a start
	First int64         // line of its start
	Last  int64         // line of its end
}

// End returns when the call returned. Without -T that is its start.
func (c *Call) End() time.Duration { return c.Start.At + c.Dur }

// maxOpen bounds the calls that wait for their second half. A log that hides exits leaves one for each lost process;
// the oldest go first.
const maxOpen = 1 << 17

// Joiner puts the halves of unfinished and resumed calls together. It holds at most one call for each process. The zero
// value is ready; it is for one goroutine.
type Joiner struct {
	open pidTable
	free []*half
	call Call
	args []byte
}

// half is the first part of a call, in memory of its own.
type half struct {
	Start      Time
	Flags      Flags
	First      int64
	name, head []byte
}

// Add takes the next event. It returns the call that ends with it, valid until the next Add, and nil for any
// other event.
func (j *Joiner) Add(e *Event) *Call {
	switch e.Kind {
	case Exit:
		j.exit(e)
		return nil
	case Syscall:
	default:
		return nil
	}
	if e.Flags&Unfinished != 0 {
		j.start(e)
		return nil
	}
	c := &j.call
	c.Event, c.Args, c.Start, c.Dur, c.Flags, c.First, c.Last = e, e.Args, e.Time, e.Dur, e.Flags, e.Line, e.Line
	if e.Flags&Resumed == 0 {
		if j.open.n > 0 {
			j.drop(e.PID) // its second half was lost
		}
		return c
	}
	h := j.open.get(e.PID)
	if h == nil || !bytes.Equal(h.name, e.Name) {
		return c
	}
	j.args = append(append(j.args[:0], h.head...), e.Args.src...)
	c.Args.src = j.args
	c.Start, c.First = h.Start, h.First
	c.Flags = (e.Flags | h.Flags) &^ (Unfinished | Resumed)
	if !c.HasDur && !c.Start.IsZero() && !e.Time.IsZero() {
		c.Dur = max(e.Time.At-c.Start.At, 0) // without -T the two lines tell
	}
	j.drop(e.PID)
	return c
}

// Open returns the number of calls that have not ended.
func (j *Joiner) Open() int { return j.open.n }

func (j *Joiner) start(e *Event) {
	h := j.open.get(e.PID)
	if h == nil {
		if j.open.n >= maxOpen {
			j.dropOldest()
		}
		if n := len(j.free); n > 0 {
			h, j.free = j.free[n-1], j.free[:n-1]
		} else {
			h = new(half)
		}
		j.open.put(e.PID, h)
	}
	h.name = append(h.name[:0], e.Name...)
	h.head = append(h.head[:0], e.Args.src...)
	h.Start, h.Flags, h.First = e.Time, e.Flags, e.Line
}

func (j *Joiner) drop(pid int) {
	if h := j.open.remove(pid); h != nil && len(j.free) < 64 && cap(h.head) < 4096 {
		j.free = append(j.free, h)
	}
}

// dropOldest forgets the older half of the calls that wait, so that the work of looking for them is spread.
func (j *Joiner) dropOldest() {
	firsts := make([]int64, 0, j.open.n)
	j.open.each(func(_ int, h *half) { firsts = append(firsts, h.First) })
	slices.Sort(firsts)
	mid := firsts[len(firsts)/2]
	var old []int
	j.open.each(func(pid int, h *half) {
		if h.First < mid {
			old = append(old, pid)
		}
	})
	for _, pid := range old {
		j.drop(pid)
	}
}

// exit forgets a process. When it was superseded by the execve of one of its threads, that thread goes on under this pid.
func (j *Joiner) exit(e *Event) {
	if j.open.n == 0 {
		return
	}
	j.drop(e.PID)
	if by, ok := supersededBy(e.Text); ok {
		if h := j.open.remove(by); h != nil {
			j.open.put(e.PID, h)
		}
	}
}

// supersededBy returns 25645 of "+++ superseded by execve in pid 25645 +++".
func supersededBy(text []byte) (pid int, ok bool) {
	const s = "+++ superseded by execve in pid "
	if !bytes.HasPrefix(text, []byte(s)) {
		return 0, false
	}
	n, _, ok := number(text, len(s))
	return int(n), ok
}
