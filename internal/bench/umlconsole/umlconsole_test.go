//go:build linux

// Package umlconsole_test moves what a guest prints through a pseudo-terminal: by our
// port with its ring, and by socat.
//
// What the peer does less: socat copies to one place and keeps nothing; when nobody
// reads its output, the guest waits. Ours keeps the last MiB for any number of readers.
package umlconsole_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"testing"

	"dougu.internal/examples/umlconsole/console"
	"dougu.internal/examples/umlconsole/mconsole"
)

const size = 64 << 10

var chunk = bytes.Repeat([]byte("0123456789abcde\n"), size/16)

// BenchmarkPTY is the time for 64 KiB from the guest's write to the reader.
func BenchmarkPTY(b *testing.B) {
	b.Run("dougu", func(b *testing.B) {
		guest, d, err := console.NewPTY()
		if err != nil {
			b.Fatal(err)
		}
		defer guest.Close()
		p, err := console.Open(d)
		if err != nil {
			b.Fatal(err)
		}
		defer p.Close()
		move(b, guest, p.NewReader())
	})
	b.Run("socat", func(b *testing.B) {
		path, err := exec.LookPath("socat")
		if err != nil {
			b.Log("absent socat: install Debian package socat")
			b.Skip()
		}
		guest, d, err := console.NewPTY()
		if err != nil {
			b.Fatal(err)
		}
		defer guest.Close()
		cmd := exec.Command(path, "-u", d.Path+",raw,echo=0", "-")
		out, err := cmd.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		defer cmd.Wait()
		defer cmd.Process.Kill()
		// The terminal is raw once a byte that it would change comes through as it is.
		if _, err := guest.Write([]byte("ready\n")); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, 6)); err != nil {
			b.Fatal(err)
		}
		move(b, guest, out)
	})
	b.Log("peer socat -u PTY,raw,echo=0 -: keeps nothing, one reader")
}

func move(b *testing.B, guest io.Writer, r io.Reader) {
	buf := make([]byte, size)
	b.SetBytes(size)
	for b.Loop() {
		go guest.Write(chunk)
		if _, err := io.ReadFull(r, buf); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMconsole is one command with an answer of one packet, from a server in this
// process. There is no peer in Go; uml_mconsole is one process a command.
func BenchmarkMconsole(b *testing.B) {
	path := filepath.Join(b.TempDir(), "mconsole")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	go func() {
		buf := make([]byte, 1000)
		answer := append(make([]byte, 8), 3, 0, 0, 0, 'o', 'k', 0)
		for {
			_, from, err := conn.ReadFromUnix(buf)
			if err != nil {
				return
			}
			conn.WriteToUnix(answer, from)
		}
	}()
	c, err := mconsole.Dial(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Do(context.Background(), "version"); err != nil {
			b.Fatal(err)
		}
	}
}
