package ipxe_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/ipxe"
)

var expressMAC = [6]byte{0x52, 0x54, 0, 0x12, 0x34, 0x56}

const express = "Express5800/i120Ra-e1 [N8100-1482Y]"

// TestPart5FactsOfEveryGeneration: the requests of the story as each firmware sends them.
func TestPart5FactsOfEveryGeneration(t *testing.T) {
	for name, q := range map[string]string{
		"2012":          "type=Express5800%2Fi120Ra-e1%20%5BN8100-1482Y%5D&mac=52%3A54%3A00%3A12%3A34%3A56",
		"debian2019":    "type=Express5800/i120Ra-e1%20[N8100-1482Y]&mac=52%3A54%3A00%3A12%3A34%3A56",
		"2021":          "type=Express5800%2Fi120Ra-e1%20[N8100-1482Y]&mac=52:54:00:12:34:56",
		"inspect":       "mac=52-54-00-12-34-56&product_hex=457870726573733538303" + "02f69313230" + "52612d6531205b4e383130302d31343832595d",
		"raw":           "mac=525400123456&product=Express5800%2fi120Ra-e1%20[N8100-1482Y]",
		"mac_hex":       "mac_hex=525400123456&model=Express5800%2fi120Ra-e1%20[N8100-1482Y]",
		"dotted":        "mac=5254.0012.3456&TYPE=Express5800%2fi120Ra-e1%20[N8100-1482Y]",
		"with the rest": "x=1&&mac=52-54-00-12-34-56&type=Express5800%2fi120Ra-e1%20[N8100-1482Y]&",
	} {
		f, problems := ipxe.ParseFacts(q)
		require.Empty(t, problems, name)
		require.True(t, f.HasMAC, name)
		require.Equal(t, expressMAC, f.MAC, name)
		require.Equal(t, express, f.Product, name)
	}
}

func TestBadInputFacts(t *testing.T) {
	for _, row := range []struct {
		query, product, problem string
	}{
		{"product=x%0Achain%20http://evil", "x\nchain http://evil", ""},
		{"product=a+b", "a+b", ""},
		{"product=%FFFFFFC3%FFFFFFA9", "\xc3\xa9", ""},
		{"product=%FFFFFFFFFFFFC3%FFFFFFFFFFFFA9", "\xc3\xa9", ""},
		{"product=%FFFF", "\xffFF", ""},
		{"product=%zz%2", "%zz%2", "a broken % escape"},
		{"product=a;b", "a;b", ""},
		{"product", "", "no value"},
		{"product=1&product=2&type=3", "1", "given more than once; the first one counts"},
		{"product=x&mac=nonsense", "x", `"nonsense" is no MAC address`},
		{"product=x&mac=52:54:00-12:34:56", "x", `"52:54:00-12:34:56" is no MAC address`},
		{"product_hex=abc", "", "not hexadecimal digits"},
		{"product=" + strings.Repeat("x", 70_000), strings.Repeat("x", 64<<10-8), "a query of 70008 bytes; only 65536 are read"},
		{"product=a" + strings.Repeat("&x=1", 300), "a", "given more than once; the first one counts"},
		{"product=..%2F..%2Fetc%2Fpasswd", "../../etc/passwd", ""},
		{"", "", ""},
	} {
		f, problems := ipxe.ParseFacts(row.query)
		require.Equal(t, row.product, f.Product, "%.50s", row.query)
		if row.problem == "" {
			require.Empty(t, problems, "%.50s", row.query)
			continue
		}
		require.NotEmpty(t, problems)
		require.Equal(t, row.problem, problems[0].Text)
	}
}

func get(t *testing.T, h http.Handler, method, target, body string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(b)
}

func TestPart5HandlerSendsWholeScriptsOnly(t *testing.T) {
	const good = "#!ipxe\necho x\n"
	block := make(chan struct{})
	t.Cleanup(func() { close(block) })
	for _, row := range []struct {
		name   string
		make   ipxe.Generator
		status int
		body   string
	}{
		{"script", func(context.Context, ipxe.Facts) ([]byte, error) { return []byte(good), nil }, 200, good},
		{"no boot", func(context.Context, ipxe.Facts) ([]byte, error) { return nil, ipxe.ErrNoBoot }, 404, "no boot script for this machine\n"},
		{"error", func(context.Context, ipxe.Facts) ([]byte, error) { return []byte("#!ipxe\nhal"), errors.New("secret") }, 503, "the boot script could not be made\n"},
		{"panic", func(context.Context, ipxe.Facts) ([]byte, error) { panic("secret") }, 503, "the boot script could not be made\n"},
		{"html", func(context.Context, ipxe.Facts) ([]byte, error) { return []byte("<html>"), nil }, 503, "the boot script could not be made\n"},
		{"bom", func(context.Context, ipxe.Facts) ([]byte, error) { return []byte("\xef\xbb\xbf" + good), nil }, 503, "the boot script could not be made\n"},
		{"empty", func(context.Context, ipxe.Facts) ([]byte, error) { return nil, nil }, 503, "the boot script could not be made\n"},
		{"nul", func(context.Context, ipxe.Facts) ([]byte, error) { return []byte(good + "\x00"), nil }, 503, "the boot script could not be made\n"},
		{"huge", func(context.Context, ipxe.Facts) ([]byte, error) {
			return []byte(good + strings.Repeat("\n", 2<<20)), nil
		}, 503, "the boot script could not be made\n"},
		{"slow", func(ctx context.Context, _ ipxe.Facts) ([]byte, error) { <-ctx.Done(); return []byte(good), nil }, 503, "the boot script could not be made\n"},
		{"stuck", func(context.Context, ipxe.Facts) ([]byte, error) { <-block; return []byte(good), nil }, 503, "the boot script could not be made\n"},
	} {
		h := ipxe.Handler(row.make, ipxe.HandlerConfig{Timeout: 300 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
		r := get(t, h, "GET", "/boot?mac=525400123456&product=<script>", "")
		require.Equal(t, row.status, r.StatusCode, row.name)
		body := text(t, r)
		if row.name != "slow" { // ctx ends both: either answer is whole
			require.Equal(t, row.body, body, row.name)
		}
		require.Equal(t, "text/plain", r.Header.Get("Content-Type"))
		require.Equal(t, int64(len(body)), r.ContentLength)
		head := get(t, h, "HEAD", "/boot?mac=525400123456&product=<script>", "")
		require.Empty(t, text(t, head))
		require.Equal(t, r.Header, head.Header, row.name)
		for _, m := range []string{"PUT", "DELETE", "OPTIONS", "TRACE"} {
			require.Equal(t, 405, get(t, h, m, "/boot", "").StatusCode)
		}
	}
}

func TestPart5HandlerReadsQueriesAndForms(t *testing.T) {
	var seen ipxe.Facts
	h := ipxe.Handler(func(_ context.Context, f ipxe.Facts) ([]byte, error) {
		seen = f
		return []byte("#!ipxe\n"), nil
	}, ipxe.HandlerConfig{})
	require.Equal(t, 200, get(t, h, "GET", "/b?type=a%FFFFFFC3%FFFFFFA9;b%zz", "").StatusCode)
	require.Equal(t, "a\u00e9;b%zz", seen.Product, "net/url would have dropped it")
	require.Equal(t, 200, get(t, h, "POST", "/b?serial=1", "serial=2&asset=a%20b").StatusCode)
	require.Equal(t, "1", seen.Serial)
	require.Equal(t, "a b", seen.Asset)
	require.True(t, seen.Remote.IsValid())
	require.Equal(t, 400, get(t, h, "POST", "/b", strings.Repeat("x", 70_000)).StatusCode)
}

// TestPart5HandlerOverTheWire: through net/http, with what iPXE puts on the wire.
func TestPart5HandlerOverTheWire(t *testing.T) {
	s := httptest.NewServer(ipxe.Handler(func(_ context.Context, f ipxe.Facts) ([]byte, error) {
		var b ipxe.Builder
		b.Set("model", ipxe.Text(f.Product))
		return b.Bytes()
	}, ipxe.HandlerConfig{}))
	defer s.Close()
	u, err := url.Parse(s.URL)
	require.NoError(t, err)
	c, err := net.Dial("tcp", u.Host)
	require.NoError(t, err)
	defer c.Close()
	_, err = io.WriteString(c, "GET /b?type=Express5800/i120Ra-e1%20[N8100-1482Y]%FFFFFFC3%zz&mac=52%3A54%3A00%3A12%3A34%3A56 HTTP/1.1\r\nConnection: close\r\nHost: h\r\nUser-Agent: iPXE/1.0.0+\r\n\r\n")
	require.NoError(t, err)
	answer, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Contains(t, string(answer), "HTTP/1.1 200 OK\r\n")
	require.Contains(t, string(answer), "\r\n\r\n#!ipxe\nset dougu-1:hexraw ")
}

func TestPart5Machines(t *testing.T) {
	const file = `{
  "groups": {"web": {"kernel": "vmlinuz", "initrds": ["initrd.gz"], "args": ["quiet"], "console": {"port": 1}}},
  "machines": [
    {"name": "one", "mac": "52-54-00-12-34-56", "group": "web", "args": ["root=/dev/sda1"]},
    {"name": "express", "product": "*Express*", "manufacturer": "NE?", "group": "web"},
    {"name": "serial", "serial": "abc1", "local": "exit"},
    {"name": "id", "uuid": "11223344-5566-7788-99AA-bbccddeeff00", "kernel": "http://h/k"}
  ],
  "default": {"local": "sanboot"}
}`
	m, err := ipxe.ParseMachines(strings.NewReader(file))
	require.NoError(t, err)
	for _, row := range []struct{ query, rule, script string }{
		{"mac=52:54:00:12:34:56", "one", "#!ipxe\ninitrd http://${next-server}/initrd.gz\nkernel http://${next-server}/vmlinuz root=/dev/sda1 console=tty0 console=ttyS1,115200n8\nboot\n"},
		{"product=Express5800&vendor=NEC", "express", "#!ipxe\ninitrd http://${next-server}/initrd.gz\nkernel http://${next-server}/vmlinuz quiet console=tty0 console=ttyS1,115200n8\nboot\n"},
		{"product=Express5800&vendor=NECX", "", "#!ipxe\nsanboot --no-describe --drive 0x80\n"},
		{"serial=ABC1", "serial", "#!ipxe\nexit\n"},
		{"uuid=11223344-5566-7788-99aa-bbccddeeff00", "id", "#!ipxe\nkernel http://h/k quiet\nboot\n"},
	} {
		f, problems := ipxe.ParseFacts(row.query)
		require.Empty(t, problems)
		rule, g := m.Match(f)
		require.NotNil(t, g)
		if row.rule == "" {
			require.Nil(t, rule)
		} else {
			require.Equal(t, row.rule, rule.Name)
		}
		script, err := m.Generator()(t.Context(), f)
		require.NoError(t, err)
		if row.rule == "id" {
			row.script = strings.Replace(row.script, " quiet", "", 1)
		}
		require.Equal(t, row.script, string(script))
	}
	m.Default = nil
	_, err = m.Generator()(t.Context(), ipxe.Facts{})
	require.ErrorIs(t, err, ipxe.ErrNoBoot)
}

func TestBadInputMachines(t *testing.T) {
	for _, row := range []struct{ file, err string }{
		{`{`, "1:1: unexpected end of input"},
		{"{\n\"machines\": [{\"name\": 1}]}", "2:24: field machines.name: unexpected number"},
		{`{"machines": [{"nam": "x"}]}`, `1:29: unknown field "nam"`},
		{`[{"name": "x"}]`, "machine 1 (x) matches nothing: give a mac, serial, uuid, product or manufacturer"},
		{`[{"mac": "525400123456"}]`, "machine 1 has no name"},
		{`[{"name": "x", "mac": "5254001234"}]`, `machine 1 (x): "5254001234" is no MAC address`},
		{`[{"name": "x", "serial": "1", "group": "g"}]`, `machine 1 (x): there is no group "g"`},
		{`[{"name": "x", "serial": "1", "local": "no"}]`, `machine 1 (x): local is "no": it must be exit or sanboot`},
		{`[{"name": "x", "serial": "1", "console": {"port": 9}}]`, "machine 1 (x): serial port 9: SYSLINUX knows 0 to 3"},
		{`[{"name": "x", "serial": "1"}, {"name": "x", "serial": "2"}]`, "machine 2 (x) has the name of machine 1"},
		{`[] x`, "more text after the end"},
		{`[{"name": "x", "serial": "1", "kernel": "k", "args": ["${mac}"]}]`, "machine 1 (x): kernel: iPXE has no way to say this: ${ and } in"},
		{`[{"name": "x", "serial": "1", "kernel": "http://h/a b"}]`, "machine 1 (x): kernel: ' ' in the text"},
		{`{"machines": [{"name": "x", "serial": "1", "group": "g"}], "groups": {"g": {"kernel": "k", "initrds": ["a#b"]}}}`, "machine 1 (x): initrd: '#' in the text"},
	} {
		_, err := ipxe.ParseMachines(strings.NewReader(row.file))
		require.ErrorContains(t, err, row.err)
	}
}

func TestPart5InspectScriptBringsFactsOver(t *testing.T) {
	b := ipxe.InspectScript(ipxe.URL(ipxe.Text("http://"), ipxe.Var("next-server"), ipxe.Text("/boot")))
	script, err := b.Bytes()
	require.NoError(t, err)
	require.Equal(t, "#!ipxe\nimgfree\nchain http://${next-server}/boot?mac=${mac:hexhyp}&uuid=${uuid}&product_hex=${product:hexraw}"+
		"&manufacturer_hex=${manufacturer:hexraw}&serial_hex=${serial:hexraw}&asset_hex=${asset:hexraw}&arch=${buildarch}&platform=${platform}"+
		"&hostname_hex=${hostname:hexraw}&ip=${ip}\n", string(script))
}

func FuzzParseFacts(f *testing.F) {
	f.Add("mac=52%3A54%3A00%3A12%3A34%3A56&type=%FFFFFFC3%zz&a_hex=00&&=&x")
	f.Fuzz(func(t *testing.T, q string) {
		facts, problems := ipxe.ParseFacts(q)
		for _, p := range problems {
			_ = p.String()
		}
		again, _ := ipxe.ParseFacts(q)
		if facts.Product != again.Product || facts.MAC != again.MAC {
			t.Fatal("two readings differ")
		}
	})
}
