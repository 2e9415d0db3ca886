package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"

	"dougu.internal/sshproxy"
)

//go:embed testdata/sshproxy.json
var sshTopology []byte

//go:embed testdata/sshproxy.conf
var sshConfig []byte

// tourSSHProxy generates a configuration for "ssh internal", shows the commands of ssh, and reports
// the findings for a file.
func tourSSHProxy(w io.Writer) error {
	ctx := context.Background()
	topology, err := sshproxy.ParseTopology("sshproxy.json", bytes.NewReader(sshTopology))
	if err != nil {
		return err
	}
	route, err := topology.Route("laptop", "internal")
	if err != nil {
		return err
	}
	client, err := sshproxy.ParseProfile("9.2p1-debian")
	if err != nil {
		return err
	}
	g, err := topology.Generate(sshproxy.GenerateOptions{From: "laptop", Client: client})
	if err != nil {
		return err
	}
	fmt.Fprintf(
		w,
		"A production host is behind two other hosts: %s.\nWith the generated configuration, one ssh command is enough:\n",
		route,
	)
	for _, b := range blocks(g.Text) {
		fmt.Fprintf(w, "  %s", b)
	}
	r := resolver(client, g.Text)
	chain, err := r.Chain(ctx, sshproxy.Target{Host: "internal"})
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "The commands that ssh runs for each hop, determined without running them:")
	all := chain.All()
	for i := len(all) - 1; i > 0; i-- {
		fmt.Fprintf(w, "  %-9s %s\n", all[i].Alias, all[i].ShellLine)
	}
	res, err := r.Resolve(ctx, sshproxy.Target{Host: "internal"})
	if err != nil {
		return err
	}
	e, err := res.Explain("Port")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Why port %s? It is set by line %d. This does not apply:\n", e.Values[0], e.Set[0].Line)
	for _, s := range e.Blocked {
		fmt.Fprintf(w, "  line %d, %s: %s\n", s.Line, s.Block, s.Why)
	}
	return tourSSHLint(ctx, w, client)
}

// tourSSHLint reports the findings for a file that ssh -G accepts without a message.
func tourSSHLint(ctx context.Context, w io.Writer, client sshproxy.Profile) error {
	r := resolver(client, sshConfig)
	_, err := r.Chain(ctx, sshproxy.Target{Host: "internal"})
	var loop *sshproxy.LoopError
	if !errors.As(err, &loop) {
		return fmt.Errorf("testdata/sshproxy.conf: no loop: %w", err)
	}
	fmt.Fprintf(
		w,
		"ssh -G accepts the next file without a message, but %s.\n",
		strings.TrimPrefix(loop.Error(), "sshproxy: "),
	)
	in := sshproxy.LintInput{Files: []*sshproxy.File{sshproxy.Parse("/home/me/.ssh/config", sshConfig)}}
	list, err := sshproxy.Lint(ctx, in, sshproxy.LintOptions{Resolver: r, Default: []string{"/home/me/.ssh/config"}})
	if err != nil {
		return err
	}
	for _, d := range list {
		fmt.Fprintf(w, "  line %2d: %s: %s [%s]\n", d.Range.Start.Line, d.Severity, d.Message, d.Rule)
	}
	return nil
}

// resolver returns a resolver with one text as the configuration file of the user.
func resolver(client sshproxy.Profile, text []byte) *sshproxy.Resolver {
	return &sshproxy.Resolver{
		Profile: client, SystemConfig: "none",
		Files: sshproxy.Memory(map[string][]byte{"/home/me/.ssh/config": text}),
		Local: sshproxy.Local{User: "me", Home: "/home/me", Hostname: "laptop"},
	}
}

// blocks returns the lines of the Host blocks, without comments.
func blocks(text []byte) (list [][]byte) {
	for line := range bytes.Lines(text) {
		if len(bytes.TrimSpace(line)) > 0 && line[0] != '#' {
			list = append(list, line)
		}
	}
	return list
}
