package sshproxy

import "dougu.internal/internal/errtext"

const errs = errtext.Package("sshproxy")

// addName gives the error of an exported function the name of the package, once.
func addName(err *error) { *err = errs.Wrap(*err) }
