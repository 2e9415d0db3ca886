package keepalived

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// blockRow is a row of the recorded table.
type blockRow struct {
	block, keyword, first, last string
	quoted                      bool
	status                      [4]string // bare, word, one, block
}

func blockRows(t *testing.T) []blockRow {
	text, err := os.ReadFile("testdata/blocks.tsv")
	require.NoError(t, err)
	var out []blockRow
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		require.Len(t, f, 9)
		out = append(out, blockRow{f[0], f[1], f[2], f[3], f[4] == "q", [4]string(f[5:9])})
	}
	return out
}

// TestSchemaHasEveryKeyword compares the schema with the recorded table.
func TestSchemaHasEveryKeyword(t *testing.T) {
	s := theSchema()
	rows := blockRows(t)
	for _, r := range rows {
		b := s.blocks[r.block]
		require.NotNil(t, b, r.block)
		k := b.keys[r.keyword]
		require.NotNil(t, k, "%s / %s", r.block, r.keyword)
		require.Equal(t, r.first, "v"+k.since.String(), "%s / %s", r.block, r.keyword)
		until := ""
		if k.until != (Version{}) {
			until = "v" + k.until.String()
		}
		require.Equal(t, r.last, until, "%s / %s", r.block, r.keyword)
		require.Equal(t, r.quoted, k.kind == kindScript, "%s / %s", r.block, r.keyword)
	}
	require.Len(t, Keywords(), len(rows))
}

// context returns a clean file with the line in its block, behind that block's
// mandatory lines.
func (r blockRow) context(line string) string {
	const security = "global_defs {\n    enable_script_security\n    script_user root\n}\n"
	const instance = "vrrp_instance V1 {\n    state BACKUP\n    interface eth0\n    virtual_router_id 51\n    priority 100\n    virtual_ipaddress {\n        10.0.0.1/24\n    }\n}\n"
	check := func(name, inner string) string {
		return security + "track_file tf1 {\n    file /tmp/tf1\n}\nvirtual_server 10.1.0.1 80 {\n    delay_loop 6\n    lb_algo rr\n    lb_kind NAT\n    protocol TCP\n    real_server 192.168.200.100 80 {\n        weight 1\n        " + inner + "\n    }\n}\n"
	}
	switch r.block {
	case "-":
		return line + "\n" + security + instance
	case "global_defs":
		if r.keyword == "script_user" || r.keyword == "enable_script_security" {
			return "global_defs {\n" + line + "\n}\n"
		}
		return "global_defs {\n    enable_script_security\n    script_user root\n" + line + "\n}\n"
	case "vrrp_instance", "vrrp_instance/authentication", "vrrp_instance/auth_hmac":
		if r.block == "vrrp_instance/authentication" {
			other := "        auth_pass abc\n"
			if r.keyword == "auth_pass" {
				other = "        auth_type PASS\n"
			}
			line = "    authentication {\n" + other + line + "\n    }"
		}
		return security + "vrrp_instance V1 {\n    state BACKUP\n    interface eth0\n    virtual_router_id 51\n    priority 100\n" + line + "\n    virtual_ipaddress {\n        10.0.0.1/24\n    }\n}\n"
	case "vrrp_sync_group":
		one := func(n int) string {
			return fmt.Sprintf("vrrp_instance V%d {\n    state BACKUP\n    interface eth%d\n    virtual_router_id 5%d\n    priority 100\n    virtual_ipaddress {\n        10.0.%d.1/24\n    }\n}\n", n, n, n, n)
		}
		return security + one(1) + one(2) + "vrrp_sync_group G1 {\n" + line + "\n    group {\n        V1\n        V2\n    }\n}\n"
	case "vrrp_script":
		return security + "vrrp_script s1 {\n    script \"/usr/bin/test -e /etc/passwd\"\n" + line + "\n}\n" + instance
	case "virtual_server":
		return security + "virtual_server 10.1.0.1 80 {\n    delay_loop 6\n    lb_algo rr\n    lb_kind NAT\n    protocol TCP\n" + line + "\n    real_server 192.168.200.100 80 {\n        weight 1\n        TCP_CHECK {\n        }\n    }\n}\n"
	case "virtual_server/real_server":
		return check("", line)
	case "bfd_instance":
		return "bfd_instance B1 {\n    neighbor_ip 192.168.200.9\n" + line + "\n}\n"
	case "garp_group":
		return "garp_group {\n    garp_interval 1\n" + line + "\n}\n"
	case "track_file", "vrrp_track_file":
		return r.block + " tf {\n    file /tmp/x\n" + line + "\n}\n"
	case "track_group":
		return "track_group T1 {\n    group {\n        V1\n    }\n" + line + "\n}\n"
	case "vrrp_track_process":
		return "vrrp_track_process P1 {\n    process foo\n" + line + "\n}\n"
	case "SSL":
		return "SSL {\n" + line + "\n}\n"
	}
	name := strings.TrimPrefix(r.block, "virtual_server/real_server/")
	switch name {
	case "HTTP_GET/url", "SSL_GET/url":
		return check("", strings.TrimSuffix(name, "/url")+" {\n            url {\n                path /\n"+line+"\n            }\n        }")
	case "HTTP_GET", "SSL_GET":
		return check("", name+" {\n            url {\n                path /\n            }\n"+line+"\n        }")
	case "MISC_CHECK":
		return check("", name+" {\n            misc_path \"/usr/bin/test -e /etc/passwd\"\n"+line+"\n        }")
	case "SMTP_CHECK/host":
		return check("", "SMTP_CHECK {\n            host {\n"+line+"\n            }\n        }")
	case "DNS_CHECK":
		return check("", name+" {\n            name example.com\n"+line+"\n        }")
	case "FILE_CHECK":
		return check("", name+" {\n            track_file tf1\n"+line+"\n        }")
	case "BFD_CHECK":
		return "bfd_instance B1 {\n    neighbor_ip 192.168.200.9\n}\n" + check("", name+" {\n            name B1\n"+line+"\n        }")
	}
	return check("", name+" {\n"+line+"\n        }")
}

func (r blockRow) lines() [4]string {
	return [4]string{r.keyword, r.keyword + " zz", r.keyword + " 1", r.keyword + " {\n}"}
}

// TestVerdictGivesTheRecordedTable compares verdicts with those recorded of every
// keyword, alone, with a word, with a number, with an empty block.
func TestVerdictGivesTheRecordedTable(t *testing.T) {
	n, wrong := 0, 0
	for _, r := range blockRows(t) {
		for i, line := range r.lines() {
			old, _, both := strings.Cut(r.status[i], "/")
			if old == "" || old == "-" {
				continue
			}
			_ = both
			h := testHost()
			h.CPUs = 4
			h.Resolve = func(string) bool { return false }
			p := Profile{version: Version{2, 2, 7}}
			ok, why := verdictOf(Loader{Profile: p}.Parse("f", []byte(r.context(line))), Options{Profile: p, Host: h})
			n++
			if ok != (old == "0") {
				wrong++
				t.Errorf("%s / %s: recorded %s, ours %v\n%s", r.block, strings.ReplaceAll(line, "\n", " "), old, ok, show(why))
			}
		}
	}
	t.Logf("%d of %d differ", wrong, n)
	require.Greater(t, n, 2000)
}
