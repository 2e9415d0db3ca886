// Package syslogw delivers lines as syslog messages: RFC 3164 on the local socket, RFC
// 5424 over UDP, TCP, TLS and RELP, from a queue in memory or a spool on disk, with an
// account of what became of each line.
//
// # Guarantees
//
// WriteLine never waits for the network. Over RELP a line is given up only after the
// collector has confirmed it; until then it is sent again over new connections. With a
// spool, a line for which WriteLine returned nil survives a SIGKILL of this process,
// and with spool.Durable a loss of power. What finds no room is refused, counted, and
// reported to the collector by a line of its own as soon as there is room again.
// Messages are never longer than Config.MaxSize; what is cut is marked and counted,
// and no escape sequence or character is cut in two. No goroutine outlives Close.
//
// # Limits
//
// UDP, TCP, TLS and the local socket confirm nothing. What the kernel has taken counts
// as sent there, and is lost when the collector dies with it unread: in a table that
// the tests print, a killed collector costs TCP a fifth to a third of the lines. Delivery is at
// least once: what was on the way when a connection broke comes twice.
//
// rsyslogd reads RFC 5424 from the network alone, not from its local socket, and
// shows at most six digits of a second; both are what the defaults write.
package syslogw
