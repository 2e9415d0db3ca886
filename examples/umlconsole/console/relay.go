package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// RelayOptions of an attachment. The zero value, or nil, is usable.
type RelayOptions struct {
	// Escape ends the relay when the user types it; 0 is Ctrl-], as of telnet(1).
	Escape byte
	// Unfiltered passes everything on to the user's terminal; otherwise a [Filter]
	// stands before it.
	Unfiltered bool
	// History begins with what the ring holds.
	History bool
}

// Relay connects a user with a console until the user types the escape key or ends the
// input, the console ends, or the context does; it returns nil then. Reading from the
// user can't be broken off in general: where user is an *os.File with deadlines it is,
// else the reading goroutine ends with the user's next byte, which is lost.
func Relay(ctx context.Context, p *Port, user io.ReadWriter, opt *RelayOptions) error {
	var o RelayOptions
	if opt != nil {
		o = *opt
	}
	if o.Escape == 0 {
		o.Escape = 0x1d
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := p.NewReader() // before anything is typed: the answer must not get past it
	if o.History {
		r = p.History()
	}
	typed := make(chan error, 1)
	go func() {
		typed <- typing(ctx, p, user, o.Escape)
		cancel()
	}()
	var w io.Writer = user
	if !o.Unfiltered {
		w = NewFilter(user)
	}
	err := printing(ctx, r, w)
	cancel()
	if d, ok := user.(interface{ SetReadDeadline(time.Time) error }); ok && d.SetReadDeadline(time.Unix(1, 0)) == nil {
		terr := <-typed
		d.SetReadDeadline(time.Time{})
		if err == nil && !errors.Is(terr, os.ErrDeadlineExceeded) {
			err = terr
		}
		return err
	}
	select {
	case terr := <-typed:
		return errors.Join(err, terr)
	default:
		return err
	}
}

// typing passes on what the user types.
func typing(ctx context.Context, p *Port, user io.Reader, escape byte) error {
	buf := make([]byte, 4096)
	for {
		n, err := user.Read(buf)
		if ctx.Err() != nil {
			return nil
		}
		keys := buf[:n]
		end := bytes.IndexByte(keys, escape)
		if end >= 0 {
			keys = keys[:end]
		}
		if len(keys) > 0 {
			if _, err := p.Write(keys); err != nil {
				return err
			}
		}
		switch {
		case end >= 0 || errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// printing passes on what the console prints.
func printing(ctx context.Context, r *Reader, w io.Writer) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := r.ReadContext(ctx, buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF) || ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
	}
}
