package lint_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/diag"
	"dougu.internal/ipxe"
	"dougu.internal/ipxe/lint"
)

// rows are one bad and one good script a rule, with what the first fix makes of it.
var rows = []struct {
	rule     string
	bad      string
	severity diag.Severity
	at       string // line:column
	fixed    string // "" when the rule offers no fix
	good     string
}{
	{"IP101", "echo x\n", diag.Error, "1:1", "#!ipxe\necho x\n", "#!ipxe\necho x\n"},
	{"IP102", "#!ipxe\necho a\x00b\n", diag.Warning, "2:7", "#!ipxe\necho ab\n", "#!ipxe\necho ab\n"},
	{"IP103", "#!ipxe\necho a \\", diag.Error, "2:8", "#!ipxe\necho a ", "#!ipxe\necho a \\\nb\n"},
	{"IP103", "#!ipxe\nexit\necho a \\", diag.Warning, "3:8", "#!ipxe\nexit\necho a ", "#!ipxe\necho a\n"},
	{"IP104", "#!ipxe\n# note \\\nreboot\n", diag.Warning, "2:8", "#!ipxe\n# note \nreboot\n", "#!ipxe\n# note \\ \nreboot\n"},
	{"IP105", "#!ipxe\nset x a \\ \n  b\n", diag.Warning, "2:10", "#!ipxe\nset x a \\\n  b\n", "#!ipxe\nset x a \\\n  b\n"},
	{"IP106", "#!ipxe\necho a\recho b\n", diag.Warning, "2:7", "#!ipxe\necho a\necho b\n", "#!ipxe\r\necho a\r\n"},
	{"IP107", "#!ipxe\nset x\u00a0y\n", diag.Warning, "2:6", "#!ipxe\nset x y\n", "#!ipxe\nset x y\n"},
	{"IP201", "#!ipxe\nset x" + strings.Repeat(" w", 255) + "\n", diag.Error, "2:1", "", "#!ipxe\nset x" + strings.Repeat(" w", 254) + "\n"},
	{"IP201", "#!ipxe\nset x" + strings.Repeat(" w", 255) + " ||\n", diag.Warning, "2:1", "", "#!ipxe\n"},
	{"IP202", "#!ipxe\nset x" + strings.Repeat(" w", 420) + "\n", diag.Error, "2:1", "", "#!ipxe\nset x" + strings.Repeat(" w", 254) + "\n"},
	{"IP203", "#!ipxe\nimgfetch \"http://h/x\" ||\n", diag.Warning, "2:10", "#!ipxe\nimgfetch http://h/x ||\n", "#!ipxe\nkernel http://h/k q=\"a b\" ||\n"},
	{"IP203", "#!ipxe\nset x \"a b\"\n", diag.Warning, "2:7", "", "#!ipxe\nset x a b\n"},
	{"IP204", "#!ipxe\nset x 1;set y 2\n", diag.Warning, "2:8", "#!ipxe\nset x 1 ; set y 2\n", "#!ipxe\nset x 1 ; set y 2\n"},
	{"IP204", "#!ipxe\nisset ${x}||echo no\n", diag.Warning, "2:11", "#!ipxe\nisset ${x} || echo no\n", "#!ipxe\nimgfetch http://h/a;b ||\n"},
	{"IP205", "#!ipxe\n|| echo x\n", diag.Warning, "2:1", "#!ipxe\n echo x\n", "#!ipxe\necho x ||\n"},
	{"IP206", "#!ipxe\n${cmd} x ||\n", diag.Warning, "2:1", "", "#!ipxe\nset cmd echo\n${cmd} x\n"},
	{"IP207", "#!ipxe\nimgfetch http://h/x --name y ||\n", diag.Warning, "2:21", "#!ipxe\nimgfetch --name y http://h/x  ||\n", "#!ipxe\nimgfetch --name y http://h/x ||\n"},
	{"IP208", "#!ipxe\nprompt --timeout -5\n", diag.Error, "2:8", "#!ipxe\nprompt --timeout=-5\n", "#!ipxe\nprompt --timeout=-5 ||\n"},
	{"IP209", "#!ipxe\necho --- x\n", diag.Error, "2:6", "#!ipxe\necho -- --- x\n", "#!ipxe\necho -- --- x\n"},
	{"IP210", "#!ipxe\nset x " + strings.Repeat("y", 33_000) + "\n", diag.Warning, "2:7", "", "#!ipxe\nset x y\n"},
	{"IP301", "#!ipxe\nehco x\n", diag.Error, "2:1", "#!ipxe\necho x\n", "#!ipxe\necho x\n"},
	{"IP301", "#!ipxe\nECHO x ||\n", diag.Warning, "2:1", "#!ipxe\necho x ||\n", "#!ipxe\n"},
	{"IP302", "#!ipxe\nparams\n", diag.Warning, "2:1", "", "#!ipxe\nparams ||\n"},
	{"IP303", "#!ipxe\nchain --autofre http://h/x\n", diag.Error, "2:7", "#!ipxe\nchain --autofree http://h/x\n", "#!ipxe\nchain --autofree http://h/x ||\n"},
	{"IP303", "#!ipxe\nimgfetch -q http://h/x ||\n", diag.Warning, "2:10", "", "#!ipxe\n"},
	{"IP304", "#!ipxe\niseq a\n", diag.Error, "2:1", "", "#!ipxe\niseq a a\n"},
	{"IP305", "#!ipxe\nsleep 5s\n", diag.Error, "2:7", "", "#!ipxe\nsleep 5\n"},
	{"IP306", "#!ipxe\nset x:in32 5\n", diag.Error, "2:5", "#!ipxe\nset x:int32 5\n", "#!ipxe\nset x:int32 5\n"},
	{"IP307", "#!ipxe\nset ip 1.2.3.4x\n", diag.Error, "2:8", "", "#!ipxe\nset net0/x 1.2.3.4x\n"},
	{"IP308", "#!ipxe\nisset foo\n", diag.Warning, "2:7", "#!ipxe\nisset ${foo}\n", "#!ipxe\nisset ${foo} ||\n"},
	{"IP309", "#!ipxe\niseq ${i} 010 ||\n", diag.Warning, "2:11", "#!ipxe\niseq ${i} 10 ||\n", "#!ipxe\niseq ${i} 10 ||\n"},
	{"IP310", "#!ipxe\nset i 0\ninc i\n", diag.Warning, "3:1", "#!ipxe\nset i:int32 0\ninc i\n", "#!ipxe\nset i:int32 0\ninc i\n"},
	{"IP311", "#!ipxe\nset x\n", diag.Info, "2:1", "#!ipxe\nclear x\n", "#!ipxe\nclear x\n"},
	{"IP312", "#!ipxe\ninitrd http://h/i ||\nboot\n", diag.Warning, "3:1", "", "#!ipxe\nkernel http://h/k ||\nboot\n"},
	{"IP313", "#!ipxe\nprompt --timeout 5 x ||\n", diag.Warning, "2:8", "", "#!ipxe\nprompt --timeout 5000 x ||\n"},
	{"IP313", "#!ipxe\nsleep 3000\n", diag.Warning, "2:7", "", "#!ipxe\nsleep 3\n"},
	{"IP314", "#!ipxe\nimgtrust ||\n", diag.Warning, "2:1", "", "#!ipxe\nimgtrust --allow ||\n"},
	{"IP315", "#!ipxe\nitem a A ||\n", diag.Warning, "2:1", "", "#!ipxe\nmenu\nitem a A\nchoose --timeout 5000 x\n"},
	{"IP316", "#!ipxe\nmenu\nitem a A\nchoose x\n", diag.Info, "4:1", "", "#!ipxe\nmenu\nitem a A\nchoose --timeout 5000 x\n"},
	{"IP317", "#!ipxe\necho ${errno}\n", diag.Info, "2:6", "", "#!ipxe\nfoo || echo ${errno}\n"},
	{"IP318", "#!ipxe\nchain http://h/x\n", diag.Info, "2:1", "", "#!ipxe\nchain http://h/x || shell\n"},
	{"IP401", "#!ipxe\ngoto retyr\n:retry\n", diag.Error, "2:6", "#!ipxe\ngoto retry\n:retry\n", "#!ipxe\ngoto retry\n:retry\n"},
	{"IP401", "#!ipxe\ngoto nowhere ||\n", diag.Warning, "2:6", "", "#!ipxe\n"},
	{"IP402", "#!ipxe\n:a\n:b\n:a\n", diag.Warning, "4:1", "", "#!ipxe\n:a\n:b\n"},
	{"IP403", "#!ipxe\n:a${x}\n", diag.Warning, "2:1", "", "#!ipxe\n:a\n"},
	{"IP404", "#!ipxe\nexit\necho x\n", diag.Warning, "3:1", "", "#!ipxe\nexit\n:l echo x\n"},
	{"IP405", "#!ipxe\n:a\n", diag.Info, "2:1", "", "#!ipxe\n:a\nisset ${x} && goto a ||\n"},
	{"IP406", "#!ipxe\n:l\nset x 1\ngoto l\n", diag.Error, "4:1", "", "#!ipxe\n:l\ninc i\niseq ${i} 3 || goto l\n"},
	{"IP407", "#!ipxe\necho a ; :b ||\n", diag.Warning, "2:10", "", "#!ipxe\n:b echo a\n"},
	{"IP408", "#!ipxe\n:l\nchain http://h/x || goto l\n", diag.Warning, "3:1", "", "#!ipxe\n:l\nchain http://h/x || sleep 5 ; goto l\n"},
	{"IP409", "#!ipxe\nset a:hexraw 247b613a737472696e677d\necho ${a:string}\n", diag.Error, "3:1", "", "#!ipxe\nset a x\necho ${a}\n"},
	{"IP501", "#!ipxe\nkernel http://h/k model=${product} ||\n", diag.Warning, "2:25", "", "#!ipxe\nkernel http://h/k model=${product:hexraw} ||\n"},
	{"IP502", "#!ipxe\nchain http://h/b?type=${product} ||\n", diag.Warning, "2:23", "#!ipxe\nchain http://h/b?type=${product:hexraw} ||\n", "#!ipxe\nchain http://h/b?mac=${mac} ||\n"},
	{"IP503", "#!ipxe\nchain http://h/b?type=${smbios/product:uristring} ||\n", diag.Info, "2:23", "#!ipxe\nchain http://h/b?type=${smbios/product:hexraw} ||\n", "#!ipxe\nchain http://h/b?type=${product:hexraw} ||\n"},
	{"IP504", "#!ipxe\nchain http://u:p@h/x ||\n", diag.Warning, "2:7", "", "#!ipxe\nchain http://h/x@y:z ||\n"},
	{"IP505", "#!ipxe\necho ${a b}\n", diag.Warning, "2:6", "", "#!ipxe\necho ${a} {b}\n"},
	{"IP506", "#!ipxe\necho ${mac:hexrw}\n", diag.Warning, "2:6", "#!ipxe\necho ${mac:hexraw}\n", "#!ipxe\necho ${mac:hexraw}\n"},
	{"IP601", "#!ipxe\nchain tftp://h/undionly.kpxe ||\n", diag.Warning, "2:7", "", "#!ipxe\nchain tftp://h/pxelinux.0 ||\n"},
}

func find(t *testing.T, src string, p ipxe.Profile) diag.List {
	t.Helper()
	list, err := lint.Script(t.Context(), ipxe.Parse("b.ipxe", []byte(src)), lint.Options{Profile: p})
	require.NoError(t, err)
	return list
}

func of(list diag.List, rule string) (out diag.List) {
	for _, d := range list {
		if d.Rule == rule {
			out = append(out, d)
		}
	}
	return out
}

// TestPart3EachRule: a bad script, the place, the fix and what it makes, a good script.
func TestPart3EachRule(t *testing.T) {
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			found := of(find(t, row.bad, ipxe.Debian2019()), row.rule)
			require.NotEmpty(t, found, "%q", row.bad)
			d := found[0]
			require.Equal(t, row.severity, d.Severity, d.String())
			require.Equal(t, "b.ipxe:"+row.at, d.Range.String(), d.String())
			require.NotEmpty(t, d.Message)
			require.NotContains(t, d.Message, "\n")
			require.Empty(t, of(find(t, row.good, ipxe.Debian2019()), row.rule), "%q", row.good)
			if row.fixed == "" {
				require.Empty(t, d.Fixes, "a fix that no row checks")
				return
			}
			require.NotEmpty(t, d.Fixes)
			fixed, err := diag.Apply([]byte(row.bad), "b.ipxe", d.Fixes[0].Edits)
			require.NoError(t, err)
			require.Equal(t, row.fixed, string(fixed))
			require.Less(t, len(of(find(t, string(fixed), ipxe.Debian2019()), row.rule)), len(found), "the fix removes the finding")
		})
	}
}

func TestPart3TheCatalogueIsChecked(t *testing.T) {
	rules := lint.Rules()
	require.GreaterOrEqual(t, len(rules), 30)
	seen := map[string]bool{}
	for _, r := range rules {
		require.Regexp(t, `^IP\d\d\d$`, r.ID)
		require.False(t, seen[r.ID], r.ID)
		require.NotEmpty(t, r.Summary)
		seen[r.ID] = true
		if r.ID != "IP602" {
			require.True(t, slices.ContainsFunc(rows, func(x struct {
				rule     string
				bad      string
				severity diag.Severity
				at       string
				fixed    string
				good     string
			}) bool {
				return x.rule == r.ID
			}), "no row for "+r.ID)
		}
	}
	require.True(t, slices.IsSortedFunc(rules, func(a, b diag.Rule) int { return strings.Compare(a.ID, b.ID) }))
}

func TestPart3ProfilesDiffer(t *testing.T) {
	const script = "#!ipxe\nimgfetch -q http://h/x ||\nparams\nset u:guid 11223344-5566-7788-99aa-bbccddeeff00\n"
	require.NotEmpty(t, of(find(t, script, ipxe.Debian2019()), "IP303"))
	require.NotEmpty(t, of(find(t, script, ipxe.Debian2019()), "IP306"))
	require.Empty(t, of(find(t, script, ipxe.Newest()), "IP303"))
	require.Empty(t, of(find(t, script, ipxe.Newest()), "IP306"))
	require.NotEmpty(t, of(find(t, script, ipxe.Newest()), "IP302"))
	require.Empty(t, of(find(t, script, ipxe.Newest().With("params")), "IP302"))
}

func TestPart6DHCPThatLoops(t *testing.T) {
	list, err := lint.DHCP(t.Context(), "dhcpd.conf", []byte("subnet 10.0.0.0 netmask 255.0.0.0 {\n  filename \"undionly.kpxe\";\n}\n"), lint.Options{})
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, "dhcpd.conf:2:13: error: iPXE is given iPXE again and again [IP602]", list[0].String())
	list, err = lint.DHCP(t.Context(), "x", []byte("if option user-class = \"iPXE\" { filename \"x\"; } filename \"undionly.kpxe\";"), lint.Options{})
	require.NoError(t, err)
	require.Empty(t, list)
}

func TestPart3OutputForms(t *testing.T) {
	list := find(t, "#!ipxe\nehco \x1b[31m\n", ipxe.Debian2019())
	var text, json, sarif bytes.Buffer
	require.NoError(t, diag.WriteText(&text, list, func(string) []byte { return []byte("#!ipxe\nehco \x1b[31m\n") }))
	require.Contains(t, text.String(), "b.ipxe:2:1: error: no build of iPXE has a command \"ehco\"; did you mean echo? [IP301]\n")
	require.NotContains(t, text.String(), "\x1b")
	require.NoError(t, diag.WriteJSON(&json, list))
	require.Contains(t, json.String(), `"rule": "IP301"`)
	require.NoError(t, diag.WriteSARIF(&sarif, diag.Tool{Name: "x", Rules: lint.Rules()}, list))
	require.Contains(t, sarif.String(), `"ruleId": "IP301"`)
}

func TestPart3StoryIsClean(t *testing.T) {
	boot, err := ipxe.BootScript().Bytes()
	require.NoError(t, err)
	var ids []string
	for _, d := range find(t, string(boot), ipxe.Debian2019()) {
		require.NotEqual(t, diag.Error, d.Severity)
		ids = append(ids, d.Rule)
	}
	require.Equal(t, []string{"IP318", "IP503"}, ids)
	inspect, err := ipxe.InspectScript(ipxe.URL(ipxe.Text("http://h/b"))).Bytes()
	require.NoError(t, err)
	require.Empty(t, of(find(t, string(inspect), ipxe.Debian2019()), "IP503"))
}

func TestBadInputLint(t *testing.T) {
	for _, src := range []string{
		strings.Repeat("\x00", 10_000), "#!ipxe\n" + strings.Repeat(":l\ngoto l\n", 20_000), "#!ipxe\necho " + strings.Repeat("${", 1<<18),
		"#!ipxe\n" + strings.Repeat("\\\n", 100_000), "#!ipxe\nset x " + strings.Repeat("a;b ", 100_000),
	} {
		list := find(t, src, ipxe.Debian2019())
		require.LessOrEqual(t, len(list), 60_000)
	}
}

func FuzzLint(f *testing.F) {
	for _, r := range rows {
		f.Add([]byte(r.bad))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		list, err := lint.Script(t.Context(), ipxe.Parse("f", src), lint.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			if d.Range.Start.Offset > d.Range.End.Offset || d.Range.End.Offset > len(src) {
				t.Fatalf("%v: range %+v", d, d.Range)
			}
			for _, x := range d.Fixes {
				if _, err := diag.Apply(src, "f", x.Edits); err != nil {
					t.Fatalf("%v: %v", d, err)
				}
			}
		}
	})
}
