package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"dougu.internal/internal/errtext"
	"dougu.internal/sshproxy"
)

// Dialer connects to hosts through the chains of their configuration. Its fields must
// not change once it is in use; it may be used by several goroutines.
type Dialer struct {
	// Resolver holds the configuration. Required.
	Resolver *sshproxy.Resolver
	// Auth returns how to log in to a hop and how to check its host key. It must set
	// HostKeyCallback. If it leaves User or the lists of algorithms empty, they are those of
	// the hop's configuration. If nil, a [Keys] with the Dialer's AllowCommand is used.
	Auth func(ctx context.Context, hop sshproxy.Hop) (*ssh.ClientConfig, error)
	// AllowCommand permits ProxyCommand to start processes.
	AllowCommand bool
	// Shell runs ProxyCommands. Empty: $SHELL, else /bin/sh.
	Shell string
	// Dial opens the first TCP connection. Nil: a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// HopTimeout bounds what one hop may take from the connection to the end of its
	// login. 0: its ConnectTimeout, else one minute.
	HopTimeout time.Duration
}

// Phase is what a hop was doing when it failed.
type Phase string

// The phases.
const (
	Resolve   Phase = "resolve"
	Connect   Phase = "connect"
	Proxy     Phase = "proxy"
	Command   Phase = "command"
	Handshake Phase = "handshake"
	Channel   Phase = "channel"
)

// Error says which hop of a chain failed, and how.
type Error struct {
	// Alias is the hop's name, Address what it is reached at, Index its place in the
	// chain, from 0.
	Alias, Address string
	Index          int
	Phase          Phase
	Err            error
}

// Error returns one line, and what a command last said if there is one.
func (e *Error) Error() string {
	if e.Phase == Resolve {
		return fmt.Sprintf("dial: %s: %s", e.Alias, bare(e.Err))
	}
	return fmt.Sprintf("dial: hop %d, %s (%s): %s: %s", e.Index+1, e.Alias, e.Address, e.Phase, bare(e.Err))
}

const errs = errtext.Package("dial")

// bare returns the text of an error without the name of this package or of package
// sshproxy.
func bare(err error) string {
	if err == nil {
		return "unknown error"
	}
	return strings.TrimPrefix(errs.Trim(err), "sshproxy: ")
}

// named returns an error of this package or of package sshproxy with the name of this
// package.
func named(err error) error {
	var e *Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return &failure{"dial: " + bare(err), err}
}

// failure is an error with a separate text.
type failure struct {
	text string
	err  error
}

func (f *failure) Error() string { return f.text }

func (f *failure) Unwrap() error { return f.err }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// DialContext connects to the sshd of a target: [user@]host, with :port where it differs
// from the configuration. network is "tcp", "tcp4" or "tcp6". The hops before the target
// are logged in to; the target is not. When ctx ends before DialContext returns, it
// returns at once, and everything that was opened is closed.
func (d *Dialer) DialContext(ctx context.Context, network, target string) (net.Conn, error) {
	t, err := parse(target)
	if err != nil {
		return nil, err
	}
	conn, _, err := d.dial(ctx, network, t)
	return conn, err
}

// DialTarget is DialContext for a target with all that a command line can say.
func (d *Dialer) DialTarget(ctx context.Context, t sshproxy.Target) (net.Conn, error) {
	conn, _, err := d.dial(ctx, "tcp", t)
	return conn, err
}

// Client connects to a target and logs in. Closing the client closes the whole chain.
func (d *Dialer) Client(ctx context.Context, target string) (*ssh.Client, error) {
	t, err := parse(target)
	if err != nil {
		return nil, err
	}
	return d.ClientTarget(ctx, t)
}

// ClientTarget is Client for a target with all that a command line can say.
func (d *Dialer) ClientTarget(ctx context.Context, t sshproxy.Target) (*ssh.Client, error) {
	conn, hops, err := d.dial(ctx, "tcp", t)
	if err != nil {
		return nil, err
	}
	last := len(hops) - 1
	hopCtx, cancel := d.hopContext(ctx, hops[last])
	defer cancel()
	c, err := d.login(hopCtx, conn, hops[last], last)
	if err != nil {
		return nil, d.cause(ctx, hopCtx, err)
	}
	return c, nil
}

func (d *Dialer) dial(ctx context.Context, network string, t sshproxy.Target) (net.Conn, []sshproxy.Hop, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, nil, errs.Wrap(net.UnknownNetworkError(network))
	}
	chain, err := d.Resolver.Chain(ctx, t)
	if err != nil {
		return nil, nil, &Error{Alias: t.Host, Phase: Resolve, Err: err}
	}
	if asked := chain.Unanswered(); len(asked) > 0 {
		return nil, nil, &Error{Alias: t.Host, Phase: Resolve, Err: fmt.Errorf("the configuration can't be decided: %s", strings.Join(asked, "; "))}
	}
	conn, err := d.walk(ctx, network, chain.Hops)
	return conn, chain.Hops, err
}

// parse reads [user@]host[:port].
func parse(target string) (sshproxy.Target, error) {
	t, err := sshproxy.ParseTarget(target)
	if err != nil {
		return t, named(err)
	}
	if host, port, err := net.SplitHostPort(t.Host); err == nil {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return t, errs.Errorf("%q is not a port", port)
		}
		t.Host, t.Port = host, n
	}
	return t, nil
}

// walk opens the hops one within the other.
func (d *Dialer) walk(ctx context.Context, network string, hops []sshproxy.Hop) (net.Conn, error) {
	var conn net.Conn
	var through *ssh.Client
	for i, hop := range hops {
		hopCtx, cancel := d.hopContext(ctx, hop)
		next, err := d.reach(hopCtx, network, hop, i, through)
		if err != nil {
			err = d.cause(ctx, hopCtx, err)
			cancel()
			if through != nil {
				through.Close()
			}
			return nil, err
		}
		conn, through = next, nil
		if i < len(hops)-1 {
			through, err = d.login(hopCtx, conn, hop, i)
		}
		if err != nil {
			err = d.cause(ctx, hopCtx, err)
		}
		cancel()
		if err != nil {
			return nil, err
		}
	}
	return conn, nil
}

// cause prefers the reason that the caller's context ended to what it led to.
func (d *Dialer) cause(ctx, hopCtx context.Context, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case ctx.Err() != nil && !errors.Is(e.Err, context.Cause(ctx)):
		e.Err = fmt.Errorf("%w (%v)", context.Cause(ctx), e.Err)
	case ctx.Err() == nil && hopCtx.Err() != nil:
		e.Err = fmt.Errorf("no answer in time: %w", e.Err)
	}
	return err
}

// hopContext bounds one hop.
func (d *Dialer) hopContext(ctx context.Context, hop sshproxy.Hop) (context.Context, context.CancelFunc) {
	limit := d.HopTimeout
	if limit == 0 {
		limit = time.Minute
		if n, err := strconv.Atoi(hop.Result.Get("ConnectTimeout")); err == nil && n > 0 {
			limit = time.Duration(n) * time.Second
		}
	}
	return context.WithTimeout(ctx, limit)
}

// reach opens the connection to a hop's sshd.
func (d *Dialer) reach(ctx context.Context, network string, hop sshproxy.Hop, i int, through *ssh.Client) (net.Conn, error) {
	address := net.JoinHostPort(hop.Host, hop.Port)
	fail := func(p Phase, err error) (net.Conn, error) {
		return nil, &Error{Alias: hop.Alias, Address: address, Index: i, Phase: p, Err: err}
	}
	switch {
	case hop.Via == sshproxy.Direct:
		conn, err := d.direct(ctx, d.network(network, hop), hop, address)
		if err != nil {
			return fail(Connect, err)
		}
		return conn, nil
	case hop.Via == sshproxy.Jump && through != nil:
		conn, err := through.DialContext(ctx, "tcp", address)
		if err != nil {
			return fail(Channel, err)
		}
		return &jumpConn{Conn: conn, through: through, remote: hopAddr(address)}, nil
	case hop.Via == sshproxy.Command && hop.Proxy != "":
		conn, err := d.proxied(ctx, hop.Proxy, address)
		if err != nil {
			return fail(Proxy, err)
		}
		return conn, nil
	case hop.Via == sshproxy.Command && !d.AllowCommand:
		return fail(Command, fmt.Errorf("ProxyCommand of %s is not run: AllowCommand is not set", hop.Place))
	case hop.Via == sshproxy.Command:
		conn, err := d.command(ctx, hop, address)
		if err != nil {
			return fail(Command, err)
		}
		return conn, nil
	}
	return fail(Resolve, fmt.Errorf("the hop is reached by %v with nothing before it", hop.Via))
}

func (d *Dialer) network(network string, hop sshproxy.Hop) string {
	if network != "tcp" {
		return network
	}
	switch hop.Result.Get("AddressFamily") {
	case "inet":
		return "tcp4"
	case "inet6":
		return "tcp6"
	}
	return network
}

func (d *Dialer) tcp(ctx context.Context, network, address string) (net.Conn, error) {
	if d.Dial != nil {
		return d.Dial(ctx, network, address)
	}
	var nd net.Dialer
	return nd.DialContext(ctx, network, address)
}

// login authenticates a hop. It closes conn when it fails.
func (d *Dialer) login(ctx context.Context, conn net.Conn, hop sshproxy.Hop, i int) (*ssh.Client, error) {
	address := net.JoinHostPort(hop.Host, hop.Port)
	fail := func(err error) (*ssh.Client, error) {
		conn.Close()
		return nil, &Error{Alias: hop.Alias, Address: address, Index: i, Phase: Handshake, Err: err}
	}
	auth := d.Auth
	if auth == nil {
		auth = (&Keys{AllowCommand: d.AllowCommand}).Auth
	}
	config, err := auth(ctx, hop)
	if err != nil {
		return fail(err)
	}
	if config.HostKeyCallback == nil {
		return fail(errors.New("Auth returned no HostKeyCallback"))
	}
	c := *config
	config = &c
	if config.User == "" {
		config.User = hop.User
	}
	if err := negotiation(config, hop); err != nil {
		return fail(err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	sc, channels, requests, err := ssh.NewClientConn(conn, keyName(hop), config)
	if !stop() {
		if sc != nil {
			sc.Close()
		}
		err = context.Cause(ctx)
		if c, ok := conn.(interface{ explain(error) error }); ok {
			conn.Close()
			err = c.explain(err)
		}
		return fail(err)
	}
	if err != nil {
		return fail(err)
	}
	client := ssh.NewClient(sc, channels, requests)
	keepAlive(client, hop)
	return client, nil
}

// keyName is the name under which an Auth of the caller finds a hop's host key.
func keyName(hop sshproxy.Hop) string {
	if alias := hop.Result.Get("HostKeyAlias"); alias != "" {
		return net.JoinHostPort(alias, "22")
	}
	return net.JoinHostPort(hop.Host, hop.Port)
}

// hopAddr is the address of a hop as its configuration says it.
type hopAddr string

// Network is "tcp".
func (hopAddr) Network() string { return "tcp" }

// String is host:port.
func (a hopAddr) String() string { return string(a) }

// jumpConn is a connection through a jump host, which is closed with it.
type jumpConn struct {
	net.Conn
	through *ssh.Client
	remote  hopAddr
}

// Close closes the connection, then the hop that carries it, and waits until that is
// down.
func (c *jumpConn) Close() error {
	err := c.Conn.Close()
	c.through.Close()
	c.through.Wait()
	return err
}

// CloseWrite tells the other side that no more is to come.
func (c *jumpConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}

// RemoteAddr is the address of the hop.
func (c *jumpConn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline returns os.ErrNoDeadline: a channel has none.
func (c *jumpConn) SetDeadline(time.Time) error { return os.ErrNoDeadline }

// SetReadDeadline returns os.ErrNoDeadline.
func (c *jumpConn) SetReadDeadline(time.Time) error { return os.ErrNoDeadline }

// SetWriteDeadline returns os.ErrNoDeadline.
func (c *jumpConn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }
