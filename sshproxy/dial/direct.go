package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/crypto/ssh"

	"dougu.internal/sshproxy"
)

// direct opens the TCP connection of a hop by the options that concern it.
func (d *Dialer) direct(ctx context.Context, network string, hop sshproxy.Hop, address string) (net.Conn, error) {
	s := settings{res: hop.Result}
	bind, device := s.one("BindAddress"), s.one("BindInterface")
	attempts := max(1, atoi(s.one("ConnectionAttempts")))
	alive := s.one("TCPKeepAlive") != "no" && s.one("TCPKeepAlive") != "false"
	if s.err != nil {
		return nil, s.err
	}
	open := d.Dial
	switch {
	case open == nil:
		nd := net.Dialer{}
		if !alive {
			nd.KeepAlive = -1
		}
		open = nd.DialContext
		if bind != "" || device != "" {
			open = func(ctx context.Context, network, address string) (net.Conn, error) {
				return bound(ctx, nd, network, address, bind, device)
			}
		}
	case bind != "":
		return nil, errors.New("BindAddress cannot be obeyed: Dialer.Dial opens the connection")
	case device != "":
		return nil, errors.New("BindInterface cannot be obeyed: Dialer.Dial opens the connection")
	}
	for i := 1; ; i++ {
		conn, err := open(ctx, network, address)
		if err == nil || i == attempts || ctx.Err() != nil {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(time.Second):
		}
	}
}

// bound connects from an address of BindAddress, else from one of the interface of
// BindInterface.
func bound(ctx context.Context, nd net.Dialer, network, address, bind, device string) (net.Conn, error) {
	var locals []netip.Addr
	option, value := "BindAddress", bind
	if bind != "" {
		var err error
		if locals, err = net.DefaultResolver.LookupNetIP(ctx, "ip", bind); err != nil {
			return nil, fmt.Errorf("BindAddress %s: %w", bind, err)
		}
	} else {
		option, value = "BindInterface", device
		iface, err := net.InterfaceByName(device)
		if err != nil {
			return nil, fmt.Errorf("BindInterface %s: %w", device, err)
		}
		addrs, err := iface.Addrs()
		if err != nil {
			return nil, fmt.Errorf("BindInterface %s: %w", device, err)
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && !p.Addr().IsLinkLocalUnicast() {
				locals = append(locals, p.Addr())
			}
		}
	}
	err := errors.New("no usable local address")
	for _, a := range locals {
		nd.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(a.Unmap(), 0))
		var conn net.Conn
		if conn, err = nd.DialContext(ctx, network, address); err == nil {
			return conn, nil
		}
	}
	return nil, fmt.Errorf("%s %s: %w", option, value, err)
}

// keepAlive closes a client whose server does not answer, by ServerAliveInterval and
// ServerAliveCountMax. It does not block; its goroutines end with the client.
func keepAlive(client *ssh.Client, hop sshproxy.Hop) {
	s := settings{res: hop.Result}
	interval, count := time.Duration(atoi(s.one("ServerAliveInterval")))*time.Second, atoi(s.one("ServerAliveCountMax"))
	if s.err != nil || interval <= 0 {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		client.Wait()
	}()
	go watch(client, interval, count, done)
}

// watch sends requests until the client is closed.
func watch(client *ssh.Client, interval time.Duration, count int, done <-chan struct{}) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	answered := make(chan struct{}, 1)
	waiting, missed := false, 0
	for {
		select {
		case <-done:
			return
		case <-answered:
			waiting, missed = false, 0
		case <-ticker.C:
			if waiting {
				if missed++; missed >= count {
					client.Close()
					return
				}
				continue
			}
			waiting = true
			go func() {
				if _, _, err := client.SendRequest("keepalive@openssh.com", true, nil); err == nil {
					answered <- struct{}{}
				}
			}()
		}
	}
}
