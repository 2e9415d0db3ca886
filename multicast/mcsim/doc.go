// Package mcsim runs the protocol of package multicast in a simulated network.
//
// [New] returns a network with one sender and any number of receivers. The nodes run the same
// engine as real nodes; time, loss and failures are computed from a seed. One goroutine executes
// the events in their order, so that each run can be repeated exactly, and ten thousand receivers
// take seconds. [Run] executes a script and writes a trace. [Switch] is a transport in memory for
// real nodes, for tests of programs that use package multicast.
//
// The network can lose packets (independently, in bursts, or for all receivers), delay, reorder,
// duplicate and corrupt them, and can be partitioned. Disks can be slow or full. Nodes can crash,
// restart, have different clocks, and be malicious. After each event, the invariants of the
// protocol are checked, and a violation ends the run with an error:
//
//   - A receiver commits only what the sender has decided to commit, with all blocks in place.
//   - No transfer is both committed and aborted.
//   - All receivers that commit a transfer commit the same tree.
//   - A sender that has sent a commit does not abort.
//
// # Limits
//
// Content has a size and a version, but no bytes. Manifest, layout and seal are real, with their
// parity. The simulation does not include the time of the processor, the socket buffers of the
// kernel (except for the effect of a slow disk), and IGMP. With Options.Sealed, every packet is
// encrypted and decrypted; without it, a corrupted packet is treated as a lost one.
//
// The package works on all operating systems and opens no files or connections.
package mcsim
