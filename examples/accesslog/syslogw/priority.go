package syslogw

import (
	"fmt"
	"slices"
	"strings"
)

// Facility is a syslog facility, 0 (kern) to 23 (local7); RFC 5424, 6.2.1.
type Facility uint8

// Severity is a syslog severity, 0 (emerg) to 7 (debug); RFC 5424, 6.2.1.
type Severity uint8

// The severities that access logs use.
const (
	Err     Severity = 3
	Warning Severity = 4
	Notice  Severity = 5
	Info    Severity = 6
	Debug   Severity = 7
)

var facilities = []string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
	"ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

var severities = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

// ParseFacility reads a name as logger(1) takes it: kern to local7.
func ParseFacility(name string) (Facility, error) {
	i := slices.Index(facilities, name)
	if i < 0 {
		return 0, fmt.Errorf("%q is no syslog facility: there are %s", name, strings.Join(facilities, ", "))
	}
	return Facility(i), nil
}

// ParseSeverity reads a name as logger(1) takes it: emerg to debug.
func ParseSeverity(name string) (Severity, error) {
	i := slices.Index(severities, name)
	if i < 0 {
		return 0, fmt.Errorf("%q is no syslog severity: there are %s", name, strings.Join(severities, ", "))
	}
	return Severity(i), nil
}

// String returns the facility's name, or its number when it has none.
func (f Facility) String() string {
	if int(f) < len(facilities) {
		return facilities[f]
	}
	return fmt.Sprint(uint8(f))
}

// String returns the severity's name, or its number when it has none.
func (s Severity) String() string {
	if int(s) < len(severities) {
		return severities[s]
	}
	return fmt.Sprint(uint8(s))
}
