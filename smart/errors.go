package smart

import "dougu.internal/internal/errtext"

// errs makes the errors of the package.
const errs = errtext.Package("smart")

// Errors that functions of this package return or wrap.
var (
	// ErrNoData means that the input contains no SMART data.
	ErrNoData = errs.New("no SMART evidence in the input")
	// ErrPermission means that the process is not allowed to send the command.
	ErrPermission = errs.New("not permitted: reading SMART data wants root or CAP_SYS_RAWIO (NVMe: CAP_SYS_ADMIN)")
	// ErrStandby means that the disk is in standby and was not woken.
	ErrStandby = errs.New("the disk is in standby and was left asleep")
	// ErrDifferentDrive means that two snapshots belong to different drives.
	ErrDifferentDrive = errs.New("the snapshots belong to different drives")
)
