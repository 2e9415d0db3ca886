// Package judge finds the problems of drives in their SMART data.
//
// [Judge] returns the findings for one [smart.Snapshot]. A [Series] collects the snapshots of
// one drive over time and includes growth and earlier problems. [Compare] returns the
// differences between two snapshots. A [Policy] mutes rules, changes limits and severities,
// and adds rules. [Rules] lists all rules.
//
// [Diagnose] relates drives to write speeds from [ParseDD], and distinguishes a disk that is
// slow because it is cold from one that is broken.
//
// # Severities
//
// Act means that data is at risk: save it and replace the drive. Watch means that the drive
// must be checked again, or that a cable or a temperature needs attention. Info means that
// nothing is wrong.
//
// The rules about bad sectors use the number of sectors and combinations: a single unreadable
// sector is watched, and together with remapped sectors or errors that reached the host it is
// severe. Their limits were chosen on one half of a public fleet of 43,570 drives and checked
// on the other half. The program examples/smart-fleet repeats the measurement.
//
// Rules match attributes by name and not only by number, because the same number has another
// meaning on other drives. The counters of interface errors and timeouts are about the cable
// and the power supply, and are never severe.
//
// # Concurrency
//
// All functions are safe for concurrent use by multiple goroutines. The methods of a [Series]
// must not be called concurrently.
package judge
