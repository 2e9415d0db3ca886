package keepalived

import (
	"slices"
	"strings"
)

// Profile identifies a build of keepalived: a release and the build options that it
// lacks. Profiles are comparable. The zero Profile is equivalent to [Newest].
type Profile struct {
	version Version // zero means the newest
	without parts   // zero means what the packages of Debian lack
}

// parts is a set of build options. The bit given is set in every set but that of Debian.
type parts uint8

const given parts = 1 << 7

// partNames contains the names of the build options; bit i of parts is the name i.
var partNames = []string{"bfd", "dbus", "iptables", "nftables", "regex", "snmp"}

// debian lists the features that the packages of Debian are built without.
const debian parts = 1 << 2 // iptables

// nothing is the list of build options of a build that has them all.
const nothing = "nothing"

// NewProfile returns the profile of a release that was built without some options: bfd,
// dbus, iptables, nftables, regex, snmp. The name "nothing" alone means that the build has
// all options. If without is empty, the build has the options that the packages of Debian
// have: all but iptables. If v is zero, the newest release is used.
func NewProfile(v Version, without ...string) (Profile, error) {
	p := Profile{version: v}
	if v != (Version{}) {
		if _, err := ParseVersion(v.String()); err != nil {
			return Profile{}, err
		}
	}
	if len(without) == 0 {
		return p, nil
	}
	set := given
	for _, name := range without {
		i := slices.Index(partNames, name)
		switch {
		case i >= 0:
			set |= 1 << i
		case name != nothing || len(without) > 1:
			return Profile{}, errs.Errorf("there is no build option %q (known: %s)", clip(name), strings.Join(partNames, ", "))
		}
	}
	if set != given|debian {
		p.without = set
	}
	return p, nil
}

// ParseProfile returns the profile with the given name: a release such as "2.2.7", or
// "newest". The build options that the build lacks can follow: "2.2.7 without bfd,snmp" or
// "2.2.7 without nothing". See [NewProfile] for their meaning.
func ParseProfile(name string) (Profile, error) {
	release, list, found := strings.Cut(name, " without ")
	var v Version
	if release != "newest" {
		var err error
		if v, err = ParseVersion(release); err != nil {
			return Profile{}, errs.Errorf("profile %q: %w", clip(name), err)
		}
	}
	if !found {
		return NewProfile(v)
	}
	without := strings.SplitN(list, ",", 2*len(partNames)+1)
	p, err := NewProfile(v, without...)
	if err != nil {
		return Profile{}, errs.Errorf("profile %q: %w", clip(name), err)
	}
	return p, nil
}

// Profiles returns the releases that were compared with the real program, oldest first.
// The last one is [Newest]. [ParseProfile] accepts all other releases as well.
func Profiles() []Profile {
	return []Profile{{version: Version{2, 2, 7}}, {version: Version{2, 2, 8}}, Newest()}
}

// Newest returns the newest release that the tables of this package describe, as Debian
// would build it.
func Newest() Profile { return Profile{version: newest} }

// Version returns the release.
func (p Profile) Version() Version { return p.version.or(newest) }

// Without returns the names of the build options that the build lacks.
func (p Profile) Without() []string {
	var list []string
	for _, name := range partNames {
		if p.lacks(name) {
			list = append(list, name)
		}
	}
	return list
}

func (p Profile) lacks(option string) bool {
	set := p.without
	if set == 0 {
		set = debian
	}
	i := slices.Index(partNames, option)
	return i >= 0 && set&(1<<i) != 0
}

// String returns the name of the profile, which [ParseProfile] reads.
func (p Profile) String() string {
	release := "newest"
	if p.version != (Version{}) {
		release = p.version.String()
	}
	switch {
	case p.without == 0:
		return release
	case p.without == given:
		return release + " without " + nothing
	}
	return release + " without " + strings.Join(p.Without(), ",")
}

// MarshalText returns the name of the profile.
func (p Profile) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText sets the profile to the one with the given name; see [ParseProfile].
func (p *Profile) UnmarshalText(name []byte) error {
	q, err := ParseProfile(string(name))
	if err == nil {
		*p = q
	}
	return err
}
