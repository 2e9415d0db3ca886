package wire

import (
	"net/netip"
)

// Limits of fields.
const (
	MaxName    = 255
	MaxText    = 512
	MaxTargets = 80
	// BlobPart is the size of all parts but the last of NEED and RESULT.
	BlobPart = 1024
	// MaxParts bounds a blob to 4 MiB.
	MaxParts = 4096
	// MaxRoster is the largest number of members of a transfer.
	MaxRoster = 16384
	// MaxNack is the largest number of blocks in a NACK.
	MaxNack = 200
	// K is the number of data symbols of a block, MaxSymbols that of all its symbols.
	K          = 64
	MaxSymbols = K + 191
	// MinSymbol and MaxSymbol bound the size of a symbol.
	MinSymbol, MaxSymbol = 512, 8896
	// MaxStates is the number of members that one STATES speaks of.
	MaxStates = 8192
	// MaxObject is the largest object in bytes.
	MaxObject = 1 << 40
	// MaxManifest is the largest manifest, layout or seal in bytes.
	MaxManifest = 64 << 20
)

// Message is the body of a packet.
type Message interface {
	// Type is the type of the packet that carries it.
	Type() Type
	// Append adds the body's bytes.
	Append(b []byte) []byte
	parse(r *reader)
}

// Decode reads the body of a packet of that type. The message does not keep body,
// except Data.Payload, which points into it.
func Decode(t Type, body []byte) (Message, error) {
	m := newMessage(t)
	if m == nil {
		return nil, &Error{Type: t, Field: "type", Err: errType}
	}
	if err := DecodeInto(m, body); err != nil {
		return nil, err
	}
	return m, nil
}

// DecodeInto reads a body into m, a message of the packet's type. It allocates
// nothing for a *Data.
func DecodeInto(m Message, body []byte) error {
	if d, ok := m.(*Data); ok {
		r := reader{b: body} // by the type itself, so that it stays on the stack
		d.parse(&r)
		return r.end(TypeData)
	}
	r := &reader{b: body}
	m.parse(r)
	return r.end(m.Type())
}

// end returns what went wrong, or that something is left over.
func (r *reader) end(t Type) error {
	if r.err == nil && r.off != len(r.b) {
		r.field, r.err = "body", errTrailing
	}
	if r.err != nil {
		return &Error{Type: t, Field: r.field, Offset: r.off, Err: r.err}
	}
	return nil
}

func newMessage(t Type) Message {
	switch t {
	case TypeHello:
		return &Hello{}
	case TypeBye:
		return &Bye{}
	case TypeQuery:
		return &Query{}
	case TypeStatus:
		return &Status{}
	case TypeAnnounce:
		return &Announce{}
	case TypeNeed:
		return &Need{}
	case TypeStates:
		return &States{}
	case TypeData:
		return &Data{}
	case TypeNack:
		return &Nack{}
	case TypeHeartbeat:
		return &Heartbeat{}
	case TypeReport:
		return &Report{}
	case TypeReady:
		return &Ready{}
	case TypeCommit:
		return &Commit{}
	case TypeResult:
		return &Result{}
	case TypeAbort:
		return &Abort{}
	case TypeAck:
		return &Ack{}
	case TypeAsk:
		return &Ask{}
	case TypeAnswer:
		return &Answer{}
	case TypeEnd:
		return &End{}
	}
	return nil
}

// Flags of HELLO.
const (
	HelloReceives uint8 = 1 << iota
	HelloSends
	HelloReadOnly
	HelloAtomic
	HelloSigned // takes signed transfers only
)

// Hello says that a node is there, and how to reach it.
type Hello struct {
	Flags   uint8
	State   uint8 // see Status
	Unicast netip.AddrPort
	Epoch   uint64 // last committed
	Root    [32]byte
	Group   uint32 // members seen
	Name    string
	Version string // of the software
}

// Type is that of its packet.
func (*Hello) Type() Type { return TypeHello }

// Append adds the body's bytes.
func (m *Hello) Append(b []byte) []byte {
	b = append(b, m.Flags, m.State)
	b = u64(addr(b, m.Unicast), m.Epoch)
	b = u32(append(b, m.Root[:]...), m.Group)
	return str(str(b, m.Name, MaxName), m.Version, MaxName)
}

func (m *Hello) parse(r *reader) {
	m.Flags, m.State = r.u8("flags"), r.u8("state")
	m.Unicast, m.Epoch = r.addr("unicast"), r.u64("epoch")
	r.fill(m.Root[:], "root")
	m.Group = r.u32("group")
	m.Name, m.Version = r.str(MaxName, "name"), r.str(MaxName, "version")
}

// Bye says that a node leaves.
type Bye struct{}

// Type is that of its packet.
func (*Bye) Type() Type { return TypeBye }

// Append adds nothing.
func (*Bye) Append(b []byte) []byte { return b }
func (*Bye) parse(*reader)          {}

// What a QUERY asks for.
const (
	QueryMembers uint8 = iota + 1
	QueryStatus
)

// Query asks every node for HELLO or STATUS, by unicast to Unicast.
type Query struct {
	What    uint8
	Unicast netip.AddrPort
	Group   uint32 // members seen, which spreads the answers
}

// Type is that of its packet.
func (*Query) Type() Type { return TypeQuery }

// Append adds the body's bytes.
func (m *Query) Append(b []byte) []byte { return u32(addr(append(b, m.What), m.Unicast), m.Group) }
func (m *Query) parse(r *reader) {
	m.What, m.Unicast, m.Group = r.u8("what"), r.addr("unicast"), r.u32("group")
}

// Status is what a node is doing.
type Status struct {
	State       uint8
	Done, Total uint64 // bytes of content
	Rate        uint64 // bit/s
	Loss        uint32 // ppm
	Drops       uint64 // datagrams that the kernel dropped, for the node was slow
	Backlog     uint64 // bytes that wait for the disk
	Peer        NodeID // the sender
	Name        string
	Detail      string
}

// Type is that of its packet.
func (*Status) Type() Type { return TypeStatus }

// Append adds the body's bytes.
func (m *Status) Append(b []byte) []byte {
	b = u64(u64(u64(append(b, m.State), m.Done), m.Total), m.Rate)
	b = append(u64(u64(u32(b, m.Loss), m.Drops), m.Backlog), m.Peer[:]...)
	return str(str(b, m.Name, MaxName), m.Detail, MaxText)
}

func (m *Status) parse(r *reader) {
	m.State = r.u8("state")
	m.Done, m.Total, m.Rate = r.u64("done"), r.u64("total"), r.u64("rate")
	m.Loss, m.Drops, m.Backlog = r.u32("loss"), r.u64("drops"), r.u64("backlog")
	r.fill(m.Peer[:], "peer")
	m.Name, m.Detail = r.str(MaxName, "name"), r.str(MaxText, "detail")
}

// Signature is the end of ANNOUNCE, COMMIT and ABORT; zero means unsigned.
type Signature struct {
	Publisher [32]byte
	Sum       [64]byte
}

const signatureSize = 96

func (s *Signature) append(b []byte) []byte {
	return append(append(b, s.Publisher[:]...), s.Sum[:]...)
}

func (s *Signature) parse(r *reader) {
	r.fill(s.Publisher[:], "publisher")
	r.fill(s.Sum[:], "signature")
}

// Flags of ANNOUNCE.
const (
	FlagDryRun     uint16 = 1 << iota
	FlagDelete            // what the manifest does not name goes
	FlagDigest            // compare content, not size and time
	FlagCheck             // compare only, and tell
	FlagFsync             // data is on disk before READY
	FlagIncomplete        // a part of the source could not be read: nothing is deleted
	FlagOwner             // user and group are set
	FlagFixed             // receivers do not expect a rate that follows them
)

// Announce opens a transfer.
type Announce struct {
	Epoch     uint64
	Flags     uint16
	Symbol    uint16 // bytes of a symbol
	Manifest  uint64 // bytes
	Digest    [32]byte
	Group     uint32
	GRTT      uint32 // us
	Clock     uint64 // sender's clock, ns
	Unicast   netip.AddrPort
	MaxDelete uint32
	Targets   []NodeID // empty: every receiver
	Name      string
	Sign      Signature
}

// Type is that of its packet.
func (*Announce) Type() Type { return TypeAnnounce }

// Append adds the body's bytes.
func (m *Announce) Append(b []byte) []byte {
	b = u16(u16(u64(b, m.Epoch), m.Flags), m.Symbol)
	b = append(u64(b, m.Manifest), m.Digest[:]...)
	b = u64(u32(u32(b, m.Group), m.GRTT), m.Clock)
	b = u32(addr(b, m.Unicast), m.MaxDelete)
	b = append(b, byte(len(m.Targets)))
	for _, id := range m.Targets {
		b = append(b, id[:]...)
	}
	return m.Sign.append(str(b, m.Name, MaxName))
}

func (m *Announce) parse(r *reader) {
	m.Epoch, m.Flags, m.Symbol, m.Manifest = r.u64("epoch"), r.u16("flags"), r.u16("symbol size"), r.u64("manifest size")
	r.fill(m.Digest[:], "manifest digest")
	m.Group, m.GRTT, m.Clock = r.u32("group"), r.u32("grtt"), r.u64("clock")
	m.Unicast, m.MaxDelete = r.addr("unicast"), r.u32("max delete")
	n := int(r.u8("targets"))
	r.atMost(uint64(n), MaxTargets, "targets")
	if p := r.take(12*n, "targets"); p != nil && n > 0 {
		m.Targets = make([]NodeID, n)
		for i := range m.Targets {
			copy(m.Targets[i][:], p[12*i:])
		}
	}
	m.Name = r.str(MaxName, "name")
	m.Sign.parse(r)
	if r.err == nil && (m.Symbol < MinSymbol || m.Symbol > MaxSymbol || m.Symbol%64 != 0) {
		r.fail("symbol size", errValue)
	}
	r.atMost(m.Manifest, MaxManifest, "manifest size")
}

// part is the body of NEED and RESULT: a part of a blob.
type part struct {
	Part, Parts uint16
	Bytes       []byte
}

func (m *part) append(b []byte) []byte { return append(u16(u16(b, m.Part), m.Parts), m.Bytes...) }

func (m *part) parse(r *reader) {
	m.Part, m.Parts = r.u16("part"), r.u16("parts")
	if r.err == nil && (m.Parts == 0 || m.Parts > MaxParts || m.Part >= m.Parts) {
		r.fail("part", errValue)
	}
	b := r.rest()
	if r.err == nil && (len(b) > BlobPart || m.Part < m.Parts-1 && len(b) != BlobPart) {
		r.fail("bytes", errValue)
	}
	if r.err == nil {
		m.Bytes = append([]byte(nil), b...)
	}
}

// Need is a part of what a receiver answers to ANNOUNCE and MANIFEST.
type Need part

// Type is that of its packet.
func (*Need) Type() Type { return TypeNeed }

// Append adds the body's bytes.
func (m *Need) Append(b []byte) []byte { return (*part)(m).append(b) }
func (m *Need) parse(r *reader)        { (*part)(m).parse(r) }

// Result is a part of what a receiver did.
type Result part

// Type is that of its packet.
func (*Result) Type() Type { return TypeResult }

// Append adds the body's bytes.
func (m *Result) Append(b []byte) []byte { return (*part)(m).append(b) }
func (m *Result) parse(r *reader)        { (*part)(m).parse(r) }

// What STATES speaks of.
const (
	StatesReady uint8 = iota + 1
	StatesDone
	StatesOut // no longer part of the transfer: late, evicted, failed
)

// States tells the members, in the order of the roster, whose message has arrived.
type States struct {
	What uint8
	From uint32
	Bits []byte // bit i of the first byte is member From+i
}

// Type is that of its packet.
func (*States) Type() Type { return TypeStates }

// Append adds the body's bytes.
func (m *States) Append(b []byte) []byte { return append(u32(append(b, m.What), m.From), m.Bits...) }
func (m *States) parse(r *reader) {
	m.What, m.From = r.u8("what"), r.u32("from")
	b := r.rest()
	r.atMost(uint64(len(b)), MaxStates/8, "bits")
	r.atMost(uint64(m.From), MaxRoster, "from")
	if r.err == nil {
		m.Bits = append([]byte(nil), b...)
	}
}

// Seen reports whether the message speaks of member i, and whether its bit is set.
func (m *States) Seen(i int) (known, set bool) {
	j := i - int(m.From)
	if j < 0 || j/8 >= len(m.Bits) {
		return false, false
	}
	return true, m.Bits[j/8]>>(j%8)&1 == 1
}

// The objects of a transfer.
const (
	ObjectManifest uint8 = iota
	ObjectLayout
	ObjectContent
	ObjectSeal
	Objects = 4
)

// DataRepair is the flag of a symbol that is parity or was sent before.
const DataRepair uint8 = 1

// DataHeader is the size of DATA's body without the payload.
const DataHeader = 12

// Data is one symbol of a block of an object. Its payload is not copied.
type Data struct {
	Object, Symbol, K, Flags uint8
	Block                    uint32
	Seq                      uint32 // counts the DATA packets of the transfer, from 1
	Payload                  []byte
}

// Type is that of its packet.
func (*Data) Type() Type { return TypeData }

// Append adds the body's bytes.
func (m *Data) Append(b []byte) []byte {
	b = append(b, m.Object, m.Symbol, m.K, m.Flags)
	return append(u32(u32(b, m.Block), m.Seq), m.Payload...)
}

func (m *Data) parse(r *reader) {
	m.Object, m.Symbol, m.K, m.Flags = r.u8("object"), r.u8("symbol"), r.u8("k"), r.u8("flags")
	m.Block, m.Seq = r.u32("block"), r.u32("seq")
	m.Payload = r.rest()
	if r.err != nil {
		return
	}
	switch {
	case m.Object >= Objects:
		r.fail("object", errValue)
	case m.K == 0 || m.K > K:
		r.fail("k", errValue)
	case int(m.Symbol) >= int(m.K)+MaxSymbols-K:
		r.fail("symbol", errValue)
	case m.Flags&^DataRepair != 0:
		r.fail("flags", errValue)
	case len(m.Payload) < MinSymbol || len(m.Payload) > MaxSymbol:
		r.fail("payload", errValue)
	}
}

// Lack is a block and the number of symbols that it lacks.
type Lack struct {
	Block   uint32
	Deficit uint8
}

// Nack asks for repair of blocks of one object.
type Nack struct {
	Object uint8
	Seen   uint32 // the highest DATA.Seq that had come
	Echo   uint64 // the last sender's clock seen
	Held   uint32 // us since it came
	Lacks  []Lack
}

// Type is that of its packet.
func (*Nack) Type() Type { return TypeNack }

// Append adds the body's bytes.
func (m *Nack) Append(b []byte) []byte {
	b = u32(u64(u32(append(b, m.Object), m.Seen), m.Echo), m.Held)
	b = u16(b, uint16(len(m.Lacks)))
	for _, l := range m.Lacks {
		b = append(u32(b, l.Block), l.Deficit)
	}
	return b
}

func (m *Nack) parse(r *reader) {
	m.Object, m.Seen, m.Echo, m.Held = r.u8("object"), r.u32("seen"), r.u64("echo"), r.u32("held")
	r.atMost(uint64(m.Object), Objects-1, "object")
	n := r.count(5, "count")
	r.atMost(uint64(n), MaxNack, "count")
	if r.err != nil {
		return
	}
	m.Lacks = make([]Lack, n)
	for i := range m.Lacks {
		m.Lacks[i] = Lack{r.u32("block"), r.u8("deficit")}
		if d := m.Lacks[i].Deficit; r.err == nil && (d == 0 || d > K) {
			r.fail("deficit", errValue)
		}
	}
}

// NotBegun stands in Heartbeat.High for an object of which nothing was sent.
const NotBegun = 0xFFFFFFFF

// Heartbeat says how far the sender is.
type Heartbeat struct {
	Clock uint64 // sender's clock, ns
	State uint8
	High  [Objects]uint32 // blocks below it were sent once
	Seq   uint32          // the last DATA.Seq
	Rate  uint64          // bit/s
	GRTT  uint32          // us
	Group uint32
	CLR   NodeID // reports at its own pace
	Prob  uint16 // of 65536: the others' chance to report
}

// Type is that of its packet.
func (*Heartbeat) Type() Type { return TypeHeartbeat }

// Append adds the body's bytes.
func (m *Heartbeat) Append(b []byte) []byte {
	b = append(u64(b, m.Clock), m.State)
	for _, h := range m.High {
		b = u32(b, h)
	}
	b = u32(u32(u64(u32(b, m.Seq), m.Rate), m.GRTT), m.Group)
	return u16(append(b, m.CLR[:]...), m.Prob)
}

func (m *Heartbeat) parse(r *reader) {
	m.Clock, m.State = r.u64("clock"), r.u8("state")
	for i := range m.High {
		m.High[i] = r.u32("high block")
	}
	m.Seq, m.Rate, m.GRTT, m.Group = r.u32("seq"), r.u64("rate"), r.u32("grtt"), r.u32("group")
	r.fill(m.CLR[:], "clr")
	m.Prob = r.u16("probability")
}

// Report is what a receiver sees of the way to it.
type Report struct {
	Echo     uint64 // the last sender's clock seen
	Held     uint32 // us since it came
	Received uint32 // DATA packets in all
	Highest  uint32 // highest DATA.Seq
	Drops    uint32 // datagrams that the kernel dropped, in all
	Backlog  uint64 // bytes that wait for the disk
	Drain    uint64 // byte/s to the disk
	Delay    int32  // us: one-way delay over the lowest seen
	Events   uint32 // loss event rate, ppm
	Missing  uint32 // blocks
	State    uint8
}

// Type is that of its packet.
func (*Report) Type() Type { return TypeReport }

// Append adds the body's bytes.
func (m *Report) Append(b []byte) []byte {
	b = u32(u32(u32(u32(u64(b, m.Echo), m.Held), m.Received), m.Highest), m.Drops)
	b = u32(u64(u64(b, m.Backlog), m.Drain), uint32(m.Delay))
	return append(u32(u32(b, m.Events), m.Missing), m.State)
}

func (m *Report) parse(r *reader) {
	m.Echo, m.Held, m.Received, m.Highest, m.Drops = r.u64("echo"), r.u32("held"), r.u32("received"), r.u32("highest"), r.u32("drops")
	m.Backlog, m.Drain, m.Delay = r.u64("backlog"), r.u64("drain"), int32(r.u32("delay"))
	m.Events, m.Missing, m.State = r.u32("events"), r.u32("missing"), r.u8("state")
}

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
func (m *End) parse(r *reader)        { m.Reason = r.u8("reason") }
