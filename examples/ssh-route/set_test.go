package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSetHasAnEffectOrFails: a line that another one shadows is not written.
func TestSetHasAnEffectOrFails(t *testing.T) {
	for _, row := range []struct {
		text, option, value, want string
		status                    int
	}{
		{"Host *\n  Port 22\n", "Port", "4567", "config:2 wins", 1},
		{"Port 22\n", "Port", "4567", "config:1 wins", 1},
		{"User a\nHost *\n  User b\n", "Port", "4567", "", 0},
		{"host  web\n  User a\nHost *\n  Port 22\n", "Port", "4567", "", 0},
		{"ProxyCommand nc %h %p\n", "ProxyJump", "b", "", 1},
	} {
		name := filepath.Join(t.TempDir(), "config")
		require.NoError(t, os.WriteFile(name, []byte(row.text), 0o600))
		var out, messages bytes.Buffer
		p := &program{out: &out, err: &messages, env: func(string) (string, bool) { return "", false }}
		require.Equal(t, row.status, p.main([]string{"set", "-F", name, "web", row.option, row.value}), "%s: %s", row.text, messages.String())
		require.Contains(t, messages.String(), row.want)
		after, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, row.status != 0, string(after) == row.text)
	}
}
