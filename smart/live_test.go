package smart_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/smart"
)

var (
	smartctl      = oracle.Tool{Name: "smartctl", Package: "smartmontools", Probe: []string{"-V"}, Version: regexp.MustCompile(`^smartctl (\S+)`), AtLeast: "7.2"}
	smartdVersion = regexp.MustCompile(`^smartd (\S+)`)
	compiler      = oracle.Tool{Name: "gcc", Package: "gcc", Probe: []string{"--version"}}
)

// installedDB returns the drive database that the installed smartctl reads.
var installedDB = sync.OnceValues(func() (*smart.DriveDB, error) {
	for _, name := range []string{"/var/lib/smartmontools/drivedb/drivedb.h", "/usr/share/smartmontools/drivedb.h"} {
		if f, err := os.Open(name); err == nil {
			defer f.Close()
			return smart.LoadDriveDB(f)
		}
	}
	return nil, os.ErrNotExist
})

// both is what smartctl printed in one run: the document and, inside of it, the
// lines of the text.
type both struct {
	doc  []byte
	text []byte
	code int
}

// ask runs smartctl with -j=o, which prints the text and the JSON of one run.
func ask(t testing.TB, tool oracle.Found, c oracle.Cmd) both {
	t.Helper()
	c.Path = tool.Path
	c.Args = append([]string{"--json=oc"}, c.Args...)
	r := oracle.Run(t, c)
	var d struct {
		Smartctl struct{ Output []string }
	}
	require.NoError(t, json.Unmarshal(r.Stdout, &d), "%.300s %.300s", r.Stdout, r.Stderr)
	return both{r.Stdout, []byte(strings.Join(d.Smartctl.Output, "\n") + "\n"), r.ExitCode}
}

// replay writes the transcript that smartctl reads on its standard input.
func (d *ataDrive) replay() []byte {
	var b bytes.Buffer
	command := func(name, param string, data []byte) {
		fmt.Fprintf(&b, "REPORT-IOCTL: Device=- Command=%s%s\n", name, param)
		code := 0
		if name == "SMART STATUS CHECK" && d.failing {
			code = 1
		}
		outcome := "0"
		if code != 0 {
			outcome = "1 errno=0 [Success]"
		}
		fmt.Fprintf(&b, "REPORT-IOCTL: Device=- Command=%s returned %s\n", name, outcome)
		if data == nil {
			return
		}
		fmt.Fprintf(&b, "\n===== [%s] DATA START (BASE-16) =====\n", name)
		for i := 0; i < 512; i += 16 {
			fmt.Fprintf(&b, "%03d-%03d:", i, i+15)
			for _, c := range data[i : i+16] {
				fmt.Fprintf(&b, " %02x", c)
			}
			b.WriteString(" |................|\n")
		}
		fmt.Fprintf(&b, "===== [%s] DATA END (512 Bytes) =====\n\n", name)
	}
	command("IDENTIFY DEVICE", "", d.identify)
	command("SMART READ ATTRIBUTE VALUES", "", d.values)
	command("SMART READ ATTRIBUTE THRESHOLDS", "", d.thresholds)
	command("SMART STATUS CHECK", "", nil)
	command("SMART READ LOG", " InputParameter=1", d.errorLog)
	command("SMART READ LOG", " InputParameter=6", d.selfTestLog)
	return b.Bytes()
}

// record packs pages for the fake device.
func record(b *bytes.Buffer, key string, data []byte) {
	var head [20]byte
	copy(head[:16], key)
	binary.LittleEndian.PutUint32(head[16:], uint32(len(data)))
	b.Write(head[:])
	b.Write(data)
}

func (d *ataDrive) pages() []byte {
	var b bytes.Buffer
	record(&b, "ata ec", d.identify)
	record(&b, "ata b0 d0", d.values)
	record(&b, "ata b0 d1", d.thresholds)
	if d.failing {
		record(&b, "status", []byte{1, 0xf4, 0x2c, 0x50, 0})
	}
	dir := make([]byte, 512)
	dir[0] = 1
	for log, n := range map[int]int{1: 1, 3: len(d.extErrorLog) / 512, 4: 8, 6: 1, 7: len(d.extSelfTestLog) / 512, 0xe0: 1, 0xe1: 1} {
		binary.LittleEndian.PutUint16(dir[2*log:], uint16(n))
	}
	record(&b, "log 00", dir)
	record(&b, "gpl 00", dir)
	record(&b, "gpl 03", d.extErrorLog)
	record(&b, "gpl 04", d.devStats)
	record(&b, "gpl 07", d.extSelfTestLog)
	record(&b, "log e0", d.sctStatus)
	record(&b, "write e0", nil)
	record(&b, "log e1", d.sctHistory)
	return b.Bytes()
}

// fakeDevice builds the library that answers smartctl's requests, once.
func fakeDevice(t testing.TB) string {
	t.Helper()
	gcc := compiler.Need(t)
	dir := t.TempDir()
	src, err := os.ReadFile("testdata/fakedev.c")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "fakedev.c"), src, 0o644))
	r := oracle.Run(t, oracle.Cmd{Path: gcc.Path, Dir: dir, Args: []string{"-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", "fakedev.so", "fakedev.c", "-ldl"}})
	require.Zero(t, r.ExitCode, "%s", r.Stderr)
	return filepath.Join(dir, "fakedev.so")
}

// askFake runs smartctl on a file of pages.
func askFake(t testing.TB, tool oracle.Found, lib, dir string, pages []byte, args ...string) both {
	t.Helper()
	name := filepath.Join(dir, "pages")
	require.NoError(t, os.WriteFile(name, pages, 0o644))
	return ask(t, tool, oracle.Cmd{Dir: dir, Args: append(args, name), Env: []string{"FAKEDEV=" + name, "LD_PRELOAD=" + lib}})
}

// database returns the drive database of a drive and the options that make smartctl
// use it.
func (d *ataDrive) database(t testing.TB, dir string) (*smart.DriveDB, []string) {
	t.Helper()
	if d.db == "" {
		db, err := installedDB()
		require.NoError(t, err)
		return db, nil
	}
	name := filepath.Join(dir, "drivedb.h")
	require.NoError(t, os.WriteFile(name, []byte(d.db), 0o644))
	db, err := smart.LoadDriveDB(strings.NewReader(d.db))
	require.NoError(t, err)
	require.Empty(t, db.Warnings, "%s", d.db)
	return db, []string{"-B", name}
}

// TestATAReplayAgreesWithSmartctl feeds random sectors to smartctl's standard input and
// compares raw == text == JSON.
func TestATAReplayAgreesWithSmartctl(t *testing.T) {
	oracle.Slow(t)
	tool := smartctl.Need(t)
	g := gen{oracle.Rand(t)}
	dir := t.TempDir()
	n := oracle.N(300, 6000)
	for i := range n {
		d := g.drive()
		db, args := d.database(t, dir)
		out := ask(t, tool, oracle.Cmd{Dir: dir, Args: append(args, "-i", "-H", "-c", "-A", "-l", "error", "-l", "selftest", "-"), Stdin: bytes.NewReader(d.replay())})
		raw := &smart.Snapshot{}
		p := smart.ATAPages{Identify: d.identify, Values: d.values, Thresholds: d.thresholds, ErrorLog: d.errorLog, SelfTestLog: d.selfTestLog, Status: d.status()}
		require.NoError(t, smart.DecodeATA(raw, p, db))
		compare(t, fmt.Sprintf("case %d", i), d.db, raw, out)
		list, err := smart.ParseBytes(d.replay(), db)
		require.NoError(t, err)
		require.Equal(t, viewOf(raw, false), viewOf(list[0], false), "case %d: transcript", i)
	}
	oracle.Compared(t, tool, n)
}

func (d *ataDrive) status() smart.Opt[smart.Registers] {
	if d.failing {
		return smart.Some(smart.Registers{LBA: 0x2cf400})
	}
	return smart.Some(smart.Registers{LBA: 0xc24f00})
}

// TestATALogsAgreeWithSmartctl does the same through the fake device, with the logs
// that only READ LOG EXT and SCT give.
func TestATALogsAgreeWithSmartctl(t *testing.T) {
	oracle.Slow(t)
	tool := smartctl.Need(t)
	lib := fakeDevice(t)
	g := gen{oracle.Rand(t)}
	dir := t.TempDir()
	n := oracle.N(150, 4000)
	for i := range n {
		d := g.drive()
		db, args := d.database(t, dir)
		out := askFake(t, tool, lib, dir, d.pages(), append(args, "-x", "-l", "xerror,64", "-l", "xselftest,255", "-f", "old", "-d", "sat")...)
		raw := &smart.Snapshot{}
		p := smart.ATAPages{
			Identify: d.identify, Values: d.values, Thresholds: d.thresholds, ExtErrorLog: d.extErrorLog, ExtSelfTestLog: d.extSelfTestLog,
			SCTStatus: d.sctStatus, SCTHistory: d.sctHistory, DeviceStats: d.devStats, Status: d.status(),
		}
		require.NoError(t, smart.DecodeATA(raw, p, db))
		compare(t, fmt.Sprintf("case %d", i), d.db, raw, out)
	}
	oracle.Compared(t, tool, n)
}

// compare requires that pages, text and JSON of one device give one model.
func compare(t *testing.T, name, db string, raw *smart.Snapshot, out both) {
	t.Helper()
	fromJSON, err := smart.ParseJSON(out.doc)
	require.NoError(t, err, name)
	fromText, err := smart.ParseText(out.text)
	require.NoError(t, err, "%s: %s", name, out.text)
	ambiguous(raw, fromText)
	unclear := false
	if a := raw.Attribute(194); slices.ContainsFunc(raw.Warnings, leftOut) && (a == nil || !strings.HasPrefix(a.Name, "Temperature_Cel")) {
		// Known difference: the document does not show whether an attribute with
		// another name is a temperature.
		fromJSON.Temp, fromText.Temp, unclear = raw.Temp, raw.Temp, true
	}
	dump := func() string {
		name := filepath.Join(os.TempDir(), "dougu-smart-differs.txt")
		_ = os.WriteFile(name, append(append(bytes.Clone(out.text), out.doc...), "\n"+db...), 0o644)
		return name
	}
	pages := *raw
	if newer(fromJSON.Source.Version, 5) {
		// Known difference: 7.5 leaves out some entries whose number is below 1.
		impossible := func(e smart.ErrorEntry) bool { return e.Number < 1 }
		pages.Errors.Entries = slices.DeleteFunc(slices.Clone(raw.Errors.Entries), impossible)
		fromJSON.Errors.Entries = slices.DeleteFunc(fromJSON.Errors.Entries, impossible)
		fromText.Errors.Entries = slices.DeleteFunc(fromText.Errors.Entries, impossible)
		for _, s := range []*smart.Snapshot{fromJSON, fromText} {
			if !raw.Errors.Count.OK && s.Errors.Count.V == 0 { // and has no errors in a log with an index out of range
				s.Errors.Count = raw.Errors.Count
			}
		}
	}
	if !newer(fromJSON.Source.Version, 3) {
		// Known difference: the documents of 7.2 do not contain whether SMART is supported
		// and enabled.
		fromJSON.Identity.SMARTAvailable, fromJSON.Identity.SMARTEnabled = raw.Identity.SMARTAvailable, raw.Identity.SMARTEnabled
	}
	if a, b := viewOf(&pages, false), viewOf(fromJSON, false); !assertEqual(t, a, b) {
		t.Fatalf("%s: pages and JSON differ, see %s", name, dump())
	}
	if a, b := viewOf(&pages, true), viewOf(fromText, true); !assertEqual(t, a, b) {
		t.Fatalf("%s: pages and text differ, see %s", name, dump())
	}
	for _, w := range slices.Concat(fromText.Warnings, fromJSON.Warnings) {
		if !strings.Contains(w.Msg, "Temperature History") && !leftOut(w) {
			t.Fatalf("%s: %s, see %s", name, w, dump())
		}
	}
	checkRevealed(t, name, raw, fromText)
	if !unclear {
		checkSummary(t, name, fromJSON, out.doc)
	}
}

// newer reports whether a version of smartctl is 7.minor or newer.
func newer(version string, minor int) bool {
	var major, n int
	_, err := fmt.Sscanf(version, "%d.%d", &major, &n)
	return err == nil && (major > 7 || major == 7 && n >= minor)
}

// ambiguous drops what a text cannot tell. Known difference: a drive database may print
// attributes 190 and 194 in another format than a temperature, and then a text with a
// small number looks the same.
func ambiguous(raw, text *smart.Snapshot) {
	if a := raw.Attribute(9); a != nil && a.Format.Kind != smart.Raw24Raw8 && !raw.PowerOn.OK {
		text.PowerOn = raw.PowerOn
	}
	if a := raw.Attribute(12); a != nil && a.Format.Kind != smart.Raw48 && !raw.PowerCycles.OK {
		text.PowerCycles = raw.PowerCycles
	}
	other := func(id uint8) bool { // an attribute that would hold the temperature, were its format not another one
		a := raw.Attribute(id)
		return a != nil && a.Format.Kind != smart.TempMinMax && a.Format.Kind != smart.Temp10x
	}
	if a := raw.Attribute(194); raw.Temp.Current.From == smart.FromAttribute && a != nil && a.Name == "Unknown_Attribute" ||
		text.Temp.Current.From == smart.FromAttribute && raw.Temp.Current.From == smart.FromAttribute && (other(194) || other(190)) {
		text.Temp.Current, text.Temp.LifetimeMin, text.Temp.LifetimeMax = raw.Temp.Current, raw.Temp.LifetimeMin, raw.Temp.LifetimeMax
	}
	if !raw.Temp.Current.OK && text.Temp.Current.From == smart.FromAttribute {
		for _, v := range []*smart.TempValue{&text.Temp.Current, &text.Temp.LifetimeMin, &text.Temp.LifetimeMax} {
			if v.From == smart.FromAttribute {
				*v = smart.TempValue{}
			}
		}
	}
}

func writeFile(t testing.TB, dir, name string, b []byte) string {
	t.Helper()
	name = filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(name, b, 0o644))
	return name
}
