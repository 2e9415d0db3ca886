package sim_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/ipxe"
)

// handMade are scripts that ask the firmware one question each.
var handMade = []fwCase{
	{name: "chain", script: "#!ipxe\nimgfree\nchain {{BASE}}/boot?type=${product:uristring}&mac=${mac}&hex=${product:hexraw}\n",
		files: map[string]fwFile{
			"/boot":      {body: "#!ipxe\ninitrd {{BASE}}/initrd.gz\nkernel {{BASE}}/vmlinuz quiet  console=ttyS1,115200n8\nimgstat\n"},
			"/initrd.gz": {body: "I"}, "/vmlinuz": {body: "K"},
		}},
	{name: "operators", script: "#!ipxe\nisset ${no} && echo A || echo B && echo C || echo D\nset x 1;set y 2\nfoo ||\niseq a b\n", dump: []string{"x", "y"}},
	{name: "hex", script: "#!ipxe\nset v:hexraw 6120202320 ||\nset w ${v:string}\nset u ${v}\necho [${v:string}]\n", dump: []string{"v", "w", "u"}},
	{name: "rescan", script: "#!ipxe\nset a:hexraw 247b627d\nset b deep\nset c ${a:string}\n", dump: []string{"a", "b", "c"}},
	{name: "label", script: "#!ipxe\nset n 1\ngoto x${n} || echo none\n:x${n}\nexit 3\n", dump: []string{"n"}},
	{name: "retry", script: "#!ipxe\nset i:int32 0\n:retry\nkernel {{BASE}}/none && goto ok || iseq ${i} 3 && goto err || inc i && echo try ${i} ; goto retry\n:ok\necho ok\nexit\n:err\necho err\n", dump: []string{"i"}},
	{name: "continuation", script: "#!ipxe\nset a\\\nb c\\\nd\n# note \\\nset hidden 1\n:l\\\nx\necho at \\\r\nlabel\necho a\\ \necho [${ab}]\n", dump: []string{"ab", "hidden"}},
	{name: "openend", script: "#!ipxe\necho one\ngoto nowhere ||\necho ${errno}\necho two\\"},
	{name: "exitcodes", script: "#!ipxe\nset a 1\nchain {{BASE}}/c3 ||\necho ${errno}\nchain {{BASE}}/c0 && echo zero\nchain {{BASE}}/neg ||\necho ${errno}\nexit 0x12345678\n",
		files: map[string]fwFile{"/c3": {body: "#!ipxe\nexit 3\n"}, "/c0": {body: "#!ipxe\nexit\necho no\n"}, "/neg": {body: "#!ipxe\nexit -1\n"}}, dump: []string{"a"}},
	{name: "types", script: "#!ipxe\n" + typeQuestions, dump: []string{"t"}},
	{name: "typefail", script: "#!ipxe\nset t:int8 1x ||\nset t:hex 1:2 ||\nset t:base64 A ||\nset t:ipv4 1.2.3 ||\nset t:ipv6 1:2 ||\nset t:uuid 1 ||\nset t:guid 1 ||\nset t:busdevfn 1 ||\nset t:hexraw abc ||\nset t:hexhyp aa:bb ||\nset a:b:c d ||\nset nosuch.block/x:foo 1 ||\nshow t ||\nset ip 1.2.3.4x ||\nset t:ipv4 1.2.3.256 ||\nset t:ipv6 1:2:3:4:5:6:7:8:9 ||\nset t:ipv6 1::2::3 ||\nset t:int32 0x ||\nset t:dnssl x ||\n", dump: []string{"t"}},
	{name: "inc", script: "#!ipxe\ninc a\ninc a 5\ninc a -1\nshow a\nset b:int8 127\ninc b\nshow b\nset c:uint8 255\ninc c\nshow c\nset d text\ninc d ||\ninc e:uint16 0x1ff\nshow e\ninc f x ||\ninc g 010\nshow g\ninc h:string ||\ninc i \ninc i:int8 300\nshow i\ninc nosuch/x ||\ninc k 1 2 ||\n", dump: []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"}},
	{name: "incempty", script: "#!ipxe\nset e:int32 4\ninc e ${nothing}\nshow e\n", dump: []string{"e"}},
	{name: "options", script: "#!ipxe\necho -foo ||\necho -- -foo\necho --n x\necho -n y\necho\necho -nn z\necho\necho -nx z ||\nset --foo x ||\nitem --key ||\nitem -kx -dg ||\nitem --key=-5 ||\nchoose -t 5x y ||\nshow -q x ||\nimgfree -a ||\necho --help ||\nisset ||\nisset a b ||\niseq a ||\ngoto ||\necho - ||\nset -x ||\nmenu --delete=1 ||\nimgfetch --name ||\nimgfetch --name -x {{BASE}}/a ||\nexit x ||\necho ${errno}\n"},
	{name: "words", script: "#!ipxe\nset x" + strings.Repeat(" w", 254) + "\nset y" + strings.Repeat(" w", 255) + " ||\necho ${errno}\n", dump: []string{"x", "y"}},
	{name: "unknown", script: "#!ipxe\nECHO x ||\n${nothing} x ||\nset c set x\n${c} v ||\nset c set\n${c} x v\necho ; :lab ||\ntime echo x ||\nparams ||\nnslookup a b ||\npoweroff ||\nconsole ||\nmd5sum x ||\nping x ||\nnosuch\n", dump: []string{"c", "x"}},
	{name: "emptycmd", script: "#!ipxe\n|| echo a\n&& echo b\n; echo c\nfoo ||\nfoo || #\n;;\n; ;\necho x ||\n|| #\n"},
	{name: "names", script: "#!ipxe\nset hostname a.b\nshow 12\nset 209:string x\nshow 209\nshow 0xaf.0x63 ||\nset 175.99 q\nshow 0xaf.0x63\nset b7.c7/v 1\nshow b7.c7/v\nshow b7/v\nset c7/very-long-name-of-a-setting-indeed x\nshow c7/very-long-name-of-a-setting-indeed\nset a-b_c.d=e,f 1\nshow a-b_c.d=e,f\nset toolongblockname7.another/x 1\nshow toolongblockname7.another/x\nset / x ||\nset foo7/ x ||\nshow foo7/ ||\nset :string x ||\nshow nosuch ||\nshow nosuch/x ||\nclear nosuch\nclear nosuch/x\nset sp ${} ${}\nshow sp\nset em ${}\nshow em ||\nset net0/zork 1\nshow zork\nshow netX/zork\nset zork 2\nshow zork\nclear zork\nshow zork\nclear net0/zork\nshow zork ||\nset smbios/product x ||\nset smbios/foo x ||\nset builtin/errno 1 ||\nset builtin/foo 1 ||\nset net0.dhcp/foo 1 ||\nset cpuid/foo 1 ||\nclear cpuid/foo\nset memmap7/foo 1\nset net0/chip x ||\nset net0/mac 1 ||\nset net0/mac 01:02 ||\n",
		dump: []string{"hostname", "209", "175.99", "b7.c7/v", "a-b_c.d=e,f", "sp", "em"}},
	{name: "shows", script: "#!ipxe\nshow product\nshow product:uristring\nshow serial:uristring\nshow manufacturer:hexhyp\nshow uuid\nshow uuid:hexraw\nshow mac\nshow net0/mac:hexraw\nshow net0.dhcp/ip\nshow ip\nshow netmask\nshow gateway\nshow next-server\nshow dhcp-server\nshow platform\nshow buildarch\nshow version\nshow smbios/1.5.0\nshow smbios/product\nshow errno\nshow pci/x ||\nshow acpi/x ||\nshow efi/x ||\nshow usb/x ||\nshow fdt/x ||\nshow net0.ipv6/x ||\nshow net0.dhcpv6/x ||\nshow net0.dhcp/x ||\nshow filename ||\nshow user-class ||\nshow busid\nshow busloc\nshow bustype\nshow chip\nshow ifname\nshow hwaddr\nshow cwuri ||\nshow asset ||\nshow board-serial ||\n"},
	{name: "images", script: "#!ipxe\nimgfetch {{BASE}}/a\nimgfetch --name x {{BASE}}/a arg1  arg2\nimgstat\nimgargs x new args\nimgstat x\nimgargs x\nimgstat x\nimgstat nosuch ||\nimgfree x\nimgstat\nkernel {{BASE}}/s one\nimgstat\nkernel {{BASE}}/a\nimgstat\nimgselect s ||\nimgselect --name q --autofree s two\nimgstat\nboot ||\nimgstat\nboot\nimgfree s ||\nimgfetch {{BASE}}/a --name y\nimgstat\nimgfetch {{BASE}}/e\nkernel e ||\nboot e ||\nimgstat\nimgfree\nimgstat\nimgstat -x ||\n",
		files: map[string]fwFile{"/a": {body: "file a"}, "/s": {body: "#!ipxe\necho in s\nimgstat\nexit 5\n"}, "/e": {}}},
	{name: "uris", script: "#!ipxe\nimgfetch {{BASE}}/p%41%2fq?a=%41%2f%26%zz%2 ||\nimgfetch {{BASE}}/x?a=b#frag ||\nimgfetch {{BASE}}/r=${serial:uristring}&m=${manufacturer:uristring} ||\nimgfetch {{BASE}}/q?r=${serial:uristring}&m=${manufacturer:uristring} ||\nimgfetch {{BASE}}?x ||\nimgfetch foo:bar ||\nimgfetch foo://bar ||\nimgfetch http:x ||\nimgfetch http:/x ||\nimgfetch ftp://10.0.2.2 ||\nimgfetch {{BASE}}/[]@:!$'()*,;\"<>\\^`|~{} ||\nimgfetch {{BASE}}/a?/#:@?=& ||\nset n:hexraw 41c3a942\nimgfetch {{BASE}}/${n:string}?${n:uristring} ||\nimgfetch {{BASE}}/${n:uristring} ||\nimgfetch {{BASE}}/${mac}?${mac}&${mac:hexhyp}&${mac:hexraw}&${uuid} ||\nset sp:hexraw 0d0a20\nimgfetch {{BASE}}/${sp:string}x?${sp:string} ||\nimgfetch {{BASE}}/a%%25%0g%g0%-1%+2 ||\nimgfetch /%2e%2e/x ||\n", dump: []string{"n", "sp"}},
	{name: "relative", script: "#!ipxe\nchain {{BASE}}/a/b.ipxe ||\n", files: map[string]fwFile{
		"/a/b.ipxe":     {body: "#!ipxe\nimgfetch c ||\nimgfetch ../d ||\nimgfetch /e ||\nimgfetch ?q=1 ||\nimgfetch ./f ||\nimgfetch .. ||\nimgfetch . ||\nimgfetch ../../../g ||\nimgfetch .h ||\nimgfetch ..i ||\nimgfetch #frag ||\nimgfetch x/../y ||\nchain sub/s.ipxe ||\nimgfetch after ||\nimgfetch ${} ||\nimgfetch //h/x ||\nimgstat\n"},
		"/a/sub/s.ipxe": {body: "#!ipxe\nimgfetch ../z ||\n"}, "/a/c": {body: "c"},
	}},
	{name: "status", script: "#!ipxe\nimgfetch {{BASE}}/401 ||\nimgfetch {{BASE}}/403 ||\nimgfetch {{BASE}}/404 ||\nimgfetch {{BASE}}/410 ||\nimgfetch {{BASE}}/500 ||\nimgfetch {{BASE}}/503 ||\nimgfetch {{BASE}}/204 ||\nimgfetch {{BASE}}/301 ||\nimgfetch {{BASE}}/302 ||\nimgfetch {{BASE}}/600 ||\nimgfetch {{BASE}}/rel ||\nimgfetch {{BASE}}/to404 ||\nimgfetch {{BASE}}/tofoo ||\nimgfetch {{BASE}}/loc200 ||\nimgstat\nimgfetch {{BASE}}/auth ||\n",
		files: map[string]fwFile{
			"/401": {status: 401}, "/403": {status: 403}, "/410": {status: 410}, "/500": {status: 500, body: "<html>"}, "/503": {status: 503},
			"/204": {status: 204}, "/301": {status: 301}, "/302": {status: 302, header: map[string]string{"Location": "{{BASE}}/target?x=1"}}, "/600": {status: 600},
			"/rel": {status: 307, header: map[string]string{"Location": "sub/target"}}, "/sub/target": {body: "T"}, "/target": {body: "t"},
			"/to404": {status: 302, header: map[string]string{"Location": "/nowhere"}}, "/tofoo": {status: 302, header: map[string]string{"Location": "foo:bar"}},
			"/loc200": {body: "x", header: map[string]string{"Location": "/nowhere"}},
			"/auth":   {status: 401, header: map[string]string{"WWW-Authenticate": "Basic realm=x"}},
		}},
	{name: "replace", script: "#!ipxe\nset r 1\nchain --replace {{BASE}}/r\necho not reached\n", files: map[string]fwFile{"/r": {body: "#!ipxe\nset r 2\nimgstat\nexit 7\n"}}, dump: []string{"r"}},
	{name: "autofree", script: "#!ipxe\nchain --autofree {{BASE}}/r\nimgstat\nchain {{BASE}}/r\nimgstat\nimgexec r again ||\nimgstat\n", files: map[string]fwFile{"/r": {body: "#!ipxe\necho in r\nimgstat\n"}}},
	{name: "notimage", script: "#!ipxe\nboot\nboot nosuch ||\nimgexec --replace {{BASE}}/empty ||\nimgselect {{BASE}}/empty ||\nimgargs {{BASE}}/empty a b\nimgstat\nboot empty ||\n", files: map[string]fwFile{"/empty": {}}},
	{name: "nested", script: "#!ipxe\nset d:int32 0\nchain {{BASE}}/n\necho depth ${d}\n", files: map[string]fwFile{"/n": {body: "#!ipxe\ninc d\niseq ${d} 5 || chain n\nset back${d} y\n"}}, dump: []string{"d", "back5"}},
	{name: "gotos", script: "#!ipxe\ngoto a\n:b echo b ; goto c\n:a echo a\ngoto b && echo no ; echo no\n:c\n:c2 :d echo x ||\n: echo empty\ngoto ${}x || echo gone\n:l#c echo hash\ngoto end\n:a echo second\n  :end\techo end\n"},
	{name: "expansion", script: "#!ipxe\nset i 1\nset v1 one\nset one two\necho ${v${i}} ${${v1}} ${${v${i}}} ${v${i} } ${v $ { } {} $$ ${} ${i}${i}}x ${i:hexraw}${i:nosuch} ${nosuch/i}\nset o ${${\necho ${o}\nset p i}\necho ${${p}\necho ${v1:string}${v1:hex}\nset h # x\nshow h ||\necho a#b ${i}#c\n", dump: []string{"i", "v1", "one", "o", "p", "h"}},
	{name: "nul", script: "#!ipxe\necho a\x00b\nset x:hexraw 610062\necho [${x:string}]\nset y ${x:string}\nshow x:string\nset z:uristring a%00b\necho ${z} ${z:hexraw}\n", dump: []string{"x", "y", "z"}},
	{name: "bytes", script: "#!ipxe\necho \xc3\xa4\xff\x80 x\nset x \xc3\xa4\nset y:hexraw ff8000\necho ${y:uristring} ${x:uristring} ${y:base64}\n", dump: []string{"x", "y"}},
	{name: "priority", script: "#!ipxe\nset pa7/v a\nset pb7/v b\nshow v\nset pb7/priority 5\nshow v\nset pa7/priority 6\nshow v\nset pa7/priority -1\nshow v\nclear pb7/priority\nshow v\nclear pa7/v\nclear pb7/v\nset x7/priority 127\nset x7/ip 1.2.3.4\nclear x7/ip\n"},
	{name: "network", script: "#!ipxe\nifopen net0\nifopen net7 ||\nifopen net7 net0\nifstat nosuch ||\nisset ${net0/ip} && echo yes\nset net0/hostname h\nshow hostname\nclear net0/hostname\ndhcp -c foo ||\nautoboot nosuch ||\nsanunhook\nsanboot --drive 0x90 --no-describe ||\nsanhook foo:bar ||\nsanboot foo:bar ||\nsanboot -d x ||\nset skip-san-boot 1\nsanboot --drive 0x81 ||\nclear skip-san-boot\n"},
	{name: "sleep", script: "#!ipxe\nsleep 0\nsleep 1\nsleep x ||\nsleep ||\n"},
	{name: "menus", script: "#!ipxe\nchoose x ||\nitem a A ||\nmenu --name m7 Title here\nitem --menu m7 a Text a\nitem --menu m7 --gap -- gap text\nitem --menu m7 --default b Text b\nchoose --menu m7 --timeout 200 sel\necho [${sel}]\nchoose --menu m7 sel ||\nitem --menu m7 c ||\nmenu only gap\nitem --gap x\nitem\nchoose --timeout 100 sel ||\nmenu t2\nitem a A\nitem b B\nchoose --keep --default b --timeout 100 sel && echo [${sel}]\nchoose --timeout 100 --default a sel:hexraw ||\n", dump: []string{"sel"}, screen: true},
	{name: "prompts", script: "#!ipxe\nprompt --timeout 100 Press || echo ${errno}\nprompt --key x --timeout 0x10 ||\nprompt -k 0x02 -t 10 a b c || echo ${errno}\n", screen: true},
	{name: "iseq", script: "#!ipxe\niseq 010 8 || echo differ\nset i:int32 10\niseq ${i} 10 && echo same\niseq ${} ${} && echo empty\niseq a a && iseq a A || echo case\nisset ${i} && isset x && isset ${nothing} || echo ${errno}\n", dump: []string{"i"}},
	{name: "ends", script: "#!ipxe\r\nset x a\r\necho [${x}]\r\necho \ta\v b\f c \r\n\r\n   \n\t:lab\techo lab\r\nfoo", dump: []string{"x"}},
	{name: "routes", script: "#!ipxe\nroute\nroute x ||\ndhcp net0\nifconf net0\nifconf -c dhcp net0\nset net0/gateway 10.0.2.9\nroute\nclear net0/gateway\nroute\nsync\nsync -t 5 ||\nsync x ||\nifclose nosuch ||\nibstat ||\nibstat x ||\niwstat net0 ||\niwlist nosuch ||\niwstat nosuch ||\n"},
	{name: "helptext", script: "#!ipxe\nhelp\nhelp x ||\n"},
	{name: "verbatim", script: "#!ipxe\ntime -x ||\ntime --help ||\ntime -x echo a ||\nhelp -x ||\nhelp a b c ||\n"},
	{name: "usages", script: "#!ipxe\ncpuid ||\ncpuid x ||\npxebs ||\npxebs nosuch 1 ||\nlogin x ||\nconfig a b ||\nshell x ||\nreboot --cold ||\nread ||\nautoboot -x ||\nifstat -x ||\nroute -h ||\nsanunhook x ||\n"},
	{name: "modules", files: map[string]fwFile{"/m": {body: "mm"}, "/i": {body: "iii"}, "/s": {body: "#!ipxe\necho in s\n"}}, script: "#!ipxe\nmodule {{BASE}}/m a b\ninitrd --name x {{BASE}}/i /etc/x mode=644\nimgload {{BASE}}/s\nimgstat\nimgload m ||\nimgstat\nimgexec s\nimgargs {{BASE}}/i q\nimgstat\nimgfree x m\nimgfree x ||\nimgstat\nmodule ||\n"},
	{name: "gpxe", script: "#!gpxe echo x\necho y"},
	{name: "setarg", script: "#!ipxe\nset x  a   b  \nset y -- z\nset -- z -q\nset w:uristring a%2fb%zz%2\necho ${w} ${w:hexraw}\nset u a%2fb%zz\necho ${u:uristring}\nset a b c d\nset q 'a   b' \"c\"\n", dump: []string{"x", "y", "z", "w", "u", "a", "q"}},
}

// fromRandom are scripts on which a random run differed once, with the reason.
var fromRandom = []fwCase{
	// The loaded machine was silent for longer than the test waited.
	{name: "r64", screen: true, dump: []string{"f64", "root-path"}, files: map[string]fwFile{"/f": {body: "text of f"}}, script: "#!ipxe\nisset ${} ||\nkernel --name na64 {{BASE}}/f ${w64} m x-y || echo failed ${errno}\nset f64 a:b &&  isset ${w64} ||\n" +
		"echo k=v ;  menu Title x ; item --key 0 x0 ; item x1 Text 1 ; choose --default x1 --timeout 20 root-path ||\necho wrCA_f $ ||  show c64:uint8 || echo failed ${errno}\n"},
	// A prompt's backspaces made a line of 80 bytes that has fewer columns.
	{name: "r35", script: "#!ipxe\nprompt --timeout 20 hit a key ||\nshow root-path ||\necho S+1 #2 -- }\necho ..\n"},
	// clear makes the block; then config opens its screen and waits for a key.
	{name: "r240", screen: true, script: "#!ipxe\nconfig nosuch ||\nclear nosuch/x\nconfig nosuch ||\n"},
	// A relative URI without a path is the script's own.
	{name: "r94", script: "#!ipxe\nimgfetch ?x=1 ||\nimgfetch s9 ||\n"},
}

func TestFirmwareAgreesOnOldDifferences(t *testing.T) {
	require.Equal(t, len(fromRandom), compare(t, fromRandom))
}

const typeQuestions = `set t:hexraw 3031
echo ${t} ${t:hexhyp} ${t:hex} ${t:base64} ${t:uristring} ${t:int16} ${t:uint16} ${t:int8} ${t:uint32} ${t:ipv4} ${t:ipv6} ${t:uuid} ${t:busdevfn} ${t:string} ${t:dnssl}
set t:int32 5
echo ${t} ${t:hex} ${t:uint32} ${t:int8}
set t:int8 300
echo ${t}
set t:uint8 -1
echo ${t} ${t:int8} ${t:int32}
set t:int16 0x7fff
echo ${t}
set t:uint16 010
echo ${t}
set t:int32 4294967297
echo ${t}
set t abc
echo ${t:int32} ${t:uint32}
set t abcdef
echo [${t:int32}]
set t:hexraw 0000000000000001
echo ${t:int32}
set t:hexraw ffffffffffffffff
echo ${t:int32} [${t:uint32}]
set t:ipv4 1.2.3.4
echo ${t} ${t:hex} ${t:int32}
set t:ipv4 0x10.010.1.255
echo ${t}
set t:ipv6 ::1
echo ${t} ${t:hexraw}
set t:ipv6 fe80::1:0:0:2
echo ${t}
set t:ipv6 1:0:0:4:5:0:0:8
echo ${t}
set t:ipv6 ::
echo ${t}
set t:ipv6 1::
echo ${t}
set t:hexraw 00112233445566778899AABBCCDDEEFF
echo ${t:uuid} ${t:ipv6} [${t:guid}] ${t:busdevfn} ${t:base64}
set t:hex aA:bB
echo ${t}
set t:hexhyp 01-02-ff
echo ${t} ${t:busdevfn}
set t:base64 MDE=
echo ${t} ${t:string}
set t:base64 M D E z
echo ${t} ${t:string}
set t:uristring %41%zz+%
echo ${t} ${t:string}
set t:int32 +7
echo ${t}
set t:int32  -0x10
echo ${t}
`

// keyed are scripts for which keys are pressed on the serial line, which the BIOS takes
// for the keyboard.
var keyed = []fwCase{
	keyCase("down", "\x1b[B\r", ""), keyCase("twodown", "\x1b[B\x1b[B\r", ""), keyCase("up", "\x1b[B\x1b[B\x1b[A\r", ""), keyCase("shortcut", "x", ""), keyCase("ctrl", "\x02", ""),
	keyCase("enter", "\r", " --default c"), keyCase("cancel", "\x03", ""), keyCase("other", "zq\r", ""),
	{name: "promptkey", keys: "x", screen: true, script: "#!ipxe\nimgfetch {{BASE}}/keys\nprompt --key x --timeout 20000 Press x && echo yes || echo no ${errno}\n"},
	{name: "promptother", keys: "y", screen: true, script: "#!ipxe\nimgfetch {{BASE}}/keys\nprompt --key x --timeout 20000 Press x && echo yes || set st ${errno}\n", dump: []string{"st"}},
	{name: "read", keys: "abc\x08d\x01<\x05>\r", screen: true, script: "#!ipxe\nset v old\nimgfetch {{BASE}}/keys\nread v\n", dump: []string{"v"}},
	{name: "login", keys: "me\r~pw\r", screen: true, script: "#!ipxe\nimgfetch {{BASE}}/keys\nlogin\n", dump: []string{"username", "password"}},
	{name: "loginno", keys: "me\r~\x03", screen: true, script: "#!ipxe\nimgfetch {{BASE}}/keys\nlogin || set st ${errno}\n", dump: []string{"username", "password", "st"}},
	{name: "readcut", keys: "\x15one two three\x17\x08\r", screen: true, script: "#!ipxe\nset v old\nimgfetch {{BASE}}/keys\nread v\n", dump: []string{"v"}},
}

func keyCase(name, keys, options string) fwCase {
	return fwCase{name: name, keys: keys, screen: true, dump: []string{"sel", "st"}, script: "#!ipxe\nset st none\nmenu T\nitem a A\nitem --gap -- gap\nitem --key 0x02 b B\nitem --key x c C\n" +
		"imgfetch {{BASE}}/keys\nchoose --timeout 20000" + options + " sel || set st ${errno}\n"}
}

func TestFirmwareAgreesOnKeys(t *testing.T) {
	require.Equal(t, len(keyed), compare(t, keyed))
}

// notCompared are the commands of Debian's build that no script here runs, with the reason.
var notCompared = map[string]string{
	"reboot": "the end of each batch: the machine would begin again within a case", "shell": "takes the keyboard, and never gives it back",
}

// TestPart2EveryCommandIsCompared: each command of Debian's build is in a script that the
// firmware runs, too.
func TestPart2EveryCommandIsCompared(t *testing.T) {
	used := map[string]bool{}
	for _, list := range [][]fwCase{handMade, fromRandom, keyed} {
		for _, c := range list {
			scripts := []string{c.script}
			for _, f := range c.files {
				scripts = append(scripts, f.body)
			}
			for _, text := range scripts {
				for _, l := range ipxe.Parse("s", []byte(text)).Lines() {
					for _, cmd := range l.Cmds {
						if len(cmd.Words) > 0 {
							used[cmd.Words[0].Text] = true
						}
					}
				}
			}
		}
	}
	for _, name := range ipxe.Debian2019().Commands() {
		if !used[name] && notCompared[name] == "" {
			t.Errorf("no script for the firmware has %s", name)
		}
	}
}
