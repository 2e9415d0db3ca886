package keepalived

import (
	"strings"
)

// instanceTracks drops what an instance cannot track.
func (e *eval) instanceTracks(i *Instance, owner bool) {
	noWeight := i.sync != nil && !i.sync.weights
	why := "an address owner (priority 255)"
	if noWeight {
		why = "a member of a sync group"
	}
	kept := i.Tracks[:0]
	for _, t := range i.Tracks {
		if t.Kind == "interface" && i.ifp != nil && t.Name == i.ifp.name && !i.vmacOwn(t.Name) {
			e.object("KA141", t.at, "the instance tracks its own interface anyway")
			continue
		}
		if (noWeight || owner) && t.Weight != 0 && t.Kind != "process" {
			f := e.object("KA127", t.at, "a weight has no effect for %s", why)
			e.dropWeight(f, t)
			if t.Kind == "interface" && noWeight || t.Kind == "file" && t.Weight == 1 {
				t.Weight = 0
			} else {
				continue
			}
		}
		kept = append(kept, t)
	}
	i.Tracks = kept
}

func (i *Instance) vmacOwn(string) bool { return false }

// dropWeight offers to take the weight away where it stands.
func (e *eval) dropWeight(f *finding, t Track) {
	text := e.c.sources[t.at.file].text[t.at.from:t.at.to]
	if before, _, ok := strings.Cut(text, "weight"); ok {
		name := strings.TrimRight(before, " \t")
		f.fix("use weight 0", edit{t.at, name + " weight 0"})
		return
	}
	f.fix("use weight 0", edit{span{t.at.file, t.at.to, t.at.to}, " weight 0"})
}

// groupTracking drops weights of groups with an address owner.
func (e *eval) groupTracking() {
	for _, g := range e.m.SyncGroups {
		owner := false
		for _, i := range g.instances {
			owner = owner || i.Priority == 255
		}
		for n := range g.tracks {
			t := &g.tracks[n]
			if owner && t.Weight != 0 {
				f := e.object("KA127", t.at, "a weight has no effect for a group with an address owner (priority 255)")
				e.dropWeight(f, *t)
				t.Weight = 0
			}
		}
		for _, i := range g.instances {
			i.Tracks = append(i.Tracks, g.tracks...)
		}
	}
}
