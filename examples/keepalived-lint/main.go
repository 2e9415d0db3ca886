// Command keepalived-lint reports problems in keepalived configurations: what keepalived
// refuses, and what it accepts silently.
//
//	keepalived-lint [flags] FILE ... | -
//	keepalived-lint -cluster [flags] NODE=FILE[@ADDRESS] ...
//
// It reads the named files and the files that they include from the same directory or below.
// It runs no script and opens no connection.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"

	"dougu.internal/diag"
	"dougu.internal/keepalived"
)

const usage = `usage: keepalived-lint [flags] FILE ... | -
       keepalived-lint -cluster [-elect PHASES] [flags] NODE=FILE[@ADDRESS] ...

  -version 2.2.7       the release to emulate, 1.1.0 to ` + newest + ` (default ` + newest + `)
  -without LIST        build options that it lacks: bfd,dbus,iptables,nftables,regex,snmp (default iptables)
  -interfaces LIST     the network interfaces of the host; without it they are not checked. NAME=PREFIX
                       gives an address: eth0=192.0.2.1/24,eth1
  -host                check the scripts and users of this machine; -verdict implies it
  -no-host             do not check them, even with -verdict
  -id NAME             the name that @id lines are compared with (default with -verdict: the host name)
  -root DIR            the root directory of the host: includes are read from all of DIR, absolute
                       ones too (default: includes are read from the directory of each FILE)
  -format text|json|sarif
  -enable LIST, -disable LIST   ids of rules
  -verdict             print only one line per file: "ok FILE" if keepalived -t accepts it, "notok FILE"
                       if it refuses the file, or "unknown FILE" if an include was not read or a
                       limit was reached
  -fix                 apply safe fixes in place and print them
  -diff                with -fix: print the changes instead
  -fmt                 format in place
  -mail                print the addresses to which the release would send mail, one per line
  -cluster             the files are those of nodes of one cluster
  -elect 'P;P;...'     with -cluster: simulate which node is master; each P is a comma-separated
                       list of faults: NODE:CHECK=fail, NODE:INTERFACE=down, NODE:stop, NODE/NODE=cut
                       and, for what the first node sends to the second, NODE>NODE=cut; with
                       :INTERFACE before =cut on one network
                       A phase without faults, "start", comes first. A fault ends with its phase.
  -rules               list the rules: id, severity, releases, keepalived -t, title
  -explain ID          print the description of a rule

At most 20 findings of a rule with the same message and 100 findings of a rule are listed. The last
one contains the number of the others. Secrets are printed as asterisks. A fix that would have to
print a secret is not offered.

-format json prints an array of
  {rule, severity (error|warning|info), file, start {offset, line, column}, end {...},
   message, detail, related [{range, message}], fixes [{message, edits [{range, newText}]}]}
-elect with -format json prints an array with one object per phase:
  {phase, faults [TEXT], instances [{instance, masters [NODE],
   nodes [{node, state (master|backup|fault|stopped), priority, addresses [TEXT]}], reason}]}
-elect as text: PHASE INSTANCE master=A[,B] A=150[10.0.0.1/24] B=100[] reason

exit status: 0 if all is well (all files ok; one master in every phase); 1 if there is a finding of
severity error (a file notok; no master or several in a phase); 2 if the command line is invalid or
a file cannot be read
`

const newest = "2.4.3"

func main() {
	// The program is short-lived, so the garbage collector runs less often than usual.
	// GOGC and GOMEMLIMIT in the environment take precedence.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(800)
	}
	os.Exit(run(os.Stdin, os.Stdout, os.Stderr, os.Args[1:]))
}

type options struct {
	version, without, interfaces, id, root, format, enable, disable, elect, explain string
	host, noHost, verdict, fix, diff, format2, cluster, rules, mail                 bool
	withInterfaces                                                                  bool
}

type linter struct {
	options
	in        io.Reader
	out, errs io.Writer
	o         keepalived.Options
	broken    bool
}

func run(in io.Reader, out, errs io.Writer, args []string) int {
	l := &linter{in: in, out: out, errs: errs}
	flags := flag.NewFlagSet("keepalived-lint", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() { fmt.Fprint(errs, usage) }
	flags.StringVar(&l.version, "version", newest, "")
	flags.StringVar(&l.without, "without", "", "")
	flags.StringVar(&l.interfaces, "interfaces", "", "")
	flags.StringVar(&l.id, "id", "", "")
	flags.StringVar(&l.root, "root", "", "")
	flags.StringVar(&l.format, "format", "text", "")
	flags.StringVar(&l.enable, "enable", "", "")
	flags.StringVar(&l.disable, "disable", "", "")
	flags.StringVar(&l.elect, "elect", "", "")
	flags.StringVar(&l.explain, "explain", "", "")
	flags.BoolVar(&l.host, "host", false, "")
	flags.BoolVar(&l.noHost, "no-host", false, "")
	flags.BoolVar(&l.verdict, "verdict", false, "")
	flags.BoolVar(&l.fix, "fix", false, "")
	flags.BoolVar(&l.diff, "diff", false, "")
	flags.BoolVar(&l.format2, "fmt", false, "")
	flags.BoolVar(&l.cluster, "cluster", false, "")
	flags.BoolVar(&l.rules, "rules", false, "")
	flags.BoolVar(&l.mail, "mail", false, "")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	flags.Visit(func(f *flag.Flag) { l.withInterfaces = l.withInterfaces || f.Name == "interfaces" })
	if l.rules {
		return l.listRules()
	}
	if l.explain != "" {
		return l.explainRule()
	}
	if err := l.prepare(); err != nil {
		return l.fail("%v", err)
	}
	if flags.NArg() == 0 {
		flags.Usage()
		return 2
	}
	var code int
	switch {
	case l.cluster:
		code = l.runCluster(flags.Args())
	case l.elect != "":
		return l.fail("-elect requires -cluster")
	case l.verdict:
		code = l.runVerdict(flags.Args())
	case l.fix || l.diff:
		code = l.runFix(flags.Args())
	case l.format2:
		code = l.runFormat(flags.Args())
	case l.mail:
		code = l.runMail(flags.Args())
	default:
		code = l.runLint(flags.Args())
	}
	if l.broken {
		return 2
	}
	return code
}

func (l *linter) fail(format string, args ...any) int {
	fmt.Fprintf(l.errs, "keepalived-lint: %s\n", diag.Sanitize(fmt.Sprintf(format, args...)))
	l.broken = true
	return 2
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

// parseInterfaces reads NAME or NAME=PREFIX, separated by commas.
func parseInterfaces(s string) (names []string, addresses map[string][]netip.Prefix, err error) {
	addresses = map[string][]netip.Prefix{}
	for _, word := range list(s) {
		name, prefix, ok := strings.Cut(word, "=")
		names = append(names, name)
		if !ok {
			continue
		}
		p, err := netip.ParsePrefix(prefix)
		if err != nil {
			a, err := netip.ParseAddr(prefix)
			if err != nil {
				return nil, nil, fmt.Errorf("-interfaces: %q is not an address with a prefix length", prefix)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		addresses[name] = append(addresses[name], p)
	}
	return names, addresses, nil
}

// prepare converts the flags to options.
func (l *linter) prepare() error {
	v, err := keepalived.ParseVersion(l.version)
	if err != nil {
		return err
	}
	without := list(l.without)
	for _, w := range without {
		switch w {
		case "bfd", "dbus", "iptables", "nftables", "regex", "snmp":
		default:
			return fmt.Errorf("-without: there is no build option %q", w)
		}
	}
	if l.o.Profile, err = keepalived.NewProfile(v, without...); err != nil {
		return err
	}
	l.o.Enable, l.o.Disable = list(l.enable), list(l.disable)
	known := map[string]bool{}
	named := append(list(l.enable), l.o.Disable...)
	if len(named) > 0 {
		for _, r := range keepalived.Rules() {
			known[r.ID] = true
		}
	}
	for _, id := range named {
		if !known[id] {
			return fmt.Errorf("there is no rule %q", id)
		}
	}
	switch l.format {
	case "text", "json", "sarif":
	default:
		return fmt.Errorf("-format is text, json or sarif, not %q", l.format)
	}
	if l.format == "sarif" && l.elect != "" {
		return errors.New("-elect is printed as text or json")
	}
	here := (l.host || l.verdict) && !l.noHost
	if l.withInterfaces || here {
		names, addresses, err := parseInterfaces(l.interfaces)
		if err != nil {
			return err
		}
		l.o.Host = keepalived.NewHost(names...)
		for name, prefixes := range addresses {
			f := l.o.Host.Interfaces[name]
			for _, p := range prefixes {
				f.Addresses = append(f.Addresses, p.Addr())
				f.Prefixes = append(f.Prefixes, p.Masked())
			}
			l.o.Host.Interfaces[name] = f
		}
		if !l.withInterfaces {
			l.o.Host.Interfaces = nil
		}
	}
	if here {
		thisMachine(l.o.Host)
		if l.id == "" {
			name, _ := os.Hostname()
			l.id, _, _ = strings.Cut(name, ".")
		}
	}
	return nil
}

func (l *linter) listRules() int {
	for _, r := range keepalived.RuleInfos() {
		fmt.Fprintf(l.out, "%s %-7s %-9s %-7s %s\n", r.ID, r.Severity, r.Releases(), r.Judged, r.Summary)
	}
	return 0
}

// said returns the reaction of keepalived -t to the findings of a rule.
var said = map[keepalived.Judgement]string{
	keepalived.Silent:   "keepalived -t says nothing of it: a check before the reload does not help.",
	keepalived.Objects:  "keepalived -t objects to it, so that a reload that is checked before does not happen.",
	keepalived.ByChance: "Whether keepalived -t objects to it depends on the release and the case.",
}

func (l *linter) explainRule() int {
	for _, r := range keepalived.RuleInfos() {
		if r.ID != l.explain {
			continue
		}
		fmt.Fprintf(
			l.out,
			"%s: %s\n\nseverity: %s\nreleases: %s\nkeepalived -t: %s\n",
			r.ID,
			r.Summary,
			r.Severity,
			r.Releases(),
			r.Judged,
		)
		means := r.Means
		if means == "" {
			means = "There is a " + r.Summary + "."
		}
		fmt.Fprintf(l.out, "\nWhat it means: %s\n\nWhy it matters: %s\n", means, r.Matters)
		fmt.Fprintf(l.out, "%s\n\nWhat to do: %s\n", said[r.Judged], r.Remedy)
		if r.Bad != "" {
			fmt.Fprintf(l.out, "\nFound in:\n%s", indent(r.Bad))
		}
		if r.Good != "" {
			fmt.Fprintf(l.out, "\nNot in:\n%s", indent(r.Good))
		}
		return 0
	}
	return l.fail("there is no rule %q", l.explain)
}

func indent(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString("    " + line)
	}
	return b.String()
}
