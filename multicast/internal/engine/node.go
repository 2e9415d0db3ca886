package engine

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"time"

	"dougu.internal/multicast/internal/wire"
)

// Node is one member of a group.
type Node struct {
	cfg     Config
	number  uint64
	out     []Out
	events  []Event
	members map[wire.NodeID]*Member
	foreign map[foreignKey]*foreign

	send *Send
	recv *receiver

	// Timers.
	hello     Time
	helloLeft int
	sweep     Time
	answerAt  Time // answer to a QUERY
	answers   []answer
	ask       *decision // what is known of the last transfer

	// Arrival is when the packet that Handle gets came to this host, where the caller
	// knows better than now; 0: now.
	Arrival Time
	// Rested is for how long the caller has not read by intention: of a wait before
	// Arrival's reading, that much says nothing of a busy host.
	Rested time.Duration

	strangers map[wire.NodeID]*Member // of other versions: nothing of them is authenticated
	nonce     uint64                  // of the QUERY that members answer
	refuseAt  Time
	Counters  Counters
}

// Counters count what was not taken.
type Counters struct {
	Unknown, Malformed, Unsigned, Old, Storms uint64
}

type foreignKey struct {
	node     wire.NodeID
	transfer uint32
}

// answer is owed to the sender of a QUERY.
type answer struct {
	what  uint8
	to    netip.AddrPort
	nonce uint64
}

// foreign is a transfer of another sender.
type foreign struct {
	first   Time
	last    Time
	targets []wire.NodeID
}

// NewNode returns a node that begins its life at now.
func NewNode(now Time, c Config) *Node {
	if c.MaxMembers == 0 {
		c.MaxMembers = wire.MaxRoster
	}
	n := &Node{cfg: c, members: map[wire.NodeID]*Member{}, foreign: map[foreignKey]*foreign{}, strangers: map[wire.NodeID]*Member{}}
	if !c.Quiet {
		n.hello, n.helloLeft = now, 3
	}
	n.sweep = now + int64(time.Second)
	if c.Store != nil {
		n.recv = newReceiver(n)
		if p := c.Prepared; p != nil {
			n.recv.resume(now, *p)
		}
	}
	return n
}

// StartReceiving makes the node a receiver.
func (n *Node) StartReceiving(now Time, s Store, readOnly bool, epoch uint64, root [32]byte, p *Promise) {
	n.cfg.Store, n.cfg.Receives, n.cfg.ReadOnly, n.cfg.Epoch, n.cfg.Root = s, true, readOnly, epoch, root
	n.recv = newReceiver(n)
	if p != nil {
		n.recv.resume(now, *p)
	}
	if !n.cfg.Quiet {
		n.hello, n.helloLeft = now, 3
	}
}

// StopReceiving ends that. A transfer that is not prepared is dropped.
func (n *Node) StopReceiving(now Time) {
	if n.recv != nil {
		n.recv.stop(now)
	}
	n.recv, n.cfg.Receives, n.cfg.Store = nil, false, nil
	n.hello, n.helloLeft = now, 1
}

// Take returns the packets to be sent, in order. They are the caller's until the
// next call of any method.
func (n *Node) Take() []Out {
	out := n.out
	n.out = n.out[:0]
	return out
}

// Events returns what happened since the last call.
func (n *Node) Events() []Event {
	e := n.events
	n.events = nil
	return e
}

// Members returns the other nodes, by name and id.
func (n *Node) Members() []Member {
	list := make([]Member, 0, len(n.members))
	for _, m := range n.members {
		list = append(list, *m)
	}
	for id, m := range n.strangers {
		if n.members[id] == nil {
			list = append(list, *m)
		}
	}
	slices.SortFunc(list, func(a, b Member) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), slices.Compare(a.ID[:], b.ID[:]))
	})
	return list
}

// Names returns what each member is called: those that share a name get #2, #3 and so
// on, in the order of their ids.
func (n *Node) Names() map[wire.NodeID]string {
	list := make([]*Member, 0, len(n.members))
	taken := map[string]bool{}
	for _, m := range n.members {
		list = append(list, m)
		taken[m.Name] = true
	}
	slices.SortFunc(list, func(a, b *Member) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), slices.Compare(a.ID[:], b.ID[:]))
	})
	names := make(map[wire.NodeID]string, len(list))
	for i, m := range list {
		names[m.ID] = m.Name
		if i == 0 || list[i-1].Name != m.Name {
			continue
		}
		for k := 2; ; k++ {
			if name := fmt.Sprintf("%s#%d", m.Name, k); !taken[name] {
				names[m.ID], taken[name] = name, true
				break
			}
		}
	}
	return names
}

// Epoch returns the last committed epoch.
func (n *Node) Epoch() uint64 { return n.cfg.Epoch }

func (n *Node) rand(limit time.Duration) Time {
	if limit <= 0 {
		return 0
	}
	return int64(n.cfg.Rand() % uint64(limit))
}

func (n *Node) float() float64 { return float64(n.cfg.Rand()>>11) / (1 << 53) }

// queue adds a packet.
func (n *Node) queue(to netip.AddrPort, transfer uint32, m wire.Message) {
	n.number++
	n.out = append(n.out, Out{To: to, Number: n.number, Transfer: transfer, Msg: m})
}

// Streaming reports whether a transfer is received whose content is not sent once yet:
// what comes is worth more in large portions than at once.
func (n *Node) Streaming() bool {
	r := n.recv
	if r == nil || !r.active() || !r.layout || r.state > Content {
		return false
	}
	o := r.objects[wire.ObjectContent]
	return o != nil && o.closed+lastBlocks+2 < o.blocks
}

// arrived is when the packet at hand came.
func (n *Node) arrived(now Time) Time {
	if n.Arrival != 0 {
		return n.Arrival
	}
	return now
}

func (n *Node) event(e Event) { n.events = append(n.events, e) }

var group netip.AddrPort

// Handle takes a packet that was opened and decoded. Nothing of m is kept but what
// decoding has allocated for it.
func (n *Node) Handle(now Time, from netip.AddrPort, h *wire.Header, m wire.Message) {
	if h.Node == n.cfg.ID {
		return
	}
	if d, ok := m.(*wire.Data); ok {
		if n.recv != nil {
			n.recv.data(now, h, d)
		}
		return
	}
	switch m := m.(type) {
	case *wire.Hello:
		n.handleHello(now, from, h, m)
	case *wire.Bye:
		n.handleBye(now, h)
	case *wire.Query:
		n.handleQuery(now, from, m)
	case *wire.Status:
		n.handleStatus(now, h, m)
	case *wire.Announce:
		if asked(from, m.Unicast) {
			n.handleAnnounce(now, h, m)
		}
	case *wire.Ask:
		if asked(from, m.Unicast) {
			n.handleAsk(h, m)
		}
	case *wire.Answer:
		if n.recv != nil {
			n.recv.answer(now, m)
		}
	case *wire.Abort:
		n.handleAbort(now, h, m)
	case *wire.End:
		delete(n.foreign, foreignKey{h.Node, h.Transfer})
		if n.recv != nil {
			n.recv.end(now, h)
		}
	case *wire.Nack:
		if n.send != nil && n.send.id == h.Transfer {
			n.send.handle(now, h, m)
		} else if n.recv != nil {
			n.recv.overheard(now, h, m)
		}
	case *wire.States, *wire.Heartbeat, *wire.Commit, *wire.Ack:
		n.heardForeign(now, h, nil)
		if n.recv != nil {
			n.recv.handle(now, h, m)
		}
	default: // NEED, REPORT, READY, RESULT
		if n.send != nil && n.send.id == h.Transfer {
			n.send.handle(now, h, m)
		}
	}
}

func (n *Node) handleHello(now Time, from netip.AddrPort, h *wire.Header, m *wire.Hello) {
	if !n.cfg.Track && n.send == nil {
		return
	}
	known := n.members[h.Node]
	if known == nil {
		if len(n.members) >= n.cfg.MaxMembers {
			return
		}
		known = &Member{ID: h.Node}
		n.members[h.Node] = known
	}
	fresh := known.Heard == 0
	addr := m.Unicast
	if !addr.Addr().IsValid() || addr.Addr().IsUnspecified() {
		addr = from
	}
	*known = Member{ID: h.Node, Name: m.Name, Addr: addr, Flags: m.Flags, Version: m.Version, State: State(m.State), Epoch: m.Epoch, Heard: now, proof: known.proof}
	if n.nonce != 0 && m.Echo == n.nonce && known.proof != n.nonce {
		known.proof = n.nonce
		if !fresh && n.send != nil {
			n.send.joined(now)
		}
	}
	if fresh {
		n.event(Event{Kind: EventJoined, Member: *known})
		if n.send != nil {
			n.send.joined(now)
		}
	}
}

func (n *Node) handleBye(now Time, h *wire.Header) {
	if m := n.members[h.Node]; m != nil {
		delete(n.members, h.Node)
		n.event(Event{Kind: EventLeft, Member: *m})
	}
	for k := range n.foreign {
		if k.node == h.Node {
			delete(n.foreign, k)
		}
	}
	if n.send != nil {
		n.send.left(now, h.Node)
	}
	if n.recv != nil {
		n.recv.senderLeft(now, h.Node)
	}
}

// asked reports whether a packet came from the address at which it wants its answer:
// nothing is sent to an address that has not asked.
func asked(from, unicast netip.AddrPort) bool {
	return !from.IsValid() || !unicast.IsValid() || unicast.Addr().IsUnspecified() || from == unicast
}

func (n *Node) handleQuery(now Time, from netip.AddrPort, m *wire.Query) {
	a := answer{m.What, m.Unicast, m.Nonce}
	if m.What != wire.QueryMembers && m.What != wire.QueryStatus || !asked(from, m.Unicast) || slices.Contains(n.answers, a) || len(n.answers) >= maxAnswers {
		return
	}
	n.answers = append(n.answers, a)
	if n.answerAt == 0 {
		n.answerAt = now + n.rand(answerSpread(int(max(m.Group, uint32(len(n.members))))))
	}
}

// answerSpread is within which time the members of a group answer a QUERY.
func answerSpread(group int) time.Duration {
	return min(200*time.Millisecond, time.Duration(group)*200*time.Microsecond)
}

func (n *Node) sendAnswers(now Time) {
	n.answerAt = 0
	for _, a := range n.answers {
		if a.what == wire.QueryMembers {
			m := n.makeHello()
			m.Echo = a.nonce
			n.queue(a.to, 0, m)
			continue
		}
		s := n.Status(now)
		n.queue(a.to, 0, &s)
	}
	n.answers = n.answers[:0]
}

// proven reports whether a member has answered the QUERY of the transfer: a recorded
// HELLO does not prove that a node exists.
func (n *Node) proven(m *Member) bool { return m.proof == n.nonce }

// Status returns what the node itself is doing.
func (n *Node) Status(now Time) wire.Status {
	s := wire.Status{State: uint8(Idle), Name: n.cfg.Name}
	switch {
	case n.send != nil:
		n.send.status(now, &s)
	case n.recv != nil:
		n.recv.status(now, &s)
	}
	return s
}

func (n *Node) makeHello() *wire.Hello {
	m := &wire.Hello{State: uint8(Idle), Unicast: n.cfg.Unicast, Epoch: n.cfg.Epoch, Root: n.cfg.Root, Group: uint32(len(n.members) + 1), Name: n.cfg.Name, Version: n.cfg.Version}
	if n.cfg.Receives {
		m.Flags |= wire.HelloReceives
	}
	if n.cfg.ReadOnly {
		m.Flags |= wire.HelloReadOnly
	}
	if len(n.cfg.Trust) > 0 {
		m.Flags |= wire.HelloSigned
	}
	if n.send != nil {
		m.Flags |= wire.HelloSends
		m.State = uint8(n.send.state)
	}
	if n.recv != nil {
		m.State = uint8(n.recv.state)
	}
	return m
}

// statusReplies is filled by STATUS answers.
func (n *Node) handleStatus(now Time, h *wire.Header, m *wire.Status) {
	n.event(Event{Kind: eventStatus, Member: Member{ID: h.Node, Name: m.Name, State: State(m.State), Heard: now}, Text: m.Detail, status: m})
}

// QueryStatus asks every node what it is doing. The answers are events: see
// Event.Status.
func (n *Node) QueryStatus(Time) {
	n.queue(group, 0, &wire.Query{What: wire.QueryStatus, Unicast: n.cfg.Unicast, Group: uint32(len(n.members) + 1)})
}

// QueryMembers asks every node to say HELLO.
func (n *Node) QueryMembers(Time) {
	size := uint32(len(n.members) + 1)
	if n.send != nil {
		size = max(size, uint32(n.send.opt.Min))
	}
	n.queue(group, 0, &wire.Query{What: wire.QueryMembers, Unicast: n.cfg.Unicast, Group: size, Nonce: n.nonce})
}

// heardForeign notes that another sender's transfer goes on.
func (n *Node) heardForeign(now Time, h *wire.Header, a *wire.Announce) {
	if h.Transfer == 0 {
		return
	}
	k := foreignKey{h.Node, h.Transfer}
	f := n.foreign[k]
	if f == nil {
		if len(n.foreign) >= maxForeign {
			return
		}
		f = &foreign{first: now}
		n.foreign[k] = f
	}
	f.last = now
	if a != nil {
		f.targets = a.Targets
	}
}

func (n *Node) handleAnnounce(now Time, h *wire.Header, m *wire.Announce) {
	if len(n.cfg.Trust) > 0 && !wire.Trusted(m, n.cfg.Trust, h.Node, h.Transfer) {
		n.Counters.Unsigned++
		if n.recv != nil {
			n.recv.refuse(now, h, m, "the announcement is not signed by a trusted publisher")
		}
		return
	}
	n.heardForeign(now, h, m)
	if n.send != nil {
		n.send.rival(now, h, m)
	}
	if n.recv != nil {
		n.recv.announce(now, h, m)
	}
}

func (n *Node) handleAbort(now Time, h *wire.Header, m *wire.Abort) {
	if n.send != nil && n.send.id == h.Transfer {
		n.send.handle(now, h, m)
		return
	}
	if m.Reason == wire.ReasonReceiver {
		return
	}
	if len(n.cfg.Trust) > 0 && !wire.Trusted(m, n.cfg.Trust, h.Node, h.Transfer) {
		n.Counters.Unsigned++
		return
	}
	delete(n.foreign, foreignKey{h.Node, h.Transfer})
	if n.recv != nil {
		n.recv.abort(now, h, m)
	}
}

// decision is the last transfer whose end is known.
type decision struct {
	sender   wire.NodeID
	transfer uint32
	epoch    uint64
	state    uint8
	commit   wire.Commit
	abort    wire.Abort
}

func (n *Node) handleAsk(h *wire.Header, m *wire.Ask) {
	d := n.ask
	if d == nil || d.sender != m.Sender || d.transfer != m.Transfer || d.epoch != m.Epoch {
		return
	}
	n.queue(m.Unicast, 0, &wire.Answer{State: d.state, Sender: d.sender, Transfer: d.transfer, Epoch: d.epoch, Commit: d.commit, Abort: d.abort})
}

// Incompatible notes a node of another protocol version, and reports whether it is
// to be answered with REFUSE.
func (n *Node) Incompatible(now Time, h *wire.Header, from netip.AddrPort) bool {
	m := n.strangers[h.Node]
	if m == nil {
		if len(n.strangers) >= maxStrangers {
			n.forgetStranger()
		}
		m = &Member{ID: h.Node, Name: fmt.Sprintf("node %s", h.Node), Addr: from, Protocol: h.Version}
		n.strangers[h.Node] = m
		if n.members[h.Node] == nil && now >= n.refuseAt { // a flood of ids does not cause a flood of events
			n.event(Event{Kind: EventIncompatible, Member: *m, Text: fmt.Sprintf("%s speaks protocol version %d, not %d", from, h.Version, wire.Version)})
		}
	}
	m.Heard = now
	if now < n.refuseAt {
		return false
	}
	n.refuseAt = now + int64(time.Second)/refusalsASecond
	return true
}

// forgetStranger drops the one that was silent for longest.
func (n *Node) forgetStranger() {
	var oldest *Member
	for _, m := range n.strangers {
		if oldest == nil || m.Heard < oldest.Heard || m.Heard == oldest.Heard && oldest.ID.Less(m.ID) {
			oldest = m
		}
	}
	delete(n.strangers, oldest.ID)
}

// OtherKey notes an address whose packets carry another group tag.
func (n *Node) OtherKey(from netip.AddrPort) {
	n.event(Event{Kind: EventKey, Member: Member{Addr: from}, Text: fmt.Sprintf("packets from %s have another key or another group: they are ignored", from.Addr())})
}

// helloInterval grows with the group.
func (n *Node) helloInterval() time.Duration {
	return max(helloEvery, time.Duration(len(n.members))*helloPerMember)
}

// Poll lets the timers run. room is the number of DATA packets that the caller can
// take now.
func (n *Node) Poll(now Time, room int) {
	if n.hello != 0 && now >= n.hello {
		n.queue(group, 0, n.makeHello())
		if n.helloLeft--; n.helloLeft > 0 {
			step := 100 * time.Millisecond
			if n.helloLeft == 1 {
				step = 400 * time.Millisecond
			}
			n.hello = now + int64(step) + n.rand(step)
		} else {
			every := n.helloInterval()
			n.hello = now + int64(every)*3/4 + n.rand(every/2)
		}
	}
	if n.answerAt != 0 && now >= n.answerAt {
		n.sendAnswers(now)
	}
	if now >= n.sweep {
		n.expire(now)
		n.sweep = now + int64(time.Second)
	}
	if n.recv != nil {
		n.recv.poll(now)
	}
	if n.send != nil {
		n.send.poll(now, room)
	}
}

func (n *Node) expire(now Time) {
	life := int64(max(memberLife, 5*n.helloInterval()))
	for id, m := range n.members {
		if now-m.Heard > life {
			delete(n.members, id)
			if m.Protocol == 0 {
				n.event(Event{Kind: EventTimedOut, Member: *m, Text: fmt.Sprintf("%s (%s) was last heard %v ago, in state %v", m.Name, m.Addr,
					time.Duration(now-m.Heard).Round(time.Millisecond), m.State)})
			}
		}
	}
	for id, m := range n.strangers {
		if now-m.Heard > life {
			delete(n.strangers, id)
		}
	}
	for k, f := range n.foreign {
		if now-f.last > int64(foreignSilence) {
			delete(n.foreign, k)
		}
	}
}

// Next returns when Poll is to be called again; math.MaxInt64: only after an event.
func (n *Node) Next() Time {
	next := n.sweep
	for _, t := range [...]Time{n.hello, n.answerAt} {
		if t != 0 {
			next = min(next, t)
		}
	}
	if n.recv != nil {
		next = min(next, n.recv.next())
	}
	if n.send != nil {
		next = min(next, n.send.next())
	}
	return next
}

const never = Time(math.MaxInt64)

// Bye queues a goodbye.
func (n *Node) Bye() { n.queue(group, 0, &wire.Bye{}) }

// conflict reports whether another sender's transfer reaches some of the same hosts. What
// a sender sends can be a recording: a host that reports afterwards that it is idle refutes it.
func (n *Node) conflict(now Time, ids []wire.NodeID) bool {
	for _, f := range n.foreign {
		if now-f.last > int64(foreignSilence) || !n.confirmed(f, ids) {
			continue
		}
		if len(ids) == 0 || len(f.targets) == 0 {
			return true
		}
		for _, id := range ids {
			if slices.Contains(f.targets, id) {
				return true
			}
		}
	}
	return false
}

// confirmed reports whether one of the receivers takes part in a transfer, or has said
// nothing since a foreign one was first heard.
func (n *Node) confirmed(f *foreign, ids []wire.NodeID) bool {
	for _, m := range n.members {
		if !n.proven(m) || m.Flags&wire.HelloReceives == 0 || len(ids) > 0 && !slices.Contains(ids, m.ID) {
			continue
		}
		if m.State != Idle || m.Heard <= f.first+int64(confirmAfter) {
			return true
		}
	}
	return n.recv != nil && n.recv.active()
}

// Pending reports whether Take or Events have something to give.
func (n *Node) Pending() bool { return len(n.out) > 0 || len(n.events) > 0 }

// Receiving returns the id of the transfer that is received, or was last.
func (n *Node) Receiving() uint32 {
	if n.recv == nil {
		return 0
	}
	return n.recv.transfer
}

// StartHello says hello three times and then at intervals.
func (n *Node) StartHello(now Time) { n.hello, n.helloLeft = now, 3 }

// ID returns the node's id.
func (n *Node) ID() wire.NodeID { return n.cfg.ID }
