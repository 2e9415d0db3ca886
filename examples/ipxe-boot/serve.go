package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"dougu.internal/diag"
	"dougu.internal/ipxe"
	"dougu.internal/ipxe/sim"
)

// storyMachines returns the machines that serve boots without a file of machines. Machines of
// one product get a kernel and an initrd; other machines do not get a script.
func storyMachines() *ipxe.Machines {
	return &ipxe.Machines{
		Machines: []ipxe.MachineRule{{Name: "express", Product: "*Express*", Group: "express"}},
		Groups:   map[string]ipxe.Boot{"express": {Kernel: "vmlinuz", Initrds: []string{"initrd.gz"}}},
	}
}

// storyHandler serves boot.ipxe, the script of each machine, and two files.
func storyHandler(m *ipxe.Machines, failed func(error)) http.Handler {
	mux := http.NewServeMux()
	boot := func(context.Context, ipxe.Facts) ([]byte, error) { return ipxe.BootScript().Bytes() }
	mux.Handle("/iPXE/boot.ipxe", ipxe.Handler(boot, ipxe.HandlerConfig{}))
	mux.Handle("/cgi-bin/boot_ipxe.cgi", ipxe.Handler(func(ctx context.Context, f ipxe.Facts) ([]byte, error) {
		script, err := m.Generator()(ctx, f)
		if err != nil {
			failed(err)
		}
		return script, err
	}, ipxe.HandlerConfig{}))
	kernel := make([]byte, 1024) // iPXE recognizes a Linux kernel by the four bytes that follow
	copy(kernel[0x202:], "HdrS")
	files := map[string][]byte{"/vmlinuz": kernel, "/initrd.gz": []byte("\x1f\x8b an initrd")}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		data, ok := files[r.URL.Path]
		if !ok {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(data)
	})
	return mux
}

// wire is the [sim.World] of the simulated machine. It sends all requests to a server on
// loopback, regardless of the host in the URL.
type wire struct {
	addr   string
	client *http.Client
	show   func(*sim.Request, *http.Response, []byte)
}

// Fetch sends the request, with its target exactly as iPXE writes it.
func (w *wire) Fetch(ctx context.Context, r *sim.Request) (*sim.Response, error) {
	path, query, _ := strings.Cut(r.Target, "?")
	q, err := http.NewRequestWithContext(ctx, r.Method, "http://"+w.addr+"/", strings.NewReader(string(r.Body)))
	if err != nil {
		return nil, err
	}
	q.URL.Opaque, q.URL.RawQuery = "//"+w.addr+path, query
	q.Host = r.Host
	for _, h := range r.Header {
		if h.Name != "Host" && h.Name != "Content-Length" {
			q.Header.Set(h.Name, h.Value)
		}
	}
	a, err := w.client.Do(q)
	if err != nil {
		var refused *url.Error
		if errors.As(err, &refused) && ctx.Err() == nil {
			return nil, fmt.Errorf("%w: %w", sim.ErrReset, err)
		}
		return nil, err
	}
	defer a.Body.Close()
	body, err := io.ReadAll(io.LimitReader(a.Body, maxInput))
	if err != nil {
		return nil, err
	}
	w.show(r, a, body)
	return &sim.Response{Status: a.StatusCode, Header: a.Header, Body: body}, nil
}

func runServe(ctx context.Context, p *program, args []string) error {
	f := p.flags("serve")
	once := f.Bool("once", false, "boot one machine and exit (required)")
	name := f.String("profile", "debian2019", "the build of iPXE: debian2019, 2021, or 2021-all")
	mac := f.String("mac", "52:54:00:12:34:56", "the machine's MAC address")
	product := f.String("product", "Express5800/i120Ra-e1 [N8100-1482Y]", "the machine's product name")
	file := f.String("machines", "", "a JSON file with the machines; without it there is one example")
	if err := parse(f, args); err != nil {
		return err
	}
	if err := p.noArguments(f); err != nil {
		return err
	}
	if !*once {
		return errors.New(
			"serve only knows -once: it boots one simulated machine and ends; embed ipxe.Handler to serve real ones",
		)
	}
	prof, err := profile(*name, "")
	if err != nil {
		return err
	}
	address, ok := ipxe.ParseMAC(*mac)
	if !ok {
		return fmt.Errorf("-mac %q: no MAC address", *mac)
	}
	machines := storyMachines()
	if *file != "" {
		data, err := p.read(*file)
		if err != nil {
			return err
		}
		if machines, err = ipxe.ParseMachines(strings.NewReader(string(data))); err != nil {
			return fmt.Errorf("%s:%w", *file, bare(err))
		}
	} else if err := machines.Check(); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: storyHandler(machines, func(err error) {
		fmt.Fprintln(p.err, "ipxe-boot: the handler:", diag.Sanitize(bare(err).Error()))
	}), ReadHeaderTimeout: 5 * time.Second}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	err = p.bootOnce(ctx, l.Addr().String(), &sim.Machine{
		Profile: prof, SMBIOS: map[string]string{"product": *product},
		NICs: []sim.NIC{{MAC: address, DHCP: map[string]string{
			"ip": "192.168.0.100", "netmask": "255.255.255.0", "next-server": "192.168.0.1", "filename": "http://192.168.0.1/iPXE/boot.ipxe",
		}}},
	})
	_ = server.Close()
	<-done
	return err
}

// bootOnce boots the machine like its firmware: DHCP names boot.ipxe.
func (p *program) bootOnce(ctx context.Context, addr string, m *sim.Machine) error {
	w := &wire{addr: addr, client: &http.Client{
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	w.show = func(r *sim.Request, a *http.Response, body []byte) {
		fmt.Fprintf(
			p.out,
			"> %s %s\n< %s, %s, %d bytes\n",
			r.Method,
			diag.Sanitize(r.Target),
			a.Status,
			a.Header.Get("Content-Type"),
			len(body),
		)
		if ipxe.IsScript(body) {
			p.print(visible(body, "    "))
		}
	}
	// Like autoboot, the first script fetches the file that DHCP names.
	first := ipxe.Parse("autoboot", []byte("#!ipxe\nchain ${filename}\n"))
	r, err := sim.Run(ctx, m, first, w, sim.Options{})
	if err != nil {
		return err
	}
	fmt.Fprintln(p.out, "console:")
	p.print(visible(r.Console, "  "))
	fmt.Fprintf(p.out, "ends: %s\n", bootText(&r.Boot))
	if h := r.Hang(); h != nil {
		return noError{fmt.Errorf("the machine hangs: %s", h.Text)}
	}
	if r.Boot.Kind == sim.Returned && r.Status != sim.OK {
		return noError{fmt.Errorf("the boot failed: %s %s", r.Status, r.Status.Text())}
	}
	return nil
}
