package ipxe

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Label sets a label. A label can be set once.
func (b *Builder) Label(name string) {
	if !labelName(name) {
		b.fail("Label", fmt.Errorf("%q can't be a label", name))
		return
	}
	if b.used[name] {
		b.fail("Label", fmt.Errorf("the label %q is set twice", name))
		return
	}
	b.mark(name)
}

// labelName reports whether a caller may give a label that name; the builder's own begin
// with dougu-.
func labelName(s string) bool {
	return plainWord(s) && !expands(s) && !strings.HasPrefix(s, "dougu-")
}

func (b *Builder) mark(name string) {
	b.begin()
	if b.used == nil {
		b.used = map[string]bool{}
	}
	b.used[name] = true
	b.buf = append(append(append(b.buf, ':'), name...), '\n')
}

// Goto goes to a label.
func (b *Builder) Goto(name string) {
	if !labelName(name) {
		b.fail("Goto", fmt.Errorf("%q can't be a label", name))
		return
	}
	b.begin()
	b.buf = append(append(append(b.buf, "goto "...), name...), '\n')
}

// label is one that the builder makes: dougu-KIND-NUMBER.
type label struct {
	kind string // with "dougu-" before it and a hyphen behind it
	id   int
}

func (l label) appendTo(dst []byte) []byte {
	dst = append(dst, l.kind...)
	if l.id < 10 {
		return append(dst, byte('0'+l.id))
	}
	return strconv.AppendInt(dst, int64(l.id), 10)
}

// place sets a label of the builder's own.
func (b *Builder) place(l label) {
	b.begin()
	b.buf = append(l.appendTo(append(b.buf, ':')), '\n')
}

// jump goes to a label of the builder's own.
func (b *Builder) jump(l label) {
	b.begin()
	b.buf = append(l.appendTo(append(b.buf, "goto "...)), '\n')
}

// rawLabel adds a label as a word.
func (b *Builder) rawLabel(l label) {
	b.buf = l.appendTo(append(b.buf, ' '))
	b.words++
}

// Cond is a condition of [Builder.If].
type Cond struct {
	set    bool
	negate bool
	left   Expr
	right  Expr
}

// IsSet holds when a value is not empty.
func IsSet(e Expr) Cond { return Cond{set: true, left: e} }

// Equal holds when two values are the same text.
func Equal(a, b Expr) Cond { return Cond{left: a, right: b} }

// Not turns a condition round.
func Not(c Cond) Cond {
	c.negate = !c.negate
	return c
}

// If runs then when the condition holds, and else, which may be nil, when not.
func (b *Builder) If(c Cond, then func(*Builder), otherwise func(*Builder)) {
	b.labels++
	no, end := label{"dougu-else-", b.labels}, label{"dougu-end-", b.labels}
	onFail := b.onFail
	b.onFail = label{}
	if c.set {
		b.open("isset")
	} else {
		b.open("iseq")
	}
	if b.mayBeOption(&c.left) {
		b.raw("--")
	}
	b.condition(&c.left)
	if !c.set {
		b.condition(&c.right)
	}
	op := "||"
	if c.negate {
		op = "&&"
	}
	// With a negated condition the line must not fail either way.
	b.raw(op)
	b.raw("goto")
	b.rawLabel(no)
	if c.negate {
		b.raw("||")
	}
	b.close()
	b.onFail = onFail
	then(b)
	if otherwise != nil {
		b.jump(end)
	}
	b.place(no)
	if otherwise != nil {
		otherwise(b)
		b.place(end)
	}
}

// condition adds one word of a condition, which may be empty when it is run.
func (b *Builder) condition(e *Expr) {
	if b.empty(e) {
		b.raw("${}")
		return
	}
	b.argument("If", e, false)
}

// Retry runs body up to n times, until all of its commands succeed, with a pause between
// the tries. When the last try fails it runs failed, or, when that is nil, ends the
// script with status 1.
func (b *Builder) Retry(n int, pause time.Duration, body func(*Builder), failed func(*Builder)) {
	if n < 1 || n > 1<<30 {
		b.fail("Retry", fmt.Errorf("%d tries", n))
		return
	}
	b.labels++
	id := b.labels
	again, fail, giveUp, end := label{"dougu-try-", id}, label{"dougu-failed-", id}, label{"dougu-enough-", id}, label{"dougu-done-", id}
	count := label{"dougu-tries-", id}
	outer := b.onFail
	b.onFail = label{}
	b.open("set")
	b.rawLabel(count)
	b.buf = append(b.buf, ":int32 0"...)
	b.close()
	b.place(again)
	b.onFail = fail
	body(b)
	b.onFail = label{}
	b.jump(end)
	b.place(fail)
	b.open("inc")
	b.rawLabel(count)
	b.close()
	b.buf = count.appendTo(append(b.buf, "iseq ${"...))
	b.buf = strconv.AppendInt(append(b.buf, "} "...), int64(n), 10)
	b.buf = append(giveUp.appendTo(append(b.buf, " && goto "...)), " ||\n"...)
	if pause > 0 {
		b.Sleep(pause)
	}
	b.jump(again)
	b.place(giveUp)
	b.onFail = outer
	switch {
	case failed != nil:
		failed(b)
	case outer.id != 0:
		b.jump(outer)
	default:
		b.Exit(1)
	}
	b.place(end)
}

// Attempt runs body; when one of its commands fails it goes on with otherwise, which may
// be nil.
func (b *Builder) Attempt(body, otherwise func(*Builder)) {
	b.labels++
	fail, end := label{"dougu-failed-", b.labels}, label{"dougu-done-", b.labels}
	outer := b.onFail
	b.onFail = fail
	body(b)
	b.onFail = outer
	if otherwise != nil {
		b.jump(end)
	}
	b.place(fail)
	if otherwise != nil {
		otherwise(b)
		b.place(end)
	}
}

// Choice is a menu on the screen.
type Choice struct {
	Title string
	Items []Item
	// Default is the label of the item that is marked; empty: the first.
	Default string
	// Timeout chooses the marked item when nobody presses a key; 0: wait for ever.
	Timeout time.Duration
}

// Item is an entry of a [Choice].
type Item struct {
	// Label is a plain word, unique in the menu. Empty: a line that can't be chosen.
	Label string
	// Text is shown; empty: the label.
	Text string
	// Key chooses the item at once; 0: none. A printable character.
	Key byte
	// Do is what the item does. After it the script goes on behind the menu.
	Do func(*Builder)
}

// Menu shows a menu and does what the chosen item says. When the user leaves it with
// Escape, the script goes on behind it.
func (b *Builder) Menu(c Choice) {
	b.labels++
	name := "dougu-menu-" + strconv.Itoa(b.labels)
	end := label{"dougu-menu-end-", b.labels}
	b.open("menu")
	b.raw("--name")
	b.raw(name)
	if strings.HasPrefix(c.Title, "-") {
		b.raw("--")
	}
	b.text("Menu", c.Title)
	b.close()
	n := 0
	for _, it := range c.Items {
		b.open("item")
		b.raw("--menu")
		b.raw(name)
		if it.Label == "" {
			b.raw("--gap")
			b.raw("--")
			b.text("Menu", it.Text)
			b.close()
			continue
		}
		n++
		if !labelName(it.Label) || it.Do == nil {
			b.fail("Menu", fmt.Errorf("item %q: the label must be a plain word, and there must be something to do", it.Label))
			return
		}
		if it.Key != 0 {
			if it.Key <= ' ' || it.Key > '~' {
				b.fail("Menu", fmt.Errorf("item %q: the key must be a printable character", it.Label))
				return
			}
			b.raw("--key")
			b.raw("0x" + strconv.FormatUint(uint64(it.Key), 16))
		}
		b.raw(it.Label)
		text := it.Text
		if text == "" {
			text = it.Label
		}
		b.text("Menu", text)
		b.close()
	}
	if n == 0 {
		b.fail("Menu", fmt.Errorf("the menu %q has nothing to choose", c.Title))
		return
	}
	b.open("choose")
	b.raw("--menu")
	b.raw(name)
	if c.Default != "" {
		if !labelName(c.Default) {
			b.fail("Menu", fmt.Errorf("default %q is no label", c.Default))
			return
		}
		b.raw("--default")
		b.raw(c.Default)
	}
	if c.Timeout > 0 {
		b.raw("--timeout")
		b.raw(strconv.FormatInt(max(c.Timeout.Milliseconds(), 1), 10))
	}
	b.raw(name)
	b.raw("||")
	b.raw("goto")
	b.rawLabel(end)
	onFail := b.onFail
	b.onFail = label{}
	b.close()
	b.onFail = onFail
	b.buf = append(b.buf, "goto "+name+"-${"+name+"}\n"...)
	seen := map[string]bool{}
	for _, it := range c.Items {
		if it.Label == "" {
			continue
		}
		if seen[it.Label] {
			b.fail("Menu", fmt.Errorf("two items %q", it.Label))
			return
		}
		seen[it.Label] = true
		b.mark(name + "-" + it.Label)
		it.Do(b)
		b.jump(end)
	}
	if c.Default != "" && !seen[c.Default] {
		b.fail("Menu", fmt.Errorf("the default %q is no item", c.Default))
	}
	b.place(end)
}

// text adds text that is only shown.
func (b *Builder) text(call, s string) {
	if s == "" {
		return
	}
	b.arguments(call, []Expr{Text(s)})
}
