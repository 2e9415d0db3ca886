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
// # Limits
//
// ProxyCommand needs a Unix system. A connection through a jump host has no deadlines,
// as channels of SSH have none: SetDeadline returns [os.ErrNoDeadline], and a context
// or Close ends it. Hops are not shared between connections.
//
// # Refusals
//
// The package starts no process unless [Dialer.AllowCommand] is set, accepts no host key
// that nobody vouched for, and prints no password: proxy URLs with one are refused.
package dial
