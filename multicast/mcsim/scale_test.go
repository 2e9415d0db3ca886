package mcsim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestScale(t *testing.T) {
	for _, row := range []struct {
		n    int
		loss float64
		size int64
	}{{4, .01, 8 << 20}, {16, .01, 8 << 20}, {16, .05, 8 << 20}, {16, .2, 8 << 20}, {100, .01, 4 << 20}, {1000, .01, 4 << 20}, {10000, .01, 2 << 20}} {
		n := New(Options{Seed: 1, Receivers: row.n, Content: row.size, Loss: row.loss, Delay: 200 * time.Microsecond, Link: 1e9, Rate: 900e6})
		start := time.Now()
		require.NoError(t, n.Send())
		require.NoError(t, n.Run(60*time.Second))
		s := n.Stats()
		per := float64(0)
		if s.Rounds > 0 {
			per = float64(s.Nacks) / float64(s.Rounds)
		}
		t.Logf("n=%d loss=%v traffic %.4f nacks/round %.1f (%d/%d) committed %d err %v elapsed %v deliveries %d in %v spread %v control %d", row.n, row.loss, s.Traffic, per, s.Nacks, s.Rounds, s.Committed, n.Err(), s.Elapsed, s.Deliveries, time.Since(start), s.Spread, s.Control)
		require.NoError(t, n.Err())
	}
}
