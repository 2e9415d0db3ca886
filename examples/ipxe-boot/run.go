package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"strconv"
	"strings"

	"dougu.internal/diag"
	"dougu.internal/ipxe"
	"dougu.internal/ipxe/sim"
)

const runHelp = `
-format json prints one object:
  {"status":"0x2d02203b","console":"...","requests":[{"method","uri","headers","body"}],"settings":{"NAME":"hex of the raw bytes"},
   "boots":{...},"steps":N,"hang":null or reason}
settings contains the settings that -dump names; the value of a setting that is not set is "". boots contains
"kind" (return, linux, program, san, reboot, poweroff, shell, hang) and, if they apply, "kernel", "args",
"initrds" [{"name","uri","args","bytes","type"}], "drive", "path".
-key is a character, or enter, escape, up, down, home, end, backspace, wait (let the time run out), or 0x and a number.
-set accepts every setting: smbios/product=TEXT, net0.dhcp/filename=TEXT, 210:string=TEXT, mac=52:54:00:12:34:56.
A URL without -http is answered with status 404. The exit status is 1 if the status of the script is not 0 or if the machine
would hang.
`

// machineFlags contains the flags that describe a machine and its server.
type machineFlags struct {
	profile, with, uri string
	sets, files, keys  list
}

func (m *machineFlags) add(f *flag.FlagSet) {
	f.StringVar(&m.profile, "profile", "debian2019", "the build of iPXE: debian2019, 2021, or 2021-all")
	f.StringVar(&m.with, "with", "", "comma-separated commands that the build has in addition, or all")
	f.StringVar(
		&m.uri,
		"uri",
		"http://192.168.0.1/iPXE/boot.ipxe",
		"the URL of the script; relative URLs are resolved against it",
	)
	f.Var(&m.sets, "set", "NAME=VALUE: a setting of the machine; can be repeated")
	f.Var(&m.files, "http", "URL=FILE: the reply of the server; can be repeated")
	f.Var(&m.keys, "key", "a key that the user presses; can be repeated")
}

// machine returns the machine that the flags describe.
func (m *machineFlags) machine() (*sim.Machine, error) {
	p, err := profile(m.profile, m.with)
	if err != nil {
		return nil, err
	}
	machine := &sim.Machine{Profile: p, URI: m.uri, SMBIOS: map[string]string{}, NICs: []sim.NIC{{DHCP: map[string]string{
		"ip": "192.168.0.100", "netmask": "255.255.255.0", "gateway": "192.168.0.1", "dns": "192.168.0.1",
		"next-server": "192.168.0.1", "dhcp-server": "192.168.0.1",
	}}}}
	for _, s := range m.sets {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return nil, fmt.Errorf("-set %q: NAME=VALUE", s)
		}
		block, rest, _ := strings.Cut(name, "/")
		switch {
		case block == "smbios" && rest != "":
			machine.SMBIOS[rest] = value
		case block == "net0.dhcp" && rest != "":
			machine.NICs[0].DHCP[rest] = value
		case name == "mac" || name == "net0/mac":
			mac, ok := ipxe.ParseMAC(value)
			if !ok {
				return nil, fmt.Errorf("-set %q: no MAC address", s)
			}
			machine.NICs[0].MAC = mac
		case isSMBIOS(name):
			machine.SMBIOS[name] = value
		default:
			machine.Settings = append(machine.Settings, sim.Assignment{Name: name, Value: value})
		}
	}
	return machine, nil
}

func isSMBIOS(name string) bool {
	switch name {
	case "product", "manufacturer", "serial", "uuid", "asset", "board-serial":
		return true
	}
	return false
}

func (m *machineFlags) world(p *program) (sim.World, error) {
	w := sim.MapWorld{}
	for _, f := range m.files {
		url, file, ok := cutURL(f)
		if !ok {
			return nil, fmt.Errorf("-http %q: URL=FILE", f)
		}
		data, err := p.read(file)
		if err != nil {
			return nil, err
		}
		w[url] = data
	}
	return w, nil
}

// cutURL splits URL=FILE at the last equals sign, because a query can contain others.
func cutURL(s string) (url, file string, ok bool) {
	i := strings.LastIndexByte(s, '=')
	if i <= 0 || i == len(s)-1 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

var keyNames = map[string]sim.Key{
	"enter": sim.KeyEnter, "escape": sim.KeyEscape, "esc": sim.KeyEscape,
	"up": sim.KeyUp, "down": sim.KeyDown, "home": sim.KeyHome, "end": sim.KeyEnd,
	"left": sim.KeyLeft, "right": sim.KeyRight, "backspace": sim.KeyBackspace, "delete": sim.KeyDelete, "wait": sim.Wait, "space": ' ',
	"pageup": sim.KeyPageUp, "pagedown": sim.KeyPageDown, "ctrl-c": sim.KeyCtrlC,
}

func (m *machineFlags) pressed() (keys []sim.Key, err error) {
	for _, k := range m.keys {
		named, ok := keyNames[strings.ToLower(k)]
		n, numberErr := strconv.ParseUint(k, 0, 16)
		switch {
		case ok:
			keys = append(keys, named)
		case len(k) == 1:
			keys = append(keys, sim.Key(k[0]))
		case numberErr == nil:
			keys = append(keys, sim.Key(n))
		default:
			return nil, fmt.Errorf("-key %q: a character, a name such as enter, or a number", k)
		}
	}
	return keys, nil
}

// jsonResult is the output of -format json. It is part of the interface of the program.
type jsonResult struct {
	Status   string            `json:"status"`
	Console  string            `json:"console"`
	Requests []jsonRequest     `json:"requests"`
	Settings map[string]string `json:"settings"`
	Boots    jsonBoot          `json:"boots"`
	Steps    int               `json:"steps"`
	Hang     *string           `json:"hang"`
	Hazards  []string          `json:"hazards,omitempty"`
}

type jsonRequest struct {
	Method  string            `json:"method"`
	URI     string            `json:"uri"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

type jsonBoot struct {
	Kind    string      `json:"kind"`
	Kernel  *jsonImage  `json:"kernel,omitempty"`
	Args    string      `json:"args,omitempty"`
	Initrds []jsonImage `json:"initrds,omitempty"`
	Drive   string      `json:"drive,omitempty"`
	Path    []string    `json:"path,omitempty"`
}

type jsonImage struct {
	Name  string `json:"name"`
	URI   string `json:"uri"`
	Args  string `json:"args,omitempty"`
	Bytes int    `json:"bytes"`
	Type  string `json:"type,omitempty"`
}

func imageJSON(i *sim.Image) jsonImage {
	return jsonImage{i.Name, i.URI, i.Args, len(i.Data), i.Type}
}

func bootJSON(b *sim.Boot) jsonBoot {
	j := jsonBoot{Kind: string(b.Kind), Args: b.Args, Path: b.Path}
	if b.Kernel != nil {
		k := imageJSON(b.Kernel)
		j.Kernel = &k
	}
	for i := range b.Initrds {
		j.Initrds = append(j.Initrds, imageJSON(&b.Initrds[i]))
	}
	if b.Kind == sim.SAN {
		j.Drive = fmt.Sprintf("0x%02x", b.Drive)
	}
	return j
}

// latin1 returns a string in which each byte of b is the character with the same number.
// JSON then keeps all bytes.
func latin1(b []byte) string {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}

func resultJSON(r *sim.Result, dump []string) jsonResult {
	j := jsonResult{
		Status: r.Status.String(), Console: latin1(r.Console), Requests: []jsonRequest{},
		Settings: map[string]string{}, Boots: bootJSON(&r.Boot), Steps: r.Steps,
	}
	for _, q := range r.Requests {
		h := map[string]string{}
		for _, x := range q.Header {
			h[x.Name] = x.Value
		}
		j.Requests = append(j.Requests, jsonRequest{q.Method, q.URI, h, latin1(q.Body)})
	}
	for _, name := range dump {
		data, _ := r.Setting(name)
		j.Settings[name] = hex.EncodeToString(data)
	}
	if h := r.Hang(); h != nil {
		reason := string(h.Kind) + ": " + h.Text
		j.Hang = &reason
	}
	for _, h := range r.Hazards {
		if !h.Fatal {
			j.Hazards = append(j.Hazards, string(h.Kind)+": "+h.Text)
		}
	}
	return j
}

func runRun(ctx context.Context, p *program, args []string) error {
	f := p.flags("run")
	var m machineFlags
	m.add(f)
	var dump list
	f.Var(&dump, "dump", "print the raw bytes of this setting after the run; can be repeated")
	format := f.String("format", "text", "text or json")
	if err := parse(f, args); err != nil {
		return err
	}
	if err := p.oneScript(f, *format); err != nil {
		return err
	}
	src, err := p.read(f.Arg(0))
	if err != nil {
		return err
	}
	machine, err := m.machine()
	if err != nil {
		return err
	}
	world, err := m.world(p)
	if err != nil {
		return err
	}
	keys, err := m.pressed()
	if err != nil {
		return err
	}
	r, err := sim.Run(ctx, machine, ipxe.Parse(f.Arg(0), src), world, sim.Options{Keys: keys})
	if err != nil {
		return err
	}
	if *format == "json" {
		e := json.NewEncoder(p.out)
		e.SetEscapeHTML(false)
		err = e.Encode(resultJSON(r, dump))
	} else {
		p.printResult(r, dump)
	}
	if err == nil && (r.Hang() != nil || r.Status != sim.OK) {
		return errNo
	}
	return err
}

// visible returns the lines of a text without bytes that control a terminal.
func visible(b []byte, indent string) (lines []string) {
	for line := range strings.SplitSeq(strings.TrimSuffix(string(b), "\n"), "\n") {
		lines = append(lines, strings.TrimRight(indent+diag.Sanitize(line), " "))
	}
	return lines
}

func (p *program) printResult(r *sim.Result, dump []string) {
	if len(r.Console) > 0 {
		fmt.Fprintln(p.out, "console:")
		p.print(visible(r.Console, "  "))
	}
	if len(r.Requests) > 0 {
		fmt.Fprintln(p.out, "requests:")
		var lines []string
		for _, q := range r.Requests {
			lines = append(lines, fmt.Sprintf("  %s %s", q.Method, diag.Sanitize(q.URI)))
			if len(q.Body) > 0 {
				lines = append(lines, visible(q.Body, "    ")...)
			}
		}
		p.print(lines)
	}
	for _, name := range dump {
		data, ok := r.Setting(name)
		if !ok {
			fmt.Fprintf(p.out, "setting %s: not set\n", name)
			continue
		}
		fmt.Fprintf(p.out, "setting %s: %s (%s)\n", name, hex.EncodeToString(data), diag.Sanitize(string(data)))
	}
	if r.Boot.Kind == sim.Returned {
		fmt.Fprintf(p.out, "status: %s", r.Status)
		if r.Status != sim.OK {
			if name := r.Status.Name(); name != "" {
				fmt.Fprint(p.out, " ", name)
			}
			fmt.Fprint(p.out, " ", r.Status.Text())
		}
		fmt.Fprintln(p.out)
	}
	fmt.Fprintf(p.out, "ends: %s\n", bootText(&r.Boot))
	for _, h := range r.Hazards {
		what := "hazard"
		if h.Fatal {
			what = "the machine hangs"
		}
		text := h.Text
		if h.Kind == sim.HazardKeyboard {
			text += ": press one with -key, or let the time run out with -key wait"
		}
		place := ""
		if h.Line > 0 {
			place = fmt.Sprintf("%s:%d: ", diag.Sanitize(h.Script), h.Line)
		}
		fmt.Fprintf(p.out, "%s: %s%s [%s]\n", what, place, diag.Sanitize(text), h.Kind)
	}
	fmt.Fprintf(p.out, "steps: %d, time on the clock: %v\n", r.Steps, r.Elapsed)
}

// bootText describes the end of a run in one line.
func bootText(b *sim.Boot) string {
	var s strings.Builder
	switch b.Kind {
	case sim.Returned:
		return "the script returns; the firmware or iPXE's own prompt goes on"
	case sim.Linux, sim.Program:
		fmt.Fprintf(&s, "%s boots: kernel %s", b.Kind, diag.Sanitize(b.Kernel.URI))
		if b.Args != "" {
			fmt.Fprintf(&s, " with %q", diag.Sanitize(b.Args))
		}
		for i := range b.Initrds {
			fmt.Fprintf(&s, ", initrd %s", diag.Sanitize(b.Initrds[i].URI))
		}
	case sim.SAN:
		fmt.Fprintf(&s, "drive 0x%02x boots", b.Drive)
		if len(b.Path) > 0 {
			fmt.Fprintf(&s, " from %s", diag.Sanitize(strings.Join(b.Path, " ")))
		}
	case sim.Hang:
		return "hang"
	default:
		return string(b.Kind)
	}
	return s.String()
}
