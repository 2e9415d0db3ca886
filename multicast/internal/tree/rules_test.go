package tree

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// TestRules reads single rules and their order: rsync(1), section FILTER RULES.
func TestRules(t *testing.T) {
	for _, row := range []struct {
		rules    []string
		excluded []string
		sent     []string
	}{
		{[]string{"- *.log"}, []string{"app.log", "d/app.log"}, []string{"- app.log.1", "a"}},
		{[]string{"+ keep.log", "*.log"}, []string{"app.log"}, []string{"keep.log", "d/keep.log"}},
		{[]string{"*.log", "+ keep.log"}, []string{"app.log", "keep.log"}, []string{"a"}},
		{[]string{"*.log", "!", "*.key"}, []string{"a.key"}, []string{"app.log"}},
		{[]string{"+ */", "+ *.c", "*"}, []string{"a.h", "d/x"}, []string{"a.c", "d/a.c"}},
		{[]string{"-x", "+y", "!z"}, []string{"-x", "+y", "!z"}, []string{"x", "y", "z"}},
		{[]string{"[b-a]x", "[[:a]c:]"}, []string{"bx", "[c:]", "ac:]"}, []string{"ax", "c"}},
		{[]string{"- - a"}, []string{"- a"}, []string{"a"}},
		{[]string{"+ /t/", "/*"}, []string{"u/a"}, []string{"t/a"}},
	} {
		x := NewExcludes(row.rules)
		for _, p := range row.excluded {
			require.True(t, x.Any(p, false), "%q: %s", row.rules, p)
		}
		for _, p := range row.sent {
			require.False(t, x.Any(p, false), "%q: %s", row.rules, p)
		}
	}
}

// TestRuleListsActAsRsyncs compares which names of random trees are sent, and which
// stay at a host when the others are deleted.
func TestRuleListsActAsRsyncs(t *testing.T) {
	f := rsync.Need(t)
	r := oracle.Rand(t)
	elements := []string{"a", "b", "*", "**", "?", "[a-c]", "sub", "*.txt", "c.txt", "f g", "S*", "***", ".h", "core", "d-e", "*b", "*/", "[b-a]", "[!a]"}
	dir := t.TempDir()
	runs, per := oracle.N(60, 5000), 20
	var src, dst string
	for i := range runs {
		if i%per == 0 {
			src, dst = filepath.Join(dir, fmt.Sprint("src", i)), filepath.Join(dir, fmt.Sprint("dst", i))
			gen := rand.New(rand.NewPCG(r.Uint64(), 7))
			for _, d := range []string{src, dst} {
				require.NoError(t, os.MkdirAll(filepath.Join(d, "t"), 0o755))
				for range 4 {
					grow(t, gen, filepath.Join(d, "t"), 3)
				}
			}
		}
		var rules, args []string
		for range 1 + r.IntN(4) {
			var parts []string
			for range 1 + r.IntN(2) {
				parts = append(parts, elements[r.IntN(len(elements))])
			}
			p := strings.Join(parts, "/")
			if r.IntN(4) == 0 {
				p = "/t/" + p
			}
			switch r.IntN(6) {
			case 0, 1:
				rules, args = append(rules, "+ "+p), append(args, "--include="+p)
			case 2:
				rules, args = append(rules, "- "+p), append(args, "--exclude=- "+p)
			case 3:
				if r.IntN(4) == 0 {
					rules, args = append(rules, "!"), append(args, "--exclude=!")
				}
			default:
				rules, args = append(rules, p), append(args, "--exclude="+p)
			}
		}
		plan := realSync(t, f, dir, append(append([]string{"-rln", "--out-format=send %n"}, args...), src+"/t", dir+"/none/")...)
		want := []string{}
		for l := range strings.Lines(plan) {
			l = strings.TrimSuffix(l, "\n")
			if name, ok := strings.CutPrefix(l, "send "); ok {
				if name = unescape(strings.TrimSuffix(name, "/")); !slices.Contains(want, name) && (len(want) > 0 || name == "t") {
					want = append(want, name)
				}
			}
		}
		root, err := os.OpenRoot(src)
		require.NoError(t, err)
		scanned, err := Scan(root, ScanOptions{Paths: []string{"t"}, Recursive: true, Exclude: rules})
		require.NoError(t, err)
		require.NoError(t, root.Close())
		got := []string{}
		for i := range scanned.Manifest.Entries {
			got = append(got, scanned.Manifest.Entries[i].Path)
		}
		require.Equal(t, sorted(want), sorted(got), "sent with %q", rules)
		res := transfer(t, src, dst, ScanOptions{Paths: []string{"t"}, Recursive: true, Exclude: rules}, Options{Delete: true, DryRun: true, OutsideLinks: true})
		if conflict(res) {
			continue
		}
		theirs := filepath.Join(dir, "theirs")
		realSync(t, f, dir, "-aH", "--delete", dst+"/", theirs+"/")
		realSync(t, f, dir, append(append([]string{"-rl", "--delete", "--force"}, args...), src+"/t", theirs+"/")...)
		ours := map[string]bool{}
		for _, p := range namesBelow(t, dst) {
			ours[p] = true
		}
		for _, p := range res.Deleted {
			delete(ours, p)
		}
		m := scanned.Manifest
		for p := range ours { // what gave way to another type does not count as a deletion
			for _, d := range parentsOf(p) {
				if i := m.Find(d); i >= 0 && m.Entries[i].Kind != Dir {
					delete(ours, p)
				}
			}
		}
		list := slices.Collect(maps.Keys(ours))
		for _, p := range got {
			if !ours[p] {
				list = append(list, p)
			}
		}
		require.Equal(t, namesBelow(t, theirs), sorted(list), "at the host with %q", rules)
	}
	oracle.Compared(t, f, runs)
}

// namesBelow lists all names below a directory.
func namesBelow(t *testing.T, dir string) []string {
	t.Helper()
	list := []string{}
	require.NoError(t, filepath.WalkDir(dir, func(p string, _ os.DirEntry, err error) error {
		if p != dir {
			list = append(list, strings.TrimPrefix(p, dir+"/"))
		}
		return err
	}))
	return sorted(list)
}
