package sim

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dougu.internal/ipxe"
)

// call is one command with its arguments.
type call struct {
	y    *ipxe.Syntax
	name string
	args []string
}

// commands are those that the interpreter runs; the build's table decides which exist.
var commands map[string]func(*runner, *call) Status

func init() {
	commands = map[string]func(*runner, *call) Status{
		"echo": echo, "set": set, "clear": clearSetting, "inc": inc, "show": show, "isset": isset, "iseq": iseq,
		"goto": gotoLabel, "exit": exit, "sleep": sleep, "prompt": prompt, "read": read, "time": timeCommand,
		"imgfetch": imgfetch, "module": imgfetch, "initrd": imgfetch,
		"imgselect": imgselect, "imgload": imgselect, "kernel": imgselect,
		"imgexec": imgexec, "chain": imgexec, "boot": imgexec,
		"imgargs": imgargs, "imgstat": imgstat, "imgfree": imgfree, "imgset": imgset,
		"menu": menuCommand, "form": menuCommand, "item": item, "choose": choose, "present": present,
		"params": paramsCommand, "param": paramCommand,
		"dhcp": ifconf, "ifconf": ifconf, "ifopen": ifopen, "ifclose": ifclose, "ifstat": ifstat, "iflinkwait": iflinkwait,
		"route": route, "sync": sync, "autoboot": autoboot,
		"sanboot": sanboot, "sanhook": sanhook, "sanunhook": sanunhook,
		"reboot": reboot, "poweroff": poweroff, "shell": shell, "help": help,
		"nslookup": nslookup, "ntp": ntp, "cpuid": cpuid, "imgtrust": imgtrust, "config": config, "login": login,
		"console": accept, "colour": accept, "cpair": accept, "ibstat": accept, "iwstat": accept, "iwlist": accept,
		"fcstat": accept, "nstat": accept, "ipstat": accept, "profstat": accept, "shim": accept,
	}
}

// options reads the options of a command and returns its arguments. each sees every
// option in order; what it returns ends the command.
func (r *runner) options(c *call, each func(o ipxe.Option, value string) Status) ([]string, Status) {
	if len(c.args) > 0 && len(c.args[0]) > 0 && c.args[0][0] == '-' || len(c.args) < c.y.Min || len(c.args) > c.y.Max {
		return r.scan(c, each)
	}
	return c.args, OK
}

func (r *runner) scan(c *call, each func(o ipxe.Option, value string) Status) ([]string, Status) {
	status := OK
	n, err := c.y.Scan(c.args, func(o ipxe.Option, value string, _ int) bool {
		switch o.Kind {
		case ipxe.IntegerOption, ipxe.MillisecondsOption:
			_, status = r.integer(value)
		case ipxe.KeyOption:
			_, status = r.key(value)
		case ipxe.ConfiguratorOption:
			if value != "dhcp" && value != "ipv6" {
				r.print(`"`, value, "\": no such configurator\n")
				status = enotsupConf
			}
		}
		if status == OK && each != nil {
			status = each(o, value)
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
	if rest != "" || text == "" && !r.m.profile().EmptyInteger {
		r.print(`"`, text, "\": invalid integer value\n")
		return 0, einvalInteger
	}
	return v, OK
}

// settingName reads the name of a setting and complains as the commands do.
func (r *runner) settingName(text string, create bool) (*block, setting, Status) {
	b, s, status := r.parseName(text, create)
	if status != OK {
		r.print(`"`, text, "\": invalid setting\n")
	}
	return b, s, status
}

func echo(r *runner, c *call) Status {
	newline := "\n"
	rest, status := r.options(c, func(ipxe.Option, string) Status { newline = ""; return OK })
	if status != OK {
		return status
	}
	for i, w := range rest {
		if i > 0 {
			r.print(" ")
		}
		r.print(w)
	}
	r.print(newline)
	return OK
}

func set(r *runner, c *call) Status {
	return r.storeCommand(c, func(_ *block, _ *setting, rest []string) (string, Status) {
		return strings.Join(rest, " "), OK
	})
}

func clearSetting(r *runner, c *call) Status {
	return r.storeCommand(c, func(*block, *setting, []string) (string, Status) { return "", OK })
}

func (r *runner) storeCommand(c *call, value func(*block, *setting, []string) (string, Status)) Status {
	rest, status := r.options(c, func(o ipxe.Option, v string) Status { return OK })
	if status != OK {
		return status
	}
	b, s, status := r.settingName(rest[0], true)
	if status != OK {
		return status
	}
	text, status := value(b, &s, rest[1:])
	if status != OK || r.fatal != nil {
		return status
	}
	if s.typ == nil {
		s.typ = typeString
	}
	if !r.charge(len(text)) {
		return OK
	}
	return r.keep(b, &s, r.storeText(b, &s, text))
}

// keep complains about a setting that could not be stored.
func (r *runner) keep(_ *block, s *setting, status Status) Status {
	if status != OK && r.fatal == nil {
		r.print(`Could not store "`, s.name, `": `, r.message(status), "\n")
	}
	return status
}

func inc(r *runner, c *call) Status {
	rest, status := r.options(c, nil)
	if status != OK {
		return status
	}
	b, s, status := r.settingName(rest[0], false)
	if status != OK {
		return status
	}
	step := uint32(1)
	if len(rest) > 1 {
		if step, status = r.integer(rest[1]); status != OK {
			return status
		}
	}
	value := uint32(0)
	data, _, found, ok := r.fetch(b, &s)
	if ok {
		s = found
		value, status = found.typ.numerate(data)
	}
	if !ok || status != OK {
		value = 0
		if s.typ == nil {
			s.typ = typeInt32
		}
	}
	if s.typ.width == 0 {
		return r.keep(b, &s, enotsupSettings)
	}
	return r.keep(b, &s, r.store(b, &s, s.typ.denumerate(value+step)))
}

func show(r *runner, c *call) Status {
	quiet := false
	rest, status := r.options(c, func(ipxe.Option, string) Status { quiet = true; return OK })
	if status != OK {
		return status
	}
	b, s, status := r.settingName(rest[0], false)
	if status != OK {
		return status
	}
	text, origin, found, status := r.formatted(b, &s)
	if status != OK {
		r.print(`Could not find "`, s.name, `": `, r.message(status), "\n")
		return status
	}
	if !quiet {
		r.print(r.fullName(origin, &found), " = ")
	}
	r.print(text, "\n")
	return OK
}

func isset(r *runner, c *call) Status {
	rest, status := r.options(c, nil)
	if status == OK && rest[0] == "" {
		return enoentIsset
	}
	return status
}

func iseq(r *runner, c *call) Status {
	rest, status := r.options(c, nil)
	if status == OK && rest[0] != rest[1] {
		return erangeIseq
	}
	return status
}

func gotoLabel(r *runner, c *call) Status {
	rest, status := r.options(c, nil)
	if status != OK {
		return status
	}
	s := r.script
	at, ok := s.Label(rest[0])
	if !ok {
		if s.Open() {
			return einvalScript
		}
		return enoentLabel
	}
	if at <= r.line {
		r.loop(at)
	}
	r.next = at
	r.stop1 = stopCommand
	return OK
}

func exit(r *runner, c *call) Status {
	rest, status := r.options(c, nil)
	if status != OK {
		return status
	}
	code := uint32(0)
	if len(rest) > 0 {
		if code, status = r.integer(rest[0]); status != OK {
			return status
		}
	}
	r.stop1 = stopSequence
	return Status(code)
}

func sleep(r *runner, c *call) Status {
	rest, status := r.options(c, nil)
	if status != OK {
		return status
	}
	seconds, status := r.integer(rest[0])
	if status == OK {
		r.elapsed += time.Duration(seconds) * time.Second
	}
	return status
}

func timeCommand(r *runner, c *call) Status {
	// The firmware runs whatever follows the word time, without reading options of its own.
	if len(c.args) > 0 && (c.args[0] == "-h" || c.args[0] == "--help") || len(c.args) == 0 || len(c.args) > c.y.Max {
		_, status := r.scan(c, nil)
		return status
	}
	start := r.elapsed
	if !r.step() {
		return OK
	}
	status := r.execute(c.args)
	if r.fatal == nil {
		tenths := int((r.elapsed - start) / (100 * time.Millisecond))
		r.print(fmt.Sprintf("%s: %d.%ds\n", c.name, tenths/10, tenths%10))
	}
	return status
}

// accept reads the options of a command that changes nothing a script can see.
func accept(r *runner, c *call) Status {
	_, status := r.options(c, nil)
	return status
}

// unsimulated stands for commands that the interpreter does not run: it reads their
// options, says so, and lets them fail.
func unsimulated(r *runner, c *call) Status {
	if _, status := r.options(c, nil); status != OK {
		return status
	}
	r.hazard(HazardUnknown, c.name+" is not simulated: it fails here with \"Operation not supported\"")
	return enotsupOpen
}

func reboot(r *runner, c *call) Status {
	warm := false
	if _, status := r.options(c, func(o ipxe.Option, _ string) Status { warm = warm || o.Long == "warm"; return OK }); status != OK {
		return status
	}
	return r.end(Boot{Kind: Reboot, Warm: warm})
}

func poweroff(r *runner, c *call) Status {
	if _, status := r.options(c, nil); status != OK {
		return status
	}
	return r.end(Boot{Kind: PowerOff})
}

func shell(r *runner, c *call) Status {
	if _, status := r.options(c, nil); status != OK {
		return status
	}
	return r.end(Boot{Kind: Shell})
}

// config and login open a screen of their own, in which a user types.
func config(r *runner, c *call) Status {
	rest, status := r.options(c, nil)
	if status != OK {
		return status
	}
	if len(rest) > 0 && r.findBlock(rest[0], false) == nil {
		r.print(`"`, rest[0], "\": no such scope\n")
		return einvalScope
	}
	return r.dialogue(c)
}

func login(r *runner, c *call) Status {
	if _, status := r.options(c, nil); status != OK {
		return status
	}
	return r.dialogue(c)
}

func (r *runner) dialogue(c *call) Status {
	r.hazard(HazardUnknown, c.name+" opens a dialogue, which is not simulated: the user is taken to leave it unchanged")
	return OK
}

func help(r *runner, c *call) Status {
	if _, status := r.options(c, nil); status != OK {
		return status
	}
	r.print("\nAvailable commands:\n\n  ")
	width := 0
	for _, name := range r.m.profile().Commands() {
		if width+len(name)+2 > 76 {
			r.print("\n  ")
			width = 0
		}
		r.print(name, "  ")
		width += len(name) + 2
	}
	r.print("\n\nType \"<command> --help\" for further information\n\n")
	return OK
}

func imgtrust(r *runner, c *call) Status {
	allow := false
	if _, status := r.options(c, func(o ipxe.Option, _ string) Status { allow = allow || o.Long == "allow"; return OK }); status != OK {
		return status
	}
	r.trusted = !allow
	return OK
}

// cpuid asks for a feature of the processor.
func cpuid(r *runner, c *call) Status {
	words := []string{}
	rest, status := r.options(c, func(o ipxe.Option, _ string) Status {
		words = append(words, "--"+o.Long)
		return OK
	})
	if status != OK {
		return status
	}
	bit, status := r.integer(rest[0])
	if status != OK {
		return status
	}
	words = append(words, strconv.Itoa(int(bit)))
	if contains(r.m.CPU, strings.Join(words, " ")) {
		return OK
	}
	return enoentCPUID
}

func nslookup(r *runner, c *call) Status {
	rest, status := r.options(c, nil)
	if status != OK {
		return status
	}
	w, ok := r.world.(Resolver)
	if !ok {
		status = enxioServer
	} else {
		addr, err := w.LookupHost(r.ctx, rest[1])
		switch {
		case err != nil:
			status = r.unreachable(err)
		default:
			b, s, st := r.parseName(rest[0], true)
			if s.typ == nil {
				s.typ = typeIPv4
				if addr.Is6() && !addr.Is4In6() {
					s.typ = typeIPv6
				}
			}
			if status = st; status == OK {
				status = r.storeText(b, &s, addr.Unmap().String())
			}
		}
	}
	if status != OK && r.fatal == nil {
		r.print("Could not resolve ", rest[1], ": ", r.message(status), "\n")
	}
	return status
}

func ntp(r *runner, c *call) Status {
	rest, status := r.options(c, nil)
	if status != OK {
		return status
	}
	w, ok := r.world.(TimeServer)
	if !ok {
		status = etimedoutJob
	} else if t, err := w.Time(r.ctx, rest[0]); err != nil {
		if status = r.unreachable(err); errors.Is(err, ErrTimeout) {
			status = etimedoutJob
		}
	} else {
		r.clockSkew += t.Sub(r.now())
	}
	if status != OK && r.fatal == nil {
		r.print("Could not get time and date: ", r.message(status), "\n")
	}
	return status
}
