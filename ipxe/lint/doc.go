// Package lint judges iPXE boot scripts: what iPXE refuses, what it does differently from
// what the text seems to say, what hangs a machine, and what lets a machine's own data
// act. [Script] judges a script for a build of iPXE, [DHCP] the configuration of a DHCP
// server; [Rules] is the catalogue. Findings are of package diag, with the place, and a
// fix where one is plain.
//
// # Guarantees
//
// An error means that the script can't end with success on that build: the faulty command
// is always reached, and nothing catches its failure, or the machine hangs there. What
// may never run, or is caught by an operator, is a warning at most. Applying a fix removes
// its finding. The work is linear in the script, but for the bounded run of the
// interpreter.
//
// # Limits
//
// The values of settings that come from outside are not known; words with a variable in
// them are judged only as far as they are written. Scripts that a script chains to are
// not fetched.
//
// # Refusals
//
// The package asks no server and runs nothing but the interpreter of package sim.
package lint
