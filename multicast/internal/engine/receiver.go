package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
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

// busy reports whether another transfer may not take the place of this one. A sender
// that lives is heard many times a second.
func (r *receiver) busy(now Time, id wire.NodeID) bool {
	switch {
	case r.active() && r.state < Prepared && now-r.heard > int64(senderSilence):
		return false
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
	case r.busy(now, h.Node):
		r.answerNeed(h.Transfer, m, needBusy, "busy with "+r.ann.Name)
		return
	case m.Flags&(wire.FlagDryRun|wire.FlagCheck) == 0 && r.n.cfg.ReadOnly:
		// It is told, and the sender counts it as read-only; a dry run it answers.
	case m.Epoch > r.n.cfg.Epoch && m.Epoch-r.n.cfg.Epoch > epochReach && m.Flags&(wire.FlagDryRun|wire.FlagCheck) == 0:
		r.n.Counters.Old++
		r.answerNeed(h.Transfer, m, needRefused, fmt.Sprintf("the epoch %d is out of range: the last one here is %d", m.Epoch, r.n.cfg.Epoch))
		return
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
	r.path = path{grtt: max(minGRTT, time.Duration(m.GRTT)*time.Microsecond), group: m.Group, offset: r.n.arrived(now) - Time(m.Clock), echo: m.Clock, echoAt: now}
	if m.Manifest == 0 {
		r.fail(now, "the manifest is empty")
	}
}

func containsID(list []wire.NodeID, id wire.NodeID) bool {
	return slices.Contains(list, id)
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
		at := now + int64(r.patience(5*time.Millisecond, 2))
		o.touch(d.Block, at)
		r.askAt(at)
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
		r.fail(now, "the layout is invalid")
		return
	}
	own := rosterMark(r.n.cfg.ID, r.nonce)
	for i := 0; i < len(roster); i += rosterEntry {
		if bytes.Equal(roster[i:i+rosterEntry], own[:]) {
			r.index = i / rosterEntry
		}
	}
	if r.index < 0 {
		r.fail(now, "the transfer started without this host: its answer was late")
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
