// Command keepalived-lint checks keepalived.conf files: it reports the errors that
// keepalived reports, and mistakes that keepalived accepts.
//
//	keepalived-lint [flags] FILE ... | -
//	keepalived-lint -cluster [flags] NODE=FILE[@ADDRESS] ...
//
// It reads the named files and the files that they include below their directory. It runs
// no script and opens no connection.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"dougu.internal/diag"
	"dougu.internal/keepalived"
)

const usage = `usage: keepalived-lint [flags] FILE ... | -
       keepalived-lint -cluster [-elect PHASES] [flags] NODE=FILE[@ADDRESS] ...

  -version 2.2.7       the release that is asked for, 1.1.0 to ` + newest + ` (default ` + newest + `)
  -without LIST        build options it lacks: bfd,dbus,iptables,nftables,regex,snmp (default iptables)
  -interfaces LIST     the network interfaces of the host; without it they are not judged
  -host                look at the scripts and users of this machine; -verdict does so by itself
  -no-host             do not, with -verdict either
  -id NAME             what @id lines are compared with (with -verdict: this machine's name)
  -root DIR            includes may reach all of DIR (default: the directory of each FILE)
  -format text|json|sarif
  -enable LIST, -disable LIST   ids of rules
  -verdict             one line a file: "ok FILE" or "notok FILE", as keepalived -t would judge;
                       nothing else is printed
  -fix                 apply safe fixes in place, and say what was done
  -diff                with -fix: show the changes instead
  -fmt                 format in place
  -mail                the addresses that the release would send mail to, one a line
  -cluster             the files are those of nodes of one cluster
  -elect 'P;P;...'     with -cluster: who is master; each P is a list of faults with commas between
                       them: NODE:CHECK=fail, NODE:INTERFACE=down, NODE:stop, NODE/NODE=cut
                       A healthy phase "start" comes first; what is not named again is well again.
  -rules               list the rules: id, severity, releases, keepalived -t, title
  -explain ID          print the page of a rule: what it means, why it matters, what to do

Of findings of one rule 20 are listed with one message and 100 in all; the last says how many
more there are, and -verdict counts them. Secrets are printed as asterisks, and a fix that would
have to repeat one is not offered.

-format json prints an array of
  {rule, severity (error|warning|info), file, start {offset, line, column}, end {...},
   message, detail, related [{range, message}], fixes [{message, edits [{range, newText}]}]}
-elect with -format json prints an array with one object a phase:
  {phase, faults [TEXT], instances [{instance, masters [NODE],
   nodes [{node, state (master|backup|fault|stopped), priority, addresses [TEXT]}], reason}]}
-elect as text: PHASE INSTANCE master=A[,B] A=150[10.0.0.1/24] B=100[] reason

exit status: 0 clean (all ok; every phase has one master), 1 findings of severity error (a
notok; a phase with none or two masters), 2 usage or unreadable input
`

const newest = "2.4.3"

func main() {
	// The program ends when it has answered: collecting its garbage is work for nothing
	// until there is much of it. GOGC and GOMEMLIMIT in the environment still count.
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
		return l.fail("-elect wants -cluster")
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

// prepare turns the flags into options.
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
		l.o.Host = keepalived.NewHost(list(l.interfaces)...)
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

// said is what keepalived -t says of a rule.
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
