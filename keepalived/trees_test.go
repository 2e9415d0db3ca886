package keepalived

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"dougu.internal/diag"
)

func tree(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return fsys
}

const wholeInstance = "vrrp_instance V1 {\n state BACKUP\n interface eth0\n virtual_router_id 51\n priority 100\n virtual_ipaddress {\n  10.0.0.1/24\n }\n}\n"

// TestAbsoluteIncludesAreReadBelowTheRoot loads the usual layout of roles and cookbooks.
// keepalived -t of 2.2.7 and 2.3.3 reads these includes.
func TestAbsoluteIncludesAreReadBelowTheRoot(t *testing.T) {
	files := map[string]string{
		"etc/keepalived/keepalived.conf":        "include /etc/keepalived/conf.d/*.conf\n",
		"etc/keepalived/conf.d/v1.conf":         wholeInstance + "include ../inside/a.conf\n",
		"etc/keepalived/inside/a.conf":          "priorty 5\n",
		"srv/keepalived.conf":                   "include /etc/keepalived/conf.d/*.conf\n",
		"etc/keepalived/conf.d/nested/deep.txt": "x\n",
	}
	for _, row := range []struct {
		name     string
		loader   Loader
		main     string
		read     int
		complete bool
		result   Result
	}{
		{"a copy of the host", Loader{FS: tree(files), Root: "/"}, "etc/keepalived/keepalived.conf", 3, true, Refused},
		{"another place of the host", Loader{FS: tree(files), Root: "/"}, "srv/keepalived.conf", 3, true, Refused},
		{"no root", Loader{FS: tree(files)}, "etc/keepalived/keepalived.conf", 1, false, ResultUnknown},
		{"a root elsewhere", Loader{FS: tree(files), Root: "/opt"}, "etc/keepalived/keepalived.conf", 1, false, ResultUnknown},
		{"a root of the same prefix", Loader{FS: tree(files), Root: "/et"}, "etc/keepalived/keepalived.conf", 1, false, ResultUnknown},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := row.loader.Load(row.main)
			require.NoError(t, err)
			require.Len(t, c.Files(), row.read)
			require.Equal(t, row.complete, c.Complete())
			test, err := Verdict(context.Background(), c, Options{})
			require.NoError(t, err)
			require.Equal(t, row.result, test.Result)
			require.NotEmpty(t, test.Reasons)
			if !row.complete {
				require.Len(t, c.Unread(), 1)
				require.Equal(t, "/etc/keepalived/conf.d/*.conf", c.Unread()[0].Pattern)
				require.Equal(t, 1, c.Unread()[0].Range.Start.Line)
			}
		})
	}
}

// TestUnreadIncludeHidesWhatItCouldChange: what is missing may be in the file that was not
// read; a line that is wrong stays wrong.
func TestUnreadIncludeHidesWhatItCouldChange(t *testing.T) {
	c := Loader{}.Parse("f", []byte("include /elsewhere/a.conf\nvrrp_instance V1 {\n interface eth0\n}\n"))
	require.Equal(t, []string{"KA041"}, idsOf(lintOf(c, Options{})))
	c = Loader{}.Parse("f", []byte("include /elsewhere/a.conf\nvrrp_instance V1 {\n interface eth0\n nosuch\n}\n"))
	test, err := Verdict(context.Background(), c, Options{})
	require.NoError(t, err)
	require.Equal(t, Refused, test.Result)
}

func idsOf(list diag.List) (ids []string) {
	for _, d := range list {
		ids = append(ids, d.Rule)
	}
	return ids
}

// TestDuplicateAddresses has the table that keepalived -t of 2.2.7 and 2.3.3 gave.
func TestDuplicateAddresses(t *testing.T) {
	for _, row := range []struct {
		virtual, excluded string
		refused           bool // by 2.3.3; 2.2.7 accepts all
	}{
		{"10.0.0.1/24", "", false},
		{"10.0.0.1/24\n10.0.0.1/32", "", true},
		{"fe80::1/64 dev eth1\nfe80::1/64 dev eth2", "", true},
		{"10.0.0.1/24", "10.0.0.1/24", true},
		{"10.0.0.1/24 dev eth1", "10.0.0.1/24", false},
		{"10.0.0.1/24 dev eth1", "10.0.0.1/16 dev eth1", true},
		{"fe80::1/64", "fe80::1/64 dev eth1\nfe80::1/64 dev eth2", false},
		{"10.0.0.9/24", "10.0.0.1/24 dev eth1\n10.0.0.1/24 dev eth1", true},
		{"2001:db8::1/64", "2001:db8:0::1/128", true},
	} {
		text := strings.Replace(wholeInstance, "10.0.0.1/24", row.virtual, 1)
		if row.excluded != "" {
			text = strings.TrimSuffix(text, "}\n") + " virtual_ipaddress_excluded {\n" + row.excluded + "\n }\n}\n"
		}
		for version, refused := range map[Version]bool{{2, 2, 7}: false, {2, 3, 2}: false, {2, 3, 3}: row.refused, {2, 4, 3}: row.refused} {
			p := Profile{version: version}
			ok, why := verdictOf(Loader{Profile: p}.Parse("f", []byte(text)), Options{Profile: p})
			require.Equal(t, !refused, ok, "%v: %s %v", version, text, why)
		}
		for _, d := range lintOf(Loader{}.Parse("f", []byte(text)), Options{}) {
			if d.Rule == "KA094" {
				require.Empty(t, d.Fixes, "no fix deletes an address")
			}
		}
	}
}

// TestForeignTextIsOneFinding: text that is not a configuration has one finding and no fix.
func TestForeignTextIsOneFinding(t *testing.T) {
	for _, row := range []struct{ name, text, rule string }{
		{"git", strings.Replace(wholeInstance, " state BACKUP\n", "<<<<<<< HEAD\n state BACKUP\n=======\n state MASTER\n>>>>>>> x\n", 1), "KA047"},
		{"diff3", strings.Replace(wholeInstance, " priority 100\n", "<<<<<<< a\n priority 50\n||||||| base\n priority 1\n=======\n priority 100\n>>>>>>> b\n", 1), "KA047"},
		{"Jinja", strings.Replace(wholeInstance, "priority 100", "priority {{ keepalived_priority }}", 1), "KA048"},
		{"a loop of Jinja", "{% for v in instances %}\n" + wholeInstance + "{% endfor %}\n", "KA048"},
		{"ERB", strings.Replace(wholeInstance, "51", "<%= @vrid %>", 1), "KA048"},
		{"curly quotes", wholeInstance + "global_defs {\n router_id “a”\n}\n", "KA049"},
		{"a long dash", strings.Replace(wholeInstance, "priority 100", "priority –100", 1), "KA049"},
	} {
		t.Run(row.name, func(t *testing.T) {
			list := lintOf(Loader{}.Parse("f", []byte(row.text)), Options{})
			require.Equal(t, []string{row.rule}, idsOf(list), "%v", list)
			require.Empty(t, list[0].Fixes)
		})
	}
	for _, text := range []string{
		wholeInstance + "# {{ not a template }}\n", wholeInstance + "# “quoted” – in a comment\n", "# =======\n" + wholeInstance,
	} {
		require.Empty(t, lintOf(Loader{}.Parse("f", []byte(text)), Options{}))
	}
}

// TestFixesOfNumbersAreWhatTheDaemonDoes: a number out of range is replaced by the value
// that the dump of keepalived 2.2.7 shows, or the line is deleted where the default holds.
func TestFixesOfNumbersAreWhatTheDaemonDoes(t *testing.T) {
	server := "virtual_server 10.0.0.1 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n LINE\n real_server 10.0.0.2 80 {\n  TCP_CHECK {\n  }\n }\n}\n"
	for _, row := range []struct{ text, line, want string }{
		{server, "persistence_timeout 0", ""},
		{server, "quorum 0", "quorum 1"},
		{wholeInstance, "preempt_delay 2000", ""},
		{"vrrp_script c {\n script \"/bin/true\"\n LINE\n}\n", "interval 0", "interval 1"},
		{"vrrp_script c {\n script \"/bin/true\"\n LINE\n}\n", "weight 300", "weight 300"},
	} {
		text := strings.Replace(row.text, "LINE", row.line, 1)
		if row.text == wholeInstance {
			text = strings.Replace(text, " priority 100", " priority 100\n "+row.line, 1)
		}
		c := Loader{Profile: Profile{version: Version{2, 2, 7}}}.Parse("f", []byte(text))
		var list diag.List
		for _, d := range lintOf(c, Options{}) {
			if strings.HasPrefix(d.Message, strings.Fields(row.line)[0]) {
				list = append(list, d)
			}
		}
		require.NotEmpty(t, list, row.line)
		fixed, _, err := diag.ApplyFixes([]byte(text), "f", list)
		require.NoError(t, err)
		want := strings.Replace(text, row.line, row.want, 1)
		require.Equal(t, strings.Fields(want), strings.Fields(string(fixed)), row.line)
	}
}

// TestElectionOfCutNetworks has the results of two daemons of 2.2.7 on two bridges.
func TestElectionOfCutNetworks(t *testing.T) {
	config := func(priority, more, groups string) string {
		instance := func(name, dev, id, addr string) string {
			return "vrrp_instance " + name + " {\n state BACKUP\n interface " + dev + "\n virtual_router_id " + id + "\n priority " + priority +
				"\n" + more + " virtual_ipaddress {\n  " + addr + "\n }\n}\n"
		}
		return groups + instance("V1", "eth0", "51", "10.0.0.1/24") + instance("V2", "eth1", "52", "10.0.1.1/24")
	}
	const group = "vrrp_sync_group G {\n group {\n  V1\n  V2\n }\n}\n"
	cut := func(kind FaultKind, from, to, dev string) []Fault {
		return []Fault{{Node: from, Subject: to, Kind: kind, Interface: dev}}
	}
	for _, row := range []struct {
		name, more, group string
		faults            []Fault
		want              string
	}{
		{"one network cut", "", "", cut(Partition, "A", "B", "eth0"), "V1=A,B V2=A"},
		{"what A sends is lost", "", "", cut(Deaf, "A", "B", "eth0"), "V1=A,B V2=A"},
		{"what B sends is lost", "", "", cut(Deaf, "B", "A", "eth0"), "V1=A V2=A"},
		{"with a sync group", "", group, cut(Partition, "A", "B", "eth0"), "V1=A V2=A"},
		{"what A sends is lost, with a sync group", "", group, cut(Deaf, "A", "B", "eth0"), "V1=A V2=A"},
		{"all that A sends is lost, with a sync group", "", group, cut(Deaf, "A", "B", ""), "V1=A,B V2=A,B"},
		{"dont_track_primary on a dead link", " dont_track_primary\n", "", []Fault{{Node: "A", Subject: "eth0", Kind: InterfaceDown}}, "V1=A,B V2=A"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := Profile{version: Version{2, 2, 7}}
			load := func(text string) *Config { return Loader{Profile: p}.Parse("f", []byte(text)) }
			nodes := []Node{
				{Name: "A", Config: load(config("150", row.more, row.group)), Addr: mustAddrs("192.168.200.2")[0]},
				{Name: "B", Config: load(config("100", row.more, row.group)), Addr: mustAddrs("192.168.200.3")[0]},
			}
			out, err := Simulate(nodes, [][]Fault{row.faults}, Options{})
			require.NoError(t, err)
			var got []string
			for _, o := range out {
				if o.Phase == 1 {
					got = append(got, o.Instance+"="+strings.Join(o.Masters, ","))
				}
			}
			require.Equal(t, row.want, strings.Join(got, " "))
		})
	}
}
