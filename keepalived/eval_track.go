package keepalived

import (
	"strings"

	"dougu.internal/diag"
)

// iface looks an interface up. It is nil when it does not exist and may not come
// later; then the daemon gives up at the end.
func (e *eval) iface(name string) *netIf {
	exists, _ := e.o.Host.knows(name)
	if exists {
		return &netIf{name, true}
	}
	if e.m.Global.DynamicInterfaces {
		return &netIf{name, false}
	}
	e.noInterface = true
	return nil
}

// noSuchInterface records an interface that the host does not have.
func (e *eval) noSuchInterface(rule string, at span, name string, fixable bool) *finding {
	f := e.object(rule, at, "there is no interface %s", quoted(name))
	if e.o.Host != nil && fixable {
		if n := near(name, sortedKeys(e.o.Host.Interfaces)); n != "" && n != name {
			f.fix("use "+n, edit{at, n})
		}
	}
	return f
}

// tracks returns the list to which the block that is read adds, and its owner's name.
func (e *eval) tracks(s *stmt) *[]Track {
	if e.inst == nil {
		return &e.group.tracks
	}
	return &e.inst.Tracks
}

// addTrack reads "NAME [weight N [reverse|noreverse]]". The values given are those of
// the definition.
func (e *eval) addTrack(list *[]Track, s *stmt, t Track, min, max int64) {
	t.at = e.lineSpan(s)
	key := trackKey{list, t.Kind, t.Name}
	e.work++
	if first, ok := e.tracked[key]; ok {
		e.object("KA010", e.argSpan(s, 0), "the %s %s is tracked twice", t.Kind, quoted(t.Name)).also(first, "the first one").
			fix("delete the line", edit{e.c.lineOf(e.argSpan(s, 0)), ""})
		return
	}
	if len(s.w) >= 2 {
		if s.w[1].s != "weight" {
			e.object("KA126", e.argsSpan(s, 1), "a tracked %s takes weight N, not %s", t.Kind, quoted(s.w[1].s))
			return
		}
		if len(s.w) == 2 {
			e.object("KA006", e.lineSpan(s), "weight wants a value")
			return
		}
		def := t.Weight
		t.weightAt = e.argSpan(s, 2)
		n := len(e.found)
		v, ok := e.numberIn(s, 2, min, max, false)
		for _, f := range e.found[n:] {
			if f.rule == "KA043" || f.rule == "KA042" {
				f.rule = "KA126"
				for k := range f.fixes {
					for m := range f.fixes[k].edits {
						if x := &f.fixes[k].edits[m].text; (t.Kind == "interface" || t.Kind == "script") && strings.HasSuffix(*x, "254") {
							*x = strings.TrimSuffix(*x, "4") + "3"
							f.fixes[k].title = "use " + *x
						}
					}
				}
			}
		}
		t.deflt = false
		switch {
		case !ok:
			t.Weight = def
			if t.Kind == "interface" {
				t.Weight = 0
			}
		case (t.Kind == "interface" || t.Kind == "script") && (v == 254 || v == -254):
			near := v / 254 * 253
			e.object("KA126", e.argSpan(s, 2), "weight: %d is out of range: -253 to 253", v).fix("use the nearest", edit{e.argSpan(s, 2), formatInt(near, false)})
			t.Weight = int(near)
		default:
			t.Weight = int(v)
		}
		if len(s.w) >= 4 {
			switch {
			case s.w[3].s == "reverse":
				t.Reverse = true
			case s.w[3].s == "noreverse" && t.Kind != "interface":
				t.Reverse = false
			default:
				e.object("KA126", e.argSpan(s, 3), "weight: %s is not reverse", quoted(s.w[3].s)).fix("delete the word", edit{e.trailing(s, 2), ""})
				if t.Kind == "file" || t.Kind == "bfd" {
					return
				}
			}
			e.surplus(s, 4)
		}
	}
	if e.tracked == nil {
		e.tracked = map[trackKey]span{}
	}
	e.tracked[key] = t.at
	*list = append(*list, t)
}

// trackKey names something that one instance or group tracks.
type trackKey struct {
	list       *[]Track
	kind, name string
}

func (e *eval) trackInterface(s *stmt) {
	list := e.tracks(s)
	e.values(s, 1, func(v *stmt) {
		name := v.arg(0)
		if e.iface(name) == nil {
			e.noSuchInterface("KA101", e.argSpan(v, 0), name, e.literal(v, 0))
			return
		}
		e.addTrack(list, v, Track{weightAt: nowhere, Kind: "interface", Name: name}, -254, 254)
	})
}

func (e *eval) trackScript(s *stmt) {
	list := e.tracks(s)
	e.values(s, 1, func(v *stmt) {
		sc := e.scripts[v.arg(0)]
		if sc == nil {
			e.notDefined(v, "vrrp_script", "KA120", func() []string { return sortedKeys(e.scripts) })
			return
		}
		sc.tracked = true
		e.addTrack(list, v, Track{Kind: "script", Name: sc.Name, Weight: sc.Weight, Reverse: sc.Reverse, weightAt: sc.weightAt}, -254, 254)
	})
}

// notDefined records the use of something that is not defined, or not yet.
func (e *eval) notDefined(s *stmt, block, rule string, known func() []string) {
	at := e.argSpan(s, 0)
	name := s.arg(0)
	ahead := e.lines[min(e.pos, len(e.lines)):]
	costly := e.spend(len(ahead))
	if !costly {
		ahead = nil
	}
	for i, l := range ahead {
		t := e.c.text(l)
		if len(t) > len(block) && t[:len(block)] == block {
			w, _ := split(nil, t)
			if len(w) > 1 && w[0].s == block && w[1].s == name {
				f := e.object("KA121", at, "%s %s is defined after its use here, which is too late", block, quoted(name)).also(e.c.span(l, 0, len(t)), "defined here")
				e.moveUp(f, e.pos+i)
				return
			}
		}
	}
	f := e.object(rule, at, "there is no %s %s", block, quoted(name))
	if !costly {
		return
	}
	if n := near(name, known()); n != "" && e.literal(s, 0) {
		f.msg += "; did you mean " + n + "?"
		f.fix("use "+n, edit{at, n})
	}
}

// moveUp offers to move the block that begins at that line in front of the block that
// is being read.
func (e *eval) moveUp(f *finding, from int) {
	depth, to := 0, -1
	for i := from + 1; i < len(e.lines) && i < from+1000; i++ {
		switch e.c.text(e.lines[i]) {
		case "{":
			depth++
		case "}":
			depth--
			if depth == 0 {
				to = i
			}
		}
		if to >= 0 {
			break
		}
	}
	if to < 0 || e.head.file < 0 {
		return
	}
	a := e.c.lineOf(e.c.span(e.lines[from], 0, len(e.c.text(e.lines[from]))))
	b := e.c.lineOf(e.c.span(e.lines[to], 0, 1))
	h := e.c.lineOf(e.head)
	if a.file != b.file || a.file != h.file || b.from < a.from || h.from > a.from {
		return
	}
	text := e.c.sources[a.file].text[a.from:b.to]
	if text == "" || text[len(text)-1] != '\n' {
		text += e.c.newline(a.file)
	}
	f.fix("move the definition up", edit{span{a.file, a.from, b.to}, ""}, edit{span{h.file, h.from, h.from}, text})
}

func (e *eval) trackFiles(s *stmt) {
	list := e.tracks(s)
	e.values(s, 1, func(v *stmt) {
		f := e.fileIdx[v.arg(0)]
		if f == nil {
			e.notDefined(v, "track_file", "KA120", func() []string { return sortedKeys(e.fileIdx) })
			return
		}
		e.addTrack(list, v, Track{weightAt: nowhere, Kind: "file", Name: f.Name, Weight: f.Weight, Reverse: f.Reverse, deflt: true}, -254, 254)
	})
}

func (e *eval) trackProcess(s *stmt) {
	list := e.tracks(s)
	e.values(s, 1, func(v *stmt) {
		p := e.procs[v.arg(0)]
		if p == nil {
			e.notDefined(v, "vrrp_track_process", "KA120", func() []string { return sortedKeys(e.procs) })
			return
		}
		e.addTrack(list, v, Track{weightAt: nowhere, Kind: "process", Name: p.Name, Weight: p.Weight, Reverse: p.Reverse}, -254, 254)
	})
}

func (e *eval) trackBFD(s *stmt) {
	list := e.tracks(s)
	e.values(s, 1, func(v *stmt) {
		b := e.bfds[v.arg(0)]
		if b == nil {
			e.notDefined(v, "bfd_instance", "KA120", func() []string { return sortedKeys(e.bfds) })
			return
		}
		e.addTrack(list, v, Track{weightAt: nowhere, Kind: "bfd", Name: b.Name, Weight: b.Weight, Reverse: b.Reverse}, -253, 253)
	})
}

func (e *eval) trackFile(s *stmt) {
	if len(s.w) < 2 {
		e.missing(s, 1)
	}
	e.file = &TrackFile{Name: s.arg(1), Weight: 1, head: e.lineSpan(s)}
	e.fileW = false
	e.headSurplus(s, 2)
}

func (e *eval) trackFileFile(s *stmt) {
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	if e.file == nil {
		return
	}
	if e.file.File != "" {
		e.object("KA010", e.lineSpan(s), "file stands twice; the first one wins").fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
		return
	}
	e.file.File = s.arg(1)
	e.surplus(s, 2)
}

func (e *eval) trackFileWeight(s *stmt) {
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	if e.file == nil {
		return
	}
	if e.file.Weight != 1 {
		e.object("KA010", e.lineSpan(s), "weight stands twice; the first one wins").fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
		return
	}
	n, ok := e.number(s, 1)
	if !ok {
		n = 1
	}
	e.file.Weight = int(n)
	if len(s.w) >= 3 {
		if s.arg(2) == "reverse" {
			e.file.Reverse = true
		} else {
			e.object("KA126", e.argSpan(s, 2), "weight: %s is not reverse", quoted(s.arg(2))).fix("delete the word", edit{e.trailing(s, 1), ""})
		}
	}
}

func (e *eval) trackFileInit(s *stmt) {
	if e.file == nil {
		return
	}
	for i := 1; i < len(s.w); i++ {
		w := trimBlanks(s.w[i].s)
		switch {
		case w != "" && (isDigit(w[0]) || w[0] == '-'):
			v, ok := e.numberIn(s, i, -2147483648, 2147483647, false)
			if ok && (v < -254 || v > 254) {
				e.object("KA043", e.argSpan(s, i), "init_file: %d is out of range: -254 to 254", v)
			}
		case w == "overwrite":
		default:
			e.object("KA009", e.argSpan(s, i), "init_file takes overwrite or a number, not %s", quoted(w))
		}
	}
}

func trimBlanks(s string) string {
	for s != "" && isBlank(s[0]) {
		s = s[1:]
	}
	return s
}

func (e *eval) endTrackFile() {
	f := e.file
	if f == nil {
		return
	}
	if f.File == "" {
		e.object("KA124", f.head, "the track_file %s has no file", quoted(f.Name))
		return
	}
	e.file = nil
	e.files = append(e.files, f)
	if _, ok := e.fileIdx[f.Name]; !ok {
		e.fileIdx[f.Name] = f
	}
	if e.prog == vrrp {
		e.m.TrackFiles = append(e.m.TrackFiles, f)
	}
}

func (e *eval) trackProcessBlock(s *stmt) {
	if len(s.w) < 2 {
		e.missing(s, 1)
	}
	e.process = &TrackProcess{Name: s.arg(1), head: e.lineSpan(s), quorum: 1, quorumMax: 4294967295}
	e.headSurplus(s, 2)
}

func (e *eval) processProcess(s *stmt) {
	p := e.process
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	if p.Process != "" {
		e.object("KA010", e.lineSpan(s), "process stands twice; the first one wins").fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
		return
	}
	p.Process = s.arg(1)
}

func (e *eval) processMatch(s *stmt) {
	switch s.arg(1) {
	case "", "initial", "partial":
		if len(s.w) == 2 && s.arg(1) == "" {
			e.object("KA009", e.argSpan(s, 1), "param_match takes initial, partial or nothing")
		}
	default:
		e.object("KA009", e.argSpan(s, 1), "param_match takes initial, partial or nothing, not %s", quoted(s.arg(1)))
	}
}

func (e *eval) processWeight(s *stmt) {
	p := e.process
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	if p.Weight != 0 {
		e.object("KA010", e.lineSpan(s), "weight stands twice; the first one wins").fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
		return
	}
	n, ok := e.number(s, 1)
	if !ok {
		return
	}
	if len(s.w) >= 3 {
		if s.arg(2) == "reverse" {
			p.Reverse = true
		} else {
			e.object("KA126", e.argSpan(s, 2), "weight: %s is not reverse", quoted(s.arg(2))).fix("delete the word", edit{e.trailing(s, 1), ""})
		}
	}
	p.Weight = int(n)
}

func (e *eval) processQuorum(s *stmt) {
	n, ok := e.number(s, 1)
	if !ok {
		return
	}
	if n > e.process.quorumMax {
		e.object("KA043", e.argSpan(s, 1), "quorum: %d is above quorum_max, %d", n, e.process.quorumMax)
		return
	}
	e.process.quorum = n
}

func (e *eval) processQuorumMax(s *stmt) {
	n, ok := e.number(s, 1)
	if !ok {
		return
	}
	p := e.process
	if (n > 0 || p.quorum > 1) && n < p.quorum {
		e.object("KA043", e.argSpan(s, 1), "quorum_max: %d is below quorum, %d", n, p.quorum)
		return
	}
	p.quorumMax = n
	if n == 0 {
		p.quorum = 0
	} else if p.quorum == 0 {
		p.quorum = 1
	}
}

func (e *eval) endProcess() {
	p := e.process
	if p.Process == "" {
		e.object("KA124", p.head, "the vrrp_track_process %s names no process", quoted(p.Name))
		return
	}
	if _, ok := e.procs[p.Name]; !ok {
		e.procs[p.Name] = p
	}
	e.m.Processes = append(e.m.Processes, p)
}

type trackGroupState struct {
	name string
	set  bool
	head span
}

func (e *eval) trackGroup(s *stmt) {
	e.tgroup = &trackGroupState{head: e.lineSpan(s)}
	if len(s.w) != 2 {
		e.object("KA077", e.lineSpan(s), "track_group wants one name").weigh(diag.Error)
		e.skip = -1
		return
	}
	if old := e.tgroups[s.arg(1)]; old != nil {
		e.object("KA076", e.argSpan(s, 1), "the track_group %s is defined twice", quoted(s.arg(1))).also(old.head, "the first one")
		e.skip = -1
		return
	}
	e.tgroup = &trackGroupState{name: s.arg(1), head: e.lineSpan(s)}
	e.tgroups[s.arg(1)] = e.tgroup
}

func (e *eval) trackGroupGroup(s *stmt) {
	if e.tgroup.set {
		e.object("KA010", e.lineSpan(s), "group stands twice; the first one wins")
		e.skip = -1
		return
	}
	n := 0
	e.values(s, 1, func(v *stmt) { n += len(v.w) })
	if n == 0 {
		e.object("KA155", e.lineSpan(s), "the group of %s is empty", quoted(e.tgroup.name))
		return
	}
	e.tgroup.set = true
}

func (e *eval) linkbeat(s *stmt) {
	e.values(s, 1, func(v *stmt) {
		if !e.ifaceNow(v.arg(0)) {
			e.noSuchInterface("KA101", e.argSpan(v, 0), v.arg(0), e.literal(v, 0))
			return
		}
		if len(v.w) > 1 {
			switch v.arg(1) {
			case "MII", "ETHTOOL", "IOCTL":
				if len(v.w) == 2 {
					return
				}
			}
			e.object("KA009", e.argsSpan(v, 1), "linkbeat_interfaces: an interface takes MII, ETHTOOL or IOCTL, not %s", quoted(v.arg(1)))
		}
	})
}

// ifaceNow looks an interface up where a missing one is fatal by itself.
func (e *eval) ifaceNow(name string) bool {
	exists, _ := e.o.Host.knows(name)
	return exists || e.m.Global.DynamicInterfaces
}

func (e *eval) upDownDelays(s *stmt) {
	e.values(s, 1, func(v *stmt) {
		if !e.ifaceNow(v.arg(0)) {
			e.noSuchInterface("KA101", e.argSpan(v, 0), v.arg(0), e.literal(v, 0))
			return
		}
		if len(v.w) < 2 {
			return
		}
		if _, ok := e.decimalIn(v, 1, 6, 0, 255000000); ok && len(v.w) > 2 {
			e.decimalIn(v, 2, 6, 0, 255000000)
		}
	})
}

// garpState is the garp_group that is being read.
type garpState struct {
	at       span
	interval bool
	used     map[string]bool
	own      []string
}

func (e *eval) garpGroup(s *stmt) {
	e.garp.at, e.garp.interval, e.garp.own = e.lineSpan(s), false, nil
	e.headSurplus(s, 1)
}

func (e *eval) garpInterval(s *stmt) {
	n := len(e.found)
	if _, ok := e.decimal(s, 1); ok {
		e.garp.interval = true
		e.surplus(s, 2)
	}
	for _, f := range e.found[n:] {
		if f.rule == "KA043" {
			f.rule = "KA144"
		}
	}
}

func (e *eval) garpInterface(s *stmt) {
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	e.garpOn(s, 1, true)
}

func (e *eval) garpOn(s *stmt, i int, strict bool) {
	name := s.arg(i)
	if e.iface(name) == nil {
		e.noSuchInterface("KA101", e.argSpan(s, i), name, e.literal(s, i))
		return
	}
	if e.garp.used[name] {
		e.object("KA010", e.argSpan(s, i), "the interface %s is in a garp_group already", quoted(name))
		return
	}
	e.garp.used[name] = true
	e.garp.own = append(e.garp.own, name)
}

func (e *eval) garpInterfaces(s *stmt) {
	n := 0
	e.values(s, 1, func(v *stmt) {
		for i := range v.w {
			n++
			e.garpOn(v, i, false)
		}
	})
	if n == 0 {
		e.object("KA155", e.lineSpan(s), "interfaces is empty")
	}
}

func (e *eval) endGarpGroup() {
	if !e.garp.interval {
		e.object("KA144", e.garp.at, "the garp_group sets neither garp_interval nor gna_interval")
		for _, n := range e.garp.own {
			delete(e.garp.used, n)
		}
	}
}
