package sshproxy

// fate is what became of a line that speaks of an option.
type fate uint8

const (
	took     fate = iota + 1 // it set a value
	shadowed                 // it applies, and a value was set before
	blocked                  // it stands where it does not apply
)

type traced struct {
	o    op
	from origin
	fate fate
	why  string
}

// trace records what became of each line, for Explain. A nil trace records nothing.
type trace struct {
	events []traced
}

func (t *trace) add(e traced) {
	if t != nil {
		t.events = append(t.events, e)
	}
}

// inactive records a line of a block that does not match.
func (t *trace) inactive(x *execution, i int32, o op) {
	if t != nil {
		t.add(traced{o, x.origin(i), blocked, x.why})
	}
}

// used records a line that applies.
func (t *trace) used(_ *state, o op, from origin, won bool) {
	f := shadowed
	if won {
		f = took
	}
	t.add(traced{o: o, from: from, fate: f})
}
