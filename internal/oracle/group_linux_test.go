package oracle

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStopKillsWholeGroup(t *testing.T) {
	p := Start(t, Cmd{Path: script(t, "sleep 600 & echo $!; wait")})
	var child int
	Eventually(t, 20*time.Second, "child's pid", func() error {
		_, err := fmt.Sscan(string(p.Output()), &child)
		return err
	})
	require.NoError(t, syscall.Kill(child, 0))
	p.Stop()
	p.Stop()
	Eventually(t, 20*time.Second, "the child is gone", func() error {
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child)); err == nil && !bytes.Contains(stat, []byte(") Z ")) {
			return fmt.Errorf("pid %d lives: %s", child, stat)
		}
		return nil
	})
	require.Error(t, p.Wait())
}

func TestNamespacesArePrivate(t *testing.T) {
	words := Namespaces(t)
	r := Run(t, Cmd{Path: words[0], Args: append(words[1:], "cat", "/proc/net/dev")})
	require.Zero(t, r.ExitCode, "%s", r.Stderr)
	require.NotContains(t, string(r.Stdout), "eth")
}
