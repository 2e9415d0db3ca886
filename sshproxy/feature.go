package sshproxy

import "strings"

// feature is a behaviour that differs between builds of the client.
type feature uint8

const (
	shellNames      feature = iota // names with shell characters on the command line are refused
	controlNames                   // control characters in a user of the command line are refused
	commaHosts                     // a comma in a host of the command line is refused
	jumpRules                      // hops of jump lists are checked; the first of ProxyJump and ProxyCommand wins
	userTokens                     // User of a file is expanded
	userVerbatim                   // User of the command line is not expanded
	userBackslash                  // $ and \ in a user of the command line are refused
	serviceNames                   // lowdelay, throughput and reliability of IPQoS print none
	emptyListFails                 // an empty list of algorithms ends the client
	keepAliveStates                // TCPKeepAlive has the values transport and all
	smallLetters                   // all names of -G are in small letters
	featureCount
)

// backport is the first package of a suite that has a feature before its release.
type backport struct {
	version int // upstream version of the suite, as in [Profile.Version]
	update  int // N of +deb12uN
}

// features is indexed by feature. commit is the change in OpenSSH's portable repository.
var features = [featureCount]struct {
	name      string
	commit    string
	since     int // first stock release
	backports []backport
}{
	shellNames:      {"shell-names", "7ef3787c84b6b524501211b11a26c742f829af1a", 90600, []backport{{80401, 3}, {90201, 2}}},
	controlNames:    {"control-characters", "35d591765", 100100, []backport{{90201, 8}, {100002, 1}}},
	commaHosts:      {"comma", "", 100000, []backport{{90201, 10}}},
	jumpRules:       {"jump-rules", "0a0ef4515", 100300, []backport{{90201, 10}, {100002, 3}}},
	userTokens:      {"user-tokens", "bd30cf784", 100000, nil},
	userVerbatim:    {"user-verbatim", "35d591765", 100100, []backport{{100002, 1}}},
	userBackslash:   {"user-backslash", "", 100600, nil},
	serviceNames:    {"ipqos-names", "ec3465f59", 100100, []backport{{100002, 3}}},
	emptyListFails:  {"empty-list", "c87161382", 100400, nil},
	keepAliveStates: {"keepalive-states", "", 100600, nil},
	smallLetters:    {"small-letters", "", 100600, nil},
}

// has reports whether a build has a feature.
func (p *build) has(f feature) bool {
	if answer, ok := p.asked[f]; ok {
		return answer
	}
	d := &features[f]
	if p.version >= d.since || f == emptyListFails && p.version < 80500 {
		return true
	}
	for _, b := range d.backports {
		if b.version == p.version && (p.vendor == "debian" || p.vendor == "raspbian") {
			return p.update >= b.update
		}
	}
	return false
}

// vendors are the words that name a vendor in a profile. Words of Debian's family are those
// of builds of Debian's source package.
var vendors = []struct {
	word   string
	debian bool
}{{"debian", true}, {"ubuntu", true}, {"raspbian", true}, {"windows", false}, {"apple", false}}

// newestUpdate is the update of a build whose revision is not given: all known backports
// count.
const newestUpdate = 1 << 16

// updateOf returns N of a revision such as 2+deb12uN, or 0. Without a revision it returns
// newestUpdate.
func updateOf(revision string) int {
	if revision == "" || revision == "gssapi" {
		return newestUpdate
	}
	_, rest, ok := strings.Cut(revision, "+deb")
	if !ok {
		return 0
	}
	_, rest, _ = strings.Cut(rest, "u")
	n, _, _ := leadingInteger(rest)
	return int(min(n, newestUpdate-1))
}

// hasGSSAPI reports whether a build of Debian's family is compiled with GSSAPI. Debian's
// openssh-client is not from 1:10.4p1-5 on; openssh-client-gssapi names itself
// Debian-gssapi-REVISION.
func hasGSSAPI(version int, vendor, revision string) bool {
	switch {
	case revision == "gssapi" || strings.HasPrefix(revision, "gssapi-"):
		return true
	case vendor != "debian" || version < 100401:
		return true
	case version == 100401:
		n, rest, ok := leadingInteger(revision)
		return ok && n < 5 && (rest == "" || rest[0] == '+' || rest[0] == '~')
	}
	return false
}
