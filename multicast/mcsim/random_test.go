package mcsim

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// world makes a network and a list of faults from a seed.
func world(seed uint64) (*Net, string) {
	r := rand.New(rand.NewPCG(seed, 1))
	chance := func(p float64) bool { return r.Float64() < p }
	o := Options{Seed: seed, Receivers: 1 + r.IntN(12), Content: int64(r.IntN(2 << 20)), Delay: time.Duration(r.IntN(int(3 * time.Millisecond))), Hello: true}
	if chance(.1) {
		o.Content = int64(r.IntN(3))
	}
	if chance(.6) {
		o.Loss = []float64{.001, .01, .05, .2}[r.IntN(4)]
	}
	if chance(.2) {
		o.Burst = Burst{Enter: .005, Leave: .2, Loss: .8}
	}
	if chance(.2) {
		o.Shared = .02
	}
	if chance(.3) {
		o.Jitter = time.Duration(1 + r.IntN(int(5*time.Millisecond)))
	}
	if chance(.2) {
		o.Reorder = .02
	}
	if chance(.2) {
		o.Duplicate = .05
	}
	if chance(.3) {
		o.Skew = time.Duration(1 + r.Int64N(int64(time.Hour)))
	}
	if chance(.3) {
		o.Sealed, o.Corrupt = true, .005
	}
	o.Signed = chance(.3)
	if chance(.5) {
		o.Link = uint64(20e6 + r.Float64()*500e6)
		if chance(.5) {
			o.Rate = o.Link
		}
	}
	if chance(.2) {
		o.Disk = uint64(1<<20 + r.IntN(20<<20))
	}
	if chance(.2) {
		o.Quorum = -1
	}
	n := New(o)
	var faults []string
	at := func() time.Duration { return time.Duration(r.Int64N(int64(1500 * time.Millisecond))) }
	fault := func(t time.Duration, f func(), format string, args ...any) {
		faults = append(faults, fmt.Sprintf("%v: %s", t, fmt.Sprintf(format, args...)))
		n.At(t, f)
	}
	if chance(.5) {
		for range 1 + r.IntN(3) {
			i, t := r.IntN(o.Receivers+1), at()
			fault(t, func() { n.Crash(i) }, "crash %d", i)
			if chance(.7) {
				fault(t+at(), func() { n.Restart(i) }, "restart %d", i)
			}
		}
	}
	if chance(.2) {
		i, t := 1+r.IntN(o.Receivers), at()
		fault(t, func() { n.Partition(i) }, "partition %d", i)
		fault(t+5*at(), n.Heal, "heal")
	}
	if chance(.1) {
		i := 1 + r.IntN(o.Receivers)
		fault(0, func() { n.FullDisk(i, uint64(r.IntN(1<<20))) }, "disk of %d fills", i)
	}
	if chance(.1) {
		i := 1 + r.IntN(o.Receivers)
		fault(at(), func() { n.Malicious(i, NackStorm) }, "nack storm of %d", i)
	}
	if chance(.1) && o.Sealed {
		fault(at(), func() { n.Malicious(1, Replay) }, "replay")
	}
	if chance(.1) && o.Signed {
		fault(at(), func() { n.Malicious(1, Forge) }, "forgeries of 1")
	}
	return n, fmt.Sprintf("%+v %q", o, faults)
}

// TestPromisesHoldInRandomWorlds runs seeded networks with faults. In each of them the
// promises are checked after every event; the transfer comes to an end; and when the
// faults are over, sending again brings every host to the new tree.
func TestPromisesHoldInRandomWorlds(t *testing.T) {
	first := oracle.SeedFor(t) % 1e6
	runs := oracle.N(1000, 20000)
	if testing.Short() {
		runs = 60
	}
	committed := 0
	for i := range runs {
		seed := first + uint64(i)
		n, what := world(seed)
		require.NoError(t, n.Send())
		err := n.Run(4 * time.Minute)
		require.NoError(t, err, "seed %d: %s", seed, what)
		require.True(t, n.Done(), "seed %d: no end after %v, sender in state %s: %s", seed, n.Now(), n.State(0), what)
		committed += n.Stats().Committed
		mend(t, n, seed, what)
	}
	t.Logf("%d worlds from seed %d, %d commits in the first transfer", runs, first, committed)
}

// mend ends all faults, sends again, and wants every host to have the tree.
func mend(t *testing.T, n *Net, seed uint64, what string) {
	t.Helper()
	require.NoError(t, n.RunFor(5*time.Second), "seed %d: %s", seed, what)
	n.Peace()
	for i := range n.nodes {
		n.Restart(i)
	}
	require.NoError(t, n.RunFor(20*time.Second), "seed %d: %s", seed, what)
	require.NoError(t, n.Again())
	require.NoError(t, n.Run(n.Now()+4*time.Minute), "seed %d, sent again: %s", seed, what)
	require.NoError(t, n.Err(), "seed %d, sent again: %s\n%v", seed, what, n.Hosts())
	for i := range n.nodes[1:] {
		require.Equal(t, 1, n.Version(i+1), "seed %d: r%d: %s", seed, i+1, what)
	}
}

func TestRunsRepeatFromTheirSeed(t *testing.T) {
	trace := func(seed uint64) string {
		n, _ := world(seed)
		var b bytes.Buffer
		n.Trace(&b)
		require.NoError(t, n.Send())
		require.NoError(t, n.Run(time.Minute))
		return fmt.Sprintf("%s%+v", b.String(), n.Stats())
	}
	for seed := range uint64(20) {
		require.Equal(t, trace(seed), trace(seed))
	}
	require.NotEqual(t, trace(1), trace(2))
}
