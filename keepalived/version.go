package keepalived

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"dougu.internal/internal/errtext"
)

const errs = errtext.Package("keepalived")

// Version is a release of keepalived. In the zero Version all numbers are 0.
type Version struct{ Major, Minor, Patch int }

// newest is the newest release that the tables of this package describe.
var newest = Version{2, 4, 3}

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
// else, and on releases before 1.1.0 or after that of [Newest].
func ParseVersion(s string) (Version, error) {
	parts := strings.Split(strings.TrimPrefix(s, "v"), ".")
	if len(parts) != 3 {
		return Version{}, errs.Errorf("version %q is not of the form 2.2.7", clip(s))
	}
	var n [3]int
	for i, p := range parts {
		v, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return Version{}, errs.Errorf("version %q is not of the form 2.2.7", clip(s))
		}
		n[i] = int(v)
	}
	v := Version{n[0], n[1], n[2]}
	if v.Compare(Version{1, 1, 0}) < 0 || v.Compare(newest) > 0 {
		return Version{}, errs.Errorf("version %s is not one of 1.1.0 to %s", v, newest)
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

// MarshalText returns the release as "2.2.7".
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads three numbers such as "2.2.7". Unlike [ParseVersion], it accepts
// releases that the package does not support.
func (v *Version) UnmarshalText(text []byte) error {
	parts := strings.Split(string(text), ".")
	var n [3]int
	for i, p := range parts {
		x, err := strconv.Atoi(p)
		if err != nil || i == len(n) || strconv.Itoa(x) != p {
			return errs.Errorf("invalid version %q, want three numbers such as 2.2.7", clip(string(text)))
		}
		n[i] = x
	}
	if len(parts) != len(n) {
		return errs.Errorf("invalid version %q, want three numbers such as 2.2.7", clip(string(text)))
	}
	*v = Version{n[0], n[1], n[2]}
	return nil
}

// clip shortens a text for an error.
func clip(s string) string {
	const limit = 100
	if len(s) > limit {
		return s[:limit] + "..."
	}
	return s
}
