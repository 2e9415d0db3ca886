package tree

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/multicast/internal/ranges"
)

func sample() *Manifest {
	return &Manifest{Flags: FlagOwner | FlagDigest, Roots: []string{"t"}, Exclude: []string{"*.o"}, Entries: []Entry{
		{Path: "t", Kind: Dir, Mode: 0o755, Sec: -1, Nsec: 999999999, UID: 1, GID: 2},
		{Path: "t/a", Kind: File, Mode: 0o4644, Size: 5 << 30, Sec: 1 << 40, Digest: [32]byte{1}},
		{Path: "t/a\xff\n", Kind: Symlink, Mode: 0o777, Target: "../x"},
		{Path: "t/b", Kind: Hardlink, Link: 1},
		{Path: "t/sub", Kind: Dir},
		{Path: "t/sub/x", Kind: File},
		{Path: "t/sub-1", Kind: File, Size: 3},
	}}
}

func TestManifestComesBackAsItWas(t *testing.T) {
	m := sample()
	require.NoError(t, m.layout())
	got, err := Decode(m.Append(nil))
	require.NoError(t, err)
	require.Equal(t, m, got)
	require.Equal(t, uint64(5<<30+3), got.Total)
	require.Equal(t, 6, got.At(5<<30))
	require.Equal(t, 4, got.Find("t/sub"))
	require.Equal(t, -1, got.Find("t/suc"))
}

func TestManifestsThatLieAreRefused(t *testing.T) {
	for name, lie := range map[string]func(m *Manifest){
		"leaves the tree":       func(m *Manifest) { m.Entries[1].Path = "t/../x" },
		"absolute":              func(m *Manifest) { m.Entries[0].Path = "/t" },
		"empty element":         func(m *Manifest) { m.Entries[1].Path = "t//a" },
		"dot":                   func(m *Manifest) { m.Entries[1].Path = "t/." },
		"zero byte":             func(m *Manifest) { m.Entries[1].Path = "t/a\x00" },
		"long element":          func(m *Manifest) { m.Entries[1].Path = "t/" + strings.Repeat("a", 256) },
		"long path":             func(m *Manifest) { m.Entries[1].Path = "t" + strings.Repeat("/aaa", 1100) },
		"twice":                 func(m *Manifest) { m.Entries[2].Path = "t/a" },
		"not sorted":            func(m *Manifest) { m.Entries[1], m.Entries[3] = m.Entries[3], m.Entries[1] },
		"below a file":          func(m *Manifest) { m.Entries[2].Path = "t/a/x" },
		"below a link":          func(m *Manifest) { m.Entries[4].Kind, m.Entries[4].Target = Symlink, "/etc" },
		"below no root":         func(m *Manifest) { m.Entries[0].Path = "u" },
		"size of a directory":   func(m *Manifest) { m.Entries[4].Size = 1 },
		"kind":                  func(m *Manifest) { m.Entries[1].Kind = 9 },
		"mode":                  func(m *Manifest) { m.Entries[1].Mode = 0o10000 },
		"nanoseconds":           func(m *Manifest) { m.Entries[1].Nsec = 1e9 },
		"link to what is later": func(m *Manifest) { m.Entries[3].Link = 5 },
		"link to a directory":   func(m *Manifest) { m.Entries[3].Link = 0 },
		"empty target":          func(m *Manifest) { m.Entries[2].Target = "" },
		"content of 2 TiB":      func(m *Manifest) { m.Entries[1].Size = 2 << 40 },
		"root that leaves":      func(m *Manifest) { m.Roots = []string{"../t"} },
	} {
		m := sample()
		lie(m)
		_, err := Decode(m.Append(nil))
		var d *DecodeError
		require.ErrorAs(t, err, &d, name)
	}
	b := sample().Append(nil)
	for n := range b {
		_, err := Decode(b[:n])
		require.Error(t, err)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add(sample().Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Decode(m.Append(nil))
		require.NoError(t, err)
		require.Equal(t, m, again)
		for i := range m.Entries {
			require.NoError(t, CheckPath(m.Entries[i].Path))
			require.True(t, filepath.IsLocal(m.Entries[i].Path))
			require.Equal(t, i, m.Find(m.Entries[i].Path))
		}
	})
}

func FuzzResults(f *testing.F) {
	f.Add((&Results{Updated: ranges.Set{{Start: 1, End: 3}}, Deleted: []string{"a"}, Errors: []PathError{{"p", "o", "t"}}, More: 3}).Append(nil))
	f.Add(AppendSeals(nil, []Seal{{Index: 3}, {Index: 5, Status: SealChanged}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := ParseResults(b, 100); err == nil {
			again, err := ParseResults(r.Append(nil), 100)
			require.NoError(t, err)
			require.Equal(t, r, again)
		}
		if s, err := ParseSeals(b, 100); err == nil {
			require.Equal(t, b, AppendSeals([]byte{}, s))
		}
	})
}

func FuzzExclude(f *testing.F) {
	for _, p := range patterns {
		f.Add(p, "t/sub/a", true)
	}
	f.Fuzz(func(t *testing.T, pattern, path string, dir bool) {
		if len(pattern) < 100 && len(path) < 300 {
			NewExcludes([]string{pattern}).Any(path, dir)
		}
	})
}

// FuzzJournal plays journals that were damaged or planted: nothing outside of the
// base is touched.
func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"op":"mkdir","path":"a"}` + "\n" + `{"op":"symlink","path":"a/l","from":"/etc"}` + "\n" + `{"op":"place","path":"a/l/x"}`))
	f.Add([]byte(`{"op":"delete","path":"../x"}`))
	f.Add([]byte(`{"op":"dir","path":"l","mode":448}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		out := filepath.Join(dir, "out")
		require.NoError(t, os.WriteFile(out, []byte("safe"), 0o644))
		base := filepath.Join(dir, "base")
		require.NoError(t, os.MkdirAll(filepath.Join(base, treeDir), 0o755))
		require.NoError(t, os.Symlink("../out", filepath.Join(base, "l")))
		require.NoError(t, os.WriteFile(filepath.Join(base, doneFile), text, 0o644))
		b, err := os.OpenRoot(base)
		require.NoError(t, err)
		defer b.Close()
		_ = (&Base{root: b}).replay(&Results{}) // whether it succeeds or not
		got, err := os.ReadFile(out)
		require.NoError(t, err)
		require.Equal(t, "safe", string(got))
		fi, err := os.Stat(out)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o644), fi.Mode())
	})
}

// TestDirectoriesAreNotEnteredThroughLinks: what is named below a link is an error.
func TestDirectoriesAreNotEnteredThroughLinks(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "real"), 0o755))
	require.NoError(t, os.Symlink("real", filepath.Join(dir, "link")))
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()
	d := &dirs{root: root, create: 0o700}
	defer d.close()
	_, err = d.dir("link")
	require.ErrorIs(t, err, errNotDir)
	_, err = d.dir("real/new/deep")
	require.NoError(t, err)
}

func TestQuotedNamesComeBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		b := make([]byte, r.IntN(20))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		require.Equal(t, string(b), unquote(quote(string(b))))
	}
}
