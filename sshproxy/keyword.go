package sshproxy

// op is what a keyword means. Several keywords may mean the same.
type op uint8

const (
	opBad op = iota // no client knows the keyword
	opHost
	opMatch
	opInclude
	opIgnored     // accepted, means nothing
	opDeprecated  // accepted with a debug message
	opUnsupported // accepted with a message on stderr

	// Options that -G prints, in no particular order.
	opAddKeysToAgent
	opAddressFamily
	opBatchMode
	opBindAddress
	opBindInterface
	opCASignatureAlgorithms
	opCanonicalDomains
	opCanonicalizeFallbackLocal
	opCanonicalizeHostname
	opCanonicalizeMaxDots
	opCanonicalizePermittedCNAMEs
	opCertificateFile
	opChallengeResponseAuthentication // until 8.6; later an alias
	opChannelTimeout
	opCheckHostIP
	opCiphers
	opClearAllForwardings
	opCompression
	opConnectTimeout
	opConnectionAttempts
	opControlMaster
	opControlPath
	opControlPersist
	opDynamicForward
	opEnableEscapeCommandline
	opEnableSSHKeysign
	opEscapeChar
	opExitOnForwardFailure
	opFingerprintHash
	opForkAfterAuthentication
	opForwardAgent
	opForwardX11
	opForwardX11Timeout
	opForwardX11Trusted
	opGSSAPIAuthentication
	opGSSAPIClientIdentity
	opGSSAPIDelegateCredentials
	opGSSAPIKexAlgorithms
	opGSSAPIKeyExchange
	opGSSAPIRenewalForcesRekey
	opGSSAPIServerIdentity
	opGSSAPITrustDNS
	opGatewayPorts
	opGlobalKnownHostsFile
	opHashKnownHosts
	opHostKeyAlgorithms
	opHostKeyAlias
	opHostbasedAcceptedAlgorithms
	opHostbasedAuthentication
	opHostname
	opIPQoS
	opIdentitiesOnly
	opIdentityAgent
	opIdentityFile
	opIgnoreUnknown
	opKbdInteractiveAuthentication
	opKbdInteractiveDevices
	opKexAlgorithms
	opKnownHostsCommand
	opLocalCommand
	opLocalForward
	opLogLevel
	opLogVerbose
	opMACs
	opNoHostAuthenticationForLocalhost
	opNumberOfPasswordPrompts
	opObscureKeystrokeTiming
	opPKCS11Provider
	opPasswordAuthentication
	opPermitLocalCommand
	opPermitRemoteOpen
	opPort
	opPreferredAuthentications
	opProxyCommand
	opProxyJump
	opProxyUseFdpass
	opPubkeyAcceptedAlgorithms
	opPubkeyAuthentication
	opRefuseConnection
	opRekeyLimit
	opRemoteCommand
	opRemoteForward
	opRequestTTY
	opRequiredRSASize
	opRevokedHostKeys
	opSecurityKeyProvider
	opSendEnv
	opServerAliveCountMax
	opServerAliveInterval
	opSessionType
	opSetEnv
	opStdinNull
	opStreamLocalBindMask
	opStreamLocalBindUnlink
	opStrictHostKeyChecking
	opSyslogFacility
	opTCPKeepAlive
	opTag
	opTunnel
	opTunnelDevice
	opUpdateHostKeys
	opUser
	opUserKnownHostsFile
	opVerifyHostKeyDNS
	opVersionAddendum
	opVisualHostKey
	opWarnWeakCrypto
	opXAuthLocation

	// Second values that one line may set apart from its first.
	opForwardAgentPath
	opRekeyInterval

	opCount
)

// kind says how the arguments of an option are read.
type kind uint8

const (
	kindSpecial kind = iota // by a function of its own
	kindFlag                // yes or no
	kindStates              // one of the words of a table
	kindTime
	kindInt
	kindString
	kindCommand // the raw rest of the line
	kindKeys    // key algorithms
	kindPaths   // list of files, the first line wins as a whole
)

// gate limits a keyword to builds. Versions are as in [Profile.Version].
type gate struct {
	since, until int  // first version that knows it; first that does not
	debian       bool // only in Debian's builds
	gssapi       bool // unsupported where GSSAPI is compiled out
	apple        bool // only in Apple's builds
}

// keyword is one spelling.
type keyword struct {
	name string // in the case of the manual
	op   op
	gate gate
}

// option describes an op that carries a value.
type option struct {
	name   string // the spelling of the manual
	kind   kind
	states []choice
}

// choice is a word of an option with few values, and what -G prints for it.
type choice struct{ word, prints string }

var (
	flagStates = []choice{{"true", "yes"}, {"false", "no"}, {"yes", "yes"}, {"no", "no"}}
	askStates  = []choice{{"true", "true"}, {"false", "false"}, {"yes", "true"}, {"no", "false"}, {"ask", "ask"}}
	// keepAliveWords are the values of TCPKeepAlive since 10.6.
	keepAliveWords = []choice{{"true", "true"}, {"yes", "true"}, {"transport", "true"}, {"all", "all"}, {"false", "false"}, {"no", "false"}}
	agentStates    = append(askStates[:len(askStates):len(askStates)], choice{"confirm", "confirm"})
)

// options are indexed by op.
var options = [opCount]option{
	opAddKeysToAgent:                   {"AddKeysToAgent", kindSpecial, agentStates},
	opAddressFamily:                    {"AddressFamily", kindStates, []choice{{"inet", "inet"}, {"inet6", "inet6"}, {"any", "any"}}},
	opBatchMode:                        {"BatchMode", kindFlag, flagStates},
	opBindAddress:                      {"BindAddress", kindString, nil},
	opBindInterface:                    {"BindInterface", kindString, nil},
	opCASignatureAlgorithms:            {"CASignatureAlgorithms", kindKeys, nil},
	opCanonicalDomains:                 {"CanonicalDomains", kindSpecial, nil},
	opCanonicalizeFallbackLocal:        {"CanonicalizeFallbackLocal", kindFlag, flagStates},
	opCanonicalizeHostname:             {"CanonicalizeHostname", kindStates, []choice{{"true", "true"}, {"false", "false"}, {"yes", "true"}, {"no", "false"}, {"always", "always"}}},
	opCanonicalizeMaxDots:              {"CanonicalizeMaxDots", kindInt, nil},
	opCanonicalizePermittedCNAMEs:      {"CanonicalizePermittedCNAMEs", kindSpecial, nil},
	opCertificateFile:                  {"CertificateFile", kindSpecial, nil},
	opChallengeResponseAuthentication:  {"ChallengeResponseAuthentication", kindFlag, flagStates},
	opChannelTimeout:                   {"ChannelTimeout", kindSpecial, nil},
	opCheckHostIP:                      {"CheckHostIP", kindFlag, flagStates},
	opCiphers:                          {"Ciphers", kindSpecial, nil},
	opClearAllForwardings:              {"ClearAllForwardings", kindFlag, flagStates},
	opCompression:                      {"Compression", kindStates, []choice{{"yes", "yes"}, {"no", "no"}}},
	opConnectTimeout:                   {"ConnectTimeout", kindTime, nil},
	opConnectionAttempts:               {"ConnectionAttempts", kindInt, nil},
	opControlMaster:                    {"ControlMaster", kindStates, []choice{{"true", "true"}, {"yes", "true"}, {"false", "false"}, {"no", "false"}, {"auto", "auto"}, {"ask", "ask"}, {"autoask", "autoask"}}},
	opControlPath:                      {"ControlPath", kindString, nil},
	opControlPersist:                   {"ControlPersist", kindSpecial, nil},
	opDynamicForward:                   {"DynamicForward", kindSpecial, nil},
	opEnableEscapeCommandline:          {"EnableEscapeCommandline", kindFlag, flagStates},
	opEnableSSHKeysign:                 {"EnableSSHKeysign", kindFlag, flagStates},
	opEscapeChar:                       {"EscapeChar", kindSpecial, nil},
	opExitOnForwardFailure:             {"ExitOnForwardFailure", kindFlag, flagStates},
	opFingerprintHash:                  {"FingerprintHash", kindSpecial, []choice{{"md5", "MD5"}, {"sha1", "SHA1"}, {"sha256", "SHA256"}, {"sha384", "SHA384"}, {"sha512", "SHA512"}}},
	opForkAfterAuthentication:          {"ForkAfterAuthentication", kindFlag, flagStates},
	opForwardAgent:                     {"ForwardAgent", kindSpecial, flagStates},
	opForwardX11:                       {"ForwardX11", kindFlag, flagStates},
	opForwardX11Timeout:                {"ForwardX11Timeout", kindTime, nil},
	opForwardX11Trusted:                {"ForwardX11Trusted", kindFlag, flagStates},
	opGSSAPIAuthentication:             {"GSSAPIAuthentication", kindFlag, flagStates},
	opGSSAPIClientIdentity:             {"GSSAPIClientIdentity", kindString, nil},
	opGSSAPIDelegateCredentials:        {"GSSAPIDelegateCredentials", kindFlag, flagStates},
	opGSSAPIKexAlgorithms:              {"GSSAPIKexAlgorithms", kindSpecial, nil},
	opGSSAPIKeyExchange:                {"GSSAPIKeyExchange", kindFlag, flagStates},
	opGSSAPIRenewalForcesRekey:         {"GSSAPIRenewalForcesRekey", kindFlag, flagStates},
	opGSSAPIServerIdentity:             {"GSSAPIServerIdentity", kindString, nil},
	opGSSAPITrustDNS:                   {"GSSAPITrustDNS", kindFlag, flagStates},
	opGatewayPorts:                     {"GatewayPorts", kindFlag, flagStates},
	opGlobalKnownHostsFile:             {"GlobalKnownHostsFile", kindPaths, nil},
	opHashKnownHosts:                   {"HashKnownHosts", kindFlag, flagStates},
	opHostKeyAlgorithms:                {"HostKeyAlgorithms", kindKeys, nil},
	opHostKeyAlias:                     {"HostKeyAlias", kindString, nil},
	opHostbasedAcceptedAlgorithms:      {"HostbasedAcceptedAlgorithms", kindKeys, nil},
	opHostbasedAuthentication:          {"HostbasedAuthentication", kindFlag, flagStates},
	opHostname:                         {"HostName", kindString, nil},
	opIPQoS:                            {"IPQoS", kindSpecial, nil},
	opIdentitiesOnly:                   {"IdentitiesOnly", kindFlag, flagStates},
	opIdentityAgent:                    {"IdentityAgent", kindSpecial, nil},
	opIdentityFile:                     {"IdentityFile", kindSpecial, nil},
	opIgnoreUnknown:                    {"IgnoreUnknown", kindString, nil},
	opKbdInteractiveAuthentication:     {"KbdInteractiveAuthentication", kindFlag, flagStates},
	opKbdInteractiveDevices:            {"KbdInteractiveDevices", kindString, nil},
	opKexAlgorithms:                    {"KexAlgorithms", kindSpecial, nil},
	opKnownHostsCommand:                {"KnownHostsCommand", kindCommand, nil},
	opLocalCommand:                     {"LocalCommand", kindCommand, nil},
	opLocalForward:                     {"LocalForward", kindSpecial, nil},
	opLogLevel:                         {"LogLevel", kindSpecial, nil},
	opLogVerbose:                       {"LogVerbose", kindSpecial, nil},
	opMACs:                             {"MACs", kindSpecial, nil},
	opNoHostAuthenticationForLocalhost: {"NoHostAuthenticationForLocalhost", kindFlag, flagStates},
	opNumberOfPasswordPrompts:          {"NumberOfPasswordPrompts", kindInt, nil},
	opObscureKeystrokeTiming:           {"ObscureKeystrokeTiming", kindSpecial, nil},
	opPKCS11Provider:                   {"PKCS11Provider", kindString, nil},
	opPasswordAuthentication:           {"PasswordAuthentication", kindFlag, flagStates},
	opPermitLocalCommand:               {"PermitLocalCommand", kindFlag, flagStates},
	opPermitRemoteOpen:                 {"PermitRemoteOpen", kindSpecial, nil},
	opPort:                             {"Port", kindSpecial, nil},
	opPreferredAuthentications:         {"PreferredAuthentications", kindString, nil},
	opProxyCommand:                     {"ProxyCommand", kindCommand, nil},
	opProxyJump:                        {"ProxyJump", kindSpecial, nil},
	opProxyUseFdpass:                   {"ProxyUseFdpass", kindFlag, flagStates},
	opPubkeyAcceptedAlgorithms:         {"PubkeyAcceptedAlgorithms", kindKeys, nil},
	opPubkeyAuthentication:             {"PubkeyAuthentication", kindStates, []choice{{"true", "true"}, {"false", "false"}, {"yes", "true"}, {"no", "false"}, {"unbound", "unbound"}, {"host-bound", "host-bound"}}},
	opRefuseConnection:                 {"RefuseConnection", kindSpecial, nil},
	opRekeyLimit:                       {"RekeyLimit", kindSpecial, nil},
	opRemoteCommand:                    {"RemoteCommand", kindCommand, nil},
	opRemoteForward:                    {"RemoteForward", kindSpecial, nil},
	opRequestTTY:                       {"RequestTTY", kindStates, []choice{{"true", "true"}, {"yes", "true"}, {"false", "false"}, {"no", "false"}, {"force", "force"}, {"auto", "auto"}}},
	opRequiredRSASize:                  {"RequiredRSASize", kindInt, nil},
	opRevokedHostKeys:                  {"RevokedHostKeys", kindSpecial, nil},
	opSecurityKeyProvider:              {"SecurityKeyProvider", kindString, nil},
	opSendEnv:                          {"SendEnv", kindSpecial, nil},
	opServerAliveCountMax:              {"ServerAliveCountMax", kindInt, nil},
	opServerAliveInterval:              {"ServerAliveInterval", kindTime, nil},
	opSessionType:                      {"SessionType", kindStates, []choice{{"none", "none"}, {"subsystem", "subsystem"}, {"default", "default"}}},
	opSetEnv:                           {"SetEnv", kindSpecial, nil},
	opStdinNull:                        {"StdinNull", kindFlag, flagStates},
	opStreamLocalBindMask:              {"StreamLocalBindMask", kindSpecial, nil},
	opStreamLocalBindUnlink:            {"StreamLocalBindUnlink", kindFlag, flagStates},
	opStrictHostKeyChecking:            {"StrictHostKeyChecking", kindStates, []choice{{"true", "true"}, {"false", "false"}, {"yes", "true"}, {"no", "false"}, {"ask", "ask"}, {"off", "false"}, {"accept-new", "accept-new"}}},
	opSyslogFacility:                   {"SyslogFacility", kindSpecial, nil},
	opTCPKeepAlive:                     {"TCPKeepAlive", kindFlag, flagStates},
	opTag:                              {"Tag", kindString, nil},
	opTunnel:                           {"Tunnel", kindStates, []choice{{"ethernet", "ethernet"}, {"point-to-point", "point-to-point"}, {"true", "point-to-point"}, {"yes", "point-to-point"}, {"false", "false"}, {"no", "false"}}},
	opTunnelDevice:                     {"TunnelDevice", kindSpecial, nil},
	opUpdateHostKeys:                   {"UpdateHostKeys", kindStates, askStates},
	opUser:                             {"User", kindString, nil},
	opUserKnownHostsFile:               {"UserKnownHostsFile", kindPaths, nil},
	opVerifyHostKeyDNS:                 {"VerifyHostKeyDNS", kindStates, askStates},
	opVersionAddendum:                  {"VersionAddendum", kindSpecial, nil},
	opVisualHostKey:                    {"VisualHostKey", kindFlag, flagStates},
	opWarnWeakCrypto:                   {"WarnWeakCrypto", kindStates, []choice{{"true", "yes"}, {"false", "no"}, {"yes", "yes"}, {"no", "no"}, {"no-pq-kex", "no"}}},
	opXAuthLocation:                    {"XAuthLocation", kindString, nil},
	opHost:                             {"Host", kindSpecial, nil},
	opMatch:                            {"Match", kindSpecial, nil},
	opInclude:                          {"Include", kindSpecial, nil},
	opForwardAgentPath:                 {"ForwardAgent", kindSpecial, nil},
	opRekeyInterval:                    {"RekeyLimit", kindSpecial, nil},
}

// keywords are the spellings beside those of options: aliases, the obsolete, and
// those that only some versions or builds know. A spelling that is in options and
// not here is known to every version that this package speaks of.
var keywords = []keyword{
	{"Protocol", opIgnored, gate{}},
	{"UseKeychain", opIgnored, gate{apple: true}},
	{"Cipher", opDeprecated, gate{}},
	{"FallBackToRsh", opDeprecated, gate{}},
	{"GlobalKnownHostsFile2", opDeprecated, gate{}},
	{"RhostsAuthentication", opDeprecated, gate{}},
	{"UseBlacklistedKeys", opDeprecated, gate{debian: true}},
	{"UserKnownHostsFile2", opDeprecated, gate{}},
	{"UseRoaming", opDeprecated, gate{}},
	{"UseRsh", opDeprecated, gate{}},
	{"UsePrivilegedPort", opDeprecated, gate{}},
	{"AFSTokenPassing", opUnsupported, gate{}},
	{"KerberosAuthentication", opUnsupported, gate{}},
	{"KerberosTGTPassing", opUnsupported, gate{}},
	{"RSAAuthentication", opUnsupported, gate{}},
	{"RhostsRSAAuthentication", opUnsupported, gate{}},
	{"CompressionLevel", opUnsupported, gate{}},
	{"GSSAPIAuthentication", opGSSAPIAuthentication, gate{gssapi: true}},
	{"GSSAPIDelegateCredentials", opGSSAPIDelegateCredentials, gate{gssapi: true}},
	{"GSSAPIKeyExchange", opGSSAPIKeyExchange, gate{debian: true, gssapi: true}},
	{"GSSAPITrustDNS", opGSSAPITrustDNS, gate{debian: true, gssapi: true}},
	{"GSSAPIClientIdentity", opGSSAPIClientIdentity, gate{debian: true, gssapi: true}},
	{"GSSAPIServerIdentity", opGSSAPIServerIdentity, gate{debian: true, gssapi: true}},
	{"GSSAPIRenewalForcesRekey", opGSSAPIRenewalForcesRekey, gate{debian: true, gssapi: true}},
	{"GSSAPIKexAlgorithms", opGSSAPIKexAlgorithms, gate{debian: true, gssapi: true}},
	{"SmartcardDevice", opPKCS11Provider, gate{}},
	{"ChallengeResponseAuthentication", opChallengeResponseAuthentication, gate{until: 80700}},
	{"SkeyAuthentication", opChallengeResponseAuthentication, gate{until: 80700}},
	{"TISAuthentication", opChallengeResponseAuthentication, gate{until: 80700}},
	{"ChallengeResponseAuthentication", opKbdInteractiveAuthentication, gate{since: 80700}},
	{"SkeyAuthentication", opKbdInteractiveAuthentication, gate{since: 80700}},
	{"TISAuthentication", opKbdInteractiveAuthentication, gate{since: 80700}},
	{"DSAAuthentication", opPubkeyAuthentication, gate{}},
	{"IdentityFile2", opIdentityFile, gate{}},
	{"KeepAlive", opTCPKeepAlive, gate{}},
	{"ProtocolKeepAlives", opServerAliveInterval, gate{debian: true}},
	{"SetupTimeOut", opServerAliveInterval, gate{debian: true}},
	{"HostbasedKeyTypes", opHostbasedAcceptedAlgorithms, gate{}},
	{"PubkeyAcceptedKeyTypes", opPubkeyAcceptedAlgorithms, gate{}},
	{"HostbasedAcceptedAlgorithms", opHostbasedAcceptedAlgorithms, gate{since: 80700}},
	{"PubkeyAcceptedAlgorithms", opPubkeyAcceptedAlgorithms, gate{since: 80500}},
	{"HostbasedAlgorithms", opHostbasedAcceptedAlgorithms, gate{since: 80500, until: 80700}},
	{"PermitRemoteOpen", opPermitRemoteOpen, gate{since: 80500}},
	{"LogVerbose", opLogVerbose, gate{since: 80500}},
	{"KnownHostsCommand", opKnownHostsCommand, gate{since: 80500}},
	{"SessionType", opSessionType, gate{since: 80700}},
	{"StdinNull", opStdinNull, gate{since: 80700}},
	{"ForkAfterAuthentication", opForkAfterAuthentication, gate{since: 80700}},
	{"RequiredRSASize", opRequiredRSASize, gate{since: 90100}},
	{"EnableEscapeCommandline", opEnableEscapeCommandline, gate{since: 90200}},
	{"Tag", opTag, gate{since: 90400}},
	{"ObscureKeystrokeTiming", opObscureKeystrokeTiming, gate{since: 90500}},
	{"ChannelTimeout", opChannelTimeout, gate{since: 90600}},
	{"VersionAddendum", opVersionAddendum, gate{since: 100000}},
	{"RefuseConnection", opRefuseConnection, gate{since: 100100}},
	{"WarnWeakCrypto", opWarnWeakCrypto, gate{since: 100100}},
}

// allows reports whether a build knows a keyword.
func (g gate) allows(p *build) bool {
	return p.version >= g.since && (g.until == 0 || p.version < g.until) && (!g.debian || p.debian && (!g.gssapi || p.gssapi)) && (!g.apple || p.apple)
}

// meanings maps the lower-case spelling of a keyword to what it means for one
// build.
func meanings(p *build) map[string]op {
	m := make(map[string]op, len(options)+len(keywords))
	gated := map[string]bool{}
	for _, k := range keywords {
		name := lower(k.name)
		gated[name] = true
		switch {
		case !k.gate.allows(p):
		case k.gate.gssapi && !p.gssapi:
			m[name] = opUnsupported
		default:
			m[name] = k.op
		}
	}
	for o, d := range options {
		name := lower(d.name)
		if name != "" && !gated[name] && op(o) < opForwardAgentPath {
			m[name] = op(o)
		}
	}
	return m
}
