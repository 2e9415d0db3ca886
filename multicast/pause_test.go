package multicast

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/multicast/internal/engine"
)

// TestPausesFitTheReceiveBuffer: a reader rests longer while a stream goes on, never so
// long that more than a part of the buffer fills, and soon again when it ends.
func TestPausesFitTheReceiveBuffer(t *testing.T) {
	for _, row := range []struct {
		name    string
		bits    float64 // bit/s of the stream
		buffer  int
		longest time.Duration
	}{
		{"slow", 100e6, 8 << 20, longPause},
		{"as fast as the buffer allows for the whole pause", 500e6, 8 << 20, longPause},
		{"fast", 1e9, 8 << 20, time.Duration(8 << 20 / fillPart * 8e9 / 1e9)},
		{"faster than the buffer", 10e9, 8 << 20, readPause},
		{"small buffer", 100e6, 104 << 10, readPause},
		{"unknown buffer", 100e6, 0, readPause},
	} {
		p := pauses{room: row.buffer / fillPart}
		now, rest := engine.Time(1e9), readPause
		longest := rest
		for range 50 {
			now += int64(rest)
			rest = p.next(now, int(row.bits/8*rest.Seconds()), true)
			require.GreaterOrEqual(t, rest, readPause, row.name)
			longest = max(longest, rest)
		}
		require.InDelta(t, row.longest, longest, float64(50*time.Microsecond), row.name)
		now += int64(rest)
		require.Equal(t, readPause, p.next(now, 1000, false), "%s: the stream ends", row.name)
	}
	p := pauses{room: 1 << 20, rest: longPause, last: 1}
	require.Equal(t, readPause, p.next(engine.Time(time.Second), 1000, true), "a new stream")
}
