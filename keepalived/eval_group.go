package keepalived

func (e *eval) syncGroup(s *stmt) {
	e.inst = nil
	// What is read although the block is refused goes into a group of its own.
	e.group = &SyncGroup{head: e.lineSpan(s), groupAt: nowhere, alert: -1}
	if len(s.w) != 2 {
		e.object("KA077", e.lineSpan(s), "vrrp_sync_group wants one name")
		e.skip = -1
		return
	}
	name := s.arg(1)
	if old := e.groups[name]; old != nil {
		e.object("KA076", e.argSpan(s, 1), "the vrrp_sync_group %s is defined twice", quoted(name)).also(old.head, "the first one")
		e.skip = -1
		return
	}
	e.group = &SyncGroup{Name: name, head: e.lineSpan(s), groupAt: nowhere, alert: -1}
	e.groups[name] = e.group
	e.m.SyncGroups = append(e.m.SyncGroups, e.group)
}

func (e *eval) syncMembers(s *stmt) {
	g := e.group
	if g.set {
		e.object("KA010", e.lineSpan(s), "group stands twice in %s; the first one wins", quoted(g.Name))
		e.skip = -1
		return
	}
	g.groupAt = e.lineSpan(s)
	e.values(s, 1, func(v *stmt) {
		for i, w := range v.w {
			g.Members = append(g.Members, w.s)
			g.spans = append(g.spans, e.argSpan(v, i))
		}
	})
	if len(g.Members) == 0 {
		e.object("KA155", e.lineSpan(s), "the group of %s is empty", quoted(g.Name))
		return
	}
	g.set = true
}

func (e *eval) groupNotify(s *stmt) {
	if e.group.notify == nil {
		e.group.notify = map[string]*notify{}
	}
	e.addNotify(e.group.notify, s)
}

func (e *eval) groupAlert(s *stmt) {
	if v, ok := e.boolean(s); ok {
		e.group.alert = 0
		if v {
			e.group.alert = 1
		}
		e.alertSeen(v, e.lineSpan(s))
		e.surplus(s, 2)
	}
}

func (e *eval) globalTracking(s *stmt) {
	e.object("KA005", e.lineSpan(s), "global_tracking was removed: track on the sync group itself").
		fix("use sync_group_tracking_weight", edit{e.lineSpan(s), "sync_group_tracking_weight"})
	e.group.weights = true
}

func (e *eval) trackingWeight(s *stmt) {
	e.group.weights = true
	e.flag(s)
}
