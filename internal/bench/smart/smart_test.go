// Package smart measures the decoders of dougu.internal/smart.
package smart

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"dougu.internal/smart"
)

// page makes READ DATA with 28 attributes, and thresholds.
func page() (values, thresholds []byte) {
	values, thresholds = make([]byte, 512), make([]byte, 512)
	values[0], thresholds[0] = 10, 10
	ids := []byte{1, 3, 4, 5, 7, 9, 10, 12, 183, 184, 187, 188, 189, 190, 191, 192, 193, 194, 195, 196, 197, 198, 199, 200, 201, 240, 241, 242}
	for i, id := range ids {
		row := values[2+12*i:]
		row[0], row[1], row[3], row[4] = id, 0x32, 100, 99
		binary.LittleEndian.PutUint32(row[5:], uint32(1234567*i))
		if id == 194 || id == 190 {
			copy(row[5:11], []byte{31, 0, 12, 45, 0, 0})
		}
		thresholds[2+12*i], thresholds[3+12*i] = id, 36
	}
	for _, p := range [][]byte{values, thresholds} {
		var c byte
		for _, x := range p[:511] {
			c += x
		}
		p[511] = -c
	}
	return values, thresholds
}

// nvmeLog makes an NVMe log 02h.
func nvmeLog() []byte {
	b := make([]byte, 512)
	binary.LittleEndian.PutUint16(b[1:], 310)
	b[3], b[4] = 100, 10
	for i := 32; i < 192; i += 16 {
		binary.LittleEndian.PutUint64(b[i:], uint64(i)*123457)
	}
	return b
}

// document makes a JSON document of about 9 kB, in the shape of smartctl -a -j.
func document() []byte {
	values, thresholds := page()
	var s smart.Snapshot
	if err := smart.DecodeATA(&s, smart.ATAPages{Values: values, Thresholds: thresholds}, nil); err != nil {
		panic(err)
	}
	var rows []any
	for i := range s.Attributes {
		a := &s.Attributes[i]
		rows = append(rows, map[string]any{
			"id": a.ID, "name": a.Name, "value": a.Value, "worst": a.Worst, "thresh": a.Thresh, "when_failed": "",
			"flags": map[string]any{
				"value":          uint16(a.Flags),
				"string":         a.Flags.String() + " ",
				"prefailure":     false,
				"updated_online": true,
				"performance":    false,
				"error_rate":     false,
				"event_count":    true,
				"auto_keep":      true,
			},
			"raw": map[string]any{"value": a.RawNumber(), "string": string(a.AppendRaw(nil))},
		})
	}
	b, err := json.MarshalIndent(map[string]any{
		"json_format_version": []int{1, 0},
		"smartctl":            map[string]any{"version": []int{7, 3}, "argv": []string{"smartctl", "-a", "-j", "/dev/sda"}, "exit_status": 0},
		"device":              map[string]any{"name": "/dev/sda", "info_name": "/dev/sda [SAT]", "type": "sat", "protocol": "ATA"},
		"model_name":          "MODEL 1234", "serial_number": "S123456", "firmware_version": "F1", "rotation_rate": 7200,
		"user_capacity": map[string]any{"blocks": 976773168, "bytes": 500107862016}, "logical_block_size": 512, "physical_block_size": 512,
		"smart_status": map[string]any{"passed": true}, "ata_smart_attributes": map[string]any{"revision": 10, "table": rows},
		"power_on_time": map[string]any{"hours": 6172}, "power_cycle_count": 8, "temperature": map[string]any{"current": 31},
	}, "", " ")
	if err != nil {
		panic(err)
	}
	return b
}

// text makes the output of smartctl -a with that table.
func text() []byte {
	values, thresholds := page()
	var s smart.Snapshot
	if err := smart.DecodeATA(&s, smart.ATAPages{Values: values, Thresholds: thresholds}, nil); err != nil {
		panic(err)
	}
	var b strings.Builder
	b.WriteString(`smartctl 7.3 2022-02-28 r5338 [x86_64-linux] (local build)

=== START OF INFORMATION SECTION ===
Device Model:     MODEL 1234
Serial Number:    S123456
LU WWN Device Id: 5 000c50 06b7f300e
Firmware Version: F1
User Capacity:    500,107,862,016 bytes [500 GB]
Sector Sizes:     512 bytes logical, 4096 bytes physical
Rotation Rate:    7200 rpm
Form Factor:      3.5 inches
Device is:        Not in smartctl database 7.3/5319
ATA Version is:   ACS-2 (minor revision not indicated)
SATA Version is:  SATA 3.1, 6.0 Gb/s (current: 6.0 Gb/s)
Local Time is:    Wed Nov 25 06:00:00 2026 UTC
SMART support is: Available - device has SMART capability.
SMART support is: Enabled

=== START OF READ SMART DATA SECTION ===
SMART overall-health self-assessment test result: PASSED

General SMART Values:
Offline data collection status:  (0x82)	Offline data collection activity
					was completed without error.
					Auto Offline Data Collection: Enabled.
Self-test execution status:      (   0)	The previous self-test routine completed
					without error or no self-test has ever 
					been run.
Total time to complete Offline 
data collection: 		(  100) seconds.
Short self-test routine 
recommended polling time: 	 (   2) minutes.

SMART Attributes Data Structure revision number: 10
Vendor Specific SMART Attributes with Thresholds:
ID# ATTRIBUTE_NAME          FLAG     VALUE WORST THRESH TYPE      UPDATED  WHEN_FAILED RAW_VALUE
`)
	for i := range s.Attributes {
		a := &s.Attributes[i]
		fmt.Fprintf(&b, "%3d %-24s0x%04x   %03d   %03d   %03d    Old_age   Always       -       %s\n", a.ID, a.Name, uint16(a.Flags), a.Value, a.Worst, a.Thresh, a.AppendRaw(nil))
	}
	b.WriteString("\nSMART Error Log Version: 1\nNo Errors Logged\n\nSMART Self-test log structure revision number 1\n" +
		"Num  Test_Description    Status                  Remaining  LifeTime(hours)  LBA_of_first_error\n")
	for i := range 21 {
		fmt.Fprintf(&b, "#%2d  Short offline       Completed without error       00%%      %4d         -\n", i+1, 6000-24*i)
	}
	return []byte(b.String())
}

func BenchmarkATAPage(b *testing.B) {
	values, thresholds := page()
	b.Run("dougu", func(b *testing.B) {
		var s smart.Snapshot
		b.SetBytes(1024)
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			if err := smart.DecodeATA(&s, smart.ATAPages{Values: values, Thresholds: thresholds}, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("dougu-strings", func(b *testing.B) {
		var s smart.Snapshot
		var buf []byte
		b.SetBytes(1024)
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			if err := smart.DecodeATA(&s, smart.ATAPages{Values: values, Thresholds: thresholds}, nil); err != nil {
				b.Fatal(err)
			}
			buf = buf[:0]
			for i := range s.Attributes {
				buf = s.Attributes[i].AppendRaw(buf)
			}
		}
	})
}

func BenchmarkNVMeLog(b *testing.B) {
	log := nvmeLog()
	b.Run("dougu", func(b *testing.B) {
		var h smart.NVMeHealth
		b.SetBytes(512)
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			if err := smart.DecodeNVMe(&h, log); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkJSON(b *testing.B) {
	doc := document()
	b.Run("dougu", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			if _, err := smart.ParseJSON(doc); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json-any", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			var v any
			if err := json.Unmarshal(doc, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkText(b *testing.B) {
	src := text()
	b.Run("dougu", func(b *testing.B) {
		b.SetBytes(int64(len(src)))
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			s, err := smart.ParseText(src)
			if err != nil || len(s.Attributes) != 28 || len(s.Warnings) > 0 {
				b.Fatal(err, s)
			}
		}
	})
}

func BenchmarkDriveDB(b *testing.B) {
	var src string
	for _, name := range []string{"/var/lib/smartmontools/drivedb/drivedb.h", "/usr/share/smartmontools/drivedb.h"} {
		if text, err := os.ReadFile(name); err == nil {
			src = string(text)
			break
		}
	}
	if src == "" {
		b.Log("absent drivedb.h: install smartmontools")
		b.Skip()
	}
	b.Run("load", func(b *testing.B) {
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			if _, err := smart.LoadDriveDB(strings.NewReader(src)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("look-up", func(b *testing.B) {
		db, err := smart.LoadDriveDB(strings.NewReader(src))
		if err != nil {
			b.Fatal(err)
		}
		models := []string{"ST3500630NS", "WDC WD20EFRX-68EUZN0", "INTEL SSDSC2BB120G6", "Samsung SSD 850 EVO 500GB", "NO SUCH DRIVE"}
		for _, m := range models {
			db.Lookup(m, "1")
		}
		i := 0
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			db.Lookup(models[i%len(models)], "1")
			i++
		}
	})
}
