// Package sshproxy reads ssh_config as OpenSSH reads it, tells what ssh would do, and
// why, without doing it: which options hold for a host, which hops a connection takes,
// and the exact line that each ssh process of the chain would give to a shell. It writes
// configurations for networks behind bastions, edits files without touching what it does
// not change, and finds what ssh passes in silence.
//
//   - [Parse] keeps a file byte for byte; [File.Set], [File.Delete], [File.AddHost] and
//     [File.Managed] change one place of it; [WriteFile] puts it back.
//   - [Resolver.Resolve] answers as `ssh -G` does; [Result.WriteG] prints the same text;
//     [Result.Explain] names the line that set a value, those that came too late, and
//     those whose block did not match, with the reason.
//   - [Resolver.Chain] walks ProxyJump, and ProxyCommands that are a plain ssh, through
//     each hop's own configuration, and finds loops.
//   - [ParseTopology] and [Topology.Generate] make a configuration out of a description of
//     networks and bastions, in the form that the client and the bastions can do.
//   - [Lint] judges files by some thirty rules.
//
// Builds of the client differ in keywords, grammar, defaults and bugs. A [Profile] is one
// build: 8.4, 9.9 and 10.5 as released, and 9.2 as Debian 12 has it, are recorded and
// compared with the real programs; others are derived from the history of the sources.
//
// The dialer is in dougu.internal/sshproxy/dial, so that this package stays on the
// standard library.
//
// # Guarantees
//
// Resolving, explaining, linting and walking chains start no process, ask no name
// service and open nothing but the configuration's files, unless the caller sets
// [Resolver.Exec], [Resolver.Lookup] or [Resolver.Exists]. What was therefore not asked
// is named in [Result.Unanswered]. Any bytes parse, and come back as they were. A
// generated configuration was parsed back and its chains compared with the routes it
// stands for; values that a shell or another line of the file could take for something
// else are refused. Matching takes at most the product of the lengths of pattern and
// name.
//
// A [Resolver] reads each file once and may be used by several goroutines; a [Result] is
// immutable; a [File] is for one goroutine while it is edited.
//
// # Limits
//
// Scoped IPv6 addresses (fe80::1%eth0) stay as they were typed, as only the machine knows
// its interfaces. Match exec is asked once a command, where ssh runs it in each pass.
// Files larger than 64 MiB, more than 10,000 files for one target, and files that are not
// regular are refused, where ssh would read on or wait; see [Limits]. Locales other than C
// are not modelled.
//
// # Refusals
//
// The package never runs what a configuration says by itself, never follows a chain whose
// command the shell would read in another way than it seems, writes no configuration with
// a password in it, and replaces no symbolic link unless asked.
package sshproxy
