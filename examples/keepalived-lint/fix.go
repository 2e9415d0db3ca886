package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"dougu.internal/diag"
	"dougu.internal/keepalived"
)

// maxRounds limits how often a file is linted and fixed again.
const maxRounds = 20

// runFix applies the safe fixes of each file, or prints them.
func (l *linter) runFix(names []string) int {
	code := 0
	for _, name := range names {
		if name == "-" {
			return l.fail("-fix cannot change standard input")
		}
		f, ok := l.load(name)
		if !ok {
			continue
		}
		before, err := os.ReadFile(name)
		if err != nil {
			l.fail("%v", err)
			continue
		}
		after, done, left := l.fixed(f, before)
		for _, d := range done {
			fmt.Fprintln(l.out, diag.Sanitize(d))
		}
		if left.Count(diag.Error) > 0 {
			code = 1
			fmt.Fprintf(l.out, "%s: %d findings of severity error are left\n", diag.Sanitize(name), left.Count(diag.Error))
		}
		if bytes.Equal(before, after) {
			continue
		}
		if l.diff {
			showDiff(l.out, name, f.config.Masked(name), l.masked(f, after))
			continue
		}
		if err := replace(name, after); err != nil {
			l.fail("%v", err)
		}
	}
	return code
}

// masked returns a text of the file without its secrets. It also hides what was a secret
// before the file was changed.
func (l *linter) masked(f file, text []byte) []byte {
	c := keepalived.Loader{Profile: l.o.Profile}.Parse(f.name, text)
	out := c.Masked(f.name)
	if f.config == nil {
		return out
	}
	src, mask := f.config.Source(f.name), f.config.Masked(f.name)
	for i := 0; i < len(mask); i++ {
		k := i
		for k < len(mask) && mask[k] != src[k] {
			k++
		}
		if k-i > 1 {
			out = bytes.ReplaceAll(out, src[i:k], mask[i:k])
		}
		i = k
	}
	return out
}

// fixed applies fixes one after the other. It skips a fix that leads to more errors. It
// changes the named file only, not the files that it includes.
func (l *linter) fixed(f file, src []byte) (out []byte, done []string, left diag.List) {
	out = src
	tried := map[string]bool{}
	list := l.lint(l.again(f, out))
	for range maxRounds * 20 {
		progress := false
		for _, d := range list {
			if len(d.Fixes) == 0 || !only(d.Fixes[0], f.name) || d.Severity == diag.Info {
				continue
			}
			key := d.Rule + d.Message + d.Range.String()
			if tried[key] {
				continue
			}
			tried[key] = true
			text, err := diag.Apply(out, f.name, d.Fixes[0].Edits)
			if err != nil {
				continue
			}
			next := l.lint(l.again(f, text))
			if next.Count(diag.Error) > list.Count(diag.Error) || len(next) > len(list)+5 {
				continue
			}
			done = append(done, fmt.Sprintf("%s: %s [%s]", d.Range, d.Fixes[0].Message, d.Rule))
			out, list = text, next
			progress = true
			break
		}
		if !progress {
			break
		}
	}
	return out, done, list
}

// again parses a changed text as the content of the file, in the way in which the file was
// read.
func (l *linter) again(f file, text []byte) *keepalived.Config {
	loader := f.loader
	if root, err := os.OpenRoot(f.dir); err == nil {
		defer root.Close()
		loader.FS = root.FS()
	}
	return loader.Parse(f.inside, text)
}

func only(fix diag.Fix, name string) bool {
	return !slices.ContainsFunc(fix.Edits, func(e diag.Edit) bool { return e.Range.File != name })
}

// runFormat formats each file in place.
func (l *linter) runFormat(names []string) int {
	for _, name := range names {
		if name == "-" {
			return l.fail("-fmt cannot change standard input")
		}
		src, err := os.ReadFile(name)
		if err != nil {
			l.fail("%v", err)
			continue
		}
		out, err := keepalived.Format(src)
		if err != nil {
			l.fail("%s: %v", name, err)
			continue
		}
		if bytes.Equal(src, out) {
			continue
		}
		if l.diff {
			showDiff(l.out, name, l.masked(file{name: name}, src), l.masked(file{name: name}, out))
			continue
		}
		if err := replace(name, out); err != nil {
			l.fail("%v", err)
			continue
		}
		fmt.Fprintf(l.out, "%s: formatted\n", diag.Sanitize(name))
	}
	return 0
}

// replace replaces the content of a file. It writes a temporary file in the same directory
// and renames it, so that the old content remains if there is an error.
func replace(name string, text []byte) (err error) {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	info, err := os.Stat(real)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(real), ".keepalived-lint-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err = f.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	if _, err = f.Write(text); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), real)
}
