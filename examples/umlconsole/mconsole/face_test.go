package mconsole_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/umlconsole/mconsole"
	"dougu.internal/internal/fill"
	"dougu.internal/internal/oracle"
)

func TestResultsSurviveJSON(t *testing.T) {
	r := oracle.Rand(t)
	for range 100 {
		for _, p := range []any{new(mconsole.Guest), new(mconsole.Channel), new(mconsole.Error), new(mconsole.CommandError)} {
			fill.Value(r, p)
			b, err := json.Marshal(p)
			require.NoError(t, err)
			back := reflect.New(reflect.TypeOf(p).Elem()).Interface()
			require.NoError(t, json.Unmarshal(b, back))
			require.Equal(t, p, back)
		}
	}
}

func TestErrorsBeginWithThePackage(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	c := &mconsole.Client{}
	_, canceled := c.Do(gone, "version")
	_, missing := c.Do(t.Context(), "version")
	_, noConsole := c.Console(gone, "con1")
	_, invalid := c.Do(t.Context(), "\x00")
	_, dial := mconsole.Dial(filepath.Join(t.TempDir(), "x"))
	_, long := mconsole.Dial(strings.Repeat("x", 200))
	for _, err := range []error{
		mconsole.ErrStale, mconsole.ErrIncomplete, mconsole.ErrProtocol, &mconsole.Error{Code: 1, Text: "no"},
		canceled, missing, noConsole, invalid, dial, long,
	} {
		require.Error(t, err)
		require.True(t, strings.HasPrefix(err.Error(), "mconsole: "), "%v", err)
		require.Equal(t, 1, strings.Count(err.Error(), "mconsole: "), "%v", err)
	}
	require.ErrorIs(t, canceled, context.Canceled)
}
