package wire

import (
	"net/netip"
)

// Ready says that a receiver has everything, or that it can't have it.
type Ready struct {
	Status uint8 // 0 verified, 1 failed
	Root   [32]byte
	Failed uint32 // files
	Text   string
}

// Type is that of its packet.
func (*Ready) Type() Type { return TypeReady }

// Append adds the body's bytes.
func (m *Ready) Append(b []byte) []byte {
	b = append(append(b, m.Status), m.Root[:]...)
	return str(u32(b, m.Failed), m.Text, MaxText)
}

func (m *Ready) parse(r *reader) {
	m.Status = r.u8("status")
	r.fill(m.Root[:], "root")
	m.Failed, m.Text = r.u32("failed"), r.str(MaxText, "text")
}

// Commit makes every member switch at At of the sender's clock.
type Commit struct {
	Epoch        uint64
	At           uint64
	Clock        uint64 // sender's clock when this packet was made; not signed
	Root, Roster [32]byte
	Sign         Signature
}

// Type is that of its packet.
func (*Commit) Type() Type { return TypeCommit }

// Append adds the body's bytes.
func (m *Commit) Append(b []byte) []byte {
	b = m.signed(b)
	return u64(m.Sign.append(b), m.Clock)
}

func (m *Commit) signed(b []byte) []byte {
	return append(append(u64(u64(b, m.Epoch), m.At), m.Root[:]...), m.Roster[:]...)
}

func (m *Commit) parse(r *reader) {
	m.Epoch, m.At = r.u64("epoch"), r.u64("at")
	r.fill(m.Root[:], "root")
	r.fill(m.Roster[:], "roster")
	m.Sign.parse(r)
	m.Clock = r.u64("clock")
}

// Reasons of ABORT and END.
const (
	ReasonNone     uint8 = iota
	ReasonYield          // another sender goes first
	ReasonCancel         // the caller stopped it
	ReasonFailed         // a member could not prepare
	ReasonSource         // the source could not be read
	ReasonPolicy         // too few are ready
	ReasonReceiver       // that host only
	ReasonDone           // committed
)

// Abort ends a transfer, or one host's part in it when a receiver sends it.
type Abort struct {
	Reason uint8
	Epoch  uint64
	Text   string
	Sign   Signature
}

// Type is that of its packet.
func (*Abort) Type() Type { return TypeAbort }

// Append adds the body's bytes.
func (m *Abort) Append(b []byte) []byte { return m.Sign.append(m.signed(b)) }

func (m *Abort) signed(b []byte) []byte {
	return str(u64(append(b, m.Reason), m.Epoch), m.Text, MaxText)
}

func (m *Abort) parse(r *reader) {
	m.Reason, m.Epoch, m.Text = r.u8("reason"), r.u64("epoch"), r.str(MaxText, "text")
	m.Sign.parse(r)
}

// Ack says which parts of a blob have come.
type Ack struct {
	Of   Type
	From uint16
	Bits [32]byte
}

// Type is that of its packet.
func (*Ack) Type() Type { return TypeAck }

// Append adds the body's bytes.
func (m *Ack) Append(b []byte) []byte {
	return append(u16(append(b, byte(m.Of)), m.From), m.Bits[:]...)
}

func (m *Ack) parse(r *reader) {
	m.Of, m.From = Type(r.u8("of")), r.u16("from")
	r.fill(m.Bits[:], "bits")
}

// Ask asks the peers what became of a transfer.
type Ask struct {
	Sender   NodeID
	Transfer uint32
	Epoch    uint64
	Unicast  netip.AddrPort
}

// Type is that of its packet.
func (*Ask) Type() Type { return TypeAsk }

// Append adds the body's bytes.
func (m *Ask) Append(b []byte) []byte {
	return addr(u64(u32(append(b, m.Sender[:]...), m.Transfer), m.Epoch), m.Unicast)
}

func (m *Ask) parse(r *reader) {
	r.fill(m.Sender[:], "sender")
	m.Transfer, m.Epoch, m.Unicast = r.u32("transfer"), r.u64("epoch"), r.addr("unicast")
}

// States of ANSWER.
const (
	AnswerCommitted uint8 = iota + 1
	AnswerAborted
	AnswerPrepared
	AnswerUnknown
)

// Answer tells what a node knows of a transfer. A commit or an abort comes with the
// sender's own message, signature and all.
type Answer struct {
	State    uint8
	Sender   NodeID
	Transfer uint32
	Epoch    uint64
	Commit   Commit
	Abort    Abort
}

// Type is that of its packet.
func (*Answer) Type() Type { return TypeAnswer }

// Append adds the body's bytes.
func (m *Answer) Append(b []byte) []byte {
	b = u64(u32(append(append(b, m.State), m.Sender[:]...), m.Transfer), m.Epoch)
	switch m.State {
	case AnswerCommitted:
		b = m.Commit.Append(b)
	case AnswerAborted:
		b = m.Abort.Append(b)
	}
	return b
}

func (m *Answer) parse(r *reader) {
	m.State = r.u8("state")
	r.fill(m.Sender[:], "sender")
	m.Transfer, m.Epoch = r.u32("transfer"), r.u64("epoch")
	switch m.State {
	case AnswerCommitted:
		m.Commit.parse(r)
	case AnswerAborted:
		m.Abort.parse(r)
	case AnswerPrepared, AnswerUnknown:
	default:
		r.fail("state", errValue)
	}
}

// End says that a transfer is over.
type End struct{ Reason uint8 }

// Type is that of its packet.
func (*End) Type() Type { return TypeEnd }

// Append adds the body's bytes.
func (m *End) Append(b []byte) []byte { return append(b, m.Reason) }

func (m *End) parse(r *reader) { m.Reason = r.u8("reason") }
