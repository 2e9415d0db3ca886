package live

import (
	"context"
	"io"
	"os"
	"time"
)

// pollInterval is how often a followed file is looked at. A line is delivered within this time.
const pollInterval = 5 * time.Millisecond

// Follower reads a file that grows. At the end of what is there it waits for more; when its context ends it returns
// io.EOF.
type Follower struct {
	ctx context.Context // io.Reader has no place for it
	f   *os.File
}

// Follow returns a reader of f that goes on when f grows. The file stays the caller's.
func Follow(ctx context.Context, f *os.File) *Follower { return &Follower{ctx: ctx, f: f} }

// Read reads what is there, and waits while there is nothing.
func (f *Follower) Read(p []byte) (int, error) {
	var tick *time.Ticker
	for {
		n, err := f.f.Read(p)
		if err == io.EOF {
			err = nil
		}
		if n > 0 || err != nil {
			return n, errs.Wrap(err)
		}
		if tick == nil {
			tick = time.NewTicker(pollInterval)
			defer tick.Stop()
		}
		select {
		case <-f.ctx.Done():
			return 0, io.EOF
		case <-tick.C:
		}
	}
}
