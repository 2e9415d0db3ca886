package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"dougu.internal/ipxe"
	"dougu.internal/ipxe/lint"
	"dougu.internal/ipxe/sim"
)

// tourIPXE boots a machine of 2012 from an HTTP handler with two releases of iPXE, and reports the
// findings for a script.
func tourIPXE(w io.Writer) error {
	machines := &ipxe.Machines{Machines: []ipxe.MachineRule{
		{
			Name:    "express",
			Product: "*Express*",
			Boot:    ipxe.Boot{Kernel: "vmlinuz", Initrds: []string{"initrd.gz"}, Console: &ipxe.SerialConsole{Port: 1}},
		},
	}}
	if err := machines.Check(); err != nil {
		return err
	}
	kernel := make([]byte, 1024)
	copy(kernel[0x202:], "HdrS")
	mux := http.NewServeMux()
	mux.Handle(
		"/iPXE/boot.ipxe",
		ipxe.Handler(
			func(context.Context, ipxe.Facts) ([]byte, error) { return ipxe.BootScript().Bytes() },
			ipxe.HandlerConfig{},
		),
	)
	mux.Handle("/cgi-bin/boot_ipxe.cgi", ipxe.Handler(machines.Generator(), ipxe.HandlerConfig{}))
	mux.HandleFunc("/vmlinuz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(kernel) })
	mux.HandleFunc("/initrd.gz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "initrd") })

	fmt.Fprintln(
		w,
		"A machine boots over the network. A script of 102 bytes, boot.ipxe, asks the server what this model boots.",
	)
	fmt.Fprintln(w, "With two releases of iPXE:")
	for _, p := range []ipxe.Profile{ipxe.Debian2019(), ipxe.Newest()} {
		r, err := sim.Run(context.Background(), &sim.Machine{
			Profile: p, SMBIOS: map[string]string{"product": "Express5800/i120Ra-e1 [N8100-1482Y]"},
			NICs: []sim.NIC{
				{
					DHCP: map[string]string{
						"ip":          "192.168.0.9",
						"next-server": "192.168.0.1",
						"filename":    "http://192.168.0.1/iPXE/boot.ipxe",
					},
				},
			},
		}, ipxe.Parse("autoboot", []byte("#!ipxe\nchain ${filename}\n")), sim.HandlerWorld(mux, "192.168.0.1"), sim.Options{})
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s requests %s\n", p, r.Requests[1].Target)
		fmt.Fprintf(w, "  and boots %s with %q and %s\n", r.Boot.Kernel.URI, r.Boot.Args, r.Boot.Initrds[0].URI)
	}
	const script = "#!ipxe\nset i 0\n:retry\nchain http://boot/next?type=${product} && exit || inc i ||\niseq ${i} 5 || goto retry\nset x \"a b\";reboot\n"
	fmt.Fprintln(w, "Findings for a script with a retry loop:")
	list, err := lint.Script(context.Background(), ipxe.Parse("retry.ipxe", []byte(script)), lint.Options{})
	if err != nil {
		return err
	}
	for _, d := range list {
		fmt.Fprintln(w, " ", d.String())
	}
	var b ipxe.Builder
	b.Set("model", ipxe.Text("X200 # ${no} || reboot"))
	fmt.Fprintf(
		w,
		"The script builder rejects text that iPXE would expand:\n  %s\n",
		strings.TrimPrefix(b.Err().Error(), "ipxe: "),
	)
	b.Reset()
	b.Kernel(ipxe.Link("http://h/vmlinuz"), ipxe.Text("model=X200  # || reboot"))
	text, err := b.Bytes()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "It encodes other text, so that iPXE does not interpret it:\n%s", text)
	return nil
}
