// Package oracle runs external programs in tests, to compare their results with ours.
//
// It finds a program and checks that it works, runs it in a private directory with a
// time limit, always waits for its end, and counts the comparisons that tests make.
//
// If a program is missing, the test is skipped and the message names the Debian package
// to install. Environment variables change this and other behavior:
//
//   - REQUIRE_TOOLS=1: a missing program fails the test instead.
//   - DOUGU_LONG=1: comparisons with random input use their large sizes.
//   - DOUGU_SEED=n: a random test is repeated with this seed.
//   - DOUGU_CORPUS=dir: dir contains public data files.
//   - DOUGU_COMPARED=file: each comparison appends a line to file, for a summary.
//
// The package is for the tests of this module. It ends only processes that it has started.
package oracle
