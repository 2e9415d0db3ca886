package tree

import "strings"

// Excludes are rules in the form of rsync's --exclude and --include: "- PATTERN" excludes,
// "+ PATTERN" includes, "!" alone drops the rules before it, and anything else is a
// pattern to exclude. The first pattern that matches decides; what none matches is
// included. In a pattern
//
//   - a slash at the start anchors it at the root of the transfer, the directory that
//     holds what is sent; any other slash within, or **, makes it match the end of a
//     path; without them it matches the last element;
//   - a slash at the end makes it match directories only;
//   - * matches within an element, ** across them, ? one byte that is no slash, [a-z] a
//     set, \ takes what follows as it is; dir/*** is dir and all below.
//
// What lies below an excluded directory is excluded too.
type Excludes struct {
	rules []rule
}

type rule struct {
	include  bool
	pattern  string
	dirOnly  bool
	anchored bool
	wild     bool // it has one of * ? [
	deep     bool // it has **
	start    bool // it begins with **, which may be nothing before a slash
	below    bool // it ends with ***, which may be nothing after a directory's slash
}

// NewExcludes makes the rules. An empty pattern matches nothing.
func NewExcludes(patterns []string) *Excludes {
	x := &Excludes{}
	for _, p := range patterns {
		r := rule{}
		if p == "!" {
			x.rules = nil
			continue
		}
		if q, ok := strings.CutPrefix(p, "+ "); ok {
			p, r.include = q, true
		} else {
			p = strings.TrimPrefix(p, "- ")
		}
		p, r.dirOnly = strings.CutSuffix(p, "/")
		p, r.anchored = strings.CutPrefix(p, "/")
		if p == "" {
			continue
		}
		r.pattern = p
		r.wild = strings.ContainsAny(p, "*?[")
		r.deep = strings.Contains(p, "**")
		r.start = r.deep && !r.anchored && strings.HasPrefix(p, "**")
		r.below = strings.HasSuffix(p, "***")
		x.rules = append(x.rules, r)
	}
	return x
}

// Match reports whether a path is excluded by itself. Its parents are the caller's to
// ask first.
func (x *Excludes) Match(path string, dir bool) bool {
	for i := range x.rules {
		if x.rules[i].match(path, dir) {
			return !x.rules[i].include
		}
	}
	return false
}

// Any reports whether the path or one of its parents is excluded.
func (x *Excludes) Any(path string, dir bool) bool {
	if len(x.rules) == 0 {
		return false
	}
	for i := 0; i < len(path); i++ {
		if path[i] == '/' && x.Match(path[:i], true) {
			return true
		}
	}
	return x.Match(path, dir)
}

func (r *rule) match(path string, dir bool) bool {
	if r.dirOnly && !dir {
		return false
	}
	slashes := strings.Count(r.pattern, "/")
	if slashes == 0 && !r.deep && !r.anchored {
		return r.one(path[strings.LastIndexByte(path, '/')+1:])
	}
	if r.start {
		path = "/" + path
	}
	if r.below && dir {
		path += "/"
	}
	switch {
	case r.anchored || r.start:
		return r.one(path)
	case !r.deep:
		// As many elements from the end as the pattern has.
		at := len(path)
		for ; slashes >= 0; slashes-- {
			if at = strings.LastIndexByte(path[:at], '/'); at < 0 && slashes > 0 {
				return false
			}
		}
		return r.one(path[at+1:])
	}
	// Anywhere after a slash.
	for {
		if r.one(path) {
			return true
		}
		i := strings.IndexByte(path, '/')
		if i < 0 {
			return false
		}
		path = path[i+1:]
	}
}

func (r *rule) one(s string) bool {
	if !r.wild {
		return r.pattern == s
	}
	return wild(r.pattern, s)
}

// wild matches like rsync's wildmatch: * and ? stop at slashes, ** does not.
func wild(p, s string) bool {
	// Backtracking points: of the last * and of the last **.
	type point struct{ p, s int }
	star, deep := point{-1, 0}, point{-1, 0}
	i, j := 0, 0
	for {
		if i == len(p) {
			if j == len(s) {
				return true
			}
		} else {
			switch c := p[i]; c {
			case '*':
				k := i
				for k < len(p) && p[k] == '*' {
					k++
				}
				if k-i >= 2 {
					deep, star = point{k, j}, point{-1, 0}
				} else {
					star = point{k, j}
				}
				i = k
				continue
			case '?':
				if j < len(s) && s[j] != '/' {
					i, j = i+1, j+1
					continue
				}
			case '[':
				if j < len(s) && s[j] != '/' {
					if ok, next := class(p, i, s[j]); ok {
						i, j = next, j+1
						continue
					}
				}
			default:
				k := i
				if c == '\\' && i+1 < len(p) {
					k++
					c = p[k]
				}
				if j < len(s) && s[j] == c {
					i, j = k+1, j+1
					continue
				}
			}
		}
		switch {
		case star.p >= 0 && star.s < len(s) && s[star.s] != '/':
			star.s++
			i, j = star.p, star.s
		case deep.p >= 0 && deep.s < len(s):
			deep.s++
			star = point{-1, 0}
			i, j = deep.p, deep.s
		default:
			return false
		}
	}
}

// class matches [...] at p[i:] against c and returns where the pattern goes on.
func class(p string, i int, c byte) (ok bool, next int) {
	i++
	not := false
	if i < len(p) && (p[i] == '!' || p[i] == '^') {
		not, i = true, i+1
	}
	found := false
	for first := true; ; first = false {
		if i >= len(p) {
			return false, i
		}
		if p[i] == ']' && !first {
			return found != not, i + 1
		}
		if strings.HasPrefix(p[i:], "[:") {
			if end := strings.IndexByte(p[i+2:], ']'); end > 0 && p[i+1+end] == ':' {
				found = found || named(p[i+2:i+1+end], c)
				i += end + 3
				continue
			}
		}
		low := p[i]
		if low == '\\' && i+1 < len(p) {
			i++
			low = p[i]
		}
		i++
		high := low
		if i+1 < len(p) && p[i] == '-' && p[i+1] != ']' {
			i++
			high = p[i]
			if high == '\\' && i+1 < len(p) {
				i++
				high = p[i]
			}
			i++
		}
		// The first of a range counts in any case, also of one that is the wrong way round.
		found = found || c == low || low <= c && c <= high
	}
}

func named(name string, c byte) bool {
	lower, upper, digit := c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9'
	switch name {
	case "alpha":
		return lower || upper
	case "alnum":
		return lower || upper || digit
	case "digit":
		return digit
	case "lower":
		return lower
	case "upper":
		return upper
	case "xdigit":
		return digit || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
	case "space":
		return c == ' ' || c >= 9 && c <= 13
	case "blank":
		return c == ' ' || c == '\t'
	case "punct":
		return c > 32 && c < 127 && !(lower || upper || digit)
	case "print":
		return c >= 32 && c < 127
	case "graph":
		return c > 32 && c < 127
	case "cntrl":
		return c < 32 || c == 127
	}
	return false
}
