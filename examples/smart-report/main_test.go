package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/smart"
)

func command(t *testing.T, stdin string, args ...string) (out, errs string, status int) {
	t.Helper()
	var o, e bytes.Buffer
	status = run(strings.NewReader(stdin), &o, &e, args)
	return o.String(), e.String(), status
}

const dd, temp = "testdata/dd.txt", "testdata/temp.txt"

func TestStoryIsPrinted(t *testing.T) {
	out, errs, status := command(t, "", "-model", "ST3500630NS", "-dd", dd, temp)
	require.Empty(t, errs)
	require.Equal(t, 1, status)
	for _, want := range []string{
		"lowest ever 16 C (inferred), highest ever 40 C (inferred)",
		"0     49.01  20 C         outside     49.01 MB/s at 20 C: fine\n",
		"1     4.17   17 C         inside      4.17 MB/s, 11.8x slower, at 17 C: cold, not broken; warm it\n",
		"2     4.16   17 C         inside      4.16 MB/s, 11.8x slower, at 17 C: cold, not broken; warm it\n",
		"3     49.62  18 C         borderline  49.62 MB/s at 18 C: fast, but at the edge; will slow down when colder, no fault\n",
		"ports 1 and 2 are slow because of the temperature (at or below 18 C, at or above 58 C), not broken",
		"WATCH temperature-window: inside the window",
	} {
		require.Contains(t, out, want)
	}
	require.NotContains(t, out, "ACT ")
}

func TestStoryWithoutModelSaysConsistent(t *testing.T) {
	out, _, status := command(t, "", "-dd", dd, temp)
	require.Equal(t, 1, status)
	require.Contains(t, out, "consistent with a drive that verifies its writes when cold, name the model to be sure")
	require.NotContains(t, out, "temperature-window")
}

func TestJSONHasStableShape(t *testing.T) {
	out, errs, status := command(t, "", "-format", "json", "-model", "ST3500630NS", "-dd", dd, temp)
	require.Empty(t, errs)
	require.Equal(t, 1, status)
	var got []map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Len(t, got, 4)
	d := got[1]
	require.Equal(t, "ST3500630NS", d["model"])
	require.Equal(t, "unknown", d["health"])
	require.NotContains(t, d, "serial", "absent facts are absent")
	require.NotContains(t, d, "power_on_hours")
	require.Equal(t, map[string]any{
		"current": 17.0, "lifetime_min": 15.0, "lifetime_max": 40.0,
		"sources": map[string]any{"current": "attribute", "lifetime_min": "inferred", "lifetime_max": "inferred"},
	}, d["temperature"])
	require.Equal(t, []any{map[string]any{
		"id": 194.0, "name": "Temperature_Celsius", "value": 17.0, "worst": 40.0, "thresh": 0.0,
		"raw_string": "17 (Lifetime Min/Max 0/15)", "raw": "..........11", "state": "ok",
	}}, d["attributes"])
	findings := d["findings"].([]any)
	require.Equal(t, "throughput", findings[0].(map[string]any)["rule"])
	require.Equal(t, "watch", findings[0].(map[string]any)["severity"])
	require.Equal(t, "explained", d["throughput"].(map[string]any)["conclusion"])
	require.Equal(t, []any{}, d["warnings"])
}

func TestPrometheusLabelsEverySample(t *testing.T) {
	out, _, _ := command(t, "", "-format", "prometheus", "-model", "ST3500630NS", temp)
	require.Contains(t, out, "# TYPE smart_temperature_celsius gauge\n")
	require.Contains(t, out, `smart_temperature_celsius{model="ST3500630NS",serial="",device="testdata/temp.txt:2",port="",kind="lifetime_min"} 15`)
	require.NotContains(t, out, "smart_health_passed{", "the health is not known")
	require.NotContains(t, out, "smart_attribute_raw{", "a raw number is never a temperature")
	samples := map[string]bool{}
	for line := range strings.Lines(out) {
		if line[0] == '#' {
			continue
		}
		require.Contains(t, line, `model="`)
		name := line[:strings.LastIndexByte(line, ' ')]
		require.False(t, samples[name], "two samples with the labels of %s", name)
		samples[name] = true
	}
	require.NotEmpty(t, samples)
}

func TestHostileStringsAreSanitised(t *testing.T) {
	evil := `{"smartctl":{"exit_status":0},"model_name":"A\u001b[2J\"\n\u202e","serial_number":"S\u0007\\","smart_status":{"passed":true}}`
	for _, format := range []string{"text", "json", "prometheus"} {
		out, _, status := command(t, evil, "-format", format, "-")
		require.Zero(t, status, out)
		require.NotContains(t, out, "\x1b")
		require.NotContains(t, out, "\a")
		require.NotContains(t, out, "\u202e")
	}
	out, _, _ := command(t, evil, "-format", "prometheus", "-")
	require.Contains(t, out, `model="A?[2J\"??",serial="S?\\"`)
}

func TestExitStatus(t *testing.T) {
	good := filepath.Join(t.TempDir(), "good.json")
	require.NoError(t, os.WriteFile(good,
		[]byte(`{"smartctl":{"exit_status":0},"model_name":"M","serial_number":"S","smart_status":{"passed":true},"temperature":{"current":30}}`), 0o644))
	bad := filepath.Join(t.TempDir(), "bad.json")
	require.NoError(t, os.WriteFile(bad, []byte(`{"smartctl":`), 0o644))
	failing := filepath.Join(t.TempDir(), "failing.json")
	require.NoError(t, os.WriteFile(failing, []byte(`{"smartctl":{"exit_status":8},"model_name":"M","serial_number":"S","smart_status":{"passed":false}}`), 0o644))
	for _, row := range []struct {
		name   string
		args   []string
		status int
		says   string
	}{
		{"nothing wrong", []string{good}, 0, ""},
		{"a nonzero exit status of smartctl is a finding", []string{failing}, 1, ""},
		{"a bad input does not stop the others", []string{bad, good}, 2, "bad.json: smart: JSON: the document is cut"},
		{"no input", nil, 2, "usage: smart-report"},
		{"missing file", []string{"/nonexistent"}, 2, "/nonexistent"},
		{"unknown format", []string{"-format", "xml", good}, 2, "want text, json, model or prometheus"},
		{"unknown flag", []string{"-x", good}, 2, "not defined"},
		{"measurements that do not fit", []string{"-dd", dd, good}, 2, "1 drives and 4 measurements"},
		{"no measurements in the file", []string{"-dd", good, good}, 2, "no result of dd"},
		{"compare wants two", []string{"-compare", good}, 2, "-compare requires two files"},
		{"a device that is none", []string{"-device", good}, 2, "good.json"},
		{"help", []string{"-h"}, 0, "exit status: 0 nothing is wrong"},
	} {
		t.Run(row.name, func(t *testing.T) {
			out, errs, status := command(t, "", row.args...)
			require.Equal(t, row.status, status, "%s%s", out, errs)
			require.Contains(t, errs, row.says)
			if row.name == "a bad input does not stop the others" {
				require.Contains(t, out, "nothing is wrong")
			}
		})
	}
}

func TestCompareTellsWhatGrew(t *testing.T) {
	write := func(raw int, hours int, at int64) string {
		name := filepath.Join(t.TempDir(), "s.json")
		doc := map[string]any{
			"model_name": "M", "serial_number": "S", "local_time": map[string]any{"time_t": at}, "power_on_time": map[string]any{"hours": hours},
			"ata_smart_attributes": map[string]any{"table": []any{map[string]any{"id": 197, "name": "Current_Pending_Sector", "value": 100, "worst": 100, "thresh": 0,
				"raw": map[string]any{"value": raw, "string": "x"}}}},
		}
		b, err := json.Marshal(doc)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(name, b, 0o644))
		return name
	}
	out, errs, status := command(t, "", "-compare", write(1, 100, 1700000000), write(5, 148, 1700172800))
	require.Empty(t, errs)
	require.Equal(t, 1, status)
	require.Contains(t, out, "changed: attribute 197 Current_Pending_Sector: 1, then 5 (2.00 a day)")
	require.Contains(t, out, "WATCH attribute-growing")
}

// TestPrometheusAcceptsThePage: promtool accepts the metrics of drives of all kinds, of one
// drive in several inputs, and of drives without serial numbers at one node.
func TestPrometheusAcceptsThePage(t *testing.T) {
	promtool := oracle.Tool{Name: "promtool", Package: "prometheus", Probe: []string{"--version"}}.Need(t)
	input := func(body string) string {
		name := filepath.Join(t.TempDir(), "in.json")
		require.NoError(t, os.WriteFile(name, []byte(body), 0o644))
		return name
	}
	drive := `{"smartctl":{"exit_status":0},"device":{"name":"/dev/sda","protocol":"ATA"},"model_name":"A\n\"b","serial_number":"S","smart_status":{"passed":true},` +
		`"local_time":{"time_t":%d},"temperature":{"current":%d},"power_on_time":{"hours":100},"ata_smart_attributes":{"table":[{"id":5,"name":"R","value":100,"worst":100,"thresh":36,` +
		`"raw":{"value":0,"string":"0"}},{"id":5,"name":"R","value":99,"raw":{"value":1,"string":"1"}}]}}`
	nvme := `{"critical_warning":0,"temperature":311,"avail_spare":100,"spare_thresh":10,"percent_used":3,"data_units_read":7,"data_units_written":9,"host_read_commands":1,` +
		`"controller_busy_time":4,"power_cycles":5,"power_on_hours":6,"unsafe_shutdowns":7,"media_errors":0,"warning_temp_time":1,"critical_comp_time":0,"temperature_sensor_1":312}`
	noSerial := `{"smartctl":{"exit_status":0},"device":{"name":"/dev/twa0","type":"3ware,%d"},"model_name":"M","smart_status":{"passed":true}}`
	scsi := `{"smartctl":{"exit_status":0},"device":{"name":"/dev/sdb","protocol":"SCSI"},"scsi_model_name":"M","serial_number":"T","scsi_grown_defect_list":3,` +
		`"scsi_error_counter_log":{"read":{"total_uncorrected_errors":1,"total_errors_corrected":2,"gigabytes_processed":"3.5"}}}`
	files := []string{
		input(fmt.Sprintf(drive, 1700000000, 31)), input(fmt.Sprintf(drive, 1600000000, 20)), input(nvme), input(nvme + nvme), input(scsi),
		input(fmt.Sprintf(noSerial, 0)), input(fmt.Sprintf(noSerial, 0)), input(fmt.Sprintf(noSerial, 1)), dd, temp,
	}
	out, _, _ := command(t, "", append([]string{"-format", "prometheus"}, files...)...)
	r := oracle.Run(t, oracle.Cmd{Path: promtool.Path, Args: []string{"check", "metrics"}, Stdin: strings.NewReader(out)})
	require.Zero(t, r.ExitCode, "%s%s\n%s", r.Stdout, r.Stderr, out)
	require.Contains(t, out, `serial="S",device="/dev/sda",port="",kind="current"} 31`, "the newest snapshot")
	require.NotContains(t, out, `kind="current"} 20`+"\n"+`smart_temperature_celsius{model="A`)
	require.Equal(t, 3, strings.Count(out, `smart_health_passed{model="M"`), "three drives without a serial number")
	require.Contains(t, out, `rule="pending-sectors",severity="act"} 0`)
	require.Contains(t, out, `smart_device_read{model="",serial="",device="testdata/temp.txt:1",port=""} 1`)
	require.Contains(t, out, "smart_power_on_seconds_total{")
	require.Contains(t, out, `smart_nvme_media_errors_total{`)
	require.Contains(t, out, `smart_scsi_uncorrected_errors_total{model="M",serial="T",device="/dev/sdb",port="",operation="read"} 1`)
	oracle.Compared(t, promtool, 1)
}

// TestManyDrives: the summary, -quiet and -act-only.
func TestManyDrives(t *testing.T) {
	var b strings.Builder
	for i := range 40 {
		pending := 0
		if i%10 == 3 {
			pending = 1
		}
		fmt.Fprintf(&b, `{"smartctl":{"exit_status":0},"model_name":"M","serial_number":"S%d","smart_status":{"passed":true},`+
			`"ata_smart_attributes":{"table":[{"id":197,"name":"Current_Pending_Sector","raw":{"value":%d,"string":"%d"}}]}}`+"\n", i, pending, pending)
	}
	out, errs, status := command(t, b.String(), "-quiet", "-")
	require.Empty(t, errs)
	require.Equal(t, 1, status)
	require.Equal(t, 4*2+1, strings.Count(out, "\n"), out)
	require.Contains(t, out, "40 drives: 0 act, 4 watch, 0 unknown, 36 without such findings\n")
	out, _, status = command(t, b.String(), "-act-only", "-")
	require.Zero(t, status)
	require.Contains(t, out, "40 drives: 0 act, 4 watch")
	_, _, status = command(t, strings.ReplaceAll(b.String(), `"value":1,`, `"value":99,`), "-act-only", "-")
	require.Equal(t, 1, status)
	out, _, status = command(t, `{"smartctl":{"exit_status":0},"model_name":"M","serial_number":"S"}`, "-")
	require.Equal(t, 2, status, "nothing is known")
	require.Contains(t, out, "WATCH nothing-known")
}

// TestModelComesBack: the snapshots of -format model are read back unchanged.
func TestModelComesBack(t *testing.T) {
	out, errs, _ := command(t, "", "-format", "model", temp)
	require.Empty(t, errs)
	var got []*smart.Snapshot
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	f, err := os.Open(temp)
	require.NoError(t, err)
	defer f.Close()
	want, err := smart.Parse(f)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// TestHistory: an attribute log is a series, and -series combines documents.
func TestHistory(t *testing.T) {
	log := filepath.Join(t.TempDir(), "attrlog.MODEL_1-SN1.ata.csv")
	require.NoError(t, os.WriteFile(log, []byte("2026-03-01 00:00:00;\t197;100;0;\t5;100;0;\n2026-03-02 00:00:00;\t197;100;24;\t5;100;0;\n"+
		"2026-03-03 00:00:00;\t197;100;0;\t5;100;24;\n"), 0o644))
	out, errs, status := command(t, "", log)
	require.Empty(t, errs)
	require.Equal(t, 1, status)
	require.Equal(t, 1, strings.Count(out, "MODEL_1, serial SN1"), out)
	require.Contains(t, out, "ACT pending-sectors: sectors could not be read within the last year and were rewritten or remapped since (24 24 hours ago, 0 now;")
	doc := `{"smartctl":{"exit_status":0},"model_name":"M","serial_number":"S","smart_status":{"passed":true},"power_on_time":{"hours":%d},` +
		`"ata_smart_attributes":{"table":[{"id":197,"name":"Current_Pending_Sector","raw":{"value":%d,"string":"x"}}]}}`
	docs := fmt.Sprintf(doc, 100, 0) + fmt.Sprintf(doc, 124, 3) + fmt.Sprintf(doc, 148, 0)
	out, _, _ = command(t, docs, "-series", "-")
	require.Equal(t, 1, strings.Count(out, "serial S"), out)
	require.Contains(t, out, "WATCH pending-sectors")
	out, _, _ = command(t, docs, "-")
	require.Equal(t, 3, strings.Count(out, "serial S"), out)
}
