package keepalived

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/diag"
)

// TestBadInputIsBounded reads what no one should write: each ends soon, without
// a panic, and with few findings that say what is wrong.
func TestBadInputIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("large input: not in short runs")
	}
	many := fstest.MapFS{}
	for i := range 10_050 {
		many[fmt.Sprintf("d/%05d.conf", i)] = &fstest.MapFile{Data: []byte("# nothing\n")}
	}
	fifo := fstest.MapFS{"pipe": {Mode: fs.ModeNamedPipe}, "dir/x": {}}
	cycle := fstest.MapFS{"a": {Data: []byte("include b\n")}, "b": {Data: []byte("include a\n")}}
	for name, row := range map[string]struct {
		src  string
		fs   fs.FS
		l    Loader
		most int // findings; 0: any number
	}{
		"empty":                      {src: ""},
		"NUL":                        {src: "global_defs {\n router_id a\x00b\n}\n"},
		"byte order mark":            {src: "\xef\xbb\xbfglobal_defs {\n router_id a\n}\n"},
		"CR only":                    {src: "global_defs {\r router_id a\r}\r"},
		"CR LF":                      {src: "global_defs {\r\n router_id a\r\n}\r\n"},
		"not UTF-8":                  {src: "global_defs {\n router_id \xff\xfe\n}\n"},
		"line of 1022":               {src: "global_defs {\n router_id " + strings.Repeat("a", 1011) + "\n}\n"},
		"line of 1025":               {src: "global_defs {\n router_id " + strings.Repeat("a", 1014) + "\n}\n"},
		"line of a million":          {src: "global_defs {\n router_id " + strings.Repeat("a", 1_000_000) + "\n}\n"},
		"quote":                      {src: "global_defs {\n router_id \"a\n}\n"},
		"lone quote":                 {src: "\""},
		"100,000 open braces":        {src: strings.Repeat("vrrp_instance a {\n", 100_000)},
		"100,000 braces on a line":   {src: "global_defs " + strings.Repeat("{ ", 100_000), most: 300},
		"100,000 closing braces":     {src: strings.Repeat("}\n", 100_000), most: 300},
		"100,000 unknown keywords":   {src: strings.Repeat("foo\n", 100_000)},
		"variable in itself":         {src: "$A=$A$A\nrouter_id $A\n"},
		"variables in each other":    {src: "$A=$B$B\n$B=$A$A\nrouter_id $A\n"},
		"growing variables":          {src: "$A=aaaaaaaaaa\n" + grow(30) + "global_defs {\n router_id $V29\n}\n"},
		"sequence of a million":      {src: "~SEQ(a, 1, 1000) ~SEQ(b, 1, 1000) foo $a $b\n", l: Loader{MaxLines: 100_000}},
		"sequence without end":       {src: "~SEQ(a, 1, 9223372036854775807) foo $a\n", l: Loader{MaxLines: 100_000}},
		"sequence with step 0":       {src: "~SEQ(a, 1, 0, 9) foo $a\n"},
		"many lists":                 {src: strings.Repeat("~LST(a, 1,2,3,4,5,6,7,8,9,10) ", 12) + "foo\n", l: Loader{MaxLines: 100_000}},
		"include of itself":          {src: "include main\n", fs: fstest.MapFS{"main": {Data: []byte("include main\n")}}},
		"includes in a circle":       {src: "include a\n", fs: cycle},
		"include of 10,050 files":    {src: "include d/*.conf\n", fs: many},
		"include of a pipe":          {src: "include pipe\n", fs: fifo},
		"include of a directory":     {src: "include dir\n", fs: fifo},
		"include of the root":        {src: "include /etc/shadow\n", fs: fifo},
		"include of a parent":        {src: "include ../../etc/shadow\n", fs: fifo},
		"include without a file":     {src: "include\n", fs: fifo},
		"include, bad pattern":       {src: "include [\n", fs: fifo},
		"a byte too much":            {src: strings.Repeat("# \n", 1000), l: Loader{MaxBytes: 999}},
		"10,000 instances, one id":   {src: eachOf(10_000, "vrrp_instance V%d {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {\n 10.0.0.1\n }\n}\n")},
		"10,000 addresses, one":      {src: "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {\n" + strings.Repeat("10.0.0.1/24\n", 10_000) + " }\n}\n"},
		"10,000 peers":               {src: "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n unicast_peer {\n" + eachOf(10_000, "10.1.%d.1\n") + " }\n}\n"},
		"10,000 trackers":            {src: eachOf(10_000, "vrrp_script s%d {\n script /bin/true\n}\n") + "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n track_script {\n" + eachOf(10_000, "s%d\n") + " }\n}\n"},
		"10,000 servers, one":        {src: "virtual_server 10.0.0.1 80 {\n protocol TCP\n" + strings.Repeat("real_server 10.0.0.2 80 {\n}\n", 10_000) + "}\n"},
		"10,000 definitions, unused": {src: eachOf(10_000, "$A%d=1\n")},
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			l := row.l
			l.FS = row.fs
			for _, v := range []Version{v1_1_13, v2_2_7, {2, 4, 3}} {
				l.Profile = Profile{Version: v}
				c := l.Parse("main", []byte(row.src))
				o := Options{Host: NewHost("eth0")}
				list := Lint(c, o)
				if row.most > 0 && v == v2_2_7 {
					require.LessOrEqual(t, len(list), row.most)
				}
				for _, d := range list {
					require.Less(t, len(d.Message), 2000)
				}
				Verdict(c, o)
				Recipients(c, o)
				c.Masked("main")
			}
			require.Equal(t, len(row.src), len(Parse("main", []byte(row.src)).Bytes()))
			_, _ = Format([]byte(row.src))
			if d := time.Since(begin); d > 5*time.Second {
				t.Logf("slow: %s", d)
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
		last := "$A"
		if i > 0 {
			last = fmt.Sprintf("$V%d", i-1)
		}
		fmt.Fprintf(&b, "$V%d=%s%s\n", i, last, last)
	}
	return b.String()
}

// TestNoCheckIsQuadratic compares the time for a list with that for one ten times as
// long.
func TestNoCheckIsQuadratic(t *testing.T) {
	for name, src := range map[string]func(n int) string{
		"servers": func(n int) string { return string(services(n)) },
		"peers": func(n int) string {
			return "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n unicast_peer {\n" + eachOf(n, "fd00::%x\n") + " }\n}\n"
		},
		"scripts": func(n int) string {
			return eachOf(n, "vrrp_script s%d {\n script /bin/true\n}\n") + "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n track_script {\n" + eachOf(n, "s%d\n") + " }\n}\n"
		},
	} {
		t.Run(name, func(t *testing.T) {
			took := func(n int) time.Duration {
				best := time.Hour
				text := []byte(src(n))
				for range 3 {
					begin := time.Now()
					Lint(Loader{}.Parse("f", text), Options{})
					best = min(best, time.Since(begin))
				}
				return best
			}
			small, big := took(400), took(4000)
			t.Logf("%s for 400, %s for 4,000", small, big)
			require.Less(t, big, 40*small+2*time.Second)
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
		l := Loader{Profile: Profile{Version: releases[int(release)%len(releases)]}, MaxLines: 10_000, MaxBytes: 1 << 20}
		c := l.Parse("f", src)
		list := Lint(c, Options{})
		for _, d := range list {
			require.NotEmpty(t, d.Rule)
			require.LessOrEqual(t, d.Range.End.Offset, len(src))
			for _, x := range d.Fixes {
				_, err := diag.Apply(src, "f", x.Edits)
				require.NoError(t, err, "%s", d)
			}
		}
		Verdict(c, Options{})
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
