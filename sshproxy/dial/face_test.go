package dial_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/sshproxy"
	"dougu.internal/sshproxy/dial"
)

// TestErrorsNameThePackageOnce: an error of package sshproxy gets the name of this package
// in place of its own.
func TestErrorsNameThePackageOnce(t *testing.T) {
	dialer := func(text string) *dial.Dialer {
		return &dial.Dialer{
			Resolver: &sshproxy.Resolver{Config: "cfg", Files: sshproxy.Memory(map[string][]byte{"cfg": []byte(text)})},
			Dial:     func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") },
		}
	}
	refused := proxyDialer(func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") })
	list := map[string]error{}
	_, list["loop"] = dialer("Host a\n ProxyJump b\nHost b\n ProxyJump a\n").DialContext(t.Context(), "tcp", "a")
	_, list["config"] = dialer("Port x\n").DialContext(t.Context(), "tcp", "a")
	_, list["connect"] = dialer("").DialContext(t.Context(), "tcp", "a:1")
	_, list["client"] = dialer("").Client(t.Context(), "a")
	_, list["network"] = dialer("").DialContext(t.Context(), "udp", "a")
	_, list["port"] = dialer("").DialContext(t.Context(), "tcp", "a:x")
	_, list["target"] = dialer("").DialContext(t.Context(), "tcp", "ssh://")
	_, list["proxy"] = dial.HTTPConnect(t.Context(), refused, "http://127.0.0.1:1", "h:22")
	_, list["url"] = dial.HTTPConnect(t.Context(), refused, "http://u:secret@h", "h:22")
	_, list["socks"] = dial.SOCKS5(t.Context(), refused, "socks5://127.0.0.1:1", "h:22")
	_, list["keys"] = (&dial.Keys{KnownHosts: []string{"/does/not/exist"}}).Auth(t.Context(), sshproxy.Hop{Alias: "a", Result: &sshproxy.Result{}})
	_, list["no keys"] = (&dial.Keys{}).Auth(t.Context(), sshproxy.Hop{Alias: "a", Result: &sshproxy.Result{}})
	list["Error"] = &dial.Error{Alias: "a", Phase: dial.Connect, Err: &sshproxy.ConfigError{Messages: []string{"m"}}}
	list["nested"] = &dial.Error{Alias: "a", Phase: dial.Proxy, Err: list["proxy"]}
	list["zero"] = &dial.Error{}
	for name, err := range list {
		require.Error(t, err, name)
		require.True(t, strings.HasPrefix(err.Error(), "dial: "), "%s: %v", name, err)
		require.Equal(t, 1, strings.Count(err.Error(), "dial: "), "%s: %v", name, err)
		require.NotContains(t, err.Error(), "sshproxy: ", name)
		require.NotContains(t, err.Error(), "secret", name)
	}
	var loop *sshproxy.LoopError
	require.True(t, errors.As(list["loop"], &loop))
	var hop *dial.Error
	require.True(t, errors.As(list["connect"], &hop))
	require.Equal(t, dial.Connect, hop.Phase)
}

type proxyDialer func(ctx context.Context, network, address string) (net.Conn, error)

func (f proxyDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return f(ctx, network, address)
}
