package sim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/ipxe"
)

// storyRequest is what the server saw of the real firmware.
type storyRequest struct {
	Target, UserAgent, Host string
	Status                  int
	Body                    string
}

// The story wants port 80, as the 102 bytes of boot.ipxe name no port: the test runs
// itself again in a network namespace of its own, where it is the server and starts the
// machine.
const storyVariable = "DOUGU_IPXE_STORY"

func TestMain(m *testing.M) {
	if path := os.Getenv(storyVariable); path != "" {
		if err := storyServer(path, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// storyMux serves the story: boot.ipxe, the machine's script, kernel and initrd.
func storyMux() (http.Handler, error) {
	machines := &ipxe.Machines{
		Machines: []ipxe.MachineRule{{Name: "express", MAC: "52:54:00:12:34:56", Product: "*Express*", Boot: ipxe.Boot{Kernel: "vmlinuz", Initrds: []string{"initrd.gz"}}}},
	}
	if err := machines.Check(); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	boot := func(context.Context, ipxe.Facts) ([]byte, error) { return ipxe.BootScript().Bytes() }
	mux.Handle("/iPXE/boot.ipxe", ipxe.Handler(boot, ipxe.HandlerConfig{}))
	mux.Handle("/cgi-bin/boot_ipxe.cgi", ipxe.Handler(machines.Generator(), ipxe.HandlerConfig{}))
	mux.HandleFunc("/vmlinuz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(linux()) })
	mux.HandleFunc("/initrd.gz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("i"), 100)) })
	return mux, nil
}

// recorded keeps what passes through a handler.
type recorded struct {
	http.Handler
	mu   sync.Mutex
	list []storyRequest
	last chan struct{}
}

type tee struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader keeps the status.
func (t *tee) WriteHeader(status int) {
	t.status = status
	t.ResponseWriter.WriteHeader(status)
}

// Write keeps the body.
func (t *tee) Write(p []byte) (int, error) {
	t.body.Write(p)
	return t.ResponseWriter.Write(p)
}

// ServeHTTP records one exchange.
func (h *recorded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := &tee{ResponseWriter: w, status: 200}
	h.Handler.ServeHTTP(t, r)
	body := ""
	if ipxe.IsScript(t.body.Bytes()) {
		body = t.body.String()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, storyRequest{r.RequestURI, r.UserAgent(), r.Host, t.status, body})
	if r.URL.Path == "/vmlinuz" {
		close(h.last)
	}
}

// storyServer runs in the namespace: it serves on port 80 and boots the machine.
func storyServer(qemuPath string, out *os.File) error {
	if text, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("ip: %w: %s", err, text)
	}
	l, err := net.Listen("tcp", "127.0.0.1:80")
	if err != nil {
		return err
	}
	mux, err := storyMux()
	if err != nil {
		return err
	}
	h := &recorded{Handler: mux, last: make(chan struct{})}
	go func() { _ = http.Serve(l, h) }()
	ctx, cancel := context.WithTimeout(context.Background(), 150*time.Second)
	defer cancel()
	q := exec.CommandContext(ctx, qemuPath, "-M", "pc,graphics=off", "-accel", "tcg", "-m", "256", "-display", "none", "-monitor", "none",
		"-serial", "file:serial", "-no-reboot", "-kernel", firmwareFile,
		"-netdev", "user,id=n0,bootfile=http://10.0.2.2/iPXE/boot.ipxe", "-device", "e1000,netdev=n0,romfile=",
		"-smbios", "type=1,product=Express5800/i120Ra-e1 [N8100-1482Y]")
	if err := q.Start(); err != nil {
		return err
	}
	select {
	case <-h.last:
		time.Sleep(2 * time.Second) // the console prints its last line
	case <-ctx.Done():
	}
	_ = q.Process.Kill()
	_ = q.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	return json.NewEncoder(out).Encode(h.list)
}

// TestStoryOnRealFirmware is the story end to end: QEMU's DHCP, the real iPXE, the 102
// bytes, our handler, the right kernel and initrd.
func TestStoryOnRealFirmware(t *testing.T) {
	q := needFirmware(t)
	self, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	words := append(oracle.Namespaces(t), self)
	r := oracle.Run(t, oracle.Cmd{
		Path: words[0], Args: words[1:], Dir: dir, Env: []string{storyVariable + "=" + q.Path}, Timeout: 170 * time.Second,
	})
	require.Zero(t, r.ExitCode, "%s", r.Stderr)
	var got []storyRequest
	require.NoError(t, json.Unmarshal(r.Stdout, &got), "%s", r.Stdout)
	serial, err := os.ReadFile(filepath.Join(dir, "serial"))
	require.NoError(t, err)
	var targets []string
	for _, x := range got {
		targets = append(targets, x.Target)
		require.Equal(t, 200, x.Status)
		require.Equal(t, "iPXE/"+ipxe.Debian2019().Features().Version, x.UserAgent)
		require.Equal(t, "10.0.2.2", x.Host)
	}
	require.Equal(t, []string{
		"/iPXE/boot.ipxe", "/cgi-bin/boot_ipxe.cgi?type=Express5800/i120Ra-e1%20[N8100-1482Y]&mac=52%3A54%3A00%3A12%3A34%3A56", "/initrd.gz", "/vmlinuz",
	}, targets, "%s", serial)
	require.Len(t, got[0].Body, 102)
	require.Len(t, got[1].Body, 88)
	console := unwrap(string(serial))
	for _, line := range []string{"http://10.0.2.2/iPXE/boot.ipxe... ok", "http://10.0.2.2/cgi-bin/boot_ipxe.cgi... ok", "http://10.0.2.2/initrd.gz... ok", "http://10.0.2.2/vmlinuz... ok"} {
		require.Contains(t, slow.ReplaceAllString(console, "$1... $2"), line)
	}
	oracle.Compared(t, oracle.Found{Name: "ipxe", Version: "1.0.0+git-20190125.36a4c85"}, 1)
}

var doubled = regexp.MustCompile(`LLiinnuuxx|XX220000`)

// TestPXELINUXShowsTheMenu boots the real pxelinux and menu.c32: the generated menu
// appears on the serial line, each character once, and the default entry is loaded.
func TestPXELINUXShowsTheMenu(t *testing.T) {
	if !oracle.Long() {
		t.Skip("boots for half a minute: DOUGU_LONG=1")
	}
	q := qemu.Need(t)
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "pxelinux.cfg"), 0o755))
	for _, f := range []string{"/usr/lib/PXELINUX/pxelinux.0", "/usr/lib/syslinux/modules/bios/ldlinux.c32", "/usr/lib/syslinux/modules/bios/menu.c32",
		"/usr/lib/syslinux/modules/bios/libutil.c32", "/usr/lib/syslinux/modules/bios/libcom32.c32"} {
		data, err := os.ReadFile(f)
		if err != nil {
			oracle.Missing(t, f+" is missing: install the Debian packages pxelinux and syslinux-common")
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(f)), data, 0o644))
	}
	menu := ipxe.PXEMenu{Console: &ipxe.SerialConsole{}, Title: "Linux (SOL)", Timeout: 5 * time.Second, Entries: []ipxe.PXEEntry{
		{Label: "x200", Title: "^1 Model X200", Kernel: "vmlinuz", Initrds: []string{"initrd.gz"}, Default: true},
		{Label: "disk", Title: "^2 Local disk", Local: true},
	}}
	for _, mirrored := range []bool{false, true} {
		menu.Console.Mirrored = mirrored
		text, err := menu.AppendTo(nil)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "pxelinux.cfg", "01-52-54-00-12-34-56"), text, 0o644))
		machine := []string{"-M", "pc", "-vga", "std"}
		if mirrored { // the BIOS copies the screen to the port
			machine = []string{"-M", "pc,graphics=off"}
		}
		serial := filepath.Join(t.TempDir(), "serial")
		p := oracle.Start(t, oracle.Cmd{Path: q.Path, Timeout: 2 * time.Minute, Args: append(machine, "-accel", "tcg", "-m", "128", "-display", "none", "-monitor", "none",
			"-serial", "file:"+serial, "-no-reboot", "-netdev", "user,id=n0,tftp="+dir+",bootfile=pxelinux.0", "-device", "e1000,netdev=n0", "-boot", "n")})
		var shown string
		oracle.Eventually(t, 100*time.Second, "the menu and the default entry", func() error {
			raw, err := os.ReadFile(serial)
			if err != nil {
				return err
			}
			shown = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][0-9A-Za-z]|[\r\x0e\x0f]`).ReplaceAllString(string(raw), "")
			for _, want := range []string{"Linux (SOL)", "1 Model X200", "2 Local disk", "Loading vmlinuz"} {
				if !strings.Contains(shown, want) {
					return fmt.Errorf("%q is not on the serial line: %.1500q", want, shown)
				}
			}
			return nil
		})
		p.Stop()
		require.False(t, doubled.MatchString(shown), "%s", shown)
	}
	oracle.Compared(t, oracle.Found{Name: "pxelinux", Version: "6.04"}, 2)
}
