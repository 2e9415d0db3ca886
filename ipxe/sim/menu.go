package sim

import (
	"fmt"
	"strings"
	"time"

	"dougu.internal/ipxe"
)

// menu is a menu or form that a script builds.
type menu struct {
	name  field
	title string
	items []menuItem
}

type menuItem struct {
	label    string
	labelled bool
	text     string
	key      int
	def      bool
	secret   bool
}

func menuCommand(r *runner, c *call) Status {
	m := &menu{name: c.label, title: r.join(c.rest)}
	// The old generation lets a second menu of one name wait behind the first.
	if r.p.URI == ipxe.Keep {
		r.destroyMenu(r.findMenu(m.name))
	}
	if !c.remove {
		if !r.charge(len(m.title) + 64) {
			return OK
		}
		r.menus = append(r.menus, m)
	}
	return OK
}

func (r *runner) findMenu(name field) *menu {
	for _, m := range r.menus {
		if m.name == name {
			return m
		}
	}
	return nil
}

func (r *runner) destroyMenu(m *menu) {
	for i, x := range r.menus {
		if x == m {
			r.menus = append(r.menus[:i:i], r.menus[i+1:]...)
			return
		}
	}
}

// theMenu finds the menu of a command and complains when there is none.
func (r *runner) theMenu(name field) (*menu, Status) {
	if m := r.findMenu(name); m != nil {
		return m, OK
	}
	what := "menu"
	if r.p.URI == ipxe.Keep {
		what = "user interface"
	}
	if name.is {
		r.print(`"`, name.text, `": no such `, what, "\n")
	} else {
		r.print("No default ", what, "\n")
	}
	return nil, enoentMenu
}

func item(r *runner, c *call) Status {
	it := menuItem{key: c.key, def: c.marked, secret: c.secret}
	if !c.gap {
		if len(c.rest) > 0 {
			it.label, it.labelled, c.rest = c.rest[0], true, c.rest[1:]
		}
	}
	it.text = r.join(c.rest)
	m, status := r.theMenu(c.menu)
	if status != OK {
		return status
	}
	if !r.charge(len(it.label) + len(it.text) + 64) {
		return OK
	}
	m.items = append(m.items, it)
	return OK
}

func choose(r *runner, c *call) Status {
	b, s, status := r.settingName(c.rest[0], true)
	if status != OK {
		return status
	}
	m, status := r.theMenu(c.menu)
	if status != OK {
		return status
	}
	chosen, status := r.showMenu(m, c.timeout, c.retimeout, c.preset)
	if r.fatal != nil {
		return status
	}
	if status == OK {
		if s.typ == nil {
			s.typ = typeString
		}
		status = r.keep(b, &s, r.storeText(b, &s, chosen.label))
	}
	if !c.keep {
		r.destroyMenu(m)
	}
	return status
}

// milliseconds reads a time whose text was checked before.
func (r *runner) milliseconds(text string) time.Duration {
	ms, _ := strtoul(text, 0)
	return milliseconds(ms)
}

func milliseconds(n uint32) time.Duration { return time.Duration(n) * time.Millisecond }

// menuRows is how many items the screen shows: 25 lines without title and edges.
const menuRows = 20

// showMenu lets the user choose. The console gets the title and the items as plain
// lines, where the firmware draws a screen.
func (r *runner) showMenu(m *menu, timeout, retimeout time.Duration, preset field) (*menuItem, Status) {
	current, labelled := 0, 0
	for i := range m.items {
		it := &m.items[i]
		if !it.labelled {
			continue
		}
		if labelled == 0 {
			current = i
		}
		labelled++
		if preset.is && preset.text == it.label || !preset.is && it.def {
			current = i
		}
	}
	if labelled == 0 {
		return nil, enoentUIMenu
	}
	r.drawMenu(m, current)
	if r.opts.Decide != nil {
		return r.decideMenu(m, current, timeout)
	}
	first := 0 // of the page
	for {
		if !r.step() {
			return nil, OK
		}
		key, ok := r.waitKey(timeout, "choose")
		if r.fatal != nil {
			return nil, OK
		}
		if !ok {
			return &m.items[current], OK
		}
		timeout = retimeout
		for first < current {
			first += menuRows
		}
		for first > current {
			first -= menuRows
		}
		move, chosen := 0, false
		switch key {
		case KeyUp:
			move = -1
		case KeyDown:
			move = 1
		case KeyPageUp:
			move = first - current - 1
		case KeyPageDown:
			move = first - current + menuRows
		case KeyHome:
			move = -len(m.items)
		case KeyEnd:
			move = len(m.items)
		}
		switch key {
		case KeyEscape, KeyCtrlC:
			return nil, ecanceledMenu
		case '\r', '\n':
			chosen = true
		default:
			for i := range m.items {
				it := &m.items[i]
				if it.key == 0 || it.key != r.code(key) {
					continue
				}
				current = i
				if it.labelled {
					chosen = true
				} else {
					move = 1
				}
			}
		}
		for move != 0 {
			current += move
			switch {
			case current < 0:
				current, move = 0, 1
			case current >= len(m.items):
				current, move = len(m.items)-1, -1
			case move > 0:
				move = 1
			default:
				move = -1
			}
			if m.items[current].labelled {
				break
			}
		}
		if chosen {
			return &m.items[current], OK
		}
	}
}

// decideMenu asks Options.Decide.
func (r *runner) decideMenu(m *menu, current int, timeout time.Duration) (*menuItem, Status) {
	q := Question{Command: "choose", Text: m.title, Timeout: timeout}
	var items []*menuItem
	for i := range m.items {
		if !m.items[i].labelled {
			continue
		}
		if i == current {
			q.Default = len(items)
		}
		items = append(items, &m.items[i])
		q.Labels = append(q.Labels, m.items[i].label)
	}
	a := r.opts.Decide(q)
	switch {
	case a.Cancel:
		return nil, ecanceledMenu
	case a.Choice > 0 && a.Choice <= len(items):
		return items[a.Choice-1], OK
	}
	r.elapsed += timeout
	return items[q.Default], OK
}

func (r *runner) drawMenu(m *menu, current int) {
	r.print(m.title, "\n")
	for i := range m.items {
		mark := "   "
		if i == current {
			mark = " > "
		}
		r.print(mark, m.items[i].text, "\n")
	}
}

// present shows a form: a line of input for each item. Keys go to the first field, Enter
// moves on; on the last one it ends the form.
func present(r *runner, c *call) Status {
	m, status := r.theMenu(c.menu)
	if status != OK {
		return status
	}
	fields := 0
	for i := range m.items {
		it := &m.items[i]
		if !it.labelled {
			continue
		}
		fields++
		b, s, st := r.parseName(it.label, true)
		if status = st; status != OK {
			break
		}
		if s.typ == nil {
			s.typ = typeString
		}
		old, _, _, _ := r.formatted(b, &s)
		r.print(it.text, ": ")
		line, st := r.edit(old, 0)
		r.print("\n")
		if r.fatal != nil {
			return st
		}
		if status = st; status == OK {
			status = r.storeText(b, &s, line)
		}
		if status != OK {
			break
		}
	}
	if fields == 0 {
		status = enoentUIForm
	}
	if !c.keep {
		r.destroyMenu(m)
	}
	return status
}

// key reads the name of a key: a character, or a number.
func (r *runner) key(text string) (int, Status) {
	if len(text) == 1 {
		return int(int8(text[0])), OK
	}
	v, status := r.integer(text)
	if status == OK && r.p.URI == ipxe.Keep && v >= 0x80 && v < keyMin {
		v += keyMin
	}
	return int(int32(v)), status
}

// keyMin is where the numbers of special keys begin in the current generation.
const keyMin = 0x110000

// code is the number of a key in this build.
func (r *runner) code(k Key) int {
	ansi := func(n int, end byte) int {
		v := 0x100*(n+1) + int(end)
		if r.p.URI == ipxe.Keep {
			v += keyMin
		}
		return v
	}
	switch k {
	case KeyUp:
		return ansi(0, 'A')
	case KeyDown:
		return ansi(0, 'B')
	case KeyRight:
		return ansi(0, 'C')
	case KeyLeft:
		return ansi(0, 'D')
	case KeyEnd:
		return ansi(0, 'F')
	case KeyHome:
		return ansi(0, 'H')
	case KeyDelete:
		return ansi(3, '~')
	case KeyPageUp:
		return ansi(5, '~')
	case KeyPageDown:
		return ansi(6, '~')
	}
	if k >= KeyF1 && k < KeyF1+12 { // F1 to F4 do not have a number
		return ansi([...]int{0, 0, 0, 0, 15, 17, 18, 19, 20, 21, 23, 24}[k-KeyF1], '~')
	}
	return int(k)
}

// waitKey waits for a key. Without one the timeout passes; without a timeout the machine
// waits for ever.
func (r *runner) waitKey(timeout time.Duration, what string) (Key, bool) {
	if len(r.keys) > 0 {
		k := r.keys[0]
		r.keys = r.keys[1:]
		if k != Wait {
			return k, true
		}
	}
	if timeout == 0 {
		r.stop(HazardKeyboard, fmt.Sprintf("%s waits for a key, and no more are pressed", what))
		return 0, false
	}
	r.elapsed += timeout
	return 0, false
}

func prompt(r *runner, c *call) Status {
	key, timeout := c.key, c.timeout
	var k Key
	var ok bool
	text := r.join(c.rest)
	r.print(text)
	if r.opts.Decide != nil {
		a := r.opts.Decide(Question{Command: "prompt", Text: text, Timeout: timeout})
		if ok = a.Choice > 0 || timeout == 0; !ok {
			r.elapsed += timeout
		}
		if a.Cancel {
			key = -1
		} else {
			key = 0
		}
	} else {
		k, ok = r.waitKey(timeout, "prompt")
	}
	if r.fatal != nil {
		return OK
	}
	r.print(strings.Repeat("\b \b", len(cString(text))))
	switch {
	case !ok:
		return etimedoutUser
	case key != 0 && r.code(k) != key:
		return ecanceledUser
	}
	return OK
}

func read(r *runner, c *call) Status {
	timeout := c.timeout
	b, s, status := r.settingName(c.rest[0], true)
	if status != OK {
		return status
	}
	old, _, found, st := r.formatted(b, &s)
	if st == OK {
		s = found
	}
	line := cString(old)
	status = OK
	if r.opts.Decide != nil {
		if a := r.opts.Decide(Question{Command: "read", Setting: c.rest[0], Timeout: timeout}); a.Cancel {
			status = ecanceledRead
		} else if a.Text != "" {
			line = a.Text
		}
	} else {
		line, status = r.edit(line, timeout)
	}
	r.print("\n")
	if status != OK || r.fatal != nil {
		return status
	}
	if s.typ == nil {
		s.typ = typeString
	}
	return r.keep(b, &s, r.storeText(b, &s, line))
}

// lineRoom is what a line of input holds.
const lineRoom = 1023

// edit lets the user edit a line.
func (r *runner) edit(text string, timeout time.Duration) (string, Status) {
	line := []byte(text[:min(len(text), lineRoom)])
	at := len(line)
	r.print("\x1b[?25h", string(line))
	cut := func(from, to int) {
		line = append(line[:from], line[to:]...)
		at = from
	}
	for {
		if !r.step() {
			return "", OK
		}
		k, ok := r.waitKey(timeout, "read")
		if r.fatal != nil {
			return "", OK
		}
		if !ok {
			return "", etimedoutRead
		}
		switch {
		case k >= 0x20 && k <= 0x7e:
			if len(line) < lineRoom {
				line = append(line, 0)
				copy(line[at+1:], line[at:])
				line[at] = byte(k)
				at++
			}
		case k == '\r' || k == '\n':
			return string(line), OK
		case k == KeyCtrlC:
			return "", ecanceledRead
		case k == KeyBackspace:
			if at > 0 {
				cut(at-1, at)
			}
		case k == KeyDelete || k == 4:
			if at < len(line) {
				cut(at, at+1)
			}
		case k == 0x17: // a word
			from := at
			for from > 0 && isSpace(line[from-1]) {
				from--
			}
			for from > 0 && !isSpace(line[from-1]) {
				from--
			}
			cut(from, at)
		case k == 0x15:
			cut(0, at)
		case k == 0x0b:
			cut(at, len(line))
		case k == KeyHome || k == 1:
			at = 0
		case k == KeyEnd || k == 5:
			at = len(line)
		case k == KeyLeft || k == 2:
			at = max(at-1, 0)
		case k == KeyRight || k == 6:
			at = min(at+1, len(line))
		}
	}
}
