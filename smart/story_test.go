package smart_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/smart"
	"dougu.internal/smart/judge"
)

// storyLines are the four lines of the story: smartctl -d 3ware,N -a /dev/twa0 | grep
// Temp for the ports 0 to 3, printed by a smartctl of 2008.
const storyLines = `194 Temperature_Celsius     0x0022   020   040   000    Old_age   Always       -       20 (Lifetime Min/Max 0/16)
194 Temperature_Celsius     0x0022   017   040   000    Old_age   Always       -       17 (Lifetime Min/Max 0/15)
194 Temperature_Celsius     0x0022   017   040   000    Old_age   Always       -       17 (Lifetime Min/Max 0/15)
194 Temperature_Celsius     0x0022   018   040   000    Old_age   Always       -       18 (Lifetime Min/Max 0/15)
`

// storyDD are the four measurements of the story.
const storyDD = `# for p in 0 1 2 3; do dd if=/dev/zero of=/mnt/p$p/test bs=1M count=2048; done
p0:
2147483648 bytes (2.1 GB) copied, 43.8163 seconds, 49.0 MB/s
p1:
2147483648 bytes (2.1 GB) copied, 514.409 seconds, 4.2 MB/s
p2:
2147483648 bytes (2.1 GB) copied, 515.813 seconds, 4.2 MB/s
p3:
2147483648 bytes (2.1 GB) copied, 43.2759 seconds, 49.6 MB/s
`

func storyDrives(t *testing.T, model string) []*smart.Snapshot {
	t.Helper()
	list, err := smart.Parse(strings.NewReader(storyLines))
	require.NoError(t, err)
	require.Len(t, list, 4)
	for i, s := range list {
		s.Identity.Model = model
		s.Device.Port = smart.Some(i)
	}
	return list
}

// TestStoryIsDiagnosed holds the conclusions of the story: ports 1 and 2 slow because
// they are cold, port 3 fast at the edge, port 0 fine.
func TestStoryIsDiagnosed(t *testing.T) {
	samples, err := judge.ParseDD(strings.NewReader(storyDD))
	require.NoError(t, err)
	d, err := judge.Diagnose(storyDrives(t, "ST3500630NS"), samples, judge.Windows(), 1)
	require.NoError(t, err)
	require.Equal(t, "drives and measurements are joined by the port in the label", d.Join)
	require.InDelta(t, 49.32e6, d.FastMedian.V, 0.01e6)
	for i, want := range []struct {
		conclusion judge.Conclusion
		position   judge.Position
		rate       float64
		slow       bool
	}{
		{judge.Fine, judge.Outside, 49011067.75, false},
		{judge.Explained, judge.Inside, 4174661.89, true},
		{judge.Explained, judge.Inside, 4163298.81, true},
		{judge.WillSlow, judge.Borderline, 49623084.63, false},
	} {
		v := d.Disks[i]
		require.Equal(t, want.conclusion, v.Conclusion, "port %d: %s", i, v.Text)
		require.Equal(t, want.position, v.Position, "port %d", i)
		require.Equal(t, want.slow, v.Slow)
		require.InDelta(t, want.rate, v.Sample.V.Rate(), 0.01)
	}
	require.InDelta(t, 11.81, d.Disks[1].Ratio, 0.01)
	require.InDelta(t, 11.85, d.Disks[2].Ratio, 0.01)
	require.Contains(t, d.Summary, "ports 1 and 2 are slow because of the temperature")
	require.Contains(t, d.Summary, "not broken")
	require.Contains(t, d.Disks[3].Text, "will slow down when colder")
}

// TestStoryWithoutModelStaysCareful: nobody named the model, so the window may not be
// used.
func TestStoryWithoutModelStaysCareful(t *testing.T) {
	samples, err := judge.ParseDD(strings.NewReader(storyDD))
	require.NoError(t, err)
	d, err := judge.Diagnose(storyDrives(t, ""), samples, judge.Windows(), 1)
	require.NoError(t, err)
	require.Equal(t, judge.ConsistentWithCold, d.Disks[1].Conclusion)
	require.Equal(t, judge.Fine, d.Disks[3].Conclusion)
	require.Contains(t, d.Disks[1].Text, "name the model")
}

// TestLifetimeMinMaxIsCorrected: the three spellings of one raw value, and what they
// mean.
func TestLifetimeMinMaxIsCorrected(t *testing.T) {
	for _, row := range []struct {
		name, raw string
		known     uint8
	}{
		{"5.36 and 5.37", "20 (Lifetime Min/Max 0/16)", 0b000001},
		{"5.38 to 5.41", "20 (0 16 0 0)", 0b111101},
		{"5.42 and later", "20 (0 16 0 0 0)", 0b111111},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, model := range []string{"", "ST3500630NS"} {
				head := ""
				if model != "" {
					head = "=== START OF INFORMATION SECTION ===\nDevice Model:     " + model + "\n"
				}
				s, err := smart.ParseText([]byte(head + "194 Temperature_Celsius     0x0022   020   040   000    Old_age   Always       -       " + row.raw + "\n"))
				require.NoError(t, err)
				require.Empty(t, s.Warnings)
				require.Equal(t, smart.TempValue{C: 20, OK: true, From: smart.FromAttribute}, s.Temp.Current)
				require.Equal(t, smart.TempValue{C: 16, OK: true, From: smart.FromInference}, s.Temp.LifetimeMin)
				require.Equal(t, smart.TempValue{C: 40, OK: true, From: smart.FromInference}, s.Temp.LifetimeMax)
				require.Equal(t, row.known, s.Attributes[0].Raw.Known)
			}
			// Another maker's drive means another thing by these bytes.
			s, err := smart.ParseText([]byte("=== START OF INFORMATION SECTION ===\nDevice Model:     WDC WD800JD\n194 Temperature_Celsius 0x0022 020 040 000 " +
				"Old_age Always - " + row.raw + "\n"))
			require.NoError(t, err)
			require.False(t, s.Temp.LifetimeMin.OK)
			require.False(t, s.Temp.LifetimeMax.OK)
		})
	}
}

func TestWindowHasThreeStates(t *testing.T) {
	w := judge.Windows()[0]
	for c, want := range map[int]judge.Position{
		-5: judge.Inside, 17: judge.Inside, 18: judge.Borderline, 19: judge.Borderline, 20: judge.Outside, 40: judge.Outside,
		56: judge.Outside, 57: judge.Borderline, 58: judge.Borderline, 59: judge.Inside,
	} {
		require.Equal(t, want, w.Place(c, 1), "%d C", c)
	}
	require.Equal(t, judge.Inside, w.Place(18, 0))
	for model, want := range map[string]bool{
		"ST3250620NS": true, "ST3250820NS": true, "ST3320620NS": true, "ST3400620NS": true, "ST3500630NS": true, "ST3750640NS": true,
		"ST3500630AS": false, "ST3500320NS": false, "XST3500630NS": false, "": false,
	} {
		require.Equal(t, want, w.Matches(model), model)
	}
}

const textHead = `smartctl version 5.38 [x86_64-unknown-linux-gnu] Copyright (C) 2002-8 Bruce Allen
Home page is http://smartmontools.sourceforge.net/

=== START OF INFORMATION SECTION ===
Device Model:     ST3500630NS
Serial Number:    9QG00000
Firmware Version: 3.AEK
User Capacity:    500,107,862,016 bytes

=== START OF READ SMART DATA SECTION ===
SMART overall-health self-assessment test result: PASSED
ID# ATTRIBUTE_NAME          FLAG     VALUE WORST THRESH TYPE      UPDATED  WHEN_FAILED RAW_VALUE
`

const textSCSI = `smartctl 7.3 2022-02-28 r5338 [x86_64-linux] (local build)
=== START OF INFORMATION SECTION ===
Vendor:               SEAGATE
Product:              ST4000NM0023
Revision:             0004
Serial number:        Z1Z12345
=== START OF READ SMART DATA SECTION ===
SMART Health Status: HARDWARE IMPENDING FAILURE GENERAL HARD DRIVE FAILURE [asc=5d, ascq=10]
Current Drive Temperature:     38 C
Drive Trip Temperature:        65 C
Lifetime minimum temperature = -1
Error counter log:
read:        300      301       302       303        304     123456,789         306
SMART Self-test log
# 2  Background long   Failed in segment -->       1     199           1234567 [0x3 0x11 0x0]
`

const textNVMe = `=== START OF INFORMATION SECTION ===
Model Number:                       MODEL
=== START OF SMART DATA SECTION ===
SMART overall-health self-assessment test result: FAILED!
- temperature is above or below threshold
SMART/Health Information (NVMe Log 0x02)
Critical Warning:                   0x02
Temperature:                        37 Celsius
Error Information Log Entries:      340282366920938463463374607431768211455
Thermal Temp. 2 Transition Count:   -1757236128
`

const textLogs = `SMART Error Log Version: 1
ATA Error Count: 2
Error 2 occurred at disk power-on lifetime: 4321 hours (180 days + 1 hours)
  ER ST SC SN CL CH DH
  -- -- -- -- -- -- --
  40 51 01 02 03 04 e5  Error: WP at LBA = 0x05040302 = 84148994
SMART Self-test log structure revision number 1
# 1  Extended offline    Completed: read failure       80%       101         12345
SCT Status Version:                  3
Lifetime    Min/Max Temperature:      5/ ? Celsius
SCT Temperature History Version:     2
Temperature History Size (Index):    128 (3)
   4    2026-11-24 19:25    30  ***********
 ...    ..( 40 skipped).    ..  ***********
Device Statistics (GP Log 0x04)
0x05  0x028  1             -10  ---  Lowest Temperature
`
