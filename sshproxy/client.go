package sshproxy

import (
	"context"
	"maps"
	"strings"
)

// ClientFunc runs an ssh client with arguments and an empty standard input. It returns
// both outputs. The error is about a client that could not be run; an exit status other
// than 0 is not an error.
type ClientFunc func(ctx context.Context, args ...string) (stdout, stderr string, err error)

// maxClientOutput limits what is read of one answer of a client.
const maxClientOutput = 1 << 20

// ProfileFromClient returns the profile of a client by asking it: ssh -V, ssh -G -F none,
// ssh -Q and about ten further ssh -G with one option each. The profile is right for
// builds with patches that their version does not show. None of the calls opens a
// connection or reads a configuration file.
//
// What cannot be asked is that of the release with the version of the client. As with
// [ProfileFromG], two results are never equal, and the profile has no text form.
func ProfileFromClient(ctx context.Context, run ClientFunc) (Profile, error) {
	c := client{ctx: ctx, run: run}
	version := c.both("-V")
	if c.err != nil {
		return Profile{}, errs.Wrap(c.err)
	}
	base, err := ParseProfile(strings.TrimSpace(version))
	if err != nil {
		return Profile{}, err
	}
	defaults := c.out("-G", "-F", "none", "h")
	if c.err == nil && !printed(defaults) {
		c.err = errs.Errorf("the client prints no defaults: %.200q", defaults)
	}
	if c.err != nil {
		return Profile{}, errs.Wrap(c.err)
	}
	p := ProfileFromG(base, homeIn(defaults), defaults)
	b := p.own
	b.asked = map[feature]bool{}
	for _, q := range []string{"cipher", "mac", "kex", "key", "sig", "HostKeyAlgorithms", "kex-gss"} {
		if names := strings.Fields(c.out("-Q", q)); len(names) > 0 {
			b.algs[q] = names
		}
	}
	accepts := func(args ...string) bool { return printed(c.out(append([]string{"-G", "-F", "none"}, args...)...)) }
	line := func(key string, args ...string) string {
		return lineOf(c.out(append([]string{"-G", "-F", "none"}, args...)...), key)
	}
	b.asked[shellNames] = !accepts("a;b")
	b.asked[commaHosts] = !accepts("a,b")
	b.asked[controlNames] = !accepts("-l", "a\x01b", "h")
	b.asked[userBackslash] = !accepts("-l", `a\b`, "h")
	b.asked[jumpRules] = !accepts("-J", "a;b", "h")
	b.asked[keepAliveStates] = accepts("-o", "TCPKeepAlive=all", "h")
	b.asked[serviceNames] = strings.HasPrefix(line("ipqos", "-o", "IPQoS=throughput", "h"), "none")
	if lineOf(defaults, "canonicalizePermittedcnames") != "" {
		b.asked[smallLetters] = false
	} else if lineOf(defaults, "canonicalizepermittedcnames") != "" {
		b.asked[smallLetters] = true
	}
	if b.has(userTokens) {
		b.asked[userVerbatim] = line("user", "-l", "a%n", "h") == "a%n"
	}
	b.debian = line("serveraliveinterval", "-o", "BatchMode=yes", "h") == "300"
	b.gssapi = lineOf(defaults, "gssapiauthentication") != ""
	if accepts("-o", "UseKeychain=yes", "h") {
		b.apple = true
	}
	if c.err != nil {
		return Profile{}, errs.Wrap(c.err)
	}
	exchange := lineOf(defaults, "gssapikeyexchange") != ""
	b.keyword = maps.Clone(meanings(b))
	for _, k := range keywords {
		if k.gate.debian && k.gate.gssapi && exchange {
			b.keyword[lower(k.name)] = k.op
		}
	}
	b.prints = printOrder(b)
	b.defaults = [opCount][]string{}
	b.read(defaults, homeIn(defaults))
	return p, nil
}

// client asks a client. The first error is kept.
type client struct {
	ctx context.Context
	run ClientFunc
	err error
}

func (c *client) ask(args []string) (stdout, stderr string) {
	if c.err != nil {
		return "", ""
	}
	if c.err = c.ctx.Err(); c.err != nil {
		return "", ""
	}
	stdout, stderr, c.err = c.run(c.ctx, args...)
	return stdout[:min(len(stdout), maxClientOutput)], stderr[:min(len(stderr), maxClientOutput)]
}

func (c *client) out(args ...string) string {
	stdout, _ := c.ask(args)
	return stdout
}

func (c *client) both(args ...string) string {
	stdout, stderr := c.ask(args)
	return stdout + stderr
}

// printed reports whether a text is an output of -G.
func printed(text string) bool { return lineOf(text, "port") != "" }

// lineOf returns the value of a line of -G.
func lineOf(text, key string) string {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, key+" "); ok {
			return strings.TrimRight(value, "\r\n")
		}
	}
	return ""
}

// homeIn returns the home directory that the default of UserKnownHostsFile contains.
func homeIn(text string) string {
	home, _, ok := strings.Cut(lineOf(text, "userknownhostsfile"), "/.ssh/known_hosts")
	if !ok || !strings.HasPrefix(home, "/") {
		return ""
	}
	return home
}
