package engine

import (
	"math"
	"time"
)

// RateMode is how the sending rate is found.
type RateMode uint8

// The modes.
const (
	// LAN finds the rate by itself: it grows until the delay or the loss grows with
	// it, or a host is slow.
	LAN RateMode = iota
	// Fixed keeps the rate.
	Fixed
	// Friendly takes no more than a TCP connection to the worst receiver would
	// (RFC 4654, RFC 5348).
	Friendly
)

// Rate is a mode with its rate in bit/s on the wire, frames included: a cap for LAN
// and Friendly, where 0 means none.
type Rate struct {
	Mode RateMode
	Bits uint64
}

// Constants of the rate control.
const (
	unlimited    = 10e9 // bit/s: no more is ever tried
	floorRate    = 1e6  // bit/s: no less, for the end of a transfer is to come
	startRate    = 200e6
	frameSize    = 42                     // Ethernet, IP and UDP header of a packet
	delayLimit   = 20 * time.Millisecond  // growth of the one-way delay that means a queue
	lossMargin   = 0.03                   // loss above the link's own that means a queue
	behindLimit  = 50 * time.Millisecond  // of a host that is behind what is sent
	unreadLimit  = 3 << 20                // bytes that wait in a host, and grow: it takes no more
	backlogLimit = 24 << 20               // bytes before the disk that mean a slow host
	tick         = time.Millisecond       // of the pacer
	maxTrain     = 44                     // datagrams that pass a network as one
	burst        = 4 * tick               // what a late pacer may catch up
	stopAfter    = 500 * time.Millisecond // without any report: stop
)

// pacer is a token bucket and the rate that fills it.
type pacer struct {
	mode   RateMode
	cap    float64 // bit/s
	rate   float64
	tokens float64 // bytes
	last   Time

	slowStart bool
	changed   Time // the last reduction
	grown     Time
	base      float64 // the link's own loss
	before    float64 // the loss that made the rate fall last
	hostLimit bool
	beyond    int     // steps above the peak since the last reduction
	peak, top float64 // the rate to which it soon returns, and the one before the last reduction
}

func newPacer(r Rate, now Time) *pacer {
	p := &pacer{mode: r.Mode, cap: float64(r.Bits), last: now, slowStart: true}
	if p.cap == 0 || p.cap > unlimited {
		p.cap = unlimited
	}
	switch r.Mode {
	case Fixed:
		p.rate, p.slowStart = p.cap, false
	case LAN:
		p.rate = startRate
		if r.Bits > 0 { // a cap is what somebody knows of the link
			p.rate = min(p.cap, max(p.cap/2, startRate/2))
		}
	case Friendly:
		p.rate = min(p.cap, 10e6)
	}
	return p
}

// refill adds the tokens of the time since the last call.
func (p *pacer) refill(now Time) {
	p.tokens += p.rate / 8 * float64(now-p.last) / 1e9
	p.tokens = min(p.tokens, p.rate/8*burst.Seconds()+3000)
	p.last = now
}

// settle takes back what is more than a tick's worth.
func (p *pacer) settle() { p.tokens = min(p.tokens, p.rate/8*tick.Seconds()) }

func (p *pacer) take(packet int) { p.tokens -= float64(packet + frameSize) }

// wait returns how long until a tick's worth of tokens is there.
func (p *pacer) wait() time.Duration {
	if p.tokens >= 0 {
		return tick
	}
	return max(tick, time.Duration(-p.tokens/(p.rate/8)*1e9))
}

// sample is what the rate control learns of one report.
type sample struct {
	loss    float64 // since the last report
	packets uint32  // on which it stands
	goodput float64 // bit/s
	// capacity is the most that the slowest receiver took lately, bit/s; 0: not known.
	capacity float64
	grew     bool // the backlog, since the last report
	delay    time.Duration
	drops    uint32 // new ones
	backlog  uint64
	drain    uint64 // byte/s
	events   float64
	rtt      time.Duration
}

// feed takes a report's sample.
func (p *pacer) feed(now Time, s sample, rtt time.Duration) {
	if p.mode == Fixed {
		return
	}
	// A queue makes the round trip long: the rate must not wait for it.
	rtt = min(max(rtt, 2*time.Millisecond), 25*time.Millisecond)
	reduce := func(to float64) {
		if now-p.changed < int64(2*rtt) {
			return
		}
		p.changed, p.slowStart, p.beyond = now, false, 0
		// Below the last peak once more: the peak was too high.
		if p.peak = p.rate; p.rate < 0.95*p.top {
			p.peak *= 0.9
		}
		p.top = p.rate
		p.rate = min(p.cap, max(floorRate, to))
	}
	p.hostLimit = s.drops > 0 || s.backlog > backlogLimit || s.backlog > unreadLimit && s.grew
	if p.hostLimit {
		to := p.rate * 0.75
		if s.capacity > 0 {
			to = max(min(to, s.capacity*0.95), s.capacity*0.4)
		}
		if s.drops == 0 && s.backlog <= backlogLimit {
			// What waits was sent before the last reduction; below what the slowest takes it goes away by itself.
			to = max(to, s.capacity*0.85)
		}
		if s.backlog > backlogLimit && s.drain > 0 {
			to = min(to, float64(s.drain)*8*0.9)
		}
		reduce(min(p.rate, max(to, p.rate/2)))
		return
	}
	if s.backlog > unreadLimit/3 {
		// No more than now, and no leaps if it is far behind.
		p.slowStart = p.slowStart && time.Duration(float64(s.backlog)*8e9/p.rate) < behindLimit
		return
	}
	if p.mode == Friendly {
		p.friendly(now, s, rtt)
		return
	}
	n := float64(s.packets)
	// More loss than the link's own, and than chance explains.
	// What a tick sends may be lost as one, so chance is that much coarser.
	train := min(max(1, p.rate*tick.Seconds()/8/1500), maxTrain)
	lossy := n >= 64 && s.loss*n >= 2*train && s.loss > p.base+lossMargin+3*math.Sqrt(max(p.base, 0.01)*train/n)
	if n >= 16 && !lossy {
		p.base += 0.1 * (s.loss - p.base)
	}
	switch {
	case lossy && now-p.changed < int64(2*rtt):
	case lossy && p.before > 0 && s.loss >= 0.75*p.before && s.delay < delayLimit/3:
		// The rate fell and the loss did not, and there is no queue: it is the link's own.
		p.base += 0.5 * (s.loss - p.base)
		p.before = s.loss
	case lossy:
		// What arrives is what the link takes.
		to := p.rate * 0.85
		if s.goodput > 0 {
			to = min(to, s.goodput/(1-min(p.base, 0.9))*0.97)
		}
		p.before = s.loss
		reduce(max(to, p.rate*0.5))
	case s.delay > delayLimit:
		to := p.rate * 0.85
		if s.capacity > 0 {
			to = min(to, s.capacity*0.97)
		}
		reduce(max(to, p.rate*0.5))
	case p.slowStart && s.packets >= 8 && s.capacity > 0.7*p.rate && now-p.grown >= int64(max(rtt, 10*time.Millisecond)):
		p.grown = now
		p.rate = min(p.cap, p.rate*2)
	case !p.slowStart && s.capacity > 0.75*p.rate && now-p.changed > int64(4*rtt) && now-p.grown >= int64(max(rtt, 10*time.Millisecond)):
		p.grown, p.before = now, 0
		step := 0.25 * (p.peak - p.rate)
		if p.rate >= p.peak {
			// Beyond what was too much once: with care first, then in longer and longer steps.
			p.beyond++
			step = p.rate * min(1, 0.1*float64(uint(1)<<min(max(p.beyond, 2)-2, 4)))
		}
		p.rate = min(p.cap, p.rate*2, p.rate+max(0.1*p.rate, step))
	}
}

// friendly follows the TCP throughput equation (RFC 5348, 3.1).
func (p *pacer) friendly(now Time, s sample, rtt time.Duration) {
	if s.events == 0 {
		if now-p.grown >= int64(rtt) {
			p.grown = now
			p.rate = min(p.cap, p.rate*2)
		}
		return
	}
	x := TCPRate(1448, rtt, s.events)
	if x < p.rate {
		p.rate = max(floorRate, x)
	} else if now-p.grown >= int64(rtt) {
		p.grown = now
		p.rate = min(p.cap, x, p.rate+8*1448/rtt.Seconds())
	}
	p.slowStart = false
}

// TCPRate is the rate in bit/s of a TCP connection with segments of size bytes, that
// round trip time and that loss event rate (RFC 5348, 3.1).
func TCPRate(size int, rtt time.Duration, events float64) float64 {
	r := rtt.Seconds()
	return 8 * float64(size) / (r*math.Sqrt(2*events/3) + 4*r*3*math.Sqrt(3*events/8)*events*(1+32*events*events))
}
