package sim

import "strconv"

// vcreate makes a card that speaks one VLAN of another.
func vcreate(r *runner, c *call) Status {
	trunk := r.findCard(c.rest[0])
	if trunk < 0 {
		r.print(`"`, c.rest[0], "\": no such network device\n")
		return enodevNet
	}
	status := r.addVLAN(trunk, c.tag, c.priority)
	if status != OK {
		r.print("Could not create VLAN device: ", r.message(status), "\n")
	}
	return status
}

// maxCards bounds the cards that a script makes.
const maxCards = 1 << 13

func (r *runner) addVLAN(trunk, tag, priority int) Status {
	t := &r.cards[trunk]
	name := t.name + "-" + strconv.Itoa(tag)
	switch {
	case r.findCard(name) >= 0:
		return OK // only its priority changes
	case t.vlan:
		return enottyVLAN
	case tag >= 0xfff || priority > 7:
		return einvalVLAN
	case len(r.cards) >= maxCards:
		r.stop(HazardResources, "more than 8192 network cards")
		return OK
	}
	nic := &NIC{Driver: t.driver(), Bus: t.bus(), NoLink: t.NoLink, DHCP: t.VLANs[tag]}
	if nic.DHCP == nil {
		nic.DHCP = map[string]string{} // nobody answers there
	}
	r.cards = append(r.cards, card{NIC: nic, name: name, vlan: true, trunk: trunk, mac: t.mac, hw: t.mac})
	b := r.block()
	b.name, b.kind, b.parent, b.nic = name, netBlock, &r.root, len(r.cards)-1
	r.root.children = append(r.root.children, b)
	r.reprioritise(b)
	if r.cards[trunk].open {
		r.openCard(len(r.cards) - 1)
	}
	return OK
}

func vdestroy(r *runner, c *call) Status {
	i := r.findCard(c.rest[0])
	if i < 0 {
		r.print(`"`, c.rest[0], "\": no such network device\n")
		return enodevNet
	}
	if !r.cards[i].vlan {
		r.print("Could not destroy VLAN device: ", r.message(enottyVLAN), "\n")
		return enottyVLAN
	}
	if r.cards[i].open {
		r.closeCard(i)
	}
	r.cards[i].gone = true
	for k, b := range r.root.children {
		if b.kind == netBlock && b.nic == i {
			r.root.children = append(r.root.children[:k], r.root.children[k+1:]...)
			break
		}
	}
	return OK
}
