package sshproxy

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// runClient runs an installed client.
func runClient(path string) ClientFunc {
	return func(ctx context.Context, args ...string) (string, string, error) {
		var out, messages bytes.Buffer
		cmd := exec.CommandContext(ctx, path, args...)
		cmd.Stdout, cmd.Stderr = &out, &messages
		err := cmd.Run()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = nil
		}
		return out.String(), messages.String(), err
	}
}

// TestClientIsAsked: a client of a Debian package answers as its record and the table of
// features say, and its own defaults come back.
func TestClientIsAsked(t *testing.T) {
	tool := sshTool.Need(t)
	calls := 0
	run := runClient(tool.Path)
	p, err := ProfileFromClient(t.Context(), func(ctx context.Context, args ...string) (string, string, error) {
		calls++
		return run(ctx, args...)
	})
	require.NoError(t, err)
	require.LessOrEqual(t, calls, 24)
	named, err := ParseProfile(tool.Version)
	require.NoError(t, err)
	require.Equal(t, named.Version(), p.Version())
	for f, answer := range p.build().asked {
		require.Equal(t, named.build().has(f), answer, features[f].name)
	}
	require.Equal(t, named.build().debian, p.build().debian)
	require.Equal(t, named.build().gssapi, p.build().gssapi)
	require.Equal(t, named.build().keyword, p.build().keyword)
	require.False(t, p.Knows("UseKeychain"))
	text, _, err := run(t.Context(), "-G", "-F", "none", "h")
	require.NoError(t, err)
	l := localOf(t)
	res, err := (&Resolver{Profile: p, Config: "none", Local: l}).Resolve(t.Context(), Target{Host: "h"})
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, res.WriteG(&b))
	require.Equal(t, text, b.String())
	oracle.Compared(t, tool, calls)
}

// TestPatchedClientIsAsked: a client whose version does not show its patches.
func TestPatchedClientIsAsked(t *testing.T) {
	record, err := os.ReadFile("profiles/9.9p2.txt")
	require.NoError(t, err)
	var plain strings.Builder
	for line := range strings.Lines(string(record)) {
		if line[0] != '#' && line[0] != '@' {
			plain.WriteString(strings.ReplaceAll(line, "~/.ssh/known", "/Users/me/.ssh/known"))
		}
	}
	run := func(_ context.Context, args ...string) (string, string, error) {
		all := strings.Join(args, " ")
		switch {
		case all == "-V":
			return "", "OpenSSH_9.9p2, LibreSSL 3.3.6\n", nil
		case args[0] == "-Q":
			return "", "Unsupported query\n", nil
		case strings.Contains(all, "-J "), strings.Contains(all, ";"), strings.Contains(all, "\x01"), strings.Contains(all, "TCPKeepAlive"):
			return "", "refused\n", nil
		}
		return plain.String(), "", nil
	}
	p, err := ProfileFromClient(t.Context(), run)
	require.NoError(t, err)
	require.True(t, p.Knows("UseKeychain"), "the client accepts it")
	require.True(t, p.build().has(jumpRules), "a patch that the version does not show")
	require.True(t, p.build().has(controlNames))
	require.False(t, p.build().has(commaHosts))
	require.False(t, p.build().has(keepAliveStates))
	require.Equal(t, []string{"~/.ssh/known_hosts ~/.ssh/known_hosts2"}, p.build().defaults[opUserKnownHostsFile])

	for name, bad := range map[string]ClientFunc{
		"not run":     func(context.Context, ...string) (string, string, error) { return "", "", errors.New("no such file") },
		"no version":  func(context.Context, ...string) (string, string, error) { return "dropbear", "", nil },
		"no defaults": func(context.Context, ...string) (string, string, error) { return "", "OpenSSH_9.9p2", nil },
	} {
		_, err := ProfileFromClient(t.Context(), bad)
		require.ErrorContains(t, err, "sshproxy: ", name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = ProfileFromClient(ctx, run)
	require.ErrorIs(t, err, context.Canceled)
}
