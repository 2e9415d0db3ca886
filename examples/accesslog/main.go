// Command accesslog delivers access logs without loss. It can replace logger(1) in a piped log of
// Apache, and it explains Apache's log formats.
//
//	accesslog                        demonstrate logging and delivery on the loopback interface
//	accesslog -ship TARGET <log      deliver each line of standard input, then exit
//	accesslog -check FORMAT          explain each directive of a LogFormat
//	accesslog -spool-inspect DIR     list the messages in a spool
//	accesslog -serve ADDR            serve a directory and log each request
//
// Run accesslog -h for all flags.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"dougu.internal/examples/accesslog/internal/errtext"
	"dougu.internal/examples/accesslog/logfmt"
)

// The exit statuses.
const (
	statusGood  = 0
	statusLeft  = 1 // lines are in the spool or lost
	statusUsage = 2 // invalid flag, target or format
)

const usage = `usage: accesslog
       accesslog -ship TARGET [-ident NAME] [-spool DIR] [-full block|drop] [-timeout D] <access.log
       accesslog -check FORMAT
       accesslog -spool-inspect DIR
       accesslog -serve ADDR [-root DIR] [-customlog 'TARGET FORMAT']... [-header 'NAME: VALUE']...
                 [-tls CERT,KEY] [-servername HOST[:PORT]]
                 [-internalproxy LIST] [-trustedproxy LIST] [-remoteip NAME]

Without arguments, accesslog serves three requests to itself on the loopback interface, prints
each line with and without Apache's escapes, delivers the lines over RELP to a collector of its
own that is down at first, and prints the counters. Nothing is sent to other hosts.

-ship TARGET   Read lines from standard input until its end and deliver them. In Apache:
                   CustomLog "|/usr/local/bin/accesslog -spool /var/spool/accesslog -ship syslog:local6.info:httpd@relp://log.example:2514" combined
               TARGET is one of
                   syslog:[FACILITY[.SEVERITY]:]IDENT[@NETWORK://ADDRESS]
                                  NETWORK is udp, tcp, tls, relp, or unix with a path. The default
                                  is /dev/log. Only relp acknowledges lines.
                   |PROGRAM ARGUMENT...   a program that reads lines; no shell is used
                   -                      standard output
                   PATH or file:PATH      a file, to which lines are appended
-ident NAME    Ident of a syslog target that does not contain one.
-spool DIR     Store lines in DIR until they are delivered (syslog targets only). A later run
               continues with them.
-full WHAT     If there is no room: block (default) waits; drop drops the line and counts it.
-timeout D     Time limit for the delivery after the end of the input (default 30s).

-spool-inspect DIR
               Print how many messages wait in a spool, its damage, and the messages that the
               collector did not accept; they are in the file set-aside.jsonl of the spool.

-check FORMAT  Parse the text between the outer quotes of a LogFormat and explain each part.

-serve ADDR    Serve a directory over HTTP, and write a line for each request. ADDR is HOST:PORT
               or unix:PATH. SIGINT and SIGTERM end the program after the requests in progress.
-root DIR      The directory (default: the current one).
-customlog 'TARGET FORMAT'
               The arguments of CustomLog: a target as above, and a format in double quotes or
               one of common, combined, vhost_combined (default: - combined). Can be repeated.
-header 'NAME: VALUE'
               Add a header to every response. Can be repeated.
-tls CERT,KEY  Serve TLS with the certificate and the key of two PEM files.
-servername HOST[:PORT]
               The ServerName of httpd.conf.
-internalproxy LIST, -trustedproxy LIST
               RemoteIPInternalProxy and RemoteIPTrustedProxy of mod_remoteip: networks separated
               by commas. The word unix trusts the peer of a unix socket.
-remoteip NAME The header that names the client (default X-Forwarded-For).

SIGHUP makes -ship and -serve reopen the targets that are files.

The counters are printed on standard error. Exit status: 0 if every line was acknowledged, or
written to a target without acknowledgements; 1 if lines are in the spool, set aside or lost; 2
if a flag, the target or the format is invalid.
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
		spool = flags.String("spool-inspect", "", "")
		web   service
	)
	flags.StringVar(&web.addr, "serve", "", "")
	flags.StringVar(&web.root, "root", ".", "")
	flags.StringVar(&web.tls, "tls", "", "")
	flags.StringVar(&web.serverName, "servername", "", "")
	flags.StringVar(&web.internal, "internalproxy", "", "")
	flags.StringVar(&web.trusted, "trustedproxy", "", "")
	flags.StringVar(&web.remoteIP, "remoteip", "X-Forwarded-For", "")
	flags.Var(&web.logs, "customlog", "")
	flags.Var(&web.headers, "header", "")
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
		return fail("unexpected argument %q; run accesslog -h for usage", flags.Arg(0))
	case given["check"] && given["ship"], given["serve"] && (given["check"] || given["ship"]):
		return fail("only one of -check, -ship and -serve can be used")
	case given["spool-inspect"]:
		return inspect(stdout, stderr, *spool)
	case given["serve"]:
		return web.run(stdout, stderr)
	case given["check"]:
		return explain(stdout, stderr, *check)
	case !given["ship"] && len(given) > 0:
		return fail("missing -ship TARGET; run accesslog -h for usage")
	case *full != "block" && *full != "drop":
		return fail("invalid -full %q, want block or drop", *full)
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

// explain prints the meaning of each part of a format.
func explain(stdout, stderr io.Writer, format string) int {
	f, err := logfmt.Parse(format)
	if err != nil {
		fmt.Fprintf(stderr, "accesslog: %s\n", errtext.Plain(err))
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
