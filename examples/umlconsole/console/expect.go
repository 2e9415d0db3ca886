package console

import (
	"context"
	"fmt"
	"regexp"
)

// expectWindow bounds the bytes in which Expect looks for a match.
const expectWindow = 64 << 10

// Expect reads until the expression matches what was read since the last Expect on
// this reader. It returns the match with its groups, and what stood before it. What
// follows the match is read again by the next Expect or Read. The expression sees the
// last 64 KiB; the error, when the context or the console ends first, holds the end of
// what was read instead.
func (r *Reader) Expect(ctx context.Context, re *regexp.Regexp) (match [][]byte, before []byte, err error) {
	start := r.at
	var seen []byte
	buf := make([]byte, 4096)
	for {
		if at := re.FindSubmatchIndex(seen); at != nil {
			for i := 0; i < len(at); i += 2 {
				var group []byte
				if at[i] >= 0 {
					group = seen[at[i]:at[i+1]:at[i+1]]
				}
				match = append(match, group)
			}
			r.at = start + int64(at[1]) // what follows is still in the ring
			return match, seen[:at[0]:at[0]], nil
		}
		n, err := r.ReadContext(ctx, buf)
		if err != nil {
			return nil, seen, fmt.Errorf("console: no %q: %w; the console said last: %q", re, err, seen[max(0, len(seen)-200):])
		}
		if gap := r.at - int64(n) - (start + int64(len(seen))); gap > 0 {
			// Overwritten before we came: nothing joins over the gap.
			seen, start = seen[:0], r.at-int64(n)
		}
		seen = append(seen, buf[:n]...)
		if cut := len(seen) - expectWindow; cut > 0 {
			seen = seen[cut:]
			start += int64(cut)
		}
	}
}

// Expect is that of the port's own reader.
func (p *Port) Expect(ctx context.Context, re *regexp.Regexp) (match [][]byte, before []byte, err error) {
	return p.own.Expect(ctx, re)
}
