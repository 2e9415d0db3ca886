// Package mconsole is a client for the management console of User Mode Linux guests.
//
// [List] finds guests. [Dial] returns a [Client] for one of them. [Client.Do] sends a command and
// returns the reply, and [Client.Console] returns the device of a console.
//
// # Guarantees
//
// Each request uses a new socket, so that a late reply is not taken for that of the next
// request. All waits have a time limit: that of the context for the first packet, and Client.Idle
// between packets. Malformed replies, such as short packets, wrong lengths and endless series of
// packets, lead to an error and are returned as far as they were received. Memory is limited.
// Commands that a guest would truncate or misinterpret are rejected before they are sent.
//
// # Limits
//
// A guest drops packets that do not fit the receive queue of the socket, which has room for ten
// packets (net.unix.max_dgram_qlen). A long reply, such as that of stack or sysrq, can therefore
// lack packets in the middle without an error. If the last packet is missing, the error is
// [ErrIncomplete].
//
// The protocol does not number requests: text that the kernel prints at the same time can appear
// in the reply of sysrq, stack and log. Some commands end a guest (halt, reboot, cad, sysrq b);
// they are sent like all others. The path of a socket has at most 107 bytes. The package starts no
// processes. Integers in packets have the byte order of this machine.
package mconsole
