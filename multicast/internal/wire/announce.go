package wire

import (
	"net/netip"
)

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

func (m *Need) parse(r *reader) { (*part)(m).parse(r) }

// Result is a part of what a receiver did.
type Result part

// Type is that of its packet.
func (*Result) Type() Type { return TypeResult }

// Append adds the body's bytes.
func (m *Result) Append(b []byte) []byte { return (*part)(m).append(b) }

func (m *Result) parse(r *reader) { (*part)(m).parse(r) }
