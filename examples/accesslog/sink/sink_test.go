package sink_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/accesslog/sink"
	"dougu.internal/internal/fill"
	"dougu.internal/internal/oracle"
)

func TestStatsSurviveJSON(t *testing.T) {
	b, err := json.Marshal(sink.Stats{Written: 1, LastError: errors.New("connection refused")})
	require.NoError(t, err)
	require.Equal(t, `{"written":1,"lastError":"connection refused"}`, string(b))
	r := oracle.Rand(t)
	for range 200 {
		var s, back sink.Stats
		fill.Value(r, &s)
		b, err := json.Marshal(s)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, &back))
		require.Equal(t, s, back)
	}
	err = json.Unmarshal([]byte(`{"written":"x"}`), new(sink.Stats))
	require.Error(t, err)
	require.True(t, strings.HasPrefix(err.Error(), "sink: "), "%v", err)
}

func TestChoicesHaveText(t *testing.T) {
	for want, f := range map[string]sink.OnFull{"drop-newest": sink.DropNewest, "block": sink.Block} {
		text, err := f.MarshalText()
		require.NoError(t, err)
		require.Equal(t, want, string(text))
		require.Equal(t, want, f.String())
		back := sink.OnFull(9)
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, f, back)
	}
	var f sink.OnFull
	require.ErrorContains(t, f.UnmarshalText([]byte("drop")), "sink: ")
	_, err := sink.OnFull(9).MarshalText()
	require.ErrorContains(t, err, "sink: ")
}

func TestErrorsBeginWithThePackage(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	q := sink.NewQueue(10, sink.DropNewest)
	err := q.Wait(ctx)
	require.ErrorIs(t, err, context.Canceled)
	for _, err := range []error{err, sink.ErrFull, sink.ErrClosed} {
		require.True(t, strings.HasPrefix(err.Error(), "sink: "), "%v", err)
	}
}
