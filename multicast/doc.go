// Package multicast sends a directory tree to many hosts by UDP multicast.
//
// [Join] connects a [Node] to a group. Nodes find each other; there is no list of hosts and no
// daemon. [Node.Receive] starts to write transfers to a directory, and [Node.Send] sends a
// directory to all receivers of the group or to some of them. Its [Report] contains the result at
// each host.
//
// Each packet is encrypted with the key of the group. Lost packets are repaired by parity data, so
// that the traffic hardly grows with the number of hosts. Files that a host already has are not
// sent, and an interrupted transfer continues where it stopped. When every host has stored and
// verified all data, the sender decides to commit, and all hosts switch to the new tree at the same
// moment. The file PROTOCOL.md in the source directory describes the protocol.
//
// # Guarantees
//
// The tree of a host is either the old one or the new one. If one path is sent and the file system
// is one of Linux that can exchange directories, this is true for every reader at every moment.
// Otherwise the change follows a journal: readers can see a part of it, and after an interruption
// the next process completes it. By default, either all hosts of a transfer commit or none does.
// Nothing is written outside the directory of the receiver: all names are checked, and all
// operations use an [os.Root]. When Close returns, all goroutines of the node have ended.
//
// # Limits
//
// The network must be IPv4. A transfer can have 16,384 hosts, 4 million names and 1 TiB of content.
// Files, directories, symbolic links and hard links are sent with modes and times, and with owners
// if requested. Devices, FIFOs, sockets, extended attributes and ACLs are not sent.
//
// The key distinguishes members of the group from other hosts, but not one member from another. Use
// signatures for that (Config.Publish and Config.Trust).
//
// If the sender fails between the decision and its delivery, two-phase commit cannot be both safe
// and free of waiting. A host that was ready to commit keeps the old tree, reports that it is in
// doubt, and asks the other hosts for the outcome.
//
// The package works on Linux, macOS, BSD and Windows. It needs no privileges, except to set the
// owner of files. Only Linux exchanges whole directories and sends trains of packets with one
// system call.
//
// # Rejected input
//
// The package rejects packets that fail authentication, replayed packets, and packets of other
// protocol versions. If a receiver trusts publishers, it rejects unsigned transfers; it also
// rejects transfers that are older than its tree. Paths that leave the tree are rejected, and so
// are symbolic links that lead out of it and set-user-id bits, unless they are allowed. Nothing is
// deleted if the source could not be read completely, or if there are more deletions than allowed.
package multicast
