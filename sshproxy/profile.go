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

// Profile identifies a build of the OpenSSH client: which keywords it knows, how it reads
// a line, and what it defaults to. Profiles are comparable. The zero Profile stands for
// [Newest].
type Profile struct {
	version int // major*10000 + minor*100 + patch; 0 means the newest
	debian  bool
	own     *build // of ProfileFromG
}

// build contains the tables of a build.
type build struct {
	name     string
	version  int
	debian   bool
	gssapi   bool
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
	{90201, true, "9.2p1-debian"},
	{90902, false, "9.9p2"},
	{100501, false, "10.5p1"},
}

// Newest returns the profile of the newest release that this package has a record of.
func Newest() Profile { return OpenSSH(10, 5) }

// Profiles returns the profiles of the builds that are recorded from real clients, oldest
// first.
func Profiles() []Profile {
	list := make([]Profile, len(releases))
	for i, r := range releases {
		list[i] = Profile{version: r.version, debian: r.debian}
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
// "9.2p1". Debian 12's 9.2p1 is recorded. Debian backports security patches, so its builds
// do not behave as the stock release of the same number.
func Debian(version string) (Profile, error) { return ParseProfile(version + "-debian") }

// ParseProfile returns the profile with the given name: "newest", a release such as "10.5"
// or "9.9p2", a build of Debian such as "9.2p1-debian", or what ssh -V prints:
// "OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026".
func ParseProfile(name string) (Profile, error) {
	if name == "newest" {
		return Profile{}, nil
	}
	s := strings.TrimPrefix(strings.TrimSpace(name), "OpenSSH_")
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
	if !ok || errA != nil || errB != nil || errC != nil || a < 1 || a > maxNumber || b > maxNumber || c > maxNumber {
		return Profile{}, errs.Errorf("%q does not name a version of OpenSSH: write 10.5, 9.9p2 or 9.2p1-debian", clip(name))
	}
	if !hasPatch && a == 9 && b == 9 {
		c = 2
	}
	low := strings.ToLower(rest)
	debian := strings.HasPrefix(low, "-debian") || strings.HasPrefix(low, " debian")
	return Profile{version: a*10000 + b*100 + c, debian: debian}, nil
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

// Knows reports whether the client knows a keyword, in upper or lower case. A keyword that
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
		if b = newBuild(p.version, p.debian); builds.known == nil || len(builds.known) >= maxBuilds {
			builds.known = map[Profile]*build{}
		}
		builds.known[p] = b
	}
	return b
}

func newBuild(version int, debian bool) *build {
	p := &build{version: version, debian: debian, gssapi: debian, algs: map[string][]string{}}
	p.name = fmt.Sprintf("%d.%dp%d", version/10000, version/100%100, version%100)
	if debian {
		p.name += "-debian"
	}
	p.keyword = meanings(p)
	text, err := recorded.ReadFile("profiles/" + nearest(version, debian).file + ".txt")
	if err != nil {
		text = nil // a name of the table above: it is embedded
	}
	p.prints = printOrder(p)
	p.read(string(text), "")
	return p
}

// nearest returns the record that a version takes its defaults from: the newest one
// not newer than it.
func nearest(version int, debian bool) release {
	best := releases[0]
	for _, r := range releases {
		if r.debian == debian && r.version <= version {
			best = r
		}
		if debian && r.debian {
			return r
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

// checksJump: the hops of a jump list are read by the rules of 10.3, which Debian
// has taken over.
func (p *build) checksJump() bool { return p.at(100300) || p.debian && p.at(90201) }

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
	case o == opCanonicalizePermittedCNAMEs:
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
