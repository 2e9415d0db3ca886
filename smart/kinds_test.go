package smart_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/smart"
)

func parsed(t *testing.T, text string) *smart.Snapshot {
	t.Helper()
	list, err := smart.ParseBytes([]byte(text), nil)
	require.NoError(t, err, text)
	require.Len(t, list, 1, text)
	return list[0]
}

// TestWrongTypesInDocumentsAreAbsent: no value of a wrong type becomes 0 or false.
func TestWrongTypesInDocumentsAreAbsent(t *testing.T) {
	doc := func(body string) string { return `{"smartctl":{"exit_status":0},"serial_number":"S",` + body + `}` }
	for _, row := range []struct {
		name, body string
		absent     func(s *smart.Snapshot) bool
	}{
		{"health", `"smart_status":{"passed":"perhaps"}`, func(s *smart.Snapshot) bool { return s.Health.Status == smart.Unknown }},
		{"temperature", `"temperature":{"current":"warm"}`, func(s *smart.Snapshot) bool { return !s.Temp.Current.OK }},
		{"temperature out of range", `"temperature":{"current":40000}`, func(s *smart.Snapshot) bool { return !s.Temp.Current.OK }},
		{"hours", `"power_on_time":{"hours":-5}`, func(s *smart.Snapshot) bool { return !s.PowerOn.OK }},
		{"hours of 400 years", `"power_on_time":{"hours":3504000}`, func(s *smart.Snapshot) bool { return !s.PowerOn.OK }},
		{"cycles", `"power_cycle_count":-1`, func(s *smart.Snapshot) bool { return !s.PowerCycles.OK }},
		{"capacity", `"user_capacity":{"bytes":"much"}`, func(s *smart.Snapshot) bool { return !s.Identity.Capacity.OK }},
		{"rotation", `"rotation_rate":{}`, func(s *smart.Snapshot) bool { return !s.Identity.Rotation.OK }},
		{"value", `"ata_smart_attributes":{"table":[{"id":5,"name":"R","value":"x","thresh":36,"raw":{"value":1}}]}`, func(s *smart.Snapshot) bool {
			return s.Attributes[0].Has&smart.HasValue == 0 && s.Attributes[0].State != smart.FailingNow
		}},
		{"raw", `"ata_smart_attributes":{"table":[{"id":197,"name":"C","value":100,"raw":{"value":-1,"string":"-1"}}]}`, func(s *smart.Snapshot) bool {
			return s.Attributes[0].Raw.Known != smart.KnownAll
		}},
		{"id", `"ata_smart_attributes":{"table":[{"id":"five","name":"C"}]}`, func(s *smart.Snapshot) bool { return len(s.Attributes) == 0 }},
		{"statistics", `"ata_device_statistics":{"pages":[{"number":7,"table":[{"offset":8,"value":"x"}]}]}`, func(s *smart.Snapshot) bool {
			return !s.Endurance.Used.OK
		}},
		{"error count", `"ata_smart_error_log":{"summary":{"count":1.5}}`, func(s *smart.Snapshot) bool { return !s.Errors.Count.OK }},
		{"NVMe used", `"nvme_smart_health_information_log":{"percentage_used":"?","media_errors":-1,"critical_warning":[]}`, func(s *smart.Snapshot) bool {
			return !s.NVMe.Used.OK && !s.NVMe.MediaErrors.OK && !s.NVMe.CriticalWarning.OK && s.Health.Status == smart.Unknown
		}},
		{"NVMe temperature", `"nvme_smart_health_information_log":{"temperature":40000}`, func(s *smart.Snapshot) bool { return !s.Temp.Current.OK }},
		{"SCSI", `"scsi_model_name":"M","scsi_grown_defect_list":"many","scsi_error_counter_log":{"read":{"total_uncorrected_errors":-7}}`, func(s *smart.Snapshot) bool {
			return !s.SCSI.GrownDefects.OK && !s.SCSI.Read.Uncorrected.OK
		}},
		{"exit status", `"smartctl":{"exit_status":"zero"}`, func(s *smart.Snapshot) bool { return !s.Exit.OK }},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := parsed(t, doc(row.body))
			require.True(t, row.absent(s), "%+v", s)
			require.NotEmpty(t, s.Warnings, "the value is named")
		})
	}
	s := parsed(t, doc(`"smart_status":{"passed":"false"},"power_on_time":{"hours":"12000"},"temperature":{"current":31.0},"power_cycle_count":"17.000000"`))
	require.Equal(t, smart.Failed, s.Health.Status)
	require.Equal(t, smart.Some(12000*time.Hour), s.PowerOn)
	require.EqualValues(t, 31, s.Temp.Current.C)
	require.Equal(t, smart.Some[uint64](17), s.PowerCycles)
}

// TestNVMeCLIText: the spellings of the temperature by version of nvme-cli.
func TestNVMeCLIText(t *testing.T) {
	for _, row := range []struct {
		spelling string
		want     int16
	}{
		{"34 C", 34}, {"34 C (307 Kelvin)", 34}, {"34°C (307 Kelvin)", 34}, {"34 °C (307 K)", 34}, {"93 °F (307 K)", 34}, {"34 °C (307 K, 93 °F)", 34}, {"-3 C",
			-3}, {"93 F", 33},
	} {
		text := "Smart Log for NVME device:nvme0 namespace-id:ffffffff\ncritical_warning                    : 0x4\ntemperature                         : " +
			row.spelling +
			"\navailable_spare                     : 4%\navailable_spare_threshold           : 10%\npercentage_used                     : 104%\n" +
			"data_units_read                     : 14,203,441\npower_on_hours                      : 31.209\nmedia_errors                        : 12\nTemperature " +
			"Sensor 2                : " + row.spelling + "\n"
		s := parsed(t, text)
		require.Equal(t, smart.TempValue{C: row.want, OK: true, From: smart.FromNVMe}, s.Temp.Current, row.spelling)
		require.Equal(t, smart.Some(row.want), s.NVMe.Sensors[1], row.spelling)
		require.Equal(t, smart.Failed, s.Health.Status)
		require.Equal(t, smart.Some[uint8](4), s.NVMe.CriticalWarning)
		require.Equal(t, smart.Some[uint8](4), s.NVMe.Spare)
		require.Equal(t, smart.Some[uint16](104), s.Endurance.Used)
		require.Equal(t, smart.Some(smart.Uint128{Lo: 14203441}), s.NVMe.UnitsRead)
		require.Equal(t, smart.Some(31209*time.Hour), s.PowerOn)
		require.Equal(t, "/dev/nvme0", s.Device.Node)
		require.Empty(t, s.Warnings)
	}
	for _, odd := range []string{"warm", "40000 C", "34"} {
		s := parsed(t, "Smart Log for NVME device:nvme0 namespace-id:ffffffff\ncritical_warning : 0\ntemperature : "+odd+"\n")
		require.False(t, s.Temp.Current.OK, odd)
		require.NotEmpty(t, s.Warnings)
	}
	bits := parsed(t, "Smart Log for NVME device:nvme0 namespace-id:ffffffff\n      Read-only[3]                   : 1\n      Available Spare[0]             : 0\n")
	require.Equal(t, smart.Some[uint8](8), bits.NVMe.CriticalWarning)
}

// TestNVMeCLIForms: the object of -H, with all numbers as fractions, and as strings.
func TestNVMeCLIForms(t *testing.T) {
	for _, warning := range []string{
		`4`, `"4"`, `4.0`, `{"value":4,"available_spare":0,"reliability_degraded":1}`, `{"value":"4"}`,
		`{"available_spare":0,"temp_threshold":false,"reliability_degraded":true}`,
	} {
		for _, form := range []string{`%d`, `%d.0`, `"%d"`} {
			n := func(v int) string { return fmt.Sprintf(form, v) }
			s := parsed(t, `{"critical_warning":`+warning+`,"temperature":`+n(311)+`,"avail_spare":`+n(100)+`,"spare_thresh":`+n(10)+`,"percent_used":`+n(3)+
				`,"Data Units Read":`+n(7)+`,"power_on_hours":`+n(31209)+`,"media_errors":`+n(0)+`,"temperature_sensor_1":`+n(312)+`}`)
			require.Equal(t, smart.Failed, s.Health.Status, "%s %s", warning, form)
			require.Equal(t, smart.Some[uint8](4), s.NVMe.CriticalWarning, "%s %s", warning, form)
			require.EqualValues(t, 38, s.Temp.Current.C)
			require.Equal(t, smart.Some[uint8](3), s.NVMe.Used)
			require.Equal(t, smart.Some(smart.Uint128{Lo: 7}), s.NVMe.UnitsRead)
			require.Equal(t, smart.Some(smart.Uint128{}), s.NVMe.MediaErrors)
			require.Equal(t, smart.Some[int16](39), s.NVMe.Sensors[0])
			require.Empty(t, s.Warnings)
		}
	}
}

// TestTextOfNVMeCLIAgreesWithItsJSON compares the two outputs of one program.
func TestTextOfNVMeCLIAgreesWithItsJSON(t *testing.T) {
	cli := nvmeCLI.Need(t)
	lib := fakeDevice(t)
	g := gen{oracle.Rand(t)}
	dir := t.TempDir()
	node := writeFile(t, dir, "node", []byte{0})
	n := oracle.N(30, 500)
	for i := range n {
		log := g.nvmeLog()
		var b bytes.Buffer
		record(&b, "nlog 02", log)
		pages := writeFile(t, dir, "cli", b.Bytes())
		ask := func(args ...string) *smart.Snapshot {
			r := oracle.Run(t, oracle.Cmd{Path: cli.Path, Dir: dir, Args: append([]string{"smart-log", node}, args...),
				Env: []string{"FAKEDEV=" + pages, "LD_PRELOAD=" + lib}})
			require.Zero(t, r.ExitCode, "%s", r.Stderr)
			list, err := smart.ParseBytes(r.Stdout, nil)
			require.NoError(t, err, "%s", r.Stdout)
			return list[0]
		}
		want := ask("-o", "json")
		for _, got := range []*smart.Snapshot{ask(), ask("-H"), ask("-H", "-o", "json")} {
			require.Equal(t, want.Temp, got.Temp, "case %d", i)
			require.Equal(t, want.Health, got.Health, "case %d", i)
			require.Equal(t, want.NVMe, got.NVMe, "case %d", i)
		}
	}
	oracle.Compared(t, cli, n)
}

// TestNoiseAroundDocuments: text before, after and between documents, quoting, and heads of
// log lines.
func TestNoiseAroundDocuments(t *testing.T) {
	const doc = `{"smartctl":{"exit_status":8},"serial_number":"X","smart_status":{"passed":false}}`
	for _, text := range []string{
		"sudo: unable to resolve host web1\n" + doc,
		doc + "\nConnection to web1 closed.\n",
		"note: {not json} and {\"a\":1}\n" + doc + "\n{ }\n",
		"web1 | SUCCESS | rc=0 >>\n" + doc,
		`web1 | SUCCESS => {"changed": false, "result": ` + doc + "}",
		"> " + doc,
		">> " + strings.ReplaceAll(doc, ",", ",\n>> "),
		"Mar  3 04:12:09 web1 check[12]: " + strings.ReplaceAll(doc, ",", ",\nMar  3 04:12:09 web1 check[12]: "),
		"\xef\xbb\xbf[" + doc + "]",
	} {
		list, err := smart.ParseBytes([]byte(text), nil)
		require.NoError(t, err, text)
		require.Len(t, list, 1, text)
		require.Equal(t, smart.Failed, list[0].Health.Status, text)
	}
	list, err := smart.ParseBytes([]byte(doc+"\n--\n"+doc[:40]), nil)
	require.ErrorContains(t, err, "cut", "a document that is cut is not noise")
	require.Len(t, list, 1)
	_, err = smart.ParseBytes([]byte(strings.Repeat(`{"a":`, 100_000)), nil)
	require.Error(t, err)
	_, err = smart.ParseBytes([]byte("x\n"+strings.Repeat("{\"a\": \n", 50_000)), nil)
	require.Error(t, err)
	s := parsed(t, "> SMART overall-health self-assessment test result: FAILED!\n> Drive failure expected in less than 24 hours. SAVE ALL DATA.\n")
	require.Equal(t, smart.Failed, s.Health.Status)
}

// TestTemperaturesThatCannotBeTrue: each is left out, and another source is used.
func TestTemperaturesThatCannotBeTrue(t *testing.T) {
	doc := func(stats, attr, summary string) string {
		return `{"smartctl":{"exit_status":0},"serial_number":"S","temperature":` + summary +
			`,"ata_smart_attributes":{"table":[{"id":194,"name":"Temperature_Celsius","value":65,"worst":48,"raw":` +
			attr + `}]},"ata_device_statistics":{"pages":[{"number":5,"table":[` + stats + `]}]}}`
	}
	attr := `{"value":3435790467107,"string":"35 (Min/Max 20/52)"}`
	for _, row := range []struct {
		name, doc string
		want      smart.TempValue
	}{
		{"outside of any range", doc(`{"offset":8,"value":-93},{"offset":32,"value":52},{"offset":40,"value":20}`, attr, `{"current":-93}`),
			smart.TempValue{C: 35, OK: true, From: smart.FromAttribute}},
		{"below its own lowest", doc(`{"offset":8,"value":12},{"offset":32,"value":52},{"offset":40,"value":20}`, attr, `{"current":12}`),
			smart.TempValue{C: 35, OK: true, From: smart.FromAttribute}},
		{"above its own highest", doc(`{"offset":8,"value":90},{"offset":32,"value":52},{"offset":40,"value":20}`, attr, `{"current":90}`),
			smart.TempValue{C: 35, OK: true, From: smart.FromAttribute}},
		{"0 and another source", doc(`{"offset":8,"value":0}`, attr, `{"current":0}`), smart.TempValue{C: 35, OK: true, From: smart.FromAttribute}},
		{"-128", doc(`{"offset":8,"value":-128}`, attr, `{"current":-128}`), smart.TempValue{C: 35, OK: true, From: smart.FromAttribute}},
		{"no sensor", doc(`{"offset":8,"value":0},{"offset":32,"value":0},{"offset":40,"value":0}`, `{"value":0,"string":"0"}`,
			`{"current":0,"lifetime_min":0,"lifetime_max":0}`), smart.TempValue{}},
		{"cold and true", doc(`{"offset":8,"value":3},{"offset":32,"value":40},{"offset":40,"value":1}`, `{"value":3,"string":"3"}`, `{"current":3}`),
			smart.TempValue{C: 3, OK: true, From: smart.FromStats}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := parsed(t, row.doc)
			require.Equal(t, row.want, s.Temp.Current)
			require.Equal(t, row.name == "cold and true" || row.name == "-128", len(s.Warnings) == 0, "%v", s.Warnings)
		})
	}
}

// TestWearIsOneFact: sources, names and directions.
func TestWearIsOneFact(t *testing.T) {
	row := func(id int, name string, value, worst int, raw string) string {
		return fmt.Sprintf("%3d %-23s 0x0032   %03d   %03d   000    Old_age   Always       -       %s\n", id, name, value, worst, raw)
	}
	for _, r := range []struct {
		line   string
		used   uint16
		ok     bool
		rising bool
	}{
		{row(233, "Media_Wearout_Indicator", 1, 1, "0"), 99, true, false},
		{row(233, "Media_Wearout_Indicator", 43, 43, "0"), 57, true, false},
		{row(230, "Media_Wearout_Indicator", 1, 1, "0x002500130025"), 1, true, true},
		{row(177, "Wear_Leveling_Count", 93, 93, "121"), 7, true, false},
		{row(173, "Wear_Leveling_Count", 60, 60, "900"), 40, true, false},
		{row(231, "SSD_Life_Left", 10, 10, "10"), 90, true, false},
		{row(169, "Remaining_Lifetime_Perc", 97, 97, "97"), 3, true, false},
		{row(202, "Percent_Lifetime_Remain", 95, 95, "5"), 5, true, false},
		{row(202, "Percent_Lifetime_Used", 95, 95, "5"), 5, true, false},
		{row(173, "Percent_Life_Used", 7, 7, "7"), 7, true, true},
		{row(202, "Percent_Lifetime_Used", 100, 100, "70"), 0, false, false},
		{row(233, "NAND_GiB_Written_TLC", 1, 1, "8812"), 0, false, false},
		{row(233, "SandForce_Internal", 0, 0, "1212"), 0, false, false},
		{row(231, "Temperature_Celsius", 3, 3, "31"), 0, false, false},
		{row(177, "Wear_Range_Delta", 1, 1, "3"), 0, false, false},
		{row(169, "Bad_Block_Count", 1, 1, "3"), 0, false, false},
		{row(233, "Media_Wearout_Indicator", 0, 100, "0"), 0, false, false},
	} {
		s := parsed(t, "=== START OF INFORMATION SECTION ===\nSerial Number: S\nRotation Rate:    Solid State Device\n"+r.line)
		require.Equal(t, r.ok, s.Endurance.Used.OK, r.line)
		if r.ok {
			require.Equal(t, r.used, s.Endurance.Used.V, r.line)
			require.Equal(t, smart.EnduranceAttribute, s.Endurance.From)
			require.Equal(t, r.rising, s.Endurance.Rising, r.line)
		}
	}
	s := parsed(t, "=== START OF INFORMATION SECTION ===\nSerial Number: S\nRotation Rate:    7200 rpm\n"+row(177, "Wear_Leveling_Count", 1, 1, "0"))
	require.False(t, s.Endurance.Used.OK, "a rotating disk does not wear that way")
	s = parsed(t,
		`{"smartctl":{"exit_status":0},"serial_number":"S","rotation_rate":0,"endurance_used":{"current_percent":101},"spare_available":{"current_percent":8,"threshold_percent":10}}`)
	require.Equal(t, smart.Endurance{Used: smart.Some[uint16](101), From: smart.EnduranceTool, Spare: smart.Some[uint8](8), SpareThreshold: smart.Some[uint8](10)},
		s.Endurance)
	s = parsed(t, `{"smartctl":{"exit_status":0},"serial_number":"S","rotation_rate":7200,"spare_available":{"current_percent":2,"threshold_percent":5}}`)
	require.False(t, s.Endurance.Spare.OK, "smartctl prints the value of attribute 5 for rotating disks")
	s = parsed(t,
		`{"smartctl":{"exit_status":0},"serial_number":"S","rotation_rate":0,"endurance_used":{"current_percent":7},"ata_device_statistics":{"pages":[{"number":7,"table":[{"offset":8,"size":1,"value":131}]}]}}`)
	require.Equal(t, smart.Endurance{Used: smart.Some[uint16](131), From: smart.EnduranceStatistics}, s.Endurance, "page 7 is the best source")
}

// TestLinesOfManyVersions: good signs are not warnings, and their negative forms are
// evidence.
func TestLinesOfManyVersions(t *testing.T) {
	const head = "smartctl version 5.38 [x86_64] Copyright (C) 2002-8 Bruce Allen\n\nDevice: SEAGATE  ST373455SS       Version: 0004\nSerial number: 3LQ0\n"
	for _, line := range []string{
		"Device supports SMART and is Enabled", "Temperature Warning Enabled", "Temperature Warning Disabled or Not Supported", "Temperature Warning:  Enabled",
		"The above only provides legacy SMART information - try 'smartctl -x' for more", "Selective Self-tests/Logging not supported",
	} {
		s := parsed(t, head+line+"\n")
		require.Empty(t, s.Warnings, line)
		require.Empty(t, s.Messages, line)
	}
	s := parsed(t, head+"Device supports SMART and is Disabled\n")
	require.Equal(t, smart.Some(false), s.Identity.SMARTEnabled)
	s = parsed(t, head+"Power mode was:   STANDBY\n")
	require.Equal(t, "STANDBY", s.PowerMode)
}

// TestLogsOfDefects: pending defects, background scan and FARM in text and JSON.
func TestLogsOfDefects(t *testing.T) {
	s := parsed(t,
		"=== START OF INFORMATION SECTION ===\nSerial Number: S\n\nPending Defects log (GP Log 0x0c)\nIndex                LBA    Hours\n    0          123456789   "+
			" 17001\n    1          123456790    17002\n\n"+
			"Seagate Field Access Reliability Metrics log (FARM) (GP Log 0xa6)\n\tFARM Log Page 1: Drive Information\n\t\tSerial Number: OTHER\n\t\tPower on Hours: "+
			"20111\n\t\tSpindle Power on Hours: 20112\n\t\tHead Flight Hours: 19000\n\t\tHead Load Events: 812\n")
	require.Equal(t, smart.Some[uint64](2), s.Pending.Count)
	require.Equal(t, smart.PendingDefect{LBA: smart.Some[uint64](123456790), Hours: smart.Some[uint64](17002)}, s.Pending.Entries[1])
	require.Equal(t, &smart.FARM{PowerOnHours: smart.Some[uint64](20111), SpindleHours: smart.Some[uint64](20112), FlightHours: smart.Some[uint64](19000),
		HeadLoads: smart.Some[uint64](812)}, s.FARM)
	require.Equal(t, "S", s.Identity.Serial)
	require.Empty(t, s.Warnings)
	j := parsed(t,
		`{"smartctl":{"exit_status":0},"serial_number":"S","ata_pending_defects_log":{"size":255,"count":2,"table":[{"lba":123456789,"power_on_hours":17001},{"lba":123456790,"power_on_hours":17002}]},`+
			`"seagate_farm_log":{"page_1_drive_information":{"poh":20111,"spoh":20112,"head_flight_hours":19000,"head_load_events":812}}}`)
	require.Equal(t, s.Pending, j.Pending)
	require.Equal(t, s.FARM, j.FARM)

	text := parsed(t,
		"Vendor:               M\nSerial number:        S\n\nBackground scan results log\n  Status: scan is active\n    Accumulated power on time, hours:minutes "+
			"52011:07 [3120667 minutes]\n"+
			"    Number of background scans performed: 331,  scan progress: 41.01%\n\n   #  when        lba(hex)    [sk,asc,ascq]    reassign_status\n"+
			"   1 45671:50  0000000005370c19  [1,17,1]   Recovered via rewrite in-place\n   2 52010:58  0000000071ee4600  [3,11,0]   Require Write or Reassign "+
			"Blocks command\n")
	require.Equal(t, []smart.ScanResult{
		{Minutes: smart.Some[uint32](45671*60 + 50), LBA: smart.Some[uint64](0x5370c19), Key: 1, ASC: 0x17, ASCQ: 1, Reassign: smart.Some[uint8](5)},
		{Minutes: smart.Some[uint32](52010*60 + 58), LBA: smart.Some[uint64](0x71ee4600), Key: 3, ASC: 0x11, Reassign: smart.Some[uint8](1)},
	}, text.SCSI.Scan)
	require.Equal(t, smart.Some[uint32](3120667), text.SCSI.PowerOnMinutes)
	require.Empty(t, text.Warnings)
	h := &smart.SCSIHealth{}
	scan := scsiParam(1, 3, []byte{0, 0x2f, 0x9c, 0xb2, 0x13, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x71, 0xee, 0x46, 0})
	require.NoError(t, smart.DecodeSCSI(h, scsiPage(0x15, 0, scan)))
	require.Equal(t, []smart.ScanResult{{Minutes: smart.Some[uint32](0x2f9cb2), LBA: smart.Some[uint64](0x71ee4600), Key: 3, ASC: 0x11,
		Reassign: smart.Some[uint8](1)}}, h.Scan)
}

// TestMessagesOfSmartd: the sentences of design and sources of smartd.
func TestMessagesOfSmartd(t *testing.T) {
	at := func(device, text string) string {
		return "Mar  3 04:12:09 host1 smartd[811]: Device: " + device + ", " + text + "\n"
	}
	list, err := smart.ParseBytes([]byte("Mar  3 04:12:00 host1 sshd[1]: Accepted publickey for root\n"+
		at("/dev/sda [SAT]", "WDC WD40EFRX-68N32N0, S/N:WD-X1, WWN:5-0014ee-2b0c0a0c0, FW:82.00A82, 4.00 TB")+
		at("/dev/sda [SAT]", "8 Currently unreadable (pending) sectors")+at("/dev/sda [SAT]", "16 Currently unreadable (pending) sectors (changed +8)")+
		at("/dev/sda [SAT]", "Failed SMART usage Attribute: 5 Reallocated_Sector_Ct.")+at("/dev/sda [SAT]",
		"SMART Usage Attribute: 194 Temperature_Celsius changed from 119 to 118")+
		at("/dev/sdb [SAT]", "3 Offline uncorrectable sectors")+at("/dev/sdb [SAT]", "No more Offline uncorrectable sectors, warning condition reset after 2 emails")+
		at("/dev/sdb [SAT]", "Temperature changed +2 Celsius to 41 Celsius (Min/Max 21/44)")+at("/dev/sdb [SAT]", "ATA error count increased from 0 to 7")+
		at("/dev/nvme0", "Critical Warning (0x04): Reliability")+at("/dev/sdc [megaraid_disk_04] [SAT]", "Self-Test Log error count increased from 0 to 1")), nil)
	require.NoError(t, err)
	require.Len(t, list, 4)
	a, b, n, c := list[0], list[1], list[2], list[3]
	require.Equal(t, smart.FormatSyslog, a.Source.Format)
	require.Equal(t, "/dev/sda", a.Device.Node)
	require.Equal(t, "WD-X1", a.Identity.Serial)
	require.Equal(t, "50014ee2b0c0a0c0", a.Identity.WWN)
	pending, ok := a.Attribute(197).Raw.Uint48()
	require.True(t, ok)
	require.EqualValues(t, 16, pending, "the newest count")
	require.Equal(t, smart.FailingNow, a.Attribute(5).State)
	cleared, ok := b.Attribute(198).Raw.Uint48()
	require.True(t, ok)
	require.Zero(t, cleared)
	require.Equal(t, smart.TempValue{C: 41, OK: true, From: smart.FromTool}, b.Temp.Current)
	require.EqualValues(t, 21, b.Temp.LifetimeMin.C)
	require.Equal(t, smart.Some[uint64](7), b.Errors.Count)
	require.Equal(t, smart.Failed, n.Health.Status)
	require.Equal(t, smart.Some[uint64](1), c.SelfTestErrors)
	require.Equal(t, smart.Some(4), c.Device.Port)
	_, err = smart.ParseSyslog([]byte(at("/dev/sda", "opened") + "nothing\n"))
	require.ErrorIs(t, err, smart.ErrNoData)
	list, err = smart.ParseSyslog([]byte("2026-03-03T04:12:09+01:00 h smartd[1]: Device: /dev/sda, 1 Currently unreadable (pending) sectors\n"))
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 3, 3, 3, 12, 9, 0, time.UTC), list[0].Taken)
}

// TestAttributeLogOfSmartd lets the real smartd write an attribute log.
func TestAttributeLogOfSmartd(t *testing.T) {
	daemon := oracle.Tool{Name: "smartd", Package: "smartmontools", Probe: []string{"-V"}, Version: smartdVersion}.Need(t)
	lib := fakeDevice(t)
	g := gen{oracle.Rand(t)}
	for i := range oracle.N(4, 40) {
		d := g.drive()
		d.failing, d.db = false, ""
		dir := t.TempDir()
		pages := writeFile(t, dir, "pages", d.pages())
		conf := writeFile(t, dir, "conf", []byte(pages+" -a -d sat\n"))
		r := oracle.Run(t, oracle.Cmd{Path: daemon.Path, Dir: dir, Args: []string{"-q", "onecheck", "-A", dir + "/attrlog.", "-c", conf},
			Env: []string{"FAKEDEV=" + pages, "LD_PRELOAD=" + lib}})
		b, name := onlyFile(t, dir, "attrlog.*.csv", r)
		list, err := smart.ParseBytes(b, nil)
		require.NoError(t, err, "%s", b)
		require.Len(t, list, 1)
		s := list[0]
		s.NameFromState(name)
		require.NotEmpty(t, s.Identity.Serial, name)
		require.Equal(t, smart.FormatAttrLog, s.Source.Format)
		require.False(t, s.Taken.IsZero())
		var raw smart.Snapshot
		require.NoError(t, smart.DecodeATA(&raw, smart.ATAPages{Values: d.values}, nil))
		require.Len(t, s.Attributes, len(raw.Attributes), "case %d: %s", i, b)
		for k := range raw.Attributes {
			x, y := &raw.Attributes[k], &s.Attributes[k]
			require.Equal(t, []any{x.ID, x.Value}, []any{y.ID, y.Value}, "case %d: %s", i, b)
		}
	}
}

// TestAttributeLogOfOtherDrives: named groups, and lines that are damaged.
func TestAttributeLogOfOtherDrives(t *testing.T) {
	list, err := smart.ParseBytes([]byte("2026-03-03 04:12:09;\tread-total-unc-errors;3;\twrite-total-err-corrected;12;\tnon-medium-errors;7;\ttemperature;31;\n"+
		"not a record\n2026-03-03 04:42:09;\tread-total-unc-errors;5;\t\n"), nil)
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, smart.Some[uint64](3), list[0].SCSI.Read.Uncorrected)
	require.Equal(t, smart.Some[uint64](7), list[0].SCSI.NonMedium)
	require.EqualValues(t, 31, list[0].Temp.Current.C)
	require.Equal(t, time.Date(2026, 3, 3, 4, 42, 9, 0, time.UTC), list[1].Taken)
	require.Len(t, list[1].Warnings, 1)
	list, err = smart.ParseBytes([]byte("2026-03-03 04:12:09;\tmedia-errors;3;\tpercentage-used;9;\n"), nil)
	require.NoError(t, err)
	require.Equal(t, smart.Some(smart.Uint128{Lo: 3}), list[0].NVMe.MediaErrors)
	require.Equal(t, smart.Some[uint16](9), list[0].Endurance.Used)
}

// TestDriveDatabaseIsBounded: counted repetitions are refused, and the others stay.
func TestDriveDatabaseIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{ "Good", "GOOD-[0-9]{4}", "", "", "-v 9,raw48,Hours" },` + "\n")
	for i := range 3000 {
		fmt.Fprintf(&b, "{ \"F%d\", \"(A|B|C|.*){1,900}X%d\", \"\", \"\", \"\" },\n", i, i)
	}
	b.WriteString(`{ "Last", "LAST", "", "", "" },` + "\n")
	db, err := smart.LoadDriveDB(strings.NewReader(b.String()))
	require.NoError(t, err)
	require.Less(t, len(db.Entries), 1000)
	require.Len(t, db.Warnings, 1)
	require.Contains(t, db.Warnings[0].String(), "entries are left out")
	m, ok := db.Lookup("GOOD-1234", "")
	require.True(t, ok)
	require.Equal(t, "Good", m.Entry.Family)
	_, ok = db.Lookup("nothing", "")
	require.False(t, ok)
}

func TestDriveKey(t *testing.T) {
	a := &smart.Snapshot{Identity: smart.Identity{Model: "M", Serial: "S", WWN: "5000C500A1"}}
	b := &smart.Snapshot{Identity: smart.Identity{Model: "M", Serial: "S"}}
	require.Equal(t, smart.DriveKey{WWN: "5000c500a1"}, a.Key())
	require.Equal(t, smart.DriveKey{Model: "M", Serial: "S"}, b.Key())
	require.Equal(t, smart.DriveKey{}, (&smart.Snapshot{Identity: smart.Identity{Model: "M"}}).Key())
	require.True(t, a.Key().Same(smart.DriveKey{}))
	require.False(t, b.Key().Same(smart.DriveKey{Model: "M", Serial: "T"}))
	require.Equal(t, "M S", b.Key().String())
	require.Equal(t, "wwn 5000c500a1", a.Key().String())
}
