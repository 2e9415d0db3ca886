package smart_test

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/diag"
	"dougu.internal/internal/oracle"
	"dougu.internal/smart"
	"dougu.internal/smart/judge"
)

// TestTextOfOldVersions: banners, tables and lines of versions that no Debian ships.
func TestTextOfOldVersions(t *testing.T) {
	s, err := smart.ParseText([]byte(textHead + storyLines[:strings.IndexByte(storyLines, '\n')+1]))
	require.NoError(t, err)
	require.Empty(t, s.Warnings)
	require.Equal(t, "5.38", s.Source.Version)
	require.Equal(t, "ST3500630NS", s.Identity.Model)
	require.Equal(t, smart.Some(uint64(500107862016)), s.Identity.Capacity)
	require.Equal(t, smart.Passed, s.Health.Status)

	for _, row := range []struct {
		name, line string
		check      func(t *testing.T, a smart.Attribute)
	}{
		{"brief", "  5 Reallocated_Sector_Ct   PO--CK   100   100   036    -    0", func(t *testing.T, a smart.Attribute) {
			require.Equal(t, smart.Prefail|smart.Online|smart.EventCount|smart.AutoKeep, a.Flags)
		}},
		{"hex id", "0xc2 Temperature_Celsius     0x0022   020   040   000    Old_age   Always       -       20",
			func(t *testing.T, a smart.Attribute) { require.EqualValues(t, 194, a.ID) }},
		{"hex values", "194 Temperature_Celsius     -O---K   0x14  0x28  0x00   -    20", func(t *testing.T, a smart.Attribute) { require.EqualValues(t, 40, a.Worst) }},
		{"no values", "  9 X 0x0022   ---   ---   ---    Old_age   Always       -       0x0544a31284216364", func(t *testing.T, a smart.Attribute) {
			require.Equal(t, smart.NoValue, a.State)
			require.Equal(t, "0544a3128421", a.Raw.Hex())
		}},
		{"failing row is shifted", "  5 Reallocated_Sector_Ct   0x0033   001   001   036    Pre-fail  Always   FAILING_NOW 551 (1 2)",
			func(t *testing.T, a smart.Attribute) {
				require.Equal(t, smart.FailingNow, a.State)
				require.Equal(t, "551 (1 2)", a.Raw.Text)
			}},
		{"past", "190 Airflow_Temperature_Cel -O---K   060   040   045    Past 40 (0 3 41 24 0)",
			func(t *testing.T, a smart.Attribute) { require.Equal(t, smart.FailedPast, a.State) }},
		{"tabs and no-break spaces", "\t5\tUnknown\u00a0Name\t0x0033\u00a0100 100 036 Pre-fail Always - 7", func(t *testing.T, a smart.Attribute) {
			require.Equal(t, "Unknown\u00a0Name", a.Name)
		}},
		{"name fills the column", "235 GDMBQPOMXDMMMXCVJFFIZDBI0x0001   253   100   000    Pre-fail  Offline      -       36921 (46899 16378)",
			func(t *testing.T, a smart.Attribute) {
				require.Equal(t, "GDMBQPOMXDMMMXCVJFFIZDBI", a.Name)
			}},
		{"old 190 is a bare number", "190 Airflow_Temperature_Cel 0x0022   057   056   045    Old_age   Always       -       740950059",
			func(t *testing.T, a smart.Attribute) {
				s, err := smart.ParseText([]byte("190 Airflow_Temperature_Cel 0x0022   057   056   045    Old_age   Always       -       740950059\n"))
				require.NoError(t, err)
				require.EqualValues(t, 43, s.Temp.Current.C)
			}},
	} {
		t.Run(row.name, func(t *testing.T) {
			a, err := smart.ParseAttributeLine([]byte(row.line))
			require.NoError(t, err)
			row.check(t, a)
		})
	}
	_, err = smart.ParseAttributeLine([]byte("194 Temperature"))
	require.ErrorContains(t, err, "not a row")
}

// TestTextOfSeveralDrives: a stream of outputs, and rows without a header.
func TestTextOfSeveralDrives(t *testing.T) {
	list, err := smart.Parse(strings.NewReader(textHead + storyLines + "\n# smartctl -d megaraid,7 -a /dev/sda\n" + textSCSI + textNVMe))
	require.NoError(t, err)
	require.Len(t, list, 3)
	require.Len(t, list[0].Attributes, 4, "under a header a repeated id is a second row of the same drive")
	require.Equal(t, smart.Some(7), list[1].Device.Port)
	require.Equal(t, "/dev/sda", list[1].Device.Node)
	require.Equal(t, smart.Failed, list[1].Health.Status)
	require.EqualValues(t, -1, list[1].Temp.LifetimeMin.C)
	require.Equal(t, smart.Some(uint64(123456789000000)), list[1].SCSI.Read.Bytes)
	require.Equal(t, "340282366920938463463374607431768211455", list[2].NVMe.ErrorLogCount.V.String())
	require.Equal(t, smart.Some(uint32(2537731168)), list[2].NVMe.ThermalTransitions[1])
	_, err = smart.ParseText([]byte("nothing of it\n"))
	require.ErrorIs(t, err, smart.ErrNoData)
}

// TestGuessedHealthStaysUnknown: PASSED from an attribute check is no answer.
func TestGuessedHealthStaysUnknown(t *testing.T) {
	s, err := smart.ParseText([]byte("SMART overall-health self-assessment test result: PASSED\nWarning: This result is based on an Attribute check.\n"))
	require.NoError(t, err)
	require.Equal(t, smart.Health{Inferred: true, Guess: smart.Passed, Detail: "This result is based on an Attribute check."}, s.Health)
	s, err = smart.ParseJSON([]byte(`{"smartctl":{"messages":[{"string":"Warning: This result is based on an Attribute check."}]},"smart_status":{"passed":true}}`))
	require.NoError(t, err)
	require.Equal(t, smart.Unknown, s.Health.Status)
	require.Equal(t, "not-read", judge.Judge(s, judge.Policy{})[0].Rule)
}

// TestJSONOddShapes: what other tools, other versions and hostile devices print.
func TestJSONOddShapes(t *testing.T) {
	for _, support := range []string{`true`, `{"available":true}`} {
		s, err := smart.ParseJSON([]byte(`{"serial_number":"S","smart_support":` + support + `}`))
		require.NoError(t, err)
		require.Equal(t, smart.Some(true), s.Identity.SMARTAvailable)
	}
	s, err := smart.ParseJSON([]byte("\xef\xbb\xbf" + `{"device":{"protocol":"NVMe"},"nvme_smart_health_information_log":{"data_units_read":340282366920938463463374607431768211455,
		"data_units_written":9007199254740993,"data_units_written_s":"9007199254740993","host_reads":340282366920938463463374607431768211456,"media_errors":-1,"temperature_sensors":[27,null,"x",37]}}`))
	require.NoError(t, err)
	require.Equal(t, smart.Uint128{Hi: ^uint64(0), Lo: ^uint64(0)}, s.NVMe.UnitsRead.V)
	require.Equal(t, uint64(9007199254740993), s.NVMe.UnitsWritten.V.Lo)
	require.False(t, s.NVMe.HostReads.OK, "more than 128 bits")
	require.False(t, s.NVMe.MediaErrors.OK)
	require.Equal(t, [8]smart.Opt[int16]{0: smart.Some[int16](27), 3: smart.Some[int16](37)}, s.NVMe.Sensors)

	s, err = smart.ParseJSON([]byte(`{"serial_number":"S","smartctl":{"exit_status":224},"rotation_rate":"x","temperature":{"current":31}}`))
	require.NoError(t, err, "a nonzero exit status is a finding")
	require.Equal(t, smart.ExitPast|smart.ExitErrorLog|smart.ExitSelfTestLog, s.Exit.V)
	require.Len(t, s.Warnings, 1)
	require.Contains(t, s.Warnings[0].String(), "rotation_rate")
	require.EqualValues(t, 31, s.Temp.Current.C)

	_, err = smart.ParseJSON([]byte(`{"device":{"protocol":"SCSI"},"temperature":{"current":0},"scsi_environmental_reports":{"temperature_1":{"current":40,"lifetime_minimum":-1}}}`))
	require.Error(t, err, "no drive is named")
	s, err = smart.ParseJSON([]byte(`{"serial_number":"S","device":{"protocol":"SCSI"},"temperature":{"current":0},"scsi_environmental_reports":{"temperature_1":{"current":40,"lifetime_minimum":-1}}}`))
	require.NoError(t, err)
	require.EqualValues(t, 40, s.Temp.Current.C, "0 is unknown")
	require.EqualValues(t, -1, s.Temp.LifetimeMin.C)

	// A history of gaps alone has no table (seed 2000 of the logs).
	s, err = smart.ParseJSON([]byte(`{"serial_number":"S","ata_sct_temperature_history":{"size":3,"index":0}}`))
	require.NoError(t, err)
	require.Equal(t, make([]smart.Opt[int8], 3), s.History.Samples)

	_, err = smart.ParseJSON([]byte("{\n\"serial_number\": x}"))
	require.ErrorContains(t, err, "JSON: 2:18:")
	_, err = smart.ParseJSON([]byte(`{"devices":[{"name":"/dev/sda"}]}`))
	require.ErrorIs(t, err, smart.ErrScan)
	_, err = smart.Parse(strings.NewReader(strings.Repeat("[", 20000)))
	require.Error(t, err)
	list, err := smart.Parse(strings.NewReader(`{"serial_number":"A"} [{"serial_number":"B"},{"devices":[]}]` + "\n" + `{"serial_number":"C"}`))
	require.NoError(t, err)
	require.Len(t, list, 3)
}

// TestExtendedTestMinutes: FFh sends the reader to a word, unless that holds nothing (seed
// 15759861677134758208 of the logs).
func TestExtendedTestMinutes(t *testing.T) {
	g := gen{rand.New(rand.NewPCG(9, 10))}
	v := g.drive().values
	v[367] |= 0x10
	for _, row := range []struct {
		b    byte
		w    uint16
		want uint16
	}{{254, 300, 254}, {255, 300, 300}, {255, 0, 255}, {0, 300, 0}} {
		v[373] = row.b
		binary.LittleEndian.PutUint16(v[375:], row.w)
		var s smart.Snapshot
		require.NoError(t, smart.DecodeATA(&s, smart.ATAPages{Values: v}, nil))
		require.Equal(t, smart.Some(row.want), s.Offline.ExtendedMinutes, "%d, %d", row.b, row.w)
	}
}

// TestOtherFormatsOfTemperatures: attribute 194 in another format is not a temperature (seeds
// 11624807416609913378 of the replay, 7231684914804708880 of the logs).
func TestOtherFormatsOfTemperatures(t *testing.T) {
	const table = `"ata_smart_attributes":{"table":[{"id":194,"name":"X","value":136,"raw":{"value":7,"string":"7"}},{"id":190,"name":"Temperature_190","value":3,"raw":{"value":3,"string":"3"}}]}`
	s, err := smart.ParseJSON([]byte(`{"serial_number":"S","temperature":{"current":3},` + table + `}`))
	require.NoError(t, err)
	require.Equal(t, smart.TempValue{C: 3, OK: true, From: smart.FromAttribute}, s.Temp.Current, "the tool knows the format")
	s, err = smart.ParseJSON([]byte(`{"serial_number":"S","ata_smart_attributes":{"table":[{"id":194,"name":"X","value":1,"raw":{"value":16205055,"string":"-1 (Min/Max -9/68)"}},{"id":190,"name":"Y","value":3,"raw":{"value":46,"string":"46"}}]}}`))
	require.NoError(t, err)
	require.Equal(t, smart.TempValue{C: -1, OK: true, From: smart.FromAttribute}, s.Temp.Current, "the tool took 190 for no temperature (seed 3680725084818361446)")
	require.EqualValues(t, 68, s.Temp.LifetimeMax.C)
	s, err = smart.ParseText([]byte(`=== START OF INFORMATION SECTION ===
Serial Number:    S
=== START OF READ SMART DATA SECTION ===
Vendor Specific SMART Attributes with Thresholds:
ID# ATTRIBUTE_NAME          FLAG     VALUE WORST THRESH TYPE      UPDATED  WHEN_FAILED RAW_VALUE
194 Unknown_Attribute       0x003a   136   198   ---    Old_age   Always       -       7

Device Statistics page 0x00 is invalid (page=0x00, nentries=0)
`))
	require.NoError(t, err)
	require.False(t, s.Temp.Current.OK)
	require.Empty(t, s.Warnings)
}

// TestBadPagesGivePartialResults: every page may be broken, and the rest stays.
func TestBadPagesGivePartialResults(t *testing.T) {
	g := gen{rand.New(rand.NewPCG(9, 10))}
	d := g.drive()
	for _, row := range []struct {
		name  string
		pages smart.ATAPages
		warns string
		err   error
	}{
		{"short", smart.ATAPages{Values: d.values[:511]}, "shorter than 512", smart.ErrNoData},
		{"zeros", smart.ATAPages{Values: make([]byte, 512)}, "nothing but zeros", smart.ErrNoData},
		{"all FFh", smart.ATAPages{Identify: []byte(strings.Repeat("\xff", 512))}, "nothing but FFh", smart.ErrNoData},
		{"nothing", smart.ATAPages{}, "", smart.ErrNoData},
		{"wrong checksum", smart.ATAPages{Values: append(append([]byte{}, d.values[:511]...), d.values[511]+1), Thresholds: d.thresholds}, "checksum", nil},
		{"thresholds are missing", smart.ATAPages{Values: d.values, Thresholds: make([]byte, 512)}, "thresholds", nil},
		{"index beyond the log", smart.ATAPages{SelfTestLog: append([]byte{1}, []byte(strings.Repeat("\x16", 511))...)}, "the index is 22", nil},
		{"half a status", smart.ATAPages{Status: smart.Some(smart.Registers{LBA: 0x004f00})}, "", nil},
		{"no status", smart.ATAPages{Status: smart.Some(smart.Registers{LBA: 0x123400})}, "neither", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			var s smart.Snapshot
			require.ErrorIs(t, smart.DecodeATA(&s, row.pages, nil), row.err)
			var all []string
			for _, w := range s.Warnings {
				all = append(all, w.String())
			}
			require.Contains(t, strings.Join(all, "\n"), row.warns)
			if row.name == "no status" {
				require.Equal(t, smart.Unknown, s.Health.Status)
			}
			if row.pages.Values != nil && row.err == nil {
				require.NotEmpty(t, s.Attributes)
			}
		})
	}
	h := g.sctHistory()
	binary.LittleEndian.PutUint16(h[30:], 128)
	binary.LittleEndian.PutUint16(h[32:], 128)
	var s smart.Snapshot
	require.NoError(t, smart.DecodeATA(&s, smart.ATAPages{SCTHistory: h}, nil))
	require.Empty(t, s.History.Samples)
	require.NotEmpty(t, s.Warnings)

	require.ErrorContains(t, smart.DecodeNVMe(&smart.NVMeHealth{}, make([]byte, 511)), "512 are due")
	var c smart.SCSIHealth
	require.ErrorContains(t, smart.DecodeSCSI(&c, []byte{0x0d, 0, 0, 12, 0, 0, 3, 2, 0, 38, 0, 1, 3}), "length field")
	require.Equal(t, smart.Some[int16](38), c.Temperature, "what is there is used")
	require.ErrorIs(t, smart.DecodeSCSI(&c, []byte{0x18, 0, 0, 0}), errors.ErrUnsupported)
}

// TestHostileTextIsBounded: long lines, NUL, escapes, broken UTF-8.
func TestHostileTextIsBounded(t *testing.T) {
	evil := "=== START OF INFORMATION SECTION ===\nDevice Model:     \x1b[31mM\x00ODEL\xff\n" + strings.Repeat("x", 70000) + "\n" +
		strings.Repeat("odd line\n", 1000) + storyLines
	s, err := smart.ParseText([]byte(evil))
	require.NoError(t, err)
	require.Equal(t, "MODEL\xff", s.Identity.Model)
	require.LessOrEqual(t, len(s.Warnings), 66)
	require.NotEmpty(t, s.Attributes)
}

// TestDecodersDoNotAllocate holds the claim of the package comment.
func TestDecodersDoNotAllocate(t *testing.T) {
	g := gen{rand.New(rand.NewPCG(11, 12))}
	d := g.drive()
	var s smart.Snapshot
	p := smart.ATAPages{Identify: d.identify, Values: d.values, Thresholds: d.thresholds, Status: d.status(), SCTStatus: d.sctStatus, DeviceStats: d.devStats}
	buf := make([]byte, 0, 4096)
	decode := func() {
		s.Warnings = s.Warnings[:0]
		if err := smart.DecodeATA(&s, p, nil); err != nil {
			t.Fatal(err)
		}
		buf = buf[:0]
		for i := range s.Attributes {
			buf = s.Attributes[i].AppendRaw(buf)
		}
	}
	p.DeviceStats = nil                                     // a page with garbage words its warning
	copy(d.sctStatus[200:], []byte{30, 20, 40, 10, 50, 60}) // so do temperatures that cannot be true
	sum(d.sctStatus)
	decode()
	s.Identity.WWN = "" // the name is made anew
	require.LessOrEqual(t, testing.AllocsPerRun(100, decode), 3.0)
	p.Identify = nil
	require.Zero(t, testing.AllocsPerRun(100, decode))
	var n smart.NVMeHealth
	log := g.nvmeLog()
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = smart.DecodeNVMe(&n, log) }))
}

// TestStateFileOfSmartd lets the real smartd write its state.
func TestStateFileOfSmartd(t *testing.T) {
	daemon := oracle.Tool{Name: "smartd", Package: "smartmontools", Probe: []string{"-V"}, Version: smartdVersion}.Need(t)
	lib := fakeDevice(t)
	g := gen{oracle.Rand(t)}
	for i := range oracle.N(5, 50) {
		d := g.drive()
		d.failing, d.db = false, ""
		copy(d.identify[54:94], strings.Repeat("  ", 20))
		swapped(d.identify[54:94], "MODEL 12")
		sum(d.identify)
		dir := t.TempDir()
		pages := writeFile(t, dir, "pages", d.pages())
		conf := writeFile(t, dir, "conf", []byte(pages+" -a -d sat\n"))
		r := oracle.Run(t, oracle.Cmd{Path: daemon.Path, Dir: dir, Args: []string{"-q", "onecheck", "-s", dir + "/smartd.", "-c", conf},
			Env: []string{"FAKEDEV=" + pages, "LD_PRELOAD=" + lib}})
		files, err := filepath.Glob(dir + "/smartd.*.state")
		require.NoError(t, err)
		require.Len(t, files, 1, "%s %s", r.Stdout, r.Stderr)
		b, err := os.ReadFile(files[0])
		require.NoError(t, err)
		list, err := smart.ParseBytes(b, nil)
		require.NoError(t, err, "%s", b)
		s := list[0]
		require.Empty(t, s.Warnings, "%s", b)
		s.NameFromState(files[0])
		require.Equal(t, "MODEL_12", s.Identity.Model)
		var raw smart.Snapshot
		require.NoError(t, smart.DecodeATA(&raw, smart.ATAPages{Values: d.values}, nil))
		require.Len(t, s.Attributes, len(raw.Attributes), "case %d: %s", i, b)
		for k := range raw.Attributes {
			x, y := &raw.Attributes[k], &s.Attributes[k]
			require.Equal(t, []any{x.ID, x.Value, x.Worst, x.Raw.Bytes}, []any{y.ID, y.Value, y.Worst, y.Raw.Bytes}, "case %d: %s", i, b)
		}
	}
}

// TestCompare: rates, resets, a wrap of 16 bits, another drive, another firmware.
func TestCompare(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	make := func(when time.Time, pending, timeouts uint64, errs uint64, firmware string) *smart.Snapshot {
		s := &smart.Snapshot{Taken: when, Identity: smart.Identity{Model: "M", Serial: "S", Firmware: firmware}}
		for id, v := range map[uint8]uint64{197: pending, 188: timeouts} {
			a := smart.Attribute{ID: id, Name: map[uint8]string{197: "Current_Pending_Sector", 188: "Command_Timeout"}[id]}
			a.Raw.Known = smart.KnownAll
			binary.LittleEndian.PutUint32(a.Raw.Bytes[:4], uint32(v))
			s.Attributes = append(s.Attributes, a)
		}
		s.Errors.Count = smart.Some(errs)
		return s
	}
	change := func(d judge.Delta, name string) judge.Change {
		for _, c := range d.Counters {
			if strings.HasPrefix(c.Name, name) {
				return c
			}
		}
		t.Fatalf("no %s in %+v", name, d.Counters)
		return judge.Change{}
	}
	d, err := judge.Compare(make(at, 1, 5, 65530, "1"), make(at.Add(48*time.Hour), 5, 5, 4, "2"))
	require.NoError(t, err)
	require.Equal(t, smart.Some(uint64(4)), change(d, "attribute 197").Grown)
	require.InDelta(t, 2, change(d, "attribute 197").PerDay.V, 1e-9)
	require.True(t, change(d, "errors").Wrapped)
	require.Equal(t, smart.Some(uint64(10)), change(d, "errors").Grown)
	rules := map[string]diag.Severity{}
	for _, f := range d.Findings {
		rules[f.Rule] = f.Severity
	}
	require.Equal(t, map[string]diag.Severity{"firmware-changed": smart.Info, "attribute-growing": smart.Watch, "errors-logged": smart.Watch}, rules)

	d, err = judge.Compare(make(at, 9, 5, 1, "1"), make(at, 2, 5, 1, "1"))
	require.NoError(t, err)
	require.False(t, change(d, "attribute 197").Reset, "the number of pending sectors is a gauge")
	require.True(t, change(d, "attribute 197").Gauge)
	require.False(t, change(d, "attribute 197").PerDay.OK, "never a negative rate")
	require.Equal(t, "pending-cleared", d.Findings[0].Rule)
	d, err = judge.Compare(make(at, 1, 9, 1, "1"), make(at, 1, 5, 1, "1"))
	require.NoError(t, err)
	require.True(t, change(d, "attribute 188").Reset)
	require.False(t, change(d, "attribute 188").PerDay.OK, "never a negative rate")
	require.Equal(t, "counter-reset", d.Findings[0].Rule)

	other := make(at, 1, 1, 1, "1")
	other.Identity.Serial = "T"
	_, err = judge.Compare(make(at, 1, 1, 1, "1"), other)
	require.ErrorIs(t, err, judge.ErrDifferentDrive)
	_, err = judge.Compare(&smart.Snapshot{}, other)
	require.ErrorIs(t, err, smart.ErrNoData)
}

// TestJudge: each rule has evidence that raises it, and is silent without.
func TestJudge(t *testing.T) {
	attr := func(id uint8, raw uint64, value, worst, thresh uint8, flags smart.Flags) *smart.Snapshot {
		line := smart.Attribute{ID: id, Name: map[uint8]string{5: "Reallocated_Sector_Ct", 197: "Current_Pending_Sector", 188: "Command_Timeout"}[id], Flags: flags,
			Value: value, Worst: worst, Thresh: thresh, Has: smart.HasValue | smart.HasWorst | smart.HasThresh, State: smart.StateOK}
		switch {
		case thresh != 0 && value <= thresh:
			line.State = smart.FailingNow
		case thresh != 0 && worst <= thresh:
			line.State = smart.FailedPast
		}
		line.Raw.Known = smart.KnownAll
		binary.LittleEndian.PutUint32(line.Raw.Bytes[:4], uint32(raw))
		binary.LittleEndian.PutUint16(line.Raw.Bytes[4:], uint16(raw>>32))
		return &smart.Snapshot{Health: smart.Health{Status: smart.Passed}, Attributes: []smart.Attribute{line}}
	}
	at := func(c int16, model string) *smart.Snapshot {
		return &smart.Snapshot{Health: smart.Health{Status: smart.Passed}, Identity: smart.Identity{Model: model, Rotation: smart.Some[uint16](7200)},
			Temp: smart.Temperature{Current: smart.TempValue{C: c, OK: true, From: smart.FromAttribute}}}
	}
	nvme := func(log func(b []byte)) *smart.Snapshot {
		b := make([]byte, 512)
		binary.LittleEndian.PutUint16(b[1:], 300)
		b[3], b[4] = 100, 10
		log(b)
		s := &smart.Snapshot{NVMe: &smart.NVMeHealth{}}
		require.NoError(t, smart.DecodeNVMe(s.NVMe, b))
		s.NVMe.WarningLimit = smart.Some[int16](70)
		s.Conclude()
		return s
	}
	for _, row := range []struct {
		name string
		s    *smart.Snapshot
		want string // rule:severity, sorted by severity
	}{
		{"nothing", &smart.Snapshot{}, "nothing-known:watch"},
		{"healthy attribute", attr(5, 0, 100, 100, 36, smart.Prefail), ""},
		{"a few are reallocated", attr(5, 3, 100, 100, 36, smart.Prefail), "reallocated-sectors:info"},
		{"many are reallocated", attr(5, 100, 100, 100, 36, smart.Prefail), "reallocated-sectors:watch"},
		{"very many are reallocated", attr(5, 1992, 100, 100, 36, smart.Prefail), "reallocated-sectors:act"},
		{"one is pending", attr(197, 1, 100, 100, 0, 0), "pending-sectors:watch"},
		{"many are pending", attr(197, 12904, 100, 100, 0, 0), "pending-sectors:act"},
		{"sentinel is unknown", attr(197, 4294967295, 1, 1, 0, 0), ""},
		{"timeouts of three counters", attr(188, 0x000200030000, 100, 100, 0, 0), ""},
		{"prefail now", attr(1, 0, 30, 30, 50, smart.Prefail), "attribute-failing:act"},
		{"old age now", attr(4, 0, 30, 30, 50, 0), "attribute-failing:watch"},
		{"past", attr(4, 0, 90, 30, 50, 0), "attribute-past:watch"},
		{"past temperature", attr(190, 40, 90, 30, 50, 0), "attribute-past:info"},
		{"failed", &smart.Snapshot{Health: smart.Health{Status: smart.Failed}}, "health-failed:act"},
		{"in the middle", at(30, "ST3500630NS"), ""},
		{"inside", at(17, "ST3500630NS"), "temperature-window:watch"},
		{"edge", at(19, "ST3500630NS"), "temperature-window:watch"},
		{"hot side of the window", at(59, "ST3500630NS"), "temperature-window:watch"},
		{"another model", at(17, "WDC WD800"), ""},
		{"below the generic range", at(3, "WDC WD800"), "temperature-low:watch"},
		{"above the generic range", at(61, "WDC WD800"), "temperature-high:watch"},
		{"NVMe fine", nvme(func([]byte) {}), ""},
		{"NVMe spare", nvme(func(b []byte) { b[0], b[3] = 1, 5 }), "health-failed:act nvme-warning:act"},
		{"NVMe worn", nvme(func(b []byte) { b[5] = 120 }), "wear:watch"},
		{"NVMe media", nvme(func(b []byte) { b[160] = 1 }), "nvme-media-errors:watch"},
		{"NVMe at its limit", nvme(func(b []byte) { binary.LittleEndian.PutUint16(b[1:], 343) }), "temperature-high:watch"},
		{"defects", &smart.Snapshot{SCSI: &smart.SCSIHealth{GrownDefects: smart.Some[uint64](30)}}, "scsi-defects:watch"},
		{"self-test", &smart.Snapshot{Health: smart.Health{Status: smart.Passed},
			SelfTests: []smart.SelfTest{{Num: 1, Kind: "Short offline", Code: smart.Some[uint8](0x79)}}}, "self-test-failed:act"},
		{"a good short test does not clear a bad one", &smart.Snapshot{Health: smart.Health{Status: smart.Passed},
			SelfTests: []smart.SelfTest{{Num: 1, Kind: "Short offline", Code: smart.Some[uint8](0)},
				{Num: 2, Kind: "Short offline", Code: smart.Some[uint8](0x79)}}}, "self-test-failed:act"},
		{"a good extended test clears a bad one", &smart.Snapshot{Health: smart.Health{Status: smart.Passed},
			SelfTests: []smart.SelfTest{{Num: 1, Kind: "Extended captive", Code: smart.Some[uint8](0)},
				{Num: 2, Kind: "Short offline", Code: smart.Some[uint8](0x79)}}}, "self-test-failed:info"},
		{"not read", &smart.Snapshot{Exit: smart.Some(smart.ExitOpen), Messages: []string{"Smartctl open device: /dev/sda failed"}}, "not-read:watch"},
		{"asleep", &smart.Snapshot{Messages: []string{"Device is in STANDBY mode, exit(2)"}}, "not-read:watch"},
		{"switched off", &smart.Snapshot{Identity: smart.Identity{SMARTAvailable: smart.Some(true), SMARTEnabled: smart.Some(false)}}, "smart-disabled:watch"},
		{"errors", &smart.Snapshot{Health: smart.Health{Status: smart.Passed}, Errors: smart.ErrorLog{Count: smart.Some[uint64](2)}}, "errors-logged:info"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got []string
			for _, f := range judge.Judge(row.s, judge.Policy{}) {
				got = append(got, f.Rule+":"+smart.SeverityName(f.Severity))
				require.NotEmpty(t, f.Detail)
				require.NotEmpty(t, f.Source)
			}
			require.Equal(t, row.want, strings.Join(got, " "))
		})
	}
	names := map[string]bool{}
	for _, r := range judge.Rules() {
		require.False(t, names[r.ID])
		names[r.ID] = true
	}
}

// TestDDSpellings: three spellings, a decimal comma, an exponent, and labels.
func TestDDSpellings(t *testing.T) {
	list, err := judge.ParseDD(strings.NewReader(`# dd if=/dev/zero of=/mnt/p1/test bs=1M count=2048
2048+0 records in
2147483648 bytes (2.1 GB) copied, 43.8163 seconds, 49.0 MB/s
2147483648 bytes (2,1 GB, 2,0 GiB) copied, 43,8163 s, 49,0 MB/s
sdc:
5 bytes copied, 2.8566e-05 s, 175 kB/s
`))
	require.NoError(t, err)
	require.Equal(t, []judge.WriteSample{
		{Label: "/mnt/p1/test", Bytes: 2147483648, Took: 43816300 * time.Microsecond, Line: 3},
		{Label: "1", Bytes: 2147483648, Took: 43816300 * time.Microsecond, Line: 4},
		{Label: "sdc", Bytes: 5, Took: 28566 * time.Nanosecond, Line: 6},
	}, list)
	_, err = judge.ParseDD(strings.NewReader("nothing\n"))
	require.ErrorIs(t, err, judge.ErrNoSample)
	_, err = judge.ParseDD(strings.NewReader("5 bytes copied, NaN s, 1 MB/s\n"))
	require.ErrorContains(t, err, "line 1")
}

// onlyFile returns the content and the name of the one file that a pattern matches.
func onlyFile(t *testing.T, dir, pattern string, r oracle.Result) ([]byte, string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	require.Len(t, files, 1, "%s %s", r.Stdout, r.Stderr)
	b, err := os.ReadFile(files[0])
	require.NoError(t, err)
	return b, files[0]
}
