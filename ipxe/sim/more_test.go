package sim_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/ipxe"
	"dougu.internal/ipxe/sim"
)

// lossyWorld answers every second ping.
type lossyWorld struct {
	sim.MapWorld
	n int
}

func (w *lossyWorld) Ping(_ context.Context, host string, size int) (netip.Addr, error) {
	if host == "nosuch" {
		return netip.Addr{}, sim.ErrNoHost
	}
	if w.n++; w.n%2 == 0 {
		return netip.Addr{}, sim.ErrTimeout
	}
	return netip.MustParseAddr("192.0.2.1"), nil
}

// TestPart2Ping holds what iPXE's source says of ping; no packaged build has it.
func TestPart2Ping(t *testing.T) {
	m := &sim.Machine{Profile: currentWith("ping")}
	for name, row := range map[string]struct {
		script, console string
		keys            []sim.Key
		elapsed         time.Duration
		hang            sim.HazardKind
	}{
		"answered":  {script: "ping --count 1 h && echo yes", console: "64 bytes from 192.0.2.1: seq=1\nyes\n"},
		"one lost":  {script: "ping -c 2 -s 8 -t 200 h && echo yes", console: "8 bytes from 192.0.2.1: seq=1\n0 bytes from <none>: seq=2: Connection timed out (http://ipxe.org/4c1b2035)\nyes\n", elapsed: 400 * time.Millisecond},
		"quiet":     {script: "ping -c 3 -q h && echo yes", console: "yes\n", elapsed: 2 * time.Second},
		"no host":   {script: "ping -c 2 nosuch || echo ${errno}", console: "Finished: Error 0x3e11613b (http://ipxe.org/3e11613b)\n0x3e11613b\n"},
		"no time":   {script: "ping -t 0 -c 1 h || echo no", console: "Could not start ping: Invalid argument (http://ipxe.org/1c1b2002)\nno\n"},
		"ctrl-c":    {script: "ping h || echo ${errno}", keys: []sim.Key{sim.KeyCtrlC}, console: "64 bytes from 192.0.2.1: seq=1\nFinished: Operation canceled (http://ipxe.org/0b0720a0)\n0xb0720a0\n", elapsed: time.Second},
		"for ever":  {script: "ping h", console: "64 bytes from 192.0.2.1: seq=1\n", elapsed: time.Second, hang: sim.HazardKeyboard},
		"bad count": {script: "ping -c x h || echo no", console: "\"x\": invalid integer value\nno\n"},
	} {
		r := simulate(t, "#!ipxe\n"+row.script+"\n", m, &lossyWorld{}, sim.Options{Keys: row.keys})
		require.Equal(t, row.console, string(r.Console), name)
		require.Equal(t, row.elapsed, r.Elapsed, name)
		if row.hang == "" {
			require.Nil(t, r.Hang(), name)
		} else {
			require.Equal(t, row.hang, r.Hang().Kind, name)
		}
	}
	r := simulate(t, "#!ipxe\nping -c 2 -t 100 h\n", m, nil, sim.Options{})
	require.Equal(t, "0 bytes from <none>: seq=1: Connection timed out (http://ipxe.org/4c1b2035)\n0 bytes from <none>: seq=2: Connection timed out (http://ipxe.org/4c1b2035)\n"+
		"Finished: Connection timed out (http://ipxe.org/4c1b2035)\n", string(r.Console))
	require.Equal(t, "0x4c1b2035", r.Status.String())
}

// TestPart2VLANs: a card that vcreate makes has the trunk's address, is open when the
// trunk is, and asks the DHCP server of its VLAN.
func TestPart2VLANs(t *testing.T) {
	m := &sim.Machine{Profile: currentWith("vcreate", "vdestroy"), NICs: []sim.NIC{{VLANs: map[int]map[string]string{5: {"ip": "10.5.0.9", "netmask": "255.255.0.0", "gateway": "10.5.0.1"}}}}}
	r := simulate(t, `#!ipxe
vcreate --tag 5 net0
echo ${net0-5/mac} ${netX/ifname}
dhcp net0-5 && echo ${net0-5/ip}
vcreate --tag 5 --priority 3 net0 && echo again
vcreate --tag 6 net0
dhcp net0-6 || echo nobody
vcreate --tag 7 net0-5 || echo ${errno}
vcreate --tag 4095 net0 || echo ${errno}
vcreate --tag 1 --priority 8 net0 ||
vcreate --tag 1 net9 ||
ifopen
route
ifstat net0-5
vdestroy net0-6
ifstat net0-6 ||
vdestroy net0 || echo ${errno}
vdestroy net0-5
isset ${net0-5/mac} || echo gone
`, m, nil, sim.Options{})
	require.Equal(t, sim.OK, r.Status, "%s", r.Console)
	require.Equal(t, `52:54:00:12:34:56 net0-5
Configuring (net0-5 52:54:00:12:34:56)... ok
10.5.0.9
again
Configuring (net0-6 52:54:00:12:34:56)... Connection timed out (http://ipxe.org/4c072035)
nobody
Could not create VLAN device: Error 0x3d306001 (http://ipxe.org/3d306001)
0x3d306001
Could not create VLAN device: Invalid argument (http://ipxe.org/1c306002)
0x1c306002
Could not create VLAN device: Invalid argument (http://ipxe.org/1c306002)
"net9": no such network device
net0: 10.0.2.15/255.255.255.0 gw 10.0.2.2
net0-5: 10.5.0.9/255.255.0.0 gw 10.5.0.1
net0-5: 52:54:00:12:34:56 using 82540em on 0000:00:03.0 (Ethernet) [open]
  [Link:up, TX:0 TXE:0 RX:0 RXE:0]
"net0-6": no such network device
Could not destroy VLAN device: Error 0x3d306001 (http://ipxe.org/3d306001)
0x3d306001
gone
`, string(r.Console))
}

// TestPart2ArchivesAndDigests: builds that know gzip unpack images, and start what they
// hold; others know the command and refuse the image.
func TestPart2ArchivesAndDigests(t *testing.T) {
	pack := func(data []byte) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Name, w.Comment, w.Extra = "n", "c", []byte("ab")
		_, _ = w.Write(data)
		require.NoError(t, w.Close())
		return b.Bytes()
	}
	whole := pack([]byte("#!ipxe\necho from the archive\nimgstat\n"))
	w := sim.MapWorld{
		"http://h/s.ipxe.gz": whole, "http://h/k.gz": pack(linux()), "http://h/cut.gz": append(whole[:len(whole)/2:len(whole)/2], make([]byte, 8)...),
		"http://h/bad.gz": append([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0}, bytes.Repeat([]byte{0xff}, 40)...), "http://h/text": []byte("abc"),
	}
	all, err := ipxe.ParseProfile("2021-all")
	require.NoError(t, err)
	m := &sim.Machine{Profile: all}
	r := simulate(t, `#!ipxe
imgextract --keep http://h/s.ipxe.gz
imgstat
chain s.ipxe
chain s.ipxe.gz
imgextract --name new s.ipxe.gz
imgextract http://h/text || echo ${errno}
imgextract http://h/cut.gz || echo ${errno}
imgextract http://h/bad.gz || echo ${errno}
imgfree
sha256sum http://h/text
md5sum text
sha1sum --set d text && echo ${d}
sha512sum --set ip text || echo set
imgfree
kernel http://h/k.gz a b
boot
`, m, w, sim.Options{})
	require.Equal(t, sim.Linux, r.Boot.Kind, "%s", r.Console)
	require.Equal(t, "k", r.Boot.Kernel.Name)
	require.Equal(t, "a b", r.Boot.Args)
	require.Equal(t, `http://h/s.ipxe.gz... ok
s.ipxe.gz : 69 bytes [gzip]
s.ipxe : 37 bytes [script]
from the archive
s.ipxe.gz : 69 bytes [gzip]
from the archive
s.ipxe.gz : 69 bytes [gzip]
s.ipxe : 37 bytes [script]
http://h/text... ok
Could not extract image: Operation not supported (http://ipxe.org/3c0a8003)
0x3c0a8003
http://h/cut.gz... ok
Could not extract image: Invalid argument (http://ipxe.org/1c0b8002)
0x1c0b8002
http://h/bad.gz... ok
Could not extract image: Invalid argument (http://ipxe.org/1c41e002)
0x1c41e002
http://h/text... ok
ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  text
900150983cd24fb0d6963f7d28e17f72  text
a9993e364706816aba3e25717850c26c9cd0d89d
http://h/k.gz... ok
`, string(r.Console))

	plain := simulate(t, "#!ipxe\nimgextract http://h/k.gz || echo ${errno}\n", &sim.Machine{Profile: ipxe.Newest()}, w, sim.Options{})
	require.Contains(t, string(plain.Console), "Could not extract image: Operation not supported")

	bomb := pack(make([]byte, 1<<20))
	r = simulate(t, "#!ipxe\nimgextract http://h/z.gz\n", m, sim.MapWorld{"http://h/z.gz": bomb}, sim.Options{MaxBytes: 1 << 18})
	require.Equal(t, sim.HazardResources, r.Hang().Kind, "an archive that grows beyond the bound")
}

// TestPart2SimulatorsKeepNothingButMemory: a Simulator gives what Run gives, whatever ran
// before in it.
func TestPart2SimulatorsKeepNothingButMemory(t *testing.T) {
	var s sim.Simulator
	w := sim.MapWorld{"http://h/k": linux(), "http://h/s": []byte("#!ipxe\nset from s\n"), "http://h/t": []byte("text")}
	scripts := []string{
		"set a 1\nset b.c/d 2\nset priority 5\necho ${a} ${b.c/d}", "show a || show net0/mac", "echo ${product} ${product:hexraw} ${b.c/d}", "chain http://h/s\necho ${from}\nchain http://h/t",
		"kernel http://h/k x y\nboot", "imgstat\nset net0/ip 1.2.3.4\nroute", ":l\ngoto l", "menu m\nitem a\nchoose --timeout 5 x && echo ${x}", "echo ${v${a}} ${${x}} $$ ${net0.dhcp/ip} ${net0/ip}", "inc i\ninc i:uint8 300\nshow i",
	}
	var parsed []*ipxe.Script
	for _, text := range scripts {
		parsed = append(parsed, ipxe.Parse("s", []byte("#!ipxe\n"+text+" ||\n")))
	}
	machines := []*sim.Machine{
		{Profile: ipxe.Debian2019()}, {Profile: ipxe.Newest(), SMBIOS: map[string]string{"product": "${mac}"}}, {SMBIOS: map[string]string{"product": "P 1"}, NICs: []sim.NIC{{Closed: true}, {}}},
	}
	for range 3 {
		for i, p := range parsed {
			for k, m := range machines {
				want, err := sim.Run(t.Context(), m, p, w, sim.Options{MaxSteps: 500})
				require.NoError(t, err)
				got, err := s.Run(t.Context(), m, p, w, sim.Options{MaxSteps: 500})
				require.NoError(t, err)
				require.Equal(t, string(want.Console), string(got.Console), "script %d, machine %d", i, k)
				require.Equal(t, want.Status, got.Status)
				require.Equal(t, want.Steps, got.Steps)
				require.Equal(t, want.Boot, got.Boot)
				require.Equal(t, want.Hang(), got.Hang())
				require.Equal(t, append([]sim.Request{}, want.Requests...), append([]sim.Request{}, got.Requests...))
				for _, name := range []string{"a", "b.c/d", "net0/ip", "i", "from", "product"} {
					x, okX := want.Setting(name)
					y, okY := got.Setting(name)
					require.Equal(t, okX, okY)
					require.Equal(t, x, y)
				}
			}
		}
	}
	small := ipxe.Parse("s", []byte("#!ipxe\nset i:int32 0\n:l inc i\niseq ${i} 9 || goto l\necho ${i} ${net0/mac}\n"))
	m := &sim.Machine{Profile: ipxe.Debian2019()}
	allocations := testing.AllocsPerRun(200, func() {
		if r, err := s.Run(context.Background(), m, small, w, sim.Options{}); err != nil || r.Status != sim.OK {
			t.Fatal("it failed")
		}
	})
	require.LessOrEqual(t, allocations, 1.0)
}
