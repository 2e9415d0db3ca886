package multicast_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/multicast"
	"dougu.internal/multicast/mcsim"
)

// runAs runs a command as another user.
func runAs(t *testing.T, c oracle.Cmd, uid uint32) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.Path, c.Args...)
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// TestReceiverWithoutRights is an ordinary user's process that may not write: each way
// in which that can be is told by host and path, and the others have the tree.
func TestReceiverWithoutRights(t *testing.T) {
	if dir := os.Getenv("DOUGU_NO_RIGHTS"); dir != "" {
		withoutRights(t, dir)
		return
	}
	dir, err := os.MkdirTemp("", "dougu-rights-")
	require.NoError(t, err)
	defer func() {
		require.NoError(t, os.Chmod(filepath.Join(dir, "base"), 0o755))
		require.NoError(t, os.RemoveAll(dir))
	}()
	require.NoError(t, os.Chmod(dir, 0o755))
	write(t, filepath.Join(dir, "base"), map[string]string{"t/a": "old"})
	require.NoError(t, os.Chmod(filepath.Join(dir, "base"), 0o555))
	cmd := oracle.Cmd{Path: filepath.Join(dir, "self"), Args: []string{"-test.run=^TestReceiverWithoutRights$"}, Env: []string{"DOUGU_NO_RIGHTS=" + dir}, Timeout: time.Minute}
	text, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Skip("no /proc")
	}
	require.NoError(t, os.WriteFile(cmd.Path, text, 0o755))
	if os.Getuid() == 0 {
		runAs(t, cmd, 65534)
		return
	}
	withoutRights(t, dir)
}

func withoutRights(t *testing.T, dir string) {
	s := mcsim.NewSwitch(1)
	good, _ := receive(t, config(s, "a-good"), multicast.ReceiveOptions{})
	src := t.TempDir()
	write(t, src, map[string]string{"t/a": "newer"})
	// A base in which nothing can be made: there is no receiver, and the reason is told
	// when the transfer comes.
	base := filepath.Join(dir, "base")
	n := join(t, config(s, "b-closed"))
	_, err := n.Receive(base, multicast.ReceiveOptions{})
	require.NoError(t, err)
	o := wholeTree
	o.Commit = multicast.Reached
	rep, err := join(t, config(s, "s")).Send(context.Background(), src, o)
	require.ErrorIs(t, err, multicast.ErrRefused)
	require.ErrorContains(t, err, "permission denied")
	require.Equal(t, multicast.HostCommitted, rep.Hosts[0].State)
	require.Equal(t, multicast.HostRefused, rep.Hosts[1].State)
	require.Equal(t, read(t, src), read(t, good))
	require.Equal(t, map[string]string{"t/a": "old"}, read(t, base))
}
