package judge

import "dougu.internal/internal/errtext"

// errs makes the errors of the package.
const errs = errtext.Package("judge")

// ErrDifferentDrive means that two snapshots belong to different drives.
var ErrDifferentDrive = errs.New("the snapshots belong to different drives")
