// Package udp is multicast's sockets: one that is bound to the group and joined, one
// of the node's own for everything it sends and for what is sent to it alone.
//
// On Linux many datagrams pass the kernel as one (UDP_SEGMENT, UDP_GRO); where a
// device cannot, that is switched off by itself. The kernel's count of datagrams that
// were not read in time is kept apart from what the network loses. Elsewhere the
// portable part of golang.org/x/net/ipv4 does.
package udp
