// Command ssh-route resolves, checks, edits and generates ssh_config files, and connects
// through the bastion hosts that they describe.
//
//	ssh-route resolve  [flags] [user@]host          print the lines of ssh -G
//	ssh-route explain  [flags] host [option ...]    print the lines that set an option
//	ssh-route chain    [flags] [user@]host          print every hop with its shell line
//	ssh-route lint     [flags] file ...             report mistakes that ssh accepts
//	ssh-route generate -topology FILE -from HOST    print an ssh_config for a network
//	ssh-route fmt      [-w|-d] file                 correct the indentation
//	ssh-route set      [-d] -F FILE host option value   change one line
//	ssh-route dial     [flags] host [command]       connect through the chain
//
// ssh-route SUBCOMMAND -h prints the flags. The exit status is 0 on success, 1 if an error
// was found or a connection failed, 2 for wrong usage, and 255 if ssh would end with 255;
// the messages of ssh are then on standard error.
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

// exit statuses, which others script against.
const (
	statusFound = 1
	statusUsage = 2
	statusSSH   = 255
)

// status is an error that is nothing but an exit status.
type status int

// Error names the status.
func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// program is one run: where it writes and what the environment says.
type program struct {
	out, err io.Writer
	env      func(string) (string, bool)
}

type subcommand struct {
	name, usage, about string
	run                func(*program, []string) error
}

// subcommands is a function, as those that it names print its usage.
func subcommands() []subcommand {
	return []subcommand{
		{
			"resolve",
			"[-F FILE] [-o OPTION] [-l USER] [-p PORT] [-J LIST] [-profile NAME] [-exec] [-lookup] [user@]host",
			"print what ssh -G prints",
			runResolve,
		},
		{
			"explain",
			"[flags of resolve] [-format text|json] [user@]host [option ...]",
			"say which line set each value, which came too late, which stand in blocks that do not match",
			runExplain,
		},
		{
			"chain",
			"[flags of resolve] [-format text|json] [user@]host",
			"print every hop and the shell line of each ssh; nothing is executed",
			runChain,
		},
		{"lint", "[-format text|json|sarif] [-profile NAME] [-fix] [-rules] file ...", "judge files", runLint},
		{
			"generate",
			"-topology FILE -from HOST [-client VERSION] [-style auto|jump|stdio|netcat] [-o OUT]",
			"write an ssh_config for a topology",
			runGenerate,
		},
		{"fmt", "[-w | -d] file", "indent a file; its meaning does not change", runFmt},
		{"set", "[-d] -F FILE host option value", "change one line of a file", runSet},
		{
			"dial",
			"[-F FILE] [-i KEY] [-known-hosts FILE] [-timeout D] [-command] host [command]",
			"connect through the chain inside of this process",
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
	fmt.Fprintln(p.err, "exit status: 0 done; 1 something was found or failed; 2 usage; 255 where ssh would end with 255")
}

// usageError is a wrong command line.
type usageError string

// Error is what is wrong.
func (u usageError) Error() string { return string(u) }

// flags makes the flag set of a subcommand.
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

// parse reads flags; a wrong one is a usage error that flag has printed.
func parse(f *flag.FlagSet, args []string) error {
	err := f.Parse(args)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return err
	}
	return status(statusUsage)
}
