// Package dial connects to hosts behind bastions as their ssh_config says: ProxyJump
// by SSH connections within each other, ProxyCommand by the user's shell, and HTTP or
// SOCKS5 proxies without a process where the command is a plain nc.
//
// A [Dialer] takes the chain of a target from an [sshproxy.Resolver] and walks it. What
// it returns is an ordinary net.Conn to the target's sshd, or an authenticated
// [golang.org/x/crypto/ssh.Client].
//
// # Guarantees
//
// A chain that can't be followed is an error: nothing is ever dialled directly in its
// place. Every stage ends when the context does. Closing the connection closes the hops
// from the inner one outwards, ends the processes that were started, and waits for them:
// no process, descriptor or goroutine is left. An error names the hop, its address, the
// phase in which it failed, and what a command last wrote on stderr. Host keys are
// checked for each hop under its own name, or its HostKeyAlias.
//
// # Options
//
// Every option of the configuration is in one of four groups. Options that select, allow
// or forbid something before the session are obeyed, or the dial fails with the name of the
// option: algorithms, authentication methods, keys, certificates, agents, known hosts,
// revoked keys, local addresses, timeouts and keepalives. GSSAPI, host-based authentication,
// PKCS#11 and host keys in the DNS are not used: without them a login can fail that succeeds
// with ssh. Options of the session and of forwards, such as RemoteCommand, SetEnv,
// RequestTTY and ForwardAgent, are not applied: the caller opens the session. All other
// options concern the ssh process and its terminal.
//
// # Limits
//
// ProxyCommand needs a Unix system. A connection through a jump host has no deadlines,
// as channels of SSH have none: SetDeadline returns [os.ErrNoDeadline], and a context
// or Close ends it. Hops are not shared between connections. A binary key revocation list in
// RevokedHostKeys is not supported and fails the dial.
//
// # Refusals
//
// The package starts no process unless [Dialer.AllowCommand] is set. It accepts an unknown
// host key only if StrictHostKeyChecking is accept-new or no, and a changed one only if it
// is no. It prints no password: proxy URLs with one are refused. Private keys that other
// users can read, and files that are not regular files, are not read.
package dial
