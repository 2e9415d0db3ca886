package engine

import (
	"fmt"
	"math"
	"time"

	"dougu.internal/multicast/internal/wire"
)

// path is what a receiver knows of the way from the sender.
type path struct {
	offset   Time // lowest arrival minus sender's clock of the last heartbeats
	offsets  [16]Time
	at       int
	filled   bool
	echo     uint64
	echoAt   Time
	received uint32
	highest  uint32
	delay    Time // of the last heartbeat, over the lowest
	grtt     time.Duration
	group    uint32
	clr      wire.NodeID
	prob     uint16
	report   Time
	unread   uint64 // bytes that wait to be read from the sockets
	events   lossEvents
}

// maxUnread bounds what is believed to wait in the sockets.
const maxUnread = 64 << 20

func (r *receiver) heartbeat(now Time, m *wire.Heartbeat) {
	p := &r.path
	// What the packet waited here, because this host had other things to do, is no delay
	// of the network and does not make the sender's clock another.
	recent := r.n.arrived(now) - Time(m.Clock)
	p.offsets[p.at] = recent
	if p.at++; p.at == len(p.offsets) {
		p.at, p.filled = 0, true
	}
	n := p.at
	if p.filled {
		n = len(p.offsets)
	}
	low := p.offsets[0]
	for _, o := range p.offsets[1:n] {
		low = min(low, o)
	}
	// A queue delays every heartbeat, a busy host some: the least of the last eight.
	for i := 1; i <= min(8, n); i++ {
		recent = min(recent, p.offsets[(p.at-i+len(p.offsets))%len(p.offsets)])
	}
	p.delay = recent - low
	p.offset = low
	waited := max(0, now-r.n.arrived(now))
	rested := min(waited, int64(r.n.Rested))
	p.echo, p.echoAt = m.Clock, now-rested
	p.unread = uint64(min(float64(waited-rested)/8e9*float64(m.Rate), maxUnread))
	p.grtt = min(max(minGRTT, time.Duration(m.GRTT)*time.Microsecond), maxGRTT)
	p.group, p.clr, p.prob = max(1, m.Group), m.CLR, m.Prob
	if m.Seq > p.highest {
		p.events.lost(now, m.Seq-p.highest, p.grtt)
		p.highest = m.Seq
	}
	if r.state == Prepared || r.state > Verify {
		return
	}
	if m.State >= uint8(Stream) && m.State <= uint8(Commit) && r.state <= Compare {
		// The transfer has begun without this host: it is told, and catches up later.
		r.answerNeed(r.transfer, r.ann, needLate, "late")
		r.fail(now, "this host joined after the transfer started")
		delete(r.over, r.transfer)
		return
	}
	for i, o := range r.objects {
		if m.High[i] != wire.NotBegun && o != nil && (r.layout || i != int(wire.ObjectContent)) {
			r.close(now, o, m.High[i])
		}
	}
	r.scheduleReport(now, m)
}

func (r *receiver) scheduleReport(now Time, m *wire.Heartbeat) {
	p := &r.path
	if p.report != 0 {
		return
	}
	switch {
	case p.clr == r.n.cfg.ID:
		p.report = now
	case p.group <= smallGroup:
		p.report = now + r.n.rand(5*time.Millisecond)
	case r.n.cfg.Rand()%65536 < uint64(m.Prob):
		p.report = now + r.n.rand(p.grtt)
	}
}

func (r *receiver) sendReport(now Time) {
	p := &r.path
	p.report = 0
	m := &wire.Report{Echo: p.echo, Held: uint32((now - p.echoAt) / 1000), Received: p.received, Highest: p.highest, Events: p.events.rate(),
		Delay: int32(min(p.delay/1000, math.MaxInt32)), State: uint8(r.state)}
	m.Backlog, m.Drain, m.Drops = r.n.cfg.Store.Load()
	m.Backlog += p.unread
	for _, o := range r.objects {
		if o != nil {
			m.Missing += o.missing()
		}
	}
	if m.Drops > r.lastDrops && now-r.slowTold > int64(time.Minute) {
		r.slowTold = now
		r.n.event(Event{Kind: EventSlow, Epoch: r.ann.Epoch, Text: fmt.Sprintf("the kernel dropped %d datagrams because this host did not read them in time: "+
			"the sender slows down; a larger net.core.rmem_max helps", m.Drops-r.lastDrops)})
	}
	r.lastDrops = m.Drops
	r.toSender(m)
}

func (p *path) loss() float64 {
	if p.highest == 0 || p.received >= p.highest {
		return 0
	}
	return 1 - float64(p.received)/float64(p.highest)
}

// lossEvents keeps the rate of loss events as TFMCC and TFRC count them (RFC 5348,
// 5.4): losses within one round trip are one event; the rate is the inverse of the
// weighted mean of the last eight intervals.
type lossEvents struct {
	intervals [8]uint32
	n         int
	open      uint32
	last      Time
}

var eventWeights = [8]float64{1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2}

func (l *lossEvents) got(n uint32) { l.open += n }

func (l *lossEvents) lost(now Time, _ uint32, rtt time.Duration) {
	if l.n > 0 && now-l.last < int64(rtt) {
		return
	}
	l.last = now
	copy(l.intervals[1:], l.intervals[:7])
	l.intervals[0] = max(1, l.open)
	l.n = min(l.n+1, 8)
	l.open = 0
}

// rate returns the loss event rate in ppm.
func (l *lossEvents) rate() uint32 {
	if l.n == 0 {
		return 0
	}
	mean := func(first uint32, rest []uint32) float64 {
		sum, weight := float64(first)*eventWeights[0], eventWeights[0]
		for i, v := range rest {
			if i+1 < len(eventWeights) {
				sum += float64(v) * eventWeights[i+1]
				weight += eventWeights[i+1]
			}
		}
		return sum / weight
	}
	closed := mean(l.intervals[0], l.intervals[1:l.n])
	with := mean(l.open, l.intervals[:l.n])
	return uint32(1e6 / max(1, closed, with))
}
