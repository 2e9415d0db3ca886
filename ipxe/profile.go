package ipxe

import (
	"maps"
	"slices"
	"strings"
)

// URIRules is a generation of iPXE's handling of URIs.
type URIRules uint8

// The generations.
const (
	// Reencode, before November 2021: a URI is decoded fully and encoded again weakly.
	// What :uristring escapes in a query (& = +) is decoded on the way to the server.
	Reencode URIRules = iota + 1
	// Keep, from November 2021 on: path, query and fragment stay as written.
	Keep
)

// Profile is one build of iPXE. Profiles are immutable; [Profile.With] makes another.
type Profile struct {
	// Name is what ParseProfile reads.
	Name string
	// Version is what ${version} and the User-Agent header say.
	Version string
	// BuildArch and Platform are ${buildarch} and ${platform}.
	BuildArch, Platform string
	URI                 URIRules
	// PlusEscaped: :uristring escapes + too (from July 2026 on).
	PlusEscaped bool
	// EmptyInteger: an empty word is read as the number 0.
	EmptyInteger bool
	// UUIDs: the type uuid can be stored, and the type guid exists.
	UUIDs bool
	// IPv6: the type ipv6 works.
	IPv6 bool
	// WorkingURI: ${cwuri} and ${cwduri} exist (from March 2024 on).
	WorkingURI bool
	// HTTPS, TFTP, FTP: schemes that can be fetched beside http.
	HTTPS, TFTP, FTP bool
	// Gzip: what gzip has packed is an image, which imgextract unpacks.
	Gzip bool

	commands map[string]*Syntax
	absent   map[string]*Syntax
	listed   []string
}

// Command returns what a command accepts, or nil when this build has no such command.
func (p *Profile) Command(name string) *Syntax { return p.commands[name] }

// Elsewhere returns the syntax of a command that this build lacks and others have; its
// Absent says which.
func (p *Profile) Elsewhere(name string) *Syntax { return p.absent[name] }

// Commands returns the names of the commands, sorted.
func (p *Profile) Commands() []string { return slices.Sorted(maps.Keys(p.commands)) }

// Listed returns the names of the commands in the order in which the command help prints
// them; where that is not known, sorted.
func (p *Profile) Listed() []string {
	list := slices.Clone(p.listed)
	for _, n := range p.Commands() {
		if !slices.Contains(p.listed, n) {
			list = append(list, n)
		}
	}
	return list
}

// With returns a profile that has these commands too. Names that no build knows are
// passed over; "all" stands for every command that a build of that generation can have.
func (p *Profile) With(names ...string) *Profile {
	q := *p
	q.commands, q.absent = maps.Clone(p.commands), maps.Clone(p.absent)
	for _, n := range names {
		for k, y := range p.absent {
			if n == k || n == "all" && y.Absent != "" {
				z := *y
				z.Absent = ""
				q.commands[k] = &z
				delete(q.absent, k)
			}
		}
	}
	return &q
}

// ParseProfile returns a profile by its name: debian2019, 2021, or 2021-all, which has
// every command that some build of the current generation has.
func ParseProfile(name string) (*Profile, bool) {
	switch name {
	case "debian2019":
		return Debian2019(), true
	case "2021":
		return Current(), true
	case "2021-all":
		p := *currentAll
		return &p, true
	}
	return nil, false
}

// ProfileNames are the names that ParseProfile knows.
func ProfileNames() []string { return []string{"debian2019", "2021", "2021-all"} }

// Debian2019 is the build in Debian 12: ipxe 1.0.0+git-20190125.36a4c85, for BIOS.
func Debian2019() *Profile { return debian2019 }

// Current is the generation from November 2021 on, in the default BIOS build of August
// 2026. Builds for EFI have more commands; see Profile.With.
func Current() *Profile { return current }

var (
	debian2019 = newDebian2019()
	current    = newCurrent()
	currentAll = func() *Profile {
		p := current.With("all")
		p.Name = "2021-all"
		p.Gzip = true
		return p
	}()
)

func newDebian2019() *Profile {
	p := &Profile{
		Name: "debian2019", Version: "1.0.0+git-20190125.36a4c85-5.1", BuildArch: "i386", Platform: "pcbios",
		URI: Reencode, EmptyInteger: true, IPv6: true, HTTPS: true, TFTP: true,
		commands: map[string]*Syntax{}, absent: map[string]*Syntax{},
	}
	p.listed = strings.Fields(listed2019)
	p.add(syntaxes2019, "", p.commands)
	p.add(optional2019, "this build; others made then can have it", p.absent)
	for _, y := range parseSyntaxes(syntaxes2026 + optional2026) {
		if p.commands[y.Name] == nil && p.absent[y.Name] == nil {
			y.Absent = "iPXE of that time"
			p.absent[y.Name] = y
		}
	}
	return p
}

func newCurrent() *Profile {
	p := &Profile{
		Name: "2021", Version: "2.0.0+", BuildArch: "i386", Platform: "pcbios",
		URI: Keep, PlusEscaped: true, UUIDs: true, WorkingURI: true, TFTP: true,
		commands: map[string]*Syntax{}, absent: map[string]*Syntax{},
	}
	p.add(syntaxes2026, "", p.commands)
	p.add(optional2026, "the default BIOS build; EFI builds and builds of one's own can have it", p.absent)
	return p
}

func (p *Profile) add(table, absent string, to map[string]*Syntax) {
	for _, y := range parseSyntaxes(table) {
		y.Absent = absent
		to[y.Name] = y
	}
}

// parseSyntaxes reads a table: names; options; bounds; usage.
func parseSyntaxes(table string) (list []*Syntax) {
	for line := range strings.Lines(table) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ";", 4)
		if len(f) != 4 {
			continue
		}
		var options []Option
		for o := range strings.FieldsSeq(f[1]) {
			// x:long=kind
			short, rest, _ := strings.Cut(o, ":")
			long, kind, _ := strings.Cut(rest, "=")
			options = append(options, Option{Long: long, Short: short[0], Kind: optionKinds[kind]})
		}
		lo, hi, _ := strings.Cut(strings.TrimSpace(f[2]), "-")
		for name := range strings.FieldsSeq(f[0]) {
			list = append(list, &Syntax{Name: name, Options: options, Min: bounds[lo], Max: bounds[hi], Usage: usage(f[3])})
		}
	}
	return list
}

// usage is the text of the last column; a backslash stands for an empty one, which iPXE
// prints with its blank.
func usage(s string) string {
	if s == `\` {
		return " "
	}
	return strings.TrimSpace(s)
}

var bounds = map[string]int{"0": 0, "1": 1, "2": 2, "3": 3, "n": MaxArguments}

var optionKinds = map[string]OptionKind{
	"": FlagOption, "t": TextOption, "i": IntegerOption, "ms": MillisecondsOption, "key": KeyOption, "set": SettingOption, "conf": ConfiguratorOption, "uuid": UUIDOption,
}

// The tables hold, per line: names; options as short:long=kind; the bounds of the number
// of arguments (n is 255); the usage. Source of the first: the firmware's own usage
// texts, command by command; of the others: hci/commands of iPXE at 36a4c85 (2019) and
// at the state of August 2026, with config/general.h for what the default builds have.
const (
	listed2019 = `config cpuid dhcp pxebs ifopen ifclose ifstat ifconf imgfetch module initrd kernel chain imgselect
		imgload imgargs imgexec boot imgstat imgfree login menu item choose show set clear read inc reboot route sanhook
		sanboot sanunhook prompt goto shell help sync autoboot sleep iseq isset exit echo ibstat iwstat iwlist`
	syntaxes2019 = `
imgfetch module initrd;n:name=t t:timeout=ms a:autofree;1-n;<uri> [<arguments>...]
kernel imgselect imgload imgargs;n:name=t t:timeout=ms a:autofree;1-n;<uri|image> [<arguments>...]
chain imgexec boot;n:name=t t:timeout=ms a:autofree r:replace;0-n;[<uri|image> [<arguments>...]]
imgfree imgstat;;0-n;[<image>...]
show clear read;;1-1;<setting>
set;;1-n;<setting> <value>
inc;;1-2;<setting> [<increment>]
isset;;1-1;<value>
iseq;;2-2;<value1> <value2>
goto;;1-1;<label>
exit;;0-1;[<status>]
sleep;;1-1;<seconds>
echo;n:n;0-n;[...]
menu;n:name=t d:delete;0-n;[<title>]
item;m:menu=t k:key=key d:default g:gap;0-n;[<label> [<text>]]
choose;m:menu=t d:default=t t:timeout=ms k:keep;1-1;<setting>
prompt;k:key=key t:timeout=ms;0-n;[<text>]
sanhook;d:drive=i n:no-describe;1-n;<root-path>
sanboot;d:drive=i n:no-describe k:keep f:filename=t;0-n;[<root-path>]
sanunhook;d:drive=i;0-0;
sync;t:timeout=ms;0-0;
reboot;w:warm;0-0;
dhcp ifconf;c:configurator=conf;0-n;[<interface>...]
autoboot ifopen ifclose ifstat iwstat iwlist;;0-n;[<interface>...]
pxebs;;2-2;<interface> <server type>
cpuid;e:ext a:amd c:ecx;1-1;<bit>
config;;0-1;[<scope>]
login route shell;;0-0;
help;;0-n;
ibstat;;0-0;\
`
	optional2019 = `
params;n:name=t d:delete;0-0;
param;p:params=t;1-n;<key> [<value>]
time;;1-n;<command>
nslookup;;2-2;<setting> <name>
ntp;;1-1;<server>
ping;s:size=i t:timeout=ms c:count=i q:quiet;1-1;<host>
poweroff;;0-0;
console;x:x=i y:y=i l:left=i r:right=i t:top=i b:bottom=i d:depth=i p:picture=t k:keep;0-0;
colour;b:basic=i r:rgb=i;1-1;<colour>
cpair;f:foreground=i b:background=i;1-1;<cpair>
vcreate;t:tag=i p:priority=i;1-1;<trunk interface>
vdestroy;;1-1;<interface>
imgtrust;a:allow p:permanent;0-0;
imgverify;s:signer=t k:keep t:timeout=ms;2-2;<uri|image> <signature uri|image>
md5sum sha1sum;;1-n;<image> [<image>...]
pciscan;;1-1;<setting>
nstat;;0-0;
ipstat;;0-0;
profstat;;0-0;
lotest;m:mtu=i b:broadcast;2-2;<sending interface> <receiving interface>
startpxe stoppxe;;0-n;[<interface>]
`
	syntaxes2026 = `
imgfetch module initrd;n:name=t t:timeout=ms q:quiet a:autofree;1-n;<uri> [<arguments>...]
kernel imgselect imgload imgargs;n:name=t t:timeout=ms q:quiet a:autofree;1-n;<uri|image> [<arguments>...]
chain imgexec boot;n:name=t t:timeout=ms q:quiet a:autofree r:replace;0-n;[<uri|image> [<arguments>...]]
imgfree imgstat;;0-n;[<image>...]
imgextract;n:name=t k:keep t:timeout=ms q:quiet;1-1;<uri|image>
imgset;k:keep t:timeout=ms q:quiet;2-2;
show;q:quiet;1-1;<setting>
clear;;1-1;<setting>
read;t:timeout=ms;1-1;<setting>
set;;1-n;<setting> <value>
inc;;1-2;<setting> [<increment>]
isset;;1-1;<value>
iseq;;2-2;<value1> <value2>
goto;;1-1;<label>
exit;;0-1;[<status>]
sleep;;1-1;<seconds>
echo;n:n;0-n;[...]
menu form;n:name=t d:delete;0-n;[<title>]
item;m:menu=t f:form=t k:key=key d:default s:secret g:gap;0-n;[<name> [<text>]]
choose;m:menu=t d:default=t t:timeout=ms r:retimeout=ms k:keep;1-1;<setting>
present;f:form=t k:keep;0-0;
prompt;k:key=key t:timeout=ms;0-n;[<text>]
sanhook;d:drive=i n:no-describe;1-n;<root-path>
sanboot;d:drive=i n:no-describe k:keep f:filename=t e:extra=t l:label=t u:uuid=uuid;0-n;[<root-path>]
sanunhook;d:drive=i;0-0;
sync;t:timeout=ms;0-0;
reboot;w:warm s:setup;0-0;
poweroff;;0-0;
dhcp ifconf;c:configurator=conf t:timeout=ms;0-n;[<interface>...]
autoboot ifopen ifclose ifstat iwstat iwlist;;0-n;[<interface>...]
iflinkwait;t:timeout=ms;0-n;[<interface>...]
pxebs;;2-2;<interface> <server type>
cpuid;e:ext a:amd c:ecx;1-1;<bit>
config;;0-1;[<scope>]
login route shell;;0-0;
help;;0-n;
ibstat;;0-0;\
fcstat;;0-0;
fcels;p:port=t i:id=t;1-1;<request>
shim;t:timeout=ms q:quiet l:require-loader p:allow-pxe s:allow-sbat;0-1;[<uri|image>]
`
	optional2026 = `
params;n:name=t m:method=t d:delete;0-0;
param;p:params=t H:header;1-n;<key> [<value>]
time;;1-n;<command>
nslookup;;2-2;<setting> <name>
ntp;;1-1;<server>
ping;s:size=i t:timeout=ms c:count=i q:quiet;1-1;<host>
console;x:x=i y:y=i l:left=i r:right=i t:top=i b:bottom=i d:depth=i p:picture=t k:keep;0-0;
colour;b:basic=i r:rgb=i;1-1;<colour>
cpair;f:foreground=i b:background=i;1-1;<cpair>
vcreate;t:tag=i p:priority=i;1-1;<trunk interface>
vdestroy;;1-1;<interface>
imgtrust;a:allow p:permanent;0-0;
imgverify;s:signer=t k:keep t:timeout=ms q:quiet;2-2;<uri|image> <signature uri|image>
imgdecrypt;n:name=t k:keep t:timeout=ms q:quiet;2-2;<uri|image> <envelope uri|image>
imgmem;n:name=t;2-2;<address> <length>
md5sum sha1sum sha224sum sha256sum sha384sum sha512sum;s:set=set;1-n;<image> [<image>...]
certstat;s:subject=t;0-0;
certstore;s:subject=t k:keep;0-1;[<uri|image>]
certfree;s:subject=t;0-0;
pciscan usbscan;;1-1;<setting>
nstat;;0-0;
ipstat;;0-0;
profstat;;0-0;
fdt;t:timeout=ms q:quiet;0-1;[<uri>]
lotest;m:mtu=i b:broadcast;2-2;<sending interface> <receiving interface>
startpxe stoppxe;;0-n;[<interface>]
gdbstub;;1-n;<transport> [<options>...]
`
)
