package smart

import (
	"encoding/binary"
	"slices"
)

// ATAPages are the raw pages of one ATA drive. Each may be absent. A page is used
// only during the call.
type ATAPages struct {
	// Identify is the answer to IDENTIFY DEVICE (ECh), 512 bytes.
	Identify []byte
	// Values is SMART READ DATA (B0h/D0h), Thresholds SMART READ THRESHOLDS
	// (B0h/D1h).
	Values, Thresholds []byte
	// ErrorLog is SMART log 01h and SelfTestLog log 06h.
	ErrorLog, SelfTestLog []byte
	// ExtErrorLog is GP log 03h and ExtSelfTestLog GP log 07h, all sectors. They win
	// over the two above.
	ExtErrorLog, ExtSelfTestLog []byte
	// SCTStatus is SMART log E0h, SCTHistory log E1h after table 2 was asked for.
	SCTStatus, SCTHistory []byte
	// DeviceStats holds pages of GP log 04h, 512 bytes each, in any order.
	DeviceStats []byte
	// Status holds the registers after SMART RETURN STATUS.
	Status Opt[Registers]
}

// Registers are the ATA registers after a command.
type Registers struct {
	Error  uint8  `json:"error"`
	Status uint8  `json:"status"`
	Device uint8  `json:"device"`
	Count  uint16 `json:"count"`
	LBA    uint64 `json:"lba"`
}

// sector is the size of an ATA page.
const sector = 512

// attributeSlots is the number of rows in the attribute table.
const attributeSlots = 30

// DecodeATA decodes raw pages into dst. Facts of pages that are absent stay as they
// are; dst's slices are reused, so that a warm dst costs no allocation for the
// attribute table and the device statistics. A nil db prints raw values in the
// format that is usual for the id.
//
// Odd pages (short, zero, wrong checksum) are decoded as far as they go and leave a
// [Warning]. The error is [ErrNoData] when no page could be used.
func DecodeATA(dst *Snapshot, p ATAPages, db *DriveDB) error {
	d := ataDecoder{s: dst}
	d.identify(p.Identify)
	d.presets = db.presets(dst)
	d.table(p.Values, p.Thresholds)
	if p.Status.OK {
		d.used++
		dst.Health = Health{Status: p.Status.V.verdict()}
		if dst.Health.Status == Unknown {
			d.warn("status", 0, "the registers after RETURN STATUS are neither 4Fh/C2h nor F4h/2Ch")
		}
	}
	if d.has("error log", p.ExtErrorLog) {
		d.extErrorLog(p.ExtErrorLog)
	} else if d.has("error log", p.ErrorLog) {
		d.errorLog(p.ErrorLog)
	}
	if d.has("self-test log", p.ExtSelfTestLog) {
		d.extSelfTestLog(p.ExtSelfTestLog)
	} else if d.has("self-test log", p.SelfTestLog) {
		d.selfTestLog(p.SelfTestLog)
	}
	d.sctStatus(p.SCTStatus)
	d.sctHistory(p.SCTHistory)
	d.statistics(p.DeviceStats)
	if d.used == 0 {
		return ErrNoData
	}
	if dst.Source.Format == 0 {
		dst.Source.Format = FormatPages
	}
	if dst.Device.Protocol == "" {
		dst.Device.Protocol = "ATA"
	}
	dst.conclude()
	return nil
}

// verdict reads the registers as ATA8-ACS has them after SMART RETURN STATUS. Some
// USB bridges lose one of the two bytes; the middle one then decides.
func (r Registers) verdict() Status {
	switch mid, high := byte(r.LBA>>8), byte(r.LBA>>16); {
	case mid == 0x4f && (high == 0xc2 || high == 0):
		return Passed
	case mid == 0xf4 && (high == 0x2c || high == 0):
		return Failed
	}
	return Unknown
}

type ataDecoder struct {
	s       *Snapshot
	presets presets
	used    int
}

func (d *ataDecoder) warn(page string, off int, msg string) {
	d.s.warn(Warning{Path: page, Offset: off, Msg: msg})
}

// has reports whether the page is there and holds anything. A wrong checksum is
// reported and the page is used.
func (d *ataDecoder) has(page string, b []byte) bool {
	switch {
	case b == nil:
		return false
	case len(b) < sector:
		d.warn(page, len(b), "the page is shorter than 512 bytes and is not used")
		return false
	case allBytes(b, 0):
		d.warn(page, 0, "the page holds nothing but zeros")
		return false
	case allBytes(b, 0xff):
		d.warn(page, 0, "the page holds nothing but FFh")
		return false
	}
	d.used++
	return true
}

// sum checks the checksum of one sector.
func (d *ataDecoder) sum(page string, b []byte) {
	if sum8(b[:sector]) != 0 {
		d.warn(page, sector-1, "the checksum of the page is wrong; its values are used all the same")
	}
}

func allBytes(b []byte, c byte) bool {
	return !slices.ContainsFunc(b, func(x byte) bool { return x != c })
}

// sum8 adds the bytes modulo 256, eight at a time: the even and the odd bytes of a
// word are added in 16-bit lanes, which hold 256 words without a carry.
func sum8(b []byte) byte {
	const lanes = 0x00ff00ff00ff00ff
	var even, odd uint64
	for len(b) >= 8 {
		n := min(len(b)/8, 256)
		for range n {
			w := binary.LittleEndian.Uint64(b)
			even += w & lanes
			odd += w >> 8 & lanes
			b = b[8:]
		}
		even, odd = fold(even), fold(odd)
	}
	v := fold(even) + fold(odd)
	for _, c := range b {
		v += uint64(c)
	}
	return byte(v)
}

// fold adds the four lanes into one number below 256.
func fold(v uint64) uint64 { return (v + v>>16 + v>>32 + v>>48) & 0xff }

// table decodes the attribute table.
func (d *ataDecoder) table(values, thresholds []byte) {
	if !d.has("values", values) {
		return
	}
	d.sum("values", values)
	if thresholds != nil {
		if d.has("thresholds", thresholds) {
			d.sum("thresholds", thresholds)
		} else {
			thresholds = nil
		}
	}
	s := d.s
	s.AttributeRevision = Some(binary.LittleEndian.Uint16(values))
	s.Attributes = slices.Grow(s.Attributes[:0], attributeSlots)
	for i := range attributeSlots {
		row := values[2+12*i : 14+12*i : 14+12*i]
		id := row[0]
		if id == 0 {
			continue // an empty slot is not the end of the table
		}
		s.Attributes = s.Attributes[:len(s.Attributes)+1]
		a := &s.Attributes[len(s.Attributes)-1]
		*a = Attribute{
			ID: id, Flags: Flags(binary.LittleEndian.Uint16(row[1:])), Value: row[3], Worst: row[4],
			Has: HasFlags | HasValue | HasWorst,
		}
		a.Raw = Raw{Bytes: [6]byte(row[5:11]), Extra: row[11], Known: KnownAll | KnownExtra}
		a.Name, a.Format = d.presets.of(id)
		if thr, ok := threshold(thresholds, i, id); ok {
			a.Thresh = thr
			a.Has |= HasThresh
		}
		a.apply()
	}
	d.offline(values)
}

// apply sets the state, with regard to a format that takes the normalised bytes.
func (a *Attribute) apply() {
	if a.Format.takes('v') {
		a.Has &^= HasValue | HasWorst | HasThresh
	} else if a.Format.takes('w') {
		a.Has &^= HasWorst
	}
	a.judge()
}

// threshold finds the threshold of slot i: at the same place if the id is the same
// there, else the first row with that id.
func threshold(page []byte, i int, id uint8) (uint8, bool) {
	if page == nil {
		return 0, false
	}
	if page[2+12*i] == id {
		return page[3+12*i], true
	}
	for j := range attributeSlots {
		if page[2+12*j] == id {
			return page[3+12*j], true
		}
	}
	return 0, false
}

func (d *ataDecoder) offline(v []byte) {
	if d.s.Offline == nil {
		d.s.Offline = &Offline{}
	}
	o := d.s.Offline
	*o = Offline{
		CollectionStatus: v[362], Capabilities: v[367],
		CollectionSeconds: binary.LittleEndian.Uint16(v[364:]),
	}
	if v[367]&0x10 != 0 { // self-tests are supported
		o.SelfTestStatus = Some(v[363])
		o.ShortMinutes = Some(uint16(v[372]))
		o.ExtendedMinutes = Some(uint16(v[373]))
		if long := binary.LittleEndian.Uint16(v[375:]); v[373] == 0xff && long != 0 {
			o.ExtendedMinutes = Some(long)
		}
	}
	if v[367]&0x20 != 0 {
		o.ConveyanceMinutes = Some(uint16(v[374]))
	}
}
