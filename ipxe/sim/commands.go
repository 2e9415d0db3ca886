package sim

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

func echo(r *runner, c *call) Status {
	for i, w := range c.rest {
		if i > 0 {
			r.print(" ")
		}
		r.print(w)
	}
	if !c.open {
		r.print("\n")
	}
	return OK
}

func set(r *runner, c *call) Status {
	return r.storeCommand(c, true)
}

// join puts words together with blanks.
func (r *runner) join(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	out := r.scratch[:0]
	for i, w := range words {
		if i > 0 {
			out = append(out, ' ')
		}
		out = append(out, w...)
	}
	r.scratch = out
	return r.keepText(out)
}

func clearSetting(r *runner, c *call) Status {
	return r.storeCommand(c, false)
}

func (r *runner) storeCommand(c *call, withValue bool) Status {
	b, s, status := r.settingName(c.rest[0], true)
	if status != OK {
		return status
	}
	text := ""
	if withValue {
		text = r.join(c.rest[1:])
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
	b, s, status := r.settingName(c.rest[0], false)
	if status != OK {
		return status
	}
	step := uint32(1)
	if len(c.rest) > 1 {
		if step, status = r.integer(c.rest[1]); status != OK {
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
	return r.keep(b, &s, r.store(b, &s, s.typ.denumerate(r.keepBytes(4), value+step)))
}

func show(r *runner, c *call) Status {
	b, s, status := r.settingName(c.rest[0], false)
	if status != OK {
		return status
	}
	text, origin, found, status := r.formatted(b, &s)
	if status != OK {
		r.print(`Could not find "`, s.name, `": `, r.message(status), "\n")
		return status
	}
	if !c.quiet {
		r.print(r.fullName(origin, &found), " = ")
	}
	r.print(text, "\n")
	return OK
}

func isset(r *runner, c *call) Status {
	if c.rest[0] == "" {
		return enoentIsset
	}
	return OK
}

func iseq(r *runner, c *call) Status {
	if c.rest[0] != c.rest[1] {
		return erangeIseq
	}
	return OK
}

func gotoLabel(r *runner, c *call) Status {
	s := r.script
	at, ok := s.Label(c.rest[0])
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
	code := uint32(0)
	if len(c.rest) > 0 {
		var status Status
		if code, status = r.integer(c.rest[0]); status != OK {
			return status
		}
	}
	r.stop1 = stopSequence
	return Status(code)
}

func sleep(r *runner, c *call) Status {
	seconds, status := r.integer(c.rest[0])
	if status == OK {
		r.elapsed += time.Duration(seconds) * time.Second
	}
	return status
}

func timeCommand(r *runner, c *call) Status {
	// The firmware runs whatever follows the word time, without reading options of its own.
	if len(c.args) > 0 && (c.args[0] == "-h" || c.args[0] == "--help") || len(c.args) == 0 || len(c.args) > c.y.Max {
		_, status := r.scan(c)
		return status
	}
	start := r.elapsed
	if !r.step() {
		return OK
	}
	k := r.takeCall()
	status := r.execute(nil, k, c.args)
	r.giveCall(k)
	if r.fatal == nil {
		tenths := int((r.elapsed - start) / (100 * time.Millisecond))
		r.print(fmt.Sprintf("%s: %d.%ds\n", c.name, tenths/10, tenths%10))
	}
	return status
}

// accept stands for commands that change nothing a script can see.
func accept(*runner, *call) Status { return OK }

// unsimulated stands for commands that the interpreter does not run: it says so, and
// lets them fail.
func unsimulated(r *runner, c *call) Status {
	r.hazard(HazardUnknown, c.name+" is not simulated: it fails here with \"Operation not supported\"")
	return enotsupOpen
}

func reboot(r *runner, c *call) Status {
	return r.end(Boot{Kind: Reboot, Warm: c.warm})
}

func poweroff(r *runner, c *call) Status {
	return r.end(Boot{Kind: PowerOff})
}

func shell(r *runner, c *call) Status {
	return r.end(Boot{Kind: Shell})
}

// config opens a screen in which a user changes settings: keys do nothing here but
// Ctrl-X, which leaves it.
func config(r *runner, c *call) Status {
	if len(c.rest) > 0 && r.findBlock(c.rest[0], false) == nil {
		r.print(`"`, c.rest[0], "\": no such scope\n")
		return einvalScope
	}
	if r.opts.Decide != nil {
		r.hazard(HazardUnknown, "config opens a screen, which is not simulated: the user is taken to leave it unchanged")
		return OK
	}
	for r.step() {
		if k, ok := r.waitKey(0, "config"); !ok || k == 0x18 {
			break
		}
	}
	return OK
}

// login asks for a name and a password, which it stores as username and password.
func login(r *runner, c *call) Status {
	var text [2]string
	for i, name := range [...]string{"username", "password"} {
		status := OK
		if r.opts.Decide != nil {
			a := r.opts.Decide(Question{Command: "read", Setting: name})
			if text[i] = a.Text; a.Cancel {
				status = ecanceledLogin
			}
		} else if text[i], status = r.edit("", 0); status != OK {
			status = ecanceledLogin
		}
		if r.fatal != nil {
			return OK
		}
		if status != OK {
			r.print("Could not set credentials: ", r.message(status), "\n")
			return status
		}
	}
	for i, name := range [...]string{"username", "password"} {
		s := predefined[predefinedByName[name]]
		if status := r.storeText(&r.root, &s, text[i]); status != OK {
			return status
		}
	}
	return OK
}

// help lists the commands. It looks at nothing behind its name.
func help(r *runner, _ *call) Status {
	r.print("\nAvailable commands:\n\n")
	column := 0
	for _, name := range r.build.Listed() {
		r.print("  ", name)
		if column += 2 + len(name); column > 4*helpColumn {
			r.print("\n")
			column = 0
			continue
		}
		if n := column % helpColumn; n > 0 {
			r.print(strings.Repeat(" ", helpColumn-n))
			column += helpColumn - n
		}
	}
	r.print("\n\nType \"<command> --help\" for further information\n\n")
	return OK
}

const helpColumn = 16

func imgtrust(r *runner, c *call) Status {
	r.trusted = !c.allow
	return OK
}

// cpuid asks for a feature of the processor.
func cpuid(r *runner, c *call) Status {
	bit, status := r.integer(c.rest[0])
	if status != OK {
		return status
	}
	if contains(r.m.CPU, strings.Join(append(c.features, strconv.Itoa(int(bit))), " ")) {
		return OK
	}
	return enoentCPUID
}

func nslookup(r *runner, c *call) Status {
	status := OK
	w, ok := r.world.(Resolver)
	if !ok {
		status = enxioServer
	} else {
		addr, err := w.LookupHost(r.ctx, c.rest[1])
		switch {
		case err != nil:
			status = r.unreachable(err)
		default:
			b, s, st := r.parseName(c.rest[0], true)
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
		r.print("Could not resolve ", c.rest[1], ": ", r.message(status), "\n")
	}
	return status
}

func ntp(r *runner, c *call) Status {
	status := OK
	w, ok := r.world.(TimeServer)
	if !ok {
		status = etimedoutJob
	} else if t, err := w.Time(r.ctx, c.rest[0]); err != nil {
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
