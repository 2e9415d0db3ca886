package wire

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
