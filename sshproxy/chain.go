package sshproxy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Via is how a hop is reached.
type Via uint8

// The ways to reach a hop.
const (
	// Direct: a TCP connection from where the chain begins.
	Direct Via = iota + 1
	// Jump: through the hop before it, by ProxyJump or -J.
	Jump
	// Command: by a ProxyCommand.
	Command
)

// Hop is one ssh connection of a chain.
type Hop struct {
	// Alias is the name by which the hop is called, Host the name or address that is
	// connected to.
	Alias string `json:"alias,omitzero"`
	Host  string `json:"host,omitzero"`
	User  string `json:"user,omitzero"`
	Port  string `json:"port,omitzero"`
	// Via says how the hop is reached.
	Via Via `json:"via,omitzero"`
	// Argv are the arguments of the ssh process that connects to this hop, without
	// the program: what to type to reach it the same way.
	Argv []string `json:"argv,omitzero"`
	// ShellLine is what that process hands to the user's shell in order to reach the
	// hop, all tokens expanded; empty for a direct connection.
	ShellLine string `json:"shellLine,omitzero"`
	// Place says what made it so: "file:line", or "command-line". It is empty for a
	// direct connection.
	Place string `json:"place,omitzero"`
	// Inner are the hops that a ProxyCommand visits before this one, when it is a
	// plain ssh command.
	Inner []Hop `json:"inner,omitzero"`
	// Proxy is set when the ProxyCommand is OpenBSD's nc through an HTTP or SOCKS5
	// proxy and nothing else: "http://host:port" or "socks5://host:port". The same
	// can then be done without a process.
	Proxy string `json:"proxy,omitzero"`
	// Opaque says why a ProxyCommand was not followed; empty when it was.
	Opaque string `json:"opaque,omitzero"`
	// Result is the configuration in effect.
	Result *Result `json:"result,omitzero"`
}

// Chain is the route to a target.
type Chain struct {
	// Hops are in the order visited; the last one is the target. Hops inside of
	// ProxyCommands are within their hop: see [Chain.All].
	Hops []Hop `json:"hops,omitzero"`
}

// All returns every hop in the order visited, those within ProxyCommands too.
func (c *Chain) All() []Hop {
	var list []Hop
	var add func([]Hop)
	add = func(hops []Hop) {
		for _, h := range hops {
			add(h.Inner)
			list = append(list, h)
		}
	}
	add(c.Hops)
	return list
}

// Unanswered joins what the resolutions of the hops left unanswered.
func (c *Chain) Unanswered() (list []string) {
	for _, h := range c.All() {
		if h.Result == nil {
			continue
		}
		for _, u := range h.Result.unanswered {
			if !slices.Contains(list, u) {
				list = append(list, u)
			}
		}
	}
	return list
}

// LoopError is a chain that comes back to where it was: ssh would start processes
// without end, or refuse with "jumphost loop".
type LoopError struct {
	// Path are the names in the order of the processes, from the target; the last one
	// is on the path before.
	Path []string
}

// Error names the path.
func (e *LoopError) Error() string {
	return "sshproxy: the chain of jump hosts loops: " + strings.Join(e.Path, " -> ")
}

// maxChain bounds the depth of a chain that does not come back.
const maxChain = 64

// Chain works out the hops that ssh would take to a target and the exact line that each
// ssh process would give to the shell. It starts no process and opens no connection. The
// error is a [*LoopError], or one of [Resolver.Resolve] with the hop's name before it.
func (r *Resolver) Chain(ctx context.Context, t Target) (*Chain, error) {
	w := walker{ctx: ctx}
	hops, err := w.walk(r, t)
	if err != nil {
		return nil, err
	}
	return &Chain{Hops: hops}, nil
}

// walker follows a chain from the target outwards.
type walker struct {
	ctx  context.Context
	path []string // names
	keys []string // what was asked, for loops
}

// walk returns the hops to a target, in the order visited.
func (w *walker) walk(r *Resolver, t Target) ([]Hop, error) {
	key := fmt.Sprintf("%q %q %q %d %q %q %q", t.Host, t.User, t.Jump, t.Port, t.Options, t.flags, r.Config)
	if slices.Contains(w.keys, key) || len(w.keys) > maxChain {
		return nil, &LoopError{Path: append(slices.Clone(w.path), t.Host)}
	}
	w.path, w.keys = append(w.path, t.Host), append(w.keys, key)
	defer func() { w.path, w.keys = w.path[:len(w.path)-1], w.keys[:len(w.keys)-1] }()
	res, err := r.Resolve(w.ctx, t)
	if err != nil {
		return nil, errs.Wrap(w.failed(err))
	}
	h := Hop{Alias: res.Alias(), Host: res.Host(), User: res.User(), Port: res.Port(), Via: Direct, Argv: r.argv(t), Result: res}
	command, from := res.proxyCommand()
	if command == "" {
		return []Hop{h}, nil
	}
	h.Place = from.place()
	line, err := res.proxyLine(command)
	if err != nil {
		return nil, errs.Errorf("%s: %w", t.Host, err)
	}
	h.ShellLine = "exec " + line
	if res.state.jump != nil {
		return w.jump(r, h, line)
	}
	h.Via = Command
	err = w.command(r, &h, line)
	return []Hop{h}, err
}

// failed adds the names of the path to an error.
func (w *walker) failed(err error) error {
	var ce *ConfigError
	if errors.As(err, &ce) {
		for _, m := range ce.Messages {
			if host, ok := strings.CutPrefix(m, "jumphost loop via "); ok {
				return &LoopError{Path: append(slices.Clone(w.path), host)}
			}
		}
	}
	if len(w.path) > 1 {
		return errs.Errorf("%s: %w", strings.Join(w.path, " -> "), err)
	}
	return err
}

// jump follows the command that ProxyJump turned into, as the shell would read it.
func (w *walker) jump(r *Resolver, h Hop, line string) ([]Hop, error) {
	h.Via = Jump
	words, why := shellWords(line)
	if why != "" {
		return nil, errs.Errorf("%s: the jump command is not what it seems, %s: %s", h.Alias, why, h.ShellLine)
	}
	c, err := parseCommandLine(words[1:], true)
	if err != nil {
		return nil, errs.Errorf("%s: %s: %w", h.Alias, h.ShellLine, err)
	}
	if c.after > 0 {
		return nil, errs.Errorf("%s: the shell would read more words than a host in: %s", h.Alias, h.ShellLine)
	}
	before, err := w.walk(r.with(c.Config), c.Target)
	if err != nil {
		return nil, err
	}
	return append(before, h), nil
}

// command follows a ProxyCommand that is a plain ssh.
func (w *walker) command(r *Resolver, h *Hop, line string) error {
	if line == "-" {
		h.Opaque = "ssh's own stdin and stdout"
		return nil
	}
	words, why := shellWords(line)
	if why != "" {
		h.Opaque = "not a plain command: " + why
		return nil
	}
	if len(words) > 0 && words[0] == "exec" {
		words = words[1:]
	}
	h.Proxy = netcatProxy(words, h.Host, h.Port)
	if len(words) == 0 || words[0][strings.LastIndexByte(words[0], '/')+1:] != "ssh" {
		h.Opaque = "not an ssh command"
		return nil
	}
	c, err := parseCommandLine(words[1:], true)
	if err != nil {
		h.Opaque = "its arguments can't be read: " + errs.Trim(err)
		return nil
	}
	h.Inner, err = w.walk(r.with(c.Config), c.Target)
	return err
}

// netcatProxy reads nc -X connect|5 -x host:port HOST PORT.
func netcatProxy(words []string, host, port string) string {
	if len(words) != 7 || words[1] != "-X" || words[3] != "-x" || words[5] != host || words[6] != port {
		return ""
	}
	scheme := map[string]string{"connect": "http", "5": "socks5"}[words[2]]
	if name := words[0][strings.LastIndexByte(words[0], '/')+1:]; scheme == "" || name != "nc" && name != "nc.openbsd" {
		return ""
	}
	return scheme + "://" + words[4]
}

// argv are the arguments that ask for a target.
func (r *Resolver) argv(t Target) (list []string) {
	if r.Config != "" {
		list = append(list, "-F", r.Config)
	}
	for _, o := range t.Options {
		list = append(list, "-o", o)
	}
	for _, f := range t.flags {
		list = append(list, "-"+string(rune(f.flag)))
		if strings.IndexByte(flagsWithValue, f.flag) >= 0 {
			list = append(list, f.value)
		}
	}
	if t.User != "" {
		list = append(list, "-l", t.User)
	}
	if t.Port != 0 {
		list = append(list, "-p", itoa(t.Port))
	}
	if t.Jump != "" {
		list = append(list, "-J", t.Jump)
	}
	return append(list, t.Host)
}

// proxyCommand returns the command in effect and what set it.
func (r *Result) proxyCommand() (string, origin) {
	st := r.state
	if st.jump != nil {
		return r.proxy, st.slots[opProxyJump].from
	}
	s := &st.slots[opProxyCommand]
	if !s.set || equalFold(s.val, "none") {
		return "", origin{}
	}
	return s.val, s.from
}

// proxyLine expands the tokens of a ProxyCommand.
func (r *Result) proxyLine(command string) (string, error) {
	full := r.tokens
	t := &tokens{}
	for _, c := range []byte("hknpr") {
		t.put(c, full.value[c])
	}
	if !r.state.p.at(80100) {
		t.set['k'], t.set['n'] = false, r.state.p.at(70000)
	}
	e := expand(command, t, nil)
	if e.bad {
		return "", &ConfigError{Messages: append(e.messages, r.state.expandFailed("percent_expand"))}
	}
	return e.text, nil
}

// place is file:line, or where else a value came from.
func (o origin) place() string {
	if o.prog == nil {
		return "command-line"
	}
	return fmt.Sprintf("%s:%d", o.prog.path, o.line())
}

// shellWords splits a command as a POSIX shell does. why says what keeps it from being
// one plain command.
func shellWords(s string) (words []string, why string) {
	var b strings.Builder
	inWord := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ', '\t':
			if inWord {
				words = append(words, b.String())
				b.Reset()
				inWord = false
			}
		case '\n', ';', '&', '|', '<', '>', '(', ')':
			return nil, fmt.Sprintf("it holds %q", c)
		case '$', '`':
			return nil, "the shell expands " + string(rune(c))
		case '#':
			if !inWord {
				return words, ""
			}
			b.WriteByte(c)
		case '\'':
			inWord = true
			end := strings.IndexByte(s[i+1:], '\'')
			if end < 0 {
				return nil, "a quote is not closed"
			}
			b.WriteString(s[i+1 : i+1+end])
			i += end + 1
		case '"':
			inWord = true
			for i++; i < len(s) && s[i] != '"'; i++ {
				if s[i] == '$' || s[i] == '`' {
					return nil, "the shell expands " + s[i:i+1]
				}
				if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(`"\$`+"`", s[i+1]) >= 0 {
					i++
				}
				b.WriteByte(s[i])
			}
			if i >= len(s) {
				return nil, "a quote is not closed"
			}
		case '\\':
			inWord = true
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		default:
			inWord = true
			b.WriteByte(c)
		}
	}
	if inWord {
		words = append(words, b.String())
	}
	return words, ""
}
