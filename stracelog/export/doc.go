// Package export writes what [dougu.internal/stracelog] found in a log for other programs and for eyes: a profile for
// go tool pprof, a timeline for Perfetto and Chrome, one HTML page, and a waterfall for a terminal.
//
// # Guarantees
//
// All text from the log is escaped for where it goes: markup in HTML, strings in JSON, and control characters, also those that turn
// the direction of writing, before a terminal. Payloads are in an output only where the report was made with
// [stracelog.Data]. The HTML page is one file that loads nothing and is readable without scripts. Times and counts
// are sums of what the log says: nothing is scaled.
//
// # Limits and refusals
//
// A report keeps the segments of its slowest requests; the others are counted and not drawn. The writers do not open files, and
// return the first error of their io.Writer.
package export
