package target

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"dougu.internal/examples/accesslog/internal/errtext"
	"dougu.internal/examples/accesslog/sink"
	"dougu.internal/internal/jsontext"
)

// ErrNotMine is returned by an [Opener] that does not support the target.
var ErrNotMine = errors.New("target: unknown target type")

// Opener opens the targets of one type.
type Opener interface {
	// Open opens the target spec. It returns [ErrNotMine] if the target has another type, and
	// a [*SpecError] if the target is invalid. When Open returns, ctx has no effect any more.
	// The caller must close the sink.
	Open(ctx context.Context, spec string) (sink.Sink, error)
}

// SpecError describes an error in a target string.
type SpecError struct {
	// Spec is the target string.
	Spec string `json:"spec,omitzero"`
	// Offset is the position of the error in the string, in bytes from 0.
	Offset int `json:"offset,omitzero"`
	// Msg is the cause.
	Msg string `json:"msg,omitzero"`
}

// Error returns the column, counted in bytes from 1, and the cause.
func (e *SpecError) Error() string { return fmt.Sprintf("target: column %d: %s", e.Offset+1, e.Msg) }

// MarshalJSON returns the JSON encoding of e. It keeps strings that are not valid UTF-8.
func (e SpecError) MarshalJSON() ([]byte, error) {
	type plain SpecError
	return jsontext.Marshal(plain(e))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *SpecError) UnmarshalJSON(b []byte) error {
	type plain SpecError
	return jsontext.Unmarshal(b, (*plain)(e))
}

type chain []Opener

// Chain returns an opener that tries the given ones in order.
func Chain(o ...Opener) Opener { return chain(o) }

// Open returns the result of the first opener that supports the target.
func (c chain) Open(ctx context.Context, spec string) (sink.Sink, error) {
	if i := strings.IndexByte(spec, 0); i >= 0 {
		return nil, &SpecError{spec, i, "unexpected NUL byte"}
	}
	if !utf8.ValidString(spec) {
		return nil, &SpecError{
			spec,
			strings.IndexFunc(spec, func(r rune) bool { return r == utf8.RuneError }),
			"invalid UTF-8",
		}
	}
	for _, o := range c {
		s, err := o.Open(ctx, spec)
		if errors.Is(err, ErrNotMine) {
			continue
		}
		return s, errtext.Wrap("target", "", err)
	}
	return nil, fmt.Errorf("%w: %q", ErrNotMine, spec)
}
