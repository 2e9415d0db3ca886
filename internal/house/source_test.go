package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "dougu.internal"

// source is one Go file of the module.
type source struct {
	name string // relative to the module, with slashes
	dir  string // "." for the root
	test bool
	file *ast.File
	// lines are those of the text, without line feeds.
	lines []string
}

// line returns the text of a line, counted from 1.
func (s source) line(n int) string { return s.lines[n-1] }

// place returns file:line of a position.
func (s source) place(fset *token.FileSet, p token.Pos) string {
	at := fset.Position(p)
	at.Filename, at.Column = s.name, 0
	return at.String()
}

// sources parses every Go file of the module for every system: build constraints
// do not count. Folders named testdata, folders that begin with a dot or an
// underscore, and modules within the module are left out.
func sources(t *testing.T) (*token.FileSet, []source) {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	fset := token.NewFileSet()
	var list []source
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return enter(root, name, d)
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		list = append(list, source{name: rel, dir: path.Dir(rel), test: strings.HasSuffix(rel, "_test.go"), file: f, lines: strings.Split(string(text), "\n")})
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, len(list), 10, "the walk has found the module")
	return fset, list
}

func enter(root, name string, d fs.DirEntry) error {
	if name == root {
		return nil
	}
	if b := d.Name(); b == "testdata" || b == "vendor" || b[0] == '.' || b[0] == '_' {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}

// report fails the test with the findings, sorted, one a line.
func report(t *testing.T, findings []string) {
	t.Helper()
	slices.Sort(findings)
	for _, f := range findings {
		t.Error(f)
	}
}

// seed is the seed of a random test: DOUGU_SEED, or a new one. It is logged.
func seed(t *testing.T) uint64 {
	t.Helper()
	s := rand.Uint64()
	if text := os.Getenv("DOUGU_SEED"); text != "" {
		var err error
		s, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("DOUGU_SEED=%d", s)
	return s
}
