package house

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// importable reports whether a user of the module can import the directory's package.
func importable(s source) bool {
	return !s.test && s.file.Name.Name != "main" && s.dir != "." && !strings.HasPrefix(s.dir+"/", "internal/") && !strings.Contains(s.dir+"/", "/internal/")
}

// TestExportedSurface holds the rules of the exported types in a program that imports
// every package of the module: enumerations have a text form, answers survive JSON,
// errors start with the name of their package.
func TestExportedSurface(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program that imports every package; -short leaves it out")
	}
	_, list := sources(t)
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	dir := t.TempDir()
	main := filepath.Join(dir, "main.go")
	require.NoError(t, os.WriteFile(main, surfaceProgram(list), 0o600))
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, "internal", "house", "walk", "main.go"): main}})
	require.NoError(t, err)
	name := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(name, overlay, 0o600))
	cmd := exec.CommandContext(t.Context(), "go", "run", "-overlay", name, "./internal/house/walk", strconv.FormatUint(seed(t), 10))
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", stderr.String())
	report(t, strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' }))
}

// records lists the types that are valid until the next call of a reader only.
var records = []string{"stracelog.Event", "stracelog.Call", "stracelog.Ret"}

// surfaceProgram returns the program that passes every exported type to package
// surface.
func surfaceProgram(list []source) []byte {
	dirs := map[string][]source{}
	for _, s := range list {
		if importable(s) && builds(s.name) {
			dirs[s.dir] = append(dirs[s.dir], s)
		}
	}
	var names []string
	for dir := range dirs {
		names = append(names, dir)
	}
	slices.Sort(names)
	var imports, body bytes.Buffer
	for i, dir := range names {
		types, parsers, values := exports(dirs[dir])
		returned := results(dirs[dir])
		if len(types)+len(parsers) == 0 {
			continue
		}
		fmt.Fprintf(&imports, "\tp%d %q\n", i, module+"/"+dir)
		fmt.Fprintf(&body, "\t{Name: %q, Types: []surface.Type{\n", dirs[dir][0].file.Name.Name)
		for _, name := range types {
			instance := name
			if base, generic := strings.CutSuffix(name, "[]"); generic {
				name, instance = base, base+"[int]"
			}
			fmt.Fprintf(&body, "\t\t{%q, reflect.TypeFor[p%d.%s](), %t, %t, []any{", name, i, instance, returned[name],
				slices.Contains(records, dirs[dir][0].file.Name.Name+"."+name))
			for _, v := range values[name] {
				fmt.Fprintf(&body, "p%d.%s, ", i, v)
			}
			body.WriteString("}},\n")
		}
		body.WriteString("\t}, Errors: []surface.Sentinel{\n")
		for _, name := range sentinels(dirs[dir]) {
			fmt.Fprintf(&body, "\t\t{%q, p%d.%s},\n", name, i, name)
		}
		body.WriteString("\t}, Parsers: []surface.Func{\n")
		for _, name := range parsers {
			fmt.Fprintf(&body, "\t\t{%q, p%d.%s},\n", name, i, name)
		}
		body.WriteString("\t}},\n")
	}
	return []byte(`package main

import (
	"fmt"
	"os"
	"reflect"
	"strconv"

	"` + module + `/internal/house/surface"
` + imports.String() + `)

func main() {
	seed, err := strconv.ParseUint(os.Args[1], 10, 64)
	if err != nil {
		panic(err)
	}
	for _, line := range surface.Check(packages, seed) {
		fmt.Println(line)
	}
}

var packages = []surface.Package{
` + body.String() + "}\n")
}

// builds reports whether the name of a file has no other system in it than Linux.
func builds(name string) bool {
	for _, system := range []string{"_other.go", "_others.go", "_windows.go", "_darwin.go", "_freebsd.go", "_unix.go"} {
		if strings.HasSuffix(name, system) {
			return false
		}
	}
	return true
}

// exports returns the exported types of a package, the functions that read text, and
// the constants of each type. A generic type has "[]" after its name.
func exports(files []source) (types, parsers []string, values map[string][]string) {
	values = map[string][]string{}
	for _, s := range files {
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.IsExported() && d.Type.TypeParams == nil && readsText(d) {
					parsers = append(parsers, d.Name.Name)
				}
			case *ast.GenDecl:
				typed := ""
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						if !spec.Name.IsExported() {
							continue
						}
						switch {
						case spec.TypeParams == nil:
							types = append(types, spec.Name.Name)
						case spec.TypeParams.NumFields() == 1:
							types = append(types, spec.Name.Name+"[]")
						}
					case *ast.ValueSpec:
						if d.Tok != token.CONST {
							continue
						}
						if id, ok := spec.Type.(*ast.Ident); ok {
							typed = id.Name
						} else if spec.Values != nil {
							typed = ""
						}
						for _, n := range spec.Names {
							if n.IsExported() && typed != "" && ast.IsExported(typed) {
								values[typed] = append(values[typed], n.Name)
							}
						}
					}
				}
			}
		}
	}
	slices.Sort(types)
	slices.Sort(parsers)
	return slices.Compact(types), slices.Compact(parsers), values
}

// sentinels returns the exported variables whose names start with Err.
func sentinels(files []source) (names []string) {
	for _, s := range files {
		for _, d := range s.file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				for _, n := range spec.(*ast.ValueSpec).Names {
					if strings.HasPrefix(n.Name, "Err") {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	slices.Sort(names)
	return names
}

// results returns the names of the types that exported functions and methods return,
// alone or in a slice or iterator.
func results(files []source) map[string]bool {
	names := map[string]bool{}
	for _, s := range files {
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !f.Name.IsExported() || f.Type.Results == nil {
				continue
			}
			for _, field := range f.Type.Results.List {
				ast.Inspect(field.Type, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok && id.IsExported() {
						names[id.Name] = true
					}
					return true
				})
			}
		}
	}
	return names
}

// readsText reports whether the function's name indicates that it reads, its parameters
// are text alone, and its last result is an error.
func readsText(d *ast.FuncDecl) bool {
	verbs := []string{"Parse", "Load", "Compile", "New", "Unquote", "Valid", "Decode", "Format"}
	verb := slices.ContainsFunc(verbs, func(v string) bool { return strings.HasPrefix(d.Name.Name, v) })
	if !verb || d.Type.Results == nil || d.Type.Params.NumFields() == 0 {
		return false
	}
	for _, f := range d.Type.Params.List {
		if t := typeText(f.Type); t != "string" && t != "[]byte" && t != "io.Reader" {
			return false
		}
	}
	results := d.Type.Results.List
	return typeText(results[len(results)-1].Type) == "error"
}

func typeText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return typeText(e.X) + "." + e.Sel.Name
	case *ast.ArrayType:
		if e.Len == nil {
			return "[]" + typeText(e.Elt)
		}
	}
	return "?"
}

// TestNoAliasOfAnInternalType: a type that users see has its documentation where they
// look for it.
func TestNoAliasOfAnInternalType(t *testing.T) {
	fset, list := sources(t)
	var findings []string
	for _, s := range list {
		if !importable(s) {
			continue
		}
		internal := map[string]bool{}
		for _, spec := range s.file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if strings.Contains(name+"/", "/internal/") {
				internal[local(spec, name)] = true
			}
		}
		for _, d := range s.file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			for _, spec := range g.Specs {
				spec := spec.(*ast.TypeSpec)
				sel, ok := spec.Type.(*ast.SelectorExpr)
				if !ok || !spec.Assign.IsValid() || !spec.Name.IsExported() {
					continue
				}
				if x, ok := sel.X.(*ast.Ident); ok && internal[x.Name] {
					findings = append(findings, fmt.Sprintf("%s: %s is an alias of the internal type %s.%s",
						s.place(fset, spec.Pos()), spec.Name.Name, x.Name, sel.Sel.Name))
				}
			}
		}
	}
	report(t, findings)
}
