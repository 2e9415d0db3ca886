package house

import (
	"fmt"
	"go/ast"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// toCome lists the packages whose comments still have to be rewritten. The tests of
// this file leave them out, with everything below them.
var toCome = []string{"ipxe", "keepalived", "multicast", "sshproxy", "stracelog"}

// pattern is a way of writing that readers have to translate.
type pattern struct {
	re   *regexp.Regexp
	want string
}

var patterns = []pattern{
	{regexp.MustCompile(`\b(is|are) (what|how|where|who|whose)\b`), `name the thing instead of "is what ..."`},
	{regexp.MustCompile(`\b(says?|said|tells?|told|knows?|hears?|heard)\b`), "a value contains, a function returns or reports"},
	{regexp.MustCompile(`\b(nil|empty|0): `), `a default is a sentence: "If nil, ..."`},
	{regexp.MustCompile(`\b(is|are) no [a-z]`), `"is not a"`},
	{regexp.MustCompile(`\bstands?\b`), `"is"`},
	{regexp.MustCompile(`\bbehind\b`), `"after"`},
	{regexp.MustCompile(`\b(begins?|began|begun)\b`), `"start"`},
	{regexp.MustCompile(`\bat once\b`), `"at the same time" or "immediately"`},
	{regexp.MustCompile(`\b(by (itself|themselves)|of (its|their) own)\b`), `"automatically" or "separately"`},
	{regexp.MustCompile(`\b(gravest|least|greatest)\b`), `"most severe", "minimum", "maximum"`},
	{regexp.MustCompile(`\b(judge[sd]?|verdicts?)\b`), `"checks", "result"`},
	{regexp.MustCompile(`\b(go|goes|went) on\b`), `"continue"`},
}

// right lists uses of a pattern that are right: phrases of the field.
var right = []string{
	"at least", "least significant",
	"smart/judge", "Package judge", "judge.Judge", "judge.Policy", // the name of a package
}

// match returns what the first matching pattern wants, or "".
func match(text string) (found, want string) {
	text = strings.Join(strings.Fields(text), " ")
	for _, phrase := range right {
		text = strings.ReplaceAll(text, phrase, "")
	}
	for _, p := range patterns {
		if at := p.re.FindStringIndex(text); at != nil {
			return text[max(0, at[0]-40):min(len(text), at[1]+30)], p.want
		}
	}
	return "", ""
}

func isToCome(dir string) bool {
	for _, p := range toCome {
		if covers(p+"/...", dir) {
			return true
		}
	}
	return false
}

// TestExportedCommentsArePlain holds the comments that go doc prints to the patterns.
func TestExportedCommentsArePlain(t *testing.T) {
	fset, list := sources(t)
	var findings []string
	for _, s := range list {
		if s.test || isToCome(s.dir) {
			continue
		}
		for _, c := range publicComments(s.file) {
			if found, want := match(c.Text()); want != "" {
				findings = append(findings, fmt.Sprintf("%s: write %s for %q", s.place(fset, c.Pos()), want, found))
			}
		}
	}
	report(t, findings)
}

// publicComments returns the package comment and the comments on exported symbols,
// their fields and their methods.
func publicComments(f *ast.File) (list []*ast.CommentGroup) {
	add := func(groups ...*ast.CommentGroup) {
		for _, g := range groups {
			if g != nil {
				list = append(list, g)
			}
		}
	}
	add(f.Doc)
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d))) {
				add(d.Doc)
			}
		case *ast.GenDecl:
			exported := false
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if !spec.Name.IsExported() {
						continue
					}
					exported = true
					add(spec.Doc, spec.Comment)
					ast.Inspect(spec.Type, func(n ast.Node) bool {
						if field, ok := n.(*ast.Field); ok {
							add(field.Doc, field.Comment)
						}
						return true
					})
				case *ast.ValueSpec:
					for _, n := range spec.Names {
						if n.IsExported() {
							exported = true
							add(spec.Doc, spec.Comment)
							break
						}
					}
				}
			}
			if exported {
				add(d.Doc)
			}
		}
	}
	return list
}

func TestPatternsMatch(t *testing.T) {
	for _, row := range []struct {
		text string
		want bool
	}{
		{"ErrNotMine is what an opener returns for a string of another kind.", true},
		{"Compare tells what changed.", true},
		{"TTL is the number of routers; 0: 1, the local network.", true},
		{"the word is no facility", true},
		{"All functions may be called at once", true},
		{"the gravest finding", true},
		{"Compare returns the differences between two snapshots of the same drive.", false},
		{"The buffer must have at least 512 bytes.", false},
		{"If nil, UDP is used.", false},
	} {
		_, want := match(row.text)
		require.Equal(t, row.want, want != "", row.text)
	}
}

// The largest widths of lines, in columns. A tab has four.
const (
	maxComment = 100
	maxCode    = 125
	maxText    = 150 // code with a string literal
	maxRow     = 180 // tests, which have tables
)

// TestLinesAreShort holds the width of code and of comments.
func TestLinesAreShort(t *testing.T) {
	fset, list := sources(t)
	var findings []string
	for _, s := range list {
		if isToCome(s.dir) {
			continue
		}
		comments := map[int]bool{}
		for _, g := range s.file.Comments {
			for _, c := range g.List {
				if at := fset.Position(c.Pos()); strings.HasPrefix(c.Text, "//") && at.Column <= 1+strings.Count(s.line(at.Line), "\t") {
					comments[at.Line] = true
				}
			}
		}
		for n := range s.lines {
			text := strings.ReplaceAll(s.line(n+1), "\t", "    ")
			limit := maxCode
			switch {
			case comments[n+1]:
				limit = maxComment
			case s.test:
				limit = maxRow
			case strings.ContainsAny(text, "`\""):
				limit = maxText
			}
			if width := utf8.RuneCountInString(text); width > limit && !unbroken(text) {
				findings = append(findings, fmt.Sprintf("%s:%d: the line has %d columns, want at most %d", s.name, n+1, width, limit))
			}
		}
	}
	report(t, findings)
}

// unbroken reports whether most of the line is one word or one string literal, which
// cannot be wrapped.
func unbroken(text string) bool {
	longest := 0
	for _, w := range append(strings.Fields(text), literal.FindAllString(text, -1)...) {
		longest = max(longest, len(w))
	}
	return longest > len(text)/2
}

var literal = regexp.MustCompile("\"(\\\\.|[^\"\\\\])*\"|`[^`]*`")
