package smart

import "encoding/binary"

// degrees reads a signed temperature; 80h is unknown.
func degrees(b byte) Opt[int8] {
	if b == 0x80 {
		return Opt[int8]{}
	}
	return Some(int8(b))
}

// sctStatus decodes the SCT status page (ACS-4, 8.2.5).
func (d *ataDecoder) sctStatus(b []byte) {
	if !d.has("SCT status", b) {
		return
	}
	if d.s.SCT == nil {
		d.s.SCT = &SCTStatus{}
	}
	*d.s.SCT = SCTStatus{
		FormatVersion: binary.LittleEndian.Uint16(b), SCTVersion: binary.LittleEndian.Uint16(b[2:]),
		DeviceState: b[10],
		Current:     degrees(b[200]), CycleMin: degrees(b[201]), CycleMax: degrees(b[202]),
		LifetimeMin: degrees(b[203]), LifetimeMax: degrees(b[204]),
		OverLimitCount:  Some(binary.LittleEndian.Uint32(b[206:])),
		UnderLimitCount: Some(binary.LittleEndian.Uint32(b[210:])),
	}
	t := d.s.SCT
	if int8(b[205]) > 0 { // 0 and less: not reported
		t.OpLimitMax = degrees(b[205])
	}
	switch binary.LittleEndian.Uint16(b[214:]) {
	case 0xc24f:
		t.Health = Passed
	case 0x2cf4:
		t.Health = Failed
	}
}

// The place of the ring in the history table and its greatest size.
const (
	historyRing = 34
	historyMax  = 478
)

// sctHistory decodes the temperature history table (ACS-4, 8.3.6.3).
func (d *ataDecoder) sctHistory(b []byte) {
	if !d.has("SCT history", b) {
		return
	}
	size, index := binary.LittleEndian.Uint16(b[30:]), binary.LittleEndian.Uint16(b[32:])
	if d.s.History == nil {
		d.s.History = &SCTHistory{}
	}
	h := d.s.History
	*h = SCTHistory{
		FormatVersion: binary.LittleEndian.Uint16(b), SamplingMinutes: binary.LittleEndian.Uint16(b[2:]),
		IntervalMinutes: binary.LittleEndian.Uint16(b[4:]),
		OpMax:           degrees(b[6]), LimitMax: degrees(b[7]), OpMin: degrees(b[8]), LimitMin: degrees(b[9]),
		Size: size, Index: index, Samples: h.Samples[:0],
	}
	switch {
	case size == 0:
		d.warn("SCT history", 30, "the temperature history is empty")
		return
	case size > historyMax || index >= size:
		d.warn("SCT history", 30, "the size or the index of the temperature history is out of range")
		return
	}
	ring := b[historyRing : historyRing+int(size)]
	for i := range ring {
		h.Samples = append(h.Samples, degrees(ring[(int(index)+1+i)%len(ring)]))
	}
}
