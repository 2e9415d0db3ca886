package sim_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/ipxe"
	"dougu.internal/ipxe/sim"
)

// fwCase is a script that the firmware and the interpreter both run.
type fwCase struct {
	name   string
	script string
	// dump are settings whose raw bytes are compared, and cleared afterwards.
	dump []string
	// files are the answers to the script's own requests, by path with or without query.
	files map[string]fwFile
	// keys are sent to the console when the script asks for /NAME/keys.
	keys string
	// screen: the script draws on the screen; its console is not compared.
	screen bool
}

type fwFile struct {
	body   string
	status int
	header map[string]string
}

// fwResult is what one case came to.
type fwResult struct {
	status   string // as ${errno} prints it; "HANG"; "" when it was not run
	console  string
	requests []string
	dump     map[string]string
}

// desk hands out one case after another: to the real firmware over TCP, to the
// interpreter as its World. What comes back is read in the same way.
type desk struct {
	mu      sync.Mutex
	base    string
	cases   []fwCase
	at      int
	handed  bool // the case's own script was fetched
	results []fwResult
	last    time.Time
	press   func(keys string)
}

func newDesk(base string, cases []fwCase) *desk {
	return &desk{base: base, cases: cases, at: -1, results: make([]fwResult, len(cases)), last: time.Now().Add(time.Minute)}
}

func (d *desk) loop() string {
	return "#!ipxe\nifopen net0 ||\ndhcp net0 ||\n:loop\nimgfree ||\nimgfetch --name ctl " + d.base + "/_ctl ||\nimgexec --autofree ctl ||\ngoto loop\n"
}

// control is the script around a case.
func (d *desk) control(i int) string {
	if i >= len(d.cases) {
		return "#!ipxe\nreboot\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "#!ipxe\necho @@B%d@@\nimgfetch --name case.ipxe %s/_case/%s ||\n", i, d.base, d.cases[i].name)
	b.WriteString("imgexec case.ipxe && set zrc 0x0 || set zrc ${errno}\n")
	fmt.Fprintf(&b, "echo\necho @@E%d@@\nimgfetch --name zz %s/_end/%d?rc=${zrc}", i, d.base, i)
	for j, n := range d.cases[i].dump {
		name, _, typed := strings.Cut(n, ":")
		if !typed {
			n = name + ":hexraw"
		}
		fmt.Fprintf(&b, "&d%d=${%s}", j, n)
	}
	b.WriteString(" ||\n")
	for _, n := range d.cases[i].dump {
		name, _, _ := strings.Cut(n, ":")
		fmt.Fprintf(&b, "clear %s ||\n", name)
	}
	for range 3 { // menus that were left over
		b.WriteString("choose --timeout 1 zz ||\n")
	}
	b.WriteString("clear zz ||\nimgfree ||\n")
	return b.String()
}

func (d *desk) answer(method, target string, body []byte) fwFile {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = time.Now()
	switch {
	case target == "/_ctl":
		d.at++
		d.handed = false
		return fwFile{body: d.control(d.at)}
	case strings.HasPrefix(target, "/_case/"):
		// A relative URI of a case may come here too: then it is a request of the case.
		if d.at >= 0 && d.at < len(d.cases) && target == "/_case/"+d.cases[d.at].name && !d.handed {
			d.handed = true
			return fwFile{body: d.text(d.at, d.cases[d.at].script)}
		}
	case strings.HasPrefix(target, "/_end/"):
		number, query, _ := strings.Cut(target[len("/_end/"):], "?")
		i, _ := strconv.Atoi(number)
		r := &d.results[i]
		r.dump = map[string]string{}
		for pair := range strings.SplitSeq(query, "&") {
			k, v, _ := strings.Cut(pair, "=")
			if k == "rc" {
				r.status = v
			} else if j, err := strconv.Atoi(k[1:]); err == nil {
				r.dump[d.cases[i].dump[j]] = v
			}
		}
		return fwFile{body: "x"}
	}
	if d.at < 0 || d.at >= len(d.cases) {
		return fwFile{status: 404}
	}
	c := &d.cases[d.at]
	line := method + " " + target
	if len(body) > 0 {
		line += " " + string(body)
	}
	d.results[d.at].requests = append(d.results[d.at].requests, line)
	rel := strings.TrimPrefix(target, "/"+c.name)
	if rel == "/keys" && d.press != nil {
		d.press(c.keys)
	}
	f, ok := c.files[rel]
	if !ok {
		rel, _, _ = strings.Cut(rel, "?")
		if f, ok = c.files[rel]; !ok {
			if rel == "/keys" {
				return fwFile{body: "x"}
			}
			return fwFile{status: 404, body: "not found"}
		}
	}
	f.body = d.text(d.at, f.body)
	if f.header != nil {
		h := map[string]string{}
		for k, v := range f.header {
			h[k] = d.text(d.at, v)
		}
		f.header = h
	}
	return f
}

func (d *desk) text(i int, s string) string {
	return strings.ReplaceAll(s, "{{BASE}}", d.base+"/"+d.cases[i].name)
}

// Fetch makes the desk a World.
func (d *desk) Fetch(_ context.Context, r *sim.Request) (*sim.Response, error) {
	if "http://"+r.Host != d.base {
		return nil, sim.ErrTimeout
	}
	f := d.answer(r.Method, r.Target, r.Body)
	h := http.Header{}
	for k, v := range f.header {
		h.Set(k, v)
	}
	return &sim.Response{Status: max(f.status, 200), Header: h, Body: []byte(f.body)}, nil
}

// serve answers the firmware; net/http would refuse some of what it sends.
func (d *desk) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go d.connection(c)
	}
}

func (d *desk) connection(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		method, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		target := strings.TrimSuffix(rest, " HTTP/1.1")
		length := 0
		for {
			h, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if h = strings.TrimRight(h, "\r\n"); h == "" {
				break
			}
			if k, v, _ := strings.Cut(h, ":"); strings.EqualFold(k, "Content-Length") {
				length, _ = strconv.Atoi(strings.TrimSpace(v))
			}
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		f := d.answer(method, target, body)
		var out bytes.Buffer
		fmt.Fprintf(&out, "HTTP/1.1 %d X\r\nContent-Length: %d\r\n", max(f.status, 200), len(f.body))
		for k, v := range f.header {
			fmt.Fprintf(&out, "%s: %s\r\n", k, v)
		}
		out.WriteString("\r\n" + f.body)
		if _, err := c.Write(out.Bytes()); err != nil {
			return
		}
	}
}

var qemu = oracle.Tool{
	Name: "qemu-system-x86_64", Package: "qemu-system-x86", Probe: []string{"--version"},
	Version: regexp.MustCompile(`version (\S+)`),
}

const firmwareFile = "/boot/ipxe.lkrn"

func needFirmware(tb testing.TB) oracle.Found {
	tb.Helper()
	if testing.Short() {
		tb.Skip("boots a machine in software: not in short runs")
	}
	q := qemu.Need(tb)
	if _, err := os.Stat(firmwareFile); err != nil {
		oracle.Missing(tb, firmwareFile+" is missing: install the Debian package ipxe")
	}
	return q
}

// machine is the DMI data of the firmware's machine and of the simulated one.
var dmi = map[string]string{
	"manufacturer": "ACME & Sons, Ltd", "product": "Express5800/i120Ra-e1 [N8100-1482Y]", "serial": "S+1 #2",
	"uuid": "11223344-5566-7788-99aa-bbccddeeff00",
}

func smbiosArgument() string {
	q := func(s string) string { return strings.ReplaceAll(s, ",", ",,") }
	return "type=1,manufacturer=" + q(dmi["manufacturer"]) + ",product=" + q(dmi["product"]) + ",serial=" + q(dmi["serial"]) + ",uuid=" + dmi["uuid"]
}

// onFirmware runs the cases on the real firmware. A case that is silent for the stall
// time hangs; the rest goes on after a reboot.
func onFirmware(tb testing.TB, q oracle.Found, cases []fwCase, base string, l net.Listener) []fwResult {
	tb.Helper()
	const stall = 25 * time.Second
	var all []fwResult
	for len(cases) > 0 {
		d := newDesk(base, cases)
		done := make(chan struct{})
		go func() { d.serve(l); close(done) }()
		dir := tb.TempDir()
		loop := filepath.Join(dir, "loop.ipxe")
		require.NoError(tb, os.WriteFile(loop, []byte(d.loop()), 0o600))
		keys, typed, err := os.Pipe() // a file: no goroutine of the test waits for it
		require.NoError(tb, err)
		d.press = func(s string) {
			go func() {
				time.Sleep(2 * time.Second)                  // the download must be over: iPXE eats keys while it waits for one
				for part := range strings.SplitSeq(s, "~") { // a pause between the keys of different questions
					for len(part) > 0 { // the serial line and the BIOS hold about 15 keys
						n := min(8, len(part))
						if e := strings.LastIndexByte(part[:n], 0x1b); n < len(part) && e > max(0, n-3) {
							n = e // a key of three bytes stays whole
						}
						_, _ = io.WriteString(typed, part[:n])
						part = part[n:]
						time.Sleep(300 * time.Millisecond)
					}
					time.Sleep(400 * time.Millisecond)
				}
			}()
		}
		p := oracle.Start(tb, oracle.Cmd{Path: q.Path, Dir: dir, Stdin: keys, Timeout: time.Hour, Args: []string{
			"-M", "pc,graphics=off", "-accel", "tcg", "-m", "256", "-display", "none", "-monitor", "none", "-serial", "stdio",
			"-no-reboot", "-kernel", firmwareFile, "-initrd", loop, "-netdev", "user,id=n0", "-device", "e1000,netdev=n0,romfile=",
			"-smbios", smbiosArgument(),
		}})
	watch:
		for {
			select {
			case <-p.Done():
				break watch
			case <-time.After(50 * time.Millisecond):
			}
			d.mu.Lock()
			silent := time.Since(d.last)
			d.mu.Unlock()
			if silent > stall {
				break watch
			}
		}
		p.Stop()
		_ = typed.Close()
		_ = keys.Close()
		d.mu.Lock()
		screen(unwrap(string(p.Output())), d.results)
		n := 0
		for n < len(cases) && d.results[n].status != "" {
			n++
		}
		all = append(all, d.results[:n]...)
		if n < len(cases) {
			require.GreaterOrEqual(tb, d.at, 0, "the firmware did not come up: %.2000s", p.Output())
			d.results[n].status = "HANG"
			all = append(all, d.results[n])
			n++
		}
		cases = cases[n:]
		d.mu.Unlock()
		if len(cases) > 0 { // a desk of its own for the rest: the listener is handed on
			addr := l.Addr().String()
			_ = l.Close()
			<-done
			l, err = net.Listen("tcp", addr)
			require.NoError(tb, err)
		}
	}
	_ = l.Close()
	return all
}

// inInterpreter runs the same cases in the interpreter.
func inInterpreter(tb testing.TB, cases []fwCase, base string) []fwResult {
	tb.Helper()
	var all []fwResult
	for len(cases) > 0 {
		d := newDesk(base, cases)
		var keys []sim.Key
		for _, c := range cases {
			keys = append(keys, pressed(c.keys)...)
		}
		m := &sim.Machine{Profile: ipxe.Debian2019(), SMBIOS: dmi, NICs: []sim.NIC{{Closed: true}}}
		r, err := sim.Run(tb.Context(), m, ipxe.Parse("loop", []byte(d.loop())), d, sim.Options{
			Keys: keys, MaxSteps: 100_000_000, MaxRequests: 10_000_000, MaxBytes: 1<<31 - 1,
		})
		require.NoError(tb, err)
		var text strings.Builder
		for _, c := range r.Console { // a byte is a character on the screen
			text.WriteRune(rune(c))
		}
		screen(text.String(), d.results)
		n := 0
		for n < len(cases) && d.results[n].status != "" {
			n++
		}
		all = append(all, d.results[:n]...)
		if n < len(cases) {
			require.NotNil(tb, r.Hang(), "%s: neither a result nor a hang: %+v", cases[n].name, r.Boot)
			d.results[n].status = "HANG"
			all = append(all, d.results[n])
			n++
		}
		cases = cases[n:]
	}
	return all
}

// pressed translates what is sent to the serial line.
func pressed(s string) (keys []sim.Key) {
	for len(s) > 0 {
		switch {
		case s[0] == '~':
			s = s[1:]
			continue
		case strings.HasPrefix(s, "\x1b[A"):
			keys, s = append(keys, sim.KeyUp), s[3:]
			continue
		case strings.HasPrefix(s, "\x1b[B"):
			keys, s = append(keys, sim.KeyDown), s[3:]
			continue
		}
		keys = append(keys, sim.Key(s[0]))
		s = s[1:]
	}
	return keys
}

var (
	escapes = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]|\x1bc`)
	// The cards' IPv6 addresses are not simulated.
	addresses6 = regexp.MustCompile(`(?m)^net0: fe[0-9a-f]+:.*\n`)
	slow       = regexp.MustCompile(`(?m)^(\S.*?)\.\.\.\.+ (ok|[A-Z])`)
)

// unwrap joins the lines of 80 columns with those in which they go on.
func unwrap(text string) string {
	text = escapes.ReplaceAllString(text, "")
	text = strings.ReplaceAll(text, "\r", "")
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString(line)
		column := 0
		for _, c := range line {
			if c == '\b' {
				column = max(column-1, 0)
			} else {
				column++
			}
		}
		if column != 80 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// screen cuts the console into the cases' own.
func screen(text string, results []fwResult) {
	text = escapes.ReplaceAllString(text, "")
	for i := range results {
		begin, end := fmt.Sprintf("@@B%d@@\n", i), fmt.Sprintf("@@E%d@@", i)
		_, after, ok := strings.Cut(text, begin)
		if !ok {
			continue
		}
		rest := after
		to := strings.Index(rest, end)
		if to < 0 {
			to = len(rest)
		}
		rest = rest[:to]
		if _, after, ok := strings.Cut(rest, "\n"); ok { // the line of the wrapper's own download
			rest = after
		}
		rest = addresses6.ReplaceAllString(rest, "")
		results[i].console = plain(slow.ReplaceAllString(rest, "$1... $2"))
	}
}

// batch is the number of cases that are handed out in one boot.
const batch = 100

// plain writes ? for what the BIOS shows as a character of its own code page: control
// characters and bytes above 126. The firmware's text has them as UTF-8.
func plain(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c == '\r' || c == 7:
		case c == '\n' || c == '\b' || c >= ' ' && c <= '~':
			b.WriteRune(c)
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}

// compare runs cases on both and returns how many agree; a difference fails the test.
func compare(t *testing.T, cases []fwCase) int {
	t.Helper()
	q := needFirmware(t)
	same, hangs := 0, 0
	start := time.Now()
	for from := 0; from < len(cases); from += batch {
		part := cases[from:min(from+batch, len(cases))]
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		base := fmt.Sprintf("http://10.0.2.2:%d", l.Addr().(*net.TCPAddr).Port)
		want := onFirmware(t, q, part, base, l)
		got := inInterpreter(t, part, base)
		require.Len(t, got, len(want))
		for i, c := range part {
			if want[i].status == "HANG" {
				hangs++
			}
			if difference(want[i], got[i], c) == "" {
				same++
				continue
			}
			t.Errorf("%s:\n%s\nscript:\n%s", c.name, difference(want[i], got[i], c), c.script)
		}
		t.Logf("%d of %d scripts agree, %d of them hang the machine, %v", same, from+len(part), hangs, time.Since(start).Round(time.Second))
	}
	oracle.Compared(t, oracle.Found{Name: "ipxe", Version: "1.0.0+git-20190125.36a4c85"}, len(cases))
	return same
}

func difference(want, got fwResult, c fwCase) string {
	var b strings.Builder
	put := func(what string, w, g any) {
		if fmt.Sprint(w) != fmt.Sprint(g) {
			fmt.Fprintf(&b, "  %s: firmware    %q\n  %s: interpreter %q\n", what, w, what, g)
		}
	}
	put("status", want.status, got.status)
	if want.status == "HANG" && got.status == "HANG" {
		return b.String()
	}
	put("requests", want.requests, got.requests)
	if !c.screen {
		put("console", want.console, got.console)
	}
	for _, n := range c.dump {
		put(n, want.dump[n], got.dump[n])
	}
	return b.String()
}

func TestFirmwareAgreesOnHandMadeScripts(t *testing.T) {
	require.Equal(t, len(handMade), compare(t, handMade))
}
