package keepalived

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNoFixSetsOneForNegative: keepalived 2.2.7 prints "garp_master_repeat '-1' invalid -
// ignoring" and uses the default, but "must be greater than 0, setting to 1" for 0.
func TestNoFixSetsOneForNegative(t *testing.T) {
	for value, want := range map[string]int{"0": 5, "-1": 1} {
		text := "global_defs {\n smtp_connect_timeout " + value + "\n}\nvrrp_script c {\n script \"/bin/true\"\n interval " + value +
			"\n timeout " + value + "\n}\nvrrp_instance V {\n interface eth0\n virtual_router_id 1\n advert_int " + value +
			"\n garp_master_repeat " + value + "\n virtual_ipaddress {\n  192.0.2.1/24\n }\n}\n"
		list, err := Lint(context.Background(), Loader{}.Parse("f", []byte(text)), Options{})
		require.NoError(t, err)
		ones := 0
		for _, d := range list {
			for _, fix := range d.Fixes {
				if len(fix.Edits) == 1 && fix.Edits[0].NewText == "1" {
					ones++
				}
			}
		}
		require.Equal(t, want, ones, "of -1, only advert_int has the default 1")
	}
}

// TestProtocolFixKeepsTheService: keepalived takes UDP for a virtual server without a protocol.
// The fix adds TCP only if the real servers are checked over TCP.
func TestProtocolFixKeepsTheService(t *testing.T) {
	for check, want := range map[string]string{
		"":                                      "protocol UDP",
		"MISC_CHECK {\n misc_path /bin/true\n}": "protocol UDP",
		"TCP_CHECK {\n}":                        "protocol TCP",
		"SMTP_CHECK {\n}":                       "protocol TCP",
		"HTTP_GET {\n url {\n path /\n status_code 200\n}\n}": "protocol TCP",
	} {
		text := "virtual_server 192.0.2.1 53 {\n lb_algo rr\n lb_kind NAT\n real_server 192.0.2.2 53 {\n" + check + "\n}\n}\n"
		list, err := Lint(context.Background(), Loader{}.Parse("f", []byte(text)), Options{})
		require.NoError(t, err)
		added := ""
		for _, d := range list {
			if d.Rule == "KA162" {
				require.Len(t, d.Fixes, 1)
				added = strings.TrimSpace(d.Fixes[0].Edits[0].NewText)
			}
		}
		require.Equal(t, want, added, check)
	}
}
