package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

func TestEveryPackageHasOneComment(t *testing.T) {
	fset, list := sources(t)
	var findings []string
	with, first := map[string][]source{}, map[string]source{}
	for _, s := range list {
		if s.test {
			continue
		}
		if _, ok := first[s.dir]; !ok {
			first[s.dir] = s
		}
		if s.file.Doc != nil && strings.TrimSpace(s.file.Doc.Text()) != "" {
			with[s.dir] = append(with[s.dir], s)
		}
	}
	for dir, s := range first {
		name := s.file.Name.Name
		switch docs := with[dir]; {
		case len(docs) == 0:
			findings = append(findings, fmt.Sprintf("%s: package %s has no package comment", s.place(fset, s.file.Package), name))
		case len(docs) > 1:
			findings = append(findings, fmt.Sprintf("%s: package %s has a second package comment", docs[1].place(fset, docs[1].file.Package), name))
		case name != "main" && !strings.HasPrefix(docs[0].file.Doc.Text(), "Package "+name+" "):
			findings = append(findings, fmt.Sprintf("%s: the package comment begins with %q", docs[0].place(fset, docs[0].file.Doc.Pos()), "Package "+name))
		}
	}
	report(t, findings)
}

func TestEveryExportedSymbolIsDocumented(t *testing.T) {
	fset, list := sources(t)
	var findings []string
	for _, s := range list {
		if s.test || s.file.Name.Name == "main" {
			continue
		}
		for _, u := range undocumented(s.file) {
			findings = append(findings, fmt.Sprintf("%s: %s", s.place(fset, u.at), u.what))
		}
	}
	report(t, findings)
}

type gap struct {
	at   token.Pos
	what string
}

// undocumented lists the exported symbols of a file whose comment is missing or
// does not begin with the symbol's name. For constants, variables and the methods
// of an interface any comment will do, and one comment serves a group.
func undocumented(f *ast.File) (gaps []gap) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d))) {
				gaps = append(gaps, comment(d.Doc, d.Name, true)...)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					gaps = append(gaps, typeGaps(d, spec)...)
				case *ast.ValueSpec:
					for _, n := range spec.Names {
						if n.IsExported() && spec.Doc == nil && spec.Comment == nil && d.Doc == nil {
							gaps = append(gaps, comment(nil, n, false)...)
						}
					}
				}
			}
		}
	}
	return gaps
}

func typeGaps(d *ast.GenDecl, spec *ast.TypeSpec) (gaps []gap) {
	if !spec.Name.IsExported() {
		return nil
	}
	doc := spec.Doc
	if doc == nil && !d.Lparen.IsValid() {
		doc = d.Doc
	}
	gaps = comment(doc, spec.Name, true)
	if it, ok := spec.Type.(*ast.InterfaceType); ok {
		for _, m := range it.Methods.List {
			if len(m.Names) == 1 && m.Names[0].IsExported() && m.Comment == nil {
				gaps = append(gaps, comment(m.Doc, m.Names[0], false)...)
			}
		}
	}
	return gaps
}

func receiver(d *ast.FuncDecl) string {
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

func comment(doc *ast.CommentGroup, name *ast.Ident, named bool) []gap {
	if doc == nil || strings.TrimSpace(doc.Text()) == "" {
		return []gap{{name.Pos(), "exported " + name.Name + " has no comment"}}
	}
	words := strings.Fields(doc.Text())
	if len(words) > 1 && slices.Contains([]string{"A", "An", "The"}, words[0]) {
		words = words[1:]
	}
	if named && words[0] != "Deprecated:" && strings.TrimRight(words[0], ",.:;") != name.Name {
		return []gap{{name.Pos(), fmt.Sprintf("the comment on %s begins with its name, not with %q", name.Name, words[0])}}
	}
	return nil
}
