// Package spool keeps records on disk until somebody confirms that they arrived.
//
// One goroutine appends, another reads and acknowledges; after a crash of the process,
// [Open] goes on with the first record that was not acknowledged. The directory holds
// segment files, one file with the place up to which records are acknowledged, and a
// lock file.
//
// # Guarantees
//
// A record for which Append returned nil survives a SIGKILL of the process, and with
// [Durable] a loss of power too. Records are read in the order in which they were
// appended, each at least once. Torn records at the end are cut off, a record with a
// wrong checksum is passed over, both are counted. Two processes never share a
// directory: the second gets [ErrLocked]. Disk use is bounded, and so is the work on a
// damaged file.
//
// # Limits
//
// After a crash the last records may be read a second time. Records are at most
// [MaxRecord] bytes long. Files are readable by their owner alone: log lines are
// nobody else's business.
package spool
