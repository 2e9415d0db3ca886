package sshproxy

import (
	"slices"
	"strings"
)

// A glob pattern as the client's own glob(3) reads it: * ? and [sets] match within one
// path segment, a backslash takes the next byte as it is, a dot at the start of a name
// is matched by a dot alone.

type globKind uint8

const (
	globByte globKind = iota
	globAny
	globOne
	globSet
)

type globItem struct {
	kind   globKind
	c      byte
	negate bool
	ranges [][2]byte
}

// glob returns the sorted names that match. A pattern without wildcards names itself,
// if it exists.
func glob(fsys FileSystem, pattern string, limit int) []string {
	items := parseGlob(pattern)
	var found []string
	g := globber{fsys: fsys, limit: limit, found: &found}
	g.walk("", items)
	slices.Sort(found)
	return found
}

func parseGlob(p string) []globItem {
	items := make([]globItem, 0, len(p))
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case c == '\\' && i+1 < len(p):
			i++
			items = append(items, globItem{c: p[i]})
		case c == '*':
			if n := len(items); n == 0 || items[n-1].kind != globAny {
				items = append(items, globItem{kind: globAny})
			}
		case c == '?':
			items = append(items, globItem{kind: globOne})
		case c == '[':
			set, end, ok := parseGlobSet(p, i+1)
			if !ok {
				items = append(items, globItem{c: c})
				continue
			}
			items = append(items, set)
			i = end
		default:
			items = append(items, globItem{c: c})
		}
	}
	return items
}

// parseGlobSet reads a set from the byte after its bracket. end is the index of the
// closing one.
func parseGlobSet(p string, i int) (set globItem, end int, ok bool) {
	set.kind = globSet
	if i < len(p) && p[i] == '!' {
		set.negate = true
		i++
	}
	if i >= len(p) || strings.IndexByte(p[i+1:], ']') < 0 {
		return set, 0, false
	}
	for first := true; i < len(p) && (first || p[i] != ']'); first = false {
		c := p[i]
		if c == '[' && i+1 < len(p) && p[i+1] == ':' {
			if name, rest, closed := strings.Cut(p[i+2:], ":]"); closed {
				if ranges, known := globClasses[name]; known {
					set.ranges = append(set.ranges, ranges...)
					i = len(p) - len(rest)
					continue
				}
			}
		}
		if c == '\\' && i+1 < len(p) {
			i++
			c = p[i]
		}
		high := c
		if i+2 < len(p) && p[i+1] == '-' && p[i+2] != ']' {
			high = p[i+2]
			i += 2
		}
		set.ranges = append(set.ranges, [2]byte{c, high})
		i++
	}
	if i >= len(p) {
		return set, 0, false
	}
	return set, i, true
}

var globClasses = map[string][][2]byte{
	"alnum": {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}, "alpha": {{'A', 'Z'}, {'a', 'z'}}, "blank": {{' ', ' '}, {'\t', '\t'}},
	"cntrl": {{0, 31}, {127, 127}}, "digit": {{'0', '9'}}, "graph": {{33, 126}}, "lower": {{'a', 'z'}}, "print": {{32, 126}},
	"punct": {{33, 47}, {58, 64}, {91, 96}, {123, 126}}, "space": {{' ', ' '}, {9, 13}}, "upper": {{'A', 'Z'}},
	"xdigit": {{'0', '9'}, {'A', 'F'}, {'a', 'f'}},
}

func (g *globItem) matches(c byte) bool {
	for _, r := range g.ranges {
		if r[0] <= c && c <= r[1] {
			return !g.negate
		}
	}
	return g.negate
}

// globMatch reports whether a name matches one segment. It takes at most the product
// of the two lengths.
func globMatch(name string, items []globItem) bool {
	at, star, mark, i := 0, -1, 0, 0
	for i < len(name) {
		switch {
		case at < len(items) && items[at].kind == globAny:
			star, mark = at, i
			at++
		case at < len(items) && (items[at].kind == globOne || items[at].kind == globByte && items[at].c == name[i] ||
			items[at].kind == globSet && items[at].matches(name[i])):
			at++
			i++
		case star >= 0:
			mark++
			at, i = star+1, mark
		default:
			return false
		}
	}
	for at < len(items) && items[at].kind == globAny {
		at++
	}
	return at == len(items)
}

type globber struct {
	fsys  FileSystem
	limit int
	found *[]string
}

// walk matches the rest of a pattern below a path that is complete.
func (g *globber) walk(prefix string, items []globItem) {
	for {
		if len(*g.found) > g.limit {
			return
		}
		if len(items) == 0 {
			if _, err := g.fsys.Lstat(prefix); err == nil {
				*g.found = append(*g.found, prefix)
			}
			return
		}
		end := slices.IndexFunc(items, func(x globItem) bool { return x.kind == globByte && x.c == '/' })
		if end < 0 {
			end = len(items)
		}
		segment := items[:end]
		if slices.ContainsFunc(segment, func(x globItem) bool { return x.kind != globByte }) {
			g.list(prefix, segment, items[end:])
			return
		}
		var b strings.Builder
		b.WriteString(prefix)
		for _, x := range segment {
			b.WriteByte(x.c)
		}
		for ; end < len(items) && items[end].kind == globByte && items[end].c == '/'; end++ {
			b.WriteByte('/')
		}
		prefix, items = b.String(), items[end:]
	}
}

func (g *globber) list(prefix string, segment, rest []globItem) {
	dir := prefix
	if dir == "" {
		dir = "."
	}
	entries, err := g.fsys.ReadDir(dir)
	if err != nil {
		return
	}
	dotted := segment[0].kind == globByte && segment[0].c == '.'
	for _, e := range entries {
		name := e.Name()
		if (name[0] != '.' || dotted) && globMatch(name, segment) {
			g.walk(prefix+name, rest)
		}
	}
}
