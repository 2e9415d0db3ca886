// Package dougu is the map of a module of small tools (道具, dougu: tools) for the
// people who run servers. Each package turns one story of operations into a library
// that an in-house tool or a service imports: no daemon, no global state, nothing
// printed, nothing executed unless asked.
//
// # The six packages
//
//   - ipxe parses, judges, builds and runs iPXE boot scripts, so that a boot can be
//     tested like code. It refuses to emit a script in which data could become
//     commands, and to answer a machine with half a script.
//   - multicast sends a file tree to every host at once and lets all of them switch
//     together. It refuses unauthenticated packets and paths that leave the tree.
//   - smart reads any SMART evidence into one model and explains what is wrong with
//     a disk. It refuses to send a disk a command that writes, and to turn an absent
//     fact into 0.
//   - stracelog reads what strace wrote under any flags and says where a request
//     spent its time. It refuses to measure a gap across lines that nobody saw.
//   - keepalived parses, judges and lints keepalived's configuration, and tells who
//     becomes master when something fails. It refuses to guess a fact of the host.
//   - sshproxy resolves ssh_config as OpenSSH does, proves chains of bastions, and
//     dials through them. Resolving refuses to execute, to ask DNS, and to open files
//     outside of the configuration.
//
// Beside them stands diag, the vocabulary in which the linters report. The packages
// never import one another. A package exists as soon as its folder does; see
// CHANGELOG.md for what has landed.
//
// # Stability
//
// Before version 1.0 an exported name may change with a line in CHANGELOG.md that
// says what to write instead. The rule identifiers of the linters, the JSON that the
// example programs print, and the exit statuses are kept from the release that
// brought them on. The module needs the Go release named in go.mod or a later one.
package dougu
