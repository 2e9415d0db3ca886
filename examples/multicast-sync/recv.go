package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"sync"
	"time"

	"dougu.internal/multicast"
)

func (c *common) recv(ctx context.Context, args []string) int {
	f := flag.NewFlagSet("recv", flag.ContinueOnError)
	c.flags(f)
	base := f.String("base", "", "")
	once := f.Bool("once", false, "")
	readOnly := f.Bool("readonly", false, "")
	inPlace := f.Bool("in-place", false, "")
	setuid := f.Bool("setuid", false, "")
	outside := f.Bool("outside-links", false, "")
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return statusGood
	case err != nil:
		return statusUsage
	case *base == "" || f.NArg() > 0:
		return c.usage("recv requires -base DIR and no arguments")
	}
	config, err := c.config()
	if err != nil {
		return c.fail(statusUsage, err)
	}
	n, err := multicast.Join(ctx, config)
	if err != nil {
		return c.fail(statusFailed, err)
	}
	defer n.Close()
	o := multicast.ReceiveOptions{ReadOnly: *readOnly, OutsideLinks: *outside, Setuid: *setuid}
	if *inPlace {
		o.Mode = multicast.InPlace
	}
	r, err := n.Receive(*base, o)
	if err != nil {
		return c.fail(statusFailed, err)
	}
	if note := n.Note(); note != "" {
		fmt.Fprintln(c.stderr, "note:", note)
	}
	stop := make(chan struct{})
	var notices sync.WaitGroup
	notices.Go(func() { c.notices(r, stop) })
	defer notices.Wait()
	defer close(stop)
	for {
		commit, err := r.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return statusGood
			}
			return c.fail(statusFailed, err)
		}
		fmt.Fprintf(
			c.stdout,
			"commit %d from %s: %d updated, %d deleted\n",
			commit.Epoch,
			show(commit.Sender),
			len(commit.Updated),
			len(commit.Deleted),
		)
		for _, e := range commit.Errors {
			fmt.Fprintf(c.stderr, "error %s: %s: %s\n", show(e.Path), e.Op, e.Text)
		}
		if commit.Tidy != nil {
			fmt.Fprintln(c.stderr, "error:", commit.Tidy)
		}
		if *once {
			return statusGood
		}
	}
}

// notices prints the notices of a receiver until stop is closed.
func (c *common) notices(r *multicast.Receiver, stop <-chan struct{}) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for ended := false; !ended; {
		select {
		case <-stop:
			ended = true
		case <-tick.C:
		}
		for _, notice := range r.Notices() {
			if notice.Epoch == 0 {
				fmt.Fprintln(c.stderr, "note:", notice.Text)
				continue
			}
			fmt.Fprintf(c.stderr, "epoch %d: %s\n", notice.Epoch, notice.Text)
		}
	}
}
