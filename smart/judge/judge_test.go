package judge_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/diag"
	"dougu.internal/internal/oracle"
	"dougu.internal/smart"
	"dougu.internal/smart/judge"
)

const head = "smartctl 7.3 2022-02-28 r5338 [x86_64-linux]\n=== START OF INFORMATION SECTION ===\nDevice Model:     M\nSerial Number:    S\nUser Capacity:    " +
	"500,107,862,016 bytes [500 GB]\nRotation Rate:    7200 rpm\n" +
	"=== START OF READ SMART DATA SECTION ===\nSMART overall-health self-assessment test result: PASSED\n"

// row is a row of the attribute table with the value 100.
func row(id int, name, raw string) string {
	return fmt.Sprintf("%3d %-23s 0x0032   100   100   000    Old_age   Always       -       %s\n", id, name, raw)
}

func parse(t *testing.T, text string) *smart.Snapshot {
	t.Helper()
	s, err := smart.ParseText([]byte(text))
	require.NoError(t, err)
	return s
}

// rules returns the rules and severities of findings, without those of severity info
// unless all is set.
func rules(list smart.Findings, all bool) string {
	var out []string
	for _, f := range list {
		if all || f.Severity != smart.Info {
			out = append(out, f.Rule+":"+smart.SeverityName(f.Severity))
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// TestCountsAndCombinations: severities by count, by name, by medium and by other counts.
func TestCountsAndCombinations(t *testing.T) {
	hours := row(9, "Power_On_Hours", "20000")
	for _, r := range []struct{ name, table, want string }{
		{"healthy", row(5, "Reallocated_Sector_Ct", "0") + row(197, "Current_Pending_Sector", "0") + row(199, "UDMA_CRC_Error_Count", "0"), ""},
		{"one remapped sector is information", row(5, "Reallocated_Sector_Ct", "1"), ""},
		{"one pending sector is watched", row(197, "Current_Pending_Sector", "1"), "pending-sectors:watch"},
		{"another name of the same", row(197, "Current_Pending_ECC_Cnt", "1"), "pending-sectors:watch"},
		{"many pending sectors", row(197, "Current_Pending_Sector", "12904"), "pending-sectors:act"},
		{"many unreadable sectors", row(198, "Offline_Uncorrectable", "3120"), "offline-uncorrectable:act"},
		{"many remapped sectors", row(5, "Reallocated_Sector_Ct", "1992"), "reallocated-sectors:act"},
		{"two kinds of evidence", row(5, "Reallocated_Sector_Ct", "8") + row(197, "Current_Pending_Sector", "1"), "pending-sectors:act reallocated-sectors:act"},
		{"an error of an old drive", row(187, "Reported_Uncorrect", "1") + hours, "reported-uncorrectable:watch"},
		{"an error of a new drive", row(187, "Reported_Uncorrect", "1") + row(9, "Power_On_Hours", "900"), "reported-uncorrectable:act"},
		{"-1 is not a count", row(197, "Current_Pending_Sector", "4294967295") + row(198, "Offline_Uncorrectable", "281474976710655"), ""},
		{"composite values", row(197, "Current_Pending_Sector", "1684300900") + row(187, "Reported_Uncorrect", "196608"), ""},
		{"OCZ", row(198, "Read_Sectors_Tot_Ct", "5012233921") + row(199, "Write_Sectors_Tot_Ct", "90012233921") + row(184, "Initial_Bad_Block_Count", "41"), ""},
		{"other names", row(184, "Factory_Bad_Block_Count", "8") + row(187, "Total_Unc_NAND_Reads", "77") + row(197, "Not_In_Use", "5") +
			row(10, "Unknown_JMF_Attribute", "99") + row(5, "Runtime_Bad_Block", "9000"), ""},
		{"single timeouts", row(188, "Command_Timeout", "8590065672"), ""},
		{"timeouts of a failed cable", row(188, "Command_Timeout", "2406"), "command-timeouts:watch"},
		{"few CRC errors", row(199, "UDMA_CRC_Error_Count", "12"), ""},
		{"many CRC errors", row(199, "CRC_Error_Count", "3009877"), "interface-errors:watch"},
		{"spin retries", row(10, "Spin_Retry_Count", "37"), "spin-retries:watch"},
		{"end to end", row(184, "End-to-End_Error", "1"), "end-to-end-errors:watch"},
		{"load cycles are information", row(193, "Load_Cycle_Count", "1912344"), ""},
		{"helium of two words", row(22, "Helium_Level", "6553700"), ""},
		{"helium is lost", strings.Replace(row(22, "Helium_Level", "91"), "100   100   000", "091   091   025", 1), "helium:watch"},
	} {
		t.Run(r.name, func(t *testing.T) {
			require.Equal(t, r.want, rules(judge.Judge(parse(t, head+r.table), judge.Policy{}), false))
		})
	}
	flash := strings.Replace(head, "7200 rpm", "Solid State Device", 1)
	require.Equal(t, "", rules(judge.Judge(parse(t, flash+row(10, "Spin_Retry_Count", "37")), judge.Policy{}), false), "no spindle")
	require.Equal(t, "reallocated-sectors:watch", rules(judge.Judge(parse(t, flash+row(5, "Reallocated_Sector_Ct", "11")), judge.Policy{}), false))
}

// TestNothingKnown: identity alone, other logs alone, a table that is cut, and bits of the
// exit status.
func TestNothingKnown(t *testing.T) {
	info, _, _ := strings.Cut(head, "=== START OF READ")
	for _, r := range []struct{ name, text, want string }{
		{"identity", info, "nothing-known:watch"},
		{"identity and error log", info + "SMART Error Log Version: 1\nNo Errors Logged\n", "nothing-known:watch"},
		{"identity and self-tests",
			info + "SMART Self-test log structure revision number 1\nNum  Test_Description    Status                  Remaining  LifeTime(hours)  " +
				"LBA_of_first_error\n# 1  Short offline       Completed without error       00%      1         -\n", "nothing-known:watch"},
		{"table that is cut", info + "ID# ATTRIBUTE_NAME          FLAG     VALUE WORST THRESH TYPE      UPDATED  WHEN_FAILED RAW_VALUE\n" +
			row(1, "Raw_Read_Error_Rate", "0") + row(3, "Spin_Up_Time", "0"), "nothing-known:watch"},
		{"temperature alone", info + "Current Drive Temperature:     30 C\n", "nothing-known:watch"},
		{"asleep", "smartctl 7.3 2022-02-28 r5338 [x86_64-linux]\nDevice is in STANDBY mode, exit(2)\n", "not-read:watch"},
		{"a status is enough", head, ""},
		{"a selected line", row(194, "Temperature_Celsius", "20 (Lifetime Min/Max 0/16)"), ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			require.Equal(t, r.want, rules(judge.Judge(parse(t, r.text), judge.Policy{}), true))
		})
	}
	for _, r := range []struct {
		status int
		want   string
	}{
		{0, "nothing-known:watch"}, {2, "not-read:watch"}, {8, "health-failed:act"}, {16, "attribute-failing:act"}, {32, "attribute-past:watch"},
		{64, "errors-logged:info nothing-known:watch"}, {128, "self-test-failed:watch"}, {24, "attribute-failing:act health-failed:act"},
	} {
		s, err := smart.ParseJSON(fmt.Appendf(nil, `{"smartctl":{"exit_status":%d},"serial_number":"S"}`, r.status))
		require.NoError(t, err)
		require.Equal(t, r.want, rules(judge.Judge(s, judge.Policy{}), true), "status %d", r.status)
	}
	require.Equal(t, "nothing-known:watch", rules(judge.Judge(&smart.Snapshot{}, judge.Policy{}), true))
}

// TestContradictions: the graver of two replies is a finding.
func TestContradictions(t *testing.T) {
	s := parse(t, head+"SCT Status Version:                  3\nSMART Status:                        0x2cf4 (FAILED)\n")
	require.Equal(t, "health-contradiction:watch", rules(judge.Judge(s, judge.Policy{}), true))
	s, err := smart.ParseJSON([]byte(`{"smartctl":{"argv":["smartctl","-x","-j","/dev/sda"],"exit_status":0},"serial_number":"S","smart_status":{"passed":false},"ata_sct_status":{"smart_status":{"passed":false}}}`))
	require.NoError(t, err)
	require.Equal(t, "health-contradiction:watch", rules(judge.Judge(s, judge.Policy{}), true))
	stats := "Device Statistics (GP Log 0x04)\nPage  Offset Size        Value Flags Description\n0x04  0x008  4             %d  ---  Number of Reported " +
		"Uncorrectable Errors\n"
	require.Equal(t, "reported-uncorrectable:watch", rules(judge.Judge(parse(t, head+row(187, "Reported_Uncorrect", "0")+fmt.Sprintf(stats, 3)), judge.Policy{}), true),
		"the statistics count errors that the attribute does not")
	require.Equal(t, "", rules(judge.Judge(parse(t, head+row(187, "Reported_Uncorrect", "0")+fmt.Sprintf(stats, 0)), judge.Policy{}), true))
	guess := parse(t, head+"Warning: This result is based on an Attribute check.\n"+row(5, "Reallocated_Sector_Ct", "0"))
	require.Equal(t, "health-unknown:info", rules(judge.Judge(guess, judge.Policy{}), true))
	require.Equal(t, smart.Unknown, guess.Health.Status)
}

// TestSelfTestsByAge: outdated failures, and failures that are newer than the last good
// extended test.
func TestSelfTestsByAge(t *testing.T) {
	entry := func(n int, kind, status string, hours int) string {
		return fmt.Sprintf("#%2d  %-19s %-29s 60%%     %5d         -\n", n, kind, status, hours)
	}
	log := func(now int, entries ...string) *smart.Snapshot {
		return parse(t, head+row(9, "Power_On_Hours", fmt.Sprint(now))+"SMART Self-test log structure revision number 1\n"+strings.Join(entries, ""))
	}
	const good, bad = "Completed without error", "Completed: read failure"
	for _, r := range []struct {
		name string
		s    *smart.Snapshot
		want string
	}{
		{"outdated", log(32000, entry(1, "Extended offline", good, 31900), entry(2, "Short offline", bad, 9012), entry(3, "Extended offline", bad, 9011)),
			"self-test-failed:info"},
		{"outdated by a captive test", log(32000, entry(1, "Extended captive", good, 31900), entry(2, "Extended offline", bad, 31890)), "self-test-failed:info"},
		{"a short test clears nothing", log(32000, entry(1, "Short offline", good, 31990), entry(2, "Extended offline", bad, 31900)), "self-test-failed:act"},
		{"newer than the good one", log(32000, entry(1, "Short offline", bad, 31990), entry(2, "Extended offline", good, 31900)), "self-test-failed:act"},
		{"an aborted test clears nothing", log(32000, entry(1, "Extended offline", "Aborted by host", 31990), entry(2, "Conveyance offline", bad, 31900)),
			"self-test-failed:act"},
		{"half a year ago", log(32000, entry(1, "Short offline", bad, 27000)), "self-test-failed:watch"},
		{"years ago", log(62000, entry(1, "Short offline", bad, 9000)), "self-test-failed:info"},
		{"the counter of 16 bits passed its maximum", log(70000, entry(1, "Short offline", bad, 4400)), "self-test-failed:act"},
		{"all good", log(32000, entry(1, "Extended offline", good, 31900)), ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			require.Equal(t, r.want, rules(judge.Judge(r.s, judge.Policy{}), true))
		})
	}
}

// TestErrorLogByAge: an uncorrectable error an hour ago, others, and old ones.
func TestErrorLogByAge(t *testing.T) {
	log := func(now, at int, kind string) *smart.Snapshot {
		return parse(t, head+row(9, "Power_On_Hours",
			fmt.Sprint(now))+fmt.Sprintf("SMART Error Log Version: 1\nATA Error Count: 5021 (device log contains only the most recent five errors)\n\nError 5021 "+
			"occurred at disk power-on lifetime: %d hours (0 days + 0 hours)\n"+
			"  After command completion occurred, registers were:\n  ER ST SC SN CL CH DH\n  -- -- -- -- -- -- --\n  40 51 00 01 02 03 04  Error: %s at LBA = "+
			"0x04030201 = 67305985\n", at, kind))
	}
	require.Equal(t, "errors-logged:watch", rules(judge.Judge(log(17455, 17454, "UNC"), judge.Policy{}), true))
	require.Equal(t, "errors-logged:info", rules(judge.Judge(log(27455, 17454, "UNC"), judge.Policy{}), true), "old")
	require.Equal(t, "errors-logged:info", rules(judge.Judge(log(17455, 17454, "ICRC, ABRT"), judge.Policy{}), true), "the cable")
	require.Equal(t, "errors-logged:watch", rules(judge.Judge(log(65536+17455, 17454, "UNC 8 sectors"), judge.Policy{}), true), "the counter has 16 bits")
}

// TestScansAndDefects: background scan of SAS disks, pending defects, FARM.
func TestScansAndDefects(t *testing.T) {
	sas := func(results ...smart.ScanResult) *smart.Snapshot {
		return &smart.Snapshot{Health: smart.Health{Status: smart.Passed}, SCSI: &smart.SCSIHealth{PowerOnMinutes: smart.Some[uint32](3120667), Scan: results}}
	}
	at := func(minutes uint32, key, asc, reassign uint8) smart.ScanResult {
		return smart.ScanResult{Minutes: smart.Some(minutes), Key: key, ASC: asc, Reassign: smart.Some(reassign)}
	}
	for _, r := range []struct {
		name string
		s    *smart.Snapshot
		want string
	}{
		{"recovered", sas(at(3120600, 1, 0x17, 5)), ""},
		{"unreadable", sas(at(3120600, 3, 0x11, 1)), "background-scan:watch"},
		{"unreadable and rewritten", sas(at(3120600, 3, 0x11, 5)), ""},
		{"long ago", sas(at(20600, 3, 0x11, 1)), "background-scan:info"},
		{"reassignment failed", sas(at(20600, 3, 0x11, 4)), "background-scan:act"},
		{"many", sas(slices.Repeat([]smart.ScanResult{at(3120600, 3, 0x11, 1)}, 40)...), "background-scan:act"},
		{"pending defects", &smart.Snapshot{Health: smart.Health{Status: smart.Passed}, Pending: &smart.PendingDefects{Count: smart.Some[uint64](3)}},
			"pending-sectors:watch"},
		{"no pending defects", &smart.Snapshot{Health: smart.Health{Status: smart.Passed}, Pending: &smart.PendingDefects{Count: smart.Some[uint64](0)}}, ""},
		{"sold as new", &smart.Snapshot{Health: smart.Health{Status: smart.Passed}, PowerOn: smart.Some(12 * time.Hour),
			FARM: &smart.FARM{PowerOnHours: smart.Some[uint64](21433)}}, "hours-reset:watch"},
		{"new", &smart.Snapshot{Health: smart.Health{Status: smart.Passed}, PowerOn: smart.Some(12 * time.Hour),
			FARM: &smart.FARM{PowerOnHours: smart.Some[uint64](14), FlightHours: smart.Some[uint64](90000)}}, ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			require.Equal(t, r.want, rules(judge.Judge(r.s, judge.Policy{}), true))
		})
	}
}

// TestPolicy: mute, severity, limits and additional rules.
func TestPolicy(t *testing.T) {
	s := parse(t, head+row(5, "Reallocated_Sector_Ct", "150")+row(197, "Current_Pending_Sector", "3")+row(199, "UDMA_CRC_Error_Count", "5000"))
	require.Equal(t, "interface-errors:watch pending-sectors:act reallocated-sectors:act", rules(judge.Judge(s, judge.Policy{}), true))
	require.Equal(t, "pending-sectors:act reallocated-sectors:act", rules(judge.Judge(s, judge.Policy{Mute: []string{"interface-errors"}}), true))
	require.Equal(t, "interface-errors:watch pending-sectors:act", rules(judge.Judge(s, judge.Policy{Mute: []string{"reallocated-sectors/attribute-5"}}), true))
	require.Equal(t, "interface-errors:info pending-sectors:act reallocated-sectors:act",
		rules(judge.Judge(s, judge.Policy{Severity: map[string]diag.Severity{"interface-errors": smart.Info}}), true))
	require.Equal(t, "interface-errors:act pending-sectors:act reallocated-sectors:info", rules(judge.Judge(s, judge.Policy{Limits: map[string]judge.Limits{
		"reallocated-sectors": {Watch: smart.Some[uint64](200)}, "interface-errors": {Act: smart.Some[uint64](5000)},
	}}), true))
	more := func(s *smart.Snapshot) smart.Findings {
		return smart.Findings{{Rule: "site-rule", Severity: smart.Watch, Detail: "model " + s.Identity.Model}}
	}
	require.Contains(t, rules(judge.Judge(s, judge.Policy{More: []func(*smart.Snapshot) smart.Findings{more}}), true), "site-rule:watch")
	require.Equal(t, judge.Limits{Watch: smart.Some[uint64](1), Act: smart.Some[uint64](16)}, judge.DefaultLimits()["pending-sectors"])
}

// TestCompareKeepsAllBits: 48-bit counters, gauges, and severities by growth.
func TestCompareKeepsAllBits(t *testing.T) {
	at := func(table string) *smart.Snapshot { return parse(t, head+table) }
	change := func(d judge.Delta, prefix string) judge.Change {
		i := slices.IndexFunc(d.Counters, func(c judge.Change) bool { return strings.HasPrefix(c.Name, prefix) })
		require.GreaterOrEqual(t, i, 0, "%v", d.Counters)
		return d.Counters[i]
	}
	d, err := judge.Compare(at(row(241, "Total_LBAs_Written", "4294900000")), at(row(241, "Total_LBAs_Written", "4296900000")))
	require.NoError(t, err)
	require.Equal(t, smart.Some[uint64](2000000), change(d, "attribute 241").Grown)
	require.Empty(t, d.Findings)
	d, err = judge.Compare(at(row(197, "Current_Pending_Sector", "8")), at(row(197, "Current_Pending_Sector", "0")))
	require.NoError(t, err)
	require.Equal(t, "pending-cleared:info", rules(d.Findings, true))
	for _, r := range []struct{ name, id, from, to, want string }{
		{"Command_Timeout", "188", "1", "2", "attribute-growing:info"},
		{"UDMA_CRC_Error_Count", "199", "3", "90233", "attribute-growing:watch"},
		{"UDMA_CRC_Error_Count", "199", "3", "4", "attribute-growing:info"},
		{"Current_Pending_Sector", "197", "1", "5", "attribute-growing:watch"},
		{"Current_Pending_Sector", "197", "1", "500", "attribute-growing:act"},
		{"Reallocated_Sector_Ct", "5", "8", "9", "attribute-growing:watch"},
		{"Reallocated_Sector_Ct", "5", "8", "900", "attribute-growing:act"},
		{"Temperature_Celsius", "194", "30", "40", ""},
		{"Write_Sectors_Tot_Ct", "199", "3", "90233", ""},
	} {
		var id int
		_, err := fmt.Sscan(r.id, &id)
		require.NoError(t, err)
		d, err := judge.Compare(at(row(id, r.name, r.from)), at(row(id, r.name, r.to)))
		require.NoError(t, err)
		require.Equal(t, r.want, rules(d.Findings, true), "%+v", r)
	}
}

func counted(hours int, pending, reallocated uint64) *smart.Snapshot {
	a := func(id uint8, name string, v uint64) smart.Attribute {
		return smart.Attribute{ID: id, Name: name, Raw: smart.Raw{Known: smart.KnownAll, Bytes: [6]byte{byte(v), byte(v >> 8)}}}
	}
	return &smart.Snapshot{
		Identity: smart.Identity{Model: "M", Serial: "S"}, PowerOn: smart.Some(time.Duration(hours) * time.Hour), Taken: time.Unix(int64(hours)*3600, 0).UTC(),
		Attributes: []smart.Attribute{a(197, "Current_Pending_Sector", pending), a(5, "Reallocated_Sector_Ct", reallocated)},
	}
}

// TestSeries: growth, the time since when, sectors that are gone, the order, other drives.
func TestSeries(t *testing.T) {
	var s judge.Series
	require.Nil(t, s.Judge(judge.Policy{}))
	require.ErrorIs(t, s.Add(&smart.Snapshot{}), judge.ErrOrder)
	for _, i := range []int{0, 3, 1, 2} { // out of order
		require.NoError(t, s.Add(counted(1000+240*i, []uint64{0, 8, 24, 0}[i], uint64(i))))
	}
	require.NoError(t, s.Add(counted(1000+240*3, 0, 3)), "the same snapshot twice")
	require.Equal(t, 1720*time.Hour, s.Last().PowerOn.V)
	list := s.Judge(judge.Policy{})
	require.Equal(t, "pending-sectors:act reallocated-sectors:info", rules(list, true))
	require.True(t, list[0].Past)
	require.Equal(t, "pending-sectors/history", list[0].Key)
	require.Contains(t, list[0].Evidence, "24 240 hours ago, 0 now")
	require.Equal(t, time.Unix(1240*3600, 0).UTC(), list[1].Since, "the first snapshot with a remapped sector")
	require.Contains(t, list[1].Detail, "3 more within 30 days")
	other := counted(2000, 0, 0)
	other.Identity.Serial = "T"
	require.ErrorIs(t, s.Add(other), judge.ErrDifferentDrive)
	require.NoError(t, s.Add(counted(1720+9000, 0, 3)), "a year later")
	require.Equal(t, "reallocated-sectors:info", rules(s.Judge(judge.Policy{}), true))

	var wear judge.Series
	for i := range 5 {
		w := counted(1000+720*i, 0, 0)
		w.Endurance.Used = smart.Some(uint16(60 + 4*i))
		require.NoError(t, wear.Add(w))
	}
	list = wear.Judge(judge.Policy{})
	require.Equal(t, "wear:info", rules(list, true))
	require.Contains(t, list[0].Detail, "used up in 180 days", "4 %% in 30 days, 24 %% are left")
}

// TestSeriesIsBounded: any number of snapshots in any order give the findings of the newest
// one, and the history has a maximum.
func TestSeriesIsBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var s judge.Series
	newest := 0
	for range 20_000 {
		h := r.IntN(200_000)
		newest = max(newest, h)
		require.NoError(t, s.Add(counted(h, uint64(r.IntN(3)), uint64(r.IntN(60_000)))))
	}
	require.Equal(t, time.Duration(newest)*time.Hour, s.Last().PowerOn.V)
	require.NotEmpty(t, s.Judge(judge.Policy{}))
	require.Less(t, testing.AllocsPerRun(100, func() { _ = s.Add(s.Last()) }), 2.0)
}

// TestJudgeIsCheap holds the number of allocations for a drive without findings.
func TestJudgeIsCheap(t *testing.T) {
	good := parse(t, head+row(5, "Reallocated_Sector_Ct", "0")+row(197, "Current_Pending_Sector", "0")+row(199, "UDMA_CRC_Error_Count", "0")+row(194,
		"Temperature_Celsius", "30"))
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { judge.Judge(good, judge.Policy{}) }), 4.0)
}

func BenchmarkJudge(b *testing.B) {
	s, err := smart.ParseText([]byte(head + row(5, "Reallocated_Sector_Ct", "0") + row(197, "Current_Pending_Sector", "0") + row(194, "Temperature_Celsius", "30")))
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		judge.Judge(s, judge.Policy{})
	}
}

// TestFindingsOfPublicDrives holds the findings of all public drives, so that no rule
// changes unseen: DOUGU_UPDATE=1 writes the file anew.
func TestFindingsOfPublicDrives(t *testing.T) {
	var got strings.Builder
	for _, set := range []string{"smart", "smart-dumps"} {
		dir := oracle.Corpus(t, set)
		require.NoError(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || d.Name() == "SOURCES" {
				return err
			}
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			list, err := smart.ParseBytes(b, nil)
			if err != nil {
				return nil // a list of devices
			}
			rel, _ := filepath.Rel(dir, name)
			for i, s := range list {
				fmt.Fprintf(&got, "%s/%s#%d: %s\n", set, filepath.ToSlash(rel), i, rules(judge.Judge(s, judge.Policy{}), false))
			}
			return nil
		}))
	}
	const golden = "testdata/public-drives.golden"
	if os.Getenv("DOUGU_UPDATE") != "" {
		require.NoError(t, os.WriteFile(golden, []byte(got.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got.String())
}
