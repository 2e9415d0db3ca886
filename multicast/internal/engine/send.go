package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
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
	failed  bool
	done    bool
	out     bool
	text    string
	results []byte
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
	backlog                  uint64
	missing                  uint32
	reportAt                 Time
	slowAt                   Time
	hostSlow                 bool
	nacks                    int
	second                   Time
	state                    State
}

// active reports whether the transfer waits for the peer.
func (p *sendPeer) active() bool { return !p.out && !p.done && p.status == HostUnknown }

// StartSend begins a transfer. One at a time: the earlier one must have ended.
func (n *Node) StartSend(now Time, o SendOptions) *Send {
	s := &Send{n: n, opt: o, state: Listen, began: now, entered: now, query: now, byID: map[wire.NodeID]*sendPeer{}, grtt: initialGRTT, out: &Outcome{Began: now}}
	if s.opt.Member == 0 {
		s.opt.Member = memberTimeout
	}
	if s.opt.Gather == 0 {
		s.opt.Gather = gatherLimit
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
func (s *Send) enter(now Time, st State) { s.state, s.entered = st, now }

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

// joined notes that there is a new member.
func (s *Send) joined(now Time) {
	s.fresh = now
	s.look = min(s.look, now+int64(quietMembers))
}

// rival hears another sender's announcement.
func (s *Send) rival(now Time, h *wire.Header, m *wire.Announce) {
	if s.state != Gather || !h.Node.Less(s.n.cfg.ID) || !s.overlaps(m.Targets) {
		return
	}
	s.yield(now)
}

func (s *Send) overlaps(targets []wire.NodeID) bool {
	if len(targets) == 0 || len(s.peers) == 0 {
		return true
	}
	for _, id := range targets {
		if s.byID[id] != nil {
			return true
		}
	}
	return false
}

// yield lets another sender go first.
func (s *Send) yield(now Time) {
	s.queueAbort(wire.ReasonYield, "another sender goes first")
	s.peers, s.byID = nil, map[wire.NodeID]*sendPeer{}
	s.objects = [wire.Objects]*outObject{}
	s.newID()
	s.enter(now, Listen)
	s.queries, s.query, s.fresh = 0, now+s.n.rand(50*time.Millisecond)+int64(20*time.Millisecond), now
	if s.attempts++; s.attempts > 20 {
		s.out.Err = ErrBusy
		s.finish(now)
	}
}

func (s *Send) queueAbort(reason uint8, text string) {
	m := &wire.Abort{Reason: reason, Epoch: s.epoch, Text: text}
	if s.n.cfg.Publish != nil {
		wire.Sign(m, s.n.cfg.Publish, s.n.cfg.ID, s.id)
	}
	s.msg(m)
	s.n.ask = &decision{sender: s.n.cfg.ID, transfer: s.id, epoch: s.epoch, state: wire.AnswerAborted, abort: *m}
}

// abort ends the transfer for everybody, before it is decided.
func (s *Send) abort(now Time, reason uint8, text string, err error) {
	if s.state >= Commit {
		return
	}
	s.reason, s.text = reason, text
	s.out.Err, s.out.Aborted = err, reason
	for _, p := range s.peers {
		if p.ended == 0 {
			p.ended = s.state
		}
		if p.status == HostUnknown && p.text == "" {
			p.text = text
		}
	}
	s.enter(now, Finish)
	s.ends, s.endAt = 3, now
}

// listen is the state in which members are found.
func (s *Send) listen(now Time) {
	if s.query != 0 && now >= s.query && !s.opt.Catchup {
		s.n.QueryMembers(now)
		s.out.Packets++
		steps := [...]time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 350 * time.Millisecond}
		s.query = now + int64(steps[min(s.queries, len(steps)-1)])
		s.queries++
	}
	s.look = now + int64(10*time.Millisecond)
	if s.n.conflict(now, s.targetIDs()) {
		s.entered = now
		return
	}
	receivers := 0
	for _, m := range s.n.members {
		if m.Protocol == 0 && m.Flags&wire.HelloReceives != 0 {
			receivers++
		}
	}
	waited := time.Duration(now - s.entered)
	quiet := time.Duration(now - s.fresh)
	switch {
	case s.opt.Catchup:
	case len(s.opt.Targets) > 0 && len(s.missingNames()) == 0 && (s.opt.Min == 0 || receivers >= s.opt.Min):
	case s.opt.Min > 0 && len(s.opt.Targets) == 0 && receivers >= s.opt.Min && quiet >= quietMembers:
	case s.opt.Min == 0 && len(s.opt.Targets) == 0 && receivers > 0 && waited >= discover && quiet >= quietMembers:
	case len(s.opt.Targets) > 0 && waited >= time.Second && receivers > 0 && receivers >= s.opt.Min:
		s.out.Unknown = s.missingNames()
		s.out.Err = ErrUnknown
		s.finish(now)
		return
	case waited < discoverLimit:
		return
	case receivers == 0:
		s.out.Err = ErrNoMembers
		s.finish(now)
		return
	default:
		s.out.Err = ErrTooFew
		s.finish(now)
		return
	}
	s.gather(now)
}

func (s *Send) targetIDs() []wire.NodeID {
	if len(s.opt.IDs) > 0 {
		return s.opt.IDs
	}
	var ids []wire.NodeID
	for _, m := range s.n.members {
		if slices.Contains(s.opt.Targets, m.Name) {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

func (s *Send) missingNames() (list []string) {
	for _, name := range s.opt.Targets {
		found := false
		for _, m := range s.n.members {
			found = found || m.Name == name && m.Flags&wire.HelloReceives != 0
		}
		if !found {
			list = append(list, name)
		}
	}
	return list
}

// gather announces the transfer to the members.
func (s *Send) gather(now Time) {
	s.epoch = max(s.epoch, s.n.cfg.Epoch+1)
	ids := s.targetIDs()
	for _, m := range s.n.members {
		if m.Protocol != 0 || m.Flags&wire.HelloReceives == 0 || len(ids) > 0 && !slices.Contains(ids, m.ID) || len(s.peers) >= wire.MaxRoster {
			continue
		}
		p := &sendPeer{Member: *m, index: -1, rtt: s.grtt}
		s.peers = append(s.peers, p)
		s.byID[m.ID] = p
		s.epoch = max(s.epoch, m.Epoch+1)
	}
	s.sortPeers()
	if len(s.peers) == 0 {
		s.out.Err = ErrNoMembers
		s.finish(now)
		return
	}
	s.objects[wire.ObjectManifest] = newOutObject(wire.ObjectManifest, s.opt.Symbol, uint64(len(s.opt.Manifest)), s.opt.Manifest)
	s.objects[wire.ObjectManifest].begun = true
	s.enter(now, Gather)
	s.announces, s.announce, s.beat = 0, now, now+int64(5*time.Millisecond)
	s.poll(now, 0)
}

func (s *Send) sortPeers() {
	slices.SortFunc(s.peers, func(a, b *sendPeer) int { return slices.Compare(a.ID[:], b.ID[:]) })
}

func (s *Send) sendAnnounce(now Time) {
	m := &wire.Announce{Epoch: s.epoch, Flags: s.opt.Flags, Symbol: uint16(s.opt.Symbol), Manifest: uint64(len(s.opt.Manifest)), Digest: s.opt.Digest,
		Group: uint32(len(s.peers)), GRTT: uint32(s.grtt / time.Microsecond), Clock: uint64(now), Unicast: s.n.cfg.Unicast, MaxDelete: s.opt.MaxDel, Name: s.n.cfg.Name}
	if len(s.opt.Targets) > 0 || len(s.opt.IDs) > 0 {
		for _, p := range s.peers {
			m.Targets = append(m.Targets, p.ID)
		}
		m.Targets = m.Targets[:min(len(m.Targets), wire.MaxTargets)]
	}
	if s.n.cfg.Publish != nil {
		wire.Sign(m, s.n.cfg.Publish, s.n.cfg.ID, s.id)
	}
	s.msg(m)
	switch s.announces++; {
	case s.state > Gather:
		s.announce = now + int64(announceLater)
	case s.announces < 4:
		s.announce = now + int64(10*time.Millisecond)<<s.announces
	default:
		s.announce = now + int64(announceEvery)
	}
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

// latecomer notes a receiver that came when the transfer had begun.
func (s *Send) latecomer(now Time, h *wire.Header, m *wire.Need) {
	if s.state < Gather || len(s.peers) >= wire.MaxRoster || len(s.opt.IDs) > 0 {
		return
	}
	known := s.n.members[h.Node]
	if known == nil {
		return // its HELLO comes first; NEED is repeated
	}
	p := &sendPeer{Member: *known, index: -1}
	p.Heard = now
	if s.state == Gather {
		s.peers = append(s.peers, p)
		s.byID[h.Node] = p
		s.takeNeed(now, p, m)
		return
	}
	p.late, p.out, p.status, p.text, p.ended = true, true, HostLate, "it came when the transfer had begun", s.state
	s.peers = append(s.peers, p)
	s.byID[h.Node] = p
}

func (s *Send) takeNeed(now Time, p *sendPeer, m *wire.Need) {
	if p.late || p.out {
		return
	}
	if p.needed {
		s.to(p, p.need.ackFor(wire.TypeNeed, m.Part))
		return
	}
	all := p.need.take(m.Part, m.Parts, m.Bytes)
	if !p.need.has(m.Part) {
		return
	}
	if all {
		n, err := parseNeed(p.need.bytes(), wire.MaxObject)
		if err != nil {
			p.need = download{}
			return
		}
		p.needed = true
		p.nonce, p.holds = n.nonce, n.holds
		switch n.status {
		case needTakesPart:
			p.set = n.set
		case needReadOnly:
			p.status, p.text, p.ended = HostReadOnly, "read-only", s.state
		case needAnswer:
		case needBusy:
			s.yield(now)
			return
		default:
			if n.epoch >= s.epoch && s.state == Gather && s.attempts < 20 {
				s.epoch = n.epoch + 1
				s.yield(now)
				return
			}
			p.status, p.text, p.ended = HostRefused, n.reason, s.state
		}
	}
	s.to(p, p.need.ackFor(wire.TypeNeed, m.Part))
	if all && s.state == Gather {
		s.gathered(now, false)
	}
}

// gathered moves on when every member has answered, or when the time is over.
func (s *Send) gathered(now Time, late bool) {
	for _, p := range s.peers {
		if p.active() && !p.needed {
			if !late {
				return
			}
			s.lose(now, p, HostSilent, fmt.Sprintf("no answer to the announcement within %v", s.opt.Gather))
		}
	}
	if s.state != Gather {
		return
	}
	if s.opt.Flags&(wire.FlagDryRun|wire.FlagCheck) != 0 {
		s.enter(now, Plan) // RESULTs come
		s.settle(now)
		return
	}
	s.plan(now)
}

// lose takes a member out of the transfer.
func (s *Send) lose(now Time, p *sendPeer, status HostStatus, text string) {
	if !p.active() {
		return
	}
	p.status, p.text, p.ended = status, text, s.state
	p.out = true
	if status == HostEvicted {
		p.evicted = true
	}
	s.states = now
	if s.state < Commit && status != HostEvicted && !s.tolerates() && s.state >= Gather && s.opt.Flags&(wire.FlagDryRun|wire.FlagCheck) == 0 {
		s.abort(now, wire.ReasonFailed, fmt.Sprintf("%s: %s", p.Name, text), ErrAborted)
		return
	}
	switch s.state {
	case Gather:
		s.gathered(now, false)
	case Sealing:
		s.decide(now)
	case Commit, Plan:
		s.settle(now)
	}
}

// tolerates reports whether the commit policy still holds.
func (s *Send) tolerates() bool {
	if s.opt.Quorum == 0 {
		return false
	}
	left := 0
	for _, p := range s.peers {
		if p.status == HostUnknown || p.status == HostCommitted {
			left++
		}
	}
	return left >= max(1, s.opt.Quorum)
}

// plan makes layout and roster, and begins to send.
func (s *Send) plan(now Time) {
	s.sortPeers()
	roster := make([]byte, 0, len(s.peers)*rosterEntry)
	for _, p := range s.peers {
		if !p.active() {
			if p.status == HostRefused && !s.tolerates() {
				s.abort(now, wire.ReasonFailed, fmt.Sprintf("%s: %s", p.Name, p.text), ErrAborted)
				return
			}
			continue
		}
		p.index = len(roster) / rosterEntry
		mark := rosterMark(p.ID, p.nonce)
		roster = append(roster, mark[:]...)
		s.union = s.union.Union(p.set)
	}
	s.sum = sha256.Sum256(roster)
	if len(roster) == 0 {
		s.reason = wire.ReasonDone
		s.enter(now, Finish)
		s.ends, s.endAt = 3, now
		return
	}
	s.made = true
	layout := binary.BigEndian.AppendUint32(make([]byte, 8), uint32(len(roster)/rosterEntry))
	layout = s.union.Append(append(layout, roster...))
	binary.BigEndian.PutUint64(layout, uint64(len(layout)))
	s.objects[wire.ObjectLayout] = newOutObject(wire.ObjectLayout, s.opt.Symbol, uint64(len(layout)), layout)
	s.objects[wire.ObjectLayout].begun = true
	size := s.union.Len()
	s.out.Content = size
	s.objects[wire.ObjectContent] = newOutObject(wire.ObjectContent, s.opt.Symbol, size, nil)
	s.objects[wire.ObjectContent].begun = true
	s.opt.Source.Open(s.union, s.opt.Symbol)
	s.pacer.settle()
	s.enter(now, Stream)
	s.beat = now + int64(5*time.Millisecond)
	s.announce = now + int64(announceLater)
	s.reported = now
}

// Sealed tells the digests of what is sent, or why there are none. incomplete: a
// file could not be read.
func (s *Send) Sealed(now Time, seal []byte, root [32]byte, err error) {
	if s.state != Stream || s.sealed {
		return
	}
	if err != nil {
		s.sourceErr = err
		s.abort(now, wire.ReasonSource, "the source could not be read: "+err.Error(), ErrSource)
		return
	}
	s.sealed, s.root = true, root
	b := binary.BigEndian.AppendUint64(nil, uint64(8+len(seal)))
	b = append(b, seal...)
	s.objects[wire.ObjectSeal] = newOutObject(wire.ObjectSeal, s.opt.Symbol, uint64(len(b)), b)
	s.objects[wire.ObjectSeal].begun = true
}

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

func (s *Send) takeReady(now Time, p *sendPeer, m *wire.Ready) {
	if !p.active() || p.ready || s.state != Stream && s.state != Sealing {
		return
	}
	if m.Status != 0 {
		s.lose(now, p, HostFailed, m.Text)
		return
	}
	if !s.sealed || m.Root != s.root {
		s.lose(now, p, HostFailed, "it has another tree than was sent")
		return
	}
	p.ready = true
	if s.states == 0 {
		s.states = now + int64(10*time.Millisecond)
	}
	s.decide(now)
}

// decide commits when everybody that counts is ready.
func (s *Send) decide(now Time) {
	if s.state != Sealing {
		return
	}
	ready := 0
	for _, p := range s.peers {
		if p.active() && !p.ready {
			return
		}
		if p.ready && p.active() {
			ready++
		}
	}
	if ready == 0 || s.opt.Quorum > 0 && ready < s.opt.Quorum {
		s.abort(now, wire.ReasonPolicy, "too few receivers are ready", ErrTooFew)
		return
	}
	s.enter(now, Commit)
	s.out.Committed = true
	s.commit = &wire.Commit{Epoch: s.epoch, At: uint64(now + int64(max(10*time.Millisecond, 4*s.grtt))), Root: s.root, Roster: s.sum}
	if s.n.cfg.Publish != nil {
		wire.Sign(s.commit, s.n.cfg.Publish, s.n.cfg.ID, s.id)
	}
	s.n.cfg.Epoch, s.n.cfg.Root = max(s.n.cfg.Epoch, s.epoch), s.root
	s.n.ask = &decision{sender: s.n.cfg.ID, transfer: s.id, epoch: s.epoch, state: wire.AnswerCommitted, commit: *s.commit}
	s.sendCommit(now)
}

func (s *Send) sendCommit(now Time) {
	c := *s.commit
	c.Clock = uint64(now)
	s.msg(&c)
	every := 3 * time.Millisecond
	if now > Time(s.commit.At) {
		every = min(100*time.Millisecond, max(10*time.Millisecond, 2*s.grtt))
	}
	s.commits = now + int64(every)
}

func (s *Send) takeResult(now Time, p *sendPeer, m *wire.Result) {
	if s.state != Commit && s.state != Plan && s.state != Gather && s.state != Stream && s.state != Sealing && s.state != Finish {
		return
	}
	p.result.take(m.Part, m.Parts, m.Bytes)
	if !p.result.has(m.Part) {
		return
	}
	s.to(p, p.result.ackFor(wire.TypeResult, m.Part))
	if p.result.left > 0 || p.done {
		return
	}
	res, err := parseResult(p.result.bytes())
	if err != nil {
		p.result = download{}
		return
	}
	p.res = res
	if p.status == HostReadOnly {
		p.done = true
		s.settle(now)
		return
	}
	if !p.active() {
		return
	}
	p.done, p.ended = true, s.state
	p.status = HostCommitted
	if !res.ok {
		p.status, p.text = HostFailed, res.text
	}
	if s.states == 0 {
		s.states = now + int64(5*time.Millisecond)
	}
	s.settle(now)
}

// settle ends the transfer when all results are here.
func (s *Send) settle(now Time) {
	if s.state != Commit && s.state != Plan {
		return
	}
	for _, p := range s.peers {
		if p.active() || p.status == HostReadOnly && !p.done && !p.out {
			return
		}
	}
	s.reason = wire.ReasonDone
	s.enter(now, Finish)
	s.ends, s.endAt = 3, now
}

// left notes a goodbye.
func (s *Send) left(now Time, id wire.NodeID) {
	if p := s.byID[id]; p != nil && p.active() {
		s.lose(now, p, HostLeft, fmt.Sprintf("it said goodbye in state %v", s.state))
	}
}

// echo measures the round trip time, by the sender's own clock.
func (s *Send) echo(now Time, p *sendPeer, echo uint64, held uint32) {
	rtt := time.Duration(now-Time(echo)) - time.Duration(held)*time.Microsecond
	if echo == 0 || rtt < 0 || rtt > time.Minute {
		return
	}
	p.rtt = rtt
	rtt = min(max(rtt, minGRTT), maxGRTT)
	if rtt >= s.grtt {
		s.grtt, s.fell = rtt, now
	} else if now-s.fell > int64(max(s.grtt, 10*time.Millisecond)) {
		s.fell = now
		s.grtt = max(rtt, s.grtt*9/10, minGRTT)
	}
}

func (s *Send) takeReport(now Time, p *sendPeer, m *wire.Report) {
	s.echo(now, p, m.Echo, m.Held)
	p.missing, p.backlog, p.state = m.Missing, m.Backlog, State(m.State)
	x := sample{delay: time.Duration(m.Delay) * time.Microsecond, backlog: m.Backlog, drain: m.Drain, events: float64(m.Events) / 1e6, rtt: p.rtt}
	p.delay = x.delay
	if m.Highest > p.highest && m.Received >= p.received {
		sent, got := m.Highest-p.highest, m.Received-p.received
		x.packets = sent
		x.loss = max(0, 1-float64(got)/float64(sent))
		if p.highest == 0 {
			// The first report also counts what was sent before it listened.
			x.loss, x.packets = 0, 0
		} else {
			p.loss += 0.3 * (x.loss - p.loss)
		}
		if dt := now - p.reportAt; p.reportAt != 0 && dt > 0 {
			x.goodput = float64(got) * float64(s.opt.Symbol) * 8e9 / float64(dt)
		}
		p.received, p.highest, p.reportAt = m.Received, m.Highest, now
	}
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

// chooseCLR makes the receiver that sees most loss or the longest way report at its
// own pace.
func (s *Send) chooseCLR(p *sendPeer) {
	c := s.byID[s.clr]
	if c == nil || !c.active() || p.loss*math.Sqrt(p.rtt.Seconds()+0.001) > 1.2*c.loss*math.Sqrt(c.rtt.Seconds()+0.001) || p.hostSlow && !c.hostSlow {
		s.clr = p.ID
	}
}

// slow applies the policy for slow receivers.
func (s *Send) slow(now Time, p *sendPeer, x sample) {
	if s.opt.Slow == Wait || s.opt.SlowRate == 0 {
		return
	}
	host := x.drops > 0 || x.backlog > backlogLimit
	if !host || s.pacer.rate >= float64(s.opt.SlowRate) && float64(x.drain)*8 >= float64(s.opt.SlowRate) {
		if !host {
			p.slowAt = 0
		}
		return
	}
	if p.slowAt == 0 {
		p.slowAt = now
	}
	if now-p.slowAt >= int64(s.opt.Grace) {
		s.lose(now, p, HostEvicted, fmt.Sprintf("it takes less than %d bit/s, for longer than %v", s.opt.SlowRate, s.opt.Grace))
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
				p.text = fmt.Sprintf("no result within %v: whether it has committed is not known", commitTimeout)
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
			text := fmt.Sprintf("not heard for %v in state %v: %d blocks were missing, its last message was %v", silent.Round(time.Millisecond), s.state, p.missing, p.last)
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

// sendStates tells whose messages have arrived, and who is out.
func (s *Send) sendStates(now Time) {
	s.states = 0
	total := 0
	for _, p := range s.peers {
		total = max(total, p.index+1)
	}
	pass := func(what uint8, set func(*sendPeer) bool) {
		for from := 0; from < total; from += wire.MaxStates {
			m := &wire.States{What: what, From: uint32(from), Bits: make([]byte, (min(total-from, wire.MaxStates)+7)/8)}
			some := false
			for _, p := range s.peers {
				if i := p.index - from; i >= 0 && i < wire.MaxStates && p.index >= 0 && set(p) {
					m.Bits[i/8] |= 1 << (i % 8)
					some = true
				}
			}
			if some {
				s.msg(m)
			}
		}
	}
	pass(wire.StatesOut, func(p *sendPeer) bool { return p.out })
	if s.state == Commit {
		pass(wire.StatesDone, func(p *sendPeer) bool { return p.done })
	} else {
		pass(wire.StatesReady, func(p *sendPeer) bool { return p.ready })
	}
}

func (s *Send) pollFinish(now Time) {
	if now < s.endAt {
		return
	}
	if s.out.Aborted != 0 {
		s.queueAbort(s.reason, s.text)
	} else {
		s.msg(&wire.End{Reason: s.reason})
	}
	if s.ends--; s.ends == 0 {
		s.finish(now)
		return
	}
	s.endAt = now + int64(2*time.Millisecond)
	if len(s.peers) > smallGroup {
		s.endAt = now + int64(10*time.Millisecond)
	}
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
