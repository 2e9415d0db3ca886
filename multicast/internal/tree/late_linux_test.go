package tree

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// ready does a transfer of t until it can be committed.
func ready(t *testing.T, src, dst string, o Options) (*Base, *Stage) {
	t.Helper()
	root, err := os.OpenRoot(src)
	require.NoError(t, err)
	t.Cleanup(func() { root.Close() })
	scanned, err := Scan(root, whole)
	require.NoError(t, err)
	raw := scanned.Manifest.Append(nil)
	base, _, err := OpenBase(dst, false)
	require.NoError(t, err)
	t.Cleanup(func() { base.Close() })
	st, err := base.Begin(raw, o, sha256.Sum256(raw), func() bool { return false })
	require.NoError(t, err)
	need, _ := st.Need()
	prepared(t, root, scanned.Manifest, st, need, sha256.Sum256(raw))
	return base, st
}

// TestAMountOfTheLastMomentKeepsItsContent mounts while the switch waits for its time.
func TestAMountOfTheLastMomentKeepsItsContent(t *testing.T) {
	for _, del := range []bool{false, true} {
		t.Run(fmt.Sprint("delete ", del), func(t *testing.T) {
			dir := t.TempDir()
			src, dst, other := filepath.Join(dir, "src"), filepath.Join(dir, "dst"), filepath.Join(dir, "other")
			put(t, "precious", other, "same")
			put(t, "precious", other, "changed")
			put(t, "precious", other, "gone")
			for _, n := range []string{"a", "m/same", "m/changed"} {
				put(t, "new!", src, "t", n)
				put(t, "old", dst, "t", n)
			}
			put(t, "old", dst, "t/m/gone")
			_, st := ready(t, src, dst, Options{Delete: del})
			require.Empty(t, st.Fallback)
			_, err := st.Commit(func() { // not bindAt: where it is afterwards is looked up
				if err := unix.Mount(other, filepath.Join(dst, "t/m"), "", unix.MS_BIND, ""); err != nil {
					t.Skip("cannot mount")
				}
			}, nil)
			t.Cleanup(func() {
				for _, p := range mustMounts(t, dst) {
					require.NoError(t, unix.Unmount(filepath.Join(dst, p), unix.MNT_DETACH))
				}
			})
			require.NoError(t, err)
			require.Len(t, mustMounts(t, filepath.Join(dst, StageName)), 1, "it went along")
			require.ErrorIs(t, st.Settle(), errMounted)
			require.ErrorIs(t, st.Tidy(), errMounted)
			for _, n := range []string{"same", "changed", "gone"} {
				require.Equal(t, "precious", text(t, other, n))
			}
			require.Equal(t, "new!", text(t, dst, "t/a"))
		})
	}
}

// TestWhatWasReplacedSurvivesACrash replaces a file by a rename, before the switch or
// after it, in a tree of which the receiver ends before it has settled.
func TestWhatWasReplacedSurvivesACrash(t *testing.T) {
	for _, when := range []string{"before", "after"} {
		t.Run(when, func(t *testing.T) {
			dir := t.TempDir()
			src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
			for _, n := range []string{"a", "b"} {
				put(t, "new!", src, "t", n)
				put(t, "old", dst, "t", n)
			}
			local := put(t, "old", dst, "t/local")
			replace := func() {
				require.NoError(t, os.Rename(put(t, "edited", dst, "t/local.tmp"), local))
			}
			base, st := ready(t, src, dst, Options{})
			require.Empty(t, st.Fallback)
			if when == "before" {
				replace()
			}
			_, err := st.Commit(nil, nil)
			require.NoError(t, err)
			if when == "after" {
				replace()
			}
			require.NoError(t, base.Close())
			base, promise, err := OpenBase(dst, false)
			require.NoError(t, err)
			require.Nil(t, promise)
			require.NoError(t, base.Close())
			require.Equal(t, "edited", text(t, local))
			require.Equal(t, "new!", text(t, dst, "t/a"))
		})
	}
}
