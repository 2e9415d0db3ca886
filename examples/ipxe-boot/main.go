// Command ipxe-boot checks, builds and runs iPXE boot scripts without rebooting a machine.
//
//	ipxe-boot serve -once [flags]          boot a simulated machine from a local server
//	ipxe-boot run [flags] SCRIPT           print requests, console and result
//	ipxe-boot lint [flags] SCRIPT...       check scripts and DHCP configurations
//	ipxe-boot render [flags]               write a script for each machine of a list
//	ipxe-boot explore [flags] SCRIPT       print the result of each choice on each machine
//	ipxe-boot dhcp [flags]                 print lines for ISC dhcpd, Kea or dnsmasq
//	ipxe-boot pxelinux [flags]             print a menu for PXELINUX with a serial console
//
// ipxe-boot SUBCOMMAND -h lists the flags. The exit status is 0 if all is well. It is 1 if
// the script failed, an error was found or the machine would hang. It is 2 if the command
// line is invalid or the input cannot be read.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	"dougu.internal/ipxe"
)

// The exit statuses are part of the interface of the program.
const (
	statusNo    = 1
	statusUsage = 2
)

// errNo ends the program with statusNo without a message.
var errNo = errors.New("no")

// noError ends the program with statusNo and a message.
type noError struct{ error }

// program contains the standard streams of one run.
type program struct {
	in       io.Reader
	out, err io.Writer
}

type subcommand struct {
	name, usage, about string
	run                func(context.Context, *program, []string) error
}

func subcommands() []subcommand {
	return []subcommand{
		{
			"serve",
			"-once [-profile P] [-mac M] [-product TEXT] [-machines FILE]",
			"boot a simulated machine from a server on 127.0.0.1 and print the exchange",
			runServe,
		},
		{
			"run",
			"[-profile P] [-with COMMANDS] [-uri URL] [-set NAME=VALUE]... [-http URL=FILE]... [-key K]... [-dump SETTING]... [-format text|json] SCRIPT",
			"print what iPXE would request, print and boot",
			runRun,
		},
		{
			"lint",
			"[-profile P] [-with COMMANDS] [-format text|json|sarif] [-fix] [-rules] [-dhcp FILE] SCRIPT...",
			"check scripts and configurations of DHCP servers",
			runLint,
		},
		{
			"render",
			"-machines FILE -template FILE [-set K=V]... [-o DIR]",
			"write a script for each machine from a template",
			runRender,
		},
		{
			"explore",
			"[-profile P] [-with COMMANDS] [-uri URL] [-set NAME=VALUE]... [-machines FILE] [-http URL=FILE]... [-cancel] [-format text|json] SCRIPT",
			"run each script with every choice that a user can make, for each machine",
			runExplore,
		},
		{
			"dhcp",
			"-server isc|kea|dnsmasq -next IP -script URL [-bios FILE] [-efi64 FILE] [-efiarm64 FILE] [-http64 URL] [-httparm64 URL] [-whole]",
			"print the lines of a DHCP server that load iPXE and then its script",
			runDHCP,
		},
		{
			"pxelinux",
			"-machines FILE [-serial PORT,BAUD[,FLOW]] [-mirrored] [-timeout SECONDS] [-title TEXT] [-name MAC] [-server IP]",
			"print a menu for PXELINUX with serial-over-LAN consoles",
			runPXELINUX,
		},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	p := &program{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	os.Exit(p.main(ctx, os.Args[1:]))
}

// main runs a subcommand and returns the exit status.
func (p *program) main(ctx context.Context, args []string) int {
	if len(args) == 0 {
		p.usage()
		return statusUsage
	}
	i := slices.IndexFunc(subcommands(), func(s subcommand) bool { return s.name == args[0] })
	if i < 0 {
		p.usage()
		if slices.Contains([]string{"-h", "-help", "--help", "help"}, args[0]) {
			return 0
		}
		fmt.Fprintf(p.err, "ipxe-boot: there is no subcommand %q\n", args[0])
		return statusUsage
	}
	err := subcommands()[i].run(ctx, p, args[1:])
	var no noError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errNo):
		return statusNo
	case errors.As(err, &no):
		fmt.Fprintln(p.err, "ipxe-boot:", bare(err))
		return statusNo
	case errors.Is(err, errFlags):
		return statusUsage
	}
	fmt.Fprintln(p.err, "ipxe-boot:", bare(err))
	return statusUsage
}

// bareError is an error without the name of the package that returned it.
type bareError struct{ error }

// bare returns err for a message that already names the program or a file.
func bare(err error) error { return bareError{err} }

// Error returns the text without the name of the package.
func (b bareError) Error() string {
	return strings.TrimPrefix(b.error.Error(), "ipxe: ")
}

// Unwrap returns the error of the package.
func (b bareError) Unwrap() error { return b.error }

func (p *program) usage() {
	fmt.Fprintln(p.err, "usage: ipxe-boot SUBCOMMAND ...")
	for _, s := range subcommands() {
		fmt.Fprintf(p.err, "  %-9s%s\n           %s\n", s.name, s.about, s.usage)
	}
	fmt.Fprintln(
		p.err,
		"exit status: 0 if all is well; 1 if the script failed, an error was found or the machine would hang; 2 if the command line is invalid or the input cannot be read",
	)
}

// errFlags ends the program with statusUsage. The message has already been printed.
var errFlags = errors.New("wrong flags")

// flags returns the flag set of a subcommand.
func (p *program) flags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(p.err)
	f.Usage = func() {
		for _, s := range subcommands() {
			if s.name == name {
				fmt.Fprintf(p.err, "usage: ipxe-boot %s %s\n%s\n", s.name, s.usage, s.about)
			}
		}
		f.PrintDefaults()
		if name == "run" {
			fmt.Fprint(p.err, runHelp)
		}
	}
	return f
}

func parse(f *flag.FlagSet, args []string) error {
	err := f.Parse(args)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return err
	}
	return errFlags
}

// wrong prints the usage and an error of the command line.
func (p *program) wrong(f *flag.FlagSet, format string, args ...any) error {
	f.Usage()
	fmt.Fprintf(p.err, "ipxe-boot: "+f.Name()+": "+format+"\n", args...)
	return errFlags
}

// noArguments returns an error if arguments follow the flags.
func (p *program) noArguments(f *flag.FlagSet) error {
	if f.NArg() > 0 {
		return p.wrong(f, "%q is no flag, and nothing else is wanted", f.Arg(0))
	}
	return nil
}

// oneScript returns an error unless the arguments are one script and the format is valid.
func (p *program) oneScript(f *flag.FlagSet, format string) error {
	switch {
	case f.NArg() == 0:
		return p.wrong(f, "no SCRIPT is given; - is standard input")
	case f.NArg() > 1:
		for _, a := range f.Args()[1:] {
			if strings.HasPrefix(a, "-") {
				return p.wrong(f, "flags stand before the SCRIPT: move %s", a)
			}
		}
		return p.wrong(f, "one SCRIPT is wanted, and %d are given", f.NArg())
	case format != "text" && format != "json":
		return p.wrong(f, "-format %q: text or json", format)
	}
	return nil
}

// list is a flag that can be repeated.
type list []string

// String returns the values for package flag.
func (l *list) String() string { return strings.Join(*l, " ") }

// Set appends a value.
func (l *list) Set(s string) error {
	*l = append(*l, s)
	return nil
}

// profile returns the build with the given name and additional commands.
func profile(name, with string) (ipxe.Profile, error) {
	p, err := ipxe.ParseProfile(name)
	if err != nil {
		return p, err
	}
	if with != "" {
		p = p.With(strings.Split(with, ",")...)
	}
	return p, nil
}

// maxInput is the maximum size of an input file.
const maxInput = 256 << 20

// read returns the content of a file, or standard input if the name is "-".
func (p *program) read(name string) ([]byte, error) {
	r := p.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	data, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err == nil && len(data) > maxInput {
		err = fmt.Errorf("%s: more than %d bytes", name, maxInput)
	}
	return data, err
}
