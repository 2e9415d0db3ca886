package spool

import (
	"encoding/binary"
	"hash/crc32"
)

// MaxRecord is the maximum size of a record in bytes.
const MaxRecord = 1 << 20

// A segment starts with segmentMagic, in which the digit is the version. A record consists of
// a mark, the length of the data, a checksum over length and data, and the data. Numbers are
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

// recordState is the result of decode.
type recordState uint8

const (
	good recordState = iota
	short
	bad
)

// decode decodes the record at the start of b. If it is valid, size is the length of the whole
// record. If b is too short, size is the required length.
func decode(b []byte) (data []byte, size int, v recordState) {
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
