// Package relp is a client for the Reliable Event Logging Protocol, version 0.
//
// RELP acknowledges each syslog message. [Dial] connects to a server, [Client.Send] sends a
// message, and a function that is passed to Send is called with the reply.
//
// # Guarantees
//
// For each message that [Client.Send] accepts, the function is called exactly once: with nil if
// the server replied 200, and with an error if it replied otherwise or if the connection ended
// before the reply. At most Config.Window messages are unacknowledged. Memory is limited,
// whatever the server sends. When Close returns, all goroutines of the client have ended.
//
// # Limits
//
// The protocol cannot repeat a message on a connection. A message without a reply must be sent
// again on a new connection, and the server may then have it twice. A reply means that the
// message is in the queue of the server. It does not mean that the message is on disk or
// complete: rsyslogd truncates messages that are longer than its maxMessageSize and replies 200.
// After a SIGKILL, rsyslogd loses acknowledged messages unless the ruleset has
// queue.type="Direct". The command starttls is not supported; with Config.TLS, a connection uses
// TLS from its first byte. The package works on all operating systems.
package relp
