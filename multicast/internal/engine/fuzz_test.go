package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/multicast/internal/ranges"
	"dougu.internal/multicast/internal/wire"
)

// fakeStore answers at once, and keeps account.
type fakeStore struct {
	n         *Node
	now       func() Time
	compares  int
	completes int
	commits   int
	verified  [32]byte
	need      ranges.Set
}

func (f *fakeStore) Compare(*wire.Announce, []byte) {
	f.compares++
	f.n.Compared(f.now(), f.n.Receiving(), Compared{Need: f.need})
}
func (f *fakeStore) Open(ranges.Set, int)                {}
func (f *fakeStore) Room() bool                          { return true }
func (f *fakeStore) Symbol(uint32, uint8, uint8, []byte) {}
func (f *fakeStore) Complete(uint32)                     { f.completes++ }
func (f *fakeStore) Verify(seal []byte, _ Promise) {
	f.verified = sha256.Sum256(seal)
	f.n.Verified(f.now(), f.n.Receiving(), Verified{OK: true, Root: f.verified})
}
func (f *fakeStore) Commit() {
	f.commits++
	f.n.Committed(f.now(), f.n.Receiving(), f.now(), Committed{OK: true})
}
func (f *fakeStore) Drop()                          {}
func (f *fakeStore) Load() (uint64, uint64, uint32) { return 0, 0, 0 }
func (f *fakeStore) Ready(uint32) bool              { return true }

var here = netip.MustParseAddrPort("10.0.0.1:7")

// FuzzNode feeds a node, which receives and sends, with packets of members that do
// not keep to the protocol: any message, in any order, at any time. It never panics,
// never sends without bound, and never commits what it was not asked to.
func FuzzNode(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		b := make([]byte, 400)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		var now Time = 1
		st := &fakeStore{now: func() Time { return now }, need: ranges.Set{{Start: 0, End: 200000}}}
		seed := uint64(1)
		random := func() uint64 { seed = seed*6364136223846793005 + 1442695040888963407; return seed }
		n := NewNode(now, Config{ID: wire.NodeID{50}, Name: "n", Unicast: here, Receives: true, Store: st, Rand: random, Track: true})
		st.n = n
		sum := sha256.Sum256([]byte("manifest"))
		s := n.StartSend(now, SendOptions{Manifest: []byte("manifest"), Digest: sum, Symbol: 512, Source: st})
		sent := 0
		for len(script) > 3 {
			op, kind, size := script[0], script[1], int(script[2])
			script = script[3:]
			now += Time(op>>4) * int64(time.Millisecond)
			body := script[:min(size, len(script))]
			script = script[len(body):]
			m := fuzzMessage(wire.Type(kind%21+1), body, s, n)
			if m != nil {
				h := wire.Header{Version: 1, Type: m.Type(), Node: wire.NodeID{op & 7}, Transfer: uint32(op & 3), Number: 1}
				if op&4 != 0 {
					h.Transfer = s.ID()
				}
				n.Handle(now, here, &h, m)
			}
			n.Poll(now, 16)
			sent += len(n.Take())
			n.Events()
			require.Greater(t, n.Next(), Time(0))
			if s.Outcome() != nil {
				s = n.StartSend(now, SendOptions{Manifest: []byte("manifest"), Digest: sum, Symbol: 512, Source: st})
			}
		}
		require.LessOrEqual(t, len(n.members), wire.MaxRoster)
		require.LessOrEqual(t, len(n.foreign), maxForeign)
		require.LessOrEqual(t, st.commits, st.compares)
		require.Less(t, sent, 200000)
	})
}

// fuzzMessage is a message of the script's bytes, bent so that it gets further than
// noise would: announcements have a manifest that fits, commits the right root.
func fuzzMessage(ty wire.Type, body []byte, s *Send, n *Node) wire.Message {
	padded := append(append([]byte(nil), body...), make([]byte, 700)...)
	at := func(i int) uint64 { return binary.BigEndian.Uint64(padded[i:]) }
	manifest := []byte("manifest")
	switch ty {
	case wire.TypeAnnounce:
		return &wire.Announce{Epoch: at(0) % 16, Flags: uint16(at(8)) & 15, Symbol: 512, Manifest: uint64(len(manifest)), Digest: sha256.Sum256(manifest), Group: uint32(at(16)) % 100,
			GRTT: uint32(at(20)), Clock: at(24), Unicast: here, Name: "x"}
	case wire.TypeData:
		d := &wire.Data{Object: padded[0] & 3, Symbol: padded[1] % 8, K: 1 + padded[2]%3, Flags: padded[3] & 1, Block: uint32(padded[4]), Seq: uint32(at(5)), Payload: padded[12 : 12+512]}
		switch d.Object {
		case wire.ObjectManifest:
			d.K, d.Symbol, d.Block = 1, 0, 0
			d.Payload = append(append([]byte(nil), manifest...), make([]byte, 512-len(manifest))...)
		case wire.ObjectLayout:
			if padded[9]&1 == 0 {
				d.K, d.Symbol, d.Block = 1, 0, 0
				roster := binary.BigEndian.AppendUint32(nil, 1)
				mark := rosterMark(n.cfg.ID, n.recv.nonce)
				l := ranges.Set{{Start: 0, End: 200000}}.Append(append(roster, mark[:]...))
				p := append(binary.BigEndian.AppendUint64(nil, uint64(8+len(l))), l...)
				d.Payload = append(p, make([]byte, 512-len(p))...)
			}
		}
		return d
	case wire.TypeHello:
		return &wire.Hello{Flags: padded[0], Unicast: here, Epoch: at(1) % 16, Name: string(padded[9:12])}
	case wire.TypeNeed:
		b := (&need{status: padded[0] % 6, epoch: at(1) % 16, set: ranges.Set{{Start: at(9) % 1000, End: 1000 + at(17)%300000}}}).append()
		return &wire.Need{Parts: 1, Bytes: b}
	case wire.TypeReady:
		m := &wire.Ready{Status: padded[0] & 1}
		if s != nil && padded[1]&1 == 0 {
			m.Root = s.root
		}
		return m
	case wire.TypeNack:
		return &wire.Nack{Object: padded[0] & 3, Seen: uint32(at(1)), Echo: at(5), Lacks: []wire.Lack{{Block: uint32(padded[20]), Deficit: 1 + padded[21]%64}, {Block: uint32(at(22)), Deficit: 1}}}
	}
	m, err := wire.Decode(ty, body)
	if err != nil {
		return nil
	}
	return m
}

func FuzzBlobs(f *testing.F) {
	f.Add((&need{status: 1, reason: "x", set: ranges.Set{{Start: 1, End: 9}}}).append())
	f.Add((&result{ok: true, text: "y", bytes: []byte{1}}).append())
	f.Add(append(append(make([]byte, 9), 0x10, 0), make([]byte, 0x1000)...)) // a text that is too long
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, err := parseNeed(b, wire.MaxObject); err == nil {
			again, err := parseNeed(n.append(), wire.MaxObject)
			require.NoError(t, err)
			require.Equal(t, n, again)
		}
		if r, err := parseResult(b); err == nil {
			again, err := parseResult(r.append())
			require.NoError(t, err)
			require.Equal(t, r.text, again.text)
		}
	})
}

func TestUploadsArriveWhateverIsLost(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, size := range []int{0, 1, wire.BlobPart, wire.BlobPart + 1, 300000} {
		blob := make([]byte, size)
		for i := range blob {
			blob[i] = byte(r.Uint32())
		}
		u := newUpload(wire.TypeResult, blob, 1, 20*time.Millisecond)
		var d download
		for now := Time(1); !u.done(); now += int64(5 * time.Millisecond) {
			require.Less(t, now, int64(10*time.Minute))
			var acks []*wire.Ack
			send := func(m wire.Message) {
				if p := m.(*wire.Result); r.IntN(4) > 0 {
					d.take(p.Part, p.Parts, append([]byte(nil), p.Bytes...))
					acks = append(acks, d.ackFor(wire.TypeResult, p.Part))
				}
			}
			u.poll(now, send)
			for _, a := range acks {
				if r.IntN(4) > 0 {
					u.ack(now, a, send)
				}
			}
		}
		require.Zero(t, d.left)
		require.Equal(t, len(blob), len(d.bytes()))
		require.Equal(t, string(blob), string(d.bytes()))
	}
}

func TestTCPRateIsTheEquations(t *testing.T) {
	// RFC 5348, 3.1, by hand: s=1460, R=0.1 s, p=0.01, t_RTO=4R, b=1.
	// f(p) = sqrt(2p/3) + 12 sqrt(3p/8) p (1+32p^2) = 0.081650 + 0.007372
	require.InDelta(t, 8*1460/(0.1*(0.0816497+0.0073721)), TCPRate(1460, 100*time.Millisecond, 0.01), 200)
}

func TestLossEventsAreCountedByRoundTrip(t *testing.T) {
	var l lossEvents
	require.Zero(t, l.rate())
	for i := range 20 { // one event each 100 packets, three losses close together
		now := Time(i) * int64(time.Second)
		l.got(97)
		l.lost(now+1, 1, 100*time.Millisecond)
		l.lost(now+2, 1, 100*time.Millisecond)
		l.got(3)
	}
	require.InDelta(t, 10000, l.rate(), 400)
}
