package surface

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type bare int // an enumeration without text

type colour int

func (c colour) String() string {
	if c == 0 {
		return "red"
	}
	return "green"
}

func (c colour) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func (c *colour) UnmarshalText(b []byte) error {
	switch string(b) {
	case "red":
		*c = 0
	case "green":
		*c = 1
	default:
		return fmt.Errorf("paint: unknown colour %q", b)
	}
	return nil
}

type lossy struct {
	Name string `json:"name"`
	Kept string `json:"-"`
	When func() `json:"when"`
}

type lossless struct {
	Name  string    `json:"name,omitzero"`
	Since time.Time `json:"since,omitzero"`
	Why   error     `json:"-"`
}

type forgetful struct {
	Count int `json:"count"`
}

func (forgetful) MarshalJSON() ([]byte, error)    { return []byte("{}"), nil }
func (f *forgetful) UnmarshalJSON(b []byte) error { return nil }

type untagged struct {
	Name  string
	Since time.Time `json:"since"`
}

type nameless struct{ Cause string }

func (e *nameless) Error() string { return "it went wrong" }

// TestCheckFindsWhatBreaksARule gives Check a type or function for each rule.
func TestCheckFindsWhatBreaksARule(t *testing.T) {
	for _, row := range []struct {
		name string
		pkg  Package
		want string // part of the only kind of finding, or "" for none
	}{
		{"enumeration", Package{Types: []Type{{Name: "E", Type: reflect.TypeFor[bare](), Values: []any{bare(0), bare(1)}}}}, "no text form"},
		{"good enumeration", Package{Types: []Type{{Name: "E", Type: reflect.TypeFor[colour](), Values: []any{colour(0), colour(1)}}}}, ""},
		{"struct that is live", Package{Types: []Type{{Name: "S", Type: reflect.TypeFor[lossy](), Result: true}}}, ""},
		{"struct that survives", Package{Types: []Type{{Name: "S", Type: reflect.TypeFor[lossless](), Result: true}}}, ""},
		{"struct that forgets", Package{Types: []Type{{Name: "S", Type: reflect.TypeFor[forgetful](), Result: true}}}, "does not survive JSON"},
		{"names of fields", Package{Types: []Type{{Name: "S", Type: reflect.TypeFor[untagged](), Result: true}}}, "the field"},
		{"type of error", Package{Types: []Type{{Name: "Error", Type: reflect.TypeFor[nameless]()}}}, "does not begin with"},
		{"sentinel", Package{Errors: []Sentinel{{"ErrX", errors.New("no such thing")}}}, "does not begin with"},
		{"prefix twice", Package{Errors: []Sentinel{{"ErrX", errors.New("paint: mix: paint: no such thing")}}}, "more than once"},
		{"fragment", Package{Errors: []Sentinel{{"ErrX", errors.New("paint: it was too slow")}}}, "not a phrase"},
		{"good sentinel", Package{Errors: []Sentinel{{"ErrX", errors.New("paint: unknown colour")}}}, ""},
		{"parser", Package{Parsers: []Func{{"Parse", func(string) error { return errors.New("bad input") }}}}, "does not begin with"},
		{"good parser", Package{Parsers: []Func{{"Parse", func(r io.Reader, _ []byte) (int, error) { return 0, errors.New("paint: bad input") }}}}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.pkg.Name = "paint"
			found := Check([]Package{row.pkg}, 1)
			if row.want == "" {
				require.Empty(t, found)
				return
			}
			require.NotEmpty(t, found)
			for _, f := range found {
				require.True(t, strings.HasPrefix(f, "paint."), f)
			}
			require.Contains(t, strings.Join(found, "\n"), row.want)
		})
	}
}
