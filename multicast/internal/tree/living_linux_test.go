package tree

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"dougu.internal/internal/oracle"
)

// mountAt mounts a file system for the duration of a test.
func mountAt(t *testing.T, kind, dir, options string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	err := unix.Mount("none", dir, kind, 0, options)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EINVAL) && kind == "overlay" {
		t.Skipf("cannot mount %s: %v", kind, err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
}

func bindAt(t *testing.T, from, to string) {
	t.Helper()
	err := unix.Mount(from, to, "", unix.MS_BIND, "")
	if errors.Is(err, unix.EPERM) {
		t.Skip("cannot mount")
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unix.Unmount(to, unix.MNT_DETACH)) })
}

func put(t *testing.T, text string, elem ...string) string {
	t.Helper()
	p := filepath.Join(elem...)
	require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
	require.NoError(t, os.WriteFile(p, []byte(text), 0o644))
	return p
}

func text(t *testing.T, elem ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(elem...))
	require.NoError(t, err)
	return string(b)
}

func number(t *testing.T, elem ...string) uint64 {
	t.Helper()
	fi, err := os.Lstat(filepath.Join(elem...))
	require.NoError(t, err)
	return idOf(fi).ino
}

var whole = ScanOptions{Paths: []string{"t"}, Recursive: true}

// TestMountsBelowTheTreeStay sends over trees in which a file system, a directory of the
// same file system, or a file is mounted.
func TestMountsBelowTheTreeStay(t *testing.T) {
	for _, del := range []bool{false, true} {
		for _, kind := range []string{"tmpfs", "bind", "deep", "file", "unknown directory"} {
			t.Run(fmt.Sprintf("%s delete %v", kind, del), func(t *testing.T) {
				dir := t.TempDir()
				src, dst, other := filepath.Join(dir, "src"), filepath.Join(dir, "dst"), filepath.Join(dir, "other")
				put(t, "new", src, "t/a")
				put(t, "new", src, "t/sub/b")
				put(t, "old", dst, "t/a")
				put(t, "old", dst, "t/gone/x")
				point := filepath.Join(dst, "t/cache")
				switch kind {
				case "tmpfs":
					mountAt(t, "tmpfs", point, "size=1m")
				case "deep":
					point = filepath.Join(dst, "t/mine/deep/cache")
					mountAt(t, "tmpfs", point, "size=1m")
				case "bind":
					require.NoError(t, os.MkdirAll(point, 0o755))
					require.NoError(t, os.MkdirAll(other, 0o755))
					bindAt(t, other, point)
				case "unknown directory": // the sender has the mount point
					put(t, "theirs", src, "t/cache/theirs")
					mountAt(t, "tmpfs", point, "size=1m")
				case "file":
					put(t, "precious", other)
					put(t, "", point)
					bindAt(t, other, point)
				}
				if kind != "file" {
					put(t, "precious", point, "sub/data")
				}
				res := transfer(t, src, dst, whole, Options{Delete: del})
				require.Empty(t, res.Errors)
				require.Equal(t, "new", text(t, dst, "t/a"))
				require.Equal(t, "new", text(t, dst, "t/sub/b"))
				if kind == "file" {
					require.Equal(t, "precious", text(t, point))
				} else {
					require.Equal(t, "precious", text(t, point, "sub/data"))
				}
				if kind == "unknown directory" {
					require.Equal(t, "theirs", text(t, point, "theirs"))
				}
				_, err := os.Lstat(filepath.Join(dst, "t/gone"))
				require.Equal(t, del, errors.Is(err, fs.ErrNotExist))
				require.Empty(t, mustMounts(t, filepath.Join(dst, StageName)))
			})
		}
	}
}

func mustMounts(t *testing.T, dir string) mounts {
	t.Helper()
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()
	m, err := mountsBelow(root)
	require.NoError(t, err)
	return m
}

// TestARemovalStaysOnItsMount removes a tree in which something is mounted.
func TestARemovalStaysOnItsMount(t *testing.T) {
	dir := t.TempDir()
	put(t, "x", dir, "top/a/x")
	mountAt(t, "tmpfs", filepath.Join(dir, "top/b"), "size=1m")
	put(t, "precious", dir, "top/b/c/data")
	put(t, "x", dir, "same/file")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "top/d"), 0o755))
	bindAt(t, filepath.Join(dir, "same"), filepath.Join(dir, "top/d"))
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()
	require.ErrorIs(t, removeAll(root, "top"), errMounted)
	require.Equal(t, "precious", text(t, dir, "top/b/c/data"))
	require.Equal(t, "x", text(t, dir, "same/file"))
	require.NoDirExists(t, filepath.Join(dir, "top/a"))
}

// TestParseMounts reads lines in the form of proc_pid_mountinfo(5).
func TestParseMounts(t *testing.T) {
	m := parseMounts("22 1 0:20 / / rw - ext4 /dev/sda rw\n23 22 0:21 / /srv/a\\040b/c rw - tmpfs none rw\n"+
		"24 22 0:22 / /srv rw - tmpfs none rw\n25 22 0:23 / /srvx rw - tmpfs none rw\nshort line\n26 22 0:24 / /srv/x\\134y rw - tmpfs none rw\n", "/srv")
	require.Equal(t, mounts{"a b/c", `x\y`}, m)
	require.Equal(t, mounts{"srv"}, parseMounts("24 22 0:22 / /srv rw - tmpfs none rw\n", "/"))
}

// TestALowerDirectoryOfOverlayfsIsChangedInPlace: renaming it gives EXDEV, which must
// be known before the host is ready.
func TestALowerDirectoryOfOverlayfsIsChangedInPlace(t *testing.T) {
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
	for _, n := range []string{"a", "b", "c/d"} {
		put(t, "new", src, "t", n)
		put(t, "old", dir, "low/t", n)
	}
	mountAt(t, "tmpfs", filepath.Join(dir, "rw"), "size=4m")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "rw/u"), 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "rw/w"), 0o755))
	mountAt(t, "overlay", dst, fmt.Sprintf("lowerdir=%s/low,upperdir=%s/rw/u,workdir=%s/rw/w,redirect_dir=off", dir, dir, dir))
	root, err := os.OpenRoot(src)
	require.NoError(t, err)
	defer root.Close()
	scanned, err := Scan(root, whole)
	require.NoError(t, err)
	raw := scanned.Manifest.Append(nil)
	base, _, err := OpenBase(dst, false)
	require.NoError(t, err)
	defer base.Close()
	_, err = base.Begin(raw, Options{Atomic: true}, sha256.Sum256(raw), func() bool { return false })
	require.ErrorContains(t, err, "one step")
	st, err := base.Begin(raw, Options{}, sha256.Sum256(raw), func() bool { return false })
	require.NoError(t, err)
	require.NotEmpty(t, st.Fallback)
	need, _ := st.Need()
	deliver(t, root, scanned.Manifest, st, need, sha256.Sum256(raw))
	require.Empty(t, st.Results().Errors)
	for _, n := range []string{"a", "b", "c/d"} {
		require.Equal(t, "new", text(t, dst, "t", n))
	}
}

// TestWhatIsUnchangedKeepsItsInode: nothing is switched for nothing, one file is
// renamed, and a directory without a change comes back as itself.
func TestWhatIsUnchangedKeepsItsInode(t *testing.T) {
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
	for _, n := range []string{"a", "one/a", "one/b", "two/a", "two/deep/b", "three/a"} {
		put(t, "x", src, "t", n)
	}
	transfer(t, src, dst2(t, dst), whole, Options{})
	put(t, "mine", dst, "t/mine/file")
	open, err := os.Open(filepath.Join(dst, "t/mine"))
	require.NoError(t, err)
	defer open.Close()
	list := []string{"t", "t/one", "t/two", "t/two/deep", "t/three", "t/mine"}
	inodes := func() (n []uint64) {
		for _, p := range list {
			n = append(n, number(t, dst, p))
		}
		return n
	}
	before := inodes()
	transfer(t, src, dst, whole, Options{})
	require.Equal(t, before, inodes(), "nothing has changed")
	put(t, "another text", src, "t/one/a")
	transfer(t, src, dst, whole, Options{})
	require.Equal(t, before, inodes(), "one file has changed")
	put(t, "yet another text", src, "t/one/a")
	put(t, "new", src, "t/one/c")
	transfer(t, src, dst, whole, Options{})
	after := inodes()
	require.NotEqual(t, before[1], after[1], "two files have changed in it")
	before[1] = after[1]
	require.Equal(t, before, after)
	put(t, "changed at last", src, "t/one/a")
	put(t, "changed as well", src, "t/three/a")
	transfer(t, src, dst, whole, Options{})
	after = inodes()
	require.Equal(t, before[2:4], after[2:4], "a directory in which nothing has changed")
	require.Equal(t, before[5], after[5], "a directory that the sender does not have")
	require.Equal(t, "mine", text(t, dst, "t/mine/file"))
}

func dst2(t *testing.T, dst string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(dst, 0o755))
	return dst
}

// TestMetadataOfDirectoriesStays: what the sender does not send belongs to the host.
func TestMetadataOfDirectoriesStays(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to give files away")
	}
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
	for _, n := range []string{"a", "b", "sub/a", "sub/b", "team/a", "team/b"} {
		put(t, "x", src, "t", n)
	}
	transfer(t, src, dst2(t, dst), whole, Options{})
	require.NoError(t, os.Chmod(filepath.Join(src, "t/sub"), 0o1777|os.ModeSticky))
	require.NoError(t, os.Chmod(filepath.Join(src, "t/team"), 0o775|os.ModeSetgid))
	xattr := unix.Setxattr(filepath.Join(dst, "t/sub"), "user.note", []byte("kept"), 0)
	require.NoError(t, os.Chown(filepath.Join(dst, "t"), 12, 34))
	require.NoError(t, os.Chown(filepath.Join(dst, "t/sub"), 12, 34))
	require.NoError(t, os.Chown(filepath.Join(dst, "t/team"), 0, 34))
	require.NoError(t, os.Chmod(filepath.Join(dst, "t/team"), 0o775|os.ModeSetgid))
	require.NoError(t, os.Chown(filepath.Join(dst, "t/b"), 12, 34))
	require.NoError(t, os.Chmod(filepath.Join(src, "t/b"), 0o600)) // its mode changes, and no more
	put(t, "another", src, "t/sub/a")
	put(t, "new", src, "t/team/c")
	res := transfer(t, src, dst, whole, Options{})
	require.Empty(t, res.Errors)
	stat := func(p string) string {
		var st unix.Stat_t
		require.NoError(t, unix.Lstat(filepath.Join(dst, p), &st))
		return fmt.Sprintf("%o %d:%d", st.Mode&0o7777, st.Uid, st.Gid)
	}
	require.Equal(t, "755 12:34", stat("t"))
	require.Equal(t, "1777 12:34", stat("t/sub"))
	require.Equal(t, "2775 0:34", stat("t/team"))
	require.Equal(t, "644 0:34", stat("t/team/c"), "a new file has the group of a set-group-id directory")
	require.Equal(t, "600 12:34", stat("t/b"))
	require.Equal(t, "another", text(t, dst, "t/sub/a"))
	if xattr == nil {
		b := make([]byte, 100)
		n, err := unix.Getxattr(filepath.Join(dst, "t/sub"), "user.note", b)
		require.NoError(t, err)
		require.Equal(t, "kept", string(b[:n]))
	}
}

// TestWhatDoesNotFitIsRefused compares sizes before content comes.
func TestWhatDoesNotFitIsRefused(t *testing.T) {
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
	mountAt(t, "tmpfs", dst, "size=2m")
	put(t, strings.Repeat("x", 3<<20), src, "t/big")
	root, err := os.OpenRoot(src)
	require.NoError(t, err)
	defer root.Close()
	scanned, err := Scan(root, whole)
	require.NoError(t, err)
	raw := scanned.Manifest.Append(nil)
	base, _, err := OpenBase(dst, false)
	require.NoError(t, err)
	_, err = base.Begin(raw, Options{}, sha256.Sum256(raw), func() bool { return false })
	require.ErrorContains(t, err, "no space left: 3145728 bytes are needed")
	require.NoError(t, base.Close())
	put(t, "small", src, "t/big")
	transfer(t, src, dst, whole, Options{})
	require.Equal(t, "small", text(t, dst, "t/big"))
}

// TestLivingWritersLoseNothing changes the tree of a host all the time, while transfers
// replace many of its files: nothing that a program made is lost, nothing that it removed
// comes back, and what it holds open stays in the tree.
func TestLivingWritersLoseNothing(t *testing.T) {
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src"), dst2(t, filepath.Join(dir, "dst"))
	for i := range 60 {
		put(t, "0", src, fmt.Sprintf("t/f%d", i))
		put(t, "0", src, fmt.Sprintf("t/lib/d%d/f", i%7), fmt.Sprint(i))
	}
	transfer(t, src, dst, whole, Options{})
	top := filepath.Join(dst, "t")
	for _, d := range []string{"uploads", "lib/cache/deep", "lib/d3/local"} {
		require.NoError(t, os.MkdirAll(filepath.Join(top, d), 0o755))
	}
	stop := make(chan struct{})
	var group sync.WaitGroup
	type state struct {
		want map[string]string // path: content; "" removed
		open *os.File
		bad  error
	}
	random := oracle.Rand(t)
	writers := make([]*state, 4)
	for w := range writers {
		s := &state{want: map[string]string{}}
		writers[w] = s
		r := rand.New(rand.NewPCG(random.Uint64(), uint64(w)))
		dirs := []string{"uploads", "lib/cache/deep", "lib/d3/local", ".", "lib"}
		log, err := os.OpenFile(filepath.Join(top, "uploads", fmt.Sprintf("log%d", w)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		require.NoError(t, err)
		s.open = log
		group.Go(func() {
			var names []string
			logged := ""
			for i := 0; ; i++ {
				select {
				case <-stop:
					s.want[fmt.Sprintf("uploads/log%d", w)] = logged
					return
				case <-time.After(time.Duration(r.IntN(800)) * time.Microsecond):
				}
				line := fmt.Sprintf("line %d\n", i)
				if _, err := log.WriteString(line); err != nil {
					s.bad = err
					return
				}
				logged += line
				var err error
				switch k := r.IntN(6); {
				case k < 3 || len(names) == 0:
					p := fmt.Sprintf("%s/w%d-%d", dirs[r.IntN(len(dirs))], w, i)
					if err = os.WriteFile(filepath.Join(top, p), []byte(p), 0o644); err == nil {
						names, s.want[p] = append(names, p), p
					}
				case k == 3: // replaced, as editors do it
					p := names[r.IntN(len(names))]
					if s.want[p] == "" {
						continue
					}
					v := fmt.Sprintf("%s again %d", p, i)
					if err = os.WriteFile(filepath.Join(top, p+".tmp"), []byte(v), 0o644); err == nil {
						if err = os.Rename(filepath.Join(top, p+".tmp"), filepath.Join(top, p)); err == nil {
							s.want[p] = v
						}
						names = append(names, p+".tmp")
					}
				case k == 4:
					p := names[r.IntN(len(names))]
					if s.want[p] == "" {
						continue
					}
					if err = os.Remove(filepath.Join(top, p)); err == nil {
						s.want[p] = ""
					}
				}
				// Between two steps of a program the name may be in the other tree for a
				// moment: the program sees an error, and nothing is lost.
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					s.bad = err
					return
				}
			}
		})
	}
	sends := oracle.N(12, 200)
	for n := range sends {
		v := strings.Repeat("x", n%17+1) + fmt.Sprint(n)
		for i := range 60 {
			if i%3 != n%3 {
				put(t, v, src, fmt.Sprintf("t/f%d", i))
			}
		}
		put(t, v, src, fmt.Sprintf("t/lib/d%d/f", n%7), "0")
		del := n%4 == 3
		so := whole
		if del {
			so.Exclude = []string{"/t/uploads", "/t/lib/cache", "local", "w[0-9]*", "*.tmp"}
		}
		transfer(t, src, dst, so, Options{Delete: del})
		for i := range 60 {
			if i%3 != n%3 {
				require.Equal(t, v, text(t, top, fmt.Sprintf("f%d", i)))
			}
		}
	}
	close(stop)
	group.Wait()
	made, removed, lost, back := 0, 0, []string{}, []string{}
	for _, s := range writers {
		require.NoError(t, s.bad)
		require.NoError(t, s.open.Close())
		for p, want := range s.want {
			made++
			if want == "" {
				removed++
			}
			got, err := os.ReadFile(filepath.Join(top, p))
			switch {
			case want == "" && err == nil:
				back = append(back, p)
			case want != "" && (err != nil || !bytes.Equal(got, []byte(want))):
				lost = append(lost, p)
			}
		}
	}
	t.Logf("%d sends, %d files of %d writers, %d removed, of which %d are there again", sends, made, len(writers), removed, len(back))
	require.Empty(t, lost, "lost or old")
	// A file that is replaced before the switch and removed in the moment after it comes
	// back as it was replaced: better than to lose it where it was renamed.
	require.LessOrEqual(t, len(back), removed/50, "removed and there again: %q", back)
	left, err := filepath.Glob(filepath.Join(dst, StageName, "kept*"))
	require.NoError(t, err)
	require.Empty(t, left)
}
