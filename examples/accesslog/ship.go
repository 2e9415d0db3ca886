package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"dougu.internal/examples/accesslog/internal/errtext"
	"dougu.internal/examples/accesslog/sink"
	"dougu.internal/examples/accesslog/syslogw"
	"dougu.internal/examples/accesslog/target"
)

// longest is the maximum length of an input line in bytes. Longer lines are cut.
const longest = 1 << 20

// shipment has the flags of -ship.
type shipment struct {
	target, ident, spool string
	drop                 bool
	timeout              time.Duration
}

func (s *shipment) run(stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	full := sink.Block
	if s.drop {
		full = sink.DropNewest
	}
	syslog := target.Syslog{Ident: s.ident, Spool: s.spool, OnFull: full, Timeout: s.timeout}
	_, err := syslog.Parse(s.target)
	isSyslog := !errors.Is(err, target.ErrNotMine)
	if s.spool != "" && !isSyslog {
		fmt.Fprintln(stderr, "accesslog: -spool requires a syslog target")
		return statusUsage
	}
	pipe := target.Pipe{OnFull: full, Output: stderr}
	out, err := target.Chain(syslog, pipe, target.Standard{Writer: stdout}, target.File{}).
		Open(ctx, s.target)
	if err != nil {
		fmt.Fprintf(stderr, "accesslog: %s\n", errtext.Plain(err))
		var wrong *target.SpecError
		if errors.As(err, &wrong) {
			fmt.Fprintf(stderr, "    %s\n    %*s\n", wrong.Spec, wrong.Offset+1, "^")
		}
		return statusUsage
	}
	defer reopenOnHangup(stderr, out)()
	n, err := copyLines(ctx, out, stdin)
	if err != nil {
		fmt.Fprintf(stderr, "accesslog: standard input, line %d: %s\n", n+1, errtext.Plain(err))
	}
	wait, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	flushed := out.Flush(wait)
	closed := out.Close()
	account := out.Stats()
	fmt.Fprintf(stderr, "accesslog: %s: %s\n", s.target, account)
	if c, perr := syslog.Parse(s.target); perr == nil && c.Network != "relp" {
		fmt.Fprintf(
			stderr,
			"accesslog: %s has no acknowledgements: sent means that the operating system has the line\n",
			networkName(c),
		)
	}
	if account.Spooled > 0 {
		fmt.Fprintf(
			stderr,
			"accesslog: %d lines wait in %s: run accesslog -ship again with the same -spool\n",
			account.Spooled,
			s.spool,
		)
	}
	for _, e := range []error{flushed, closed} {
		if e != nil {
			fmt.Fprintf(stderr, "accesslog: %s\n", errtext.Plain(e))
		}
	}
	if err != nil || flushed != nil || closed != nil || incomplete(account) {
		return statusLeft
	}
	return statusGood
}

// incomplete reports whether a line did not reach its destination.
func incomplete(s sink.Stats) bool {
	return s.Dropped > 0 || s.Spooled > 0 || s.SetAside > 0 || s.Damaged > 0
}

func networkName(c syslogw.Config) string {
	if c.Network == "unix" {
		return "the local syslog socket"
	}
	return c.Network
}

// copyLines writes each line of the input to the sink, until the input or ctx ends. Lines that do
// not fit are counted by the sink. Other errors end the copy.
func copyLines(ctx context.Context, out sink.Sink, stdin io.Reader) (n int, err error) {
	if f, ok := stdin.(*os.File); ok {
		// A signal interrupts a blocked read, if the input has deadlines.
		stop := context.AfterFunc(ctx, func() { f.SetReadDeadline(time.Unix(1, 0)) })
		defer stop()
	}
	r := bufio.NewReaderSize(stdin, 64<<10)
	var long []byte
	cut := 0
	for ctx.Err() == nil {
		part, err := r.ReadSlice('\n')
		ended := err == nil
		if ended {
			part = part[:len(part)-1]
		}
		line := part
		if len(long) > 0 || errors.Is(err, bufio.ErrBufferFull) {
			keep := min(len(part), longest-len(long))
			long = append(long, part[:keep]...)
			cut += len(part) - keep
			line = long
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) == 0:
			return n, nil
		case err != nil && !errors.Is(err, io.EOF):
			if ctx.Err() != nil {
				return n, errors.New("interrupted")
			}
			return n, err
		}
		if cut > 0 {
			line = fmt.Appendf(line, "[+%d bytes]", cut)
		}
		if err := out.WriteLine(line); err != nil && !errors.Is(err, sink.ErrFull) {
			return n, err
		}
		n++
		long, cut = long[:0], 0
		if !ended {
			return n, nil
		}
	}
	return n, errors.New("interrupted")
}
