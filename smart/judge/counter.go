package judge

import (
	"slices"
	"strings"

	"dougu.internal/diag"
	"dougu.internal/smart"
)

// counter identifies a number that the rules are about.
type counter uint8

const (
	reallocated counter = iota
	pending
	offline
	reported
	endToEnd
	crc
	timeouts
	spinRetries
	startFailures
	loadCycles
	programFails
	eraseFails
	mediaErrors
	grownDefects
	readErrors
	writeErrors
	verifyErrors
	counterCount
)

// medium is a kind of drive.
type medium uint8

const (
	anyMedium medium = iota
	rotating
	solidState
)

// rule is a rule about a counter.
type rule struct {
	id   string
	unit string
	// ids and names select the ATA attribute: both must match. The same id has other
	// meanings under other names. A name that ends with "*" is a prefix.
	ids    []uint8
	names  []string
	medium medium
	// bits is the number of low bits of the raw value that count.
	bits uint
	// watch and act are the limits of the count, 0 for none.
	watch, act uint64
	// growWatch and growAct are the limits of the growth between two snapshots, 0 for
	// none.
	growWatch, growAct uint64
	// gauge means that the number falls when the problem is gone.
	gauge bool
	// detail describes the count, and growth the growth.
	detail, growth string
}

// rules are indexed by counter. The limits of the first four and their combinations (see
// media.go) were chosen on one half of the drives of examples/smart-fleet and checked on
// the other half.
var rules = [counterCount]rule{
	reallocated: {
		id: "reallocated-sectors", unit: "sectors", ids: []uint8{5}, bits: 16, watch: 100, act: 1000, growWatch: 1,
		growAct: 100,
		names: []string{
			"Reallocated_Sector_Ct", "Reallocated_Sectors", "Reallocate_NAND_Blk_Cnt", "Reallocated_Sector_Count",
			"Re-allocated_Sector_Ct", "Reallocated_Block_Count",
			"Reallocated_Block_Ct", "Reallocated_NAND_Blk_Cnt", "Reassigned_Sectors",
		},
		detail: "sectors were remapped", growth: "sectors were remapped since",
	},
	pending: {
		id: "pending-sectors", unit: "sectors", ids: []uint8{197}, bits: 48, watch: 1, act: 16, growWatch: 1,
		growAct: 16, gauge: true,
		names: []string{"Current_Pending_Sector", "Current_Pending_Sector_Ct", "Current_Pending_ECC_Cnt",
			"Pending_Sector_Count", "Pending_Sectors", "Total_Pending_Sectors", "Current_Pending_Sectors"},
		detail: "sectors cannot be read and wait to be rewritten or remapped", growth: "more sectors cannot be read",
	},
	offline: {
		id: "offline-uncorrectable", unit: "sectors", ids: []uint8{198}, bits: 48, watch: 1, act: 16, growWatch: 1,
		growAct: 16, gauge: true,
		names: []string{"Offline_Uncorrectable", "Offline_Uncorrectable_Sectors", "Total_Offl_Uncorrectabl",
			"Offline_Uncorrectable_Sect", "Uncorrectable_Sector_Ct", "Total_Offline_Uncorrectabl"},
		detail: "sectors could not be read in the background",
		growth: "more sectors could not be read in the background",
	},
	reported: {
		id: "reported-uncorrectable", unit: "errors", ids: []uint8{187}, bits: 16, watch: 1, act: 8, growWatch: 1,
		growAct: 8,
		names: []string{"Reported_Uncorrect", "Reported_Uncorrectable", "Uncorrectable_Error_Cnt",
			"Uncorrectable_Error_Count", "Reported_UE_Counts", "Reported_Uncorrectable_Errors"},
		detail: "errors that the drive could not correct reached the host",
		growth: "more errors that the drive could not correct reached the host",
	},
	endToEnd: {
		id: "end-to-end-errors", unit: "errors", ids: []uint8{184}, bits: 32, watch: 1, growWatch: 1,
		names:  []string{"End-to-End_Error*", "End_To_End_Errors", "End-to-End_Error_Count"},
		detail: "data was corrupted inside of the drive", growth: "more data was corrupted inside of the drive",
	},
	crc: {
		id: "interface-errors", unit: "errors", ids: []uint8{199}, bits: 48, watch: 1000, growWatch: 10,
		names: []string{
			"UDMA_CRC_Error_Count", "CRC_Error_Count", "SATA_CRC_Error_Count", "SATA_CRC_Error",
			"SATA_FIS_CRC_Errors", "Interface_CRC_Errors", "UDMA_CRC_Error_Ct", "Ultra_CRC_Error_Count",
		},
		detail: "CRC errors between host and drive: check the cable and the connectors",
		growth: "more CRC errors between host and drive: check the cable and the connectors",
	},
	timeouts: {
		id: "command-timeouts", unit: "timeouts", ids: []uint8{188}, bits: 16, watch: 1000, growWatch: 100,
		names:  []string{"Command_Timeout", "Command_Timeouts"},
		detail: "commands timed out: check the power supply and the cables first",
		growth: "more commands timed out: check the power supply and the cables first",
	},
	spinRetries: {
		id: "spin-retries", unit: "retries", ids: []uint8{10}, bits: 16, medium: rotating, watch: 3, growWatch: 1,
		names:  []string{"Spin_Retry_Count"},
		detail: "the spindle needed several attempts to start: check the power supply, plan a replacement",
		growth: "the spindle needed several attempts to start again",
	},
	startFailures: {
		id: "start-failures", unit: "failures", medium: rotating, watch: 3, growWatch: 1,
		detail: "the spindle failed to start: check the power supply, plan a replacement",
		growth: "the spindle failed to start again",
	},
	loadCycles: {
		id: "load-cycles", unit: "cycles", ids: []uint8{193, 225}, bits: 24, medium: rotating,
		names:  []string{"Load_Cycle_Count", "Load_Cycles", "Load/Unload_Cycle_Count"},
		detail: "the heads were parked more often than the usual 600,000 times; check the power management",
	},
	programFails: {
		id: "flash-failures", unit: "failures", ids: []uint8{171, 175,
			181}, bits: 32, medium: solidState, growWatch: 10,
		names: []string{
			"Program_Fail_Count*", "Program_Fail_Cnt*", "Program_Failures*", "Program_Fail_Block*",
			"Program_Fail_Ct*", "Total_Program_Fail*", "Host_Program_Fail*",
		},
		detail: "blocks of the flash memory could not be written",
		growth: "more blocks of the flash memory could not be written",
	},
	eraseFails: {
		id: "flash-failures", unit: "failures", ids: []uint8{172, 176,
			182}, bits: 32, medium: solidState, growWatch: 10,
		names: []string{"Erase_Fail_Count*", "Erase_Fail_Cnt*", "Erase_Failures*", "Erase_Fail_Block*",
			"Erase_Fail_Ct*", "Total_Erase_Fail*"},
		detail: "blocks of the flash memory could not be erased",
		growth: "more blocks of the flash memory could not be erased",
	},
	mediaErrors: {
		id: "nvme-media-errors", unit: "errors", watch: 1, act: 100, growWatch: 1, growAct: 50,
		detail: "data could not be recovered from the medium",
		growth: "more data could not be recovered from the medium",
	},
	grownDefects: {
		id: "scsi-defects", unit: "sectors", watch: 10, act: 1000, growWatch: 1, growAct: 100,
		detail: "the grown defect list is not empty: sectors were remapped", growth: "the grown defect list is growing",
	},
	readErrors: {
		id: "scsi-uncorrected", unit: "errors", watch: 1, act: 100, growWatch: 1, growAct: 50,
		detail: "read errors were not corrected", growth: "more read errors were not corrected",
	},
	writeErrors: {
		id: "scsi-uncorrected", unit: "errors", watch: 1, act: 100, growWatch: 1, growAct: 50,
		detail: "write errors were not corrected", growth: "more write errors were not corrected",
	},
	verifyErrors: {
		id: "scsi-uncorrected", unit: "errors", watch: 1, act: 100, growWatch: 1, growAct: 50,
		detail: "verify errors were not corrected", growth: "more verify errors were not corrected",
	},
}

// byID is the counter that an attribute id can be; counterCount for none.
var byID = func() (t [256]counter) {
	for i := range t {
		t[i] = counterCount
	}
	for c := range counterCount {
		for _, id := range rules[c].ids {
			t[id] = c
		}
	}
	return t
}()

// counterOf returns the counter that an attribute of the drive is.
func counterOf(a *smart.Attribute, m medium) (counter, bool) {
	c := byID[a.ID]
	if c == counterCount {
		return 0, false
	}
	r := &rules[c]
	if r.medium != anyMedium && m != anyMedium && r.medium != m {
		return 0, false
	}
	return c, a.Name == "" || slices.ContainsFunc(r.names, func(n string) bool {
		prefix, open := strings.CutSuffix(n, "*")
		return a.Name == n || open && strings.HasPrefix(a.Name, prefix)
	})
}

// count is a number of the drive and its source.
type count struct {
	n         uint64
	ok        bool
	attribute uint8
	name      string // of the attribute
	source    string // if the number is not that of an attribute
}

// counts are indexed by counter.
type counts [counterCount]count

// value returns the number, 0 if it is not known.
func (c *counts) value(i counter) uint64 { return c[i].n }

// The maximum numbers of errors and of bad sectors that are believed. Larger raw values
// consist of several numbers or mean that nothing is known.
const (
	maxErrors  = 1 << 31
	maxSectors = 1 << 24
)

// attributeCount returns the part of a raw value that counts.
func attributeCount(a *smart.Attribute, bits uint) (uint64, bool) {
	v, ok := a.Raw.Uint48()
	if !ok {
		if bits == 16 && a.Raw.Known&3 == 3 {
			v = uint64(a.Raw.Bytes[0]) | uint64(a.Raw.Bytes[1])<<8
			return v, v != 0xffff
		}
		return 0, false
	}
	if n := a.Raw.Number; n.OK && n.V >= 1<<48 {
		return 0, false // of more than one number
	}
	if v == 1<<48-1 || v == 1<<32-1 || v >= 0xffffffff00000000>>16 { // -1 and other small negative numbers
		return 0, false
	}
	if bits == 16 {
		v &= 0xffff
		return v, v != 0xffff
	}
	v &= 1<<bits - 1
	return v, v < maxErrors
}

// mediumOf returns the kind of the drive.
func mediumOf(s *smart.Snapshot) medium {
	switch r := s.Identity.Rotation; {
	case s.NVMe != nil, r.OK && r.V == 0:
		return solidState
	case r.OK:
		return rotating
	}
	return anyMedium
}

// read collects the numbers of a snapshot.
func (c *counts) read(s *smart.Snapshot) {
	m := mediumOf(s)
	for i := range s.Attributes {
		a := &s.Attributes[i]
		k, ok := counterOf(a, m)
		if !ok || c[k].ok {
			continue
		}
		if n, ok := attributeCount(a, rules[k].bits); ok && (k != pending && k != offline || n < maxSectors) {
			c[k] = count{n: n, ok: true, attribute: a.ID, name: a.Name}
		}
	}
	c.statistics(s)
	if n := s.NVMe; n != nil && n.MediaErrors.OK {
		v, fits := n.MediaErrors.V.Uint64()
		if !fits {
			v = 1<<64 - 1
		}
		c[mediaErrors] = count{n: v, ok: true, source: "NVMe log 02h"}
	}
	if h := s.SCSI; h != nil {
		c.set(grownDefects, h.GrownDefects, "grown defect list")
		for _, e := range [...]struct {
			k counter
			c *smart.ErrorCounters
		}{{readErrors, h.Read}, {writeErrors, h.Write}, {verifyErrors, h.Verify}} {
			if e.c != nil {
				c.set(e.k, e.c.Uncorrected, "SCSI error counters")
			}
		}
	}
}

func (c *counts) set(k counter, v smart.Opt[uint64], source string) {
	if v.OK {
		c[k] = count{n: v.V, ok: true, source: source}
	}
}

// statistics reads the device statistics. A number that is not 0 is used if the attribute
// is missing or 0: the graver of two sources counts.
func (c *counts) statistics(s *smart.Snapshot) {
	for i := range s.Stats {
		st := &s.Stats[i]
		if !st.Value.OK || st.Value.V < 0 || st.Value.V >= maxErrors {
			continue
		}
		var k counter
		switch {
		case st.Page == 1 && st.Offset == 0x40:
			k = pending
		case st.Page == 3 && st.Offset == 0x20:
			k = reallocated
		case st.Page == 3 && st.Offset == 0x30:
			k = startFailures
		case st.Page == 4 && st.Offset == 0x08:
			k = reported
		case st.Page == 6 && st.Offset == 0x18:
			k = crc
		default:
			continue
		}
		if n := uint64(st.Value.V); !c[k].ok || c[k].n == 0 && n > 0 {
			c[k] = count{n: n, ok: true, source: statisticsSource[st.Page]}
		}
	}
	if p := s.Pending; p != nil && p.Count.OK && (!c[pending].ok || p.Count.V > c[pending].n) {
		c[pending] = count{n: p.Count.V, ok: true, source: "pending defects log"}
	}
}

var statisticsSource = [256]string{
	1: "device statistics, page 1", 3: "device statistics, page 3", 4: "device statistics, page 4",
	6: "device statistics, page 6",
}

// severity returns the severity of a count by the limits, or 0 if it is 0.
func severity(n uint64, l Limits) diag.Severity {
	switch {
	case l.Act.OK && n >= l.Act.V:
		return smart.Act
	case l.Watch.OK && n >= l.Watch.V:
		return smart.Watch
	case n > 0:
		return smart.Info
	}
	return 0
}

func limit(n uint64) smart.Opt[uint64] { return smart.Opt[uint64]{V: n, OK: n > 0} }
