package fill_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/fill"
)

type color uint8

func (c color) MarshalText() ([]byte, error) {
	if c != 3 && c != 7 {
		return nil, errors.New("invalid")
	}
	return []byte("x"), nil
}

type opt struct {
	V  int
	OK bool
}

type all struct {
	Text   string
	Number int16
	Color  color
	Opt    opt
	List   []string
	Map    map[string]*all
	When   time.Time
	Err    error
	hidden int
}

func TestEveryFieldIsReached(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var seen all
	invalid, absent, empty := false, false, false
	for range 200 {
		var v all
		fill.Value(r, &v)
		require.Contains(t, []color{3, 7}, v.Color)
		require.Zero(t, v.hidden)
		if !v.Opt.OK {
			require.Zero(t, v.Opt.V)
			absent = true
		}
		invalid = invalid || !utf8.ValidString(v.Text)
		empty = empty || v.List != nil && len(v.List) == 0
		seen.Number |= v.Number
		seen.Opt.V |= v.Opt.V
		if v.Err != nil {
			seen.Err = v.Err
		}
		if len(v.Map) > 0 {
			seen.Map = v.Map
		}
		require.False(t, v.When.IsZero())
	}
	require.True(t, invalid && absent && empty)
	require.NotZero(t, seen.Number)
	require.NotZero(t, seen.Opt.V)
	require.Error(t, seen.Err)
	require.NotEmpty(t, seen.Map)
}
