// Package diag defines the findings that the linters of this module return.
//
// A [Finding] has a rule, a severity, a range of bytes in a source, a message of one
// line, a detail that describes the remedy, and fixes. A linter returns a [List].
// [List.Sort] sorts it, [List.Err] converts it to an error, and [WriteText],
// [WriteJSON] and [WriteSARIF] print it. [Apply] and [ApplyFixes] apply fixes to a
// source. [Lines] converts offsets to lines and columns for the author of a linter.
//
// # Positions
//
// Ranges are half-open. Offsets and columns count bytes. Offsets start at 0, lines and
// columns at 1.
//
// # Untrusted sources
//
// Names of files, lines of sources and messages can contain arbitrary bytes. Text
// output passes through [Sanitize] and contains no control characters. JSON keeps
// strings that are not valid UTF-8 distinct: an invalid byte is written as U+FFFD
// followed by the byte in hexadecimal digits in braces, and U+FFFD itself is followed
// by empty braces. [Finding.UnmarshalJSON] restores the strings.
//
// # Limits
//
// The package reads no files. A caller passes the sources, and a finding without a
// source is printed without its line. The same list always prints the same bytes.
package diag
