// Package ipxe parses, judges, builds and serves iPXE boot scripts, so that a boot can be
// tested like code. Package sim below it runs scripts; package lint judges them.
//
//   - [Parse] keeps a script byte for byte, with the places of its lines, labels,
//     commands and words as iPXE sees them; [Script.Render] writes it in canonical form.
//   - [Builder] writes scripts in which values are data: whatever they hold, they make no
//     command, no option, no comment. A [Form] is built once and filled in many times;
//     [Template] is for people who have text.
//   - [Handler] serves scripts over HTTP to machines that say what they are in the query;
//     [ParseFacts] reads that query from every generation of iPXE; [Machines] matches.
//   - [DHCP] writes the lines that bring machines to iPXE for ISC dhcpd, Kea and dnsmasq;
//     [PXEMenu] writes a menu for PXELINUX with serial-over-LAN consoles.
//   - [Profile] is a build of iPXE: its commands, options, types and rules for URIs.
//
// # Guarantees
//
// Any bytes parse, and come back as they were. A script that the builder or a template
// has made has the commands that the caller named, and iPXE gets the bytes of the values;
// tests hold this with the interpreter, and the interpreter is held against the real
// firmware. What the handler sends with status 200 is a whole script that begins with
// #!ipxe. Parsing takes time and memory linear in the input.
//
// # Limits
//
// Two builds are known by observation: Debian's of 2019, and the source of August 2026
// for BIOS. What other builds leave out or add, the caller says by [Profile.With]. EFI's
// own needs (initrd=NAME on the command line, shim) are left to the caller. In the old
// generation & and + in a constant value of a query can't be kept and are refused.
//
// # Refusals
//
// A value that iPXE would expand again (${ followed by } in one word), a NUL, and, where
// a format has no escapes, a new line, are refused with an error that wraps
// [ErrUnrepresentable] or names the place. No fact of a machine is put into a script, a
// file name or an error's text as it is.
package ipxe
