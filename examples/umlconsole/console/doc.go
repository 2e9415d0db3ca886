// Package console finds the consoles of virtual machines, which are pseudo-terminals or
// sockets, and connects to them.
//
// [FindBootLog] and [FindQMP] return the consoles of a guest. [Open] returns a [Port], whose output
// can be read by several readers. [Relay] connects a user's terminal with it, [Transcript] writes
// its output to a file, [Reader.Expect] waits for a text, and [Filter] removes control sequences.
//
// # Guarantees
//
// Paths in a boot log are untrusted. A path is accepted only if it is /dev/pts/N, and it is opened
// only if it is a pseudo-terminal of the current user. Symbolic links are not followed. The output
// of a guest is read immediately and kept in a ring buffer, so that a slow reader does not block
// the guest. Bytes that a slow reader has missed are counted. When Close returns, all goroutines
// of a Port have ended.
//
// # Limits
//
// Ports work on Linux only, and the functions that find consoles work on all operating systems. No
// privileges are needed for terminals of the current user. Only the content of the ring buffer is
// kept: 1 MiB by default. Connecting does not change the state of a guest. If a guest has set
// HUPCL on its terminal, it gets a hangup when the last Port is closed.
package console
