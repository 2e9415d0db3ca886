package keepalived

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Version is a release of keepalived. The zero value stands for the newest release
// that the package knows, [Newest].
type Version struct{ Major, Minor, Patch int }

// Newest is the newest release that the tables of this package describe.
var Newest = Version{2, 4, 3}

// The releases whose behaviour changed in a way that the package tells apart.
var (
	version1220 = Version{1, 2, 20} // "Unknown keyword", braces of value blocks
	version130  = Version{1, 3, 0}
	version142  = Version{1, 4, 2} // a brace may stand anywhere
	version228  = Version{2, 2, 8}
	version230  = Version{2, 3, 0}
	version240  = Version{2, 4, 0}
)

// ParseVersion reads a release such as "2.2.7" or "v2.4.3". It fails on anything
// else, and on releases before 1.1.0 or after [Newest].
func ParseVersion(s string) (Version, error) {
	parts := strings.Split(strings.TrimPrefix(s, "v"), ".")
	if len(parts) != 3 {
		return Version{}, fmt.Errorf("keepalived: version %q is not of the form 2.2.7", s)
	}
	var n [3]int
	for i, p := range parts {
		v, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return Version{}, fmt.Errorf("keepalived: version %q is not of the form 2.2.7", s)
		}
		n[i] = int(v)
	}
	v := Version{n[0], n[1], n[2]}
	if v.Compare(Version{1, 1, 0}) < 0 || v.Compare(Newest) > 0 {
		return Version{}, fmt.Errorf("keepalived: version %s is not one of 1.1.0 to %s", v, Newest)
	}
	return v, nil
}

// Compare returns a number below, equal to or above 0 as v is older than, the same
// as or newer than w.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor), cmp.Compare(v.Patch, w.Patch))
}

// String returns the release as "2.2.7".
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

func (v Version) or(w Version) Version {
	if v == (Version{}) {
		return w
	}
	return v
}

func (v Version) before(w Version) bool { return v.Compare(w) < 0 }

// Profile is a build of keepalived: a release and the parts it was built without.
type Profile struct {
	// Version is the release; the zero value is [Newest].
	Version Version
	// Without names build options that the build lacks: bfd, dbus, iptables,
	// nftables, regex, snmp. A nil slice is what the packages of Debian lack:
	// iptables.
	Without []string
}

// debian is what the packages of Debian are built without.
var debian = []string{"iptables"}

func (p Profile) without(option string) bool {
	if p.Without == nil {
		return slices.Contains(debian, option)
	}
	return slices.Contains(p.Without, option)
}
