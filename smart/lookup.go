package smart

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
	"sync/atomic"
)

// Match is the result of a search in a drive database.
type Match struct {
	// Entry is the entry that matched.
	Entry *DriveEntry
	// Type is the argument of -d, Bugs those of -F.
	Type string
	Bugs []string

	table *presetTable
}

// Format returns the name and the raw format of an attribute of the drive.
func (m Match) Format(id uint8, ssd Opt[bool]) (string, RawFormat) {
	return presets{table: m.table, ssd: ssd}.of(id)
}

// lookup is the answer to one question, kept for the next one.
type lookup struct {
	model, firmware string
	match           Match
	found           bool
}

// Lookup finds the first entry for a drive. Both expressions must match the whole string.
// Entries of USB bridges are ignored.
func (db *DriveDB) Lookup(model, firmware string) (Match, bool) {
	if db == nil {
		return Match{}, false
	}
	if l := db.last.Load(); l != nil && l.model == model && l.firmware == firmware {
		return l.match, l.found
	}
	l := &lookup{model: model, firmware: firmware, match: Match{table: db.defaults}}
	for i := range db.Entries {
		e := &db.Entries[i]
		if e.USB() || !e.match.fits(model, firmware) {
			continue
		}
		l.found = true
		l.match = e.match.result(db, e)
		break
	}
	db.last.Store(l)
	return l.match, l.found
}

// presets returns the table for the drive of a snapshot and notes its family.
func (db *DriveDB) presets(s *Snapshot) presets {
	ssd := Opt[bool]{V: s.Identity.Rotation.V == 0, OK: s.Identity.Rotation.OK}
	if db == nil {
		return presets{ssd: ssd}
	}
	m, ok := db.Lookup(s.Identity.Model, s.Identity.Firmware)
	s.Identity.InDatabase = Some(ok)
	if ok {
		s.Identity.Family = m.Entry.Family
	}
	return presets{m.table, ssd, m.Bugs}
}

// matcher is the compiled form of an entry's expressions.
type matcher struct {
	prefixes []string // a model that fits begins with one of them; nil: any
	model    lazyRegexp
	firmware lazyRegexp
	once     sync.Once
	res      Match
}

// lazyRegexp compiles its source when it is first asked.
type lazyRegexp struct {
	src string
	re  atomic.Pointer[regexp.Regexp]
}

// never matches nothing: an expression that does not compile.
var never = regexp.MustCompile(`[^\x00-\x{10FFFF}]`)

func (l *lazyRegexp) whole(s string) bool {
	re := l.re.Load()
	if re == nil {
		var err error
		if re, err = regexp.Compile(`^(?:` + l.src + `)$`); err != nil {
			re = never
		}
		l.re.Store(re)
	}
	return re.MatchString(s)
}

// expressionSize returns the size to which an expression expands: counted repetitions
// multiply it.
func expressionSize(src string) int {
	if strings.IndexByte(src, '{') < 0 {
		return len(src)
	}
	re, err := syntax.Parse(src, syntax.Perl)
	if err != nil {
		return len(src)
	}
	return max(len(src), expandedSize(re))
}

func expandedSize(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)/2
	if re.Op == syntax.OpLiteral {
		n = len(re.Rune)
	}
	for _, sub := range re.Sub {
		n += expandedSize(sub)
	}
	if re.Op == syntax.OpRepeat {
		times := max(re.Min, re.Max)
		if re.Max < 0 {
			times = re.Min + 1
		}
		n *= max(1, times)
	}
	return min(n, maxExpressions+1)
}

func newMatcher(model, firmware string) *matcher {
	return &matcher{
		prefixes: prefixes(model),
		model:    lazyRegexp{src: model}, firmware: lazyRegexp{src: firmware},
	}
}

func (m *matcher) fits(model, firmware string) bool {
	if m.prefixes != nil {
		near := false
		for _, p := range m.prefixes {
			if strings.HasPrefix(model, p) {
				near = true
				break
			}
		}
		if !near {
			return false
		}
	}
	return m.model.whole(model) && (m.firmware.src == "" || m.firmware.whole(firmware))
}

// result builds the preset table of an entry, once.
func (m *matcher) result(db *DriveDB, e *DriveEntry) Match {
	m.once.Do(func() {
		t := *db.defaults
		m.res = Match{Entry: e, table: &t}
		// The options were checked at load.
		_ = t.options(e.Presets, false)
		for s := e.Presets; s != ""; {
			var opt, arg string
			opt, s = cutField(s)
			arg, s = cutField(s)
			switch opt {
			case "-d":
				m.res.Type = arg
			case "-F":
				m.res.Bugs = append(m.res.Bugs, arg)
			}
		}
	})
	return m.res
}

// maxPrefixes bounds the list of prefixes of one expression.
const maxPrefixes = 64

// prefixes returns the literal beginnings of the strings that an expression can
// match; nil when a string may begin with anything.
func prefixes(re string) []string {
	alternatives, ok := split(re)
	if !ok {
		return nil
	}
	var list []string
	for _, a := range alternatives {
		lit, rest := literal(a)
		switch {
		case lit != "":
			list = append(list, lit)
		case strings.HasPrefix(rest, "("):
			end := closing(rest)
			if end < 0 || end+1 < len(rest) && strings.IndexByte("*?+{", rest[end+1]) >= 0 {
				return nil
			}
			inner := prefixes(rest[1:end])
			if inner == nil {
				return nil
			}
			list = append(list, inner...)
		default:
			return nil
		}
		if len(list) > maxPrefixes {
			return nil
		}
	}
	return list
}

// split cuts an expression at the alternations outside of groups and classes.
func split(re string) (list []string, ok bool) {
	depth, start := 0, 0
	for i := 0; i < len(re); i++ {
		switch re[i] {
		case '\\':
			i++
		case '[':
			end := classEnd(re, i)
			if end < 0 {
				return nil, false
			}
			i = end
		case '(':
			depth++
		case ')':
			depth--
		case '|':
			if depth == 0 {
				list = append(list, re[start:i])
				start = i + 1
			}
		}
	}
	return append(list, re[start:]), depth == 0
}

// classEnd returns the index of the bracket that closes the class at i, or -1.
func classEnd(re string, i int) int {
	j := i + 1
	if j < len(re) && re[j] == '^' {
		j++
	}
	if j < len(re) && re[j] == ']' {
		j++
	}
	for ; j < len(re); j++ {
		switch re[j] {
		case '\\':
			j++
		case ']':
			return j
		case '[': // a named class
			if j+1 < len(re) && re[j+1] == ':' {
				k := strings.Index(re[j+2:], ":]")
				if k < 0 {
					return -1
				}
				j += 2 + k + 1
			}
		}
	}
	return -1
}

// closing returns the index of the parenthesis that closes the one at 0, or -1.
func closing(re string) int {
	depth := 0
	for i := 0; i < len(re); i++ {
		switch re[i] {
		case '\\':
			i++
		case '[':
			end := classEnd(re, i)
			if end < 0 {
				return -1
			}
			i = end
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// literal returns the literal beginning of an alternative and the rest.
func literal(re string) (lit, rest string) {
	i := 0
	for i < len(re) && strings.IndexByte(`.[]()*+?{}|^$\`, re[i]) < 0 {
		i++
	}
	lit, rest = re[:i], re[i:]
	if rest != "" && strings.IndexByte("*?{", rest[0]) >= 0 && lit != "" {
		lit = lit[:len(lit)-1]
	}
	return lit, rest
}
