// Command umlconsole finds the consoles of User Mode Linux guests and attaches to them.
//
//	umlconsole                                     a guest, its console, a command run in it
//	umlconsole -list [DIR...]                      guests and their consoles
//	umlconsole -umid NAME -run 'uname -r'          types a command, prints the answer
//
// See umlconsole -h.
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
	"syscall"
	"time"
)

// The exit statuses.
const (
	statusGood  = 0
	statusNo    = 1 // the guest or console said no, or nothing in time
	statusUsage = 2
	statusGone  = 3 // no such guest
)

const usage = `usage: umlconsole
       umlconsole -list [-json] [DIR...]
       umlconsole -umid NAME [-dir DIR] [-con con1] ACTION [-timeout 10s]

Without arguments: boots a guest in a temporary directory, where Debian's user-mode-linux and
busybox-static are installed, else plays one on a pseudo-terminal; shows what its console is
connected to, runs a command in it, halts it, and ends. Nothing else is touched.

-list       the guests below ~/.uml, or below the directories: name, process, state, consoles
-json       the list as JSON: [{"name","dir","pid","alive","consoles":[{"name","kind","device"}]}]
-umid NAME  one guest; -dir is its uml_dir (default ~/.uml), -con the line (default con1)

ACTION is one of
-mconsole CMD      asks the management console and prints the answer: OK text or ERR text
-run LINE          types the line and prints what comes up to -expect, a regular expression
                   (default: a shell's prompt, a line that ends in "# " or "$ ")
-log FILE          writes a transcript with times until the guest ends or Ctrl-C; - is standard output
-attach            connects this terminal; Ctrl-] ends it
-screen, -tmux     prints the command that opens the console in GNU screen or tmux

-timeout bounds waiting for the console and the answer. Exit status: 0 good; 1 the guest or the
console said no, or nothing in time; 2 bad flags; 3 no such guest.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Stdin, os.Stdout, os.Stderr, os.Args[1:]))
}

// command is the command line.
type command struct {
	list, json, attach, screen, tmux           bool
	umid, dir, con, mconsole, run, expect, log string
	timeout                                    time.Duration

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
	case c.list && (actions > 0 || c.umid != ""):
		return c.usage("-list stands alone")
	case c.list:
		return c.showList(ctx, flags.Args())
	case flags.NArg() > 0:
		return c.usage("%q is one word too many", flags.Arg(0))
	case len(given) == 0:
		return c.story(ctx)
	case c.umid == "" || c.umid != filepath.Base(c.umid) || c.umid == "." || c.umid == "..":
		return c.usage("-umid names one guest, without a slash")
	case actions != 1:
		return c.usage("give one action: -mconsole, -run, -log, -attach, -screen or -tmux")
	}
	if _, err := regexp.Compile(c.expect); err != nil {
		return c.usage("-expect: %v", err)
	}
	return c.one(ctx)
}

func (c *command) usage(format string, args ...any) int {
	fmt.Fprintf(c.stderr, "umlconsole: "+format+"; see umlconsole -h\n", args...)
	return statusUsage
}

func (c *command) fail(status int, err error) int {
	fmt.Fprintln(c.stderr, "umlconsole:", err)
	return status
}
