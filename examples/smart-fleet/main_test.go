package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func compressed(t *testing.T, dir, name, text string) {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644))
}

func measured(t *testing.T, args ...string) (out, errs string, status int) {
	t.Helper()
	var o, e bytes.Buffer
	status = run(&o, &e, args)
	return o.String(), e.String(), status
}

// TestIntervals: a drive that fails with a warning, one that fails without, one whose
// warning is gone before the last 30 days, and healthy drives with and without an alarm.
func TestIntervals(t *testing.T) {
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("serial_number,model,start_hours,stop_hours,failure,smart_5_raw,smart_187_raw,smart_197_raw\n")
	b.WriteString("A,M,0,8000,0,0,0,0\nA,M,8000,8766,1,0,0,40\n") // act and watch
	b.WriteString("B,M,0,8766,1,0,0,0\n")                         // none
	b.WriteString("C,M,0,100,0,0,0,1\nC,M,100,20000,1,0,0,0\n")   // more than a year ago
	b.WriteString("D,M,0,8766,0,0,0.0,1\n")                       // watch, healthy
	b.WriteString("E,M,0,78894,0,2,,0\n")                         // healthy
	compressed(t, dir, "intervals.csv.gz", b.String())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "scrutiny-thresholds.tsv"), []byte("id\tcritical\tshown\tlow\thigh\trate\n"+
		"197\t1\traw\t0\t0\t0.02\n197\t1\traw\t0\t2\t0.5\n5\t1\traw\t1\t4\t0.01\n9\t0\traw\t\t\t\n"), 0o644))
	out, errs, status := measured(t, "-data", dir, "-rules")
	require.Zero(t, status, errs)
	require.Contains(t, out, "intervals.csv.gz: 5 drives, 3 failed, 7 rows, 10 drive-years without failure\n")
	for _, want := range []string{"act 33.3 % 32 days 0.0", "act or watch 33.3 % 32 days 100.0", "smartd defaults 33.3 % 32 days 100.0",
		"scrutiny limits 0.0 % 0 days 100.0"} {
		require.Contains(t, strings.Join(strings.Fields(out), " "), want)
	}
	require.Contains(t, out, "pending-sectors watch")
	a, _, _ := measured(t, "-data", dir, "-half", "a")
	o, _, _ := measured(t, "-data", dir, "-half", "b")
	var na, nb int
	_, err := fmt.Sscanf(a, "intervals.csv.gz: %d drives", &na)
	require.NoError(t, err)
	_, err = fmt.Sscanf(o, "intervals.csv.gz: %d drives", &nb)
	require.NoError(t, err)
	require.Equal(t, 5, na+nb)
}

// TestDaysTicketsAndDumps: the other forms.
func TestDaysTicketsAndDumps(t *testing.T) {
	dir := t.TempDir()
	compressed(t, dir, "days.csv.gz",
		"date,serial_number,model,failure,smart_9_raw,smart_197_raw\n2013-04-10,A,M,0,100,0\n2013-04-11,A,M,0,124,99\n2013-04-12,A,M,1,148,99\n")
	compressed(t, dir, "tickets.csv.gz",
		"model,failure_time,r_5,r_187,n_wearout,r_9,disk_id\nA1,2018-01-07 09:37:30,0,20,95,100,1\nA1,2018-01-07 09:37:30,0,0,95,100,2\n")
	head := "smartctl 7.1 2019-12-30 r5022 [x]\n=== START OF INFORMATION SECTION ===\nDevice Model:     M\n=== START OF READ SMART DATA SECTION ===\n"
	compressed(t, dir, "dumps.txt.gz", "@@\tHDD/M/1\t0\t2021-05-17\n"+head+"SMART overall-health self-assessment test result: PASSED\n"+
		"197 Current_Pending_Sector  -O--CK   100   100   000    -    40\n@@\tHDD/M/1\t1\t2021-06-16\n"+head+"SMART overall-health self-assessment test result: "+
		"FAILED!\n"+
		"@@\tHDD/M/2\t0\t2021-05-17\n"+head+"SMART overall-health self-assessment test result: PASSED\n")
	out, errs, status := measured(t, "-data", dir)
	require.Zero(t, status, errs)
	flat := strings.Join(strings.Fields(out), " ")
	require.Contains(t, flat,
		"days.csv.gz: 1 drives, 1 failed, 3 rows, 0 drive-years without failure rules 1-30 days before median lead alarms per 1,000 drive-years act 100.0 % 2 days 0.0")
	require.Contains(t, flat, "tickets.csv.gz: 2 drives, 2 failed, 2 rows rules of the failed drives act 50.0 %")
	require.Contains(t, flat,
		"dumps.txt.gz: 2 drives, 1 failed, 3 rows, 0 drive-years without failure rules before FAILED median lead alarms per 1,000 drive-years act 100.0 % 30 days 0.0")
}

func TestBadData(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"a,b\n1,2\n", "unknown columns"},
		{"serial_number,model,start_hours,stop_hours,failure\nA,M,x,1,0\n", "line 2: invalid start_hours"},
		{"serial_number,model,start_hours,stop_hours,failure\nA,M,5,6,0\nA,M,1,2,0\n", "line 3: the rows of a drive are not in the order of time"},
		{"date,serial_number,model,failure\nx,A,M,0\n", "line 2: invalid date"},
		{"", "names of the columns"},
	} {
		dir := t.TempDir()
		compressed(t, dir, "x.csv.gz", row.text)
		_, errs, status := measured(t, "-data", dir)
		require.Equal(t, 2, status)
		require.Contains(t, errs, row.want)
	}
	_, errs, status := measured(t, "-data", t.TempDir())
	require.Equal(t, 2, status)
	require.Contains(t, errs, "no *.gz file")
	_, errs, status = measured(t, "-h")
	require.Zero(t, status)
	require.Contains(t, errs, "usage: smart-fleet")
}
