package sshproxy

import "testing"

// quirkRows are configurations on which the resolver and the client once differed, or
// which show a rule that is easy to get wrong. Each is asked of the installed client.
var quirkRows = []struct {
	why, text string
	args      []string
}{
	{"the hash cuts a jump, and so does a blank", "ProxyJump a b # c\n", nil},
	{"what decides on canonical names can't be set in the second pass", "Match final\nCanonicalizeMaxDots 0\nCanonicalizeFallbackLocal no\nCanonicalizeHostname always\n", nil},
	{"a mapped address is one of IPv4 for inet", "AddressFamily inet\nHostName ::ffff:10.0.0.1\n", nil},
	{"an empty pattern is refused when it is come to", "Host x\nHost a '' b\n", nil},
	{"a Match line that can't be read leaves the block as it was", "Match host\nMatch frob x\nPort 0\n", nil},
	{"an empty word ends a Match line", "Match originalhost * \"\"#x\n", nil},
	{"a list of names that comes out empty takes the others along", "CASignatureAlgorithms !ssh-rsa\n", nil},
	{"a short name alone chooses no host key algorithm", "HostKeyAlgorithms rsa\nIdentityFile /k/%h\n", nil},
	{"neither does one that is ruled out", "HostKeyAlgorithms !ssh-rsa\n", nil},
	{"the last message is covered too", "LogLevel QUIET\nHostKeyAlgorithms dsa,ECDSA-SK\n", nil},
	{"beside another name it does not count", "HostKeyAlgorithms rsa,ssh-ed25519\n", nil},
	{"behind the default it does not count", "HostKeyAlgorithms +rsa\n", nil},
	{"all taken away is no error", "HostKeyAlgorithms -*\n", nil},
	{"an error before it", "HostKeyAlgorithms dsa\nControlPath ${NOPE}\n", nil},
	{"silence of the command line covers the files", "Frob\n", []string{"-o", "LogLevel=QUIET"}},
	{"silence of the file covers what comes after it", "LogLevel FATAL\nForwardAgent /nowhere\nControlPath ${NOPE}\n", nil},
	{"names are looked at before the subsystem", "", []string{"-o", "SessionType=subsystem", "-l", "a;b"}},
	{"a subsystem needs a name", "", []string{"-o", "SessionType=subsystem"}},
	{"facility and mask ignore the block", "Host nope\n SyslogFacility LOCAL3\n StreamLocalBindMask 0000\n", nil},
	{"SendEnv is not cleared of doubles in the second pass", "SendEnv A\nMatch final\nSendEnv B\n", nil},
	{"none and a key", "IdentityFile none\nIdentityFile /k\n", nil},
	{"a limit and an interval of two lines", "RekeyLimit 1G\nRekeyLimit 500K 90\n", nil},
	{"a path beside a no", "ForwardAgent no\nForwardAgent ~/a\n", nil},
	{"times that are none set nothing", "ServerAliveInterval none\nServerAliveInterval 7\n", nil},
	{"a name without an address of the family", "AddressFamily inet6\nCanonicalizePermittedCNAMEs a*:b*\nHostName db\n", nil},
	{"and one with it", "AddressFamily inet6\nCanonicalizePermittedCNAMEs a*:b*\nHostName six.corp.example\n", nil},
	{"the other family", "AddressFamily inet\nCanonicalizePermittedCNAMEs a*:b*\nHostName six.corp.example\n", nil},
	{"canonical names by family", "AddressFamily inet6\nCanonicalizeHostname yes\nCanonicalDomains corp.example\nHostName db\n", nil},
	{"canonical names of the family", "AddressFamily inet6\nCanonicalizeHostname yes\nCanonicalDomains corp.example\nHostName six\n", nil},
	{"an address in pieces", "HostName 0x7f.1\n", nil},
	{"a second pass sees the resolved name", "Host h\n HostName real\nMatch final\nHost real\n Port 7\n", nil},
	{"the name is expanded before Match host", "HostName %h.x\nMatch host h.x\nPort 3\n", nil},
	{"case of Host and of Match host", "Host H\n Port 1\nMatch host H\n Port 2\n", nil},
	{"jump before command", "ProxyJump b\nProxyCommand x\n", nil},
	{"command before jump", "ProxyCommand x\nProxyJump b\n", nil},
	{"no command, then a jump", "ProxyCommand none\nProxyJump b\n", nil},
	{"no jump, then a command", "ProxyJump none\nProxyCommand x\n", nil},
	{"a jump to itself", "ProxyJump h\n", nil},
	{"one equals sign", "User==a\nPort = 22\n", nil},
	{"a quote within a word", "Us\"er\" x\nUser a'b c'd\\ e\n", nil},
	{"a line of 1023 bytes in a list", "Match host " + long(1022) + ",h\nPort 1\n", nil},
	{"and one more", "Match host " + long(1023) + ",h\nPort 1\n", nil},
	{"control characters and bytes in a message", "\ufeffUser x\nFr\x01b\\ x\n", nil},
	{"numbers", "Port 022\nConnectTimeout 1m30\nEscapeChar ^]\nIPQoS 8\nTunnelDevice 3\n", nil},
	{"local, dynamic and socks", "LocalForward 80 socks:1\nDynamicForward 80\nLocalForward [::1]:81 h:1\nRemoteForward 9\n", nil},
}

func long(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'x'
	}
	return string(b)
}

func TestQuirksAgreeWithSSH(t *testing.T) {
	tool := sshTool.Need(t)
	var cases []sshCase
	for _, row := range quirkRows {
		cases = append(cases, sshCase{
			files: map[string]string{config: row.text}, args: append(append([]string{"-F", config}, row.args...), "h"), seed: row.why,
		})
	}
	compareAll(t, tool, profileOf(t, tool), cases)
}
