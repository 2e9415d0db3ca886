//go:build unix

package mconsole_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/umlconsole/mconsole"
)

func reply(code int32, more uint32, text string) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(code))
	b = binary.NativeEndian.AppendUint32(b, more)
	b = binary.NativeEndian.AppendUint32(b, uint32(len(text)))
	return append(b, text...)
}

// fake answers each request with the datagrams that answer returns for its text.
func fake(t testing.TB, answer func(cmd string) [][]byte) (*mconsole.Client, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "mc")
	require.NoError(t, err)
	path := filepath.Join(dir, "mconsole")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFromUnix(buf)
			if err != nil {
				return
			}
			if n < 12 || from == nil {
				continue
			}
			for _, d := range answer(string(buf[12:n])) {
				conn.WriteToUnix(d, from)
			}
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
		os.RemoveAll(dir)
	})
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pid"), []byte("4711\n"), 0o644))
	c, err := mconsole.Dial(path)
	require.NoError(t, err)
	require.Equal(t, 4711, c.Pid)
	return c, path
}

// recorded are the datagrams of Linux UML 6.1 (Debian package user-mode-linux 6.1um4) on
// a little-endian machine, by the command.
var recorded = map[string][]string{
	"config con0": {"00000000" + "00000000" + "05000000" + hex.EncodeToString([]byte("null\x00"))},
	"remove con3": {"eaffffff" + "00000000" + "15000000" + hex.EncodeToString([]byte("configured as 'none'\x00"))},
	"bogus":       {"01000000" + "00000000" + "10000000" + hex.EncodeToString([]byte("Unknown command\x00"))},
	"halt":        {"00000000" + "00000000" + "01000000" + "00"},
	"series": {
		"00000000" + "01000000" + "03000000" + hex.EncodeToString([]byte("ab\x00")),
		"00000000" + "01000000" + "03000000" + hex.EncodeToString([]byte("cd\x00")),
		"00000000" + "00000000" + "01000000" + "00",
	},
	"of another version":   {hex.EncodeToString([]byte("ERR Version 0 mconsole clients are not supported by this driver"))},
	"shorter than its len": {"00000000" + "00000000" + "ff000000" + "61"},
	"short":                {"0000"},
	"endless":              {"00000000" + "01000000" + "02000000" + "6100"},
}

func TestRecordedAnswersAreRead(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the datagrams are those of a little-endian machine")
	}
	c, _ := fake(t, func(cmd string) (list [][]byte) {
		for _, d := range recorded[cmd] {
			b, err := hex.DecodeString(d)
			require.NoError(t, err)
			list = append(list, b)
		}
		return list
	})
	c.Idle = 20 * time.Millisecond
	for _, row := range []struct{ cmd, text, err string }{
		{"config con0", "null", ""},
		{"remove con3", "", "command failed (code -22): configured as 'none'"},
		{"bogus", "", "command failed (code 1): Unknown command"},
		{"halt", "", ""},
		{"series", "abcd", ""},
		{"of another version", "", "mconsole: malformed reply"},
		{"shorter than its len", "", "length is 255, but the packet has 1 bytes of text"},
		{"short", "", "mconsole: malformed reply: 2 bytes"},
		{"endless", "a", "reply is incomplete"},
	} {
		text, err := c.Do(t.Context(), row.cmd)
		require.Equal(t, row.text, text, row.cmd)
		if row.err == "" {
			require.NoError(t, err, row.cmd)
		} else {
			require.ErrorContains(t, err, row.err)
		}
	}
}

func TestSeriesWithoutEndIsBounded(t *testing.T) {
	c, _ := fake(t, func(string) (list [][]byte) {
		for range 10 {
			list = append(list, reply(0, 1, strings.Repeat("x", 511)+"\x00"))
		}
		return list
	})
	c.MaxText = 2000
	text, err := c.Do(t.Context(), "stack 1")
	require.ErrorIs(t, err, mconsole.ErrIncomplete)
	require.Len(t, text, 4*511)
}

func TestSilentGuestEndsWithTheContext(t *testing.T) {
	c, path := fake(t, func(string) [][]byte { return nil })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := c.Do(ctx, "version")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, path)
	c.Timeout = 20 * time.Millisecond
	_, err = c.Do(t.Context(), "version")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestConsoleWaitsForItsDevice(t *testing.T) {
	var asked atomic.Int64
	c, _ := fake(t, func(cmd string) [][]byte {
		if cmd != "config con1" {
			return [][]byte{reply(0, 0, "null\x00")}
		}
		switch n := asked.Add(1); {
		case n < 3:
			return [][]byte{reply(1, 0, "Bad configuration option\x00")}
		case n < 5:
			return [][]byte{reply(0, 0, "pts\x00")}
		}
		return [][]byte{reply(0, 0, "pts:/dev/pts/3\x00")}
	})
	ch, err := c.Console(t.Context(), "con1")
	require.NoError(t, err)
	require.Equal(t, mconsole.Channel{Kind: "pts", Device: "/dev/pts/3"}, ch)
	ch, err = c.Console(t.Context(), "con0")
	require.NoError(t, err)
	require.Equal(t, mconsole.Channel{Kind: "null"}, ch)
	none, _ := fake(t, func(string) [][]byte { return [][]byte{reply(0, 0, "none\x00")} })
	short, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	ch, err = none.Console(short, "con1")
	require.NoError(t, err)
	require.Equal(t, mconsole.Channel{Kind: "none"}, ch)
	asked.Store(-1 << 40)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = c.Console(ctx, "con1")
	require.Error(t, err)
}

func TestCommandsAreCheckedBeforeTheyAreSent(t *testing.T) {
	c, _ := fake(t, func(cmd string) [][]byte { return [][]byte{reply(0, 0, cmd)} })
	for _, row := range []struct{ cmd, want string }{
		{"a\x00b", "column 2: unexpected NUL byte"},
		{"log \x1b", "column 5: not a printable"},
		{"log é", "column 5: not a printable"},
		{strings.Repeat("x", 512), "column 512: too long, want at most 511 bytes"},
	} {
		_, err := c.Do(t.Context(), row.cmd)
		var wrong *mconsole.CommandError
		require.ErrorAs(t, err, &wrong)
		require.ErrorContains(t, err, row.want)
	}
	text, err := c.Do(t.Context(), strings.Repeat("x", 511))
	require.NoError(t, err)
	require.Len(t, text, 511)
}

func TestStaleSocketsAreTold(t *testing.T) {
	dir, err := os.MkdirTemp("", "mc")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	for _, name := range []string{"dead", "garbage"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		path := filepath.Join(dir, name, "mconsole")
		conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		require.NoError(t, err)
		conn.Close()
		require.NoError(t, os.WriteFile(filepath.Join(dir, name, "pid"), []byte(map[string]string{"dead": "2147483646\n", "garbage": "\xff\xfe"}[name]), 0o644))
		_, err = mconsole.Dial(path)
		require.ErrorIs(t, err, mconsole.ErrStale)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o644))
	list, err := mconsole.List(dir, filepath.Join(dir, "no such"))
	require.NoError(t, err)
	require.Len(t, list, 2)
	for _, g := range list {
		require.False(t, g.Alive || g.Running, "%+v", g)
	}
	_, err = mconsole.Dial(filepath.Join(dir, strings.Repeat("d", 110)))
	require.ErrorContains(t, err, "want at most 107: start the guest with a shorter uml_dir")
	_, err = mconsole.Dial(filepath.Join(dir, "nothing"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func FuzzReply(f *testing.F) {
	f.Add(reply(0, 0, "OK\x00"), reply(0, 0, ""))
	f.Add(reply(-22, 1, "no"), []byte("ERR x"))
	var replies atomic.Pointer[[][]byte]
	c, _ := fake(f, func(string) [][]byte { return *replies.Load() })
	c.Idle = time.Millisecond
	f.Fuzz(func(t *testing.T, a, b []byte) {
		replies.Store(&[][]byte{a[:min(len(a), 600)], b[:min(len(b), 600)]})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		text, _ := c.Do(ctx, "version")
		require.LessOrEqual(t, len(text), 1200)
		require.NotContains(t, text, "\x00")
	})
}

func BenchmarkDo(b *testing.B) {
	answer := [][]byte{reply(0, 0, "pts:/dev/pts/3\x00")}
	c, _ := fake(b, func(string) [][]byte { return answer })
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Do(context.Background(), "config con1"); err != nil {
			b.Fatal(err)
		}
	}
}
