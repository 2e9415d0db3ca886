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
			f := e.object("KA141", t.at, "the instance tracks its own interface anyway")
			e.deleteTrack(f, t.at, "track_interface")
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

// deleteTrack offers to delete the line of something tracked, or the whole block when
// nothing else is in it.
func (e *eval) deleteTrack(f *finding, at span, block string) {
	text := e.c.sources[at.file].text
	line := e.c.lineOf(at)
	if strings.TrimSpace(e.c.lineText(at)) != text[at.from:at.to] {
		return
	}
	before := strings.LastIndex(text[:line.from], block)
	if before >= 0 && strings.Join(strings.Fields(text[before:line.from]), " ") == block+" {" {
		if n := strings.IndexByte(text[line.to:], '}'); n >= 0 && strings.TrimSpace(text[line.to:int(line.to)+n]) == "" {
			a := e.c.lineOf(span{at.file, int32(before), int32(before)})
			b := e.c.lineOf(span{at.file, line.to + int32(n), line.to + int32(n)})
			f.fix("delete the block", edit{span{at.file, a.from, b.to}, ""})
			return
		}
	}
	f.fix("delete the line", edit{line, ""})
}

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
