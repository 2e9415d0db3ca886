package tree

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/multicast/internal/ranges"
)

var rsync = oracle.Tool{Name: "rsync", Package: "rsync", Probe: []string{"--version"}, Version: regexp.MustCompile(`rsync +version v?(\S+)`)}

// names are few, so that trees of two seeds meet.
var names = []string{"a", "b", "c.txt", "d-e", "f g", "\u00e9", "x\xff", "sub", "Sub", ".h", "core", "a.b", "z\n1"}

// readOnly is the mode of a directory that only root can change: an ordinary user
// can neither remove it nor update it, with rsync or without.
var readOnly = map[bool]os.FileMode{true: 0o555, false: 0o755}[os.Geteuid() == 0]

// grow makes a random tree below dir.
func grow(t *testing.T, r *rand.Rand, dir string, depth int) {
	t.Helper()
	var files []string
	for range 1 + r.IntN(6) {
		name := filepath.Join(dir, names[r.IntN(len(names))])
		if _, err := os.Lstat(name); err == nil {
			continue
		}
		switch k := r.IntN(10); {
		case k < 3 && depth > 0:
			require.NoError(t, os.Mkdir(name, 0o755))
			grow(t, r, name, depth-1)
			require.NoError(t, os.Chmod(name, []os.FileMode{0o755, 0o700, readOnly, 0o750}[r.IntN(4)]))
		case k == 3:
			require.NoError(t, os.Symlink([]string{"a", "sub/b", "nowhere", "c.txt"}[r.IntN(4)], name))
		case k == 4 && len(files) > 0:
			require.NoError(t, os.Link(files[r.IntN(len(files))], name))
			continue
		default:
			require.NoError(t, os.WriteFile(name, bytesOf(r), 0o644))
			require.NoError(t, os.Chmod(name, []os.FileMode{0o644, 0o600, 0o755, 0o444}[r.IntN(4)]))
			files = append(files, name)
		}
		mtime := time.Unix(int64(r.IntN(2e9)), int64(r.IntN(1e9)))
		if r.IntN(20) == 0 {
			mtime = time.Unix([]int64{-5, 1 << 32, 0}[r.IntN(3)], 5)
		}
		if fi, err := os.Lstat(name); err == nil && fi.Mode()&os.ModeSymlink == 0 {
			require.NoError(t, os.Chtimes(name, time.Time{}, mtime))
		}
	}
}

func bytesOf(r *rand.Rand) []byte {
	switch r.IntN(5) {
	case 0:
		return nil
	case 1:
		return make([]byte, r.IntN(30000)) // zeros
	case 2:
		b := make([]byte, 20000+r.IntN(200000))
		for i := range b[:8000] {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	b := make([]byte, r.IntN(9000))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// change alters some of a tree, as time does.
func change(t *testing.T, r *rand.Rand, dir string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || p == dir || r.IntN(4) > 0 {
			return nil
		}
		switch k := r.IntN(4); {
		case k == 0:
			require.NoError(t, os.RemoveAll(p))
			if d.IsDir() {
				return filepath.SkipDir
			}
		case k == 1 && d.Type().IsRegular():
			fi, err := os.Lstat(p)
			require.NoError(t, err)
			require.NoError(t, os.Chmod(p, 0o600)) // an ordinary user cannot write to a file of mode 444
			require.NoError(t, os.WriteFile(p, bytesOf(r), 0o644))
			require.NoError(t, os.Chmod(p, fi.Mode().Perm()))
		case k == 2 && d.Type().IsRegular():
			require.NoError(t, os.Chmod(p, 0o640))
		case k == 3 && d.IsDir():
			grow(t, r, p, 1)
		}
		return nil
	}))
}

// transfer sends what a scan has found from src to dst, without a network.
func transfer(t *testing.T, src, dst string, so ScanOptions, o Options) *Results {
	t.Helper()
	root, err := os.OpenRoot(src)
	require.NoError(t, err)
	defer root.Close()
	scanned, err := Scan(root, so)
	require.NoError(t, err)
	require.Empty(t, scanned.Problems)
	raw := scanned.Manifest.Append(nil)
	m, err := Decode(raw)
	require.NoError(t, err)
	require.Equal(t, raw, m.Append(nil))
	base, promise, err := OpenBase(dst, false)
	require.NoError(t, err)
	require.Nil(t, promise)
	defer base.Close()
	digest := sha256.Sum256(raw)
	st, err := base.Begin(raw, o, digest, func() bool { return false })
	require.NoError(t, err)
	if o.DryRun || o.Check {
		return st.Results()
	}
	need, _ := st.Need()
	deliver(t, root, scanned.Manifest, st, need, digest)
	return st.Results()
}

// deliver moves the content and commits.
func deliver(t *testing.T, root *os.Root, m *Manifest, st *Stage, need ranges.Set, digest [32]byte) {
	t.Helper()
	prepared(t, root, m, st, need, digest)
	_, err := st.Commit(nil, nil)
	require.NoError(t, err)
	require.NoError(t, st.Tidy())
}

// prepared moves the content, and promises.
func prepared(t *testing.T, root *os.Root, m *Manifest, st *Stage, need ranges.Set, digest [32]byte) {
	t.Helper()
	sealed := make(chan []byte, 1)
	kick := make(chan struct{}, 1000)
	c := NewContent(root, m, func() { kick <- struct{}{} }, func(s []byte, err error) {
		require.NoError(t, err)
		sealed <- s
	})
	defer c.Close()
	const symbol = 1408
	c.Open(need, symbol)
	st.Open(need, symbol)
	per := uint64(symbol) * blockSymbols
	for b := uint32(0); uint64(b)*per < need.Len(); b++ {
		for !c.Ready(b) {
			<-kick
		}
		k := int((min(per, need.Len()-uint64(b)*per) + symbol - 1) / symbol)
		var data []byte
		for i := range k {
			p, err := c.Symbol(b, i)
			require.NoError(t, err)
			data = append(data, p...)
		}
		require.NoError(t, st.Write(b, data, func() {}))
	}
	seal := <-sealed
	v, err := st.Verify(seal, Promise{Epoch: 1}, func() bool { return false })
	require.NoError(t, err)
	require.Zero(t, v.Failed, v.Text)
	require.Equal(t, Root(digest, seal), v.Root)
}

// sync runs the real tool; what it says about symlinks' times and the like is kept.
func realSync(t *testing.T, f oracle.Found, dir string, args ...string) string {
	t.Helper()
	r := oracle.Run(t, oracle.Cmd{Path: f.Path, Args: args, Dir: dir})
	require.Contains(t, []int{0, 23}, r.ExitCode, "%s", r.Stderr)
	return string(r.Stdout)
}

// TestTreesArriveAsRsyncWouldLeaveThem sends random trees over random older ones, by
// our own code and by rsync, with and without deletion and excludes: rsync finds no
// difference between the two, down to times and modes.
func TestTreesArriveAsRsyncWouldLeaveThem(t *testing.T) {
	oracle.Slow(t)
	f := rsync.Need(t)
	first := oracle.SeedFor(t) % 1e6
	runs := oracle.N(20, 2000)
	for i := range runs {
		for _, mode := range []string{"atomic", "in place"} {
			seed := first + uint64(i)
			t.Run(fmt.Sprintf("%s seed %d", mode, seed), func(t *testing.T) { arrive(t, f, seed, mode == "in place") })
		}
	}
	oracle.Compared(t, f, 2*runs)
}

// TestTreesThatOnceDiffered: a mode that changes, of a file with another name that the
// sender leaves out.
func TestTreesThatOnceDiffered(t *testing.T) {
	oracle.Slow(t)
	f := rsync.Need(t)
	for _, seed := range []uint64{316658, 317526, 317578, 318197, 318218} {
		for _, inPlace := range []bool{false, true} {
			t.Run(fmt.Sprint(seed, inPlace), func(t *testing.T) { arrive(t, f, seed, inPlace) })
		}
	}
	oracle.Compared(t, f, 10)
}

var patterns = []string{"a", "sub", "*.txt", "/t/sub", "sub/*", "b/", "/t/*/a", "**/core", "[ab]", "d?e", ".*", "sub/**", "/t/sub/***", "S[u]b", "f g", "*", "a/b", "/t/a", "**b", "x*", "[!a-d]", "t/sub/b", "\\a"}

func arrive(t *testing.T, f oracle.Found, seed uint64, inPlace bool) {
	r := rand.New(rand.NewPCG(seed, 2))
	dir := t.TempDir()
	src, ours, theirs := filepath.Join(dir, "src"), filepath.Join(dir, "ours"), filepath.Join(dir, "theirs")
	for _, d := range []string{src, ours, theirs, filepath.Join(src, "t")} {
		require.NoError(t, os.Mkdir(d, 0o755))
	}
	grow(t, r, filepath.Join(src, "t"), 3)
	if r.IntN(4) > 0 {
		// An older state, with things of its own.
		realSync(t, f, dir, "-aH", src+"/t", ours+"/")
		change(t, r, filepath.Join(ours, "t"))
		realSync(t, f, dir, "-aH", ours+"/t", theirs+"/")
	}
	args := []string{"-aH", "--force"}
	so := ScanOptions{Paths: []string{"t"}, Recursive: true}
	for range r.IntN(3) {
		p := patterns[r.IntN(len(patterns))]
		so.Exclude = append(so.Exclude, p)
		args = append(args, "--exclude="+p)
	}
	del := r.IntN(2) == 0
	if del {
		args = append(args, "--delete")
	}
	// rsync lists what it would do to ours: the same names must be touched.
	plan := realSync(t, f, dir, append(slices.Clone(args), "-nii", src+"/t", ours+"/")...)
	res := transfer(t, src, ours, so, Options{Delete: del, InPlace: inPlace, OutsideLinks: true})
	realSync(t, f, dir, append(args, src+"/t", theirs+"/")...)
	if conflict(res) {
		return // without deletion a full directory does not give way; --force is more than that
	}
	what := fmt.Sprintf("exclude %q, delete %v, plan:\n%s", so.Exclude, del, plan)
	require.NoError(t, os.RemoveAll(filepath.Join(ours, StageName)))
	diff := realSync(t, f, dir, "-aHnic", "--delete", theirs+"/", ours+"/")
	// A directory that rsync itself has not touched keeps its time there; the same here.
	require.Empty(t, trim(diff), what)
	require.Equal(t, deletions(plan), sorted(res.Deleted), what)
}

func conflict(r *Results) bool {
	return slices.ContainsFunc(r.Errors, func(e PathError) bool { return e.Op == "replace" })
}

// trim drops the line of the directory that holds the tree.
func trim(diff string) string {
	var out []string
	for l := range strings.Lines(diff) {
		if !strings.HasSuffix(l, " ./\n") {
			out = append(out, l)
		}
	}
	return strings.Join(out, "")
}

func sorted(list []string) []string {
	list = append([]string{}, list...)
	slices.Sort(list)
	return list
}

// deletions are the names of rsync's "*deleting" lines, unescaped.
func deletions(plan string) []string {
	list := []string{}
	for l := range strings.Lines(plan) {
		if name, ok := strings.CutPrefix(l, "*deleting"); ok {
			list = append(list, unescape(strings.TrimSuffix(strings.TrimLeft(strings.TrimSuffix(name, "\n"), " "), "/")))
		}
	}
	slices.Sort(list)
	return list
}

func unescape(s string) string {
	var b bytes.Buffer
	for i := 0; i < len(s); i++ {
		var c int
		if s[i] == '\\' && i+4 < len(s) && s[i+1] == '#' {
			if _, err := fmt.Sscanf(s[i+2:i+5], "%03o", &c); err == nil {
				b.WriteByte(byte(c))
				i += 4
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// TestExcludesMatchAsRsyncDoes compares which names of a random tree are left out.
func TestExcludesMatchAsRsyncDoes(t *testing.T) {
	oracle.Slow(t)
	f := rsync.Need(t)
	r := oracle.Rand(t)
	elements := []string{"a", "b", "*", "**", "?", "[a-c]", "[!a]", "sub", "*.txt", "c.txt", "f g", "\\*", "S*", "[[:upper:]]ub", "***", ".h", "core", "d-e", "a*b"}
	runs := oracle.N(120, 5000)
	dir := t.TempDir()
	src := filepath.Join(dir, "src")
	require.NoError(t, os.MkdirAll(filepath.Join(src, "t"), 0o755))
	gen := rand.New(rand.NewPCG(7, 7))
	for range 12 {
		grow(t, gen, filepath.Join(src, "t"), 4)
	}
	root, err := os.OpenRoot(src)
	require.NoError(t, err)
	defer root.Close()
	for range runs {
		var parts []string
		for range 1 + r.IntN(3) {
			parts = append(parts, elements[r.IntN(len(elements))])
		}
		p := strings.Join(parts, "/")
		if r.IntN(3) == 0 {
			p = "/t/" + p
		}
		if r.IntN(5) == 0 {
			p += "/"
		}
		out := realSync(t, f, dir, "-rln", "--out-format=%n", "--exclude="+p, src+"/t", dir+"/none/")
		want := []string{}
		for l := range strings.Lines(out) {
			if name := unescape(strings.TrimSuffix(strings.TrimSuffix(l, "\n"), "/")); name != "" && !strings.HasPrefix(name, "created directory") {
				want = append(want, name)
			}
		}
		scanned, err := Scan(root, ScanOptions{Paths: []string{"t"}, Recursive: true, Exclude: []string{p}})
		require.NoError(t, err)
		got := []string{}
		for i := range scanned.Manifest.Entries {
			got = append(got, scanned.Manifest.Entries[i].Path)
		}
		require.Equal(t, sorted(want), sorted(got), "exclude %q", p)
	}
	oracle.Compared(t, f, runs)
}
