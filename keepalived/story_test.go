package keepalived

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/diag"
)

var (
	v1_1_13 = Version{1, 1, 13}
	v2_2_7  = Version{2, 2, 7}
)

func lintAs(v Version, src string) (diag.List, *Config) {
	c := Loader{Profile: Profile{version: v}}.Parse("f", []byte(src))
	return lintOf(c, Options{}), c
}

func errorsOf(l diag.List) diag.List {
	var out diag.List
	for _, d := range l {
		if d.Severity == diag.Error {
			out = append(out, d)
		}
	}
	return out
}

func ruleIDs(l diag.List) []string {
	var out []string
	for _, d := range l {
		out = append(out, d.Rule)
	}
	return out
}

const manualForm = "global_defs\n{\n    notification_email\n    {\n        a@x\n    }\n    notification_email_from b@x\n    smtp_server 127.0.0.1\n}\n"

// TestStoryOfTheBrace follows the golden answers of the design: a brace on the next line
// was a mail address for 1.1.13, and is one no more.
func TestStoryOfTheBrace(t *testing.T) {
	list, c := lintAs(v1_1_13, manualForm)
	bad := errorsOf(list)
	require.Equal(t, []string{"KA016"}, ruleIDs(bad))
	require.Equal(t, 4, bad[0].Range.Start.Line)
	require.Equal(t, 5, bad[0].Range.Start.Column)
	require.Equal(t, []string{"{", "a@x"}, Recipients(c, Options{}))

	fixed, n, err := diag.ApplyFixes([]byte(manualForm), "f", bad)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, strings.Replace(manualForm, "notification_email\n    {", "notification_email {", 1), string(fixed))
	list, c = lintAs(v1_1_13, string(fixed))
	require.Empty(t, errorsOf(list))
	require.Equal(t, []string{"a@x"}, Recipients(c, Options{}))

	for _, v := range []Version{{1, 2, 20}, {1, 4, 2}, {2, 0, 4}, v2_2_7, {2, 4, 3}} {
		list, c := lintAs(v, manualForm)
		for _, d := range list {
			require.Equal(t, diag.Info, d.Severity, "%s: %s", v, d)
		}
		ok, why := verdictOf(c, Options{})
		require.True(t, ok, "%s: %v", v, why)
		require.Equal(t, []string{"a@x"}, Recipients(c, Options{}), "%s", v)
	}
}

// TestStoryFamily holds the other forms that lose or invent a recipient.
func TestStoryFamily(t *testing.T) {
	global := func(s string) string {
		return "global_defs {\n" + s + "    notification_email_from b@x\n    smtp_server 127.0.0.1\n}\n"
	}
	for name, row := range map[string]struct {
		v    Version
		src  string
		rule string
		to   []string
	}{
		"one line":       {v1_1_13, "global_defs {\n    notification_email { a@x }\n    router_id R1\n}\n", "KA017", []string{"router_id", "R1"}},
		"closing behind": {v1_1_13, global("    notification_email {\n        a@x }\n"), "KA018", nil},
		"spelled at":     {v2_2_7, global("    notification_email {\n        root at example.com\n    }\n"), "", []string{"root", "at", "example.com"}},
		"commas":         {v2_2_7, global("    notification_email {\n        a@x.com, b@x.com\n    }\n"), "", []string{"a@x.com,", "b@x.com"}},
		"not closed":     {v2_2_7, "global_defs {\n    notification_email {\n        a@x.com\n    notification_email_from b@x.com\n    smtp_server 127.0.0.1\n}\n}\n", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			list, c := lintAs(row.v, row.src)
			require.NotEmpty(t, list)
			if row.rule != "" {
				require.Contains(t, ruleIDs(list), row.rule, "%v", list)
			}
			require.GreaterOrEqual(t, list.Count(diag.Error)+list.Count(diag.Warning), 1, "%v", list)
			to := Recipients(c, Options{})
			if row.to != nil {
				require.Equal(t, row.to, to)
			} else {
				require.Greater(t, len(to), 1, "%v", to)
			}
			if row.v == v2_2_7 {
				ok, _ := verdictOf(c, Options{})
				require.True(t, ok, "keepalived passes it in silence")
			}
		})
	}
}

// TestOneCauseOneFinding counts what a single mistake leads to.
func TestOneCauseOneFinding(t *testing.T) {
	for name, src := range map[string]string{
		"a brace too many":  strings.Replace(base, "    track_script {", "    }\n    track_script {", 1),
		"unknown block":     base + "foo {\n    bar 1\n    baz {\n        qux 2\n    }\n}\n",
		"letter for digit":  strings.Replace(base, "priority 100", "priority 1OO", 1),
		"misspelled":        strings.Replace(base, "virtual_router_id", "virtual_ruter_id", 1),
		"unknown variable":  strings.Replace(base, "priority 100", "priority $PRIO", 1),
		"quote not closed":  strings.Replace(base, "priority 100", "priority \"100", 1),
		"unknown interface": strings.Replace(base, "interface eth0", "interface eth9", 1),
	} {
		t.Run(name, func(t *testing.T) {
			require.NotEqual(t, base, src)
			o := Options{Host: NewHost("eth0")}
			before := lintOf(Loader{Profile: Profile{version: v2_2_7}}.Parse("f", []byte(base)), o)
			list := errorsOf(lintOf(Loader{Profile: Profile{version: v2_2_7}}.Parse("f", []byte(src)), o))
			require.Empty(t, errorsOf(before))
			want := 1
			if name == "a brace too many" {
				want = 2 // the brace, and what now stands outside
			}
			require.LessOrEqual(t, len(list), want, "%v", list)
			require.NotEmpty(t, list)
		})
	}
}

const base = `global_defs {
    enable_script_security
}
vrrp_script check {
    script "/bin/true"
    interval 1
    fall 2
    rise 2
    user root
}
vrrp_instance V1 {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority 100
    advert_int 1
    virtual_ipaddress {
        10.0.0.1/24
    }
    track_script {
        check
    }
}
`

// TestLintIgnore silences a rule on a line; the verdict stays.
func TestLintIgnore(t *testing.T) {
	bad := strings.Replace(base, "priority 100", "priority 300", 1)
	for name, src := range map[string]string{
		"same line":     strings.Replace(bad, "priority 300", "priority 300 # lint:ignore KA043", 1),
		"line before":   strings.Replace(bad, "    priority", "    # lint:ignore KA043\n    priority", 1),
		"two rules":     strings.Replace(bad, "priority 300", "priority 300 # lint:ignore KA042,KA043", 1),
		"another rule":  strings.Replace(bad, "priority 300", "priority 300 # lint:ignore KA042", 1),
		"another place": "# lint:ignore KA043\n" + bad,
	} {
		t.Run(name, func(t *testing.T) {
			list, c := lintAs(v2_2_7, src)
			if strings.HasPrefix(name, "another") {
				require.Contains(t, ruleIDs(list), "KA043")
			} else {
				require.NotContains(t, ruleIDs(list), "KA043")
			}
			ok, why := verdictOf(c, Options{})
			require.False(t, ok)
			require.Equal(t, []string{"KA043"}, ruleIDs(why))
		})
	}
}

// TestSecretsAreNeverShown puts a secret into every place where one may stand.
func TestSecretsAreNeverShown(t *testing.T) {
	const secret = "Hunter2Xy"
	auth := func(s string) string {
		return "vrrp_instance V1 {\n    interface eth0\n    virtual_router_id 51\n    authentication {\n        auth_type PASS\n" + s + "\n    }\n    virtual_ipaddress {\n        10.0.0.1\n    }\n}\n"
	}
	for name, src := range map[string]string{
		"plain":         auth("        auth_pass " + secret),
		"surplus":       auth("        auth_pass abc " + secret),
		"quoted":        auth("        auth_pass \"" + secret + " " + secret + "\""),
		"next line":     auth("        auth_pass\n        " + secret),
		"not closed":    auth("        auth_pass \"" + secret),
		"comment":       auth("        auth_pass " + secret + "!" + secret),
		"variable":      "$PW=" + secret + "\n" + auth("        auth_pass $PW"),
		"braced":        "$PW=" + secret + "\n" + auth("        auth_pass ${PW}"),
		"two variables": "$A=" + secret + "\n$PW=$A\n" + auth("        auth_pass $PW"),
		"twice":         auth("        auth_pass " + secret + "\n        auth_pass " + secret),
		"brace":         auth("        auth_pass {" + secret + "}"),
		"one line":      "vrrp_instance V1 {\n    interface eth0\n    authentication { auth_type PASS auth_pass " + secret + " }\n}\n",
		"outside":       "auth_pass " + secret + "\n",
		"misspelled":    auth("        auth_passs " + secret),
		"glued":         auth("        authpass " + secret),
		"with a dash":   auth("        auth-pass " + secret),
		"capitals":      auth("        AUTH_PASS " + secret),
		"swapped":       auth("        auth_apss " + secret),
		"equals":        auth("        auth_pass=" + secret),
		"quote at once": auth("        auth_pass\"" + secret + "\""),
		"unknown":       auth("        foo " + secret),
		"behind type":   auth("        auth_type PASS " + secret),
		"alone":         auth("        " + secret),
		"long":          auth("        auth_passs " + strings.Repeat(secret, 9)),
		"escaped":       auth("        auth_passs \"" + secret + "\\\" \t" + secret + "\""),
		"block name":    "vrrp_instance V1 {\n    authentification {\n        auth_typ PASS\n        foo " + secret + "\n    }\n}\n",
		"used early":    auth("        auth_pass $PW") + "$PW=" + secret + "\n",
		"own name":      "$AUTH_PASSWORD=" + secret + "\nglobal_defs {\n    router_id $AUTH_PASSWORD\n}\n",
		"in a comment":  "# the password is " + secret + "\nfoo\n",
		"smtp":          "global_defs {\n    smtp_password " + secret + "\n    smtp_auth_secret " + secret + "\n}\n",
		"snmp":          "global_defs {\n    snmp_community " + secret + "\n    snmp_passphrase \"" + secret + "\"\n}\n",
		"dbus":          "global_defs {\n    dbus_auth_token " + secret + "\n}\n",
		"ssl":           "SSL {\n    pasword " + secret + "\n    key " + secret + "\n}\n",
		"hmac":          "vrrp_instance V1 {\n    auth_hmac {\n        key 1 " + secret + "\n        kee 2 " + secret + "\n    }\n}\n",
		"http":          "virtual_server 10.0.0.1 80 {\n    delay_loop 6\n    real_server 10.0.0.2 80 {\n        HTTP_GET {\n            password " + secret + "\n        }\n    }\n}\n",
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range []Version{v1_1_13, v2_2_7, {2, 4, 3}} {
				list, c := lintAs(v, src)
				_, why := verdictOf(c, Options{})
				list = append(list, why...)
				list = append(list, lintClusterOf([]Node{{Name: "a", Config: c}, {Name: "b", Config: Loader{}.Parse("b", []byte(auth("auth_pass x")))}}, Options{})...)
				var out bytes.Buffer
				require.NoError(t, diag.WriteJSON(&out, list))
				require.NoError(t, diag.WriteSARIF(&out, diag.Tool{Name: "t"}, list))
				require.NoError(t, diag.WriteText(&out, list, c.Masked))
				for _, d := range list {
					fmt.Fprintf(&out, "%s %v", d, d.Fixes)
				}
				if _, err := Format([]byte(src)); err != nil {
					fmt.Fprintln(&out, err)
				}
				for line := range strings.SplitSeq(out.String(), "\n") {
					require.NotContains(t, line, secret[:7], "%s", v)
				}
			}
		})
	}
}

// TestOutputIsTheSameEachTime also reads what the writers wrote.
func TestOutputIsTheSameEachTime(t *testing.T) {
	src := strings.Replace(base, "priority 100", "priority 300\n    foo", 1) + manualForm + "include nothing/*.conf\n"
	var first string
	for range 20 {
		list, c := lintAs(v2_2_7, src)
		var b, sarif bytes.Buffer
		require.NoError(t, diag.WriteJSON(&b, list))
		require.NoError(t, diag.WriteSARIF(&sarif, diag.Tool{Name: "keepalived-lint"}, list))
		require.True(t, json.Valid(b.Bytes()))
		var doc struct {
			Version string
			Runs    []struct{ Results []any }
		}
		require.NoError(t, json.Unmarshal(sarif.Bytes(), &doc))
		require.Equal(t, "2.1.0", doc.Version)
		require.Len(t, doc.Runs[0].Results, len(list))
		require.NoError(t, diag.WriteText(&b, list, c.Masked))
		if first == "" {
			first = b.String()
		}
		require.Equal(t, first, b.String())
	}
}

// TestTreeGivesBackEveryByte, also of what is no configuration.
func TestTreeGivesBackEveryByte(t *testing.T) {
	for _, src := range []string{"", "\n", "\r", "a", "a\r\nb\r", "{", "}}}", "$A=\\\n b\\\n", "\"", "a \"b\nc", "# x", "~SEQ(a,1,2) b", "@x y\n@^z", "\x00\xff", manualForm, base} {
		f := Parse("f", []byte(src))
		require.Equal(t, src, string(f.Bytes()))
		at := 0
		for n := range f.All() {
			require.Equal(t, at, n.From)
			require.Greater(t, n.To, n.From)
			for _, w := range f.Words(n) {
				require.LessOrEqual(t, n.From, w.From)
				require.LessOrEqual(t, w.To, n.To)
			}
			at = n.To
		}
		require.Equal(t, len(src), at)
	}
}

// TestEditsChangeTheirOwnBytes only.
func TestEditsChangeTheirOwnBytes(t *testing.T) {
	src := []byte(base)
	f := Parse("f", src)
	n := f.Find("virtual_router_id")
	require.Len(t, n, 1)
	out, err := diag.Apply(src, "f", []diag.Edit{f.Set(n[0], 1, "52"), f.Set(f.Find("script")[0], 1, "/bin/a b"), f.Set(f.Find("interface")[0], 2, "x")})
	require.NoError(t, err)
	want := strings.NewReplacer("virtual_router_id 51", "virtual_router_id 52", `"/bin/true"`, `"/bin/a b"`, "interface eth0", "interface eth0 x").Replace(base)
	require.Equal(t, want, string(out))
}

// TestClusterLint compares the files of two nodes.
func TestClusterLint(t *testing.T) {
	node := func(name, old, new string) Node {
		require.Contains(t, base, old)
		return Node{Name: name, Config: Loader{}.Parse(name, []byte(strings.Replace(base, old, new, 1)))}
	}
	a := node("a", "priority 100", "priority 150")
	require.Empty(t, errorsOf(lintClusterOf([]Node{a, node("b", "priority", "priority")}, Options{})))
	for name, row := range map[string][3]string{
		"another id":        {"virtual_router_id 51", "virtual_router_id 52"},
		"another interval":  {"advert_int 1", "advert_int 2"},
		"another address":   {"10.0.0.1/24", "10.0.0.9/24"},
		"the same priority": {"priority 100", "priority 150"},
		"authentication":    {"advert_int 1", "advert_int 1\n    authentication {\n        auth_type PASS\n        auth_pass abc\n    }"},
	} {
		t.Run(name, func(t *testing.T) {
			list := lintClusterOf([]Node{a, node("b", row[0], row[1])}, Options{})
			require.NotEmpty(t, list)
			for _, d := range list {
				require.GreaterOrEqual(t, d.Rule, "KA200", "%v", d)
			}
		})
	}
}
