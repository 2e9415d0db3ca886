package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"dougu.internal/diag"
	"dougu.internal/keepalived"
)

// file is a configuration and the way in which the names of its files are printed.
type file struct {
	name   string // as the user gave it
	config *keepalived.Config
	dir    string            // what names in the configuration are relative to
	inside string            // the name of the main file there
	loader keepalived.Loader // how the file was read, without its file system
}

// load reads a file, or standard input if the name is "-".
func (l *linter) load(name string) (file, bool) { return l.loadAs(name, l.id) }

// loadAs reads a file with a config id.
func (l *linter) loadAs(name, id string) (file, bool) {
	loader := keepalived.Loader{Profile: l.o.Profile, ConfigID: id}
	if name == "-" {
		src, err := io.ReadAll(io.LimitReader(l.in, keepalived.DefaultMaxBytes))
		if err != nil {
			l.fail("%v", err)
			return file{}, false
		}
		return file{name: "<stdin>", config: loader.Parse("<stdin>", src), inside: "<stdin>", loader: loader}, true
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		l.fail("%v", err)
		return file{}, false
	}
	root := filepath.Dir(abs)
	if l.root != "" {
		if root, err = filepath.Abs(l.root); err != nil {
			l.fail("%v", err)
			return file{}, false
		}
	}
	rel, err := filepath.Rel(root, abs)
	if err != nil || strings.HasPrefix(rel, "..") {
		l.fail("%s is outside %s", name, l.root)
		return file{}, false
	}
	r, err := os.OpenRoot(root)
	if err != nil {
		l.fail("%v", err)
		return file{}, false
	}
	defer r.Close()
	f := file{name: name, dir: root, inside: filepath.ToSlash(rel)}
	loader.Show, loader.Dir = f.show, filepath.Dir(abs)
	loader.Root = filepath.ToSlash(root)
	if l.root != "" { // -root is the root directory of the host
		loader.Root, loader.Dir = "/", path.Join("/", path.Dir(f.inside))
	}
	f.loader = loader
	loader.FS = r.FS()
	if f.config, err = loader.Load(f.inside); err != nil {
		l.fail("%s: %v", name, reason(err))
		return file{}, false
	}
	return f, true
}

// reason returns the cause of an error without the names that the caller prints.
func reason(err error) error {
	for {
		switch e := err.(type) {
		case *fs.PathError:
			return e.Err
		case interface{ Unwrap() error }:
			if e.Unwrap() == nil {
				return err
			}
			err = e.Unwrap()
		default:
			return err
		}
	}
}

// show returns the name under which a file of the configuration is printed.
func (f file) show(inside string) string {
	if inside == f.inside {
		return f.name
	}
	if inside == "" || f.dir == "" {
		return inside
	}
	full := filepath.Join(f.dir, filepath.FromSlash(inside))
	if !filepath.IsAbs(f.name) {
		if wd, err := os.Getwd(); err == nil {
			if rel, err := filepath.Rel(wd, full); err == nil && !strings.HasPrefix(rel, "..") {
				return rel
			}
		}
	}
	return full
}

// lint returns the findings for a configuration.
func (l *linter) lint(c *keepalived.Config) diag.List {
	list, err := keepalived.Lint(context.Background(), c, l.o)
	if err != nil {
		l.fail("%v", err)
	}
	return list
}

func (l *linter) runLint(names []string) int {
	var all diag.List
	from := sources{}
	for _, name := range names {
		f, ok := l.load(name)
		if !ok {
			continue
		}
		all = append(all, l.lint(f.config)...)
		from.add(f.config)
	}
	return l.print(all, from)
}

// sources maps the names of files to configurations.
type sources map[string]*keepalived.Config

func (s sources) add(c *keepalived.Config) {
	for _, name := range c.Files() {
		s[name] = c
	}
}

// text returns the source of a file without its secrets.
func (s sources) text(name string) []byte {
	if c := s[name]; c != nil {
		return c.Masked(name)
	}
	return nil
}

// print prints findings in the format of -format.
func (l *linter) print(all diag.List, from sources) int {
	all.Sort()
	var err error
	switch l.format {
	case "json":
		err = diag.WriteJSON(l.out, all)
	case "sarif":
		err = diag.WriteSARIF(l.out, diag.Tool{Name: "keepalived-lint", Rules: keepalived.Rules()}, all)
	default:
		err = diag.WriteText(l.out, all, from.text)
	}
	if err != nil {
		return l.fail("%v", err)
	}
	if all.Count(diag.Error) > 0 {
		return 1
	}
	return 0
}

func (l *linter) runVerdict(names []string) int {
	code := 0
	for _, name := range names {
		f, ok := l.load(name)
		if !ok {
			continue
		}
		test, err := keepalived.Verdict(context.Background(), f.config, l.o)
		if err != nil {
			l.fail("%v", err)
			continue
		}
		word := "ok"
		switch test.Result {
		case keepalived.Refused:
			word, code = "notok", 1
		case keepalived.ResultUnknown:
			word, code = "unknown", 1
		}
		fmt.Fprintf(l.out, "%s %s\n", word, diag.Sanitize(name))
	}
	return code
}

func (l *linter) runMail(names []string) int {
	for _, name := range names {
		f, ok := l.load(name)
		if !ok {
			continue
		}
		for _, to := range keepalived.Recipients(f.config, l.o) {
			fmt.Fprintln(l.out, diag.Sanitize(to))
		}
	}
	return 0
}
