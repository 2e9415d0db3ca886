package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"dougu.internal/sshproxy"
)

// question contains the command line of resolve, explain, chain and dial.
type question struct {
	resolver *sshproxy.Resolver
	line     sshproxy.CommandLine
	format   string
	extra    map[string]string // flags of the subcommand alone
}

// ask parses a command line of ssh with the additional flags -profile, -exec, -lookup and
// -format. own lists further flags that have a value. A flag that ends in "!" has none.
func (p *program) ask(name string, args []string, own ...string) (*question, error) {
	q := &question{format: "text", extra: map[string]string{}}
	var rest []string
	profile, run, ask := "", false, name == "dial"
	for i := 0; i < len(args); i++ {
		a := args[i]
		if len(a) < 2 || a[0] != '-' || a == "--" {
			rest = append(rest, args[i:]...)
			break
		}
		flag := strings.TrimPrefix(strings.TrimPrefix(a, "-"), "-")
		flag, value, joined := strings.Cut(flag, "=")
		take := func() (string, error) {
			if joined {
				return value, nil
			}
			if i++; i == len(args) {
				return "", usageError("flag needs an argument: -" + flag)
			}
			return args[i], nil
		}
		var err error
		switch {
		case flag == "h" || flag == "help":
			f := p.flags(name)
			f.Usage()
			fmt.Fprint(p.err, commonHelp)
			return nil, status(0)
		case flag == "exec":
			run = true
		case flag == "lookup":
			ask = true
		case flag == "profile":
			profile, err = take()
		case flag == "format" && (name == "explain" || name == "chain"):
			q.format, err = take()
		case flag == "json" && (name == "explain" || name == "chain"):
			q.format = "json"
		case has(own, flag+"!"):
			q.extra[flag] = "yes"
		case has(own, flag):
			q.extra[flag], err = take()
		default:
			rest = append(rest, a)
			if k := strings.IndexAny(a, flagsWithValue); k == len(a)-1 && i+1 < len(args) {
				i++
				rest = append(rest, args[i])
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if q.format != "text" && q.format != "json" {
		return nil, usageError(fmt.Sprintf("-format %q is not text or json", q.format))
	}
	var err error
	if q.line, err = sshproxy.ParseCommandLine(rest); err != nil {
		return nil, usageError(plain(err))
	}
	q.resolver, err = p.resolver(q.line.Config, profile, run)
	if err == nil && ask {
		q.resolver.Lookup = lookup
	}
	return q, err
}

// flagsWithValue lists the flags of ssh that have an argument.
const flagsWithValue = "BDEFIJLOPQRSWbceilmopw"

const commonHelp = `  -F FILE          read this file instead of the user's and the system's; none reads no file
  -o KEY=VALUE     an option, as in ssh; can be repeated
  -l USER, -p PORT, -J LIST, and all other flags of ssh
  -profile NAME    the client to emulate: 10.5, 9.9p2, 9.2p1-debian; default: the installed ssh, or the newest
  -exec            run the commands of Match exec
  -lookup          query the name service for CanonicalizeHostname and similar options (dial always does)
  -format FORMAT   text or json (explain, chain)
exit status: 0 if all is well; 1 if there is a loop or an unreachable host or the connection failed;
2 if the command line is invalid; 255 with the messages of ssh if ssh would exit with 255
`

func has(list []string, s string) bool {
	return slices.Contains(list, s)
}

// resolver returns a resolver for this machine and the named client.
func (p *program) resolver(config, profile string, run bool) (*sshproxy.Resolver, error) {
	local, err := sshproxy.Self()
	if err != nil {
		return nil, err
	}
	local.Addrs = addresses()
	r := &sshproxy.Resolver{
		Config: config, Local: local, Env: p.env,
		Exists: func(name string) bool { _, err := os.Stat(name); return err == nil },
	}
	if r.Profile, err = client(profile); err != nil {
		return nil, usageError(plain(err))
	}
	if run {
		r.Exec = p.run
	}
	return r, nil
}

// client returns the named profile. If name is empty, it returns the profile of the installed
// ssh, or the newest one.
func client(name string) (sshproxy.Profile, error) {
	if name != "" {
		return sshproxy.ParseProfile(name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if p, err := sshproxy.ProfileFromClient(ctx, runSSH); err == nil {
		return p, nil
	}
	return sshproxy.Newest(), nil
}

// runSSH is a [sshproxy.ClientFunc] for the installed ssh.
func runSSH(ctx context.Context, args ...string) (string, string, error) {
	var out, messages bytes.Buffer
	cmd := exec.CommandContext(ctx, "ssh", args...)
	cmd.Stdout, cmd.Stderr = &out, &messages
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
	}
	return out.String(), messages.String(), err
}

func addresses() (list []netip.Addr) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		if n, err := netip.ParsePrefix(a.String()); err == nil {
			list = append(list, n.Addr())
		}
	}
	return list
}

// lookup resolves a name with the system resolver and returns its canonical name.
func lookup(ctx context.Context, network, host string) (string, error) {
	var r net.Resolver
	if _, err := r.LookupNetIP(ctx, network, host); err != nil {
		return "", err
	}
	name, err := r.LookupCNAME(ctx, host)
	if err != nil {
		return "", nil
	}
	return strings.TrimSuffix(name, "."), nil
}

// run runs the command of a Match exec like ssh.
func (p *program) run(ctx context.Context, command string) (bool, error) {
	shell, ok := p.env("SHELL")
	if !ok {
		shell = "/bin/sh"
	}
	err := exec.CommandContext(ctx, shell, "-c", command).Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return false, nil
	}
	return err == nil, err
}

// failed prints the error of a resolution and returns the exit status that ssh would have.
func (p *program) failed(err error) error {
	var ce *sshproxy.ConfigError
	var loop *sshproxy.LoopError
	switch {
	case errors.As(err, &loop):
		fmt.Fprintln(p.err, "ssh-route:", plain(loop))
		return status(statusFound)
	case errors.As(err, &ce):
		for _, m := range ce.Messages {
			fmt.Fprintln(p.err, m)
		}
		return status(statusSSH)
	}
	return err
}

func (p *program) unanswered(list []string) {
	for _, u := range list {
		fmt.Fprintf(p.err, "ssh-route: %s (-exec and -lookup permit it)\n", u)
	}
}

func runResolve(p *program, args []string) error {
	q, err := p.ask("resolve", args)
	if err != nil {
		return err
	}
	res, err := q.resolver.Resolve(context.Background(), q.line.Target)
	if err != nil {
		return p.failed(err)
	}
	for _, m := range res.Messages() {
		fmt.Fprintln(p.err, m)
	}
	p.unanswered(res.Unanswered())
	return res.WriteG(p.out)
}

func runExplain(p *program, args []string) error {
	q, err := p.ask("explain", args)
	if err != nil {
		return err
	}
	q.line.Target.Command = "" // the words are names of options
	res, err := q.resolver.Resolve(context.Background(), q.line.Target)
	if err != nil {
		return p.failed(err)
	}
	p.unanswered(res.Unanswered())
	var list []sshproxy.Explanation
	if len(q.line.Rest) == 0 {
		if list, err = res.ExplainAll(); err != nil {
			return err
		}
	}
	for _, o := range q.line.Rest {
		e, err := res.Explain(o)
		if err != nil {
			return usageError(plain(err))
		}
		list = append(list, e)
	}
	if q.format == "json" {
		if list == nil {
			list = []sshproxy.Explanation{}
		}
		return writeJSON(p.out, list)
	}
	for _, e := range list {
		writeExplanation(p.out, e)
	}
	return nil
}

func writeExplanation(w io.Writer, e sshproxy.Explanation) {
	value := strings.Join(e.Values, " | ")
	if value == "" {
		value = "(not set)"
	}
	fmt.Fprintf(w, "%s %s\n", e.Option, value)
	if len(e.Set) == 0 {
		fmt.Fprintln(w, "  default")
	}
	say := func(what string, list []sshproxy.Setting) {
		for _, s := range list {
			fmt.Fprintf(w, "  %-8s %s", what, s)
			if s.Text != "" {
				fmt.Fprintf(w, "  %s", s.Text)
			}
			if s.Block != "" {
				fmt.Fprintf(w, "  (%s, line %d)", s.Block, s.BlockLine)
			}
			if s.Pass == 2 {
				fmt.Fprint(w, "  in the second pass")
			}
			if s.Why != "" {
				fmt.Fprintf(w, ": %s", s.Why)
			}
			fmt.Fprintln(w)
		}
	}
	say("set", e.Set)
	say("shadowed", e.Shadowed)
	say("blocked", e.Blocked)
}

// hop is the JSON form of a hop.
type hop struct {
	Alias     string   `json:"alias"`
	Host      string   `json:"host"`
	Port      string   `json:"port"`
	User      string   `json:"user"`
	Via       string   `json:"via"`
	Argv      []string `json:"argv"`
	ShellLine string   `json:"shellLine"`
	Origin    string   `json:"origin"`
	Opaque    string   `json:"opaque"`
}

// chainOutput is the JSON form of a chain.
type chainOutput struct {
	Hops       []hop    `json:"hops"`
	Loop       []string `json:"loop"`
	Unanswered []string `json:"unanswered"`
}

func runChain(p *program, args []string) error {
	q, err := p.ask("chain", args)
	if err != nil {
		return err
	}
	c, err := q.resolver.Chain(context.Background(), q.line.Target)
	if err != nil {
		var loop *sshproxy.LoopError
		if q.format == "json" && errors.As(err, &loop) {
			if err := writeJSON(p.out, chainOutput{Hops: []hop{}, Loop: loop.Path, Unanswered: []string{}}); err != nil {
				return err
			}
		}
		return p.failed(err)
	}
	p.unanswered(c.Unanswered())
	out := chainOutput{Hops: []hop{}, Loop: []string{}, Unanswered: append([]string{}, c.Unanswered()...)}
	for _, h := range c.All() {
		out.Hops = append(
			out.Hops,
			hop{h.Alias, h.Host, h.Port, h.User, h.Via.String(), h.Argv, h.ShellLine, h.Place, h.Opaque},
		)
	}
	if q.format == "json" {
		return writeJSON(p.out, out)
	}
	for i, h := range out.Hops {
		fmt.Fprintf(p.out, "%d %s %s@%s:%s %s\n", i+1, h.Alias, h.User, h.Host, h.Port, h.Via)
	}
	for i := len(out.Hops) - 1; i >= 0; i-- {
		h := out.Hops[i]
		if h.ShellLine == "" {
			continue
		}
		note := ""
		if h.Opaque != "" {
			note = "; not followed: " + h.Opaque
		}
		fmt.Fprintf(p.out, "%s runs: %s  [%s%s]\n", h.Alias, h.ShellLine, h.Origin, note)
	}
	return nil
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
