// Package multicast sends a tree of files once, by UDP multicast, to every host that
// listens, and makes all of them show the new tree at the same instant.
//
// A Node joins a group; nodes find each other, there is no list of hosts and no daemon.
// Send names what is sent, never to whom (though it can). Each packet is sealed by the
// group's key, loss is repaired by parity so that the traffic hardly grows with the
// number of hosts, files that a host has already are not sent, and a transfer that was
// broken off goes on where it was. When every host has everything on its disk and has
// checked every digest, the sender decides, and each host exchanges its tree at the
// given moment. PROTOCOL.md, beside the source, describes all of it.
//
// # Guarantees
//
// A host's tree is the old one or the new one. With one path sent, on a file system of
// Linux that exchanges directories, this holds for every reader at every moment; else
// the change is journalled, a reader can see it half done, and a killed process ends it
// at its next start. By default either all hosts of a transfer commit or none does.
// Nothing is written outside of the receiver's directory: names are checked, and all
// work goes through an os.Root. After Close no goroutine is left.
//
// # Limits
//
// IPv4; 16,384 hosts, 4 million names, 1 TiB of content in a transfer; files, directories,
// symlinks and hard links, with modes and times, owners on request. Devices, FIFOs,
// sockets, extended attributes and ACLs are not sent. A key shared by the group tells
// members from strangers, not one member from another: signatures do that (Publish,
// Trust). Two-phase commit cannot be both safe and free of waiting when the sender dies
// between the decision and its arrival: a host that was ready and hears no more keeps
// the old tree, says that it is in doubt, and asks the others.
//
// # Refusals
//
// Packets that do not open, that came before, or that speak another version; a
// transfer that is unsigned when a publisher is trusted, or older than the tree; paths
// that leave the tree, symlinks that lead out of it unless allowed, set-user-id bits
// unless allowed; deletion when the source could not be read in full, or of more than
// allowed; a key that others may read.
package multicast
