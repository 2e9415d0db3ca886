package ipxe

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
)

// DHCP describes how machines come to iPXE and then to their script: the network card's
// own PXE loads iPXE, and iPXE, which names itself in the user class, gets the URL of
// the script. Without that test the card's PXE and iPXE would load iPXE for ever.
type DHCP struct {
	// Server is the TFTP server, an IPv4 address.
	Server netip.Addr `json:"server,omitzero"`
	// ScriptURL is the script.
	ScriptURL string `json:"scriptURL,omitzero"`
	// BIOS, EFI64 and EFIARM64 are the files of iPXE for each kind of machine, such as
	// iPXE/undionly.kpxe, ipxe.efi and snponly-arm64.efi. Empty: that kind gets nothing.
	// At least one must be set.
	BIOS     string `json:"bios,omitzero"`
	EFI64    string `json:"efi64,omitzero"`
	EFIARM64 string `json:"efiarm64,omitzero"`
	// HTTP64 and HTTPARM64 are URLs of iPXE for machines that boot over HTTP by themselves.
	HTTP64    string `json:"http64,omitzero"`
	HTTPARM64 string `json:"httparm64,omitzero"`
}

// arch is a kind of machine: its numbers in DHCP option 93, and its file.
type arch struct {
	name  string
	codes []int
	file  string
	http  bool
}

// archs are the kinds that are set, BIOS last.
func (d *DHCP) archs() []arch {
	all := []arch{
		{"http64", []int{16}, d.HTTP64, true},
		{"httparm64", []int{19}, d.HTTPARM64, true},
		{"efi64", []int{7, 9}, d.EFI64, false},
		{"efiarm64", []int{11}, d.EFIARM64, false},
		{"bios", []int{0}, d.BIOS, false},
	}
	list := all[:0]
	for _, a := range all {
		if a.file != "" {
			list = append(list, a)
		}
	}
	return list
}

func (d *DHCP) check() error {
	if !d.Server.Is4() {
		return errs.Errorf("dhcp: the server %v is no IPv4 address", d.Server)
	}
	if d.ScriptURL == "" {
		return errs.New("dhcp: no URL of a script")
	}
	if len(d.archs()) == 0 {
		return errs.New("dhcp: no file of iPXE: set BIOS, EFI64 or EFIARM64")
	}
	values := map[string]string{"script URL": d.ScriptURL}
	for _, a := range d.archs() {
		values[a.name] = a.file
		if a.file == d.ScriptURL {
			return errs.Errorf("dhcp: %s gets the script itself", a.name)
		}
		if a.http && !strings.HasPrefix(a.file, "http://") && !strings.HasPrefix(a.file, "https://") {
			return errs.Errorf("dhcp: %s boots over HTTP and needs a URL, not %q", a.name, a.file)
		}
	}
	for what, v := range values {
		if err := dhcpValue(v); err != nil {
			return errs.Errorf("dhcp: %s %w", what, err)
		}
	}
	return nil
}

// maxBootFile is what fits into the field "file" of a DHCP packet with its NUL.
const maxBootFile = 127

// dhcpValue refuses what one of the three formats could take for something else.
func dhcpValue(v string) error {
	if len(v) > maxBootFile {
		return fmt.Errorf("%q: %d bytes; the field has room for %d", v, len(v), maxBootFile)
	}
	for i := range len(v) {
		switch c := v[i]; {
		case c <= ' ' || c > '~':
			return fmt.Errorf("%q: a blank, a control character, or a byte above 126", v)
		case strings.IndexByte(`"'\,#`, c) >= 0:
			return fmt.Errorf("%q: %q has a meaning in the server's configuration", v, c)
		}
	}
	return nil
}

// ISC returns the lines for ISC dhcpd: the option's definition, which belongs to the top
// of the file, and the rest, which goes to the top or into a subnet.
func (d *DHCP) ISC() ([]byte, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString("option arch code 93 = unsigned integer 16;\n")
	fmt.Fprintf(&b, "next-server %s;\n", d.Server)
	b.WriteString("# iPXE itself, which must not be given iPXE again\n")
	fmt.Fprintf(&b, "if exists user-class and option user-class = \"iPXE\" {\n  filename \"%s\";\n}", d.ScriptURL)
	for _, a := range d.archs() {
		b.WriteString(" elsif ")
		for i, c := range a.codes {
			if i > 0 {
				b.WriteString(" or ")
			}
			fmt.Fprintf(&b, "option arch = 00:%02x", c)
		}
		fmt.Fprintf(&b, " {\n")
		if a.http {
			b.WriteString("  option vendor-class-identifier \"HTTPClient\";\n")
		}
		fmt.Fprintf(&b, "  filename \"%s\";\n}", a.file)
	}
	b.WriteByte('\n')
	return []byte(b.String()), nil
}

type keaClass struct {
	Name       string      `json:"name"`
	Test       string      `json:"test"`
	NextServer string      `json:"next-server"`
	BootFile   string      `json:"boot-file-name"`
	Options    []keaOption `json:"option-data,omitempty"`
}

type keaOption struct {
	Name string `json:"name"`
	Data string `json:"data"`
}

func (d *DHCP) keaClasses() []keaClass {
	list := []keaClass{{Name: "iPXE", Test: "option[77].text == 'iPXE'", NextServer: d.Server.String(), BootFile: d.ScriptURL}}
	for _, a := range d.archs() {
		var tests []string
		for _, c := range a.codes {
			tests = append(tests, fmt.Sprintf("option[93].hex == 0x%04x", c))
		}
		test := tests[0]
		if len(tests) > 1 {
			test = "(" + strings.Join(tests, " or ") + ")"
		}
		k := keaClass{Name: a.name, Test: "not member('iPXE') and " + test, NextServer: d.Server.String(), BootFile: a.file}
		if a.http {
			k.Options = []keaOption{{"vendor-class-identifier", "HTTPClient"}}
		}
		list = append(list, k)
	}
	return list
}

// Kea returns the member "client-classes" for the Dhcp4 object of a Kea configuration.
func (d *DHCP) Kea() ([]byte, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(d.keaClasses(), "", "  ")
	if err != nil {
		return nil, err
	}
	return append(append([]byte("\"client-classes\": "), text...), '\n'), nil
}

// Dnsmasq returns the lines for dnsmasq.
func (d *DHCP) Dnsmasq() ([]byte, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString("# iPXE itself, which must not be given iPXE again\ndhcp-userclass=set:ipxe,iPXE\n")
	list := d.archs()
	for _, a := range list {
		for _, c := range a.codes {
			fmt.Fprintf(&b, "dhcp-match=set:%s,option:client-arch,%d\n", a.name, c)
		}
		if a.http {
			fmt.Fprintf(&b, "dhcp-option-force=tag:%s,60,HTTPClient\n", a.name)
		}
	}
	for _, a := range list {
		fmt.Fprintf(&b, "dhcp-boot=tag:!ipxe,tag:%s,%s,,%s\n", a.name, a.file, d.Server)
	}
	fmt.Fprintf(&b, "dhcp-boot=tag:ipxe,%s,,%s\n", d.ScriptURL, d.Server)
	return []byte(b.String()), nil
}

// Whole returns a complete configuration with a subnet around the server's address, of
// the kind that the server's own test accepts: isc, kea or dnsmasq.
func (d *DHCP) Whole(server string) ([]byte, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	a := d.Server.As4()
	net := func(last int) string { return fmt.Sprintf("%d.%d.%d.%d", a[0], a[1], a[2], last) }
	switch server {
	case "isc":
		text, err := d.ISC()
		option, rest, _ := strings.Cut(string(text), "\n")
		return fmt.Appendf(nil, "%s\nsubnet %s netmask 255.255.255.0 {\n  range %s %s;\n}\n%s", option, net(0), net(100), net(200), rest), err
	case "kea":
		whole := map[string]any{"Dhcp4": map[string]any{
			"interfaces-config": map[string]any{"interfaces": []string{}},
			"lease-database":    map[string]any{"type": "memfile", "persist": false},
			"client-classes":    d.keaClasses(),
			"subnet4": []any{map[string]any{
				"id": 1, "subnet": net(0) + "/24", "pools": []any{map[string]any{"pool": net(100) + " - " + net(200)}},
			}},
		}}
		text, err := json.MarshalIndent(whole, "", "  ")
		return append(text, '\n'), err
	case "dnsmasq":
		text, err := d.Dnsmasq()
		return append([]byte("dhcp-range="+net(100)+","+net(200)+"\n"), text...), err
	}
	return nil, errs.Errorf("dhcp: no server %q: isc, kea or dnsmasq", server)
}

// ChainLoop reports whether a configuration of a DHCP server gives iPXE to iPXE again: it
// names a file of iPXE (undionly, ipxe.pxe, snponly, ipxe.efi and the like) and nowhere
// asks for the user class or for iPXE's own option 175. The configuration may be of any
// server. It returns the offset of the file's name.
func ChainLoop(config []byte) (offset int, loops bool) {
	text := stripConfigComments(strings.ToLower(string(config)))
	first := -1
	for _, name := range []string{"undionly", "ipxe.pxe", "ipxe.efi", "snponly", "ipxe.lkrn", "ipxe.kpxe", "intel.kpxe"} {
		if i := strings.Index(text, name); i >= 0 && (first < 0 || i < first) {
			first = i
		}
	}
	if first < 0 {
		return 0, false
	}
	for _, test := range []string{"user-class", "userclass", "option[77]", "option:77", "175", "ipxe-encap", "option[175]"} {
		if strings.Contains(text, test) {
			return 0, false
		}
	}
	return first, true
}

// stripConfigComments blanks out comments that begin with # or // at the start of a line.
func stripConfigComments(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		t := strings.TrimLeft(line, " \t")
		if strings.HasPrefix(t, "#") || strings.HasPrefix(t, "//") {
			b.WriteString(strings.Repeat(" ", len(line)-1))
			b.WriteByte('\n')
			continue
		}
		b.WriteString(line)
	}
	return b.String()
}
