package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	mbit  = 1e6
	round = 10 * time.Millisecond
)

// steady is a pacer whose slow start is over.
func steady(rate float64) *pacer {
	p := newPacer(Rate{Mode: LAN}, 0)
	p.rate, p.slowStart, p.base = rate, false, 0.01
	return p
}

// fine is a report without a complaint of hosts that take what is sent.
func fine(rate float64) sample {
	return sample{packets: 1000, loss: 0.01, capacity: rate, goodput: rate}
}

// What a tick sends leaves as one train and may be lost as one: that is no queue, and does not end the slow start.
func TestRateOneLostTrainIsNoQueue(t *testing.T) {
	p := newPacer(Rate{Mode: LAN}, 0)
	p.rate = 400 * mbit
	p.feed(Time(round), sample{packets: 407, loss: 44. / 407, capacity: 100 * mbit, goodput: 350 * mbit}, round)
	require.True(t, p.slowStart)
	require.InDelta(t, 400*mbit, p.rate, 1)

	p.feed(Time(2*round), sample{packets: 407, loss: 100. / 407, capacity: 100 * mbit, goodput: 350 * mbit}, round)
	require.False(t, p.slowStart, "three trains of ten are a queue")
	require.Less(t, p.rate, 400*mbit)
}

// A backlog that the last reduction answers already is no reason for another one.
func TestRateBacklogFallsOnce(t *testing.T) {
	p := steady(1600 * mbit)
	s := sample{packets: 1000, capacity: 1000 * mbit, backlog: 5 << 20, grew: true}
	now := Time(time.Second)
	for range 10 {
		p.feed(now, s, round)
		now += Time(5 * round)
	}
	require.InDelta(t, 850*mbit, p.rate, 1, "0.85 of what the slowest host takes, and no less")

	s.drops = 1
	p.feed(now, s, round)
	require.Less(t, p.rate, 850*mbit, "a kernel that drops is a reason")

	p = steady(1600 * mbit)
	p.feed(now, sample{packets: 1000, capacity: 1000 * mbit, backlog: 25 << 20, grew: true, drain: 50e6}, round)
	require.InDelta(t, 800*mbit, p.rate, 1, "at most to the half at once")
	p.feed(now+Time(5*round), sample{packets: 1000, capacity: 1000 * mbit, backlog: 25 << 20, grew: true, drain: 50e6}, round)
	require.InDelta(t, 400*mbit, p.rate, 1, "down to what the disk takes")
}

// Below the rate that was too much the rate closes in on it; beyond, it goes on in small steps first and in longer ones then.
func TestRateGrowsBeyondThePeak(t *testing.T) {
	p := steady(400 * mbit)
	p.peak = 800 * mbit
	now := Time(time.Second)
	var factors []float64
	for range 14 {
		before := p.rate
		p.feed(now, fine(before), round)
		now += Time(5 * round)
		if before >= p.peak {
			factors = append(factors, p.rate/before)
		}
	}
	require.GreaterOrEqual(t, len(factors), 6)
	for i, want := range []float64{1.1, 1.1, 1.2, 1.4, 1.8, 2} {
		require.InDelta(t, want, factors[i], 1e-9, "step %d", i)
	}

	p.feed(now, sample{packets: 1000, capacity: p.rate / 2, backlog: 5 << 20, grew: true}, round)
	before := p.rate
	p.peak = before
	p.feed(now+Time(5*round), fine(before), round)
	require.InDelta(t, 1.1, p.rate/before, 1e-9, "with care again after a reduction")
}
