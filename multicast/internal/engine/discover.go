package engine

import (
	"fmt"
	"slices"
	"time"

	"dougu.internal/multicast/internal/wire"
)

// joined notes that there is a new member.
func (s *Send) joined(now Time) {
	s.fresh = now
	s.look = min(s.look, now+int64(quietEnough))
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
	if s.attempts == 0 {
		s.yielded = now
	}
	// A host may be busy with a sender that is dead: it notices in senderTimeout.
	s.hold = now + s.n.rand(50*time.Millisecond) + int64(min(20*time.Millisecond<<min(s.attempts, 10), 500*time.Millisecond))
	s.queries, s.query, s.fresh = 0, s.hold, s.hold
	if s.attempts++; now-s.yielded > int64(busyLimit) {
		s.out.Err = ErrBusy
		s.finish(now)
	}
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
	s.look = now + int64(4*time.Millisecond)
	if now < s.hold {
		s.look, s.entered = s.hold, now
		return
	}
	if s.n.conflict(now, s.targetIDs()) && now-s.began < int64(busyLimit) {
		s.entered = now
		s.query = min(s.query, now+int64(100*time.Millisecond)) // the replies decide
		return
	}
	receivers := 0
	for _, m := range s.n.members {
		if s.n.proven(m) && m.Flags&wire.HelloReceives != 0 {
			receivers++
		}
	}
	waited := time.Duration(now - s.entered)
	quiet := time.Duration(now - s.fresh)
	switch {
	case s.opt.Catchup:
	case len(s.opt.Targets) > 0 && len(s.missingNames()) == 0 && receivers >= s.opt.Min && quiet >= quietMembers:
	case s.opt.Min > 0 && len(s.opt.Targets) == 0 && receivers >= s.opt.Min && quiet >= max(quietEnough, answerSpread(receivers)):
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
	names := s.n.Names()
	var ids []wire.NodeID
	for _, m := range s.n.members {
		if s.n.proven(m) && slices.ContainsFunc(s.opt.Targets, func(t string) bool { return m.called(t, names) }) {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// called reports whether a member has a name: its own, the one that tells it apart from
// others of that name, or its address.
func (m *Member) called(t string, names map[wire.NodeID]string) bool {
	return m.Name == t || names[m.ID] == t || m.Addr.Addr().String() == t
}

func (s *Send) missingNames() (list []string) {
	names := s.n.Names()
	for _, name := range s.opt.Targets {
		found := false
		for _, m := range s.n.members {
			found = found || s.n.proven(m) && m.Flags&wire.HelloReceives != 0 && m.called(name, names)
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
	limit := s.n.epochLimit()
	for _, m := range s.n.members {
		if m.Epoch > limit || !s.opt.Catchup && !s.n.proven(m) || m.Flags&wire.HelloReceives == 0 || len(ids) > 0 && !slices.Contains(ids, m.ID) || len(s.peers) >= wire.MaxRoster {
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

// epochLimit is the largest epoch of a member that is believed: others would refuse what
// follows it.
func (n *Node) epochLimit() uint64 {
	least := uint64(never)
	for _, m := range n.members {
		if n.proven(m) && m.Flags&wire.HelloReceives != 0 {
			least = min(least, m.Epoch)
		}
	}
	return min(least, uint64(never)-epochReach) + epochReach - 1
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
	p.late, p.out, p.status, p.text, p.ended = true, true, HostLate, "host joined after the transfer started", s.state
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
			if n.epoch >= s.epoch && n.epoch <= s.n.epochLimit() && s.state == Gather && s.attempts < 20 {
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
