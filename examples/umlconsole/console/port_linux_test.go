package console_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"dougu.internal/examples/umlconsole/console"
	"dougu.internal/internal/oracle"
)

// pty is a guest's end and ours.
func pty(t testing.TB, ring int) (guest *os.File, p *console.Port) {
	t.Helper()
	guest, d, err := console.NewPTY()
	require.NoError(t, err)
	t.Cleanup(func() { guest.Close() })
	p, err = console.OpenSize(d, ring)
	require.NoError(t, err)
	t.Cleanup(func() { p.Close() })
	return guest, p
}

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestPortIsRawAndCarriesBytesBothWays(t *testing.T) {
	guest, p := pty(t, 1<<20)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	_, err := p.Write(all)
	require.NoError(t, err)
	got := make([]byte, 256)
	_, err = io.ReadFull(guest, got)
	require.NoError(t, err)
	require.Equal(t, all, got)
	_, err = guest.Write(all)
	require.NoError(t, err)
	_, err = io.ReadFull(p, got)
	require.NoError(t, err)
	require.Equal(t, all, got)

	require.NoError(t, p.SetSize(132, 43))
	c, err := guest.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, c.Control(func(fd uintptr) {
		size, err := unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ)
		require.NoError(t, err)
		require.EqualValues(t, 132, size.Col)
		require.EqualValues(t, 43, size.Row)
	}))
}

func TestReadersShareAndSlowOnesMissInsteadOfBlocking(t *testing.T) {
	guest, p := pty(t, 4096)
	slow, fast := p.NewReader(), p.NewReader()
	const lines = 5000
	go func() {
		for i := range lines {
			fmt.Fprintf(guest, "%06d\n", i)
		}
	}()
	b := make([]byte, 1000)
	for total := 0; int64(total)+fast.Lost() < 7*lines; {
		n, err := fast.ReadContext(soon(t), b)
		require.NoError(t, err)
		total += n
	}
	require.NoError(t, guest.Close()) // the kernel drops what nobody has read by now
	_, err := fast.ReadContext(soon(t), b)
	require.ErrorIs(t, err, io.EOF)
	<-p.Done()
	rest, err := io.ReadAll(slow) // had not read at all: the guest never waited
	require.NoError(t, err)
	require.Len(t, rest, 4096)
	require.EqualValues(t, 7*lines-4096, slow.Lost())
	require.True(t, bytes.HasSuffix(rest, []byte("004999\n")))
	<-p.Done()
	history, err := io.ReadAll(p.History())
	require.NoError(t, err)
	require.Equal(t, rest, history)
	_, err = p.Write([]byte("x"))
	require.ErrorIs(t, err, io.ErrClosedPipe)
	require.NoError(t, p.Close())
	require.NoError(t, p.Close())
}

func TestExpectFindsAcrossPiecesAndKeepsTheRest(t *testing.T) {
	guest, p := pty(t, 1<<20)
	go func() {
		for _, s := range []string{"login", ": \r\nPass", "word: rest"} {
			io.WriteString(guest, s)
		}
	}()
	match, before, err := p.Expect(soon(t), regexp.MustCompile(`(\w+): \r\n`))
	require.NoError(t, err)
	require.Equal(t, "login: \r\n", string(match[0]))
	require.Equal(t, "login", string(match[1]))
	require.Empty(t, before)
	_, before, err = p.Expect(soon(t), regexp.MustCompile(`rest`))
	require.NoError(t, err)
	require.Equal(t, "Password: ", string(before))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	io.WriteString(guest, "something else")
	_, _, err = p.Expect(ctx, regexp.MustCompile(`never`))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	guest.Close()
	_, _, err = p.Expect(soon(t), regexp.MustCompile(`never`))
	require.ErrorIs(t, err, io.EOF)
}

func TestTranscriptIsStampedEscapedAndCountsWhatIsMissing(t *testing.T) {
	guest, p := pty(t, 4096)
	r := p.NewReader()
	other := p.NewReader()
	text := "old " + strings.Repeat("x", 5000) + "\r\nfirst \x1b]0;t\a\\é\r\nlast"
	go io.WriteString(guest, text)
	_, _, err := other.Expect(soon(t), regexp.MustCompile("last$"))
	require.NoError(t, err)
	guest.Close()
	<-p.Done()
	var out bytes.Buffer
	at := time.Date(2007, 4, 17, 9, 0, 0, 0, time.UTC)
	require.NoError(t, console.Transcript(soon(t), r, &out, &console.TranscriptOptions{Now: func() time.Time { return at }}))
	lines := strings.Split(out.String(), "\n")
	require.Equal(t, fmt.Sprintf("2007-04-17T09:00:00.000Z [%d bytes were lost because they were not read in time]", r.Lost()), lines[0])
	require.Equal(t, `2007-04-17T09:00:00.000Z first \x1b]0;t\x07\\\xc3\xa9`, lines[2])
	require.Equal(t, "2007-04-17T09:00:00.000Z last", lines[3])
	require.Len(t, lines, 5)
}

func TestOnlyOwnPseudoTerminalsAreOpened(t *testing.T) {
	for _, path := range []string{"/etc/passwd", "/dev/null", "/dev/pts/../null", "", "/dev/pts/ptmx"} {
		_, err := console.Open(console.Device{Label: "con1", Path: path})
		var untrusted *console.UntrustedError
		require.ErrorAs(t, err, &untrusted, path)
	}
	_, err := console.Open(console.Device{Path: "/dev/pts/1048000"})
	require.ErrorIs(t, err, os.ErrNotExist)
	if os.Geteuid() == 0 {
		guest, d, err := console.NewPTY()
		require.NoError(t, err)
		defer guest.Close()
		require.NoError(t, os.Chown(d.Path, 65534, -1))
		_, err = console.Open(d)
		require.ErrorContains(t, err, "belongs to user 65534, but this process runs as user 0")
	}
}

// terminal is a user with deadlines: the slave of another pseudo-terminal.
func TestRelayEndsWithTheEscapeKeyAndFilters(t *testing.T) {
	guest, p := pty(t, 1<<20)
	master, d, err := console.NewPTY()
	require.NoError(t, err)
	defer master.Close()
	user, err := os.OpenFile(d.Path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	require.NoError(t, err)
	defer user.Close()
	restore, err := console.RawTerminal(user)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- console.Relay(soon(t), p, user, nil) }()
	_, err = io.WriteString(master, "uname -r\r")
	require.NoError(t, err)
	got := make([]byte, 9)
	_, err = io.ReadFull(guest, got)
	require.NoError(t, err)
	require.Equal(t, "uname -r\r", string(got))
	_, err = io.WriteString(guest, "\x1b]52;c;x\a6.1.0\r\n")
	require.NoError(t, err)
	_, err = io.ReadFull(master, got[:7])
	require.NoError(t, err)
	require.Equal(t, "6.1.0\r\n", string(got[:7]))
	_, err = io.WriteString(master, "x\x1dignored")
	require.NoError(t, err)
	require.NoError(t, <-done)
	_, err = io.ReadFull(guest, got[:1])
	require.NoError(t, err)
	require.Equal(t, "x", string(got[:1]))
	require.NoError(t, restore())

	f, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer f.Close()
	_, err = console.RawTerminal(f)
	require.ErrorContains(t, err, "is not a terminal")
}

func TestRelayEndsWithTheConsole(t *testing.T) {
	guest, p := pty(t, 1<<20)
	_, err := io.WriteString(guest, "last words")
	require.NoError(t, err)
	oracle.Eventually(t, 20*time.Second, "the ring has the words", func() error {
		b := make([]byte, 10)
		if n, _ := p.History().ReadContext(soon(t), b); n < 10 {
			return errors.New("not yet")
		}
		return nil
	})
	user, far, err := os.Pipe()
	require.NoError(t, err)
	defer far.Close()
	defer user.Close()
	var out bytes.Buffer
	done := make(chan error, 1)
	go func() {
		done <- console.Relay(soon(t), p, screen{user, &out}, &console.RelayOptions{History: true})
	}()
	guest.Close()
	require.NoError(t, <-done)
	require.Equal(t, "last words", out.String())
}

// screen reads keys from a file and prints elsewhere.
type screen struct {
	keys *os.File
	out  io.Writer
}

func (s screen) Read(b []byte) (int, error)        { return s.keys.Read(b) }
func (s screen) Write(b []byte) (int, error)       { return s.out.Write(b) }
func (s screen) SetReadDeadline(t time.Time) error { return s.keys.SetReadDeadline(t) }

func BenchmarkPort(b *testing.B) {
	guest, p := pty(b, console.DefaultRing)
	r := p.NewReader()
	chunk := bytes.Repeat([]byte("0123456789abcde\n"), 256)
	go func() {
		for {
			if _, err := guest.Write(chunk); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 4096)
	b.SetBytes(4096)
	for b.Loop() {
		if _, err := io.ReadFull(r, buf); err != nil {
			b.Fatal(err)
		}
	}
}
