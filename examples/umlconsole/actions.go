package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"dougu.internal/diag"
	"dougu.internal/examples/umlconsole/console"
	"dougu.internal/examples/umlconsole/mconsole"
)

// listed is a guest in the output of -list -json.
type listed struct {
	Name     string   `json:"name"`
	Dir      string   `json:"dir"`
	Pid      int      `json:"pid"`
	Alive    bool     `json:"alive"`
	Consoles []attach `json:"consoles"`
}

type attach struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Device string `json:"device"`
}

// lines are the lines that -list shows.
var lines = []string{"con0", "con1", "con2", "con3", "con4", "con5", "con6", "ssl0", "ssl1"}

func (c *command) showList(ctx context.Context, dirs []string) int {
	guests, err := mconsole.List(dirs...)
	if err != nil {
		return c.fail(statusNo, err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	all := []listed{}
	for _, g := range guests {
		one := listed{Name: g.Name, Dir: g.Dir, Pid: g.Pid, Alive: g.Alive, Consoles: []attach{}}
		if client, err := mconsole.Dial(g.Socket()); err == nil {
			for _, line := range lines {
				text, err := client.Do(ctx, "config "+line)
				if kind, device, _ := strings.Cut(strings.TrimSpace(text), ":"); err == nil && kind != "null" &&
					kind != "none" {
					one.Consoles = append(one.Consoles, attach{line, kind, device})
				}
			}
		}
		all = append(all, one)
	}
	if c.json {
		out := json.NewEncoder(c.stdout)
		out.SetIndent("", "  ")
		if err := out.Encode(all); err != nil {
			return c.fail(statusNo, err)
		}
		return statusGood
	}
	for _, g := range all {
		state := "alive"
		if !g.Alive {
			state = "ended, directory remains"
		}
		fmt.Fprintf(c.stdout, "%q pid %d %s\n", g.Name, g.Pid, state)
		for _, line := range g.Consoles {
			fmt.Fprintf(c.stdout, "    %-5s %s %q\n", line.Name, line.Kind, line.Device)
		}
	}
	if len(all) == 0 {
		fmt.Fprintln(
			c.stderr,
			"umlconsole: no guests found; the directory of a guest that was started with uml_dir=DIR is in DIR",
		)
	}
	return statusGood
}

// qmpConsole is an element of the JSON of -qmp.
type qmpConsole struct {
	Label string `json:"label"`
	Kind  string `json:"kind"`
	Path  string `json:"path"`
}

// listQMP prints the consoles of a QEMU guest.
func (c *command) listQMP(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", c.qmp)
	if err != nil {
		return c.fail(statusGone, err)
	}
	defer conn.Close()
	list, err := console.FindQMP(ctx, conn)
	if err != nil {
		return c.fail(statusNo, err)
	}
	if c.json {
		all := []qmpConsole{}
		for _, d := range list {
			all = append(all, qmpConsole{strings.ToValidUTF8(d.Label, "?"), d.Kind.String(), d.Path})
		}
		out := json.NewEncoder(c.stdout)
		out.SetIndent("", "  ")
		if err := out.Encode(all); err != nil {
			return c.fail(statusNo, err)
		}
		return statusGood
	}
	for _, d := range list {
		fmt.Fprintf(c.stdout, "%-12s %-4s %s\n", diag.Sanitize(d.Label), d.Kind, diag.Sanitize(d.Path))
	}
	if len(list) == 0 {
		fmt.Fprintln(c.stderr, "umlconsole: the guest has no console on a pseudo-terminal or a unix socket")
	}
	return statusGood
}

// one executes an action for one guest.
func (c *command) one(ctx context.Context) int {
	if c.dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return c.fail(statusUsage, err)
		}
		c.dir = filepath.Join(home, ".uml")
	}
	client, err := mconsole.Dial(filepath.Join(c.dir, c.umid, "mconsole"))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, mconsole.ErrStale) {
		return c.fail(statusGone, fmt.Errorf("no guest %q in %s: %w", c.umid, c.dir, err))
	}
	if err != nil {
		return c.fail(statusNo, err)
	}
	bounded, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if c.mconsole != "" {
		return c.send(bounded, client)
	}
	ch, err := client.Console(bounded, c.con)
	if err != nil {
		return c.fail(statusNo, err)
	}
	if ch.Kind != "pts" {
		return c.fail(
			statusNo,
			fmt.Errorf(
				"%s of %s is %q, not a pts; to change it, run umlconsole -umid %s -mconsole 'config %s=pts'",
				c.con,
				c.umid,
				ch.Kind,
				c.umid,
				c.con,
			),
		)
	}
	d := console.Device{Guest: c.umid, Label: c.con, Path: ch.Device}
	if c.screen || c.tmux {
		return c.argv(d)
	}
	p, err := console.Open(d)
	if err != nil {
		return c.fail(statusNo, err)
	}
	defer p.Close()
	switch {
	case c.log != "":
		return c.transcript(ctx, p)
	case c.attach:
		return c.connect(ctx, p)
	}
	answer, err := runLine(bounded, p, c.run, regexp.MustCompile(c.expect))
	fmt.Fprint(c.stdout, answer)
	if err != nil {
		return c.fail(statusNo, err)
	}
	return statusGood
}

// send prints the reply to -mconsole like uml_mconsole.
func (c *command) send(ctx context.Context, client *mconsole.Client) int {
	text, err := client.Do(ctx, c.mconsole)
	var no *mconsole.Error
	switch {
	case errors.As(err, &no):
		fmt.Fprintf(c.stdout, "ERR %s\n", no.Text)
		return statusNo
	case errors.Is(err, mconsole.ErrIncomplete):
		fmt.Fprintf(c.stdout, "OK %s\n", text)
		return c.fail(statusNo, err)
	case err != nil:
		return c.fail(statusNo, err)
	}
	fmt.Fprintf(c.stdout, "OK %s\n", text)
	return statusGood
}

func (c *command) argv(d console.Device) int {
	args, err := console.ScreenArgs(d.Guest+"-"+d.Label, d)
	if c.tmux {
		args, err = console.TmuxArgs(d.Guest+"-"+d.Label, d)
	}
	if err != nil {
		return c.fail(statusNo, err)
	}
	fmt.Fprintln(c.stdout, strings.Join(args, " ")) // the words need no quotes
	return statusGood
}

func (c *command) transcript(ctx context.Context, p *console.Port) int {
	w := c.stdout
	if c.log != "-" {
		f, err := os.OpenFile(c.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return c.fail(statusNo, err)
		}
		defer f.Close()
		w = f
	}
	if err := console.Transcript(ctx, p.NewReader(), w, nil); err != nil {
		return c.fail(statusNo, err)
	}
	return statusGood
}

// terminal is the terminal of the user.
type terminal struct {
	*os.File
	out io.Writer
}

// Write writes to the output of the program.
func (t terminal) Write(b []byte) (int, error) { return t.out.Write(b) }

func (c *command) connect(ctx context.Context, p *console.Port) int {
	fmt.Fprintf(
		c.stderr,
		"umlconsole: connected to %s of %s on %s; Ctrl-] ends the connection\n",
		c.con,
		c.umid,
		p.Device.Path,
	)
	restore, err := console.RawTerminal(c.stdin)
	if err != nil {
		return c.fail(statusUsage, fmt.Errorf("-attach requires a terminal: %w", err))
	}
	opt := &console.RelayOptions{EightBit: !console.UTF8Locale(os.LookupEnv)}
	err = console.Relay(ctx, p, terminal{c.stdin, c.stdout}, opt)
	if rerr := restore(); err == nil {
		err = rerr
	}
	fmt.Fprintln(c.stderr)
	if err != nil {
		return c.fail(statusNo, err)
	}
	return statusGood
}

// promptTime is the time limit for a prompt. After it, runLine sends the line without one.
const promptTime = 3 * time.Second

// runLine sends a line and returns the output between its echo and the match.
func runLine(ctx context.Context, p *console.Port, line string, until *regexp.Regexp) (string, error) {
	r := p.NewReader()
	// An empty line makes a shell print its prompt, also if the shell is just starting.
	if _, err := p.Write([]byte("\n")); err != nil {
		return "", err
	}
	ready, cancel := context.WithTimeout(ctx, promptTime)
	r.Expect(ready, prompt) // a console may have another prompt
	cancel()
	if _, err := p.Write([]byte(line + "\n")); err != nil {
		return "", err
	}
	// The terminal of the guest echoes the line. The expression must not match before the echo.
	if _, _, err := r.Expect(ctx, regexp.MustCompile(regexp.QuoteMeta(line)+`\r*\n`)); err != nil {
		return "", err
	}
	_, before, err := r.Expect(ctx, until)
	var answer strings.Builder
	filter := console.NewFilter(&answer)
	if !console.UTF8Locale(os.LookupEnv) {
		filter = console.NewFilter8Bit(&answer)
	}
	filter.Write(before)
	text := strings.ReplaceAll(answer.String(), "\r", "")
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text, err
}
