package keepalived

import (
	"net/netip"
	"strconv"
)

// freeVRID returns an id that no other instance has.
func (e *eval) freeVRID(i *Instance) int {
	if e.vrids == nil { // all instances are known here: once is enough
		e.vrids = new([256]bool)
		for _, o := range e.m.Instances {
			if o.VRID >= 0 && o.VRID < 256 {
				e.vrids[o.VRID] = true
			}
		}
	}
	used := e.vrids
	for id := max(51, i.VRID); id < len(used); id++ {
		if !used[id] {
			return id
		}
	}
	for id := 1; id < 51; id++ {
		if !used[id] {
			return id
		}
	}
	return 51
}

// vridConflicts finds instances that take one another's advertisements for their own:
// those of one family and id on one interface, that send to one group, or from one
// address to a peer that they share.
func (e *eval) vridConflicts() {
	type key struct {
		family, vrid int
		unicast      bool
		dev          string
		addr         netip.Addr // the group, or the source
		peer         netip.Addr
	}
	first := map[key]int{}
	for n, i := range e.m.Instances {
		if i.ifp == nil || !i.Unicast && !i.ifp.exists {
			continue
		}
		k := key{family: i.Family, vrid: i.VRID, unicast: i.Unicast, dev: i.ifp.name}
		other := n
		meet := func(k key) {
			e.work++
			if o, ok := first[k]; !ok {
				first[k] = n
			} else {
				other = min(other, o)
			}
		}
		if i.Unicast {
			k.addr = e.sourceOf(i)
			for _, k.peer = range i.Peers {
				meet(k)
			}
		} else {
			k.addr = e.groupOf(i)
			meet(k)
		}
		if other == n {
			continue
		}
		o := e.m.Instances[other]
		f := e.object("KA061", i.vridAt, "%s and %s both have virtual_router_id %d on %s", quoted(o.Name), quoted(i.Name), i.VRID, quoted(i.Interface)).also(o.vridAt, "the first one")
		if i.vridAt.file >= 0 {
			id := strconv.Itoa(e.freeVRID(i))
			f.fix("use "+id, edit{i.vridAt, id})
		}
	}
}

// groupOf returns the multicast group to which an instance sends.
func (e *eval) groupOf(i *Instance) netip.Addr {
	switch {
	case i.mcast.IsValid():
		return i.mcast
	case i.Family == 4:
		return e.m.Global.Multicast4
	}
	return e.m.Global.Multicast6
}

// sourceOf returns the address from which an instance sends, as far as it is known; of
// an interface whose addresses are unknown, a stand-in that is the same for all.
func (e *eval) sourceOf(i *Instance) netip.Addr {
	if i.Source.IsValid() {
		return i.Source
	}
	if h := e.o.Host; h != nil && i.ifp != nil {
		for _, a := range h.Interfaces[i.ifp.name].Addresses {
			if family(a) == i.Family && (i.Family == 4 || isLinkLocal(a)) {
				return a
			}
		}
	}
	return netip.Addr{}
}

// vmacConflicts finds instances that would share a virtual MAC.
func (e *eval) vmacConflicts() {
	used := map[string]*Instance{}
	for _, i := range e.m.Instances {
		if !i.vmac || i.vmacName == "" {
			continue
		}
		used[i.vmacName] = i
	}
	for _, i := range e.m.Instances {
		for _, list := range [][]Address{i.Addresses, i.Excluded} {
			for _, a := range list {
				if o := used[a.Dev]; o != nil && o != i && o.VRID == i.VRID && !(o.sync != nil && o.sync == i.sync) {
					e.object("KA102", a.at, "the address uses the virtual MAC of %s", quoted(o.Name))
				}
			}
		}
	}
}
