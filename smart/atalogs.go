package smart

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// errorLog decodes the summary error log (log 01h): five entries in a ring.
func (d *ataDecoder) errorLog(b []byte) {
	d.sum("error log", b)
	log := &d.s.Errors
	log.Entries = log.Entries[:0]
	count := uint64(binary.LittleEndian.Uint16(b[452:]))
	log.Count = Some(count)
	index := int(b[1])
	if index == 0 {
		if count > 0 {
			d.warn("error log", 1,
				fmt.Sprintf("the drive counts %d errors but points to none; the log counts as empty", count))
		}
		log.Count = Some[uint64](0)
		return
	}
	if index > 5 {
		d.warn("error log", 1,
			fmt.Sprintf("the index is %d, the log has 5 entries; its count of %d errors is not used", index, count))
		log.Count = Opt[uint64]{}
		return
	}
	if count < uint64(index) {
		d.warn("error log", 452, "fewer errors are counted than are logged")
	}
	for k := range 5 {
		e := b[2+90*((index-1+5-k)%5):][60:90]
		if allBytes(e, 0) {
			continue
		}
		log.Entries = append(log.Entries, ErrorEntry{
			Number: int64(count) - int64(k), Error: e[1], Count: uint16(e[2]), Device: e[6], Status: e[7],
			LBA:   Some(uint64(e[3]) | uint64(e[4])<<8 | uint64(e[5])<<16),
			Hours: Some(uint64(binary.LittleEndian.Uint16(e[28:]))),
		})
	}
}

// maxErrors bounds the entries that are kept of an error log.
const maxErrors = 64

// extErrorLog decodes the extended comprehensive error log (GP log 03h): four
// entries a sector.
func (d *ataDecoder) extErrorLog(b []byte) {
	d.sum("error log", b)
	log := &d.s.Errors
	log.Entries = log.Entries[:0]
	count := uint64(binary.LittleEndian.Uint16(b[500:]))
	log.Count = Some(count)
	n := uint64(len(b) / sector * 4)
	index := uint64(binary.LittleEndian.Uint16(b[2:]))
	if count == 0 {
		return
	}
	if r := uint64(b[1]); index == 0 && r > 0 && r <= n {
		// Old Samsung drives keep the index in the reserved byte before it.
		index = r
		d.warn("error log", 1, "the index stands in the reserved byte")
	}
	if index == 0 || index > n {
		d.warn("error log", 2,
			fmt.Sprintf("the index is %d, the log has %d entries; its count of %d errors is not used", index, n, count))
		log.Count = Opt[uint64]{}
		return
	}
	// The drive database knows drives that keep the block in plain byte order.
	plain := slices.Contains(d.presets.bugs, "xerrorlba")
	for k := range min(count, n, maxErrors) {
		i := (index - 1 + n - k) % n
		e := b[i/4*sector+4+i%4*124:][90:124]
		if allBytes(e, 0) {
			continue
		}
		lba := uint64(e[4]) | uint64(e[6])<<8 | uint64(e[8])<<16 | uint64(e[5])<<24 | uint64(e[7])<<32 | uint64(e[9])<<40
		if plain {
			lba = uint64(binary.LittleEndian.Uint32(e[4:])) | uint64(binary.LittleEndian.Uint16(e[8:]))<<32
		}
		log.Entries = append(log.Entries, ErrorEntry{
			Number: int64(count - k), Error: e[1], Count: uint16(e[2]) | uint16(e[3])<<8, Device: e[10], Status: e[11],
			LBA:   Some(lba),
			Hours: Some(uint64(binary.LittleEndian.Uint16(e[32:]))),
		})
	}
}

// selfTestLog decodes the self-test log (log 06h): 21 entries in a ring.
func (d *ataDecoder) selfTestLog(b []byte) {
	d.sum("self-test log", b)
	d.s.SelfTests = d.s.SelfTests[:0]
	index := int(b[508])
	if index == 0 {
		return
	}
	if index > 21 {
		d.warn("self-test log", 508, fmt.Sprintf("the index is %d, the log has 21 entries", index))
		return
	}
	for k := range 21 {
		e := b[2+24*((index-1+21-k)%21):][:24]
		if allBytes(e, 0) {
			continue
		}
		d.selfTest(len(d.s.SelfTests)+1, e, uint64(binary.LittleEndian.Uint32(e[5:])), 0xffffffff)
	}
}

// extSelfTestLog decodes the extended self-test log (GP log 07h): 19 entries a
// sector.
func (d *ataDecoder) extSelfTestLog(b []byte) {
	d.sum("self-test log", b)
	d.s.SelfTests = d.s.SelfTests[:0]
	n := min(len(b)/sector, 64) * 19
	index := int(binary.LittleEndian.Uint16(b[2:]))
	if index == 0 {
		return
	}
	if index > n {
		d.warn("self-test log", 2, fmt.Sprintf("the index is %d, the log has %d entries", index, n))
		return
	}
	for k := range n {
		i := (index - 1 + n - k) % n
		e := b[i/19*sector+4+i%19*26:][:26]
		if allBytes(e, 0) {
			continue
		}
		lba := uint64(binary.LittleEndian.Uint32(e[5:])) | uint64(binary.LittleEndian.Uint16(e[9:]))<<32
		d.selfTest(len(d.s.SelfTests)+1, e, lba, 0xffffffffffff)
	}
}

func (d *ataDecoder) selfTest(num int, e []byte, lba, none uint64) {
	t := SelfTest{
		Num: num, Kind: selfTestKind(e[0]), Result: selfTestResult(e[1]), Code: Some(e[1]),
		Hours: Some(uint64(binary.LittleEndian.Uint16(e[2:]))),
	}
	// A block is named only by a test that failed (statuses 3 to 8).
	if c := e[1] >> 4; c >= 3 && c <= 8 && lba < none {
		t.LBA = Some(lba)
	}
	d.s.SelfTests = append(d.s.SelfTests, t)
}

func selfTestKind(c byte) string {
	switch {
	case c >= 0x40 && c <= 0x7e, c >= 0x90:
		return fmt.Sprintf("Vendor (0x%02x)", c)
	}
	switch c {
	case 0x00:
		return "Offline"
	case 0x01:
		return "Short offline"
	case 0x02:
		return "Extended offline"
	case 0x03:
		return "Conveyance offline"
	case 0x04:
		return "Selective offline"
	case 0x7f:
		return "Abort offline test"
	case 0x81:
		return "Short captive"
	case 0x82:
		return "Extended captive"
	case 0x83:
		return "Conveyance captive"
	case 0x84:
		return "Selective captive"
	}
	return fmt.Sprintf("Reserved (0x%02x)", c)
}

var selfTestResults = [...]string{
	"Completed without error", "Aborted by host", "Interrupted (host reset)", "Fatal or unknown error",
	"Completed: unknown failure", "Completed: electrical failure", "Completed: servo/seek failure",
	"Completed: read failure", "Completed: handling damage??",
}

const selfTestRunning = "Self-test routine in progress"

func selfTestResult(c byte) string {
	switch c >>= 4; {
	case c == 15:
		return selfTestRunning
	case int(c) < len(selfTestResults):
		return selfTestResults[c]
	}
	return fmt.Sprintf("Unknown status (0x%x)", c)
}
