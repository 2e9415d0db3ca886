package smart

import (
	"encoding/binary"
	"fmt"
)

// statDef describes an entry of the Device Statistics log (ACS-4, 9.5; ACS-5 for the
// newer ones): the size of its value in bytes, negative when it is signed.
type statDef struct {
	size int8
	name string
}

// statPages is indexed by page and then by offset/8.
var statPages = [8][]statDef{
	1: {
		1: {4, "Lifetime Power-On Resets"}, 2: {4, "Power-on Hours"}, 3: {6, "Logical Sectors Written"},
		4: {6, "Number of Write Commands"}, 5: {6, "Logical Sectors Read"}, 6: {6, "Number of Read Commands"},
		7: {6, "Date and Time TimeStamp"}, 8: {4, "Pending Error Count"}, 9: {2, "Workload Utilization"},
		10: {6, "Utilization Usage Rate"}, 11: {7, "Resource Availability"}, 12: {1, "Random Write Resources Used"},
	},
	2: {1: {4, "Number of Free-Fall Events Detected"}, 2: {4, "Overlimit Shock Events"}},
	3: {
		1: {4, "Spindle Motor Power-on Hours"}, 2: {4, "Head Flying Hours"}, 3: {4, "Head Load Events"},
		4: {4, "Number of Reallocated Logical Sectors"}, 5: {4, "Read Recovery Attempts"},
		6: {4, "Number of Mechanical Start Failures"}, 7: {4, "Number of Realloc. Candidate Logical Sectors"},
		8: {4, "Number of High Priority Unload Events"},
	},
	4: {
		1: {4, "Number of Reported Uncorrectable Errors"}, 2: {4, "Resets Between Cmd Acceptance and Completion"},
		3: {4, "Physical Element Status Changed"},
	},
	5: {
		1: {-1, "Current Temperature"}, 2: {-1, "Average Short Term Temperature"}, 3: {-1,
			"Average Long Term Temperature"},
		4: {-1, "Highest Temperature"}, 5: {-1, "Lowest Temperature"}, 6: {-1,
			"Highest Average Short Term Temperature"},
		7: {-1, "Lowest Average Short Term Temperature"}, 8: {-1, "Highest Average Long Term Temperature"},
		9: {-1, "Lowest Average Long Term Temperature"}, 10: {4, "Time in Over-Temperature"},
		11: {-1, "Specified Maximum Operating Temperature"}, 12: {4, "Time in Under-Temperature"},
		13: {-1, "Specified Minimum Operating Temperature"},
	},
	6: {
		1: {4, "Number of Hardware Resets"}, 2: {4, "Number of ASR Events"}, 3: {4, "Number of Interface CRC Errors"},
	},
	7: {1: {1, "Percentage Used Endurance Indicator"}},
}

// The bits of the top byte of an entry.
const (
	statSupported = 0x80
	statValid     = 0x40
)

// maxStats bounds the entries that are kept.
const maxStats = 1024

// statistics decodes pages of the Device Statistics log (GP log 04h).
func (d *ataDecoder) statistics(b []byte) {
	if len(b) == 0 || !d.has("device statistics", b) {
		return
	}
	d.s.Stats = d.s.Stats[:0]
	for ; len(b) >= sector; b = b[sector:] {
		page := b[2]
		if page == 0 || binary.LittleEndian.Uint16(b) == 0 {
			continue // the list of pages, or a page that is not there
		}
		for off := 8; off+8 <= sector; off += 8 {
			q := binary.LittleEndian.Uint64(b[off:])
			if byte(q>>56)&statSupported == 0 {
				continue
			}
			if !knownStat(page, off) && q>>40&0xffff != 0 {
				// Some firmware fills the rest of a page with what is no entry.
				d.warn("device statistics", off,
					fmt.Sprintf("page %d: the entries from %02Xh on are garbage and are left out", page, off))
				break
			}
			if len(d.s.Stats) == maxStats {
				d.warn("device statistics", off, "further entries are left out")
				return
			}
			d.s.Stats = append(d.s.Stats, stat(page, off, q))
		}
	}
}

func knownStat(page uint8, off int) bool {
	return int(page) < len(statPages) && off/8 < len(statPages[page]) && statPages[page][off/8].size != 0
}

func stat(page uint8, off int, q uint64) Stat {
	def := statDef{7, "Unknown"}
	if page == 0xff {
		def.name = "Vendor Specific"
	} else if knownStat(page, off) {
		def = statPages[page][off/8]
	}
	st := Stat{Page: page, Offset: uint16(off), Size: uint8(max(def.size, -def.size)), Name: def.name,
		Flags: byte(q >> 56)}
	if st.Flags&statValid != 0 {
		v := int64(q & (1<<(8*st.Size) - 1))
		if def.size < 0 {
			v = int64(int8(v))
		}
		st.Value = Some(v)
	}
	return st
}
