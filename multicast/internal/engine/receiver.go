package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"time"

	"dougu.internal/multicast/internal/ranges"
	"dougu.internal/multicast/internal/wire"
)

// receiver is a node's part as a receiver: at most one transfer at a time.
type receiver struct {
	n     *Node
	state State

	// The transfer.
	sender   wire.NodeID
	transfer uint32
	ann      *wire.Announce
	nonce    wire.Nonce
	objects  [wire.Objects]*inObject
	layout   bool
	need     ranges.Set
	content  uint64 // bytes of content
	mine     uint64 // of which needed here
	pending  []uint32
	early    int // bytes of symbols kept before the layout was known

	up      *upload
	answers *upload

	rosterSum [32]byte
	index     int // in the roster; -1: not known

	verified Verified
	ready    Time
	wait     time.Duration
	readied  bool
	commit   *wire.Commit
	flipAt   Time
	flipped  Time
	result   Time // until when RESULT is repeated

	heard Time // the sender
	doubt Time
	asked Time
	over  map[uint32]bool // transfers that ended here

	path path
	nack Time

	lastDrops uint32
	slowTold  Time
	done      uint64
}

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
	events   lossEvents
}

func newReceiver(n *Node) *receiver {
	r := &receiver{n: n, state: Idle, over: map[uint32]bool{}, index: -1}
	return r
}

// resume takes up a transfer that was prepared by an earlier process.
func (r *receiver) resume(now Time, p Promise) {
	r.state, r.sender, r.transfer = Doubt, p.Sender, p.Transfer
	r.ann = &wire.Announce{Epoch: p.Epoch}
	r.verified = Verified{OK: true, Root: p.Root}
	r.rosterSum = p.Roster
	r.doubt, r.asked = now, now
	r.path.grtt = initialGRTT
	r.n.event(Event{Kind: EventDoubt, Epoch: p.Epoch, Text: "an earlier process had prepared this epoch: the others are asked whether they have committed"})
}

// stop ends the receiver: what is not prepared is dropped.
func (r *receiver) stop(now Time) {
	if r.active() && r.state < Prepared {
		r.toSender(&wire.Abort{Reason: wire.ReasonReceiver, Epoch: r.ann.Epoch, Text: "the receiver stops"})
		r.n.cfg.Store.Drop()
	}
}

func (r *receiver) active() bool { return r.state > Idle && r.state < Aborted }

// busyFor reports whether another transfer may not take the place of this one.
func (r *receiver) busy(id wire.NodeID) bool {
	switch {
	case !r.active() || r.state == Doubt || r.state == Result:
		return false
	case r.state >= Prepared:
		return true
	}
	return !id.Less(r.sender)
}

func (r *receiver) toSender(m wire.Message) {
	r.n.queue(r.senderAddr(), r.transfer, m)
}

func (r *receiver) senderAddr() netip.AddrPort {
	if r.ann == nil || !r.ann.Unicast.IsValid() {
		return group
	}
	return r.ann.Unicast
}

func (r *receiver) refuse(now Time, h *wire.Header, m *wire.Announce, why string) {
	if r.over[h.Transfer] {
		return
	}
	r.remember(h.Transfer)
	r.n.Counters.Old++
	r.n.event(Event{Kind: EventRefused, Epoch: m.Epoch, Sender: m.Name, Text: why})
	r.answerNeed(h.Transfer, m, needRefused, why)
}

func (r *receiver) remember(transfer uint32) {
	if len(r.over) > 4096 {
		r.over = map[uint32]bool{}
	}
	r.over[transfer] = true
}

// answerNeed sends a NEED that takes no part.
func (r *receiver) answerNeed(transfer uint32, m *wire.Announce, status uint8, why string) {
	n := need{status: status, epoch: r.n.cfg.Epoch, reason: why}
	r.n.queue(m.Unicast, transfer, &wire.Need{Parts: 1, Bytes: n.append()})
}

func (r *receiver) announce(now Time, h *wire.Header, m *wire.Announce) {
	if len(m.Targets) > 0 && !containsID(m.Targets, r.n.cfg.ID) {
		return
	}
	same := r.sender == h.Node && r.transfer == h.Transfer
	switch {
	case same && r.active():
		r.heard = now
		return
	case same || r.over[h.Transfer]:
		return
	case r.busy(h.Node):
		r.answerNeed(h.Transfer, m, needBusy, "busy with "+r.ann.Name)
		return
	case m.Flags&(wire.FlagDryRun|wire.FlagCheck) == 0 && r.n.cfg.ReadOnly:
		// It is told, and the sender counts it as read-only; a dry run it answers.
	case m.Epoch <= r.n.cfg.Epoch && m.Flags&(wire.FlagDryRun|wire.FlagCheck) == 0:
		r.n.Counters.Old++
		r.answerNeed(h.Transfer, m, needRefused, "the epoch is not newer than the one committed here")
		return
	}
	if r.active() && r.state < Prepared {
		r.toSender(&wire.Abort{Reason: wire.ReasonReceiver, Epoch: r.ann.Epoch, Text: "another sender goes first"})
		r.n.cfg.Store.Drop()
		r.remember(r.transfer)
	} else if r.active() && r.state == Doubt {
		r.finish(now, Aborted, "a newer epoch was announced")
	}
	*r = receiver{n: r.n, state: Manifest, over: r.over, index: -1, sender: h.Node, transfer: h.Transfer, ann: m, heard: now, lastDrops: r.lastDrops}
	for i := 0; i < 16; i += 8 {
		binary.BigEndian.PutUint64(r.nonce[i:], r.n.cfg.Rand())
	}
	for i := range r.objects {
		r.objects[i] = newInObject(uint8(i), int(m.Symbol))
	}
	r.objects[wire.ObjectManifest].setSize(m.Manifest)
	r.path = path{grtt: max(minGRTT, time.Duration(m.GRTT)*time.Microsecond), group: m.Group, offset: now - Time(m.Clock), echo: m.Clock, echoAt: now}
	if m.Manifest == 0 {
		r.fail(now, "the manifest is empty")
	}
}

func containsID(list []wire.NodeID, id wire.NodeID) bool {
	for i := range list {
		if list[i] == id {
			return true
		}
	}
	return false
}

// ours reports whether a packet belongs to the transfer.
func (r *receiver) ours(h *wire.Header) bool {
	return r.active() && h.Transfer == r.transfer && h.Node == r.sender
}

// earlyLimit bounds the symbols of content that are kept before the layout is known.
const (
	earlyLimit  = 16 << 20
	earlyBlocks = 1024
)

// data takes a DATA packet.
func (r *receiver) data(now Time, h *wire.Header, d *wire.Data) {
	if !r.ours(h) {
		return
	}
	r.heard = now
	p := &r.path
	p.received++
	if d.Seq > p.highest {
		if d.Seq > p.highest+1 && p.highest != 0 {
			p.events.lost(now, d.Seq-p.highest-1, p.grtt)
		}
		p.events.got(d.Seq - p.highest)
		p.highest = d.Seq
	}
	if r.state > Content && !(r.state == Verify) {
		return
	}
	o := r.objects[d.Object]
	if d.Object == wire.ObjectContent && !r.layout {
		if r.state < Need || r.early+len(d.Payload) > earlyLimit || d.Block >= earlyBlocks {
			return
		}
		r.early += len(d.Payload)
	}
	if d.Object == wire.ObjectContent && !r.n.cfg.Store.Room() {
		return
	}
	fresh, full := o.take(d)
	if fresh && d.Object == wire.ObjectContent {
		r.n.cfg.Store.Symbol(d.Block, d.Symbol, d.K, d.Payload)
		if full {
			r.blockDone(now, d.Block)
		}
	} else if fresh && o.store(d, full, r.n.cfg.Immutable) {
		r.objectDone(now, d.Object)
		return
	}
	if fresh && !full && o.st[d.Block].lack {
		o.touch(d.Block, now+int64(max(5*time.Millisecond, 2*p.grtt)))
	}
	// Two blocks further on, a block is closed.
	if d.Flags&wire.DataRepair == 0 && d.Block >= 2 && (r.layout || d.Object != wire.ObjectContent) && d.Block-1 > o.closed {
		r.close(now, o, d.Block-1)
	}
}

func (r *receiver) blockDone(now Time, block uint32) {
	if !r.layout {
		r.pending = append(r.pending, block)
		return
	}
	r.n.cfg.Store.Complete(block)
	r.done += uint64(r.objects[wire.ObjectContent].k(block)) * uint64(r.ann.Symbol)
	r.checkContent(now)
}

// close tells an object how far the sender is; what is lacking is asked for: soon in
// a small group, after a random time in a large one, so that one asks for all (RFC
// 5740, 5.3).
func (r *receiver) close(now Time, o *inObject, high uint32) {
	first := o.closeUpTo(high)
	if first == len(o.lacks) {
		return
	}
	at := now + int64(2*time.Millisecond)
	if r.path.group > smallGroup {
		at = now + r.backoff(o.lacks[first:], o)
	}
	for i := first; i < len(o.lacks); i++ {
		o.lacks[i].next = at
	}
	r.askAt(at)
}

// askAt sets the time of the next NACK, or brings it forward.
func (r *receiver) askAt(at Time) {
	if r.nack == 0 || at < r.nack {
		r.nack = at
	}
}

// backoff is shorter for who lacks most: its NACK silences the others.
func (r *receiver) backoff(lacks []lack, o *inObject) Time {
	worst := uint8(1)
	for _, l := range lacks {
		worst = max(worst, o.deficit(l.block))
	}
	t := 4 * float64(r.path.grtt) / float64(min(worst, 4))
	l := math.Log(float64(r.path.group)) + 1
	x := r.n.float()*l/t + l/(t*(math.Exp(l)-1))
	return max(0, Time(t/l*math.Log(x*(math.Exp(l)-1)*t/l)))
}

func (r *receiver) objectDone(now Time, object uint8) {
	o := r.objects[object]
	switch object {
	case wire.ObjectManifest:
		if r.state != Manifest {
			return
		}
		if sha256.Sum256(o.bytes()) != r.ann.Digest {
			r.fail(now, "the manifest does not have the digest that was announced")
			return
		}
		r.state = Compare
		r.n.cfg.Store.Compare(r.ann, o.bytes())
	case wire.ObjectLayout:
		r.takeLayout(now, o.bytes())
	case wire.ObjectSeal:
		r.checkContent(now)
	}
}

// takeLayout reads who takes part, and which ranges come.
func (r *receiver) takeLayout(now Time, b []byte) {
	if r.state != Need {
		return
	}
	roster, rest, ok := cutRoster(b)
	set, rest, err := ranges.Parse(rest, wire.MaxObject)
	if !ok || err != nil || len(rest) > 0 {
		r.fail(now, "the layout makes no sense")
		return
	}
	own := rosterMark(r.n.cfg.ID, r.nonce)
	for i := 0; i < len(roster); i += rosterEntry {
		if bytes.Equal(roster[i:i+rosterEntry], own[:]) {
			r.index = i / rosterEntry
		}
	}
	if r.index < 0 {
		r.fail(now, "the transfer began without this host: its answer was late")
		return
	}
	r.rosterSum = sha256.Sum256(roster)
	r.setLayout(now, set)
}

// rosterEntry is the size of a rosterMark.
const rosterEntry = 8

// rosterMark names a member and its nonce: a recorded transfer holds marks that no
// new process has.
func rosterMark(id wire.NodeID, nonce wire.Nonce) [rosterEntry]byte {
	sum := sha256.Sum256(append(id[:], nonce[:]...))
	return [rosterEntry]byte(sum[:])
}

// cutRoster cuts the roster off a layout: a count of 4 bytes and the entries.
func cutRoster(b []byte) (roster, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := binary.BigEndian.Uint32(b)
	if n > wire.MaxRoster || int(n)*rosterEntry > len(b)-4 {
		return nil, nil, false
	}
	return b[4 : 4+n*rosterEntry], b[4+n*rosterEntry:], true
}

func (r *receiver) setLayout(now Time, set ranges.Set) {
	if len(r.need.Minus(set)) > 0 {
		r.fail(now, "the layout leaves out what this host needs")
		return
	}
	r.layout = true
	m := ranges.NewMap(set)
	r.content = m.Size()
	wanted := m.Stream(r.need)
	r.mine = wanted.Len()
	o := r.objects[wire.ObjectContent]
	per := uint64(o.symbol) * wire.K
	o.skip = func(b uint32) bool {
		return !wanted.Intersects(ranges.Range{Start: uint64(b) * per, End: uint64(b+1) * per})
	}
	o.setSize(r.content)
	r.n.cfg.Store.Open(set, o.symbol)
	pending := r.pending
	r.pending = nil
	for _, b := range pending {
		if b < o.blocks {
			r.n.cfg.Store.Complete(b)
		}
	}
	r.state = Content
	r.checkContent(now)
}

// checkContent moves on once content and seal are there.
func (r *receiver) checkContent(now Time) {
	c, s := r.objects[wire.ObjectContent], r.objects[wire.ObjectSeal]
	if r.state != Content || !s.complete() || r.content > 0 && !c.complete() {
		return
	}
	r.state = Verify
	r.n.cfg.Store.Verify(s.bytes(), Promise{Sender: r.sender, Transfer: r.transfer, Epoch: r.ann.Epoch, Roster: r.rosterSum})
}

// Compared is the answer to Store.Compare.
func (n *Node) Compared(now Time, transfer uint32, c Compared) {
	r := n.recv
	if r == nil || r.transfer != transfer || r.state != Compare {
		return
	}
	m := need{status: needTakesPart, nonce: r.nonce, epoch: n.cfg.Epoch, holds: c.Holds, set: c.Need, reason: c.Refused}
	spread := n.rand(time.Duration(r.path.group) * 20 * time.Microsecond)
	wait := max(50*time.Millisecond, 2*r.path.grtt, time.Duration(r.path.group)*50*time.Microsecond)
	r.state = Need
	switch {
	case r.ann.Flags&(wire.FlagDryRun|wire.FlagCheck) != 0:
		m.status, m.set = needAnswer, nil
		res := result{ok: c.Refused == "", text: c.Refused, bytes: c.Results}
		r.answers = newUpload(wire.TypeResult, res.append(), now+spread, wait)
		r.state = Result
		r.result = now + int64(commitTimeout)
	case n.cfg.ReadOnly:
		m.status, m.set = needReadOnly, nil
		res := result{ok: true, bytes: c.Results}
		r.answers = newUpload(wire.TypeResult, res.append(), now+spread, wait)
		r.state = Result
		r.result = now + int64(commitTimeout)
	case c.Refused != "":
		m.status, m.set = needRefused, nil
	}
	r.need = m.set
	r.up = newUpload(wire.TypeNeed, m.append(), now+spread, wait)
	if m.status == needRefused {
		r.state = Result
		r.result = now + int64(2*time.Second)
		n.event(Event{Kind: EventRefused, Epoch: r.ann.Epoch, Sender: r.ann.Name, Text: c.Refused})
		n.cfg.Store.Drop()
	}
	r.poll(now)
}

// Verified is the answer to Store.Verify.
func (n *Node) Verified(now Time, transfer uint32, v Verified) {
	r := n.recv
	if r == nil || r.transfer != transfer || r.state != Verify {
		return
	}
	if !v.OK && len(v.Again) > 0 {
		o := r.objects[wire.ObjectContent]
		per := uint64(o.symbol) * wire.K
		for b := range o.blocks {
			if v.Again.Intersects(ranges.Range{Start: uint64(b) * per, End: uint64(b+1) * per}) {
				o.reopen(now, b)
			}
		}
		r.state = Content
		r.askAt(now)
		return
	}
	r.verified = v
	if v.OK {
		r.state = Prepared
	}
	r.readied = false
	r.wait = max(20*time.Millisecond, 4*r.path.grtt)
	r.ready = now + n.rand(time.Duration(r.path.group)*50*time.Microsecond)
	r.heard = now
	if r.ready == now {
		r.sendReady(now)
	}
}

func (r *receiver) sendReady(now Time) {
	m := &wire.Ready{Root: r.verified.Root, Failed: r.verified.Failed, Text: r.verified.Text}
	if !r.verified.OK {
		m.Status = 1
	}
	r.toSender(m)
	r.ready = now + int64(r.wait)
	r.wait = min(2*r.wait, 500*time.Millisecond)
}

// handle takes what a sender says beside DATA.
func (r *receiver) handle(now Time, h *wire.Header, m wire.Message) {
	if !r.ours(h) {
		return
	}
	r.heard = now
	switch m := m.(type) {
	case *wire.States:
		r.takeStates(now, m)
	case *wire.Heartbeat:
		r.heartbeat(now, m)
	case *wire.Commit:
		r.takeCommit(now, m)
	case *wire.Ack:
		if r.up != nil && m.Of == wire.TypeNeed {
			r.up.ack(now, m, r.toSender)
		}
		if r.answers != nil && m.Of == wire.TypeResult {
			r.answers.ack(now, m, r.toSender)
			if r.answers.done() {
				r.settled(now)
			}
		}
	}
}

func (r *receiver) takeStates(now Time, m *wire.States) {
	known, set := m.Seen(r.index)
	if r.index < 0 || !known || !set {
		return
	}
	switch m.What {
	case wire.StatesReady:
		r.readied = true
	case wire.StatesDone:
		if r.state == Result {
			r.settled(now)
		}
	case wire.StatesOut:
		if r.state <= Prepared {
			r.fail(now, "the sender has taken this host out of the transfer")
		}
	}
}

// fail ends the transfer without a commit.
func (r *receiver) fail(now Time, why string) {
	if r.state < Prepared {
		r.n.cfg.Store.Drop()
	}
	r.finish(now, Aborted, why)
}

func (r *receiver) finish(now Time, s State, why string) {
	r.remember(r.transfer)
	r.state = s
	if s == Aborted {
		r.n.event(Event{Kind: EventAborted, Epoch: r.ann.Epoch, Sender: r.ann.Name, Text: why})
	}
	for i := range r.objects {
		r.objects[i] = nil
	}
	r.up, r.answers, r.need, r.pending = nil, nil, nil, nil
	if s != Doubt {
		r.state = Idle
	}
}

// settled ends a transfer whose result the sender has.
func (r *receiver) settled(now Time) {
	if r.state != Result {
		return
	}
	r.n.event(Event{Kind: EventSettled, Epoch: r.ann.Epoch, Sender: r.ann.Name})
	r.finish(now, Idle, "")
}

func (r *receiver) heartbeat(now Time, m *wire.Heartbeat) {
	p := &r.path
	p.offsets[p.at] = now - Time(m.Clock)
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
	// A queue delays every heartbeat, a busy host some: the least of the last four.
	recent := now - Time(m.Clock)
	for i := 1; i <= min(4, n); i++ {
		recent = min(recent, p.offsets[(p.at-i+len(p.offsets))%len(p.offsets)])
	}
	p.delay = recent - low
	p.offset = low
	p.echo, p.echoAt = m.Clock, now
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
		r.fail(now, "the transfer had begun before this host came")
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

func (r *receiver) takeCommit(now Time, m *wire.Commit) {
	if r.state != Prepared && r.state != Doubt {
		return
	}
	if !r.acceptable(m) {
		return
	}
	r.commit = m
	// The commit's own clock is the freshest look at the sender's.
	offset := min(r.path.offset, now-Time(m.Clock))
	if r.path.offset == 0 {
		offset = now - Time(m.Clock)
	}
	r.path.offset = offset
	at := Time(m.At) + offset
	if at <= now || at > now+int64(10*time.Second) {
		r.flip(now)
		return
	}
	r.state, r.flipAt = Flip, at
}

// acceptable reports whether a commit is for what was prepared here.
func (r *receiver) acceptable(m *wire.Commit) bool {
	if m.Epoch != r.ann.Epoch || m.Root != r.verified.Root || m.Roster != r.rosterSum {
		return false
	}
	if len(r.n.cfg.Trust) > 0 && !wire.Trusted(m, r.n.cfg.Trust, r.sender, r.transfer) {
		r.n.Counters.Unsigned++
		return false
	}
	return true
}

func (r *receiver) flip(now Time) {
	r.state, r.flipAt = Flip, 0
	r.flipped = now
	r.n.cfg.Store.Commit()
}

// Committed is the answer to Store.Commit.
func (n *Node) Committed(now Time, transfer uint32, flipped Time, c Committed) {
	r := n.recv
	if r == nil || r.transfer != transfer || r.state != Flip {
		return
	}
	n.cfg.Epoch, n.cfg.Root = r.ann.Epoch, r.verified.Root
	if r.commit != nil {
		n.ask = &decision{sender: r.sender, transfer: r.transfer, epoch: r.ann.Epoch, state: wire.AnswerCommitted, commit: *r.commit}
	}
	kind := EventCommitted
	if !c.OK {
		kind = EventAborted
	}
	n.event(Event{Kind: kind, Epoch: r.ann.Epoch, Sender: r.ann.Name, Text: c.Text})
	res := result{ok: c.OK, atomic: c.Atomic, flipped: uint64(max(0, flipped-r.path.offset)), text: c.Text, bytes: c.Results}
	wait := max(20*time.Millisecond, 4*r.path.grtt, time.Duration(r.path.group)*50*time.Microsecond)
	r.answers = newUpload(wire.TypeResult, res.append(), now+n.rand(time.Duration(r.path.group)*50*time.Microsecond), wait)
	r.state = Result
	r.result = now + int64(commitTimeout)
	r.poll(now)
}

func (r *receiver) abort(now Time, h *wire.Header, m *wire.Abort) {
	if !r.ours(h) || r.state >= Flip && r.state != Doubt && r.state != Prepared {
		return
	}
	r.n.ask = &decision{sender: r.sender, transfer: r.transfer, epoch: r.ann.Epoch, state: wire.AnswerAborted, abort: *m}
	if r.state == Prepared || r.state == Doubt {
		r.n.cfg.Store.Drop()
	}
	r.fail(now, "the sender has given up: "+m.Text)
}

func (r *receiver) end(now Time, h *wire.Header) {
	if !r.ours(h) {
		return
	}
	switch {
	case r.state == Result:
		r.settled(now)
	case r.state < Prepared:
		r.fail(now, "the transfer is over, and this host was not part of its end")
	}
}

func (r *receiver) senderLeft(now Time, id wire.NodeID) {
	if !r.active() || id != r.sender {
		return
	}
	switch {
	case r.state == Result:
		r.settled(now)
	case r.state == Prepared:
		r.enterDoubt(now)
	case r.state < Prepared:
		r.fail(now, "the sender has left")
	}
}

func (r *receiver) enterDoubt(now Time) {
	r.state, r.doubt, r.asked = Doubt, now, now
	r.n.event(Event{Kind: EventDoubt, Epoch: r.ann.Epoch, Sender: r.ann.Name,
		Text: "everything is here and the sender is silent: the old tree stays, and the others are asked"})
}

// answer takes what a peer knows of the transfer in doubt.
func (r *receiver) answer(now Time, m *wire.Answer) {
	if r.state != Doubt || m.Sender != r.sender || m.Transfer != r.transfer || m.Epoch != r.ann.Epoch {
		return
	}
	switch m.State {
	case wire.AnswerCommitted:
		if c := m.Commit; r.acceptable(&c) {
			r.commit = &c
			r.flip(now)
		}
	case wire.AnswerAborted:
		if len(r.n.cfg.Trust) > 0 && !wire.Trusted(&m.Abort, r.n.cfg.Trust, r.sender, r.transfer) {
			r.n.Counters.Unsigned++
			return
		}
		r.n.cfg.Store.Drop()
		r.finish(now, Aborted, "the others have heard that the sender gave up")
	}
}

// overheard is a NACK of another receiver.
func (r *receiver) overheard(now Time, h *wire.Header, m *wire.Nack) {
	if !r.active() || h.Transfer != r.transfer || r.path.group <= smallGroup {
		return
	}
	if o := r.objects[m.Object]; o != nil {
		o.hush(m.Lacks, now+int64(max(10*time.Millisecond, 6*r.path.grtt))+r.backoff(nil, o))
	}
}

func (r *receiver) sendNacks(now Time) {
	next := never
	wait := max(10*time.Millisecond, 2*r.path.grtt)
	if r.path.group > smallGroup {
		wait = max(10*time.Millisecond, 6*r.path.grtt)
	}
	var list []wire.Lack
	for i, o := range r.objects {
		if o == nil || len(o.lacks) == 0 || uint8(i) == wire.ObjectContent && r.state < Need {
			continue
		}
		var at Time
		again := wait
		if r.path.group > smallGroup {
			again += time.Duration(r.backoff(nil, o))
		}
		list, at = o.due(now, again, list[:0])
		next = min(next, at)
		if len(list) == 0 {
			continue
		}
		m := &wire.Nack{Object: uint8(i), Seen: r.path.highest, Echo: r.path.echo, Held: uint32((now - r.path.echoAt) / 1000), Lacks: append([]wire.Lack(nil), list...)}
		if r.path.group <= smallGroup {
			r.toSender(m)
		} else {
			r.n.queue(group, r.transfer, m)
		}
	}
	r.nack = 0
	if next != never {
		r.nack = next
	}
}

func (r *receiver) poll(now Time) {
	if !r.active() {
		return
	}
	if r.nack != 0 && now >= r.nack && r.state < Prepared {
		r.sendNacks(now)
	}
	if r.path.report != 0 && now >= r.path.report && r.state < Prepared {
		r.sendReport(now)
	}
	if r.up != nil {
		r.up.poll(now, r.toSender)
	}
	if r.answers != nil {
		r.answers.poll(now, r.toSender)
	}
	if r.ready != 0 && now >= r.ready && !r.readied && (r.state == Prepared || r.state == Verify) {
		r.sendReady(now)
	}
	switch {
	case r.state == Flip && r.flipAt != 0 && now >= r.flipAt:
		r.flip(now)
	case r.state == Result && now >= r.result:
		r.settled(now)
	case r.state == Prepared && now-r.heard > int64(doubtAfter):
		r.enterDoubt(now)
	case r.state < Prepared && now-r.heard > int64(senderTimeout):
		r.fail(now, fmt.Sprintf("nothing came from %s for %v in state %v", r.ann.Name, senderTimeout, r.state))
	case r.state == Doubt && now >= r.asked:
		r.n.queue(group, 0, &wire.Ask{Sender: r.sender, Transfer: r.transfer, Epoch: r.ann.Epoch, Unicast: r.n.cfg.Unicast})
		r.asked = now + int64(time.Second)*3/4 + r.n.rand(500*time.Millisecond)
	}
}

func (r *receiver) next() Time {
	if !r.active() {
		return never
	}
	next := never
	at := func(t Time) {
		if t != 0 {
			next = min(next, t)
		}
	}
	if r.state < Prepared {
		at(r.nack)
		at(r.path.report)
		at(r.heard + int64(senderTimeout) + 1)
	}
	if r.up != nil && !r.up.done() {
		at(r.up.next)
	}
	if r.answers != nil && !r.answers.done() {
		at(r.answers.next)
	}
	switch r.state {
	case Prepared, Verify:
		if !r.readied {
			at(r.ready)
		}
		if r.state == Prepared {
			at(r.heard + int64(doubtAfter) + 1)
		}
	case Flip:
		at(r.flipAt)
	case Result:
		at(r.result)
	case Doubt:
		at(r.asked)
	}
	return next
}

func (r *receiver) status(now Time, s *wire.Status) {
	s.State = uint8(r.state)
	if !r.active() {
		return
	}
	s.Peer, s.Done, s.Total = r.sender, min(r.done, r.mine), r.mine
	s.Loss = uint32(r.path.loss() * 1e6)
	backlog, _, drops := r.n.cfg.Store.Load()
	s.Backlog, s.Drops = backlog, uint64(drops)
	s.Detail = fmt.Sprintf("epoch %d from %s, last heard %v ago", r.ann.Epoch, r.ann.Name, time.Duration(now-r.heard).Round(time.Millisecond))
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
