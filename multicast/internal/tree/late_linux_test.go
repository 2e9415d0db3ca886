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

// TestADirectoryGivesWayToAFile replaces a directory with something in it: that goes with
// -delete, and what a program has put there since comparing stays.
func TestADirectoryGivesWayToAFile(t *testing.T) {
	for _, inPlace := range []bool{false, true} {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("in place %v late %v", inPlace, late), func(t *testing.T) {
				dir := t.TempDir()
				src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
				put(t, "new", src, "t/x")
				put(t, "new", src, "t/y")
				require.NoError(t, os.Symlink("y", filepath.Join(src, "t/z")))
				put(t, "old", dst, "t/x/in/file")
				put(t, "old", dst, "t/y")
				put(t, "old", dst, "t/z/file")
				_, st := ready(t, src, dst, Options{Delete: true, InPlace: inPlace})
				require.Equal(t, inPlace, st.Fallback != "")
				if late {
					put(t, "precious", dst, "t/x/in/late")
				}
				_, err := st.Commit(nil, nil)
				require.NoError(t, err)
				err = st.Tidy()
				kept, gerr := filepath.Glob(filepath.Join(dst, StageName, "kept*"))
				require.NoError(t, gerr)
				require.Equal(t, "new", text(t, dst, "t/y"))
				require.Equal(t, "new", text(t, dst, "t/z"))
				switch {
				case !late:
					require.NoError(t, err)
					require.Empty(t, st.Results().Errors)
					require.Empty(t, kept)
					require.Equal(t, "new", text(t, dst, "t/x"))
				case inPlace:
					require.NoError(t, err)
					require.Len(t, st.Results().Errors, 1)
					require.Equal(t, "precious", text(t, dst, "t/x/in/late"))
				default:
					require.ErrorContains(t, err, "t/x/in")
					require.Len(t, kept, 1)
					require.Equal(t, "precious", text(t, kept[0], "t/x/in/late"))
				}
			})
		}
	}
}

// TestAnOldTreeThatCannotMoveIsNotRemoved mounts the stage on itself, so that the old tree cannot
// be moved aside when it cannot be settled. The next transfer settles it.
func TestAnOldTreeThatCannotMoveIsNotRemoved(t *testing.T) {
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
	for _, n := range []string{"a", "b"} {
		put(t, "new!", src, "t", n)
		put(t, "old", dst, "t", n)
	}
	base, st := ready(t, src, dst, Options{})
	require.Empty(t, st.Fallback)
	_, err := st.Commit(nil, nil)
	require.NoError(t, err)
	staged := filepath.Join(dst, treeDir)
	put(t, "precious", staged, "t/late") // by a program that has the directory open
	if err := unix.Mount(staged, staged, "", unix.MS_BIND, ""); err != nil {
		t.Skip("cannot mount")
	}
	mounted := true
	unmount := func() {
		if mounted {
			require.NoError(t, unix.Unmount(staged, unix.MNT_DETACH))
		}
		mounted = false
	}
	t.Cleanup(unmount)
	require.ErrorIs(t, st.Tidy(), unix.EBUSY)
	put(t, "next", src, "t/c")
	begin := func() error {
		root, err := os.OpenRoot(src)
		require.NoError(t, err)
		defer root.Close()
		scanned, err := Scan(root, whole)
		require.NoError(t, err)
		raw := scanned.Manifest.Append(nil)
		next, err := base.Begin(raw, Options{}, sha256.Sum256(raw), func() bool { return false })
		if err == nil {
			require.NoError(t, next.Drop())
		}
		return err
	}
	require.ErrorContains(t, begin(), "cannot be moved")
	unmount()
	require.NoError(t, begin())
	require.Equal(t, "precious", text(t, dst, "t/late"))
	require.Equal(t, "new!", text(t, dst, "t/a"))
}
