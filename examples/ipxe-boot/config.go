package main

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"dougu.internal/diag"
	"dougu.internal/ipxe"
)

func runDHCP(_ context.Context, p *program, args []string) error {
	f := p.flags("dhcp")
	server := f.String("server", "", "isc, kea or dnsmasq")
	next := f.String("next", "", "the TFTP server's IPv4 address")
	var d ipxe.DHCP
	f.StringVar(&d.ScriptURL, "script", "", "the URL of the script for iPXE")
	f.StringVar(&d.BIOS, "bios", "", "iPXE for BIOS machines, such as iPXE/undionly.kpxe")
	f.StringVar(&d.EFI64, "efi64", "", "iPXE for 64-bit EFI machines, such as iPXE/ipxe.efi")
	f.StringVar(&d.EFIARM64, "efiarm64", "", "iPXE for 64-bit ARM EFI machines")
	f.StringVar(&d.HTTP64, "http64", "", "the URL of iPXE for 64-bit EFI machines that boot over HTTP")
	f.StringVar(&d.HTTPARM64, "httparm64", "", "the URL of iPXE for 64-bit ARM EFI machines that boot over HTTP")
	whole := f.Bool("whole", false, "print a complete configuration with a subnet, which the server's own test accepts")
	if err := parse(f, args); err != nil {
		return err
	}
	make := map[string]func() ([]byte, error){"isc": d.ISC, "kea": d.Kea, "dnsmasq": d.Dnsmasq}[*server]
	if err := p.noArguments(f); err != nil {
		return err
	}
	switch {
	case make == nil:
		return p.wrong(f, "-server %q: isc, kea or dnsmasq", *server)
	case *next == "":
		return p.wrong(f, "-next is missing: the IPv4 address of the TFTP server")
	case d.ScriptURL == "":
		return p.wrong(f, "-script is missing: the URL that iPXE boots from")
	case d.BIOS == "" && d.EFI64 == "" && d.EFIARM64 == "" && d.HTTP64 == "" && d.HTTPARM64 == "":
		return p.wrong(f, "no file of iPXE: give -bios, -efi64, -efiarm64, -http64 or -httparm64")
	}
	var err error
	if d.Server, err = netip.ParseAddr(*next); err != nil {
		return fmt.Errorf("-next %q: no IP address", *next)
	}
	make = map[string]func() ([]byte, error){"isc": d.ISC, "kea": d.Kea, "dnsmasq": d.Dnsmasq}[*server]
	if *whole {
		make = func() ([]byte, error) { return d.Whole(*server) }
	}
	text, err := make()
	if err != nil {
		return noError{err}
	}
	_, err = p.out.Write(text)
	return err
}

// serialFlag parses PORT,BAUD[,FLOW].
func serialFlag(s string) (*ipxe.SerialConsole, error) {
	if s == "" {
		return nil, nil
	}
	parts := strings.Split(s, ",")
	if len(parts) > 3 {
		return nil, fmt.Errorf("-serial %q: PORT,BAUD[,FLOW]", s)
	}
	var n [3]uint64
	for i, t := range parts {
		var err error
		if n[i], err = strconv.ParseUint(t, 0, 31); err != nil {
			return nil, fmt.Errorf("-serial %q: %q is no number", s, t)
		}
	}
	if n[2] > 0xffff {
		return nil, fmt.Errorf("-serial %q: flow control of more than 16 bits", s)
	}
	c := &ipxe.SerialConsole{Port: int(n[0]), Baud: int(n[1]), Flow: uint16(n[2])}
	return c, c.Check()
}

func runPXELINUX(_ context.Context, p *program, args []string) error {
	f := p.flags("pxelinux")
	file := f.String("machines", "", "the JSON file of machines; each machine that boots a kernel becomes an entry")
	serial := f.String(
		"serial",
		"",
		"PORT,BAUD[,FLOW]: also show the menu on this serial port, and pass the console to the kernels",
	)
	mirrored := f.Bool("mirrored", false, "the BIOS copies the screen to the port; the menu does not write to the port")
	timeout := f.Float64("timeout", 0, "start the default entry after this number of seconds; 0 means never")
	title := f.String("title", "Boot", "the title of the menu")
	name := f.String("name", "", "make the entry that matches this MAC address the default, and print the name of its file")
	server := f.String("server", "192.168.0.1", "the TFTP server in the lines with which iPXE selects the menu")
	if err := parse(f, args); err != nil {
		return err
	}
	if err := p.noArguments(f); err != nil {
		return err
	}
	switch {
	case *file == "":
		return p.wrong(f, "-machines is missing")
	case *timeout < 0 || *timeout > 3600:
		return p.wrong(f, "-timeout %v: 0 to 3600 seconds", *timeout)
	}
	data, err := p.read(*file)
	if err != nil {
		return err
	}
	machines, err := ipxe.ParseMachines(strings.NewReader(string(data)))
	if err != nil {
		return fmt.Errorf("%s:%w", *file, bare(err))
	}
	console, err := serialFlag(*serial)
	if err != nil {
		return err
	}
	if console != nil {
		console.Mirrored = *mirrored
	}
	addr, err := netip.ParseAddr(*server)
	if err != nil {
		return fmt.Errorf("-server %q: no IP address", *server)
	}
	mac, ok := ipxe.ParseMAC(*name)
	if *name != "" && !ok {
		return fmt.Errorf("-name %q: no MAC address", *name)
	}
	menu := ipxe.PXEMenu{Console: console, Title: *title, Timeout: time.Duration(*timeout * float64(time.Second))}
	var chosen *ipxe.MachineRule
	if ok {
		chosen, _ = machines.Match(ipxe.Facts{MAC: mac, HasMAC: true})
	}
	for i := range machines.Machines {
		r := &machines.Machines[i]
		g := machines.Boots(r)
		if g.Kernel == "" && g.Local == "" {
			return noError{
				fmt.Errorf(
					"%s: machine %s boots nothing: give it, its group or the default a kernel, or local",
					*file,
					diag.Sanitize(r.Name),
				),
			}
		}
		menu.Entries = append(menu.Entries, ipxe.PXEEntry{
			Label: r.Name, Kernel: strings.TrimPrefix(g.Kernel, "/"), Initrds: g.Initrds, Args: g.Args, Console: g.Console,
			Local: g.Local != "", Default: r == chosen,
		})
	}
	text, err := menu.AppendTo(nil)
	if err != nil {
		return noError{err}
	}
	config := "pxelinux.cfg/default"
	if ok {
		config = ipxe.PXELINUXNames(mac, netip.Addr{}, "")[0]
	}
	var b ipxe.Builder
	b.PXELINUX("tftp://"+addr.String()+"/", config)
	script, err := b.Bytes()
	if err != nil {
		return err
	}
	if _, err := p.out.Write(text); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "# %s; iPXE selects it with these lines:\n", config)
	for line := range strings.Lines(string(script)) {
		fmt.Fprint(p.out, "#   "+line)
	}
	if console != nil && !console.Mirrored {
		fmt.Fprintln(
			p.err,
			"ipxe-boot: if the BIOS redirects its console to the same port, every character comes twice: switch that off after POST, or use -mirrored",
		)
	}
	return nil
}
