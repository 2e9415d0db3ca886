// Package keepalived reads keepalived configurations as keepalived reads them, says what
// keepalived -t says of them, release by release, and finds what it passes in silence:
// a brace taken for a mail address, a failover that can never happen, two nodes that do
// not agree.
//
//   - [Loader.Load] follows includes, variables, conditions and repetitions; a [Config]
//     knows the place of every word it made.
//   - [Verdict] answers what keepalived -t would answer, and for what. [Lint] adds the
//     rest of the [Rules].
//   - [Recipients] names the addresses that mail really goes to, also for the releases of
//     2007 that take a brace for one.
//   - [LintCluster] compares the configurations of several nodes; [Simulate] says who
//     becomes master when something fails, and why.
//   - [Config.Model] holds the values as keepalived takes them.
//   - [Parse] keeps a file byte for byte for edits; [Format] lays it out anew.
//   - [Keywords] is the table that all of this reads.
//
// Findings are those of dougu.internal/diag, with places, fixes, and output as text, JSON
// and SARIF.
//
// A [Profile] names the release and the build options that are asked for; the zero value
// is the newest known release. What depends on the machine (interfaces, scripts, users,
// host names) is a [Host]; what it does not say is not judged. For releases before 2.0.4,
// which have no -t, [Accepted] means that the daemon applies the whole text.
//
// # Guarantees
//
// The same input gives the same findings in the same order. No process is started, no
// name looked up and no file opened but through [Loader.FS]; scripts are never run. Every
// byte sequence can be read, in time and memory that the limits of the [Loader] bound;
// what goes over them is a finding. Secrets (auth_pass, passwords, keys, the variables
// that hold them, and what follows a misspelled keyword of one) appear in no diagnostic;
// a fix that would have to repeat one is left out; [Config.Masked] is the source without
// them. One cause gives one finding, and repetitions are folded: see [MaxPerRule].
// A [Config] may be used by several goroutines; a [File] is read-only.
//
// A comment "lint:ignore KA001" silences a rule on its line, or on the next one when it
// stands alone; the verdict does not change.
//
// # Limits
//
// Verdicts were compared with three programs: 2.2.7 as Debian builds it, on random
// files by the thousand, the vendor's samples, the examples of all rules and the files on which
// the two once differed; 2.2.8 and 2.4.3 as their sources build (options bfd and json;
// without iptables, regex, snmp and dbus), on 400 random files each and the same samples
// and examples. What other releases do differently comes from their sources and change
// logs. An expansion of more than 300,000 lines is refused where keepalived would go on.
// Files that auth_hmac names are not read. Releases before 1.4.2 are read
// from the main file alone. What nftables, iptables and the kernel say of an accepted
// configuration is outside of this. [Simulate] takes phases that last until all is
// settled, without loss or delay on the network, and does not wait for preempt_delay
// beyond the phase.
//
// # Refusals
//
// The package never runs a script or an upgrade, never reads the environment, does not
// resolve names by itself, guesses no fact of the machine, and formats nothing whose
// meaning the layout would change.
package keepalived
