package dial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/proxy"
)

// proxied connects through a proxy URL.
func (d *Dialer) proxied(ctx context.Context, proxyURL, address string) (net.Conn, error) {
	if strings.HasPrefix(proxyURL, "http://") {
		return HTTPConnect(ctx, dialFunc(d.tcp), proxyURL, address)
	}
	return SOCKS5(ctx, dialFunc(d.tcp), proxyURL, address)
}

// dialFunc makes a function a proxy.ContextDialer.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// DialContext calls the function.
func (f dialFunc) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return f(ctx, network, address)
}

// Dial calls the function without a context.
func (f dialFunc) Dial(network, address string) (net.Conn, error) {
	return f(context.Background(), network, address)
}

// proxyHost checks a proxy URL and returns the address of the proxy.
func proxyHost(proxyURL, scheme, port string) (string, error) {
	u, err := url.Parse(proxyURL)
	if err != nil {
		return "", errs.New("the proxy is not a URL") // url's message would show a password
	}
	switch {
	case u.User != nil:
		return "", errs.Errorf("the URL of the proxy %s holds a user: it would be sent in the clear", u.Host)
	case u.Scheme != scheme:
		return "", errs.Errorf("the proxy %s is not %s://host:port", u.Redacted(), scheme)
	case u.Hostname() == "":
		return "", errs.Errorf("the proxy %s has no host", u.Redacted())
	}
	if u.Port() != "" {
		port = u.Port()
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}

// headerLimit bounds what a proxy may say before the tunnel.
const headerLimit = 16 << 10

// HTTPConnect connects to address through an HTTP proxy by CONNECT. Nothing behind the
// proxy's header is read, as the other side may speak first. The error of a refusal
// holds the status line.
func HTTPConnect(ctx context.Context, d proxy.ContextDialer, proxyURL, address string) (net.Conn, error) {
	at, err := proxyHost(proxyURL, "http", "8080")
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(address, "\r\n ") {
		return nil, errs.Errorf("%q is not an address", address)
	}
	conn, err := d.DialContext(ctx, "tcp", at)
	if err != nil {
		return nil, errs.Errorf("proxy %s: %w", at, err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	err = connect(conn, address)
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		conn.Close()
		return nil, errs.Errorf("proxy %s: %w", at, err)
	}
	return conn, nil
}

func connect(conn net.Conn, address string) error {
	if _, err := fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", address, address); err != nil {
		return err
	}
	header, err := readHeader(conn)
	if err != nil {
		return err
	}
	status, _, _ := strings.Cut(header, "\n")
	status = strings.TrimRight(status, "\r")
	fields := strings.Fields(status)
	if len(fields) < 2 || !strings.HasPrefix(fields[0], "HTTP/1.") {
		return fmt.Errorf("not an HTTP proxy: unexpected reply %.100q", status)
	}
	if len(fields[1]) != 3 || fields[1][0] != '2' {
		return fmt.Errorf("connection refused by the proxy: %.100q", status)
	}
	return nil
}

// readHeader reads up to the empty line, byte by byte so as not to take what follows.
func readHeader(r io.Reader) (string, error) {
	var header []byte
	var one [1]byte
	for {
		if _, err := io.ReadFull(r, one[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return "", fmt.Errorf("connection closed after %d bytes of the reply: %w", len(header), io.ErrUnexpectedEOF)
			}
			return "", err
		}
		header = append(header, one[0])
		if n := len(header); one[0] == '\n' && (n >= 2 && header[n-2] == '\n' || n >= 4 && string(header[n-4:]) == "\r\n\r\n") {
			return string(header), nil
		}
		if len(header) == 1 && one[0] != 'H' || len(header) > headerLimit {
			return "", fmt.Errorf("not an HTTP proxy: unexpected reply %.100q", header)
		}
	}
}

// SOCKS5 connects to address through a SOCKS5 proxy without a login. A name is sent to
// the proxy, which looks it up.
func SOCKS5(ctx context.Context, d proxy.ContextDialer, proxyURL, address string) (net.Conn, error) {
	at, err := proxyHost(proxyURL, "socks5", "1080")
	if err != nil {
		return nil, err
	}
	forward := dialFunc(d.DialContext)
	s, err := proxy.SOCKS5("tcp", at, nil, forward)
	if err != nil {
		return nil, errs.Errorf("proxy %s: %w", at, err)
	}
	conn, err := s.(proxy.ContextDialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, errs.Errorf("proxy %s: %w", at, err)
	}
	return conn, nil
}
