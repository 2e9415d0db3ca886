// Package wire is the packet format of multicast: a fixed header, bodies with
// bounds before every read, and the sealing of each packet. PROTOCOL.md of package
// multicast has the layouts.
//
// A decoder takes any bytes: it returns an *Error that names the message, the field
// and the offset, allocates no more than a small multiple of what it was given, and
// accepts a body only when nothing is left over. What Append writes, Decode reads
// back the same. It is not for use outside of multicast: the types follow the wire.
package wire
