package mcsim

import (
	"cmp"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"dougu.internal/multicast/internal/engine"
	"dougu.internal/multicast/internal/wire"
)

// Burst is loss in bursts (Gilbert and Elliott): each packet may lead into or out of
// a bad time, in which packets are lost with another probability.
type Burst struct {
	Enter, Leave float64 // probability a packet
	Loss         float64 // in a bad time
}

// Options describe a simulated network. The zero value of each field means none of
// it; Receivers and Content are needed.
type Options struct {
	Seed      uint64
	Receivers int
	Content   int64 // bytes of the tree to be sent

	Loss      float64 // at each receiver by itself
	Burst     Burst   // at each receiver by itself
	Shared    float64 // on the sender's own link: nobody gets the packet
	Delay     time.Duration
	Jitter    time.Duration // up to so much more, for each delivery
	Reorder   float64       // probability that a delivery is late by 4 times the delay
	Duplicate float64
	Corrupt   float64

	Link  uint64 // bit/s of the sender's link; 0: no limit
	Queue int    // bytes that the link's queue holds; 0: 256 KiB
	Disk  uint64 // byte/s that a receiver's disk takes; 0: no limit
	Skew  time.Duration

	Rate   uint64 // bit/s, a cap of the rate control; 0: none
	Fixed  bool   // the rate is kept
	Symbol int    // bytes; 0: 1408

	Quorum int // see multicast.Quorum; 0: all must be ready
	// Sealed makes every packet real bytes, sealed and opened.
	Sealed bool
	// Signed gives the sender a key that receivers trust.
	Signed bool
	// Hello lets every node say hello by itself; without it they are asked. In large
	// groups that costs the square of their number.
	Hello bool
}

// Net is a simulated network. It is not safe for concurrent use.
type Net struct {
	opt   Options
	rng   *rand.Rand
	now   int64
	seq   uint64
	heap  []event
	nodes []*node // 0 is the sender
	side  []int   // partition
	free  int64   // when the sender's link is free
	trace io.Writer
	stats Stats
	err   error

	version   int
	send      *engine.Send
	outcome   *engine.Outcome
	decided   map[uint32]bool // transfers that the sender has committed
	aborted   map[uint32]bool
	roots     map[uint32][32]byte
	publisher ed25519.PrivateKey
	keys      *wire.Keys
	record    [][]byte // sealed packets, for replay
}

// Stats is what a run has counted.
type Stats struct {
	Events, Deliveries, Lost, Corrupted uint64
	Data, Repair                        uint64 // DATA packets of the sender
	Nacks                               uint64 // that reached the sender
	Rounds                              int    // of repair
	Control                             uint64 // packets of the sender that are not DATA
	Committed                           int
	Spread                              time.Duration // between the first switch and the last
	Elapsed                             time.Duration
	// Traffic is the content's DATA, parity and repair included, over the content: 1 is
	// once each. AllTraffic counts manifest, layout and seal too.
	Traffic, AllTraffic float64
	Content             uint64 // DATA packets of the content
	Rate                uint64 // bit/s at the end
}

type node struct {
	i       int
	name    string
	addr    netip.AddrPort
	eng     *engine.Node
	id      wire.NodeID
	disk    *disk
	down    bool
	skew    int64
	due     int64 // of its timer; 0: none
	bad     bool  // burst state
	sealer  *wire.Sealer
	opener  *wire.Opener
	starts  int
	flipped int64
}

type eventKind uint8

const (
	evGroup eventKind = iota // a packet for everybody but node
	evOne                    // a packet for node
	evTimer
	evCall
)

type event struct {
	at   int64
	seq  uint64
	kind eventKind
	node int
	pkt  *packet
	call func()
}

type packet struct {
	from int
	head wire.Header
	msg  wire.Message
	data wire.Data
	raw  []byte
}

func (p *packet) message() wire.Message {
	if p.msg != nil {
		return p.msg
	}
	return &p.data
}

func less(a, b *event) bool { return a.at < b.at || a.at == b.at && a.seq < b.seq }

func (n *Net) push(e event) {
	n.seq++
	e.seq = n.seq
	h := append(n.heap, e)
	i := len(h) - 1
	for i > 0 {
		p := (i - 1) / 2
		if !less(&h[i], &h[p]) {
			break
		}
		h[i], h[p] = h[p], h[i]
		i = p
	}
	n.heap = h
}

func (n *Net) pop() event {
	h := n.heap
	top := h[0]
	last := len(h) - 1
	h[0], h[last] = h[last], event{}
	h = h[:last]
	for i := 0; ; {
		c := 2*i + 1
		if c >= last {
			break
		}
		if c+1 < last && less(&h[c+1], &h[c]) {
			c++
		}
		if !less(&h[c], &h[i]) {
			break
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
	n.heap = h
	return top
}

// Defaults of Options.
const (
	defaultSymbol = 1408
	defaultQueue  = 256 << 10
)

// New returns a network whose nodes are all up. Nothing is sent yet.
func New(o Options) *Net {
	if o.Symbol == 0 {
		o.Symbol = defaultSymbol
	}
	if o.Queue == 0 {
		o.Queue = defaultQueue
	}
	n := &Net{opt: o, rng: rand.New(rand.NewPCG(o.Seed, 0x6d63)), now: 1, decided: map[uint32]bool{}, aborted: map[uint32]bool{}, roots: map[uint32][32]byte{}}
	if o.Signed {
		seed := make([]byte, ed25519.SeedSize)
		seed[0] = byte(o.Seed)
		n.publisher = ed25519.NewKeyFromSeed(seed)
	}
	n.keys, _ = wire.NewKeys(nil, "sim") // a nil key is always right
	n.side = make([]int, o.Receivers+1)
	for i := range o.Receivers + 1 {
		nd := &node{i: i, name: "s", addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 9)}
		if i > 0 {
			nd.name = fmt.Sprintf("r%d", i)
			nd.disk = &disk{}
		}
		if o.Skew > 0 {
			nd.skew = n.rng.Int64N(int64(o.Skew))
		}
		n.nodes = append(n.nodes, nd)
		n.start(nd)
	}
	return n
}

// start makes a node's engine: a new process.
func (n *Net) start(nd *node) {
	nd.starts++
	for j := range nd.id {
		nd.id[j] = byte(n.rng.Uint32())
	}
	c := engine.Config{ID: nd.id, Name: nd.name, Version: "sim", Unicast: nd.addr, Rand: n.rng.Uint64, Track: nd.i == 0, Immutable: !n.opt.Sealed, Quiet: !n.opt.Hello}
	if nd.i == 0 {
		c.Publish = n.publisher
	}
	if n.publisher != nil {
		c.Trust = []ed25519.PublicKey{n.publisher.Public().(ed25519.PublicKey)}
	}
	if nd.disk != nil {
		c.Receives, c.Epoch, c.Root, c.Prepared = true, nd.disk.epoch, nd.disk.root, nd.disk.promise
		c.ReadOnly = nd.disk.readOnly
		c.Store = &store{n: n, nd: nd, life: nd.starts}
	}
	nd.eng = engine.NewNode(n.clock(nd), c)
	nd.down = false
	if n.opt.Sealed {
		var err error
		if nd.sealer, err = n.keys.NewSealer(nd.id); err != nil {
			n.fail(err)
		}
		nd.opener = n.keys.NewOpener(nd.id, 4*wire.MaxRoster)
	}
	n.after(nd)
}

func (n *Net) clock(nd *node) int64 { return n.now + nd.skew }

func (n *Net) fail(err error) {
	if n.err == nil {
		n.err = fmt.Errorf("mcsim: at %v: %w", time.Duration(n.now), err)
	}
}

// Trace writes a line for what happens to a node from now on.
func (n *Net) Trace(w io.Writer) { n.trace = w }

func (n *Net) log(nd *node, format string, args ...any) {
	if n.trace != nil {
		fmt.Fprintf(n.trace, "%10.3fms %-4s %s\n", float64(n.now)/1e6, nd.name, fmt.Sprintf(format, args...))
	}
}

// Now returns the virtual time since New.
func (n *Net) Now() time.Duration { return time.Duration(n.now) }

// At calls f at that virtual time.
func (n *Net) At(t time.Duration, f func()) {
	n.push(event{at: max(int64(t), n.now), kind: evCall, call: f})
}

// Send lets the sender begin to send a new version of the tree.
func (n *Net) Send() error {
	if n.send != nil && n.outcome == nil {
		return errors.New("mcsim: the sender is busy")
	}
	if n.nodes[0].down {
		return errors.New("mcsim: the sender is down")
	}
	n.version++
	n.transfer()
	return nil
}

// Again lets the sender send the same version again, as a person would after a
// failure.
func (n *Net) Again() error {
	n.version--
	return n.Send()
}

func (n *Net) transfer() {
	v := n.version
	m := manifestOf(v, n.opt.Content)
	rate := engine.Rate{Mode: engine.LAN, Bits: n.opt.Rate}
	if n.opt.Fixed {
		rate.Mode = engine.Fixed
	}
	nd := n.nodes[0]
	n.outcome = nil
	n.send = nd.eng.StartSend(n.clock(nd), engine.SendOptions{Manifest: m, Digest: digest(m), Symbol: n.opt.Symbol, Source: &source{n: n, nd: nd, life: nd.starts, version: v},
		Min: n.opt.Receivers, Rate: rate, Quorum: n.opt.Quorum, Gather: 5 * time.Second})
	n.log(nd, "sends version %d", v)
	n.after(nd)
}

// Crash stops a node at once: 0 is the sender. Its disk stays.
func (n *Net) Crash(i int) {
	nd := n.nodes[i]
	if nd.down {
		return
	}
	nd.down, nd.due = true, 0
	n.log(nd, "crashes")
	if i == 0 && n.send != nil && n.outcome == nil {
		n.outcome = &engine.Outcome{Err: errors.New("the sender has crashed")}
	}
}

// Restart starts a node that has crashed: with a new node id, and with its old disk.
func (n *Net) Restart(i int) {
	nd := n.nodes[i]
	if !nd.down {
		return
	}
	n.start(nd)
	n.log(nd, "starts again")
	if !n.opt.Hello {
		nd.eng.QueryMembers(n.clock(nd))
		nd.eng.StartHello(n.clock(nd))
		n.after(nd)
	}
}

// Partition cuts the network: the named nodes on one side, all others on the other.
func (n *Net) Partition(nodes ...int) {
	clear(n.side)
	for _, i := range nodes {
		n.side[i] = 1
	}
}

// Heal ends a partition.
func (n *Net) Heal() { clear(n.side) }

// SlowDisk sets what a receiver's disk takes, in byte/s.
func (n *Net) SlowDisk(i int, rate uint64) { n.nodes[i].disk.rate = rate }

// FullDisk lets a receiver's disk be full after so many more bytes.
func (n *Net) FullDisk(i int, bytes uint64) { n.nodes[i].disk.full, n.nodes[i].disk.left = true, bytes }

// Version returns the version of the tree at a receiver; 0 is the empty tree.
func (n *Net) Version(i int) int { return n.nodes[i].disk.version }

// State returns what a receiver or the sender is doing.
func (n *Net) State(i int) string {
	s := n.nodes[i].eng.Status(n.clock(n.nodes[i]))
	return engine.State(s.State).String()
}

// Done reports whether the sender's transfer has ended.
func (n *Net) Done() bool { return n.outcome != nil }

// Err returns why the sender's transfer failed, or nil.
func (n *Net) Err() error {
	if n.outcome == nil {
		return errors.New("mcsim: the transfer goes on")
	}
	return n.outcome.Err
}

// Hosts returns how each receiver ended in the last transfer, by name: "committed",
// or the reason.
func (n *Net) Hosts() map[string]string {
	m := map[string]string{}
	if n.outcome == nil {
		return m
	}
	for _, h := range n.outcome.Hosts {
		m[h.Name] = h.Text
		if h.Status == engine.HostCommitted {
			m[h.Name] = "committed"
		}
	}
	return m
}

// Run lets the network go on until the virtual time, until the transfer has ended and
// its receivers have settled, or until a promise is broken, which is the error.
func (n *Net) Run(until time.Duration) error {
	for n.err == nil && len(n.heap) > 0 && n.heap[0].at <= int64(until) {
		n.step()
		if n.outcome != nil && n.quiet() {
			break
		}
	}
	if n.err == nil && len(n.heap) > 0 && n.heap[0].at > int64(until) {
		n.now = max(n.now, int64(until))
	}
	n.summary()
	return n.err
}

// RunFor is Run for a time from now, not ended by the end of a transfer.
func (n *Net) RunFor(d time.Duration) error {
	until := n.now + int64(d)
	for n.err == nil && len(n.heap) > 0 && n.heap[0].at <= until {
		n.step()
	}
	if n.err == nil {
		n.now = max(n.now, until)
	}
	n.summary()
	return n.err
}

// quiet reports whether nothing is left to be settled, looking at the clock only now
// and then.
func (n *Net) quiet() bool {
	if n.stats.Events%64 != 0 && n.opt.Receivers > 100 {
		return false
	}
	for _, nd := range n.nodes[1:] {
		if !nd.down {
			if s := engine.State(nd.eng.Status(n.clock(nd)).State); s != engine.Idle {
				return false
			}
		}
	}
	return true
}

func (n *Net) step() {
	e := n.pop()
	n.now = e.at
	n.stats.Events++
	switch e.kind {
	case evGroup:
		n.toGroup(e.pkt)
	case evOne:
		n.deliver(n.nodes[e.node], e.pkt)
	case evTimer:
		nd := n.nodes[e.node]
		if !nd.down && nd.due == e.at {
			nd.due = 0
			nd.eng.Poll(n.clock(nd), 256)
			n.after(nd)
		}
	case evCall:
		e.call()
	}
}

// after takes what a node wants to send and sets its timer.
func (n *Net) after(nd *node) {
	if nd.down {
		return
	}
	for _, out := range nd.eng.Take() {
		n.transmit(nd, &out)
	}
	for _, e := range nd.eng.Events() {
		n.event(nd, e)
	}
	next := nd.eng.Next()
	if next != math.MaxInt64 {
		at := max(n.now+1, next-nd.skew)
		if nd.due == 0 || at < nd.due {
			nd.due = at
			n.push(event{at: at, kind: evTimer, node: nd.i})
		}
	}
	if nd.i == 0 && n.send != nil && n.outcome == nil {
		if o := n.send.Outcome(); o != nil {
			n.outcome = o
			n.log(nd, "ends: %v", cmp.Or(fmt.Sprint(o.Err), "good"))
		}
	}
}

// transmit puts a packet on the network.
func (n *Net) transmit(nd *node, out *engine.Out) {
	p := &packet{from: nd.i, msg: out.Msg, data: out.Data, head: wire.Header{Version: wire.Version, Node: nd.id, Transfer: out.Transfer, Number: out.Number}}
	size := 0
	if out.Msg == nil {
		p.head.Type = wire.TypeData
		size = wire.Overhead + wire.DataHeader + n.opt.Symbol
		if nd.i == 0 {
			n.stats.Data++
			if out.Data.Object == wire.ObjectContent {
				n.stats.Content++
			}
			if out.Data.Flags&wire.DataRepair != 0 {
				n.stats.Repair++
			}
		}
	} else {
		p.head.Type = out.Msg.Type()
		size = 100
		if nd.i == 0 {
			n.stats.Control++
		}
	}
	n.watch(nd, p)
	if n.opt.Sealed {
		m := p.message()
		if d, ok := m.(*wire.Data); ok && d.Payload == nil {
			d.Payload = make([]byte, n.opt.Symbol)
		}
		p.raw = nd.sealer.Seal(nil, out.Number, out.Transfer, m)
		if len(n.record) < 4096 {
			n.record = append(n.record, p.raw)
		}
	}
	at := n.now
	if nd.i == 0 && n.opt.Link > 0 {
		n.free = max(n.free, n.now)
		if backlog := float64(n.free-n.now) / 1e9 * float64(n.opt.Link) / 8; backlog > float64(n.opt.Queue) {
			n.stats.Lost++
			return
		}
		n.free += int64(float64(size+42) * 8e9 / float64(n.opt.Link))
		at = n.free
	}
	at += int64(n.opt.Delay)
	if out.To.IsValid() {
		ip := out.To.Addr().As4()
		i := int(ip[1])<<16 | int(ip[2])<<8 | int(ip[3])
		if i < len(n.nodes) && !n.lost(n.nodes[i]) {
			n.schedule(at, i, p)
		}
		return
	}
	if n.opt.Shared > 0 && n.rng.Float64() < n.opt.Shared {
		n.stats.Lost += uint64(len(n.nodes) - 1)
		return
	}
	n.push(event{at: at, kind: evGroup, pkt: p})
}

// lost draws whether a delivery to a node fails.
func (n *Net) lost(nd *node) bool {
	if b := n.opt.Burst; b.Enter > 0 {
		if nd.bad {
			nd.bad = n.rng.Float64() >= b.Leave
		} else {
			nd.bad = n.rng.Float64() < b.Enter
		}
		if nd.bad && n.rng.Float64() < b.Loss {
			n.stats.Lost++
			return true
		}
	}
	if n.opt.Loss > 0 && n.rng.Float64() < n.opt.Loss {
		n.stats.Lost++
		return true
	}
	return false
}

func (n *Net) toGroup(p *packet) {
	plain := n.opt.Jitter == 0 && n.opt.Reorder == 0 && n.opt.Duplicate == 0 && n.opt.Corrupt == 0
	// With independent loss alone, draw how many deliveries go well until the next
	// one that fails.
	skip := -1
	if plain && n.opt.Burst.Enter == 0 {
		skip = n.run()
	}
	for _, nd := range n.nodes {
		if nd.i == p.from || nd.down {
			continue
		}
		if skip >= 0 {
			if skip == 0 {
				skip = n.run()
				n.stats.Lost++
				continue
			}
			skip--
		} else if n.lost(nd) {
			continue
		}
		if plain {
			n.deliver(nd, p)
			continue
		}
		n.schedule(n.now, nd.i, p)
	}
}

// run draws the number of deliveries until one fails.
func (n *Net) run() int {
	if n.opt.Loss <= 0 {
		return math.MaxInt
	}
	return int(math.Log(1-n.rng.Float64()) / math.Log(1-n.opt.Loss))
}

// schedule delivers to one node, with jitter, reordering, duplication.
func (n *Net) schedule(at int64, i int, p *packet) {
	if n.opt.Jitter > 0 {
		at += n.rng.Int64N(int64(n.opt.Jitter))
	}
	if n.opt.Reorder > 0 && n.rng.Float64() < n.opt.Reorder {
		at += 4 * int64(max(n.opt.Delay, time.Millisecond))
	}
	n.push(event{at: at, kind: evOne, node: i, pkt: p})
	if n.opt.Duplicate > 0 && n.rng.Float64() < n.opt.Duplicate {
		n.push(event{at: at + n.rng.Int64N(int64(5*time.Millisecond)), kind: evOne, node: i, pkt: p})
	}
}

func (n *Net) deliver(nd *node, p *packet) {
	if nd.down || n.side[nd.i] != n.side[p.from] {
		return
	}
	n.stats.Deliveries++
	head, msg := p.head, p.message()
	if n.opt.Corrupt > 0 && n.rng.Float64() < n.opt.Corrupt {
		n.stats.Corrupted++
		if !n.opt.Sealed {
			return
		}
		raw := slices.Clone(p.raw)
		raw[n.rng.IntN(len(raw))] ^= 1 << n.rng.IntN(8)
		n.open(nd, raw, n.nodes[p.from].addr, true)
		return
	}
	if n.opt.Sealed {
		n.open(nd, slices.Clone(p.raw), n.nodes[p.from].addr, false)
		return
	}
	nd.eng.Handle(n.clock(nd), n.nodes[p.from].addr, &head, msg)
	n.handled(nd, &head)
}

// open delivers raw bytes, as a socket would.
func (n *Net) open(nd *node, raw []byte, from netip.AddrPort, corrupted bool) {
	h, body, err := nd.opener.Open(n.clock(nd), raw)
	if err != nil {
		return
	}
	if corrupted {
		n.fail(errors.New("a packet with a flipped bit has opened"))
		return
	}
	msg, err := wire.Decode(h.Type, body)
	if err != nil {
		n.fail(fmt.Errorf("a packet of our own does not decode: %w", err))
		return
	}
	nd.eng.Handle(n.clock(nd), from, &h, msg)
	n.handled(nd, &h)
}

func (n *Net) handled(nd *node, h *wire.Header) {
	if h.Type == wire.TypeData {
		// The timers of a receiver change little with DATA; look at the next one.
		if next := nd.eng.Next(); nd.due != 0 && next-nd.skew >= nd.due && !nd.eng.Pending() {
			return
		}
	}
	n.after(nd)
}

func (n *Net) summary() {
	s := &n.stats
	if n.opt.Content > 0 {
		symbols := float64((n.opt.Content + int64(n.opt.Symbol) - 1) / int64(n.opt.Symbol))
		s.Traffic, s.AllTraffic = float64(s.Content)/symbols, float64(s.Data)/symbols
	}
	if o := n.outcome; o != nil {
		s.Nacks, s.Rounds, s.Rate = o.Nacks, o.Rounds, o.Rate
		s.Elapsed = time.Duration(o.Ended - o.Began)
	}
	s.Committed = 0
	first, last := int64(math.MaxInt64), int64(0)
	for _, nd := range n.nodes[1:] {
		if nd.disk.version == n.version && n.version > 0 {
			s.Committed++
			first, last = min(first, nd.flipped), max(last, nd.flipped)
		}
	}
	if s.Committed > 0 {
		s.Spread = time.Duration(last - first)
	}
}

// Stats returns what was counted so far.
func (n *Net) Stats() Stats {
	n.summary()
	return n.stats
}
