package stracelog

// Args are the arguments of a call, not yet split.
type Args struct {
	src []byte
}

// Raw returns the arguments as they stand in the line, without the outer brackets.
func (a Args) Raw() []byte { return a.src }
