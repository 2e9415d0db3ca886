// Command umlconsole finds the consoles of User Mode Linux guests and connects to them.
//
//	umlconsole                                     demonstrate a guest and its console
//	umlconsole -list [DIR...]                      list guests and their consoles
//	umlconsole -qmp SOCKET -list                    list the consoles of a QEMU guest
//	umlconsole -umid NAME -run 'uname -r'          run a command in a guest and print its output
//
// Run umlconsole -h for all flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// The exit statuses.
const (
	statusGood  = 0
	statusNo    = 1 // the guest or the console reported an error or did not reply in time
	statusUsage = 2 // invalid flags
	statusGone  = 3 // the guest does not exist
)

const usage = `usage: umlconsole
       umlconsole -list [-json] [DIR...]
       umlconsole -qmp SOCKET -list [-json]
       umlconsole -umid NAME [-dir DIR] [-con con1] ACTION [-timeout 10s]

Without arguments, umlconsole boots a guest in a temporary directory, shows the device of its
console, runs commands on the console, and halts the guest. This requires Debian's packages
user-mode-linux and busybox-static. Without them, umlconsole simulates a guest on a
pseudo-terminal. Nothing else is changed.

-list       List the guests in ~/.uml or in the given directories: name, process, state, consoles.
-json       Print the list as JSON: [{"name","dir","pid","alive","consoles":[{"name","kind","device"}]}]
-qmp SOCKET List the consoles of a QEMU guest by its QMP socket: label, kind (pts or unix), path.
            With -json: [{"label","kind","path"}].
-umid NAME  Select a guest. -dir is its uml_dir (default ~/.uml), -con the line (default con1).

ACTION is one of
-mconsole CMD      Send CMD to the management console and print the reply: OK text or ERR text.
-run LINE          Send LINE to the console and print the output up to a match for -expect, a
                   regular expression (default: a shell prompt, a line that ends in "# " or "$ ").
-log FILE          Write a transcript with times until the guest ends or until Ctrl-C. If FILE is
                   -, write to standard output.
-attach            Connect this terminal with the console. Ctrl-] ends the connection.
-screen, -tmux     Print the command that opens the console in GNU screen or tmux.

-timeout is the time limit for the console and for the reply. Exit status: 0 success; 1 the guest
or the console reported an error or did not reply in time; 2 invalid flags; 3 the guest does not
exist.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Stdin, os.Stdout, os.Stderr, os.Args[1:]))
}

// command contains the flags.
type command struct {
	list, json, attach, screen, tmux                bool
	umid, dir, con, mconsole, run, expect, log, qmp string
	timeout                                         time.Duration

	stdin          *os.File
	stdout, stderr io.Writer
}

func run(ctx context.Context, stdin *os.File, stdout, stderr io.Writer, args []string) int {
	c := command{stdin: stdin, stdout: stdout, stderr: stderr}
	flags := flag.NewFlagSet("umlconsole", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	flags.BoolVar(&c.list, "list", false, "")
	flags.BoolVar(&c.json, "json", false, "")
	flags.BoolVar(&c.attach, "attach", false, "")
	flags.BoolVar(&c.screen, "screen", false, "")
	flags.BoolVar(&c.tmux, "tmux", false, "")
	flags.StringVar(&c.qmp, "qmp", "", "")
	flags.StringVar(&c.umid, "umid", "", "")
	flags.StringVar(&c.dir, "dir", "", "")
	flags.StringVar(&c.con, "con", "con1", "")
	flags.StringVar(&c.mconsole, "mconsole", "", "")
	flags.StringVar(&c.run, "run", "", "")
	flags.StringVar(&c.expect, "expect", defaultExpect, "")
	flags.StringVar(&c.log, "log", "", "")
	flags.DurationVar(&c.timeout, "timeout", 10*time.Second, "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return statusGood
	case err != nil:
		return statusUsage
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	actions := 0
	for _, name := range []string{"mconsole", "run", "log", "attach", "screen", "tmux"} {
		if given[name] {
			actions++
		}
	}
	switch {
	case c.qmp != "" && (!c.list || actions > 0 || c.umid != "" || flags.NArg() > 0):
		return c.usage("-qmp is used together with -list only")
	case c.qmp != "":
		return c.listQMP(ctx)
	case c.list && (actions > 0 || c.umid != ""):
		return c.usage("-list cannot be used together with other actions or -umid")
	case c.list:
		return c.showList(ctx, flags.Args())
	case flags.NArg() > 0:
		return c.usage("unexpected argument %q", flags.Arg(0))
	case len(given) == 0:
		return c.story(ctx)
	case c.umid == "" || c.umid != filepath.Base(c.umid) || c.umid == "." || c.umid == "..":
		return c.usage("invalid -umid %q, want the name of one guest without a slash", c.umid)
	case actions != 1:
		return c.usage("want one of -mconsole, -run, -log, -attach, -screen and -tmux")
	}
	if _, err := regexp.Compile(c.expect); err != nil {
		return c.usage("invalid -expect: %v", err)
	}
	return c.one(ctx)
}

func (c *command) usage(format string, args ...any) int {
	fmt.Fprintf(c.stderr, "umlconsole: "+format+"; run umlconsole -h for usage\n", args...)
	return statusUsage
}

func (c *command) fail(status int, err error) int {
	text := err.Error()
	for _, name := range []string{"console: ", "mconsole: "} {
		text = strings.TrimPrefix(text, name)
	}
	fmt.Fprintln(c.stderr, "umlconsole:", text)
	return status
}
