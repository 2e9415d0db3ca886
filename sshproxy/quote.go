package sshproxy

import (
	"strings"
)

// ValidHost reports why a host name may not stand where a shell will read it. The rule
// is that of OpenSSH 10.5 for names from its command line: no leading '-', no blanks
// and control characters, none of ' ` " $ \ ; & < > | ( ) { } and comma.
func ValidHost(s string) error {
	if strings.HasPrefix(s, "-") {
		return errs.Errorf("host %q begins with '-': it would be read as an option", s)
	}
	for i := range len(s) {
		if c := s[i]; strings.IndexByte("'`\"$\\;&<>|(){},", c) >= 0 || space(c) || control(c) {
			return errs.Errorf("host %q holds %q, which a shell may act on", s, c)
		}
	}
	return nil
}

// ValidUser reports why a user name may not stand where a shell will read it. The rule
// is that of OpenSSH 10.5 for names from its command line: no leading '-', no control
// characters, none of ' ` " ; & < > | ( ) { }, no blank before '-', no '\' at the end.
func ValidUser(s string) error {
	if strings.HasPrefix(s, "-") {
		return errs.Errorf("user %q begins with '-': it would be read as an option", s)
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case control(c), strings.IndexByte("'`\";&<>|(){}", c) >= 0:
			return errs.Errorf("user %q holds %q, which a shell may act on", s, c)
		case space(c) && i+1 < len(s) && s[i+1] == '-':
			return errs.Errorf("user %q holds a blank before '-': it would be read as an option", s)
		case c == '\\' && i+1 == len(s):
			return errs.Errorf(`user %q ends with '\'`, s)
		}
	}
	return nil
}

// shellSafe are the bytes that no POSIX shell acts on, beside letters and digits.
const shellSafe = "._:@%+,/=-"

// ShellQuote returns a word that a POSIX shell reads as s. A word of harmless bytes
// stays as it is; anything else is put in single quotes. It fails on NUL and on other
// control characters, which no host, user or path of ours holds.
func ShellQuote(s string) (string, error) {
	plain := s != ""
	for i := range len(s) {
		c := s[i]
		if control(c) {
			return "", errs.Errorf("%q holds a control character", s)
		}
		if !alpha(c) && !digit(c) && strings.IndexByte(shellSafe, c) < 0 {
			plain = false
		}
	}
	if plain {
		return s, nil
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", nil
}

// ConfigQuote returns a word that a client of 8.7 or later reads as the single argument
// s of an option. A word without blanks, quotes, backslashes and '#' stays as it is.
// It fails on the empty word, which most options refuse, and on control characters.
// Commands are not arguments: see [EscapePercent].
func ConfigQuote(s string) (string, error) {
	if s == "" {
		return "", errs.Errorf("an empty value can't be written")
	}
	plain := true
	for i := range len(s) {
		if control(s[i]) {
			return "", errs.Errorf("%q holds a control character: it would begin another line or be lost", s)
		}
		if special[s[i]] || s[i] == '=' {
			plain = false
		}
	}
	if plain {
		return s, nil
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`, nil
}

// EscapePercent doubles each % so that an option with tokens reads s as it is.
func EscapePercent(s string) string { return strings.ReplaceAll(s, "%", "%%") }
