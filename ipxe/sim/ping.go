package sim

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
)

// Pinger may be implemented by a World: ping asks it. In a World that does not, nobody
// answers.
type Pinger interface {
	// Ping sends one echo request of so many bytes and returns who answered. ErrTimeout:
	// nobody; ErrNoHost: there is no such name.
	Ping(ctx context.Context, host string, size int) (netip.Addr, error)
}

const (
	pingSize    = 64
	pingTimeout = 1000 // milliseconds
)

// ping sends echo requests, one each time the timeout has passed; with --count it ends
// after so many, and fails when none was answered.
func ping(r *runner, c *call) Status {
	if c.timeout == 0 {
		r.print("Could not start ping: ", r.message(einvalPing), "\n")
		return einvalPing
	}
	status := etimedoutPing
	for seq := 1; ; seq++ {
		from, err := r.echo(c.rest[0], c.size)
		if r.fatal != nil {
			return OK
		}
		switch {
		case err == nil:
			status = OK
			r.pinged(c, from.String(), seq, c.size, "")
		case errors.Is(err, ErrTimeout):
			r.pinged(c, "<none>", seq, 0, r.message(etimedoutPing))
		default:
			if status = r.unreachable(err); r.fatal != nil {
				return OK
			}
		}
		if err != nil && !errors.Is(err, ErrTimeout) {
			break
		}
		if err != nil || seq != c.count {
			r.elapsed += c.timeout // the timer ends the wait, or sends the next one
		}
		if seq == c.count {
			break
		}
		if c.count == 0 {
			if len(r.keys) == 0 || r.keys[0] != KeyCtrlC {
				r.stop(HazardKeyboard, "ping without --count goes on until Ctrl-C is pressed")
				return OK
			}
			r.keys, status = r.keys[1:], ecanceledJob
			break
		}
	}
	if status != OK && !c.quiet {
		r.print("Finished: ", r.message(status), "\n")
	}
	return status
}

// echo sends one request.
func (r *runner) echo(host string, size int) (from netip.Addr, err error) {
	if !r.step() {
		return from, nil
	}
	w, ok := r.world.(Pinger)
	if !ok {
		return from, ErrTimeout
	}
	return w.Ping(r.ctx, host, size)
}

func (r *runner) pinged(c *call, from string, seq, size int, failure string) {
	if c.quiet {
		return
	}
	r.print(strconv.Itoa(size), " bytes from ", from, ": seq=", strconv.Itoa(seq))
	if failure != "" {
		r.print(": ", failure)
	}
	r.print("\n")
}
