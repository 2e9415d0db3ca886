package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"dougu.internal/examples/umlconsole/console"
	"dougu.internal/examples/umlconsole/internal/guest"
	"dougu.internal/examples/umlconsole/mconsole"
)

// story boots a guest, or simulates one.
func (c *command) story(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	if _, _, err := guest.Find(); err != nil {
		fmt.Fprintf(c.stdout, "%v\nTherefore this program simulates a guest on a pseudo-terminal of this machine:\n", err)
		if err := c.play(ctx); err != nil {
			return c.fail(statusNo, err)
		}
		return statusGood
	}
	if err := c.boot(ctx); err != nil {
		return c.fail(statusNo, err)
	}
	return statusGood
}

// prompt matches the prompt of a shell. busybox sends a cursor position request after it.
var prompt = regexp.MustCompile(defaultExpect)

const defaultExpect = `(?:^|\n)[^\n]{0,80}[#$] (?:\x1b\[6n)?$`

// boot demonstrates the packages with a real guest.
func (c *command) boot(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "uml") // short, because the path of a socket has at most 107 bytes
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	begin := time.Now()
	g, err := guest.Boot(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { cancel(); <-g.Done() }()
	fmt.Fprintln(c.stdout, "a guest boots: linux.uml with busybox, con1=pts")
	client, err := c.await(ctx, g, begin)
	if err != nil {
		return err
	}
	device, err := c.states(ctx, client, begin)
	if err != nil {
		return err
	}
	logged, err := fromLog(ctx, g)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "the boot log contains the same device: %v\n", logged == device)
	err = c.converse(ctx, console.Device{Guest: g.Name, Label: "con1", Path: device})
	if err != nil {
		return err
	}
	if _, err := client.Do(ctx, "halt"); err != nil {
		return err
	}
	if err := g.Wait(2 * time.Minute); err != nil {
		return err
	}
	fmt.Fprintln(c.stdout, "mconsole halt: the guest has ended")
	return nil
}

// await waits for the management console.
func (c *command) await(ctx context.Context, g *guest.Guest, begin time.Time) (*mconsole.Client, error) {
	for {
		client, err := mconsole.Dial(g.Socket())
		if err == nil {
			err = answers(ctx, client)
		}
		if err == nil {
			fmt.Fprintf(c.stdout, "%8.3f s  the management console replies\n", time.Since(begin).Seconds())
			return client, nil
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-g.Done():
			log, _ := os.ReadFile(g.Log)
			return nil, fmt.Errorf("the guest has ended during boot; end of its log: %q", log[max(0, len(log)-300):])
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		}
	}
}

// answers requests the version with a short time limit. A guest that is booting processes a
// request that arrived early only when the next one arrives.
func answers(ctx context.Context, client *mconsole.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err := client.Do(ctx, "version")
	return err
}

// states prints the channel of con1 whenever it changes, until it has a device.
func (c *command) states(ctx context.Context, client *mconsole.Client, begin time.Time) (string, error) {
	last := ""
	for {
		text, err := client.Do(ctx, "config con1")
		var no *mconsole.Error
		if errors.As(err, &no) {
			text = "(" + no.Text + ")"
		} else if err != nil {
			return "", err
		}
		if text != last {
			fmt.Fprintf(c.stdout, "%8.3f s  config con1: %s\n", time.Since(begin).Seconds(), text)
			last = text
		}
		if device, ok := strings.CutPrefix(text, "pts:"); ok {
			return device, nil
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return "", fmt.Errorf("con1 has no device: %w", ctx.Err())
		}
	}
}

// fromLog finds con1 in the boot log, which is written a moment after the reply.
func fromLog(ctx context.Context, g *guest.Guest) (string, error) {
	for {
		f, err := os.Open(g.Log)
		if err != nil {
			return "", err
		}
		path := ""
		for d, err := range console.FindBootLog(f) {
			if err == nil && d.Label == "con1" {
				path = d.Path
			}
		}
		f.Close()
		if path != "" {
			return path, nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return "", fmt.Errorf("%s does not announce con1: %w", filepath.Base(g.Log), ctx.Err())
		}
	}
}

// converse runs a command on the console.
func (c *command) converse(ctx context.Context, d console.Device) error {
	p, err := console.Open(d)
	if err != nil {
		return err
	}
	defer p.Close()
	args, err := console.ScreenArgs(d.Guest+"-"+d.Label, d)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "command to open it in GNU screen: %s\n", strings.Join(args, " "))
	for _, line := range []string{"uname -r", "echo $((6*7))"} {
		answer, err := runLine(ctx, p, line, prompt)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.stdout, "sent %q, received %q\n", line, strings.TrimSpace(answer))
	}
	return nil
}

// play demonstrates the packages with a simulated guest.
func (c *command) play(ctx context.Context) error {
	master, d, err := console.NewPTY()
	if err != nil {
		return err
	}
	log := fmt.Sprintf("mconsole (version 2) initialized\n# Virtual console 1 assigned device '%s'\n", d.Path)
	fmt.Fprintf(c.stdout, "its boot log: %q\n", strings.TrimSpace(log))
	for found, err := range console.FindBootLog(strings.NewReader(log)) {
		if err != nil {
			master.Close()
			return err
		}
		d = found
	}
	d.Guest = "played"
	var wg sync.WaitGroup
	wg.Go(func() { shell(master) })
	err = c.converse(ctx, d)
	master.Close()
	wg.Wait()
	if err == nil {
		fmt.Fprintln(c.stdout, "the simulated guest has ended")
	}
	return err
}

// shell replies to the two commands of converse and echoes its input like a terminal.
func shell(terminal io.ReadWriter) {
	in := bufio.NewScanner(terminal)
	for in.Scan() {
		line := in.Text()
		answer := map[string]string{"uname -r": "6.1.0-played", "echo $((6*7))": "42"}[line]
		if answer != "" {
			answer += "\r\n"
		}
		fmt.Fprintf(terminal, "%s\r\n%s# ", line, answer)
	}
}
