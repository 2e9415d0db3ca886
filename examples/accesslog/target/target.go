package target

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"dougu.internal/examples/accesslog/sink"
)

// ErrNotMine is what an opener returns for a string of another kind.
var ErrNotMine = errors.New("no such kind of target")

// Opener opens the kind of targets that it knows.
type Opener interface {
	// Open returns [ErrNotMine] when the string is not of its kind, a *SpecError when it
	// is and can't be understood. The context bounds Open alone.
	Open(ctx context.Context, spec string) (sink.Sink, error)
}

// SpecError says where a target string is wrong.
type SpecError struct {
	// Spec is the whole string.
	Spec string
	// Offset counts the bytes before the place.
	Offset int
	// Msg says what is wrong there.
	Msg string
}

// Error returns target:1:COLUMN: message; columns count bytes from 1.
func (e *SpecError) Error() string { return fmt.Sprintf("target:1:%d: %s", e.Offset+1, e.Msg) }

type chain []Opener

// Chain returns an opener that asks the given ones in order.
func Chain(o ...Opener) Opener { return chain(o) }

// Open returns what the first opener that knows the string returns.
func (c chain) Open(ctx context.Context, spec string) (sink.Sink, error) {
	if i := strings.IndexByte(spec, 0); i >= 0 {
		return nil, &SpecError{spec, i, "a NUL byte"}
	}
	if !utf8.ValidString(spec) {
		return nil, &SpecError{spec, strings.IndexFunc(spec, func(r rune) bool { return r == utf8.RuneError }), "broken UTF-8"}
	}
	for _, o := range c {
		s, err := o.Open(ctx, spec)
		if errors.Is(err, ErrNotMine) {
			continue
		}
		return s, err
	}
	return nil, fmt.Errorf("%w: %q", ErrNotMine, spec)
}
