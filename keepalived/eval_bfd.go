package keepalived

// assert records that this release dies of an assertion or a null pointer.
func (e *eval) crash(f *finding) *finding {
	f.crashes = true
	return f
}

func (e *eval) bfdInstance(s *stmt) {
	e.inBFD = true
	name := s.arg(1)
	if len(s.w) < 2 {
		e.crash(e.object("KA190", e.lineSpan(s), "bfd_instance wants a name"))
		e.skip = -1
		return
	}
	if len(name) >= 32 {
		f := e.object("KA190", e.argSpan(s, 1), "bfd_instance: the name is longer than 31 bytes")
		f.quiet = e.prog != bfd
		if e.prog != checker {
			e.skip = -1
			e.bfd = nil
			return
		}
	}
	if old := e.bfds[name]; old != nil {
		f := e.object("KA076", e.argSpan(s, 1), "the bfd_instance %s is defined twice", quoted(name)).also(old.head, "the first one")
		f.quiet = e.prog != bfd
		e.skip = -1
		e.bfd = nil
		return
	}
	e.bfd = &BFD{Name: name, head: e.lineSpan(s), hopsAt: nowhere}
	e.bfds[name] = e.bfd
	if e.prog == bfd {
		e.m.BFD = append(e.m.BFD, e.bfd)
		e.headSurplus(s, 2)
	}
}

// mine reports whether the process looks at the keyword.
func (e *eval) mine() bool { return e.prog == bfd && e.bfd != nil }

func (e *eval) bfdNeighbor(s *stmt) {
	if !e.mine() {
		return
	}
	if len(s.w) < 2 {
		e.crash(e.object("KA190", e.lineSpan(s), "%s wants an address", s.arg(0)))
		return
	}
	a, ok := sockAddr(s.arg(1))
	if !ok {
		e.object("KA190", e.argSpan(s, 1), "%s: %s is no address", s.arg(0), quoted(s.arg(1)))
		delete(e.bfds, e.bfd.Name)
		e.skip = 1
		return
	}
	e.bfd.Neighbor = a
	e.surplus(s, 2)
}

func (e *eval) bfdSource(s *stmt) {
	if !e.mine() {
		return
	}
	a, ok := e.addrWord(s, 1)
	if len(s.w) < 2 {
		return
	}
	if !ok {
		e.object("KA190", e.argSpan(s, 1), "source_ip: %s is no address", quoted(s.arg(1)))
		return
	}
	e.bfd.Source = a
	e.surplus(s, 2)
}

func (e *eval) bfdNumber(s *stmt) {
	if !e.mine() {
		return
	}
	e.generic(s)
}

func (e *eval) bfdTTL(s *stmt) {
	if !e.mine() {
		return
	}
	if n, ok := e.number(s, 1); ok {
		e.bfd.ttl = n
		e.surplus(s, 2)
	}
}

func (e *eval) bfdHops(s *stmt) {
	if !e.mine() {
		return
	}
	if n, ok := e.number(s, 1); ok {
		e.bfd.maxHops = n
		e.bfd.hopsAt = e.argSpan(s, 1)
		e.surplus(s, 2)
	}
}

func (e *eval) bfdWeight(s *stmt) {
	if e.prog != vrrp || e.bfd == nil {
		return
	}
	n, ok := e.number(s, 1)
	if ok {
		e.bfd.Weight = int(n)
	}
	if len(s.w) >= 3 {
		if s.arg(2) == "reverse" {
			e.bfd.Reverse = true
		} else {
			e.object("KA191", e.argSpan(s, 2), "weight: %s is not reverse", quoted(s.arg(2))).fix("delete the word", edit{e.trailing(s, 1), ""})
		}
	}
}

func (e *eval) bfdFor(s *stmt) {
	if e.bfd == nil {
		return
	}
	if s.k.name == "vrrp" {
		e.bfd.vrrp = true
	} else {
		e.bfd.checker = true
	}
	if e.prog == bfd {
		e.flag(s)
	}
}

func (e *eval) bfdFlag(s *stmt) {
	if e.mine() {
		e.flag(s)
	}
}

func (e *eval) endBFD() {
	defer func() { e.inBFD = false }()
	b := e.bfd
	if b == nil {
		return
	}
	switch e.prog {
	case vrrp:
		if (b.vrrp || b.checker) && !b.vrrp {
			delete(e.bfds, b.Name)
		}
		return
	case checker:
		if (b.vrrp || b.checker) && !b.checker {
			delete(e.bfds, b.Name)
		}
		return
	}
	drop := func() { delete(e.bfds, b.Name) }
	switch {
	case !b.Neighbor.IsValid():
		e.object("KA190", b.head, "the bfd_instance %s has no neighbor_ip", quoted(b.Name))
		drop()
		return
	case b.Source.IsValid() && family(b.Source) != family(b.Neighbor):
		e.object("KA190", b.head, "the bfd_instance %s has a source_ip and a neighbor_ip of different families", quoted(b.Name))
		drop()
		return
	}
	// A neighbour may have several instances only when each has its own source.
	any, plain := "any "+b.Neighbor.String(), b.Neighbor.String()+" "
	own := plain
	if b.Source.IsValid() {
		own += b.Source.String()
	}
	old := e.bfdAddrs[plain]
	if old == nil {
		old = e.bfdAddrs[own]
	}
	if old == nil && own == plain {
		old = e.bfdAddrs[any]
	}
	if old != nil {
		e.object("KA190", b.head, "the bfd_instance %s has the addresses of %s", quoted(b.Name), quoted(old.Name)).also(old.head, "the first one")
		drop()
		return
	}
	e.bfdAddrs[any], e.bfdAddrs[own] = b, b
	ttl := b.ttl
	if ttl == 0 {
		ttl = 255
		if family(b.Neighbor) == 6 {
			ttl = 64
		}
	}
	if b.maxHops > ttl {
		e.object("KA191", b.hopsAt, "max_hops: %d is above the ttl, %d", b.maxHops, ttl).fix("use the ttl", edit{b.hopsAt, formatInt(ttl, false)})
	}
}
