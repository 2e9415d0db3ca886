// Package ipxe measures dougu's builder, handler and interpreter of iPXE scripts beside
// templates of the usual shapes and the real firmware.
//
// The peers of the builder are text/template with the shapes that two public services
// have: "matchbox-shaped" renders kernel, arguments and initrds from a template that was
// parsed once, "smee-shaped" parses and executes a longer one on every request. They are
// written for this benchmark; what they do less: no value is checked or escaped, where
// dougu checks every byte and carries one argument that iPXE would split.
//
// The firmware is Debian's iPXE in QEMU without KVM: its row is the time of a case in a
// batch, of which the rows beside it tell what it is made of.
package ipxe

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"text/template"
	"time"

	"dougu.internal/ipxe"
	"dougu.internal/ipxe/lint"
	"dougu.internal/ipxe/sim"
)

// cpu reports the CPU time of this process an operation, all threads: on a shared machine
// it moves less than the time on the clock.
func cpu(b *testing.B) (stop func()) {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	start := used()
	return func() { b.ReportMetric(float64((used()-start).Nanoseconds())/float64(b.N), "cpu-ns/op") }
}

// boot is what the builder and the first template write.
type boot struct {
	Kernel  string
	Initrds []string
	Args    []string
}

var profile = boot{
	Kernel:  "http://10.0.0.1/assets/coreos/vmlinuz",
	Initrds: []string{"http://10.0.0.1/assets/coreos/initrd.img"},
	Args: []string{
		"initrd=initrd.img", "coreos.live.rootfs_url=http://10.0.0.1/assets/coreos/rootfs.img", "coreos.inst.install_dev=/dev/sda",
		"coreos.inst.ignition_url=http://10.0.0.1/ignition", "console=tty0", "console=ttyS1,115200n8",
	},
}

var matchboxShaped = template.Must(template.New("boot").Parse(`#!ipxe
kernel {{.Kernel}}{{range .Args}} {{.}}{{end}}
{{range .Initrds}}initrd {{.}}
{{end}}boot
`))

func build(b *ipxe.Builder, p *boot) ([]byte, error) {
	b.Reset()
	args := make([]ipxe.Expr, len(p.Args), 16)
	for i, a := range p.Args {
		args[i] = ipxe.Text(a)
	}
	b.Kernel(ipxe.Link(p.Kernel), args...)
	for _, u := range p.Initrds {
		b.Initrd(ipxe.Link(u))
	}
	b.Boot()
	return b.Bytes()
}

func BenchmarkRender(b *testing.B) {
	var want bytes.Buffer
	if err := matchboxShaped.Execute(&want, profile); err != nil {
		b.Fatal(err)
	}
	b.Run("dougu", func(b *testing.B) {
		var w ipxe.Builder
		got, err := build(&w, &profile)
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			b.Fatalf("%v:\n%s\n%s", err, got, want.Bytes())
		}
		b.SetBytes(int64(want.Len()))
		b.ReportAllocs()
		stop := cpu(b)
		for b.Loop() {
			if _, err := build(&w, &profile); err != nil {
				b.Fatal(err)
			}
		}
		stop()
	})
	b.Run("dougu-escaping", func(b *testing.B) { // one argument has blanks and is carried
		p := profile
		p.Args = append([]string{"note=two  blanks # and a hash"}, p.Args...)
		var w ipxe.Builder
		b.ReportAllocs()
		stop := cpu(b)
		for b.Loop() {
			if _, err := build(&w, &p); err != nil {
				b.Fatal(err)
			}
		}
		stop()
	})
	b.Run("matchbox-shaped", func(b *testing.B) {
		b.Log("peer text/template in matchbox's shape, parsed once: nothing is escaped")
		var out bytes.Buffer
		b.SetBytes(int64(want.Len()))
		b.ReportAllocs()
		stop := cpu(b)
		for b.Loop() {
			out.Reset()
			if err := matchboxShaped.Execute(&out, profile); err != nil {
				b.Fatal(err)
			}
		}
		stop()
	})
}

// hook is a script with retries, a trace and a VLAN, as a provisioning service sends it.
const hook = `#!ipxe

echo Loading the installation environment for {{.MAC}}
{{- if .Trace}}
echo Debug trace: {{.Trace}}
{{- end}}

set arch {{.Arch}}
set download-url {{.URL}}
set retries:int32 {{.Retries}}
set delay:int32 {{.Delay}}

:retry_kernel
kernel ${download-url}/vmlinuz-${arch} {{range .Args}}{{.}} {{end}}initrd=initramfs-${arch} worker_id={{.ID}} && goto got_kernel || iseq ${try} ${retries} && goto failed || inc try && sleep ${delay} ; goto retry_kernel
:got_kernel
:retry_initrd
initrd ${download-url}/initramfs-${arch} && goto got_initrd || iseq ${try} ${retries} && goto failed || inc try && sleep ${delay} ; goto retry_initrd
:got_initrd
boot || goto failed

:failed
echo Failed to boot {{.MAC}}
sleep 30
exit 1
`

type hookData struct {
	MAC, Trace, Arch, URL, ID string
	Retries, Delay            int
	Args                      []string
}

var hookMachine = hookData{
	MAC: "52:54:00:12:34:56", Trace: "00-23b1e307bb35484f535a1f772c06910e-d887dc3912240434-01", Arch: "x86_64", URL: "http://10.0.0.1/hook",
	ID: "3278ef50-ff04-4611-9de1-c22be20137d3", Retries: 10, Delay: 3, Args: []string{"vlan_id=", "facility=onprem", "syslog_host=10.0.0.1", "tinkerbell_tls=false", "console=ttyS1,115200n8"},
}

// hookForms are the equivalent, built once: two downloads that are tried again, with a
// pause. What changes from machine to machine are holes; a machine without a trace has a
// form of its own.
type hookForms struct{ traced, plain *ipxe.Form }

// The holes of the forms.
const (
	hookMAC = iota
	hookArch
	hookArgs
	hookID
	hookTrace
	hookHoles
)

// buildHook writes the script, of expressions for what changes.
func buildHook(b *ipxe.Builder, d *hookData, traced bool, value func(int) ipxe.Expr) {
	arch := ipxe.Var("arch")
	b.Echo(ipxe.Text("Loading the installation environment for"), value(hookMAC))
	if traced {
		b.Echo(ipxe.Text("Debug trace:"), value(hookTrace))
	}
	b.Set("arch", value(hookArch))
	pause := time.Duration(d.Delay) * time.Second
	b.Retry(d.Retries, pause, func(b *ipxe.Builder) {
		b.Kernel(
			ipxe.URL(ipxe.Text(d.URL+"/vmlinuz-"), arch),
			value(hookArgs),
			ipxe.Concat(ipxe.Text("initrd=initramfs-"), arch),
			ipxe.Concat(ipxe.Text("worker_id="), value(hookID)),
		)
	}, nil)
	b.Retry(d.Retries, pause, func(b *ipxe.Builder) { b.Initrd(ipxe.URL(ipxe.Text(d.URL+"/initramfs-"), arch)) }, nil)
	b.Boot()
}

func compileHook(d *hookData) (*hookForms, error) {
	traced, err := ipxe.Compile(ipxe.Profile{}, hookHoles, func(b *ipxe.Builder) { buildHook(b, d, true, ipxe.Hole) })
	if err != nil {
		return nil, err
	}
	plain, err := ipxe.Compile(ipxe.Profile{}, hookHoles, func(b *ipxe.Builder) { buildHook(b, d, false, ipxe.Hole) })
	return &hookForms{traced, plain}, err
}

// appendTo writes the script of a machine.
func (f *hookForms) appendTo(dst []byte, d *hookData) ([]byte, error) {
	form := f.traced
	if d.Trace == "" {
		form = f.plain
	}
	return form.AppendTo(dst, d.MAC, d.Arch, strings.Join(d.Args, " "), d.ID, d.Trace)
}

func BenchmarkHook(b *testing.B) {
	values := []string{hookMachine.MAC, hookMachine.Arch, strings.Join(hookMachine.Args, " "), hookMachine.ID, hookMachine.Trace}
	var w ipxe.Builder
	buildHook(&w, &hookMachine, true, func(i int) ipxe.Expr { return ipxe.Text(values[i]) })
	want, err := w.Bytes()
	if err != nil {
		b.Fatal(err)
	}
	forms, err := compileHook(&hookMachine)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("dougu", func(b *testing.B) { // the form, filled in
		var buf []byte
		if buf, err = forms.appendTo(nil, &hookMachine); err != nil || !bytes.Equal(buf, want) {
			b.Fatalf("%v:\n%s\n%s", err, buf, want)
		}
		b.SetBytes(int64(len(want)))
		b.ReportAllocs()
		stop := cpu(b)
		for b.Loop() {
			if buf, err = forms.appendTo(buf[:0], &hookMachine); err != nil {
				b.Fatal(err)
			}
		}
		stop()
	})
	b.Run("dougu-escaping", func(b *testing.B) { // one argument has blanks: the script is built again
		m := hookMachine
		m.Args = append([]string{"note=two  blanks # and a hash"}, m.Args...)
		var buf []byte
		b.ReportAllocs()
		stop := cpu(b)
		for b.Loop() {
			if buf, err = forms.appendTo(buf[:0], &m); err != nil {
				b.Fatal(err)
			}
		}
		stop()
	})
	b.Run("dougu-builder", func(b *testing.B) { // everything is built each time
		var w ipxe.Builder
		b.ReportAllocs()
		stop := cpu(b)
		for b.Loop() {
			w.Reset()
			buildHook(&w, &hookMachine, true, func(i int) ipxe.Expr { return ipxe.Text(values[i]) })
			if _, err := w.Bytes(); err != nil {
				b.Fatal(err)
			}
		}
		stop()
	})
	b.Run("smee-shaped", func(b *testing.B) {
		b.Log("peer text/template in smee's shape: parsed and executed on every request; nothing is escaped")
		b.ReportAllocs()
		stop := cpu(b)
		for b.Loop() {
			t, err := template.New("hook").Parse(hook)
			if err != nil {
				b.Fatal(err)
			}
			var out bytes.Buffer
			if err := t.Execute(&out, hookMachine); err != nil {
				b.Fatal(err)
			}
		}
		stop()
	})
}

// nullWriter is a ResponseWriter that keeps nothing.
type nullWriter struct{ h http.Header }

func (w *nullWriter) Header() http.Header         { return w.h }
func (w *nullWriter) WriteHeader(int)             {}
func (w *nullWriter) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkHandler compares the handler with a plain net/http handler that writes the
// same script, by direct calls: the difference is the handler's own cost.
func BenchmarkHandler(b *testing.B) {
	script := []byte("#!ipxe\ninitrd http://${next-server}/initrd.gz\nkernel http://${next-server}/vmlinuz\nboot\n")
	plain := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.URL.Query().Get("mac")
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write(script)
	})
	ours := ipxe.Handler(func(context.Context, ipxe.Facts) ([]byte, error) { return script, nil }, ipxe.HandlerConfig{})
	r := httptest.NewRequest("GET", "/b?type=Express5800/i120Ra-e1%20[N8100-1482Y]&mac=52%3A54%3A00%3A12%3A34%3A56", nil)
	for _, row := range []struct {
		name string
		h    http.Handler
	}{{"dougu", ours}, {"net-http", plain}} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			stop := cpu(b)
			for b.Loop() {
				row.h.ServeHTTP(&nullWriter{http.Header{}}, r)
			}
			stop()
		})
	}
}

// cases are the scripts that the firmware and the interpreter run.
var cases = func() (list []string) {
	for i := range 40 {
		list = append(list, fmt.Sprintf(`#!ipxe
set i:int32 0
:loop
inc i
iseq ${i} 3 || goto loop
set v:hexraw 6120202320
echo case %d [${v:string}] ${net0/mac} ${product:uristring}
isset ${nothing} && echo yes || echo no
imgfetch BASE/file?n=%d&i=${i} ||
imgstat
imgfree
`, i, i))
	}
	return list
}()

func BenchmarkCase(b *testing.B) {
	for _, kept := range []bool{false, true} {
		name := "dougu" // one run, and nothing before it
		if kept {
			name = "dougu-simulator" // one of many runs
		}
		b.Run(name, func(b *testing.B) {
			var scripts []*ipxe.Script
			for _, c := range cases {
				scripts = append(scripts, ipxe.Parse("c", []byte(strings.ReplaceAll(c, "BASE", "http://10.0.2.2:8080"))))
			}
			w := sim.MapWorld{"http://10.0.2.2:8080/file": []byte("x")}
			m := &sim.Machine{}
			var simulator sim.Simulator
			run := sim.Run
			if kept {
				run = simulator.Run
			}
			b.ReportAllocs()
			stop := cpu(b)
			i := 0
			for b.Loop() {
				r, err := run(context.Background(), m, scripts[i%len(scripts)], w, sim.Options{})
				if err != nil || r.Status != sim.OK {
					b.Fatal(err, r)
				}
				i++
			}
			stop()
		})
	}
	// What the firmware's time is made of: a case without a word is the download of its
	// script, one without imgfetch has no download of its own.
	empty, language := make([]string, len(cases)), make([]string, len(cases))
	for i, c := range cases {
		empty[i] = "#!ipxe\n"
		before, after, _ := strings.Cut(c, "imgfetch")
		_, after, _ = strings.Cut(after, "\n")
		language[i] = before + after
	}
	b.Run("firmware", func(b *testing.B) { firmware(b, cases) })
	b.Run("firmware-no-download", func(b *testing.B) { firmware(b, language) })
	b.Run("firmware-empty-script", func(b *testing.B) { firmware(b, empty) })
}

// firmware boots the real iPXE once for each run of the benchmark and takes the time from
// the first to the last case.
func firmware(b *testing.B, cases []string) {
	qemu, err := exec.LookPath("qemu-system-x86_64")
	if err == nil {
		_, err = os.Stat("/boot/ipxe.lkrn")
	}
	if err != nil {
		b.Skipf("absent the firmware: install qemu-system-x86 and ipxe: %v", err)
	}
	b.Log("peer ipxe 1.0.0+git-20190125.36a4c85 in QEMU without KVM: one machine, 40 cases in a batch; most of its time is its screen and its downloads")
	total := time.Duration(0)
	for range b.N {
		total += bootBatch(b, qemu, cases)
	}
	b.ReportMetric(float64(total.Nanoseconds())/float64(b.N)/float64(len(cases)-1), "ns/case")
}

func bootBatch(b *testing.B, qemu string, cases []string) time.Duration {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	base := fmt.Sprintf("http://10.0.2.2:%d", l.Addr().(*net.TCPAddr).Port)
	var n atomic.Int64
	var first, last time.Time
	done := make(chan struct{})
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/case" {
			_, _ = w.Write([]byte("x"))
			return
		}
		k := int(n.Add(1)) - 1
		if k == 0 {
			first = time.Now()
		}
		if k == len(cases)-1 {
			last = time.Now()
			close(done)
		}
		if k >= len(cases) {
			_, _ = w.Write([]byte("#!ipxe\nreboot\n"))
			return
		}
		_, _ = w.Write([]byte(strings.ReplaceAll(cases[k], "BASE", base)))
	})}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	loop := filepath.Join(b.TempDir(), "loop.ipxe")
	text := "#!ipxe\nifopen net0 ||\ndhcp net0 ||\n:loop\nchain --autofree " + base + "/case ||\ngoto loop\n"
	if err := os.WriteFile(loop, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, qemu, "-M", "pc,graphics=off", "-accel", "tcg", "-m", "256", "-display", "none", "-monitor", "none", "-serial", "none",
		"-no-reboot", "-kernel", "/boot/ipxe.lkrn", "-initrd", loop, "-netdev", "user,id=n0", "-device", "e1000,netdev=n0,romfile=")
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	select {
	case <-done:
	case <-ctx.Done():
		b.Error("the firmware did not run all cases")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return last.Sub(first)
}

// BenchmarkRetries is a script with ten failing tries, alone and as one of many runs.
func BenchmarkRetries(b *testing.B) {
	s := ipxe.Parse("r", []byte("#!ipxe\nset i:int32 0\n:retry\nkernel http://h/k && goto ok || iseq ${i} 10 && goto err || inc i && sleep 3 ; goto retry\n:ok\n:err\n"))
	var simulator sim.Simulator
	for _, row := range []struct {
		name string
		run  func(context.Context, *sim.Machine, *ipxe.Script, sim.World, sim.Options) (*sim.Result, error)
	}{{"dougu", sim.Run}, {"dougu-simulator", simulator.Run}} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			stop := cpu(b)
			for b.Loop() {
				if r, err := row.run(context.Background(), nil, s, nil, sim.Options{}); err != nil || len(r.Requests) != 11 {
					b.Fatal(err)
				}
			}
			stop()
		})
	}
}

// BenchmarkParse takes a script of a usual size, and a big one: "parse" finds the lines,
// and of a small script the words; "walk" goes on through every word.
func BenchmarkParse(b *testing.B) {
	usual := []byte(strings.ReplaceAll(hook, "{{", "$"))
	big := bytes.Repeat([]byte("set x ${y} || goto l # c\n"), 400_000)
	for _, row := range []struct {
		name string
		src  []byte
		walk bool
	}{{"usual", usual, true}, {"10MB-parse", big, false}, {"10MB-walk", big, true}} {
		b.Run(row.name, func(b *testing.B) {
			b.SetBytes(int64(len(row.src)))
			b.ReportAllocs()
			stop := cpu(b)
			words := 0
			for b.Loop() {
				s := ipxe.Parse("x", row.src)
				if !row.walk {
					continue
				}
				for _, l := range s.Lines() {
					for i := range l.Cmds {
						words += len(l.Cmds[i].Words)
					}
				}
			}
			stop()
		})
	}
}

// BenchmarkLint judges a usual script, without and with the run in the interpreter.
func BenchmarkLint(b *testing.B) {
	forms, err := compileHook(&hookMachine)
	if err != nil {
		b.Fatal(err)
	}
	script, err := forms.appendTo(nil, &hookMachine)
	if err != nil {
		b.Fatal(err)
	}
	s := ipxe.Parse("x", append([]byte(nil), script...))
	for _, noRun := range []bool{true, false} {
		name := "with-run"
		if noRun {
			name = "rules"
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			stop := cpu(b)
			for b.Loop() {
				if _, err := lint.Script(context.Background(), s, lint.Options{NoRun: noRun}); err != nil {
					b.Fatal(err)
				}
			}
			stop()
		})
	}
}
