package sim_test

import (
	"context"
	"fmt"

	"dougu.internal/ipxe"
	"dougu.internal/ipxe/sim"
)

func ExampleRun() {
	script := ipxe.Parse("boot.ipxe", []byte("#!ipxe\nchain http://h/${product:hexraw}?mac=${mac} || goto disk\n:disk\necho no script for ${mac}\nexit\n"))
	machine := &sim.Machine{Profile: ipxe.Debian2019(), SMBIOS: map[string]string{"product": "X200"}}
	r, err := sim.Run(context.Background(), machine, script, sim.MapWorld{}, sim.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, q := range r.Requests {
		fmt.Println(q.Method, q.URI)
	}
	fmt.Printf("%s%v %v\n", r.Console, r.Status, r.Boot.Kind)
	// Output:
	// GET http://h/58323030?mac=52%3A54%3A00%3A12%3A34%3A56
	// http://h/58323030... No such file or directory (http://ipxe.org/2d0c613b)
	// no script for 52:54:00:12:34:56
	// 0x0 return
}

func ExampleExplore() {
	script := ipxe.Parse("menu.ipxe", []byte("#!ipxe\nmenu Boot\nitem disk Disk\nitem again Again\nchoose x && goto ${x}\n:disk\nexit\n:again\nreboot\n:old\n"))
	x, err := sim.Explore(context.Background(), script, []sim.NamedMachine{{Name: "any", Machine: &sim.Machine{Profile: ipxe.Debian2019()}}}, nil, sim.ExploreOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, o := range x.Outcomes {
		fmt.Println(o.Machine, o.Choices, o.Boot.Kind)
	}
	fmt.Println("never reached:", x.UnreachedLabels)
	// Output:
	// any [Boot: disk] return
	// any [Boot: again] reboot
	// never reached: [old]
}

func ExampleHandlerWorld() {
	w := sim.HandlerWorld(ipxe.Handler(func(context.Context, ipxe.Facts) ([]byte, error) { return nil, ipxe.ErrNoBoot }, ipxe.HandlerConfig{}))
	r, err := sim.Run(context.Background(), nil, ipxe.Parse("x", []byte("#!ipxe\nchain http://h/boot\n")), w, sim.Options{})
	fmt.Println(r.Status.Text(), err)
	// Output: No such file or directory <nil>
}

func ExampleResult_Hang() {
	m := &sim.Machine{Profile: ipxe.Debian2019(), SMBIOS: map[string]string{"product": "${product}"}}
	r, err := sim.Run(context.Background(), m, ipxe.Parse("x", []byte("#!ipxe\necho ${product}\n")), nil, sim.Options{})
	fmt.Println(r.Hang().Kind, err)
	// Output: endless-expansion <nil>
}

func ExampleSimulator() {
	script := ipxe.Parse("boot.ipxe", []byte("#!ipxe\nkernel http://h/${product:hexraw}/vmlinuz || exit 7\n"))
	world := sim.MapWorld{"http://h/58323030/vmlinuz": append(make([]byte, 0x202), "HdrS"...)}
	var s sim.Simulator
	for _, product := range []string{"X200", "X100"} {
		r, err := s.Run(context.Background(), &sim.Machine{Profile: ipxe.Debian2019(), SMBIOS: map[string]string{"product": product}}, script, world, sim.Options{})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(product, r.Requests[0].URI, r.Status)
	}
	// Output:
	// X200 http://h/58323030/vmlinuz 0x0
	// X100 http://h/58313030/vmlinuz 0x7
}
