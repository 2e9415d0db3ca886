package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/ipxe"
)

// call runs the program and returns its exit status and outputs.
func call(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	p := &program{in: strings.NewReader(stdin), out: &out, err: &errs}
	status = p.main(context.Background(), args)
	return status, out.String(), errs.String()
}

func file(t *testing.T, name, content string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	return name
}

// TestPart8Serve: the story; three firmwares, one machine.
func TestPart8Serve(t *testing.T) {
	for profile, query := range map[string]string{
		"debian2019": "type=Express5800/i120Ra-e1%20[N8100-1482Y]&mac=52%3A54%3A00%3A12%3A34%3A56",
		"2021":       "type=Express5800%2Fi120Ra-e1%20[N8100-1482Y]&mac=52:54:00:12:34:56",
	} {
		status, out, errs := call(t, "", "serve", "-once", "-profile", profile)
		require.Zero(t, status, errs)
		for _, want := range []string{
			"> GET /iPXE/boot.ipxe\n< 200 OK, text/plain, 102 bytes\n", "> GET /cgi-bin/boot_ipxe.cgi?" + query + "\n< 200 OK, text/plain, 88 bytes\n",
			"  http://192.168.0.1/cgi-bin/boot_ipxe.cgi... ok\n", "ends: linux boots: kernel http://192.168.0.1/vmlinuz, initrd http://192.168.0.1/initrd.gz\n",
		} {
			require.Contains(t, out, want)
		}
	}
	status, out, errs := call(t, "", "serve", "-once", "-product", "X200 ${mac}")
	require.Equal(t, 1, status)
	require.Contains(t, out, "< 404 Not Found, text/plain, 32 bytes\n")
	require.Contains(t, errs, "ipxe-boot: the boot failed: 0x2d0c613b No such file or directory\n")
	status, _, errs = call(t, "", "serve")
	require.Equal(t, 2, status)
	require.Contains(t, errs, "serve only knows -once")
	machines := file(t, "m.json", `[{"name": "x", "mac": "02-00-00-00-00-01", "kernel": "vmlinuz", "args": ["a  b"]}]`)
	status, out, _ = call(t, "", "serve", "-once", "-mac", "020000000001", "-machines", machines)
	require.Zero(t, status)
	require.Contains(t, out, `linux boots: kernel http://192.168.0.1/vmlinuz with "a  b"`)
}

// TestPart8RunJSON holds the machine output to the letter.
func TestPart8RunJSON(t *testing.T) {
	script := file(t, "s.ipxe", "#!ipxe\nset a:hexraw 00ff\nimgfetch http://h/x?q=${mac} ||\nisset ${nothing}\n")
	status, out, errs := call(t, "", "run", "-profile", "debian2019", "-format", "json", "-dump", "a", "-dump", "nosuch", script)
	require.Equal(t, 1, status, errs)
	require.Equal(t, `{"status":"0x2d02203b","console":"http://h/x... No such file or directory (http://ipxe.org/2d0c613b)\n",`+
		`"requests":[{"method":"GET","uri":"http://h/x?q=52%3A54%3A00%3A12%3A34%3A56","headers":{"Connection":"keep-alive","Host":"h","User-Agent":"iPXE/1.0.0+git-20190125.36a4c85-5.1"},"body":""}],`+
		`"settings":{"a":"00ff","nosuch":""},"boots":{"kind":"return"},"steps":8,"hang":null}`+"\n", out)

	kernel := make([]byte, 1024)
	copy(kernel[0x202:], "HdrS")
	status, out, errs = call(t, "#!ipxe\ninitrd http://h/i\nkernel http://h/k?a=b x ${210}\nboot\n", "run", "-profile", "2021", "-format", "json", "-set", "210:string=tftp",
		"-http", "http://h/k?a=b="+file(t, "k", string(kernel)), "-http", "http://h/i="+file(t, "i", "I"), "-")
	require.Zero(t, status, errs)
	var r jsonResult
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.Equal(t, "linux", r.Boots.Kind)
	require.Equal(t, "x tftp", r.Boots.Args)
	require.Equal(t, jsonImage{"k", "http://h/k?a=b", "x tftp", 1024, "bzImage"}, *r.Boots.Kernel)
	require.Equal(t, []jsonImage{{"i", "http://h/i", "", 1, "PXE-NBP"}}, r.Boots.Initrds)
	require.Nil(t, r.Hang)

	status, out, _ = call(t, "#!ipxe\necho ${product}\n", "run", "-format", "json", "-set", "smbios/product=${product}", "-")
	require.Equal(t, 1, status)
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.Equal(t, "endless-expansion: a setting whose value expands to itself again and again", *r.Hang)
	require.Equal(t, "hang", r.Boots.Kind)
}

func TestPart8RunText(t *testing.T) {
	status, out, _ := call(t, "#!ipxe\nmenu M\nitem a A\nitem b B\nchoose x && echo \x1b[31m[${x}]\nexit 3\n", "run", "-key", "down", "-key", "enter", "-dump", "x", "-")
	require.Equal(t, 1, status)
	require.Equal(t, `console:
  M
   > A
     B
  \x1b[31m[b]
setting x: 62 (b)
status: 0x3 Error 0x00000003
ends: the script returns; the firmware or iPXE's own prompt goes on
steps: 10, time on the clock: 0s
`, out)
	for _, row := range []struct {
		args []string
		err  string
	}{
		{[]string{"run"}, "usage: ipxe-boot run"},
		{[]string{"run", "-profile", "x", "-"}, `there is no profile "x": debian2019, 2021, 2021-all`},
		{[]string{"run", "-set", "x", "-"}, `-set "x": NAME=VALUE`},
		{[]string{"run", "-http", "x", "-"}, `-http "x": URL=FILE`},
		{[]string{"run", "-key", "nokey", "-"}, `-key "nokey"`},
		{[]string{"run", "-set", "mac=x", "-"}, "no MAC address"},
		{[]string{"run", "/nonexistent"}, "no such file"},
		{[]string{"run", "-format", "xml", "-"}, "usage"},
		{[]string{"run", "-set", "x:nosuch=1", "-"}, "not supported"},
		{[]string{"nosuch"}, `there is no subcommand "nosuch"`},
		{nil, "usage: ipxe-boot SUBCOMMAND"},
	} {
		status, _, errs := call(t, "#!ipxe\n", row.args...)
		require.Equal(t, 2, status, "%v", row.args)
		require.Contains(t, strings.ToLower(errs), strings.ToLower(row.err))
	}
	status, _, errs := call(t, "", "run", "-h")
	require.Zero(t, status)
	require.Contains(t, errs, `{"status":"0x2d02203b","console":"...","requests":`)
}

func TestPart8Lint(t *testing.T) {
	bad := file(t, "bad.ipxe", "#!ipxe\nehco x\n")
	status, out, _ := call(t, "", "lint", bad)
	require.Equal(t, 1, status)
	require.Contains(t, out, bad+":2:1: error: no build of iPXE has a command \"ehco\"; did you mean echo? [IP301]\n")
	status, out, _ = call(t, "", "lint", "-format", "sarif", bad)
	require.Equal(t, 1, status)
	require.Contains(t, out, `"version": "2.1.0"`)
	status, out, _ = call(t, "", "lint", "-format", "json", bad)
	require.Equal(t, 1, status)
	require.Contains(t, out, `"rule": "IP301"`)
	status, out, _ = call(t, "#!ipxe\necho x\n", "lint", "-")
	require.Zero(t, status)
	require.Empty(t, out)
	status, out, _ = call(t, "", "lint", "-fix", bad)
	require.Equal(t, 1, status)
	require.Equal(t, "#!ipxe\necho x\n", out)
	status, out, _ = call(t, "", "lint", "-rules")
	require.Zero(t, status)
	require.GreaterOrEqual(t, strings.Count(out, "\n"), 30)
	status, out, _ = call(t, "", "lint", "-dhcp", file(t, "dhcpd.conf", "filename \"undionly.kpxe\";\n"))
	require.Equal(t, 1, status)
	require.Contains(t, out, "[IP602]")
	status, _, _ = call(t, "", "lint")
	require.Equal(t, 2, status)
}

func TestPart8Render(t *testing.T) {
	machines := file(t, "m.json", `[{"name": "a", "mac": "52:54:00:12:34:56", "vars": {"root": "sda"}}, {"name": "b", "mac": "52:54:00:12:34:57", "vars": {"root": "x\nreboot"}}]`)
	tmpl := file(t, "t.ipxe", "#!ipxe\nkernel {{.Var.k}} root={{.Var.root}}\n")
	status, out, errs := call(t, "", "render", "-machines", machines, "-template", tmpl, "-set", "k=vmlinuz")
	require.Equal(t, 1, status)
	require.Empty(t, out, "never half a fleet")
	require.Contains(t, errs, machines+`: machine b: `+tmpl+`: line 2 of the script: var root = "x\nreboot": it`)
	good := file(t, "m.json", `[{"name": "../../a", "mac": "52:54:00:12:34:56", "vars": {"root": "sda"}}]`)
	dir := t.TempDir()
	status, _, errs = call(t, "", "render", "-machines", good, "-template", tmpl, "-set", "k=vmlinuz", "-o", dir)
	require.Zero(t, status, errs)
	text, err := os.ReadFile(filepath.Join(dir, "52-54-00-12-34-56.ipxe"))
	require.NoError(t, err)
	require.Equal(t, "#!ipxe\nkernel vmlinuz root=sda\n", string(text))
	status, out, errs = call(t, "", "render", "-machines", good, "-template", tmpl, "-set", "k=vmlinuz")
	require.Zero(t, status, errs)
	require.Equal(t, "== ../../a\n#!ipxe\nkernel vmlinuz root=sda\n", out)
	for bad, why := range map[string]string{
		`{`: ":1:1: unexpected end of input", `[{"name": "a", "mac": "x"}]`: `: machine a: "x" is no MAC address`, `[{"mac": "525400123456"}]`: ": machine 1 has no name",
		"[{\"name\": \"a\",\n \"nam\": \"a\"}]": `: unknown field "nam"`, "[\n]x": ":2:2: more text after the list", "[\n{\"name\": 1}]": ":2:11: field name: unexpected number",
	} {
		name := file(t, "m.json", bad)
		status, _, errs = call(t, "", "render", "-machines", name, "-template", tmpl)
		require.Equal(t, 2, status, bad)
		require.Contains(t, errs, "ipxe-boot: "+name+":", bad)
		require.Contains(t, errs, why, bad)
	}
	two := file(t, "m.json", `[{"name": "a", "vars": {"root": "x y"}}, {"name": "b", "vars": {"root": "x\ny"}}]`)
	status, out, errs = call(t, "", "render", "-machines", two, "-template", tmpl, "-set", "k=vmlinuz")
	require.Equal(t, 1, status)
	require.Empty(t, out)
	require.Contains(t, errs, "machine a: ")
	require.Contains(t, errs, "machine b: ", "each bad machine is named")
	status, _, _ = call(t, "", "render")
	require.Equal(t, 2, status)
}

func TestPart8Explore(t *testing.T) {
	script := file(t, "s.ipxe", "#!ipxe\nmenu M\nitem disk Disk\nitem fail Fail\nchoose x\ngoto ${x}\n:disk\nexit\n:fail\nexit 1\n:never\n")
	machines := file(t, "m.json", `[{"name": "a", "product": "X"}, {"name": "b"}]`)
	status, out, errs := call(t, "", "explore", "-machines", machines, script)
	require.Equal(t, 1, status, errs)
	require.Equal(t, `a | M: disk | the script returns; the firmware or iPXE's own prompt goes on
a | M: fail | FAILS: Error 0x00000001
b | M: disk | the script returns; the firmware or iPXE's own prompt goes on
b | M: fail | FAILS: Error 0x00000001
never reached: label :never
`, out)
	status, out, _ = call(t, "", "explore", "-format", "json", script)
	require.Equal(t, 1, status)
	var x jsonExploration
	require.NoError(t, json.Unmarshal([]byte(out), &x))
	require.Len(t, x.Outcomes, 2)
	require.Equal(t, []string{"never"}, x.UnreachedLabels)
}

func TestPart8DHCP(t *testing.T) {
	for _, server := range []string{"isc", "kea", "dnsmasq"} {
		for _, whole := range []string{"-whole=false", "-whole"} {
			status, out, errs := call(
				t,
				"",
				"dhcp",
				"-server",
				server,
				"-next",
				"192.168.0.1",
				"-script",
				"http://192.168.0.1/iPXE/boot.ipxe",
				"-bios",
				"iPXE/undionly.kpxe",
				"-efi64",
				"ipxe.efi",
				whole,
			)
			require.Zero(t, status, errs)
			require.Contains(t, out, "iPXE/undionly.kpxe")
			_, loops := ipxe.ChainLoop([]byte(out))
			require.False(t, loops)
		}
	}
	status, _, errs := call(t, "", "dhcp", "-server", "isc", "-next", "192.168.0.1", "-script", "http://h/\"", "-bios", "x")
	require.Equal(t, 1, status)
	require.Contains(t, errs, "has a meaning in the server's configuration")
	status, _, _ = call(t, "", "dhcp", "-server", "isc", "-next", "x", "-script", "s", "-bios", "x")
	require.Equal(t, 2, status)
	status, _, _ = call(t, "", "dhcp", "-server", "udhcpd")
	require.Equal(t, 2, status)
}

func TestPart8PXELINUX(t *testing.T) {
	machines := file(
		t,
		"m.json",
		`[{"name": "x200", "mac": "52:54:00:12:34:56", "kernel": "/vmlinuz", "initrds": ["initrd.gz"], "console": {"port": 1}}, {"name": "disk", "serial": "1", "local": "exit"}]`,
	)
	status, out, errs := call(t, "", "pxelinux", "-machines", machines, "-serial", "1,115200,0x303", "-timeout", "5", "-title", "Linux (SOL)", "-name", "525400123456")
	require.Zero(t, status)
	require.Equal(t, `SERIAL 1 115200 0x303
DEFAULT menu.c32
PROMPT 0
TIMEOUT 50
MENU TITLE Linux (SOL)
LABEL x200
  MENU DEFAULT
  KERNEL vmlinuz
  INITRD initrd.gz
  APPEND console=tty0 console=ttyS1,115200n8
LABEL disk
  LOCALBOOT 0
# pxelinux.cfg/01-52-54-00-12-34-56; iPXE selects it with these lines:
#   #!ipxe
#   set 209:string pxelinux.cfg/01-52-54-00-12-34-56
#   set 210:string tftp://192.168.0.1/
#   chain tftp://192.168.0.1/pxelinux.0
`, out)
	require.Contains(t, errs, "every character comes twice")
	status, _, errs = call(t, "", "pxelinux", "-machines", machines, "-serial", "1,115200", "-mirrored")
	require.Zero(t, status)
	require.Empty(t, errs)
	for _, serial := range []string{"9", "x", "0,1,2,3", "0,77"} {
		status, _, _ = call(t, "", "pxelinux", "-machines", machines, "-serial", serial)
		require.Equal(t, 2, status, serial)
	}
}

// TestPart8SaysWhatIsWrong: a wrong command line ends with a line that says why, and with
// status 2.
func TestPart8SaysWhatIsWrong(t *testing.T) {
	script := file(t, "s.ipxe", "#!ipxe\n:l\nimgfetch http://h/x ||\ngoto l\n")
	machines := file(t, "m.json", `[{"name": "a", "serial": "1"}]`)
	for _, row := range []struct {
		args   string
		status int
		last   string
	}{
		{"run", 2, "ipxe-boot: run: no SCRIPT is given; - is standard input"},
		{"run S -key x", 2, "ipxe-boot: run: flags stand before the SCRIPT: move -key"},
		{"run S S", 2, "ipxe-boot: run: one SCRIPT is wanted, and 2 are given"},
		{"run -format xml S", 2, `ipxe-boot: run: -format "xml": text or json`},
		{"run nosuch", 2, "ipxe-boot: open nosuch: no such file or directory"},
		{"run -set a S", 2, `ipxe-boot: -set "a": NAME=VALUE`},
		{"run -set ip=x S", 2, `ipxe-boot: sim: setting "ip": Invalid argument`},
		{"explore", 2, "ipxe-boot: explore: no SCRIPT is given; - is standard input"},
		{"lint", 2, "ipxe-boot: lint: no SCRIPT is given, and no -dhcp; - is standard input"},
		{"lint -format xml S", 2, `ipxe-boot: lint: -format "xml": text, json or sarif`},
		{"lint -fix S S", 2, "ipxe-boot: lint: -fix writes one script, and 2 are given"},
		{"lint -profile 2025 S", 2, `ipxe-boot: there is no profile "2025": debian2019, 2021, 2021-all`},
		{"render", 2, "ipxe-boot: render: -machines and -template are both wanted"},
		{"render x", 2, `ipxe-boot: render: "x" is no flag, and nothing else is wanted`},
		{"dhcp", 2, `ipxe-boot: dhcp: -server "": isc, kea or dnsmasq`},
		{"dhcp -server kea", 2, "ipxe-boot: dhcp: -next is missing: the IPv4 address of the TFTP server"},
		{"dhcp -server kea -next 10.0.0.1", 2, "ipxe-boot: dhcp: -script is missing: the URL that iPXE boots from"},
		{"dhcp -server kea -next 10.0.0.1 -script http://h/", 2, "ipxe-boot: dhcp: no file of iPXE: give -bios, -efi64, -efiarm64, -http64 or -httparm64"},
		{"dhcp -server kea -next x -script http://h/ -bios b", 2, `ipxe-boot: -next "x": no IP address`},
		{"pxelinux", 2, "ipxe-boot: pxelinux: -machines is missing"},
		{"pxelinux -machines M -timeout -1", 2, "ipxe-boot: pxelinux: -timeout -1: 0 to 3600 seconds"},
		{"pxelinux -machines M", 1, "ipxe-boot: M: machine a boots nothing: give it, its group or the default a kernel, or local"},
		{"serve", 2, "ipxe-boot: serve only knows -once: it boots one simulated machine and ends; embed ipxe.Handler to serve real ones"},
		{"nosuch", 2, `ipxe-boot: there is no subcommand "nosuch"`},
	} {
		var args []string
		for a := range strings.FieldsSeq(row.args) {
			switch a {
			case "S":
				a = script
			case "M":
				a = machines
			}
			args = append(args, a)
		}
		status, _, errs := call(t, "", args...)
		require.Equal(t, row.status, status, row.args)
		lines := strings.Split(strings.TrimRight(errs, "\n"), "\n")
		require.Equal(t, strings.ReplaceAll(row.last, "M:", machines+":"), lines[len(lines)-1], row.args)
	}
	status, out, _ := call(t, "", "run", script)
	require.Equal(t, 1, status)
	require.Less(t, strings.Count(out, "\n"), 20, "ten thousand equal lines are folded")
	require.Contains(t, out, "  GET http://h/x\n  ... the line above 9999 times more\n")
	status, out, _ = call(t, "\xef\xbb\xbf#!ipxe\n", "run", "-")
	require.Equal(t, 1, status)
	require.Contains(t, out, "the machine hangs: boot.ipxe is no script and no program")
	status, _, errs := call(t, "", "serve", "-once", "-product", "other")
	require.Equal(t, 1, status)
	require.Contains(t, errs, "ipxe-boot: the handler: no boot script for this machine\n")
	status, out, _ = call(t, "", "pxelinux", "-machines", file(t, "m.json", `[{"name": "all", "product": "*", "kernel": "k"}]`))
	require.Zero(t, status)
	require.NotContains(t, out, "MENU DEFAULT", "no machine is named")
	status, out, _ = call(t, "", "run", file(t, "p.ipxe", "#!ipxe\nprompt Go?\n"))
	require.Equal(t, 1, status)
	require.Contains(t, out, "press one with -key, or let the time run out with -key wait [waits-for-key]")
}

func TestFoldedLines(t *testing.T) {
	many := make([]string, 500)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	for name, row := range map[string]struct{ in, want string }{
		"few":      {"a a a b", "a a a b"},
		"one":      {"a a a a b", "a +3 b"},
		"two":      {"x a b a b a b a b y", "x a b 2+3 y"},
		"cut off":  {"a b a b a b a b a", "a b 2+3 a"},
		"nothing":  {"", ""},
		"no order": {"a b c d", "a b c d"},
	} {
		got := strings.Join(fold(strings.Fields(row.in)), " ")
		got = strings.ReplaceAll(strings.ReplaceAll(got, "  ... the line above 3 times more", "+3"), "  ... the 2 lines above 3 times more", "2+3")
		require.Equal(t, row.want, got, name)
	}
	var out bytes.Buffer
	(&program{out: &out}).print(many)
	require.Equal(t, headLines+tailLines+1, strings.Count(out.String(), "\n"))
	require.Contains(t, out.String(), "\n149\n  ... 300 lines left out; -format json has them\n450\n")
}
