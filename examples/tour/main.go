// Command tour shows every package of dougu at work on a small real input that it
// carries with it. It needs no network, no privileges and no other tool, and takes
// a few seconds.
//
//	tour [-h] [section ...]
//
// Without arguments it shows every section. The exit status is 0, or 1 when a
// section failed; the section is named.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// section is one package's part of the tour.
type section struct {
	name string
	show func(io.Writer) error
}

// sections are in the order of the stories.
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
		fmt.Fprintf(diagnostics, "usage: tour [section ...]\nsections: %s (all of them without arguments)\n", strings.Join(names(), ", "))
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
		return nil, fmt.Errorf("there is no section %q; there are %s", a, strings.Join(names(), ", "))
	}
	return chosen, nil
}
