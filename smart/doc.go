// Package smart decodes SMART data of ATA, SCSI and NVMe drives into one model.
//
// [Parse] reads text and JSON of smartctl (versions 5.3x to 8.0), text and JSON of nvme-cli,
// state files, attribute logs and log messages of smartd, transcripts, and raw pages. [Read]
// reads a stream of any number of drives. [DecodeATA], [DecodeNVMe] and [DecodeSCSI] decode
// pages without allocation. Each of them fills a [Snapshot].
//
// Package dougu.internal/smart/judge finds the problems of a drive in its snapshots and
// returns each of them as a [Finding]. Package dougu.internal/smart/device reads the devices
// of a Linux system:
//
//	disks, err := smart.Parse(os.Stdin)
//	...
//	for _, disk := range disks {
//		for _, f := range judge.Judge(disk, judge.Policy{}) {
//			fmt.Println(disk.Identity.Serial, f)
//		}
//	}
//
// # Guarantees
//
// Unknown values are absent. An unknown health never becomes passed, an unknown number never
// becomes 0, and a raw number is never used as a temperature. A value of a wrong type, or one
// that cannot be true, is left out with a [Warning]. Each temperature has its source. Strings
// of the device are not changed: pass them to [dougu.internal/diag.Sanitize] before they are
// written to a terminal or a log.
//
// All functions are safe for concurrent use by multiple goroutines, and so is a [DriveDB].
//
// # Limits
//
// [Parse] reads up to 64 MiB and 4096 drives. A line has at most 64 KiB and a JSON document at
// most 16 MiB. Data beyond the limits results in an error or a warning. A text does not show
// the byte order of a raw value; the usual one is assumed.
//
// The package contains no drive database. [LoadDriveDB] reads the file drivedb.h of
// smartmontools. The package executes no program and opens no network connection.
package smart
