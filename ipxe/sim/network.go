package sim

import (
	"fmt"
	"strings"
	"time"

	"dougu.internal/ipxe"
)

// eachCard runs a command on the cards that it names, or on all. With first it ends with
// the first that succeeds.
func (r *runner) eachCard(names []string, first bool, do func(i int) Status) Status {
	status := enodevIfmgmt
	one := func(i int) bool {
		status = do(i)
		return status == OK && first || r.fatal != nil
	}
	if len(names) == 0 {
		for i := range r.cards {
			if !r.cards[i].gone && one(i) {
				break
			}
		}
		return status
	}
	for _, name := range names {
		i := r.findCard(name)
		if i < 0 {
			r.print(`"`, name, "\": no such network device\n")
			status = enodevNet
			continue
		}
		if one(i) {
			break
		}
	}
	return status
}

// findCard returns the number of a card, -1 when there is none.
func (r *runner) findCard(name string) int {
	if name == "netX" {
		return r.lastOpened
	}
	for i := range r.cards {
		if r.cards[i].name == name && !r.cards[i].gone {
			return i
		}
	}
	return -1
}

// openCard opens a card. The cards of VLANs are open when the one below them is.
func (r *runner) openCard(i int) {
	c := &r.cards[i]
	if c.open {
		return
	}
	if c.vlan && !r.cards[c.trunk].open {
		r.openCard(c.trunk) // which opens this one, too
		return
	}
	c.open, r.lastOpened = true, i
	for k := range r.cards {
		if v := &r.cards[k]; v.vlan && v.trunk == i && !v.gone {
			v.open, r.lastOpened = true, k
		}
	}
}

func ifopen(r *runner, c *call) Status {
	return r.eachCard(c.rest, false, func(i int) Status { r.openCard(i); return OK })
}

func ifclose(r *runner, c *call) Status {
	return r.eachCard(c.rest, false, func(i int) Status { r.closeCard(i); return OK })
}

func (r *runner) closeCard(i int) {
	if r.cards[i].vlan {
		i = r.cards[i].trunk
	}
	for k := range r.cards {
		if c := &r.cards[k]; k == i || c.vlan && c.trunk == i {
			c.open = false
		}
	}
	if r.lastOpened >= 0 && r.cards[r.lastOpened].open {
		return
	}
	r.lastOpened = -1
	for k := range r.cards {
		if r.cards[k].open {
			r.lastOpened = k
		}
	}
}

func (r *runner) cardBlock(i int) *block {
	for _, b := range r.root.children {
		if b.kind == netBlock && b.nic == i {
			return b
		}
	}
	return &r.root
}

func ifconf(r *runner, c *call) Status {
	return r.eachCard(c.rest, true, func(i int) Status {
		card := &r.cards[i]
		r.openCard(i)
		if card.NoLink {
			r.print("Waiting for link-up on ", r.cards[i].name, "... ", r.message(enotconnLink), "\n")
			r.closeCard(i)
			return enotconnLink
		}
		how := ""
		if c.configurator != "" {
			how = "[" + c.configurator + "] "
		}
		r.print("Configuring ", how, "(", r.cards[i].name, " ", macText(card.mac), ")...")
		if len(card.offers()) == 0 {
			r.print(" ", r.message(etimedoutJob), "\n")
			r.closeCard(i)
			return etimedoutJob
		}
		if err := r.lease(r.cardBlock(i), card); err != nil {
			r.fail(err)
		}
		r.print(" ok\n")
		return OK
	})
}

func iflinkwait(r *runner, c *call) Status {
	return r.eachCard(c.rest, true, func(i int) Status {
		r.openCard(i)
		if r.cards[i].NoLink {
			r.print("Waiting for link-up on ", r.cards[i].name, "... ", r.message(enotconnLink), "\n")
			return enotconnLink
		}
		return OK
	})
}

// ifstat prints the cards; the counters of packets are 0, as nothing is simulated there.
func ifstat(r *runner, c *call) Status {
	return r.eachCard(c.rest, false, func(i int) Status {
		card := &r.cards[i]
		state, link := "closed", "up"
		if card.open {
			state = "open"
		}
		if card.NoLink {
			link = "down"
		}
		if r.p.URI == ipxe.Keep {
			state = "Ethernet) [" + state + "]"
		} else {
			state += ")"
		}
		r.print(fmt.Sprintf("%s: %s using %s on %s (%s\n  [Link:%s, TX:0 TXE:0 RX:0 RXE:0]\n",
			card.name, macText(card.mac), card.driver(), card.bus(), state, link))
		if card.NoLink {
			r.print("  [Link status: ", r.message(enotconnLink), "]\n")
		}
		return OK
	})
}

// route prints the addresses of the cards that have one.
func route(r *runner, c *call) Status {
	for i := range r.cards {
		b := r.cardBlock(i)
		get := func(name string) string {
			s := predefined[predefinedByName[name]]
			text, _, _, _ := r.formatted(b, &s)
			return text
		}
		ip := get("ip")
		if ip == "" {
			continue
		}
		mask, gateway := get("netmask"), get("gateway")
		if mask == "" {
			mask = "255.0.0.0"
		}
		r.print(r.cards[i].name, ": ", ip, "/", mask)
		if gateway != "" && gateway != "0.0.0.0" {
			r.print(" gw ", gateway)
		}
		if !r.cards[i].open {
			r.print(" (inaccessible)")
		}
		r.print("\n")
	}
	return OK
}

// biosTick is how often a BIOS build of 2019 looks at its clock.
const biosTick = 55 * time.Millisecond

// sync waits for what goes on in the background; here nothing does. A shorter time than
// the clock's own step is over at once.
func sync(r *runner, c *call) Status {
	if c.timeout > 0 && c.timeout < biosTick && r.p.URI == ipxe.Reencode {
		r.print("Operations did not complete: ", r.message(etimedoutJob), "\n")
		return etimedoutJob
	}
	return OK
}

// wireless prints what a wireless card knows of its networks; there are none.
func wireless(r *runner, c *call) Status {
	return r.eachCard(c.rest, false, func(int) Status { return OK })
}

// pxebs asks a PXE boot server, which is not simulated.
func pxebs(r *runner, c *call) Status {
	if r.findCard(c.rest[0]) < 0 {
		r.print(`"`, c.rest[0], "\": no such network device\n")
		return enodevNet
	}
	if _, status := r.integer(c.rest[1]); status != OK {
		return status
	}
	return unsimulated(r, c)
}

// autoboot does what iPXE does without a script: DHCP, then the file or the root path
// that it names.
func autoboot(r *runner, c *call) Status {
	return r.eachCard(c.rest, false, func(i int) Status {
		status := ifconf(r, &call{y: r.build.Command("ifconf"), name: "ifconf", rest: []string{r.cards[i].name}})
		if status != OK || r.fatal != nil {
			return status
		}
		b := r.cardBlock(i)
		get := func(name string) string {
			s := predefined[predefinedByName[name]]
			text, _, _, _ := r.formatted(b, &s)
			return text
		}
		server, file := get("next-server"), get("filename")
		if server != "" {
			r.print("Next server: ", server, "\n")
		}
		if file == "" {
			r.print("Nothing to boot: ", r.message(enoentBoot), "\n")
			return enoentBoot
		}
		r.print("Filename: ", file, "\n")
		if !strings.Contains(file, "://") {
			file = "tftp://" + server + "/" + file
		}
		img, status := r.download(file, 0, false)
		if status != OK || r.fatal != nil {
			return status
		}
		imgstatOne(r, img)
		img.autofree = true
		if status = r.exec(img); status != OK && r.fatal == nil {
			r.print("Could not boot image: ", r.message(status), "\n")
		}
		return status
	})
}

func sanhook(r *runner, c *call) Status {
	return r.hook(c, c.rest)
}

// hook asks for the disk as iPXE does: the first block of an http path by a HEAD-like
// request. Other protocols are taken to work.
func (r *runner) hook(o *call, paths []string) Status {
	for _, p := range paths {
		u := r.resolveURI(r.cwuri, r.parseURI(p))
		switch s := u.scheme.text; {
		case u.scheme.is && (s == "iscsi" || s == "aoe" || s == "ib_srp" || s == "fcp"):
		case r.canOpen(u) == OK:
			q := r.request(u, "")
			q.Method = "HEAD"
			if !r.charge(len(q.URI) + 64) {
				return OK
			}
			a, err := r.world.Fetch(r.ctx, q)
			status := OK
			if err != nil {
				status = r.unreachable(err)
			} else {
				status = httpStatus(a.Status)
			}
			if status != OK {
				r.print("Could not open SAN device: ", r.message(status), "\n")
				return status
			}
		default:
			r.print("Could not open SAN device: ", r.message(enotsupOpen), "\n")
			return enotsupOpen
		}
	}
	if r.sanDrive == nil {
		r.sanDrive = map[int]bool{}
	}
	r.sanDrive[o.drive] = true
	r.print(fmt.Sprintf("Registered SAN device 0x%02x\n", o.drive))
	return OK
}

func sanboot(r *runner, c *call) Status {
	if len(c.rest) > 0 {
		if status := r.hook(c, c.rest); status != OK || r.fatal != nil {
			return status
		}
	}
	skip := setting{"skip-san-boot", encap(9), noScope, typeInt8}
	if v, _, _, ok := r.fetch(&r.root, &skip); ok {
		if n, _ := number(v, true); n != 0 {
			r.print(fmt.Sprintf("Skipping boot from SAN device 0x%02x\n", c.drive))
			return r.unhook(c, len(c.rest) > 0)
		}
	}
	file := ""
	if c.filename != "" {
		file = " " + c.filename
	}
	r.print(fmt.Sprintf("Booting%s from SAN device 0x%02x\n", file, c.drive))
	if len(c.rest) > 0 || r.sanDrive[c.drive] || r.m.Disk && c.drive == biosDisk {
		return r.end(Boot{Kind: SAN, Drive: c.drive, Path: c.rest})
	}
	status := eioSAN
	r.print(fmt.Sprintf("Boot from SAN device 0x%02x failed: ", c.drive), r.message(status), "\n")
	return status
}

func (r *runner) unhook(o *call, hooked bool) Status {
	if hooked && !o.keep {
		delete(r.sanDrive, o.drive)
		r.print(fmt.Sprintf("Unregistered SAN device 0x%02x\n", o.drive))
	}
	return OK
}

func sanunhook(r *runner, c *call) Status {
	return r.unhook(c, true)
}
