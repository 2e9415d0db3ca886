package dial

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"dougu.internal/sshproxy"
)

// treatment describes how a Dialer handles an option.
type treatment uint8

const (
	_ treatment = iota
	// obeyed: the Dialer does what ssh does, or the dial fails with the name of the option.
	obeyed
	// unused: the option offers one more way to log in, which the Dialer does not have.
	// Without it a login can fail, but none succeeds that ssh would refuse.
	unused
	// caller: the option is about the session or the forwards, which the caller opens.
	caller
	// apart: the option is about the ssh process, its terminal or its messages, or the
	// resolver has already applied it.
	apart
)

// treatments contains every option of the resolver. A test checks that.
var treatments = map[string]treatment{
	"AddressFamily": obeyed, "BatchMode": obeyed, "BindAddress": obeyed, "BindInterface": obeyed, "CASignatureAlgorithms": obeyed,
	"CertificateFile": obeyed, "CheckHostIP": obeyed, "Ciphers": obeyed, "ConnectTimeout": obeyed, "ConnectionAttempts": obeyed,
	"GlobalKnownHostsFile": obeyed, "HashKnownHosts": obeyed, "HostKeyAlgorithms": obeyed, "HostKeyAlias": obeyed,
	"IdentitiesOnly": obeyed, "IdentityAgent": obeyed, "IdentityFile": obeyed, "KbdInteractiveAuthentication": obeyed,
	"KexAlgorithms": obeyed, "KnownHostsCommand": obeyed, "MACs": obeyed, "NoHostAuthenticationForLocalhost": obeyed,
	"PasswordAuthentication": obeyed, "PreferredAuthentications": obeyed, "ProxyCommand": obeyed, "ProxyJump": obeyed,
	"ProxyUseFdpass": obeyed, "PubkeyAcceptedAlgorithms": obeyed, "PubkeyAuthentication": obeyed, "NumberOfPasswordPrompts": obeyed,
	"RequiredRSASize": obeyed, "RevokedHostKeys": obeyed, "ServerAliveCountMax": obeyed, "ServerAliveInterval": obeyed,
	"StrictHostKeyChecking": obeyed, "TCPKeepAlive": obeyed, "UserKnownHostsFile": obeyed,

	"ChallengeResponseAuthentication": unused, "EnableSSHKeysign": unused, "GSSAPIAuthentication": unused, "GSSAPIClientIdentity": unused,
	"GSSAPIDelegateCredentials": unused, "GSSAPIKexAlgorithms": unused, "GSSAPIKeyExchange": unused, "GSSAPIRenewalForcesRekey": unused,
	"GSSAPIServerIdentity": unused, "GSSAPITrustDNS": unused, "HostbasedAcceptedAlgorithms": unused, "HostbasedAuthentication": unused,
	"KbdInteractiveDevices": unused, "PKCS11Provider": unused, "SecurityKeyProvider": unused, "VerifyHostKeyDNS": unused,

	"ChannelTimeout": caller, "ClearAllForwardings": caller, "DynamicForward": caller, "ExitOnForwardFailure": caller, "ForwardAgent": caller,
	"ForwardX11": caller, "ForwardX11Timeout": caller, "ForwardX11Trusted": caller, "GatewayPorts": caller, "LocalForward": caller,
	"PermitRemoteOpen": caller, "RemoteCommand": caller, "RemoteForward": caller, "RequestTTY": caller, "SendEnv": caller,
	"SessionType": caller, "SetEnv": caller, "StdinNull": caller, "StreamLocalBindMask": caller, "StreamLocalBindUnlink": caller,
	"Tunnel": caller, "TunnelDevice": caller, "XAuthLocation": caller,

	"AddKeysToAgent": apart, "CanonicalDomains": apart, "CanonicalizeFallbackLocal": apart, "CanonicalizeHostname": apart,
	"CanonicalizeMaxDots": apart, "CanonicalizePermittedCNAMEs": apart, "Compression": apart, "ControlMaster": apart, "ControlPath": apart,
	"ControlPersist": apart, "EnableEscapeCommandline": apart, "EscapeChar": apart, "FingerprintHash": apart,
	"ForkAfterAuthentication": apart, "HostName": apart, "IPQoS": apart, "IgnoreUnknown": apart, "LocalCommand": apart, "LogLevel": apart,
	"LogVerbose": apart, "ObscureKeystrokeTiming": apart, "PermitLocalCommand": apart, "Port": apart, "RefuseConnection": apart,
	"RekeyLimit": apart, "SyslogFacility": apart, "Tag": apart, "UpdateHostKeys": apart, "User": apart, "VersionAddendum": apart,
	"VisualHostKey": apart, "WarnWeakCrypto": apart,
}

// settings reads the options of a hop. The first error is kept.
type settings struct {
	res *sshproxy.Result
	err error
}

// all returns the values of an option.
func (s *settings) all(option string) []string {
	values, err := s.res.Values(option)
	if err != nil && s.err == nil {
		s.err = &failure{option + ": " + bare(err), err}
	}
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.Text
	}
	return list
}

// one returns the first value of an option, or "".
func (s *settings) one(option string) string {
	if list := s.all(option); len(list) > 0 {
		return list[0]
	}
	return ""
}

// names returns the names of a list of algorithms, and the place that set it.
func (s *settings) names(option string) (list []string, place string) {
	values, err := s.res.Values(option)
	if err != nil && s.err == nil {
		s.err = &failure{option + ": " + bare(err), err}
	}
	if len(values) == 0 {
		return nil, ""
	}
	return strings.Split(values[0].Text, ","), values[0].Place
}

// negotiation sets the algorithms of a login that its Auth has not set. An option that
// leaves no algorithm fails the login.
func negotiation(config *ssh.ClientConfig, hop sshproxy.Hop) error {
	s := settings{res: hop.Result}
	good, weak := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	var err error
	set := func(to *[]string, option string, known ...[]string) {
		if len(*to) > 0 || err != nil {
			return
		}
		list, place := s.names(option)
		if len(list) == 0 {
			return
		}
		all := slices.Concat(known...)
		*to = slices.DeleteFunc(list, func(n string) bool { return !slices.Contains(all, n) })
		if len(*to) == 0 {
			err = noneLeft(option, place)
		}
	}
	set(&config.KeyExchanges, "KexAlgorithms", good.KeyExchanges, weak.KeyExchanges)
	set(&config.Ciphers, "Ciphers", good.Ciphers, weak.Ciphers)
	set(&config.HostKeyAlgorithms, "HostKeyAlgorithms", good.HostKeys, weak.HostKeys)
	if err != nil {
		return err
	}
	set(&config.MACs, "MACs", good.MACs, weak.MACs)
	if err != nil { // a cipher that authenticates needs no MAC
		ciphers := slices.DeleteFunc(slices.Clone(config.Ciphers), func(n string) bool {
			return !strings.Contains(n, "-gcm@") && !strings.HasPrefix(n, "chacha20-poly1305")
		})
		if len(ciphers) == 0 {
			return err
		}
		config.Ciphers = ciphers
	}
	return s.err
}

func noneLeft(option, place string) error {
	if place == "" {
		place = "default"
	}
	return fmt.Errorf("%s (%s) lists no algorithm that this package supports", option, place)
}

// loopback reports whether a host is an address of this machine's loopback interface.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
