package dial

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// proxyServer answers each connection once with fn.
func proxyServer(t *testing.T, fn func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				fn(c)
			}()
		}
	}()
	return l.Addr().String()
}

func request(c net.Conn) string {
	line, _ := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(line)
}

func TestHTTPConnectReadsTheHeaderAndNoMore(t *testing.T) {
	at := proxyServer(t, func(c net.Conn) {
		if request(c) == "CONNECT [fe80::1]:22 HTTP/1.1" {
			fmt.Fprint(c, "HTTP/1.0 200 Connection established\r\nX: y\r\n\r\nSSH-2.0-early\r\n")
		}
	})
	var d net.Dialer
	conn, err := HTTPConnect(context.Background(), &d, "http://"+at, "[fe80::1]:22")
	require.NoError(t, err)
	defer conn.Close()
	text, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Equal(t, "SSH-2.0-early\r\n", string(text))
}

func TestHTTPConnectRefusals(t *testing.T) {
	for _, row := range []struct{ answer, want string }{
		{"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407 Proxy Authentication Required"},
		{"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "403 Forbidden"},
		{"SSH-2.0-x\r\n", "not an HTTP proxy"},
		{"HTTP/1.1\r\n\r\n", "not an HTTP proxy"},
		{"HTTP/1.1 200", "connection closed"},
		{"", "connection closed"},
		{"HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 10000), "not an HTTP proxy"},
	} {
		at := proxyServer(t, func(c net.Conn) {
			request(c)
			fmt.Fprint(c, row.answer)
		})
		var d net.Dialer
		_, err := HTTPConnect(context.Background(), &d, "http://"+at, "h:22")
		require.ErrorContains(t, err, row.want)
	}
	var d net.Dialer
	for _, bad := range []string{"http://me:secret@proxy:1", "socks5://x:1", "://", "http://"} {
		_, err := HTTPConnect(context.Background(), &d, bad, "h:22")
		require.Error(t, err)
		require.NotContains(t, err.Error(), "secret")
	}
	_, err := HTTPConnect(context.Background(), &d, "http://127.0.0.1:1", "h:22\r\nX: y")
	require.Error(t, err)
}

func TestProxyThatSaysNothingEndsWithTheContext(t *testing.T) {
	at := proxyServer(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	var d net.Dialer
	for _, dial := range []func(context.Context) error{
		func(ctx context.Context) error { _, err := HTTPConnect(ctx, &d, "http://"+at, "h:22"); return err },
		func(ctx context.Context) error { _, err := SOCKS5(ctx, &d, "socks5://"+at, "h:22"); return err },
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		require.Error(t, dial(ctx))
		cancel()
	}
}

func TestSOCKS5SendsNamesToTheProxy(t *testing.T) {
	asked := make(chan string, 1)
	at := proxyServer(t, func(c net.Conn) {
		b := make([]byte, 300)
		io.ReadFull(c, b[:2])
		io.ReadFull(c, b[:b[1]])
		c.Write([]byte{5, 0})
		io.ReadFull(c, b[:5])
		io.ReadFull(c, b[5:5+int(b[4])+2])
		asked <- string(b[5 : 5+int(b[4])])
		c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		fmt.Fprint(c, "SSH-2.0-s\r\n")
	})
	var d net.Dialer
	conn, err := SOCKS5(context.Background(), &d, "socks5://"+at, "internal.prod:22")
	require.NoError(t, err)
	defer conn.Close()
	require.Equal(t, "internal.prod", <-asked)

	at = proxyServer(t, func(c net.Conn) {
		b := make([]byte, 3)
		io.ReadFull(c, b)
		c.Write([]byte{5, 0xff})
	})
	_, err = SOCKS5(context.Background(), &d, "socks5://"+at, "h:22")
	require.Error(t, err)
}
