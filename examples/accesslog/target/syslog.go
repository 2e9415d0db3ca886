package target

import (
	"context"
	"slices"
	"strings"

	"dougu.internal/examples/accesslog/internal/errtext"
	"dougu.internal/examples/accesslog/sink"
	"dougu.internal/examples/accesslog/syslogw"
)

// Syslog opens targets of the form syslog:[facility[.severity]:]ident[@network://addr]. The
// fields contain the configuration of the [syslogw.Writer]. Network and address are always taken
// from the target; facility, severity and ident are taken from it if it has them.
type Syslog syslogw.Config

// Open opens a syslog target. The prefix can have upper and lower case.
func (s Syslog) Open(ctx context.Context, spec string) (sink.Sink, error) {
	c, err := s.Parse(spec)
	if err != nil {
		return nil, err
	}
	w, err := syslogw.Open(ctx, c)
	if err != nil {
		return nil, errtext.Wrap("target", "", err)
	}
	return w, nil
}

var networks = []string{"udp", "tcp", "tls", "relp", "unix"}

// Parse returns the configuration that Open uses for a target. An error is [ErrNotMine] or a
// [*SpecError].
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
			return c, &SpecError{spec, at, "missing ident before the address, want syslog:IDENT@" + rest}
		case !slices.Contains(networks, network):
			return c, &SpecError{
				spec,
				at + from + 1,
				"unknown network " + quote(network) + " (known: " + strings.Join(networks, ", ") + ")",
			}
		default:
			c.Network, c.Addr = network, rest[i+3:]
		}
		if c.Addr == "" {
			return c, &SpecError{spec, len(spec), "missing address"}
		}
		rest = rest[:from]
	}
	if priority, ident, ok := strings.Cut(rest, ":"); ok {
		facility, severity, both := strings.Cut(priority, ".")
		var err error
		if c.Facility, err = syslogw.ParseFacility(facility); err != nil {
			return c, &SpecError{spec, at, errtext.Plain(err)}
		}
		if both {
			if c.Severity, err = syslogw.ParseSeverity(severity); err != nil {
				return c, &SpecError{spec, at + len(facility) + 1, errtext.Plain(err)}
			}
			if c.Severity == 0 {
				return c, &SpecError{
					spec,
					at + len(facility) + 1,
					"invalid syslog severity emerg: messages would be written to all terminals",
				}
			}
		}
		at += len(priority) + 1
		rest = ident
	}
	if rest != "" {
		c.Ident = rest
	}
	if err := c.Validate(); err != nil {
		msg, _, _ := strings.Cut(errtext.Plain(err), "\n")
		return c, &SpecError{spec, at, msg}
	}
	return c, nil
}

func quote(s string) string { return `"` + s[:min(len(s), 40)] + `"` }
