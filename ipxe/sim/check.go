package sim

import (
	"slices"

	"dougu.internal/ipxe"
)

// IsInteger reports whether a build reads a text as a number.
func IsInteger(text string, p ipxe.Profile) bool {
	_, rest := strtoul(text, 0)
	return rest == "" && (text != "" || p.Features().EmptyInteger)
}

// HasType reports whether a build knows a setting type.
func HasType(name string, p ipxe.Profile) bool {
	return newRunner(p).findType(name) != nil
}

// TypeNames are the setting types that a build knows, sorted.
func TypeNames(p ipxe.Profile) []string {
	var names []string
	for n := range typeByName {
		if HasType(n, p) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

// CheckValue says why a build does not store a value, given as text, in a setting such as
// "ip" or "net0/x:int8"; it is empty when it does. Blocks that are not there are made.
func CheckValue(name, value string, p ipxe.Profile) string {
	r := newRunner(p)
	if r.boot() != nil {
		return ""
	}
	b, s, status := r.parseName(name, true)
	if status != OK {
		return ""
	}
	if s.typ == nil {
		s.typ = typeString
	}
	if status = r.storeText(b, &s, value); status == OK {
		return ""
	}
	switch status {
	case enotsupSettings, enotsupNetdev:
		return "iPXE can't store this: " + status.Text()
	case enottySettings:
		return "this block does not take the setting"
	}
	return "not a value of type " + s.typ.name
}
