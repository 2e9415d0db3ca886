package jsontext

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Error is the error of a value that cannot be encoded or decoded.
type Error struct {
	pkg, text string
	err       error
}

// Error returns the name of the package whose type was encoded or decoded, and the
// cause.
func (e *Error) Error() string {
	if e.pkg == "" {
		return e.text
	}
	return e.pkg + ": " + e.text
}

// WithoutPackage returns the cause without the name of the package. An error of
// another package that wraps e can then start with the name of that package.
func (e *Error) WithoutPackage() string { return e.text }

// Unwrap returns the error of encoding/json.
func (e *Error) Unwrap() error { return e.err }

// Offset returns the offset, from 0, of the byte at which a syntax error was found.
// Versions of encoding/json differ in whether they count that byte.
func Offset(err *json.SyntaxError) int {
	var v any
	var first *json.SyntaxError
	if errors.As(json.Unmarshal([]byte("}"), &v), &first) {
		return max(0, int(err.Offset-first.Offset))
	}
	return max(0, int(err.Offset))
}

// Cause describes an error of encoding/json in words that do not depend on the
// version of Go, with the offset in the input or the name of the field. Other
// errors are described by their own text, without the name of their package if
// they have a method WithoutPackage.
func Cause(err error) string {
	var (
		marshaler *json.MarshalerError
		syntax    *json.SyntaxError
		kind      *json.UnmarshalTypeError
		value     *json.UnsupportedValueError
		typ       *json.UnsupportedTypeError
		own       interface{ WithoutPackage() string }
	)
	switch {
	case err == nil:
		return ""
	case errors.As(err, &own):
		return own.WithoutPackage()
	case errors.As(err, &marshaler):
		return Cause(marshaler.Err)
	case errors.As(err, &syntax):
		return fmt.Sprintf("syntax error at byte %d", Offset(syntax))
	case errors.As(err, &kind):
		if kind.Field == "" {
			return fmt.Sprintf("unexpected %s at byte %d", Escape(kind.Value), kind.Offset)
		}
		return fmt.Sprintf("field %q: unexpected %s at byte %d", kind.Field, Escape(kind.Value), kind.Offset)
	case errors.As(err, &value):
		return fmt.Sprintf("value %s cannot be represented", Escape(value.Str))
	case errors.As(err, &typ):
		return fmt.Sprintf("values of type %s cannot be represented", typ.Type)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "unexpected end of input"
	}
	return err.Error()
}
