package mcsim

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// model is the expected number of transmissions of a data packet with ideal parity:
// each round brings as many parity packets of a block of k as the worst of n receivers
// lacks, and parity is lost like data. No protocol with blocks of k can do better.
func model(n int, p float64, k int) float64 {
	if p == 0 {
		return 1
	}
	total, m := float64(k), k
	cdf := math.Pow(1-p, float64(k)) // a receiver has k of the first m
	for {
		tail := 1 - math.Pow(min(cdf, 1), float64(n))
		total += tail
		if tail < 1e-7 {
			return total / float64(k)
		}
		m++
		a, _ := math.Lgamma(float64(m))
		b, _ := math.Lgamma(float64(k))
		c, _ := math.Lgamma(float64(m - k + 1))
		cdf += math.Exp(a - b - c + float64(k)*math.Log(1-p) + float64(m-k)*math.Log(p))
	}
}

// resend is the same when the very packets are sent again that anybody lacks.
func resend(n int, p float64) (s float64) {
	for i := 0; ; i++ {
		t := 1 - math.Pow(1-math.Pow(p, float64(i)), float64(n))
		s += t
		if t < 1e-9 {
			return s
		}
	}
}

func TestModelAgreesWithKnownValues(t *testing.T) {
	// The values that repairmodel.py, an independent program, has for these rows.
	for _, row := range []struct {
		p      float64
		n      int
		again  float64
		parity float64
	}{{.01, 16, 1.150, 1.037}, {.01, 1000, 2.096, 1.071}, {.01, 10000, 2.642, 1.087}, {.05, 16, 1.601, 1.110}, {.2, 1000, 5.150, 1.513}, {.001, 1000, 1.633, 1.030}} {
		require.InDelta(t, row.again, resend(row.n, row.p), .0006, "%+v", row)
		require.InDelta(t, row.parity, model(row.n, row.p, 64), .0006, "%+v", row)
	}
}

// TestTrafficHardlyGrowsWithTheGroup measures the traffic of the content beside the
// model, and how many NACKs reach the sender in a round of repair.
func TestTrafficHardlyGrowsWithTheGroup(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector makes ten thousand receivers slow")
	}
	rows := []struct {
		n     int
		loss  float64
		size  int64
		bound float64
	}{
		{1, .01, 16 << 20, 1.06}, {4, .01, 16 << 20, 1.06}, {16, .01, 16 << 20, 1.07}, {16, .05, 8 << 20, 1.18}, {16, .2, 8 << 20, 1.48},
		{100, .01, 8 << 20, 1.08}, {1000, .01, 4 << 20, 1.10}, {10000, .01, 1 << 20, 1.12},
	}
	if oracle.Long() {
		rows = append(rows, rows[len(rows)-1])
		rows[len(rows)-1].size = 16 << 20
	}
	for _, row := range rows {
		t.Run(fmt.Sprintf("%d receivers, loss %v, %d MiB", row.n, row.loss, row.size>>20), func(t *testing.T) {
			n := New(Options{Seed: 1, Receivers: row.n, Content: row.size, Loss: row.loss, Delay: 200 * time.Microsecond, Link: 1e9, Rate: 900e6})
			require.NoError(t, n.Send())
			start := time.Now()
			require.NoError(t, n.Run(5*time.Minute))
			require.NoError(t, n.Err())
			s := n.Stats()
			require.Equal(t, row.n, s.Committed)
			a := float64(s.Nacks) / float64(max(1, s.Rounds))
			m := model(row.n, row.loss, 64)
			t.Logf("traffic %.4f, model %.4f, resending %.3f, all objects %.4f; %.1f NACKs a round (%d in %d); spread %v; %v virtual; %.2f M deliveries/s",
				s.Traffic, m, resend(row.n, row.loss), s.AllTraffic, a, s.Nacks, s.Rounds, s.Spread, s.Elapsed.Round(time.Millisecond), float64(s.Deliveries)/1e6/time.Since(start).Seconds())
			require.LessOrEqual(t, s.Traffic, row.bound)
			// A single run has luck; the mean of many cannot be below the model.
			require.GreaterOrEqual(t, s.Traffic, 1+(m-1)*.7)
			if row.n > 16 {
				require.LessOrEqual(t, a, 20.)
			}
			require.LessOrEqual(t, s.Spread, 2*time.Millisecond)
		})
	}
}
