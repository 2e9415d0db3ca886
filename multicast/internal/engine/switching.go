package engine

import (
	"time"

	"dougu.internal/multicast/internal/ranges"
	"dougu.internal/multicast/internal/wire"
)

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

func (r *receiver) takeCommit(now Time, m *wire.Commit) {
	if r.state != Prepared && r.state != Doubt {
		return
	}
	if !r.acceptable(m) {
		return
	}
	r.commit = m
	// The commit's own clock is the freshest look at the sender's.
	offset := r.n.arrived(now) - Time(m.Clock)
	if r.path.offset != 0 {
		offset = min(offset, r.path.offset)
	}
	r.path.offset = offset
	at := Time(m.At) + offset
	if at <= now || at > now+int64(10*time.Second) {
		r.flip(now)
		return
	}
	r.state, r.flipAt = Flip, at
	if p, ok := r.n.cfg.Store.(Punctual); ok {
		r.flipAt, r.flipped = 0, at
		p.CommitAt(at)
	}
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
