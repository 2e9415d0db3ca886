package console_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/umlconsole/console"
)

// TestErrorsBeginWithThePackage makes errors of each function, except for those of the user's
// own reader.
func TestErrorsBeginWithThePackage(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	var errs []error
	add := func(err error) { errs = append(errs, err) }
	_, err := console.ScreenArgs("", console.Device{Path: "/dev/pts/1"})
	add(err)
	_, err = console.TmuxArgs("a b", console.Device{Path: "/dev/pts/1"})
	add(err)
	_, err = console.Open(console.Device{Path: "/etc/passwd"})
	add(err)
	_, err = console.Open(console.Device{Path: "/dev/pts/1048000"})
	add(err)
	for _, err := range console.FindBootLog(iotest.ErrReader(errors.New("broken"))) {
		add(err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)
	defer file.Close()
	_, err = console.RawTerminal(file)
	add(err)

	master, d, err := console.NewPTY()
	require.NoError(t, err)
	defer master.Close()
	p, err := console.Open(d)
	require.NoError(t, err)
	_, err = p.NewReader().ReadContext(gone, make([]byte, 1))
	add(err)
	require.ErrorIs(t, err, context.Canceled)
	_, _, err = p.Expect(gone, regexp.MustCompile("x"))
	add(err)
	require.ErrorIs(t, err, context.Canceled)
	_, err = master.Write([]byte("text\n"))
	require.NoError(t, err)
	add(console.Transcript(t.Context(), p.History(), failing{}, nil))
	add(console.Relay(t.Context(), p, failing{}, &console.RelayOptions{History: true}))
	require.NoError(t, p.Close())
	_, err = p.Write([]byte("x"))
	add(err)
	add(p.SetSize(1, 1))
	_, err = p.Read(make([]byte, 1))
	for err == nil {
		_, err = p.Read(make([]byte, 100))
	}
	require.Equal(t, io.EOF, err, "readers end with io.EOF itself")
	for _, err := range errs {
		require.Error(t, err)
		require.True(t, strings.HasPrefix(err.Error(), "console: "), "%v", err)
		require.Equal(t, 1, strings.Count(err.Error(), "console: "), "%v", err)
	}
}

// failing is a user whose terminal is gone.
type failing struct{}

func (failing) Read([]byte) (int, error)  { return 0, errors.New("no terminal") }
func (failing) Write([]byte) (int, error) { return 0, errors.New("no terminal") }
