package smart

// PendingDefects is the pending defects log of an ATA drive (GP log 0Ch): the blocks
// that could not be read and wait to be rewritten or remapped.
type PendingDefects struct {
	// Count is the number of entries of the log.
	Count Opt[uint64] `json:"count,omitzero"`
	// Entries are the entries that are known.
	Entries []PendingDefect `json:"entries,omitzero"`
}

// PendingDefect is one entry of the pending defects log.
type PendingDefect struct {
	// LBA is the block.
	LBA Opt[uint64] `json:"lba,omitzero"`
	// Hours is the power-on time at which the block was found.
	Hours Opt[uint64] `json:"hours,omitzero"`
}

// maxDefects is the maximum number of entries that are kept.
const maxDefects = 1024

func (p *PendingDefects) add(d PendingDefect) {
	if len(p.Entries) < maxDefects {
		p.Entries = append(p.Entries, d)
	}
}

// FARM contains counters of a Seagate drive that cannot be reset with those of the SMART
// data. A used drive that is sold as a new one differs in them.
type FARM struct {
	PowerOnHours Opt[uint64] `json:"powerOnHours,omitzero"`
	SpindleHours Opt[uint64] `json:"spindleHours,omitzero"`
	// FlightHours is the time that the heads were over the disk.
	FlightHours Opt[uint64] `json:"flightHours,omitzero"`
	HeadLoads   Opt[uint64] `json:"headLoads,omitzero"`
}

// ScanResult is an entry of the background scan of a SCSI disk (log page 15h).
type ScanResult struct {
	// Minutes is the power-on time of the entry.
	Minutes Opt[uint32] `json:"minutes,omitzero"`
	LBA     Opt[uint64] `json:"lba,omitzero"`
	// Key, ASC and ASCQ are the sense data. Key 3 means that the block could not be
	// read, key 1 that it was read with recovery.
	Key  uint8 `json:"key"`
	ASC  uint8 `json:"asc"`
	ASCQ uint8 `json:"ascq"`
	// Reassign is the reassign status: 1 means that the host must write or reassign the
	// block, 2 that it was reassigned, 4 that the reassignment failed, 5 that it was
	// rewritten in place, 6 and 7 that the host reassigned it, 8 that this failed.
	Reassign Opt[uint8] `json:"reassign,omitzero"`
}
