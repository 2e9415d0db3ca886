// Package spool stores records on disk until they are acknowledged.
//
// A [Spool] is a directory of records. One goroutine appends records; another one reads them
// and acknowledges them. After a crash of the process, [Open] continues with the first record
// that was not acknowledged. The directory contains segment files, one file with the position
// of the last acknowledgement, and a lock file.
//
// # Guarantees
//
// A record for which Append returned nil survives a SIGKILL of the process and, with [Durable],
// a power failure. Records are read in the order in which they were appended, each of them at
// least once. An incomplete record at the end is removed, and a record with a wrong checksum is
// skipped; [Spool.Damage] counts both. Two processes cannot use the same directory: the second
// one gets [ErrLocked]. The size on disk is limited, and so is the time that is spent on a
// damaged file. Files are created with mode 0600.
//
// # Limits
//
// After a crash, the last records may be read a second time. The maximum size of a record is
// [MaxRecord] bytes. The package works on Unix systems only, because it requires flock(2); on
// others Open returns an error that wraps [errors.ErrUnsupported].
package spool
