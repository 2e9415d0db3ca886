package keepalived

import (
	"net/netip"
	"strings"
)

// parseAddr reads an address as inet_pton does for the family that a colon decides:
// no zone, no leading zeros, no IPv4 form without four parts.
func parseAddr(s string) (netip.Addr, bool) {
	if strings.IndexByte(s, '%') >= 0 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, false
	}
	return a, true
}

func familyOf(s string) int {
	if strings.IndexByte(s, ':') >= 0 {
		return 6
	}
	return 4
}

func family(a netip.Addr) int {
	switch {
	case !a.IsValid():
		return 0
	case a.Is4():
		return 4
	}
	return 6
}

// sockAddr reads an address and drops a range or a mask behind it.
func sockAddr(s string) (netip.Addr, bool) {
	if i := strings.IndexByte(s, '-'); i >= 0 {
		s = s[:i]
	} else if i := strings.IndexByte(s, '/'); i >= 0 {
		s = s[:i]
	}
	return parseAddr(s)
}

// port reads word i as a port; only zeros mean none.
func (e *eval) port(s *stmt, i int) (uint16, bool) {
	if i >= len(s.w) || strings.Trim(s.w[i].s, "0") == "" {
		return 0, true
	}
	n, ok := e.numberIn(s, i, 1, 65535, true)
	return uint16(n), ok
}

// addrWord reads word i as an address. A missing word ends the parser.
func (e *eval) addrWord(s *stmt, i int) (netip.Addr, bool) {
	if i >= len(s.w) {
		e.missing(s, i)
		return netip.Addr{}, false
	}
	return sockAddr(s.w[i].s)
}

// isLinkLocal reports whether an address is of fe80::/10.
func isLinkLocal(a netip.Addr) bool { return a.Is6() && a.IsLinkLocalUnicast() }

// isLinkMulticast reports whether an IPv6 address is of ff02::/16.
func isLinkMulticast(a netip.Addr) bool { return a.Is6() && a.IsLinkLocalMulticast() }
