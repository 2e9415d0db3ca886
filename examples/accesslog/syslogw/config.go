package syslogw

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"dougu.internal/examples/accesslog/internal/errtext"
	"dougu.internal/examples/accesslog/sink"
	"dougu.internal/examples/accesslog/spool"
	"dougu.internal/internal/enum"
)

// Format is the format of a syslog message.
type Format uint8

// The formats.
const (
	// FormatAuto is RFC3164Local on a unix socket and RFC5424 on all other networks.
	FormatAuto Format = iota
	// RFC3164Local is the format of syslog(3): priority, local time and tag, without a host
	// name.
	RFC3164Local
	// RFC3164 is RFC3164Local with a host name, for old collectors.
	RFC3164
	// RFC5424 is the format of RFC 5424 with six digits of a second and without structured
	// data.
	RFC5424
)

var formats = enum.Names[Format]{Type: "syslogw: message format", Words: map[Format]string{
	FormatAuto: "auto", RFC3164Local: "rfc3164-local", RFC3164: "rfc3164", RFC5424: "rfc5424",
}}

// String returns the name of the format: auto, rfc3164-local, rfc3164 or rfc5424.
func (f Format) String() string { return formats.String(f) }

// MarshalText returns the name of the format. It fails if f is not a valid format.
func (f Format) MarshalText() ([]byte, error) { return formats.Text(f) }

// UnmarshalText reads the name of a format.
func (f *Format) UnmarshalText(text []byte) error { return formats.Parse(text, f) }

// Framing separates messages on TCP and TLS connections.
type Framing uint8

// The framings.
const (
	// Octet writes the size in front of each message (RFC 5425; RFC 6587, section 3.4.1).
	// Messages can contain any byte.
	Octet Framing = iota
	// LF writes a line feed after each message (RFC 6587, section 3.4.2). A line feed in a
	// message is replaced by #012.
	LF
)

var framings = enum.Names[Framing]{Type: "syslogw: framing", Words: map[Framing]string{Octet: "octet", LF: "lf"}}

// String returns "octet" or "lf".
func (f Framing) String() string { return framings.String(f) }

// MarshalText returns the name of the framing. It fails if f is not a valid framing.
func (f Framing) MarshalText() ([]byte, error) { return framings.Text(f) }

// UnmarshalText reads the name of a framing.
func (f *Framing) UnmarshalText(text []byte) error { return framings.Parse(text, f) }

// Config configures a [Writer]. Ident must be set; all other fields are optional.
type Config struct {
	// Network is "unix", "udp", "tcp", "tls" or "relp". If empty, "unix" is used, a datagram
	// socket.
	Network string
	// Addr is the path of the socket for the network "unix", and HOST:PORT for the others. If
	// empty, "/dev/log" is used.
	Addr string
	// TLS configures TLS for the networks "tls" and "relp". If nil, "tls" verifies the
	// collector with the root certificates of the system, and "relp" does not use TLS.
	TLS *tls.Config

	// Facility is the syslog facility. If zero, user is used, because kern is reserved for
	// the kernel.
	Facility Facility
	// Severity is the syslog severity. If zero, [Info] is used.
	Severity Severity
	// Ident is the name of the sender. In RFC 5424 messages (APP-NAME) it has at most 48
	// printable ASCII characters; in RFC 3164 messages (TAG) at most 32 letters, digits and
	// "-_.".
	Ident string
	// Hostname is the host name in messages, at most 255 printable ASCII characters. If
	// empty, the name of the system is used.
	Hostname string
	// Format is the format of the messages.
	Format Format
	// Framing separates the messages on the networks "tcp" and "tls".
	Framing Framing
	// MaxSize is the maximum size of a message with its header: 480 bytes to 1 MiB, and to
	// 65507 bytes over UDP. If zero, 8192 is used, and 2048 over UDP.
	MaxSize int

	// Spool is a directory for lines that are not delivered. If empty, they are kept in
	// memory.
	Spool string
	// SpoolMax is the maximum size of the spool in bytes. If zero, 1 GiB is used.
	SpoolMax int64
	// Sync selects when a line counts as stored in the spool.
	Sync spool.Sync
	// QueueMax is the maximum size of the queue in memory in bytes. If zero, 16 MiB is used.
	QueueMax int64
	// OnFull selects what happens to a line if the queue or the spool is full.
	OnFull sink.OnFull

	// Timeout is the time limit for connecting, for each write and, over RELP, for each
	// reply. If zero, 30 seconds is used.
	Timeout time.Duration
	// BackoffMin is the pause before a failed connection is tried again. The pause doubles
	// with each failure. If zero, 100 milliseconds is used.
	BackoffMin time.Duration
	// BackoffMax is the maximum pause. If zero, 30 seconds is used.
	BackoffMax time.Duration
	// Window is the maximum number of unacknowledged messages over RELP. If zero, 128 is
	// used.
	Window int
	// Dial opens a connection. If nil, the DialContext method of [net.Dialer] is used.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Now returns the time for messages. If nil, time.Now is used.
	Now func() time.Time
	// Log receives an event when a connection is lost or re-established. If nil, nothing is
	// logged.
	Log *slog.Logger
}

// Validate returns an error that lists all problems of the configuration, or nil.
func (c *Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("syslogw: "+format, args...)) }
	switch c.Network {
	case "", "unix":
		if c.Format == RFC5424 {
			bad("invalid format %v for a local socket: rsyslogd does not read it there", c.Format)
		}
	case "udp", "tcp", "tls", "relp":
		if _, port, err := net.SplitHostPort(c.Addr); err != nil {
			bad("invalid address %q, want HOST:PORT", c.Addr)
		} else if port == "" {
			bad("invalid address %q: missing port", c.Addr)
		}
	default:
		bad("unknown network %q (known: unix, udp, tcp, tls, relp)", c.Network)
	}
	if _, err := c.Facility.MarshalText(); err != nil {
		bad("invalid facility %d, want 0 to 23", uint8(c.Facility))
	}
	if _, err := c.Severity.MarshalText(); err != nil {
		bad("invalid severity %d, want 0 to 7", uint8(c.Severity))
	}
	if err := checkIdent(c.Ident, c.format()); err != nil {
		errs = append(errs, err)
	}
	if i := strings.IndexFunc(c.Hostname, func(r rune) bool { return r <= ' ' || r > '~' }); i >= 0 ||
		len(c.Hostname) > 255 {
		bad("invalid host name %.80q, want at most 255 printable ASCII characters without blanks", c.Hostname)
	}
	most := spool.MaxRecord
	if c.Network == "udp" {
		most = 65507
	}
	if c.MaxSize != 0 && (c.MaxSize < 480 || c.MaxSize > most) {
		bad("invalid message size %d, want 480 to %d", c.MaxSize, most)
	}
	return errtext.Join("syslogw", errs)
}

func checkIdent(ident string, f Format) error {
	most, what := 48, "printable ASCII characters without blanks"
	good := func(c byte) bool { return c > ' ' && c <= '~' }
	if f != RFC5424 {
		most, what = 32, `letters, digits and "-_." (rsyslogd cuts names at "/")`
		good = func(c byte) bool {
			return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.", c) >= 0
		}
	}
	switch i := slices.IndexFunc([]byte(ident), func(c byte) bool { return !good(c) }); {
	case ident == "":
		return errors.New("syslogw: missing ident: set the name of the sender, such as httpd")
	case i >= 0:
		return fmt.Errorf("syslogw: invalid ident %.60q: byte %d is %q, want %s", ident, i+1, ident[i], what)
	case len(ident) > most:
		return fmt.Errorf("syslogw: invalid ident %.60q: has %d characters, want at most %d", ident, len(ident), most)
	}
	return nil
}

func (c *Config) format() Format {
	switch {
	case c.Format != FormatAuto:
		return c.Format
	case c.Network == "" || c.Network == "unix":
		return RFC3164Local
	}
	return RFC5424
}

// complete sets the defaults.
func (c *Config) complete() {
	c.Format = c.format()
	if c.Network == "" {
		c.Network = "unix"
	}
	if c.Network == "unix" && c.Addr == "" {
		c.Addr = "/dev/log"
	}
	if c.Facility == 0 {
		c.Facility = 1
	}
	if c.Severity == 0 {
		c.Severity = Info
	}
	if c.Hostname == "" {
		c.Hostname = hostname()
	}
	if c.MaxSize == 0 {
		c.MaxSize = 8192
		if c.Network == "udp" {
			c.MaxSize = 2048
		}
	}
	if c.QueueMax <= 0 {
		c.QueueMax = 16 << 20
	}
	if c.Timeout <= 0 {
		c.Timeout = 30 * time.Second
	}
	if c.BackoffMin <= 0 {
		c.BackoffMin = 100 * time.Millisecond
	}
	if c.BackoffMax <= 0 {
		c.BackoffMax = 30 * time.Second
	}
	c.BackoffMax = max(c.BackoffMax, c.BackoffMin)
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "-"
	}
	name = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, name)
	if name == "" {
		return "-"
	}
	return name[:min(len(name), 255)]
}
