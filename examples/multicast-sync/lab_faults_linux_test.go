package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"dougu.internal/internal/oracle"
)

// labDisks: a disk that is really full, and one that may not be written: the host is
// named with the reason, its tree stays as it was, and the others have theirs where the
// policy allows that.
func labDisks(t *testing.T, l *lab) {
	defer l.in(t)()
	src := l.base("disks")
	makeTree(t, filepath.Join(src, "tree"), 7, 20, 20000) // 4 MiB and more
	old := l.base("disks-old")
	require.NoError(t, os.MkdirAll(filepath.Join(old, "tree"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(old, "tree", "before"), []byte("before"), 0o644))
	for _, row := range []struct {
		name, state, text string
		mount             func(dir string)
	}{
		{"full", "refused", "no space left", func(dir string) {
			require.NoError(t, unix.Mount("none", dir, "tmpfs", 0, "size=2m"))
		}},
		{"readonly", "refused", "read-only file system", func(dir string) {
			require.NoError(t, unix.Mount("none", dir, "tmpfs", 0, "size=64m"))
		}},
	} {
		for _, policy := range []string{"all", "reached"} {
			good, bad := l.base("good-"+row.name+policy), l.base("bad-"+row.name+policy)
			row.mount(bad)
			l.cmd("rsync", "-a", old+"/", bad+"/")
			if row.name == "readonly" {
				require.NoError(t, unix.Mount("none", bad, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
			}
			one, two := l.recv(1, good), l.recv(2, bad)
			s := l.send(src, "-min-members", "2", "-delete", "-commit", policy, "tree")
			require.Equal(t, statusFailed, s.status(), "%s%s", &s.out, &s.err)
			var j jsonReport
			require.NoError(t, json.Unmarshal(s.out.Bytes(), &j))
			require.Equal(t, row.state, j.Hosts[1].State, "%s", &s.out)
			require.Contains(t, j.Hosts[1].Text, row.text)
			require.Empty(t, differs(t, filepath.Join(old, "tree"), filepath.Join(bad, "tree")), "%s: the old tree stays", row.name)
			if policy == "reached" {
				require.Equal(t, "committed", j.Hosts[0].State)
				require.Empty(t, differs(t, filepath.Join(src, "tree"), filepath.Join(good, "tree")))
			} else {
				require.Equal(t, "aborted", j.Hosts[0].State)
				require.NoDirExists(t, filepath.Join(good, "tree"))
			}
			one.kill()
			two.kill()
			require.NoError(t, unix.Unmount(bad, unix.MNT_DETACH))
		}
	}
}

// labLink: an interface goes down in the middle and comes back: at the sender, and at
// a receiver. The transfer goes on where it was.
func labLink(t *testing.T, l *lab) {
	defer l.in(t)()
	src := l.base("link")
	makeTree(t, filepath.Join(src, "tree"), 8, 10, 10000)
	for i := range 2 {
		bases := []string{l.base("link1-" + l.host(i)), l.base("link2-" + l.host(i))}
		list := []*process{l.recv(1, bases[0], "-once"), l.recv(2, bases[1], "-once")}
		s := l.send(src, "-min-members", "2", "-rate", "20M", "tree")
		oracle.Eventually(t, 20*time.Second, "the content comes", func() error {
			_, err := os.Stat(filepath.Join(bases[1], ".mc-stage", "tree", "tree", "big"))
			return err
		})
		l.cmd("ip", "-n", l.host(i), "link", "set", "eth0", "down")
		time.Sleep(time.Second)
		l.cmd("ip", "-n", l.host(i), "link", "set", "eth0", "up")
		require.Zero(t, s.status(), "%s%s", &s.out, &s.err)
		for k, p := range list {
			require.Zero(t, p.status(), "%s", &p.err)
			require.Empty(t, differs(t, filepath.Join(src, "tree"), filepath.Join(bases[k], "tree")))
			require.True(t, strings.HasPrefix(p.out.String(), "commit "))
		}
	}
}
