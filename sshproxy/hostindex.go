package sshproxy

// hostIndex finds the blocks that may concern a host: those whose Host line names it
// literally, and those that are looked at for every host.
type hostIndex struct {
	always []int32
	first  map[string]int32 // pattern to its first entry in next
	next   []indexEntry
}

type indexEntry struct{ block, next int32 }

// candidates returns the blocks to look at for a host, in order. The index is made when
// a program is used for the second time; ok is false before.
func (c *program) candidates(host string) (list []int32, ok bool) {
	const worth = 16 // blocks below which a scan is as fast
	c.uses.Lock()
	c.seen++
	if c.index == nil && c.seen > 1 && len(c.blocks) > worth {
		c.index = c.buildIndex()
	}
	x := c.index
	c.uses.Unlock()
	if x == nil {
		return nil, false
	}
	var literal []int32
	for e, found := x.first[host]; found && e >= 0; e = x.next[e].next {
		literal = append(literal, x.next[e].block)
	}
	return merge(x.always, literal), true
}

func (c *program) buildIndex() *hostIndex {
	x := &hostIndex{first: make(map[string]int32, len(c.blocks))}
	for n := len(c.blocks) - 1; n >= 0; n-- { // backwards, so that lists run forwards
		b := &c.blocks[n]
		if b.head < 0 || b.always {
			x.always = append(x.always, int32(n))
			continue
		}
		for _, p := range c.list(&c.stmts[b.head]) {
			next := int32(-1)
			if e, ok := x.first[p]; ok {
				next = e
			}
			x.first[p] = int32(len(x.next))
			x.next = append(x.next, indexEntry{int32(n), next})
		}
	}
	for i, j := 0, len(x.always)-1; i < j; i, j = i+1, j-1 {
		x.always[i], x.always[j] = x.always[j], x.always[i]
	}
	return x
}

// merge joins two ascending lists without repeating a block.
func merge(a, b []int32) []int32 {
	if len(b) == 0 {
		return a
	}
	out := make([]int32, 0, len(a)+len(b))
	for len(a) > 0 || len(b) > 0 {
		var next int32
		if len(b) == 0 || len(a) > 0 && a[0] <= b[0] {
			next, a = a[0], a[1:]
		} else {
			next, b = b[0], b[1:]
		}
		if n := len(out); n == 0 || out[n-1] != next {
			out = append(out, next)
		}
	}
	return out
}
