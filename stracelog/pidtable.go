package stracelog

// pidTable maps pids to open calls. It is asked once a line, where Go's map is a fifth of the whole work
// (BenchmarkJoin): open addressing with linear probing and no tombstones.
type pidTable struct {
	slots []pidSlot // length is a power of two, at most half full
	n     int
}

type pidSlot struct {
	pid  int
	half *half // nil: free
}

func (t *pidTable) home(pid int) int {
	return int(uint64(pid)*0x9e3779b97f4a7c15>>32) & (len(t.slots) - 1)
}

func (t *pidTable) get(pid int) *half {
	if t.n == 0 {
		return nil
	}
	for i := t.home(pid); ; i = (i + 1) & (len(t.slots) - 1) {
		s := &t.slots[i]
		if s.half == nil || s.pid == pid {
			return s.half
		}
	}
}

// put adds a pid that is not in the table.
func (t *pidTable) put(pid int, h *half) {
	if 2*(t.n+1) > len(t.slots) {
		old := t.slots
		t.slots = make([]pidSlot, max(16, 2*len(old)))
		for _, s := range old {
			if s.half != nil {
				t.place(s)
			}
		}
	}
	t.place(pidSlot{pid, h})
	t.n++
}

func (t *pidTable) place(s pidSlot) {
	i := t.home(s.pid)
	for t.slots[i].half != nil {
		i = (i + 1) & (len(t.slots) - 1)
	}
	t.slots[i] = s
}

func (t *pidTable) remove(pid int) *half {
	if t.n == 0 {
		return nil
	}
	mask := len(t.slots) - 1
	i := t.home(pid)
	for ; t.slots[i].pid != pid || t.slots[i].half == nil; i = (i + 1) & mask {
		if t.slots[i].half == nil {
			return nil
		}
	}
	h := t.slots[i].half
	// Close the hole: a slot behind it moves up when its home lies at or before the hole.
	for j := (i + 1) & mask; t.slots[j].half != nil; j = (j + 1) & mask {
		if k := t.home(t.slots[j].pid); (j-k)&mask >= (j-i)&mask {
			t.slots[i] = t.slots[j]
			i = j
		}
	}
	t.slots[i] = pidSlot{}
	t.n--
	return h
}

func (t *pidTable) each(f func(pid int, h *half)) {
	for _, s := range t.slots {
		if s.half != nil {
			f(s.pid, s.half)
		}
	}
}
