package keepalived

import (
	"errors"
	"io/fs"
	"path"
	"sort"
	"strings"
)

// The conditions of the five forms of include.
const (
	wantReadable = 1 << iota
	wantMatch
	wantWildcard
	wantBrace
)

var includeForms = map[byte]int{
	'r': wantReadable,
	'm': wantReadable | wantMatch,
	'w': wantReadable | wantMatch | wantWildcard,
	'b': wantReadable | wantBrace,
	'a': wantReadable | wantMatch | wantWildcard | wantBrace,
}

// checkNames are the words of include_check.
var checkNames = map[string]int{"read": wantReadable, "match": wantMatch, "wildcard_match": wantWildcard, "brace_match": wantBrace}

// includeCheck takes over what include_check asks of the includes behind it.
func (r *reader) includeCheck(text string) {
	words, _ := split(nil, text)
	if words[0].s != "include_check" || r.v.before(Version{2, 2, 0}) {
		return
	}
	if len(words) == 1 {
		r.check = wantReadable | wantMatch | wantWildcard | wantBrace
		return
	}
	for i, w := range words[1:] {
		name, add := strings.CutPrefix(w.s, "+")
		remove := false
		if !add {
			name, remove = strings.CutPrefix(w.s, "-")
		}
		switch bit := checkNames[name]; {
		case add:
			r.check |= bit
		case remove:
			r.check &^= bit
		case i == 0:
			r.check = 0
			if bit != 0 {
				r.check = wantReadable | bit
			}
		}
	}
}

// openInclude opens the files of an include; the last named is read last.
func (r *reader) openInclude(b buffer) {
	want, p := 0, 8
	if !isBlank(b.text[7]) {
		want, p = includeForms[b.text[7]], 9
	}
	want |= r.check
	p = skipBlanks(b.text, min(p, len(b.text)))
	pattern := b.text[p:]
	at := b.span(p, len(b.text))
	if r.l.FS == nil {
		r.report("KA041", at, "the include is not read: no directory for includes was given")
		r.notRead(pattern, at)
		return
	}
	var found []string
	missing, brace := false, strings.IndexByte(pattern, '{') >= 0
	alternatives := expandBraces(pattern, r.l.maxFiles())
	wild := false
	for _, alt := range alternatives {
		name, inside := r.inside(alt)
		if !inside {
			r.report("KA041", at, "%q is not read: it is outside of the directory for includes", alt)
			r.notRead(alt, at)
			continue
		}
		if !strings.ContainsAny(alt, "*?[\\") {
			if _, err := fs.Lstat(r.l.FS, name); err != nil {
				missing = true
				continue
			}
			found = append(found, name)
			continue
		}
		wild = true
		m, err := r.glob(name)
		if err != nil {
			r.stop(at, "%v", err)
			return
		}
		if len(m) == 0 && len(alternatives) > 1 {
			missing = missing || false
		}
		found = append(found, m...)
	}
	object := func(f *finding, bits int) { f.objects = want&bits != 0 }
	if len(found) == 0 {
		if missing {
			bits := wantMatch
			if brace {
				bits = wantBrace
			}
			object(r.report("KA039", at, "no such file: %s", pattern), bits)
		} else if wild {
			object(r.report("KA039", at, "no file matches %s", pattern), wantWildcard)
		}
		return
	}
	if missing {
		f := r.report("KA039", at, "some of the files do not exist: %s", pattern)
		object(f, wantBrace)
		if f.objects {
			return
		}
	}
	// The files are read in order: the first is to be on top of the stack.
	check := r.check
	for i := len(found) - 1; i >= 0; i-- {
		depth := len(r.stack)
		r.openFound(found[i], at, want)
		if len(r.stack) > depth {
			r.top().check, r.top().last = check, i == len(found)-1
		}
	}
}

// inside returns the name of an include in the file system of the Loader. An absolute one
// must lie below the Root.
func (r *reader) inside(name string) (string, bool) {
	if !path.IsAbs(name) {
		name = path.Join(r.dir(), name)
		return name, fs.ValidPath(name)
	}
	if r.l.Root == "" {
		return "", false
	}
	root := path.Clean(r.l.Root)
	if root != "/" {
		root += "/"
	}
	rest, ok := strings.CutPrefix(path.Clean(name), root)
	return rest, ok && fs.ValidPath(rest)
}

// notRead notes an include that keepalived would read.
func (r *reader) notRead(pattern string, at span) {
	if r.second || r.recording {
		return
	}
	r.c.unread = append(r.c.unread, Unread{Pattern: pattern, Range: r.c.place(at)})
}

// glob returns the names that match, in order. It looks at no more entries than the
// number of files allows.
func (r *reader) glob(pattern string) ([]string, error) {
	m, err := fs.Glob(r.l.FS, pattern)
	if errors.Is(err, path.ErrBadPattern) {
		return nil, nil
	}
	if len(m) > r.l.maxFiles() {
		return nil, errors.New("the include matches more files than may be read")
	}
	sort.Strings(m)
	return m, err
}

func (r *reader) openFound(name string, at span, want int) {
	// keepalived reads a file that includes itself until it runs out of descriptors.
	// What it says of the second reading it says of all the others.
	readings := 0
	var cycle *span
	for _, in := range r.stack {
		if in.copied == nil {
			src := &r.c.sources[in.file]
			cycle = src.cycle
			if src.path == name {
				readings++
			}
		}
	}
	if readings > 1 {
		return
	}
	if readings == 1 && cycle == nil {
		r.report("KA040", at, "%s includes itself; keepalived reads it until it runs out of files", name).
			fix("delete the include", edit{r.c.lineOf(at), ""}).objects = want&wantReadable != 0
		cycle = &at
	}
	if r.depth() >= maxDepth {
		r.stop(at, "includes are nested more than %d deep", maxDepth)
		return
	}
	if r.files >= r.l.maxFiles() {
		r.stop(at, "more than %d files are included", r.l.maxFiles())
		return
	}
	info, err := fs.Stat(r.l.FS, name)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 != 0 {
		why := "is not a regular file"
		switch {
		case err != nil:
			why = "cannot be read"
			r.notRead(name, at)
		case info.IsDir():
			why = "is a directory"
		case info.Mode().IsRegular():
			why = "is executable"
		}
		f := r.report("KA041", at, "%s %s and is passed over", name, why)
		f.objects = want&wantReadable != 0
		return
	}
	left := r.l.maxBytes() - r.bytes
	data, err := r.l.readFile(name, left)
	if err != nil {
		if info.Size() > left {
			r.stop(at, "the included files have more than %d bytes", r.l.maxBytes())
			return
		}
		r.notRead(name, at)
		f := r.report("KA041", at, "%s cannot be read", name)
		f.objects = want&wantReadable != 0
		return
	}
	depth := r.depth() + 1
	r.open(name, data, path.Dir(name), depth)
	src := &r.c.sources[len(r.c.sources)-1]
	src.included, src.cycle = at, cycle
}

// expandBraces expands {a,b} as the shell does, to at most limit names.
func expandBraces(s string, limit int) []string {
	from := strings.IndexByte(s, '{')
	if from < 0 {
		return []string{s}
	}
	depth, to := 0, -1
	var cuts []int
	for i := from; i < len(s); i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				to = i
			}
		case ',':
			if depth == 1 {
				cuts = append(cuts, i)
			}
		}
		if to >= 0 {
			break
		}
	}
	if to < 0 {
		return []string{s}
	}
	var out []string
	cuts = append(cuts, to)
	begin := from + 1
	for _, end := range cuts {
		for _, t := range expandBraces(s[:from]+s[begin:end]+s[to+1:], limit) {
			if len(out) >= limit {
				return out
			}
			out = append(out, t)
		}
		begin = end + 1
	}
	return out
}

func (r *reader) include(b buffer) bool {
	if !isInclude(b.text) {
		return false
	}
	r.again = r.again || !r.rawInclude && !r.second
	r.openInclude(b)
	return true
}

// isInclude reports whether a line is an include.
func isInclude(s string) bool {
	if !strings.HasPrefix(s, "include") || len(s) < 8 {
		return false
	}
	if isBlank(s[7]) {
		return true
	}
	return len(s) > 8 && isBlank(s[8]) && strings.IndexByte("rmwba", s[7]) >= 0
}

func (r *reader) dir() string {
	for i := len(r.stack) - 1; i >= 0; i-- {
		if r.stack[i].copied == nil {
			return r.stack[i].dir
		}
	}
	return path.Dir(r.c.Name)
}
