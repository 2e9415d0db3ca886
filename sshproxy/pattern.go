package sshproxy

import "strings"

// matchPattern reports whether s matches a pattern in which * stands for any bytes
// and ? for one. It takes time linear in the two lengths for one *, and their product
// at most.
func matchPattern(s, pattern string) bool {
	at, star, mark := 0, -1, 0
	i := 0
	for i < len(s) {
		switch {
		case at < len(pattern) && pattern[at] == '*':
			star, mark = at, i
			at++
		case at < len(pattern) && (pattern[at] == '?' || pattern[at] == s[i]):
			at++
			i++
		case star >= 0:
			mark++
			at, i = star+1, mark
		default:
			return false
		}
	}
	for at < len(pattern) && pattern[at] == '*' {
		at++
	}
	return at == len(pattern)
}

// listLimit is the length from which a member of a pattern list makes the whole list
// match nothing.
const listLimit = 1023

// matchList compares s with a comma-separated list of patterns, each of which may be
// negated with !. It returns 1 for a match, -1 when a negated one matches, and 0.
// With fold the patterns are read in lower case.
func matchList(s, list string, fold bool) int {
	got := 0
	for list != "" {
		negated := list[0] == '!'
		if negated {
			list = list[1:]
		}
		var sub string
		if before, after, ok := strings.Cut(list, ","); ok {
			sub, list = before, after
		} else {
			sub, list = list, ""
		}
		if len(sub) >= listLimit {
			return 0
		}
		if fold {
			sub = lower(sub)
		}
		if matchPattern(s, sub) {
			if negated {
				return -1
			}
			got = 1
		}
	}
	return got
}

// literal reports whether a pattern matches one string only.
func literal(pattern string) bool { return !strings.ContainsAny(pattern, "*?") }
