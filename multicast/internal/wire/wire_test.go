package wire

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// random fills a message with values that its decoder takes.
func random(r *rand.Rand, m Message) {
	fill(r, reflect.ValueOf(m).Elem())
	switch m := m.(type) {
	case *Announce:
		m.Symbol = uint16(MinSymbol + 64*r.IntN(100))
		m.Manifest %= MaxManifest + 1
		m.Targets = m.Targets[:min(len(m.Targets), MaxTargets)]
	case *Need:
		randomPart(r, (*part)(m))
	case *Result:
		randomPart(r, (*part)(m))
	case *States:
		m.From %= MaxRoster
	case *Data:
		m.Object %= Objects
		m.K = 1 + m.K%K
		m.Symbol = uint8(r.IntN(int(m.K) + MaxSymbols - K))
		m.Flags &= DataRepair
		m.Payload = make([]byte, MinSymbol+r.IntN(1000))
	case *Nack:
		m.Object %= Objects
		for i := range m.Lacks {
			m.Lacks[i].Deficit = 1 + m.Lacks[i].Deficit%K
		}
	case *Answer:
		m.State = 1 + m.State%4
		if m.State != AnswerCommitted {
			m.Commit = Commit{}
		}
		if m.State != AnswerAborted {
			m.Abort = Abort{}
		}
	}
}

func randomPart(r *rand.Rand, p *part) {
	p.Parts = uint16(1 + r.IntN(MaxParts))
	p.Part = uint16(r.IntN(int(p.Parts)))
	p.Bytes = make([]byte, BlobPart)
	if p.Part == p.Parts-1 {
		p.Bytes = p.Bytes[:1+r.IntN(BlobPart)]
	}
}

func fill(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64() >> (64 - v.Type().Bits()))
	case reflect.Int32:
		v.SetInt(int64(int32(r.Uint32())))
	case reflect.String:
		v.SetString(strings.Repeat("x", r.IntN(200)))
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Slice:
		n := 1 + r.IntN(20)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(r, v.Index(i))
		}
	case reflect.Struct:
		if _, ok := v.Interface().(netip.AddrPort); ok {
			v.Set(reflect.ValueOf(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(r.Uint32()), 3, 4}), uint16(r.Uint32()))))
			return
		}
		for _, field := range v.Fields() {
			fill(r, field)
		}
	}
}

func TestMessagesComeBackAsTheyWere(t *testing.T) {
	r := oracle.Rand(t)
	for ty := TypeHello; ty < TypeRefuse; ty++ {
		for range 200 {
			m := newMessage(ty)
			require.NotNil(t, m, "%v", ty)
			random(r, m)
			b := m.Append(nil)
			got, err := Decode(ty, b)
			require.NoError(t, err)
			require.Equal(t, m, got)
			// A body that is cut short or longer is refused, with its place.
			var e *Error
			if _, open := m.(*States); len(b) > 0 && !open && ty != TypeNeed && ty != TypeResult && ty != TypeData {
				cut := r.IntN(len(b))
				if (ty == TypeQuery || ty == TypeHello) && cut == len(b)-8 {
					cut-- // the nonce and its echo may be left out
				}
				_, err = Decode(ty, b[:cut])
				require.ErrorAs(t, err, &e)
				require.Equal(t, ty, e.Type)
				_, err = Decode(ty, append(b, 0))
				require.ErrorAs(t, err, &e)
			}
		}
	}
	_, err := Decode(99, nil)
	require.ErrorContains(t, err, "type 99: type at byte 0: unknown message type")
}

func TestBodiesOutOfRangeAreRefused(t *testing.T) {
	for name, m := range map[string]Message{
		"symbol of k=1":      &Data{K: 1, Symbol: 192, Payload: make([]byte, 512)},
		"k of 0":             &Data{K: 0, Payload: make([]byte, 512)},
		"k of 65":            &Data{K: 65, Payload: make([]byte, 512)},
		"object 4":           &Data{Object: 4, K: 1, Payload: make([]byte, 512)},
		"flags":              &Data{K: 1, Flags: 2, Payload: make([]byte, 512)},
		"short payload":      &Data{K: 1, Payload: make([]byte, 511)},
		"deficit of 0":       &Nack{Lacks: []Lack{{1, 0}}},
		"deficit of 65":      &Nack{Lacks: []Lack{{1, 65}}},
		"many lacks":         &Nack{Lacks: make([]Lack, MaxNack+1)},
		"part after the end": &Need{Part: 1, Parts: 1},
		"no parts":           &Result{},
		"short inner part":   &Need{Parts: 2, Bytes: []byte{1}},
		"too many parts":     &Need{Parts: MaxParts + 1, Bytes: make([]byte, BlobPart)},
		"odd symbol":         &Announce{Symbol: 1409},
		"tiny symbol":        &Announce{Symbol: 64},
		"large manifest":     &Announce{Symbol: 1408, Manifest: MaxManifest + 1},
		"many targets":       &Announce{Symbol: 1408, Targets: make([]NodeID, MaxTargets+1)},
		"states far away":    &States{From: MaxRoster + 1},
		"answer of state 9":  &Answer{State: 9},
	} {
		_, err := Decode(m.Type(), m.Append(nil))
		require.Error(t, err, name)
	}
}

const goldenPacket = "4d430113e5695e180102030405060708090a0b0caabbccdd0000000000000007b87c3e565b9ef3da449241a75ef4c57f3c"

func keys(t testing.TB, key []byte) *Keys {
	t.Helper()
	k, err := NewKeys(key, "224.0.0.108:5000")
	require.NoError(t, err)
	return k
}

func TestPacketIsTheOneWrittenDown(t *testing.T) {
	// The packet that PROTOCOL.md shows.
	k := keys(t, bytes.Repeat([]byte{0x42}, 32))
	s, err := k.NewSealer(NodeID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	require.NoError(t, err)
	p := s.Seal(nil, 7, 0xAABBCCDD, &End{Reason: ReasonDone})
	require.Equal(t, goldenPacket, hex.EncodeToString(p))
}

func TestPacketsOpenOnceAndOnlyWhole(t *testing.T) {
	key := bytes.Repeat([]byte{1}, 32)
	a := NodeID{1}
	s, err := keys(t, key).NewSealer(a)
	require.NoError(t, err)
	p := s.Seal(nil, 5, 9, &Query{What: QueryMembers})
	open := func(k *Keys, own NodeID, p []byte) error {
		_, _, err := k.NewOpener(own, 10).Open(1, bytes.Clone(p))
		return err
	}
	require.NoError(t, open(keys(t, key), NodeID{2}, p))
	require.ErrorIs(t, open(keys(t, key), a, p), ErrOwn)
	require.ErrorIs(t, open(keys(t, nil), NodeID{2}, p), ErrForeign)
	other, err := NewKeys(key, "224.0.0.109:5000")
	require.NoError(t, err)
	require.ErrorIs(t, open(other, NodeID{2}, p), ErrForeign)
	for i := range p {
		for bit := range 8 {
			q := bytes.Clone(p)
			q[i] ^= 1 << bit
			require.Error(t, open(keys(t, key), NodeID{2}, q), "byte %d bit %d", i, bit)
		}
	}
	for n := range p {
		require.Error(t, open(keys(t, key), NodeID{2}, p[:n]))
	}
	o := keys(t, key).NewOpener(NodeID{2}, 10)
	h, body, err := o.Open(1, bytes.Clone(p))
	require.NoError(t, err)
	require.Equal(t, Header{Version: 1, Type: TypeQuery, Group: keys(t, key).Group(), Node: a, Transfer: 9, Number: 5}, h)
	m, err := Decode(h.Type, body)
	require.NoError(t, err)
	require.Equal(t, uint8(QueryMembers), m.(*Query).What)
	_, _, err = o.Open(2, bytes.Clone(p))
	require.ErrorIs(t, err, ErrReplay)
	v2 := bytes.Clone(p)
	v2[2] = 2
	_, _, err = o.Open(3, v2)
	require.ErrorIs(t, err, ErrVersion)
}

func TestReplayWindow(t *testing.T) {
	r := oracle.Rand(t)
	var w window
	seen := map[uint64]bool{}
	top := uint64(0)
	for range 200000 {
		n := top + uint64(r.IntN(40))
		if back := uint64(r.IntN(5000)); r.IntN(2) == 0 && back <= n {
			n -= back
		}
		if r.IntN(2000) == 0 {
			n += 10000
		}
		old := n == 0 || top >= 4096 && n <= top-4096
		require.Equal(t, !old && !seen[n], w.fresh(n), "number %d, highest %d", n, top)
		seen[n] = true
		top = max(top, n)
	}
}

func TestUnknownNodesCostABoundedAmount(t *testing.T) {
	o := keys(t, nil).NewOpener(NodeID{9}, 10)
	h := Header{Version: Version, Type: TypeHello, Group: keys(t, nil).Group(), Number: 1}
	floods := 0
	for i := range 5000 {
		h.Node = NodeID{1, byte(i), byte(i >> 8)}
		_, _, err := o.Open(int64(time.Second)+int64(i), append(h.Append(nil), make([]byte, 40)...))
		require.Error(t, err)
		if err == ErrFlood {
			floods++
		}
	}
	require.Equal(t, 4000, floods)
	require.Zero(t, o.Known(), "a packet that does not open leaves nothing")
	for i := range 100 {
		s, err := keys(t, nil).NewSealer(NodeID{7, byte(i)})
		require.NoError(t, err)
		_, _, err = o.Open(int64(2+i)*int64(time.Second), s.Seal(nil, 1, 0, &Bye{}))
		require.NoError(t, err)
	}
	require.LessOrEqual(t, o.Known(), 10)
}

func TestSignaturesHoldThePublisher(t *testing.T) {
	pub, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	other, _, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	node := NodeID{1}
	for _, m := range []Message{&Announce{Epoch: 1, Symbol: 1408, Name: "s"}, &Commit{Epoch: 1, At: 5}, &Abort{Text: "x"}} {
		require.False(t, Trusted(m, []ed25519.PublicKey{pub}, node, 3), "unsigned")
		Sign(m, key, node, 3)
		back, err := Decode(m.Type(), m.Append(nil))
		require.NoError(t, err)
		require.True(t, Trusted(back, []ed25519.PublicKey{other, pub}, node, 3))
		require.False(t, Trusted(back, []ed25519.PublicKey{other}, node, 3))
		require.False(t, Trusted(back, []ed25519.PublicKey{pub}, node, 4), "another transfer")
		require.False(t, Trusted(back, []ed25519.PublicKey{pub}, NodeID{2}, 3), "another node")
		switch x := back.(type) {
		case *Announce:
			x.Flags |= FlagDelete
		case *Commit:
			x.At++
		case *Abort:
			x.Text = "y"
		}
		require.False(t, Trusted(back, []ed25519.PublicKey{pub}, node, 3), "changed")
	}
	require.False(t, Trusted(&Bye{}, []ed25519.PublicKey{pub}, node, 3))
}

// TestDataCostsNoAllocation holds the path of each DATA packet: seal, open, decode.
func TestDataCostsNoAllocation(t *testing.T) {
	k := keys(t, nil)
	s, err := k.NewSealer(NodeID{1})
	require.NoError(t, err)
	o := k.NewOpener(NodeID{2}, 10)
	d := &Data{Object: ObjectContent, K: 64, Payload: make([]byte, 1408)}
	var got Data
	buf := make([]byte, 0, 2000)
	n := uint64(0)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		n++
		p := s.Seal(buf, n, 1, d)
		_, body, err := o.Open(1, p)
		if err != nil || DecodeInto(&got, body) != nil {
			t.Error(err)
		}
	}))
}

func FuzzDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for ty := TypeHello; ty < TypeRefuse; ty++ {
		m := newMessage(ty)
		random(r, m)
		f.Add(uint8(ty), m.Append(nil))
	}
	f.Fuzz(func(t *testing.T, ty uint8, b []byte) {
		m, err := Decode(Type(ty), b)
		if err != nil {
			return
		}
		again, err := Decode(Type(ty), m.Append(nil))
		require.NoError(t, err)
		require.Equal(t, m, again)
	})
}

func FuzzOpen(f *testing.F) {
	k, err := NewKeys(nil, "g")
	require.NoError(f, err)
	s, err := k.NewSealer(NodeID{1})
	require.NoError(f, err)
	f.Add(s.Seal(nil, 1, 2, &Bye{}))
	f.Add(k.Refuse(NodeID{3}))
	f.Fuzz(func(t *testing.T, b []byte) {
		o := k.NewOpener(NodeID{2}, 4)
		h, _, err := o.Open(1, bytes.Clone(b))
		if err == nil {
			require.Equal(t, k.Group(), h.Group)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	s, err := keys(b, nil).NewSealer(NodeID{1})
	require.NoError(b, err)
	d := &Data{K: 64, Payload: make([]byte, 1408)}
	buf := make([]byte, 0, 2000)
	b.SetBytes(1408)
	b.ReportAllocs()
	var n uint64
	for b.Loop() {
		n++
		s.Seal(buf, n, 1, d)
	}
}
