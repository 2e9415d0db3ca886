package sshproxy

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"dougu.internal/internal/errtext"
)

const errs = errtext.Package("sshproxy")

// recorded holds what real clients printed. The head of each file names the client
// and the commands.
//
//go:embed profiles/*.txt
var recorded embed.FS

// Profile identifies a build of the OpenSSH client: which keywords it supports, how it reads
// a line, and what it defaults to. Profiles are comparable. The zero Profile is equivalent to
// [Newest].
type Profile struct {
	version  int    // major*10000 + minor*100 + patch; 0 means the newest
	vendor   string // a word of vendors, or "" for a stock build
	revision string // of the vendor's package; "" is the newest known one
	own      *build // of ProfileFromG
}

// build contains the tables of a build.
type build struct {
	name     string
	version  int
	vendor   string
	update   int  // of a package of Debian
	debian   bool // built from Debian's source package
	gssapi   bool
	apple    bool             // has Apple's keywords
	asked    map[feature]bool // what ProfileFromClient has asked
	keyword  map[string]op
	defaults [opCount][]string // the lines that -G prints for an option, without its name
	prints   []op              // the order of -G
	algs     map[string][]string
}

// release is a client whose output is recorded.
type release struct {
	version int
	debian  bool
	file    string
}

var releases = []release{
	{80401, false, "8.4p1"},
	{80401, true, "8.4p1-debian"},
	{90201, true, "9.2p1-debian"},
	{90902, false, "9.9p2"},
	{100002, true, "10.0p2-debian"},
	{100501, false, "10.5p1"},
	{100601, true, "10.6p1-debian"},
}

// Newest returns the profile of the newest release that this package has a record of.
func Newest() Profile { return OpenSSH(10, 5) }

// Profiles returns the profiles of the builds that are recorded from real clients, oldest
// first.
func Profiles() []Profile {
	list := make([]Profile, len(releases))
	for i, r := range releases {
		list[i] = Profile{version: r.version}
		if r.debian {
			list[i].vendor = "debian"
		}
	}
	return list
}

// OpenSSH returns the profile of a stock build of the portable release major.minor.
// Releases 8.4, 9.9 and 10.5 are recorded from real clients. Other releases take their
// rules from the history of the sources and their defaults from the nearest older record
// (8.4 for older ones), which is close but not verified. Numbers below or above the range
// that [ParseProfile] accepts are replaced by its limits.
func OpenSSH(major, minor int) Profile {
	major, minor = min(max(major, 1), maxNumber), min(max(minor, 0), maxNumber)
	patch := 1
	if major == 9 && minor == 9 {
		patch = 2
	}
	return Profile{version: major*10000 + minor*100 + patch}
}

// maxNumber is the largest number in a version.
const maxNumber = 99

// Debian returns the profile of a Debian build, named by its upstream version such as
// "9.2p1". The builds of Debian 11, 12 and 13 are recorded. Debian backports security
// patches, so its builds do not behave as the stock release of the same number. The newest
// known revision of the package is assumed; [ParseProfile] reads names with a revision.
func Debian(version string) (Profile, error) { return ParseProfile(version + "-debian") }

// ParseProfile returns the profile with the given name: "newest", a release such as "10.5"
// or "9.9p2", a build of a vendor such as "9.2p1-debian", "9.2p1-debian-2+deb12u9" or
// "9.8p1-apple", or what ssh -V prints:
//
//	OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026
//	OpenSSH_10.6p1 Debian-gssapi-1, OpenSSL 3.6.5 29 Sep 2026
//	OpenSSH_9.6p1 Ubuntu-3ubuntu13.14, OpenSSL 3.0.13 30 Jan 2024
//	OpenSSH_for_Windows_8.1p1, LibreSSL 3.0.1
//
// The vendors are debian, ubuntu, raspbian, windows and apple. If a name has no revision,
// the newest known package is assumed. Apple's ssh -V does not name the vendor.
func ParseProfile(name string) (Profile, error) {
	if name == "newest" {
		return Profile{}, nil
	}
	s := strings.TrimPrefix(strings.TrimSpace(name), "OpenSSH_")
	var p Profile
	if rest, ok := strings.CutPrefix(s, "for_Windows_"); ok {
		s, p.vendor = rest, "windows"
	}
	end := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' && r != 'p' })
	number, rest := s, ""
	if end >= 0 {
		number, rest = s[:end], s[end:]
	}
	number, patch, hasPatch := strings.Cut(number, "p")
	major, minor, ok := strings.Cut(number, ".")
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(minor)
	c := 1
	var errC error
	if hasPatch {
		c, errC = strconv.Atoi(patch)
	}
	if !ok || errA != nil || errB != nil || errC != nil || a < 1 || a > maxNumber || b < 0 || b > maxNumber || c < 0 || c > maxNumber {
		return Profile{}, errs.Errorf("%q does not name a version of OpenSSH: write 10.5, 9.9p2 or 9.2p1-debian", clip(name))
	}
	if !hasPatch && a == 9 && b == 9 {
		c = 2
	}
	p.version = a*10000 + b*100 + c
	if rest != "" && strings.IndexByte("- \t", rest[0]) >= 0 {
		p.vendor, p.revision = parseVendor(rest[1:], p.vendor)
	}
	return p, nil
}

// parseVendor reads the vendor and the revision that follow a version.
func parseVendor(s, vendor string) (string, string) {
	if end := strings.IndexAny(s, ", \t\r\n"); end >= 0 {
		s = s[:end]
	}
	word, revision, _ := strings.Cut(s, "-")
	for _, v := range vendors {
		if equalFold(word, v.word) {
			const limit = 60 // no package has a longer revision
			if len(revision) > limit || strings.IndexFunc(revision, unlikely) >= 0 {
				revision = ""
			}
			return v.word, revision
		}
	}
	return vendor, ""
}

// unlikely reports whether a character is in no revision of a package.
func unlikely(r rune) bool {
	return r >= 0x80 || !alpha(byte(r)) && !digit(byte(r)) && strings.IndexByte("+.~-:", byte(r)) < 0
}

// clip shortens a text for an error.
func clip(s string) string {
	const limit = 200
	if len(s) > limit {
		return s[:limit] + "..."
	}
	return s
}

// ProfileFromG returns a profile like base whose defaults are those that a client printed
// for ssh -G -F none HOST. Lines that depend on the user or the host are ignored. home is
// the home directory of the user who ran the client; it is replaced by ~. The profile has
// the name of base, and two results of ProfileFromG are never equal.
func ProfileFromG(base Profile, home string, text string) Profile {
	b := *base.build()
	b.defaults = [opCount][]string{}
	b.algs = maps.Clone(b.algs)
	b.read(text, home)
	base.own = &b
	return base
}

// String returns the name of the profile, which [ParseProfile] reads: the version, with
// -debian for Debian's builds, or "newest" for the zero Profile.
func (p Profile) String() string {
	if p == (Profile{}) {
		return "newest"
	}
	return p.build().name
}

// MarshalText returns the name of the profile. It fails for a profile that [ProfileFromG]
// returned, because the name does not include the defaults.
func (p Profile) MarshalText() ([]byte, error) {
	if p.own != nil {
		return nil, errs.Errorf("encode profile %s: it has the defaults of one client", p)
	}
	return []byte(p.String()), nil
}

// UnmarshalText sets the profile to the one with the given name; see [ParseProfile].
func (p *Profile) UnmarshalText(name []byte) error {
	q, err := ParseProfile(string(name))
	if err == nil {
		*p = q
	}
	return err
}

// Version returns major*10000 + minor*100 + patch: 90201 is 9.2p1.
func (p Profile) Version() int { return p.build().version }

// Knows reports whether the client supports a keyword, in upper or lower case. A keyword that
// the client ignores or reports as unsupported counts as known.
func (p Profile) Knows(keyword string) bool {
	_, ok := p.build().keyword[lower(keyword)]
	return ok
}

// builds contains the tables of the builds that were asked for.
var builds struct {
	sync.Mutex
	known map[Profile]*build
}

// maxBuilds limits the memory that the tables take.
const maxBuilds = 64

func (p Profile) build() *build {
	switch {
	case p.own != nil:
		return p.own
	case p.version == 0:
		p = Newest()
	}
	builds.Lock()
	defer builds.Unlock()
	b := builds.known[p]
	if b == nil {
		if b = newBuild(p); builds.known == nil || len(builds.known) >= maxBuilds {
			builds.known = map[Profile]*build{}
		}
		builds.known[p] = b
	}
	return b
}

func newBuild(q Profile) *build {
	p := &build{version: q.version, vendor: q.vendor, update: updateOf(q.revision), algs: map[string][]string{}}
	for _, v := range vendors {
		p.debian = p.debian || v.word == q.vendor && v.debian
	}
	p.apple = q.vendor == "apple"
	p.gssapi = p.debian && hasGSSAPI(q.version, q.vendor, q.revision)
	p.name = fmt.Sprintf("%d.%dp%d", q.version/10000, q.version/100%100, q.version%100)
	for _, part := range []string{q.vendor, q.revision} {
		if part != "" {
			p.name += "-" + part
		}
	}
	p.keyword = meanings(p)
	p.prints = printOrder(p)
	record := nearest(q.version, p.debian)
	p.load(record)
	p.derive(record)
	return p
}

// load takes the defaults of a record.
func (p *build) load(r release) {
	text, err := recorded.ReadFile("profiles/" + r.file + ".txt")
	if err != nil {
		text = nil // a name of the table above: it is embedded
	}
	p.read(string(text), "")
}

// derive fills in what a record lacks: options that are newer than the record, from the
// next newer record of the family, and what Debian's builds with GSSAPI print.
func (p *build) derive(r release) {
	if r.version < p.version {
		for _, newer := range releases {
			if newer.debian != r.debian || newer.version <= p.version {
				continue
			}
			next := &build{version: newer.version, debian: newer.debian, gssapi: p.gssapi, algs: map[string][]string{}}
			next.keyword = meanings(next)
			next.load(newer)
			for _, k := range keywords {
				if k.gate.since > r.version && k.gate.allows(p) && len(p.defaults[k.op]) == 0 {
					p.defaults[k.op] = next.defaults[k.op]
				}
			}
			break
		}
	}
	if !p.gssapi || len(p.defaults[opGSSAPIKexAlgorithms]) > 0 {
		return
	}
	for o, v := range gssapiDefaults {
		p.defaults[o] = []string{v}
	}
}

// gssapiDefaults are the values that openssh-client-gssapi 1:10.6p1-1 prints. The ordinary package of
// that release has no GSSAPI.
var gssapiDefaults = map[op]string{
	opGSSAPIAuthentication: "no", opGSSAPIKeyExchange: "no", opGSSAPIDelegateCredentials: "no", opGSSAPITrustDNS: "no",
	opGSSAPIRenewalForcesRekey: "no",
	opGSSAPIKexAlgorithms:      "gss-group14-sha256-,gss-group16-sha512-,gss-nistp256-sha256-,gss-curve25519-sha256-",
}

// nearest returns the record that a version takes its defaults from: the newest one of
// the family that is not newer than the version, else the oldest.
func nearest(version int, debian bool) release {
	var best release
	for _, r := range releases {
		if r.debian == debian && (best.file == "" || r.version <= version) {
			best = r
		}
	}
	return best
}

// read takes defaults and names of algorithms from a record.
func (p *build) read(text, home string) {
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		if home != "" && home != "/" {
			value = strings.ReplaceAll(value, home+"/", "~/")
		}
		switch {
		case key == "" || key[0] == '#':
		case key[0] == '@':
			p.algs[key[1:]] = strings.Split(value, ",")
		default:
			o := p.keyword[lower(key)]
			if o == opBad || o == opHost || o == opUser || o == opHostname || o == opProxyCommand || o == opProxyJump {
				continue
			}
			p.defaults[o] = append(p.defaults[o], value)
		}
	}
}

func (p *build) at(version int) bool { return p.version >= version }

// Differences between builds that the code asks for by name.

// splitsArguments: since 8.7 a line is split into arguments before it is read.
func (p *build) splitsArguments() bool { return p.at(80700) }

// checksJump: the hops of a jump list are read by the rules of 10.3.
func (p *build) checksJump() bool { return p.has(jumpRules) }

// matchTakesEqual: Match reads arguments, and attr=value (9.9p2).
func (p *build) matchTakesEqual() bool { return p.at(90902) }

// listsAreWhole: a list option reads its whole line before it takes effect, and an
// empty one is fatal (9.7).
func (p *build) listsAreWhole() bool { return p.at(90700) }

// hashesJump: %j exists and is part of %C (9.6).
func (p *build) hashesJump() bool { return p.at(90600) }

// cutsAtBlank: the comment cutter of ProxyJump ends a value at its first blank (until
// 10.1).
func (p *build) cutsAtBlank() bool { return p.at(80700) && !p.at(100200) }

// printOrder is the order in which -G prints the options of a build.
func printOrder(p *build) []op {
	var list []op
	for _, o := range dumpOrder {
		name := lower(options[o].name)
		switch o {
		case opHostbasedAcceptedAlgorithms, opPubkeyAcceptedAlgorithms:
		case opChallengeResponseAuthentication:
			if p.at(80700) {
				continue
			}
		case opHost:
			if !p.at(90200) {
				continue
			}
		case opGSSAPIAuthentication, opGSSAPIDelegateCredentials:
			if !p.gssapi {
				continue
			}
		default:
			if m, ok := p.keyword[name]; !ok || m != o {
				continue
			}
		}
		list = append(list, o)
	}
	if !p.at(100300) { // a single string until 10.2, printed among the strings
		i := slices.Index(list, opRevokedHostKeys)
		list = slices.Delete(list, i, i+1)
		list = slices.Insert(list, slices.Index(list, opPubkeyAcceptedAlgorithms)+1, opRevokedHostKeys)
	}
	return list
}

// printName is the key that -G prints.
func (p *build) printName(o op) string {
	switch {
	case o == opCanonicalizePermittedCNAMEs && !p.has(smallLetters):
		return "canonicalizePermittedcnames"
	case o == opPubkeyAcceptedAlgorithms && !p.at(80500):
		return "pubkeyacceptedkeytypes"
	case o == opHostbasedAcceptedAlgorithms && !p.at(80500):
		return "hostbasedkeytypes"
	case o == opHostbasedAcceptedAlgorithms && !p.at(80700):
		return "hostbasedalgorithms"
	}
	return lowerNames[o]
}

var lowerNames = func() (names [opCount]string) {
	for o, d := range options {
		names[o] = lower(d.name)
	}
	return names
}()

// dumpOrder is the order of 10.5; older clients print it without what they lack.
var dumpOrder = []op{
	opHost, opUser, opHostname, opPort, opAddressFamily, opBatchMode, opCanonicalizeFallbackLocal, opCanonicalizeHostname,
	opChallengeResponseAuthentication, opCheckHostIP, opCompression, opControlMaster, opEnableSSHKeysign, opClearAllForwardings,
	opExitOnForwardFailure, opFingerprintHash, opForwardX11, opForwardX11Trusted, opGatewayPorts, opGSSAPIAuthentication,
	opGSSAPIKeyExchange, opGSSAPIDelegateCredentials, opGSSAPITrustDNS, opGSSAPIRenewalForcesRekey, opGSSAPIClientIdentity,
	opGSSAPIServerIdentity, opGSSAPIKexAlgorithms, opHashKnownHosts, opHostbasedAuthentication, opIdentitiesOnly,
	opKbdInteractiveAuthentication, opNoHostAuthenticationForLocalhost, opPasswordAuthentication, opPermitLocalCommand,
	opProxyUseFdpass, opPubkeyAuthentication, opRequestTTY, opSessionType, opStdinNull, opForkAfterAuthentication,
	opStreamLocalBindUnlink, opStrictHostKeyChecking, opTCPKeepAlive, opTunnel, opVerifyHostKeyDNS, opVisualHostKey,
	opUpdateHostKeys, opEnableEscapeCommandline, opWarnWeakCrypto, opCanonicalizeMaxDots, opConnectionAttempts,
	opForwardX11Timeout, opNumberOfPasswordPrompts, opServerAliveCountMax, opServerAliveInterval, opRequiredRSASize,
	opObscureKeystrokeTiming, opBindAddress, opBindInterface, opCiphers, opControlPath, opHostKeyAlgorithms, opHostKeyAlias,
	opHostbasedAcceptedAlgorithms, opIdentityAgent, opIgnoreUnknown, opKbdInteractiveDevices, opKexAlgorithms,
	opCASignatureAlgorithms, opLocalCommand, opRemoteCommand, opLogLevel, opMACs, opPKCS11Provider, opSecurityKeyProvider,
	opPreferredAuthentications, opPubkeyAcceptedAlgorithms, opXAuthLocation, opKnownHostsCommand, opTag, opVersionAddendum,
	opDynamicForward, opLocalForward, opRemoteForward, opIdentityFile, opCanonicalDomains, opCertificateFile,
	opGlobalKnownHostsFile, opUserKnownHostsFile, opRevokedHostKeys, opSendEnv, opSetEnv, opLogVerbose, opChannelTimeout,
	opPermitRemoteOpen, opAddKeysToAgent, opForwardAgent, opConnectTimeout, opTunnelDevice, opCanonicalizePermittedCNAMEs,
	opControlPersist, opEscapeChar, opIPQoS, opRekeyLimit, opStreamLocalBindMask, opSyslogFacility,
	// After these comes proxyjump if a jump is set, else proxycommand if one is set.
}
