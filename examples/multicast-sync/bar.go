package main

import (
	"fmt"
	"io"
	"os"

	"dougu.internal/multicast"
)

// bar is a progress line on a terminal.
type bar struct {
	w     io.Writer
	shown bool
}

// newBar returns nil if w is not a terminal.
func newBar(w io.Writer) *bar {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	if fi, err := f.Stat(); err != nil || fi.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return &bar{w: w}
}

func (b *bar) show(p multicast.Progress) {
	percent := 0.0
	if p.Total > 0 {
		percent = 100 * float64(p.Done) / float64(p.Total)
	}
	slow := ""
	if p.Slowest != "" {
		slow = ", slowest " + show(p.Slowest)
	}
	fmt.Fprintf(
		b.w,
		"\r\x1b[K%-8s %5.1f %%  %7.1f Mbit/s  %4.1f %% repair%s",
		p.State,
		percent,
		p.Rate/1e6,
		100*p.Repair,
		slow,
	)
	b.shown = true
}

func (b *bar) clear() {
	if b != nil && b.shown {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}
