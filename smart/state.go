package smart

import (
	"bytes"
	"strconv"
	"strings"

	"dougu.internal/smart/internal/scan"
)

// isState reports whether the text is a state file of smartd.
func isState(b []byte) bool { return bytes.HasPrefix(b, []byte("# smartd state file")) }

// ParseState reads a state file of smartd (smartd.MODEL-SERIAL.ata.state, written with
// -s). It holds the attributes without thresholds and smartd's own record of the
// temperature. The model and the serial number are in the name of the file only; see
// [Snapshot.NameFromState].
func ParseState(b []byte) (*Snapshot, error) {
	s := &Snapshot{Source: Source{Format: FormatState, Tool: "smartd", Line: 1}}
	line, off, facts := 0, 0, 0
	rows := map[int]*stateRow{}
	last := -1
	for l := range bytes.Lines(b) {
		line++
		at := off
		off += len(l)
		l = scan.Trim(l)
		if len(l) == 0 || l[0] == '#' {
			continue
		}
		k, v, ok := bytes.Cut(l, []byte("="))
		if !ok {
			s.warn(Warning{Line: line, Offset: at, Msg: "not understood: " + clip(l)})
			continue
		}
		key, value := string(scan.Trim(k)), string(scan.Trim(v))
		n, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			s.warn(Warning{Line: line, Offset: at, Msg: "the value is not a number: " + clip(l)})
			continue
		}
		facts++
		switch {
		case key == "temperature-min" && n > 0 && n < 128:
			s.Temp.LifetimeMin = TempValue{int16(n), true, FromState}
		case key == "temperature-max" && n > 0 && n < 128:
			s.Temp.LifetimeMax = TempValue{int16(n), true, FromState}
		case key == "ata-error-count":
			s.Errors.Count = Some(n)
		case strings.HasPrefix(key, "ata-smart-attribute."):
			i, name, _ := strings.Cut(key[len("ata-smart-attribute."):], ".")
			slot, err := strconv.Atoi(i)
			if err != nil || slot < 0 || slot >= attributeSlots {
				s.warn(Warning{Line: line, Offset: at, Msg: "the slot is not a number from 0 to 29: " + clip(l)})
				continue
			}
			if rows[slot] == nil {
				rows[slot] = &stateRow{}
			}
			rows[slot].set(name, n)
			last = max(last, slot)
		}
	}
	if facts == 0 {
		return nil, ErrNoData
	}
	for i := range last + 1 {
		if r := rows[i]; r != nil && r.ID != 0 {
			r.Name, r.Format = presets{}.of(r.ID)
			r.State = NoThreshold
			s.Attributes = append(s.Attributes, r.Attribute)
			s.Device.Protocol = "ATA"
		}
	}
	s.conclude()
	return s, nil
}

type stateRow struct{ Attribute }

func (r *stateRow) set(name string, n uint64) {
	switch {
	case name == "id" && n < 256:
		r.ID = uint8(n)
	case name == "val" && n < 256:
		r.Value = uint8(n)
		r.Has |= HasValue
	case name == "worst" && n < 256:
		r.Worst = uint8(n)
		r.Has |= HasWorst
	case name == "raw" && n < 1<<48:
		r.Raw.setUint48(n)
	case name == "resvd" && n < 256:
		r.Raw.Extra = uint8(n)
		r.Raw.Known |= KnownExtra
	}
}

// NameFromState sets model and serial number from the name of a state file or attribute
// log of smartd: smartd.MODEL-SERIAL.ata.state, attrlog.MODEL-SERIAL.ata.csv. smartd
// replaces characters other than letters and digits by '_' in both, so that the model is
// not exact. Other names change nothing.
func (s *Snapshot) NameFromState(file string) {
	if i := strings.LastIndexByte(file, '/'); i >= 0 {
		file = file[i+1:]
	}
	name, ok := file, false
	for _, end := range []string{".ata.state", ".scsi.state", ".nvme.state", ".state", ".ata.csv", ".scsi.csv",
		".nvme.csv"} {
		if name, ok = strings.CutSuffix(file, end); ok {
			break
		}
	}
	if !ok {
		return
	}
	for _, start := range []string{"smartd.", "attrlog."} {
		name = strings.TrimPrefix(name, start)
	}
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		s.Identity.Model, s.Identity.Serial = name[:i], name[i+1:]
	}
}
