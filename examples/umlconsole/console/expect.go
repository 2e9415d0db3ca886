package console

import (
	"context"
	"fmt"
	"regexp"
)

// expectWindow is the number of bytes in which Expect looks for a match.
const expectWindow = 64 << 10

// Expect reads until re matches the text that was read since the last call of Expect on this
// reader. It returns the match with its groups, and the text before the match. The text after the
// match is returned by the next call of Expect or Read. Only the last 64 KiB are searched. If ctx
// or the console ends first, Expect returns the text that was read and an error that contains its
// end.
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
			r.at = start + int64(at[1]) // the ring still has the text after the match
			return match, seen[:at[0]:at[0]], nil
		}
		n, err := r.ReadContext(ctx, buf)
		if err != nil {
			return nil, seen, fmt.Errorf(
				"console: no match for %q: %w; last output: %q",
				re,
				plainError{err},
				seen[max(0, len(seen)-200):],
			)
		}
		if gap := r.at - int64(n) - (start + int64(len(seen))); gap > 0 {
			// Bytes are missing: a match must not extend over the gap.
			seen, start = seen[:0], r.at-int64(n)
		}
		seen = append(seen, buf[:n]...)
		if cut := len(seen) - expectWindow; cut > 0 {
			seen = seen[cut:]
			start += int64(cut)
		}
	}
}

// Expect is like [Reader.Expect], for the reader that Read uses.
func (p *Port) Expect(ctx context.Context, re *regexp.Regexp) (match [][]byte, before []byte, err error) {
	return p.own.Expect(ctx, re)
}
