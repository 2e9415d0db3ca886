// Package diag is the one vocabulary in which the linters of dougu speak: a
// Finding has a stable rule, a severity, the exact range of bytes it is
// about, a message of one line, a detail that says what to do, and fixes that
// are edits of bytes.
//
// A linter returns a [List]. A program sorts it, filters it and prints it as
// text with the source line and a caret ([WriteText]), as JSON ([WriteJSON])
// or as SARIF 2.1.0 ([WriteSARIF]); an editor applies a [Fix] with [Apply].
//
// # Guarantees
//
// Ranges are half-open. Offsets and columns count bytes; offsets begin at 0,
// lines and columns at 1. Text output never passes control characters or
// broken UTF-8 of the input on to a terminal. Sorting is stable, and the same
// list prints the same bytes.
//
// # Limits
//
// The package knows no language, reads no files and decides nothing: sources
// are handed in by the caller, and a finding without a source prints without
// its snippet.
package diag
