// Package syslogw delivers lines as syslog messages.
//
// A [Writer] is a sink.Sink. It writes RFC 3164 messages to the local syslog socket, and RFC 5424
// messages over UDP, TCP, TLS and RELP. Lines wait in a queue in memory or in a spool on disk
// until they are delivered or set aside. [Writer.Stats] counts what happened to them.
//
// # Guarantees
//
// WriteLine does not wait for the network. Over RELP, a line is removed from the queue or spool
// only after the collector has acknowledged it, or after it was set aside because the collector
// refuses it; until then it is sent again over new
// connections. With a spool, a line for which WriteLine returned nil survives a SIGKILL of this
// process and, with spool.Durable, a power failure. If the queue is full, WriteLine returns
// [sink.ErrFull]. The number of dropped lines is sent to the collector later, in a separate
// line. A message is never longer than Config.MaxSize. A line that is cut gets a mark and is
// counted; escape sequences and characters are not split. When Close returns, all goroutines of
// the Writer have ended.
//
// # Limits
//
// UDP, TCP, TLS and the local socket have no acknowledgements. A line counts as sent when the
// kernel has it, and it is lost if the collector ends without reading it. In the tests, killing
// a collector costs a fifth to a third of the lines over TCP. Delivery is at least once: lines
// that were in transit when a connection broke are delivered twice.
//
// rsyslogd reads RFC 5424 messages from the network only, not from its local socket, and
// supports at most six digits of a second. The defaults take this into account. A spool requires
// a Unix system; all other parts of the package work on all operating systems.
package syslogw
