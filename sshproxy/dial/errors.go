package dial

import (
	"errors"
	"strings"
)

// prefix starts the text of every error that leaves the package.
const prefix = "dial: "

// named is an error with the name of the package in front of its text.
type named struct {
	text string
	err  error
}

func (e *named) Error() string { return e.text }
func (e *named) Unwrap() error { return e.err }

// addName gives the error of an exported function the name of the package. An [Error]
// has it already.
func addName(err *error) {
	var e *Error
	if *err == nil || errors.As(*err, &e) {
		return
	}
	*err = &named{prefix + cause(*err), *err}
}

// cause returns the text of an error without the names of the packages of this module.
func cause(err error) string {
	if err == nil {
		return "unknown"
	}
	text := strings.ReplaceAll(err.Error(), "sshproxy: ", "")
	return strings.ReplaceAll(text, prefix, "")
}
