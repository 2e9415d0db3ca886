package wire

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
