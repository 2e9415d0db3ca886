// Command tour demonstrates each package of this module with a small input from practice, which is
// part of the program. It requires no network, no privileges and no other programs, and takes a few
// seconds.
//
//	tour [-h] [section ...]
//
// Without arguments, all sections are shown. The exit status is 0, or 1 if a section failed. The
// error message contains the name of that section.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// section demonstrates one package.
type section struct {
	name string
	show func(io.Writer) error
}

// sections lists the sections in the order in which they are shown.
var sections = []section{
	{"stracelog", tourStracelog},
	{"smart", tourSmart},
	{"multicast", tourMulticast},
	{"sshproxy", tourSSHProxy},
	{"keepalived", tourKeepalived},
	{"ipxe", tourIPXE},
}

func main() {
	if err := run(os.Stdout, os.Stderr, os.Args[1:]); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "tour:", err)
			os.Exit(1)
		}
	}
}

func run(w, diagnostics io.Writer, args []string) error {
	flags := flag.NewFlagSet("tour", flag.ContinueOnError)
	flags.SetOutput(diagnostics)
	flags.Usage = func() {
		fmt.Fprintf(
			diagnostics,
			"usage: tour [section ...]\nsections: %s (without arguments, all of them are shown)\n",
			strings.Join(names(), ", "),
		)
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(flags.Args())
	if err != nil {
		return err
	}
	for i, s := range chosen {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if _, err := fmt.Fprintf(w, "== %s\n", s.name); err != nil {
			return err
		}
		if err := s.show(w); err != nil {
			return fmt.Errorf("section %s: %w", s.name, err)
		}
	}
	return nil
}

func names() (list []string) {
	for _, s := range sections {
		list = append(list, s.name)
	}
	return list
}

func choose(args []string) ([]section, error) {
	if len(args) == 0 {
		return sections, nil
	}
	var chosen []section
next:
	for _, a := range args {
		for _, s := range sections {
			if s.name == a {
				chosen = append(chosen, s)
				continue next
			}
		}
		return nil, fmt.Errorf("unknown section %q (known: %s)", a, strings.Join(names(), ", "))
	}
	return chosen, nil
}
