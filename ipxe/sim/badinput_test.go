package sim_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/ipxe"
	"dougu.internal/ipxe/sim"
)

// TestBadInputBounds: the bounds of Options hold, and the reason is told.
func TestBadInputBounds(t *testing.T) {
	long := strings.Repeat("y", 10<<20)
	three := worldFunc(func(r *sim.Request) (*sim.Response, error) {
		return &sim.Response{Body: []byte("#!ipxe\nchain http://h" + r.Target + "x\n")}, nil
	})
	for _, row := range []struct {
		name, script string
		w            sim.World
		o            sim.Options
		want         sim.HazardKind
	}{
		{"a line of 10 MB", "set x " + long, nil, sim.Options{}, sim.HazardToken},
		{"words of 10 MB", "set x " + strings.Repeat("w ", 5<<20), nil, sim.Options{}, sim.HazardWords},
		{"a label of 10 MB, sought again and again", ":" + long + "\nset x 1\ngoto " + long, nil, sim.Options{}, sim.HazardToken},
		{"blanks of 10 MB in a loop", ":l" + strings.Repeat(" ", 10<<20) + "\ngoto l", nil, sim.Options{MaxSteps: 5000}, sim.HazardLoop},
		{"chain recursion with new names", "chain http://h/x", three, sim.Options{MaxDepth: 5}, sim.HazardDepth},
		{"replaced for ever", "chain --replace http://h/x", worldFunc(func(*sim.Request) (*sim.Response, error) {
			return &sim.Response{Body: []byte("#!ipxe\nchain --replace http://h/x\n")}, nil
		}), sim.Options{MaxSteps: 2000}, sim.HazardLoop},
		{"requests", ":l\nimgfetch http://h/x ||\ngoto l", nil, sim.Options{MaxRequests: 7}, sim.HazardLoop},
		{"arguments of images", "imgfetch http://h/s a\n:l\nimgargs s " + strings.Repeat("z", 9000) + "\ngoto l", sim.MapWorld{"http://h/s": []byte("x")}, sim.Options{MaxBytes: 1 << 20}, sim.HazardLoop},
		{"menus", ":l\nmenu x\ngoto l", nil, sim.Options{MaxBytes: 1 << 16}, sim.HazardResources},
		{"items", "menu x\n:l\nitem a b\ngoto l", nil, sim.Options{MaxBytes: 1 << 16}, sim.HazardLoop},
		{"images", ":l\nimgfetch http://h/s\ngoto l", sim.MapWorld{"http://h/s": []byte("x")}, sim.Options{MaxRequests: 50}, sim.HazardLoop},
		{"ring of three", "set a:hexraw 247b627d\nset b:hexraw 247b637d\nset c:hexraw 247b617d\nset x ${a:string}", nil, sim.Options{MaxSteps: 5000}, ""},
		{"self-reference through DHCP", "echo ${hostname}", nil, sim.Options{}, sim.HazardExpansion},
		{"self-reference through read", "read x\necho ${x}", nil, sim.Options{Keys: keysOf("${x}\n")}, sim.HazardExpansion},
		{"two that take turns", "set b:string x\nread a\nread b\necho ${a}", nil, sim.Options{Keys: keysOf("${b}\n\x15${a}\n")}, sim.HazardExpansion},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := &sim.Machine{Profile: ipxe.Debian2019(), NICs: []sim.NIC{{DHCP: map[string]string{"ip": "10.0.0.1", "hostname": "${hostname}"}}}}
			start := time.Now()
			r := simulate(t, "#!ipxe\n"+row.script+"\n", m, row.w, row.o)
			t.Logf("%v, %d steps", time.Since(start).Round(time.Millisecond), r.Steps)
			if row.want == "" {
				require.Nil(t, r.Hang())
				return
			}
			require.NotNil(t, r.Hang(), "%.200s", r.Console)
			require.Equal(t, row.want, r.Hang().Kind, r.Hang().Text)
			require.NotEmpty(t, r.Hang().Text)
			require.NotZero(t, r.Hang().Line)
		})
	}
}

func keysOf(s string) (keys []sim.Key) {
	for i := range len(s) {
		keys = append(keys, sim.Key(s[i]))
	}
	return keys
}

// TestConcurrentRunsShareOneLargeScript: the words of a large script are read by each run
// for itself.
func TestConcurrentRunsShareOneLargeScript(t *testing.T) {
	var b strings.Builder
	b.WriteString("#!ipxe\nset i:int32 0\n:l\ninc i\niseq ${i} 50 || goto l\ngoto end\n")
	for i := range 20_000 {
		fmt.Fprintf(&b, ":x%d echo %d\n", i, i)
	}
	b.WriteString(":end echo ${i}\n")
	s := ipxe.Parse("large", []byte(b.String()))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var many sim.Simulator
			for range 5 {
				r, err := many.Run(context.Background(), nil, s, nil, sim.Options{})
				if err != nil || r.Status != sim.OK || string(r.Console) != "50\n" {
					t.Errorf("%v %+v", err, r)
				}
			}
		})
	}
	wg.Wait()
}

// TestBadInputProfilesDifferWhereTheySay: of the scripts that the firmware of 2019 runs as
// the interpreter does, the current profile treats these in another way, and no others.
func TestBadInputProfilesDifferWhereTheySay(t *testing.T) {
	var differ []string
	for i, c := range handMade {
		results := map[string]fwResult{}
		for _, p := range []ipxe.Profile{ipxe.Debian2019(), ipxe.Newest()} {
			d := newDesk("http://10.0.2.2:1", []fwCase{c})
			r, err := sim.Run(t.Context(), &sim.Machine{Profile: p, SMBIOS: dmi, NICs: []sim.NIC{{Closed: true}}}, ipxe.Parse("loop", []byte(d.loop())), d, sim.Options{MaxSteps: 200_000, Keys: pressed(c.keys)})
			require.NoError(t, err)
			screen(string(r.Console), d.results)
			results[p.String()] = d.results[0]
		}
		if difference(results["debian2019"], results["2021"], c) != "" {
			differ = append(differ, handMade[i].name)
		}
	}
	slices.Sort(differ)
	require.Equal(t, profileDifferences, differ)
}

// profileDifferences are the hand-made scripts that the builds run differently: the rules
// for URIs, uuid and guid, ipv6, -q and other new options, commands that only one of them
// has, what version and clock say, an empty number, and the text for a 404 (from March
// 2024 on).
var profileDifferences = []string{
	"chain", "helptext", "incempty", "modules", "notimage", "options", "relative", "retry", "routes", "shows", "status", "typefail", "unknown", "uris", "usages", "verbatim",
}
