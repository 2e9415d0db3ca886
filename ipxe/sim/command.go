package sim

import (
	"strings"
	"time"

	"dougu.internal/ipxe"
)

// call is one command with its arguments, and what its options say.
type call struct {
	y    *ipxe.Syntax
	name string
	args []string
	room [8]string // of a short command with its name
	rest []string  // what follows the options

	optionValues
	// optioned: the values are not all zero.
	optioned bool
}

// optionValues are what options say.
type optionValues struct {
	label, menu, preset          field // --name, --menu, --default with a value
	timeout, retimeout           time.Duration
	key, drive, tag, count       int
	priority, size               int
	target                       field // of --set
	filename, method             string
	configurator                 string
	features                     []string // of cpuid
	quiet, autofree, replace     bool
	keep, remove, marked, secret bool
	gap, open, warm, allow       bool
	header, noDescribe           bool
}

// presets are the values of options that are not given, where they are not zero.
func (c *call) presets() {
	switch c.name {
	case "ping":
		c.size, c.timeout, c.optioned = pingSize, milliseconds(pingTimeout), true
	case "sanboot", "sanhook", "sanunhook":
		c.drive, c.optioned = biosDisk, true
	}
}

// verbatim reports whether the firmware gives a command all its words, without a look for
// options.
func (c *call) verbatim() bool { return c.name == "time" || c.name == "help" }

// biosDisk is the first disk of a BIOS.
const biosDisk = 0x80

// note keeps what an option says.
func (c *call) note(r *runner, o *ipxe.Option, value string) (status Status) {
	switch o.Long {
	case "name":
		c.label = some(value)
	case "menu", "form", "params":
		c.menu = some(value)
	case "default":
		if c.marked = !o.Takes(); o.Takes() {
			c.preset = some(value)
		}
	case "timeout":
		c.timeout = r.milliseconds(value)
	case "retimeout":
		c.retimeout = r.milliseconds(value)
	case "key":
		c.key, status = r.key(value)
	case "drive":
		c.drive = number32(value)
	case "tag":
		c.tag = number32(value)
	case "priority":
		c.priority = number32(value)
	case "size":
		c.size = number32(value)
	case "set":
		c.target = some(value)
		_, _, status = r.settingName(value, true)
	case "count":
		c.count = number32(value)
	case "configurator":
		c.configurator = value
	case "filename":
		c.filename = value
	case "method":
		c.method = strings.ToUpper(value)
	case "ext", "amd", "ecx":
		c.features = append(c.features, "--"+o.Long)
	case "quiet":
		c.quiet = true
	case "autofree":
		c.autofree = true
	case "replace":
		c.replace = true
	case "keep":
		c.keep = true
	case "delete":
		c.remove = true
	case "secret":
		c.secret = true
	case "gap":
		c.gap = true
	case "n":
		c.open = true
	case "warm":
		c.warm = true
	case "allow":
		c.allow = true
	case "header":
		c.header = true
	case "no-describe":
		c.noDescribe = true
	}
	return status
}

// number32 reads a number whose text was checked before.
func number32(text string) int {
	v, _ := strtoul(text, 0)
	return int(v)
}

// command returns what runs a command, nil for those that the interpreter does not run.
// The build's table decides which of them exist.
func command(name string) func(*runner, *call) Status {
	switch name {
	case "echo":
		return echo
	case "set":
		return set
	case "clear":
		return clearSetting
	case "inc":
		return inc
	case "show":
		return show
	case "isset":
		return isset
	case "iseq":
		return iseq
	case "goto":
		return gotoLabel
	case "exit":
		return exit
	case "sleep":
		return sleep
	case "prompt":
		return prompt
	case "read":
		return read
	case "time":
		return timeCommand
	case "imgfetch", "module", "initrd":
		return imgfetch
	case "imgselect", "imgload", "kernel":
		return imgselect
	case "imgexec", "chain", "boot":
		return imgexec
	case "imgargs":
		return imgargs
	case "imgstat":
		return imgstat
	case "imgfree":
		return imgfree
	case "imgset":
		return imgset
	case "imgextract":
		return imgextract
	case "md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum":
		return digest
	case "ping":
		return ping
	case "vcreate":
		return vcreate
	case "vdestroy":
		return vdestroy
	case "menu", "form":
		return menuCommand
	case "item":
		return item
	case "choose":
		return choose
	case "present":
		return present
	case "params":
		return paramsCommand
	case "param":
		return paramCommand
	case "dhcp", "ifconf":
		return ifconf
	case "ifopen":
		return ifopen
	case "ifclose":
		return ifclose
	case "ifstat":
		return ifstat
	case "iflinkwait":
		return iflinkwait
	case "route":
		return route
	case "sync":
		return sync
	case "autoboot":
		return autoboot
	case "sanboot":
		return sanboot
	case "sanhook":
		return sanhook
	case "sanunhook":
		return sanunhook
	case "reboot":
		return reboot
	case "poweroff":
		return poweroff
	case "shell":
		return shell
	case "help":
		return help
	case "nslookup":
		return nslookup
	case "ntp":
		return ntp
	case "cpuid":
		return cpuid
	case "imgtrust":
		return imgtrust
	case "config":
		return config
	case "login":
		return login
	case "iwstat", "iwlist":
		return wireless
	case "pxebs":
		return pxebs
	case "console", "colour", "cpair", "ibstat", "fcstat", "nstat", "ipstat", "profstat", "shim":
		return accept
	}
	return nil
}

// options reads the options of a command and returns its arguments.
func (r *runner) options(c *call) ([]string, Status) {
	if len(c.args) > 0 && len(c.args[0]) > 0 && c.args[0][0] == '-' || len(c.args) < c.y.Min || len(c.args) > c.y.Max {
		return r.scan(c)
	}
	return c.args, OK
}

func (r *runner) scan(c *call) ([]string, Status) {
	status := OK
	c.optioned = true
	n, err := c.y.Scan(c.args, func(o ipxe.Option, value string, _ int) bool {
		switch o.Kind {
		case ipxe.IntegerOption, ipxe.MillisecondsOption:
			_, status = r.integer(value)
		case ipxe.ConfiguratorOption:
			if value != "dhcp" && value != "ipv6" {
				r.print(`"`, value, "\": no such configurator\n")
				status = enotsupConf
			}
		}
		if status == OK {
			status = c.note(r, &o, value)
		}
		return status == OK
	})
	if err == nil {
		return c.args[n:], OK
	}
	if err.Stopped() {
		return nil, status
	}
	if err.Text != "" {
		r.print(err.Text, "\n")
	}
	r.print(c.y.Help(c.name))
	switch err.Kind {
	case ipxe.Help:
		return nil, canceledHelp
	case ipxe.Unrecognised:
		return nil, einvalOption
	case ipxe.Argument:
		return nil, einvalMissing
	}
	return nil, erangeCount
}

// integer reads a number as all options do.
func (r *runner) integer(text string) (uint32, Status) {
	v, rest := strtoul(text, 0)
	if rest != "" || text == "" && !r.p.EmptyInteger {
		r.print(`"`, text, "\": invalid integer value\n")
		return 0, einvalInteger
	}
	return v, OK
}

// settingName reads the name of a setting and complains as the commands do.
func (r *runner) settingName(text string, create bool) (*block, setting, Status) {
	if h := r.hint; h != nil && h.name == text {
		return &r.root, h.set, OK
	}
	b, s, status := r.parseName(text, create)
	if status != OK {
		r.print(`"`, text, "\": invalid setting\n")
	}
	return b, s, status
}
