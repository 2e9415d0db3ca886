// Command accesslog shows access logging as Apache does it, delivered so that nothing
// is lost, and ships logs in place of logger(1).
//
//	accesslog                        three requests on loopback, their lines, the account
//	accesslog -ship TARGET <log      deliver each line of standard input, then end
//	accesslog -check FORMAT          what each directive of a LogFormat prints
//
// See accesslog -h.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"dougu.internal/examples/accesslog/logfmt"
)

// The exit statuses.
const (
	statusGood  = 0
	statusLeft  = 1 // lines are left in the spool, or lost
	statusUsage = 2 // bad flag, target or format
)

const usage = `usage: accesslog
       accesslog -ship TARGET [-ident NAME] [-spool DIR] [-full block|drop] [-timeout D] <access.log
       accesslog -check FORMAT

Without arguments: serves three requests to itself on loopback, prints each line as Apache
would write it and as most loggers do, delivers them over RELP to a collector of its own that
is down half of the time, and prints the account. Nothing leaves the machine.

-ship TARGET   reads lines from standard input until its end and delivers them. In Apache:
                   CustomLog "|/usr/local/bin/accesslog -spool /var/spool/accesslog -ship syslog:local6.info:httpd@relp://log.example:2514" combined
               TARGET is one of
                   syslog:[FACILITY[.SEVERITY]:]IDENT[@NETWORK://ADDRESS]
                                  NETWORK is udp, tcp, tls, relp, or unix with a path; without it /dev/log.
                                  Only relp confirms what has arrived.
                   |PROGRAM ARGUMENT...   a program that reads lines; no shell
                   -                      standard output
                   PATH or file:PATH      a file, appended to
-ident NAME    the ident of a syslog target that names none
-spool DIR     keep lines there until they are delivered (syslog targets); a later run goes on with them
-full WHAT     when there is no room: block (the default) waits, drop counts the line and goes on
-timeout D     how long to wait for the rest after the end of input (default 30s)

-check FORMAT  parses the text between the outer quotes of a LogFormat and prints what each part means

The account goes to standard error. Exit status: 0 every line was confirmed, or written where
nothing confirms; 1 lines are left in the spool or lost; 2 bad flag, target or format.
`

func main() {
	os.Exit(run(os.Stdin, os.Stdout, os.Stderr, os.Args[1:]))
}

func run(stdin io.Reader, stdout, stderr io.Writer, args []string) int {
	flags := flag.NewFlagSet("accesslog", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	var (
		check = flags.String("check", "", "")
		s     shipment
		full  = flags.String("full", "block", "")
	)
	flags.StringVar(&s.target, "ship", "", "")
	flags.StringVar(&s.ident, "ident", "", "")
	flags.StringVar(&s.spool, "spool", "", "")
	flags.DurationVar(&s.timeout, "timeout", 30*time.Second, "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return statusGood
	case err != nil:
		return statusUsage
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	fail := func(format string, args ...any) int {
		fmt.Fprintf(stderr, "accesslog: "+format+"\n", args...)
		return statusUsage
	}
	switch {
	case flags.NArg() > 0:
		return fail("%q is one word too many; see accesslog -h", flags.Arg(0))
	case given["check"] && given["ship"]:
		return fail("-check and -ship do not go together")
	case given["check"]:
		return explain(stdout, stderr, *check)
	case !given["ship"] && len(given) > 0:
		return fail("-ship TARGET is missing; see accesslog -h")
	case *full != "block" && *full != "drop":
		return fail("-full %q is neither block nor drop", *full)
	case given["ship"]:
		s.drop = *full == "drop"
		return s.run(stdin, stdout, stderr)
	}
	if err := show(stdout); err != nil {
		fmt.Fprintln(stderr, "accesslog:", err)
		return statusLeft
	}
	return statusGood
}

// explain prints what each part of a format means.
func explain(stdout, stderr io.Writer, format string) int {
	f, err := logfmt.Parse(format)
	if err != nil {
		fmt.Fprintf(stderr, "accesslog: %v\n", err)
		var wrong *logfmt.SyntaxError
		if errors.As(err, &wrong) {
			fmt.Fprintf(stderr, "    %s\n    %*s\n", format, wrong.Offset+1, "^")
		}
		return statusUsage
	}
	for offset, part := range explained(f) {
		fmt.Fprintf(stdout, "%4d  %-24s %s\n", offset+1, part[0], part[1])
	}
	for _, w := range f.Warnings() {
		fmt.Fprintf(stdout, "warning: column %d: %s: %s\n", w.Offset+1, w.Directive, w.Message)
	}
	return statusGood
}

func explained(f *logfmt.Format) func(func(int, [2]string) bool) {
	return func(yield func(int, [2]string) bool) {
		f.Explain(func(offset int, part, meaning string) bool { return yield(offset, [2]string{part, meaning}) })
	}
}
