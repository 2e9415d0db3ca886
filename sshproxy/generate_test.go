package sshproxy

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// generator makes random configurations, with a liking for conflicts and for the odd
// corners of the grammar.
type generator struct {
	*rand.Rand
	p       Profile
	wild    bool // also what a careful person would not write
	names   []string
	files   map[string]string
	system  bool
	depth   int
	options []op
}

func newGenerator(r *rand.Rand, p Profile) *generator {
	g := &generator{Rand: r, p: p, names: []string{"h", "web", "db", "internal", "b1", "H", "web.corp.example"}}
	for o := range options {
		name := lowerNames[o]
		if m, ok := p.build().keyword[name]; ok && m == op(o) && m > opUnsupported {
			g.options = append(g.options, op(o))
		}
	}
	return g
}

func pick[T any](g *generator, list ...T) T { return list[g.IntN(len(list))] }

func (g *generator) chance(n int) bool { return g.IntN(n) == 0 }

// oneCase makes a case.
func (g *generator) oneCase() sshCase {
	g.files = map[string]string{}
	g.wild = g.chance(3)
	g.system = g.chance(4)
	g.depth = 0
	c := sshCase{files: g.files, system: g.system}
	if g.system {
		g.files["user/config"] = g.file(true)
		g.files["system/ssh_config"] = g.file(false)
	} else {
		g.files[config] = g.file(true)
		c.args = append(c.args, "-F", config)
		if g.chance(30) {
			c.args[1] = pick(g, "none", "missing", "./c")
		}
	}
	for range g.IntN(4) {
		if g.chance(2) {
			c.env = append(c.env, pick(g, "A", "B", "XDG_RUNTIME_DIR", "HOSTS")+"="+pick(g, "", "v", "/tmp/x", "a b", "%h"))
		}
	}
	for g.chance(2) {
		c.args = append(c.args, g.flag()...)
	}
	c.args = append(c.args, g.destination())
	return c
}

func (g *generator) flag() []string {
	switch g.IntN(8) {
	case 0:
		return []string{"-l", pick(g, "root", "alice", "a-b", "dom\\user")}
	case 1:
		return []string{"-p", pick(g, "22", "2222", "022", "ssh")}
	case 2:
		return []string{"-J", g.jumpList()}
	case 3:
		if g.wild && g.chance(3) {
			return []string{pick(g, "-l", "-p", "-J"), pick(g, "u;x", "0", "-x", "a;b", "99999", "a b", "@", "u@h:x", "$x")}
		}
	}
	o := g.options[g.IntN(len(g.options))]
	name := g.spell(options[o].name)
	sep := pick(g, "=", "=", " ", " = ")
	return []string{"-o", name + sep + g.value(o)}
}

func (g *generator) destination() string {
	name := pick(g, g.names...)
	switch g.IntN(12) {
	case 0:
		return "alice@" + name
	case 1:
		return "ssh://bob@" + name + ":2200"
	case 2:
		return pick(g, "10.1", "127.1", "2001:DB8::1", "2001:0DB8:0::1", "::ffff:10.0.0.1", "0x7f.1", "10.0.0.7", "256.1.1.1", "::1.2.3.4", "1.2.3", "07.1.1.1", "::")
	case 3:
		return strings.ToUpper(name)
	case 4:
		if g.wild {
			return pick(g, "h,x", "a;b", "user@a@h", "x%y", "plain", "db", "db.", "alias", "web", "h\tx")
		}
	case 5:
		return pick(g, "plain", "db", "alias", "web", "alias.corp.example", "web.corp.example.")
	}
	return name
}

// file makes the text of a file.
func (g *generator) file(user bool) string {
	var b strings.Builder
	eol := "\n"
	if g.chance(8) {
		eol = "\r\n"
	}
	n := 1 + g.IntN(14)
	if g.chance(10) {
		n += 40
	}
	for range n {
		b.WriteString(g.line(user))
		b.WriteString(eol)
	}
	text := b.String()
	if g.chance(10) {
		text = strings.TrimSuffix(text, eol)
	}
	if g.wild && g.chance(20) {
		text = pick(g, "\ufeff", "\x00", "\f\n", "=\n", "\"\n") + text
	}
	return text
}

func (g *generator) line(user bool) string {
	indent := pick(g, "", "", "    ", "\t", "  ")
	switch g.IntN(20) {
	case 0:
		return pick(g, "", "# comment", "   ", "\t# x", "#Host h")
	case 1, 2, 3:
		return indent + g.spell("Host") + g.separator() + g.hostPatterns() + g.trailer(true)
	case 4, 5:
		return indent + g.spell("Match") + pick(g, " ", " ", "\t", "=", " = ") + g.matchLine() + g.trailer(false)
	case 6:
		if g.depth < 3 {
			return indent + g.spell("Include") + pick(g, " ", "\t", "=", " = ") + g.includes(user)
		}
	case 7:
		if g.wild {
			return indent + g.oddLine()
		}
	}
	o := g.options[g.IntN(len(g.options))]
	if g.chance(3) { // options that compete
		o = pick(g, opProxyCommand, opProxyJump, opUser, opPort, opHostname, opIdentityFile, opSendEnv, opSetEnv, opLocalForward,
			opControlPath, opUserKnownHostsFile, opForwardAgent, opStreamLocalBindMask, opSyslogFacility, opHostKeyAlias, opIgnoreUnknown)
	}
	return indent + g.spell(g.alias(o)) + g.separator() + g.value(o) + g.trailer(options[o].kind != kindCommand)
}

// alias sometimes takes another spelling of an option.
func (g *generator) alias(o op) string {
	if g.chance(6) {
		for _, k := range keywords {
			if k.op == o && k.gate.allows(g.p.build()) && g.chance(2) {
				return k.name
			}
		}
	}
	return options[o].name
}

func (g *generator) spell(name string) string {
	switch g.IntN(8) {
	case 0:
		return strings.ToLower(name)
	case 1:
		return strings.ToUpper(name)
	case 2:
		if g.wild {
			return `"` + name + `"`
		}
	}
	return name
}

func (g *generator) separator() string {
	if g.wild && g.chance(8) {
		return pick(g, "==", " == ", "=", "\t=\t", " =", "")
	}
	return pick(g, " ", " ", " ", " ", "\t", "=", " = ", "  ")
}

// trailer is what stands after a value.
func (g *generator) trailer(comment bool) string {
	switch g.IntN(14) {
	case 0:
		return pick(g, " ", "\t", "  ")
	case 1:
		if comment && (g.p.build().splitsArguments() || g.wild) {
			return " # comment"
		}
	case 2:
		if g.wild {
			return pick(g, " extra", "\f", " #", "#x", ` "`, " ''", ` "" `, "\\", " \\ ")
		}
	}
	return ""
}

func (g *generator) hostPatterns() string {
	var list []string
	for range 1 + g.IntN(3) {
		p := pick(g, g.names...)
		switch g.IntN(8) {
		case 0:
			p = "*"
		case 1:
			p = p[:1] + "*"
		case 2:
			p = "!" + p
		case 3:
			p = pick(g, "?", "*.corp.example", "10.*", "??", "w?b", "*b*", "!*", "db,web", "127.0.0.1")
		case 4:
			p = g.quote(p)
		}
		list = append(list, p)
	}
	if g.wild && g.chance(10) {
		list = append(list, pick(g, `""`, "!", `"a b"`, "#x", `'h`, "h'"))
	}
	return strings.Join(list, " ")
}

func (g *generator) quote(s string) string {
	switch g.IntN(5) {
	case 0:
		return `"` + s + `"`
	case 1:
		if g.p.build().splitsArguments() {
			return "'" + s + "'"
		}
	case 2:
		if g.p.build().splitsArguments() && len(s) > 1 {
			return s[:1] + `"` + s[1:] + `"`
		}
	}
	return s
}

func (g *generator) matchLine() string {
	if g.chance(8) {
		return pick(g, "all", "ALL", "!all", "host h all", "all all", "final all", "canonical all")
	}
	var list []string
	for range 1 + g.IntN(2) {
		not := ""
		if g.chance(4) {
			not = "!"
		}
		name := func() string {
			l := pick(g, g.names...)
			if g.chance(3) {
				l += "," + pick(g, g.names...)
			}
			if g.chance(4) {
				l = pick(g, "*", "w*", "!h,*", "*,!web", "*.corp.example", "127.*")
			}
			return g.quote(l)
		}
		sep := pick(g, " ", " ", " ", "\t")
		if !g.p.build().at(90902) || g.wild {
			sep = pick(g, " ", " ", "=")
		} else if g.chance(3) {
			sep = "="
		}
		switch g.IntN(10) {
		case 0, 1:
			list = append(list, not+g.spell2("host")+sep+name())
		case 2:
			list = append(list, not+g.spell2("originalhost")+sep+name())
		case 3:
			list = append(list, not+"user"+sep+pick(g, "root", "alice", "bob", "*", "root,alice", "!root,*", "a*"))
		case 4:
			list = append(list, not+"localuser"+sep+pick(g, "root", "alice", "*"))
		case 5:
			list = append(list, not+pick(g, "final", "canonical", "Final"))
		case 6:
			list = append(list, not+"exec"+sep+pick(g, "true", "false", `"test %h = h"`, `"test %p = 22"`, `"test %r = root"`, `"test -n %C"`, `"exit 3"`, `"test %n%k%u%i%L = x"`, `"false || true"`))
		case 7:
			if g.p.build().at(90400) || g.wild {
				list = append(list, not+pick(g, "tagged", "tagged")+sep+pick(g, "x", "y", "*", `"x,y"`))
			}
		case 8:
			if g.p.build().at(100000) {
				list = append(list, not+pick(g, "version OpenSSH_10*", "version=OpenSSH_9*", "sessiontype shell", "sessiontype none", `command ""`, "command x", "command=x"))
			} else if g.wild {
				list = append(list, pick(g, "version x", "frob x", "host", "exec", `exec "echo %z"`))
			}
		default:
			list = append(list, "host "+name())
		}
	}
	if len(list) == 0 {
		return "all"
	}
	if g.wild && g.chance(8) {
		list = append(list, pick(g, "host", "# x", "all", `""`, "frob y", "h, b"))
	}
	return strings.Join(list, " ")
}

func (g *generator) spell2(name string) string {
	if g.chance(6) {
		return strings.ToUpper(name[:1]) + name[1:]
	}
	return name
}

func (g *generator) includes(user bool) string {
	g.depth++
	defer func() { g.depth-- }()
	var list []string
	for range 1 + g.IntN(2) {
		name := fmt.Sprintf("inc%d", g.IntN(5))
		if g.chance(4) {
			name = "d/" + name + pick(g, ".conf", "")
		}
		where := "@DIR/" + name
		file := name
		switch {
		case g.chance(5) && user:
			where, file = "~/"+name, "home/"+name
		case g.system && user && g.chance(2):
			where, file = name, "user/"+name
		case g.system && !user && g.chance(2):
			where, file = name, "system/"+name
		}
		if _, ok := g.files[file]; !ok && !g.chance(6) {
			g.files[file] = "" // a file includes itself only by a later chance
			g.files[file] = g.file(user)
		}
		switch g.IntN(8) {
		case 0:
			where = where[:len(where)-1] + "*"
		case 1:
			where = where[:len(where)-1] + pick(g, "?", "[0-3]", "[!9]")
		case 2:
			where = g.quote(where)
		}
		list = append(list, where)
	}
	if g.wild && g.chance(10) {
		list = append(list, pick(g, `""`, "~nobody-here/x", "@DIR", "~", "[", "@DIR/home/../inc1"))
	}
	return strings.Join(list, " ")
}

func (g *generator) oddLine() string {
	return pick(g,
		"Frobnicate yes", "frob", "User", "Port", "Host", "Match", "Include", "ProxyCommand", "IgnoreUnknown frob*", "IgnoreUnknown=Fr*,x*",
		"Protocol 2", "Protocol", "Cipher x", "UseRoaming no", "RhostsAuthentication", "KerberosAuthentication yes", "AFSTokenPassing", "CompressionLevel 6",
		"FallBackToRsh no", "SmartcardDevice x", "\"User alice", "User \"alice", "User 'alice", "User al\"ice bo\"b", "Us\"er\" x", "= x", "=", "\"\" x", "User = = a",
		"User ''", "Port \"\"", "\x01User x", "User a\x01b", "Üser x", "User ü", "User a\x00b", "ProxyCommand echo it's", "ProxyCommand \"nc %h %p\"", "LocalCommand = = x",
		"Port 65536", "Port x", "Port -1", "Port +22", "Port \" 22\"", "Port ssh", "Port http", "Port 0", "BatchMode maybe", "BatchMode \"\"", "LogLevel x", "LogLevel", "EscapeChar ab", "EscapeChar ^1",
		"ConnectTimeout 1x", "ConnectTimeout -1", "ConnectTimeout 99999999999", "ServerAliveInterval \"\"", "RekeyLimit 1", "RekeyLimit 1x", "RekeyLimit 1G x", "LocalForward 80", "LocalForward x y", "DynamicForward 0",
		"RemoteForward 0 a:1", "Ciphers foo", "Ciphers \"\"", "MACs x,y", "KexAlgorithms nope", "HostKeyAlgorithms ssh-x", "HostKeyAlgorithms rsa", "HostKeyAlgorithms *", "CASignatureAlgorithms ssh-ed25519-cert-v01@openssh.com", "CanonicalizeMaxDots 0", "PubkeyAcceptedAlgorithms !ssh-rsa", "IPQoS zz", "IPQoS 300", "IPQoS 0x10",
		"SetEnv x", "SendEnv a=b", "StreamLocalBindMask 999", "StreamLocalBindMask 1000", "StreamLocalBindMask 7x", "TunnelDevice x", "TunnelDevice 1:2:3", "FingerprintHash x", "AddKeysToAgent x", "AddKeysToAgent ask 5", "AddKeysToAgent confirm x",
		"CanonicalDomains -x", "CanonicalDomains a..b", "CanonicalDomains none x", "CanonicalizePermittedCNAMEs x", "CanonicalizePermittedCNAMEs a:", "PermitRemoteOpen x", "PermitRemoteOpen any x", "PermitRemoteOpen h:0",
		"UserKnownHostsFile none x", "UserKnownHostsFile \"\"", "LogVerbose none x", "ProxyJump a,,b", "ProxyJump @a", "ProxyJump a:0", "ProxyJump ::1", "ProxyJump ssh://h/path", "ProxyJump ssh://[fe80::1]:22", "ProxyJump SSH://h",
		"ProxyJump a b", "ProxyJump a # c", "ProxyJump \"a,b\"", "ProxyJump none,a", "ProxyJump u@v@h", "ProxyJump [b]:44", "ProxyJump ,a", "ProxyJump a,", "IdentityAgent $1", "IdentityAgent $A-", "IdentityAgent ${A}", "IdentityAgent ${NOPE}", "IdentityAgent ${", "ForwardAgent ${NOPE}", "ForwardAgent $x-",
		"ControlPath %z", "ControlPath %", "ControlPath ${NOPE}/x", "HostName %n", "HostName %", "RemoteCommand %z", "UserKnownHostsFile %z", "ConnectionAttempts 0", "ForkAfterAuthentication yes", "GSSAPIKexAlgorithms x", "GSSAPIKexAlgorithms gss-gex-sha1-,gss-group1-sha1-",
		"ProxyUseFdpass yes", "ProxyCommand -", "ChannelTimeout x", "ChannelTimeout global=5m", "SendEnv", "SetEnv", "User \"a\\\"b\"", "User dom\\user", "User a\\ b", "User 'a\\'b'", "Tag x", "GlobalKnownHostsFile "+strings.Repeat("x ", 33),
	)
}
