package syslogw

import "dougu.internal/internal/enum"

// Facility is a syslog facility from 0 (kern) to 23 (local7); see RFC 5424, section 6.2.1.
type Facility uint8

// Severity is a syslog severity from 0 (emerg) to 7 (debug); see RFC 5424, section 6.2.1.
type Severity uint8

// The severities for access logs.
const (
	// Err is the severity of errors.
	Err Severity = 3
	// Warning is the severity of warnings.
	Warning Severity = 4
	// Notice is the severity of normal but significant events.
	Notice Severity = 5
	// Info is the severity of informational messages. It is the default of [Config].
	Info Severity = 6
	// Debug is the severity of debug messages.
	Debug Severity = 7
)

var facilities = enum.Names[Facility]{Type: "syslogw: syslog facility", Words: words[Facility](
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
	"ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
)}

var severities = enum.Names[Severity]{Type: "syslogw: syslog severity", Words: words[Severity](
	"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
)}

// words numbers the names from 0.
func words[T ~uint8](names ...string) map[T]string {
	m := map[T]string{}
	for i, name := range names {
		m[T(i)] = name
	}
	return m
}

// ParseFacility returns the facility with the given name. The names are those of logger(1), from
// kern to local7.
func ParseFacility(name string) (f Facility, err error) {
	err = facilities.Parse([]byte(name), &f)
	return f, err
}

// ParseSeverity returns the severity with the given name. The names are those of logger(1), from
// emerg to debug.
func ParseSeverity(name string) (s Severity, err error) {
	err = severities.Parse([]byte(name), &s)
	return s, err
}

// String returns the name of the facility.
func (f Facility) String() string { return facilities.String(f) }

// MarshalText returns the name of the facility. It fails if f is not a valid facility.
func (f Facility) MarshalText() ([]byte, error) { return facilities.Text(f) }

// UnmarshalText reads the name of a facility.
func (f *Facility) UnmarshalText(text []byte) error { return facilities.Parse(text, f) }

// String returns the name of the severity.
func (s Severity) String() string { return severities.String(s) }

// MarshalText returns the name of the severity. It fails if s is not a valid severity.
func (s Severity) MarshalText() ([]byte, error) { return severities.Text(s) }

// UnmarshalText reads the name of a severity.
func (s *Severity) UnmarshalText(text []byte) error { return severities.Parse(text, s) }
