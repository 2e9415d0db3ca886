package console

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// RelayOptions configures [Relay]. A nil *RelayOptions is equivalent to the zero value.
type RelayOptions struct {
	// Escape is the byte that ends the relay when the user types it. If zero, Ctrl-] is used,
	// like in telnet(1).
	Escape byte
	// Unfiltered writes the output of the console to the terminal of the user without a
	// [Filter].
	Unfiltered bool
	// EightBit means that the terminal of the user is not in UTF-8 mode: see [NewFilter8Bit].
	EightBit bool
	// History starts with the content of the ring buffer.
	History bool
}

// Relay connects a user with a console. It returns nil when the user types the escape byte or ends
// the input, or when the console or ctx ends. If user is a file with deadlines, Relay interrupts a
// blocked read from user before it returns. Otherwise the reading goroutine ends after the next
// byte from user, which is lost.
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
	r := p.NewReader() // before input is sent, so that it does not miss the reply
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
		if o.EightBit {
			w = NewFilter8Bit(user)
		}
	}
	err := printing(ctx, r, w)
	cancel()
	if d, ok := user.(interface{ SetReadDeadline(time.Time) error }); ok && d.SetReadDeadline(time.Unix(1, 0)) == nil {
		terr := <-typed
		d.SetReadDeadline(time.Time{})
		if err == nil && !errors.Is(terr, os.ErrDeadlineExceeded) {
			err = terr
		}
		return wrap(err)
	}
	select {
	case terr := <-typed:
		return wrap(cmp.Or(err, terr))
	default:
		return wrap(err)
	}
}

// typing sends the input of the user to the console.
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

// printing writes the output of the console to the user.
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
