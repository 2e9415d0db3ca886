package wire

import (
	"net/netip"
)

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
	Echo    uint64 // of the QUERY that is answered; 0: none
}

// Type is that of its packet.
func (*Hello) Type() Type { return TypeHello }

// Append adds the body's bytes.
func (m *Hello) Append(b []byte) []byte {
	b = append(b, m.Flags, m.State)
	b = u64(addr(b, m.Unicast), m.Epoch)
	b = u32(append(b, m.Root[:]...), m.Group)
	b = str(str(b, m.Name, MaxName), m.Version, MaxName)
	if m.Echo != 0 {
		b = u64(b, m.Echo)
	}
	return b
}

func (m *Hello) parse(r *reader) {
	m.Flags, m.State = r.u8("flags"), r.u8("state")
	m.Unicast, m.Epoch = r.addr("unicast"), r.u64("epoch")
	r.fill(m.Root[:], "root")
	m.Group = r.u32("group")
	m.Name, m.Version = r.str(MaxName, "name"), r.str(MaxName, "version")
	if r.err == nil && len(r.b) > r.off {
		m.Echo = r.u64("echo")
	}
}

// Bye says that a node leaves.
type Bye struct{}

// Type is that of its packet.
func (*Bye) Type() Type { return TypeBye }

// Append adds nothing.
func (*Bye) Append(b []byte) []byte { return b }

func (*Bye) parse(*reader) {}

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
	Nonce   uint64 // for Hello.Echo; 0: none
}

// Type is that of its packet.
func (*Query) Type() Type { return TypeQuery }

// Append adds the body's bytes.
func (m *Query) Append(b []byte) []byte {
	b = u32(addr(append(b, m.What), m.Unicast), m.Group)
	if m.Nonce != 0 {
		b = u64(b, m.Nonce)
	}
	return b
}

func (m *Query) parse(r *reader) {
	m.What, m.Unicast, m.Group = r.u8("what"), r.addr("unicast"), r.u32("group")
	if r.err == nil && len(r.b) > r.off {
		m.Nonce = r.u64("nonce")
	}
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
