// Package mconsole speaks to the management console of a User Mode Linux guest: one
// datagram asks, one or more answer.
//
// # Guarantees
//
// Each request uses a socket of its own, so that a late answer is never taken for that
// of the next request. Every wait is bounded: by the context for the first packet, by
// Client.Idle between packets. What a guest sends, packets too short, lengths that lie,
// a series without an end, leads to an error, with the text so far; memory stays
// bounded. A command that the guest would cut or misread is refused before it is sent.
//
// # Limits
//
// A guest does not wait when the queue of our socket is full, which has room for ten
// packets (net.unix.max_dgram_qlen): it drops what does not fit. A long answer, such as
// that of stack or sysrq, can so lack packets in the middle without a trace, and its end,
// which is then ErrIncomplete.
//
// The kernel has no number for a request: what it prints meanwhile can lead the answer
// of sysrq, stack and log. Some commands end a guest (halt, reboot, cad, sysrq b): they
// are sent as given. A socket's path has at most 107 bytes. Nothing here starts a
// process; integers on the wire are those of this machine.
package mconsole
