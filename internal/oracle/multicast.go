package oracle

import (
	"crypto/rand"
	"net"
	"net/netip"
	"testing"
)

// MulticastGroup returns a multicast group and a port for one test: a random
// address of the organization-local scope (RFC 2365) and a UDP port that is not in use, so
// that tests which run at the same time on one host do not receive each other's packets.
func MulticastGroup(tb testing.TB) netip.AddrPort {
	tb.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		tb.Fatalf("find a free UDP port: %v", err)
	}
	defer c.Close()
	var b [3]byte
	rand.Read(b[:])
	group := netip.AddrFrom4([4]byte{239, 192 | b[0]&3, b[1], b[2]})
	return netip.AddrPortFrom(group, c.LocalAddr().(*net.UDPAddr).AddrPort().Port())
}
