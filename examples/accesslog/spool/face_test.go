package spool_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/accesslog/spool"
)

func TestRecordsSurviveJSON(t *testing.T) {
	s, err := spool.Open(t.TempDir(), spool.Options{})
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Append([]byte("a\xff")))
	r, ok, err := s.Next()
	require.NoError(t, err)
	require.True(t, ok)
	b, err := json.Marshal(r)
	require.NoError(t, err)
	var back spool.Record
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, r, back, "%s", b)
	require.NoError(t, s.Ack(back.End, 1))
	for _, bad := range []string{"", "1", "1:", ":1", "x:1", "1:-1", "-1:1"} {
		require.ErrorContains(t, new(spool.Position).UnmarshalText([]byte(bad)), "spool: invalid position", bad)
	}
	for want, v := range map[string]spool.Sync{"written": spool.Written, "durable": spool.Durable} {
		b, err := json.Marshal(spool.Options{Max: 1, Sync: v})
		require.NoError(t, err)
		var back spool.Options
		require.NoError(t, json.Unmarshal(b, &back))
		require.Equal(t, spool.Options{Max: 1, Sync: v}, back)
		require.Equal(t, want, v.String())
	}
	require.ErrorContains(t, new(spool.Sync).UnmarshalText([]byte("never")), "spool: ")
}

func TestErrorsBeginWithThePackage(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	s, err := spool.Open(filepath.Join(dir, "s"), spool.Options{Max: 100})
	require.NoError(t, err)
	_, isFile := spool.Open(file, spool.Options{})
	_, locked := spool.Open(filepath.Join(dir, "s"), spool.Options{})
	require.ErrorIs(t, locked, spool.ErrLocked)
	large, full, early := s.Append(make([]byte, spool.MaxRecord+1)), s.Append(make([]byte, 200)), s.Ack(spool.Position{}, 1)
	require.NoError(t, s.Close())
	_, _, closed := s.Next()
	for _, err := range []error{isFile, locked, large, full, early, closed, s.Append(nil), s.Ack(spool.Position{}, 0)} {
		require.Error(t, err)
		require.True(t, strings.HasPrefix(err.Error(), "spool: "), "%v", err)
		require.Equal(t, 1, strings.Count(err.Error(), "spool: "), "%v", err)
	}
}
