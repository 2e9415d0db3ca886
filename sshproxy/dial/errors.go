package dial

import (
	"strings"

	"dougu.internal/internal/errtext"
)

const errs = errtext.Package("dial")

// addName gives the error of an exported function the name of the package, once.
func addName(err *error) { *err = errs.Wrap(*err) }

// cause returns the text of an error without the name of a package.
func cause(err error) string {
	if err == nil {
		return "unknown"
	}
	return strings.TrimPrefix(errs.Trim(err), "sshproxy: ")
}
