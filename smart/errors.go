package smart

import "dougu.internal/internal/errtext"

// errs makes the errors of the package.
const errs = errtext.Package("smart")

// Errors that functions of this package return or wrap.
var (
	// ErrNoData means that the input contains no SMART data.
	ErrNoData = errs.New("no SMART evidence in the input")
)
