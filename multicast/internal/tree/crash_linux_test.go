package tree

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

var straceTool = oracle.Tool{Name: "strace", Package: "strace", Probe: []string{"-V"}}

// fingerprint is a tree as a reader sees it: names, types, modes, times, content.
func fingerprint(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %v", strings.TrimPrefix(p, dir), fi.Mode())
		switch {
		case fi.Mode().IsRegular():
			text, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %d %x", fi.ModTime().UnixNano(), sha256.Sum256(text))
		case d.IsDir():
			fmt.Fprintf(&b, " %d", fi.ModTime().UnixNano())
		default:
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			b.WriteString(" " + target)
		}
		b.WriteByte('\n')
		return nil
	})
	require.NoError(t, err)
	return b.String()
}

// crashTrees makes the old tree and the new one: of everything there is.
func crashTrees(t *testing.T, dir string) (old, fresh string) {
	t.Helper()
	put := func(root string, at int64, files map[string]string, links map[string]string) {
		for name, text := range files {
			p := filepath.Join(root, "t", name)
			require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
			require.NoError(t, os.WriteFile(p, []byte(text), 0o640))
			require.NoError(t, os.Chtimes(p, time.Time{}, time.Unix(at, 5)))
		}
		for name, target := range links {
			require.NoError(t, os.Symlink(target, filepath.Join(root, "t", name)))
		}
		require.NoError(t, filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			return os.Chtimes(p, time.Time{}, time.Unix(at, 7))
		}))
	}
	big := strings.Repeat("new content ", 20000)
	old, fresh = filepath.Join(dir, "old"), filepath.Join(dir, "new")
	put(old, 1000, map[string]string{"same": "", "changed": "old", "gone/deep/x": "x", "big": "small"}, map[string]string{"link": "same", "turns": "changed"})
	put(fresh, 2000, map[string]string{"same": "", "changed": "new", "sub/a": "a", "sub/b": "bb", "big": big, "turns": "a file"}, map[string]string{"link": "changed"})
	for _, root := range []string{old, fresh} { // the file that does not change
		require.NoError(t, os.Chtimes(filepath.Join(root, "t", "same"), time.Time{}, time.Unix(500, 0)))
	}
	require.NoError(t, os.Link(filepath.Join(fresh, "t", "changed"), filepath.Join(fresh, "t", "zhard")))
	require.NoError(t, os.Chtimes(filepath.Join(fresh, "t"), time.Time{}, time.Unix(2000, 7)))
	return old, fresh
}

// bring does a whole transfer, as a receiver does it.
func bring(t *testing.T, src, dst string, inPlace bool) {
	t.Helper()
	root, err := os.OpenRoot(src)
	require.NoError(t, err)
	defer root.Close()
	scanned, err := Scan(root, ScanOptions{Paths: []string{"t"}, Recursive: true})
	require.NoError(t, err)
	raw := scanned.Manifest.Append(nil)
	digest := sha256.Sum256(raw)
	base, _, err := OpenBase(dst, false)
	require.NoError(t, err)
	defer base.Close()
	st, err := base.Begin(raw, Options{Delete: true, InPlace: inPlace}, digest, func() bool { return false })
	require.NoError(t, err)
	need, _ := st.Need()
	deliver(t, root, scanned.Manifest, st, need, digest)
	require.Empty(t, st.Results().Errors)
}

// TestCrashChild is run by TestCrashAtEachStep, and does nothing elsewhere.
func TestCrashChild(t *testing.T) {
	if src := os.Getenv("DOUGU_CRASH_SRC"); src != "" {
		runtime.LockOSThread() // strace counts the calls of a thread
		bring(t, src, os.Getenv("DOUGU_CRASH_DST"), os.Getenv("DOUGU_CRASH_IN_PLACE") == "1")
	}
}

// TestCrashAtEachStep kills a receiver at each of its system calls that change
// something, by strace: the tree is the old one or the new one. In place, that holds
// when the receiver has started again. What was promised can be kept, and the next
// transfer ends it.
func TestCrashAtEachStep(t *testing.T) {
	if testing.Short() {
		t.Skip("many processes")
	}
	strace := straceTool.Need(t)
	self, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	old, fresh := crashTrees(t, dir)
	was, will := fingerprint(t, filepath.Join(old, "t")), fingerprint(t, filepath.Join(fresh, "t"))
	require.NotEqual(t, was, will)
	random, step := oracle.Rand(t), oracle.N(9, 1) // a short run takes some of the points
	for _, inPlace := range []bool{false, true} {
		points, olds, news, promises := 0, 0, 0, 0
		for _, call := range []string{"mkdirat", "unlinkat", "renameat", "renameat2", "linkat", "symlinkat", "openat", "write", "pwrite64", "ftruncate", "utimensat", "fchmod", "fchmodat", "fsync"} {
			for n := 1 + random.IntN(step); ; n += step {
				what := fmt.Sprintf("killed at %s %d, in place %v", call, n, inPlace)
				dst := filepath.Join(dir, fmt.Sprintf("%s-%d-%v", call, n, inPlace))
				require.NoError(t, os.Mkdir(dst, 0o755))
				bring(t, old, dst, true)
				require.Equal(t, was, fingerprint(t, filepath.Join(dst, "t")))
				r := oracle.Run(t, oracle.Cmd{Path: strace.Path, Args: []string{"-f", "-qqq", "-o", os.DevNull, "-e", "trace=" + call,
					"-e", "inject=" + call + ":signal=SIGKILL:when=" + strconv.Itoa(n), self, "-test.run=^TestCrashChild$"},
					Env: []string{"DOUGU_CRASH_SRC=" + fresh, "DOUGU_CRASH_DST=" + dst, "DOUGU_CRASH_IN_PLACE=" + map[bool]string{true: "1"}[inPlace]}, Timeout: time.Minute})
				now := fingerprint(t, filepath.Join(dst, "t"))
				if r.ExitCode == 0 {
					require.Equal(t, will, now, what)
					break
				}
				points++
				if !inPlace {
					require.Contains(t, []string{was, will}, now, what)
				}
				base, promise, err := OpenBase(dst, false)
				require.NoError(t, err, what)
				now = fingerprint(t, filepath.Join(dst, "t"))
				require.Contains(t, []string{was, will}, now, what)
				if promise != nil {
					promises++
					require.Equal(t, was, now, what)
					if promises%2 == 0 { // the others have heard the decision
						st := base.Resume(*promise)
						_, err := st.Commit(nil, nil)
						require.NoError(t, err, what)
						require.NoError(t, st.Tidy(), what)
						require.Equal(t, will, fingerprint(t, filepath.Join(dst, "t")), what)
					}
				}
				require.NoError(t, base.Close())
				if now == was {
					olds++
				} else {
					news++
				}
				bring(t, fresh, dst, inPlace)
				require.Equal(t, will, fingerprint(t, filepath.Join(dst, "t")), what)
				require.NoError(t, os.RemoveAll(dst))
			}
		}
		t.Logf("in place %v: killed at %d points: %d times the old tree, %d times the new one; %d open promises", inPlace, points, olds, news, promises)
		require.Positive(t, points)
		if step == 1 {
			require.Positive(t, olds)
			require.Positive(t, news)
			require.Positive(t, promises)
		}
	}
}
