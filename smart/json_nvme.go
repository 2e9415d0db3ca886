package smart

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"dougu.internal/smart/internal/jsonfix"
	"dougu.internal/smart/internal/scan"
)

// jsonCount is a whole number of up to 128 bits, or a number of that kind in a string.
type jsonCount struct{ v Opt[Uint128] }

// WholeNumber implements [jsonfix.Number].
func (c *jsonCount) WholeNumber() {}

// UnmarshalJSON implements [json.Unmarshaler].
func (c *jsonCount) UnmarshalJSON(b []byte) error {
	u, ok := parseUint128(bytes.Trim(b, `"`))
	if !ok {
		return &json.UnmarshalTypeError{Value: "value", Type: reflect.TypeFor[Uint128]()}
	}
	c.v = Some(u)
	return nil
}

// jsonCritical is the critical warning: a number, or with nvme smart-log -H an object
// with the number and its bits.
type jsonCritical struct {
	v   Opt[uint8]
	odd bool
}

// UnmarshalJSON implements [json.Unmarshaler].
func (c *jsonCritical) UnmarshalJSON(b []byte) error {
	type number struct {
		Value *uint8 `json:"value"`
	}
	var n number
	if len(b) == 0 || b[0] != '{' {
		if v, err := strconv.ParseUint(strings.Trim(string(b), `"`), 0, 8); err == nil { // "0x04" as well
			c.v = Some(uint8(v))
			return nil
		}
		b = slices.Concat([]byte(`{"value":`), b, []byte("}"))
		odd, err := jsonfix.Unmarshal(b, &n)
		c.v, c.odd = opt(n.Value), err != nil || len(odd) > 0
		return nil
	}
	var o struct {
		Spare       *bool `json:"available_spare"`
		Temperature *bool `json:"temp_threshold"`
		Reliability *bool `json:"reliability_degraded"`
		ReadOnly    *bool `json:"ro"`
		Backup      *bool `json:"vmbu_failed"`
		Persistent  *bool `json:"pmr_ro"`
	}
	odd, _ := jsonfix.Unmarshal(b, &n)
	bits, err := jsonfix.Unmarshal(b, &o)
	c.odd = err != nil || len(odd)+len(bits) > 0
	v, known := uint8(0), n.Value != nil
	if known {
		v = *n.Value
	}
	for i, set := range []*bool{o.Spare, o.Temperature, o.Reliability, o.ReadOnly, o.Backup, o.Persistent} {
		known = known || set != nil
		if set != nil && *set {
			v |= 1 << i
		}
	}
	c.v = Opt[uint8]{v, known}
	return nil
}

// jsonHealth is the health log of smartctl or of nvme-cli, which has other names for
// some keys and reports temperatures in kelvins.
type jsonHealth struct {
	Critical  *jsonCritical `json:"critical_warning"`
	Temp      *int32        `json:"temperature"`
	Spare     *uint8        `json:"available_spare"`
	CliSpare  *uint8        `json:"avail_spare"`
	Thresh    *uint8        `json:"available_spare_threshold"`
	CliThresh *uint8        `json:"spare_thresh"`
	Used      *uint8        `json:"percentage_used"`
	CliUsed   *uint8        `json:"percent_used"`
	Group     *uint8        `json:"endurance_group_critical_warning_summary"`
	CliGroup  *uint8        `json:"endurance_grp_critical_warning_summary"`

	// Numbers of 2^53 and more have a companion with the suffix _s.
	UnitsRead     *jsonCount `json:"data_units_read"`
	UnitsReadS    *jsonCount `json:"data_units_read_s"`
	CliRead       *jsonCount `json:"Data Units Read"`
	UnitsWritten  *jsonCount `json:"data_units_written"`
	UnitsWrittenS *jsonCount `json:"data_units_written_s"`
	CliWritten    *jsonCount `json:"Data Units Written"`
	Reads         *jsonCount `json:"host_reads"`
	ReadsS        *jsonCount `json:"host_reads_s"`
	CliReads      *jsonCount `json:"host_read_commands"`
	Writes        *jsonCount `json:"host_writes"`
	WritesS       *jsonCount `json:"host_writes_s"`
	CliWrites     *jsonCount `json:"host_write_commands"`
	Busy          *jsonCount `json:"controller_busy_time"`
	BusyS         *jsonCount `json:"controller_busy_time_s"`
	Cycles        *jsonCount `json:"power_cycles"`
	CyclesS       *jsonCount `json:"power_cycles_s"`
	Hours         *jsonCount `json:"power_on_hours"`
	HoursS        *jsonCount `json:"power_on_hours_s"`
	Unsafe        *jsonCount `json:"unsafe_shutdowns"`
	UnsafeS       *jsonCount `json:"unsafe_shutdowns_s"`
	Media         *jsonCount `json:"media_errors"`
	MediaS        *jsonCount `json:"media_errors_s"`
	Entries       *jsonCount `json:"num_err_log_entries"`
	EntriesS      *jsonCount `json:"num_err_log_entries_s"`

	Warning      *int64   `json:"warning_temp_time"`
	CriticalTime *int64   `json:"critical_comp_time"`
	Sensors      []*int32 `json:"temperature_sensors"`
	S1           *int32   `json:"temperature_sensor_1"`
	S2           *int32   `json:"temperature_sensor_2"`
	S3           *int32   `json:"temperature_sensor_3"`
	S4           *int32   `json:"temperature_sensor_4"`
	S5           *int32   `json:"temperature_sensor_5"`
	S6           *int32   `json:"temperature_sensor_6"`
	S7           *int32   `json:"temperature_sensor_7"`
	S8           *int32   `json:"temperature_sensor_8"`
	T1Count      *int64   `json:"thermal_mgmt_temperature_1_trans_count"`
	T2Count      *int64   `json:"thermal_mgmt_temperature_2_trans_count"`
	T1Time       *int64   `json:"thermal_mgmt_temperature_1_total_time"`
	T2Time       *int64   `json:"thermal_mgmt_temperature_2_total_time"`
	CT1Count     *int64   `json:"thm_temp1_trans_count"`
	CT2Count     *int64   `json:"thm_temp2_trans_count"`
	CT1Time      *int64   `json:"thm_temp1_total_time"`
	CT2Time      *int64   `json:"thm_temp2_total_time"`
}

// count returns the first number that is present.
func count(list ...*jsonCount) Opt[Uint128] {
	for _, c := range list {
		if c != nil && c.v.OK {
			return c.v
		}
	}
	return Opt[Uint128]{}
}

func first[T any](list ...*T) Opt[T] {
	for _, p := range list {
		if p != nil {
			return Some(*p)
		}
	}
	return Opt[T]{}
}

// unsigned32 reads a number that some versions print signed although it is not.
func unsigned32(list ...*int64) Opt[uint32] {
	if v := first(list...); v.OK && v.V >= -1<<31 && v.V < 1<<32 {
		return Some(uint32(v.V))
	}
	return Opt[uint32]{}
}

func (j *jsonHealth) into(s *Snapshot, cli bool) {
	n := &NVMeHealth{}
	s.NVMe = n
	if c := j.Critical; c != nil {
		n.CriticalWarning = c.v
		if c.odd {
			s.warn(Warning{Path: "critical_warning",
				Msg: "the value or a part of it is not understood and is left out"})
		}
	}
	n.UnitsRead, n.UnitsWritten = count(j.UnitsReadS, j.UnitsRead, j.CliRead), count(j.UnitsWrittenS,
		j.UnitsWritten, j.CliWritten)
	n.HostReads, n.HostWrites = count(j.ReadsS, j.Reads, j.CliReads), count(j.WritesS, j.Writes, j.CliWrites)
	n.BusyMinutes, n.PowerCycles, n.PowerOnHours = count(j.BusyS, j.Busy), count(j.CyclesS,
		j.Cycles), count(j.HoursS, j.Hours)
	n.UnsafeShutdowns, n.MediaErrors, n.ErrorLogCount = count(j.UnsafeS, j.Unsafe), count(j.MediaS,
		j.Media), count(j.EntriesS, j.Entries)
	n.WarningMinutes, n.CriticalMinutes = unsigned32(j.Warning), unsigned32(j.CriticalTime)
	n.Spare, n.SpareThreshold = first(j.Spare, j.CliSpare), first(j.Thresh, j.CliThresh)
	n.Used, n.EnduranceWarning = first(j.Used, j.CliUsed), first(j.Group, j.CliGroup)
	n.ThermalTransitions = [2]Opt[uint32]{unsigned32(j.T1Count, j.CT1Count), unsigned32(j.T2Count, j.CT2Count)}
	n.ThermalSeconds = [2]Opt[uint32]{unsigned32(j.T1Time, j.CT1Time), unsigned32(j.T2Time, j.CT2Time)}
	degrees := func(path string, v *int32) (o Opt[int16]) {
		switch {
		case v == nil:
		case cli && *v == 0, !cli && *v == -273: // not reported
		case cli && *v > 0 && *v <= 0x7fff:
			o = Some(int16(*v - kelvin))
		case !cli && *v >= -273 && *v <= 0x7fff-kelvin:
			o = Some(int16(*v))
		default:
			s.warn(Warning{Path: path, Msg: fmt.Sprintf("%d is not a temperature; the value is left out", *v)})
		}
		return o
	}
	n.Temperature = degrees("temperature", j.Temp)
	sensors := j.Sensors
	if cli {
		sensors = []*int32{j.S1, j.S2, j.S3, j.S4, j.S5, j.S6, j.S7, j.S8}
	}
	for i := range min(len(sensors), len(n.Sensors)) {
		n.Sensors[i] = degrees(fmt.Sprintf("temperature_sensor_%d", i+1), sensors[i])
	}
}

// fromNVMeCLI reads the output of nvme smart-log -o json.
func (s *Snapshot) fromNVMeCLI(b []byte) error {
	var j jsonHealth
	odd, err := jsonfix.Unmarshal(b, &j)
	if err != nil {
		return jsonError(b, err)
	}
	s.oddities(odd)
	s.Source.Format, s.Source.Tool, s.Device.Protocol = FormatNVMe, "nvme", "NVMe"
	j.into(s, true)
	return nil
}

func (s *Snapshot) oddities(odd []jsonfix.Odd) {
	for _, o := range odd {
		s.warn(Warning{Path: o.Path, Msg: o.Msg})
	}
}

type jsonNVMeErrors struct {
	Table []struct {
		Count  int64 `json:"error_count"`
		Status struct {
			Value  *uint16 `json:"value"`
			String string  `json:"string"`
		} `json:"status_field"`
		LBA struct {
			Value *uint64 `json:"value"`
		} `json:"lba"`
	} `json:"table"`
}

func (j *jsonNVMeErrors) into(log *ErrorLog) {
	for _, e := range j.Table {
		if len(log.Entries) == maxErrors {
			return
		}
		log.Entries = append(log.Entries, ErrorEntry{Number: e.Count, NVMeStatus: opt(e.Status.Value),
			LBA: opt(e.LBA.Value), Text: e.Status.String})
	}
}

type jsonNVMeSelfTests struct {
	Table []struct {
		Code       jsonCode `json:"code"`
		Result     jsonCode `json:"result"`
		SelfCode   jsonCode `json:"self_test_code"`
		SelfResult jsonCode `json:"self_test_result"`
		Hours      *uint64  `json:"power_on_hours"`
		LBA        *uint64  `json:"lba"`
	} `json:"table"`
}

func (j *jsonNVMeSelfTests) list() []SelfTest {
	var list []SelfTest
	for i, e := range j.Table {
		if i == maxSelfTests {
			break
		}
		list = append(list, SelfTest{
			Num: i + 1, Kind: firstOf(e.SelfCode.String, e.Code.String), Result: firstOf(e.SelfResult.String,
				e.Result.String),
			Hours: opt(e.Hours), LBA: opt(e.LBA),
		})
	}
	return list
}

type jsonCounters struct {
	Read   *jsonCounter `json:"read"`
	Write  *jsonCounter `json:"write"`
	Verify *jsonCounter `json:"verify"`
}

type jsonCounter struct {
	Fast        *uint64 `json:"errors_corrected_by_eccfast"`
	Delayed     *uint64 `json:"errors_corrected_by_eccdelayed"`
	Rereads     *uint64 `json:"errors_corrected_by_rereads_rewrites"`
	Corrected   *uint64 `json:"total_errors_corrected"`
	Invocations *uint64 `json:"correction_algorithm_invocations"`
	Gigabytes   string  `json:"gigabytes_processed"`
	Uncorrected *uint64 `json:"total_uncorrected_errors"`
}

// jsonSCSI holds the keys of SCSI documents that are seldom there.
type jsonSCSI struct {
	Used  *uint8  `json:"scsi_percentage_used_endurance_indicator"`
	Grown *uint64 `json:"scsi_grown_defect_list"`
	Env   map[string]struct {
		Current  json.RawMessage `json:"current"`
		LifeMax  json.RawMessage `json:"lifetime_maximum"`
		LifeMin  json.RawMessage `json:"lifetime_minimum"`
		CycleMax json.RawMessage `json:"maximum_since_power_on"`
		CycleMin json.RawMessage `json:"minimum_since_power_on"`
	} `json:"scsi_environmental_reports"`
	Start *struct {
		Year      string  `json:"year_of_manufacture"`
		Week      string  `json:"week_of_manufacture"`
		SpecStart *uint64 `json:"specified_cycle_count_over_device_lifetime"`
		Start     *uint64 `json:"accumulated_start_stop_cycles"`
		SpecLoad  *uint64 `json:"specified_load_unload_count_over_device_lifetime"`
		Load      *uint64 `json:"accumulated_load_unload_cycles"`
	} `json:"scsi_start_stop_cycle_counter"`
	Scan map[string]json.RawMessage `json:"scsi_background_scan"`
}

// signed16 reads a temperature; "unknown" and the like are absent.
func signed16(b []byte) (o Opt[int16]) {
	var v *int16
	if len(b) > 0 && json.Unmarshal(b, &v) == nil && v != nil {
		o = Some(*v)
	}
	return o
}

func (d *jsonDoc) scsi(s *Snapshot, b []byte) {
	h := &SCSIHealth{}
	s.SCSI = h
	if c := d.ScsiErr; c != nil {
		h.Read, h.Write, h.Verify = c.Read.counters(), c.Write.counters(), c.Verify.counters()
	}
	if t := d.Temp; t != nil {
		h.Temperature, h.Trip = opt(t.Current), opt(t.Trip)
	}
	if d.Status != nil && d.Status.SCSI != nil {
		h.ASC, h.ASCQ = opt(d.Status.SCSI.ASC), opt(d.Status.SCSI.ASCQ)
	}
	var rare jsonSCSI
	odd, err := jsonfix.Unmarshal(b, &rare)
	if err != nil {
		s.warn(Warning{Path: "scsi", Msg: errs.Trim(err)})
	}
	s.oddities(odd)
	h.Used, h.GrownDefects = opt(rare.Used), opt(rare.Grown)
	if e, ok := rare.Env["temperature_1"]; ok {
		h.Environment = &Environment{
			Current: signed16(e.Current), LifetimeMax: signed16(e.LifeMax), LifetimeMin: signed16(e.LifeMin),
			CycleMax: signed16(e.CycleMax), CycleMin: signed16(e.CycleMin), // "unknown" is absent
		}
	}
	if t := rare.Start; t != nil {
		h.StartStop = &StartStop{
			Year: strings.TrimSpace(t.Year), Week: strings.TrimSpace(t.Week),
			SpecifiedCycles: opt(t.SpecStart), Cycles: opt(t.Start), SpecifiedLoads: opt(t.SpecLoad),
			Loads: opt(t.Load),
		}
	}
	h.fromScan(rare.Scan)
	s.scsiSelfTests(b)
}

func (j *jsonCounter) counters() *ErrorCounters {
	if j == nil {
		return nil
	}
	return &ErrorCounters{
		ECCFast: opt(j.Fast), ECCDelayed: opt(j.Delayed), Rereads: opt(j.Rereads), Corrected: opt(j.Corrected),
		Invocations: opt(j.Invocations), Bytes: gigabytes(j.Gigabytes), Uncorrected: opt(j.Uncorrected),
	}
}

// gigabytes reads a number of 10^9 bytes with three decimals, behind a dot or, in some
// locales, a comma.
func gigabytes[T string | []byte](s T) (o Opt[uint64]) {
	v, n, ok := scan.Uint(s)
	if !ok || v > 9_000_000_000 {
		return o
	}
	v *= 1e9
	if n < len(s) && (s[n] == '.' || s[n] == ',') {
		unit := uint64(1e8)
		for n++; n < len(s) && scan.Digit(s[n]); n++ {
			v += uint64(s[n]-'0') * unit
			unit /= 10
		}
	}
	if n != len(s) {
		return o
	}
	return Some(v)
}

// scsiSelfTests reads the keys scsi_self_test_0 to scsi_self_test_19.
func (s *Snapshot) scsiSelfTests(b []byte) {
	if !bytes.Contains(b, []byte(`"scsi_self_test_0"`)) {
		return
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(b, &m) != nil {
		return
	}
	for i := range 20 {
		var e struct {
			Code    jsonCode `json:"code"`
			Result  jsonCode `json:"result"`
			PowerOn struct {
				Hours *uint64 `json:"hours"`
			} `json:"power_on_time"`
			LBA struct {
				Value *uint64 `json:"value"`
			} `json:"lba_first_failure"`
		}
		raw, ok := m[fmt.Sprintf("scsi_self_test_%d", i)]
		if !ok || json.Unmarshal(raw, &e) != nil {
			continue
		}
		s.SelfTests = append(s.SelfTests, SelfTest{
			Num: i + 1, Kind: e.Code.String, Result: e.Result.String, Hours: opt(e.PowerOn.Hours),
			LBA: opt(e.LBA.Value),
		})
	}
}

// fromScan reads the background scan: the status, and the results with the keys result_0
// and so on.
func (h *SCSIHealth) fromScan(m map[string]json.RawMessage) {
	var status struct {
		Minutes *uint32 `json:"accumulated_power_on_minutes"`
		Time    *struct {
			Minutes *uint32 `json:"minutes"`
		} `json:"accumulated_power_on"`
	}
	if raw, ok := m["status"]; ok {
		if _, err := jsonfix.Unmarshal(raw, &status); err == nil {
			h.PowerOnMinutes = opt(status.Minutes)
		}
	}
	type code struct {
		Value *uint8 `json:"value"`
	}
	for i := range maxDefects {
		raw, ok := m[fmt.Sprintf("result_%d", i)]
		if !ok {
			if i == 0 { // older versions count from 1
				continue
			}
			return
		}
		var e struct {
			On struct {
				Minutes *uint32 `json:"minutes"`
			} `json:"accumulated_power_on"`
			LBA      json.RawMessage `json:"lba"`
			Key      code            `json:"sense_key"`
			ASC      *uint8          `json:"asc"`
			ASCQ     *uint8          `json:"ascq"`
			Reassign code            `json:"reassign_status"`
		}
		if _, err := jsonfix.Unmarshal(raw, &e); err != nil || e.Key.Value == nil || e.ASC == nil || e.ASCQ == nil {
			continue
		}
		r := ScanResult{Minutes: opt(e.On.Minutes), Key: *e.Key.Value, ASC: *e.ASC, ASCQ: *e.ASCQ,
			Reassign: opt(e.Reassign.Value)}
		if v, ok := anyNumber(bytes.Trim(e.LBA, "\"")); ok {
			r.LBA = Some(v)
		}
		h.addScan(r)
	}
}
