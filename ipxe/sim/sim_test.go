package sim_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/ipxe"
	"dougu.internal/ipxe/sim"
)

// linux is what iPXE knows a Linux kernel by.
func linux() []byte {
	k := make([]byte, 1024)
	copy(k[0x202:], "HdrS")
	return k
}

func simulate(t *testing.T, script string, m *sim.Machine, w sim.World, o sim.Options) *sim.Result {
	t.Helper()
	r, err := sim.Run(t.Context(), m, ipxe.Parse("script", []byte(script)), w, o)
	require.NoError(t, err)
	return r
}

func currentWith(names ...string) ipxe.Profile { return ipxe.Newest().With(names...) }

// TestPart2Story boots the machine of the story from the handler, in both profiles.
func TestPart2Story(t *testing.T) {
	machines := &ipxe.Machines{
		Machines: []ipxe.MachineRule{{Name: "express", Product: "*Express*", Boot: ipxe.Boot{Kernel: "vmlinuz", Initrds: []string{"initrd.gz"}}}},
	}
	require.NoError(t, machines.Check())
	mux := http.NewServeMux()
	mux.Handle("/iPXE/boot.ipxe", ipxe.Handler(func(context.Context, ipxe.Facts) ([]byte, error) { return ipxe.BootScript().Bytes() }, ipxe.HandlerConfig{}))
	mux.Handle("/cgi-bin/boot_ipxe.cgi", ipxe.Handler(machines.Generator(), ipxe.HandlerConfig{}))
	mux.HandleFunc("/vmlinuz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(linux()) })
	mux.HandleFunc("/initrd.gz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("initrd")) })
	for _, row := range []struct {
		profile ipxe.Profile
		query   string
	}{
		{ipxe.Debian2019(), "type=Express5800/i120Ra-e1%20[N8100-1482Y]&mac=52%3A54%3A00%3A12%3A34%3A56"},
		{ipxe.Newest(), "type=Express5800%2Fi120Ra-e1%20[N8100-1482Y]&mac=52:54:00:12:34:56"},
	} {
		m := &sim.Machine{
			Profile: row.profile, SMBIOS: map[string]string{"product": "Express5800/i120Ra-e1 [N8100-1482Y]"},
			NICs: []sim.NIC{{DHCP: map[string]string{"ip": "192.168.0.9", "next-server": "192.168.0.1", "filename": "http://192.168.0.1/iPXE/boot.ipxe"}}},
		}
		r := simulate(t, "#!ipxe\nimgfetch ${filename}\nimgstat\nimgfree\nautoboot\n", m, sim.HandlerWorld(mux, "192.168.0.1"), sim.Options{})
		require.Nil(t, r.Hang())
		var targets []string
		for _, q := range r.Requests {
			targets = append(targets, q.Method+" "+q.Target)
		}
		require.Equal(t, []string{"GET /iPXE/boot.ipxe", "GET /iPXE/boot.ipxe", "GET /cgi-bin/boot_ipxe.cgi?" + row.query, "GET /initrd.gz", "GET /vmlinuz"}, targets)
		require.Contains(t, string(r.Console), "boot.ipxe : 102 bytes [script]\n")
		require.Equal(t, sim.Linux, r.Boot.Kind)
		require.Equal(t, "http://192.168.0.1/vmlinuz", r.Boot.Kernel.URI)
		require.Len(t, r.Boot.Initrds, 1, "running scripts are not in the list of images")
		require.Equal(t, "initrd.gz", r.Boot.Initrds[0].Name)
	}
}

// TestPart2CurrentProfile holds the facts that were seen on a build of August 2026, and
// read in its source: recorded rows, as no package brings that build.
func TestPart2CurrentProfile(t *testing.T) {
	m := func() *sim.Machine {
		return &sim.Machine{Profile: ipxe.Newest(), URI: "http://h/x/b.ipxe", SMBIOS: map[string]string{"product": "Express5800/i120Ra-e1 [N8100-1482Y]", "serial": "a&b=c+d%e#f g", "asset": "\u00e9"}}
	}
	for _, row := range []struct{ uri, target, shown string }{
		{"http://h/p%41%2f%26%zz%2?q=%41%2f%26%zz%2", "/p%41%2f%26%zz%2?q=%41%2f%26%zz%2", "http://h/p%41%2f%26%zz%2"},
		{"http://h/b?mac=${mac}", "/b?mac=52:54:00:12:34:56", "http://h/b"},
		{"http://h/b?t=${product:uristring}", "/b?t=Express5800%2Fi120Ra-e1%20[N8100-1482Y]", "http://h/b"},
		{"http://h/b?s=${serial:uristring}", "/b?s=a%26b%3Dc%2Bd%25e%23f%20g", "http://h/b"},
		{"http://h/b?a=${asset:uristring}", "/b?a=%FFFFFFC3%FFFFFFA9", "http://h/b"},
		{"http://h/b?m=${mac:hexhyp}&r=${mac:hexraw}", "/b?m=52-54-00-12-34-56&r=525400123456", "http://h/b"},
		{"http://h/b#frag", "/b", "http://h/b"},
		{"c", "/x/c", "c"},
		{"../d", "/d", "../d"},
		{"/e", "/e", "/e"},
		{"?q=1", "/x/b.ipxe?q=1", ""},
		{"52:54", "/x/52:54", "52:54"},
	} {
		r := simulate(t, "#!ipxe\nimgfetch "+row.uri+" ||\n", m(), nil, sim.Options{})
		require.Len(t, r.Requests, 1, row.uri)
		require.Equal(t, row.target, r.Requests[0].Target)
		require.True(t, strings.HasPrefix(string(r.Console), row.shown+"... "), "%s", r.Console)
	}
	for _, row := range []struct{ script, console string }{
		{"set u:uuid 11223344-5566-7788-99aa-bbccddeeff00\necho ${u:hexraw} ${u:guid}", "112233445566778899aabbccddeeff00 44332211-6655-8877-99aa-bbccddeeff00\n"},
		{"set u:guid 11223344-5566-7788-99aa-bbccddeeff00\necho ${u:hexraw}", "443322116655887799aabbccddeeff00\n"},
		{"set i:ipv6 ::1 || echo no", "Could not store \"i\": Operation not supported (http://ipxe.org/3c0c2003)\nno\n"},
		{"inc n ${} || echo no", "\"\": invalid integer value\nno\n"},
		{"show -q platform", "pcbios\n"},
		{"echo ${cwuri} ${cwduri}", "http://h/x/b.ipxe http://h/x/\n"},
		{"imgfetch -q f ||", ""},
		{"item x ||", "No default user interface\n"},
		{"params ||", "params: command not found\n"},
		{"set x a+b\necho ${x:uristring}", "a%2Bb\n"},
	} {
		r := simulate(t, "#!ipxe\n"+row.script+"\n", m(), nil, sim.Options{})
		require.Equal(t, row.console, string(r.Console), row.script)
	}
}

func TestPart2ParamsArePosted(t *testing.T) {
	m := &sim.Machine{Profile: currentWith("params", "param")}
	r := simulate(t, `#!ipxe
params
param mac ${mac}
param t a b&c
chain http://h/x##params ||
chain http://h/y##params ||
params --name q
param --params q k v
param --params q --header X-Token secret
imgfetch http://h/z?a=1##params=q ||
params --method put
param a
imgfetch http://h/p##params ||
param k v || echo none
param --params no k v || echo none
params --delete
`, m, nil, sim.Options{})
	require.Equal(t, sim.OK, r.Status, "%s", r.Console)
	type row struct{ method, target, body string }
	var got []row
	for _, q := range r.Requests {
		got = append(got, row{q.Method, q.Target, string(q.Body)})
	}
	require.Equal(t, []row{
		{"POST", "/x", "mac=52%3A54%3A00%3A12%3A34%3A56&t=a%20b%26c"}, {"GET", "/y", ""}, {"POST", "/z?a=1", "k=v"}, {"PUT", "/p", "a="},
	}, got)
	require.Contains(t, r.Requests[2].Header, sim.Header{Name: "X-Token", Value: "secret"})
	require.Contains(t, string(r.Console), "No default parameter list\nnone\n\"no\": no such parameter list\nnone\n")
}

// worldOfNames is a World with a name server and a clock.
type worldOfNames struct{ sim.MapWorld }

func (worldOfNames) LookupHost(_ context.Context, name string) (netip.Addr, error) {
	if name == "www.example" {
		return netip.MustParseAddr("192.0.2.7"), nil
	}
	return netip.Addr{}, sim.ErrNoHost
}

func (worldOfNames) Time(_ context.Context, server string) (time.Time, error) {
	if server != "ntp" {
		return time.Time{}, sim.ErrTimeout
	}
	return time.Unix(1_800_000_000, 0), nil
}

func TestPart2NamesAndTime(t *testing.T) {
	m := &sim.Machine{Profile: currentWith("all")}
	r := simulate(t, `#!ipxe
nslookup addr www.example && echo ${addr}
nslookup addr nosuch ||
ntp ntp && echo ${unixtime}
sleep 10
echo ${unixtime}
ntp other ||
time sleep 2
`, m, worldOfNames{}, sim.Options{})
	require.Equal(t, "192.0.2.7\nCould not resolve nosuch: Error 0x3e11613b (http://ipxe.org/3e11613b)\n0x6b49d200\n0x6b49d20a\n"+
		"Could not get time and date: Connection timed out (http://ipxe.org/4c072035)\ntime: 2.0s\n", string(r.Console))
	require.Equal(t, 12*time.Second, r.Elapsed)
}

func TestPart2MenusWithKeys(t *testing.T) {
	const script = "#!ipxe\nmenu T\nitem a A\nitem --gap -- gap\nitem --key 0x02 b B\nitem --key x c C\nchoose --default b sel && echo [${sel}] || echo ${errno}\n"
	for name, row := range map[string]struct {
		keys []sim.Key
		want string
	}{
		"enter": {[]sim.Key{'\n'}, "[b]"}, "return": {[]sim.Key{'\r'}, "[b]"}, "down": {[]sim.Key{sim.KeyDown, '\n'}, "[c]"},
		"up over the gap": {[]sim.Key{sim.KeyUp, '\n'}, "[a]"}, "past the end": {[]sim.Key{sim.KeyDown, sim.KeyDown, sim.KeyDown, '\n'}, "[c]"},
		"home": {[]sim.Key{sim.KeyHome, '\n'}, "[a]"}, "end": {[]sim.Key{sim.KeyEnd, '\n'}, "[c]"}, "page up": {[]sim.Key{sim.KeyPageUp, '\n'}, "[a]"},
		"page down": {[]sim.Key{sim.KeyPageDown, '\n'}, "[c]"},
		"shortcut":  {[]sim.Key{'x'}, "[c]"}, "ctrl-b": {[]sim.Key{2}, "[b]"}, "other keys": {[]sim.Key{'z', 'q', '\n'}, "[b]"},
		"escape": {[]sim.Key{sim.KeyEscape}, "0xb2ce0a0"}, "ctrl-c": {[]sim.Key{sim.KeyCtrlC}, "0xb2ce0a0"},
	} {
		for _, p := range []ipxe.Profile{ipxe.Debian2019(), ipxe.Newest()} {
			r := simulate(t, script, &sim.Machine{Profile: p}, nil, sim.Options{Keys: row.keys})
			require.Contains(t, string(r.Console), "\n"+row.want+"\n", name)
		}
	}
	r := simulate(t, script, nil, nil, sim.Options{})
	require.Equal(t, sim.HazardKeyboard, r.Hang().Kind)

	r = simulate(t, "#!ipxe\nset a old\nread a\necho [${a}]\nprompt --key x --timeout 50 hit || echo ${errno}\nprompt -k x p || echo ${errno}\n", nil, nil,
		sim.Options{Keys: []sim.Key{'X', sim.KeyHome, '<', sim.KeyRight, sim.KeyBackspace, sim.KeyDelete, 4, sim.KeyEnd, '!', '\n', sim.Wait, 'y'}})
	require.Contains(t, string(r.Console), "[<X!]\n")
	require.Contains(t, string(r.Console), "0x4c22e035\n")
	require.Contains(t, string(r.Console), "0xb22e0a0\n")

	form := &sim.Machine{Profile: ipxe.Newest()}
	r = simulate(t, "#!ipxe\nform Login\nitem user User\nitem --secret pw Password\npresent\necho ${user}/${pw}\n", form, nil, sim.Options{Keys: []sim.Key{'m', 'e', '\n', 's', '\n'}})
	require.Contains(t, string(r.Console), "me/s\n")
}

func TestPart2WhatBoots(t *testing.T) {
	w := sim.MapWorld{"http://h/k": linux(), "http://h/i": []byte("I"), "http://h/n": append([]byte{0xfa}, make([]byte, 600)...), "http://h/html": []byte("<html>no</html>"), "http://h/e": nil}
	for _, row := range []struct {
		script string
		want   sim.Boot
		hang   sim.HazardKind
	}{
		{script: "kernel http://h/k a  b\ninitrd http://h/i\nboot", want: sim.Boot{Kind: sim.Linux, Args: "a b"}},
		{script: "chain http://h/n", want: sim.Boot{Kind: sim.Program}},
		{script: "chain http://h/html", want: sim.Boot{Kind: sim.Hang}, hang: sim.HazardNotScript},
		{script: "sanboot iscsi:10.0.0.1::::iqn", want: sim.Boot{Kind: sim.SAN, Drive: 0x80, Path: []string{"iscsi:10.0.0.1::::iqn"}}},
		{script: "sanboot --drive 0x81 ||\nreboot --warm", want: sim.Boot{Kind: sim.Reboot, Warm: true}},
		{script: "shell", want: sim.Boot{Kind: sim.Shell}},
		{script: "exit 5", want: sim.Boot{Kind: sim.Returned}},
		{script: "boot", want: sim.Boot{Kind: sim.Returned}},
		{script: "kernel http://h/e", want: sim.Boot{Kind: sim.Returned}},
	} {
		r := simulate(t, "#!ipxe\n"+row.script+"\n", nil, w, sim.Options{})
		require.Equal(t, row.want.Kind, r.Boot.Kind, row.script)
		require.Equal(t, row.want.Args, r.Boot.Args)
		require.Equal(t, row.want.Path, r.Boot.Path)
		require.Equal(t, row.want.Drive, r.Boot.Drive)
		require.Equal(t, row.want.Warm, r.Boot.Warm)
		if row.hang != "" {
			require.Equal(t, row.hang, r.Hang().Kind)
		} else {
			require.Nil(t, r.Hang())
		}
	}
	disk := simulate(t, "#!ipxe\nsanboot --no-describe --drive 0x80\n", &sim.Machine{Profile: ipxe.Debian2019(), Disk: true}, nil, sim.Options{})
	require.Equal(t, sim.SAN, disk.Boot.Kind)
	off := simulate(t, "#!ipxe\npoweroff\n", &sim.Machine{Profile: ipxe.Newest()}, nil, sim.Options{})
	require.Equal(t, sim.PowerOff, off.Boot.Kind)
}

func TestPart2MachineFacts(t *testing.T) {
	m := &sim.Machine{
		Profile:  ipxe.Debian2019(),
		NICs:     []sim.NIC{{MAC: [6]byte{2, 0, 0, 0, 0, 1}, NoLink: true, Closed: true}, {MAC: [6]byte{2, 0, 0, 0, 0, 2}, Closed: true, DHCP: map[string]string{}}, {Closed: true}},
		Settings: []sim.Assignment{{"net0/foo", "bar"}, {"n:int32", "7"}, {"smbios/serial", "S1"}},
		CPU:      []string{"29", "--ext 29"}, Start: time.Unix(1000, 0),
	}
	r := simulate(t, `#!ipxe
show foo
show n
show serial
cpuid 29 && cpuid --ext 29 && echo 64
cpuid 5 || echo ${errno}
ifstat net0
dhcp || echo no
dhcp net2
show ip
route
echo ${unixtime} ${net1/mac} ${netX/mac}
ifclose
isset ${netX/ip} || echo closed
`, m, nil, sim.Options{})
	require.Equal(t, sim.OK, r.Status)
	for _, want := range []string{
		"net0/foo:string = bar\n", "n:int32 = 7\n", "smbios/serial:string = S1\n", "64\n", "0x2d4bf03b\n", "net0: 02:00:00:00:00:01 using 82540em on 0000:00:03.0 (closed)\n",
		"Waiting for link-up on net0... ", "Configuring (net1 02:00:00:00:00:02)... Connection timed out", "net2.dhcp/ip:ipv4 = 10.0.2.15\n",
		"net2: 10.0.2.15/255.255.255.0 gw 10.0.2.2\n", "0x3e8 02:00:00:00:00:02 52:54:00:12:34:58\n", "closed\n",
	} {
		require.Contains(t, string(r.Console), want)
	}
	for _, bad := range []*sim.Machine{
		{SMBIOS: map[string]string{"uuid": "x"}}, {SMBIOS: map[string]string{"colour": "x"}}, {NICs: []sim.NIC{{DHCP: map[string]string{"ip": "x"}}}},
		{NICs: []sim.NIC{{DHCP: map[string]string{"nonsense": "x"}}}}, {Settings: []sim.Assignment{{"a:nosuch", "x"}}}, {URI: "relative"},
	} {
		_, err := sim.Run(t.Context(), bad, ipxe.Parse("x", []byte("#!ipxe\n")), nil, sim.Options{})
		require.ErrorContains(t, err, "sim: ")
	}
}

// TestBadInputHazards: what hangs a machine, or never ends, is reported and bounded.
func TestBadInputHazards(t *testing.T) {
	redirect := worldFunc(func(r *sim.Request) (*sim.Response, error) {
		return &sim.Response{Status: 302, Header: http.Header{"Location": {"/again"}}}, nil
	})
	self := worldFunc(func(r *sim.Request) (*sim.Response, error) {
		return &sim.Response{Body: []byte("#!ipxe\nchain http://h/self\n")}, nil
	})
	product := func(s string) *sim.Machine {
		return &sim.Machine{Profile: ipxe.Debian2019(), SMBIOS: map[string]string{"product": s}}
	}
	for name, row := range map[string]struct {
		script string
		m      *sim.Machine
		w      sim.World
		want   sim.HazardKind
	}{
		"self-referring":    {"echo ${product}", product("${product}"), nil, sim.HazardExpansion},
		"two of each other": {"set a:hexraw 247b627d\nset b:hexraw 247b613a737472696e677d\necho ${a:string} ${b:string}", nil, nil, ""},
		"growing":           {"echo ${product}", product("x${product}x"), nil, sim.HazardExpansion},
		"goto":              {":l\ngoto l", nil, nil, sim.HazardLoop},
		"goto with work":    {":l\nset x 1\necho x\ngoto l", nil, nil, sim.HazardLoop},
		"counter as text":   {"set i 0\n:l\ninc i ||\niseq ${i} 3 || goto l", nil, nil, sim.HazardLoop},
		"counting for ever": {":l\ninc i\ngoto l", nil, nil, sim.HazardLoop},
		"asking for ever":   {":l\nimgfetch http://h/x ||\ngoto l", nil, nil, sim.HazardLoop},
		"chain to itself":   {"chain http://h/self", nil, self, sim.HazardDepth},
		"redirects":         {"imgfetch http://h/x", nil, redirect, sim.HazardRedirect},
		"400 words":         {"set x" + strings.Repeat(" w", 420) + " ||", nil, nil, sim.HazardWords},
		"no script":         {"chain http://h/text", nil, sim.MapWorld{"http://h/text": []byte("hello\n")}, sim.HazardNotScript},
		"waits":             {"prompt", nil, nil, sim.HazardKeyboard},
		"settings":          {":l\ninc i\nset v${i} x\ngoto l", nil, nil, sim.HazardLoop},
		"blocks":            {":l\ninc i\nset b${i}.c/v x\ngoto l", nil, nil, sim.HazardLoop},
		"doubling":          {"set a xxxxxxxxxxxxxxxx\n:l\nset a ${a}${a}\ngoto l", nil, nil, ""},
		"console":           {"set a " + strings.Repeat("x", 20_000) + "\n:l\necho ${a}\ninc i\ngoto l", nil, nil, sim.HazardResources},
	} {
		r := simulate(t, "#!ipxe\n"+row.script+"\n", row.m, row.w, sim.Options{MaxSteps: 30_000, MaxBytes: 32 << 20})
		if row.want == "" {
			continue // ends by itself: with an error, as the machine does
		}
		require.NotNil(t, r.Hang(), "%s: %+v %.300s", name, r.Boot, r.Console)
		require.Equal(t, row.want, r.Hang().Kind, name)
		require.Equal(t, sim.Hang, r.Boot.Kind)
		require.LessOrEqual(t, r.Steps, 30_001)
	}
	long := simulate(t, "#!ipxe\nset x "+strings.Repeat("y", 40_000)+"\n", nil, nil, sim.Options{})
	require.Equal(t, sim.HazardToken, long.Hazards[0].Kind)
	require.Nil(t, long.Hang())
}

type worldFunc func(*sim.Request) (*sim.Response, error)

func (f worldFunc) Fetch(_ context.Context, r *sim.Request) (*sim.Response, error) { return f(r) }

func TestBadInputWorlds(t *testing.T) {
	for err, want := range map[error]sim.Status{sim.ErrNoHost: 0x3e11613b, sim.ErrReset: 0x0f0a6039, sim.ErrTimeout: 0x4c0a6035} {
		w := worldFunc(func(*sim.Request) (*sim.Response, error) { return nil, fmt.Errorf("x: %w", err) })
		require.Equal(t, want, simulate(t, "#!ipxe\nimgfetch http://h/x\n", nil, w, sim.Options{}).Status)
	}
	broken := worldFunc(func(*sim.Request) (*sim.Response, error) { return nil, errors.New("on fire") })
	_, err := sim.Run(t.Context(), nil, ipxe.Parse("x", []byte("#!ipxe\nimgfetch http://h/x ||\n")), broken, sim.Options{})
	require.ErrorContains(t, err, "on fire")

	slow := worldFunc(func(*sim.Request) (*sim.Response, error) { return &sim.Response{Took: time.Minute}, nil })
	r := simulate(t, "#!ipxe\nimgfetch --timeout 5000 http://h/x ||\nimgfetch http://h/x\n", nil, slow, sim.Options{})
	require.Equal(t, 65*time.Second, r.Elapsed)
	require.Contains(t, string(r.Console), "Connection timed out")

	huge := worldFunc(func(*sim.Request) (*sim.Response, error) { return &sim.Response{Body: make([]byte, 64<<20)}, nil })
	r = simulate(t, "#!ipxe\n:l\nimgfetch http://h/x\ngoto l\n", nil, huge, sim.Options{})
	require.Equal(t, sim.HazardResources, r.Hang().Kind)

	ctx, cancel := context.WithCancel(t.Context())
	cancelling := worldFunc(func(*sim.Request) (*sim.Response, error) { cancel(); return nil, context.Canceled })
	_, err = sim.Run(ctx, nil, ipxe.Parse("x", []byte("#!ipxe\n:l\nimgfetch http://h/x ||\ngoto l\n")), cancelling, sim.Options{})
	require.ErrorIs(t, err, context.Canceled)
	_, err = sim.Run(ctx, nil, ipxe.Parse("x", []byte("#!ipxe\n:l\ninc i\ngoto l\n")), nil, sim.Options{MaxSteps: 1 << 30})
	require.ErrorIs(t, err, context.Canceled)

	refused := sim.HandlerWorld(http.NotFoundHandler(), "h")
	require.Equal(t, sim.Status(0x1d0c6439), simulate(t, "#!ipxe\nimgfetch http://h/a%zz\n", &sim.Machine{Profile: ipxe.Newest()}, refused, sim.Options{}).Status, "net/http answers 400 itself")
	require.Equal(t, sim.Status(0x3e11613b), simulate(t, "#!ipxe\nimgfetch http://other/\n", nil, refused, sim.Options{}).Status)
}

func TestBadInputBigScripts(t *testing.T) {
	var b strings.Builder
	b.WriteString("#!ipxe\ngoto l299999\n")
	for i := range 300_000 {
		fmt.Fprintf(&b, ":l%d\n", i)
	}
	b.WriteString("exit 3\n")
	require.Equal(t, sim.Status(3), simulate(t, b.String(), nil, nil, sim.Options{}).Status)
	r := simulate(t, "#!ipxe\nset x ${"+strings.Repeat("${", 1<<17)+strings.Repeat("}", 1000)+"\n", nil, nil, sim.Options{})
	require.Equal(t, sim.OK, r.Status)
	r = simulate(t, "#!ipxe\nset x ${"+strings.Repeat("${", 1<<20)+strings.Repeat("}", 1000)+"\n", nil, nil, sim.Options{})
	require.Equal(t, "ENOMEM", r.Status.Name(), "more than a BIOS build has memory for")
}

func TestConcurrentRunsShareOneScript(t *testing.T) {
	s := ipxe.Parse("x", []byte("#!ipxe\nset i:int32 0\n:l\ninc i\niseq ${i} 50 || goto l\nimgfetch http://h/${i} ||\n"))
	m := &sim.Machine{Profile: ipxe.Debian2019(), SMBIOS: map[string]string{"product": "p"}}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			r, err := sim.Run(context.Background(), m, s, sim.MapWorld{}, sim.Options{})
			if err != nil || r.Status != sim.OK || r.Requests[0].Target != "/50" {
				t.Errorf("%v %+v", err, r)
			}
		})
	}
	wg.Wait()
}

func TestPart7Exploration(t *testing.T) {
	const script = `#!ipxe
menu Systems
item linux Linux
item disk Disk
iseq ${product} X200 && item x200 For the X200 ||
item linux Linux again
choose --timeout 5000 sel || goto cancelled
goto ${sel}
:linux
kernel http://h/vmlinuz console=${console}
boot
:disk
prompt --timeout 1000 --key y Sure? || goto menu
exit
:x200
chain http://h/none
:menu
echo back
exit
:cancelled
exit 1
:never
echo never
`
	w := sim.MapWorld{"http://h/vmlinuz": linux()}
	machines := []sim.NamedMachine{
		{"x200", &sim.Machine{Profile: ipxe.Debian2019(), SMBIOS: map[string]string{"product": "X200"}, Settings: []sim.Assignment{{"console", "ttyS1"}}}},
		{"old", &sim.Machine{Profile: ipxe.Debian2019(), Settings: []sim.Assignment{{"console", "ttyS0"}}}},
	}
	x, err := sim.Explore(t.Context(), ipxe.Parse("menu", []byte(script)), machines, w, sim.ExploreOptions{})
	require.NoError(t, err)
	var rows []string
	for _, o := range x.Outcomes {
		rows = append(rows, fmt.Sprintf("%s | %s | %s %s %s", o.Machine, strings.Join(o.Choices, ", "), o.Boot.Kind, o.Boot.Args, o.Status))
	}
	require.Equal(t, []string{
		"x200 | Systems: linux | linux console=ttyS1 0x0",
		"x200 | Systems: disk, Sure?: key | return  0x0",
		"x200 | Systems: disk, Sure?: timeout | return  0x0",
		"x200 | Systems: x200 | return  0x2d0c613b",
		"x200 | Systems: linux (again) | linux console=ttyS1 0x0",
		"old | Systems: linux | linux console=ttyS0 0x0",
		"old | Systems: disk, Sure?: key | return  0x0",
		"old | Systems: disk, Sure?: timeout | return  0x0",
		"old | Systems: linux (again) | linux console=ttyS0 0x0",
	}, rows)
	require.Equal(t, []string{"cancelled", "never"}, x.UnreachedLabels)
	require.Empty(t, x.UnreachedItems)
	x, err = sim.Explore(t.Context(), ipxe.Parse("menu", []byte(script)), machines, w, sim.ExploreOptions{Cancel: true, MaxOutcomes: 3})
	require.NoError(t, err)
	require.True(t, x.Truncated)
	require.Len(t, x.Outcomes, 3)
}

func TestTraceTellsEachStep(t *testing.T) {
	var lines []string
	simulate(t, "#!ipxe\nset a b\nchain http://h/s || echo ${a}\n", nil, sim.MapWorld{"http://h/s": []byte("#!ipxe\nexit 1")}, sim.Options{
		Trace: func(e sim.Event) { lines = append(lines, fmt.Sprint(e.Depth, e.Line, e.Words)) },
	})
	require.Equal(t, []string{"0 1 [set a b]", "0 2 [chain http://h/s]", "1 1 [exit 1]", "0 2 [echo b]"}, lines)
}

func FuzzRun(f *testing.F) {
	f.Add("set a ${b}\n:l\ninc i\niseq ${i} 3 || goto l\nchain http://h/s ||\nmenu x\nitem a\nchoose c", "#!ipxe\nexit ${a}", true)
	f.Add("imgfetch --name x http://h/s a b\nimgstat\nimgexec x\nset q:hexraw 247b717d\necho ${q:string}", "#!ipxe\nset x:ipv6 ::1\nshow x:uristring", false)
	f.Fuzz(func(t *testing.T, script, chained string, old bool) {
		p := ipxe.Debian2019()
		if !old {
			p = currentAllProfile
		}
		w := sim.MapWorld{"http://h/s": []byte(chained)}
		o := sim.Options{MaxSteps: 3000, MaxBytes: 1 << 20, Keys: []sim.Key{'a', sim.KeyDown, '\n', sim.KeyEscape}}
		r, err := sim.Run(t.Context(), &sim.Machine{Profile: p, URI: "http://h/b/s"}, ipxe.Parse("f", []byte("#!ipxe\n"+script)), w, o)
		if err != nil {
			t.Fatal(err)
		}
		if r.Steps > 3001 {
			t.Fatalf("%d steps", r.Steps)
		}
		again, err := sim.Run(t.Context(), &sim.Machine{Profile: p, URI: "http://h/b/s"}, ipxe.Parse("f", []byte("#!ipxe\n"+script)), w, o)
		if err != nil || again.Status != r.Status || string(again.Console) != string(r.Console) {
			t.Fatal("two runs differ")
		}
	})
}

var currentAllProfile = ipxe.Newest().With("all")

// TestAutobootConfiguresTheCardThatItNames and no other.
func TestAutobootConfiguresTheCardThatItNames(t *testing.T) {
	m := func() *sim.Machine {
		return &sim.Machine{Profile: ipxe.Debian2019(), NICs: []sim.NIC{{Closed: true}, {Closed: true, DHCP: map[string]string{"ip": "192.168.7.9"}}}}
	}
	r := simulate(t, "#!ipxe\nautoboot net1 ||\nisset ${net0/ip} && echo net0 has an address ||\necho [${net1/ip}]\n", m(), sim.MapWorld{}, sim.Options{})
	require.Contains(t, string(r.Console), "[192.168.7.9]")
	require.NotContains(t, string(r.Console), "(net0 ")
	require.NotContains(t, string(r.Console), "net0 has an address")
}
