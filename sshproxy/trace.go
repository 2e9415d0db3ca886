package sshproxy

// trace records what became of each line, for Explain. A nil trace records nothing.
type trace struct {
	option op
	events []Event
	level  int
}

// header records whether a block applies.
func (t *trace) header(x *execution, i int32) {
	if t == nil || x.active {
		return
	}
}

func (t *trace) enter(x *execution, s *stmt, path string) {}

func (t *trace) leave(path string) {}

func (t *trace) inactive(x *execution, i int32, o op) {}

func (t *trace) used(st *state, o op, from origin, took bool) {}

// Event is
type Event struct{}
