package sim

import (
	"fmt"
	"strings"
)

// loop is called when a script jumps back. A script that returns to the same line with
// the same settings, images, menus, keys and place in the same caller does the same
// again for ever, unless the world or the clock changes: that is a loop only when no
// request was made and no time passed since.
func (r *runner) loop(line int) {
	if r.res.Steps < 200 {
		return // most loops end
	}
	if r.res.Steps > r.opts.MaxSteps/2 {
		return // the bound will tell
	}
	r.searchN++
	if r.searchN&15 != 0 {
		return
	}
	var key strings.Builder
	key.WriteString(fmt.Sprintf("%p %d %d %d %d %d %d %d %s", r.script, line, r.elapsed, len(r.res.Requests), len(r.images), len(r.menus),
		len(r.keys), r.errno, r.fingerprint(&r.root)))
	for _, i := range r.images {
		key.WriteString(fmt.Sprintf(" %q%t%t", i.name, i.selected, i.autofree))
	}
	if r.seen == nil {
		r.seen = map[string]int{}
	}
	if len(r.seen) > 64 {
		clear(r.seen)
	}
	if _, ok := r.seen[key.String()]; ok {
		r.stop(HazardLoop, "the script comes back to the same line with nothing changed: it never ends")
		return
	}
	r.seen[key.String()] = r.res.Steps
}

// fingerprint writes the settings of a block and those below.
func (r *runner) fingerprint(b *block) string {
	var out strings.Builder
	out.WriteString(b.name + "{")
	for i := range b.values {
		v := &b.values[i]
		out.WriteString(fmt.Sprintf("%q:%d=%x;", v.name, v.tag, v.data))
	}
	for _, c := range b.children {
		if c.kind == genericBlock || c.kind == netBlock || c.kind == dhcpBlock {
			out.WriteString(r.fingerprint(c))
		}
	}
	return out.String() + "}"
}
