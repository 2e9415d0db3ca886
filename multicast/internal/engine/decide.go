package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"dougu.internal/multicast/internal/wire"
)

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

func (s *Send) takeReady(now Time, p *sendPeer, m *wire.Ready) {
	if !p.active() || p.ready || s.state != Stream && s.state != Sealing {
		return
	}
	if m.Status != 0 {
		s.lose(now, p, HostFailed, m.Text)
		return
	}
	if !s.sealed || m.Root != s.root {
		s.lose(now, p, HostFailed, "the host reports a different tree digest")
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
	if p.out && res.ok && s.out.Committed && (p.status == HostEvicted || p.status == HostSilent) {
		// It had not heard that it was out, and has taken the commit: it has the tree.
		p.done, p.status, p.text = true, HostCommitted, ""
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
		s.lose(now, p, HostLeft, fmt.Sprintf("the host left in state %v", s.state))
	}
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
