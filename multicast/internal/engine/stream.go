package engine

import (
	"fmt"
	"math"
	"time"

	"dougu.internal/multicast/internal/wire"
)

func (s *Send) takeNack(now Time, p *sendPeer, m *wire.Nack) {
	s.echo(now, p, m.Echo, m.Held)
	if second := now / 1e9; second != p.second {
		p.second, p.nacks = second, 0
	}
	if p.nacks++; p.nacks > nacksASecond+int(s.pacer.rate/2e6) {
		s.n.Counters.Storms++
		return
	}
	if !p.active() || s.objects[m.Object] == nil {
		return
	}
	s.out.Nacks++
	o := s.objects[m.Object]
	wait := Time(0)
	if len(s.peers) > smallGroup {
		wait = int64(s.grtt)
	}
	if now >= s.roundEnd {
		s.out.Rounds++
		p.round++
		s.roundEnd = now + int64(s.grtt)
	}
	for _, l := range m.Lacks {
		if l.Block >= o.blocks || l.Block >= o.block {
			continue // not sent yet: the receiver is mistaken
		}
		o.wanted(l, m.Seen)
		if b := &o.st[l.Block]; b.want > 0 && !b.queued {
			b.queued = true
			s.queue = append(s.queue, repair{m.Object, l.Block, now + wait})
		}
	}
}

// echo measures the round trip time, by the sender's own clock.
func (s *Send) echo(now Time, p *sendPeer, echo uint64, held uint32) {
	rtt := time.Duration(now-Time(echo)) - time.Duration(held)*time.Microsecond
	if echo == 0 || rtt < 0 || rtt > time.Minute {
		return
	}
	p.rtt, p.rttAt = rtt, now
	rtt = min(max(rtt, minGRTT), maxGRTT)
	if len(s.peers) <= smallGroup {
		// All report all the time: what was measured last is what it is.
		for _, q := range s.peers {
			if now-q.rttAt < int64(time.Second) && q.active() {
				rtt = max(rtt, min(q.rtt, maxGRTT))
			}
		}
		s.grtt = rtt
		return
	}
	if rtt >= s.grtt {
		s.grtt, s.fell = rtt, now
	} else if now-s.fell > int64(max(s.grtt, 10*time.Millisecond)) {
		s.fell = now
		s.grtt = max(rtt, s.grtt*9/10, minGRTT)
	}
}

func (s *Send) takeReport(now Time, p *sendPeer, m *wire.Report) {
	s.echo(now, p, m.Echo, m.Held)
	grew := m.Backlog > p.backlog
	p.missing, p.backlog, p.state = m.Missing, m.Backlog, State(m.State)
	x := sample{grew: grew, delay: time.Duration(m.Delay) * time.Microsecond, backlog: m.Backlog, drain: m.Drain, events: float64(m.Events) / 1e6, rtt: p.rtt}
	p.delay = x.delay
	// Fewer packets tell nothing of the loss: they count with the next report.
	if m.Highest > p.highest+40 && m.Received >= p.received || m.Highest > p.highest && now-p.reportAt > int64(100*time.Millisecond) {
		sent, got := m.Highest-p.highest, m.Received-p.received
		x.packets = sent
		x.loss = max(0, 1-float64(got)/float64(sent))
		if p.highest == 0 {
			// The first report also counts what was sent before it listened.
			x.loss, x.packets = 0, 0
		} else {
			p.loss += 0.3 * (x.loss - p.loss)
		}
		// The time between two reports where they were made: on the way they come in clumps.
		made := Time(m.Echo) + int64(m.Held)*1000
		if dt := made - p.made; p.made != 0 && dt > int64(5*time.Millisecond) {
			x.goodput = float64(got) * float64(s.opt.Symbol+wire.Overhead+wire.DataHeader+frameSize) * 8e9 / float64(dt)
		}
		p.received, p.highest, p.reportAt, p.made = m.Received, m.Highest, now, made
	}
	if x.goodput > 0 {
		p.took(now, min(x.goodput*(1+x.loss), 1.25*s.pacer.rate))
	}
	x.capacity = s.capacity(now)
	if m.Drops > p.drops {
		x.drops, p.drops, p.hostSlow = m.Drops-p.drops, m.Drops, true
	}
	if m.Backlog > backlogLimit {
		p.hostSlow = true
	}
	s.reported = now
	if !p.active() {
		return
	}
	s.pacer.feed(now, x, s.grtt)
	s.chooseCLR(p)
	s.slow(now, p, x)
}

// capacityFor is how long a rate that a receiver took counts as what it can take: at
// least so long, at most twice.
const capacityFor = 300 * time.Millisecond

// took notes the rate at which a receiver took what came, with what the link had lost.
func (p *sendPeer) took(now Time, rate float64) {
	if now-p.bestAt > int64(capacityFor) {
		p.best[1], p.best[0], p.bestAt = p.best[0], 0, now
	}
	p.best[0] = max(p.best[0], rate)
}

// capacity is the most that the slowest receiver has taken lately: what it took a
// moment ago tells less, for a busy host stands still and then catches up.
func (s *Send) capacity(now Time) (least float64) {
	for _, p := range s.peers {
		if best := max(p.best[0], p.best[1]); p.active() && best > 0 && now-p.bestAt < int64(2*capacityFor) && (least == 0 || best < least) {
			least = best
		}
	}
	return least
}

// chooseCLR makes the receiver that sees most loss or the longest way report at its
// own pace.
func (s *Send) chooseCLR(p *sendPeer) {
	c := s.byID[s.clr]
	if c == nil || !c.active() || p.loss*math.Sqrt(p.rtt.Seconds()+0.001) > 1.2*c.loss*math.Sqrt(c.rtt.Seconds()+0.001) || p.hostSlow && !c.hostSlow {
		s.clr = p.ID
	}
}

// slowMemory is for how long a host that looks well again still counts as slow.
const slowMemory = 200 * time.Millisecond

// slow applies the policy for slow receivers.
func (s *Send) slow(now Time, p *sendPeer, x sample) {
	if s.opt.Slow == Wait || s.opt.SlowRate == 0 {
		return
	}
	host := x.drops > 0 || x.backlog > unreadLimit
	if !host || s.pacer.rate >= float64(s.opt.SlowRate) && max(p.best[0], p.best[1]) >= float64(s.opt.SlowRate) && float64(x.drain)*8 >= float64(s.opt.SlowRate) {
		if now-p.slowSeen > int64(slowMemory) {
			p.slowAt = 0
		}
		return
	}
	p.slowSeen = now
	if p.slowAt == 0 {
		p.slowAt = now
	}
	if now-p.slowAt >= int64(s.opt.Grace) {
		s.lose(now, p, HostEvicted, fmt.Sprintf("the host receives less than %d bit/s for longer than %v", s.opt.SlowRate, s.opt.Grace))
	}
}

// watch looks for members that are silent for too long.
func (s *Send) watch(now Time) {
	if now < s.check {
		return
	}
	s.check = now + int64(100*time.Millisecond)
	if s.state != Stream && s.state != Sealing {
		return
	}
	for _, p := range s.peers {
		silent := time.Duration(now - max(p.Heard, s.began))
		if p.active() && !p.ready && silent > s.opt.Member && (len(s.peers) <= smallGroup || now-s.entered > int64(s.opt.Member)) {
			text := fmt.Sprintf("the host did not answer for %v in state %v: %d blocks were missing, its last message was %v", silent.Round(time.Millisecond), s.state, p.missing, p.last)
			status := HostSilent
			if s.opt.Slow != Wait {
				status = HostEvicted
			}
			s.lose(now, p, status, text)
			if s.state >= Finish {
				return
			}
		}
	}
}

func (s *Send) heartbeat(now Time) {
	m := &wire.Heartbeat{Clock: uint64(now), State: uint8(s.state), Seq: s.seq, Rate: uint64(s.pacer.rate), GRTT: uint32(s.grtt / time.Microsecond),
		Group: uint32(len(s.peers)), CLR: s.clr, Prob: uint16(min(65535, 10*65536/max(1, len(s.peers))))}
	for i, o := range s.objects {
		m.High[i] = wire.NotBegun
		if o != nil {
			m.High[i] = o.block
		}
	}
	s.msg(m)
	every := heartbeatEvery
	if s.state == Stream && len(s.peers) <= smallGroup {
		every = 20 * time.Millisecond
		if s.pacer.slowStart {
			every = 10 * time.Millisecond
		}
	}
	if s.state == Sealing || s.state == Gather && s.objects[0].sent() {
		steps := [...]time.Duration{2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 40 * time.Millisecond}
		if s.beats < len(steps) {
			every = steps[s.beats]
			s.beats++
		}
	}
	s.beat = now + int64(every)
}

// pump sends repair and first-time data as far as the rate and the caller allow.
func (s *Send) pump(now Time, room int) {
	s.pacer.refill(now)
	if s.idle {
		s.pacer.settle() // what was not used is no credit
	}
	s.idle = !s.pending()
	if s.state == Stream && len(s.peers) > 0 && now-s.reported > int64(stopAfter+10*s.grtt) && s.seq > 4096 && s.pacer.mode != Fixed && len(s.peers) <= smallGroup {
		return // nobody reports: stop, do not only slow down
	}
	for room > 0 && s.pacer.tokens > 0 {
		if !s.one(now) {
			return
		}
		room--
	}
}

// one sends one DATA packet and reports whether there was one to send.
func (s *Send) one(now Time) bool {
	repairs := len(s.queue) > 0 && s.queue[0].due <= now
	if repairs && !s.delayed {
		s.sendRepair(now)
		s.delayed = s.state == Stream
		return true
	}
	s.delayed = false
	if s.first(now) {
		return true
	}
	if repairs {
		s.sendRepair(now)
		return true
	}
	return false
}

func (s *Send) sendRepair(now Time) {
	r := s.queue[0]
	o := s.objects[r.object]
	b := &o.st[r.block]
	if b.want > 0 {
		n := o.nextRepair(r.block)
		s.data(o, r.block, n, wire.DataRepair)
		b.seqs = append(b.seqs, s.seq)
		b.want--
	}
	if b.want == 0 {
		b.queued = false
		s.queue = s.queue[1:]
		if len(s.queue) == 0 {
			s.queue = nil
		}
	}
}

// first sends the next symbol that was not sent yet: manifest, layout, content, seal.
func (s *Send) first(now Time) bool {
	for _, o := range s.objects {
		if o == nil || o.block >= o.blocks {
			continue
		}
		k := o.k(o.block)
		if o.sym == 0 {
			if o.data == nil && !s.opt.Source.Ready(o.block) {
				return false
			}
			o.parity = s.proactive(now, o, k)
		}
		b := &o.st[o.block]
		flags := uint8(0)
		if o.sym >= k {
			flags = wire.DataRepair
			b.parity++
			s.out.Repair++
		}
		s.data(o, o.block, o.sym, flags)
		if flags != 0 {
			s.out.Repair-- // data has counted it
		}
		if o.sym++; o.sym >= k+o.parity {
			o.sym = 0
			o.block++
			s.progressed(now)
		}
		return true
	}
	return false
}

// progressed moves on when the content was sent once.
func (s *Send) progressed(now Time) {
	c, l := s.objects[wire.ObjectContent], s.objects[wire.ObjectSeal]
	if s.state == Gather && s.objects[wire.ObjectManifest].sent() {
		s.beats, s.beat = 0, min(s.beat, now+int64(time.Millisecond))
	}
	if s.state == Stream && c.sent() && l != nil && l.sent() {
		s.enter(now, Sealing)
		s.beats, s.beat = 0, now+int64(time.Millisecond)
		s.states = now + int64(20*time.Millisecond)
		s.decide(now)
	}
}

// proactive returns the number of parity symbols that follow a block at once.
func (s *Send) proactive(now Time, o *outObject, k int) int {
	if o.kind != wire.ObjectContent {
		return max(2, k/10)
	}
	s.learn(now)
	s.carry += s.mean.parity(len(s.peers)) * float64(k) / wire.K
	n := int(s.carry)
	s.carry -= float64(n)
	if o.block+lastBlocks >= o.blocks {
		// Nothing follows that a repair could go along with: a round trip costs more.
		n = max(n, int(math.Ceil(s.mean.mean))+1)
	}
	s.flights = append(s.flights, flight{o.block, uint8(min(n, 64)), now})
	return min(n, 64)
}

// data queues a DATA packet.
func (s *Send) data(o *outObject, block uint32, symbol int, flags uint8) {
	s.seq++
	n := s.n
	n.number++
	d := wire.Data{Object: o.kind, Symbol: uint8(symbol), K: uint8(o.k(block)), Flags: flags, Block: block, Seq: s.seq}
	if o.data != nil {
		d.Payload = o.payload(block, symbol)
	}
	n.out = append(n.out, Out{Number: n.number, Transfer: s.id, Data: d})
	s.pacer.take(wire.Overhead + wire.DataHeader + o.symbol)
	s.out.Data++
	s.out.DataBytes += uint64(o.symbol)
	if flags&wire.DataRepair != 0 {
		s.out.Repair++
	}
	s.out.Packets++
}

// pending reports whether there is a DATA packet to send, now or soon.
func (s *Send) pending() bool {
	if len(s.queue) > 0 {
		return true
	}
	for _, o := range s.objects {
		if o != nil && o.block < o.blocks {
			return true
		}
	}
	return s.state == Stream && !s.sealed
}
