package keepalived

import (
	"context"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"dougu.internal/diag"
	"dougu.internal/internal/oracle"
)

// goodInstance is an instance of which nothing is to be said.
const goodInstance = "vrrp_instance V {\n state BACKUP\n interface eth0\n virtual_router_id 3\n priority 100\n virtual_ipaddress {\n 10.0.0.1/24\n }\n}\n"

// TestBadInputGivesOneDiagnostic reads what no one should write: each has a fixed number
// of findings that say what is wrong, and costs no more than its length allows.
func TestBadInputGivesOneDiagnostic(t *testing.T) {
	oracle.Slow(t)
	many := fstest.MapFS{}
	for i := range DefaultMaxFiles + 50 {
		many[fmt.Sprintf("d/%05d.conf", i)] = &fstest.MapFile{Data: []byte("# nothing\n")}
	}
	odd := fstest.MapFS{"pipe": {Mode: fs.ModeNamedPipe}, "null": {Mode: fs.ModeDevice}, "dir/x": {}, "run": {Mode: 0o755, Data: []byte("foo\n")}, "huge": {Data: make([]byte, 2000)}}
	files := func(pairs ...string) fs.FS {
		m := fstest.MapFS{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
		}
		return m
	}
	const n = 100_000
	for name, row := range map[string]struct {
		src  string
		fs   fs.FS
		l    Loader
		ids  string // of the findings for 2.2.7, one for each; "" for none
		ids4 string // for 2.4.3, when they differ
		n    int    // how many there are of the one id, when not 1
		more string // ends the message of the last
		ok   string // what Verdict says: "", "yes" or "no" when it is not what follows from the rule
	}{
		"empty":                           {src: ""},
		"NUL":                             {src: "global_defs {\n router_id a\x00b\n}\n", ids: "KA028"},
		"NUL, nothing else":               {src: strings.Repeat("\x00", n), ids: "KA029"},
		"NUL in each line":                {src: strings.Repeat("# \x00\n", n), ids: "KA028", n: MaxPerMessage, more: "(and 99980 more of the same)"},
		"byte order mark":                 {src: "\xef\xbb\xbfglobal_defs {\n router_id a\n}\n" + goodInstance, ids: "KA026"},
		"byte order mark before comment":  {src: "\xef\xbb\xbf# a\n" + goodInstance, ids: "KA026"},
		"CR only":                         {src: strings.ReplaceAll("global_defs {\n router_id a\n}\n"+goodInstance, "\n", "\r"), ids: "KA046"},
		"CR only, long":                   {src: strings.Repeat("# a comment\r", n), ids: "KA046"},
		"CR LF":                           {src: strings.ReplaceAll(goodInstance, "\n", "\r\n")},
		"not UTF-8":                       {src: "global_defs {\n router_id \xff\xfe\n}\n"},
		"no line end at the end":          {src: "global_defs {\n router_id a\n}"},
		"line of 1022":                    {src: "global_defs {\n router_id " + strings.Repeat("a", 1011) + "\n}\n"},
		"line of 1023":                    {src: "global_defs {\n router_id " + strings.Repeat("a", 1012) + "\n}\n", ids4: "KA029"},
		"line of 1024":                    {src: "global_defs {\n router_id " + strings.Repeat("a", 1013) + "\n}\n", ids: "KA029"},
		"line of 1025":                    {src: "global_defs {\n router_id " + strings.Repeat("a", 1014) + "\n}\n", ids: "KA029"},
		"line of a million":               {src: "global_defs {\n router_id " + strings.Repeat("a", 1_000_000) + "\n}\n", ids: "KA029"},
		"comment of a million":            {src: "# " + strings.Repeat("a", 1_000_000) + "\n", ids: "KA029"},
		"quote":                           {src: "global_defs {\n router_id \"a\n}\n", ids: "KA020"},
		"quote, nothing else":             {src: "\"", ids: "KA020"},
		"quote in a script":               {src: "global_defs {\n enable_script_security\n script_user root\n}\nvrrp_script a {\n script \"/bin/true\n}\n", ids: "KA020"},
		"quote in each line":              {src: "global_defs {\n" + strings.Repeat(" router_id \"a\n", n) + "}\n", ids: "KA020", n: MaxPerMessage, more: "(and 99980 more of the same)"},
		"nested blocks":                   {src: strings.Repeat("vrrp_instance a {\n", n), ids: "KA012"},
		"nested unknown blocks":           {src: strings.Repeat("a {\n", n), ids: "KA001"},
		"nested unknown blocks, closed":   {src: strings.Repeat("a {\n", n) + strings.Repeat("}\n", n), ids: "KA001"},
		"nested braces":                   {src: strings.Repeat("{\n", n), ids: "KA014"},
		"nested braces, closed":           {src: strings.Repeat("{\n", n) + strings.Repeat("}\n", n), ids: "KA014"},
		"nested braces on a line":         {src: "global_defs " + strings.Repeat("{ ", n), ids: "KA029"},
		"closing braces":                  {src: strings.Repeat("}\n", n), ids: "KA013"},
		"unknown blocks":                  {src: strings.Repeat("foo {\n}\n", n), ids: "KA001", n: MaxPerMessage, more: "(and 99980 more of the same)"},
		"unknown blocks of many names":    {src: eachOf(n, "foo%d {\n}\n"), ids: "KA001", n: MaxPerRule, more: "(and 99900 more of the same)"},
		"unknown keywords":                {src: "global_defs {\n" + strings.Repeat("foo\n", n) + "}\n", ids: "KA001", n: MaxPerMessage, more: "(and 99980 more of the same)"},
		"unknown block in an instance":    {src: strings.Replace(goodInstance, " priority", " authentification {\n auth_type PASS\n auth_pass x\n }\n priority", 1), ids: "KA001"},
		"missing {":                       {src: strings.Replace(goodInstance, "V {", "V", 1), ids: "KA011"},
		"missing }":                       {src: strings.Replace(goodInstance, " }\n}\n", " }\n", 1) + strings.ReplaceAll(strings.ReplaceAll(goodInstance, "V", "W"), " 3", " 4"), ids: "KA012"},
		"surplus }":                       {src: goodInstance + "}\n", ids: "KA013"},
		"definition cut by the end":       {src: "$A=abc \\\n def \\", ids: "KA035"},
		"variable in itself":              {src: "$A=$A$A\nglobal_defs {\n router_id $A\n}\n", ids: "KA037"},
		"self-growing variable":           {src: "$A=${A}x\nglobal_defs {\n router_id $A\n}\n", ids: "KA037"},
		"variables in each other":         {src: "$A=${B}${B}\n$B=${A}${A}\nglobal_defs {\n router_id $A\n}\n", ids: "KA037"},
		"growing variables":               {src: "$A=aaaaaaaaaa\n" + grow(30) + "global_defs {\n router_id ${V29}\n}\n", ids: "KA037"},
		"growing variables in each line":  {src: "$A=${A}x\nglobal_defs {\n" + strings.Repeat(" router_id $A\n", n) + "}\n", ids: "KA037", n: MaxPerMessage + 1},
		"growing definition":              {src: "$A= \\\n $A \\\n $A\n\nglobal_defs {\n $A\n}\n", ids: "KA037"},
		"definitions of definitions":      {src: "$A0=a \\\n b\n\n" + growLines(20) + "$A20\n", ids: "KA037"},
		"sequence of a million":           {src: "~SEQ(a, 1, 1000) ~SEQ(b, 1, 1000) foo $a $b\n", ids: "KA037"},
		"sequence of a million a million": {src: "~SEQ(a, 1, 1000000) ~SEQ(b, 1, 1000000) foo $a $b\n", ids: "KA037"},
		"sequence of nothing":             {src: "~SEQ(a, 1, 1000000) ~SEQ(b, 1, 1000000) \n", ids: "KA037"},
		"sequence without end":            {src: "~SEQ(a, 1, 9223372036854775807) foo $a\n", ids: "KA037"},
		"sequence with step 0":            {src: "~SEQ(a, 1, 0, 9) foo $a\n", ids: "KA036"},
		"sequence with a wrong step":      {src: "~SEQ(x, 1, 1, 0) foo $x\n", ids: "KA036"},
		"lists of lists":                  {src: strings.Repeat("~LST(a, 1,2,3,4,5,6,7,8,9,10) ", 12) + "foo\n", ids: "KA037"},
		"random of nothing":               {src: "global_defs {\n router_id ${_RANDOM 5 1}\n}\n", ids: "KA036"},
		"include of itself":               {src: "include main\n", fs: files("main", "include main\n"), ids: "KA040", ok: "yes"},
		"include of itself that must be":  {src: "includer main\n", fs: files("main", "includer main\n"), ids: "KA040", ok: "no"},
		"include of an instance in it":    {src: goodInstance + "include main\n", fs: files("main", goodInstance+"include main\n"), ids: "KA040", ok: "no"},
		"include of itself in a block":    {src: "global_defs {\n include main\n}\n", fs: files("main", "global_defs {\n include main\n}\n"), ids: "KA040", ok: "no"},
		"includes in a circle":            {src: "include a\n", fs: files("a", "include b\n", "b", "global_defs {\n router_id a\n}\ninclude a\n"), ids: "KA040", ok: "yes"},
		"include of 10,050 files":         {src: "include d/*.conf\n", fs: many, ids: "KA037"},
		"include of a pipe":               {src: "include pipe\n", fs: odd, ids: "KA041", ok: "yes"},
		"include of a device":             {src: "includer null\n", fs: odd, ids: "KA041", ok: "no"},
		"include of a directory":          {src: "include dir\n", fs: odd, ids: "KA041", ok: "yes"},
		"include of a program":            {src: "include run\n", fs: odd, ids: "KA041", ok: "yes"},
		"include of the root":             {src: "include /etc/shadow\n", fs: odd, ids: "KA041", ok: "no"},
		"include of a parent":             {src: "include ../../etc/shadow\n", fs: odd, ids: "KA041", ok: "no"},
		"include of too much":             {src: "include huge\n", fs: odd, l: Loader{MaxBytes: 1000}, ids: "KA037"},
		"include without a directory":     {src: "include a\n", ids: "KA041", ok: "no"},
		"include of nothing, often":       {src: strings.Repeat("include nosuch\n", n), fs: odd, ids: "KA039", n: MaxPerMessage, more: "(and 99980 more of the same)", ok: "yes"},
	} {
		t.Run(name, func(t *testing.T) {
			l := row.l
			l.FS = row.fs
			for _, v := range []Version{v2_2_7, {2, 4, 3}} {
				l.Profile = Profile{version: v}
				ids := row.ids
				if v != v2_2_7 && row.ids4 != "" {
					ids = row.ids4
				}
				want := []string{}
				if ids != "" {
					want = slices.Repeat([]string{ids}, max(row.n, 1))
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				c := l.Parse("main", []byte(row.src))
				list := lintOf(c, Options{Host: NewHost("eth0")})
				runtime.ReadMemStats(&after)
				// The most is what expansion may take, and some hundred bytes for each
				// byte of lines that are two bytes long.
				require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(maxRoom+maxRoom+400*len(row.src)), "%s: bytes", v)
				require.Less(t, c.work, 2*maxMade+2*len(row.src)+100, "%s: steps", v)
				got := []string{}
				for _, d := range list {
					got = append(got, d.Rule)
					require.Less(t, len(d.Message), 500)
				}
				require.Equal(t, want, got, "%s: %.2000s", v, show(list))
				if row.more != "" {
					require.True(t, slices.ContainsFunc(list, func(d diag.Finding) bool { return strings.HasSuffix(d.Message, row.more) }), "%.2000s", show(list))
				}
				ok, why := verdictOf(c, Options{Host: NewHost("eth0")})
				require.Equal(t, ok, len(why) == 0)
				if row.ok != "" {
					require.Equal(t, row.ok == "yes", ok, "%s", v)
				}
			}
			require.Equal(t, len(row.src), len(Parse("main", []byte(row.src)).Bytes()))
		})
	}
}

// TestManyOfOneKindAreBounded reads long lists of things that do not fit together, as
// every release: what is said of them is folded.
func TestManyOfOneKindAreBounded(t *testing.T) {
	for name, src := range map[string]string{
		"instances of one id": eachOf(10_000, "vrrp_instance V%d {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {\n 10.0.0.1\n }\n}\n"),
		"one address":         "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {\n" + strings.Repeat("10.0.0.1/24\n", 10_000) + " }\n}\n",
		"peers":               "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n unicast_peer {\n" + eachOf(10_000, "10.1.%d.1\n") + " }\n}\n",
		"servers, one":        "virtual_server 10.0.0.1 80 {\n protocol TCP\n" + strings.Repeat("real_server 10.0.0.2 80 {\n}\n", 10_000) + "}\n",
		"definitions, unused": eachOf(10_000, "$A%d=1\n"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range []Version{v1_1_13, v2_2_7, {2, 4, 3}} {
				c := Loader{Profile: Profile{version: v}}.Parse("main", []byte(src))
				o := Options{Host: NewHost("eth0")}
				byRule := map[string]int{}
				for _, d := range lintOf(c, o) {
					byRule[d.Rule]++
					require.LessOrEqual(t, byRule[d.Rule], MaxPerRule)
				}
				_, why := verdictOf(c, o)
				require.LessOrEqual(t, len(why), 4*MaxPerRule)
				Recipients(c, o)
				require.Len(t, c.Masked("main"), len(src))
			}
		})
	}
}

func eachOf(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func grow(n int) string {
	var b strings.Builder
	for i := range n {
		last := "A"
		if i > 0 {
			last = fmt.Sprintf("V%d", i-1)
		}
		fmt.Fprintf(&b, "$V%d=${%s}${%s}\n", i, last, last)
	}
	return b.String()
}

// growLines makes definitions of several lines each of which uses the one before twice.
func growLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "$A%d=$A%d \\\n $A%d\n\n", i+1, i, i)
	}
	return b.String()
}

// TestNoCheckIsQuadratic: twice as long a list takes twice as many looks at lines and
// entries, good or bad.
func TestNoCheckIsQuadratic(t *testing.T) {
	instance := func(body string) string {
		return "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n" + body + "}\n"
	}
	scripts := func(n int) string { return eachOf(n, "vrrp_script s%d {\n script /bin/true\n}\n") }
	for name, src := range map[string]func(n int) string{
		"servers": func(n int) string { return string(services(n)) },
		"servers of one": func(n int) string {
			return "virtual_server 10.0.0.1 80 {\n protocol TCP\n" + eachOf(n, "real_server fd00::%x 80 {\n}\n") + "}\n"
		},
		"peers":              func(n int) string { return instance(" unicast_peer {\n" + eachOf(n, "fd00::%x\n") + " }\n") },
		"peers, one":         func(n int) string { return instance(" unicast_peer {\n" + strings.Repeat("fd00::1\n", n) + " }\n") },
		"addresses":          func(n int) string { return instance(" virtual_ipaddress {\n" + eachOf(n, "fd00::%x/64\n") + " }\n") },
		"scripts":            func(n int) string { return scripts(n) + instance(" track_script {\n"+eachOf(n, "s%d\n")+" }\n") },
		"scripts, one":       func(n int) string { return scripts(n) + instance(" track_script {\n"+strings.Repeat("s1\n", n)+" }\n") },
		"scripts, undefined": func(n int) string { return scripts(n) + instance(" track_script {\n"+eachOf(n, "t%d\n")+" }\n") },
		"interfaces":         func(n int) string { return instance(" track_interface {\n" + eachOf(n, "e%d\n") + " }\n") },
		"instances": func(n int) string {
			return eachOf(n, "vrrp_instance V%d {\n interface eth0\n virtual_router_id 1\n}\n")
		},
		"instances, one name": func(n int) string { return strings.Repeat(instance(""), n) },
		"instances without id": func(n int) string {
			return eachOf(n, "vrrp_instance V%d {\n interface eth0\n}\n")
		},
		"groups":      func(n int) string { return eachOf(n, "vrrp_sync_group G%d {\n group {\n A\n B\n }\n}\n") },
		"unknown":     func(n int) string { return strings.Repeat("foo {\n}\n", n) },
		"nested":      func(n int) string { return strings.Repeat("vrrp_instance V {\n", n) },
		"definitions": func(n int) string { return eachOf(n, "$A%d=1\n") },
	} {
		t.Run(name, func(t *testing.T) {
			looks := func(n int) int {
				c := Loader{}.Parse("f", []byte(src(n)))
				return c.work + evaluate(context.Background(), c, Options{}).work
			}
			small, big := looks(4000), looks(8000)
			t.Logf("%d looks for 4,000, %d for 8,000", small, big)
			require.Less(t, float64(big), 2.1*float64(small))
		})
	}
}

var seedTexts = []string{manualForm, base, "$A=1\n~SEQ(x, 1, 3) foo $x\n@a b\n@^c d\n", "a \"b\n{ } {\n", "virtual_server 1.2.3.4 80 {\n real_server 1.2.3.5 80 {\n }\n}\n"}

// FuzzRoundTrip: the nodes of any text are the text.
func FuzzRoundTrip(f *testing.F) {
	for _, s := range seedTexts {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		require.Equal(t, string(src), string(Parse("f", src).Bytes()))
	})
}

// FuzzLint: any text can be judged as any release, and each fix applies.
func FuzzLint(f *testing.F) {
	for _, s := range seedTexts {
		f.Add([]byte(s), uint8(0))
		f.Add([]byte(s), uint8(1))
	}
	releases := []Version{{2, 2, 7}, {1, 1, 13}, {1, 3, 5}, {2, 0, 10}, {2, 4, 3}}
	f.Fuzz(func(t *testing.T, src []byte, release uint8) {
		if len(src) > 1<<16 {
			return
		}
		l := Loader{Profile: Profile{version: releases[int(release)%len(releases)]}, MaxLines: 10_000, MaxBytes: 1 << 20}
		c := l.Parse("f", src)
		list := lintOf(c, Options{})
		for _, d := range list {
			require.NotEmpty(t, d.Rule)
			require.LessOrEqual(t, d.Range.End.Offset, len(src))
			for _, x := range d.Fixes {
				_, err := diag.Apply(src, "f", x.Edits)
				require.NoError(t, err, "%s", d)
			}
		}
		verdictOf(c, Options{})
		Recipients(c, Options{})
		require.Len(t, c.Masked("f"), len(src))
		_, _ = Simulate([]Node{{Name: "a", Config: c}, {Name: "b", Config: c}}, nil, Options{})
	})
}

// FuzzFormat: formatting twice is formatting once.
func FuzzFormat(f *testing.F) {
	for _, s := range seedTexts {
		f.Add([]byte(s))
	}
	f.Add([]byte("@!\\ ")) // without its blank, the backslash is a word
	f.Add([]byte("{}~{}")) // on a line of its own, "~ {" opens nothing
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 1<<16 {
			return
		}
		once, err := Format(src)
		if err != nil {
			return
		}
		twice, err := Format(once)
		require.NoError(t, err)
		require.Equal(t, string(once), string(twice))
	})
}
