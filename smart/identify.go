package smart

import (
	"encoding/binary"
	"strings"
)

// identify decodes IDENTIFY DEVICE (ACS-4, 7.13).
func (d *ataDecoder) identify(b []byte) {
	if !d.has("identify", b) {
		return
	}
	if b[510] == 0xa5 {
		d.sum("identify", b)
	}
	word := func(i int) uint16 { return binary.LittleEndian.Uint16(b[2*i:]) }
	id := &d.s.Identity
	keepString(&id.Serial, b[20:40])
	keepString(&id.Firmware, b[46:54])
	keepString(&id.Model, b[54:94])
	id.Rotation = Opt[uint16]{}
	switch r := word(217); {
	case r == 1:
		id.Rotation = Some[uint16](0)
	case r >= 0x401 && r != 0xffff:
		id.Rotation = Some(r)
	}
	id.FormFactor = formFactors[word(168)&15]
	logical, physical := uint32(sector), uint32(sector)
	if w := word(106); w&0xc000 == 0x4000 {
		if w&0x1000 != 0 {
			if n := uint32(word(117)) | uint32(word(118))<<16; n > sector/2 && n < 1<<20 {
				logical = n * 2
			}
		}
		physical = logical
		if w&0x2000 != 0 {
			physical = logical << (w & 15)
		}
	}
	id.LogicalSector, id.PhysicalSector = Some(logical), Some(physical)
	blocks := uint64(word(60)) | uint64(word(61))<<16
	if word(83)&0xc400 == 0x4400 {
		if n := binary.LittleEndian.Uint64(b[200:]); n > blocks && n < 1<<48 {
			blocks = n
		}
	}
	id.Capacity = Opt[uint64]{}
	if word(49)&0x200 != 0 && blocks > 0 {
		id.Capacity = Some(blocks * uint64(logical))
	}
	id.WWN = ""
	if w := word(87); w&0xc100 == 0x4100 {
		id.WWN = hex64(uint64(word(108))<<48 | uint64(word(109))<<32 | uint64(word(110))<<16 | uint64(word(111)))
	}
	id.SMARTAvailable, id.SMARTEnabled = Opt[bool]{}, Opt[bool]{}
	if w := word(83); w&0xc000 == 0x4000 {
		id.SMARTAvailable = Some(word(82)&1 != 0)
	}
	if w := word(87); w&0xc000 == 0x4000 {
		id.SMARTEnabled = Some(word(85)&1 != 0)
	}
}

// keepString reads an ATA string, two bytes swapped in each word, without the
// padding. The old string is kept when it is the same, so that a warm decode does
// not allocate.
func keepString(dst *string, b []byte) {
	var buf [40]byte
	n := copy(buf[:], b)
	for i := 0; i+1 < n; i += 2 {
		buf[i], buf[i+1] = buf[i+1], buf[i]
	}
	keepTrimmed(dst, buf[:n])
}

func keepTrimmed(dst *string, b []byte) {
	padding := func(c byte) bool { return c == ' ' || c == 0 }
	for len(b) > 0 && padding(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && padding(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	if *dst != string(b) {
		*dst = string(b)
	}
}

// hex64 is a world wide name: 16 digits.
func hex64(v uint64) string {
	return strings.TrimPrefix(string(appendHex(nil, v, 16)), "0x")
}

// formFactors are the nominal form factors of word 168 (ACS-4, 7.12.7.67).
var formFactors = [16]string{"", "5.25 inches", "3.5 inches", "2.5 inches", "1.8 inches", "< 1.8 inches", "mSATA",
	"M.2", "MicroSSD", "CFast"}
