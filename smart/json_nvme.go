package smart

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"dougu.internal/smart/internal/scan"
)

// field reads a number of a JSON object: a bare number, a number in a string, or the
// companion KEY_s that smartctl adds to numbers of 2^53 and more. Null, negative
// and broken values are absent.
func field(m map[string]json.RawMessage, key string) (u Uint128, ok bool) {
	if v, there := m[key+"_s"]; there {
		if u, ok = parseUint128(bytes.Trim(v, `"`)); ok {
			return u, true
		}
	}
	return parseUint128(bytes.Trim(m[key], `"`))
}

func number128(m map[string]json.RawMessage, key string) Opt[Uint128] {
	u, ok := field(m, key)
	return Opt[Uint128]{u, ok}
}

func number64(m map[string]json.RawMessage, key string) Opt[uint64] {
	u, ok := field(m, key)
	v, fits := u.Uint64()
	return Opt[uint64]{v, ok && fits}
}

func numberOf[T uint8 | uint16 | uint32](m map[string]json.RawMessage, key string) Opt[T] {
	v := number64(m, key)
	return Opt[T]{T(v.V), v.OK && v.V == uint64(T(v.V))}
}

// signed32 reads a number that tools print signed although it is not.
func signed32(m map[string]json.RawMessage, key string) Opt[uint32] {
	if v := numberOf[uint32](m, key); v.OK {
		return v
	}
	var n int32
	if raw, ok := m[key]; ok && json.Unmarshal(raw, &n) == nil {
		return Some(uint32(n))
	}
	return Opt[uint32]{}
}

func signed16(b []byte) (o Opt[int16]) {
	var v *int16
	if len(b) > 0 && json.Unmarshal(b, &v) == nil && v != nil {
		o = Some(*v)
	}
	return o
}

// fromJSON reads the health log of smartctl, or of nvme-cli, which counts in kelvins
// and has other names for some keys.
func (n *NVMeHealth) fromJSON(m map[string]json.RawMessage, cli bool) {
	n.CriticalWarning = numberOf[uint8](m, "critical_warning")
	n.UnitsRead, n.UnitsWritten = number128(m, "data_units_read"), number128(m, "data_units_written")
	n.BusyMinutes = number128(m, "controller_busy_time")
	n.PowerCycles, n.PowerOnHours = number128(m, "power_cycles"), number128(m, "power_on_hours")
	n.UnsafeShutdowns, n.MediaErrors = number128(m, "unsafe_shutdowns"), number128(m, "media_errors")
	n.ErrorLogCount = number128(m, "num_err_log_entries")
	n.WarningMinutes, n.CriticalMinutes = signed32(m, "warning_temp_time"), signed32(m, "critical_comp_time")
	if cli {
		n.cliFields(m)
		return
	}
	n.Temperature = signed16(m["temperature"])
	n.Spare, n.SpareThreshold = numberOf[uint8](m, "available_spare"), numberOf[uint8](m, "available_spare_threshold")
	n.Used = numberOf[uint8](m, "percentage_used")
	n.EnduranceWarning = numberOf[uint8](m, "endurance_group_critical_warning_summary")
	n.HostReads, n.HostWrites = number128(m, "host_reads"), number128(m, "host_writes")
	for k, key := range []string{"thermal_mgmt_temperature_1_trans_count", "thermal_mgmt_temperature_2_trans_count"} {
		n.ThermalTransitions[k] = numberOf[uint32](m, key)
	}
	for k, key := range []string{"thermal_mgmt_temperature_1_total_time", "thermal_mgmt_temperature_2_total_time"} {
		n.ThermalSeconds[k] = numberOf[uint32](m, key)
	}
	var sensors []json.RawMessage
	if json.Unmarshal(m["temperature_sensors"], &sensors) == nil {
		for i := range min(len(sensors), len(n.Sensors)) {
			n.Sensors[i] = signed16(sensors[i])
		}
	}
}

// cliFields reads what nvme-cli names or counts in its own way.
func (n *NVMeHealth) cliFields(m map[string]json.RawMessage) {
	n.Temperature = celsius(numberOf[uint16](m, "temperature").V)
	n.Spare, n.SpareThreshold = numberOf[uint8](m, "avail_spare"), numberOf[uint8](m, "spare_thresh")
	n.Used = numberOf[uint8](m, "percent_used")
	n.EnduranceWarning = numberOf[uint8](m, "endurance_grp_critical_warning_summary")
	n.HostReads, n.HostWrites = number128(m, "host_read_commands"), number128(m, "host_write_commands")
	for i := range n.Sensors {
		n.Sensors[i] = celsius(numberOf[uint16](m, fmt.Sprintf("temperature_sensor_%d", i+1)).V)
	}
	for k := range 2 {
		n.ThermalTransitions[k] = signed32(m, fmt.Sprintf("thm_temp%d_trans_count", k+1))
		n.ThermalSeconds[k] = signed32(m, fmt.Sprintf("thm_temp%d_total_time", k+1))
	}
}

func (s *Snapshot) fromNVMeCLI(b []byte) error {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return jsonError(b, err)
	}
	s.Source.Format, s.Source.Tool, s.Device.Protocol = FormatNVMe, "nvme", "NVMe"
	s.NVMe = &NVMeHealth{}
	s.NVMe.fromJSON(m, true)
	return nil
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
		log.Entries = append(log.Entries, ErrorEntry{Number: e.Count, NVMeStatus: opt(e.Status.Value), LBA: opt(e.LBA.Value), Text: e.Status.String})
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
			Num: i + 1, Kind: firstOf(e.SelfCode.String, e.Code.String), Result: firstOf(e.SelfResult.String, e.Result.String),
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
	Scan *struct {
		Status struct {
			Minutes *uint32 `json:"accumulated_power_on_minutes"`
		} `json:"status"`
	} `json:"scsi_background_scan"`
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
	if err := json.Unmarshal(b, &rare); err != nil {
		s.warn(Warning{Path: "scsi", Msg: errs.Trim(err)})
	}
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
			SpecifiedCycles: opt(t.SpecStart), Cycles: opt(t.Start), SpecifiedLoads: opt(t.SpecLoad), Loads: opt(t.Load),
		}
	}
	if rare.Scan != nil {
		h.PowerOnMinutes = opt(rare.Scan.Status.Minutes)
	}
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
			Num: i + 1, Kind: e.Code.String, Result: e.Result.String, Hours: opt(e.PowerOn.Hours), LBA: opt(e.LBA.Value),
		})
	}
}
