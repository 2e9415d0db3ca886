// Command strace-report says where the requests in a log of strace spent their time.
//
//	strace-report [flags] [FILE | -]
//
// See usage, or -h, for the flags, the JSON and the exit status, which are stable.
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

Reads a log that strace wrote under any flags, cuts it into requests, and says where each one spent its time.
FILE may be gzipped; - or no FILE is standard input. Without a server at hand try: strace-report -sample

  -format F     text (default), json, html, pprof, perfetto, or copy
  -o FILE       write there instead of to standard output
  -p PID        attach strace to a running process and all of its children; needs the right to ptrace
  -follow       FILE is still being written (or with -p): report each request as it ends
  -for D        with -p or -follow: stop after this time (default 10s; 0: until Ctrl-C or the end of the process)
  -sample       read the built-in sample instead of FILE
  -n N          show at most N requests, the slowest (default 0: all)
  -show-data    show the first bytes of payloads; they may hold passwords and cookies
  -color WHEN   auto (default), always, never; NO_COLOR is honoured

formats
  json      {"requests":[{"pid","start","answered","end","duration_us",
                          "segments":[{"class","peer","duration_us","lines":[first,last]}],
                          "bottleneck":{"class","peer","duration_us","share","confidence","lines"}}],
             "summary":[{"name","calls","errors","seconds"}],
             "lines":{"total","unknown","damaged"}}
            and more fields: format, filter, peers, findings; fd, client, protocol, verb, lines, length_us, overlap, names in a
            request; name, verb in a segment; text, advice in a bottleneck. start, answered and end are RFC 3339 where
            the log has dates (-ttt), else microseconds since the first midnight of the log; null: not in the log.
            bottleneck is null when there is none. segments do not overlap, and their sum is end - start.
            class is one of: application or untraced, sleep, lock, peer wait, peer chatter, DNS, connect, file I/O, child,
            slow client, idle, other, other request, many, unknown. confidence: certain, likely, cannot tell.
  html      one page that loads nothing
  pprof     for go tool pprof: calls, wall (the time in calls) and gap (the time of requests between calls)
  perfetto  for ui.perfetto.dev and chrome://tracing
  copy      the input, byte for byte, with every secret that is in it: strace-report -format copy F | cmp - F

exit status: 0 the report was written; 1 no line of strace in the input, or reading, writing or tracing failed; 2 usage
Tracing slows the traced process. Trace few processes, on few hosts, at the peak; try your version of strace somewhere safe first.
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

// errUsage is a command line that cannot be meant.
type errUsage struct{ msg string }

func (e errUsage) Error() string { return e.msg }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o := options{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, stdinTerminal: terminal(os.Stdin), toTTY: terminal(os.Stdout),
		noColor: os.Getenv("NO_COLOR") != "", columns: columns()}
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
		return errUsage{fmt.Sprintf("there is no format %q", o.format)}
	}
	switch o.color {
	case "auto", "always", "never":
	default:
		return errUsage{fmt.Sprintf("-color %q is none of auto, always, never", o.color)}
	}
	switch {
	case len(rest) > 1:
		return errUsage{"more than one FILE"}
	case given["p"] && o.pid <= 0:
		return errUsage{fmt.Sprintf("-p %d: not the number of a process", o.pid)}
	case o.pid > 0 && (len(rest) > 0 || o.sample):
		return errUsage{"-p and a FILE or -sample exclude each other"}
	case o.sample && len(rest) > 0:
		return errUsage{"-sample and a FILE exclude each other"}
	case o.follow && o.format != "text":
		return errUsage{"-follow reports as text"}
	case o.follow && o.pid == 0 && (len(rest) == 0 || rest[0] == "-"):
		return errUsage{"-follow wants a FILE or -p"}
	case o.n < 0:
		return errUsage{"-n is negative"}
	case o.limit < 0:
		return errUsage{"-for is negative"}
	case len(rest) == 0 && o.pid == 0 && !o.sample && o.stdinTerminal:
		return errUsage{"no FILE, and standard input is a terminal; try -sample"}
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
