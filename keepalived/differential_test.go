package keepalived

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// compare asks the real tool and us for a verdict on each text, and reports where they
// differ. It returns how many texts the real tool objects to.
func compare(t *testing.T, j *judge, names, texts []string) (notOK int) {
	t.Helper()
	wrong := 0
	for i, r := range j.rule(t, texts) {
		if !r.ok() {
			notOK++
		}
		if ok, why := j.verdict(fmt.Sprintf("%06d.conf", i), texts[i]); ok != r.ok() {
			wrong++
			t.Errorf("%s: keepalived ends with %d, we say ok=%v\nkeepalived: %.800s\nwe: %s\n%s", names[i], r.status, ok, r.text, why, number(texts[i]))
		}
	}
	t.Logf("%d of %d texts differ; keepalived objects to %d", wrong, len(texts), notOK)
	return notOK
}

// number puts line numbers before the lines of a text.
func number(s string) string {
	var b strings.Builder
	n := 0
	for line := range strings.Lines(s) {
		n++
		fmt.Fprintf(&b, "%4d %q\n", n, strings.TrimSuffix(line, "\n"))
	}
	return b.String()
}

// TestVerdictAgreesOnRandomConfigurations: faulty configurations made of good ones, 200
// in the usual run, 5,000 in the large one.
func TestVerdictAgreesOnRandomConfigurations(t *testing.T) {
	j := newJudge(t)
	m := mutator{oracle.Rand(t)}
	names, texts := randomConfigs(m, oracle.N(200, 5000))
	notOK := compare(t, j, names, texts)
	require.Greater(t, notOK, len(texts)/4)
	require.Less(t, notOK, len(texts)*19/20)
}

func randomConfigs(m mutator, n int) (names, texts []string) {
	for i, b := range baseConfigs {
		names, texts = append(names, fmt.Sprintf("base %d", i)), append(texts, b)
	}
	for len(texts) < n {
		t := baseConfigs[m.r.IntN(len(baseConfigs))]
		if m.r.IntN(3) == 0 {
			t = m.milder(t)
		} else {
			t = m.mutate(t)
		}
		names, texts = append(names, fmt.Sprintf("random %d", len(texts))), append(texts, t)
	}
	return names, texts
}

// seeds are runs of the generator that once found a difference.
var seeds = []uint64{777}

// TestVerdictAgreesOnEarlierFinds holds texts on which the verdicts once differed.
func TestVerdictAgreesOnEarlierFinds(t *testing.T) {
	j := newJudge(t)
	var names, texts []string
	for name, text := range earlierFinds {
		names, texts = append(names, name), append(texts, text)
	}
	for _, s := range seeds {
		m := mutator{rand.New(rand.NewPCG(s, s))}
		n, x := randomConfigs(m, oracle.N(len(baseConfigs)+10, 300))
		for i := range n {
			n[i] = fmt.Sprintf("seed %d %s", s, n[i])
		}
		names, texts = append(names, n[len(baseConfigs):]...), append(texts, x[len(baseConfigs):]...)
	}
	for name, body := range hmacBodies {
		names = append(names, "auth_hmac: "+name)
		texts = append(texts, "vrrp_instance V1 {\n    state BACKUP\n    interface eth0\n    virtual_router_id 51\n    priority 100\n    virtual_ipaddress {\n        10.0.0.1/24\n    }\n"+body+"}\n")
	}
	compare(t, j, names, texts)
}

// hmacBodies are what an instance says of auth_hmac, which releases before 2.4.0 do not
// know.
var hmacBodies = map[string]string{
	"good":            "auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nactive_key 1\n}\n",
	"hex":             "auth_hmac {\nkey 1 hex:" + strings.Repeat("0a", 32) + "\nactive_key 1\n}\n",
	"hex, odd":        "auth_hmac {\nkey 1 \"hex:" + strings.Repeat("a ", 32) + "\"\nactive_key 1\n}\n",
	"hex, short":      "auth_hmac {\nkey 1 hex:" + strings.Repeat("0a", 31) + "\nactive_key 1\n}\n",
	"hex, wrong":      "auth_hmac {\nkey 1 hex:" + strings.Repeat("0g", 32) + "\nactive_key 1\n}\n",
	"short":           "auth_hmac {\nkey 1 0123456789abcdef0123456789abcde\nactive_key 1\n}\n",
	"long":            "auth_hmac {\nkey 1 " + strings.Repeat("a", 65) + "\nactive_key 1\n}\n",
	"longest":         "auth_hmac {\nkey 255 " + strings.Repeat("a", 64) + "\nactive_key 255\n}\n",
	"no key":          "auth_hmac {\nactive_key 1\n}\n",
	"empty":           "auth_hmac {\n}\n",
	"no active":       "auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\n}\n",
	"id of 0":         "auth_hmac {\nkey 0 0123456789abcdef0123456789abcdef\nactive_key 1\n}\n",
	"id of 256":       "auth_hmac {\nkey 256 0123456789abcdef0123456789abcdef\nactive_key 1\n}\n",
	"key without":     "auth_hmac {\nkey 1\n}\n",
	"key bare":        "auth_hmac {\nkey\n}\n",
	"active bare":     "auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nactive_key\n}\n",
	"mode bare":       "auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nactive_key 1\nmode\n}\n",
	"mode":            "auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nactive_key 1\nmode receive-only\n}\n",
	"mode unknown":    "auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nactive_key 1\nmode x\n}\n",
	"replay":          "auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nactive_key 1\nanti_replay monotonic\ntime_window 300\n}\n",
	"replay unknown":  "auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nactive_key 1\nanti_replay x\n}\n",
	"window":          "auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nactive_key 1\ntime_window 301\n}\n",
	"window of 0":     "auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nactive_key 1\ntime_window 0\n}\n",
	"two keys":        "auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nkey 1 0123456789abcdef0123456789abcdef\nactive_key 1\n}\n",
	"two blocks":      "auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\n}\nauth_hmac {\nactive_key 1\n}\n",
	"with legacy":     "authentication {\nauth_type PASS\nauth_pass abc\n}\nauth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nactive_key 1\n}\n",
	"strict":          "strict_mode yes\nauth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nactive_key 1\nmode permissive\n}\n",
	"strict, enforce": "strict_mode yes\nauth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nactive_key 1\n}\n",
	"version 3":       "version 3\nauth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nactive_key 1\n}\n",
	"surplus words":   "auth_hmac x {\nkey 1 0123456789abcdef0123456789abcdef y\nactive_key 1 z\n}\n",
}

// earlierFinds are texts on which a former verdict was wrong.
var earlierFinds = map[string]string{
	"payload 00ff":                                 "virtual_server 10.3.0.1 53 {\n    lb_algo rr\n    lb_kind NAT\n    protocol UDP\n    real_server 192.168.201.14 53 {\n        UDP_CHECK {\n            payload 00ff\n        }\n    }\n}\n",
	"payload 00 FF":                                "virtual_server 10.3.0.1 53 {\n    lb_algo rr\n    lb_kind NAT\n    protocol UDP\n    real_server 192.168.201.14 53 {\n        UDP_CHECK {\n            payload 00 FF\n        }\n    }\n}\n",
	"payload ff":                                   "virtual_server 10.3.0.1 53 {\n    lb_algo rr\n    lb_kind NAT\n    protocol UDP\n    real_server 192.168.201.14 53 {\n        UDP_CHECK {\n            payload ff\n        }\n    }\n}\n",
	"payload 0 ff":                                 "virtual_server 10.3.0.1 53 {\n    lb_algo rr\n    lb_kind NAT\n    protocol UDP\n    real_server 192.168.201.14 53 {\n        UDP_CHECK {\n            payload 0 ff\n        }\n    }\n}\n",
	"payload f":                                    "virtual_server 10.3.0.1 53 {\n    lb_algo rr\n    lb_kind NAT\n    protocol UDP\n    real_server 192.168.201.14 53 {\n        UDP_CHECK {\n            payload f\n        }\n    }\n}\n",
	"payload ff00":                                 "virtual_server 10.3.0.1 53 {\n    lb_algo rr\n    lb_kind NAT\n    protocol UDP\n    real_server 192.168.201.14 53 {\n        UDP_CHECK {\n            payload ff00\n        }\n    }\n}\n",
	"payload 00f":                                  "virtual_server 10.3.0.1 53 {\n    lb_algo rr\n    lb_kind NAT\n    protocol UDP\n    real_server 192.168.201.14 53 {\n        UDP_CHECK {\n            payload 00f\n        }\n    }\n}\n",
	"includer, missing":                            "includer nosuch.conf\n",
	"includem, missing":                            "includem nosuch.conf\n",
	"includew, missing":                            "includew nosuch.conf\n",
	"includeb, missing":                            "includeb nosuch.conf\n",
	"includer, no match":                           "includer nosuch*.conf\n",
	"includem, no match":                           "includem nosuch*.conf\n",
	"includeb, no match":                           "includeb nosuch*.conf\n",
	"includea, no match":                           "includea nosuch*.conf\n",
	"include, alternatives":                        "include {nosuch,none}.conf\n",
	"includer, alternatives":                       "includer {nosuch,none}.conf\n",
	"includem, alternatives":                       "includem {nosuch,none}.conf\n",
	"includew, alternatives":                       "includew {nosuch,none}.conf\n",
	"includeb, alternatives":                       "includeb {nosuch,none}.conf\n",
	"includeb, alternatives with wildcards":        "includeb {nosuch*,none*}.conf\n",
	"includex is no include":                       "includex nosuch.conf\n",
	"include_check":                                "global_defs {\n    include_check\n}\ninclude nosuch.conf\n",
	"include_check read":                           "global_defs {\n    include_check read\n}\ninclude nosuch.conf\n",
	"include_check match":                          "global_defs {\n    include_check match\n}\ninclude nosuch.conf\n",
	"include_check wildcard_match":                 "global_defs {\n    include_check wildcard_match\n}\ninclude nosuch*.conf\n",
	"include_check brace_match":                    "global_defs {\n    include_check brace_match\n}\ninclude {nosuch,none}.conf\n",
	"include_check behind the include":             "include nosuch.conf\nglobal_defs {\n    include_check match\n}\n",
	"include_check taken back":                     "global_defs {\n    include_check match\n    include_check -match\n}\ninclude nosuch.conf\n",
	"include_check added to":                       "global_defs {\n    include_check read\n    include_check +match -read\n}\ninclude nosuch.conf\n",
	"include_check of another block":               "vrrp_instance V {\n    include_check match\n}\ninclude nosuch.conf\n",
	"include of a missing file that must be there": "global_defs {\n    router_id r1\n}\nincludea nosuch.conf\n",
	"include of a missing file":                    "global_defs {\n    router_id r1\n}\ninclude nosuch.conf\n",
	"wildcard that must match":                     "global_defs {\n    router_id r1\n}\nincludew nosuch*.conf\n",
	"regex options alone":                          "virtual_server 10.1.0.1 80 {\n    lb_algo rr\n    lb_kind NAT\n    protocol TCP\n    real_server 192.168.200.100 80 {\n        HTTP_GET {\n            url {\n                path /\n                regex_stack\n            }\n        }\n    }\n}\n",
}

// TestVerdictAgreesOnTheExamples: the examples of all rules that are written for the
// release at hand.
func TestVerdictAgreesOnTheExamples(t *testing.T) {
	j := newJudge(t)
	examples, err := parseExamples()
	require.NoError(t, err)
	var names, texts []string
	for _, x := range examples {
		if x.texts["bad b"] != "" || x.config != "" || x.insecure != "" || x.id == "KA040" || x.id == "KA041" {
			continue
		}
		for _, k := range []string{"bad", "good", "fixed"} {
			if x.texts[k] != "" && (k != "good" || oracle.Long()) {
				names, texts = append(names, x.id+" "+k), append(texts, x.texts[k])
			}
		}
	}
	compare(t, j, names, texts)
}

// TestVerdictAgreesOnTheCorpus: the vendor's samples and the texts of another checker.
func TestVerdictAgreesOnTheCorpus(t *testing.T) {
	j := newJudge(t)
	dir := oracle.Corpus(t, "keepalived")
	var names, texts []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(filepath.Base(path), "conf") {
			return err
		}
		text, err := os.ReadFile(path)
		names, texts = append(names, filepath.Base(path)), append(texts, string(text))
		return err
	}))
	require.GreaterOrEqual(t, len(texts), 30)
	compare(t, j, names, texts)
}
