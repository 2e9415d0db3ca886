package target

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"slices"
	"strings"

	"dougu.internal/examples/accesslog/internal/errtext"
	"dougu.internal/examples/accesslog/sink"
	"dougu.internal/examples/accesslog/syslogw"
)

// Syslog opens targets of the form syslog:[facility[.severity]:]ident[@network://addr[?options]].
// The fields contain the configuration of the [syslogw.Writer]. Network and address are always
// taken from the target; facility, severity and ident are taken from it if it has them.
//
// The spellings of Apache's ErrorLog directive are accepted as well: syslog, syslog:facility,
// syslog:facility:tag and syslog::tag. A word without a colon that is the name of a facility is
// read as the facility. If neither the target nor the configuration has an ident, httpd is used.
//
// The options are separated by "&": framing=octet and framing=lf for the networks tcp and tls,
// format=rfc3164 and format=rfc5424, and ca=FILE, the path of a PEM file with the authorities
// that can sign the certificate of the collector, for the networks tls and relp+tls. The network
// relp+tls is RELP over TLS.
type Syslog syslogw.Config

// defaultIdent is the ident that Apache uses.
const defaultIdent = "httpd"

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

var networks = []string{"udp", "tcp", "tls", "relp", "relp+tls", "unix"}

// Parse returns the configuration that Open uses for a target. It reads the file of the option
// ca. An error is [ErrNotMine] or a [*SpecError].
func (s Syslog) Parse(spec string) (syslogw.Config, error) {
	p := syslogParser{spec: spec, c: syslogw.Config(s)}
	const prefix = "syslog"
	if len(spec) < len(prefix) || !strings.EqualFold(spec[:len(prefix)], prefix) {
		return p.c, ErrNotMine
	}
	rest := spec[len(prefix):]
	switch {
	case rest == "": // as in ErrorLog
	case rest[0] != ':':
		return p.c, ErrNotMine
	default:
		rest = rest[1:]
		p.at = len(prefix) + 1
	}
	p.c.Network, p.c.Addr = "unix", ""
	rest, err := p.address(rest)
	switch {
	case err != nil:
	case rest == "" && p.at > 0 && p.c.Ident == "":
		err = p.fail(p.at, "missing ident: add the name of the sender, such as syslog:httpd")
	default:
		err = p.name(rest)
	}
	if err != nil {
		return p.c, err
	}
	if p.c.Ident == "" {
		p.c.Ident = defaultIdent
	}
	if err := p.c.Validate(); err != nil {
		msg, _, _ := strings.Cut(errtext.Plain(err), "\n")
		return p.c, &SpecError{spec, p.at, msg}
	}
	return p.c, nil
}

// syslogParser reads the parts of a target into a configuration.
type syslogParser struct {
	spec string
	at   int // the position of the part that is read
	c    syslogw.Config
}

func (p *syslogParser) fail(at int, msg string) error { return &SpecError{p.spec, at, msg} }

// address reads network, address and options, and returns the part before them.
func (p *syslogParser) address(rest string) (string, error) {
	i := strings.Index(rest, "://")
	if i < 0 {
		return rest, nil
	}
	from := strings.LastIndexByte(rest[:i], '@')
	network := rest[from+1 : i]
	switch {
	case from < 0:
		return "", p.fail(p.at, "missing ident before the address, want syslog:IDENT@"+rest)
	case !slices.Contains(networks, network):
		return "", p.fail(p.at+from+1,
			"unknown network "+quote(network)+" (known: "+strings.Join(networks, ", ")+")")
	}
	addr, options, _ := strings.Cut(rest[i+3:], "?")
	if addr == "" {
		return "", p.fail(p.at+i+3, "missing address")
	}
	p.c.Network, p.c.Addr = network, addr
	if network == "relp+tls" {
		p.c.Network = "relp"
		if p.c.TLS == nil {
			p.c.TLS = &tls.Config{}
		}
	}
	at := p.at + i + 3 + len(addr) + 1
	for option := range strings.SplitSeq(options, "&") {
		if option != "" {
			if err := p.option(at, network, option); err != nil {
				return "", err
			}
		}
		at += len(option) + 1
	}
	return rest[:from], nil
}

// option reads one option of the address.
func (p *syslogParser) option(at int, network, option string) error {
	name, value, _ := strings.Cut(option, "=")
	for _, o := range []struct {
		name, values string
		networks     []string
		set          func() error
	}{
		{"framing", "octet or lf", []string{"tcp", "tls"}, func() error { return p.c.Framing.UnmarshalText([]byte(value)) }},
		{"format", "rfc3164 or rfc5424", networks, func() error { return p.format(value) }},
		{"ca", "the path of a PEM file", []string{"tls", "relp+tls"}, func() error { return p.authorities(value) }},
	} {
		if o.name != name {
			continue
		}
		if !slices.Contains(o.networks, network) {
			return p.fail(at, "option "+name+" is not for the network "+network)
		}
		if err := o.set(); err != nil {
			return p.fail(at+len(name)+1, "invalid value "+quote(value)+" of option "+name+", want "+o.values+": "+errtext.Plain(err))
		}
		return nil
	}
	return p.fail(at, "unknown option "+quote(name)+" (known: framing, format, ca)")
}

func (p *syslogParser) format(value string) error {
	switch value {
	case "rfc3164":
		p.c.Format = syslogw.RFC3164
	case "rfc5424":
		p.c.Format = syslogw.RFC5424
	default:
		return errors.New("unknown format")
	}
	return nil
}

// authorities reads the certificates of a PEM file.
func (p *syslogParser) authorities(name string) error {
	pem, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return errors.New("the file has no certificate")
	}
	p.c.TLS = p.c.TLS.Clone()
	if p.c.TLS == nil {
		p.c.TLS = &tls.Config{}
	}
	p.c.TLS.RootCAs = pool
	return nil
}

// name reads [facility[.severity]:]ident or one of the spellings of ErrorLog.
func (p *syslogParser) name(rest string) error {
	priority, ident, ok := strings.Cut(rest, ":")
	if !ok {
		if facility, err := syslogw.ParseFacility(rest); err == nil {
			p.c.Facility = facility
			return nil
		}
		priority, ident = "", rest
	}
	if priority != "" {
		facility, severity, both := strings.Cut(priority, ".")
		var err error
		if p.c.Facility, err = syslogw.ParseFacility(facility); err != nil {
			return p.fail(p.at, errtext.Plain(err))
		}
		if both {
			if p.c.Severity, err = syslogw.ParseSeverity(severity); err != nil {
				return p.fail(p.at+len(facility)+1, errtext.Plain(err))
			}
			if p.c.Severity == 0 {
				return p.fail(p.at+len(facility)+1,
					"invalid syslog severity emerg: messages would be written to all terminals")
			}
		}
	}
	if ok {
		p.at += len(priority) + 1
	}
	if ident != "" {
		p.c.Ident = ident
	}
	return nil
}

func quote(s string) string { return `"` + s[:min(len(s), 40)] + `"` }
