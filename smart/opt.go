package smart

import (
	"bytes"

	"dougu.internal/internal/jsontext"
)

// Opt is a value that may be absent. The zero value is absent.
type Opt[T any] struct {
	// V is the value. It must be ignored if OK is false.
	V T
	// OK reports whether the value is present.
	OK bool
}

// Some returns a value that is present.
func Some[T any](v T) Opt[T] { return Opt[T]{V: v, OK: true} }

// IsZero reports whether the value is absent. A field with the JSON option omitzero
// is left out in that case.
func (o Opt[T]) IsZero() bool { return !o.OK }

// MarshalJSON returns the JSON of the value, or null if the value is absent.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.OK {
		return []byte("null"), nil
	}
	return jsontext.Marshal(o.V)
}

// UnmarshalJSON sets the value from its JSON. The value is absent after null.
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	if string(bytes.TrimSpace(b)) == "null" {
		*o = Opt[T]{}
		return nil
	}
	var v T
	if err := jsontext.Unmarshal(b, &v); err != nil {
		return errs.Wrap(err)
	}
	*o = Some(v)
	return nil
}
