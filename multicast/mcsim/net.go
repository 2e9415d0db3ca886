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
	"time"

	"dougu.internal/multicast/internal/engine"
	"dougu.internal/multicast/internal/wire"
)

// Burst configures loss in bursts by the model of Gilbert and Elliott: before each packet
// a bad time can start or end, in which packets are lost with another rate.
type Burst struct {
	// Enter is the probability per packet that a bad time starts.
	Enter float64 `json:"enter,omitzero"`
	// Leave is the probability per packet that a bad time ends.
	Leave float64 `json:"leave,omitzero"`
	// Loss is the loss rate in a bad time.
	Loss float64 `json:"loss,omitzero"`
}

// Options configures a simulated network. Receivers and Content must be set. The zero
// value of each other field switches the property off. Probabilities are from 0 to 1.
type Options struct {
	// Seed makes runs with the same options identical.
	Seed uint64 `json:"seed,omitzero"`
	// Receivers is the number of receivers.
	Receivers int `json:"receivers,omitzero"`
	// Content is the size of the sent tree in bytes.
	Content int64 `json:"content,omitzero"`

	// Loss is the probability that a receiver does not get a packet. It is independent for
	// each receiver.
	Loss float64 `json:"loss,omitzero"`
	// Burst is additional loss, independent for each receiver.
	Burst Burst `json:"burst,omitzero"`
	// Shared is the probability that no receiver gets a packet.
	Shared float64 `json:"shared,omitzero"`
	// Delay is the time from the sender to a receiver.
	Delay time.Duration `json:"delay,omitzero"`
	// Jitter is the maximum of an additional random delay.
	Jitter time.Duration `json:"jitter,omitzero"`
	// Reorder is the probability that a packet is late by four times Delay.
	Reorder float64 `json:"reorder,omitzero"`
	// Duplicate is the probability that a packet arrives twice.
	Duplicate float64 `json:"duplicate,omitzero"`
	// Corrupt is the probability that a bit of a packet is flipped.
	Corrupt float64 `json:"corrupt,omitzero"`

	// Link is the capacity of the sender's link in bits per second.
	Link uint64 `json:"link,omitzero"`
	// Queue is the size of the queue of the link in bytes. If zero, 256 KiB is used.
	Queue int `json:"queue,omitzero"`
	// Disk is the speed of a receiver's disk in bytes per second.
	Disk uint64 `json:"disk,omitzero"`
	// Skew is the maximum difference between the clocks of the nodes.
	Skew time.Duration `json:"skew,omitzero"`

	// Rate is the maximum sending rate in bits per second.
	Rate uint64 `json:"rate,omitzero"`
	// Fixed sends at Rate without rate control.
	Fixed bool `json:"fixed,omitzero"`
	// Symbol is the payload of a packet in bytes. If zero, 1408 is used.
	Symbol int `json:"symbol,omitzero"`

	// Quorum is the number of receivers that must be ready before the sender commits. If
	// zero, all must be ready.
	Quorum int `json:"quorum,omitzero"`
	// Sealed encrypts and decrypts each packet, as on a real network.
	Sealed bool `json:"sealed,omitzero"`
	// Signed gives the sender a key that the receivers trust.
	Signed bool `json:"signed,omitzero"`
	// Hello makes every node announce itself periodically. Otherwise nodes answer requests
	// only. The traffic grows with the square of the number of nodes.
	Hello bool `json:"hello,omitzero"`
}

// Net is a simulated network. Its methods must not be called concurrently.
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

// Stats contains the counters of a run.
type Stats struct {
	// Events is the number of simulated events.
	Events uint64 `json:"events,omitzero"`
	// Deliveries is the number of packets that arrived at a node.
	Deliveries uint64 `json:"deliveries,omitzero"`
	// Lost is the number of deliveries that failed.
	Lost uint64 `json:"lost,omitzero"`
	// Corrupted is the number of packets that arrived with a flipped bit.
	Corrupted uint64 `json:"corrupted,omitzero"`
	// Data is the number of DATA packets of the sender.
	Data uint64 `json:"data,omitzero"`
	// Repair is the part of Data that was parity or was sent again.
	Repair uint64 `json:"repair,omitzero"`
	// Nacks is the number of repair requests that reached the sender.
	Nacks uint64 `json:"nacks,omitzero"`
	// Rounds is the number of repair rounds.
	Rounds int `json:"rounds,omitzero"`
	// Control is the number of other packets of the sender.
	Control uint64 `json:"control,omitzero"`
	// Committed is the number of receivers that have the last version.
	Committed int `json:"committed,omitzero"`
	// Spread is the time between the first and the last receiver's switch to that version.
	Spread time.Duration `json:"spread,omitzero"`
	// Elapsed is the duration of the last transfer.
	Elapsed time.Duration `json:"elapsed,omitzero"`
	// Traffic is the amount of content sent, with parity and repair, divided by the size of
	// the content.
	Traffic float64 `json:"traffic,omitzero"`
	// AllTraffic is like Traffic and includes the metadata of the transfer.
	AllTraffic float64 `json:"allTraffic,omitzero"`
	// Content is the number of DATA packets of the content.
	Content uint64 `json:"content,omitzero"`
	// Rate is the sending rate at the end, in bits per second.
	Rate uint64 `json:"rate,omitzero"`
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

// Defaults of Options.
const (
	defaultSymbol = 1408
	defaultQueue  = 256 << 10
)

// New returns a network in which all nodes are up. The sender does nothing until Send is called.
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
		n.err = &brokenError{time.Duration(n.now), err}
	}
}

// errBroken is wrapped by the errors of violated invariants.
var errBroken = errors.New("mcsim: an invariant is violated")

// brokenError is a violated invariant.
type brokenError struct {
	at  time.Duration
	err error
}

func (e *brokenError) Error() string {
	return fmt.Sprintf("mcsim: invariant violated at %v: %v", e.at, e.err)
}

func (e *brokenError) Is(target error) bool { return target == errBroken }

func (e *brokenError) Unwrap() error { return e.err }

// Trace makes the network write a line to w for each event of a node from now on.
func (n *Net) Trace(w io.Writer) { n.trace = w }

func (n *Net) log(nd *node, format string, args ...any) {
	if n.trace != nil {
		fmt.Fprintf(n.trace, "%10.3fms %-4s %s\n", float64(n.now)/1e6, nd.name, fmt.Sprintf(format, args...))
	}
}

// Now returns the simulated time since New.
func (n *Net) Now() time.Duration { return time.Duration(n.now) }

// At calls f at the simulated time t.
func (n *Net) At(t time.Duration, f func()) {
	n.push(event{at: max(int64(t), n.now), kind: evCall, call: f})
}

// Send makes the sender start a transfer of a new version of the tree.
func (n *Net) Send() error {
	if n.send != nil && n.outcome == nil {
		return errors.New("mcsim: cannot send: a transfer is in progress")
	}
	if n.nodes[0].down {
		return errors.New("mcsim: cannot send: the sender is down")
	}
	n.version++
	n.transfer()
	return nil
}

// Again makes the sender start a transfer of the same version, as after a failure.
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

// Crash stops node i without notice. Node 0 is the sender. The content of its disk is kept.
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

// Restart starts a crashed node with a new node id and the content of its disk.
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

// Partition separates the given nodes from all others.
func (n *Net) Partition(nodes ...int) {
	clear(n.side)
	for _, i := range nodes {
		n.side[i] = 1
	}
}

// Heal ends the partition.
func (n *Net) Heal() { clear(n.side) }

// SlowDisk sets the speed of a receiver's disk in bytes per second.
func (n *Net) SlowDisk(i int, rate uint64) { n.nodes[i].disk.rate = rate }

// FullDisk makes the disk of receiver i full after the given number of further bytes.
func (n *Net) FullDisk(i int, bytes uint64) { n.nodes[i].disk.full, n.nodes[i].disk.left = true, bytes }

// Version returns the version of the tree at receiver i. Version 0 is the empty tree.
func (n *Net) Version(i int) int { return n.nodes[i].disk.version }

// State returns the name of the state of node i.
func (n *Net) State(i int) string {
	s := n.nodes[i].eng.Status(n.clock(n.nodes[i]))
	return engine.State(s.State).String()
}

// Done reports whether the last transfer of the sender has ended.
func (n *Net) Done() bool { return n.outcome != nil }

// Err returns the error of the sender's last transfer, or nil. While a transfer is in
// progress it returns an error.
func (n *Net) Err() error {
	if n.outcome == nil {
		return errors.New("mcsim: the transfer has not ended")
	}
	if err := n.outcome.Err; err != nil {
		return fmt.Errorf("mcsim: %w", err)
	}
	return nil
}

// Hosts returns the result of the last transfer for each receiver: "committed" or the reason for
// its failure.
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

// Run runs the network up to the given simulated time, or until the transfer has ended and its
// receivers are idle. It returns an error if an invariant is violated.
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

// RunFor runs the network for the given duration. It returns an error if an invariant is violated.
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

// Stats returns the current counters.
func (n *Net) Stats() Stats {
	n.summary()
	return n.stats
}
