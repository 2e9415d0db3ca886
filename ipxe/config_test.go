package ipxe_test

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/ipxe"
)

var servers = map[string]struct {
	tool oracle.Tool
	args func(file, dir string) []string
}{
	"isc": {oracle.Tool{Name: "dhcpd", Package: "isc-dhcp-server", Probe: []string{"--version"}, Version: regexp.MustCompile(`isc-dhcpd-(\S+)`)},
		func(file, dir string) []string {
			return []string{"-t", "-cf", file, "-lf", filepath.Join(dir, "leases")}
		}},
	"kea": {oracle.Tool{Name: "kea-dhcp4", Package: "kea-dhcp4-server", Probe: []string{"-v"}, Version: regexp.MustCompile(`(\d\S+)`)},
		func(file, _ string) []string { return []string{"-t", file} }},
	"dnsmasq": {oracle.Tool{Name: "dnsmasq", Package: "dnsmasq-base", Probe: []string{"--version"}, Version: regexp.MustCompile(`version (\S+)`)},
		func(file, _ string) []string { return []string{"--test", "-C", file} }},
}

func dhcpCases() []ipxe.DHCP {
	s := netip.MustParseAddr("192.168.0.1")
	return []ipxe.DHCP{
		{Server: s, ScriptURL: "http://192.168.0.1/iPXE/boot.ipxe", BIOS: "iPXE/undionly.kpxe"},
		{Server: s, ScriptURL: "http://192.168.0.1/boot.ipxe?a=${net0/mac}", BIOS: "undionly.kpxe", EFI64: "ipxe.efi"},
		{Server: s, ScriptURL: "http://boot.example/x", EFIARM64: "snponly-arm64.efi"},
		{Server: s, ScriptURL: "tftp://192.168.0.1/x", BIOS: "a", EFI64: "b", EFIARM64: "c", HTTP64: "http://192.168.0.1/ipxe.efi", HTTPARM64: "http://192.168.0.1/arm.efi"},
	}
}

// TestPart6RealServersAcceptTheSnippets asks dhcpd, Kea and dnsmasq about each generated
// file, and about a broken one, which they must refuse.
func TestPart6RealServersAcceptTheSnippets(t *testing.T) {
	for name, s := range servers {
		t.Run(name, func(t *testing.T) {
			tool := s.tool.Need(t)
			check := func(config []byte) oracle.Result {
				dir := t.TempDir()
				file := filepath.Join(dir, "config")
				require.NoError(t, os.WriteFile(file, config, 0o644))
				require.NoError(t, os.WriteFile(filepath.Join(dir, "leases"), nil, 0o644))
				return oracle.Run(t, oracle.Cmd{Path: tool.Path, Args: s.args(file, dir), Dir: dir})
			}
			for i := range dhcpCases() {
				d := dhcpCases()[i]
				config, err := d.Whole(name)
				require.NoError(t, err)
				r := check(config)
				require.Zero(t, r.ExitCode, "%s\n%s%s", config, r.Stdout, r.Stderr)
				_, loops := ipxe.ChainLoop(config)
				require.False(t, loops)
				broken := bytes.Replace(config, map[string][]byte{"isc": []byte("if exists"), "kea": []byte("[77].text"), "dnsmasq": []byte("dhcp-userclass")}[name],
					map[string][]byte{"isc": []byte("if exsts"), "kea": []byte("[77].txt"), "dnsmasq": []byte("dhcp-userclas")}[name], 1)
				require.NotEqual(t, string(config), string(broken))
				require.NotZero(t, check(broken).ExitCode, "the server's test finds nothing wrong with a broken file")
				oracle.Compared(t, tool, 2)
			}
		})
	}
}

func TestPart6SnippetsAreWhatTheyWere(t *testing.T) {
	d := dhcpCases()[1]
	isc, err := d.ISC()
	require.NoError(t, err)
	require.Equal(t, `option arch code 93 = unsigned integer 16;
next-server 192.168.0.1;
# iPXE itself, which must not be given iPXE again
if exists user-class and option user-class = "iPXE" {
  filename "http://192.168.0.1/boot.ipxe?a=${net0/mac}";
} elsif option arch = 00:07 or option arch = 00:09 {
  filename "ipxe.efi";
} elsif option arch = 00:00 {
  filename "undionly.kpxe";
}
`, string(isc))
	masq, err := d.Dnsmasq()
	require.NoError(t, err)
	require.Contains(t, string(masq), "dhcp-boot=tag:!ipxe,tag:bios,undionly.kpxe,,192.168.0.1\n")
	kea, err := d.Kea()
	require.NoError(t, err)
	require.Contains(t, string(kea), `"test": "not member('iPXE') and (option[93].hex == 0x0007 or option[93].hex == 0x0009)"`)
}

func TestBadInputDHCP(t *testing.T) {
	for _, row := range []struct {
		change func(*ipxe.DHCP)
		err    string
	}{
		{func(d *ipxe.DHCP) { d.Server = netip.MustParseAddr("::1") }, "no IPv4 address"},
		{func(d *ipxe.DHCP) { d.ScriptURL = "" }, "no URL of a script"},
		{func(d *ipxe.DHCP) { d.BIOS = "" }, "no file of iPXE"},
		{func(d *ipxe.DHCP) { d.BIOS = "a\nb" }, "a blank, a control character"},
		{func(d *ipxe.DHCP) { d.BIOS = "a,b" }, "has a meaning"},
		{func(d *ipxe.DHCP) { d.ScriptURL = `http://h/"; }` }, "has a meaning"},
		{func(d *ipxe.DHCP) { d.ScriptURL = `http://h/"` }, "has a meaning"},
		{func(d *ipxe.DHCP) { d.ScriptURL = `http://h/\` }, "has a meaning"},
		{func(d *ipxe.DHCP) { d.ScriptURL = "http://h/" + strings.Repeat("x", 200) }, "the field has room for 127"},
		{func(d *ipxe.DHCP) { d.BIOS = d.ScriptURL }, "gets the script itself"},
		{func(d *ipxe.DHCP) { d.HTTP64 = "ipxe.efi" }, "needs a URL"},
	} {
		d := dhcpCases()[0]
		row.change(&d)
		for _, make := range []func() ([]byte, error){d.ISC, d.Kea, d.Dnsmasq, func() ([]byte, error) { return d.Whole("isc") }} {
			_, err := make()
			require.ErrorContains(t, err, row.err)
		}
	}
	d := dhcpCases()[0]
	_, err := d.Whole("udhcpd")
	require.ErrorContains(t, err, `no server "udhcpd"`)
}

func TestPart6ChainLoopIsFound(t *testing.T) {
	for config, want := range map[string]int{
		"filename \"undionly.kpxe\";":                                    10,
		"# user-class\nfilename \"ipxe.efi\";":                           23,
		"dhcp-boot=ipxe.efi":                                             10,
		"if option user-class = \"iPXE\" {} filename \"undionly.kpxe\";": -1,
		"dhcp-match=set:ipxe,175\ndhcp-boot=undionly.kpxe":               -1,
		"filename \"pxelinux.0\";":                                       -1,
		"":                                                               -1,
	} {
		at, loops := ipxe.ChainLoop([]byte(config))
		require.Equal(t, want >= 0, loops, config)
		if loops {
			require.Equal(t, want, at, config)
		}
	}
}

func menuCase() *ipxe.PXEMenu {
	return &ipxe.PXEMenu{
		Console: &ipxe.SerialConsole{Port: 0}, Title: "Linux (SOL)", Timeout: 5 * time.Second,
		Entries: []ipxe.PXEEntry{
			{Label: "x200", Title: "^1 Model X200", Kernel: "vmlinuz", Initrds: []string{"initrd.gz"}, Args: []string{"quiet"}, Default: true},
			{Label: "disk", Title: "^2 Local disk", Local: true},
		},
	}
}

func TestPart6PXELINUXMenu(t *testing.T) {
	text, err := menuCase().AppendTo(nil)
	require.NoError(t, err)
	require.Equal(t, `SERIAL 0 115200
DEFAULT menu.c32
PROMPT 0
TIMEOUT 50
MENU TITLE Linux (SOL)
LABEL x200
  MENU LABEL ^1 Model X200
  MENU DEFAULT
  KERNEL vmlinuz
  INITRD initrd.gz
  APPEND quiet console=tty0 console=ttyS0,115200n8
LABEL disk
  MENU LABEL ^2 Local disk
  LOCALBOOT 0
`, string(text))
	m := menuCase()
	m.Console = &ipxe.SerialConsole{Port: 1, Baud: 57600, Flow: 0x303}
	m.NoEdit = true
	text, err = m.AppendTo([]byte("# mine\n"))
	require.NoError(t, err)
	require.Contains(t, string(text), "# mine\nSERIAL 1 57600 0x303\n")
	require.Contains(t, string(text), "\nALLOWOPTIONS 0\n")
	require.Contains(t, string(text), "console=tty0 console=ttyS1,57600n8\n")
	m.Console.Mirrored = true
	text, err = m.AppendTo(nil)
	require.NoError(t, err)
	require.NotContains(t, string(text), "SERIAL", "the BIOS already writes there: every character would come twice")
	require.Contains(t, string(text), "console=ttyS1,57600n8", "the kernel does write there itself")
}

func TestPart6PXELINUXNames(t *testing.T) {
	require.Equal(t, []string{
		"pxelinux.cfg/44332211-6655-8877-99aa-bbccddeeff00", "pxelinux.cfg/01-52-54-00-12-34-56",
		"pxelinux.cfg/0A00020F", "pxelinux.cfg/0A00020", "pxelinux.cfg/0A0002", "pxelinux.cfg/0A000", "pxelinux.cfg/0A00", "pxelinux.cfg/0A0", "pxelinux.cfg/0A", "pxelinux.cfg/0",
		"pxelinux.cfg/default",
	}, ipxe.PXELINUXNames(expressMAC, netip.MustParseAddr("10.0.2.15"), "11223344-5566-7788-99AA-BBCCDDEEFF00"))
	require.Equal(t, []string{"pxelinux.cfg/default"}, ipxe.PXELINUXNames([6]byte{}, netip.Addr{}, "../../etc/passwd"))
}

func TestBadInputPXELINUX(t *testing.T) {
	for _, row := range []struct {
		change func(*ipxe.PXEMenu)
		err    string
	}{
		{func(m *ipxe.PXEMenu) { m.Title = "a\nSERIAL 1" }, "a control character"},
		{func(m *ipxe.PXEMenu) { m.Entries[0].Title = " x" }, "a blank at its ends"},
		{func(m *ipxe.PXEMenu) { m.Entries[0].Label = "a b" }, "must be one word"},
		{func(m *ipxe.PXEMenu) { m.Entries[1].Label = "X200" }, "must be one word that no other entry has"},
		{func(m *ipxe.PXEMenu) { m.Entries[0].Kernel = "" }, "must be one word"},
		{func(m *ipxe.PXEMenu) { m.Entries[0].Kernel = "a\nb" }, "must be one word"},
		{func(m *ipxe.PXEMenu) { m.Entries[0].Initrds = []string{"a,b"} }, "without a comma"},
		{func(m *ipxe.PXEMenu) { m.Entries[0].Args = []string{"a\x00"} }, "a control character"},
		{func(m *ipxe.PXEMenu) { m.Entries[0].Args = []string{strings.Repeat("x", 2040)} }, "PXELINUX takes 2047"},
		{func(m *ipxe.PXEMenu) { m.Entries[1].Default = true }, "2 entries are the default"},
		{func(m *ipxe.PXEMenu) { m.Entries = nil }, "a menu without entries"},
		{func(m *ipxe.PXEMenu) { m.Console.Port = 4 }, "serial port 4"},
		{func(m *ipxe.PXEMenu) { m.Console.Baud = 12345 }, "must divide 115200"},
		{func(m *ipxe.PXEMenu) { m.Console.Flow = 0xffff }, "flow control"},
	} {
		m := menuCase()
		row.change(m)
		dst, err := m.AppendTo([]byte("kept"))
		require.ErrorContains(t, err, row.err)
		require.Equal(t, "kept", string(dst))
	}
}
