package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// TranscriptOptions configures [Transcript]. A nil *TranscriptOptions is equivalent to the zero
// value.
type TranscriptOptions struct {
	// Raw writes the output unchanged. Otherwise, each line starts with the time of its first
	// byte, and bytes other than printable ASCII characters are written as \xhh, so that the
	// transcript contains no control sequences.
	Raw bool
	// Now returns the current time. If nil, time.Now is used.
	Now func() time.Time
}

// Transcript writes the output of a console to w. It returns nil when the console or ctx ends. If
// data was overwritten before it could be read, Transcript writes a line with the number of lost
// bytes.
func Transcript(ctx context.Context, r *Reader, w io.Writer, opt *TranscriptOptions) error {
	var o TranscriptOptions
	if opt != nil {
		o = *opt
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	t := transcript{w: w, opt: o, fresh: true}
	buf := make([]byte, 32<<10)
	for {
		lost := r.lost
		n, err := r.ReadContext(ctx, buf)
		if missed := r.lost - lost; missed > 0 {
			t.miss(missed)
		}
		if n > 0 {
			if err := t.add(buf[:n]); err != nil {
				return wrap(err)
			}
		}
		if err != nil {
			if werr := t.end(); werr != nil {
				return wrap(werr)
			}
			if errors.Is(err, io.EOF) || ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
}

type transcript struct {
	w     io.Writer
	opt   TranscriptOptions
	buf   []byte
	fresh bool // the next byte starts a line
}

func (t *transcript) stamp() {
	t.buf = t.opt.Now().AppendFormat(t.buf, "2006-01-02T15:04:05.000Z07:00 ")
	t.fresh = false
}

func (t *transcript) add(b []byte) error {
	if t.opt.Raw {
		_, err := t.w.Write(b)
		return err
	}
	t.buf = t.buf[:0]
	for _, c := range b {
		if t.fresh {
			t.stamp()
		}
		switch {
		case c == '\n':
			t.buf = append(t.buf, '\n')
			t.fresh = true
		case c == '\r': // it precedes each line feed
		case c == '\\':
			t.buf = append(t.buf, `\\`...)
		case c >= ' ' && c <= '~' || c == '\t':
			t.buf = append(t.buf, c)
		default:
			t.buf = fmt.Appendf(t.buf, `\x%02x`, c)
		}
	}
	_, err := t.w.Write(t.buf)
	return err
}

func (t *transcript) miss(n int64) {
	t.end()
	t.buf = t.buf[:0]
	if !t.opt.Raw {
		t.stamp()
	}
	t.buf = fmt.Appendf(t.buf, "[%d bytes were lost because they were not read in time]\n", n)
	t.fresh = true
	t.w.Write(t.buf)
}

// end ends an incomplete line.
func (t *transcript) end() error {
	if t.opt.Raw || t.fresh {
		return nil
	}
	t.fresh = true
	_, err := io.WriteString(t.w, "\n")
	return err
}
