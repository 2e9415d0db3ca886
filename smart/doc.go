// Package smart reads S.M.A.R.T. evidence about disks, whatever its form, into one
// typed model, and explains with reasons what is wrong with a disk.
//
// [Parse] takes what smartctl printed since 2004 (text, JSON, transcripts), what
// nvme-cli and smartd wrote, and raw pages. [DecodeATA], [DecodeNVMe] and
// [DecodeSCSI] decode pages without allocation. [Open] reads a Linux device through a
// [Transport]. All of them fill a [Snapshot].
//
// [Judge] turns a snapshot into findings with severity, rule, evidence and source.
// [Compare] tells what changed between two snapshots of one drive. [Diagnose] joins
// drives with measured write speeds from [ParseDD], and tells a disk that is slow
// because it is cold from one that is slow because it is broken.
//
// # Guarantees
//
// Absent facts are absent: unknown health never becomes passed, an unknown
// temperature never becomes 0, and a raw number is never taken for a temperature.
// Raw bytes are known as far as the evidence reveals them. Every temperature names
// its source. No result aliases the input. All functions but the methods of [Device]
// may be called at once; a [DriveDB] is safe for concurrent use. Strings of the
// device are kept as they are. Pass them to diag.Sanitize before they reach a terminal or a
// log.
//
// # Limits
//
// Input is bounded: 64 MiB in all, 64 KiB a line, 16 MiB a JSON document, 4096 drives.
// What lies beyond is an error or a warning, never silence. Text does not tell the
// byte order of a raw value; the usual one is assumed. Drives behind 3ware and
// MegaRAID controllers are read through text or JSON, not natively.
//
// # Refusals
//
// The package sends a disk no command that writes, wakes no sleeping disk unless
// asked, executes no program, opens no network connection, and ships no drive
// database: the user's own drivedb.h is read at run time by [LoadDriveDB].
package smart
