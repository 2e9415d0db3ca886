// Command ipxe-boot parses, checks, builds and runs iPXE boot scripts in a simulated
// machine.
//
//	ipxe-boot serve -once [flags]          boot a simulated machine from a local server
//	ipxe-boot run [flags] SCRIPT           print the requests, the console and the boot
//	ipxe-boot lint [flags] SCRIPT...       check scripts, or a DHCP configuration
//	ipxe-boot render [flags]               print a script for each machine of a list
//	ipxe-boot explore [flags] SCRIPT       print the result of every choice in the menus
//	ipxe-boot dhcp [flags]                 print lines for ISC dhcpd, Kea or dnsmasq
//	ipxe-boot pxelinux [flags]             print a menu for PXELINUX with a serial console
//
// ipxe-boot SUBCOMMAND -h prints the flags. The exit status is 0 on success; 1 if the script
// fails, an error is found, or the machine would hang; and 2 for wrong usage or unreadable
// input.
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

// exit statuses, which others script against.
const (
	statusNo    = 1
	statusUsage = 2
)

// errNo is an answer that needs no further words.
var errNo = errors.New("no")

// noError is the answer "no" with a reason.
type noError struct{ error }

// program is one run.
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
			"boot a simulated machine from our own server on 127.0.0.1, and show the exchange",
			runServe,
		},
		{
			"run",
			"[-profile P] [-with COMMANDS] [-uri URL] [-set NAME=VALUE]... [-http URL=FILE]... [-key K]... [-dump SETTING]... [-format text|json] SCRIPT",
			"say what iPXE would request, print and boot",
			runRun,
		},
		{
			"lint",
			"[-profile P] [-with COMMANDS] [-format text|json|sarif] [-fix] [-rules] [-dhcp FILE] SCRIPT...",
			"judge scripts, or the configuration of a DHCP server",
			runLint,
		},
		{
			"render",
			"-machines FILE -template FILE [-set K=V]... [-o DIR]",
			"make a script for each machine from a template",
			runRender,
		},
		{
			"explore",
			"[-profile P] [-with COMMANDS] [-uri URL] [-set NAME=VALUE]... [-machines FILE] [-http URL=FILE]... [-cancel] [-format text|json] SCRIPT",
			"follow every choice that a user can make, for each machine",
			runExplore,
		},
		{
			"dhcp",
			"-server isc|kea|dnsmasq -next IP -script URL [-bios FILE] [-efi64 FILE] [-efiarm64 FILE] [-http64 URL] [-httparm64 URL] [-whole]",
			"write the lines that bring machines to iPXE and iPXE to its script",
			runDHCP,
		},
		{
			"pxelinux",
			"-machines FILE [-serial PORT,BAUD[,FLOW]] [-mirrored] [-timeout SECONDS] [-title TEXT] [-name MAC] [-server IP]",
			"write a menu for PXELINUX with serial-over-LAN consoles",
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
	fmt.Fprintln(p.err, "exit status: 0 fine; 1 the answer is no; 2 wrong use or unreadable input")
}

// errFlags stands for a wrong command line of which the flag package has told.
var errFlags = errors.New("wrong flags")

// flags makes the flag set of a subcommand.
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

// wrong shows the usage, and then what is wrong with the command line.
func (p *program) wrong(f *flag.FlagSet, format string, args ...any) error {
	f.Usage()
	fmt.Fprintf(p.err, "ipxe-boot: "+f.Name()+": "+format+"\n", args...)
	return errFlags
}

// noArguments complains about words behind the flags of a subcommand that takes none.
func (p *program) noArguments(f *flag.FlagSet) error {
	if f.NArg() > 0 {
		return p.wrong(f, "%q is no flag, and nothing else is wanted", f.Arg(0))
	}
	return nil
}

// oneScript checks the words behind the flags, and the format.
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

// list is a flag that may be given more than once.
type list []string

// String is for the flag package.
func (l *list) String() string { return strings.Join(*l, " ") }

// Set adds one.
func (l *list) Set(s string) error {
	*l = append(*l, s)
	return nil
}

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

// maxInput bounds the files that are read.
const maxInput = 256 << 20

// read reads a file, or standard input for "-".
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
