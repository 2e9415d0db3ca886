package readme

import (
	"context"
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the output in the README files")

// command runs a program and returns its standard output and standard error together.
func command(t *testing.T, limit time.Duration, env []string, dir, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Env, c.WaitDelay = dir, env, 5*time.Second
	out, err := c.CombinedOutput()
	if ctx.Err() != nil {
		err = fmt.Errorf("%w after %v", ctx.Err(), limit)
	}
	return string(out), err
}

// write replaces the lines [from, to) of a document and saves it.
func (d *document) write(t *testing.T, from, to int, lines ...string) {
	t.Helper()
	d.lines = slices.Replace(d.lines, from, to, lines...)
	require.NoError(t, os.WriteFile(filepath.Join(d.dir, "README.md"), []byte(strings.Join(d.lines, "\n")+"\n"), 0o644))
}

func split(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }

// TestPrograms compiles all Go programs of the README files in a module that requires this one,
// runs those that are marked, and compares their output.
func TestPrograms(t *testing.T) {
	scratch, top := t.TempDir(), root(t)
	env := append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod -buildvcs=false", "GOPROXY=off", "GOTOOLCHAIN=local")
	// The scratch module has the requirements of this one, so that nothing is downloaded.
	text, err := os.ReadFile(filepath.Join(top, "go.mod"))
	require.NoError(t, err)
	text = regexp.MustCompile(`(?m)^module .*$`).ReplaceAll(text, []byte("module scratch"))
	text = fmt.Appendf(text, "\nrequire dougu.internal v0.0.0\nreplace dougu.internal => %s\n", top)
	require.NoError(t, os.WriteFile(filepath.Join(scratch, "go.mod"), text, 0o644))
	sums, err := os.ReadFile(filepath.Join(top, "go.sum"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(scratch, "go.sum"), sums, 0o644))

	docs := documents(t)
	count := 0
	program := func(d *document, i int) string {
		return strings.NewReplacer("/", "-", "README.md", fmt.Sprint(i), ".", "root").Replace(filepath.ToSlash(filepath.Clean(d.name)))
	}
	for _, d := range docs {
		list, err := d.blocks()
		require.NoError(t, err, d.name)
		for i, b := range list {
			if b.language != "go" {
				continue
			}
			count++
			source := d.text(b)
			require.True(t, strings.HasPrefix(source, "package main\n"), "%s:%d: not a complete program", d.name, b.first+1)
			formatted, err := format.Source([]byte(source))
			require.NoError(t, err, "%s:%d", d.name, b.first+1)
			require.Equal(t, string(formatted), source, "%s:%d: gofmt", d.name, b.first+1)
			dir := filepath.Join(scratch, program(d, i))
			require.NoError(t, os.MkdirAll(dir, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o644))
		}
	}
	require.GreaterOrEqual(t, count, 10, "programs found")
	bin := filepath.Join(scratch, "bin") + string(filepath.Separator)
	out, err := command(t, 5*time.Minute, env, scratch, "go", "build", "-o", bin, "./...")
	require.NoError(t, err, out)
	out, err = command(t, 5*time.Minute, env, scratch, "go", "vet", "./...")
	require.NoError(t, err, out)

	for _, d := range docs {
		list, err := d.blocks()
		require.NoError(t, err, d.name)
		for i := len(list) - 1; i >= 0; i-- { // from the end: an update moves the lines below
			if b := list[i]; b.language == "go" && b.runs {
				t.Run(program(d, i), func(t *testing.T) { runProgram(t, d, list, i, bin+program(d, i)) })
			}
		}
	}
}

func runProgram(t *testing.T, d *document, list []block, i int, name string) {
	if runtime.GOOS == "windows" {
		t.Skip("the commands are written for sh")
	}
	out, err := command(t, time.Minute, os.Environ(), d.dir, "sh", "-c", "'"+name+"' "+list[i].run)
	require.NoError(t, err, out)
	want, ok := d.output(list, i)
	switch {
	case *update && ok:
		d.write(t, want.first, want.last, split(out)...)
	case *update:
		d.write(t, list[i].last+1, list[i].last+1, slices.Concat([]string{"", "It prints:", "", "```text"}, split(out), []string{"```"})...)
	default:
		require.True(t, ok, "%s:%d: no block marked text follows", d.name, list[i].last+1)
		require.True(t, matches(split(d.text(want)), split(out)), "%s:%d: the document shows\n%s\nthe program prints\n%s", d.name, want.first+1, d.text(want), out)
	}
}

// programs builds the commands of the examples folder.
func programs(t *testing.T) (bin string, names []string) {
	t.Helper()
	bin = t.TempDir()
	out, err := command(t, 5*time.Minute, os.Environ(), root(t), "go", "build", "-o", bin+string(filepath.Separator), "./examples/...")
	require.NoError(t, err, out)
	entries, err := os.ReadDir(bin)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".exe"))
	}
	require.Contains(t, names, "tour")
	return bin, names
}

// TestCommands runs the commands in blocks marked console and compares their output, and
// checks the programs and flags in the other places.
func TestCommands(t *testing.T) {
	bin, names := programs(t)
	usages := map[string]string{}
	for _, name := range names {
		// The exit status of -h is not the matter of this test.
		out, _ := command(t, time.Minute, os.Environ(), t.TempDir(), filepath.Join(bin, name), "-h")
		require.Contains(t, out, "usage: "+name)
		usages[name] = out
	}
	consoles := 0
	for _, d := range documents(t) {
		list, err := d.blocks()
		require.NoError(t, err, d.name)
		for i := len(list) - 1; i >= 0; i-- {
			switch b := list[i]; b.language {
			case "console":
				consoles++
				t.Run(fmt.Sprintf("%s:%d", d.name, b.first), func(t *testing.T) { runConsole(t, d, b, bin) })
			case "sh":
				checkShell(t, d, b, usages)
			case "go", "text":
			default:
				t.Errorf("%s:%d: a block is marked %q, want go, text, console or sh", d.name, b.first, b.language)
			}
		}
		checkFlags(t, d, usages)
	}
	require.GreaterOrEqual(t, consoles, 5)
}

func runConsole(t *testing.T, d *document, b block, bin string) {
	if runtime.GOOS == "windows" {
		t.Skip("the commands are written for sh")
	}
	var got []string
	for _, line := range d.lines[b.first:b.last] {
		if c, ok := strings.CutPrefix(line, "$ "); ok {
			c = strings.ReplaceAll(c, "go run ./examples/", bin+"/")
			// Findings have an exit status of their own.
			out, err := command(t, time.Minute, os.Environ(), root(t), "sh", "-c", c)
			if exit := (*exec.ExitError)(nil); err != nil {
				require.ErrorAs(t, err, &exit, out)
				require.NotEqual(t, 2, exit.ExitCode(), "%s\n%s", c, out)
			}
			got = append(got, line)
			for _, l := range split(out) {
				// The tour adds this remark where the loopback interface has no multicast.
				if !strings.HasPrefix(l, "(this machine passes no multicast") {
					got = append(got, l)
				}
			}
		}
	}
	want := d.lines[b.first:b.last]
	if *update && !slices.Contains(want, "...") {
		d.write(t, b.first, b.last, got...)
		return
	}
	require.True(t, matches(want, got), "%s:%d: the document shows\n%s\nthe commands print\n%s", d.name, b.first+1, strings.Join(want, "\n"), strings.Join(got, "\n"))
}

// word matches a flag of a command: "-format", but not "-" and not the text after "=".
var word = regexp.MustCompile(`(?:^|\s)(-[a-zA-Z][a-z0-9-]*)`)

func checkShell(t *testing.T, d *document, b block, usages map[string]string) {
	for i, line := range d.lines[b.first:b.last] {
		place := fmt.Sprintf("%s:%d", d.name, b.first+i+1)
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		name := strings.TrimPrefix(line, "go run ./examples/")
		name, _, _ = strings.Cut(name, " ")
		usage, ok := usages[name]
		switch {
		case ok:
			for _, m := range word.FindAllStringSubmatch(withoutQuotes(line), -1) {
				if !hasFlag(usage, m[1]) {
					t.Errorf("%s: %s -h does not mention %s", place, name, m[1])
				}
			}
		case strings.HasPrefix(fields[0], ".ci/"):
			if _, err := os.Stat(filepath.Join(root(t), fields[0])); err != nil {
				t.Errorf("%s: %v", place, err)
			}
		case fields[0] == "go" && slices.Contains([]string{"test", "mod", "get", "-C"}, fields[1]), fields[0] == "export":
		default:
			t.Errorf("%s: unknown command %q", place, fields[0])
		}
	}
}

// withoutQuotes removes quoted arguments, which belong to other programs.
func withoutQuotes(line string) string {
	return regexp.MustCompile(`'[^']*'|"[^"]*"`).ReplaceAllString(line, "")
}

func hasFlag(usage, name string) bool {
	return regexp.MustCompile(`(?m)(^|[\s\[(|,])` + regexp.QuoteMeta(name) + `($|[\s\],.;:|=)])`).MatchString(usage)
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

// prose returns the lines of a document outside of blocks; the others are empty.
func (d *document) prose(t *testing.T) []string {
	t.Helper()
	list, err := d.blocks()
	require.NoError(t, err, d.name)
	lines := slices.Clone(d.lines)
	for _, b := range list {
		for i := b.first; i < b.last; i++ {
			lines[i] = ""
		}
	}
	return lines
}

// checkFlags finds flags in code spans that no program has.
func checkFlags(t *testing.T, d *document, usages map[string]string) {
	for i, line := range d.prose(t) {
		for _, m := range codeSpan.FindAllStringSubmatch(line, -1) {
			name := word.FindString(m[1])
			if name == "" || strings.HasPrefix(m[1], "go ") || !strings.HasPrefix(m[1], "-") && usages[strings.Fields(m[1])[0]] == "" {
				continue
			}
			known := name == "-h"
			for _, u := range usages {
				known = known || hasFlag(u, strings.TrimSpace(name))
			}
			if !known {
				t.Errorf("%s:%d: no program has the flag %s", d.name, i+1, name)
			}
		}
	}
}

// TestIdentifiers finds code spans in README files of packages that name an identifier which the
// package and the packages below it do not export.
func TestIdentifiers(t *testing.T) {
	identifier := regexp.MustCompile(`^[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*(\.[A-Z][A-Za-z0-9]*)*$`)
	found := 0
	for _, d := range documents(t) {
		if d.name == "README.md" {
			continue
		}
		names := exported(t, d.dir)
		for i, line := range d.prose(t) {
			for _, m := range codeSpan.FindAllStringSubmatch(line, -1) {
				if !identifier.MatchString(m[1]) {
					continue
				}
				found++
				for part := range strings.SplitSeq(m[1], ".") {
					if !names[part] {
						t.Errorf("%s:%d: %s: the package does not export %s", d.name, i+1, m[1], part)
					}
				}
			}
		}
	}
	require.GreaterOrEqual(t, found, 10)
}

// exported returns the exported names of all packages in a folder, fields and methods included.
func exported(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	fset := token.NewFileSet()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				names[n.Name.Name] = n.Name.IsExported()
				return false
			case *ast.TypeSpec:
				names[n.Name.Name] = n.Name.IsExported()
			case *ast.ValueSpec:
				for _, id := range n.Names {
					names[id.Name] = id.IsExported()
				}
			case *ast.Field:
				for _, id := range n.Names {
					names[id.Name] = id.IsExported()
				}
			}
			return true
		})
		return nil
	})
	require.NoError(t, err)
	return names
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinks checks that each relative link leads to a file.
func TestLinks(t *testing.T) {
	top := root(t)
	docs := documents(t)
	for _, name := range []string{"CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "internal/bench/README.md", "internal/bench/LONGRUN.md"} {
		text, err := os.ReadFile(filepath.Join(top, name))
		require.NoError(t, err)
		docs = append(docs, &document{name: name, dir: filepath.Join(top, filepath.Dir(name)), lines: split(string(text))})
	}
	found := 0
	for _, d := range docs {
		for i, line := range d.prose(t) {
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				target, _, _ := strings.Cut(m[1], "#")
				if target == "" || strings.Contains(target, "://") {
					continue
				}
				found++
				if _, err := os.Stat(filepath.Join(d.dir, target)); err != nil {
					t.Errorf("%s:%d: the link %s leads nowhere: %v", d.name, i+1, m[1], err)
				}
			}
		}
	}
	require.GreaterOrEqual(t, found, 10)
}

// TestLength keeps the README file of the module to one page for a first reading.
func TestLength(t *testing.T) {
	for _, d := range documents(t) {
		if d.name == "README.md" {
			require.Less(t, len(d.lines), 150)
		}
		for i, line := range d.prose(t) {
			if !strings.HasPrefix(line, "|") {
				require.LessOrEqual(t, len([]rune(line)), 160, "%s:%d", d.name, i+1)
			}
		}
	}
}
