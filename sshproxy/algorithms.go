package sshproxy

import (
	"slices"
	"strings"
)

// known reports whether every name of a list is one of a set. The reader stops at the
// first empty name. bad is the first unknown one.
func known(list string, set []string) (bad string, ok bool) {
	if list == "" {
		return "", false
	}
	for name := range strings.SplitSeq(list, ",") {
		if name == "" {
			break
		}
		if !slices.Contains(set, name) {
			return name, false
		}
	}
	return "", true
}

// withoutSign drops the + or ^ that puts a list behind or before the default.
func withoutSign(list string) string {
	if list[0] == '+' || list[0] == '^' {
		return list[1:]
	}
	return list
}

// shortKeyNames are accepted in place of a key algorithm, in any case.
var shortKeyNames = []string{"rsa", "dsa", "ecdsa", "ed25519", "ed25519-sk", "ecdsa-sk"}

// knownKeys is known for key algorithms: a pattern that matches one, be it negated,
// will do.
func (p *build) knownKeys(list string, signing bool) bool {
	if list == "" {
		return false
	}
	all := p.algs["HostKeyAlgorithms"]
	for name := range strings.SplitSeq(list, ",") {
		if name == "" {
			break
		}
		switch {
		case slices.Contains(all, name):
			if signing && p.at(90400) && strings.Contains(name, "-cert-") {
				return false
			}
		case slices.ContainsFunc(all, func(a string) bool { return matchList(a, name, false) != 0 }):
		case !p.at(90900) && p.shortKey(name):
		default:
			return false
		}
	}
	return true
}

func (p *build) shortKey(name string) bool {
	i := slices.Index(shortKeyNames, lower(name))
	if i < 0 {
		return false
	}
	prefixes := []string{"ssh-rsa", "ssh-dss", "ecdsa-", "ssh-ed25519", "sk-ssh-ed25519", "sk-ecdsa-"}
	return slices.ContainsFunc(p.algs["key"], func(k string) bool { return strings.HasPrefix(k, prefixes[i]) })
}

// assemble makes the list in effect of a configured one, the default and all names.
// ok is false when the client refuses the result.
func assemble(list, base string, all []string) (string, bool) {
	if list == "" {
		return base, true
	}
	switch list[0] {
	case '+':
		list = joinNames(base, list[1:])
	case '^':
		list = joinNames(list[1:], base)
	case '-':
		return filterNames(strings.Split(base, ","), list[1:], false), true
	}
	result := ""
	for pattern := range strings.SplitSeq(list, ",") {
		if strings.HasPrefix(pattern, "!") {
			return "", false
		}
		result = joinNames(result, filterNames(all, pattern, true))
	}
	return result, result != ""
}

// joinNames appends to a the names of b that are not in it.
func joinNames(a, b string) string {
	if a == "" {
		return b
	}
	have := strings.Split(a, ",")
	for name := range strings.SplitSeq(b, ",") {
		if name == "" {
			break
		}
		if !slices.Contains(have, name) {
			have = append(have, name)
		}
	}
	return strings.Join(have, ",")
}

func filterNames(names []string, patterns string, keep bool) string {
	var list []string
	for _, n := range names {
		if (matchList(n, patterns, false) == 1) == keep {
			list = append(list, n)
		}
	}
	return strings.Join(list, ",")
}
