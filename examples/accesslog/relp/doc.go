// Package relp is a client of the Reliable Event Logging Protocol, version 0: syslog
// messages that are answered one by one, so that a sender knows what arrived.
//
// # Guarantees
//
// For each message that [Client.Send] took, its function is called exactly once: with
// nil after the server has answered 200, with an error when it has answered otherwise
// or when the connection ended before. At most Config.Window messages are unanswered.
// Whatever a server sends, memory stays bounded, and no goroutine is left after Close.
//
// # Limits
//
// The protocol knows no repetition on one connection: what was not answered must be
// sent again on a new one, and the server may then have it twice. An answer says that
// the server's queue has the message, not that it stands on disk, and not that it is
// whole: rsyslogd cuts what is longer than its maxMessageSize and answers 200. With
// rsyslogd set queue.type="Direct" on the ruleset, or a SIGKILL loses what was
// answered. The command starttls is not spoken; TLS from the first byte is.
package relp
