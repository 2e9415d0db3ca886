package engine

import (
	"fmt"
	"time"

	"dougu.internal/multicast/internal/ranges"
	"dougu.internal/multicast/internal/wire"
)

// Send is a transfer of a node as its sender.
type Send struct {
	n     *Node
	opt   SendOptions
	id    uint32
	epoch uint64
	state State
	began Time
	out   *Outcome

	// Listen.
	queries  int
	query    Time
	fresh    Time // when the last new member came
	look     Time
	attempts int
	yielded  Time // first
	hold     Time // the next attempt

	// The members, in the order of their ids once the roster is made.
	peers []*sendPeer
	byID  map[wire.NodeID]*sendPeer
	sum   [32]byte
	made  bool

	objects   [wire.Objects]*outObject
	union     ranges.Set
	queue     []repair
	delayed   bool // the next turn is first-time data's
	seq       uint32
	pacer     *pacer
	mean      demand
	flights   []flight
	idle      bool // nothing was to be sent at the last turn
	carry     float64
	sealed    bool
	root      [32]byte
	sourceErr error

	grtt      time.Duration
	announce  Time
	announces int
	beat      Time
	beats     int
	states    Time
	commit    *wire.Commit
	commits   Time
	entered   Time // the state
	reported  Time // the last report
	clr       wire.NodeID
	check     Time
	ends      int
	endAt     Time
	reason    uint8
	text      string
	roundEnd  Time
	fell      Time
}

// sendPeer is a receiver of the transfer.
type sendPeer struct {
	Member
	need    download
	result  download
	nonce   wire.Nonce
	set     ranges.Set
	holds   uint64
	needed  bool // NEED is here
	index   int
	ready   bool
	done    bool
	out     bool
	text    string
	res     result
	status  HostStatus
	ended   State
	last    wire.Type
	late    bool
	evicted bool
	round   int

	// What it reports.
	received, highest, drops uint32
	loss                     float64
	delay                    time.Duration
	rtt                      time.Duration
	rttAt                    Time
	best                     [2]float64 // bit/s: the most that it took lately, and before
	bestAt                   Time
	backlog                  uint64
	missing                  uint32
	reportAt                 Time
	made                     Time // the last report, by the sender's clock
	slowAt, slowSeen         Time
	hostSlow                 bool
	nacks                    int
	second                   Time
	state                    State
}

// active reports whether the transfer waits for the peer.
func (p *sendPeer) active() bool { return !p.out && !p.done && p.status == HostUnknown }

// StartSend begins a transfer. One at a time: the earlier one must have ended.
func (n *Node) StartSend(now Time, o SendOptions) *Send {
	s := &Send{n: n, opt: o, state: Listen, began: now, entered: now, query: now, byID: map[wire.NodeID]*sendPeer{}, grtt: initialGRTT, out: &Outcome{Began: now, Phases: []Phase{{Listen, now}}}}
	if s.opt.Member == 0 {
		s.opt.Member = memberTimeout
	}
	if s.opt.Gather == 0 {
		s.opt.Gather = gatherLimit
		if s.opt.Catchup { // its hosts are known to be slow, and have datagrams of the first transfer to read
			s.opt.Gather = max(s.opt.Gather, s.opt.Member)
		}
	}
	for n.nonce = 0; n.nonce == 0; {
		n.nonce = n.cfg.Rand()
	}
	s.newID()
	s.pacer = newPacer(o.Rate, now)
	s.fresh = now
	n.send = s
	return s
}

func (s *Send) newID() {
	for s.id = 0; s.id == 0; {
		s.id = uint32(s.n.cfg.Rand())
	}
}

// Outcome returns what the transfer came to, or nil while it goes on.
func (s *Send) Outcome() *Outcome {
	if s.state != Done {
		return nil
	}
	return s.out
}

// State returns what the transfer is doing.
func (s *Send) State() State { return s.state }

// Progress returns the bytes of content that were sent once, those there are, the
// rate in bit/s, and the share of repair.
func (s *Send) Progress() (done, total uint64, rate float64, repair float64, slowest string) {
	if c := s.objects[wire.ObjectContent]; c != nil {
		total = c.size
		done = min(total, (uint64(c.block)*wire.K+uint64(c.sym))*uint64(c.symbol))
	}
	if s.out.Data > 0 {
		repair = float64(s.out.Repair) / float64(s.out.Data)
	}
	var worst uint32
	for _, p := range s.peers {
		if p.active() && p.missing > worst {
			worst, slowest = p.missing, p.Name
		}
	}
	return done, total, s.pacer.rate, repair, slowest
}

// Cancel gives the transfer up, when it is not decided yet.
func (s *Send) Cancel(now Time) {
	switch {
	case s.state >= Commit:
	case s.state == Listen:
		s.out.Err = ErrCancelled
		s.finish(now)
	default:
		s.abort(now, wire.ReasonCancel, "the sender was told to stop", ErrCancelled)
	}
}

// enter moves to a state.
func (s *Send) enter(now Time, st State) {
	s.state, s.entered = st, now
	s.out.Phases = append(s.out.Phases, Phase{st, now})
}

func (s *Send) finish(now Time) {
	s.enter(now, Done)
	o := s.out
	o.Epoch, o.Root, o.Ended = s.epoch, s.root, now
	o.Rate = uint64(s.pacer.rate)
	for _, p := range s.peers {
		if p.status == HostUnknown {
			switch {
			case p.done:
				p.status = HostCommitted
			case o.Committed:
				p.status = HostInDoubt
			default:
				p.status = HostAborted
			}
		}
		if p.ended == 0 {
			p.ended = s.state
		}
		o.Loss = max(o.Loss, p.loss)
		o.Hosts = append(o.Hosts, HostOutcome{Member: p.Member, State: p.ended, Status: p.status, Text: p.text, Results: p.res.bytes, Atomic: p.res.atomic,
			Flipped: p.res.flipped, Late: p.late, Evicted: p.evicted, Round: p.round, Missing: p.missing, Silent: time.Duration(now - p.Heard), Last: p.last,
			Loss: p.loss, Drops: p.drops, Backlog: p.backlog, Needed: p.set.Len(), HostSlow: p.hostSlow, Committed: p.done && p.res.ok})
	}
	s.n.send = nil
}

func (s *Send) msg(m wire.Message) {
	s.n.queue(group, s.id, m)
	s.out.Packets++
}

func (s *Send) to(p *sendPeer, m wire.Message) {
	s.n.queue(p.Addr, s.id, m)
	s.out.Packets++
}

// handle takes a packet of the transfer.
func (s *Send) handle(now Time, h *wire.Header, m wire.Message) {
	p := s.byID[h.Node]
	if p == nil {
		if need, ok := m.(*wire.Need); ok {
			s.latecomer(now, h, need)
		}
		return
	}
	p.Heard, p.last = now, m.Type()
	if p.out && s.made && s.state < Commit && (s.states == 0 || s.states > now+int64(20*time.Millisecond)) {
		s.states = now + int64(20*time.Millisecond) // it has not heard that it is out
	}
	if k := s.n.members[h.Node]; k != nil {
		k.Heard = now
	}
	switch m := m.(type) {
	case *wire.Need:
		s.takeNeed(now, p, m)
	case *wire.Nack:
		s.takeNack(now, p, m)
	case *wire.Report:
		s.takeReport(now, p, m)
	case *wire.Ready:
		s.takeReady(now, p, m)
	case *wire.Result:
		s.takeResult(now, p, m)
	case *wire.Abort:
		if p.active() {
			s.lose(now, p, HostFailed, m.Text)
		}
	}
}

// poll lets the sender's timers run and sends what the rate allows.
func (s *Send) poll(now Time, room int) {
	switch s.state {
	case Listen:
		s.listen(now)
		return
	case Done:
		return
	case Finish:
		s.pollFinish(now)
		return
	}
	if now >= s.announce && s.state < Commit {
		s.sendAnnounce(now)
	}
	if now >= s.beat {
		s.heartbeat(now)
	}
	if s.states != 0 && now >= s.states && s.made {
		s.sendStates(now)
	}
	if s.state == Commit && now >= s.commits {
		s.sendCommit(now)
	}
	s.watch(now)
	if s.state == Gather && now-s.entered > int64(s.opt.Gather) {
		s.gathered(now, true)
	}
	if s.state == Commit && now-s.entered > int64(commitTimeout) || s.state == Plan && now-s.entered > int64(commitTimeout) {
		for _, p := range s.peers {
			if p.active() {
				p.status, p.ended = HostInDoubt, s.state
				p.text = fmt.Sprintf("no result within %v: commit outcome unknown", commitTimeout)
				if s.state == Plan {
					p.status, p.text = HostSilent, fmt.Sprintf("no result within %v", commitTimeout)
				}
			} else if p.status == HostReadOnly {
				p.done = true
			}
		}
		s.settle(now)
	}
	s.pump(now, room)
}

func (s *Send) next() Time {
	switch s.state {
	case Done:
		return never
	case Listen:
		return s.look
	case Finish:
		return s.endAt
	}
	next := min(s.announce, s.beat, s.check)
	if s.state >= Commit {
		next = min(s.beat, s.check)
	}
	if s.states != 0 && s.made {
		next = min(next, s.states)
	}
	if s.state == Commit {
		next = min(next, s.commits)
	}
	if s.pending() {
		next = min(next, s.pacer.last+int64(s.pacer.wait()))
	}
	return next
}

func (s *Send) status(now Time, m *wire.Status) {
	done, total, rate, repair, slowest := s.Progress()
	m.State, m.Done, m.Total, m.Rate = uint8(s.state), done, total, uint64(rate)
	for _, p := range s.peers {
		m.Loss = max(m.Loss, uint32(p.loss*1e6))
	}
	m.Detail = fmt.Sprintf("epoch %d to %d hosts, %.1f %% repair, %d rounds", s.epoch, len(s.peers), 100*repair, s.out.Rounds)
	if slowest != "" {
		m.Detail += ", slowest " + slowest
	}
	m.Peer = s.n.cfg.ID
}

// ID returns the transfer id.
func (s *Send) ID() uint32 { return s.id }
