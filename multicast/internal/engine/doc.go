// Package engine is multicast's protocol without I/O: membership, the sender's and
// the receiver's state machines, repair, pacing and rate control.
//
// A Node is driven from outside: Handle gives it a packet, Poll lets its timers run,
// results of disk work come back by methods, and what it wants to send is taken with
// Take. Time is an argument, in nanoseconds of the node's own clock; randomness comes
// from a generator that it is given. So the same code runs under real sockets and in
// mcsim, where every run repeats from its seed. A Node is not safe for concurrent use.
//
// Content passes it by: DATA of the content object is sent by reference, filled in
// by the caller, and handed to a Store as it comes. The engine keeps counts and bits.
package engine
