package multicast

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"dougu.internal/multicast/internal/engine"
	"dougu.internal/multicast/internal/tree"
	"dougu.internal/multicast/internal/wire"
)

// Node is a member of a group. Its methods are safe for concurrent use by multiple
// goroutines.
type Node struct {
	c     Config
	conn  PacketConn
	start time.Time
	stop  chan struct{}
	timer *time.Timer // of timers
	wg    sync.WaitGroup
	keys  *wire.Keys

	mu        sync.Mutex
	eng       *engine.Node
	opener    *wire.Opener
	sealer    *wire.Sealer
	closed    bool
	scheduled engine.Time // when the engine wants to be polled
	armed     engine.Time // when the timer does it
	turn      engine.Time // when a reader comes back that rests
	data      wire.Data   // decoded DATA, used again and again
	head      wire.Header
	stream    bool   // DATA has come with the last datagrams
	own       bool   // so has this node's own
	train     []byte // sealed datagrams of one size and destination
	trainSize int
	trainTo   outAddr
	single    []byte
	content   *tree.Content // of the transfer that is sent
	send      *engine.Send
	sent      chan struct{} // closed when it has ended
	watchers  map[chan MemberEvent]struct{}
	statuses  []chan<- statusAnswer
	receiver  *Receiver
	counts    counts
	keysOf    map[netip.Addr]engine.Time // whose packets have another tag
	sendErr   error

	sending chan struct{} // one Send at a time
}

// counts are packets that were not taken.
type counts struct {
	foreign, unopened, replays, malformed, version, flood uint64
	wire                                                  uint64 // bytes sent
}

// Join connects a node to its group. It does not wait for other nodes. The caller must
// close the node.
func Join(ctx context.Context, c Config) (*Node, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	keys, err := wire.NewKeys(c.Key, c.Group.String())
	if err != nil {
		return nil, wrap(err)
	}
	conn, err := c.Transport.Open(ctx, c)
	if err != nil {
		return nil, during(fmt.Sprintf("join %s", c.Group), err)
	}
	n := &Node{c: c, conn: conn, start: time.Now(), stop: make(chan struct{}), keys: keys,
		watchers: map[chan MemberEvent]struct{}{}, sending: make(chan struct{}, 1), train: make([]byte, 0, 64<<10)}
	var id wire.NodeID
	rand.Read(id[:])
	if n.sealer, err = keys.NewSealer(id); err != nil {
		conn.Close()
		return nil, wrap(err)
	}
	n.opener = keys.NewOpener(id, 4*wire.MaxRoster)
	n.eng = engine.NewNode(n.now(), engine.Config{ID: id, Name: c.Name, Version: Version, Unicast: conn.Local(), Group: c.Group,
		Trust: c.Trust, Publish: c.Publish, Rand: random, Track: true})
	n.timer = time.NewTimer(0)
	n.wg.Go(n.timers)
	n.wg.Go(func() { n.read(conn.ReadGroup) })
	n.wg.Go(func() { n.read(conn.ReadUnicast) })
	if note := conn.Note(); note != "" {
		c.Logger.Warn("multicast: " + note)
	}
	return n, nil
}

func random() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.NativeEndian.Uint64(b[:])
}

// now is the node's own clock; 0 is never.
func (n *Node) now() engine.Time { return int64(time.Since(n.start)) + 1 }

// Close leaves the group. It aborts a sent transfer that is not decided, and drops a
// received one that is not ready to commit. When Close returns, all goroutines of the node
// have ended. Further calls return nil.
func (n *Node) Close() error {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		n.wg.Wait()
		return nil
	}
	n.closed = true
	r := n.receiver
	if n.send != nil {
		n.send.Cancel(n.now())
	}
	n.eng.StopReceiving(n.now())
	for i := range 3 {
		n.eng.Bye()
		n.flush()
		if i < 2 {
			n.mu.Unlock()
			time.Sleep(3 * time.Millisecond)
			n.mu.Lock()
		}
	}
	close(n.stop)
	for w := range n.watchers {
		close(w)
	}
	n.watchers = nil
	n.mu.Unlock()
	err := n.conn.Close()
	if r != nil {
		r.shut()
	}
	n.wg.Wait()
	return wrap(err)
}

// timers polls the engine when it wants to be.
func (n *Node) timers() {
	defer n.timer.Stop()
	for {
		select {
		case <-n.stop:
			return
		case <-n.timer.C:
		}
		n.mu.Lock()
		n.armed = math.MaxInt64
		n.poll()
		n.mu.Unlock()
	}
}

// arm sets the timer. What is due while a reader rests waits for the reader, which
// polls too: to wake up costs a busy host more than what it wakes up for.
func (n *Node) arm() {
	at := n.scheduled
	if at < n.turn && n.send == nil {
		at = n.turn + int64(readPause)
	}
	if at == n.armed {
		return
	}
	n.armed = at
	wait := time.Hour
	if at != math.MaxInt64 {
		wait = max(0, time.Duration(at-n.now()))
	}
	n.timer.Reset(wait)
}

// dataRoom is how many DATA packets are taken at once.
const dataRoom = 256

func (n *Node) poll() {
	n.eng.Poll(n.now(), dataRoom)
	n.after()
}

// after sends what the engine has queued, tells its events, and sets the timer.
func (n *Node) after() {
	n.flush()
	for _, e := range n.eng.Events() {
		n.event(e)
	}
	if n.send != nil && n.sent != nil && n.send.Outcome() != nil {
		close(n.sent)
		n.sent = nil
	}
	n.scheduled = n.eng.Next()
	n.arm()
	if n.receiver != nil {
		n.receiver.store.kick()
	}
}

// do runs f with the engine, at a time.
func (n *Node) do(f func(now engine.Time)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	f(n.now())
	n.after()
}

const (
	// readBatch is how many datagrams, or trains of them, are read at once; each may have
	// 64 KiB.
	readBatch = 32
	// readBytes is about how much is read at once when trains come: what was read is still
	// in a core's own cache when it is opened.
	readBytes = 256 << 10
)

func (n *Node) read(read func([]Datagram) (int, error)) {
	d := make([]Datagram, readBatch)
	for i := range d {
		d[i].Buf = make([]byte, 64<<10)
	}
	var p pauses
	bytes := 0          // since the last pause
	window := readBatch // how many are read at once
	rest := time.Duration(0)
	if b, ok := n.conn.(interface{ ReceiveBuffer() int }); ok {
		p.room = b.ReceiveBuffer() / fillPart
	}
	for {
		k, err := read(d[:window])
		select {
		case <-n.stop:
			return
		default:
		}
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			// Something passing: an interface that went down, say.
			n.c.Logger.Warn("multicast: reading failed", "err", err)
			select {
			case <-n.stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
			continue
		}
		n.mu.Lock()
		n.stream, n.own, n.eng.Rested = false, false, rest
		got := 0
		for i := range d[:k] {
			n.receive(&d[i])
			got += d[i].N
		}
		bytes += got
		now := n.now()
		dry := k < window // there is no more for now
		window = min(readBatch, max(readBytes*k/max(got, 1), readBytes>>16))
		if dry {
			rest = 0
			if n.stream || n.own {
				rest, bytes = p.next(now, bytes, n.own || n.eng.Streaming()), 0
			}
		}
		if n.stream && rest > 0 && dry {
			n.turn = now + int64(rest)
		}
		if now >= n.scheduled {
			n.eng.Poll(now, dataRoom)
		}
		n.after()
		n.mu.Unlock()
		if rest > 0 && dry {
			time.Sleep(rest)
		}
	}
}

// receive takes a train of datagrams apart.
func (n *Node) receive(d *Datagram) {
	b := d.Buf[:d.N]
	size := d.Size
	if size <= 0 {
		size = len(b)
	}
	now := n.now()
	n.eng.Arrival = max(1, now-int64(d.Waited))
	for len(b) > 0 {
		p := b[:min(size, len(b))]
		b = b[len(p):]
		n.packet(now, d, p)
	}
}

func (n *Node) packet(now engine.Time, d *Datagram, p []byte) {
	h, body, err := n.opener.Open(now, p)
	switch {
	case err == nil:
	case errors.Is(err, wire.ErrOwn):
		n.own = true
		return
	case errors.Is(err, wire.ErrVersion):
		n.counts.version++
		if n.eng.Incompatible(now, &h, d.From) {
			n.write(outAddr{d.From}, n.keys.Refuse(n.sealerID()), 0)
		}
		return
	case errors.Is(err, wire.ErrOpen):
		n.counts.unopened++
		return
	case errors.Is(err, wire.ErrReplay):
		n.counts.replays++
		return
	case errors.Is(err, wire.ErrFlood):
		n.counts.flood++
		return
	default:
		n.counts.foreign++
		n.otherKey(now, d.From, p)
		return
	}
	n.head = h
	if h.Type == wire.TypeData {
		if wire.DecodeInto(&n.data, body) != nil {
			n.counts.malformed++
			return
		}
		n.stream = true
		n.eng.Handle(now, d.From, &n.head, &n.data)
		return
	}
	if h.Type == wire.TypeRefuse {
		n.c.Logger.Warn("multicast: a node refuses this protocol version", "node", d.From)
		return
	}
	m, err := wire.Decode(h.Type, body)
	if err != nil {
		n.counts.malformed++
		n.c.Logger.Debug("multicast: a packet makes no sense", "from", d.From, "err", err)
		return
	}
	n.eng.Handle(now, d.From, &n.head, m)
}

// otherKey notes, once in a minute, the address of packets of this protocol that carry the
// tag of another key or group. Their number is limited: nothing of them is authenticated.
func (n *Node) otherKey(now engine.Time, from netip.AddrPort, p []byte) {
	if h, err := wire.ParseHeader(p); err != nil || h.Version != wire.Version || len(p) < wire.Overhead {
		return
	}
	a := from.Addr()
	if at, ok := n.keysOf[a]; ok && now-at < int64(time.Minute) {
		return
	}
	if len(n.keysOf) >= maxOtherKeys {
		for b, at := range n.keysOf {
			if now-at > int64(time.Minute) {
				delete(n.keysOf, b)
			}
		}
		if len(n.keysOf) >= maxOtherKeys {
			return
		}
	}
	if n.keysOf == nil {
		n.keysOf = map[netip.Addr]engine.Time{}
	}
	n.keysOf[a] = now
	n.eng.OtherKey(from)
}

// maxOtherKeys bounds the addresses that are remembered.
const maxOtherKeys = 64

// OtherKeys returns the addresses from which packets with the tag of another key or another
// group arrived lately, at most 64.
func (n *Node) OtherKeys() []netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.SortedFunc(maps.Keys(n.keysOf), netip.Addr.Compare)
}

func (n *Node) sealerID() wire.NodeID { return n.eng.ID() }

// event tells watchers, the receiver and the log.
func (n *Node) event(e engine.Event) {
	if s := e.Status(); s != nil {
		for _, c := range n.statuses {
			select {
			case c <- statusAnswer{e.Member.ID, s}:
			default:
			}
		}
		return
	}
	kinds := map[engine.EventKind]MemberEventKind{engine.EventJoined: Joined, engine.EventLeft: Left, engine.EventTimedOut: TimedOut, engine.EventIncompatible: Incompatible}
	if k, ok := kinds[e.Kind]; ok {
		n.c.Logger.Info("multicast: member "+k.String(), "name", e.Member.Name, "addr", e.Member.Addr, "detail", e.Text)
		for w := range n.watchers {
			select {
			case w <- MemberEvent{k, n.member(&e.Member), e.Text}:
			default: // a watcher that does not watch misses events, and holds up nothing
			}
		}
		return
	}
	n.c.Logger.Info("multicast: transfer", "epoch", e.Epoch, "sender", e.Sender, "detail", e.Text, "kind", int(e.Kind))
	if n.receiver != nil {
		n.receiver.event(e)
	}
}

func (n *Node) member(m *engine.Member) Member {
	return Member{Name: m.Name, ID: m.ID.String(), Addr: m.Addr.Addr(), Version: m.Version, Protocol: int(m.Protocol), Receives: m.Flags&wire.HelloReceives != 0,
		ReadOnly: m.Flags&wire.HelloReadOnly != 0, State: m.State.String(), Epoch: m.Epoch, Heard: n.start.Add(time.Duration(m.Heard))}
}

// Members returns the other nodes of the group, sorted by name.
func (n *Node) Members() []Member {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.membersLocked()
}

func (n *Node) membersLocked() []Member {
	var list []Member
	for _, m := range n.eng.Members() {
		list = append(list, n.member(&m))
	}
	names := n.eng.Names()
	for i, m := range n.eng.Members() {
		if name, ok := names[m.ID]; ok {
			list[i].Name = name
		}
	}
	return list
}

// Query sends a request to all nodes and waits for their answers, which [Node.Members]
// returns afterwards. It returns after the duration of wait, or when ctx ends.
func (n *Node) Query(ctx context.Context, wait time.Duration) error {
	n.do(func(now engine.Time) { n.eng.QueryMembers(now) })
	select {
	case <-ctx.Done():
		return during("query members", ctx.Err())
	case <-n.stop:
		return ErrClosed
	case <-time.After(wait):
		return nil
	}
}

// Watch returns the changes in the list of members, from the call of Watch until ctx ends
// or the node is closed. Up to 256 events are queued; if the loop is slower, further events
// are lost. The sequence can be used once.
func (n *Node) Watch(ctx context.Context) iter.Seq[MemberEvent] {
	w := make(chan MemberEvent, 256)
	n.mu.Lock()
	if n.watchers == nil {
		close(w)
	} else {
		n.watchers[w] = struct{}{}
	}
	n.mu.Unlock()
	return func(yield func(MemberEvent) bool) {
		defer func() {
			n.mu.Lock()
			delete(n.watchers, w)
			n.mu.Unlock()
		}()
		for {
			select {
			case e, ok := <-w:
				if !ok || !yield(e) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// Wait blocks until the group has at least the given number of receivers.
func (n *Node) Wait(ctx context.Context, receivers int) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		if i%20 == 0 {
			n.do(func(now engine.Time) { n.eng.QueryMembers(now) })
		}
		count := 0
		for _, m := range n.Members() {
			if m.Receives {
				count++
			}
		}
		if count >= receivers {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("multicast: wait for receivers: found %d of %d: %w", count, receivers, ctx.Err())
		case <-n.stop:
			return ErrClosed
		case <-tick.C:
		}
	}
}

// Status describes the current activity of a node.
type Status struct {
	Name string `json:"name,omitzero"`
	ID   string `json:"id,omitzero"`
	// State is the name of the node's state, such as "idle" or "content".
	State string `json:"state,omitzero"`
	// Done is the number of bytes of content that the node has received, or has sent at
	// least once.
	Done uint64 `json:"done,omitzero"`
	// Total is the number of bytes of content of the transfer.
	Total uint64 `json:"total,omitzero"`
	// Rate is the sending rate in bits per second.
	Rate uint64 `json:"rate,omitzero"`
	// Loss is the loss rate, from 0 to 1.
	Loss float64 `json:"loss,omitzero"`
	// Drops is the number of datagrams that the node did not read in time.
	Drops uint64 `json:"drops,omitzero"`
	// Backlog is the number of bytes that are not yet written to the disk.
	Backlog uint64 `json:"backlog,omitzero"`
	// Detail describes the transfer in a sentence.
	Detail string `json:"detail,omitzero"`
}

type statusAnswer struct {
	id wire.NodeID
	s  *wire.Status
}

// Status requests the status of all nodes and returns the answers that arrive within half
// a second or before ctx ends. The first element is this node; the others are sorted by
// name.
func (n *Node) Status(ctx context.Context) ([]Status, error) {
	answers := make(chan statusAnswer, 1024)
	n.mu.Lock()
	own := n.eng.Status(n.now())
	list := []Status{statusOf(n.eng.ID(), &own)}
	n.statuses = append(n.statuses, answers)
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		n.statuses = slices.DeleteFunc(n.statuses, func(c chan<- statusAnswer) bool { return c == answers })
		n.mu.Unlock()
	}()
	n.do(func(now engine.Time) { n.eng.QueryStatus(now) })
	done := time.After(500 * time.Millisecond)
	seen := map[wire.NodeID]bool{}
	for {
		select {
		case a := <-answers:
			if !seen[a.id] {
				seen[a.id] = true
				list = append(list, statusOf(a.id, a.s))
			}
			continue
		case <-ctx.Done():
		case <-n.stop:
			return nil, ErrClosed
		case <-done:
		}
		slices.SortFunc(list[1:], func(a, b Status) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
		return list, during("query status", ctx.Err())
	}
}

func statusOf(id wire.NodeID, s *wire.Status) Status {
	return Status{Name: s.Name, ID: id.String(), State: engine.State(s.State).String(), Done: s.Done, Total: s.Total, Rate: s.Rate,
		Loss: float64(s.Loss) / 1e6, Drops: s.Drops, Backlog: s.Backlog, Detail: s.Detail}
}

// Keyed reports whether the group has a key. Without a key everybody can take part.
func (n *Node) Keyed() bool { return n.keys.Keyed() }

// Note returns a warning about the node's sockets in one line, or "" if there is none.
func (n *Node) Note() string { return n.conn.Note() }
