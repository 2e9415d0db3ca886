package wire

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// Sizes of a packet: the header is in clear, the tag ends the packet.
const (
	HeaderSize = 32
	TagSize    = 16
	Overhead   = HeaderSize + TagSize
	// MaxPacket is the largest packet that is ever made or accepted.
	MaxPacket = 9200
)

// Version is the protocol version of this package.
const Version = 1

const magic = 0x4D43

// NodeID names one process start. Zero means none.
type NodeID [12]byte

// String names it.
func (id NodeID) String() string { return hex.EncodeToString(id[:]) }

// Less orders node ids as numbers.
func (id NodeID) Less(o NodeID) bool { return string(id[:]) < string(o[:]) }

// Nonce is what a receiver puts into its NEED: it acts only on a roster that holds it.
type Nonce [16]byte

// Header is the clear part of a packet.
type Header struct {
	Version  uint8
	Type     Type
	Group    [4]byte // tag of key and group
	Node     NodeID  // origin
	Transfer uint32  // 0 outside of a transfer
	Number   uint64  // per node, from 1, never used twice
}

// Append adds the 32 bytes of the header.
func (h *Header) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, magic)
	b = append(b, h.Version, byte(h.Type))
	b = append(b, h.Group[:]...)
	b = append(b, h.Node[:]...)
	b = binary.BigEndian.AppendUint32(b, h.Transfer)
	return binary.BigEndian.AppendUint64(b, h.Number)
}

// ParseHeader reads the header of any version: bytes 0 to 19 keep their meaning in
// all of them. It does not look at the version.
func ParseHeader(b []byte) (h Header, err error) {
	if len(b) < HeaderSize {
		return h, &Error{Field: "header", Offset: len(b), Err: errShort}
	}
	if binary.BigEndian.Uint16(b) != magic {
		return h, &Error{Field: "magic", Err: fmt.Errorf("%#04x is not %#04x", binary.BigEndian.Uint16(b), magic)}
	}
	h.Version, h.Type = b[2], Type(b[3])
	copy(h.Group[:], b[4:])
	copy(h.Node[:], b[8:])
	h.Transfer = binary.BigEndian.Uint32(b[20:])
	h.Number = binary.BigEndian.Uint64(b[24:])
	return h, nil
}

// Type says what a packet is.
type Type uint8

// The messages of version 1.
const (
	TypeHello Type = iota + 1
	TypeBye
	TypeQuery
	TypeStatus
	TypeAnnounce
	TypeNeed
	TypeStates
	TypeData
	TypeNack
	TypeHeartbeat
	TypeReport
	TypeReady
	TypeCommit
	TypeResult
	TypeAbort
	TypeAck
	TypeAsk
	TypeAnswer
	TypeEnd
	TypeRefuse
	typeEnd
)

var typeNames = [...]string{"", "HELLO", "BYE", "QUERY", "STATUS", "ANNOUNCE", "NEED", "STATES", "DATA", "NACK", "HEARTBEAT",
	"REPORT", "READY", "COMMIT", "RESULT", "ABORT", "ACK", "ASK", "ANSWER", "END", "REFUSE"}

// String names it.
func (t Type) String() string {
	if t == 0 || t >= typeEnd {
		return fmt.Sprintf("type %d", uint8(t))
	}
	return typeNames[t]
}
