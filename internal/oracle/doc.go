// Package oracle puts the real tools into the tests: it finds a tool and proves
// that it works, runs it with a bound on its time in a directory of its own,
// always reaps it, and keeps count of the comparisons that were made.
//
// A tool that is missing skips the test and names the Debian package that brings
// it; with REQUIRE_TOOLS=1 it fails the test instead. With DOUGU_LONG=1 the
// differential runs take their large sizes, and DOUGU_SEED repeats a random run.
// DOUGU_CORPUS names a folder of public data files. DOUGU_COMPARED names a file
// to which each comparison with a tool adds a line, for a summary of the run.
//
// The package is for tests of this module alone. It never ends a process that it
// did not start.
package oracle
