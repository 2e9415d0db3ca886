package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"dougu.internal/sshproxy/dial"
)

// bannerLimit is the maximum length of a banner.
const bannerLimit = 255

func runDial(p *program, args []string) error {
	q, err := p.ask("dial", args, "i", "known-hosts", "timeout", "command!")
	if err != nil {
		return err
	}
	timeout := time.Minute
	if v := q.extra["timeout"]; v != "" {
		if timeout, err = time.ParseDuration(v); err != nil || timeout <= 0 {
			return usageError(fmt.Sprintf("-timeout %q is not a duration such as 30s", v))
		}
	}
	keys := &dial.Keys{AllowCommand: q.extra["command"] != ""}
	if v := q.extra["i"]; v != "" {
		keys.Identity = []string{v}
	}
	if v := q.extra["known-hosts"]; v != "" {
		keys.KnownHosts = []string{v}
	}
	shell, _ := p.env("SHELL")
	d := &dial.Dialer{Resolver: q.resolver, Auth: keys.Auth, AllowCommand: q.extra["command"] != "", Shell: shell}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	target := q.line.Target
	if len(q.line.Rest) == 0 {
		conn, err := d.DialTarget(ctx, target)
		if err != nil {
			return err
		}
		defer conn.Close()
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		defer stop()
		banner, err := bufio.NewReader(io.LimitReader(conn, bannerLimit)).ReadString('\n')
		if err != nil || !strings.HasPrefix(banner, "SSH-") {
			return fmt.Errorf("%s does not answer with SSH: %.80q: %v", target.Host, banner, err)
		}
		_, err = fmt.Fprintln(p.out, strings.TrimRight(banner, "\r\n"))
		return err
	}
	client, err := d.ClientTarget(ctx, target)
	if err != nil {
		return err
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	defer session.Close()
	stop := context.AfterFunc(ctx, func() { client.Close() })
	defer stop()
	session.Stdout, session.Stderr = p.out, p.err
	err = session.Run(strings.Join(q.line.Rest, " "))
	var exit *ssh.ExitError
	if errors.As(err, &exit) {
		return status(exit.ExitStatus())
	}
	return err
}
