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
	base := ""
	if os.Getuid() == 0 {
		base = "/var/tmp" // TMPDIR may be closed to the other user
	}
	dir, err := os.MkdirTemp(base, "dougu-rights-")
	require.NoError(t, err)
	defer func() {
		require.NoError(t, os.Chmod(filepath.Join(dir, "base"), 0o755))
		require.NoError(t, os.RemoveAll(dir))
	}()
	require.NoError(t, os.Chmod(dir, 0o755))
	write(t, filepath.Join(dir, "base"), map[string]string{"t/a": "old"})
	require.NoError(t, os.Chmod(filepath.Join(dir, "base"), 0o555))
	cmd := oracle.Cmd{Path: filepath.Join(dir, "self"), Args: []string{"-test.run=^TestReceiverWithoutRights$"}, Env: []string{"DOUGU_NO_RIGHTS=" + dir, "TMPDIR=" + filepath.Join(dir, "tmp")}, Timeout: time.Minute}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "tmp"), 0o700))
	require.NoError(t, os.Chmod(filepath.Join(dir, "tmp"), 0o1777))
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

// TestFileOverFourGiB: all of it goes over the wire, holes stay holes, and what lies
// beyond 4 GiB is in its place.
func TestFileOverFourGiB(t *testing.T) {
	if oracle.N(0, 1) == 0 {
		t.Skip("it takes minutes: DOUGU_LONG=1")
	}
	s := mcsim.NewSwitch(1)
	d, _ := receive(t, config(s, "h"), multicast.ReceiveOptions{})
	src := t.TempDir()
	const size = 4<<30 + 3<<20 + 17
	marks := map[int64]string{0: "begin", 1<<31 - 2: "across 2 GiB", 1<<32 - 3: "across 4 GiB", size - 4: "end."}
	require.NoError(t, os.Mkdir(filepath.Join(src, "t"), 0o755))
	f, err := os.Create(filepath.Join(src, "t", "f"))
	require.NoError(t, err)
	require.NoError(t, f.Truncate(size))
	for at, text := range marks {
		_, err := f.WriteAt([]byte(text), at)
		require.NoError(t, err)
	}
	require.NoError(t, f.Close())
	rep, err := join(t, config(s, "s")).Send(context.Background(), src, multicast.SendOptions{Paths: []string{"t"}, Recursive: true, MinMembers: 1})
	require.NoError(t, err)
	require.Equal(t, int64(size), rep.Bytes)
	g, err := os.Open(filepath.Join(d, "t", "f"))
	require.NoError(t, err)
	defer g.Close()
	fi, err := g.Stat()
	require.NoError(t, err)
	require.Equal(t, int64(size), fi.Size())
	require.Less(t, fi.Sys().(*syscall.Stat_t).Blocks, int64(4096), "holes stay holes")
	for at, text := range marks {
		b := make([]byte, len(text))
		_, err := g.ReadAt(b, at)
		require.NoError(t, err)
		require.Equal(t, text, string(b))
	}
	t.Logf("%d bytes in %v", rep.Bytes, rep.Elapsed)
}
