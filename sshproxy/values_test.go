package sshproxy

import (
	"strings"
)

// value makes a value that is mostly good.
func (g *generator) value(o op) string {
	d := &options[o]
	switch d.kind {
	case kindFlag, kindStates:
		return g.quote(g.spellValue(d.states[g.IntN(len(d.states))].word))
	case kindTime:
		return pick(g, "0", "5", "30s", "1m", "1m30", "1h30m", "2d", "1w", "none", "90", "1M30S")
	case kindInt:
		return pick(g, "0", "1", "3", "007", "100", "12")
	case kindCommand:
		return pick(g, "nc %h %p", "none", "NONE", "nc -x proxy:3128 %h %p # kept", "ssh -W '[%h]:%p' b1", "\"/opt/my nc\" %h", "echo  a   b", "sh -c 'cd x; nc %h %p'", "%%h", "echo %n")
	case kindKeys:
		return pick(g, "ssh-ed25519", "+ssh-rsa", "-ssh-rsa*", "^ssh-ed25519", "ssh-ed25519,sk-ssh-ed25519@openssh.com", "ssh-*", "+ssh-ed25519*", "-nomatch", "*ed25519*")
	case kindPaths:
		return pick(g, "~/.ssh/known_hosts", "/dev/null", "none", "/k/%h", "/a /b", "~/kh %d/x", "\"/a b\" /c", "${HOSTS}x", "/k/%C")
	case kindString:
		return g.stringValue(o)
	}
	return g.specialValue(o)
}

func (g *generator) spellValue(s string) string {
	if g.chance(5) {
		return strings.ToUpper(s)
	}
	return s
}

func (g *generator) stringValue(o op) string {
	switch o {
	case opHostname:
		return pick(g, "10.77.1.2", "real.example", "%h.corp.example", "UPPER.example", "%h", "127.1", "2001:DB8::1", "web", "100%%", "db.corp.example")
	case opUser:
		return g.quote(pick(g, "root", "alice", "bob", "a b", "dom\\user", "%u", "%h-x"))
	case opIgnoreUnknown:
		return pick(g, "frob*", "*", "Frob*,x", "nothing", "!frob*,*")
	case opControlPath:
		return pick(g, "none", "~/.ssh/%C", "/tmp/%r@%h:%p", "${XDG_RUNTIME_DIR}/cm", "/tmp/%k-%n-%L", "NONE")
	case opHostKeyAlias:
		return pick(g, "Alias", "internal.prod", "x")
	case opTag:
		return pick(g, "x", "y")
	case opSecurityKeyProvider, opPKCS11Provider:
		return pick(g, "/lib/x.so", "none", "internal")
	case opKnownHostsCommand:
		return "/bin/x %H"
	}
	return g.quote(pick(g, "value", "a,b", "/usr/bin/x", "10.0.0.1"))
}

func (g *generator) jumpList() string {
	hop := func() string {
		return pick(g, "b1", "b2", "u@b1", "b1:2222", "u@b1:022", "[fe80::1]:22", "10.0.0.9", "10.0.0.9:22", "U@B:22", "[b]:44", "ssh://u@b3:4", "ssh://b", "ssh://a%20b@c", "h", "a.b-c_d")
	}
	list := []string{hop()}
	for g.chance(3) {
		list = append(list, hop())
	}
	return strings.Join(list, ",")
}

func (g *generator) specialValue(o op) string {
	switch o {
	case opPort:
		return g.quote(pick(g, "22", "2222", "022", "443", "65535", "1"))
	case opProxyJump:
		return pick(g, g.jumpList(), g.jumpList(), "none", "NONE")
	case opIdentityFile, opCertificateFile:
		return g.quote(pick(g, "~/.ssh/id_a", "~/.ssh/id_b", "/k/%h", "none", "/k/a", "%d/x"))
	case opIdentityAgent:
		return pick(g, "none", "SSH_AUTH_SOCK", "~/agent", "$A", "${A}/s", "/run/%u")
	case opForwardAgent:
		return pick(g, "yes", "no", "$A", "/run/agent", "~/a", "TRUE", "${B}x")
	case opLocalForward:
		return pick(g, "8080 h:80", "127.0.0.1:8081 [::1]:81", "*:8082 h:82", "/tmp/a /tmp/b", "8083 /tmp/c", "[::1]:8084 a:84", "8080 socks:1", "\"8085 x\" y:1", "/tmp/%h x:1", "8086:h:86 x", "${A}1 h:1")
	case opRemoteForward:
		return pick(g, "9091", "[::1]:9092 h:3", "0 h:80", "/tmp/r h:1", "9093 /tmp/%u", "b:9094", "8080 h:80")
	case opDynamicForward:
		return pick(g, "1080", "[::1]:1082", "127.0.0.1:1083", "*:1084", "h:1085")
	case opRekeyLimit:
		return pick(g, "1G 1h", "500K 90", "default none", "default", "1M", "16", "1.5M", "1G none", "default 5m", "4g 1H")
	case opCiphers:
		return pick(g, "aes128-ctr", "+aes128-cbc", "-chacha20*", "^aes256-ctr", "aes256-ctr,aes128-ctr", "-nomatch", "aes128-ctr,,x", "+aes128-ctr,aes192-ctr")
	case opMACs:
		return pick(g, "hmac-sha2-256", "-hmac-sha1*", "+hmac-md5", "^hmac-sha2-512", "hmac-sha2-512,hmac-sha2-256")
	case opKexAlgorithms:
		return pick(g, "curve25519-sha256", "-curve*", "+curve25519-sha256@libssh.org", "^curve25519-sha256")
	case opGSSAPIKexAlgorithms:
		return pick(g, "gss-gex-sha1-", "gss-group14-sha256-,gss-gex-sha1-")
	case opLogLevel:
		return g.spellValue(pick(g, logLevels...))
	case opSyslogFacility:
		return g.spellValue(pick(g, facilities...))
	case opLogVerbose:
		return pick(g, "none", "kex.c:*", "a b c", "x,y")
	case opPermitRemoteOpen:
		return pick(g, "any", "none", "h:80", "h:80 [::1]:*", "*:22", "a:1 b:2")
	case opEscapeChar:
		return pick(g, "~", "none", "^]", "\\", "x", "^A", "'#'", "\"\\\"\"", "%")
	case opSendEnv:
		return pick(g, "A", "LC_*", "A B", "-A", "LANG -LC_*", "-*", "X Y Z")
	case opSetEnv:
		return pick(g, "A=1", "A=1 B=2", "\"A=x y\"", "A=x=y", "A=1 A=2 B=3", "'A=q' C=", "A=${A}%h")
	case opControlPersist:
		return pick(g, "yes", "no", "10m", "0", "600", "true", "false", "1h")
	case opTunnelDevice:
		return pick(g, "any", "0:any", "3", "any:any", "1:2", "any:7")
	case opIPQoS:
		return pick(g, "ef", "af21 cs1", "lowdelay throughput", "none", "8", "EF ef", "le", "cs0 reliability", "255")
	case opCanonicalDomains:
		return pick(g, "corp.example", "none", "Corp.Example other.example", "x.", "other.example corp.example")
	case opCanonicalizePermittedCNAMEs:
		return pick(g, "none", "*.corp.example:*.corp.example", "*", "a:b c:d", "*:*.corp.example", "A*:B*")
	case opStreamLocalBindMask:
		return pick(g, "0177", "077", "0000", "7", "0")
	case opRevokedHostKeys:
		return pick(g, "/etc/revoked", "none", "~/r", "/r/%h")
	case opFingerprintHash:
		return pick(g, "md5", "SHA256", "sha512", "Sha1")
	case opAddKeysToAgent:
		return pick(g, "yes", "no", "ask", "confirm", "confirm 5m", "1h", "5", "0")
	case opObscureKeystrokeTiming:
		return pick(g, "yes", "no", "interval:20", "interval:80", "true")
	case opChannelTimeout:
		return pick(g, "none", "session=5m", "session=1h agent-connection=0")
	case opVersionAddendum:
		return pick(g, "none", "hello", "a b # c", "%h x")
	case opRefuseConnection:
		return pick(g, "no", "\"not here\"")
	}
	return "x"
}
