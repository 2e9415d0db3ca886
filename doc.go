// Package dougu documents the module dougu.internal. It contains no code.
//
// The module (道具, dougu: tools) consists of small libraries for people who run servers.
// Each package solves one operations problem and can be imported by a tool or a service.
// The packages start no daemon, keep no global state, print nothing, and execute nothing
// unless asked.
//
// # Packages
//
//   - ipxe parses, checks, builds and serves iPXE boot scripts. Its subpackage sim runs
//     them in a simulated machine.
//   - keepalived checks keepalived configurations as each release reads them, and
//     simulates failovers.
//   - multicast sends a file tree once to any number of hosts, which all switch to it at
//     the same time.
//   - smart decodes SMART data of disks from text, JSON or raw pages, and reports failing
//     disks.
//   - sshproxy resolves ssh_config as OpenSSH does, and checks and generates chains of
//     bastion hosts. Its subpackage dial connects through them.
//   - stracelog parses strace logs and reports where each request of a server spent its
//     time.
//   - diag defines the findings that the linters return.
//
// The first six packages do not import one another. The folder examples contains a command
// for each of them and two larger programs, accesslog and umlconsole, which have packages
// to import as well. The README.md file of each folder has an introduction.
//
// # Compatibility
//
// Before version 1.0, exported names can change. CHANGELOG.md then lists the replacement.
// The identifiers of rules, and the JSON output and exit statuses of the programs in the
// folder examples, are stable from the first version that contains them.
//
// # Go versions
//
// The go line of go.mod names the oldest Go release that the module supports. The tests
// run with that release and with the newest one. The oldest supported release can be
// raised in any version before 1.0, to a release that the Go project still supports. Error
// texts of the standard library are not part of the API: encoding/json changed its texts in
// Go 1.27, for example, and the packages do not pass them on.
//
// # Systems
//
// The packages are developed on Linux. They compile on the other systems that Go supports;
// functions that need Linux return an error there, which their documentation mentions.
package dougu
