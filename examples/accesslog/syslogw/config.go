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

	"dougu.internal/examples/accesslog/sink"
	"dougu.internal/examples/accesslog/spool"
)

// Format is the form of a message. The zero value is chosen by the network.
type Format uint8

// The formats.
const (
	// FormatAuto is RFC3164Local on a unix socket and RFC5424 elsewhere.
	FormatAuto Format = iota
	// RFC3164Local: priority, stamp in local time, tag; no host. What syslog(3) writes.
	RFC3164Local
	// RFC3164: the same with the host, for old collectors in the network.
	RFC3164
	// RFC5424 with six digits of a second and without structured data.
	RFC5424
)

// Framing separates the messages of a stream. RELP has its own.
type Framing uint8

// The framings.
const (
	// Octet counts the bytes before each message; RFC 5425 and RFC 6587, 3.4.1. It
	// carries any message.
	Octet Framing = iota
	// LF ends each message with a line feed, RFC 6587, 3.4.2. Line feeds in a message
	// are written as #012, as rsyslogd prints them.
	LF
)

// Config of a Writer. Ident is needed, all else has a usable zero value.
type Config struct {
	// Network is "unix" (the zero value, a datagram socket), "udp", "tcp", "tls" or
	// "relp"; Addr a path, by default /dev/log, or host:port.
	Network, Addr string
	// TLS for the network "tls"; nil verifies the collector by the system's roots. Over
	// "relp" it is spoken only when it is not nil.
	TLS *tls.Config

	// Facility is 0 for user, as kern is for the kernel alone; Severity is 0 for info.
	Facility Facility
	Severity Severity
	// Ident names the sender: APP-NAME of RFC 5424, at most 48 printable ASCII
	// characters; TAG of RFC 3164, at most 32 letters, digits and "-_.".
	Ident string
	// Hostname is what messages carry; empty is the system's, up to 255 printable ASCII
	// characters.
	Hostname string
	Format   Format
	Framing  Framing
	// MaxSize bounds a message in bytes, its header included; 0 is 8192, and 2048 over
	// UDP. 480 to 1 MiB, and to 65507 over UDP.
	MaxSize int

	// Spool is a directory for lines that are not delivered; empty keeps them in memory.
	Spool string
	// SpoolMax bounds the bytes in it; 0 is 1 GiB. Sync says when a line is safe there.
	SpoolMax int64
	Sync     spool.Sync
	// QueueMax bounds the bytes that wait in memory; 0 is 16 MiB.
	QueueMax int64
	// OnFull says what happens to a line for which there is no room.
	OnFull sink.OnFull

	// Timeout bounds connecting, writing, and over RELP the wait for answers; 0 is 30
	// seconds. A failed connection is tried again after BackoffMin, then twice as long
	// each time, up to BackoffMax; 0 is 100 milliseconds and 30 seconds.
	Timeout, BackoffMin, BackoffMax time.Duration
	// Window is the number of unanswered messages over RELP; 0 is 128.
	Window int
	// Dial connects; nil is net.Dialer's DialContext. Now is the clock of the stamps;
	// nil is time.Now.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	Now  func() time.Time
	// Log is told of lost and regained connections; nil says nothing.
	Log *slog.Logger
}

// Validate reports everything that Open would refuse, as one error with a line each.
func (c *Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("syslog: "+format, args...)) }
	switch c.Network {
	case "", "unix":
		if c.Format == RFC5424 {
			bad("rsyslogd does not read RFC 5424 from a local socket: leave Format out")
		}
	case "udp", "tcp", "tls", "relp":
		if _, port, err := net.SplitHostPort(c.Addr); err != nil {
			bad("address %q: %v", c.Addr, err)
		} else if port == "" {
			bad("address %q has no port", c.Addr)
		}
	default:
		bad("network %q is not one of unix, udp, tcp, tls, relp", c.Network)
	}
	if int(c.Facility) >= len(facilities) {
		bad("facility %d is not one of 0 to %d", c.Facility, len(facilities)-1)
	}
	if int(c.Severity) >= len(severities) {
		bad("severity %d is not one of 0 to 7", c.Severity)
	}
	if err := checkIdent(c.Ident, c.format()); err != nil {
		errs = append(errs, err)
	}
	if i := strings.IndexFunc(c.Hostname, func(r rune) bool { return r <= ' ' || r > '~' }); i >= 0 || len(c.Hostname) > 255 {
		bad("host name %.80q: at most 255 printable ASCII characters without blanks", c.Hostname)
	}
	most := spool.MaxRecord
	if c.Network == "udp" {
		most = 65507
	}
	if c.MaxSize != 0 && (c.MaxSize < 480 || c.MaxSize > most) {
		bad("a message size of %d is not in the range of 480 to %d", c.MaxSize, most)
	}
	return errors.Join(errs...)
}

func checkIdent(ident string, f Format) error {
	most, what := 48, "printable ASCII characters without blanks"
	good := func(c byte) bool { return c > ' ' && c <= '~' }
	if f != RFC5424 {
		most, what = 32, `letters, digits and "-_." (rsyslogd cuts a name at "/")`
		good = func(c byte) bool {
			return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.", c) >= 0
		}
	}
	switch i := slices.IndexFunc([]byte(ident), func(c byte) bool { return !good(c) }); {
	case ident == "":
		return errors.New("syslog: the ident is empty: name the sender, such as httpd")
	case i >= 0:
		return fmt.Errorf("syslog: ident %.60q: byte %d (%q) is not one of the %s", ident, i+1, ident[i], what)
	case len(ident) > most:
		return fmt.Errorf("syslog: ident %.60q has %d characters: at most %d", ident, len(ident), most)
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

// complete fills in what was left out.
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
