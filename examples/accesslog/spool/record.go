package spool

import (
	"encoding/binary"
	"hash/crc32"
)

// MaxRecord is the greatest length of a record in bytes.
const MaxRecord = 1 << 20

// A segment begins with its magic; the digit is the version. A record is a mark, the
// length of its data, a checksum over length and data, and the data; numbers are
// little endian.
const (
	segmentMagic = "dgspool1"
	recordMark   = 0xd06e5b1e
	recordHead   = 12
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func appendRecord(dst, data []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, recordMark)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(data)))
	dst = binary.LittleEndian.AppendUint32(dst, checksum(dst[len(dst)-4:], data))
	return append(dst, data...)
}

func checksum(length, data []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, length), castagnoli, data)
}

// verdict is what stands at the beginning of some bytes.
type verdict uint8

const (
	good verdict = iota
	short
	bad
)

// decode looks at the record at the beginning of b. When it is good, size is the
// length of the whole record; when b is too short, size is what is needed.
func decode(b []byte) (data []byte, size int, v verdict) {
	if len(b) < recordHead {
		return nil, recordHead, short
	}
	length := binary.LittleEndian.Uint32(b[4:])
	if binary.LittleEndian.Uint32(b) != recordMark || length > MaxRecord {
		return nil, 0, bad
	}
	size = recordHead + int(length)
	if len(b) < size {
		return nil, size, short
	}
	data = b[recordHead:size:size]
	if checksum(b[4:8], data) != binary.LittleEndian.Uint32(b[8:]) {
		return nil, 0, bad
	}
	return data, size, good
}
