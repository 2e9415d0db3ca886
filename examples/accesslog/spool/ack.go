package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strconv"
	"strings"
)

// Position is a position between two records of a spool. Its text form is SEGMENT:OFFSET.
type Position struct {
	segment uint64
	offset  int64
}

// String returns the number of the segment and the offset in it.
func (p Position) String() string { return fmt.Sprintf("%d:%d", p.segment, p.offset) }

// MarshalText returns the text of String.
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (p *Position) UnmarshalText(text []byte) error {
	segment, offset, ok := strings.Cut(string(text), ":")
	s, err := strconv.ParseUint(segment, 10, 64)
	o, oerr := strconv.ParseInt(offset, 10, 64)
	if !ok || err != nil || oerr != nil || o < 0 {
		return fmt.Errorf("spool: invalid position %.60q, want SEGMENT:OFFSET", text)
	}
	*p = Position{s, o}
	return nil
}

func (p Position) less(q Position) bool {
	return p.segment < q.segment || p.segment == q.segment && p.offset < q.offset
}

// ackFile stores a position in two slots that are written alternately. If a write is
// interrupted, the other slot is still valid.
type ackFile struct {
	f    *os.File
	turn uint64
}

const slotSize = 32 // turn, segment, offset, checksum, four bytes unused

func openAck(name string) (*ackFile, Position, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, Position{}, err
	}
	var b [2 * slotSize]byte
	n, err := f.ReadAt(b[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		f.Close()
		return nil, Position{}, err
	}
	a := &ackFile{f: f}
	var at Position
	for slot := b[:n]; len(slot) >= slotSize; slot = slot[slotSize:] {
		turn := binary.LittleEndian.Uint64(slot)
		if turn <= a.turn || crc32.Checksum(slot[:24], castagnoli) != binary.LittleEndian.Uint32(slot[24:]) {
			continue
		}
		a.turn = turn
		at = Position{binary.LittleEndian.Uint64(slot[8:]), int64(binary.LittleEndian.Uint64(slot[16:]))}
	}
	return a, at, nil
}

func (a *ackFile) write(p Position) error {
	turn := a.turn + 1
	var b [slotSize]byte
	binary.LittleEndian.PutUint64(b[:], turn)
	binary.LittleEndian.PutUint64(b[8:], p.segment)
	binary.LittleEndian.PutUint64(b[16:], uint64(p.offset))
	binary.LittleEndian.PutUint32(b[24:], crc32.Checksum(b[:24], castagnoli))
	if _, err := a.f.WriteAt(b[:], int64(turn%2)*slotSize); err != nil {
		return err // the next write repairs the slot, and the other one stays valid
	}
	a.turn = turn
	return nil
}
