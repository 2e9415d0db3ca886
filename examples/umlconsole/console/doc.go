// Package console finds the pseudo-terminals that a guest announced, and attaches to
// them: raw, shared by several readers, logged, filtered, scripted.
//
// # Guarantees
//
// A path that a boot log names is under the guest's influence. It is taken only when it
// is /dev/pts/N, and opened only when it is a pseudo-terminal that belongs to this user;
// a symbolic link is not followed. What the guest prints is read at once and kept in a
// ring, so that no reader ever blocks the guest; what a slow reader missed is counted
// and marked. No goroutine is left after Close.
//
// # Limits
//
// Ports are for Linux; finding works everywhere. The ring is all that is kept: 1 MiB
// unless said otherwise. Attaching never changes the guest's state, but a guest sees a
// hangup when its last reader leaves a terminal that it had opened with HUPCL.
package console
