package smart_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/smart"
)

// TestDriveDBAgreesWithSmartctl reads the installed drive database and compares the
// entry, the names and the options of drives with smartctl -P show.
func TestDriveDBAgreesWithSmartctl(t *testing.T) {
	tool := smartctl.Need(t)
	db, err := installedDB()
	require.NoError(t, err)
	require.Empty(t, db.Warnings)
	out := oracle.Run(t, oracle.Cmd{Path: tool.Path, Args: []string{"-P", "showall"}})
	count := regexp.MustCompile(`Entries read from file\(s\):\s+(\d+)`).FindSubmatch(out.Stdout)
	require.NotNil(t, count)
	entries := len(db.Entries) + 2
	if db.Version == "" { // 7.2 has no entry VERSION
		entries--
	}
	require.Equal(t, string(count[1]), fmt.Sprint(entries), "the entries VERSION and DEFAULT count as well")
	models := append([]string{"NO SUCH DRIVE", "ST3500630AS", "WDC WD10EADS-00L5B1", "C400-MTFDDAK128MAM", "M4-CT256M4SSD2", "Hitachi HDS721010CLA332"}, known...)
	option := regexp.MustCompile(`(?m)^(?:ATTRIBUTE OPTIONS:)?\s+(\d{3}) (\S+)`)
	for _, m := range models {
		r := oracle.Run(t, oracle.Cmd{Path: tool.Path, Args: []string{"-P", "showall", m, "1.0"}})
		text := string(r.Stdout)
		match, ok := db.Lookup(m, "1.0")
		require.Equal(t, strings.Contains(text, "MODEL FAMILY:"), ok, "%s: %s", m, text)
		if !ok {
			continue
		}
		family := regexp.MustCompile(`MODEL FAMILY:\s+(.*)`).FindStringSubmatch(text)
		require.Equal(t, family[1], match.Entry.Family, m)
		for _, o := range option.FindAllStringSubmatch(text, -1) {
			var id uint8
			_, err := fmt.Sscan(strings.TrimLeft(o[1], "0"), &id)
			require.NoError(t, err)
			name, _ := match.Format(id, smart.Opt[bool]{})
			require.Equal(t, o[2], name, "%s: attribute %d", m, id)
		}
	}
	oracle.Compared(t, tool, len(models))
}

func TestDriveDBKeepsGoodEntries(t *testing.T) {
	db, err := smart.LoadDriveDB(strings.NewReader(`
/* a comment
   of two lines */
{ "VERSION: 9.9", "-", "-", "v", "" },
{ "Good", "A(1|2)X.*" /* joined */ "Z", "", // any firmware
  "watch \"it\"\n", "-v 194,raw48:543210,T -F xerrorlba -d sat" },
{ "Four strings", "B", "", "" },
{ "Bad format", "C", "", "", "-v 194,raw99" },
{ "Bad order", "D", "", "", "-v 194,raw48:678" },
{ "Medium outside of DEFAULT", "E", "", "", "-v 194,raw48,N,SSD" },
{ "USB: bridge", "A1XZ", "", "", "-d usbjmicron" },
garbage
{ "After", "A.*", "", "", "" },
{ "Open", "`))
	require.NoError(t, err)
	require.Equal(t, "VERSION: 9.9", db.Version)
	m, ok := db.Lookup("A2X-Z", "1")
	require.True(t, ok)
	require.Equal(t, "Good", m.Entry.Family)
	require.Equal(t, "watch \"it\"\n", m.Entry.Warning)
	require.Equal(t, []string{"xerrorlba"}, m.Bugs)
	require.Equal(t, "sat", m.Type)
	_, f := m.Format(194, smart.Opt[bool]{})
	require.Equal(t, "raw48:543210", f.String())
	m, ok = db.Lookup("A1XZ", "")
	require.True(t, ok, "the USB entry takes no part")
	require.Equal(t, "Good", m.Entry.Family)
	_, ok = db.Lookup("XA2XZ", "")
	require.False(t, ok, "the whole string has to match")
	lines := map[int]bool{}
	for _, w := range db.Warnings {
		lines[w.Line] = true
	}
	for _, want := range []int{7, 8, 9, 10, 12} {
		require.True(t, lines[want], "line %d in %v", want, db.Warnings)
	}
	_, err = smart.LoadDriveDB(strings.NewReader("no database"))
	require.ErrorContains(t, err, "no entry")
}

// TestSecondDriveInheritsNothing: the presets of one entry stay with it.
func TestSecondDriveInheritsNothing(t *testing.T) {
	db, err := smart.LoadDriveDB(strings.NewReader(`{ "A", "A", "", "", "-v 9,raw16,Mine" }, { "B", "B", "", "", "" },`))
	require.NoError(t, err)
	a, _ := db.Lookup("A", "")
	name, _ := a.Format(9, smart.Opt[bool]{})
	require.Equal(t, "Mine", name)
	b, ok := db.Lookup("B", "")
	require.True(t, ok)
	name, f := b.Format(9, smart.Opt[bool]{})
	require.Equal(t, "Power_On_Hours", name)
	require.Equal(t, smart.Raw24Raw8, f.Kind)
}
