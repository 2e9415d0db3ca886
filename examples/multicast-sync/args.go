package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// parseAnywhere parses flags before, between and after other arguments, which it returns. The
// argument "--" ends the flags.
func parseAnywhere(f *flag.FlagSet, args []string) (rest []string, err error) {
	for len(args) > 0 {
		a := args[0]
		if a == "--" {
			return append(rest, args[1:]...), nil
		}
		if len(a) < 2 || a[0] != '-' {
			rest, args = append(rest, a), args[1:]
			continue
		}
		n := 1
		name := strings.TrimPrefix(a[1:], "-")
		if g := f.Lookup(name); g != nil && len(args) > 1 {
			if b, ok := g.Value.(interface{ IsBoolFlag() bool }); !ok || !b.IsBoolFlag() {
				n = 2
			}
		}
		if err := f.Parse(args[:n]); err != nil {
			return nil, err
		}
		args = args[n:]
	}
	return rest, nil
}

// ruleFlags adds the flags that contain rules. Their order is significant.
func (s *sender) ruleFlags(f *flag.FlagSet) {
	f.Func("exclude", "", func(p string) error { return s.rule(p, "- ") })
	f.Func("include", "", func(p string) error { return s.rule(p, "+ ") })
	f.Func("exclude-from", "", func(name string) error { return s.ruleFile(name, "- ") })
	f.Func("include-from", "", func(name string) error { return s.ruleFile(name, "+ ") })
	f.Func("filter", "", s.filter)
}

// rule adds the rule of -exclude or -include as rsync reads it: "- P" and "+ P" are rules, and
// "!" drops the rules before it.
func (s *sender) rule(p, prefix string) error {
	if p != "!" && !strings.HasPrefix(p, "- ") && !strings.HasPrefix(p, "+ ") {
		p = prefix + p
	}
	s.rules = append(s.rules, p)
	return nil
}

// ruleFile adds the rules of a file: one in a line, without empty lines and those that start
// with ";" or "#".
func (s *sender) ruleFile(name, prefix string) error {
	lines, err := ruleLines(name)
	for _, l := range lines {
		if err := s.rule(l, prefix); err != nil {
			return err
		}
	}
	return err
}

func ruleLines(name string) (lines []string, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	for _, l := range bytes.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if l[0] != ';' && l[0] != '#' {
			lines = append(lines, string(l))
		}
	}
	return lines, nil
}

// filter adds a rule of rsync's --filter.
func (s *sender) filter(text string) error {
	if text == "!" || text == "clear" {
		return s.rule("!", "")
	}
	word, arg, ok := strings.Cut(text, " ")
	if !ok || arg == "" {
		return fmt.Errorf("invalid filter rule %q: want \"- PATTERN\", \"+ PATTERN\", \". FILE\" or \"!\"", text)
	}
	switch word {
	case "-", "exclude":
		s.rules = append(s.rules, "- "+arg)
	case "+", "include":
		s.rules = append(s.rules, "+ "+arg)
	case ".", "merge":
		lines, err := ruleLines(arg)
		if err != nil {
			return err
		}
		for _, l := range lines {
			if w, _, _ := strings.Cut(l, " "); w == "." || w == "merge" {
				return fmt.Errorf("%s: nested merge files are not supported", arg)
			}
			if err := s.filter(l); err != nil {
				return fmt.Errorf("%s: %w", arg, err)
			}
		}
	default:
		return fmt.Errorf("unsupported filter rule %q: only exclude, include, merge and clear, without modifiers", text)
	}
	return nil
}

// absolute replaces absolute paths by paths relative to -C. Without -C, their common parent
// directory is used.
func (s *sender) absolute() error {
	for i, p := range s.o.Paths {
		if !filepath.IsAbs(p) {
			continue
		}
		p = filepath.Clean(p)
		if !s.dirSet {
			if filepath.Dir(p) == p {
				return fmt.Errorf("invalid path %q: want a path below a directory", p)
			}
			for _, o := range s.o.Paths {
				if !filepath.IsAbs(o) || filepath.Dir(filepath.Clean(o)) != filepath.Dir(p) {
					return fmt.Errorf("invalid path %q: absolute paths of several directories require -C", p)
				}
			}
			s.dir, s.dirSet = filepath.Dir(p), true
		}
		dir, err := filepath.Abs(s.dir)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
			return fmt.Errorf("invalid path %q: not below %q", p, dir)
		}
		s.o.Paths[i] = rel
	}
	return nil
}
