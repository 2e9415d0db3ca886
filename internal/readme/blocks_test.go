package readme

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// document is one README file, split into lines.
type document struct {
	name  string // relative to the root of the module, with slashes
	dir   string // its folder, absolute
	lines []string
}

// block is a fenced block of a document.
type block struct {
	language    string
	section     string // the heading above it
	run         string // the command of a comment before the block, without "go run ."
	runs        bool   // whether there is such a comment
	first, last int    // indexes of the lines between the fences: first included, last excluded
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	return dir
}

// documents returns all README files of the module. Nested modules have their own.
func documents(t *testing.T) (list []*document) {
	t.Helper()
	top := root(t)
	err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if b := d.Name(); name != top && (b == "testdata" || b[0] == '.' || b[0] == '_') {
				return filepath.SkipDir
			}
			if _, err := os.Stat(filepath.Join(name, "go.mod")); name != top && err == nil {
				return filepath.SkipDir
			}
			return nil
		}
		if d.Name() != "README.md" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(top, name)
		if err != nil {
			return err
		}
		list = append(list, &document{name: filepath.ToSlash(rel), dir: filepath.Dir(name), lines: strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")})
		return nil
	})
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(list), 10, "README files found")
	return list
}

// blocks returns the fenced blocks of a document in order.
func (d *document) blocks() (list []block, err error) {
	var open *block
	section, before := "", ""
	for i, line := range d.lines {
		switch {
		case open != nil && line == "```":
			open.last = i
			list = append(list, *open)
			open = nil
		case open != nil:
		case strings.HasPrefix(line, "```"):
			open = &block{language: line[3:], section: section, first: i + 1}
			if s, ok := strings.CutPrefix(before, "<!-- run: go run ."); ok {
				open.run, open.runs = strings.TrimSpace(strings.TrimSuffix(s, "-->")), true
			}
		case strings.HasPrefix(line, "#"):
			section = strings.TrimLeft(line, "# ")
		}
		before = line
	}
	if open != nil {
		return nil, errors.New("a block is not closed")
	}
	return list, nil
}

// text returns the lines of a block, each with its newline.
func (d *document) text(b block) string {
	if b.first == b.last {
		return ""
	}
	return strings.Join(d.lines[b.first:b.last], "\n") + "\n"
}

// output returns the block marked text after the i-th block, if nothing but one line of
// prose is between the two.
func (d *document) output(list []block, i int) (block, bool) {
	if i+1 < len(list) && list[i+1].language == "text" && list[i+1].first-list[i].last <= 5 {
		return list[i+1], true
	}
	return block{}, false
}

// matches reports whether got is the text that want describes, in which a line "..." stands
// for any number of lines.
func matches(want, got []string) bool {
	for i, line := range want {
		if line == "..." {
			for skip := range len(got) - i + 1 {
				if matches(want[i+1:], got[i+skip:]) {
					return true
				}
			}
			return false
		}
		if i >= len(got) || got[i] != line {
			return false
		}
	}
	return len(want) == len(got)
}

func TestMatches(t *testing.T) {
	got := []string{"a", "b", "c", "d"}
	for _, row := range []struct {
		want string
		ok   bool
	}{
		{"a b c d", true}, {"a ... d", true}, {"...", true}, {"... c d", true}, {"a b ...", true}, {"a b c d ...", true},
		{"a b c", false}, {"a ... c", false}, {"a ... x d", false}, {"a b c d e", false}, {"", false},
	} {
		require.Equal(t, row.ok, matches(strings.Fields(row.want), got), row.want)
	}
}

func TestBlocks(t *testing.T) {
	d := &document{
		lines: strings.Split("# A\n\n<!-- run: go run . x <y -->\n```go\npackage main\n```\n\nIt prints:\n\n```text\nout\n```\n## B\n```sh\n# no heading\nls\n```", "\n"),
	}
	list, err := d.blocks()
	require.NoError(t, err)
	require.Len(t, list, 3)
	require.True(t, list[0].runs)
	require.Equal(t, "x <y", list[0].run)
	require.Equal(t, "A", list[0].section)
	out, ok := d.output(list, 0)
	require.True(t, ok)
	require.Equal(t, "out\n", d.text(out))
	require.Equal(t, "B", list[2].section)
	require.Equal(t, "# no heading\nls\n", d.text(list[2]))
	_, err = (&document{lines: []string{"```go"}}).blocks()
	require.Error(t, err)
}
