package sshproxy

import "strings"

// prefix starts the text of every error that leaves the package.
const prefix = "sshproxy: "

// named is an error with the name of the package in front of its text.
type named struct {
	text string
	err  error
}

func (e *named) Error() string { return e.text }
func (e *named) Unwrap() error { return e.err }

// addName gives the error of an exported function the name of the package, once: an error
// that wraps an error of another exported function has it in the middle.
func addName(err *error) {
	if *err == nil {
		return
	}
	text := (*err).Error()
	rest, ok := strings.CutPrefix(text, prefix)
	if ok && !strings.Contains(rest, prefix) {
		return
	}
	*err = &named{prefix + strings.ReplaceAll(text, prefix, ""), *err}
}
