package ipxe_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/ipxe"
	"dougu.internal/ipxe/sim"
)

// TestBadInputValuesInTheBuilder: each kind of hostile value is data, or is refused.
func TestBadInputValuesInTheBuilder(t *testing.T) {
	for _, row := range []struct {
		name, value string
		refused     bool
	}{
		{name: "new line", value: "a\nreboot"}, {name: "CR", value: "a\rreboot"}, {name: "CR LF", value: "a\r\nreboot"}, {name: "NUL", value: "a\x00b", refused: true},
		{name: "leading hash", value: "#a"}, {name: "word ||", value: "a || reboot"}, {name: "word &&", value: "a && reboot"}, {name: "word ;", value: "a ; reboot"},
		{name: "operator alone", value: "||"}, {name: "trailing backslash", value: `a\`}, {name: "backslashes", value: `\\`}, {name: "opened variable", value: "a${b"},
		{name: "closed variable", value: "a${b}", refused: true}, {name: "two words of a variable", value: "${a b}", refused: true}, {name: "quotes", value: `"a b" 'c'`}, {name: "double blanks", value: "a  b"},
		{name: "blanks at the edges", value: " a "}, {name: "blank alone", value: " "}, {name: "tab", value: "\t"}, {name: "byte order mark", value: "\ufeffa"}, {name: "non-ASCII", value: "Grüße \xff"},
		{name: "option", value: "-x"}, {name: "long option", value: "--name"}, {name: "end of options", value: "--"}, {name: "300 words", value: strings.Repeat("w ", 299) + "w"},
		{name: "30 kB of bytes", value: strings.Repeat("\xff ", 15_000)}, {name: "100 kB", value: strings.Repeat("k", 100_000), refused: true}, {name: "100 kB of bytes", value: strings.Repeat("\xfe", 100_000), refused: true},
		{name: "control characters", value: "\x01\x1b[2J\x7f"}, {name: "a comment and a command", value: "# x\n#!ipxe\nreboot"},
	} {
		t.Run(row.name, func(t *testing.T) {
			for name, write := range map[string]func(*ipxe.Builder){
				"set":  func(b *ipxe.Builder) { b.Set("v", ipxe.Text(row.value)) },
				"echo": func(b *ipxe.Builder) { b.Echo(ipxe.Text(row.value)) },
				"item": func(b *ipxe.Builder) {
					b.Menu(ipxe.Choice{Title: row.value, Timeout: 1e9, Items: []ipxe.Item{{Label: "a", Text: row.value, Do: func(b *ipxe.Builder) { b.Set("v", ipxe.Text("chosen")) }}}})
				},
				"param": func(b *ipxe.Builder) {
					b.Command("params", nil)
					b.Command("param", nil, ipxe.Text("k"), ipxe.Text(row.value))
				},
				"kernel": func(b *ipxe.Builder) {
					b.Attempt(func(b *ipxe.Builder) { b.Kernel(ipxe.Link("http://h/k"), ipxe.Text(row.value)) }, nil)
				},
			} {
				var b ipxe.Builder
				write(&b)
				b.Set("mark", ipxe.Text("here"))
				script, err := b.Bytes()
				if row.refused {
					require.ErrorIs(t, err, ipxe.ErrUnrepresentable, name)
					continue
				}
				require.NoError(t, err, name)
				r := run(t, script, ipxe.Debian2019().With("params", "param"))
				mark, _ := r.Setting("mark")
				require.Equal(t, "here", string(mark), name)
				require.Equal(t, sim.Returned, r.Boot.Kind)
				for _, h := range r.Hazards {
					require.NotEqual(t, sim.HazardToken, h.Kind, "%s: %s", name, h.Text)
				}
				if name == "set" {
					v, _ := r.Setting("v")
					require.Equal(t, row.value, string(v))
				}
			}
		})
	}
	t.Run("empty", func(t *testing.T) {
		var b ipxe.Builder
		b.Set("v", ipxe.Text("old"))
		b.Set("v", ipxe.Text(""))
		b.Echo(ipxe.Text("["), ipxe.Text(""), ipxe.Text("]"))
		script, err := b.Bytes()
		require.NoError(t, err)
		require.Contains(t, string(script), "\nclear v\n", "what iPXE makes of set without a value is said plainly")
		require.Contains(t, string(run(t, script, ipxe.Debian2019()).Console), "[  ]\n")
	})
	t.Run("command from a fact", func(t *testing.T) {
		var b ipxe.Builder
		b.Command("${product}", nil)
		require.ErrorContains(t, b.Err(), "is no name of a command")
	})
}

// TestBadInputMachineTexts: what a machine says of itself stays text, wherever it comes by.
func TestBadInputMachineTexts(t *testing.T) {
	for _, fact := range []string{"A || reboot && # x", "x\nchain http://evil", "${mac}", "a+b&c=d#e?f%", "\u00e9\xff", "..", "../../etc/passwd", "-x", "", "\x1b[2J"} {
		for _, p := range []ipxe.Profile{ipxe.Debian2019(), ipxe.Newest()} {
			var seen ipxe.Facts
			h := ipxe.Handler(func(_ context.Context, f ipxe.Facts) ([]byte, error) {
				seen = f
				var b ipxe.Builder
				b.Set("model", ipxe.Text(f.Product))
				return b.Bytes()
			}, ipxe.HandlerConfig{})
			script, err := ipxe.InspectScript(ipxe.Link("http://h/boot")).Bytes()
			require.NoError(t, err)
			r, err := sim.Run(t.Context(), &sim.Machine{Profile: p, SMBIOS: map[string]string{"product": fact}}, ipxe.Parse("inspect", script), sim.HandlerWorld(h, "h"), sim.Options{})
			require.NoError(t, err)
			require.Equal(t, fact, seen.Product, "the handler gets the bytes")
			require.Equal(t, [6]byte{0x52, 0x54, 0, 0x12, 0x34, 0x56}, seen.MAC)
			require.Len(t, r.Requests, 1)
			if fact == "${mac}" {
				require.Equal(t, sim.Status(0x1d0c6539), r.Status, "it can't be said: 503, and no script")
				continue
			}
			require.Equal(t, sim.OK, r.Status, "%q: %s", fact, r.Console)
			model, _ := r.Setting("model")
			require.Equal(t, fact, string(model), "the machine gets them back")
		}
	}
}

// TestBadInputRequests: what a client may send to the handler.
func TestBadInputRequests(t *testing.T) {
	h := ipxe.Handler(func(context.Context, ipxe.Facts) ([]byte, error) { return []byte("#!ipxe\n"), nil }, ipxe.HandlerConfig{})
	for name, row := range map[string]struct {
		method, target, host, body string
		status                     int
	}{
		"IPv6 host":          {"GET", "/b?mac=525400123456", "[2001:db8::1]:8080", "", 200},
		"no query":           {"GET", "/b", "h", "", 200},
		"64 kB query":        {"GET", "/b?x=" + strings.Repeat("y", 70_000), "h", "", 200},
		"10,000 pairs":       {"GET", "/b?" + strings.Repeat("a=b&", 10_000), "h", "", 200},
		"broken escapes":     {"GET", "/b?mac=%zz&product=%", "h", "", 200},
		"CR LF in a value":   {"GET", "/b?product=x%0d%0aSet-Cookie:%20a", "h", "", 200},
		"a form too long":    {"POST", "/b", "h", strings.Repeat("x", 1<<20), 400},
		"another method":     {"PATCH", "/b", "h", "", 405},
		"HEAD":               {"HEAD", "/b?product=<script>", "h", "", 200},
		"traversal":          {"GET", "/../../b?name=../../etc/passwd", "h", "", 200},
		"user agent of 1 MB": {"GET", "/b", "h", "", 200},
	} {
		q := httptest.NewRequest(row.method, "/", strings.NewReader(row.body))
		q.URL.Path, q.URL.RawQuery, _ = strings.Cut(row.target, "?")
		if !strings.Contains(row.target, "?") {
			q.URL.Path, q.URL.RawQuery = row.target, ""
		} else {
			path, query, _ := strings.Cut(row.target, "?")
			q.URL.Path, q.URL.RawQuery = path, query
		}
		q.Host = row.host
		q.Header.Set("Accept-Encoding", "gzip")
		if name == "user agent of 1 MB" {
			q.Header.Set("User-Agent", strings.Repeat("u", 1<<20))
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, q)
		require.Equal(t, row.status, w.Code, name)
		require.Equal(t, "text/plain", w.Header().Get("Content-Type"), name)
		require.Empty(t, w.Header().Get("Content-Encoding"), name)
		require.Empty(t, w.Header().Get("Set-Cookie"), name)
		require.NotContains(t, w.Body.String(), "script>", "nothing of the request comes back")
		require.Equal(t, row.status == http.StatusOK && row.method != "HEAD", ipxe.IsScript(w.Body.Bytes()), name)
	}
}

// TestBadInputScripts: files of every broken kind are kept to the byte, and are read in
// time that grows with their size alone.
func TestBadInputScripts(t *testing.T) {
	big := oracle.N(10, 100) << 20
	for name, src := range map[string][]byte{
		"empty": {}, "one byte": []byte("#"), "NUL": []byte("#!ipxe\necho a\x00b\n\x00"), "lone CR": []byte("#!ipxe\necho a\rb\r"), "no final new line": []byte("#!ipxe\necho a"),
		"backslash at the end": []byte("#!ipxe\necho \\"), "CR LF mixed": []byte("#!ipxe\r\necho a\necho b\\\r\nc\r\n"), "not UTF-8": []byte("#!ipxe\necho \xff\xfe\xc3\n"),
		"opened variables": bytes.Repeat([]byte("${"), big/2), "nested variables": append(append([]byte("#!ipxe\nset x "), bytes.Repeat([]byte("${"), 1<<20)...), bytes.Repeat([]byte("}"), 1<<20)...),
		"a line of 10 MB": append([]byte("#!ipxe\necho "), bytes.Repeat([]byte("x"), 10<<20)...), "words of 10 MB": append([]byte("#!ipxe\necho "), bytes.Repeat([]byte("x "), 5<<20)...),
	} {
		s := ipxe.Parse(name, src)
		require.True(t, bytes.Equal(src, s.Bytes()), name)
		end := 0
		for _, l := range s.Lines() {
			require.Equal(t, end, l.Start)
			end = l.End
		}
		require.Equal(t, len(src), end, name)
		if len(src) < 1<<20 {
			again := ipxe.Parse(name, s.Render())
			require.Equal(t, string(s.Render()), string(again.Render()), name)
		}
	}
	var labels bytes.Buffer
	labels.WriteString("#!ipxe\ngoto l999999\n")
	for i := range 1_000_000 {
		fmt.Fprintf(&labels, ":l%d\n", i)
	}
	labels.WriteString("exit 3\n")
	r, err := sim.Run(t.Context(), nil, ipxe.Parse("labels", labels.Bytes()), nil, sim.Options{})
	require.NoError(t, err)
	require.Equal(t, sim.Status(3), r.Status, "a million labels")
}
