package smart_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/smart"
)

var nvmeCLI = oracle.Tool{Name: "nvme", Package: "nvme-cli", Probe: []string{"version"}, Version: regexp.MustCompile(`nvme version (\S+)`)}

// wide makes a 128-bit counter: most of them small, some at the edges of 53, 64 and 128
// bits.
func (g gen) wide(b []byte) {
	lo, hi := g.Uint64(), uint64(0)
	switch g.IntN(8) {
	case 0:
		lo = 0
	case 1:
		lo = 1<<53 - uint64(g.IntN(2))
	case 2:
		hi, lo = uint64(g.IntN(2)), ^uint64(0)*uint64(g.IntN(2))
	case 3:
		hi = g.Uint64()
	case 4:
		hi, lo = ^uint64(0), ^uint64(0)
	default:
		lo >>= g.IntN(60)
	}
	binary.LittleEndian.PutUint64(b, lo)
	binary.LittleEndian.PutUint64(b[8:], hi)
}

func (g gen) nvmeIdentify() []byte {
	b := make([]byte, 4096)
	copy(b[4:], fmt.Sprintf("%-20s", g.word(upper+digits, 5, 20)))
	copy(b[24:], fmt.Sprintf("%-40s", g.word(upper, 2, 6)+" "+g.word(upper+digits, 3, 30)))
	copy(b[64:], fmt.Sprintf("%-8s", g.word(upper+digits, 3, 8)))
	binary.LittleEndian.PutUint32(b[80:], 0x10400)
	b[256] = 0x10 // device self-test
	b[261], b[262] = 0x0e, 63
	binary.LittleEndian.PutUint16(b[266:], pick[uint16](g, 0, 343, uint16(273+g.IntN(120))))
	binary.LittleEndian.PutUint16(b[268:], pick[uint16](g, 0, 353, uint16(273+g.IntN(120))))
	binary.LittleEndian.PutUint64(b[280:], 1+g.Uint64()>>20)
	binary.LittleEndian.PutUint32(b[516:], 1)
	return b
}

func (g gen) nvmeLog() []byte {
	b := make([]byte, 512)
	b[0] = pick(g, 0, 0, byte(g.IntN(64)))
	binary.LittleEndian.PutUint16(b[1:], uint16(274+g.IntN(110)))
	b[3], b[4], b[5] = byte(g.IntN(101)), byte(g.IntN(101)), byte(g.Uint32())
	for i := range 10 {
		g.wide(b[32+16*i:])
	}
	binary.LittleEndian.PutUint32(b[192:], g.Uint32())
	binary.LittleEndian.PutUint32(b[196:], g.Uint32())
	for i := range 8 {
		binary.LittleEndian.PutUint16(b[200+2*i:], pick[uint16](g, 0, uint16(250+g.IntN(130))))
	}
	for i := range 4 {
		binary.LittleEndian.PutUint32(b[216+4*i:], pick(g, 0, g.Uint32()))
	}
	return b
}

func (g gen) nvmeErrors() []byte {
	b := make([]byte, 64*64)
	n := g.IntN(17)
	for i := range n {
		e := b[64*i:]
		binary.LittleEndian.PutUint64(e, uint64(1000-i))
		binary.LittleEndian.PutUint16(e[8:], uint16(g.Uint32()))
		binary.LittleEndian.PutUint16(e[10:], uint16(g.Uint32()))
		binary.LittleEndian.PutUint16(e[12:], uint16(g.Uint32()))
		binary.LittleEndian.PutUint16(e[14:], uint16(g.Uint32()))
		binary.LittleEndian.PutUint64(e[16:], pick(g, ^uint64(0), g.Uint64()))
		binary.LittleEndian.PutUint32(e[24:], 1)
	}
	return b
}

func (g gen) nvmeSelfTests() []byte {
	b := make([]byte, 564)
	for i := range 20 {
		e := b[4+28*i:]
		copy(e[:28], g.bytes(28))
		e[0] = byte(pick(g, 1, 2, 14, 5))<<4 | byte(g.IntN(16))
		binary.LittleEndian.PutUint64(e[4:], g.Uint64()>>g.IntN(60))
	}
	return b
}

// TestNVMeAgreesWithSmartctl compares random NVMe pages with what smartctl and nvme-cli
// make of them.
func TestNVMeAgreesWithSmartctl(t *testing.T) {
	tool, cli := smartctl.Need(t), nvmeCLI.Need(t)
	lib := fakeDevice(t)
	g := gen{oracle.Rand(t)}
	dir := t.TempDir()
	n := oracle.N(60, 1000)
	for i := range n {
		name := fmt.Sprintf("case %d", i)
		id, log, errs, tests := g.nvmeIdentify(), g.nvmeLog(), g.nvmeErrors(), g.nvmeSelfTests()
		namespace := make([]byte, 4096)
		namespace[128+2] = 9
		var b bytes.Buffer
		record(&b, "nid 01", id)
		record(&b, "nid 00", namespace)
		record(&b, "nlog 02", log)
		record(&b, "nlog 01", errs)
		record(&b, "nlog 06", tests)
		out := askFake(t, tool, lib, dir, b.Bytes(), "-x", "-d", "nvme")
		raw := &smart.Snapshot{}
		require.NoError(t, smart.DecodeNVMeIdentify(raw, id))
		require.NoError(t, smart.DecodeNVMe(raw.NVMe, log))
		raw.Identity.LogicalSector = smart.Some[uint32](512)
		smart.DecodeNVMeErrors(&raw.Errors, errs[:16*64])
		raw.Conclude()

		fromText, err := smart.ParseText(out.text)
		require.NoError(t, err)
		fromJSON, err := smart.ParseJSON(out.doc)
		require.NoError(t, err)
		text, doc := *raw.NVMe, *raw.NVMe
		text.EnduranceWarning = smart.Opt[uint8]{}
		// Known differences of smartctl 7.2 to 7.4: the document has no limits, no thermal
		// counters and no logs; the capacity in it is the namespace's.
		doc.EnduranceWarning = smart.Opt[uint8]{}
		if !newer(fromJSON.Source.Version, 5) {
			doc.WarningLimit, doc.CriticalLimit = smart.Opt[int16]{}, smart.Opt[int16]{}
		}
		doc.ThermalTransitions, doc.ThermalSeconds = [2]smart.Opt[uint32]{}, [2]smart.Opt[uint32]{}
		for k := range 2 { // zero counters are not printed
			for _, c := range []*smart.Opt[uint32]{&text.ThermalTransitions[k], &text.ThermalSeconds[k]} {
				if c.V == 0 {
					*c = smart.Opt[uint32]{}
				}
			}
		}
		require.Equal(t, text, *fromText.NVMe, "%s: text\n%s", name, out.text)
		require.Equal(t, doc, *fromJSON.NVMe, "%s: JSON", name)
		for _, s := range []*smart.Snapshot{fromText, fromJSON} {
			require.Empty(t, slices.DeleteFunc(s.Warnings, leftOut), name)
			require.Equal(t, raw.Health.Status, s.Health.Status, name)
			require.Equal(t, raw.Identity.Model, s.Identity.Model, name)
			require.Equal(t, raw.Identity.Serial, s.Identity.Serial, name)
			require.Equal(t, raw.Identity.Firmware, s.Identity.Firmware, name)
			require.Equal(t, raw.Temp.Current, s.Temp.Current, name)
			require.Equal(t, raw.PowerOn, s.PowerOn, name)
			require.Equal(t, raw.PowerCycles, s.PowerCycles, name)
		}
		require.Equal(t, raw.Temp, fromText.Temp, name)
		require.Equal(t, raw.Identity.Capacity, fromText.Identity.Capacity, name)
		require.Len(t, fromText.Errors.Entries, len(raw.Errors.Entries), "%s\n%s", name, out.text)
		for k := range raw.Errors.Entries {
			e := fromText.Errors.Entries[k]
			e.Text = ""
			require.Equal(t, raw.Errors.Entries[k], e, "%s\n%s", name, out.text)
		}
		checkCLI(t, cli, lib, dir, name, log, raw.NVMe)
	}
	oracle.Compared(t, tool, n)
	oracle.Compared(t, cli, n)
}

// checkCLI compares the log with the JSON of nvme-cli, which wants a character device:
// the fake shows a file of one byte as one.
func checkCLI(t *testing.T, cli oracle.Found, lib, dir, name string, log []byte, raw *smart.NVMeHealth) {
	t.Helper()
	var b bytes.Buffer
	record(&b, "nlog 02", log)
	node := writeFile(t, dir, "node", []byte{0})
	pages := writeFile(t, dir, "cli", b.Bytes())
	r := oracle.Run(t, oracle.Cmd{Path: cli.Path, Dir: dir, Args: []string{"smart-log", node, "-o", "json"}, Env: []string{"FAKEDEV=" + pages, "LD_PRELOAD=" + lib}})
	require.Zero(t, r.ExitCode, "%s", r.Stderr)
	s, err := smart.ParseJSON(r.Stdout)
	require.NoError(t, err, "%s", r.Stdout)
	require.Empty(t, slices.DeleteFunc(s.Warnings, leftOut))
	want := *raw
	want.WarningLimit, want.CriticalLimit = smart.Opt[int16]{}, smart.Opt[int16]{}
	for i, c := range counters128(&want) {
		// Known difference: nvme-cli 1 rounds numbers of more than 53 bits to floating point.
		if got := counters128(s.NVMe)[i]; cli.Version < "2" && (c.V.Hi > 0 || c.V.Lo >= 1<<53) {
			*got = *c
		}
	}
	require.Equal(t, want, *s.NVMe, "%s\n%s", name, r.Stdout)
}

// scsiPage packs a log page.
func scsiPage(page, sub byte, params ...[]byte) []byte {
	b := []byte{page, sub, 0, 0}
	if sub != 0 {
		b[0] |= 0x40
	}
	for _, p := range params {
		b = append(b, p...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-4))
	return b
}

func scsiParam(code uint16, flags byte, data []byte) []byte {
	return append([]byte{byte(code >> 8), byte(code), flags, byte(len(data))}, data...)
}

func (g gen) big(n int) []byte {
	b := make([]byte, 8)
	v := g.Uint64() >> g.IntN(64)
	if n < 8 {
		v &= 1<<(8*n) - 1
	}
	binary.BigEndian.PutUint64(b, v)
	return b[8-n:]
}

// scsiPages makes the log pages of a random SAS disk.
func (g gen) scsiPages() (pages [][]byte) {
	for _, p := range []byte{2, 3, 5} {
		if g.chance(15) {
			continue
		}
		var params [][]byte
		for code := range uint16(7) {
			data := g.big(pick(g, 2, 4, 8))
			if code == 5 {
				data = g.big(6)
			}
			params = append(params, scsiParam(code, 2, data))
		}
		pages = append(pages, scsiPage(p, 0, params...))
	}
	pages = append(pages, scsiPage(6, 0, scsiParam(0, 2, g.big(4))))
	if g.chance(70) {
		pages = append(pages, scsiPage(0x0d, 0, scsiParam(0, 3, []byte{0, byte(1 + g.IntN(100))}), scsiParam(1, 3, []byte{0, byte(40 + g.IntN(60))})))
	} else {
		pages = append(pages, scsiPage(0x0d, 1, scsiParam(0, 3, []byte{0, g.temp(), g.temp(), g.temp(), g.temp(), g.temp(), 0, 0})))
	}
	pages = append(pages, scsiPage(0x0e, 0, scsiParam(1, 1, []byte("201432")), scsiParam(2, 1, []byte("      ")),
		scsiParam(3, 3, g.big(4)), scsiParam(4, 3, g.big(4)), scsiParam(5, 3, g.big(4)), scsiParam(6, 3, g.big(4))))
	if g.chance(50) {
		pages = append(pages, scsiPage(0x11, 0, scsiParam(1, 3, []byte{0, 0, 0, byte(g.Uint32())})))
	}
	asc := pick[byte](g, 0, 0, 0x5d, 0x0b)
	pages = append(pages, scsiPage(0x2f, 0, scsiParam(0, 3, []byte{asc, pick[byte](g, 0, 0x10, 0x32), 0, 0})))
	var tests [][]byte
	n := g.IntN(12)
	for i := range 20 {
		d := make([]byte, 16)
		if i < n {
			d[0] = pick[byte](g, 1, 2, 5, 6)<<5 | byte(g.IntN(8))
			d[1] = byte(g.IntN(3))
			binary.BigEndian.PutUint16(d[2:], uint16(1+g.IntN(65000)))
			binary.BigEndian.PutUint64(d[4:], pick(g, ^uint64(0), g.Uint64()>>20))
		}
		tests = append(tests, scsiParam(uint16(i+1), 3, d))
	}
	pages = append(pages, scsiPage(0x10, 0, tests...))
	minutes := make([]byte, 12)
	binary.BigEndian.PutUint32(minutes, g.Uint32()>>8)
	return append(pages, scsiPage(0x15, 0, scsiParam(0, 3, minutes)))
}

// TestSCSIAgreesWithSmartctl compares random LOG SENSE pages with what smartctl makes of
// them.
func TestSCSIAgreesWithSmartctl(t *testing.T) {
	tool := smartctl.Need(t)
	lib := fakeDevice(t)
	g := gen{oracle.Rand(t)}
	dir := t.TempDir()
	n := oracle.N(60, 1000)
	for i := range n {
		name := fmt.Sprintf("case %d", i)
		pages := g.scsiPages()
		raw := &smart.Snapshot{SCSI: &smart.SCSIHealth{}}
		raw.Device.Protocol = "SCSI"
		var b bytes.Buffer
		inquiry := make([]byte, 96)
		inquiry[2], inquiry[3], inquiry[4], inquiry[7] = 6, 2, 91, 2
		copy(inquiry[8:], "MAKER   PRODUCT 1234    R001")
		record(&b, "inquiry", inquiry)
		record(&b, "vpd 00", []byte{0, 0, 0, 2, 0, 0x80})
		record(&b, "vpd 80", append([]byte{0, 0x80, 0, 8}, "SN123456"...))
		capacity := make([]byte, 32)
		binary.BigEndian.PutUint64(capacity, 7814037167)
		binary.BigEndian.PutUint32(capacity[8:], 512)
		record(&b, "capacity16", capacity)
		record(&b, "capacity", []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 2, 0})
		record(&b, "mode 1c", []byte{15, 0, 0x10, 0, 0x9c, 10, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0})
		record(&b, "mode10 1c", []byte{0, 18, 0, 0x10, 0, 0, 0, 0, 0x9c, 10, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0})
		supported, sub := []byte{0, 0, 0, 0, 0}, []byte{0x40, 0xff, 0, 0, 0, 0}
		for _, p := range pages {
			code, s := p[0]&0x3f, p[1]
			record(&b, fmt.Sprintf("sense %02x %02x", code, s), p)
			sub = append(sub, code, s)
			if s == 0 {
				supported = append(supported, code)
			} else {
				supported = append(supported, 0x0d)
				record(&b, fmt.Sprintf("sense %02x 00", code), scsiPage(code, 0))
				sub = append(sub, code, 0)
			}
			require.NoError(t, smart.DecodeSCSI(raw.SCSI, p))
		}
		supported[3] = byte(len(supported) - 4)
		sub[3] = byte(len(sub) - 4)
		record(&b, "sense 00 00", supported)
		record(&b, "sense 00 ff", sub)
		raw.Conclude()
		out := askFake(t, tool, lib, dir, b.Bytes(), "-x", "-d", "scsi")
		fromText, err := smart.ParseText(out.text)
		require.NoError(t, err)
		fromJSON, err := smart.ParseJSON(out.doc)
		require.NoError(t, err)
		compareSCSI(t, name+" text", raw, fromText, out)
		compareSCSI(t, name+" JSON", raw, fromJSON, out)
	}
	oracle.Compared(t, tool, n)
}

func compareSCSI(t *testing.T, name string, raw, got *smart.Snapshot, out both) {
	t.Helper()
	if !newer(got.Source.Version, 3) && raw.SCSI.Environment != nil { // Known difference: 7.2 does not read the page.
		less, scsi := *raw, *raw.SCSI
		scsi.Environment, less.SCSI = nil, &scsi
		less.Conclude()
		raw = &less
	}
	require.Empty(t, slices.DeleteFunc(got.Warnings, leftOut), "%s\n%s", name, out.text)
	require.Equal(t, "MAKER PRODUCT 1234", strings.Join(strings.Fields(got.Identity.Model), " "), name)
	require.Equal(t, "SN123456", got.Identity.Serial, name)
	require.Equal(t, "R001", got.Identity.Firmware, name)
	if raw.SCSI.ASC.V != 0x0b || !newer(got.Source.Version, 4) {
		// Known difference: since 7.4 smartctl prints OK for warnings whose meaning is reserved.
		require.Equal(t, raw.Health.Status, got.Health.Status, "%s asc %v %v\n%s", name, raw.SCSI.ASC, raw.SCSI.ASCQ, out.text)
	}
	if got.Source.Format == smart.FormatJSON && !newer(got.Source.Version, 3) {
		return // Known difference: most parts of SCSI disks are in the documents since 7.3 only.
	}
	require.Equal(t, raw.Temp, got.Temp, "%s\n%s", name, out.text)
	require.Equal(t, raw.PowerOn, got.PowerOn, "%s\n%s", name, out.text)
	for i, pair := range [][2]*smart.ErrorCounters{{raw.SCSI.Read, got.SCSI.Read}, {raw.SCSI.Write, got.SCSI.Write}, {raw.SCSI.Verify, got.SCSI.Verify}} {
		if pair[0] == nil {
			require.Nil(t, pair[1], "%s: counters %d\n%s", name, i, out.text)
			continue
		}
		want := *pair[0] // rounded to three decimals of 10^9
		want.Bytes.V = pair[1].Bytes.V
		require.InDelta(t, float64(pair[0].Bytes.V), float64(pair[1].Bytes.V), 500_001, name)
		require.Equal(t, want, *pair[1], "%s: counters %d\n%s", name, i, out.text)
	}
	require.Equal(t, raw.SCSI.NonMedium.V, got.SCSI.NonMedium.V|raw.SCSI.NonMedium.V*uint64(b2i(!got.SCSI.NonMedium.OK)), name)
	require.Equal(t, raw.SCSI.StartStop, got.SCSI.StartStop, "%s\n%s", name, out.text)
	require.Equal(t, raw.SCSI.Used, got.SCSI.Used, "%s\n%s", name, out.text)
	require.Equal(t, raw.SCSI.Environment, got.SCSI.Environment, "%s\n%s", name, out.text)
	require.Len(t, got.SelfTests, len(raw.SelfTests), "%s\n%s", name, out.text)
	for i := range raw.SelfTests {
		require.Equal(t, raw.SelfTests[i], got.SelfTests[i], "%s\n%s", name, out.text)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// counters128 returns the counters of 128 bits.
func counters128(n *smart.NVMeHealth) []*smart.Opt[smart.Uint128] {
	return []*smart.Opt[smart.Uint128]{
		&n.UnitsRead, &n.UnitsWritten, &n.HostReads, &n.HostWrites, &n.BusyMinutes, &n.PowerCycles, &n.PowerOnHours, &n.UnsafeShutdowns, &n.MediaErrors, &n.ErrorLogCount,
	}
}
