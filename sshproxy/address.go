package sshproxy

import (
	"net/netip"
	"strconv"
	"strings"
)

// addressOnly reports whether a name can only be meant as an address.
func addressOnly(s string) bool {
	return strings.ContainsAny(s, "%:") || strings.Trim(s, "0123456789.") == ""
}

// numericAddress reads an address as the system's resolver does for a numeric host,
// and returns it as the system prints it. family is inet, inet6 or any.
func numericAddress(s, family string) (string, bool) {
	if strings.Contains(s, ":") {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" { // a scope needs the list of interfaces: the name stays as it is
			return "", false
		}
		if family == "inet" {
			return a.Unmap().String(), a.Is4In6()
		}
		return printIPv6(a), true
	}
	if family == "inet6" {
		return "", false
	}
	n, ok := parseIPv4(s)
	if !ok {
		return "", false
	}
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}).String(), true
}

// printIPv6 prints an address as the C library does, which writes the last half of an
// IPv4-compatible one with dots.
func printIPv6(a netip.Addr) string {
	b := a.As16()
	for _, c := range b[:12] {
		if c != 0 {
			return a.String()
		}
	}
	if b[12] == 0 && b[13] == 0 {
		return a.String()
	}
	return "::" + netip.AddrFrom4([4]byte(b[12:])).String()
}

// parseIPv4 reads one to four numbers, each decimal, octal or hexadecimal, as
// inet_aton does.
func parseIPv4(s string) (uint32, bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return 0, false
	}
	var n uint64
	for i, p := range parts {
		if p == "" || !digit(p[0]) || strings.Contains(p, "_") {
			return 0, false
		}
		base := 10
		switch {
		case strings.HasPrefix(p, "0x") || strings.HasPrefix(p, "0X"):
			base, p = 16, p[2:]
		case p[0] == '0' && len(p) > 1:
			base, p = 8, p[1:]
		}
		v, err := strconv.ParseUint(p, base, 32)
		if err != nil {
			return 0, false
		}
		if i == len(parts)-1 {
			if v >= 1<<(8*(5-len(parts))) {
				return 0, false
			}
			n = n<<(8*(5-len(parts))) | v
		} else {
			if v > 255 {
				return 0, false
			}
			n = n<<8 | v
		}
	}
	return uint32(n), true
}
