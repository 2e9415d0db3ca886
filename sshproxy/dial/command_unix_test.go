//go:build unix

package dial

import (
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Whether the end of a command is noticed by a read or by a write, the error says how
// it ended.
func TestEndedCommandIsExplained(t *testing.T) {
	for _, use := range []func(c *commandConn) error{
		func(c *commandConn) error { _, err := c.Write([]byte("SSH-2.0-x\r\n")); return err },
		func(c *commandConn) error { _, err := c.Read(make([]byte, 1)); return err },
	} {
		ours, theirs, err := socketPair()
		require.NoError(t, err)
		cmd := exec.Command("/bin/sh", "-c", "echo no way >&2; exit 3")
		cmd.Stdin, cmd.Stdout = theirs, theirs
		c := &commandConn{UnixConn: ours, cmd: cmd, heard: make(chan struct{}), done: make(chan struct{})}
		require.NoError(t, c.start())
		require.NoError(t, theirs.Close())
		select {
		case <-c.done:
		case <-time.After(time.Minute):
			t.Fatal("the command does not end")
		}
		err = use(c)
		require.ErrorContains(t, err, "exit status 3")
		require.ErrorContains(t, err, "no way")
		require.NoError(t, c.Close())
	}
}
