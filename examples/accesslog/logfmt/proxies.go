package logfmt

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies selects the proxies that can name the client of a request in a header, like
// mod_remoteip. The header is read from its right end, as long as the sender of the value is
// one of the proxies. The values that were used are removed from the header that is logged,
// and %{remote}p is then 0, because the port of the client is not known.
//
// A peer on a unix socket has no address. It is a proxy if one of the Unix fields is set.
type Proxies struct {
	// Header is the name of the header. If empty, X-Forwarded-For is used. A header that
	// contains one address, such as X-Real-IP, works in the same way.
	Header string
	// Internal lists the networks of proxies that can name any client, like the directive
	// RemoteIPInternalProxy.
	Internal []netip.Prefix
	// Trusted lists the networks of proxies that can name clients with public addresses only,
	// like the directive RemoteIPTrustedProxy.
	Trusted []netip.Prefix
	// InternalUnix means that the peer of a unix socket is an internal proxy.
	InternalUnix bool
	// TrustedUnix means that the peer of a unix socket is a trusted proxy.
	TrustedUnix bool
}

// ParseProxies reads networks or addresses separated by commas, with "unix" for the peer of a
// unix socket.
func ParseProxies(list string) (networks []netip.Prefix, unix bool, err error) {
	for part := range strings.SplitSeq(list, ",") {
		part = strings.TrimSpace(part)
		switch p, e := netip.ParsePrefix(part); {
		case part == "":
		case part == "unix":
			unix = true
		case e == nil:
			networks = append(networks, p.Masked())
		default:
			a, e := netip.ParseAddr(part)
			if e != nil {
				return nil, false, fmt.Errorf("logfmt: parse proxies: %q is not a network, an address or the word unix", part)
			}
			networks = append(networks, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return networks, unix, nil
}

// trust returns whether the address is a proxy, and whether it can name any client. The
// invalid address is the peer of a unix socket.
func (p *Proxies) trust(a netip.Addr) (proxy, internal bool) {
	if !a.IsValid() {
		return p.InternalUnix || p.TrustedUnix, p.InternalUnix
	}
	a = a.Unmap().WithZone("")
	contains := func(n netip.Prefix) bool { return n.Contains(a) }
	if slices.ContainsFunc(p.Internal, contains) {
		return true, true
	}
	return slices.ContainsFunc(p.Trusted, contains), false
}

// client returns the address of the client and the request with the rest of the header.
func (p *Proxies) client(peer netip.AddrPort, r *http.Request) (netip.AddrPort, *http.Request) {
	name := http.CanonicalHeaderKey(p.Header)
	if name == "" {
		name = "X-Forwarded-For"
	}
	rest := strings.Join(r.Header[name], ", ")
	client, used := peer.Addr(), false
	for rest != "" {
		proxy, internal := p.trust(client)
		if !proxy {
			break
		}
		before, last := "", rest
		if at := strings.LastIndexByte(rest, ','); at >= 0 {
			before, last = rest[:at], rest[at+1:]
		}
		addr, err := netip.ParseAddr(strings.Trim(last, " \t"))
		if err != nil || !internal && private(addr) {
			break
		}
		client, used, rest = addr, true, strings.TrimRight(before, " \t")
	}
	if !used {
		return peer, r
	}
	changed := *r
	changed.Header = r.Header.Clone()
	if rest == "" {
		delete(changed.Header, name)
	} else {
		changed.Header[name] = []string{rest}
	}
	return netip.AddrPortFrom(client, 0), &changed
}

// private reports whether mod_remoteip does not accept the address from a trusted proxy: it
// is private, local to a link or a host, or not global unicast of IPv6 (2000::/3).
func private(a netip.Addr) bool {
	a = a.Unmap()
	if a.Is4() {
		return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast()
	}
	return a.As16()[0]&0xe0 != 0x20
}
