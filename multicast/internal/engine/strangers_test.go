package engine

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/multicast/internal/wire"
)

var (
	groupAddr = netip.MustParseAddrPort("224.0.0.108:5000")
	ours      = netip.MustParseAddrPort("10.0.0.1:1000")
	theirs    = netip.MustParseAddrPort("10.0.0.2:2000")
)

func nodeID(i uint64) (id wire.NodeID) {
	binary.BigEndian.PutUint64(id[4:], i)
	return id
}

func plainNode(epoch uint64, store Store) *Node {
	seed := uint64(1)
	return NewNode(1, Config{ID: nodeID(1), Name: "own", Unicast: ours, Group: groupAddr, Track: true, Quiet: true, Epoch: epoch, Store: store, Receives: store != nil,
		Rand: func() uint64 { seed = seed*6364136223846793005 + 1442695040888963407; return seed }})
}

func hello(n *Node, now Time, id uint64, h wire.Hello) {
	if !h.Unicast.IsValid() {
		h.Unicast = theirs
	}
	n.Handle(now, h.Unicast, &wire.Header{Node: nodeID(id)}, &h)
}

func TestStrangersChangeNoMember(t *testing.T) {
	n := plainNode(0, nil)
	hello(n, 1, 7, wire.Hello{Flags: wire.HelloReceives, Name: "seven"})
	n.Incompatible(2, &wire.Header{Node: nodeID(7), Version: 9}, theirs)
	require.Len(t, n.Members(), 1)
	require.Equal(t, "seven", n.Members()[0].Name)
	require.Zero(t, n.Members()[0].Protocol)
	for i := range uint64(5000) {
		n.Incompatible(Time(i), &wire.Header{Node: nodeID(100 + i), Version: 9}, theirs)
	}
	require.Len(t, n.Members(), 1+maxStrangers)
	require.LessOrEqual(t, len(n.Events()), 5, "a flood of ids is no flood of events")
	hello(n, int64(50*time.Second), 7, wire.Hello{Flags: wire.HelloReceives, Name: "seven"})
	n.Poll(int64(51*time.Second), 0)
	require.Len(t, n.Members(), 1)
}

// nonceOf returns the nonce of the last QUERY that a node has sent.
func nonceOf(t *testing.T, n *Node) (nonce uint64) {
	t.Helper()
	for _, o := range n.Take() {
		if q, ok := o.Msg.(*wire.Query); ok {
			nonce = q.Nonce
		}
	}
	require.NotZero(t, nonce)
	return nonce
}

func sendOne(n *Node, now Time, o SendOptions) *Send {
	o.Manifest, o.Symbol = []byte("manifest"), 1408
	return n.StartSend(now, o)
}

func run(n *Node, from, to time.Duration) {
	for now := from; now <= to; now += 2 * time.Millisecond {
		n.Poll(int64(now), 0)
	}
}

func TestARecordedHelloIsNoMember(t *testing.T) {
	n := plainNode(0, nil)
	hello(n, 1, 7, wire.Hello{Flags: wire.HelloReceives, Name: "off"}) // before, and in the meantime
	s := sendOne(n, 10, SendOptions{})
	run(n, 1, 20*time.Millisecond)
	nonce := nonceOf(t, n)
	hello(n, int64(21*time.Millisecond), 8, wire.Hello{Flags: wire.HelloReceives, Name: "recorded", Echo: nonce + 1})
	hello(n, int64(21*time.Millisecond), 9, wire.Hello{Flags: wire.HelloReceives, Name: "there", Echo: nonce})
	run(n, 22*time.Millisecond, 700*time.Millisecond)
	require.Equal(t, Gather, s.State())
	require.Len(t, s.peers, 1)
	require.Equal(t, "there", s.peers[0].Name)

	n = plainNode(0, nil)
	s = sendOne(n, 10, SendOptions{})
	for now := time.Millisecond; now < 6*time.Second; now += 100 * time.Millisecond {
		hello(n, int64(now), 7, wire.Hello{Flags: wire.HelloReceives, Name: "off", Echo: 12345})
		n.Poll(int64(now), 0)
	}
	require.NotNil(t, s.Outcome())
	require.Equal(t, ErrNoMembers, s.Outcome().Err)
}

func TestARecordedSenderHoldsNobody(t *testing.T) {
	for _, state := range []State{Idle, Content} {
		n := plainNode(0, nil)
		s := sendOne(n, 10, SendOptions{})
		run(n, 1, 20*time.Millisecond)
		there := wire.Hello{Flags: wire.HelloReceives, Name: "there", State: uint8(state), Echo: nonceOf(t, n)}
		began := time.Duration(0)
		for now := 22 * time.Millisecond; now < 20*time.Second && began == 0; now += 10 * time.Millisecond {
			if (now-22*time.Millisecond)%time.Second == 0 {
				hello(n, int64(now), 9, there)
			}
			n.Handle(int64(now), theirs, &wire.Header{Node: nodeID(5), Transfer: 5}, &wire.Heartbeat{})
			n.Poll(int64(now), 0)
			if s.State() == Gather {
				began = now
			}
		}
		if state == Idle {
			require.Less(t, began, 3*time.Second)
		} else { // a member confirms it: there is a limit all the same
			require.Greater(t, began, 10*time.Second)
			require.Less(t, began, busyLimit+2*time.Second)
		}
	}
}

func TestNothingIsSentUnasked(t *testing.T) {
	n := plainNode(0, nil)
	victim := netip.MustParseAddrPort("10.0.0.99:99")
	h := &wire.Header{Node: nodeID(5), Transfer: 5}
	n.Handle(1, theirs, h, &wire.Query{What: wire.QueryMembers, Unicast: victim})
	n.Handle(1, theirs, h, &wire.Query{What: wire.QueryStatus, Unicast: victim})
	n.Poll(int64(time.Second), 0)
	require.Empty(t, n.Take())
	for i := range 100 { // of many askers
		a := netip.AddrPortFrom(theirs.Addr(), uint16(1+i))
		n.Handle(int64(time.Second), a, h, &wire.Query{What: wire.QueryMembers, Unicast: a, Nonce: 77})
	}
	n.Poll(int64(2*time.Second), 0)
	out := n.Take()
	require.Len(t, out, maxAnswers)
	require.Equal(t, uint64(77), out[0].Msg.(*wire.Hello).Echo)
}

// idleStore does nothing.
type idleStore struct{ Store }

func (idleStore) Compare(*wire.Announce, []byte) {}
func (idleStore) Drop()                          {}
func (idleStore) Load() (uint64, uint64, uint32) { return 0, 0, 0 }

func announce(n *Node, now Time, id uint64, epoch uint64) {
	n.Handle(now, theirs, &wire.Header{Node: nodeID(id), Transfer: uint32(id)}, &wire.Announce{Epoch: epoch, Symbol: 1408, Manifest: 5000, Unicast: theirs})
}

// reasons returns the answers to announcements.
func reasons(t *testing.T, n *Node) (list []string) {
	t.Helper()
	for _, o := range n.Take() {
		if m, ok := o.Msg.(*wire.Need); ok {
			a, err := parseNeed(m.Bytes, wire.MaxObject)
			require.NoError(t, err)
			list = append(list, a.reason)
		}
	}
	return list
}

func TestEpochsStayInRange(t *testing.T) {
	n := plainNode(10, idleStore{})
	announce(n, 1, 5, 1<<64-1)
	announce(n, 1, 6, 11+epochReach)
	announce(n, 1, 7, 10)
	got := reasons(t, n)
	require.Len(t, got, 3)
	require.Contains(t, got[0], "out of range")
	require.Contains(t, got[1], "out of range")
	require.Contains(t, got[2], "not newer")
	announce(n, 1, 8, 10+epochReach)
	require.Equal(t, Manifest, n.recv.state)

	n = plainNode(0, nil)
	s := sendOne(n, 10, SendOptions{})
	run(n, 1, 20*time.Millisecond)
	nonce := nonceOf(t, n)
	for i, epoch := range []uint64{7, 3, 1<<64 - 2} {
		hello(n, int64(21*time.Millisecond), 20+uint64(i), wire.Hello{Flags: wire.HelloReceives, Epoch: epoch, Echo: nonce})
	}
	run(n, 22*time.Millisecond, 700*time.Millisecond)
	require.Equal(t, Gather, s.State())
	require.Equal(t, uint64(8), s.epoch)
	require.Len(t, s.peers, 2)
}

func TestADeadSenderLetsTheNextOneIn(t *testing.T) {
	n := plainNode(0, idleStore{})
	announce(n, 1, 5, 1)
	announce(n, int64(time.Second), 6, 1)
	require.Contains(t, reasons(t, n)[0], "busy")
	announce(n, int64(4*time.Second), 6, 1)
	require.Equal(t, nodeID(6), n.recv.sender)
}

func TestNamesAreSettledOnce(t *testing.T) {
	n := plainNode(0, nil)
	for i, name := range []string{"web", "web#2", "web", "db", "web"} {
		hello(n, 1, uint64(10+i), wire.Hello{Flags: wire.HelloReceives, Name: name})
	}
	names := n.Names()
	require.Equal(t, map[wire.NodeID]string{nodeID(10): "web", nodeID(11): "web#2", nodeID(12): "web#3", nodeID(13): "db", nodeID(14): "web#4"}, names)
	require.True(t, n.members[nodeID(12)].called("web#3", names))
	require.True(t, n.members[nodeID(12)].called("web", names))
	require.True(t, n.members[nodeID(12)].called("10.0.0.2", names))
	require.False(t, n.members[nodeID(12)].called("web#2", names))
}
