// Package device reads SMART data from the devices of a Linux system.
//
// [Open] opens a device file, and [Device.Snapshot] reads it. A [Transport] replaces the
// system, for example in tests. Every command is on a list of commands that only read, and a
// disk in standby is not woken unless WakeUp is set. Reading requires root privileges or
// CAP_SYS_RAWIO. Drives of 3ware and MegaRAID controllers are not supported: pass the output of
// smartctl to package smart.
package device
