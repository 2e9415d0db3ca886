package tree

import (
	"slices"
	"strings"
)

// mounts are mount points below a receiver's directory, as relative paths.
type mounts []string

// has reports whether something is mounted at p.
func (m mounts) has(p string) bool {
	return slices.Contains(m, p)
}

// below reports whether something is mounted at p or below.
func (m mounts) below(p string) bool {
	for _, q := range m {
		if q == p || strings.HasPrefix(q, p+"/") {
			return true
		}
	}
	return false
}
