// Command strace-report prints where the requests in a log of strace spent their time.
//
//	strace-report [flags] [FILE | -]
//
// The option -h prints the flags, the JSON format and the exit statuses. They do not
// change.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

//go:embed testdata/sample.strace
var sample []byte

const usage = `usage: strace-report [flags] [FILE | -]

Reads a log that strace wrote with any flags, divides it into requests, and prints where each one spent its time.
FILE may be compressed with gzip. If FILE is - or missing, standard input is read.
To see an example, run strace-report -sample.

  -format F     text (default), json, html, pprof, perfetto, or copy
  -o FILE       write to FILE instead of standard output
  -p PID        attach strace to a running process and all of its children; requires the right to use ptrace
  -follow       report each request when it ends, while FILE is still being written or with -p
  -for D        with -p or -follow: stop after this time (default 10s); 0 means until Ctrl-C or the end of the process
  -sample       read the built-in sample instead of FILE
  -n N          show only the N slowest requests (default 0: all)
  -show-data    show the first bytes of payloads, which can contain passwords and cookies
  -color WHEN   auto (default), always or never; if the variable NO_COLOR is set, auto means never

formats
  json      {"requests":[{"pid","start","answered","end","duration_us",
                          "segments":[{"class","peer","duration_us","lines":[first,last]}],
                          "bottleneck":{"class","peer","duration_us","share","confidence","lines"}}],
             "summary":[{"name","calls","errors","seconds"}],
             "lines":{"total","unknown","damaged"}}
            Further members are format, filter, peers and findings; in a request fd, client, protocol, verb, lines,
            length_us, overlap and names; in a segment name and verb; in a bottleneck text and advice. start, answered
            and end are RFC 3339 if the log has dates (-ttt), and otherwise microseconds since the first midnight of the
            log. They are null if the log does not contain them. bottleneck is null if there is none. Segments do not
            overlap, and their sum is end - start. class is one of: application or untraced, sleep, lock, peer wait,
            peer chatter, DNS, connect, file I/O, child, slow client, idle, other, other request, many, unknown.
            confidence is one of: certain, likely, cannot tell. In a text, U+FFFD followed by two hexadecimal digits in
            braces is a byte that is not valid UTF-8.
  html      one page that loads nothing from elsewhere
  pprof     for go tool pprof: calls, wall (the time in calls) and gap (the time of requests between calls)
  perfetto  for ui.perfetto.dev and chrome://tracing
  copy      a copy of the input with all its secrets; to check it, run strace-report -format copy F | cmp - F

exit status: 0 the report was written; 2 the command line is wrong;
             1 the input contains no line of strace, or reading, writing or tracing failed
Tracing slows the traced process. Trace few processes on few hosts, and only while the problem occurs.
Try your version of strace on a test system first.
`

// options are the command line.
type options struct {
	format, out, color   string
	pid, n               int
	follow, sample, data bool
	limit                time.Duration
	file                 string
	stdin                io.Reader
	stdinTerminal, toTTY bool
	stdout, stderr       io.Writer
	noColor              bool
	columns              int
}

// errUsage is an error in the command line.
type errUsage struct{ msg string }

func (e errUsage) Error() string { return e.msg }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o := options{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		stdinTerminal: terminal(os.Stdin), toTTY: terminal(os.Stdout),
		noColor: os.Getenv("NO_COLOR") != "", columns: columns(),
	}
	err := o.parse(os.Args[1:])
	if err == nil {
		err = run(ctx, &o)
	}
	os.Exit(o.status(err))
}

// status prints an error and returns the exit status.
func (o *options) status(err error) int {
	var u errUsage
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(o.stdout, usage)
		return 0
	case errors.As(err, &u):
		fmt.Fprintf(o.stderr, "strace-report: %s\n\n%s", u.msg, usage)
		return 2
	}
	fmt.Fprintf(o.stderr, "strace-report: %v\n", err)
	return 1
}

func (o *options) parse(args []string) error {
	f := flag.NewFlagSet("strace-report", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.format, "format", "text", "")
	f.StringVar(&o.out, "o", "", "")
	f.IntVar(&o.pid, "p", 0, "")
	f.BoolVar(&o.follow, "follow", false, "")
	f.DurationVar(&o.limit, "for", 10*time.Second, "")
	f.BoolVar(&o.sample, "sample", false, "")
	f.IntVar(&o.n, "n", 0, "")
	f.BoolVar(&o.data, "show-data", false, "")
	f.StringVar(&o.color, "color", "auto", "")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage{err.Error()}
	}
	given := map[string]bool{}
	f.Visit(func(f *flag.Flag) { given[f.Name] = true })
	return o.check(f.Args(), given)
}

func (o *options) check(rest []string, given map[string]bool) error {
	switch o.format {
	case "text", "json", "html", "pprof", "perfetto", "copy":
	default:
		return errUsage{fmt.Sprintf("unknown format %q", o.format)}
	}
	switch o.color {
	case "auto", "always", "never":
	default:
		return errUsage{fmt.Sprintf("unknown value %q of -color, want auto, always or never", o.color)}
	}
	switch {
	case len(rest) > 1:
		return errUsage{"more than one FILE"}
	case given["p"] && o.pid <= 0:
		return errUsage{fmt.Sprintf("invalid process number %d", o.pid)}
	case o.pid > 0 && (len(rest) > 0 || o.sample):
		return errUsage{"-p cannot be combined with FILE or -sample"}
	case o.sample && len(rest) > 0:
		return errUsage{"-sample cannot be combined with FILE"}
	case o.follow && o.format != "text":
		return errUsage{"-follow requires the format text"}
	case o.follow && o.pid == 0 && (len(rest) == 0 || rest[0] == "-"):
		return errUsage{"-follow requires FILE or -p"}
	case o.n < 0:
		return errUsage{fmt.Sprintf("invalid number %d of -n, want 0 or more", o.n)}
	case o.limit < 0:
		return errUsage{fmt.Sprintf("invalid time %v of -for, want 0 or more", o.limit)}
	case len(rest) == 0 && o.pid == 0 && !o.sample && o.stdinTerminal:
		return errUsage{"FILE is missing and standard input is a terminal; -sample shows an example"}
	}
	if len(rest) == 1 {
		o.file = rest[0]
	}
	return nil
}

// terminal reports whether a file is a character device that is not the null device.
func terminal(f *os.File) bool {
	st, err := f.Stat()
	if err != nil || st.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(st, null)
}
