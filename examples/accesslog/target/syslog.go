package target

import (
	"context"
	"slices"
	"strings"

	"dougu.internal/examples/accesslog/sink"
	"dougu.internal/examples/accesslog/syslogw"
)

// Syslog opens syslog:[facility[.severity]:]ident[@network://addr]. Its fields are what
// the string does not say; network and address are always taken from the string, and
// facility, severity and ident where it has them.
type Syslog syslogw.Config

// Open opens a syslog target. The prefix ignores case, as that of mod_syslog did.
func (s Syslog) Open(ctx context.Context, spec string) (sink.Sink, error) {
	c, err := s.Parse(spec)
	if err != nil {
		return nil, err
	}
	w, err := syslogw.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return w, nil
}

var networks = []string{"udp", "tcp", "tls", "relp", "unix"}

// Parse returns the configuration that Open would use. It fails with [ErrNotMine] or a
// *SpecError.
func (s Syslog) Parse(spec string) (syslogw.Config, error) {
	const prefix = "syslog:"
	c := syslogw.Config(s)
	if len(spec) < len(prefix) || !strings.EqualFold(spec[:len(prefix)], prefix) {
		return c, ErrNotMine
	}
	at := len(prefix)
	rest := spec[at:]
	c.Network, c.Addr = "unix", ""
	if i := strings.Index(rest, "://"); i >= 0 {
		from := strings.LastIndexByte(rest[:i], '@')
		switch network := rest[from+1 : i]; {
		case from < 0:
			return c, &SpecError{spec, at, "an address without an ident: syslog:IDENT@" + rest}
		case !slices.Contains(networks, network):
			return c, &SpecError{spec, at + from + 1, "network " + quote(network) + " is not one of " + strings.Join(networks, ", ")}
		default:
			c.Network, c.Addr = network, rest[i+3:]
		}
		if c.Addr == "" {
			return c, &SpecError{spec, len(spec), "the address is missing"}
		}
		rest = rest[:from]
	}
	if priority, ident, ok := strings.Cut(rest, ":"); ok {
		facility, severity, both := strings.Cut(priority, ".")
		var err error
		if c.Facility, err = syslogw.ParseFacility(facility); err != nil {
			return c, &SpecError{spec, at, err.Error()}
		}
		if both {
			if c.Severity, err = syslogw.ParseSeverity(severity); err != nil {
				return c, &SpecError{spec, at + len(facility) + 1, err.Error()}
			}
			if c.Severity == 0 {
				return c, &SpecError{spec, at + len(facility) + 1, "emerg would be written to every terminal"}
			}
		}
		at += len(priority) + 1
		rest = ident
	}
	if rest != "" {
		c.Ident = rest
	}
	if err := c.Validate(); err != nil {
		msg, _, _ := strings.Cut(err.Error(), "\n")
		return c, &SpecError{spec, at, strings.TrimPrefix(msg, "syslog: ")}
	}
	return c, nil
}

func quote(s string) string { return `"` + s[:min(len(s), 40)] + `"` }
