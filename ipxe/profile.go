package ipxe

import (
	"maps"
	"slices"
	"strings"

	"dougu.internal/internal/errtext"
)

const errs = errtext.Package("ipxe")

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

// Profile identifies a build of iPXE: a generation and what the build adds to it.
// Profiles are comparable. The zero Profile is equivalent to [Newest].
type Profile struct {
	base generation
	// with lists the additions, sorted and separated by plus signs, or is "all".
	with string
}

// generation is an index into generations. The zero value is that of [Newest].
type generation uint8

const (
	unset generation = iota
	gen2019
	gen2021
)

// Features describes what a build does differently from others, apart from its
// commands.
type Features struct {
	// Version is the value of ${version} and of the User-Agent header.
	Version string `json:"version,omitzero"`
	// BuildArch is the value of ${buildarch}, Platform that of ${platform}.
	BuildArch string `json:"buildArch,omitzero"`
	Platform  string `json:"platform,omitzero"`
	// URI is the way in which the build treats URIs.
	URI URIRules `json:"uri,omitzero"`
	// PlusEscaped means that :uristring escapes + too (from July 2026 on).
	PlusEscaped bool `json:"plusEscaped,omitzero"`
	// EmptyInteger means that an empty word is read as the number 0.
	EmptyInteger bool `json:"emptyInteger,omitzero"`
	// UUIDs means that the type uuid can be stored and that the type guid exists.
	UUIDs bool `json:"uuids,omitzero"`
	// IPv6 means that the type ipv6 works.
	IPv6 bool `json:"ipv6,omitzero"`
	// WorkingURI means that ${cwuri} and ${cwduri} exist (from March 2024 on).
	WorkingURI bool `json:"workingURI,omitzero"`
	// HTTPS, TFTP and FTP mean that the scheme can be fetched in addition to http.
	HTTPS bool `json:"https,omitzero"`
	TFTP  bool `json:"tftp,omitzero"`
	FTP   bool `json:"ftp,omitzero"`
	// Gzip means that a file that gzip has packed is an image, which imgextract
	// unpacks.
	Gzip bool `json:"gzip,omitzero"`
}

// options contains the features that [Profile.With] can add by name.
var options = map[string]func(*Features) *bool{
	"https": func(f *Features) *bool { return &f.HTTPS },
	"tftp":  func(f *Features) *bool { return &f.TFTP },
	"ftp":   func(f *Features) *bool { return &f.FTP },
	"gzip":  func(f *Features) *bool { return &f.Gzip },
}

// build contains the tables of a generation.
type build struct {
	name     string
	features Features
	// commands contains the commands of the default build, absent those that other
	// builds or generations have, and optional the ones of absent that a build of
	// this generation can have.
	commands map[string]*Syntax
	absent   map[string]*Syntax
	optional map[string]*Syntax
	listed   []string
	// all contains the features that a build with everything has in addition.
	all []string
}

func (p Profile) build() *build {
	if p.base == gen2019 {
		return debian2019
	}
	return current
}

// has reports whether the profile adds a command or a feature.
func (p Profile) has(name string) bool {
	switch p.with {
	case "":
		return false
	case "all":
		return true
	}
	for w := range strings.SplitSeq(p.with, "+") {
		if w == name {
			return true
		}
	}
	return false
}

// Features returns what the build does differently from others.
func (p Profile) Features() Features {
	b := p.build()
	f := b.features
	for name, field := range options {
		if p.with == "all" && slices.Contains(b.all, name) || p.with != "all" && p.has(name) {
			*field(&f) = true
		}
	}
	return f
}

// Command returns the syntax of a command, or nil if the build does not have the
// command. The caller must not change the syntax.
func (p Profile) Command(name string) *Syntax {
	b := p.build()
	if y := b.commands[name]; y != nil {
		return y
	}
	if y := b.optional[name]; y != nil && p.has(name) {
		return y
	}
	return nil
}

// Elsewhere returns the syntax of a command that this build lacks and other builds
// have, or nil. Its field Absent names the builds that lack the command.
func (p Profile) Elsewhere(name string) *Syntax {
	if p.Command(name) != nil {
		return nil
	}
	return p.build().absent[name]
}

// Commands returns the names of the commands in alphabetical order.
func (p Profile) Commands() []string {
	b := p.build()
	list := slices.Collect(maps.Keys(b.commands))
	for name := range b.optional {
		if p.has(name) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// Listed returns the names of the commands in the order in which the command help
// prints them. Commands for which the order is not known follow in alphabetical order.
func (p Profile) Listed() []string {
	list := slices.Clone(p.build().listed)
	for _, n := range p.Commands() {
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

// With returns a profile that has these commands and features in addition. The features
// are https, tftp, ftp and gzip. The name "all" adds everything that a build of the
// generation can have. With ignores names that no build of the generation has.
func (p Profile) With(names ...string) Profile {
	if p.with == "all" || slices.Contains(names, "all") {
		return Profile{p.known(), "all"}
	}
	b := p.build()
	var list []string
	if p.with != "" {
		list = strings.Split(p.with, "+")
	}
	for _, n := range names {
		if b.can(n) {
			list = append(list, n)
		}
	}
	if len(list) == 0 {
		return p
	}
	slices.Sort(list)
	return Profile{p.known(), strings.Join(slices.Compact(list), "+")}
}

// known returns the generation of the profile, which is not zero.
func (p Profile) known() generation {
	if p.base == unset {
		return gen2021
	}
	return p.base
}

// can reports whether a build of the generation can have a command or a feature that
// the default build lacks.
func (b *build) can(name string) bool {
	if field := options[name]; field != nil {
		return !*field(&b.features)
	}
	return b.optional[name] != nil
}

// maxProfile is the maximum length of the name of a profile. It is several times as
// long as the name with all commands.
const maxProfile = 4096

// ParseProfile returns the profile with the given name: debian2019, 2021, 2021-all for
// a build that has every command of its generation, or newest. The names of commands
// and features can follow, separated by plus signs, as in 2021+ping+https.
func ParseProfile(name string) (Profile, error) {
	if name == "newest" {
		return Profile{}, nil
	}
	base, with, plus := strings.Cut(name, "+")
	base, all := strings.CutSuffix(base, "-all")
	var p Profile
	switch base {
	case debian2019.name:
		p.base = gen2019
	case current.name:
		p.base = gen2021
	}
	if p.base == unset || all && plus || len(name) > maxProfile {
		return Profile{}, errs.Errorf("there is no profile %q: %s", shown(name), profileNames())
	}
	if all {
		return p.With("all"), nil
	}
	if !plus {
		return p, nil
	}
	names := strings.Split(with, "+")
	for _, n := range names {
		if p.Command(n) == nil && options[n] == nil && !p.build().can(n) {
			return Profile{}, errs.Errorf("profile %s: unknown command or feature %q", base, shown(n))
		}
	}
	return p.With(names...), nil
}

func profileNames() string {
	var names []string
	for _, p := range Profiles() {
		names = append(names, p.String())
	}
	return strings.Join(names, ", ")
}

// Profiles returns the profiles that have a name, oldest first: the build
// of 2019, [Newest], and [Newest] with every command.
func Profiles() []Profile {
	return []Profile{Debian2019(), Newest(), Newest().With("all")}
}

// Newest returns the generation from November 2021 on, in the default BIOS build of
// August 2026. Builds for EFI have more commands; see [Profile.With].
func Newest() Profile { return Profile{base: gen2021} }

// Debian2019 returns the build in Debian 12: ipxe 1.0.0+git-20190125.36a4c85, for BIOS.
func Debian2019() Profile { return Profile{base: gen2019} }

// String returns the name that [ParseProfile] reads. The name of the zero Profile is
// newest.
func (p Profile) String() string {
	switch {
	case p == Profile{}:
		return "newest"
	case p.with == "":
		return p.build().name
	case p.with == "all":
		return p.build().name + "-all"
	}
	return p.build().name + "+" + p.with
}

// MarshalText returns the name of the profile.
func (p Profile) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText sets the profile to the one with the given name; see [ParseProfile].
func (p *Profile) UnmarshalText(name []byte) error {
	q, err := ParseProfile(string(name))
	if err == nil {
		*p = q
	}
	return err
}

var (
	debian2019 = newDebian2019()
	current    = newCurrent()
)

func newDebian2019() *build {
	b := &build{
		name: "debian2019",
		features: Features{
			Version: "1.0.0+git-20190125.36a4c85-5.1", BuildArch: "i386", Platform: "pcbios",
			URI: Reencode, EmptyInteger: true, IPv6: true, HTTPS: true, TFTP: true,
		},
		listed: strings.Fields(listed2019),
	}
	b.tables(syntaxes2019, optional2019, "this build; others made then can have it")
	for _, y := range parseSyntaxes(syntaxes2026 + optional2026) {
		if b.commands[y.Name] == nil && b.absent[y.Name] == nil {
			b.offer(y, "iPXE of that time")
		}
	}
	return b
}

func newCurrent() *build {
	b := &build{
		name: "2021",
		features: Features{
			Version: "2.0.0+", BuildArch: "i386", Platform: "pcbios",
			URI: Keep, PlusEscaped: true, UUIDs: true, WorkingURI: true, TFTP: true,
		},
		all: []string{"gzip"},
	}
	b.tables(syntaxes2026, optional2026, "the default BIOS build; EFI builds and builds of one's own can have it")
	return b
}

// tables reads the commands of the default build and those of others.
func (b *build) tables(have, optional, absent string) {
	b.commands, b.absent, b.optional = map[string]*Syntax{}, map[string]*Syntax{}, map[string]*Syntax{}
	for _, y := range parseSyntaxes(have) {
		b.commands[y.Name] = y
	}
	for _, y := range parseSyntaxes(optional) {
		b.offer(y, absent)
	}
}

// offer adds a command that the default build lacks.
func (b *build) offer(y *Syntax, absent string) {
	z := *y
	b.optional[y.Name] = &z
	y.Absent = absent
	b.absent[y.Name] = y
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
