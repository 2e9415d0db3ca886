// Package errtext creates the errors of the access-log packages. The text of an error starts with
// the name of one package.
package errtext

import "strings"

var packages = []string{"logfmt: ", "relp: ", "sink: ", "spool: ", "syslogw: ", "target: "}

// Error is an error with a text that is independent of its causes.
type Error struct {
	text   string
	causes []error
}

// Error returns the text.
func (e *Error) Error() string { return e.text }

// Unwrap returns the causes.
func (e *Error) Unwrap() []error { return e.causes }

// Wrap returns an error that wraps err. Its text consists of the name of the package, what
// was being done, and the text of err without the name of a package. If action is empty, it
// is left out. Wrap returns nil if err is nil, and err itself if action is empty and the text
// starts with the name of the package.
func Wrap(pkg, action string, err error) error {
	if err == nil || action == "" && strings.HasPrefix(err.Error(), pkg+": ") {
		return err
	}
	text := Plain(err)
	if action != "" {
		text = action + ": " + text
	}
	return New(pkg, text, err)
}

// New returns an error whose text is the name of the package followed by the given text. It wraps
// the causes.
func New(pkg, text string, causes ...error) error { return &Error{pkg + ": " + text, causes} }

// Join returns an error with the texts of all errors, a line each, or nil if there are none.
func Join(pkg string, errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	lines := make([]string, len(errs))
	for i, err := range errs {
		lines[i] = Plain(err)
	}
	return New(pkg, strings.Join(lines, "\n"), errs...)
}

// Plain returns the text of err without the name of a package.
func Plain(err error) string {
	text := err.Error()
	for _, p := range packages {
		if rest, ok := strings.CutPrefix(text, p); ok {
			return rest
		}
	}
	return text
}
