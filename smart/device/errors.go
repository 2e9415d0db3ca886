package device

import "dougu.internal/internal/errtext"

// errs makes the errors of the package.
const errs = errtext.Package("device")

// Errors that functions of this package return or wrap.
var (
	// ErrPermission means that the process is not allowed to send the command.
	ErrPermission = errs.New("permission denied: reading SMART data requires root or CAP_SYS_RAWIO (NVMe: " +
		"CAP_SYS_ADMIN)")
	// ErrStandby means that the disk is in standby and was not woken.
	ErrStandby = errs.New("disk is in standby")
)
