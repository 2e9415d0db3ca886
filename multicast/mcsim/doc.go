// Package mcsim runs multicast's protocol in a simulated network: the same engine
// that runs under real sockets, with time, loss and failures made up from a seed.
//
// A Net has one sender and any number of receivers. One thread takes events from a
// heap, so a run repeats to the last packet, and ten thousand receivers take seconds.
// The network can lose (independently, in bursts, for all at once), delay, reorder,
// duplicate and corrupt packets, and be cut in two; disks can be slow or full; nodes
// can crash, come back, be skewed in time, and be malicious. After each event the
// promises of the protocol are checked, and a broken one ends the run with an error:
//
//   - a receiver commits only what the sender has decided to commit, and only with
//     every block in its place;
//   - no transfer is both committed and aborted;
//   - all that commit a transfer commit the same tree;
//   - a sender that has sent a commit never gives up.
//
// Content has a size and a version here, no bytes; manifest, layout and seal are real,
// parity of theirs included. What is not modelled: the processor's time, the kernel's
// socket buffers except as the slow disk's back pressure, and IGMP. With Options.Sealed
// every packet is sealed and opened as on the wire; without it messages pass as they
// are, and a corrupted packet is a lost one.
//
// Run reads a script, in plain text, and writes a trace: see its comment. A Switch is
// a transport for multicast.Config in memory, with loss, for tests of a program that
// embeds the package.
package mcsim
