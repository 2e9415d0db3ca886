// Command ssh-route resolves, checks, generates and edits ssh_config files, and connects to
// hosts through bastions.
//
//	ssh-route resolve  [flags] [user@]host          print the output of ssh -G
//	ssh-route explain  [flags] host [option ...]    print the lines that set each option
//	ssh-route chain    [flags] [user@]host          print each hop with its shell command
//	ssh-route lint     [flags] file ...             report problems that ssh accepts silently
//	ssh-route generate -topology FILE -from HOST    write an ssh_config for a network
//	ssh-route fmt      [-w|-d] file                 indent a file
//	ssh-route set      [-d] -F FILE host option value   change one line
//	ssh-route dial     [flags] host [command]       connect through the chain
//
// ssh-route SUBCOMMAND -h lists the flags. The exit status is 0 if all is well. It is 1 if an
// error, a loop or an unreachable host was found or the connection failed. It is 2 if the
// command line is invalid. It is 255 if ssh would exit with 255; the messages of ssh are
// then on standard error.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// The exit statuses are part of the interface of the program.
const (
	statusFound = 1
	statusUsage = 2
	statusSSH   = 255
)

// status is an exit status as an error. No message is printed for it.
type status int

// Error returns the number of the status.
func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// program contains the output streams and the environment of one run.
type program struct {
	out, err io.Writer
	env      func(string) (string, bool)
}

type subcommand struct {
	name, usage, about string
	run                func(*program, []string) error
}

// subcommands is a function because the subcommands print the list.
func subcommands() []subcommand {
	return []subcommand{
		{
			"resolve",
			"[-F FILE] [-o OPTION] [-l USER] [-p PORT] [-J LIST] [-profile NAME] [-exec] [-lookup] [user@]host",
			"print the output of ssh -G",
			runResolve,
		},
		{
			"explain",
			"[flags of resolve] [-format text|json] [user@]host [option ...]",
			"print the line that set each value, the lines that came too late, and the lines in blocks that do not match",
			runExplain,
		},
		{
			"chain",
			"[flags of resolve] [-format text|json] [user@]host",
			"print each hop and the shell command of each ssh process; nothing is executed",
			runChain,
		},
		{
			"lint",
			"[-format text|json|sarif] [-profile NAME] [-fix] [-rules] file ...",
			"report problems that ssh accepts silently",
			runLint,
		},
		{
			"generate",
			"-topology FILE -from HOST [-client VERSION] [-style auto|jump|stdio|netcat] [-o OUT]",
			"write an ssh_config for a topology",
			runGenerate,
		},
		{"fmt", "[-w | -d] file", "indent a file without changing its meaning", runFmt},
		{"set", "[-d] -F FILE host option value", "change one line of a file", runSet},
		{
			"dial",
			"[-F FILE] [-i KEY] [-known-hosts FILE] [-timeout D] [-command] host [command]",
			"connect through the chain within this process",
			runDial,
		},
	}
}

func find(name string) (subcommand, bool) {
	for _, s := range subcommands() {
		if s.name == name {
			return s, true
		}
	}
	return subcommand{}, false
}

func main() {
	p := &program{out: os.Stdout, err: os.Stderr, env: os.LookupEnv}
	os.Exit(p.main(os.Args[1:]))
}

// main runs a subcommand and returns the exit status.
func (p *program) main(args []string) int {
	if len(args) == 0 {
		p.usage()
		return statusUsage
	}
	command, ok := find(args[0])
	if !ok {
		if slices.Contains([]string{"-h", "-help", "--help", "help"}, args[0]) {
			p.usage()
			return 0
		}
		fmt.Fprintf(p.err, "ssh-route: there is no subcommand %q\n", args[0])
		p.usage()
		return statusUsage
	}
	err := command.run(p, args[1:])
	var s status
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &s):
		return int(s)
	}
	fmt.Fprintln(p.err, "ssh-route:", plain(err))
	var u usageError
	if errors.As(err, &u) {
		return statusUsage
	}
	return statusFound
}

// plain returns the text of an error without the name of the package that returned it.
func plain(err error) string {
	return strings.TrimPrefix(strings.TrimPrefix(err.Error(), "sshproxy: "), "dial: ")
}

func (p *program) usage() {
	fmt.Fprintln(p.err, "usage: ssh-route SUBCOMMAND ...")
	for _, s := range subcommands() {
		fmt.Fprintf(p.err, "  %-9s%s\n           %s\n", s.name, s.about, s.usage)
	}
	fmt.Fprintln(
		p.err,
		"exit status: 0 if all is well; 1 if something was found or failed; 2 if the command line is invalid; 255 if ssh would exit with 255",
	)
}

// usageError is an error of the command line.
type usageError string

// Error returns the message.
func (u usageError) Error() string { return string(u) }

// flags returns the flag set of a subcommand.
func (p *program) flags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(p.err)
	f.Usage = func() {
		s, _ := find(name)
		fmt.Fprintf(p.err, "usage: ssh-route %s %s\n%s\n", name, s.usage, s.about)
		f.PrintDefaults()
	}
	return f
}

// parse parses flags. Package flag has already printed the message of an invalid one.
func parse(f *flag.FlagSet, args []string) error {
	err := f.Parse(args)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return err
	}
	return status(statusUsage)
}
