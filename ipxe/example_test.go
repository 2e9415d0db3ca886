package ipxe_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"strings"
	"time"

	"dougu.internal/ipxe"
)

func ExampleParse() {
	s := ipxe.Parse("boot.ipxe", []byte("#!ipxe\n:retry chain http://h/x || goto retry # again\n"))
	for _, l := range s.Lines() {
		for _, c := range l.Cmds {
			fmt.Printf("%q %q %v\n", l.Label, c.Op, len(c.Words))
		}
	}
	fmt.Println(s.Executable())
	// Output:
	// "" "" 0
	// "retry" "" 2
	// "retry" "||" 2
	// <nil>
}

func ExampleScript_Render() {
	s := ipxe.Parse("boot.ipxe", []byte("#!ipxe\r\nset   x a\\\r\nb\r\n"))
	fmt.Printf("%s", s.Render())
	// Output:
	// #!ipxe
	// set x ab
}

func ExampleBuilder() {
	var b ipxe.Builder
	b.Retry(3, 5*time.Second, func(b *ipxe.Builder) {
		b.Kernel(ipxe.URL(ipxe.Text("http://"), ipxe.Var("next-server"), ipxe.Text("/vmlinuz")), ipxe.Text("console=ttyS1,115200n8"), ipxe.Text("note=# a || b"))
	}, nil)
	b.Boot()
	script, err := b.Bytes()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", script)
	// Output:
	// #!ipxe
	// set dougu-tries-1:int32 0
	// :dougu-try-1
	// set dougu-1:hexraw 6e6f74653d232061207c7c2062
	// kernel http://${next-server}/vmlinuz console=ttyS1,115200n8 ${dougu-1:string} || goto dougu-failed-1
	// goto dougu-done-1
	// :dougu-failed-1
	// inc dougu-tries-1
	// iseq ${dougu-tries-1} 3 && goto dougu-enough-1 ||
	// sleep 5
	// goto dougu-try-1
	// :dougu-enough-1
	// exit 1
	// :dougu-done-1
	// boot
}

func ExampleURLBuilder_Query() {
	fmt.Println(ipxe.Link("http://boot/next").Query("rack", ipxe.Text("a 1")).Query("mac", ipxe.Var("mac").As(ipxe.HexHyp)).Query("product", ipxe.Var("product")))
	// Output: http://boot/next?rack=a%201&mac=${mac:hexhyp}&product=${product:hexraw}
}

func ExampleBuilder_Menu() {
	var b ipxe.Builder
	b.Menu(ipxe.Choice{Title: "Boot", Timeout: 10 * time.Second, Items: []ipxe.Item{
		{Label: "disk", Text: "Local disk", Do: func(b *ipxe.Builder) { b.Local(ipxe.ExitToFirmware) }},
	}})
	script, _ := b.Bytes()
	fmt.Println(strings.Split(string(script), "\n")[3])
	// Output: choose --menu dougu-menu-1 --timeout 10000 dougu-menu-1 || goto dougu-menu-end-1
}

func ExampleNewTemplate() {
	t, err := ipxe.NewTemplate("boot", "#!ipxe\nkernel http://h/vmlinuz root={{.Var.root}}\n")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, root := range []string{"/dev/sda1", "x || reboot"} {
		script, err := t.Render(&ipxe.Machine{Name: "web1"}, map[string]string{"root": root})
		fmt.Printf("%s%v\n", script, err)
	}
	// Output:
	// #!ipxe
	// kernel http://h/vmlinuz root=/dev/sda1
	// <nil>
	// ipxe: boot: line 2 of the script: var root = "x || reboot": it is an operator, or a new line
}

func ExampleParseFacts() {
	f, problems := ipxe.ParseFacts("type=Express5800/i120Ra-e1%20[N8100-1482Y]&mac=52%3A54%3A00%3A12%3A34%3A56&x=%zz")
	fmt.Println(f.Product, ipxe.MACText(f.MAC, "-"), problems)
	// Output: Express5800/i120Ra-e1 [N8100-1482Y] 52-54-00-12-34-56 ["x": a broken % escape]
}

func ExampleHandler() {
	h := ipxe.Handler(func(_ context.Context, f ipxe.Facts) ([]byte, error) {
		if !f.HasMAC {
			return nil, ipxe.ErrNoBoot
		}
		var b ipxe.Builder
		b.Set("model", ipxe.Text(f.Product))
		b.Local(ipxe.ExitToFirmware)
		return b.Bytes()
	}, ipxe.HandlerConfig{})
	for _, target := range []string{"/boot?mac=525400123456&product=X200%0Areboot", "/boot"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		fmt.Printf("%d %s", w.Code, w.Body)
	}
	// Output:
	// 200 #!ipxe
	// set dougu-1:hexraw 583230300a7265626f6f74
	// set model ${dougu-1:string}
	// exit
	// 404 no boot script for this machine
}

func ExampleParseMachines() {
	m, err := ipxe.ParseMachines(strings.NewReader(`{
  "groups": {"express": {"kernel": "vmlinuz", "initrds": ["initrd.gz"]}},
  "machines": [{"name": "rack 1", "product": "*Express*", "group": "express"}],
  "default": {"local": "exit"}
}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	script, err := m.Generator()(context.Background(), ipxe.Facts{Product: "Express5800"})
	fmt.Printf("%s%v\n", script, err)
	// Output:
	// #!ipxe
	// initrd http://${next-server}/initrd.gz
	// kernel http://${next-server}/vmlinuz
	// boot
	// <nil>
}

func ExampleInspectScript() {
	script, _ := ipxe.InspectScript(ipxe.Link("http://boot/next"), ipxe.Fact{Key: "mac", Setting: "mac"}, ipxe.Fact{Key: "product", Setting: "product"}).Bytes()
	fmt.Printf("%s", script)
	// Output:
	// #!ipxe
	// imgfree
	// chain http://boot/next?mac=${mac:hexhyp}&product_hex=${product:hexraw}
}

func ExampleDHCP() {
	d := ipxe.DHCP{Server: netip.MustParseAddr("192.168.0.1"), ScriptURL: "http://192.168.0.1/iPXE/boot.ipxe", BIOS: "iPXE/undionly.kpxe"}
	text, err := d.Dnsmasq()
	fmt.Printf("%s%v\n", text, err)
	// Output:
	// # iPXE itself, which must not be given iPXE again
	// dhcp-userclass=set:ipxe,iPXE
	// dhcp-match=set:bios,option:client-arch,0
	// dhcp-boot=tag:!ipxe,tag:bios,iPXE/undionly.kpxe,,192.168.0.1
	// dhcp-boot=tag:ipxe,http://192.168.0.1/iPXE/boot.ipxe,,192.168.0.1
	// <nil>
}

func ExamplePXEMenu() {
	m := ipxe.PXEMenu{Console: &ipxe.SerialConsole{Port: 1}, Title: "Linux", Entries: []ipxe.PXEEntry{{Label: "x200", Kernel: "vmlinuz", Default: true}}}
	text, err := m.AppendTo(nil)
	fmt.Printf("%s%v\n", text, err)
	// Output:
	// SERIAL 1 115200
	// DEFAULT menu.c32
	// PROMPT 0
	// MENU TITLE Linux
	// LABEL x200
	//   MENU DEFAULT
	//   KERNEL vmlinuz
	//   APPEND console=tty0 console=ttyS1,115200n8
	// <nil>
}

func ExampleProfile_With() {
	fmt.Println(ipxe.Newest().Command("params") != nil, ipxe.Newest().With("params", "param").Command("params") != nil)
	// Output: false true
}

func ExampleChainLoop() {
	at, loops := ipxe.ChainLoop([]byte(`filename "undionly.kpxe";`))
	fmt.Println(at, loops)
	// Output: 10 true
}

func ExampleCompile() {
	form, err := ipxe.Compile(ipxe.Profile{}, 2, func(b *ipxe.Builder) {
		b.Kernel(ipxe.Link("http://10.0.0.1/vmlinuz"), ipxe.Concat(ipxe.Text("id="), ipxe.Hole(0)), ipxe.Hole(1))
		b.Boot()
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, values := range [][]string{{"7", "quiet console=ttyS0"}, {"8", "# || reboot"}, {"${mac}", "x"}} {
		script, err := form.AppendTo(nil, values...)
		fmt.Printf("%s%v\n", script, err)
	}
	// Output:
	// #!ipxe
	// kernel http://10.0.0.1/vmlinuz id=7 quiet console=ttyS0
	// boot
	// <nil>
	// #!ipxe
	// set dougu-1:hexraw 23207c7c207265626f6f74
	// kernel http://10.0.0.1/vmlinuz id=8 ${dougu-1:string}
	// boot
	// <nil>
	// ipxe: kernel: iPXE has no way to say this: ${ and } in "${mac}", which iPXE would expand
}
