package fill

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

type kept struct {
	A int
	B []byte
}

type lost int

func (lost) MarshalJSON() ([]byte, error) { return []byte("1"), nil }

type list []int

func (l list) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]int(l))
}

func TestJSON(t *testing.T) {
	require.NoError(t, JSON(1, new(kept)))
	require.NoError(t, JSON(1, new(list)), "a nil list is an empty one")
	require.ErrorContains(t, JSON(1, new(lost)), "comes back")
}

type answer uint8

func (a answer) String() string               { return []string{"no", "yes"}[a] }
func (a answer) MarshalText() ([]byte, error) { return []byte(a.String()), nil }
func (a *answer) UnmarshalText(b []byte) error {
	switch string(b) {
	case "no":
		*a = 0
	case "yes", "y":
		*a = 1
	default:
		return errors.New("fill: unknown answer")
	}
	return nil
}

type deaf struct{ answer }

func (deaf) UnmarshalText([]byte) error { return nil }

func TestText(t *testing.T) {
	require.NoError(t, Text(answer(1), new(answer), "yes", "fill: "))
	require.ErrorContains(t, Text(answer(1), new(answer), "y", "fill: "), `want "y"`)
	require.ErrorContains(t, Text(answer(1), new(answer), "yes", "other: "), "want the prefix")
	require.ErrorContains(t, Text(answer(1), new(deaf), "yes", "fill: "), `comes back as "no"`)
	require.ErrorContains(t, Text(answer(0), new(deaf), "no", "fill: "), "an unknown word")
}
